//! A revision that is tried out: when its time is over, and what the gateway goes back to. Kept on
//! the disk, so that neither a restart nor a crash of the gateway ends or prolongs it. Time goes by
//! the system's own clock while the system runs, and by the wall clock over a restart of the
//! system. Times are parameters; only ps_probation_now reads clocks.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/// So many starts of the gateway within the time, and it is over: what is tried may be why.
#define PS_PROBATION_STARTS_MAX 3
#define PS_PROBATION_S_MIN 10
#define PS_PROBATION_S_MAX 86400

#define PS_BOOT_ID_SIZE 40

typedef struct PsProbationClock {
    char boot_id[PS_BOOT_ID_SIZE]; ///< of this run of the system; "" when it has none
    PsMono boot;                   ///< since the system started
    PsWall wall;
} PsProbationClock;

typedef struct PsProbation {
    uint32_t number; ///< of the revision that is tried; 0: none is
    uint32_t back;   ///< of the one that runs again if it fails
    bool healthy;    ///< at the end it stays by itself if the gateway is well; false: it goes
    char who[64];
    int64_t length_ns;
    PsProbationClock begun;
    uint32_t starts; ///< of the gateway since then
    json_t *health;  ///< the gateway before; owned; NULL when not `healthy`
} PsProbation;

void ps_probation_deinit(PsProbation *probation);
PsProbationClock ps_probation_now(void);
/// 0 when it is over.
int64_t ps_probation_left_ns(const PsProbation *probation, const PsProbationClock *now);

/// STATE/revisions/probation.json. Block on the disk.
PsErr ps_probation_save(const char *folder, const PsProbation *probation, PsDiag *diag);
/// `number` 0 when there is none; a damaged one counts as none and is told in the log.
void ps_probation_load(const char *folder, PsProbation *ret_probation);
void ps_probation_clear(const char *folder);
