//! `penstock check --live`: what its parts share. The configuration is tried on devices, scripts
//! and cloud, one after the other, on one loop; nothing is written anywhere. One thread.
//!
//! Each part gives back what it found as JSON, which live_show.c prints. In it `failed` and
//! `warnings` count what a person should look at.
#pragma once

#include "cli/cli.h"
#include "model/config.h"
#include "tags/tag_table.h"

#include <uv.h>

/// Is a gateway running that has our devices and our client id?
typedef enum LiveGateway {
    LIVE_GATEWAY_ABSENT,
    LIVE_GATEWAY_RUNNING,
    LIVE_GATEWAY_MUTE, ///< there is one, but it gives no answer
} LiveGateway;

/// What a publish script made first, for --send.
typedef struct LiveResult {
    const PsPublish *publish; ///< NULL until there is one
    char *topic;
    uint8_t *payload;
    size_t len;
    int qos;
} LiveResult;

typedef struct Live {
    const CliOptions *options;
    const PsConfig *config;
    const char *state; ///< a gateway's state folder, which is only read; it may not be there
    bool send;
    bool progress; ///< a person watches standard error
    double timeout_s;
    PsMono begin;
    PsMono deadline;
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_timer_t limit; ///< of what is under way
    bool interrupted;
    void (*cancel)(void *ctx); ///< ends what is under way; NULL when nothing is
    void *cancel_ctx;
    LiveGateway gateway;
    json_t *status;      ///< of the running gateway, else NULL
    PsTagTable *table;   ///< what was read
    LiveResult *results; ///< one for each publish message
} Live;

/// Until it is finished, `cancel` is called at `deadline` and when the person interrupts.
void live_begin(Live *live, PsMono deadline, void (*cancel)(void *ctx), void *ctx);
void live_end(Live *live);

/// What is being done, for who watches; "" clears the line.
void live_progress(const Live *live, const char *fmt, ...) PS_PRINTF(2, 3);

/// Reads all devices; `live->table` holds what was read. In live_devices.c.
json_t *live_devices(Live *live);
/// Tries all scripts on it, and fills `live->results`. In live_scripts.c.
json_t *live_scripts(Live *live);
/// Connects and subscribes, and sends `live->results` if asked to. In live_cloud.c.
json_t *live_cloud(Live *live);

/// Adds one to a count.
void live_count(json_t *part, const char *key);

/// For people. In live_show.c.
void live_show_gateway(const Live *live);
void live_show_devices(const json_t *devices);
void live_show_scripts(const json_t *scripts);
void live_show_cloud(const json_t *cloud);
