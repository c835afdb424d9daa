// Accounts and tokens as JSON: the file, read strictly, and what people are shown. Pure.
#include "access/accounts.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VERSION 1
#define HASH_BEGIN "$y$" // yescrypt; nothing weaker is taken from the file

static json_t *seconds(PsWall time) {
    return json_real(ps_wall_seconds(time));
}

static json_t *seconds_or_never(PsWall time) {
    return time.ns != 0 ? seconds(time) : json_null();
}

json_t *ps_account_show(const PsAccount *account) {
    return json_pack("{s:s, s:s, s:o, s:o, s:b}", "name", account->name, "role",
                     ps_role_name(account->role), "created", seconds(account->created),
                     "last_login", seconds_or_never(account->last_login), "disabled",
                     account->disabled);
}

json_t *ps_token_show(const PsApiToken *token) {
    return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:o, s:o}", "id", token->id, "name", token->name,
                     "owner", token->owner[0] != '\0' ? token->owner : NULL, "role",
                     ps_role_name(token->role), "created", seconds(token->created), "expires",
                     seconds(token->expires), "last_used", seconds_or_never(token->last_used));
}

char *ps_accounts_write(const PsAccounts *accounts) {
    json_t *items = json_array();
    json_t *tokens = json_array();
    for (size_t i = 0; i < accounts->count; i++) {
        json_t *row = ps_account_show(&accounts->items[i]);
        json_object_set_new(row, "password", json_string(accounts->items[i].password));
        json_array_append_new(items, row);
    }
    for (size_t i = 0; i < accounts->token_count; i++) {
        char hex[2 * PS_SECRET_HASH + 1];
        json_t *row = ps_token_show(&accounts->tokens[i]);
        ps_secret_to_hex(accounts->tokens[i].hash, PS_SECRET_HASH, hex);
        json_object_set_new(row, "sha256", json_string(hex));
        json_array_append_new(tokens, row);
    }
    json_t *root =
        json_pack("{s:i, s:o, s:o}", "version", VERSION, "accounts", items, "tokens", tokens);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(root);
    PS_ASSERT(text != NULL); // all of it was checked when it came in
    return text;
}

// ---- reading

// What is being read, for the place of a mistake.
typedef struct Row {
    json_t *json;
    char object[32]; // "accounts[3]"
    size_t known;    // keys that were asked for and are there
    PsDiag *diag;
} Row;

static PsErr fail(const Row *row, const char *field, const char *text) {
    return ps_fail(PS_ERR_CORRUPT, row->diag, row->object, field, "%s", text);
}

static const json_t *get(Row *row, const char *key) {
    const json_t *value = json_object_get(row->json, key);
    row->known += value != NULL;
    return value;
}

static PsErr read_text(Row *row, const char *key, char *out, size_t size) {
    const json_t *value = get(row, key);
    size_t len = json_string_length(value);
    if (!json_is_string(value) || len >= size || strlen(json_string_value(value)) != len) {
        return fail(row, key, "must be a text that is not too long");
    }
    memcpy(out, json_string_value(value), len + 1);
    return PS_OK;
}

static PsErr read_name(Row *row, const char *key, char *out) {
    PsErr err = read_text(row, key, out, PS_ACCOUNT_NAME_MAX + 1);
    return err != PS_OK                                 ? err
           : ps_accounts_check_name(out, NULL) != PS_OK ? fail(row, key, "is not a name")
                                                        : PS_OK;
}

static PsErr read_role(Row *row, PsRole *ret_role) {
    char name[32];
    PsErr err = read_text(row, "role", name, sizeof name);
    if (err != PS_OK) {
        return err;
    }
    PsRole role = ps_role_of(name);
    if (role == PS_ROLE_NONE) {
        return fail(row, "role", "must be viewer, operator, engineer or administrator");
    }
    *ret_role = role;
    return PS_OK;
}

static PsErr read_time(Row *row, const char *key, bool needed, PsWall *ret_time) {
    const json_t *value = get(row, key);
    double number = json_number_value(value);
    bool is_time = json_is_number(value) && number >= 0 && number < 9.0e9; // int64 holds 9.2e9 s
    if (!is_time && (needed || !json_is_null(value))) {
        return fail(row, key, "must be a time in seconds since 1970");
    }
    *ret_time = (PsWall){is_time ? ps_seconds_to_ns(number) : 0};
    return PS_OK;
}

static PsErr end_row(const Row *row) {
    return row->known == json_object_size(row->json) ? PS_OK
                                                     : fail(row, NULL, "has a key that is unknown");
}

