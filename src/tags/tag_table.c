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

static uint32_t text_room(const PsVariable *variable) {
    return variable->data_type == PS_TYPE_STRING && variable->size > 0 ? (uint32_t)variable->size
                                                                       : 0;
}

PsTagTable *ps_tag_table_new(const PsConfig *config) {
    PsTagTable *table = ps_alloc(sizeof *table);
    table->count = ps_config_polled_count(config);
    table->tags = ps_alloc_array(table->count, sizeof *table->tags);
    uint32_t text_size = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const PsVariable *variable = &config->variables[i];
        table->tags[i].quality =
            variable->access == PS_ACCESS_WRITE ? PS_QUALITY_WRITE_ONLY : PS_QUALITY_NOT_READ;
        text_size += text_room(variable);
    }
    if (text_size == 0) {
        return table;
    }
    table->text = ps_alloc_array(text_size, 1);
    table->slots = ps_alloc_array(table->count, sizeof *table->slots);
    uint32_t at = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t room = text_room(&config->variables[i]);
        table->slots[i] = (TextSlot){.at = at, .capacity = room};
        at += room;
    }
    return table;
}

void ps_tag_table_free(PsTagTable *table) {
    if (table == NULL) {
        return;
    }
    free(table->tags);
    free(table->slots);
    free(table->text);
    free(table);
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
