// Chooses variables by device, group and name. Pure; one thread.
#include "model/regroup.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 8 // of those that are missing

// Appends "'name'", or how many more there are.
static void list_name(char *list, size_t size, uint32_t number, const char *name) {
    size_t used = strlen(list);
    if (number < NAMED_MAX) {
        ps_text_format(list + used, size - used, "%s'%.40s'", number > 0 ? ", " : "", name);
    }
}

static void list_rest(char *list, size_t size, uint32_t count) {
    size_t used = strlen(list);
    if (count > NAMED_MAX) {
        snprintf(list + used, size - used, " and %u more", count - NAMED_MAX);
    }
}

static PsErr find_group(const PsConfig *config, const char *name, const char *field,
                        uint32_t *ret_group, PsDiag *diag) {
    char list[320] = "";
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->group_count; i++) {
        const PsGroup *group = &config->groups[i];
        if (group->type == PS_GROUP_COLLECT) {
            list_name(list, sizeof list, count++, group->name);
        }
        if (strcmp(group->name, name) == 0 && group->type == PS_GROUP_COLLECT) {
            *ret_group = i;
            return PS_OK;
        }
    }
    list_rest(list, sizeof list, count);
    bool alarm = false;
    for (uint32_t i = 0; i < config->group_count; i++) {
        alarm = alarm || strcmp(config->groups[i].name, name) == 0;
    }
    return ps_fail(alarm ? PS_ERR_INVALID : PS_ERR_NOT_FOUND, diag, name, field,
                   "is %s; the groups of variables are %.240s",
                   alarm ? "an alarm group" : "no group", list);
}

static PsErr find_device(const PsConfig *config, const char *name, uint32_t *ret_device,
                         PsDiag *diag) {
    char list[320] = "";
    for (uint32_t i = 0; i < config->device_count; i++) {
        list_name(list, sizeof list, i, config->devices[i].name);
        if (strcmp(config->devices[i].name, name) == 0) {
            *ret_device = i;
            return PS_OK;
        }
    }
    list_rest(list, sizeof list, config->device_count);
    return ps_fail(PS_ERR_NOT_FOUND, diag, name, "--device", "is no device; there are %.240s",
                   config->device_count > 0 ? list : "none");
}

// What the names are in the wish; a name that is given twice counts once.
typedef struct Names {
    PsMap map;
    bool *found; // by place in the wish
} Names;

static void take_names(Names *names, const PsRegroup *asked) {
    *names = (Names){.found = ps_alloc_array(asked->name_count, sizeof *names->found)};
    for (uint32_t i = 0; i < asked->name_count; i++) {
        names->found[i] = !ps_map_put(&names->map, NULL, asked->names[i], i);
    }
}

static PsErr check_found(const Names *names, const PsRegroup *asked, PsDiag *diag) {
    char list[NAMED_MAX * 44 + 32] = "";
    uint32_t missing = 0;
    for (uint32_t i = 0; i < asked->name_count; i++) {
        if (!names->found[i]) {
            list_name(list, sizeof list, missing++, asked->names[i]);
        }
    }
    list_rest(list, sizeof list, missing);
    if (missing == 0) {
        return PS_OK;
    }
    char where[160] = "";
    if (asked->device != NULL) {
        ps_text_format(where, sizeof where, " of device '%.40s'", asked->device);
    }
    if (asked->from != NULL) {
        size_t used = strlen(where);
        ps_text_format(where + used, sizeof where - used, " in group '%.40s'", asked->from);
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, "variables", NULL, "there is no variable %.260s%s", list,
                   where);
}

PsErr ps_regroup_plan(const PsConfig *config, const PsRegroup *asked, PsRegroupPlan *ret_plan,
                      PsDiag *diag) {
    PsRegroupPlan plan = {0};
    uint32_t from = PS_MAP_NONE;
    uint32_t device = PS_MAP_NONE;
    PsErr err = find_group(config, asked->group, "--group", &plan.group, diag);
    if (err == PS_OK && asked->from != NULL) {
        err = find_group(config, asked->from, "--from", &from, diag);
    }
    if (err == PS_OK && asked->device != NULL) {
        err = find_device(config, asked->device, &device, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    Names names;
    take_names(&names, asked);
    plan.moves = ps_alloc_array(config->variable_count, sizeof *plan.moves);
    for (uint32_t i = 0; i < config->variable_count; i++) {
        const PsVariable *variable = &config->variables[i];
        uint32_t name = ps_map_find(&names.map, NULL, variable->name);
        if ((asked->device != NULL && variable->device != device) ||
            (asked->from != NULL && variable->group != from) ||
            (asked->name_count > 0 && name == PS_MAP_NONE)) {
            continue;
        }
        if (name != PS_MAP_NONE) {
            names.found[name] = true;
        }
        plan.moves[i] = variable->group != plan.group;
        plan.count += plan.moves[i];
        plan.already += !plan.moves[i];
    }
    err = check_found(&names, asked, diag);
    ps_map_deinit(&names.map);
    free(names.found);
    if (err != PS_OK) {
        free(plan.moves);
        return err;
    }
    *ret_plan = plan;
    return PS_OK;
}

void ps_regroup_apply(PsConfig *config, const PsRegroupPlan *plan) {
    for (uint32_t i = 0; i < config->variable_count; i++) {
        if (plan->moves[i]) {
            config->variables[i].group = plan->group;
            config->variables[i].group_name = config->groups[plan->group].name;
        }
    }
}
