// Takes files into a plan, row by row: find the object of that name, put the row's values over it,
// load it as penstock.json's loader does, compare. Pure apart from memory; one thread.
#include "exchange/plan.h"

#include "base/mem.h"
#include "base/text.h"
#include "exchange/plan_private.h"
#include "model/config_json.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const PsOptionTable *table;
    const char *scope_key;
    size_t object_size;
} blocks[PS_PLAN_BLOCKS] = {
    [PS_PLAN_DEVICES] = {&ps_table_device, NULL, sizeof(PsDevice)},
    [PS_PLAN_VARIABLES] = {&ps_table_variable, "device", sizeof(PsVariable)},
    [PS_PLAN_GROUPS] = {&ps_table_group, NULL, sizeof(PsGroup)},
    [PS_PLAN_ALARMS] = {&ps_table_alarm, NULL, sizeof(PsAlarm)},
};

const char *ps_row_state_name(PsRowState state) {
    static const char *const names[PS_ROW_STATES] = {"added", "changed", "unchanged", "not taken"};
    return names[state];
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = key != NULL ? json_string_value(json_object_get(object, key)) : NULL;
    return text != NULL ? text : "";
}

// NULL and "" are not the same scope for the map.
static const char *scope_or_null(const PsPlanBlock *block, const char *scope) {
    return block->scope_key != NULL ? scope : NULL;
}

static uint32_t add_item(PsPlanBlock *block, const char *scope, const char *name, json_t *before) {
    if ((block->item_count & (block->item_count - 1)) == 0) {
        size_t capacity = block->item_count > 0 ? (size_t)block->item_count * 2 : 1;
        block->items = ps_grow_array(block->items, capacity, sizeof *block->items);
    }
    uint32_t index = block->item_count++;
    block->items[index] = (PsPlanItem){.before = json_incref(before), .row = PS_PLAN_NO_ROW};
    if (name[0] != '\0') {
        (void)ps_map_put(&block->names, scope_or_null(block, scope), name, index);
    }
    return index;
}

static bool read_block(PsPlan *plan, PsPlanBlock *block, PsFindings *findings) {
    json_t *list = json_object_get(plan->work->root, block->table->block);
    bool sound = list == NULL || json_is_array(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *object = json_array_get(list, i);
        sound = sound && json_is_object(object);
        add_item(block, text_of(object, block->scope_key), text_of(object, block->table->name_key),
                 object);
    }
    if (!sound) {
        ps_findings_error(findings, PS_CONFIG_FILE, block->table->block, NULL,
                          "must be a list of objects; correct it first");
    }
    return sound;
}

const char *ps_plan_predefined_type(const PsPlanBlock *block, const char *name) {
    static const char *const predefined[][2] = {{"default", "collect"}, {"warning", "alarm"}};
    for (size_t i = 0; i < PS_COUNT(predefined) && block->table == &ps_table_group; i++) {
        if (strcmp(predefined[i][0], name) == 0) {
            return predefined[i][1];
        }
    }
    return NULL;
}

// The object that exists although the file does not have it, or NULL. The caller owns it.
static json_t *make_predefined(const PsPlanBlock *block, const char *name) {
    const char *type = ps_plan_predefined_type(block, name);
    return type != NULL ? json_pack("{s:s, s:s}", "group_name", name, "group_type", type) : NULL;
}

PsErr ps_plan_new(const char *folder, const void *json, size_t len, PsVariableCheckFor *check_for,
                  PsFindings *findings, PsPlan **ret_plan) {
    json_t *root = json != NULL ? ps_config_parse_json(json, len, findings)
                                : json_pack("{s:i}", "version", PS_CONFIG_VERSION);
    if (root == NULL) {
        return PS_ERR_INVALID;
    }
    PsPlan *plan = ps_alloc(sizeof *plan);
    plan->work = ps_alloc(sizeof *plan->work);
    plan->work->arena = ps_arena_new();
    plan->work->folder = ps_arena_strdup(plan->work->arena, folder);
    plan->work->check_for = check_for;
    plan->work->root = root;
    bool sound = true;
    for (size_t i = 0; i < PS_PLAN_BLOCKS; i++) {
        PsPlanBlock *block = &plan->work->blocks[i];
        block->table = blocks[i].table;
        block->scope_key = blocks[i].scope_key;
        block->object_size = blocks[i].object_size;
        block->objects[0] = ps_alloc(block->object_size);
        block->objects[1] = ps_alloc(block->object_size);
        sound = read_block(plan, block, findings) && sound;
    }
    if (!sound) {
        ps_plan_free(plan);
        return PS_ERR_INVALID;
    }
    *ret_plan = plan;
    return PS_OK;
}

