// Tables out to JSON and in again. Main thread, local database.
#include "localcloud/registry/state_table.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

const char *ps_state_text(json_t *row, const char *member) {
    const char *text = json_string_value(json_object_get(row, member));
    return text != NULL ? text : "";
}

// "a, b, c", with `each` behind every column when it is not NULL: "?, ?, ?".
static void put_columns(PsBuf *sql, const PsStateTable *table, const char *instead) {
    for (size_t i = 0; i < PS_STATE_COLUMNS && table->columns[i].member != NULL; i++) {
        ps_buf_printf(sql, "%s%s", i > 0 ? ", " : "",
                      instead != NULL ? instead : table->columns[i].column);
    }
}

// ---- out

static json_t *value_of(const PsDbRows *row, int column, const PsStateColumn *shape) {
    if (ps_db_is_null(row, column)) {
        return json_null();
    }
    switch (shape->type) {
    case PS_STATE_WORD:
        return json_string(shape->words[ps_db_int(row, column)]);
    case PS_STATE_NUMBER:
    case PS_STATE_NUMBER_OR_NULL:
        return json_integer(ps_db_int(row, column));
    case PS_STATE_JSON:
    case PS_STATE_JSON_OR_NULL:
        return json_loads(ps_db_text(row, column), JSON_DECODE_ANY, NULL);
    default:
        return json_string(ps_db_text(row, column));
    }
}

json_t *ps_state_table_take(PsRegistry *registry, const PsStateTable *table) {
    PS_AUTO_BUF PsBuf sql = {0};
    ps_buf_printf(&sql, "SELECT ");
    put_columns(&sql, table, NULL);
    ps_buf_printf(&sql, " FROM %s ORDER BY %s", table->table, table->order);
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(&registry->db, (const char *)sql.data, "");
    json_t *list = json_array();
    while (ps_db_next(&rows)) {
        json_t *item = json_object();
        for (int i = 0; i < PS_STATE_COLUMNS && table->columns[i].member != NULL; i++) {
            json_object_set_new(item, table->columns[i].member,
                                value_of(&rows, i, &table->columns[i]));
        }
        json_array_append_new(list, item);
    }
    return list;
}

// ---- in

void ps_state_table_clear(PsRegistry *registry, const PsStateTable *table) {
    PS_AUTO_BUF PsBuf sql = {0};
    ps_buf_printf(&sql, "DELETE FROM %s", table->table);
    ps_db_run(&registry->db, (const char *)sql.data, "");
}

// The place of a word, -1: none of them.
static int word_at(const char *const *words, json_t *value) {
    for (int i = 0; json_is_string(value) && words[i] != NULL; i++) {
        if (strcmp(words[i], json_string_value(value)) == 0) {
            return i;
        }
    }
    return -1;
}

static bool type_fits(const PsStateColumn *shape, json_t *value) {
    switch (shape->type) {
    case PS_STATE_WORD:
        return word_at(shape->words, value) >= 0;
    case PS_STATE_TEXT:
        return json_is_string(value);
    case PS_STATE_TEXT_OR_NULL:
        return value == NULL || json_is_null(value) || json_is_string(value);
    case PS_STATE_NUMBER:
        return json_is_integer(value);
    case PS_STATE_NUMBER_OR_NULL:
        return value == NULL || json_is_null(value) || json_is_integer(value);
    case PS_STATE_JSON:
        return json_is_object(value) || json_is_array(value);
    default:
        return value == NULL || json_is_null(value) || json_is_object(value);
    }
}

static PsApiCode check_row(PsRegistry *registry, const PsStateTable *table, json_t *row,
                           PsApiFault *fault) {
    for (size_t i = 0; i < PS_STATE_COLUMNS && table->columns[i].member != NULL; i++) {
        const PsStateColumn *column = &table->columns[i];
        json_t *value = json_object_get(row, column->member);
        if (!type_fits(column, value)) {
            return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' is missing or of another kind",
                               column->member);
        }
        if (column->check != PS_STATE_NO_CHECK && json_is_string(value)) {
            PsApiCode code =
                ps_name_check(column->check, column->member, json_string_value(value), fault);
            if (code != PS_API_OK) {
                return code;
            }
        }
    }
    return table->check != NULL ? table->check(registry, row, fault) : PS_API_OK;
}

static void bind_value(sqlite3_stmt *statement, int index, const PsStateColumn *shape,
                       json_t *value) {
    if (shape->type == PS_STATE_WORD) {
        sqlite3_bind_int(statement, index, word_at(shape->words, value));
    } else if (json_is_integer(value)) {
        sqlite3_bind_int64(statement, index, json_integer_value(value));
    } else if (json_is_string(value)) {
        sqlite3_bind_text(statement, index, json_string_value(value), -1, SQLITE_TRANSIENT);
    } else if (json_is_object(value) || json_is_array(value)) {
        sqlite3_bind_text(statement, index, json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS), -1,
                          free);
    }
}

static PsApiCode put_row(PsRegistry *registry, const PsStateTable *table, const char *sql,
                         json_t *row, PsApiFault *fault) {
    PsApiCode code = check_row(registry, table, row, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows insert = ps_db_rows_unbound(&registry->db, sql);
    for (int i = 0;
         insert.statement != NULL && i < PS_STATE_COLUMNS && table->columns[i].member != NULL;
         i++) {
        bind_value(insert.statement, i + 1, &table->columns[i],
                   json_object_get(row, table->columns[i].member));
    }
    while (ps_db_next(&insert)) {
    }
    if (registry->db.failed && registry->db.constraint) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "is there twice, or names something that is not (%s)",
                           registry->db.why.text);
    }
    return code;
}

PsApiCode ps_state_table_put(PsRegistry *registry, const PsStateTable *table, const json_t *list,
                             PsApiFault *fault) {
    if (!json_is_array(list)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' must be a list", table->member);
    }
    PS_AUTO_BUF PsBuf sql = {0};
    ps_buf_printf(&sql, "INSERT INTO %s (", table->table);
    put_columns(&sql, table, NULL);
    ps_buf_printf(&sql, ") VALUES (");
    put_columns(&sql, table, "?");
    ps_buf_printf(&sql, ")");
    for (size_t i = 0; i < json_array_size(list); i++) {
        PsApiFault inner = {0};
        PsApiCode code =
            put_row(registry, table, (const char *)sql.data, json_array_get(list, i), &inner);
        if (code != PS_API_OK) {
            return ps_api_fail(code, fault, "%s[%zu]: %s", table->member, i, inner.message);
        }
    }
    return PS_API_OK;
}
