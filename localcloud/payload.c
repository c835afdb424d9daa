// Messages as text. Pure; any thread.
#include "localcloud/payload.h"

#include "base/text.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#define INDENT 2
#define DEEPEST 64 // deeper levels are indented like this one

// UTF-8 text, control bytes as escapes.
static void put_escaped(PsBuf *out, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n') {
            ps_buf_put(out, "\\n", 2);
        } else if (byte == '\t') {
            ps_buf_put(out, "\\t", 2);
        } else if (byte < 0x20 || byte == 0x7F) {
            ps_buf_printf(out, "\\x%02x", byte);
        } else if (byte == 0xC2 && i + 1 < len && (unsigned char)text[i + 1] < 0xA0) {
            ps_buf_printf(out, "\\x%02x", (unsigned char)text[++i]); // the C1 controls
        } else {
            ps_buf_put(out, &byte, 1);
        }
    }
}

static void put_hex(PsBuf *out, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        ps_buf_printf(out, "%02x", bytes[i]);
    }
}

static void put_break(PsBuf *out, int depth) {
    static const char blanks[] = "                                                                "
                                 "                                                                ";
    ps_buf_put(out, "\n", 1);
    ps_buf_put(out, blanks, (size_t)INDENT * (size_t)(depth < DEEPEST ? depth : DEEPEST));
}

// Length of the JSON string that starts at `text`, both quotes included.
static size_t string_length(const char *text, size_t len) {
    size_t i = 1;
    while (i < len && text[i] != '"') {
        i += text[i] == '\\' ? 2 : 1;
    }
    return i < len ? i + 1 : len;
}

static bool is_blank(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

// Lays valid JSON out anew, token by token.
static void put_indented(PsBuf *out, const char *text, size_t len) {
    int depth = 0;
    char before = '\0'; // last token's first byte
    for (size_t i = 0; i < len;) {
        char letter = text[i];
        size_t step = letter == '"' ? string_length(text + i, len - i) : 1;
        bool opens = letter == '{' || letter == '[';
        bool closes = letter == '}' || letter == ']';
        if (is_blank(letter)) {
            i++;
            continue;
        }
        depth -= closes ? 1 : 0;
        bool after_open = before == '{' || before == '[';
        if ((closes && !after_open) || (!closes && after_open) || before == ',') {
            put_break(out, depth);
        } else if (before == ':') {
            ps_buf_put(out, " ", 1);
        }
        put_escaped(out, text + i, step);
        depth += opens ? 1 : 0;
        before = letter;
        i += step;
    }
}

static bool is_json_container(const char *text, size_t len) {
    json_t *json = json_loadb(text, len, 0, NULL);
    bool is = json_is_object(json) || json_is_array(json);
    json_decref(json);
    return is;
}

static void put_for_people(PsBuf *out, bool pretty, PsWall time, bool sent,
                           const PsCloudMessage *message) {
    time_t seconds = (time_t)(time.ns / PS_NS_PER_S);
    struct tm parts = {0};
    localtime_r(&seconds, &parts);
    ps_buf_printf(out, "%02d:%02d:%02d.%03d  %s", parts.tm_hour, parts.tm_min, parts.tm_sec,
                  (int)(time.ns / PS_NS_PER_MS % 1000), sent ? "> " : "");
    put_escaped(out, message->topic, strlen(message->topic));
    ps_buf_put(out, "  ", 2);
    const char *text = message->payload;
    if (!ps_text_is_utf8(message->payload, message->len)) {
        ps_buf_printf(out, "(%zu bytes) ", message->len);
        put_hex(out, message->payload, message->len);
    } else if (pretty && is_json_container(text, message->len)) {
        put_indented(out, text, message->len);
    } else {
        put_escaped(out, text, message->len);
    }
    ps_buf_put(out, "\n", 1);
}

static void put_for_programs(PsBuf *out, PsWall time, bool sent, const PsCloudMessage *message) {
    json_t *json = json_pack("{s:f, s:s, s:s, s:i, s:b}", "time", ps_wall_seconds(time),
                             "direction", sent ? "sent" : "arrived", "topic", message->topic, "qos",
                             message->qos, "retained", message->retained);
    json_t *payload = NULL;
    if (ps_text_is_utf8(message->payload, message->len)) {
        payload = json_stringn(message->len > 0 ? message->payload : "", message->len);
        json_object_set_new(json, "payload", payload);
    } else {
        PS_AUTO_BUF PsBuf hex = {0};
        put_hex(&hex, message->payload, message->len);
        json_object_set_new(json, "payload_hex", json_string((const char *)hex.data));
    }
    char *text = json_dumps(json, JSON_COMPACT);
    if (text != NULL) {
        ps_buf_printf(out, "%s\n", text);
    }
    free(text);
    json_decref(json);
}

void ps_payload_put(PsBuf *out, PsPayloadFormat format, PsWall time, bool sent,
                    const PsCloudMessage *message) {
    if (format == PS_PAYLOAD_JSON) {
        put_for_programs(out, time, sent, message);
    } else {
        put_for_people(out, format == PS_PAYLOAD_PRETTY, time, sent, message);
    }
}
