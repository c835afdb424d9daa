//! Variables that move to another group, many at once: which they are, and the move itself. Pure;
//! one thread.
#pragma once

#include "model/config.h"

/// What is asked. Each restriction narrows the choice; without names all that is left moves.
typedef struct PsRegroup {
    const char *group;        ///< where to
    const char *device;       ///< of this device only; NULL: any
    const char *from;         ///< out of this group only; NULL: any
    const char *const *names; ///< of variables; one that several devices have means all of them
    uint32_t name_count;
} PsRegroup;

typedef struct PsRegroupPlan {
    uint32_t group;   ///< index into groups
    bool *moves;      ///< by variable; freed with free()
    uint32_t count;   ///< how many move
    uint32_t already; ///< how many of those that are meant are there already
} PsRegroupPlan;

/// PS_ERR_NOT_FOUND when group, device or one of the names is not there, PS_ERR_INVALID when
/// `group` is an alarm group; the diagnosis names all that is missing. Nothing is changed.
PsErr ps_regroup_plan(const PsConfig *config, const PsRegroup *asked, PsRegroupPlan *ret_plan,
                      PsDiag *diag);

/// Changes the groups of the variables, for ps_config_write; what was counted while loading is not
/// counted anew.
void ps_regroup_apply(PsConfig *config, const PsRegroupPlan *plan);
