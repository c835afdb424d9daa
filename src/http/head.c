// Content-Length, cookies, coding and tags of a request; header values of an answer. Pure; any
// thread.
#include "http/head.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

static size_t len_without_blanks(const char *at, size_t len) {
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t')) {
        len--;
    }
    return len;
}

// ---- the body's end

PsErr ps_http_framing_read(const char *length, const char *coding, size_t count,
                           PsHttpFraming *ret_framing) {
    PsHttpFraming framing = {0};
    if (count > 1 || (length != NULL && coding != NULL)) {
        return PS_ERR_INVALID;
    }
    if (coding != NULL) {
        framing.chunked = strcasecmp(coding, "chunked") == 0;
        if (!framing.chunked) {
            return PS_ERR_INVALID;
        }
    }
    if (length != NULL && length[0] == '\0') {
        return PS_ERR_INVALID;
    }
    for (const char *at = length; at != NULL && *at != '\0'; at++) {
        if (*at < '0' || *at > '9') {
            return PS_ERR_INVALID;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        if (framing.length > (UINT64_MAX - digit) / 10) {
            return PS_ERR_TOO_BIG;
        }
        framing.length = framing.length * 10 + digit;
    }
    *ret_framing = framing;
    return PS_OK;
}

// ---- cookies

bool ps_http_cookie_find(const char *header, const char *name, char *out, size_t size) {
    size_t name_len = strlen(name);
    for (const char *at = header; at != NULL && *at != '\0';) {
        at = skip_blanks(at);
        size_t pair = strcspn(at, ";");
        if (pair > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            const char *value = at + name_len + 1;
            size_t len = len_without_blanks(value, pair - name_len - 1);
            if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
                value++;
                len -= 2;
            }
            if (len >= size) {
                return false;
            }
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
        at += pair;
        at += *at == ';';
    }
    return false;
}

// ---- headers of an answer

static bool is_token(const char *text) {
    static const char tchar[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return text[0] != '\0' && text[strspn(text, tchar)] == '\0';
}

bool ps_http_header_is_sound(const char *name, const char *value) {
    if (!is_token(name) || value[0] == '\0') {
        return false;
    }
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            return false;
        }
    }
    return true;
}

// ---- lists

// Is the weight "q=0", "q=0.000"? `at` stands behind the coding's name.
static bool weight_is_nothing(const char *at, size_t len) {
    const char *end = at + len;
    at = skip_blanks(at);
    if (at >= end || *at != ';') {
        return false;
    }
    at = skip_blanks(at + 1);
    if (end - at < 3 || (at[0] != 'q' && at[0] != 'Q') || at[1] != '=') {
        return false;
    }
    size_t digits = strspn(at + 2, "0.");
    return digits > 0 && at + 2 + digits >= end;
}

bool ps_http_accepts(const char *header, const char *coding) {
    size_t name_len = strlen(coding);
    bool by_star = false;
    for (const char *at = header; at != NULL && *at != '\0';) {
        at = skip_blanks(at);
        size_t item = strcspn(at, ",");
        size_t name = strcspn(at, ",; \t");
        bool wanted = !weight_is_nothing(at + name, len_without_blanks(at, item) > name
                                                        ? len_without_blanks(at, item) - name
                                                        : 0);
        if (name == name_len && strncasecmp(at, coding, name) == 0) {
            return wanted;
        }
        if (name == 1 && at[0] == '*') {
            by_star = wanted;
        }
        at += item;
        at += *at == ',';
    }
    return by_star;
}

bool ps_http_etag_matches(const char *header, const char *etag) {
    size_t etag_len = strlen(etag);
    for (const char *at = header; at != NULL && *at != '\0';) {
        at = skip_blanks(at);
        size_t item = strcspn(at, ",");
        size_t len = len_without_blanks(at, item);
        if (len == 1 && at[0] == '*') {
            return true;
        }
        bool weak = len > 2 && strncmp(at, "W/", 2) == 0;
        if (len - (weak ? 2 : 0) == etag_len && strncmp(at + (weak ? 2 : 0), etag, etag_len) == 0) {
            return true;
        }
        at += item;
        at += *at == ',';
    }
    return false;
}
