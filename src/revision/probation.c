// The time a revision is tried out. Pure but for saving and loading, which block; one thread at a
// time.
#include "revision/probation.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "probation.json"
#define FILE_MAX ((size_t)16 * 1024 * 1024)

void ps_probation_deinit(PsProbation *probation) {
    json_decref(probation->health);
    *probation = (PsProbation){0};
}

PsProbationClock ps_probation_now(void) {
    PsProbationClock now = {.boot = ps_boot_now(), .wall = ps_wall_now()};
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file != NULL) {
        if (fgets(now.boot_id, sizeof now.boot_id, file) == NULL) {
            now.boot_id[0] = '\0';
        }
        now.boot_id[strcspn(now.boot_id, "\n")] = '\0';
        fclose(file);
    }
    return now;
}

// A wall clock that stands before the beginning is not set yet, and says nothing.
static int64_t gone_ns(const PsProbation *probation, const PsProbationClock *now) {
    const PsProbationClock *begun = &probation->begun;
    bool same_run = begun->boot_id[0] != '\0' && strcmp(begun->boot_id, now->boot_id) == 0;
    int64_t gone = same_run ? now->boot.ns - begun->boot.ns : now->wall.ns - begun->wall.ns;
    return gone > 0 ? gone : 0;
}

int64_t ps_probation_left_ns(const PsProbation *probation, const PsProbationClock *now) {
    int64_t left = probation->length_ns - gone_ns(probation, now);
    return left > 0 && probation->starts < PS_PROBATION_STARTS_MAX ? left : 0;
}

// --- on the disk --------------------------------------------------------------------------------

static bool path_of(const char *folder, char *out) {
    int length = snprintf(out, PATH_MAX, "%s/" FILE_NAME, folder);
    return length > 0 && length < PATH_MAX;
}

PsErr ps_probation_save(const char *folder, const PsProbation *probation, PsDiag *diag) {
    char path[PATH_MAX];
    if (!path_of(folder, path)) {
        return ps_fail(PS_ERR_TOO_BIG, diag, folder, NULL, "the path is too long");
    }
    json_t *json = json_pack("{s:I, s:I, s:b, s:s, s:I, s:s, s:I, s:I, s:I, s:O*}", "number",
                             (json_int_t)probation->number, "back", (json_int_t)probation->back,
                             "healthy", (int)probation->healthy, "who", probation->who, "length_ns",
                             (json_int_t)probation->length_ns, "boot_id", probation->begun.boot_id,
                             "boot_ns", (json_int_t)probation->begun.boot.ns, "wall_ns",
                             (json_int_t)probation->begun.wall.ns, "starts",
                             (json_int_t)probation->starts, "health", probation->health);
    PS_AUTO_FREE char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    return text != NULL ? ps_file_write(path, text, strlen(text), 0600, diag)
                        : ps_fail(PS_ERR_INTERNAL, diag, path, NULL, "cannot be made");
}

static bool read_into(const json_t *json, PsProbation *out) {
    const char *who = json_string_value(json_object_get(json, "who"));
    const char *boot_id = json_string_value(json_object_get(json, "boot_id"));
    *out = (PsProbation){
        .number = (uint32_t)json_integer_value(json_object_get(json, "number")),
        .back = (uint32_t)json_integer_value(json_object_get(json, "back")),
        .healthy = json_is_true(json_object_get(json, "healthy")),
        .length_ns = json_integer_value(json_object_get(json, "length_ns")),
        .begun = {.boot = {json_integer_value(json_object_get(json, "boot_ns"))},
                  .wall = {json_integer_value(json_object_get(json, "wall_ns"))}},
        .starts = (uint32_t)json_integer_value(json_object_get(json, "starts")),
    };
    if (who == NULL || boot_id == NULL || out->number == 0 || out->back == 0) {
        return false;
    }
    ps_text_format(out->who, sizeof out->who, "%s", who);
    ps_text_format(out->begun.boot_id, sizeof out->begun.boot_id, "%s", boot_id);
    out->health = json_incref(json_object_get(json, "health"));
    return true;
}

void ps_probation_load(const char *folder, PsProbation *ret_probation) {
    char path[PATH_MAX];
    PS_AUTO_BUF PsBuf text = {0};
    *ret_probation = (PsProbation){0};
    if (!path_of(folder, path) || ps_file_read(path, FILE_MAX, &text, NULL) != PS_OK) {
        return; // as a rule there is none
    }
    json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
    if (!read_into(json, ret_probation)) {
        *ret_probation = (PsProbation){0};
        PS_LOGW("REVISION-DAMAGED", "%s cannot be understood; the configuration that runs stays",
                path);
    }
    json_decref(json);
}

void ps_probation_clear(const char *folder) {
    char path[PATH_MAX];
    if (path_of(folder, path)) {
        (void)unlink(path); // of a revision that is not the newest it means nothing
    }
}
