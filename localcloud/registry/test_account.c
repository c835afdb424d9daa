// An account in a temporary folder. Tests only.
#include "localcloud/registry/test_account.h"

#include "localcloud/pki.h"
#include "localcloud/registry/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ps_test_account_open(PsTestAccount *account) {
    snprintf(account->dir, sizeof account->dir, "/tmp/penstock-registry-XXXXXX");
    assert_non_null(mkdtemp(account->dir));
    ps_test_account_again(account);
}

void ps_test_account_again(PsTestAccount *account) {
    PsDiag diag = {0};
    ps_registry_close(account->registry);
    account->registry = NULL;
    PsErr err = ps_registry_open(account->dir, &account->registry, &diag);
    assert_string_equal(diag.text, "");
    assert_int_equal(err, PS_OK);
}

void ps_test_account_remove(PsTestAccount *account) {
    ps_registry_close(account->registry);
    account->registry = NULL;
    static const char *const names[] = {"cloud.db",
                                        "cloud.db-wal",
                                        "cloud.db-shm",
                                        "device-ca.pem",
                                        "private/device-ca.key",
                                        "private",
                                        ""};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", account->dir, names[i]);
        if (unlink(path) != 0) {
            rmdir(path);
        }
    }
}

X509 *ps_test_certificate(PsTestAccount *account, const char *name, char *ret_id, char *ret_arn) {
    PS_AUTO_PKI_PAIR PsPkiPair pair = {0};
    PsWall now = ps_wall_now();
    PsPkiOrder order = {.role = PS_PKI_ROOT,
                        .key_type = PS_KEY_ECC,
                        .common_name = name,
                        .not_before = now,
                        .not_after = {now.ns + 3600 * PS_NS_PER_S}};
    PsDiag diag = {0};
    assert_int_equal(ps_pki_make(&order, NULL, &pair, &diag), PS_OK);
    PsApiFault fault = {0};
    assert_int_equal(
        PS_TEST_CALL(account, &fault,
                     ps_certificate_put(account->registry, pair.certificate, PS_CERTIFICATE_ACTIVE,
                                        NULL, "SNI_ONLY", ret_id, &fault)),
        PS_API_OK);
    ps_arn_put(ret_arn, ps_registry_region(account->registry), PS_ARN_CERTIFICATE, ret_id);
    X509_up_ref(pair.certificate);
    return pair.certificate;
}