static PsErr read_account(Row *row, PsAccounts *accounts) {
    PsAccount account = {0};
    PsErr err = read_name(row, "name", account.name);
    err = err != PS_OK ? err : read_role(row, &account.role);
    err =
        err != PS_OK ? err : read_text(row, "password", account.password, sizeof account.password);
    err = err != PS_OK ? err : read_time(row, "created", true, &account.created);
    err = err != PS_OK ? err : read_time(row, "last_login", false, &account.last_login);
    if (err != PS_OK) {
        return err;
    }
    const json_t *disabled = get(row, "disabled");
    if (!json_is_boolean(disabled)) {
        return fail(row, "disabled", "must be true or false");
    }
    if (strncmp(account.password, HASH_BEGIN, strlen(HASH_BEGIN)) != 0) {
        return fail(row, "password", "must be a yescrypt hash ($y$...)");
    }
    if (ps_accounts_find(accounts, account.name) != NULL) {
        return fail(row, "name", "is there twice");
    }
    account.disabled = json_is_true(disabled);
    accounts->items[accounts->count++] = account;
    return end_row(row);
}

static PsErr read_owner(Row *row, PsAccounts *accounts, PsApiToken *token) {
    const json_t *owner = json_object_get(row->json, "owner");
    if (json_is_null(owner)) {
        row->known++;
        return PS_OK;
    }
    PsErr err = read_name(row, "owner", token->owner);
    return err != PS_OK                                       ? err
           : ps_accounts_find(accounts, token->owner) == NULL ? fail(row, "owner", "is no account")
                                                              : PS_OK;
}

static PsErr read_hash(Row *row, PsApiToken *token) {
    char hex[2 * PS_SECRET_HASH + 1];
    char id[PS_TOKEN_ID_SIZE];
    PsErr err = read_text(row, "sha256", hex, sizeof hex);
    err = err != PS_OK ? err : read_text(row, "id", id, sizeof id);
    if (err != PS_OK) {
        return err;
    }
    if (!ps_secret_from_hex(hex, token->hash, PS_SECRET_HASH)) {
        return fail(row, "sha256", "must be 64 hexadecimal digits");
    }
    ps_secret_to_hex(token->hash, (PS_TOKEN_ID_SIZE - 1) / 2, token->id);
    return strcmp(id, token->id) == 0 ? PS_OK : fail(row, "id", "does not fit sha256");
}

static PsErr read_token(Row *row, PsAccounts *accounts) {
    PsApiToken token = {0};
    PsErr err = read_hash(row, &token);
    err = err != PS_OK ? err : read_name(row, "name", token.name);
    err = err != PS_OK ? err : read_owner(row, accounts, &token);
    err = err != PS_OK ? err : read_role(row, &token.role);
    err = err != PS_OK ? err : read_time(row, "created", true, &token.created);
    err = err != PS_OK ? err : read_time(row, "expires", true, &token.expires);
    err = err != PS_OK ? err : read_time(row, "last_used", false, &token.last_used);
    if (err != PS_OK) {
        return err;
    }
    for (size_t i = 0; i < accounts->token_count; i++) {
        if (strcmp(accounts->tokens[i].id, token.id) == 0) {
            return fail(row, "id", "is there twice");
        }
    }
    accounts->tokens[accounts->token_count++] = token;
    return end_row(row);
}

static PsErr read_rows(const json_t *root, const char *key, size_t most, PsAccounts *accounts,
                       PsErr (*read)(Row *row, PsAccounts *accounts), PsDiag *diag) {
    const json_t *rows = json_object_get(root, key);
    if (!json_is_array(rows) || json_array_size(rows) > most) {
        return ps_fail(PS_ERR_CORRUPT, diag, key, NULL, "must be a list of at most %zu", most);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        Row row = {.json = json_array_get(rows, i), .diag = diag};
        snprintf(row.object, sizeof row.object, "%s[%zu]", key, i);
        PsErr err =
            json_is_object(row.json) ? read(&row, accounts) : fail(&row, NULL, "must be {}");
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

PsErr ps_accounts_read(const void *bytes, size_t len, PsAccounts *ret_accounts, PsDiag *diag) {
    json_error_t error;
    json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        char line[32];
        snprintf(line, sizeof line, "line %d", error.line);
        return ps_fail(PS_ERR_CORRUPT, diag, NULL, line, "is not JSON: %s", error.text);
    }
    PsAccounts *accounts = calloc(1, sizeof *accounts);
    PsErr err = accounts == NULL ? PS_ERR_NO_MEMORY : PS_OK;
    if (err == PS_OK && (json_integer_value(json_object_get(root, "version")) != VERSION ||
                         json_object_size(root) != 3)) {
        err = ps_fail(PS_ERR_CORRUPT, diag, NULL, "version",
                      "must be %d, beside \"accounts\" and \"tokens\" only", VERSION);
    }
    if (err == PS_OK) {
        err = read_rows(root, "accounts", PS_ACCOUNTS_MAX, accounts, read_account, diag);
    }
    if (err == PS_OK) {
        err = read_rows(root, "tokens", PS_API_TOKENS_MAX, accounts, read_token, diag);
    }
    if (err == PS_OK) {
        *ret_accounts = *accounts;
    }
    free(accounts);
    json_decref(root);
    return err;
}
