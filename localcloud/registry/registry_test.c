// Things, groups, certificates and attachments, as the front and the API see them.
#include "localcloud/pki.h"
#include "localcloud/policy/policy.h"
#include "localcloud/registry/authorities.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/groups.h"
#include "localcloud/registry/policies.h"
#include "localcloud/registry/principals.h"
#include "localcloud/registry/test_account.h"
#include "localcloud/registry/things.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Case {
    PsTestAccount account;
    PsRegistry *registry;
    PsApiFault fault;
    json_t *answer;
} Case;

static int setup(void **state) {
    Case *c = calloc(1, sizeof *c);
    ps_test_account_open(&c->account);
    c->registry = c->account.registry;
    *state = c;
    return 0;
}

static int teardown(void **state) {
    Case *c = *state;
    json_decref(c->answer);
    ps_test_account_remove(&c->account);
    free(c);
    return 0;
}

#define CALL(call) PS_TEST_CALL(&c->account, &c->fault, call)
#define OK(call) assert_int_equal(CALL(call), PS_API_OK)

static json_t **fresh(Case *c) {
    json_decref(c->answer);
    c->answer = NULL;
    return &c->answer;
}

static PsApiCode make_thing(Case *c, const char *name) {
    PsThingSpec spec = {.name = name, .expected_version = PS_ANY_VERSION};
    return ps_thing_create(c->registry, &spec, fresh(c), &c->fault);
}

static PsApiCode make_group(Case *c, const char *name, const char *parent) {
    PsGroupSpec spec = {.name = name, .parent = parent, .expected_version = PS_ANY_VERSION};
    return ps_group_create(c->registry, &spec, fresh(c), &c->fault);
}

static void test_the_file_is_private(void **state) {
    Case *c = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", c->account.dir, PS_REGISTRY_FILE);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void test_a_file_of_another_version_is_refused(void **state) {
    Case *c = *state;
    assert_int_equal(
        sqlite3_exec(ps_registry_db(c->registry), "PRAGMA user_version = 99", NULL, NULL, NULL), 0);
    PsRegistry *other = NULL;
    PsDiag diag = {0};
    assert_int_equal(ps_registry_open(c->account.dir, &other, &diag), PS_ERR_CORRUPT);
    assert_non_null(strstr(diag.text, "another version"));
}

static void test_settings_stay(void **state) {
    Case *c = *state;
    PsDiag diag = {0};
    assert_string_equal(ps_registry_region(c->registry), PS_DEFAULT_REGION);
    assert_string_equal(ps_registry_endpoint(c->registry), "localhost");
    assert_int_equal(ps_registry_set_region(c->registry, "us-east-1", &diag), PS_OK);
    assert_int_equal(ps_registry_set_endpoint(c->registry, "iot.example", &diag), PS_OK);
    assert_int_equal(ps_registry_set_endpoint(c->registry, "a b", &diag), PS_ERR_INVALID);
    ps_test_account_again(&c->account);
    c->registry = c->account.registry;
    assert_string_equal(ps_registry_region(c->registry), "us-east-1");
    assert_string_equal(ps_registry_endpoint(c->registry), "iot.example");
}

static void test_a_thing_is_made_once(void **state) {
    Case *c = *state;
    json_t *attributes = json_pack("{s:s, s:s}", "site", "plant7", "empty", "");
    PsThingSpec spec = {.name = "gw", .attributes = attributes, .expected_version = PS_ANY_VERSION};
    OK(ps_thing_create(c->registry, &spec, fresh(c), &c->fault));
    char id[64];
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(c->answer, "thingId")));
    OK(ps_thing_create(c->registry, &spec, fresh(c), &c->fault));
    assert_string_equal(json_string_value(json_object_get(c->answer, "thingId")), id);
    json_object_set_new(attributes, "site", json_string("plant8"));
    assert_int_equal(CALL(ps_thing_create(c->registry, &spec, fresh(c), &c->fault)),
                     PS_API_ALREADY_EXISTS);
    assert_string_equal(c->fault.resource_id, id);
    assert_string_equal(c->fault.resource_arn, "arn:aws:iot:eu-central-1:000000000000:thing/gw");
    json_decref(attributes);
}

