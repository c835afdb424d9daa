// Reads an HTTP answer. Pure.
#include "cli/http_reply.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HEAD,
    BODY,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILER,
    WHOLE,
    WRONG
};

static void drop(CliReply *reply, size_t len) {
    reply->input.len -= len;
    memmove(reply->input.data, reply->input.data + len, reply->input.len);
    reply->input.data[reply->input.len] = '\0';
}

// A complete line of the input into `line`, without its end; false when there is none. Too long
// ones are wrong.
static bool take_line(CliReply *reply, char *line, size_t size) {
    const char *start = (const char *)reply->input.data;
    const char *end = reply->input.len > 0 ? memchr(start, '\n', reply->input.len) : NULL;
    if (end == NULL) {
        reply->phase = reply->input.len > CLI_REPLY_HEAD_MAX ? WRONG : reply->phase;
        return false;
    }
    size_t len = (size_t)(end - start);
    size_t text = len > 0 && start[len - 1] == '\r' ? len - 1 : len;
    if (text >= size || memchr(start, '\0', text) != NULL) {
        reply->phase = WRONG;
        return false;
    }
    memcpy(line, start, text);
    line[text] = '\0';
    drop(reply, len + 1);
    return true;
}

static const char *value_of(const char *line, const char *name) {
    size_t len = strlen(name);
    if (strncasecmp(line, name, len) != 0 || line[len] != ':') {
        return NULL;
    }
    const char *value = line + len + 1;
    return value + strspn(value, " \t");
}

static void take_header(CliReply *reply, const char *line) {
    const char *value = NULL;
    long long number = 0;
    if ((value = value_of(line, "Content-Length")) != NULL) {
        bool fits = ps_text_to_int(value, 0, (long long)CLI_REPLY_BODY_MAX, &number);
        reply->phase = fits ? reply->phase : WRONG;
        reply->left = (uint64_t)number;
        reply->to_end = false;
    } else if ((value = value_of(line, "Transfer-Encoding")) != NULL) {
        reply->chunked = strcasecmp(value, "chunked") == 0;
        reply->phase = reply->chunked ? reply->phase : WRONG;
        reply->to_end = false;
    } else if ((value = value_of(line, "Connection")) != NULL) {
        reply->closes = reply->closes || strcasecmp(value, "close") == 0;
    } else if ((value = value_of(line, "Content-Type")) != NULL) {
        snprintf(reply->type, sizeof reply->type, "%.*s", (int)strcspn(value, "; "), value);
    }
}

static void end_head(CliReply *reply) {
    if (reply->status < 200) { // an answer before the answer
        reply->status = 0;
    } else if (reply->status == 204 || reply->status == 304 || reply->without_body) {
        reply->phase = WHOLE;
    } else if (reply->chunked) {
        reply->phase = CHUNK_SIZE;
    } else {
        reply->closes = reply->closes || reply->to_end;
        reply->phase = !reply->to_end && reply->left == 0 ? WHOLE : BODY;
    }
}

static bool read_head(CliReply *reply) {
    char line[4096] = "";
    if (!take_line(reply, line, sizeof line)) {
        return false;
    }
    if (reply->status == 0) {
        long long status = 0;
        char digits[4] = "";
        bool fits = strlen(line) >= 12 && strncmp(line, "HTTP/1.", 7) == 0 && line[8] == ' ';
        if (fits) {
            memcpy(digits, line + 9, 3);
        }
        if (!fits || !ps_text_to_int(digits, 100, 599, &status)) {
            reply->phase = WRONG;
            return false;
        }
        reply->status = (int)status;
        reply->closes = line[7] == '0';
        reply->to_end = true;
        reply->chunked = false;
        reply->left = 0;
    } else if (line[0] != '\0') {
        take_header(reply, line);
    } else {
        end_head(reply);
    }
    return reply->phase != WRONG;
}

static void take_body(CliReply *reply, size_t len) {
    if (reply->body.len + len > CLI_REPLY_BODY_MAX) {
        reply->phase = WRONG;
        return;
    }
    ps_buf_put(&reply->body, reply->input.data, len);
    drop(reply, len);
}

static bool read_body(CliReply *reply) {
    size_t here = reply->input.len;
    if (here == 0) {
        return false;
    }
    if (reply->to_end) {
        take_body(reply, here);
        return false;
    }
    size_t len = here < reply->left ? here : (size_t)reply->left;
    take_body(reply, len);
    reply->left -= len;
    if (reply->left == 0 && reply->phase != WRONG) {
        reply->phase = reply->phase == CHUNK ? CHUNK_END : WHOLE;
    }
    return reply->phase == CHUNK_END;
}

static bool read_chunk_line(CliReply *reply) {
    char line[1024];
    if (!take_line(reply, line, sizeof line)) {
        return false;
    }
    if (reply->phase == CHUNK_END) {
        reply->phase = line[0] == '\0' ? CHUNK_SIZE : WRONG;
    } else if (reply->phase == TRAILER) {
        reply->phase = line[0] == '\0' ? WHOLE : TRAILER;
    } else {
        size_t digits = strspn(line, "0123456789abcdefABCDEF");
        bool fits = digits > 0 && digits < 9 && (line[digits] == '\0' || line[digits] == ';');
        reply->left = fits ? strtoull(line, NULL, 16) : 0;
        reply->phase = !fits ? WRONG : reply->left > 0 ? CHUNK : TRAILER;
    }
    return reply->phase != WRONG && reply->phase != WHOLE;
}

// One step; false when there is nothing to go on with.
static bool step(CliReply *reply) {
    switch (reply->phase) {
    case HEAD:
        return read_head(reply);
    case BODY:
    case CHUNK:
        return read_body(reply);
    case CHUNK_SIZE:
    case CHUNK_END:
    case TRAILER:
        return read_chunk_line(reply);
    default:
        return false;
    }
}

CliReplyState cli_reply_take(CliReply *reply, const void *bytes, size_t len) {
    ps_buf_put(&reply->input, bytes, len);
    while (step(reply)) {
    }
    if (reply->phase == WHOLE) {
        return CLI_REPLY_WHOLE;
    }
    return reply->phase == WRONG ? CLI_REPLY_WRONG : CLI_REPLY_MORE;
}

CliReplyState cli_reply_end(CliReply *reply) {
    bool whole = reply->phase == WHOLE || (reply->phase == BODY && reply->to_end);
    return whole ? CLI_REPLY_WHOLE : CLI_REPLY_WRONG;
}

void cli_reply_reset(CliReply *reply) {
    reply->status = 0;
    reply->type[0] = '\0';
    ps_buf_clear(&reply->body);
    ps_buf_clear(&reply->input);
    reply->closes = false;
    reply->phase = HEAD;
    reply->left = 0;
}

void cli_reply_deinit(CliReply *reply) {
    ps_buf_deinit(&reply->body);
    ps_buf_deinit(&reply->input);
}
