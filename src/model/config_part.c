// Cuts configurations into parts, in one walk over all variables however many parts there are.
// Pure; one thread.
#include "model/config_part.h"

#include "model/place.h"

#include "base/map.h"
#include "base/mem.h"
#include "model/tables.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct Cutter {
    const PsConfig *whole;
    const uint32_t *device_part;
    PsConfigPart **parts;
    uint32_t *device_place; // of each device of the whole in its part
} Cutter;

static uint32_t part_of(const Cutter *cutter, uint32_t variable) {
    return cutter->device_part[cutter->whole->variables[variable].device];
}

static size_t room_for(const char *text) {
    return (text != NULL ? strlen(text) : 0) + 1;
}

// Most variables have no symbol and no identifier.
static size_t room_if_any(const char *text) {
    return text != NULL && text[0] != '\0' ? room_for(text) : 0;
}

static const char *keep(PsConfigPart *part, const char *text) {
    char *kept = part->texts + part->text_used;
    size_t room = room_for(text);
    memcpy(kept, text != NULL ? text : "", room);
    part->text_used += room;
    return kept;
}

static const char *keep_if_any(PsConfigPart *part, const char *text) {
    return room_if_any(text) > 0 ? keep(part, text) : "";
}

// Every text of an object's options, whichever there are.
static const char **text_of(const PsOptionTable *table, void *object, size_t option) {
    const PsOption *of = &table->options[option];
    bool is_text = of->type == PS_OPTION_TEXT || of->type == PS_OPTION_PATH;
    return is_text ? (const char **)((char *)object + of->offset) : NULL;
}

static size_t room_for_texts(const PsOptionTable *table, void *object) {
    size_t room = 0;
    for (size_t i = 0; i < table->count; i++) {
        const char **text = text_of(table, object, i);
        room += text != NULL ? room_for(*text) : 0;
    }
    return room;
}

static void keep_texts(PsConfigPart *part, const PsOptionTable *table, void *object) {
    for (size_t i = 0; i < table->count; i++) {
        const char **text = text_of(table, object, i);
        if (text != NULL) {
            *text = keep(part, *text);
        }
    }
}

// How much of everything each part gets; `text_used` is the room for texts, groups apart.
static void count_all(const Cutter *cutter) {
    const PsConfig *whole = cutter->whole;
    for (uint32_t i = 0; i < whole->device_count; i++) {
        if (cutter->device_part[i] != PS_NOT_THERE) {
            PsConfigPart *part = cutter->parts[cutter->device_part[i]];
            PsDevice *device = &whole->devices[i];
            part->config.device_count++;
            part->text_used += room_for_texts(&ps_table_device, device);
            if (ps_device_is_serial(device)) {
                part->config.serial_count++; // at most: several may name the same one
                part->text_used +=
                    room_for_texts(&ps_table_serial, &whole->serials[device->serial]);
            }
        }
    }
    for (uint32_t i = 0; i < ps_config_polled_count(whole); i++) {
        if (part_of(cutter, i) != PS_NOT_THERE) {
            PsConfigPart *part = cutter->parts[part_of(cutter, i)];
            bool named = i < whole->variable_count;
            part->config.variable_count += named ? 1 : 0;
            part->config.watched_count += named ? 0 : 1;
            part->text_used += room_for(whole->variables[i].name) +
                               room_if_any(whole->variables[i].symbol) +
                               room_if_any(whole->variables[i].identifier);
        }
    }
}

static void take_room(PsConfigPart *part) {
    PsConfig *config = &part->config;
    uint32_t polled = ps_config_polled_count(config);
    config->devices = ps_alloc_array(config->device_count, sizeof *config->devices);
    config->variables = ps_alloc_array(polled, sizeof *config->variables);
    config->serials = ps_alloc_array(config->serial_count, sizeof *config->serials);
    part->texts = ps_alloc(part->text_used);
    part->devices = ps_alloc_array(config->device_count, sizeof *part->devices);
    part->variables = ps_alloc_array(polled, sizeof *part->variables);
    part->text_used = 0;
    config->device_count = 0; // counted again as they are put in
    config->variable_count = 0;
    config->watched_count = 0;
    config->serial_count = 0;
}

// A communication alarm is judged elsewhere; changing it must not touch the reading.
static void forget_alarm(PsDevice *device) {
    device->comm_alarm = false;
    device->comm_alarm_level = 0;
    device->comm_alarm_group = "";
    device->comm_alarm_on_delay = 0;
    device->comm_alarm_off_delay = 0;
    device->comm_alarm_content = "";
}

// The part's number of the port.
static uint32_t put_serial(PsConfigPart *part, const PsSerial *serial) {
    PsConfig *config = &part->config;
    for (uint32_t i = 0; i < config->serial_count; i++) {
        if (strcmp(config->serials[i].name, serial->name) == 0) {
            return i;
        }
    }
    PsSerial *put = &config->serials[config->serial_count];
    *put = *serial;
    keep_texts(part, &ps_table_serial, put);
    return config->serial_count++;
}

