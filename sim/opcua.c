// The simulated OPC UA server: made, run, torn down and made again, with the faults that concern
// what requests mean. One thread runs the library; the calls of the side's owner wait for it.
#include "sim/opcua.h"

#include "base/mem.h"
#include "base/text.h"
#include "sim/framing.h"
#include "sim/opcua_identity.h"
#include "sim/opcua_nodes.h"

#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/log.h>
#include <open62541/plugin/pki_default.h>
#include <open62541/server_config_default.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 4840
#define SPARE_URI "urn:penstock:sim:spare"
#define SESSIONS_MOST 100
#define TURN_MS 20.0 // how long the library may wait before it sees that it is to end

// Of the simulator only: everybody knows them.
typedef struct User {
    const char *name;
    const char *password;
    bool may_write;
} User;

static const User users[] = {
    {"operator", "penstock", true},
    {"viewer", "penstock", false},
};

struct PsSimSide {
    PsSimSideSetup setup;
    char address[64];
    uint16_t port;
    PsBuf certificate;
    PsBuf key;
    PsSimOpcuaNodes nodes;
    UA_Server *server;
    pthread_t thread;
    volatile UA_Boolean running;
    unsigned spare_spaces; // namespaces before ours: changes with each `restart`
    uint32_t max_nodes;    // of a Read; 0: as many as come
    bool max_nodes_untold; // it refuses more, and does not say so beforehand
    pthread_mutex_t lock;  // of the sessions
    UA_NodeId sessions[SESSIONS_MOST];
    size_t session_count;
    UA_AccessControl standard; // the library's, whose work ours goes on with
};

static void log_nothing(void *context, UA_LogLevel level, UA_LogCategory category, const char *text,
                        va_list args) {
    (void)context, (void)level, (void)category, (void)text, (void)args;
}

static UA_Logger silent = {.log = log_nothing};

static PsSimSide *side_of(UA_Server *server) {
    return UA_Server_getConfig(server)->context;
}

static PsErr failed(PsDiag *diag, const char *step, UA_StatusCode status) {
    return ps_fail(PS_ERR_IO, diag, "OPC UA server", step, "%s", UA_StatusCode_name(status));
}

static UA_String text_of(const char *text) {
    return (UA_String){strlen(text), (UA_Byte *)(uintptr_t)text}; // not changed by who takes it
}

static void keep_session(PsSimSide *side, const UA_NodeId *session) {
    pthread_mutex_lock(&side->lock);
    bool known = false;
    for (size_t i = 0; i < side->session_count; i++) {
        known = known || UA_NodeId_equal(&side->sessions[i], session);
    }
    if (!known && side->session_count < SESSIONS_MOST &&
        UA_NodeId_copy(session, &side->sessions[side->session_count]) == UA_STATUSCODE_GOOD) {
        side->session_count++;
    }
    pthread_mutex_unlock(&side->lock);
}

static const User *user_of(const UA_ExtensionObject *token) {
    if (token->encoding < UA_EXTENSIONOBJECT_DECODED ||
        token->content.decoded.type != &UA_TYPES[UA_TYPES_USERNAMEIDENTITYTOKEN]) {
        return NULL;
    }
    const UA_UserNameIdentityToken *named = token->content.decoded.data;
    for (size_t i = 0; i < PS_COUNT(users); i++) {
        UA_String name = text_of(users[i].name);
        if (UA_String_equal(&named->userName, &name)) {
            return &users[i];
        }
    }
    return NULL;
}

static UA_StatusCode activate_session(UA_Server *server, UA_AccessControl *control,
                                      const UA_EndpointDescription *endpoint,
                                      const UA_ByteString *certificate, const UA_NodeId *session,
                                      const UA_ExtensionObject *token, void **session_context) {
    PsSimSide *side = side_of(server);
    UA_StatusCode status = side->standard.activateSession(server, control, endpoint, certificate,
                                                          session, token, session_context);
    if (status == UA_STATUSCODE_GOOD) {
        *session_context = (void *)(uintptr_t)user_of(token);
        keep_session(side, session);
    }
    return status;
}

