// The two tables of jobs.
#include "localcloud/service/job_store.h"

#include "base/mem.h"
#include "localcloud/service/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ps_job_phases[PS_JOB_PHASES + 1] = {
    [PS_JOB_PHASE_IN_PROGRESS] = "IN_PROGRESS",
    [PS_JOB_PHASE_CANCELED] = "CANCELED",
    [PS_JOB_PHASE_COMPLETED] = "COMPLETED",
};

#define JOB_COLUMNS                                                                                \
    "row, id, continuous, phase, targets, description, document, options, created, updated, "      \
    "completed, forced, reason, comment"
#define EXECUTION_COLUMNS                                                                          \
    "row, job, thing, number, status, details, queued, started, updated, version, forced, "        \
    "job_deadline, step_deadline"

const char *ps_job_phase_name(PsJobPhase phase) {
    return ps_job_phases[phase];
}

bool ps_job_phase_find(const char *name, PsJobPhase *ret_phase) {
    for (size_t i = 0; i < PS_JOB_PHASES; i++) {
        if (strcmp(ps_job_phases[i], name) == 0) {
            *ret_phase = (PsJobPhase)i;
            return true;
        }
    }
    return false;
}

void ps_job_deinit(PsJob *job) {
    json_decref(job->targets);
    json_decref(job->options);
    free(job->description);
    free(job->document);
    free(job->reason);
    free(job->comment);
    *job = (PsJob){0};
}

int64_t ps_job_minutes(const PsJob *job) {
    const json_t *config = json_object_get(job->options, "timeoutConfig");
    return json_integer_value(json_object_get(config, "inProgressTimeoutInMinutes"));
}

void ps_job_list_deinit(PsJobList *list) {
    for (size_t i = 0; i < list->count; i++) {
        ps_job_deinit(&list->items[i]);
    }
    free(list->items);
    *list = (PsJobList){0};
}

void ps_job_execution_list_deinit(PsJobExecutionList *list) {
    for (size_t i = 0; i < list->count; i++) {
        ps_job_execution_deinit(&list->items[i]);
    }
    free(list->items);
    *list = (PsJobExecutionList){0};
}

PsErr ps_job_store_prepare(sqlite3 *db, PsDiag *diag) {
    return ps_sql_make(
        db,
        "CREATE TABLE IF NOT EXISTS service_job ("
        "row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
        "continuous INTEGER NOT NULL, phase INTEGER NOT NULL, targets TEXT NOT NULL,"
        "description TEXT, document TEXT NOT NULL, options TEXT, created INTEGER NOT NULL,"
        "updated INTEGER NOT NULL, completed INTEGER NOT NULL, forced INTEGER NOT NULL,"
        "reason TEXT, comment TEXT);"
        "CREATE TABLE IF NOT EXISTS service_job_execution ("
        "row INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, thing TEXT NOT NULL,"
        "number INTEGER NOT NULL, status INTEGER NOT NULL, details TEXT, queued INTEGER NOT NULL,"
        "started INTEGER NOT NULL, updated INTEGER NOT NULL, version INTEGER NOT NULL,"
        "forced INTEGER NOT NULL, job_deadline INTEGER NOT NULL, step_deadline INTEGER NOT NULL,"
        "UNIQUE (job, thing, number));"
        "CREATE INDEX IF NOT EXISTS service_job_pending ON service_job_execution (thing, status);"
        "CREATE INDEX IF NOT EXISTS service_job_running ON service_job_execution (status)"
        " WHERE status = 1",
        diag);
}

// ---- jobs

static char *text_or_null(const PsSql *sql, int column) {
    return ps_sql_is_null(sql, column) ? NULL : ps_strdup(ps_sql_text(sql, column));
}

static void take_job(const PsSql *sql, PsJob *job) {
    job->row = ps_sql_int(sql, 0);
    (void)snprintf(job->id, sizeof job->id, "%s", ps_sql_text(sql, 1));
    job->continuous = ps_sql_int(sql, 2) != 0;
    job->phase = (PsJobPhase)ps_sql_int(sql, 3);
    job->targets = ps_sql_json(sql, 4);
    job->description = text_or_null(sql, 5);
    job->document = text_or_null(sql, 6);
    job->options = ps_sql_json(sql, 7);
    job->created_ms = ps_sql_int(sql, 8);
    job->updated_ms = ps_sql_int(sql, 9);
    job->completed_ms = ps_sql_int(sql, 10);
    job->forced = ps_sql_int(sql, 11) != 0;
    job->reason = text_or_null(sql, 12);
    job->comment = text_or_null(sql, 13);
}