static void test_an_update_merges_or_replaces(void **state) {
    Case *c = *state;
    json_t *first = json_pack("{s:s, s:s}", "a", "1", "b", "2");
    PsThingSpec spec = {.name = "gw", .attributes = first, .expected_version = PS_ANY_VERSION};
    OK(ps_thing_create(c->registry, &spec, fresh(c), &c->fault));
    json_t *second = json_pack("{s:s, s:s}", "a", "", "c", "3");
    spec.attributes = second;
    spec.merge = true;
    spec.expected_version = 1;
    OK(ps_thing_update(c->registry, &spec, &c->fault));
    assert_int_equal(CALL(ps_thing_update(c->registry, &spec, &c->fault)), PS_API_VERSION_CONFLICT);
    OK(ps_thing_describe(c->registry, "gw", fresh(c), &c->fault));
    json_t *got = json_object_get(c->answer, "attributes");
    assert_int_equal(json_object_size(got), 2);
    assert_string_equal(json_string_value(json_object_get(got, "b")), "2");
    assert_string_equal(json_string_value(json_object_get(got, "c")), "3");
    assert_int_equal(json_integer_value(json_object_get(c->answer, "version")), 2);
    spec.merge = false;
    spec.expected_version = PS_ANY_VERSION;
    OK(ps_thing_update(c->registry, &spec, &c->fault));
    OK(ps_thing_describe(c->registry, "gw", fresh(c), &c->fault));
    assert_int_equal(json_object_size(json_object_get(c->answer, "attributes")), 1);
    json_decref(first);
    json_decref(second);
}

static void test_a_type_allows_more_attributes(void **state) {
    Case *c = *state;
    json_t *four = json_pack("{s:s, s:s, s:s, s:s}", "a", "1", "b", "2", "c", "3", "d", "4");
    PsThingSpec spec = {.name = "gw", .attributes = four, .expected_version = PS_ANY_VERSION};
    assert_int_equal(CALL(ps_thing_create(c->registry, &spec, fresh(c), &c->fault)),
                     PS_API_INVALID_REQUEST);
    spec.type = "gateway";
    assert_int_equal(CALL(ps_thing_create(c->registry, &spec, fresh(c), &c->fault)),
                     PS_API_NOT_FOUND);
    OK(ps_type_create(c->registry, "gateway", NULL, fresh(c), &c->fault));
    OK(ps_thing_create(c->registry, &spec, fresh(c), &c->fault));
    PsThingSpec bare = {.name = "gw", .remove_type = true, .expected_version = PS_ANY_VERSION};
    assert_int_equal(CALL(ps_thing_update(c->registry, &bare, &c->fault)), PS_API_INVALID_REQUEST);
    OK(ps_type_deprecate(c->registry, "gateway", false, &c->fault));
    spec.name = "other";
    assert_int_equal(CALL(ps_thing_create(c->registry, &spec, fresh(c), &c->fault)),
                     PS_API_INVALID_REQUEST);
    assert_int_equal(CALL(ps_type_delete(c->registry, "gateway", &c->fault)),
                     PS_API_INVALID_REQUEST);
    ps_registry_begin(c->registry);
    ps_registry_set(c->registry, "type-wait-s", "0");
    assert_int_equal(ps_registry_end(c->registry, PS_API_OK, &c->fault), PS_API_OK);
    assert_int_equal(CALL(ps_type_delete(c->registry, "gateway", &c->fault)),
                     PS_API_INVALID_REQUEST); // the thing still has it
    OK(ps_thing_delete(c->registry, "gw", PS_ANY_VERSION, &c->fault));
    OK(ps_type_delete(c->registry, "gateway", &c->fault));
    json_decref(four);
}

