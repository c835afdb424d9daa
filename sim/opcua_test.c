// The simulated OPC UA server as open62541's client sees it: values, writes, faults, restart.
#include "sim/opcua.h"
#include "sim/opcua_identity.h"
#include "sim/opcua_nodes.h"

#include "base/time.h"

#include <open62541/client.h>
#include <open62541/client_config_default.h>
#include <open62541/client_highlevel.h>
#include <open62541/plugin/log.h>
#include <open62541/plugin/pki_default.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Fixture {
    pthread_mutex_t lock;
    PsPlant *plant;
    PsSimSide *side;
    UA_Client *client;
    char url[64];
} Fixture;

static Fixture fixture;

static PsSimAddress after(PsSimAddress first, size_t i) {
    first.offset = (uint16_t)(first.offset + i);
    return first;
}

static void items(void *plant, PsSimAddress first, size_t count, uint16_t *ret_values) {
    pthread_mutex_lock(&fixture.lock);
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = ps_plant_item(plant, after(first, i));
    }
    pthread_mutex_unlock(&fixture.lock);
}

static void write_items(void *plant, PsSimAddress first, size_t count, const uint16_t *values) {
    pthread_mutex_lock(&fixture.lock);
    for (size_t i = 0; i < count; i++) {
        ps_plant_force(plant, after(first, i), values[i]);
    }
    pthread_mutex_unlock(&fixture.lock);
}

static void log_nothing(void *context, UA_LogLevel level, UA_LogCategory category, const char *text,
                        va_list args) {
    (void)context, (void)level, (void)category, (void)text, (void)args;
}

static UA_Logger silent = {.log = log_nothing};

static UA_Client *new_client(void) {
    UA_ClientConfig config = {0};
    config.logging = &silent;
    UA_ClientConfig_setDefault(&config);
    config.timeout = 20000;
    return UA_Client_newWithConfig(&config);
}

// One that can encrypt; its certificate is made as the server's.
static UA_Client *new_secure_client(const char *policy, UA_MessageSecurityMode mode) {
    PsBuf certificate = {0};
    PsBuf key = {0};
    assert_int_equal(ps_sim_opcua_identity(NULL, "127.0.0.1", &certificate, &key, NULL), PS_OK);
    UA_ByteString certificate_der = {certificate.len, certificate.data};
    UA_ByteString key_der = {key.len, key.data};
    UA_ClientConfig config = {0};
    config.logging = &silent;
    UA_StatusCode status =
        UA_ClientConfig_setDefaultEncryption(&config, certificate_der, key_der, NULL, 0, NULL, 0);
    assert_int_equal(status, UA_STATUSCODE_GOOD);
    UA_CertificateVerification_AcceptAll(&config.certificateVerification);
    UA_String_clear(&config.clientDescription.applicationUri);
    config.clientDescription.applicationUri = UA_STRING_ALLOC(PS_SIM_OPCUA_APPLICATION_URI);
    config.securityMode = mode;
    config.securityPolicyUri = UA_STRING_ALLOC(policy);
    config.timeout = 20000;
    ps_buf_deinit(&certificate);
    ps_buf_deinit(&key);
    return UA_Client_newWithConfig(&config);
}

static int set_up(void **state) {
    (void)state;
    pthread_mutex_init(&fixture.lock, NULL);
    fixture.plant = ps_plant_new(0);
    PsSimSideSetup setup = {
        .address = "127.0.0.1", .items = items, .write_items = write_items, .plant = fixture.plant};
    PsDiag diag = {0};
    PsErr err = ps_sim_opcua_kind.start(&setup, &fixture.side, &diag);
    if (err != PS_OK) {
        fprintf(stderr, "%s\n", diag.text);
        return -1;
    }
    snprintf(fixture.url, sizeof fixture.url, "opc.tcp://127.0.0.1:%u",
             ps_sim_opcua_kind.bound_port(fixture.side));
    fixture.client = new_client();
    return UA_Client_connect(fixture.client, fixture.url) == UA_STATUSCODE_GOOD ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    UA_Client_delete(fixture.client);
    ps_sim_opcua_kind.stop(fixture.side);
    ps_plant_free(fixture.plant);
    pthread_mutex_destroy(&fixture.lock);
    return 0;
}