static void free_block(PsPlanBlock *block) {
    for (uint32_t i = 0; i < block->item_count; i++) {
        json_decref(block->items[i].before);
        json_decref(block->items[i].after);
    }
    free(block->items);
    free(block->objects[0]);
    free(block->objects[1]);
    ps_map_deinit(&block->names);
}

void ps_plan_free(PsPlan *plan) {
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < PS_PLAN_BLOCKS; i++) {
        free_block(&plan->work->blocks[i]);
    }
    json_decref(plan->work->root);
    ps_arena_free(plan->work->arena);
    free(plan->work->kinds);
    free(plan->work);
    ps_findings_deinit(&plan->rest);
    ps_config_free(plan->config);
    free(plan->files);
    free(plan->rows);
    free(plan->notes);
    free(plan);
}

void ps_plan_reject(PsPlan *plan, PsPlanRow *row, const char *column, const char *text) {
    PsArena *arena = plan->work->arena;
    if (row->problems == NULL) {
        row->problems = ps_arena_take(arena, PS_DS_ROW_PROBLEMS * sizeof *row->problems);
    }
    if (row->problem_count < PS_DS_ROW_PROBLEMS) {
        row->problems[row->problem_count++] = (PsPlanProblem){
            .column = ps_arena_strdup(arena, column), .text = ps_arena_strdup(arena, text)};
    }
    row->state = PS_ROW_NOT_TAKEN;
    PsPlanItem *item =
        row->item != PS_PLAN_NO_ROW ? &plan->work->blocks[row->block].items[row->item] : NULL;
    if (item != NULL && item->row == (uint32_t)(row - plan->rows)) {
        json_decref(item->after);
        item->after = NULL;
    }
}

static void add_note(PsPlan *plan, uint32_t file, uint32_t line, const char *column,
                     const char *text) {
    for (uint32_t i = 0; i < plan->note_count; i++) {
        PsPlanNote *note = &plan->notes[i];
        if (note->file == file && strcmp(note->column, column) == 0 &&
            strcmp(note->text, text) == 0) {
            note->count += line > 0 ? 1 : 0;
            return;
        }
    }
    if (plan->note_count == plan->work->note_capacity) {
        plan->work->note_capacity = plan->note_count > 0 ? plan->note_count * 2 : 16;
        plan->notes = ps_grow_array(plan->notes, plan->work->note_capacity, sizeof *plan->notes);
    }
    plan->notes[plan->note_count++] = (PsPlanNote){.file = file,
                                                   .column = column,
                                                   .text = text,
                                                   .first_line = line,
                                                   .count = line > 0 ? 1 : 0};
}

static PsPlanRow *add_row(PsPlan *plan, uint32_t line) {
    if (plan->row_count == plan->work->row_capacity) {
        plan->work->row_capacity = plan->row_count > 0 ? plan->row_count * 2 : 64;
        plan->rows = ps_grow_array(plan->rows, plan->work->row_capacity, sizeof *plan->rows);
    }
    PsPlanRow *row = &plan->rows[plan->row_count++];
    *row = (PsPlanRow){.file = plan->file_count - 1,
                       .line = line,
                       .scope = "",
                       .name = "",
                       .item = PS_PLAN_NO_ROW};
    return row;
}

const char *ps_plan_column_of(const PsPlan *plan, const PsPlanRow *row, const char *key) {
    const PsDsFile *file = plan->work->kinds[row->file];
    for (size_t i = 0; file != NULL && i < file->column_count; i++) {
        if (file->columns[i].key != NULL && strcmp(file->columns[i].key, key) == 0) {
            return file->columns[i].header;
        }
    }
    if (strcmp(key, "serial") == 0) {
        return ps_plan_column_of(plan, row, "ip"); // they share a column
    }
    return key;
}