static void test_lists_come_in_pages(void **state) {
    Case *c = *state;
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        OK(make_thing(c, name));
    }
    PsThingFilter all = {0};
    PsPage page = {.limit = 2};
    PS_AUTO_BUF PsBuf seen = {0};
    for (int pages = 0; pages < 4; pages++) {
        PsListed listed = ps_thing_list(c->registry, &all, &page);
        for (size_t i = 0; i < json_array_size(listed.items); i++) {
            json_t *name = json_object_get(json_array_get(listed.items, i), "thingName");
            ps_buf_printf(&seen, "%s", json_string_value(name));
        }
        json_decref(listed.items);
        page.after = listed.next;
        if (listed.next == 0) {
            break;
        }
    }
    assert_string_equal((const char *)seen.data, "t0t1t2t3t4");
    page = (PsPage){.limit = 3, .descending = true};
    PsListed listed = ps_thing_list(c->registry, &all, &page);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(listed.items, 0), "thingName")), "t4");
    page.after = listed.next;
    json_decref(listed.items);
    listed = ps_thing_list(c->registry, &all, &page);
    assert_int_equal(json_array_size(listed.items), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(listed.items, 0), "thingName")), "t1");
    assert_int_equal(listed.next, 0);
    json_decref(listed.items);
}

static void test_the_thing_of_a_connection(void **state) {
    Case *c = *state;
    char id[PS_CERTIFICATE_ID_SIZE];
    char arn[PS_ARN_SIZE];
    X509 *x509 = ps_test_certificate(&c->account, "dev", id, arn);
    json_t *attributes = json_pack("{s:s}", "site", "plant7");
    PsThingSpec spec = {.name = "gw", .attributes = attributes, .expected_version = PS_ANY_VERSION};
    OK(ps_thing_create(c->registry, &spec, fresh(c), &c->fault));
    OK(make_thing(c, "other"));
    PsRegistryThing thing = {0};
    assert_int_equal(ps_registry_thing_for(c->registry, id, "gw", &thing), PS_OK);
    assert_false(thing.known);
    OK(ps_principal_attach(c->registry, "gw", arn, false, &c->fault));
    assert_int_equal(ps_registry_thing_for(c->registry, id, "gw", &thing), PS_OK);
    assert_true(thing.known && thing.attached && !thing.exclusive);
    assert_string_equal(thing.name, "gw");
    assert_int_equal(thing.attribute_count, 1);
    assert_string_equal(thing.attributes[0].value, "plant7");
    ps_registry_thing_deinit(&thing);
    assert_int_equal(ps_registry_thing_for(c->registry, id, "else", &thing), PS_OK);
    assert_false(thing.known); // not its name, and not exclusive
    OK(ps_principal_attach(c->registry, "gw", arn, true, &c->fault));
    assert_int_equal(ps_registry_thing_for(c->registry, id, "else", &thing), PS_OK);
    assert_true(thing.known && thing.exclusive);
    ps_registry_thing_deinit(&thing);
    assert_int_equal(CALL(ps_principal_attach(c->registry, "other", arn, false, &c->fault)),
                     PS_API_INVALID_REQUEST);
    OK(ps_principal_detach(c->registry, "gw", arn, &c->fault));
    OK(ps_principal_attach(c->registry, "other", arn, false, &c->fault));
    assert_int_equal(CALL(ps_principal_attach(c->registry, "gw", arn, true, &c->fault)),
                     PS_API_INVALID_REQUEST);
    assert_int_equal(CALL(ps_thing_delete(c->registry, "other", PS_ANY_VERSION, &c->fault)),
                     PS_API_INVALID_REQUEST);
    X509_free(x509);
    json_decref(attributes);
}

static size_t policies_for(Case *c, const char *id, const char *thing) {
    PS_AUTO_POLICY_SET PsPolicySet set = {0};
    assert_int_equal(ps_registry_policies(c->registry, id, thing, &set), PS_OK);
    return set.count;
}

