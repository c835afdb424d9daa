// JSON of what devices have taught: written plainly, read strictly. Pure; any thread.
#include "collect/learned_file.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define REFUSALS_MAX 1000000000

void ps_learned_entries_free(PsLearnedEntry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free(entries[i].endpoint);
        ps_learned_free(entries[i].learned);
    }
    free(entries);
}

// --- writing -----------------------------------------------------------------------------------

// When it will be, by the wall clock, in whole seconds.
static json_int_t wall_s(PsMono time, PsMono now, PsWall wall) {
    int64_t ahead = ps_mono_diff_ns(time, now);
    return (json_int_t)((wall.ns + (ahead > 0 ? ahead : 0)) / PS_NS_PER_S);
}

static json_t *hole_json(const PsLearnedHole *hole, PsMono now, PsWall wall) {
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "unit", (json_int_t)hole->unit, "area",
        (json_int_t)hole->area, "first", (json_int_t)hole->first, "count", (json_int_t)hole->count,
        "code", (json_int_t)hole->code, "refusals", (json_int_t)hole->refusals, "since",
        (json_int_t)(hole->since.ns / PS_NS_PER_S), "next_try", wall_s(hole->next_try, now, wall));
}

static json_t *limit_json(const PsLearnedLimit *limit, PsMono now, PsWall wall) {
    return json_pack("{s:I, s:I, s:I, s:I}", "unit", (json_int_t)limit->unit, "area",
                     (json_int_t)limit->area, "max", (json_int_t)limit->max, "next_try",
                     wall_s(limit->next_try, now, wall));
}

char *ps_learned_file_write(const PsLearnedEntry *entries, uint32_t count, PsMono now,
                            PsWall wall) {
    json_t *endpoints = json_array();
    uint32_t total = 0;
    for (uint32_t i = 0; i < count && i < PS_LEARNED_FILE_ENDPOINTS_MAX; i++) {
        uint32_t hole_count;
        uint32_t limit_count;
        const PsLearnedHole *holes = ps_learned_holes(entries[i].learned, &hole_count);
        const PsLearnedLimit *limits = ps_learned_limits(entries[i].learned, &limit_count);
        total += hole_count + limit_count;
        if (hole_count + limit_count == 0 || total > PS_LEARNED_FILE_HOLES_MAX) {
            continue;
        }
        json_t *hole_list = json_array();
        json_t *limit_list = json_array();
        for (uint32_t h = 0; h < hole_count; h++) {
            json_array_append_new(hole_list, hole_json(&holes[h], now, wall));
        }
        for (uint32_t l = 0; l < limit_count; l++) {
            json_array_append_new(limit_list, limit_json(&limits[l], now, wall));
        }
        json_array_append_new(endpoints,
                              json_pack("{s:s, s:o, s:o}", "endpoint", entries[i].endpoint,
                                        "limits", limit_list, "holes", hole_list));
    }
    json_t *root = json_pack("{s:i, s:o}", "version", VERSION, "endpoints", endpoints);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    PS_ASSERT(text != NULL); // names of endpoints are UTF-8, as the configuration is
    return text;
}

// --- reading -----------------------------------------------------------------------------------

typedef struct Reader {
    PsMono now;
    PsWall wall;
    uint32_t total; // holes and limits
    char object[64];
    PsDiag *diag;
} Reader;

static PsErr fail(const Reader *reader, const char *field, const char *text) {
    return ps_fail(PS_ERR_CORRUPT, reader->diag, reader->object, field, "%s", text);
}

typedef struct Number {
    const char *key;
    json_int_t least;
    json_int_t most;
    json_int_t value;
} Number;

// All of them and nothing else.
static PsErr read_numbers(const Reader *reader, const json_t *object, Number *numbers,
                          size_t count) {
    if (!json_is_object(object) || json_object_size(object) != count) {
        return fail(reader, NULL, "is not what it should be");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, numbers[i].key);
        numbers[i].value = json_integer_value(value);
        if (!json_is_integer(value) || numbers[i].value < numbers[i].least ||
            numbers[i].value > numbers[i].most) {
            return fail(reader, numbers[i].key, "is missing or out of range");
        }
    }
    return PS_OK;
}

// From the wall clock of the file to the monotonic one of this run.
static PsMono next_try(const Reader *reader, json_int_t seconds, int64_t longest_s) {
    int64_t left = seconds - reader->wall.ns / PS_NS_PER_S;
    left = left > PS_LEARNED_PAUSE_S ? left : PS_LEARNED_PAUSE_S;
    left = left < longest_s ? left : longest_s;
    return ps_mono_add_ns(reader->now, left * PS_NS_PER_S);
}

#define SECONDS_MAX INT64_C(9000000000) // so that nanoseconds fit

