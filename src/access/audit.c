// The queue of the audit log and its one worker job: what waits is written, then the oldest query
// is answered. Thread of the loop, except `work`.
#include "access/audit.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 5000

typedef struct Query {
    PsAuditQuery query;
    char *texts[3]; // of who, what, search
    PsAccessDone *done;
    void *ctx;
} Query;

struct PsAudit {
    uv_loop_t *loop;
    uv_timer_t retry;
    uv_work_t request;
    PsAuditFile file;
    bool is_open; // the newest id is known; else the worker finds it out first
    char folder[PATH_MAX - 32];
    int64_t last_id;
    json_t *waiting; // lines without an id yet
    uint64_t lost;
    bool failing;
    bool closing;
    Query queries[PS_AUDIT_QUERIES_MAX];
    size_t query_count;
    // the job under way, the worker's meanwhile
    bool busy;
    json_t *lines;
    Query asked;
    bool has_asked;
    PsErr put_result;
    PsErr find_result;
    json_t *found;
    PsDiag diag;
};

// ---- on the worker

static PsErr put_lines(PsAudit *audit) {
    if (!audit->is_open) {
        PsErr err = ps_audit_file_open(&audit->file, audit->folder, &audit->last_id, &audit->diag);
        if (err != PS_OK) {
            return err;
        }
        audit->is_open = true;
    }
    PS_AUTO_BUF PsBuf text = {0};
    int64_t id = audit->last_id;
    for (size_t i = 0; i < json_array_size(audit->lines); i++) {
        json_t *line = json_array_get(audit->lines, i);
        json_object_set_new(line, "id", json_integer(++id));
        char *dump = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(13));
        if (dump != NULL) {
            ps_buf_put(&text, dump, strlen(dump));
            ps_buf_put_u8(&text, '\n');
        }
        free(dump);
    }
    PsErr err =
        text.len > 0 ? ps_audit_file_put(&audit->file, text.data, text.len, &audit->diag) : PS_OK;
    audit->last_id = err == PS_OK ? id : audit->last_id;
    return err;
}

static void work(uv_work_t *request) {
    PsAudit *audit = request->data;
    audit->put_result = put_lines(audit);
    if (audit->has_asked) {
        audit->find_result = audit->is_open ? ps_audit_file_find(&audit->file, &audit->asked.query,
                                                                 &audit->found, &audit->diag)
                                            : audit->put_result;
    }
}

// ---- on the loop

static void start(PsAudit *audit);

static void answer(const Query *query, PsErr err, const PsDiag *diag, json_t *json) {
    PsAccessAnswer given = {.err = err, .json = json};
    if (err != PS_OK && diag != NULL) {
        given.diag = *diag;
    }
    query->done(&given, query->ctx);
    json_decref(json);
    for (size_t i = 0; i < PS_COUNT(query->texts); i++) {
        free(query->texts[i]);
    }
}

// Lines that were not written wait in front of those that came since.
static void take_back(PsAudit *audit) {
    json_array_extend(audit->lines, audit->waiting);
    json_decref(audit->waiting);
    audit->waiting = audit->lines;
    audit->lines = NULL;
}

static void note_result(PsAudit *audit) {
    bool failed = audit->put_result != PS_OK;
    if (failed && !audit->failing) {
        char text[sizeof audit->diag];
        ps_diag_format(&audit->diag, text, sizeof text);
        PS_LOGE("AUDIT", "%s; what happens is kept in memory meanwhile, at most %d entries", text,
                PS_AUDIT_WAITING_MAX);
    } else if (!failed && audit->failing) {
        PS_LOGI("AUDIT", "the audit log is written again");
    }
    audit->failing = failed;
}

