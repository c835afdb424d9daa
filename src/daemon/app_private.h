//! The running gateway's parts, shared by app.c (build, run, tear down), cloud.c (link and scripts,
//! which come and go with `cloud.enable`), ways.c (what the parts tell each other), sources.c (what
//! the command socket looks at) and switch.c (another configuration). Main thread.
#pragma once

#include "access/access.h"
#include "alarm/desk.h"
#include "api/api.h"
#include "collect/collector.h"
#include "daemon/app.h"
#include "daemon/apply.h"
#include "daemon/comm_watch.h"
#include "daemon/delivery.h"
#include "daemon/intake.h"
#include "daemon/replay.h"
#include "daemon/retired.h"
#include "daemon/script_watch.h"
#include "daemon/settle.h"
#include "link/link.h"
#include "outbox/outbox.h"
#include "script/canary.h"
#include "script/host.h"
#include "tags/tag_table.h"

#include <limits.h>
#include <uv.h>

struct PsApp {
    PsConfig *config; // the present one; owned
    PsConfig *next;   // to follow it soon, or NULL; owned
    const PsAppOptions *options;
    uv_loop_t loop;
    uv_signal_t interrupt;
    uv_signal_t terminate;
    uv_timer_t stop_limit;
    uv_timer_t retry; // of the cloud side
    PsRetired *retired;
    PsTagTable *table;
    PsAlarmDesk *alarms;
    PsOutbox *outbox;
    PsIntake *intake;
    PsDelivery *delivery;
    PsReplay *replay;
    PsSettle *settle;
    PsCollector *collector;
    PsCommWatch *comm;
    PsAccess *access;
    PsApi *api;
    PsApiLive *live; // what those who look on are told; until the API has closed
    PsWall started;
    // The cloud side: NULL while cloud.enable is false.
    PsLink *link;
    PsScriptHost *scripts;
    PsScriptWatch *watch;
    PsCanary *canary;
    char **filters; // expanded topic of each subscribe entry
    uint32_t filter_count;
    // Parts on their way out; they are still there.
    bool collector_stopping;
    bool scripts_stopping; // until the host is freed
    bool scripts_quiet;    // of these: no script runs any more
    bool link_stopping;
    uint32_t canaries_closing;
    char scratch[PATH_MAX];
    PsApply *apply;
    bool stopping;
    bool stopped;
};

/// A part has gone, or is to be looked after: goes on with stopping, or brings the cloud side to
/// what the configuration wants.
void ps_app_go_on(PsApp *app);

// --- cloud.c

/// Makes link and scripts, when they are wanted.
PsErr ps_cloud_build(PsApp *app, PsDiag *diag);
/// Starts what was built.
PsErr ps_cloud_start(PsApp *app, PsDiag *diag);
/// The configuration is another one; the host has it already. What has to be another link is
/// stopped here; the rest is ps_cloud_settle's. `former` is the configuration before. Appends to
/// `anew` a line when the link ends and another one follows.
void ps_cloud_apply(PsApp *app, const PsConfig *former, PsBuf *anew);
/// Starts or stops what is not as the configuration wants it. A failure is logged and tried again.
void ps_cloud_settle(PsApp *app);
/// These stop a part and say whether it is gone; if not, ps_app_go_on follows when it is.
bool ps_cloud_canary_gone(PsApp *app, const PsConfig *config);
bool ps_cloud_link_gone(PsApp *app);
/// The same for the scripts, whose host stays until ps_cloud_forget_scripts.
bool ps_cloud_scripts_quiet(PsApp *app);
/// Frees the host when no script runs any more.
void ps_cloud_forget_scripts(PsApp *app);
void ps_cloud_free_filters(PsApp *app);

// --- ways.c: setups with the callbacks in them

PsAlarmDeskSetup ps_ways_of_alarms(PsApp *app);
PsCollectorSetup ps_ways_of_collector(PsApp *app);
PsScriptHostSetup ps_ways_of_scripts(PsApp *app);
PsScriptWatchSetup ps_ways_of_watch(PsApp *app);
/// Without subscriptions.
PsLinkSetup ps_ways_of_link(PsApp *app);
/// For the outbox; `ctx` is the app.
void ps_ways_outbox_ready(void *ctx);

// --- sources.c

PsErr ps_app_open_api(PsApp *app, PsDiag *diag);
/// Parts have come or gone, or the configuration is another one.
void ps_app_tell_api(PsApp *app);
