// Compares two configurations object by object through their map; goes by the option tables, so
// that no option can be forgotten. Pure.
#include "model/config_diff.h"

#include "base/mem.h"
#include "model/line_diff.h"
#include "model/tables.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct Differ {
    PsConfigDiff *diff;
    uint32_t capacity;
    const PsConfig *before;
    const PsConfig *after;
} Differ;

// One block of the file that is a list, on both sides.
typedef struct List {
    const PsOptionTable *table;
    const PsIndexMap *map;
    const void *before;
    uint32_t before_count;
    const void *after;
    uint32_t after_count;
    size_t item_size;
    size_t of;     // offset of what names are unique in; 0: in the gateway
    size_t script; // offset of the script's path, 0: has none
    size_t source; // of its text
} List;

static PsChange *add(Differ *differ, PsChangeKind kind, const PsOptionTable *table) {
    PsConfigDiff *diff = differ->diff;
    if (diff->count == differ->capacity) {
        differ->capacity = differ->capacity > 0 ? 2 * differ->capacity : 64;
        diff->changes = ps_grow_array(diff->changes, differ->capacity, sizeof *diff->changes);
    }
    PsChange *change = &diff->changes[diff->count++];
    *change = (PsChange){.kind = kind, .table = table};
    return change;
}

static const char *plain(const Differ *differ, const PsOption *option, const void *object,
                         const char *folder) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_option_write_plain(option, object, folder, &text);
    return ps_arena_strdup(differ->diff->arena, text.len > 0 ? (const char *)text.data : "");
}

// The name is told apart.
static bool is_other(const PsOptionTable *table, const PsOption *option, const void *before,
                     const void *after) {
    bool name = table->name_key != NULL && strcmp(option->key, table->name_key) == 0;
    return !name && !ps_option_equal(option, before, after);
}

// The changed options. Counted first: one change can be one of a hundred thousand.
static void put_options(const Differ *differ, const PsOptionTable *table, const void *before,
                        const void *after, PsChange *change) {
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        count += is_other(table, &table->options[i], before, after);
    }
    change->options = ps_arena_take(differ->diff->arena, count * sizeof *change->options);
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (is_other(table, option, before, after)) {
            change->options[change->option_count++] =
                (PsOptionChange){.key = option->key,
                                 .before = plain(differ, option, before, differ->before->folder),
                                 .after = plain(differ, option, after, differ->after->folder)};
        }
    }
}

static const char *text_at(const void *object, size_t offset) {
    return *(const char *const *)((const char *)object + offset);
}

static const char *name_of(const List *list, const void *object) {
    return text_at(object, ps_option_find(list->table, list->table->name_key)->offset);
}

static PsChange *add_named(Differ *differ, PsChangeKind kind, const List *list,
                           const void *object) {
    PsChange *change = add(differ, kind, list->table);
    change->name = ps_arena_strdup(differ->diff->arena, name_of(list, object));
    change->of =
        list->of > 0 ? ps_arena_strdup(differ->diff->arena, text_at(object, list->of)) : NULL;
    return change;
}