static void put_devices(const Cutter *cutter) {
    for (uint32_t i = 0; i < cutter->whole->device_count; i++) {
        if (cutter->device_part[i] == PS_NOT_THERE) {
            continue;
        }
        PsConfigPart *part = cutter->parts[cutter->device_part[i]];
        uint32_t place = part->config.device_count++;
        PsDevice *device = &part->config.devices[place];
        *device = cutter->whole->devices[i];
        forget_alarm(device);
        keep_texts(part, &ps_table_device, device);
        device->serial = ps_device_is_serial(device)
                             ? put_serial(part, &cutter->whole->serials[device->serial])
                             : 0;
        part->devices[place] = i;
        cutter->device_place[i] = place;
    }
}

static void put_variable(const Cutter *cutter, uint32_t index) {
    PsConfigPart *part = cutter->parts[part_of(cutter, index)];
    PsConfig *config = &part->config;
    uint32_t place = ps_config_polled_count(config);
    PsVariable *variable = &config->variables[place];
    *variable = cutter->whole->variables[index];
    variable->device = cutter->device_place[variable->device];
    variable->name = keep(part, variable->name);
    variable->symbol = keep_if_any(part, variable->symbol);
    variable->identifier = keep_if_any(part, variable->identifier);
    variable->device_name = config->devices[variable->device].name;
    // With OPC UA it says that the server is to tell of changes.
    if (config->devices[variable->device].protocol != PS_PROTOCOL_OPCUA) {
        variable->mode = PS_MODE_REALTIME;
    }
    variable->unit = "";
    variable->desc = "";
    part->variables[place] = index;
    bool named = index < cutter->whole->variable_count;
    config->variable_count += named ? 1 : 0;
    config->watched_count += named ? 0 : 1;
}

// The groups its variables are in, in the order of the whole. `seen` has room for a mark of each
// group of the whole, all 0, and is left so.
static void put_groups(const PsConfig *whole, PsConfigPart *part, uint32_t *seen) {
    PsConfig *config = &part->config;
    uint32_t polled = ps_config_polled_count(config);
    size_t room = 0;
    for (uint32_t i = 0; i < polled; i++) {
        if (seen[config->variables[i].group]++ == 0) {
            config->group_count++;
            room += room_for(whole->groups[config->variables[i].group].name);
        }
    }
    part->group_texts = ps_alloc(room);
    char *text = part->group_texts;
    config->groups = ps_alloc_array(config->group_count, sizeof *config->groups);
    part->groups = ps_alloc_array(config->group_count, sizeof *part->groups);
    uint32_t used = 0;
    for (uint32_t g = 0; g < whole->group_count && used < config->group_count; g++) {
        if (seen[g] > 0) {
            memcpy(text, whole->groups[g].name, room_for(whole->groups[g].name));
            config->groups[used] = (PsGroup){.name = text,
                                             .type = whole->groups[g].type,
                                             .polling_interval = whole->groups[g].polling_interval,
                                             .variable_count = seen[g]};
            text += room_for(text);
            part->groups[used] = g;
            seen[g] = used++; // from a count to its place
        }
    }
    for (uint32_t i = 0; i < polled; i++) {
        PsVariable *variable = &config->variables[i];
        variable->group = seen[variable->group];
        variable->group_name = config->groups[variable->group].name;
    }
    for (uint32_t i = 0; i < config->group_count; i++) {
        seen[part->groups[i]] = 0;
    }
}

void ps_config_parts_new(const PsConfig *whole, const uint32_t *device_part, uint32_t count,
                         PsConfigPart **ret_parts) {
    Cutter cutter = {
        .whole = whole,
        .device_part = device_part,
        .parts = ret_parts,
        .device_place = ps_alloc_array(whole->device_count, sizeof *cutter.device_place),
    };
    for (uint32_t i = 0; i < count; i++) {
        ret_parts[i] = ps_alloc(sizeof *ret_parts[i]);
        ret_parts[i]->config.folder = "";
    }
    count_all(&cutter);
    for (uint32_t i = 0; i < count; i++) {
        take_room(ret_parts[i]);
    }
    put_devices(&cutter);
    for (uint32_t i = 0; i < ps_config_polled_count(whole); i++) {
        if (part_of(&cutter, i) != PS_NOT_THERE) {
            put_variable(&cutter, i);
        }
    }
    uint32_t *seen = ps_alloc_array(whole->group_count, sizeof *seen);
    for (uint32_t i = 0; i < count; i++) {
        put_groups(whole, ret_parts[i], seen);
    }
    free(seen);
    free(cutter.device_place);
}