// The object of the row's name; false when the row cannot have one.
static bool find_item(PsPlan *plan, PsPlanRow *row, const PsDsRow *cells) {
    PsPlanBlock *block = &plan->work->blocks[row->block];
    PsArena *arena = plan->work->arena;
    const char *name_key = block->table->name_key;
    const char *scope_key = block->scope_key;
    PS_ASSERT(name_key != NULL);
    row->name = ps_arena_strdup(arena, ps_ds_row_text(cells, name_key));
    row->scope = scope_key != NULL ? ps_arena_strdup(arena, ps_ds_row_text(cells, scope_key)) : "";
    const char *missing = row->name[0] == '\0'    ? name_key
                          : row->scope[0] == '\0' ? scope_key
                                                  : NULL;
    if (missing != NULL) {
        ps_plan_reject(plan, row, ps_plan_column_of(plan, row, missing), "is empty; fill it in");
        return false;
    }
    row->item = ps_map_find(&block->names, scope_or_null(block, row->scope), row->name);
    if (row->item == PS_MAP_NONE) {
        json_t *predefined = make_predefined(block, row->name);
        row->item = add_item(block, row->scope, row->name, predefined);
        json_decref(predefined);
    }
    PsPlanItem *item = &block->items[row->item];
    if (item->row != PS_PLAN_NO_ROW) {
        const PsPlanRow *other = &plan->rows[item->row];
        char text[256];
        ps_text_format(text, sizeof text, "'%.100s' is in line %u of %.80s already; remove one",
                       row->name, other->line, plan->files[other->file].name);
        ps_plan_reject(plan, row, ps_plan_column_of(plan, row, name_key), text);
        return false;
    }
    item->row = (uint32_t)(row - plan->rows);
    return true;
}

static void load(PsPlan *plan, const PsPlanBlock *block, const json_t *object, PsFindings *findings,
                 void *target) {
    PsOptionContext context = {.arena = plan->work->arena,
                               .folder = plan->work->folder,
                               .file = PS_CONFIG_FILE,
                               .findings = findings};
    memset(target, 0, block->object_size);
    ps_option_load(block->table, object, "", NULL, &context, target);
}

static const char *plain(PsPlan *plan, const PsOption *option, const void *object) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_option_write_plain(option, object, plan->work->folder, &text);
    return text.len > 0 ? ps_arena_strdup(plan->work->arena, (const char *)text.data) : "";
}

static void compare(PsPlan *plan, PsPlanRow *row, const PsPlanBlock *block) {
    const PsOptionTable *table = block->table;
    const void *before = block->objects[0];
    const void *after = block->objects[1];
    for (size_t i = 0; i < table->count; i++) {
        row->change_count += ps_option_equal(&table->options[i], before, after) ? 0 : 1;
    }
    row->state = row->change_count > 0 ? PS_ROW_CHANGED : PS_ROW_UNCHANGED;
    if (row->change_count == 0) {
        return;
    }
    row->changes = ps_arena_take(plan->work->arena, row->change_count * sizeof *row->changes);
    uint32_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (!ps_option_equal(option, before, after)) {
            row->changes[count++] = (PsPlanChange){.key = option->key,
                                                   .before = plain(plan, option, before),
                                                   .after = plain(plan, option, after)};
        }
    }
}

// What the row's object becomes: the one that is there, with the row's values over it.
static json_t *merge(const PsOptionTable *table, const json_t *before, const json_t *keys) {
    json_t *after = before != NULL ? json_copy((json_t *)(uintptr_t)before) : json_object();
    (void)ps_shorthand_unfold(table->shorthand, after, false, false, NULL); // else the check tells
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)keys, key, value) {
        if (json_is_null(value)) {
            json_object_del(after, key);
        } else {
            json_object_set(after, key, value);
        }
    }
    return after;
}

