// Reads a penstock.json into objects that are known by name and otherwise left as text, and writes
// it back. Pure; one thread.
#include "model/edit_document.h"

#include "base/err.h"
#include "base/mem.h"
#include "model/config_text.h"
#include "model/edit_reference.h"
#include "model/json_line.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const PsOptionTable *table;
    PsEditKind kind;
    const char *scope_key;
} lists[] = {
    {&ps_table_device, PS_EDIT_DEVICE, NULL},   {&ps_table_variable, PS_EDIT_VARIABLE, "device"},
    {&ps_table_group, PS_EDIT_GROUP, NULL},     {&ps_table_alarm, PS_EDIT_ALARM, NULL},
    {&ps_table_publish, PS_EDIT_MESSAGE, NULL}, {&ps_table_subscribe, PS_EDIT_MESSAGE, NULL},
    {&ps_table_serial, PS_EDIT_SERIAL, NULL},
};

PsEditKind ps_edit_kind_of(const PsOptionTable *table) {
    for (size_t i = 0; i < PS_COUNT(lists); i++) {
        if (lists[i].table == table) {
            return lists[i].kind;
        }
    }
    return PS_EDIT_KINDS;
}

const char *ps_edit_scope_key(const PsOptionTable *table) {
    return table == &ps_table_variable ? "device" : NULL;
}

// Grows an array by doubling; it is full when its count is a power of two.
static void *grow(void *array, uint32_t count, size_t size) {
    if (count > 0 && (count & (count - 1)) != 0) {
        PS_ASSERT(array != NULL);
        return array;
    }
    return ps_grow_array(array, count > 0 ? (size_t)count * 2 : 1, size);
}

// --- names --------------------------------------------------------------------------------------

uint32_t ps_edit_document_name(PsEditDocument *document, PsEditKind kind, const char *scope,
                               const char *text) {
    uint32_t found = ps_map_find(&document->maps[kind], scope, text);
    if (found != PS_MAP_NONE) {
        return found;
    }
    const char *lasting = NULL;
    if (scope != NULL) {
        uint32_t owner = ps_edit_document_name(document, PS_EDIT_DEVICE, NULL, scope);
        lasting = document->names[owner].text;
    }
    document->names = grow(document->names, document->name_count, sizeof *document->names);
    uint32_t number = document->name_count++;
    document->names[number] = (PsEditName){.kind = kind,
                                           .scope = lasting,
                                           .text = ps_arena_strdup(document->arena, text),
                                           .item = PS_EDIT_NONE,
                                           .uses = PS_EDIT_NONE};
    (void)ps_map_put(&document->maps[kind], lasting, document->names[number].text, number);
    return number;
}

uint32_t ps_edit_document_find(const PsEditDocument *document, PsEditKind kind, const char *scope,
                               const char *text) {
    uint32_t name = ps_map_find(&document->maps[kind], scope, text);
    return name != PS_MAP_NONE ? document->names[name].item : PS_EDIT_NONE;
}

// The first object of a name has it; the check of the result finds the second.
static void define(PsEditDocument *document, uint32_t item, const json_t *object) {
    const PsOptionTable *table = document->blocks[document->items[item].block].table;
    const char *scope_key = ps_edit_scope_key(table);
    const char *text = json_string_value(json_object_get(object, table->name_key));
    const char *scope =
        scope_key != NULL ? json_string_value(json_object_get(object, scope_key)) : NULL;
    document->items[item].name = PS_EDIT_NONE;
    if (text == NULL || (scope_key != NULL && scope == NULL)) {
        return;
    }
    uint32_t name = ps_edit_document_name(document, ps_edit_kind_of(table), scope, text);
    if (document->names[name].item == PS_EDIT_NONE) {
        document->names[name].item = item;
        document->items[item].name = name;
    }
}

typedef struct Using {
    PsEditDocument *document;
    uint32_t item;
} Using;

