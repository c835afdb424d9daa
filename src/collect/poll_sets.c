// Sorts the readable variables of a channel and cuts them into sets. Pure.
#include "collect/poll_sets.h"

#include "base/mem.h"

#include <stdlib.h>

typedef struct Key {
    uint32_t group;
    uint32_t device;
    uint32_t variable;
} Key;

static int compare_keys(const void *left, const void *right) {
    const Key *a = left;
    const Key *b = right;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    if (a->device != b->device) {
        return a->device < b->device ? -1 : 1;
    }
    return a->variable < b->variable ? -1 : a->variable > b->variable;
}

static Key *collect_keys(const PsConfig *config, uint32_t *ret_count) {
    uint32_t polled = ps_config_polled_count(config);
    Key *keys = ps_alloc_array(polled, sizeof *keys);
    uint32_t count = 0;
    for (uint32_t i = 0; i < polled; i++) {
        const PsVariable *variable = &config->variables[i];
        if (variable->access != PS_ACCESS_WRITE) {
            keys[count++] = (Key){variable->group, variable->device, i};
        }
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    *ret_count = count;
    return keys;
}

static void measure_groups(PsPollSets *sets, const PsConfig *config) {
    uint32_t variables = 0;
    uint32_t text = 0;
    for (uint32_t i = 0; i < sets->set_count; i++) {
        const PsPollSet *set = &sets->sets[i];
        if (i > 0 && set->group != set[-1].group) {
            variables = 0;
            text = 0;
        }
        variables += set->variable_count;
        for (uint32_t j = 0; j < set->variable_count; j++) {
            text += ps_variable_text_size(&config->variables[set->variables[j]]);
        }
        sets->largest_group = variables > sets->largest_group ? variables : sets->largest_group;
        sets->largest_text = text > sets->largest_text ? text : sets->largest_text;
    }
}

void ps_poll_sets_init(PsPollSets *sets, const PsConfig *config) {
    uint32_t count;
    Key *keys = collect_keys(config, &count);
    *sets = (PsPollSets){.variables = ps_alloc_array(count, sizeof *sets->variables),
                         .variable_count = count};
    for (uint32_t i = 0; i < count; i++) {
        bool first =
            i == 0 || keys[i].group != keys[i - 1].group || keys[i].device != keys[i - 1].device;
        sets->set_count += first ? 1 : 0;
    }
    sets->sets = ps_alloc_array(sets->set_count, sizeof *sets->sets);
    PsPollSet *set = sets->sets;
    for (uint32_t i = 0; i < count; i++) {
        sets->variables[i] = keys[i].variable;
        if (i > 0 && (keys[i].group != keys[i - 1].group || keys[i].device != keys[i - 1].device)) {
            set++;
        }
        if (set->variable_count == 0) {
            *set = (PsPollSet){
                .device = keys[i].device, .group = keys[i].group, .variables = &sets->variables[i]};
        }
        set->variable_count++;
    }
    free(keys);
    measure_groups(sets, config);
}

void ps_poll_sets_deinit(PsPollSets *sets) {
    free(sets->sets);
    free(sets->variables);
    *sets = (PsPollSets){0};
}

uint32_t ps_poll_sets_of_group(const PsPollSets *sets, uint32_t group, uint32_t *ret_count) {
    uint32_t first = 0;
    while (first < sets->set_count && sets->sets[first].group != group) {
        first++;
    }
    uint32_t end = first;
    while (end < sets->set_count && sets->sets[end].group == group) {
        end++;
    }
    *ret_count = end - first;
    return first;
}
