// Walks the top level of penstock.json itself and leaves every value to jansson, which is told to
// stop behind one. Pure; one thread.
#include "model/config_text.h"

#include "base/err.h"
#include "model/config.h"
#include "model/tables.h"

#include <stdio.h>
#include <string.h>

typedef struct Reader {
    PsConfigText *text;
    const char *at;
    const PsConfigVisit *visit; // NULL: nobody listens
    PsFindings *findings;
} Reader;

void ps_config_text_refuse(PsFindings *findings, int line, int column, const char *what) {
    char where[64];
    snprintf(where, sizeof where, "line %d, column %d", line, column);
    ps_findings_error(findings, PS_CONFIG_FILE, where, NULL,
                      "this is not strict JSON: %.200s; correct it there", what);
}

static bool fail(Reader *reader, const char *at, const char *what) {
    int line = 1;
    int column = 1;
    for (const char *c = reader->text->begin; c < at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n' ? 1 : 0;
    }
    ps_config_text_refuse(reader->findings, line, column, what);
    return false;
}

static void skip_space(Reader *reader) {
    while (reader->at < reader->text->end && strchr(" \t\r\n", *reader->at) != NULL &&
           *reader->at != '\0') {
        reader->at++;
    }
}

// Passes over `wanted` when it comes next.
static bool take(Reader *reader, char wanted) {
    skip_space(reader);
    if (reader->at == reader->text->end || *reader->at != wanted) {
        return false;
    }
    reader->at++;
    return true;
}

static json_t *take_value(Reader *reader) {
    json_error_t error;
    size_t len = (size_t)(reader->text->end - reader->at);
    json_t *value = json_loadb(
        reader->at, len, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        (void)fail(reader, reader->at + error.position, error.text);
    } else {
        reader->at += error.position;
    }
    return value;
}

static const char *list_block(const char *key) {
    for (size_t i = 0; ps_tables[i] != NULL; i++) {
        if (ps_tables[i]->name_key != NULL && strcmp(ps_tables[i]->block, key) == 0) {
            return ps_tables[i]->block;
        }
    }
    return NULL;
}

// The elements are parsed here to know that they can be, and again when they are wanted.
static bool take_list(Reader *reader, const char *block) {
    PS_ASSERT(reader->text->list_count < PS_CONFIG_TEXT_LISTS_MAX);
    PsConfigList *list = &reader->text->lists[reader->text->list_count++];
    *list = (PsConfigList){.block = block, .text = reader->at};
    if (take(reader, ']')) {
        return true;
    }
    do {
        skip_space(reader);
        const char *begin = reader->at;
        json_t *element = take_value(reader);
        if (element == NULL) {
            return false;
        }
        if (reader->visit != NULL) {
            reader->visit->element(block, element, begin, (size_t)(reader->at - begin),
                                   reader->visit->ctx);
        }
        json_decref(element);
        list->count++;
    } while (take(reader, ','));
    return take(reader, ']') || fail(reader, reader->at, "',' or ']' expected in this list");
}

static bool take_member_value(Reader *reader, const char *name, const char *block) {
    if (block != NULL && take(reader, '[')) {
        return take_list(reader, block);
    }
    json_t *value = take_value(reader);
    return value != NULL && json_object_set_new(reader->text->root, name, value) == 0;
}

static bool take_member(Reader *reader) {
    skip_space(reader);
    const char *key_at = reader->at;
    if (key_at == reader->text->end || *key_at != '"') {
        return fail(reader, key_at, "a key in quotes expected");
    }
    json_t *key = take_value(reader);
    if (key == NULL) {
        return false;
    }
    const char *name = json_string_value(key);
    const char *block = list_block(name);
    bool twice = json_object_get(reader->text->root, name) != NULL ||
                 (block != NULL && ps_config_text_list(reader->text, block) != NULL);
    bool done = false;
    const char *begin = NULL;
    if (strlen(name) != json_string_length(key)) {
        (void)fail(reader, key_at, "a key holds a zero character");
    } else if (twice) {
        (void)fail(reader, key_at, "duplicate object key");
    } else if (!take(reader, ':')) {
        (void)fail(reader, reader->at, "':' expected");
    } else {
        skip_space(reader);
        begin = reader->at;
        done = take_member_value(reader, name, block);
    }
    if (done && reader->visit != NULL) {
        reader->visit->member(name, begin, (size_t)(reader->at - begin), reader->visit->ctx);
    }
    json_decref(key);
    return done;
}

static bool take_object(Reader *reader) {
    if (!take(reader, '{')) {
        json_t *value = take_value(reader); // says what is wrong when it is no JSON at all
        if (value != NULL) {
            ps_findings_error(reader->findings, PS_CONFIG_FILE, NULL, NULL,
                              "must be one object: {\"version\": %d, \"devices\": [...], ...}",
                              PS_CONFIG_VERSION);
        }
        json_decref(value);
        return false;
    }
    if (!take(reader, '}')) {
        do {
            if (!take_member(reader)) {
                return false;
            }
        } while (take(reader, ','));
        if (!take(reader, '}')) {
            return fail(reader, reader->at, "',' or '}' expected");
        }
    }
    skip_space(reader);
    return reader->at == reader->text->end || fail(reader, reader->at, "end of file expected");
}

bool ps_config_text_visit(PsConfigText *ret_text, const void *json, size_t len,
                          const PsConfigVisit *visit, PsFindings *findings) {
    *ret_text = (PsConfigText){.begin = json, .end = (const char *)json + len};
    ret_text->root = json_object();
    PS_ASSERT(ret_text->root != NULL);
    Reader reader = {.text = ret_text, .at = ret_text->begin, .visit = visit, .findings = findings};
    // jansson loses a zero byte behind a number, and then its count of what it has read is wrong.
    const char *zero = len > 0 ? memchr(json, '\0', len) : NULL;
    bool sound = zero == NULL ? take_object(&reader) : fail(&reader, zero, "a zero byte");
    if (!sound) {
        ps_config_text_deinit(ret_text);
        return false;
    }
    return true;
}

bool ps_config_text_init(PsConfigText *ret_text, const void *json, size_t len,
                         PsFindings *findings) {
    return ps_config_text_visit(ret_text, json, len, NULL, findings);
}

void ps_config_text_deinit(PsConfigText *text) {
    json_decref(text->root);
    *text = (PsConfigText){0};
}

const PsConfigList *ps_config_text_list(const PsConfigText *text, const char *block) {
    for (size_t i = 0; i < text->list_count; i++) {
        if (strcmp(text->lists[i].block, block) == 0) {
            return &text->lists[i];
        }
    }
    return NULL;
}

json_t *ps_config_text_next(const PsConfigText *text, const char **at) {
    PsConfigText *same = (PsConfigText *)(uintptr_t)text;
    Reader reader = {.text = same, .at = *at};
    skip_space(&reader);
    json_t *element = take_value(&reader);
    PS_ASSERT(element != NULL); // init has read it
    (void)take(&reader, ',');
    *at = reader.at;
    return element;
}
