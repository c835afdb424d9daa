// The current-value table: an array of tags, and one block that holds the text of all text tags.
// Main thread only; nothing here blocks or allocates after new.
#include "tags/tag_table.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

// Where a tag's text lives; only STRING variables have one.
typedef struct TextSlot {
    uint32_t at;
    uint32_t capacity;
} TextSlot;

struct PsTagTable {
    uint32_t count;
    PsTag *tags;
    TextSlot *slots; // NULL when there is no STRING variable
    char *text;
};

static void init(PsTagTable *table, const PsConfig *config) {
    table->count = ps_config_polled_count(config);
    table->tags = ps_alloc_array(table->count, sizeof *table->tags);
    uint32_t text_size = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const PsVariable *variable = &config->variables[i];
        table->tags[i].data_type = (uint8_t)variable->data_type;
        table->tags[i].quality =
            variable->access == PS_ACCESS_WRITE ? PS_QUALITY_WRITE_ONLY : PS_QUALITY_NOT_READ;
        text_size += ps_variable_text_size(variable);
    }
    if (text_size == 0) {
        return;
    }
    table->text = ps_alloc_array(text_size, 1);
    table->slots = ps_alloc_array(table->count, sizeof *table->slots);
    uint32_t at = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t room = ps_variable_text_size(&config->variables[i]);
        table->slots[i] = (TextSlot){.at = at, .capacity = room};
        at += room;
    }
}

static void deinit(PsTagTable *table) {
    free(table->tags);
    free(table->slots);
    free(table->text);
}

PsTagTable *ps_tag_table_new(const PsConfig *config) {
    PsTagTable *table = ps_alloc(sizeof *table);
    init(table, config);
    return table;
}

void ps_tag_table_free(PsTagTable *table) {
    if (table != NULL) {
        deinit(table);
        free(table);
    }
}

static PsValue keep_text(PsTagTable *table, uint32_t variable, PsValue value) {
    PS_ASSERT(table->slots != NULL && value.text_len <= table->slots[variable].capacity);
    char *kept = table->text + table->slots[variable].at;
    if (value.text_len > 0) {
        memcpy(kept, value.text, value.text_len);
    }
    value.text = kept;
    return value;
}

// Could a value of the former variable be one of this, and is it read as before?
static bool keeps_value(const PsTagTable *table, uint32_t variable, const PsTag *former) {
    const PsTag *tag = &table->tags[variable];
    bool written_only = tag->quality == PS_QUALITY_WRITE_ONLY;
    uint32_t room = table->slots != NULL ? table->slots[variable].capacity : 0;
    bool fits = former->value.kind != PS_VALUE_TEXT || former->value.text_len <= room;
    return tag->data_type == former->data_type && fits &&
           written_only == (former->quality == PS_QUALITY_WRITE_ONLY);
}

void ps_tag_table_apply_config(PsTagTable *table, const PsConfig *config, const PsConfigMap *map) {
    PsTagTable before = *table;
    *table = (PsTagTable){0};
    init(table, config);
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t old = ps_index_to_old(&map->variables, i);
        if (old == PS_NOT_THERE || !keeps_value(table, i, &before.tags[old])) {
            continue;
        }
        table->tags[i] = before.tags[old];
        if (before.tags[old].value.kind == PS_VALUE_TEXT) {
            table->tags[i].value = keep_text(table, i, before.tags[old].value);
        }
    }
    deinit(&before);
}

void ps_tag_table_forget(PsTagTable *table, uint32_t variable) {
    PS_ASSERT(variable < table->count);
    PsTag *tag = &table->tags[variable];
    bool written_only = tag->quality == PS_QUALITY_WRITE_ONLY;
    *tag = (PsTag){.quality = written_only ? PS_QUALITY_WRITE_ONLY : PS_QUALITY_NOT_READ,
                   .data_type = tag->data_type};
}

void ps_tag_table_apply(PsTagTable *table, const PsSampleBatch *batch) {
    const PsSample *end = batch->samples + batch->sample_count;
    for (const PsSample *sample = batch->samples; sample < end; sample++) {
        PS_ASSERT(sample->variable < table->count);
        PsTag *tag = &table->tags[sample->variable];
        tag->quality = sample->quality;
        if (sample->quality != PS_QUALITY_GOOD) {
            continue;
        }
        tag->value = sample->value.kind == PS_VALUE_TEXT
                         ? keep_text(table, sample->variable, sample->value)
                         : sample->value;
        tag->stamp = batch->read_wall;
        tag->read = batch->read_mono;
    }
}

const PsTag *ps_tag_table_get(const PsTagTable *table, uint32_t variable) {
    PS_ASSERT(variable < table->count);
    return &table->tags[variable];
}

const PsTag *ps_tag_table_all(const PsTagTable *table) {
    return table->tags;
}

uint32_t ps_tag_table_count(const PsTagTable *table) {
    return table->count;
}