static UA_NodeId node(const char *id) {
    UA_UInt16 space = 0;
    UA_String uri = UA_STRING((char *)(uintptr_t)PS_SIM_OPCUA_URI);
    assert_int_equal(UA_Client_NamespaceGetIndex(fixture.client, &uri, &space), UA_STATUSCODE_GOOD);
    return UA_NODEID_STRING(space, (char *)(uintptr_t)id);
}

static UA_StatusCode read_node(const char *id, UA_Variant *out) {
    UA_Variant_init(out);
    return UA_Client_readValueAttribute(fixture.client, node(id), out);
}

static void turn(const char *line) {
    PsDiag diag = {0};
    PsErr err = ps_sim_opcua_kind.fault(fixture.side, line, &diag);
    if (err != PS_OK) {
        fail_msg("%s: %s", line, diag.text);
    }
}

static void reconnect(void) {
    UA_Client_disconnect(fixture.client);
    assert_int_equal(UA_Client_connect(fixture.client, fixture.url), UA_STATUSCODE_GOOD);
}

static void shows_the_plant(void **state) {
    (void)state;
    UA_Variant value;
    assert_int_equal(read_node("Plant.Setpoint", &value), UA_STATUSCODE_GOOD);
    assert_ptr_equal(value.type, &UA_TYPES[UA_TYPES_INT16]);
    assert_int_equal(*(UA_Int16 *)value.data, 22);
    UA_Variant_clear(&value);
    assert_int_equal(read_node("Plant.Temperature", &value), UA_STATUSCODE_GOOD);
    assert_true(*(UA_Double *)value.data > 15 && *(UA_Double *)value.data < 30);
    UA_Variant_clear(&value);
    assert_int_equal(read_node("Plant.Recipe", &value), UA_STATUSCODE_GOOD);
    assert_int_equal(((UA_String *)value.data)->length, strlen("RECIPE-1"));
    assert_memory_equal(((UA_String *)value.data)->data, "RECIPE-1", strlen("RECIPE-1"));
    UA_Variant_clear(&value);
}

static void takes_writes(void **state) {
    (void)state;
    UA_Variant value;
    UA_Float rpm = 90.5F;
    UA_Variant_setScalar(&value, &rpm, &UA_TYPES[UA_TYPES_FLOAT]);
    assert_int_equal(
        UA_Client_writeValueAttribute(fixture.client, node("Plant.StirrerSetpoint"), &value),
        UA_STATUSCODE_GOOD);
    assert_int_equal(read_node("Plant.StirrerSetpoint", &value), UA_STATUSCODE_GOOD);
    assert_true(*(UA_Float *)value.data == rpm);
    UA_Variant_clear(&value);
    UA_Double wrong = 1;
    UA_Variant_setScalar(&value, &wrong, &UA_TYPES[UA_TYPES_DOUBLE]);
    assert_int_equal(
        UA_Client_writeValueAttribute(fixture.client, node("Plant.StirrerSetpoint"), &value),
        UA_STATUSCODE_BADTYPEMISMATCH);
    UA_Variant_setScalar(&value, &wrong, &UA_TYPES[UA_TYPES_DOUBLE]);
    assert_int_equal(
        UA_Client_writeValueAttribute(fixture.client, node("Plant.Temperature"), &value),
        UA_STATUSCODE_BADNOTWRITABLE);
}

static void arrays_by_element(void **state) {
    (void)state;
    UA_Int32 seven = 7;
    UA_WriteValue write;
    UA_WriteValue_init(&write);
    write.nodeId = node("Memory.Numbers");
    write.attributeId = UA_ATTRIBUTEID_VALUE;
    write.indexRange = UA_STRING((char *)(uintptr_t)"3");
    write.value.hasValue = true;
    UA_Variant_setArray(&write.value.value, &seven, 1, &UA_TYPES[UA_TYPES_INT32]);
    UA_WriteRequest request;
    UA_WriteRequest_init(&request);
    request.nodesToWrite = &write;
    request.nodesToWriteSize = 1;
    UA_WriteResponse answer = UA_Client_Service_write(fixture.client, request);
    assert_int_equal(answer.resultsSize, 1);
    assert_int_equal(answer.results[0], UA_STATUSCODE_GOOD);
    UA_WriteResponse_clear(&answer);
    UA_Variant value;
    assert_int_equal(read_node("Memory.Numbers", &value), UA_STATUSCODE_GOOD);
    assert_int_equal(value.arrayLength, 10);
    assert_int_equal(((UA_Int32 *)value.data)[3], 7);
    assert_int_equal(((UA_Int32 *)value.data)[2], 0);
    UA_Variant_clear(&value);
}