static PsErr read_hole(Reader *reader, const json_t *object, PsLearned *learned) {
    Number numbers[] = {
        {"unit", 0, UINT32_MAX, 0},        {"area", 0, UINT32_MAX, 0},
        {"first", 0, UINT32_MAX, 0},       {"count", 1, UINT32_MAX, 0},
        {"code", INT32_MIN, INT32_MAX, 0}, {"refusals", 1, REFUSALS_MAX, 0},
        {"since", 0, SECONDS_MAX, 0},      {"next_try", 0, SECONDS_MAX, 0},
    };
    PsErr err = read_numbers(reader, object, numbers, PS_COUNT(numbers));
    if (err != PS_OK) {
        return err;
    }
    PsLearnedHole hole = {
        .unit = (uint32_t)numbers[0].value,
        .area = (uint32_t)numbers[1].value,
        .first = (uint32_t)numbers[2].value,
        .count = (uint32_t)numbers[3].value,
        .code = (int)numbers[4].value,
        .refusals = (uint32_t)numbers[5].value,
        .since = {numbers[6].value * PS_NS_PER_S},
        .next_try = next_try(reader, numbers[7].value, PS_LEARNED_PAUSE_MAX_S),
    };
    return ps_learned_put_hole(learned, &hole)
               ? PS_OK
               : fail(reader, "first", "is no place with its count");
}

static PsErr read_limit(Reader *reader, const json_t *object, PsLearned *learned) {
    Number numbers[] = {
        {"unit", 0, UINT32_MAX, 0},
        {"area", 0, UINT32_MAX, 0},
        {"max", 1, UINT32_MAX, 0},
        {"next_try", 0, SECONDS_MAX, 0},
    };
    PsErr err = read_numbers(reader, object, numbers, PS_COUNT(numbers));
    if (err != PS_OK) {
        return err;
    }
    PsLearnedLimit limit = {
        .unit = (uint32_t)numbers[0].value,
        .area = (uint32_t)numbers[1].value,
        .max = (uint32_t)numbers[2].value,
        .next_try = next_try(reader, numbers[3].value, PS_LEARNED_LIMIT_PAUSE_S),
    };
    return ps_learned_put_limit(learned, &limit) ? PS_OK : fail(reader, "limits", "are too many");
}

static PsErr read_list(Reader *reader, const json_t *list, const char *key,
                       PsErr (*read)(Reader *reader, const json_t *object, PsLearned *learned),
                       PsLearned *learned) {
    size_t count = json_array_size(list);
    reader->total += (uint32_t)count;
    if (!json_is_array(list) || reader->total > PS_LEARNED_FILE_HOLES_MAX) {
        return fail(reader, key, "is missing or too long");
    }
    PsErr err = PS_OK;
    for (size_t i = 0; i < count && err == PS_OK; i++) {
        err = read(reader, json_array_get(list, i), learned);
    }
    return err;
}

static PsErr read_entry(Reader *reader, const json_t *object, PsLearnedEntry *entry) {
    const json_t *name = json_object_get(object, "endpoint");
    if (!json_is_string(name) || json_object_size(object) != 3) {
        return fail(reader, "endpoint", "is missing or has other keys beside it");
    }
    entry->endpoint = ps_strdup(json_string_value(name));
    entry->learned = ps_learned_new();
    PsErr err =
        read_list(reader, json_object_get(object, "limits"), "limits", read_limit, entry->learned);
    return err != PS_OK ? err
                        : read_list(reader, json_object_get(object, "holes"), "holes", read_hole,
                                    entry->learned);
}

PsErr ps_learned_file_read(const void *bytes, size_t len, PsMono now, PsWall wall,
                           PsLearnedEntry **ret_entries, uint32_t *ret_count, PsDiag *diag) {
    json_error_t error;
    json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        return ps_fail(PS_ERR_CORRUPT, diag, NULL, NULL, "line %d: %.200s", error.line, error.text);
    }
    Reader reader = {.now = now, .wall = wall, .diag = diag};
    const json_t *list = json_object_get(root, "endpoints");
    size_t count = json_array_size(list);
    PsErr err = PS_OK;
    if (json_integer_value(json_object_get(root, "version")) != VERSION || !json_is_array(list) ||
        count > PS_LEARNED_FILE_ENDPOINTS_MAX) {
        err = fail(&reader, "version", "is not a file of this version");
    }
    PsLearnedEntry *entries = ps_alloc_array(count, sizeof *entries);
    for (size_t i = 0; i < count && err == PS_OK; i++) {
        snprintf(reader.object, sizeof reader.object, "endpoints[%zu]", i);
        err = read_entry(&reader, json_array_get(list, i), &entries[i]);
    }
    json_decref(root);
    if (err != PS_OK) {
        ps_learned_entries_free(entries, (uint32_t)count);
        return err;
    }
    *ret_entries = entries;
    *ret_count = (uint32_t)count;
    return PS_OK;
}
