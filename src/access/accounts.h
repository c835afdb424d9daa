//! The accounts and API tokens as they are kept: a value that is changed as a copy and then takes
//! the place of the former one. Pure: times come in, no disk, no hashing of passwords.
#pragma once

#include "access/access.h"
#include "access/secret.h"

#define PS_PASSWORD_HASH_SIZE 128 ///< "$y$..." with its NUL; yescrypt's are 74 bytes long
#define PS_TOKEN_ID_SIZE 17       ///< 16 hexadecimal digits

typedef struct PsAccount {
    char name[PS_ACCOUNT_NAME_MAX + 1];
    PsRole role;
    char password[PS_PASSWORD_HASH_SIZE];
    PsWall created;
    PsWall last_login; ///< 0: never
    bool disabled;
} PsAccount;

typedef struct PsApiToken {
    char id[PS_TOKEN_ID_SIZE];
    char name[PS_ACCOUNT_NAME_MAX + 1];
    char owner[PS_ACCOUNT_NAME_MAX + 1]; ///< account, or "" (command line)
    PsRole role;
    uint8_t hash[PS_SECRET_HASH];
    PsWall created;
    PsWall expires;
    PsWall last_used; ///< 0: never
} PsApiToken;

typedef struct PsAccounts {
    PsAccount items[PS_ACCOUNTS_MAX];
    size_t count;
    PsApiToken tokens[PS_API_TOKENS_MAX];
    size_t token_count;
} PsAccounts;

/// Names are told apart whatever the case of their letters. NULL when there is none.
PsAccount *ps_accounts_find(PsAccounts *accounts, const char *name);
/// Is there an administrator who is not disabled, besides `besides` (may be NULL)?
bool ps_accounts_has_administrator(const PsAccounts *accounts, const char *besides);

/// 1 to 64 of letters, digits and . _ @ -, beginning with a letter or digit.
PsErr ps_accounts_check_name(const char *name, PsDiag *diag);

PsErr ps_accounts_add(PsAccounts *accounts, const char *name, PsRole role, const char *hash,
                      PsWall now, PsDiag *diag);
/// `hash` NULL, `role` PS_ROLE_NONE, `disabled` -1: as it is. PS_ERR_REFUSED: the last one.
PsErr ps_accounts_change(PsAccounts *accounts, const char *name, PsRole role, const char *hash,
                         int disabled, PsDiag *diag);
PsErr ps_accounts_remove(PsAccounts *accounts, const char *name, PsDiag *diag);

/// `text` is the whole token; only its hash is kept. `ret_id` has PS_TOKEN_ID_SIZE bytes.
PsErr ps_accounts_add_token(PsAccounts *accounts, const char *owner, const char *name, PsRole role,
                            int days, const char *text, PsWall now, char *ret_id, PsDiag *diag);
PsErr ps_accounts_remove_token(PsAccounts *accounts, const char *owner, const char *id,
                               PsDiag *diag);
/// The token that holds now, with the role it has now; NULL when there is none, it has ended, its
/// account is gone or disabled, or the clock is before the day it was made. Looks at all of them,
/// whatever is found.
PsApiToken *ps_accounts_token_of(PsAccounts *accounts, const uint8_t hash[PS_SECRET_HASH],
                                 PsWall now, PsRole *ret_role);
/// The same of one that was found before, by its number (ps_token_number).
PsApiToken *ps_accounts_token_by_number(PsAccounts *accounts, uint64_t number, PsWall now,
                                        PsRole *ret_role);
uint64_t ps_token_number(const PsApiToken *token);

/// Times of log-ins and uses that the former ones know and these do not yet.
void ps_accounts_take_times(PsAccounts *accounts, const PsAccounts *former);

// ---- as text (accounts_json.c)

#define PS_ACCOUNTS_TEXT_MAX ((size_t)512 * 1024)

/// Freed with free(); it holds hashes of passwords.
char *ps_accounts_write(const PsAccounts *accounts);
/// All or nothing; whatever is unknown, missing or there twice is PS_ERR_CORRUPT with its place.
PsErr ps_accounts_read(const void *bytes, size_t len, PsAccounts *ret_accounts, PsDiag *diag);
/// For people: no hashes. New references.
json_t *ps_account_show(const PsAccount *account);
json_t *ps_token_show(const PsApiToken *token);