static void close_session(UA_Server *server, UA_AccessControl *control, const UA_NodeId *session,
                          void *session_context) {
    (void)control, (void)session_context;
    PsSimSide *side = side_of(server);
    pthread_mutex_lock(&side->lock);
    for (size_t i = 0; i < side->session_count; i++) {
        if (UA_NodeId_equal(&side->sessions[i], session)) {
            UA_NodeId_clear(&side->sessions[i]);
            side->sessions[i] = side->sessions[--side->session_count];
            break;
        }
    }
    pthread_mutex_unlock(&side->lock);
}

static UA_Byte user_access_level(UA_Server *server, UA_AccessControl *control,
                                 const UA_NodeId *session, void *session_context,
                                 const UA_NodeId *id, void *context) {
    (void)control, (void)session;
    const User *user = session_context;
    PsSimOpcuaNode *node = ps_sim_opcua_node_of(&side_of(server)->nodes, id, context);
    if (node != NULL && ps_sim_opcua_node_is_denied(node)) {
        return 0;
    }
    return user != NULL && !user->may_write ? (UA_Byte)~UA_ACCESSLEVELMASK_WRITE : 0xFF;
}

static UA_StatusCode take_access_control(UA_ServerConfig *config, PsSimSide *side) {
    UA_UsernamePasswordLogin logins[PS_COUNT(users)];
    for (size_t i = 0; i < PS_COUNT(users); i++) {
        logins[i] = (UA_UsernamePasswordLogin){text_of(users[i].name), text_of(users[i].password)};
    }
    UA_String policy = text_of("http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256");
    UA_StatusCode status =
        UA_AccessControl_default(config, true, &policy, PS_COUNT(logins), logins);
    side->standard = config->accessControl;
    config->accessControl.activateSession = activate_session;
    config->accessControl.closeSession = close_session;
    config->accessControl.getUserAccessLevel = user_access_level;
    return status;
}

static UA_StatusCode add_security(UA_ServerConfig *config, const PsSimSide *side) {
    UA_ByteString certificate = {side->certificate.len, side->certificate.data};
    UA_ByteString key = {side->key.len, side->key.data};
    UA_StatusCode status = UA_ServerConfig_addSecurityPolicyNone(config, &certificate);
    status |= UA_ServerConfig_addSecurityPolicyBasic256Sha256(config, &certificate, &key);
    status |= UA_ServerConfig_addSecurityPolicyAes128Sha256RsaOaep(config, &certificate, &key);
    return status;
}

static UA_StatusCode set_url(UA_ServerConfig *config, const PsSimSide *side) {
    char url[96];
    snprintf(url, sizeof url, "opc.tcp://%s:%u", side->address, side->port);
    UA_Array_delete(config->serverUrls, config->serverUrlsSize, &UA_TYPES[UA_TYPES_STRING]);
    UA_String text = text_of(url);
    config->serverUrlsSize = 1;
    return UA_Array_copy(&text, 1, (void **)&config->serverUrls, &UA_TYPES[UA_TYPES_STRING]);
}

static UA_StatusCode fill_config(UA_ServerConfig *config, PsSimSide *side) {
    config->context = side;
    config->logging = &silent;
    UA_StatusCode status = UA_ServerConfig_setBasics_withPort(config, side->port);
    if (status != UA_STATUSCODE_GOOD) {
        return status;
    }
    UA_CertificateVerification_AcceptAll(&config->secureChannelPKI);
    UA_CertificateVerification_AcceptAll(&config->sessionPKI);
    UA_String_clear(&config->applicationDescription.applicationUri);
    config->applicationDescription.applicationUri = UA_STRING_ALLOC(PS_SIM_OPCUA_APPLICATION_URI);
    UA_LocalizedText_clear(&config->applicationDescription.applicationName);
    config->applicationDescription.applicationName = UA_LOCALIZEDTEXT_ALLOC("", "penstock-sim");
    config->tcpReuseAddr = true;
    config->maxNodesPerRead = side->max_nodes;
    config->samplingIntervalLimits.min = 20.0;
    config->publishingIntervalLimits.min = 20.0;
    status |= set_url(config, side);
    status |= add_security(config, side);
    status |= take_access_control(config, side);
    return status | UA_ServerConfig_addAllEndpoints(config);
}

