// Fuzz target: access.json. Whatever the bytes are, they are refused with words and nothing is
// taken, or what was read is written and read again as the same; then each account and token is
// found, and a token that was just made opens with no more than its account's role.
#include "access/accounts.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void look_at(PsAccounts *accounts) {
    for (size_t i = 0; i < accounts->count; i++) {
        check(ps_accounts_find(accounts, accounts->items[i].name) == &accounts->items[i]);
    }
    for (size_t i = 0; i < accounts->token_count; i++) {
        PsRole role = PS_ROLE_NONE;
        const PsApiToken *token = &accounts->tokens[i];
        const PsApiToken *found =
            ps_accounts_token_of(accounts, token->hash, token->created, &role);
        check(found == NULL || (role != PS_ROLE_NONE && role <= token->role));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsDiag diag = {0};
    PsAccounts *accounts = calloc(1, sizeof *accounts);
    PsAccounts *again = calloc(1, sizeof *again);
    PsErr err = ps_accounts_read(data, size, accounts, &diag);
    check((err == PS_OK) == (diag.text[0] == '\0'));
    if (err == PS_OK) {
        char *text = ps_accounts_write(accounts);
        check(ps_accounts_read(text, strlen(text), again, NULL) == PS_OK);
        char *second = ps_accounts_write(again);
        check(strcmp(text, second) == 0);
        free(second);
        free(text);
        look_at(accounts);
    } else {
        check(accounts->count == 0 && accounts->token_count == 0);
    }
    free(again);
    free(accounts);
    return 0;
}
