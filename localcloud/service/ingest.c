// Basic Ingest into files. The file is opened for each message: rules are few, and a file that a
// test took away is made again.
#include "localcloud/service/ingest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "localcloud/service/json_text.h"
#include "localcloud/service/names.h"
#include "localcloud/service/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BYTES ((size_t)8 * 1024 * 1024)
#define RULES_MAX 1000
#define PREFIX "$aws/rules/"
#define PREFIX_LEN (sizeof PREFIX - 1)

struct PsIngest {
    sqlite3 *db;
    char *folder;
    bool by_use;
    bool failing; // said once until it works again
    size_t bytes;
};

PsErr ps_ingest_new(sqlite3 *db, const char *folder, bool by_use, size_t bytes,
                    PsIngest **ret_ingest, PsDiag *diag) {
    PsErr err = ps_sql_make(db,
                            "CREATE TABLE IF NOT EXISTS service_rule ("
                            "name TEXT PRIMARY KEY, payload TEXT NOT NULL,"
                            "disabled INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID",
                            diag);
    if (err != PS_OK) {
        return err;
    }
    PsIngest *ingest = ps_alloc(sizeof *ingest);
    PS_AUTO_BUF PsBuf path = {0};
    ps_buf_printf(&path, "%s/rules", folder);
    *ingest = (PsIngest){.db = db, .folder = ps_strdup((const char *)path.data), .by_use = by_use};
    ps_ingest_set_bytes(ingest, bytes);
    *ret_ingest = ingest;
    return PS_OK;
}

void ps_ingest_free(PsIngest *ingest) {
    if (ingest != NULL) {
        free(ingest->folder);
        free(ingest);
    }
}

void ps_ingest_set_by_use(PsIngest *ingest, bool by_use) {
    ingest->by_use = by_use;
}

void ps_ingest_set_bytes(PsIngest *ingest, size_t bytes) {
    ingest->bytes = bytes > 0 ? bytes : BYTES;
}

sqlite3 *ps_ingest_db(PsIngest *ingest) {
    return ingest->db;
}

// ---- rules

void ps_rule_row_deinit(PsRuleRow *row) {
    free(row->payload);
    *row = (PsRuleRow){0};
}

static PsErr take(PsSql *sql, PsRuleRow *row) {
    bool found = ps_sql_next(sql);
    if (found) {
        (void)snprintf(row->name, sizeof row->name, "%s", ps_sql_text(sql, 0));
        row->payload = ps_strdup(ps_sql_text(sql, 1));
        row->disabled = ps_sql_int(sql, 2) != 0;
        row->created_ms = ps_sql_int(sql, 3);
    }
    PsErr err = ps_sql_end(sql);
    return err == PS_OK && !found ? PS_ERR_NOT_FOUND : err;
}

PsErr ps_rule_find(sqlite3 *db, const char *name, PsRuleRow *ret_row) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT name, payload, disabled, created FROM service_rule WHERE name = ?", "t",
                 name);
    return take(&sql, ret_row);
}

PsErr ps_rule_next(sqlite3 *db, const char *after, PsRuleRow *ret_row) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT name, payload, disabled, created FROM service_rule WHERE name > ? "
                 "ORDER BY name LIMIT 1",
                 "t", after != NULL ? after : "");
    return take(&sql, ret_row);
}

PsErr ps_rule_insert(sqlite3 *db, const PsRuleRow *row) {
    PsRuleRow other = {0};
    PsErr err = ps_rule_find(db, row->name, &other);
    ps_rule_row_deinit(&other);
    if (err != PS_ERR_NOT_FOUND) {
        return err == PS_OK ? PS_ERR_EXISTS : err;
    }
    PsSql sql;
    ps_sql_begin(&sql, db, "SELECT count(*) FROM service_rule", "");
    bool full = ps_sql_next(&sql) && ps_sql_int(&sql, 0) >= RULES_MAX;
    err = ps_sql_end(&sql);
    if (err != PS_OK || full) {
        return err != PS_OK ? err : PS_ERR_FULL;
    }
    return ps_sql_run(db, "INSERT INTO service_rule VALUES (?, ?, ?, ?)", "ttii", row->name,
                      row->payload, (int64_t)row->disabled, row->created_ms);
}

PsErr ps_rule_save(sqlite3 *db, const PsRuleRow *row) {
    return ps_sql_run(db, "UPDATE service_rule SET payload = ?, disabled = ? WHERE name = ?", "tit",
                      row->payload, (int64_t)row->disabled, row->name);
}

