// Checks what a plan would make of penstock.json, as a start does, and takes back the rows that the
// findings are about. Reads the scripts and certificates that the configuration names; one thread.
#include "base/mem.h"
#include "base/text.h"
#include "exchange/plan_private.h"
#include "model/config_json.h"

#include <stdlib.h>
#include <string.h>

// Rows refused in one look; what is beyond is found in the next one.
#define FINDINGS_MAX 20000

// The item that stands at each place of a list.
typedef struct Places {
    uint32_t *items[PS_PLAN_BLOCKS];
    size_t counts[PS_PLAN_BLOCKS];
} Places;

static void put_lists(PsPlan *plan, Places *places) {
    for (size_t b = 0; b < PS_PLAN_BLOCKS; b++) {
        const PsPlanBlock *block = &plan->work->blocks[b];
        json_t *list = json_array();
        places->items[b] = ps_alloc_array((size_t)block->item_count + 1, sizeof(uint32_t));
        for (uint32_t i = 0; i < block->item_count; i++) {
            json_t *object =
                block->items[i].after != NULL ? block->items[i].after : block->items[i].before;
            if (object != NULL) {
                places->items[b][json_array_size(list)] = i;
                json_array_append(list, object);
            }
        }
        places->counts[b] = json_array_size(list);
        json_object_set_new(plan->work->root, block->table->block, list);
    }
}

static void free_places(Places *places) {
    for (size_t b = 0; b < PS_PLAN_BLOCKS; b++) {
        free(places->items[b]);
    }
}

// The row that a finding is about and that is still taken, or NULL.
static PsPlanRow *row_of(const PsPlan *plan, const Places *places, const PsFinding *finding) {
    for (size_t b = 0; b < PS_PLAN_BLOCKS && finding->place.block != NULL; b++) {
        const PsPlanBlock *block = &plan->work->blocks[b];
        // The loader adds objects of its own behind the list: the predefined groups.
        if (strcmp(block->table->block, finding->place.block) == 0 &&
            finding->place.index < places->counts[b]) {
            const PsPlanItem *item = &block->items[places->items[b][finding->place.index]];
            return item->after != NULL ? &plan->rows[item->row] : NULL;
        }
    }
    return NULL;
}

// Keys that name an object of another list, and the file that would bring it.
static const struct {
    const char *key;
    size_t except; // in this list the key names the object itself
    size_t block;
    const char *scope_key;
    const char *kind;
    const char *file;
} references[] = {
    {"device", PS_PLAN_DEVICES, PS_PLAN_DEVICES, NULL, "device", "device.csv"},
    {"group", PS_PLAN_GROUPS, PS_PLAN_GROUPS, NULL, "group", "group.csv"},
    {"var_name", PS_PLAN_VARIABLES, PS_PLAN_VARIABLES, "device", "variable", "var.csv"},
};

static const char *text_of(const json_t *object, const char *key) {
    return key != NULL ? json_string_value(json_object_get(object, key)) : NULL;
}

// What is meant is nowhere, or stands in a row that is not taken. False: it is there.
static bool explain_reference(const PsPlan *plan, const PsPlanRow *row, const char *key, char *out,
                              size_t size) {
    size_t r = 0;
    while (r < PS_COUNT(references) &&
           (strcmp(references[r].key, key) != 0 || references[r].except == row->block)) {
        r++;
    }
    const json_t *own = plan->work->blocks[row->block].items[row->item].after;
    const char *name = text_of(own, key);
    if (r == PS_COUNT(references) || name == NULL) {
        return false;
    }
    const PsPlanBlock *block = &plan->work->blocks[references[r].block];
    uint32_t index = ps_map_find(&block->names, text_of(own, references[r].scope_key), name);
    const PsPlanItem *item = index != PS_MAP_NONE ? &block->items[index] : NULL;
    if (item == NULL && ps_plan_predefined_type(block, name) != NULL) {
        return false;
    }
    if (item == NULL) {
        ps_text_format(out, size,
                       "there is no %s '%.100s' in penstock.json or in these files; import its %s "
                       "too, or correct the name",
                       references[r].kind, name, references[r].file);
    } else if (item->before == NULL && item->after == NULL) {
        const PsPlanRow *other = &plan->rows[item->row];
        ps_text_format(out, size, "%s '%.100s' is not taken: see line %u of %.80s",
                       references[r].kind, name, other->line, plan->files[other->file].name);
    } else {
        return false;
    }
    return true;
}

static void reject(PsPlan *plan, PsPlanRow *row, const PsFinding *finding) {
    char text[sizeof finding->diag.text];
    bool explained = explain_reference(plan, row, finding->diag.field, text, sizeof text);
    ps_plan_reject(plan, row, ps_plan_column_of(plan, row, finding->diag.field),
                   explained ? text : finding->diag.text);
}

// True when rows were taken back, so that the rest is to be looked at again.
static bool look(PsPlan *plan) {
    Places places = {0};
    put_lists(plan, &places);
    ps_findings_deinit(&plan->rest);
    PsFindings findings = {.most = FINDINGS_MAX};
    PsErr err = ps_config_from_json(plan->work->folder, plan->work->root, plan->work->check_for,
                                    &findings, &plan->config);
    bool rejected = false;
    for (size_t i = 0; i < findings.count; i++) {
        const PsFinding *finding = &findings.items[i];
        PsPlanRow *row = finding->is_error ? row_of(plan, &places, finding) : NULL;
        if (row != NULL) {
            reject(plan, row, finding);
            rejected = true;
        }
    }
    if (err == PS_OK || !rejected) {
        plan->rest = findings; // none of them is of a row
    } else {
        ps_findings_deinit(&findings);
    }
    free_places(&places);
    return rejected;
}

static void count_states(PsPlan *plan) {
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const PsPlanRow *row = &plan->rows[i];
        plan->files[row->file].counts[row->state]++;
        plan->counts[row->state]++;
    }
}

void ps_plan_finish(PsPlan *plan) {
    while (look(plan)) {
    }
    count_states(plan);
}
