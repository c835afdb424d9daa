// The facts about a revision, to and from JSON. Pure.
#include "revision/revision.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"start", "apply", "revert", "automatic revert"};

const char *ps_revision_kind_name(PsRevisionKind kind) {
    return (size_t)kind < PS_COUNT(kinds) ? kinds[kind] : "unknown";
}

json_t *ps_revision_json(const PsRevision *revision) {
    return json_pack("{s:I, s:f, s:s, s:I, s:s, s:s, s:s, s:I}", "number",
                     (json_int_t)revision->number, "time", ps_wall_seconds(revision->time), "kind",
                     ps_revision_kind_name(revision->kind), "of", (json_int_t)revision->of, "who",
                     revision->who, "why", revision->why, "summary", revision->summary, "bytes",
                     (json_int_t)revision->bytes);
}

static void copy(const json_t *json, const char *key, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(json, key));
    ps_text_format(out, size, "%s", text != NULL ? text : "");
}

PsErr ps_revision_from_json(const json_t *json, PsRevision *ret_revision) {
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const json_t *number = json_object_get(json, "number");
    const json_t *time = json_object_get(json, "time");
    json_int_t value = json_integer_value(number);
    if (kind == NULL || value < 1 || value > UINT32_MAX || !json_is_number(time)) {
        return PS_ERR_CORRUPT;
    }
    PsRevision revision = {
        .number = (uint32_t)value,
        .of = (uint32_t)json_integer_value(json_object_get(json, "of")),
        .bytes = (uint64_t)json_integer_value(json_object_get(json, "bytes")),
        .time = {ps_seconds_to_ns(json_number_value(time))},
    };
    while (strcmp(kind, ps_revision_kind_name(revision.kind)) != 0) {
        revision.kind++;
        if ((size_t)revision.kind == PS_COUNT(kinds)) {
            return PS_ERR_CORRUPT;
        }
    }
    copy(json, "who", revision.who, sizeof revision.who);
    copy(json, "why", revision.why, sizeof revision.why);
    copy(json, "summary", revision.summary, sizeof revision.summary);
    *ret_revision = revision;
    return PS_OK;
}
