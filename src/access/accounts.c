// Accounts and tokens: finding, adding, changing, removing, and what may not be. Pure.
#include "access/accounts.h"

#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_NS (INT64_C(86400) * PS_NS_PER_S)
#define DAYS_MAX 3650

PsAccount *ps_accounts_find(PsAccounts *accounts, const char *name) {
    for (size_t i = 0; i < accounts->count; i++) {
        if (strcasecmp(accounts->items[i].name, name) == 0) {
            return &accounts->items[i];
        }
    }
    return NULL;
}

bool ps_accounts_has_administrator(const PsAccounts *accounts, const char *besides) {
    for (size_t i = 0; i < accounts->count; i++) {
        const PsAccount *account = &accounts->items[i];
        if (account->role == PS_ROLE_ADMINISTRATOR && !account->disabled &&
            (besides == NULL || strcasecmp(account->name, besides) != 0)) {
            return true;
        }
    }
    return false;
}

static bool is_name(const char *name) {
    size_t len = strlen(name);
    return len >= 1 && len <= PS_ACCOUNT_NAME_MAX && isalnum((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-") ==
               len;
}

PsErr ps_accounts_check_name(const char *name, PsDiag *diag) {
    return is_name(name)
               ? PS_OK
               : ps_fail(PS_ERR_INVALID, diag, "user", "name",
                         "must be 1 to %d of the letters a to z, digits and . _ @ -, and begin "
                         "with a letter or digit",
                         PS_ACCOUNT_NAME_MAX);
}

// Names are cut in the text of an answer, never trusted to be short.
static PsErr fail_user(PsErr err, PsDiag *diag, const char *name, const char *field,
                       const char *text) {
    char object[PS_ACCOUNT_NAME_MAX + 16];
    snprintf(object, sizeof object, "user '%.*s'", PS_ACCOUNT_NAME_MAX, name);
    return ps_fail(err, diag, object, field, "%s", text);
}

static PsErr fail_unknown(PsDiag *diag, const char *name) {
    return fail_user(PS_ERR_NOT_FOUND, diag, name, NULL, "there is no such user");
}

static PsErr fail_last(PsDiag *diag, const char *name) {
    return fail_user(PS_ERR_REFUSED, diag, name, NULL,
                     "is the last administrator who can log in; make another one first");
}

PsErr ps_accounts_add(PsAccounts *accounts, const char *name, PsRole role, const char *hash,
                      PsWall now, PsDiag *diag) {
    PsErr err = ps_accounts_check_name(name, diag);
    if (err != PS_OK) {
        return err;
    }
    if (role == PS_ROLE_NONE) {
        return fail_user(PS_ERR_INVALID, diag, name, "role",
                         "must be viewer, operator, engineer or administrator");
    }
    if (ps_accounts_find(accounts, name) != NULL) {
        return fail_user(PS_ERR_EXISTS, diag, name, "name",
                         "there is a user of this name; change that one, or choose another name");
    }
    if (accounts->count == PS_ACCOUNTS_MAX) {
        return fail_user(PS_ERR_FULL, diag, name, NULL,
                         "there are as many users as there may be; remove one first");
    }
    PsAccount *account = &accounts->items[accounts->count++];
    *account = (PsAccount){.role = role, .created = now};
    snprintf(account->name, sizeof account->name, "%s", name);
    snprintf(account->password, sizeof account->password, "%s", hash);
    return PS_OK;
}

PsErr ps_accounts_change(PsAccounts *accounts, const char *name, PsRole role, const char *hash,
                         int disabled, PsDiag *diag) {
    PsAccount *account = ps_accounts_find(accounts, name);
    if (account == NULL) {
        return fail_unknown(diag, name);
    }
    PsRole new_role = role != PS_ROLE_NONE ? role : account->role;
    bool new_disabled = disabled >= 0 ? disabled != 0 : account->disabled;
    bool was = account->role == PS_ROLE_ADMINISTRATOR && !account->disabled;
    bool remains = new_role == PS_ROLE_ADMINISTRATOR && !new_disabled;
    if (was && !remains && !ps_accounts_has_administrator(accounts, name)) {
        return fail_last(diag, account->name);
    }
    account->role = new_role;
    account->disabled = new_disabled;
    if (hash != NULL) {
        snprintf(account->password, sizeof account->password, "%s", hash);
    }
    return PS_OK;
}

PsErr ps_accounts_remove(PsAccounts *accounts, const char *name, PsDiag *diag) {
    PsAccount *account = ps_accounts_find(accounts, name);
    if (account == NULL) {
        return fail_unknown(diag, name);
    }
    if (account->role == PS_ROLE_ADMINISTRATOR && !account->disabled &&
        !ps_accounts_has_administrator(accounts, name)) {
        return fail_last(diag, account->name);
    }
    size_t kept = 0;
    for (size_t i = 0; i < accounts->token_count; i++) {
        if (strcasecmp(accounts->tokens[i].owner, account->name) != 0) {
            accounts->tokens[kept++] = accounts->tokens[i];
        }
    }
    accounts->token_count = kept;
    size_t at = (size_t)(account - accounts->items);
    memmove(account, account + 1, (accounts->count - at - 1) * sizeof *account);
    accounts->count--;
    return PS_OK;
}

// ---- tokens

static PsErr fail_token(PsErr err, PsDiag *diag, const char *name, const char *field,
                        const char *text) {
    char object[PS_ACCOUNT_NAME_MAX + 16];
    snprintf(object, sizeof object, "token '%.*s'", PS_ACCOUNT_NAME_MAX, name);
    return ps_fail(err, diag, object, field, "%s", text);
}

// What can be said of a new token before others are looked at.
static PsErr check_token(const char *name, PsRole role, int days, PsWall now, PsDiag *diag) {
    if (!is_name(name)) {
        return fail_token(PS_ERR_INVALID, diag, name, "name",
                          "must be 1 to 64 of the letters a to z, digits and . _ @ -, and begin "
                          "with a letter or digit");
    }
    if (role == PS_ROLE_NONE) {
        return fail_token(PS_ERR_INVALID, diag, name, "role",
                          "must be viewer, operator, engineer or administrator");
    }
    if (days < 1 || days > DAYS_MAX) {
        return fail_token(PS_ERR_RANGE, diag, name, "days", "must be 1 to 3650");
    }
    if (!ps_clock_is_plausible(now)) {
        return fail_token(PS_ERR_REFUSED, diag, name, "days",
                          "cannot be counted: the gateway's clock is not set; set it first");
    }
    return PS_OK;
}

PsErr ps_accounts_add_token(PsAccounts *accounts, const char *owner, const char *name, PsRole role,
                            int days, const char *text, PsWall now, char *ret_id, PsDiag *diag) {
    PsErr err = check_token(name, role, days, now, diag);
    if (err != PS_OK) {
        return err;
    }
    const PsAccount *account = owner[0] != '\0' ? ps_accounts_find(accounts, owner) : NULL;
    if (owner[0] != '\0' && account == NULL) {
        return fail_unknown(diag, owner);
    }
    if (account != NULL && role > account->role) {
        return fail_token(PS_ERR_DENIED, diag, name, "role",
                          "must not be more than the role of whoever makes the token");
    }
    for (size_t i = 0; i < accounts->token_count; i++) {
        const PsApiToken *other = &accounts->tokens[i];
        if (strcasecmp(other->owner, owner) == 0 && strcasecmp(other->name, name) == 0) {
            return fail_token(PS_ERR_EXISTS, diag, name, "name",
                              "there is a token of this name; remove it, or choose another name");
        }
    }
    if (accounts->token_count == PS_API_TOKENS_MAX) {
        return fail_token(PS_ERR_FULL, diag, name, NULL,
                          "there are as many tokens as there may be; remove one first");
    }
    PsApiToken *token = &accounts->tokens[accounts->token_count++];
    *token = (PsApiToken){.role = role, .created = now, .expires = {now.ns + days * DAY_NS}};
    ps_secret_hash(text, token->hash);
    // Part of the hash names it: nothing else has to be kept unique, and it tells nothing.
    ps_secret_to_hex(token->hash, (PS_TOKEN_ID_SIZE - 1) / 2, token->id);
    snprintf(token->name, sizeof token->name, "%s", name);
    snprintf(token->owner, sizeof token->owner, "%s", account != NULL ? account->name : "");
    snprintf(ret_id, PS_TOKEN_ID_SIZE, "%s", token->id);
    return PS_OK;
}

PsErr ps_accounts_remove_token(PsAccounts *accounts, const char *owner, const char *id,
                               PsDiag *diag) {
    for (size_t i = 0; i < accounts->token_count; i++) {
        PsApiToken *token = &accounts->tokens[i];
        if (strcmp(token->id, id) == 0 && (owner == NULL || strcasecmp(token->owner, owner) == 0)) {
            memmove(token, token + 1, (accounts->token_count - i - 1) * sizeof *token);
            accounts->token_count--;
            return PS_OK;
        }
    }
    return fail_token(PS_ERR_NOT_FOUND, diag, id, "id", "there is no such token");
}

static bool holds(PsAccounts *accounts, const PsApiToken *token, PsWall now, PsRole *ret_role) {
    // A clock that was not set yet would bring ended tokens back.
    if (now.ns >= token->expires.ns || now.ns < token->created.ns - DAY_NS) {
        return false;
    }
    *ret_role = token->role;
    if (token->owner[0] != '\0') {
        const PsAccount *account = ps_accounts_find(accounts, token->owner);
        if (account == NULL || account->disabled) {
            return false;
        }
        *ret_role = token->role < account->role ? token->role : account->role;
    }
    return true;
}

PsApiToken *ps_accounts_token_of(PsAccounts *accounts, const uint8_t hash[PS_SECRET_HASH],
                                 PsWall now, PsRole *ret_role) {
    PsApiToken *found = NULL;
    for (size_t i = 0; i < accounts->token_count; i++) {
        if (ps_secret_equal(accounts->tokens[i].hash, hash, PS_SECRET_HASH)) {
            found = &accounts->tokens[i];
        }
    }
    return found != NULL && holds(accounts, found, now, ret_role) ? found : NULL;
}

uint64_t ps_token_number(const PsApiToken *token) {
    uint64_t number;
    memcpy(&number, token->hash + PS_SECRET_HASH - sizeof number, sizeof number);
    return number;
}

PsApiToken *ps_accounts_token_by_number(PsAccounts *accounts, uint64_t number, PsWall now,
                                        PsRole *ret_role) {
    for (size_t i = 0; i < accounts->token_count; i++) {
        PsApiToken *token = &accounts->tokens[i];
        if (ps_token_number(token) == number) {
            return holds(accounts, token, now, ret_role) ? token : NULL;
        }
    }
    return NULL;
}

void ps_accounts_take_times(PsAccounts *accounts, const PsAccounts *former) {
    for (size_t i = 0; i < former->count; i++) {
        PsAccount *account = ps_accounts_find(accounts, former->items[i].name);
        if (account != NULL && account->last_login.ns < former->items[i].last_login.ns) {
            account->last_login = former->items[i].last_login;
        }
    }
    for (size_t i = 0; i < former->token_count; i++) {
        for (size_t k = 0; k < accounts->token_count; k++) {
            PsApiToken *token = &accounts->tokens[k];
            if (strcmp(token->id, former->tokens[i].id) == 0 &&
                token->last_used.ns < former->tokens[i].last_used.ns) {
                token->last_used = former->tokens[i].last_used;
            }
        }
    }
}