void ps_config_part_free(PsConfigPart *part) {
    if (part == NULL) {
        return;
    }
    free(part->config.devices);
    free(part->config.variables);
    free(part->config.groups);
    free(part->config.serials);
    free(part->texts);
    free(part->group_texts);
    free(part->devices);
    free(part->variables);
    free(part->groups);
    free(part);
}

static bool same_place(const PsVariable *a, const PsVariable *b) {
    return ps_variable_same_place(a, b) && a->access == b->access &&
           a->float_repr == b->float_repr && strcmp(a->name, b->name) == 0;
}

static bool same_variable(const PsVariable *a, const PsVariable *b) {
    return a->device == b->device && a->group == b->group && a->mode == b->mode && same_place(a, b);
}

static bool same_group(const PsGroup *a, const PsGroup *b) {
    return a->type == b->type && a->polling_interval == b->polling_interval &&
           strcmp(a->name, b->name) == 0;
}

bool ps_config_part_equal(const PsConfigPart *a, const PsConfigPart *b) {
    const PsConfig *left = &a->config;
    const PsConfig *right = &b->config;
    bool same = left->device_count == right->device_count &&
                left->variable_count == right->variable_count &&
                left->watched_count == right->watched_count &&
                left->group_count == right->group_count &&
                left->serial_count == right->serial_count;
    for (uint32_t i = 0; same && i < left->device_count; i++) {
        same = ps_option_all_equal(&ps_table_device, &left->devices[i], &right->devices[i]);
    }
    for (uint32_t i = 0; same && i < left->serial_count; i++) {
        same = ps_option_all_equal(&ps_table_serial, &left->serials[i], &right->serials[i]);
    }
    for (uint32_t i = 0; same && i < left->group_count; i++) {
        same = same_group(&left->groups[i], &right->groups[i]);
    }
    for (uint32_t i = 0; same && i < ps_config_polled_count(left); i++) {
        same = same_variable(&left->variables[i], &right->variables[i]);
    }
    return same;
}

static void move(uint32_t *places, uint32_t count, const PsIndexMap *map) {
    for (uint32_t i = 0; i < count; i++) {
        places[i] = ps_index_to_new(map, places[i]);
    }
}

void ps_config_part_move(PsConfigPart *part, const PsConfigMap *map) {
    move(part->devices, part->config.device_count, &map->devices);
    move(part->variables, ps_config_polled_count(&part->config), &map->variables);
    move(part->groups, part->config.group_count, &map->groups);
}

static void take_places(uint32_t *places, const uint32_t *others, uint32_t count) {
    if (count > 0) {
        memcpy(places, others, count * sizeof *places);
    }
}

void ps_config_part_take_places(PsConfigPart *part, const PsConfigPart *other) {
    take_places(part->devices, other->devices, part->config.device_count);
    take_places(part->variables, other->variables, ps_config_polled_count(&part->config));
    take_places(part->groups, other->groups, part->config.group_count);
}

// Do they read and write the same thing? How long an answer may take does not matter.
static bool same_device(const PsDevice *a, const PsDevice *b) {
    for (size_t i = 0; i < ps_table_device.count; i++) {
        const PsOption *option = &ps_table_device.options[i];
        if (option->offset != offsetof(PsDevice, timeout) && !ps_option_equal(option, a, b)) {
            return false;
        }
    }
    return true;
}

// Variables of `vars` by device and name; what alarms watch by group and name, and the few of them
// that this does not tell apart count as new.
static uint32_t find_match(const PsConfigPart *from, uint32_t index, const PsConfigPart *to,
                           const PsMap *names, const PsMap *watched) {
    const PsVariable *variable = &from->config.variables[index];
    uint32_t found = index < from->config.variable_count
                         ? ps_map_find(names, variable->device_name, variable->name)
                         : ps_map_find(watched, variable->group_name, variable->name);
    if (found == PS_MAP_NONE) {
        return PS_NOT_THERE;
    }
    const PsVariable *other = &to->config.variables[found];
    bool same = same_place(variable, other) && same_device(&from->config.devices[variable->device],
                                                           &to->config.devices[other->device]);
    return same ? found : PS_NOT_THERE;
}

uint32_t *ps_config_part_match(const PsConfigPart *from, const PsConfigPart *to) {
    PS_AUTO_MAP PsMap names = {0};
    PS_AUTO_MAP PsMap watched = {0};
    for (uint32_t i = 0; i < ps_config_polled_count(&to->config); i++) {
        const PsVariable *variable = &to->config.variables[i];
        bool named = i < to->config.variable_count;
        (void)ps_map_put(named ? &names : &watched,
                         named ? variable->device_name : variable->group_name, variable->name, i);
    }
    uint32_t polled = ps_config_polled_count(&from->config);
    uint32_t *matches = ps_alloc_array(polled, sizeof *matches);
    for (uint32_t i = 0; i < polled; i++) {
        matches[i] = find_match(from, i, to, &names, &watched);
    }
    return matches;
}