static bool same_source(const List *list, const void *before, const void *after) {
    if (list->script == 0) {
        return true;
    }
    const PsBuf *a = (const void *)((const char *)before + list->source);
    const PsBuf *b = (const void *)((const char *)after + list->source);
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void put_script(const Differ *differ, const List *list, const void *before,
                       const void *after, PsChange *change) {
    const PsBuf *a = (const void *)((const char *)before + list->source);
    const PsBuf *b = (const void *)((const char *)after + list->source);
    PsLineDiff lines = ps_line_diff(a->data, a->len, b->data, b->len);
    change->script = ps_arena_strdup(differ->diff->arena, text_at(after, list->script));
    change->lines_added = lines.added;
    change->lines_removed = lines.removed;
}

static void compare(Differ *differ, const List *list, const void *before, const void *after) {
    bool same_text = same_source(list, before, after);
    if (same_text && ps_option_all_equal(list->table, before, after)) {
        return;
    }
    PsChange *change = add_named(differ, PS_CHANGE_CHANGED, list, after);
    const char *then = name_of(list, before);
    if (strcmp(then, change->name) != 0) {
        change->name_then = ps_arena_strdup(differ->diff->arena, then);
    }
    put_options(differ, list->table, before, after, change);
    if (!same_text) {
        put_script(differ, list, before, after, change);
    }
}

static void compare_list(Differ *differ, const List *list) {
    for (uint32_t i = 0; i < list->after_count; i++) {
        const void *after = (const char *)list->after + i * list->item_size;
        uint32_t then = list->map->to_old[i];
        if (then == PS_NOT_THERE) {
            (void)add_named(differ, PS_CHANGE_ADDED, list, after);
        } else {
            compare(differ, list, (const char *)list->before + then * list->item_size, after);
        }
    }
    for (uint32_t i = 0; i < list->before_count; i++) {
        if (list->map->to_new[i] == PS_NOT_THERE) {
            (void)add_named(differ, PS_CHANGE_REMOVED, list,
                            (const char *)list->before + i * list->item_size);
        }
    }
}

static void compare_cloud(Differ *differ) {
    const PsCloud *before = &differ->before->cloud;
    const PsCloud *after = &differ->after->cloud;
    bool had = before->endpoint[0] != '\0';
    bool has = after->endpoint[0] != '\0';
    if (had != has) {
        (void)add(differ, has ? PS_CHANGE_ADDED : PS_CHANGE_REMOVED, &ps_table_cloud);
    } else if (had && !ps_option_all_equal(&ps_table_cloud, before, after)) {
        put_options(differ, &ps_table_cloud, before, after,
                    add(differ, PS_CHANGE_CHANGED, &ps_table_cloud));
    }
}

static void compare_web(Differ *differ) {
    const PsWeb *before = &differ->before->web;
    const PsWeb *after = &differ->after->web;
    if (!ps_option_all_equal(&ps_table_web, before, after)) {
        put_options(differ, &ps_table_web, before, after,
                    add(differ, PS_CHANGE_CHANGED, &ps_table_web));
    }
}

// --- custom parameters: the user's own names, in no table --------------------------------------

static const char *value_of(const PsParameters *parameters, const char *name) {
    for (uint32_t i = 0; i < parameters->custom_count; i++) {
        if (strcmp(parameters->custom[i].name, name) == 0) {
            return parameters->custom[i].value;
        }
    }
    return NULL;
}

bool ps_config_is_secret(const char *name) {
    static const char *const words[] = {"passw", "pwd", "secret", "token", "key", "credential"};
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        if (strcasestr(name, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void put_custom(const Differ *differ, PsChange *change, const char *name, const char *before,
                       const char *after) {
    if (before != NULL && after != NULL && strcmp(before, after) == 0) {
        return;
    }
    PsArena *arena = differ->diff->arena;
    PsOptionChange *option = &change->options[change->option_count++];
    option->key = ps_arena_strdup(arena, name);
    if (!ps_config_is_secret(name)) {
        option->before = ps_arena_strdup(arena, before != NULL ? before : "");
        option->after = ps_arena_strdup(arena, after != NULL ? after : "");
    }
}

static void compare_parameters(Differ *differ) {
    const PsParameters *before = &differ->before->parameters;
    const PsParameters *after = &differ->after->parameters;
    PsChange *change = add(differ, PS_CHANGE_CHANGED, &ps_table_parameters);
    put_options(differ, &ps_table_parameters, before, after, change);
    PsOptionChange *options = ps_arena_take(
        differ->diff->arena,
        (ps_table_parameters.count + before->custom_count + after->custom_count) * sizeof *options);
    memcpy(options, change->options, change->option_count * sizeof *options);
    change->options = options;
    for (uint32_t i = 0; i < after->custom_count; i++) {
        const PsCustom *custom = &after->custom[i];
        put_custom(differ, change, custom->name, value_of(before, custom->name), custom->value);
    }
    for (uint32_t i = 0; i < before->custom_count; i++) {
        const PsCustom *custom = &before->custom[i];
        if (value_of(after, custom->name) == NULL) {
            put_custom(differ, change, custom->name, custom->value, NULL);
        }
    }
    if (change->option_count == 0) {
        differ->diff->count--;
    }
}

// --- all of it ----------------------------------------------------------------------------------

#define LIST(block, type, places)                                                                  \
    .map = &map->places, .before = before->block, .after = after->block, .item_size = sizeof(type)

static void compare_lists(Differ *differ, const PsConfigMap *map) {
    const PsConfig *before = differ->before;
    const PsConfig *after = differ->after;
    const List lists[] = {
        {.table = &ps_table_device,
         LIST(devices, PsDevice, devices),
         .before_count = before->device_count,
         .after_count = after->device_count},
        {.table = &ps_table_variable, // without what alarms watch, which goes with the alarm
         LIST(variables, PsVariable, variables),
         .before_count = before->variable_count,
         .after_count = after->variable_count,
         .of = offsetof(PsVariable, device_name)},
        {.table = &ps_table_group,
         LIST(groups, PsGroup, groups),
         .before_count = before->group_count,
         .after_count = after->group_count},
        {.table = &ps_table_alarm,
         LIST(alarms, PsAlarm, alarms),
         .before_count = before->alarm_count,
         .after_count = after->alarm_count},
        {.table = &ps_table_publish,
         LIST(publish, PsPublish, publish),
         .before_count = before->publish_count,
         .after_count = after->publish_count,
         .script = offsetof(PsPublish, script),
         .source = offsetof(PsPublish, source)},
        {.table = &ps_table_subscribe,
         LIST(subscribe, PsSubscribe, subscribe),
         .before_count = before->subscribe_count,
         .after_count = after->subscribe_count,
         .script = offsetof(PsSubscribe, script),
         .source = offsetof(PsSubscribe, source)},
        {.table = &ps_table_serial,
         LIST(serials, PsSerial, serials),
         .before_count = before->serial_count,
         .after_count = after->serial_count},
    };
    for (size_t i = 0; i < PS_COUNT(lists); i++) {
        if (lists[i].table == &ps_table_publish) {
            compare_cloud(differ); // where it stands in the file
        } else if (lists[i].table == &ps_table_serial) {
            compare_parameters(differ);
            compare_web(differ);
        }
        compare_list(differ, &lists[i]);
    }
}

PsConfigDiff *ps_config_diff_new(const PsConfig *before, const PsConfig *after,
                                 const PsConfigMap *map) {
    PsConfigDiff *diff = ps_alloc(sizeof *diff);
    diff->arena = ps_arena_new();
    Differ differ = {.diff = diff, .before = before, .after = after};
    compare_lists(&differ, map);
    return diff;
}

void ps_config_diff_free(PsConfigDiff *diff) {
    if (diff != NULL) {
        free(diff->changes);
        ps_arena_free(diff->arena);
        free(diff);
    }
}
