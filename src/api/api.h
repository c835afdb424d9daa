//! The REST API: over HTTPS for browsers and programs, over a Unix socket for the command line.
//!
//! HTTP/1.1, all paths below /api/v1; what there is stands in the tables of routes (api/route.h),
//! the OpenAPI document and docs/api.md. On the Unix socket whoever may open it (mode 0660, its
//! folder) is an administrator under the name the system has for him. Main thread; never blocks.
#pragma once

#include "access/access.h"
#include "alarm/desk.h"
#include "api/changes.h"
#include "api/live.h"
#include "api/web.h"
#include "collect/collector.h"
#include "link/link.h"
#include "model/config.h"
#include "outbox/outbox.h"
#include "script/canary.h"
#include "script/host.h"
#include "tags/tag_table.h"

#include <jansson.h>
#include <uv.h>

/// A replay of dead letters, under way or over.
typedef struct PsApiReplay {
    const char *name; ///< of the message; NULL when there was none yet
    bool running;
    uint64_t total; ///< letters when it began
    uint64_t done;
    uint64_t failed;  ///< run again and failed again
    char reason[200]; ///< newest failure, "" when none
    char end[320];    ///< "done", or why it stopped; "" while running
} PsApiReplay;

/// How messages leave the outbox at the moment.
typedef struct PsApiDelivery {
    double per_s;          ///< messages acknowledged a second, over the last ten
    double drained_per_s;  ///< by how many a second the queue became shorter, likewise
    size_t window;         ///< publishes under way at most
    double acknowledge_ms; ///< what an acknowledgement usually takes; 0: not known
    bool one_by_one;       ///< a message is looked for that ends connections
    uint64_t set_aside;    ///< messages set aside since the start
} PsApiDelivery;

/// What the calls look at. All borrowed; lasts until other sources are given, or outlives the API.
typedef struct PsApiSources {
    const PsConfig *config;
    PsTagTable *table;
    PsCollector *collector;
    PsAlarmDesk *alarms;
    PsScriptHost *scripts;
    PsCanary *canary; ///< NULL like scripts
    PsOutbox *outbox;
    PsApiLive *live; ///< what those who look on are told
    /// Starts a replay: one at a time. With a diagnosis when it does not start.
    PsErr (*replay)(const char *name, bool keep_going, void *ctx, PsDiag *diag);
    /// Ends it after the letter that is being run. With a diagnosis when there is none.
    PsErr (*replay_stop)(void *ctx, PsDiag *diag);
    const PsApiReplay *(*replay_status)(void *ctx); ///< never NULL
    /// All 0 while there is no cloud.
    PsApiDelivery (*delivery_status)(void *ctx);
    /// The configuration lasts until the hold is released, although another may take its place.
    void *(*hold_config)(void *ctx);
    void (*release_config)(void *hold);
    void *ctx; ///< of the callbacks
    const PsApiChanges *changes;
    PsAccess *access;       ///< accounts; NULL in tests of parts
    const PsWebServer *web; ///< set by the API itself; NULL: none
    PsLink *link;           ///< NULL when the cloud is not enabled
    uv_loop_t *loop;
    const char *script_program; ///< penstock-script
    const char *scratch;        ///< folder for scripts' scratch folders
    const char *state;          ///< STATE: below it is what drivers keep
    PsWall started;
} PsApiSources;

typedef struct PsApi PsApi;

/// Where the listener for browsers is.
typedef struct PsApiWeb {
    const char *folder;  ///< STATE/web
    const char *address; ///< in place of the configuration's; NULL: that
    int port;
    const char *pages; ///< folder of the web interface's files; NULL: not installed
} PsApiWeb;

/// Makes the socket (an old one of a process that is gone is replaced). PS_ERR_BUSY when another
/// gateway answers there; PS_ERR_IO, PS_ERR_DENIED.
PsErr ps_api_open(uv_loop_t *loop, const char *path, const PsApiSources *sources, PsApi **ret_api,
                  PsDiag *diag);
/// Begins to listen for browsers, as the sources' configuration says; what goes wrong is logged and
/// tried again.
void ps_api_open_web(PsApi *api, const PsApiWeb *setup);
/// The configuration asks for another listener, or its files may have changed.
void ps_api_configure_web(PsApi *api, const PsWeb *config);
/// Other sources, also for calls that wait for an answer.
void ps_api_set_sources(PsApi *api, const PsApiSources *sources);
/// The configuration asks for another log level.
void ps_api_configure_log(PsApi *api, PsLogLevel level);
/// Removes the socket and closes all clients; `closed` is called from the loop, then free.
void ps_api_close(PsApi *api, void (*closed)(void *ctx), void *ctx);
void ps_api_free(PsApi *api);