PsErr ps_job_insert(sqlite3 *db, PsJob *job) {
    PsJob other = {0};
    PsErr err = ps_job_find(db, job->id, &other);
    ps_job_deinit(&other);
    if (err != PS_ERR_NOT_FOUND) {
        return err == PS_OK ? PS_ERR_EXISTS : err;
    }
    err = ps_sql_run(db,
                     "INSERT INTO service_job (id, continuous, phase, targets, description,"
                     "document, options, created, updated, completed, forced, reason, comment) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "tiijttjiiiitt", job->id, (int64_t)job->continuous, (int64_t)job->phase,
                     job->targets, job->description, job->document, job->options, job->created_ms,
                     job->updated_ms, job->completed_ms, (int64_t)job->forced, job->reason,
                     job->comment);
    job->row = sqlite3_last_insert_rowid(db);
    return err;
}

PsErr ps_job_save(sqlite3 *db, const PsJob *job) {
    return ps_sql_run(db,
                      "UPDATE service_job SET phase = ?, targets = ?, description = ?, options = ?,"
                      "updated = ?, completed = ?, forced = ?, reason = ?, comment = ? "
                      "WHERE row = ?",
                      "ijtjiiitti", (int64_t)job->phase, job->targets, job->description,
                      job->options, job->updated_ms, job->completed_ms, (int64_t)job->forced,
                      job->reason, job->comment, job->row);
}

PsErr ps_job_find(sqlite3 *db, const char *id, PsJob *ret_job) {
    PsSql sql;
    ps_sql_begin(&sql, db, "SELECT " JOB_COLUMNS " FROM service_job WHERE id = ?", "t", id);
    bool found = ps_sql_next(&sql);
    if (found) {
        take_job(&sql, ret_job);
    }
    PsErr err = ps_sql_end(&sql);
    return err == PS_OK && !found ? PS_ERR_NOT_FOUND : err;
}

PsErr ps_job_drop(sqlite3 *db, const char *id) {
    PsErr err = ps_sql_run(db, "DELETE FROM service_job_execution WHERE job = ?", "t", id);
    return err == PS_OK ? ps_sql_run(db, "DELETE FROM service_job WHERE id = ?", "t", id) : err;
}

PsErr ps_job_list(sqlite3 *db, const PsJobFilter *filter, PsJobList *ret_list) {
    PsSql sql;
    PsJobList list = {0};
    ps_sql_begin(&sql, db,
                 "SELECT " JOB_COLUMNS " FROM service_job WHERE (?1 < 0 OR phase = ?1) "
                 "AND (?2 < 0 OR continuous = ?2) AND (?3 = 0 OR row < ?3) "
                 "ORDER BY row DESC LIMIT ?4",
                 "iiii", (int64_t)filter->status, (int64_t)filter->continuous, filter->below,
                 filter->limit > 0 ? (int64_t)filter->limit : -1);
    while (ps_sql_next(&sql)) {
        list.items = ps_grow_array(list.items, list.count + 1, sizeof(PsJob));
        list.items[list.count] = (PsJob){0};
        take_job(&sql, &list.items[list.count++]);
    }
    PsErr err = ps_sql_end(&sql);
    if (err != PS_OK) {
        ps_job_list_deinit(&list);
    } else {
        *ret_list = list;
    }
    return err;
}

// ---- executions

static void take_execution(const PsSql *sql, PsJobExecution *execution) {
    execution->row = ps_sql_int(sql, 0);
    (void)snprintf(execution->job, sizeof execution->job, "%s", ps_sql_text(sql, 1));
    (void)snprintf(execution->thing, sizeof execution->thing, "%s", ps_sql_text(sql, 2));
    execution->number = ps_sql_int(sql, 3);
    execution->status = (PsJobStatus)ps_sql_int(sql, 4);
    execution->details = ps_sql_json(sql, 5);
    execution->queued_ms = ps_sql_int(sql, 6);
    execution->started_ms = ps_sql_int(sql, 7);
    execution->updated_ms = ps_sql_int(sql, 8);
    execution->version = ps_sql_int(sql, 9);
    execution->forced = ps_sql_int(sql, 10) != 0;
    execution->job_deadline_ms = ps_sql_int(sql, 11);
    execution->step_deadline_ms = ps_sql_int(sql, 12);
}

// Takes all rows and ends the statement.
static PsErr take_list(PsSql *sql, PsJobExecutionList *ret_list) {
    PsJobExecutionList list = {0};
    size_t capacity = 0;
    while (ps_sql_next(sql)) {
        if (list.count == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 8;
            list.items = ps_grow_array(list.items, capacity, sizeof(PsJobExecution));
        }
        list.items[list.count] = (PsJobExecution){0};
        take_execution(sql, &list.items[list.count++]);
    }
    PsErr err = ps_sql_end(sql);
    if (err != PS_OK) {
        ps_job_execution_list_deinit(&list);
    } else {
        *ret_list = list;
    }
    return err;
}