static void on_retry(uv_timer_t *timer) {
    start(timer->data);
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void hang_up(PsAudit *audit) {
    for (size_t i = 0; i < audit->query_count; i++) {
        answer(&audit->queries[i], PS_ERR_CANCELLED, NULL, NULL);
    }
    audit->query_count = 0;
    if (json_array_size(audit->waiting) > 0) {
        PS_LOGE("AUDIT", "%zu entries of the audit log are lost: the disk took none until the stop",
                json_array_size(audit->waiting));
    }
    json_decref(audit->waiting);
    audit->waiting = NULL;
    uv_close((uv_handle_t *)&audit->retry, on_closed);
}

static void finish_job(PsAudit *audit) {
    audit->busy = false;
    note_result(audit);
    if (audit->put_result != PS_OK) {
        take_back(audit);
    } else {
        json_decref(audit->lines);
        audit->lines = NULL;
    }
    if (audit->has_asked) {
        Query asked = audit->asked;
        json_t *found = audit->found;
        audit->has_asked = false;
        audit->found = NULL;
        answer(&asked, audit->find_result, &audit->diag, found);
    }
}

static void on_worked(uv_work_t *request, int status) {
    PsAudit *audit = request->data;
    bool failed = audit->put_result != PS_OK; // an answer may begin the next job
    finish_job(audit);
    if (audit->closing) {
        if (!failed && json_array_size(audit->waiting) > 0) {
            start(audit); // what came while the last ones were written
        } else {
            hang_up(audit);
        }
    } else if (failed) {
        uv_timer_start(&audit->retry, on_retry, RETRY_MS, 0);
    } else {
        start(audit);
    }
}

static json_t *text_of(const char *text, size_t most) {
    char cut[512];
    snprintf(cut, most < sizeof cut ? most : sizeof cut, "%s", text != NULL ? text : "");
    ps_text_make_utf8(cut, strlen(cut));
    return json_string(cut);
}

static json_t *row_of(const PsAuditLine *line, PsWall now) {
    int64_t time_ms = now.ns / PS_NS_PER_MS;
    return json_pack("{s:i, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "id", 0, "time",
                     (double)time_ms / 1e3, "who", text_of(line->who, 150), "from",
                     text_of(line->from, 64), "what", text_of(line->what, 100), "object",
                     text_of(line->object, 200), "result", text_of(line->result, 50), "detail",
                     text_of(line->detail, 400));
}

// Into what is written next: among those that wait there may be no room.
static void add_lost(PsAudit *audit) {
    char detail[64];
    snprintf(detail, sizeof detail, "%llu entries", (unsigned long long)audit->lost);
    PsAuditLine line = {"gateway", "", "audit", "", "lost", detail};
    json_array_append_new(audit->lines, row_of(&line, ps_wall_now()));
    audit->lost = 0;
}

// One job at a time; none when there is nothing to do.
static void start(PsAudit *audit) {
    if (audit->busy || (json_array_size(audit->waiting) == 0 && audit->query_count == 0)) {
        return;
    }
    audit->busy = true;
    if (audit->query_count > 0) {
        audit->asked = audit->queries[0];
        audit->has_asked = true;
        audit->query_count--;
        memmove(audit->queries, audit->queries + 1, audit->query_count * sizeof *audit->queries);
    }
    audit->lines = audit->waiting;
    audit->waiting = json_array();
    if (audit->lost > 0) {
        add_lost(audit);
    }
    uv_timer_stop(&audit->retry);
    PS_ASSERT(uv_queue_work(audit->loop, &audit->request, work, on_worked) == 0);
}

PsAudit *ps_audit_open(uv_loop_t *loop, const char *folder) {
    PsAudit *audit = ps_alloc(sizeof *audit);
    audit->loop = loop;
    audit->waiting = json_array();
    audit->request.data = audit;
    snprintf(audit->folder, sizeof audit->folder, "%s", folder);
    uv_timer_init(loop, &audit->retry);
    audit->retry.data = audit;
    return audit;
}

void ps_audit_close(PsAudit *audit) {
    if (audit == NULL || audit->closing) {
        return;
    }
    audit->closing = true;
    if (!audit->busy) {
        start(audit);
    }
    if (!audit->busy) {
        hang_up(audit);
    }
}

void ps_audit_put(PsAudit *audit, const PsAuditLine *line, PsWall now) {
    size_t waiting = json_array_size(audit->waiting);
    if (waiting + json_array_size(audit->busy ? audit->lines : NULL) >= PS_AUDIT_WAITING_MAX) {
        if (audit->lost++ == 0) {
            PS_LOGE("AUDIT", "entries of the audit log are lost: the disk takes none");
        }
        return;
    }
    json_array_append_new(audit->waiting, row_of(line, now));
    if (!audit->closing && !(audit->failing && uv_is_active((uv_handle_t *)&audit->retry))) {
        start(audit);
    }
}

static const char *copy_text(const char *text, char **slot) {
    *slot = text != NULL ? ps_strdup(text) : NULL;
    return *slot;
}

void ps_audit_find(PsAudit *audit, const PsAuditQuery *query, PsAccessDone *done, void *ctx) {
    Query asked = {.query = *query, .done = done, .ctx = ctx};
    if (audit->query_count == PS_AUDIT_QUERIES_MAX || audit->closing) {
        PsDiag diag;
        ps_diag_set(&diag, "audit log", NULL, "others are being answered; ask again");
        answer(&asked, PS_ERR_BUSY, &diag, NULL);
        return;
    }
    asked.query.who = copy_text(query->who, &asked.texts[0]);
    asked.query.what = copy_text(query->what, &asked.texts[1]);
    asked.query.search = copy_text(query->search, &asked.texts[2]);
    audit->queries[audit->query_count++] = asked;
    start(audit);
}
