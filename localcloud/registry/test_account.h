//! An account in a temporary folder, for the tests of this folder.
#pragma once

#include "localcloud/registry/account.h"

#define PS_TEST_ALLOW_ALL                                                                          \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\","       \
    "\"Resource\":\"*\"}]}"

typedef struct PsTestAccount {
    char dir[64];
    PsRegistry *registry;
} PsTestAccount;

void ps_test_account_open(PsTestAccount *account);
/// Closes and opens it again.
void ps_test_account_again(PsTestAccount *account);
void ps_test_account_remove(PsTestAccount *account);

/// Runs the statement as one call: begin, `call`, end; the code is its value. `fault` must exist.
#define PS_TEST_CALL(account, fault, call)                                                         \
    (ps_registry_begin((account)->registry), ps_registry_end((account)->registry, (call), (fault)))

/// A registered ACTIVE certificate by its own issuer; its id into `ret_id`, its ARN into `ret_arn`.
/// The caller frees the certificate.
X509 *ps_test_certificate(PsTestAccount *account, const char *name, char *ret_id, char *ret_arn);