static void take_object(PsPlan *plan, PsPlanRow *row, const json_t *keys) {
    PsPlanBlock *block = &plan->work->blocks[row->block];
    PsPlanItem *item = &block->items[row->item];
    PsFindings findings = {0};
    item->after = merge(block->table, item->before, keys);
    load(plan, block, item->after, &findings, block->objects[1]);
    bool sound = findings.errors == 0;
    for (size_t i = 0; i < findings.count; i++) {
        const PsDiag *diag = &findings.items[i].diag;
        ps_plan_reject(plan, row, ps_plan_column_of(plan, row, diag->field), diag->text);
    }
    if (sound && item->before != NULL) {
        load(plan, block, item->before, &findings, block->objects[0]);
        compare(plan, row, block);
    }
    ps_findings_deinit(&findings);
}

static void take_row(PsPlan *plan, const PsDsHeader *header, const PsCsvRow *fields) {
    PsDsRow *cells = &plan->work->row;
    PsPlanRow *row = add_row(plan, fields->line);
    ps_ds_row_convert(cells, header, fields);
    row->block = 0;
    while (plan->work->blocks[row->block].table != header->file->table) {
        row->block++;
    }
    bool found = find_item(plan, row, cells);
    if (found) {
        cells->before = plan->work->blocks[row->block].items[row->item].before;
        if (header->file->finish != NULL) {
            header->file->finish(cells);
        }
    }
    for (unsigned i = 0; i < cells->problem_count; i++) {
        ps_plan_reject(plan, row, cells->problems[i].column, cells->problems[i].text);
    }
    if (found && cells->problem_count == 0) {
        take_object(plan, row, cells->keys);
    }
    for (unsigned i = 0; i < cells->note_count && row->state != PS_ROW_NOT_TAKEN; i++) {
        add_note(plan, row->file, row->line, cells->notes[i].column, cells->notes[i].text);
    }
    json_decref(cells->keys);
}

static void note_unknown_columns(PsPlan *plan, const PsDsHeader *header, const PsCsvRow *names) {
    for (uint32_t i = 0; i < header->count; i++) {
        if (header->columns[i] == PS_DS_NO_COLUMN && names->fields[i][0] != '\0') {
            add_note(plan, plan->file_count - 1, 0,
                     ps_arena_strdup(plan->work->arena, names->fields[i]),
                     "is not known and is passed over");
        }
    }
}

static void fail_file(PsPlan *plan, PsPlanFile *file, const PsDiag *diag) {
    char text[512];
    ps_diag_format(diag, text, sizeof text);
    file->failure = ps_arena_strdup(plan->work->arena, text);
    plan->failed_files++;
}

void ps_plan_add(PsPlan *plan, const char *name, const void *csv, size_t len) {
    if (plan->file_count == plan->work->file_capacity) {
        plan->work->file_capacity = plan->file_count > 0 ? plan->file_count * 2 : 4;
        plan->files = ps_grow_array(plan->files, plan->work->file_capacity, sizeof *plan->files);
        plan->work->kinds =
            ps_grow_array(plan->work->kinds, plan->work->file_capacity, sizeof *plan->work->kinds);
    }
    PsPlanFile *file = &plan->files[plan->file_count++];
    *file = (PsPlanFile){
        .name = ps_arena_strdup(plan->work->arena, name), .title = "", .block = "", .kind = "row"};
    PsCsv read = {0};
    PsDsHeader header = {0};
    PsDiag diag = {0};
    PsErr err = ps_csv_parse(csv, len, &read, &diag);
    err = err == PS_OK ? ps_ds_header_read(&read.rows[0], &header, &diag) : err;
    if (err != PS_OK) {
        fail_file(plan, file, &diag);
        ps_csv_deinit(&read);
        return;
    }
    plan->work->kinds[plan->file_count - 1] = header.file;
    file->title = header.file->title;
    file->block = header.file->table->block;
    file->kind = header.file->table->kind;
    file->decoded = read.decoded;
    note_unknown_columns(plan, &header, &read.rows[0]);
    plan->work->row.decimal_comma = read.separator == ';';
    plan->work->row.check_for = plan->work->check_for;
    for (uint32_t i = 1; i < read.row_count; i++) {
        take_row(plan, &header, &read.rows[i]);
    }
    ps_csv_deinit(&read);
}