static void test_policies_of_groups_and_their_ancestors_hold(void **state) {
    Case *c = *state;
    char id[PS_CERTIFICATE_ID_SIZE];
    char arn[PS_ARN_SIZE];
    X509 *x509 = ps_test_certificate(&c->account, "dev", id, arn);
    char group_arn[PS_ARN_SIZE];
    ps_arn_put(group_arn, PS_DEFAULT_REGION, PS_ARN_GROUP, "world");
    OK(make_thing(c, "gw"));
    OK(make_group(c, "world", NULL));
    OK(make_group(c, "plant", "world"));
    OK(make_group(c, "hall", "plant"));
    OK(ps_policy_create(c->registry, "p", PS_TEST_ALLOW_ALL, fresh(c), &c->fault));
    OK(ps_policy_create(c->registry, "q", PS_TEST_ALLOW_ALL, fresh(c), &c->fault));
    assert_int_equal(policies_for(c, id, "gw"), 0);
    OK(ps_policy_attach(c->registry, "p", arn, &c->fault));
    assert_int_equal(policies_for(c, id, "gw"), 1);
    OK(ps_policy_attach(c->registry, "q", group_arn, &c->fault));
    OK(ps_policy_attach(c->registry, "p", group_arn, &c->fault));
    assert_int_equal(policies_for(c, id, "gw"), 1);
    OK(ps_group_add(c->registry, "hall", "gw", &c->fault));
    assert_int_equal(policies_for(c, id, "gw"), 2);
    assert_int_equal(policies_for(c, id, NULL), 1);
    OK(ps_group_remove(c->registry, "hall", "gw", &c->fault));
    assert_int_equal(policies_for(c, id, "gw"), 1);
    assert_int_equal(CALL(ps_group_delete(c->registry, "plant", PS_ANY_VERSION, &c->fault)),
                     PS_API_INVALID_REQUEST);
    X509_free(x509);
}

typedef struct Heard {
    int all;
    int one;
    char id[PS_CERTIFICATE_ID_SIZE];
} Heard;

static void hear(void *ctx, const char *certificate_id) {
    Heard *heard = ctx;
    if (certificate_id == NULL) {
        heard->all++;
    } else {
        heard->one++;
        snprintf(heard->id, sizeof heard->id, "%s", certificate_id);
    }
}

static void test_watchers_hear_what_was_stored(void **state) {
    Case *c = *state;
    char id[PS_CERTIFICATE_ID_SIZE];
    char arn[PS_ARN_SIZE];
    Heard heard = {0};
    X509 *x509 = ps_test_certificate(&c->account, "dev", id, arn);
    ps_registry_watch(c->registry, hear, &heard);
    OK(ps_certificate_update(c->registry, id, "INACTIVE", &c->fault));
    assert_int_equal(heard.one, 1);
    assert_string_equal(heard.id, id);
    OK(ps_policy_create(c->registry, "p", PS_TEST_ALLOW_ALL, fresh(c), &c->fault));
    assert_int_equal(heard.one + heard.all, 1); // attached to nobody
    OK(ps_policy_version_create(c->registry, "p", PS_TEST_ALLOW_ALL, true, fresh(c), &c->fault));
    assert_int_equal(heard.all, 1);
    ps_registry_begin(c->registry); // changed, then refused: nobody hears
    assert_int_equal(ps_certificate_update(c->registry, id, "ACTIVE", &c->fault), PS_API_OK);
    assert_int_equal(ps_registry_end(c->registry, PS_API_NOT_FOUND, &c->fault), PS_API_NOT_FOUND);
    assert_int_equal(heard.one, 1);
    PsRegistryCertificate certificate;
    assert_int_equal(ps_registry_find_certificate(c->registry, id, &certificate), PS_OK);
    assert_int_equal(certificate.status, PS_CERTIFICATE_INACTIVE);
    ps_registry_unwatch(c->registry, hear, &heard);
    OK(ps_certificate_update(c->registry, id, "ACTIVE", &c->fault));
    assert_int_equal(heard.one, 1);
    X509_free(x509);
}

static PsPkiPair make_pair(PsPkiRole role, const char *name, const PsPkiPair *issuer) {
    PsPkiPair pair = {0};
    PsWall now = ps_wall_now();
    PsPkiOrder order = {.role = role,
                        .key_type = PS_KEY_ECC,
                        .common_name = name,
                        .not_before = now,
                        .not_after = {now.ns + 3600 * PS_NS_PER_S}};
    PsDiag diag = {0};
    assert_int_equal(ps_pki_make(&order, issuer, &pair, &diag), PS_OK);
    return pair;
}

