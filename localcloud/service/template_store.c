// The table of provisioning templates.
#include "localcloud/service/provision.h"

#include "base/mem.h"
#include "localcloud/service/sql.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS "name, description, body, role, hook, enabled, created, modified"

void ps_template_row_deinit(PsTemplateRow *row) {
    free(row->description);
    free(row->body);
    free(row->role);
    json_decref(row->hook);
    *row = (PsTemplateRow){0};
}

PsErr ps_template_insert(sqlite3 *db, const PsTemplateRow *row) {
    PsTemplateRow other = {0};
    PsErr err = ps_template_find(db, row->name, &other);
    ps_template_row_deinit(&other);
    if (err != PS_ERR_NOT_FOUND) {
        return err == PS_OK ? PS_ERR_EXISTS : err;
    }
    return ps_sql_run(db, "INSERT INTO service_template VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                      "ttttjiii", row->name, row->description, row->body, row->role, row->hook,
                      (int64_t)row->enabled, row->created_ms, row->modified_ms);
}

PsErr ps_template_save(sqlite3 *db, const PsTemplateRow *row) {
    return ps_sql_run(db,
                      "UPDATE service_template SET description = ?, body = ?, role = ?, hook = ?,"
                      "enabled = ?, modified = ? WHERE name = ?",
                      "tttjiit", row->description, row->body, row->role, row->hook,
                      (int64_t)row->enabled, row->modified_ms, row->name);
}

static PsErr take(PsSql *sql, PsTemplateRow *row) {
    bool found = ps_sql_next(sql);
    if (found) {
        (void)snprintf(row->name, sizeof row->name, "%s", ps_sql_text(sql, 0));
        row->description = ps_sql_is_null(sql, 1) ? NULL : ps_strdup(ps_sql_text(sql, 1));
        row->body = ps_strdup(ps_sql_text(sql, 2));
        row->role = ps_strdup(ps_sql_text(sql, 3));
        row->hook = ps_sql_json(sql, 4);
        row->enabled = ps_sql_int(sql, 5) != 0;
        row->created_ms = ps_sql_int(sql, 6);
        row->modified_ms = ps_sql_int(sql, 7);
    }
    PsErr err = ps_sql_end(sql);
    return err == PS_OK && !found ? PS_ERR_NOT_FOUND : err;
}

PsErr ps_template_find(sqlite3 *db, const char *name, PsTemplateRow *ret_row) {
    PsSql sql;
    ps_sql_begin(&sql, db, "SELECT " COLUMNS " FROM service_template WHERE name = ?", "t", name);
    return take(&sql, ret_row);
}

PsErr ps_template_next(sqlite3 *db, const char *after, PsTemplateRow *ret_row) {
    PsSql sql;
    ps_sql_begin(&sql, db,
                 "SELECT " COLUMNS " FROM service_template WHERE name > ? ORDER BY name LIMIT 1",
                 "t", after != NULL ? after : "");
    return take(&sql, ret_row);
}

PsErr ps_template_drop(sqlite3 *db, const char *name) {
    return ps_sql_run(db, "DELETE FROM service_template WHERE name = ?", "t", name);
}