// The library has no call for it, but it tells clients where it listens.
static uint16_t port_of(UA_Server *server) {
    const UA_ApplicationDescription *about = &UA_Server_getConfig(server)->applicationDescription;
    UA_UInt16 port = 0;
    UA_String host = UA_STRING_NULL;
    UA_String path = UA_STRING_NULL;
    if (about->discoveryUrlsSize > 0) {
        (void)UA_parseEndpointUrl(&about->discoveryUrls[0], &host, &port, &path);
    }
    return port;
}

static UA_StatusCode tell_no_limit(UA_Server *server, const UA_NodeId *session,
                                   void *session_context, const UA_NodeId *id, void *context,
                                   UA_Boolean stamp, const UA_NumericRange *range,
                                   UA_DataValue *out) {
    (void)server, (void)session, (void)session_context, (void)id, (void)context, (void)stamp,
        (void)range;
    UA_UInt32 no_limit = 0;
    out->hasValue = true;
    return UA_Variant_setScalarCopy(&out->value, &no_limit, &UA_TYPES[UA_TYPES_UINT32]);
}

static UA_StatusCode fill_server(PsSimSide *side, UA_Server *server) {
    for (unsigned i = 0; i < side->spare_spaces; i++) {
        UA_Server_addNamespace(server, SPARE_URI);
    }
    UA_UInt16 space = UA_Server_addNamespace(server, PS_SIM_OPCUA_URI);
    UA_StatusCode status = ps_sim_opcua_nodes_add(&side->nodes, server, space);
    if (side->max_nodes_untold) {
        UA_DataSource source = {tell_no_limit, NULL};
        status |= UA_Server_setVariableNode_dataSource(
            server,
            UA_NODEID_NUMERIC(0,
                              UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERREAD),
            source);
    }
    return status == UA_STATUSCODE_GOOD ? UA_Server_run_startup(server) : status;
}

static void do_nothing(UA_Server *server, void *data) {
    (void)server, (void)data;
}

static void *run(void *arg) {
    PsSimSide *side = arg;
    while (__atomic_load_n(&side->running, __ATOMIC_ACQUIRE)) {
        (void)UA_Server_run_iterate(side->server, true);
    }
    return NULL;
}

static PsErr open_server(PsSimSide *side, PsDiag *diag) {
    UA_ServerConfig config = {0};
    UA_StatusCode status = fill_config(&config, side);
    if (status != UA_STATUSCODE_GOOD) {
        UA_ServerConfig_clean(&config);
        return failed(diag, "set-up", status);
    }
    UA_Server *server = UA_Server_newWithConfig(&config);
    if (server == NULL) {
        return failed(diag, "set-up", UA_STATUSCODE_BADOUTOFMEMORY);
    }
    status = fill_server(side, server);
    uint16_t port = status == UA_STATUSCODE_GOOD ? port_of(server) : 0;
    if (status != UA_STATUSCODE_GOOD) {
        (void)UA_Server_run_shutdown(server);
        (void)UA_Server_delete(server);
        return failed(diag, "address space", status);
    }
    if (port == 0) {
        (void)UA_Server_run_shutdown(server);
        (void)UA_Server_delete(server);
        return ps_fail(PS_ERR_IO, diag, "OPC UA server", "port",
                       "cannot listen on %s:%u; is another program there?", side->address,
                       side->port);
    }
    (void)UA_Server_addRepeatedCallback(server, do_nothing, NULL, TURN_MS, NULL);
    side->port = port;
    side->server = server;
    __atomic_store_n(&side->running, true, __ATOMIC_RELEASE);
    if (pthread_create(&side->thread, NULL, run, side) != 0) {
        (void)UA_Server_run_shutdown(server);
        (void)UA_Server_delete(server);
        side->server = NULL;
        return failed(diag, "thread", UA_STATUSCODE_BADOUTOFMEMORY);
    }
    return PS_OK;
}

static void close_server(PsSimSide *side) {
    if (side->server == NULL) {
        return;
    }
    __atomic_store_n(&side->running, false, __ATOMIC_RELEASE);
    pthread_join(side->thread, NULL);
    (void)UA_Server_run_shutdown(side->server);
    (void)UA_Server_delete(side->server);
    side->server = NULL;
    while (side->session_count > 0) {
        UA_NodeId_clear(&side->sessions[--side->session_count]);
    }
}

