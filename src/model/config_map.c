// Matches two configurations object by object, through maps of names. Pure; one thread.
#include "model/config_map.h"

#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void init(PsIndexMap *map, uint32_t old_count, uint32_t new_count) {
    map->old_count = old_count;
    map->new_count = new_count;
    map->to_new = ps_alloc_array(old_count, sizeof *map->to_new);
    map->to_old = ps_alloc_array(new_count, sizeof *map->to_old);
    memset(map->to_new, 0xff, old_count * sizeof *map->to_new);
    memset(map->to_old, 0xff, new_count * sizeof *map->to_old);
}

static void deinit(PsIndexMap *map) {
    free(map->to_new);
    free(map->to_old);
}

static void join(PsIndexMap *map, uint32_t old_index, uint32_t new_index) {
    if (old_index != PS_MAP_NONE && map->to_new[old_index] == PS_NOT_THERE) {
        map->to_new[old_index] = new_index;
        map->to_old[new_index] = old_index;
    }
}

// What an object is called: `scope` for names that are unique only inside something.
typedef struct Name {
    const char *scope;
    const char *key;
} Name;

typedef Name NameOf(const PsConfig *config, uint32_t index);

static Name name_of_device(const PsConfig *config, uint32_t index) {
    return (Name){NULL, config->devices[index].name};
}

static Name name_of_variable(const PsConfig *config, uint32_t index) {
    return (Name){config->variables[index].device_name, config->variables[index].name};
}

static Name name_of_group(const PsConfig *config, uint32_t index) {
    return (Name){NULL, config->groups[index].name};
}

static Name name_of_alarm(const PsConfig *config, uint32_t index) {
    return (Name){NULL, config->alarms[index].name};
}

static Name name_of_serial(const PsConfig *config, uint32_t index) {
    return (Name){NULL, config->serials[index].name};
}

static Name name_of_publish(const PsConfig *config, uint32_t index) {
    return (Name){NULL, config->publish[index].name};
}

static Name name_of_subscribe(const PsConfig *config, uint32_t index) {
    return (Name){NULL, config->subscribe[index].name};
}

// Of the variables only the first `old_count` and `new_count`: those of `vars`.
static void match(PsIndexMap *map, const PsConfig *old_config, uint32_t old_count,
                  const PsConfig *new_config, uint32_t new_count, NameOf *name_of) {
    PS_AUTO_MAP PsMap names = {0};
    ps_map_reserve(&names, old_count);
    for (uint32_t i = 0; i < old_count; i++) {
        Name name = name_of(old_config, i);
        (void)ps_map_put(&names, name.scope, name.key, i); // names are unique once checked
    }
    for (uint32_t i = 0; i < new_count; i++) {
        Name name = name_of(new_config, i);
        join(map, ps_map_find(&names, name.scope, name.key), i);
    }
}

// What an alarm watches has no name of its own, so it goes with the alarm.
static void match_watched(PsConfigMap *map, const PsConfig *old_config,
                          const PsConfig *new_config) {
    for (uint32_t i = 0; i < new_config->alarm_count; i++) {
        uint32_t before = map->alarms.to_old[i];
        if (before == PS_NOT_THERE) {
            continue;
        }
        const PsAlarm *old_alarm = &old_config->alarms[before];
        const PsAlarm *new_alarm = &new_config->alarms[i];
        if (!old_alarm->is_comm && !new_alarm->is_comm && old_alarm->quotes == new_alarm->quotes &&
            strcmp(old_alarm->device_name, new_alarm->device_name) == 0 &&
            strcmp(old_alarm->variable_name, new_alarm->variable_name) == 0 &&
            map->variables.to_old[new_alarm->watched] == PS_NOT_THERE) {
            join(&map->variables, old_alarm->watched, new_alarm->watched);
        }
    }
}

// What a message is apart from its name.
typedef struct Essence {
    const char *topic;
    const char *script;
    const char *main_function;
} Essence;

typedef Essence EssenceOf(const PsConfig *config, uint32_t index);

static Essence essence_of_publish(const PsConfig *config, uint32_t index) {
    const PsPublish *publish = &config->publish[index];
    return (Essence){publish->topic, publish->script, publish->main_function};
}

static Essence essence_of_subscribe(const PsConfig *config, uint32_t index) {
    const PsSubscribe *subscribe = &config->subscribe[index];
    return (Essence){subscribe->topic, subscribe->script, subscribe->main_function};
}

static bool same_essence(Essence a, Essence b) {
    return strcmp(a.topic, b.topic) == 0 && strcmp(a.script, b.script) == 0 &&
           strcmp(a.main_function, b.main_function) == 0;
}

// The only one without a counterpart that is the same apart from its name, or PS_NOT_THERE.
static uint32_t find_lone(const PsConfig *config, const uint32_t *counterparts, uint32_t count,
                          EssenceOf *essence_of, Essence wanted) {
    uint32_t found = PS_NOT_THERE;
    for (uint32_t i = 0; i < count; i++) {
        if (counterparts[i] == PS_NOT_THERE && same_essence(essence_of(config, i), wanted)) {
            if (found != PS_NOT_THERE) {
                return PS_NOT_THERE;
            }
            found = i;
        }
    }
    return found;
}

static void match_renamed(PsIndexMap *map, const PsConfig *old_config, const PsConfig *new_config,
                          EssenceOf *essence_of) {
    for (uint32_t i = 0; i < map->new_count; i++) {
        Essence wanted = essence_of(new_config, i);
        if (map->to_old[i] == PS_NOT_THERE &&
            find_lone(new_config, map->to_old, map->new_count, essence_of, wanted) == i) {
            join(map, find_lone(old_config, map->to_new, map->old_count, essence_of, wanted), i);
        }
    }
}

PsConfigMap *ps_config_map_new(const PsConfig *old_config, const PsConfig *new_config) {
    const PsConfig *a = old_config;
    const PsConfig *b = new_config;
    PsConfigMap *map = ps_alloc(sizeof *map);
    init(&map->devices, a->device_count, b->device_count);
    init(&map->variables, ps_config_polled_count(a), ps_config_polled_count(b));
    init(&map->groups, a->group_count, b->group_count);
    init(&map->alarms, a->alarm_count, b->alarm_count);
    init(&map->publish, a->publish_count, b->publish_count);
    init(&map->subscribe, a->subscribe_count, b->subscribe_count);
    init(&map->serials, a->serial_count, b->serial_count);
    match(&map->devices, a, a->device_count, b, b->device_count, name_of_device);
    match(&map->variables, a, a->variable_count, b, b->variable_count, name_of_variable);
    match(&map->groups, a, a->group_count, b, b->group_count, name_of_group);
    match(&map->alarms, a, a->alarm_count, b, b->alarm_count, name_of_alarm);
    match(&map->publish, a, a->publish_count, b, b->publish_count, name_of_publish);
    match(&map->subscribe, a, a->subscribe_count, b, b->subscribe_count, name_of_subscribe);
    match(&map->serials, a, a->serial_count, b, b->serial_count, name_of_serial);
    match_watched(map, a, b);
    match_renamed(&map->publish, a, b, essence_of_publish);
    match_renamed(&map->subscribe, a, b, essence_of_subscribe);
    return map;
}

void ps_config_map_free(PsConfigMap *map) {
    if (map == NULL) {
        return;
    }
    deinit(&map->devices);
    deinit(&map->variables);
    deinit(&map->groups);
    deinit(&map->alarms);
    deinit(&map->publish);
    deinit(&map->subscribe);
    deinit(&map->serials);
    free(map);
}
