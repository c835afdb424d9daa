// Snapshots as frames. Runs per call with every value of a group, so it sizes the buffer once and
// then only stores. Pure; main thread.
#include "script/snapshot.h"

#include "base/mem.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

// u32 place, u8 kind, 8 bytes of content; text adds its own bytes.
#define ITEM_MAX ((size_t)13)

// All variables device by device, each device's in the order of the configuration. Freed by the
// caller.
static uint32_t *sort_by_device(const PsConfig *config) {
    uint32_t *sorted = ps_alloc_array(config->variable_count + 1, sizeof *sorted);
    uint32_t *at = ps_alloc_array(config->device_count + 1, sizeof *at);
    for (uint32_t i = 0; i < config->variable_count; i++) {
        at[config->variables[i].device + 1]++;
    }
    for (uint32_t device = 0; device < config->device_count; device++) {
        at[device + 1] += at[device];
    }
    for (uint32_t i = 0; i < config->variable_count; i++) {
        sorted[at[config->variables[i].device]++] = i;
    }
    free(at);
    return sorted;
}

// Three blocks serve all: the groups' variables one group behind the other, those of all together,
// and the places of each kind.
PsSnapshotSchema *ps_snapshot_schemas_new(const PsConfig *config) {
    uint32_t count = config->variable_count;
    PsSnapshotSchema *schemas = ps_alloc_array(config->group_count + 1, sizeof *schemas);
    uint32_t *variables = ps_alloc_array(2 * (size_t)count + 1, sizeof *variables);
    uint32_t *places = ps_alloc_array(2 * (size_t)count + 1, sizeof *places);
    uint32_t *sorted = sort_by_device(config);
    for (uint32_t i = 0; i < count; i++) {
        schemas[config->variables[i].group].count++;
    }
    for (uint32_t g = 0, used = 0; g <= config->group_count; g++) {
        bool all = g == config->group_count;
        schemas[g].group = g;
        schemas[g].variables = variables + used;
        schemas[g].places = all ? places + count : places;
        used += schemas[g].count;
        schemas[g].count = 0; // counted again as they are put in
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t variable = sorted[i];
        PsSnapshotSchema *own = &schemas[config->variables[variable].group];
        PsSnapshotSchema *all = &schemas[config->group_count];
        places[variable] = own->count;
        own->variables[own->count++] = variable;
        if (config->variables[variable].access != PS_ACCESS_WRITE) {
            places[count + variable] = all->count;
            all->variables[all->count++] = variable;
        }
    }
    free(sorted);
    return schemas;
}

void ps_snapshot_schemas_free(PsSnapshotSchema *schemas) {
    if (schemas != NULL) {
        free(schemas[0].variables);
        free((uint32_t *)(uintptr_t)schemas[0].places);
        free(schemas);
    }
}

static uint32_t device_run(const PsSnapshotSchema *schema, const PsConfig *config, uint32_t from) {
    uint32_t device = config->variables[schema->variables[from]].device;
    uint32_t end = from;
    while (end < schema->count && config->variables[schema->variables[end]].device == device) {
        end++;
    }
    return end - from;
}

void ps_snapshot_put_schema(const PsSnapshotSchema *schema, const PsConfig *config, PsBuf *out) {
    size_t begin = ps_wire_begin(out, PS_WIRE_SCHEMA);
    ps_buf_put_u32(out, schema->group);
    bool all = schema->group == config->group_count;
    ps_buf_put_text(out, all ? "" : config->groups[schema->group].name);
    uint32_t devices = 0;
    for (uint32_t at = 0; at < schema->count; at += device_run(schema, config, at)) {
        devices++;
    }
    ps_buf_put_u32(out, devices);
    for (uint32_t at = 0; at < schema->count;) {
        uint32_t run = device_run(schema, config, at);
        ps_buf_put_text(out, config->devices[config->variables[schema->variables[at]].device].name);
        ps_buf_put_u32(out, run);
        for (uint32_t end = at + run; at < end; at++) {
            ps_buf_put_text(out, config->variables[schema->variables[at]].name);
        }
    }
    ps_wire_end(out, begin);
}