static void use(const PsEditReference *reference, void *ctx) {
    const Using *using = ctx;
    PsEditDocument *document = using->document;
    uint32_t name =
        ps_edit_document_name(document, reference->kind, reference->scope, reference->name);
    if (document->names[name].predefined) {
        return; // it keeps its name, whoever uses it
    }
    document->uses = grow(document->uses, document->use_count, sizeof *document->uses);
    document->uses[document->use_count] =
        (PsEditUse){.item = using->item, .next = document->names[name].uses};
    document->names[name].uses = document->use_count++;
}

static void index_item(PsEditDocument *document, uint32_t item, const json_t *object) {
    Using using = {document, item};
    define(document, item, object);
    ps_edit_references(document->blocks[document->items[item].block].table, object, use, &using);
}

// --- reading ------------------------------------------------------------------------------------

static uint32_t add_item(PsEditDocument *document, uint32_t block, const char *text, size_t len) {
    document->items = grow(document->items, document->item_count, sizeof *document->items);
    uint32_t item = document->item_count++;
    document->items[item] = (PsEditItem){.text = text,
                                         .len = len,
                                         .name = PS_EDIT_NONE,
                                         .next = PS_EDIT_NONE,
                                         .block = (uint8_t)block};
    PsEditBlock *list = &document->blocks[block];
    if (list->last == PS_EDIT_NONE) {
        list->first = item;
    } else {
        document->items[list->last].next = item;
    }
    list->last = item;
    return item;
}

static void on_element(const char *block, json_t *element, const char *text, size_t len,
                       void *ctx) {
    PsEditDocument *document = ctx;
    uint32_t number = ps_edit_document_block(document, block);
    index_item(document, add_item(document, number, text, len), element);
}

static void on_member(const char *key, const char *text, size_t len, void *ctx) {
    PsEditDocument *document = ctx;
    uint32_t block = ps_edit_document_block(document, key);
    document->members = grow(document->members, document->member_count, sizeof *document->members);
    document->members[document->member_count++] =
        (PsEditMember){ps_arena_strdup(document->arena, key), text, len, block};
    if (block != PS_EDIT_NONE) {
        document->blocks[block].text = text;
        document->blocks[block].len = len;
        document->blocks[block].is_list = text[0] == '[';
    }
}

static void add_predefined(PsEditDocument *document) {
    static const char *const predefined[] = {"default", "warning"};
    for (size_t i = 0; i < PS_COUNT(predefined); i++) {
        uint32_t name = ps_edit_document_name(document, PS_EDIT_GROUP, NULL, predefined[i]);
        PS_ASSERT(document->names != NULL);
        document->names[name].predefined = true;
    }
}

bool ps_edit_document_read(PsEditDocument *document, const void *json, size_t len,
                           PsFindings *findings) {
    PsConfigText text;
    *document = (PsEditDocument){.arena = ps_arena_new()};
    for (; ps_tables[document->block_count] != NULL; document->block_count++) {
        PS_ASSERT(document->block_count < PS_EDIT_BLOCKS_MAX);
        document->blocks[document->block_count] = (PsEditBlock){
            .table = ps_tables[document->block_count], .first = PS_EDIT_NONE, .last = PS_EDIT_NONE};
    }
    add_predefined(document);
    PsConfigVisit visit = {.element = on_element, .member = on_member, .ctx = document};
    if (!ps_config_text_visit(&text, json, len, &visit, findings)) {
        ps_edit_document_deinit(document);
        return false;
    }
    ps_config_text_deinit(&text);
    return true;
}

void ps_edit_document_deinit(PsEditDocument *document) {
    for (uint32_t i = 0; i < document->item_count; i++) {
        json_decref(document->items[i].json);
    }
    for (uint32_t i = 0; i < document->block_count; i++) {
        json_decref(document->blocks[i].json);
    }
    for (size_t i = 0; i < PS_EDIT_KINDS; i++) {
        ps_map_deinit(&document->maps[i]);
    }
    free(document->members);
    free(document->items);
    free(document->names);
    free(document->uses);
    ps_arena_free(document->arena);
    *document = (PsEditDocument){0};
}

// --- objects ------------------------------------------------------------------------------------

uint32_t ps_edit_document_block(const PsEditDocument *document, const char *name) {
    for (uint32_t i = 0; i < document->block_count; i++) {
        if (strcmp(document->blocks[i].table->block, name) == 0) {
            return i;
        }
    }
    return PS_EDIT_NONE;
}