static void faults_of_nodes(void **state) {
    (void)state;
    UA_Variant value;
    turn("missing Plant.Level");
    turn("deny Plant.Speed");
    turn("bad Types.Int32 BadSensorFailure");
    assert_int_equal(read_node("Plant.Level", &value), UA_STATUSCODE_BADNODEIDUNKNOWN);
    assert_int_equal(read_node("Plant.Speed", &value), UA_STATUSCODE_BADUSERACCESSDENIED);
    assert_int_equal(read_node("Types.Int32", &value), UA_STATUSCODE_BADSENSORFAILURE);
    UA_Variant_clear(&value);
    turn("ok");
    static const char *const nodes[] = {"Plant.Level", "Plant.Speed", "Types.Int32"};
    for (size_t i = 0; i < PS_COUNT(nodes); i++) {
        assert_int_equal(read_node(nodes[i], &value), UA_STATUSCODE_GOOD);
        UA_Variant_clear(&value);
    }
    PsDiag diag = {0};
    assert_int_equal(ps_sim_opcua_kind.fault(fixture.side, "deny Nobody", &diag), PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "'Nobody' is no node"));
    assert_int_equal(ps_sim_opcua_kind.fault(fixture.side, "silence", &diag), PS_ERR_NOT_FOUND);
}

static void restart_moves_the_namespace(void **state) {
    (void)state;
    UA_UInt16 before = node("Plant.Level").namespaceIndex;
    turn("restart");
    reconnect();
    assert_int_equal(node("Plant.Level").namespaceIndex, before + 1);
    UA_Variant value;
    assert_int_equal(read_node("Plant.Level", &value), UA_STATUSCODE_GOOD);
    UA_Variant_clear(&value);
    turn("restart");
    reconnect();
    assert_int_equal(node("Plant.Level").namespaceIndex, before);
}

static void faults_outlive_a_restart(void **state) {
    (void)state;
    turn("missing Plant.Level");
    turn("bad Types.Int32 BadSensorFailure");
    turn("deny Plant.Speed");
    turn("restart");
    reconnect();
    UA_Variant value;
    assert_int_equal(read_node("Plant.Level", &value), UA_STATUSCODE_BADNODEIDUNKNOWN);
    assert_int_equal(read_node("Types.Int32", &value), UA_STATUSCODE_BADSENSORFAILURE);
    UA_Variant_clear(&value);
    turn("restart");
    turn("ok");
    reconnect();
    assert_int_equal(read_node("Plant.Level", &value), UA_STATUSCODE_GOOD);
    UA_Variant_clear(&value);
}

static UA_StatusCode read_two(void) {
    UA_ReadValueId ids[2];
    for (size_t i = 0; i < 2; i++) {
        UA_ReadValueId_init(&ids[i]);
        ids[i].nodeId = node(i == 0 ? "Plant.Level" : "Plant.Speed");
        ids[i].attributeId = UA_ATTRIBUTEID_VALUE;
    }
    UA_ReadRequest request;
    UA_ReadRequest_init(&request);
    request.nodesToRead = ids;
    request.nodesToReadSize = 2;
    UA_ReadResponse answer = UA_Client_Service_read(fixture.client, request);
    UA_StatusCode status = answer.responseHeader.serviceResult;
    UA_ReadResponse_clear(&answer);
    return status;
}

static UA_UInt32 told_max(void) {
    UA_Variant value;
    UA_Variant_init(&value);
    assert_int_equal(UA_Client_readValueAttribute(
                         fixture.client,
                         UA_NODEID_NUMERIC(
                             0, UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERREAD),
                         &value),
                     UA_STATUSCODE_GOOD);
    UA_UInt32 most = *(UA_UInt32 *)value.data;
    UA_Variant_clear(&value);
    return most;
}