static PsErr reopen(PsSimSide *side, PsDiag *diag) {
    close_server(side);
    return open_server(side, diag);
}

static void stop(PsSimSide *side) {
    if (side == NULL) {
        return;
    }
    close_server(side);
    ps_sim_opcua_nodes_deinit(&side->nodes);
    ps_buf_deinit(&side->certificate);
    ps_buf_deinit(&side->key);
    pthread_mutex_destroy(&side->lock);
    free(side);
}

static PsErr start(const PsSimSideSetup *setup, PsSimSide **ret_side, PsDiag *diag) {
    PsSimSide *side = ps_alloc(sizeof *side);
    side->setup = *setup;
    side->port = setup->port;
    snprintf(side->address, sizeof side->address, "%s",
             setup->address != NULL ? setup->address : "127.0.0.1");
    pthread_mutex_init(&side->lock, NULL);
    ps_sim_opcua_nodes_init(&side->nodes, setup);
    PsErr err =
        ps_sim_opcua_identity(setup->folder, side->address, &side->certificate, &side->key, diag);
    err = err == PS_OK ? open_server(side, diag) : err;
    if (err != PS_OK) {
        stop(side);
        return err;
    }
    *ret_side = side;
    return PS_OK;
}

static uint16_t bound_port(const PsSimSide *side) {
    return side->port;
}

// --- faults

// By name ("BadSensorFailure") or as a number ("0x80AD0000"). The library knows the name of each
// code only, so all codes of a severity are gone through.
static bool parse_status(const char *text, UA_StatusCode *ret_status) {
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 0);
    if (end != text && *end == '\0' && number <= UINT32_MAX) {
        *ret_status = (UA_StatusCode)number;
        return true;
    }
    static const UA_StatusCode severities[] = {0x80000000U, 0x40000000U, 0};
    for (size_t i = 0; i < PS_COUNT(severities); i++) {
        for (UA_StatusCode code = 0; code < 0x0200U; code++) {
            UA_StatusCode status = severities[i] | code << 16;
            if (strcmp(UA_StatusCode_name(status), text) == 0) {
                *ret_status = status;
                return true;
            }
        }
    }
    return false;
}

static PsErr fault_missing(PsSimSide *side, PsSimOpcuaNode *node, const char *rest, PsDiag *diag) {
    (void)rest;
    UA_StatusCode status = ps_sim_opcua_node_set_missing(node, side->server, true);
    return status == UA_STATUSCODE_GOOD ? PS_OK : failed(diag, "missing", status);
}

static PsErr fault_deny(PsSimSide *side, PsSimOpcuaNode *node, const char *rest, PsDiag *diag) {
    (void)side, (void)rest, (void)diag;
    ps_sim_opcua_node_set_denied(node, true);
    return PS_OK;
}

static PsErr fault_bad(PsSimSide *side, PsSimOpcuaNode *node, const char *rest, PsDiag *diag) {
    (void)side;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    if (!parse_status(rest, &status)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "'%.60s' is no status; for example BadSensorFailure or 0x80AD0000", rest);
    }
    ps_sim_opcua_node_set_status(node, status);
    return PS_OK;
}

static PsErr fault_restart(PsSimSide *side, PsSimOpcuaNode *node, const char *rest, PsDiag *diag) {
    (void)node, (void)rest;
    side->spare_spaces = side->spare_spaces == 0 ? 1 : 0;
    return reopen(side, diag);
}

static PsErr fault_max_nodes(PsSimSide *side, PsSimOpcuaNode *node, const char *rest,
                             PsDiag *diag) {
    (void)node;
    char number[16] = "";
    char word[16] = "";
    long long most = 0;
    int words = sscanf(rest, "%15s %15s", number, word);
    bool untold = words == 2 && strcmp(word, "untold") == 0;
    if (words < 1 || (words == 2 && !untold) || !ps_text_to_int(number, 0, 100000, &most)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "usage: max-nodes N [untold]");
    }
    side->max_nodes = (uint32_t)most;
    side->max_nodes_untold = untold;
    return reopen(side, diag);
}

