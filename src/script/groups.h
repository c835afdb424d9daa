//! The groups of the present configuration as scripts see them: the layout of their snapshots and
//! their names. Loop thread.
#pragma once

#include "script/names.h"
#include "script/snapshot.h"

typedef struct PsScriptGroups {
    const PsConfig *config;    ///< borrowed
    uint32_t count;            ///< of the configuration; one more stands for all variables
    PsSnapshotSchema *schemas; ///< count + 1 of them
    PsScriptNames **names;     ///< likewise; NULL until somebody asked
} PsScriptGroups;

void ps_script_groups_init(PsScriptGroups *groups, const PsConfig *config);
void ps_script_groups_deinit(PsScriptGroups *groups);
/// From now on they are those of `config`. Names that did not change stay the very same.
void ps_script_groups_apply(PsScriptGroups *groups, const PsConfig *config);
/// The names of a group, or of all variables when `group` is the count of groups. Borrowed.
PsScriptNames *ps_script_groups_names(PsScriptGroups *groups, uint32_t group);