PsErr ps_job_execution_list(sqlite3 *db, const PsJobFilter *filter, PsJobExecutionList *ret_list) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT " EXECUTION_COLUMNS " FROM service_job_execution "
                 "WHERE (?1 IS NULL OR job = ?1) AND (?2 IS NULL OR thing = ?2) "
                 "AND (?3 < 0 OR status = ?3) AND (?4 = 0 OR row < ?4) ORDER BY row DESC LIMIT ?5",
                 "ttiii", filter->job, filter->thing, (int64_t)filter->status, filter->below,
                 filter->limit > 0 ? (int64_t)filter->limit : -1);
    return take_list(&sql, ret_list);
}

PsErr ps_job_pending(sqlite3 *db, const char *thing, size_t limit, PsJobExecutionList *ret_list) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT " EXECUTION_COLUMNS " FROM service_job_execution "
                 "WHERE thing = ? AND status IN (0, 1) ORDER BY status DESC, queued, row LIMIT ?",
                 "ti", thing, (int64_t)limit);
    return take_list(&sql, ret_list);
}

PsErr ps_job_overdue(sqlite3 *db, int64_t until_ms, PsJobExecutionList *ret_list) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT " EXECUTION_COLUMNS " FROM service_job_execution WHERE status = 1 "
                 "AND ((job_deadline > 0 AND job_deadline <= ?1) "
                 "OR (step_deadline > 0 AND step_deadline <= ?1))",
                 "i", until_ms);
    return take_list(&sql, ret_list);
}

int64_t ps_job_next_deadline(sqlite3 *db) {
    PsSql sql;
    int64_t next = 0;
    ps_sql_begin(&sql, db,
                 "SELECT min(min(iif(job_deadline > 0, job_deadline, step_deadline),"
                 "iif(step_deadline > 0, step_deadline, job_deadline))) "
                 "FROM service_job_execution WHERE status = 1 AND job_deadline + step_deadline > 0",
                 "");
    if (ps_sql_next(&sql)) {
        next = ps_sql_int(&sql, 0);
    }
    return ps_sql_end(&sql) == PS_OK ? next : 0;
}

PsErr ps_job_execution_insert(sqlite3 *db, PsJobExecution *execution) {
    PsErr err = ps_sql_run(
        db,
        "INSERT INTO service_job_execution (job, thing, number, status, details, queued, started,"
        "updated, version, forced, job_deadline, step_deadline) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "ttiijiiiiiii", execution->job, execution->thing, execution->number,
        (int64_t)execution->status, execution->details, execution->queued_ms, execution->started_ms,
        execution->updated_ms, execution->version, (int64_t)execution->forced,
        execution->job_deadline_ms, execution->step_deadline_ms);
    execution->row = sqlite3_last_insert_rowid(db);
    return err;
}

PsErr ps_job_execution_save(sqlite3 *db, const PsJobExecution *execution) {
    return ps_sql_run(db,
                      "UPDATE service_job_execution SET status = ?, details = ?, started = ?,"
                      "updated = ?, version = ?, forced = ?, job_deadline = ?, step_deadline = ? "
                      "WHERE row = ?",
                      "ijiiiiiii", (int64_t)execution->status, execution->details,
                      execution->started_ms, execution->updated_ms, execution->version,
                      (int64_t)execution->forced, execution->job_deadline_ms,
                      execution->step_deadline_ms, execution->row);
}

PsErr ps_job_execution_drop(sqlite3 *db, const PsJobExecution *execution) {
    return ps_sql_run(db, "DELETE FROM service_job_execution WHERE row = ?", "i", execution->row);
}

PsErr ps_job_execution_find(sqlite3 *db, const char *job, const char *thing, int64_t number,
                            PsJobExecution *ret_execution) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT " EXECUTION_COLUMNS " FROM service_job_execution "
                 "WHERE job = ?1 AND thing = ?2 AND (?3 = 0 OR number = ?3) "
                 "ORDER BY number DESC LIMIT 1",
                 "tti", job, thing, number);
    bool found = ps_sql_next(&sql);
    if (found) {
        take_execution(&sql, ret_execution);
    }
    PsErr err = ps_sql_end(&sql);
    return err == PS_OK && !found ? PS_ERR_NOT_FOUND : err;
}

PsErr ps_job_count(sqlite3 *db, const char *job, int64_t ret_counts[PS_JOB_STATUSES]) {
    PsSql sql;
    int64_t counts[PS_JOB_STATUSES] = {0};
    ps_sql_begin(&sql, db,
                 "SELECT status, count(*) FROM service_job_execution WHERE job = ? GROUP BY status",
                 "t", job);
    while (ps_sql_next(&sql)) {
        int64_t status = ps_sql_int(&sql, 0);
        if (status >= 0 && status < PS_JOB_STATUSES) {
            counts[status] = ps_sql_int(&sql, 1);
        }
    }
    PsErr err = ps_sql_end(&sql);
    if (err == PS_OK) {
        memcpy(ret_counts, counts, sizeof counts);
    }
    return err;
}
