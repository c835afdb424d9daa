// Text that comes from scripts and files: UTF-8 check, integer parse, nearest word, the log's way
// with foreign lines, and the checked reader over the same bytes. One thread.
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const words[] = {"device_name", "polling_interval", "upload_interval", "ip"};

static uint64_t last_line; // sequence of the newest log line

// What was written must read back; what was not written must fail and stay failed.
static void check_round_trip(const uint8_t *bytes, size_t len) {
    PS_AUTO_BUF PsBuf buf = {0};
    ps_buf_put_bytes(&buf, bytes, len);
    PsReader reader = ps_reader(buf.data, buf.len);
    size_t got = 0;
    const uint8_t *back = ps_reader_bytes(&reader, &got);
    PS_ASSERT(got == len && back != NULL && memcmp(back, bytes, len) == 0);
    PS_ASSERT(ps_reader_done(&reader));
    PS_ASSERT(ps_reader_u8(&reader) == 0 && !ps_reader_done(&reader));
}

// The bytes as instructions to a reader over themselves: it never leaves them, and `failed` sticks.
static void check_reader(const uint8_t *bytes, size_t len) {
    PsReader reader = ps_reader(bytes, len);
    while (ps_reader_left(&reader) > 0) {
        size_t got = 0;
        const uint8_t *part = NULL;
        switch (ps_reader_u8(&reader) % 6) {
        case 0:
            ps_reader_u16(&reader);
            break;
        case 1:
            ps_reader_u32(&reader);
            break;
        case 2:
            ps_reader_u64(&reader);
            break;
        case 3:
            ps_reader_f64(&reader);
            break;
        case 4:
            part = ps_reader_bytes(&reader, &got);
            PS_ASSERT((part == NULL) == reader.failed || got == 0);
            break;
        default:
            got = ps_reader_u8(&reader);
            part = ps_reader_raw(&reader, got);
            PS_ASSERT(part != NULL || reader.failed);
            break;
        }
        PS_ASSERT(reader.at <= len);
        PS_ASSERT(part == NULL || (part >= bytes && part + got <= bytes + len));
    }
}

static void check_text(const uint8_t *bytes, size_t len) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_put(&text, bytes, len);
    bool utf8 = ps_text_is_utf8(text.data, text.len);
    PS_ASSERT(!utf8 || memchr(text.data, 0, text.len) == NULL);
    long long value = 0;
    if (ps_text_to_int((const char *)text.data, -1000, 1000, &value)) {
        PS_ASSERT(value >= -1000 && value <= 1000);
    }
    const char *nearest = ps_text_nearest((const char *)text.data, words, PS_COUNT(words));
    PS_ASSERT(nearest == NULL || strlen(nearest) > 0);
}

// One text, one line: nothing in it may forge a second one.
static void check_log(const uint8_t *bytes, size_t len) {
    char out[PS_LOG_TEXT_MAX + 512];
    ps_log_set_fd(-1);
    ps_log_script(PS_LOG_INFO, true, "m", "<string>", 1, (const char *)bytes, len);
    uint64_t last = ps_log_copy(last_line, out, sizeof out);
    PS_ASSERT(last == last_line + 1);
    const char *end = strchr(out, '\n');
    PS_ASSERT(end != NULL && end[1] == '\0');
    last_line = last;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    check_round_trip(bytes, len);
    check_reader(bytes, len);
    check_text(bytes, len);
    if (len == 0 || bytes[0] % 8 == 0) { // reading the log back is slow
        check_log(bytes, len);
    }
    return 0;
}
