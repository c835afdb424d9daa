//! For tests: services over a database in memory, a registry that is a few lists, and a record of
//! all that was published.
#pragma once

#include "localcloud/service/json_text.h"
#include "localcloud/service/service_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RIG_MAX 64

typedef struct RigMessage {
    char *client; ///< NULL: to all subscribers
    char *topic;
    PsBuf payload;
} RigMessage;

typedef struct Rig {
    sqlite3 *db;
    PsServiceRegistry registry;
    PsServices *services;
    PsServiceOut out;
    PsWall now;
    char folder[64];

    RigMessage messages[RIG_MAX];
    size_t message_count;

    const char *things[RIG_MAX]; ///< those that exist; all of them are in the group "all"
    size_t thing_count;
    char *made[RIG_MAX]; ///< what provisioning did, one line each
    size_t made_count;
} Rig;

/// A second on 2023-11-14; whole, so that documents are easy to write down.
#define RIG_NOW_S INT64_C(1700000000)

void rig_open(Rig *rig, const PsServicesOptions *options);
void rig_close(Rig *rig);
/// A PUBLISH of client "device".
PsServiceTaken rig_send(Rig *rig, const char *topic, const char *payload);
/// The next message has this topic and this JSON; takes it off the record. `client` NULL: to all.
void rig_expect(Rig *rig, const char *client, const char *topic, const char *json);
/// As expect, and gives the payload back instead of comparing it. A new reference.
json_t *rig_take(Rig *rig, const char *client, const char *topic);
/// Nothing more has been said.
void rig_silent(Rig *rig);