static bool is_dense(const PsSnapshotSchema *schema, const PsUpload *upload) {
    if (upload->item_count != schema->count) {
        return false;
    }
    for (uint32_t i = 0; i < upload->item_count; i++) {
        if (upload->items[i].variable != schema->variables[i]) {
            return false;
        }
    }
    return true;
}

static size_t content_bytes(const PsUpload *upload) {
    size_t bytes = upload->item_count * ITEM_MAX;
    for (uint32_t i = 0; i < upload->item_count; i++) {
        const PsValue *value = &upload->items[i].value;
        bytes += value->kind == PS_VALUE_TEXT ? value->text_len : 0;
    }
    return bytes;
}

// The room was reserved; numbers are stored as they lie in memory, in little endian.
static uint8_t *store_value(uint8_t *at, const PsUploadItem *item) {
    const PsValue *value = &item->value;
    uint8_t kind = item->good ? value->kind : PS_VALUE_NONE;
    *at++ = kind;
    if (kind == PS_VALUE_BOOL) {
        *at++ = value->boolean;
    } else if (kind == PS_VALUE_TEXT) {
        uint32_t len = htole32(value->text_len);
        memcpy(at, &len, sizeof len);
        memcpy(at + sizeof len, value->text, value->text_len);
        at += sizeof len + value->text_len;
    } else if (kind != PS_VALUE_NONE) {
        uint64_t bits = htole64(value->unsigned_integer);
        memcpy(at, &bits, sizeof bits);
        at += sizeof bits;
    }
    return at;
}

// What DATA has behind its link.
static void put_content(const PsSnapshotSchema *schema, const PsUpload *upload, bool sparse,
                        size_t bytes, PsBuf *out) {
    ps_buf_put_u32(out, schema->group);
    ps_buf_put_f64(out, ps_wall_seconds(upload->collected));
    ps_buf_put_u8(out, sparse);
    ps_buf_put_u32(out, upload->item_count);
    ps_buf_reserve(out, bytes);
    uint8_t *at = out->data + out->len;
    for (uint32_t i = 0; i < upload->item_count; i++) {
        const PsUploadItem *item = &upload->items[i];
        if (sparse) {
            PS_ASSERT(schema->places[item->variable] < schema->count);
            uint32_t place = htole32(schema->places[item->variable]);
            memcpy(at, &place, sizeof place);
            at += sizeof place;
        }
        at = store_value(at, item);
    }
    out->len = (size_t)(at - out->data);
    out->data[out->len] = '\0';
}

PsErr ps_snapshot_put_data(const PsSnapshotSchema *schema, const PsUpload *upload, PsBuf *out) {
    size_t bytes = content_bytes(upload);
    if (bytes > PS_WIRE_BODY_MAX - 64) {
        return PS_ERR_TOO_BIG;
    }
    size_t begin = ps_wire_begin(out, PS_WIRE_DATA);
    ps_buf_put_u8(out, 0);
    put_content(schema, upload, !is_dense(schema, upload), bytes, out);
    ps_wire_end(out, begin);
    return PS_OK;
}

PsErr ps_snapshot_put_recall(const PsSnapshotSchema *schema, const PsUpload *upload, PsBuf *out) {
    size_t bytes = content_bytes(upload);
    if (bytes > PS_WIRE_BODY_MAX - 64) {
        return PS_ERR_TOO_BIG;
    }
    put_content(schema, upload, true, bytes, out);
    return PS_OK;
}

void ps_snapshot_set_link(PsBuf *frame, bool connected) {
    PS_ASSERT(frame->len > PS_WIRE_HEAD_BYTES);
    frame->data[PS_WIRE_HEAD_BYTES] = connected;
}