static void max_nodes_told_and_untold(void **state) {
    (void)state;
    assert_int_equal(read_two(), UA_STATUSCODE_GOOD);
    turn("max-nodes 1");
    reconnect();
    assert_int_equal(told_max(), 1);
    assert_int_equal(read_two(), UA_STATUSCODE_BADTOOMANYOPERATIONS);
    turn("max-nodes 1 untold");
    reconnect();
    assert_int_equal(told_max(), 0);
    assert_int_equal(read_two(), UA_STATUSCODE_BADTOOMANYOPERATIONS);
    turn("ok");
    reconnect();
    assert_int_equal(read_two(), UA_STATUSCODE_GOOD);
}

static void sessions_are_dropped(void **state) {
    (void)state;
    turn("drop-session");
    UA_Variant value;
    UA_Variant_init(&value);
    UA_StatusCode status = UA_Client_readValueAttribute(
        fixture.client, UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERSTATUS_STATE), &value);
    UA_Variant_clear(&value);
    assert_int_not_equal(status, UA_STATUSCODE_GOOD);
    reconnect();
    assert_int_equal(told_max(), 0);
}

#define POLICY "http://opcfoundation.org/UA/SecurityPolicy#"

static void every_policy_and_mode(void **state) {
    (void)state;
    static const char *const policies[] = {POLICY "Basic256Sha256", POLICY "Aes128_Sha256_RsaOaep"};
    for (size_t i = 0; i < PS_COUNT(policies); i++) {
        for (int mode = UA_MESSAGESECURITYMODE_SIGN; mode <= UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
             mode++) {
            UA_Client *client = new_secure_client(policies[i], (UA_MessageSecurityMode)mode);
            assert_int_equal(UA_Client_connect(client, fixture.url), UA_STATUSCODE_GOOD);
            UA_Variant value;
            UA_Variant_init(&value);
            assert_int_equal(UA_Client_readValueAttribute(client, node("Plant.Setpoint"), &value),
                             UA_STATUSCODE_GOOD);
            UA_Variant_clear(&value);
            UA_Client_delete(client);
        }
    }
}

static void users(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *password;
        UA_StatusCode connected;
        UA_StatusCode written;
    } cases[] = {
        {"operator", "wrong", UA_STATUSCODE_BADUSERACCESSDENIED, 0},
        {"nobody", "penstock", UA_STATUSCODE_BADUSERACCESSDENIED, 0},
        {"operator", "penstock", UA_STATUSCODE_GOOD, UA_STATUSCODE_GOOD},
        {"viewer", "penstock", UA_STATUSCODE_GOOD, UA_STATUSCODE_BADUSERACCESSDENIED},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        UA_Client *client = new_secure_client(POLICY "Basic256Sha256", UA_MESSAGESECURITYMODE_SIGN);
        UA_StatusCode status =
            UA_Client_connectUsername(client, fixture.url, cases[i].name, cases[i].password);
        assert_int_equal(status, cases[i].connected);
        if (status == UA_STATUSCODE_GOOD) {
            UA_Int16 number = 23;
            UA_Variant value;
            UA_Variant_setScalar(&value, &number, &UA_TYPES[UA_TYPES_INT16]);
            assert_int_equal(UA_Client_writeValueAttribute(client, node("Plant.Setpoint"), &value),
                             cases[i].written);
        }
        UA_Client_delete(client);
    }
}

static void frames(void **state) {
    (void)state;
    const PsSimFraming *framing = ps_sim_opcua_kind.framing;
    uint8_t hello[32] = "HELF\x20";
    assert_int_equal(framing->length(hello, 7), 0);
    assert_int_equal(framing->length(hello, 8), 32);
    memset(hello + 4, 0, 4);
    assert_true(framing->length(hello, 8) > framing->most);
    memset(hello + 4, 0xFF, 4);
    assert_true(framing->length(hello, 8) > framing->most);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_plant),
        cmocka_unit_test(takes_writes),
        cmocka_unit_test(arrays_by_element),
        cmocka_unit_test(faults_of_nodes),
        cmocka_unit_test(restart_moves_the_namespace),
        cmocka_unit_test(faults_outlive_a_restart),
        cmocka_unit_test(max_nodes_told_and_untold),
        cmocka_unit_test(sessions_are_dropped),
        cmocka_unit_test(every_policy_and_mode),
        cmocka_unit_test(users),
        cmocka_unit_test(frames),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
