// The words of fault rules. Pure.
#include "localcloud/faults/words.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000LL

typedef struct EventRow {
    const char *name;
    const char *answer;
} EventRow;

static const EventRow event_rows[PS_FAULT_EVENTS] = {
    [PS_FAULT_ON_HANDSHAKE] = {"handshake", NULL},
    [PS_FAULT_ON_CONNECT] = {"connect", "connack"},
    [PS_FAULT_ON_PUBLISH] = {"publish", "puback"},
    [PS_FAULT_ON_SUBSCRIBE] = {"subscribe", "suback"},
    [PS_FAULT_ON_UNSUBSCRIBE] = {"unsubscribe", "unsuback"},
    [PS_FAULT_ON_PUBACK] = {"puback", NULL},
    [PS_FAULT_ON_PINGREQ] = {"pingreq", "pingresp"},
    [PS_FAULT_ON_DELIVER] = {"deliver", NULL},
};

typedef struct CodeRow {
    const char *name;
    uint8_t code; // MQTT 5, 2.4
} CodeRow;

static const CodeRow code_rows[] = {
    {"unspecified", 0x80},
    {"client id not valid", 0x85},
    {"bad user name or password", 0x86},
    {"not authorized", 0x87},
    {"server unavailable", 0x88},
    {"server busy", 0x89},
    {"topic name invalid", 0x90},
    {"quota exceeded", 0x97},
};

static const char *const certificate_names[] = {
    [PS_FAULT_CERTIFICATE_GOOD] = "good",
    [PS_FAULT_CERTIFICATE_EXPIRED] = "expired",
    [PS_FAULT_CERTIFICATE_NOT_YET] = "not-yet",
    [PS_FAULT_CERTIFICATE_FOREIGN] = "foreign",
    [PS_FAULT_CERTIFICATE_WRONG_HOST] = "wrong-host",
};

typedef struct TimeUnit {
    const char *name;
    long long ms;
} TimeUnit;

static const TimeUnit time_units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}};

static bool is_blank(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

// One word from `*at` on, with the mark behind it.
static bool take_word(PsArena *arena, const char *line, size_t len, size_t *at, const char **word,
                      char *mark) {
    size_t begin = *at;
    size_t end = begin;
    *mark = '\0';
    if (line[begin] == '"') {
        begin++;
        const char *quote = memchr(line + begin, '"', len - begin);
        if (quote == NULL) {
            return false;
        }
        end = (size_t)(quote - line);
        *at = end + 1;
        if (*at < len && (line[*at] == ',' || line[*at] == ':')) {
            *mark = line[(*at)++];
        }
    } else {
        while (end < len && !is_blank(line[end])) {
            end++;
        }
        *at = end;
        if (line[end - 1] == ',' || line[end - 1] == ':') {
            *mark = line[--end];
        }
    }
    *word = ps_arena_strndup(arena, line + begin, end - begin);
    return true;
}

PsErr ps_fault_words_split(PsArena *arena, const char *line, size_t len, PsFaultWords *ret_words) {
    PsFaultWords words = {0};
    for (size_t at = 0; at < len;) {
        if (is_blank(line[at])) {
            at++;
            continue;
        }
        if (words.count > 0 && words.mark[words.count - 1] == '\0' &&
            (line[at] == ',' || line[at] == ':')) { // stands alone
            words.mark[words.count - 1] = line[at++];
            continue;
        }
        if (words.count == PS_FAULT_WORDS ||
            !take_word(arena, line, len, &at, &words.text[words.count], &words.mark[words.count])) {
            return PS_ERR_INVALID;
        }
        words.count++;
    }
    *ret_words = words;
    return PS_OK;
}

const char *ps_fault_words_next(const PsFaultWords *words) {
    return words->at < words->count ? words->text[words->at] : "";
}

bool ps_fault_words_ended(const PsFaultWords *words) {
    return words->at == 0 || words->at == words->count || words->mark[words->at - 1] != '\0';
}

bool ps_fault_words_take(PsFaultWords *words, const char *these) {
    size_t at = words->at;
    for (const char *word = these; *word != '\0';) {
        size_t len = strcspn(word, " ");
        bool first = word == these;
        if (at == words->count || (!first && words->mark[at - 1] != '\0') ||
            strlen(words->text[at]) != len || strncmp(words->text[at], word, len) != 0) {
            return false;
        }
        at++;
        word += len + (word[len] == ' ' ? 1 : 0);
    }
    words->at = at;
    return true;
}

const char *ps_fault_event_name(PsFaultEvent event) {
    return event_rows[event].name;
}

const char *ps_fault_answer_name(PsFaultEvent event) {
    return event_rows[event].answer;
}

bool ps_fault_words_event(PsFaultWords *words, PsFaultEvent *ret_event) {
    for (int i = 0; i < PS_FAULT_EVENTS; i++) {
        if (ps_fault_words_take(words, event_rows[i].name)) {
            *ret_event = (PsFaultEvent)i;
            return true;
        }
    }
    return false;
}

bool ps_fault_words_code(PsFaultWords *words, uint8_t *ret_code) {
    for (size_t i = 0; i < PS_COUNT(code_rows); i++) {
        if (ps_fault_words_take(words, code_rows[i].name)) {
            *ret_code = code_rows[i].code;
            return true;
        }
    }
    const char *text = ps_fault_words_next(words);
    char *end = NULL;
    unsigned long code = strtoul(text, &end, 16);
    if (strncmp(text, "0x", 2) != 0 || *end != '\0' || code < 0x80 || code > 0xFF) {
        return false;
    }
    words->at++;
    *ret_code = (uint8_t)code;
    return true;
}

bool ps_fault_words_certificate(PsFaultWords *words, PsFaultCertificate *ret_certificate) {
    for (size_t i = 0; i < PS_COUNT(certificate_names); i++) {
        if (ps_fault_words_take(words, certificate_names[i])) {
            *ret_certificate = (PsFaultCertificate)i;
            return true;
        }
    }
    return false;
}

bool ps_fault_words_time(PsFaultWords *words, uint32_t *ret_ms) {
    const char *text = ps_fault_words_next(words);
    size_t digits = strspn(text, "0123456789");
    char number[16];
    if (digits == 0 || digits >= sizeof number) {
        return false;
    }
    memcpy(number, text, digits);
    number[digits] = '\0';
    for (size_t i = 0; i < PS_COUNT(time_units); i++) {
        long long count = 0;
        if (strcmp(text + digits, time_units[i].name) == 0 &&
            ps_text_to_int(number, 1, DAY_MS / time_units[i].ms, &count)) {
            words->at++;
            *ret_ms = (uint32_t)(count * time_units[i].ms);
            return true;
        }
    }
    return false;
}

bool ps_fault_words_number(const char *text, uint32_t *ret_number) {
    long long number = 0;
    if (!ps_text_to_int(text, 1, 1000000000, &number)) {
        return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

uint8_t ps_fault_return_code(uint8_t reason_code) {
    switch (reason_code) {
    case 0x84:
        return 1;
    case 0x85:
        return 2;
    case 0x86:
        return 4;
    case 0x87:
        return 5;
    default:
        return 3;
    }
}
