// The test server: a small plant in a namespace of its own. One thread runs it; the functions here
// are called from the test's.
#include "drivers/opcua/test_server.h"

#include "base/buf.h"
#include "base/mem.h"
#include "drivers/opcua/identity.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/pki_default.h>
#include <open62541/server_config_default.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NODES 600

// The library's own drops a const.
#define TEXT(chars) {sizeof(chars) - 1, (UA_Byte *)(uintptr_t)(chars)}

struct PsOpcuaTestServer {
    UA_Server *server;
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock; // held by whoever makes the server stand still
    bool held;
    int port;
    UA_UInt16 space;
    UA_Logger logger;
};

static void no_log(void *context, UA_LogLevel level, UA_LogCategory category, const char *text,
                   va_list args) {
}

static int free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    PS_ASSERT(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    PS_ASSERT(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

static UA_NodeId named(const PsOpcuaTestServer *server, const char *name) {
    return UA_NODEID_STRING(server->space, (char *)(uintptr_t)name);
}

static void add(PsOpcuaTestServer *server, UA_NodeId id, const char *name, UA_Variant value,
                UA_Byte access) {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.displayName.text = UA_STRING((char *)(uintptr_t)name);
    attributes.value = value;
    attributes.dataType = value.type->typeId;
    attributes.accessLevel = access;
    attributes.valueRank = value.arrayLength > 0 ? UA_VALUERANK_ONE_DIMENSION : UA_VALUERANK_SCALAR;
    UA_UInt32 dimension = (UA_UInt32)value.arrayLength;
    if (dimension > 0) {
        attributes.arrayDimensions = &dimension;
        attributes.arrayDimensionsSize = 1;
    }
    UA_StatusCode status = UA_Server_addVariableNode(
        server->server, id, UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
        UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES),
        UA_QUALIFIEDNAME(server->space, (char *)(uintptr_t)name),
        UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, NULL, NULL);
    PS_ASSERT(status == UA_STATUSCODE_GOOD);
}

static UA_Variant scalar(void *data, size_t type) {
    UA_Variant value;
    UA_Variant_setScalar(&value, data, &UA_TYPES[type]);
    return value;
}

#define READ UA_ACCESSLEVELMASK_READ
#define BOTH (UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_WRITE)

static void add_types(PsOpcuaTestServer *server) {
    static const struct {
        const char *name;
        size_t type;
    } rows[] = {
        {"Types.Boolean", UA_TYPES_BOOLEAN},
        {"Types.SByte", UA_TYPES_SBYTE},
        {"Types.Byte", UA_TYPES_BYTE},
        {"Types.Int16", UA_TYPES_INT16},
        {"Types.UInt16", UA_TYPES_UINT16},
        {"Types.Int32", UA_TYPES_INT32},
        {"Types.UInt32", UA_TYPES_UINT32},
        {"Types.Int64", UA_TYPES_INT64},
        {"Types.UInt64", UA_TYPES_UINT64},
        {"Types.Float", UA_TYPES_FLOAT},
        {"Types.Double", UA_TYPES_DOUBLE},
        {"Types.String", UA_TYPES_STRING},
        {"Types.DateTime", UA_TYPES_DATETIME},
        {"Types.Guid", UA_TYPES_GUID},
        {"Types.ByteString", UA_TYPES_BYTESTRING},
        {"Types.LocalizedText", UA_TYPES_LOCALIZEDTEXT},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        uint64_t zero[8] = {0};
        add(server, named(server, rows[i].name), rows[i].name, scalar(zero, rows[i].type), BOTH);
    }
}

static UA_StatusCode read_failed(UA_Server *server, const UA_NodeId *session, void *session_context,
                                 const UA_NodeId *id, void *context, UA_Boolean source_time,
                                 const UA_NumericRange *range, UA_DataValue *value) {
    UA_Double number = 3;
    value->status = *(const UA_StatusCode *)context;
    value->hasStatus = true;
    (void)UA_Variant_setScalarCopy(&value->value, &number, &UA_TYPES[UA_TYPES_DOUBLE]);
    value->hasValue = true;
    return UA_STATUSCODE_GOOD;
}

static void add_source(PsOpcuaTestServer *server, const char *name, const UA_StatusCode *status) {
    UA_Double number = 3;
    add(server, named(server, name), name, scalar(&number, UA_TYPES_DOUBLE), READ);
    PS_ASSERT(UA_Server_setNodeContext(server->server, named(server, name),
                                       (void *)(uintptr_t)status) == UA_STATUSCODE_GOOD);
    UA_DataSource source = {.read = read_failed};
    PS_ASSERT(UA_Server_setVariableNode_dataSource(server->server, named(server, name), source) ==
              UA_STATUSCODE_GOOD);
}

static void add_nodes(PsOpcuaTestServer *server) {
    static const UA_StatusCode failed = UA_STATUSCODE_BADSENSORFAILURE;
    static const UA_StatusCode old = UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE;
    UA_Double temperature = 21.5;
    UA_UInt32 counter = 7;
    UA_Int16 setpoint = -5;
    UA_String recipe = TEXT("bread");
    UA_Boolean heater = false;
    UA_Int32 numbers[10];
    add(server, named(server, "Temperature"), "Temperature", scalar(&temperature, UA_TYPES_DOUBLE),
        READ);
    add(server, named(server, "Counter"), "Counter", scalar(&counter, UA_TYPES_UINT32), READ);
    add(server, named(server, "Setpoint"), "Setpoint", scalar(&setpoint, UA_TYPES_INT16), BOTH);
    add(server, named(server, "Recipe"), "Recipe", scalar(&recipe, UA_TYPES_STRING), BOTH);
    add(server, named(server, "Heater"), "Heater", scalar(&heater, UA_TYPES_BOOLEAN), BOTH);
    add(server, named(server, "Hidden"), "Hidden", scalar(&counter, UA_TYPES_UINT32), 0);
    add_source(server, "Failed", &failed);
    add_source(server, "Old", &old);
    for (int i = 0; i < 10; i++) {
        numbers[i] = 10 * i;
    }
    UA_Variant array;
    UA_Variant_setArray(&array, numbers, 10, &UA_TYPES[UA_TYPES_INT32]);
    add(server, named(server, "Numbers"), "Numbers", array, BOTH);
    for (UA_UInt16 i = 1; i <= NODES; i++) {
        char name[16];
        snprintf(name, sizeof name, "N%u", i);
        add(server, UA_NODEID_NUMERIC(server->space, i), name, scalar(&i, UA_TYPES_UINT16), READ);
    }
    add_types(server);
}

static UA_StatusCode refuse(const UA_CertificateVerification *verification,
                            const UA_ByteString *certificate) {
    return UA_STATUSCODE_BADCERTIFICATEUNTRUSTED;
}

static UA_ByteString bytes_of(const PsBuf *buf) {
    return (UA_ByteString){buf->len, buf->data};
}

static void set_security(UA_ServerConfig *config, int port, const PsOpcuaTestSetup *setup) {
    PsOpcuaIdentity identity = {0};
    PS_ASSERT(ps_opcua_identity_own(setup->folder, &identity, NULL) == PS_OK);
    UA_ByteString certificate = bytes_of(&identity.certificate);
    UA_ByteString key = bytes_of(&identity.key);
    UA_StatusCode status =
        setup->secure_only
            ? UA_ServerConfig_setDefaultWithSecureSecurityPolicies(
                  config, (UA_UInt16)port, &certificate, &key, NULL, 0, NULL, 0, NULL, 0)
            : UA_ServerConfig_setDefaultWithSecurityPolicies(config, (UA_UInt16)port, &certificate,
                                                             &key, NULL, 0, NULL, 0, NULL, 0);
    PS_ASSERT(status == UA_STATUSCODE_GOOD);
    UA_CertificateVerification *lists[] = {&config->secureChannelPKI, &config->sessionPKI};
    for (size_t i = 0; i < PS_COUNT(lists); i++) {
        lists[i]->clear(lists[i]);
        UA_CertificateVerification_AcceptAll(lists[i]);
        if (setup->distrusts) {
            lists[i]->verifyCertificate = refuse;
        }
    }
    UA_String_clear(&config->applicationDescription.applicationUri);
    config->applicationDescription.applicationUri = UA_STRING_ALLOC(identity.uri);
    ps_opcua_identity_deinit(&identity);
}

static void set_users(UA_ServerConfig *config, const PsOpcuaTestSetup *setup) {
    UA_UsernamePasswordLogin logins[] = {{TEXT("operator"), TEXT("right")}};
    config->allowNonePolicyPassword = setup->plain_password;
    if (setup->users) {
        config->accessControl.clear(&config->accessControl);
        PS_ASSERT(UA_AccessControl_default(config, false, NULL, PS_COUNT(logins), logins) ==
                  UA_STATUSCODE_GOOD);
    }
}

static void *run(void *argument) {
    PsOpcuaTestServer *server = argument;
    while (!atomic_load(&server->stop)) {
        pthread_mutex_lock(&server->lock);
        pthread_mutex_unlock(&server->lock);
        (void)UA_Server_run_iterate(server->server, false);
        usleep(1000);
    }
    return NULL;
}

static bool start(PsOpcuaTestServer *server, const PsOpcuaTestSetup *setup) {
    UA_ServerConfig config = {.logging = &server->logger};
    if (setup->folder != NULL) {
        set_security(&config, server->port, setup);
    } else {
        PS_ASSERT(UA_ServerConfig_setMinimal(&config, (UA_UInt16)server->port, NULL) ==
                  UA_STATUSCODE_GOOD);
    }
    set_users(&config, setup);
    config.maxNodesPerRead = setup->max_read;
    server->server = UA_Server_newWithConfig(&config);
    PS_ASSERT(server->server != NULL);
    if (setup->uri != NULL) {
        (void)UA_Server_addNamespace(server->server, setup->uri);
    }
    server->space = UA_Server_addNamespace(server->server, "urn:penstock:test");
    add_nodes(server);
    if (UA_Server_run_startup(server->server) == UA_STATUSCODE_GOOD) {
        return true;
    }
    UA_Server_delete(server->server);
    return false;
}

PsOpcuaTestServer *ps_opcua_test_server_start(const PsOpcuaTestSetup *setup) {
    PsOpcuaTestServer *server = ps_alloc(sizeof *server);
    server->logger = (UA_Logger){.log = no_log};
    pthread_mutex_init(&server->lock, NULL);
    bool started = false;
    for (int i = 0; i < 20 && !started; i++) {
        server->port = setup->port > 0 ? setup->port : free_port(); // another may be faster
        started = start(server, setup);
    }
    PS_ASSERT(started);
    PS_ASSERT(pthread_create(&server->thread, NULL, run, server) == 0);
    return server;
}

void ps_opcua_test_server_stop(PsOpcuaTestServer *server) {
    if (server == NULL) {
        return;
    }
    ps_opcua_test_server_hold(server, false);
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    (void)UA_Server_run_shutdown(server->server);
    UA_Server_delete(server->server);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int ps_opcua_test_server_port(const PsOpcuaTestServer *server) {
    return server->port;
}

void ps_opcua_test_server_set(PsOpcuaTestServer *server, const char *node, UA_Variant value) {
    PS_ASSERT(UA_Server_writeValue(server->server, named(server, node), value) ==
              UA_STATUSCODE_GOOD);
}

size_t ps_opcua_test_server_sessions(PsOpcuaTestServer *server, size_t *ret_ever) {
    UA_ServerStatistics statistics = UA_Server_getStatistics(server->server);
    if (ret_ever != NULL) {
        *ret_ever = statistics.ss.cumulatedSessionCount;
    }
    return statistics.ss.currentSessionCount;
}

size_t ps_opcua_test_server_subscriptions(PsOpcuaTestServer *server) {
    UA_Variant value;
    UA_NodeId node =
        UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERDIAGNOSTICS_SERVERDIAGNOSTICSSUMMARY);
    PS_ASSERT(UA_Server_readValue(server->server, node, &value) == UA_STATUSCODE_GOOD);
    UA_ServerDiagnosticsSummaryDataType *summary = value.data;
    size_t count = summary->currentSubscriptionCount;
    UA_Variant_clear(&value);
    return count;
}

void ps_opcua_test_server_hold(PsOpcuaTestServer *server, bool hold) {
    if (hold && !server->held) {
        pthread_mutex_lock(&server->lock);
    } else if (!hold && server->held) {
        pthread_mutex_unlock(&server->lock);
    }
    server->held = hold;
}
