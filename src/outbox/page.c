// Cells and records of SQLite's b-tree pages. Pure.
#include "outbox/page.h"

#include <string.h>

#define FILE_HEAD_BYTES ((size_t)100) // before the first page's own head
#define LEAF_INDEX 0x0a
#define LEAF_TABLE 0x0d
#define INNER_INDEX 0x02
#define OVERFLOW_BYTES (PS_PAGE_BYTES - 4)

// ---- numbers, big endian

static uint64_t big_endian(const uint8_t *at, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; at != NULL && i < len; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static uint64_t take_number(PsReader *reader, size_t len) {
    return big_endian(ps_reader_raw(reader, len), len);
}

// One to nine bytes of seven bits each, the ninth of eight.
static uint64_t take_varint(PsReader *reader) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        uint8_t byte = ps_reader_u8(reader);
        value = value << 7 | (byte & 0x7f);
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    return value << 8 | ps_reader_u8(reader);
}

static int64_t as_signed(uint64_t bits) {
    int64_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int64_t take_signed(PsReader *reader, size_t len) {
    PS_ASSERT(len >= 1 && len <= 8);
    uint64_t value = take_number(reader, len);
    uint64_t sign = UINT64_C(1) << (8 * len - 1);
    return as_signed((value ^ sign) - sign);
}

// ---- records

static void take_field(PsReader *body, uint64_t type, PsField *ret_field) {
    static const uint8_t widths[] = {0, 1, 2, 3, 4, 6, 8};
    PsField field = {.kind = PS_FIELD_INT};
    if (type == 0) {
        field.kind = PS_FIELD_NULL;
    } else if (type <= 6) {
        field.number = take_signed(body, widths[type]);
    } else if (type == 7) {
        field.kind = PS_FIELD_REAL;
        (void)ps_reader_raw(body, 8);
    } else if (type <= 9) {
        field.number = (int64_t)type - 8;
    } else if (type <= 11) {
        body->failed = true; // reserved
    } else {
        field.kind = type % 2 == 0 ? PS_FIELD_BLOB : PS_FIELD_TEXT;
        uint64_t len = (type - 12) / 2;
        if (len > ps_reader_left(body)) {
            body->failed = true;
        } else {
            field.len = (size_t)len;
            field.bytes = ps_reader_raw(body, field.len);
        }
    }
    *ret_field = field;
}

// True when the record fills its bytes exactly.
static bool read_record(const uint8_t *bytes, size_t len, PsRecord *record) {
    PsReader head = ps_reader(bytes, len);
    uint64_t head_len = take_varint(&head);
    if (head.failed || head_len < head.at || head_len > len) {
        return false;
    }
    PsReader body = ps_reader(bytes + head_len, len - (size_t)head_len);
    head.len = (size_t)head_len;
    record->count = 0;
    while (!head.failed && !body.failed && ps_reader_left(&head) > 0) {
        if (record->count == PS_RECORD_FIELDS) {
            return false;
        }
        uint64_t type = take_varint(&head);
        take_field(&body, type, &record->fields[record->count++]);
    }
    return ps_reader_done(&head) && ps_reader_done(&body);
}

// ---- cells

// Bytes of a payload that stand in the page itself (section 1.6, "overflow pages").
static size_t local_bytes(uint64_t total, bool table) {
    size_t most = table ? PS_PAGE_BYTES - 35 : (PS_PAGE_BYTES - 12) * 64 / 255 - 23;
    if (total <= most) {
        return (size_t)total;
    }
    size_t least = (PS_PAGE_BYTES - 12) * 32 / 255 - 23;
    size_t wanted = least + (size_t)((total - least) % OVERFLOW_BYTES);
    return wanted <= most ? wanted : least;
}

// The rest of a payload from its chain of pages. A page number never reaches the highest byte, so
// that anything else there is no link of a chain.
static bool follow(const PsPageSource *source, uint32_t next, size_t left, PsBuf *payload) {
    while (left > 0) {
        if (next < 2 || next > source->count) {
            return false;
        }
        const uint8_t *page = source->page(next, source->ctx);
        if (page == NULL || page[0] != 0) {
            return false;
        }
        size_t part = left < OVERFLOW_BYTES ? left : OVERFLOW_BYTES;
        ps_buf_put(payload, page + 4, part);
        left -= part;
        next = (uint32_t)big_endian(page, 4);
    }
    return next == 0;
}

static bool read_cell(const uint8_t *page, size_t at, int kind, const PsPageSource *source,
                      PsBuf *chain, PsRecord *record) {
    PsReader cell = ps_reader(page + at, PS_PAGE_BYTES - at);
    if (kind == INNER_INDEX) {
        (void)ps_reader_raw(&cell, 4); // the child before it
    }
    uint64_t total = take_varint(&cell);
    bool table = kind == LEAF_TABLE;
    record->in_index = !table;
    record->rowid = table ? as_signed(take_varint(&cell)) : 0;
    if (cell.failed || total > (uint64_t)source->count * PS_PAGE_BYTES) {
        return false;
    }
    size_t local = local_bytes(total, table);
    const uint8_t *bytes = ps_reader_raw(&cell, local);
    if (bytes == NULL || local == total) {
        return bytes != NULL && read_record(bytes, local, record);
    }
    uint32_t next = (uint32_t)take_number(&cell, 4);
    ps_buf_clear(chain);
    ps_buf_put(chain, bytes, local);
    return !cell.failed && follow(source, next, (size_t)total - local, chain) &&
           read_record(chain->data, chain->len, record);
}

size_t ps_page_records(const uint8_t page[PS_PAGE_BYTES], uint32_t number,
                       const PsPageSource *source, PsRecordFound *found, void *ctx) {
    size_t head = number == 1 ? FILE_HEAD_BYTES : 0;
    int kind = page[head];
    if (kind != LEAF_TABLE && kind != LEAF_INDEX && kind != INNER_INDEX) {
        return 0;
    }
    size_t pointers = head + (kind == INNER_INDEX ? 12 : 8);
    size_t count = (size_t)big_endian(page + head + 3, 2);
    size_t room = (PS_PAGE_BYTES - pointers) / 2;
    size_t bad = count > room ? count - room : 0;
    PS_AUTO_BUF PsBuf chain = {0};
    for (size_t i = 0; i < count && i < room; i++) {
        size_t at = (size_t)big_endian(page + pointers + 2 * i, 2);
        PsRecord record = {0};
        if (at >= pointers && at < PS_PAGE_BYTES &&
            read_cell(page, at, kind, source, &chain, &record)) {
            found(&record, ctx);
        } else {
            bad++;
        }
    }
    return bad;
}