static PsErr fault_drop_session(PsSimSide *side, PsSimOpcuaNode *node, const char *rest,
                                PsDiag *diag) {
    (void)node, (void)rest, (void)diag;
    for (;;) {
        UA_NodeId session = UA_NODEID_NULL;
        pthread_mutex_lock(&side->lock);
        if (side->session_count > 0) {
            session = side->sessions[--side->session_count]; // ours from here on
        }
        pthread_mutex_unlock(&side->lock);
        if (UA_NodeId_isNull(&session)) {
            return PS_OK;
        }
        (void)UA_Server_closeSession(side->server, &session); // gone already is as well
        UA_NodeId_clear(&session);
    }
}

static PsErr fault_ok(PsSimSide *side, PsSimOpcuaNode *unused, const char *rest, PsDiag *diag) {
    (void)unused, (void)rest;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    for (uint32_t i = 0; i < side->nodes.count; i++) {
        PsSimOpcuaNode *node = &side->nodes.nodes[i];
        ps_sim_opcua_node_set_denied(node, false);
        ps_sim_opcua_node_set_status(node, UA_STATUSCODE_GOOD);
        status |= ps_sim_opcua_node_set_missing(node, side->server, false);
    }
    if (side->max_nodes != 0) {
        side->max_nodes = 0;
        side->max_nodes_untold = false;
        return reopen(side, diag);
    }
    return status == UA_STATUSCODE_GOOD ? PS_OK : failed(diag, "ok", status);
}

typedef struct Fault {
    const char *name;
    const char *usage;
    const char *help;
    bool of_node;
    PsErr (*turn)(PsSimSide *side, PsSimOpcuaNode *node, const char *rest, PsDiag *diag);
} Fault;

static const Fault faults[] = {
    {"missing", "missing NODE", "the node is not there (Bad_NodeIdUnknown)", true, fault_missing},
    {"deny", "deny NODE", "nobody may read or write the node", true, fault_deny},
    {"bad", "bad NODE STATUS", "the value has this status, for example BadSensorFailure", true,
     fault_bad},
    {"restart", "restart", "the server ends and begins anew, its namespaces in another order",
     false, fault_restart},
    {"max-nodes", "max-nodes N [untold]", "begins anew and reads N nodes a request at most", false,
     fault_max_nodes},
    {"drop-session", "drop-session", "forgets every session; the connections stay", false,
     fault_drop_session},
    {"ok", "ok", "none of these any more", false, fault_ok},
};

static PsErr turn_for_node(PsSimSide *side, const Fault *fault, const char *rest, PsDiag *diag) {
    char id[64] = "";
    size_t len = strcspn(rest, " \t");
    snprintf(id, sizeof id, "%.*s", (int)(len < sizeof id ? len : sizeof id - 1), rest);
    PsSimOpcuaNode *node = ps_sim_opcua_node_find(&side->nodes, id);
    if (node == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "usage: %s; '%s' is no node, for example Plant.Level", fault->usage, id);
    }
    return fault->turn(side, node, rest + len + strspn(rest + len, " \t"), diag);
}

static PsErr turn_fault(PsSimSide *side, const char *line, PsDiag *diag) {
    line += strspn(line, " \t");
    size_t len = strcspn(line, " \t\r\n");
    const char *rest = line + len + strspn(line + len, " \t");
    PsErr err = side->server == NULL ? open_server(side, diag) : PS_OK; // a restart has failed
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(faults); i++) {
        const Fault *fault = &faults[i];
        if (strlen(fault->name) == len && strncmp(fault->name, line, len) == 0) {
            return fault->of_node ? turn_for_node(side, fault, rest, diag)
                                  : fault->turn(side, NULL, rest, diag);
        }
    }
    return err == PS_OK ? PS_ERR_NOT_FOUND : err;
}

static void put_help(PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(faults); i++) {
        ps_buf_printf(out, "  %-32s %s\n", faults[i].usage, faults[i].help);
    }
}

const PsSimSideKind ps_sim_opcua_kind = {
    .name = "opcua",
    .title = "OPC UA",
    .port = DEFAULT_PORT,
    .framing = &ps_sim_framing_opcua,
    .start = start,
    .stop = stop,
    .bound_port = bound_port,
    .fault = turn_fault,
    .help = put_help,
};