static void test_a_registered_ca_lets_its_devices_in(void **state) {
    Case *c = *state;
    PS_AUTO_PKI_PAIR PsPkiPair ca = make_pair(PS_PKI_ROOT, "Plant CA", NULL);
    PS_AUTO_PKI_PAIR PsPkiPair other = make_pair(PS_PKI_ROOT, "Plant CA", NULL); // same subject
    PS_AUTO_PKI_PAIR PsPkiPair device = make_pair(PS_PKI_DEVICE, "dev", &ca);
    PS_AUTO_BUF PsBuf pem = {0};
    assert_int_equal(ps_pki_put_certificate(ca.certificate, &pem), PS_OK);
    char found[PS_CERTIFICATE_ID_SIZE];
    PsDiag diag = {0};
    assert_int_equal(ps_registry_find_signer(c->registry, device.certificate, found),
                     PS_ERR_NOT_FOUND);
    PsAuthoritySpec spec = {.pem = (const char *)pem.data, .mode = "SNI_ONLY", .active = true};
    OK(ps_authority_register(c->registry, &spec, fresh(c), &c->fault));
    char ca_id[PS_CERTIFICATE_ID_SIZE];
    ps_pki_certificate_id(ca.certificate, ca_id);
    assert_int_equal(ps_registry_find_signer(c->registry, device.certificate, found),
                     PS_ERR_NOT_FOUND); // not by itself
    PsAuthorityChange change = {.automatic = "ENABLE"};
    OK(ps_authority_update(c->registry, ca_id, &change, &c->fault));
    assert_int_equal(ps_registry_find_signer(c->registry, device.certificate, found), PS_OK);
    assert_string_equal(found, ca_id);
    PS_AUTO_PKI_PAIR PsPkiPair strange = make_pair(PS_PKI_DEVICE, "dev", &other);
    assert_int_equal(ps_registry_find_signer(c->registry, strange.certificate, found),
                     PS_ERR_NOT_FOUND); // the name is right, the signature is not
    assert_int_equal(ps_registry_register_pending(c->registry, device.certificate, ca_id, &diag),
                     PS_OK);
    assert_int_equal(ps_registry_register_pending(c->registry, device.certificate, ca_id, &diag),
                     PS_ERR_EXISTS);
    char id[PS_CERTIFICATE_ID_SIZE];
    ps_pki_certificate_id(device.certificate, id);
    PsRegistryCertificate certificate;
    assert_int_equal(ps_registry_find_certificate(c->registry, id, &certificate), PS_OK);
    assert_int_equal(certificate.status, PS_CERTIFICATE_PENDING_ACTIVATION);
    assert_string_equal(certificate.ca_id, ca_id);
    char *stored = NULL;
    assert_int_equal(ps_registry_certificate_pem(c->registry, id, &stored), PS_OK);
    assert_non_null(strstr(stored, "BEGIN CERTIFICATE"));
    free(stored);
    assert_int_equal(CALL(ps_authority_delete(c->registry, ca_id, &c->fault)),
                     PS_API_CERTIFICATE_STATE);
}

static void test_keys_are_given_away_once(void **state) {
    Case *c = *state;
    OK(ps_certificate_create(c->registry, NULL, PS_CERTIFICATE_ACTIVE, fresh(c), &c->fault));
    json_t *pair = json_object_get(c->answer, "keyPair");
    const char *key = json_string_value(json_object_get(pair, "PrivateKey"));
    assert_non_null(key);
    assert_ptr_equal(strstr(key, "-----BEGIN RSA PRIVATE KEY-----"), key);
    char id[PS_CERTIFICATE_ID_SIZE];
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(c->answer, "certificateId")));
    const char *pem = json_string_value(json_object_get(c->answer, "certificatePem"));
    X509 *x509 = ps_pki_certificate_read(pem, strlen(pem));
    assert_non_null(x509);
    assert_int_equal(ps_pki_not_after(x509).ns / PS_NS_PER_S, 2524607999); // 2049-12-31T23:59:59Z
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(x509)), 2048);
    X509_free(x509);
    // Nothing in the file looks like a key.
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&c->registry->db, "SELECT * FROM certificates WHERE id = ?", "t", id);
    assert_true(ps_db_next(&rows));
    for (int i = 0; i < sqlite3_column_count(rows.statement); i++) {
        assert_null(strstr(ps_db_text(&rows, i), "PRIVATE"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_file_is_private, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_of_another_version_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_thing_is_made_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_update_merges_or_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_type_allows_more_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists_come_in_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_thing_of_a_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies_of_groups_and_their_ancestors_hold, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_watchers_hear_what_was_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_registered_ca_lets_its_devices_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_are_given_away_once, setup, teardown),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
