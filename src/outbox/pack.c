// Joining waiting rows to one JSON list. Pure but for the memory it takes; main thread.
#include "outbox/pack.h"

#include "base/mem.h"
#include "outbox/json_list.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX ((size_t)4096)

static bool goes_with(const PsRow *head, const PsRow *row) {
    return row->pub.message == head->pub.message && row->pub.qos == head->pub.qos &&
           strcmp(row->pub.topic, head->pub.topic) == 0;
}

// "[a" + ",b" ...: the closing bracket has its place, too.
static bool append(PsPack *pack, size_t most, const PsJsonList *list) {
    size_t comma = pack->pub.len > 1 && list->len > 0 ? 1 : 0;
    size_t len = pack->pub.len + comma + list->len;
    if (len + 1 > most) {
        return false;
    }
    memcpy(pack->payload + pack->pub.len, ",", comma);
    memcpy(pack->payload + pack->pub.len + comma, list->text, list->len);
    pack->pub.len = len;
    return true;
}

static bool add(PsPack *pack, size_t most, PsRow *row) {
    PsJsonList list;
    if (pack->count == ROWS_MAX || row->pub.len > most ||
        !ps_json_list_of(row->pub.payload, row->pub.len, &list) || !append(pack, most, &list)) {
        return false;
    }
    pack->rows[pack->count++] = row;
    return true;
}

static size_t candidates(const PsRow *head, size_t most) {
    size_t count = 0;
    size_t bytes = 0;
    for (const PsRow *row = head; row != NULL && bytes < most && count < ROWS_MAX;
         row = row->next) {
        if (goes_with(head, row)) {
            count++;
            bytes += row->pub.len;
        }
    }
    return count;
}

PsPack *ps_pack_new(PsRow *head, size_t most) {
    size_t count = candidates(head, most);
    if (count < 2) {
        return NULL;
    }
    PsPack *pack = ps_alloc(sizeof *pack);
    pack->pub = head->pub;
    pack->rows = ps_alloc_array(count, sizeof(PsRow *));
    pack->payload = ps_alloc(most);
    pack->payload[0] = '[';
    pack->pub.len = 1;
    for (PsRow *row = head; row != NULL && pack->count < count; row = row->next) {
        if (goes_with(head, row) && !add(pack, most, row)) {
            break;
        }
    }
    if (pack->count < 2) {
        ps_pack_free(pack);
        return NULL;
    }
    pack->payload[pack->pub.len++] = ']';
    pack->pub.payload = pack->payload;
    pack->pub.packed = pack->count;
    return pack;
}

void ps_pack_free(PsPack *pack) {
    if (pack != NULL) {
        free(pack->rows);
        free(pack->payload);
        free(pack);
    }
}