static json_t *parse(const char *text, size_t len) {
    json_t *json = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    PS_ASSERT(json != NULL); // it was read once
    return json;
}

json_t *ps_edit_document_object(const PsEditDocument *document, uint32_t item) {
    const PsEditItem *found = &document->items[item];
    return found->json != NULL ? json_incref(found->json) : parse(found->text, found->len);
}

static void forget_name(PsEditDocument *document, const PsEditItem *item) {
    if (item->name != PS_EDIT_NONE) {
        document->names[item->name].item = PS_EDIT_NONE;
    }
}

static void touch(PsEditDocument *document, uint32_t block) {
    document->blocks[block].touched = true;
    document->touched = true;
}

uint32_t ps_edit_document_put(PsEditDocument *document, uint32_t block, uint32_t item,
                              json_t *object) {
    if (item == PS_EDIT_NONE) {
        item = add_item(document, block, NULL, 0);
    } else {
        forget_name(document, &document->items[item]);
    }
    json_decref(document->items[item].json);
    document->items[item].json = object;
    index_item(document, item, object);
    touch(document, block);
    return item;
}

void ps_edit_document_remove(PsEditDocument *document, uint32_t item) {
    PsEditItem *gone = &document->items[item];
    forget_name(document, gone);
    gone->gone = true;
    gone->name = PS_EDIT_NONE;
    json_decref(gone->json);
    gone->json = NULL;
    touch(document, gone->block);
}

json_t *ps_edit_document_single(const PsEditDocument *document, uint32_t block) {
    const PsEditBlock *single = &document->blocks[block];
    if (single->touched) {
        return json_incref(single->json);
    }
    return single->text != NULL ? parse(single->text, single->len) : NULL;
}

void ps_edit_document_set_single(PsEditDocument *document, uint32_t block, json_t *object) {
    json_decref(document->blocks[block].json);
    document->blocks[block].json = object;
    touch(document, block);
}

// --- writing ------------------------------------------------------------------------------------

static void write_list(const PsEditDocument *document, const PsEditBlock *block, PsBuf *out) {
    bool first = true;
    ps_buf_put_u8(out, '[');
    for (uint32_t i = block->first; i != PS_EDIT_NONE; i = document->items[i].next) {
        const PsEditItem *item = &document->items[i];
        if (item->gone) {
            continue;
        }
        ps_buf_printf(out, "%s\n    ", first ? "" : ",");
        if (item->json != NULL) {
            ps_json_write_line(item->json, out);
        } else {
            ps_buf_put(out, item->text, item->len);
        }
        first = false;
    }
    ps_buf_printf(out, "%s]", first ? "" : "\n  ");
}

static void write_member(const PsEditDocument *document, const char *key, const char *text,
                         size_t len, uint32_t number, PsBuf *out) {
    const PsEditBlock *block = number != PS_EDIT_NONE ? &document->blocks[number] : NULL;
    bool touched = block != NULL && block->touched;
    if (touched && block->table->name_key == NULL && block->json == NULL) {
        return;
    }
    ps_buf_printf(out, "%s\n  ", out->data[out->len - 1] == '{' ? "" : ",");
    ps_option_write_text(key, out);
    ps_buf_printf(out, ": ");
    if (!touched) {
        ps_buf_put(out, text, len);
    } else if (block->table->name_key != NULL) {
        write_list(document, block, out);
    } else {
        ps_json_write_line(block->json, out);
    }
}

void ps_edit_document_write(const PsEditDocument *document, PsBuf *out) {
    ps_buf_put_u8(out, '{');
    for (uint32_t i = 0; i < document->member_count; i++) {
        const PsEditMember *member = &document->members[i];
        write_member(document, member->key, member->text, member->len, member->block, out);
    }
    for (uint32_t i = 0; i < document->block_count; i++) {
        const PsEditBlock *block = &document->blocks[i];
        if (block->text == NULL && block->touched) {
            write_member(document, block->table->block, NULL, 0, i, out);
        }
    }
    ps_buf_printf(out, "\n}\n");
}
