// Certificates' ends, read by uv_queue_work. Main thread, but for `read_all`.
#include "api/ends.h"

#include "base/mem.h"
#include "link/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 3
#define DAY_S 86400.0

typedef struct End {
    const char *name; // constant
    char *path;       // NULL: there is none
    char *shown;      // as in penstock.json
    PsWall end;
    char problem[256]; // "" when it could be read
} End;

typedef struct Work {
    uv_work_t request;
    PsApiEnds *owner;
    End files[FILES_MAX];
} Work;

struct PsApiEnds {
    uv_loop_t *loop;
    End files[FILES_MAX];
    Work *work; // under way, or NULL
    Work *next; // to follow it
    bool closed;
};

PsApiEnds *ps_api_ends_new(uv_loop_t *loop) {
    PsApiEnds *ends = ps_alloc(sizeof *ends);
    ends->loop = loop;
    return ends;
}

static void clear(End files[FILES_MAX]) {
    for (size_t i = 0; i < FILES_MAX; i++) {
        free(files[i].path);
        free(files[i].shown);
        files[i] = (End){0};
    }
}

static void free_work(Work *work) {
    if (work != NULL) {
        clear(work->files);
        free(work);
    }
}

// On a worker thread.
static void read_all(uv_work_t *request) {
    Work *work = request->data;
    for (size_t i = 0; i < FILES_MAX; i++) {
        End *file = &work->files[i];
        PsLinkFailure failure = {0};
        if (file->path != NULL &&
            ps_probe_certificate_end(file->path, &file->end, &failure) != PS_OK) {
            snprintf(file->problem, sizeof file->problem, "%.250s", failure.text);
        }
    }
}

static void on_read(uv_work_t *request, int status);

static void begin(PsApiEnds *ends, Work *work) {
    if (uv_queue_work(ends->loop, &work->request, read_all, on_read) == 0) {
        ends->work = work;
    } else {
        free_work(work);
    }
}

static void on_read(uv_work_t *request, int status) {
    Work *work = request->data;
    PsApiEnds *ends = work->owner;
    ends->work = NULL;
    if (ends->closed) {
        free_work(work);
        ps_api_ends_close(ends);
        return;
    }
    if (status == 0) {
        clear(ends->files);
        memcpy(ends->files, work->files, sizeof ends->files);
        memset(work->files, 0, sizeof work->files);
    }
    free_work(work);
    if (ends->next != NULL) {
        Work *next = ends->next;
        ends->next = NULL;
        begin(ends, next);
    }
}

static void add(Work *work, size_t place, const char *name, const PsConfig *config,
                const char *path) {
    if (path != NULL && path[0] != '\0') {
        work->files[place].name = name;
        work->files[place].path = ps_strdup(path);
        work->files[place].shown = ps_strdup(ps_config_short_path(config, path));
    }
}

void ps_api_ends_read(PsApiEnds *ends, const PsConfig *config) {
    Work *work = ps_alloc(sizeof *work);
    work->request.data = work;
    work->owner = ends;
    if (config->cloud.enable) {
        add(work, 0, "cloud", config, config->cloud.cert);
        add(work, 1, "cloud root", config, config->cloud.root_ca);
    }
    add(work, 2, "web", config, config->web.cert); // its own one is made anew by itself
    if (ends->work != NULL) {
        free_work(ends->next);
        ends->next = work;
    } else {
        begin(ends, work);
    }
}

json_t *ps_api_ends_json(const PsApiEnds *ends) {
    json_t *list = json_array();
    for (size_t i = 0; i < FILES_MAX; i++) {
        const End *file = &ends->files[i];
        if (file->path == NULL) {
            continue;
        }
        json_t *json = json_pack("{s:s, s:s}", "name", file->name, "path", file->shown);
        if (file->problem[0] != '\0') {
            json_object_set_new(json, "problem", json_string(file->problem));
        } else {
            double left = ps_wall_seconds(file->end) - ps_wall_seconds(ps_wall_now());
            json_object_set_new(json, "days_left", json_integer((json_int_t)floor(left / DAY_S)));
        }
        json_array_append_new(list, json);
    }
    return list;
}

void ps_api_ends_close(PsApiEnds *ends) {
    if (ends == NULL) {
        return;
    }
    ends->closed = true;
    free_work(ends->next);
    ends->next = NULL;
    if (ends->work == NULL) {
        clear(ends->files);
        free(ends);
    }
}