PsErr ps_rule_drop(sqlite3 *db, const char *name) {
    return ps_sql_run(db, "DELETE FROM service_rule WHERE name = ?", "t", name);
}

// ---- messages

static void put_payload(json_t *line, const PsServiceCall *call) {
    json_t *json = ps_json_parse(call->payload, call->len);
    if (json != NULL) {
        json_object_set_new(line, "payload", json);
        return;
    }
    if (ps_text_is_utf8(call->payload, call->len)) {
        json_object_set_new(line, "text", json_stringn(call->payload, call->len));
        return;
    }
    PS_AUTO_BUF PsBuf hex = {0};
    for (size_t i = 0; i < call->len; i++) {
        ps_buf_printf(&hex, "%02x", ((const uint8_t *)call->payload)[i]);
    }
    json_object_set_new(line, "hex", json_string((const char *)hex.data));
}

json_t *ps_ingest_line(const PsServiceCall *call, const char *rest) {
    json_t *line = json_object();
    json_object_set_new(line, "timestamp", json_integer(call->now.ns / PS_NS_PER_MS));
    json_object_set_new(line, "clientId", json_string(call->client_id));
    json_object_set_new(line, "topic", json_string(rest));
    json_object_set_new(line, "qos", json_integer(call->qos));
    put_payload(line, call);
    return line;
}

static PsErr append(PsIngest *ingest, const char *rule, PsBuf *line) {
    PsDiag diag = {0};
    PsErr err = ps_dir_make(ingest->folder, 0700, &diag);
    if (err != PS_OK) {
        return err;
    }
    PS_AUTO_BUF PsBuf path = {0};
    ps_buf_printf(&path, "%s/%s.jsonl", ingest->folder, rule);
    const char *name = (const char *)path.data;
    struct stat status;
    if (stat(name, &status) == 0 && (size_t)status.st_size + line->len > ingest->bytes) {
        PS_AUTO_BUF PsBuf former = {0};
        ps_buf_printf(&former, "%s.1", name);
        if (rename(name, (const char *)former.data) != 0) {
            return PS_ERR_IO;
        }
    }
    PS_AUTO_FD int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        return PS_ERR_IO;
    }
    return write(fd, line->data, line->len) == (ssize_t)line->len ? PS_OK : PS_ERR_IO;
}

// Is there such a rule at work? One is made when use makes rules.
static bool is_at_work(PsIngest *ingest, const PsServiceCall *call, const char *rule) {
    PsRuleRow row = {0};
    PsErr err = ps_rule_find(ingest->db, rule, &row);
    bool at_work = err == PS_OK && !row.disabled;
    ps_rule_row_deinit(&row);
    if (err == PS_ERR_NOT_FOUND && ingest->by_use) {
        row.payload = ps_strdup("{\"sql\":\"SELECT *\",\"actions\":[]}");
        row.created_ms = call->now.ns / PS_NS_PER_MS;
        (void)snprintf(row.name, sizeof row.name, "%s", rule);
        at_work = ps_rule_insert(ingest->db, &row) == PS_OK;
        ps_rule_row_deinit(&row);
    }
    return at_work;
}

void ps_ingest_take(PsIngest *ingest, const PsServiceCall *call) {
    char rule[PS_RULE_NAME_MAX + 1] = "";
    const char *name = call->topic + PREFIX_LEN;
    size_t len = strcspn(name, "/");
    if (len <= PS_RULE_NAME_MAX) {
        memcpy(rule, name, len);
    }
    if (!ps_name_is_rule(rule) || !is_at_work(ingest, call, rule)) {
        PS_LOGW("RULE-NOT-FOUND", "client '%s' sent to the rule '%.*s', which does not exist",
                call->client_id, (int)len, name);
        return;
    }
    PS_AUTO_JSON json_t *json = ps_ingest_line(call, name[len] == '/' ? name + len + 1 : "");
    PS_AUTO_BUF PsBuf line = {0};
    ps_json_text(json, &line);
    ps_buf_put_u8(&line, '\n');
    PsErr err = append(ingest, rule, &line);
    if (err != PS_OK && !ingest->failing) {
        PS_LOGE("RULE-FILE", "rule '%s' cannot write into %s: %s", rule, ingest->folder,
                strerror(errno));
    } else if (err == PS_OK && ingest->failing) {
        PS_LOGI("RULE-FILE", "rules write again");
    }
    ingest->failing = err != PS_OK;
}
