// Layouts are made at once, since every upload needs one; names when the first input needs them.
// Pure; loop thread.
#include "script/groups.h"

#include "base/mem.h"
#include "script/alarm_frame.h"

#include <stdlib.h>

void ps_script_groups_init(PsScriptGroups *groups, const PsConfig *config) {
    uint32_t count = config->group_count;
    *groups = (PsScriptGroups){
        .config = config,
        .count = count,
        .schemas = ps_snapshot_schemas_new(config),
        .names = ps_alloc_array(count + 1, sizeof(PsScriptNames *)),
    };
}

void ps_script_groups_deinit(PsScriptGroups *groups) {
    for (uint32_t i = 0; groups->schemas != NULL && i <= groups->count; i++) {
        ps_script_names_drop(groups->names[i]);
    }
    ps_snapshot_schemas_free(groups->schemas);
    free(groups->names);
    *groups = (PsScriptGroups){0};
}

PsScriptNames *ps_script_groups_names(PsScriptGroups *groups, uint32_t group) {
    if (groups->names[group] == NULL) {
        PsScriptNames *names = ps_script_names_new(group);
        if (group < groups->count && groups->config->groups[group].type == PS_GROUP_ALARM) {
            ps_alarm_frame_put_names(groups->config, group, &names->frame);
        } else {
            ps_snapshot_put_schema(&groups->schemas[group], groups->config, &names->frame);
        }
        ps_buf_fit(&names->frame);
        groups->names[group] = names;
    }
    return groups->names[group];
}

void ps_script_groups_apply(PsScriptGroups *groups, const PsConfig *config) {
    PsScriptGroups former = *groups;
    ps_script_groups_init(groups, config);
    for (uint32_t i = 0; i <= groups->count && i <= former.count; i++) {
        if (former.names[i] == NULL) {
            continue;
        }
        if (ps_script_names_equal(former.names[i], ps_script_groups_names(groups, i))) {
            ps_script_names_drop(groups->names[i]);
            groups->names[i] = ps_script_names_share(former.names[i]);
        }
    }
    ps_script_groups_deinit(&former);
}
