// How a session is made: ask what the server offers, choose, check its certificate, open, read the
// namespaces. Each step says in its own words why it failed.
// Runs on the channel's thread and blocks; reads and writes small files of the trust list.
#include "base/mem.h"
#include "base/text.h"
#include "drivers/opcua/client_config.h"
#include "drivers/opcua/connection.h"
#include "drivers/opcua/trust.h"
#include "drivers/opcua/value.h"
#include "drivers/tcp_connect.h"

#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE_MS 250U
#define READ_MAX 1000U // nodes of a request where the server sets no limit
#define BROWSE_MAX 100U
#define MONITOR_MAX 1000U

// One making of a session.
typedef struct Opening {
    PsOpcuaConnection *connection;
    const PsDevice *device;
    PsOpcuaAddress address;
    PsOpcuaPatience patience;
    PsMono deadline; // of the step
    UA_EndpointDescription *endpoints;
    size_t endpoint_count;
    PsOpcuaChoice choice;
    PsOpcuaIdentity identity;
    char warning[PS_SESSION_NOTE_SIZE]; // about the server's certificate
} Opening;

static void changed(UA_Client *client, UA_SecureChannelState channel, UA_SessionState session,
                    UA_StatusCode status) {
    PsOpcuaConnection *connection = UA_Client_getContext(client);
    connection->channel = channel;
    connection->state = session;
    connection->status = status;
}

static PsErr fail_step(Opening *opening, const char *step, UA_StatusCode status, PsDiag *diag) {
    PsOpcuaConnection *connection = opening->connection;
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    PsErr err = connection->loop != NULL ? ps_opcua_net_error(connection->loop, diag) : PS_OK;
    if (err != PS_OK) {
        return err; // not even connected, in the words of every TCP connection
    }
    if (status == UA_STATUSCODE_BADTIMEOUT) {
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL,
                       "%s: no answer within %g s; check that an OPC UA server listens on port %d, "
                       "and that timeout is long enough for it",
                       step, (double)opening->patience.timeout_ns / 1e9, opening->address.port);
    }
    if (status == UA_STATUSCODE_BADUSERACCESSDENIED ||
        status == UA_STATUSCODE_BADIDENTITYTOKENREJECTED) {
        return ps_fail(PS_ERR_DENIED, diag, NULL, "auth",
                       "the server does not accept the user (auth %s, %s); check user, password or "
                       "certificate on both sides",
                       ps_opcua_auth_name(opening->device->auth), UA_StatusCode_name(status));
    }
    char words[200];
    ps_opcua_status_words(status, words, sizeof words);
    if (status == UA_STATUSCODE_BADSECURITYCHECKSFAILED ||
        status == UA_STATUSCODE_BADCERTIFICATEUNTRUSTED) {
        bool lent = connection->only_reads && opening->identity.made;
        return ps_fail(PS_ERR_DENIED, diag, NULL, NULL, "%s: %s%s", step, words,
                       lent ? "; the gateway has no certificate yet, it makes one when it connects "
                              "to its first server, and what was shown now was made for this try"
                            : "");
    }
    return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "%s: %s", step, words);
}

static PsErr begin_client(Opening *opening, const UA_EndpointDescription *endpoint, PsDiag *diag) {
    PsOpcuaConnection *connection = opening->connection;
    PsOpcuaPlace place = {.host = connection->host,
                          .port = opening->address.port,
                          .wake_fd = connection->wake_fd,
                          .timeout_ns = opening->patience.timeout_ns};
    connection->channel = UA_SECURECHANNELSTATE_CLOSED;
    connection->state = UA_SESSIONSTATE_CLOSED;
    connection->status = UA_STATUSCODE_GOOD;
    connection->last_line[0] = '\0';
    connection->loop = ps_opcua_net_new(&place, &connection->logger);
    PsOpcuaClientSetup setup = {
        .loop = connection->loop,
        .logger = &connection->logger,
        .context = connection,
        .url = opening->address.url,
        .timeout_ns = opening->patience.timeout_ns,
        .session_timeout_ms = opening->patience.session_ms,
        .changed = changed,
        .subscription_silent = ps_opcua_subscription_silent,
        .device = endpoint != NULL ? opening->device : NULL,
        .endpoint = endpoint,
        .choice = &opening->choice,
        .identity = opening->identity.certificate.len > 0 ? &opening->identity : NULL,
    };
    PsErr err = ps_opcua_client_new(&setup, &connection->client, diag);
    if (err != PS_OK) {
        connection->loop = NULL; // freed with what was made of the client
        return err;
    }
    opening->deadline = ps_mono_add_ns(ps_mono_now(), opening->patience.timeout_ns);
    (void)__UA_Client_connect(connection->client, true);
    UA_Client_getState(connection->client, &connection->channel, &connection->state,
                       &connection->status);
    return PS_OK;
}

// One turn of the client. False: the step has failed with *ret_status.
static bool turn(Opening *opening, UA_StatusCode *ret_status) {
    PsOpcuaConnection *connection = opening->connection;
    int64_t left = ps_mono_diff_ns(opening->deadline, ps_mono_now());
    *ret_status = connection->status;
    if (connection->status != UA_STATUSCODE_GOOD || atomic_load(&connection->interrupted)) {
        return false;
    }
    if (left <= 0) {
        *ret_status = UA_STATUSCODE_BADTIMEOUT;
        return false;
    }
    int64_t ms = left / PS_NS_PER_MS + 1;
    (void)UA_Client_run_iterate(connection->client, ms < SLICE_MS ? (UA_UInt32)ms : SLICE_MS);
    return true;
}

static bool has_endpoints(const UA_GetEndpointsResponse *response) {
    return response->responseHeader.serviceResult == UA_STATUSCODE_GOOD;
}

// The library may open the channel a second time while it looks for the server's own address; then
// the question is lost and asked again.
static PsErr ask_endpoints(Opening *opening, PsDiag *diag) {
    PsOpcuaConnection *connection = opening->connection;
    UA_GetEndpointsResponse response;
    UA_GetEndpointsRequest request;
    UA_GetEndpointsRequest_init(&request);
    request.endpointUrl = UA_STRING(opening->address.url);
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    bool asked = false;
    UA_GetEndpointsResponse_init(&response);
    do {
        if (asked && connection->answered) {
            asked = false;
            if (has_endpoints(&response)) {
                break;
            }
            status = response.responseHeader.serviceResult;
            UA_GetEndpointsResponse_clear(&response);
            if (!ps_opcua_status_is_lost(status)) {
                return fail_step(opening, "asking the server what it offers", status, diag);
            }
        }
        if (!asked && connection->channel == UA_SECURECHANNELSTATE_OPEN) {
            void *user =
                ps_opcua_begin(connection, &response, &UA_TYPES[UA_TYPES_GETENDPOINTSRESPONSE]);
            asked = __UA_Client_AsyncService(
                        connection->client, &request, &UA_TYPES[UA_TYPES_GETENDPOINTSREQUEST],
                        ps_opcua_answer, &UA_TYPES[UA_TYPES_GETENDPOINTSRESPONSE], user,
                        NULL) == UA_STATUSCODE_GOOD;
        }
    } while (turn(opening, &status));
    if (!has_endpoints(&response) || response.endpointsSize == 0) {
        UA_GetEndpointsResponse_clear(&response);
        return fail_step(opening, "asking the server what it offers",
                         status != UA_STATUSCODE_GOOD ? status : UA_STATUSCODE_BADCONNECTIONCLOSED,
                         diag);
    }
    opening->endpoints = response.endpoints;
    opening->endpoint_count = response.endpointsSize;
    response.endpoints = NULL;
    response.endpointsSize = 0;
    UA_GetEndpointsResponse_clear(&response);
    return PS_OK;
}

// The certificate counts where something is made secret or signed with it.
static PsErr check_trust(Opening *opening, PsDiag *diag) {
    UA_EndpointDescription *endpoint = &opening->endpoints[opening->choice.endpoint];
    UA_ByteString *certificate = &endpoint->serverCertificate;
    bool secret = opening->device->auth == PS_OPCUA_USER_NAME && opening->choice.encrypts_secret;
    if (!opening->choice.protects && !secret) {
        return PS_OK;
    }
    char announced[PS_TRUST_URI];
    const UA_String *uri = &endpoint->server.applicationUri;
    ps_text_format(announced, sizeof announced, "%.*s", (int)uri->length,
                   uri->length > 0 ? (const char *)uri->data : "");
    PsTrustShown shown = {.der = certificate->data,
                          .len = certificate->length,
                          .endpoint = opening->address.url,
                          .announced = announced};
    PsTrustList list = {opening->connection->state_folder, opening->connection->only_reads};
    PsTrustEntry entry;
    PsErr err = ps_opcua_trust_check(&list, &shown, (int64_t)time(NULL), opening->warning,
                                     sizeof opening->warning, diag);
    if (err == PS_ERR_DENIED) {
        snprintf(opening->connection->session->note, PS_SESSION_NOTE_SIZE, "%s", opening->warning);
    }
    if (err == PS_OK) {
        err = ps_opcua_trust_describe(certificate->data, certificate->length, &entry, diag);
    }
    if (err == PS_OK) {
        certificate->length = entry.own_len; // its chain is of no use here
    }
    return err;
}

static PsErr make_session(Opening *opening, PsDiag *diag) {
    PsOpcuaConnection *connection = opening->connection;
    PsErr err = begin_client(opening, &opening->endpoints[opening->choice.endpoint], diag);
    if (err != PS_OK) {
        return err;
    }
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    while (connection->state != UA_SESSIONSTATE_ACTIVATED && turn(opening, &status)) {
    }
    if (connection->state != UA_SESSIONSTATE_ACTIVATED || status != UA_STATUSCODE_GOOD) {
        return fail_step(opening, "opening a session",
                         status != UA_STATUSCODE_GOOD ? status : connection->status, diag);
    }
    UA_Client_getConfig(connection->client)->noReconnect = true;
    ps_opcua_client_forget_secret(connection->client);
    return PS_OK;
}

static uint32_t limit_of(const UA_DataValue *value, uint32_t fallback) {
    bool number =
        value->hasValue && UA_Variant_hasScalarType(&value->value, &UA_TYPES[UA_TYPES_UINT32]);
    uint32_t limit = number ? *(const UA_UInt32 *)value->value.data : 0;
    return limit > 0 && limit < fallback ? limit : fallback;
}

static void take_namespaces(PsOpcuaConnection *connection, UA_DataValue *value) {
    UA_Variant *array = &value->value;
    if (value->hasValue && UA_Variant_hasArrayType(array, &UA_TYPES[UA_TYPES_STRING])) {
        connection->namespaces = array->data;
        connection->namespace_count = array->arrayLength;
        UA_Variant_init(array);
    }
}

static const UA_UInt32 server_nodes[] = {
    UA_NS0ID_SERVER_NAMESPACEARRAY,
    UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERREAD,
    UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERBROWSE,
    UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXMONITOREDITEMSPERCALL,
};

// What nodes the server lets us ask for at once is itself asked one by one: a server may allow as
// few as that.
static PsErr read_server(PsOpcuaConnection *connection, int64_t timeout_ns, PsDiag *diag) {
    connection->limits = (PsOpcuaLimits){READ_MAX, BROWSE_MAX, MONITOR_MAX};
    for (size_t i = 0; i < PS_COUNT(server_nodes); i++) {
        UA_ReadValueId ask = {.nodeId = UA_NODEID_NUMERIC(0, server_nodes[i]),
                              .attributeId = UA_ATTRIBUTEID_VALUE};
        UA_ReadRequest request;
        UA_ReadResponse response;
        UA_ReadRequest_init(&request);
        request.timestampsToReturn = UA_TIMESTAMPSTORETURN_NEITHER;
        request.nodesToRead = &ask;
        request.nodesToReadSize = 1;
        UA_StatusCode status = UA_STATUSCODE_GOOD;
        PsOpcuaCall call = {"reading what the server allows", &request,
                            &UA_TYPES[UA_TYPES_READREQUEST],  &response,
                            &UA_TYPES[UA_TYPES_READRESPONSE], timeout_ns};
        PsErr err = ps_opcua_call(connection, &call, &status, diag);
        if (err != PS_OK) {
            return err;
        }
        bool answered = status == UA_STATUSCODE_GOOD && response.resultsSize == 1;
        uint32_t *const limits[] = {NULL, &connection->limits.read, &connection->limits.browse,
                                    &connection->limits.monitor};
        if (answered && limits[i] == NULL) {
            take_namespaces(connection, &response.results[0]);
        } else if (answered) {
            *limits[i] = limit_of(&response.results[0], *limits[i]);
        }
        UA_ReadResponse_clear(&response);
    }
    return PS_OK;
}

static void tell(Opening *opening) {
    char *note = opening->connection->session->note;
    bool chosen = opening->device->security_policy == PS_OPCUA_POLICY_NONE ||
                  opening->device->security_mode == PS_OPCUA_MODE_NONE;
    note[0] = '\0';
    if (opening->warning[0] != '\0') {
        snprintf(note, PS_SESSION_NOTE_SIZE, "%s", opening->warning);
    } else if (!opening->choice.protects && !chosen) {
        snprintf(note, PS_SESSION_NOTE_SIZE,
                 "nothing on this connection is protected, because the server offers no security "
                 "policy; switch Basic256Sha256 on in it");
    }
}

static PsErr run(Opening *opening, PsDiag *diag) {
    PsOpcuaConnection *connection = opening->connection;
    PsErr err = begin_client(opening, NULL, diag);
    err = err != PS_OK ? err : ask_endpoints(opening, diag);
    if (err != PS_OK) {
        return err;
    }
    ps_opcua_connection_close(connection); // what follows is another channel
    err = ps_opcua_choose(opening->device, opening->endpoints, opening->endpoint_count,
                          &opening->choice, diag);
    err = err != PS_OK ? err : check_trust(opening, diag);
    if (err == PS_OK && (opening->choice.protects || opening->choice.encrypts_secret)) {
        err = connection->only_reads && connection->state_folder != NULL
                  ? ps_opcua_identity_borrow(connection->state_folder, &opening->identity, diag)
                  : ps_opcua_identity_own(connection->state_folder, &opening->identity, diag);
    }
    err = err != PS_OK ? err : make_session(opening, diag);
    err = err != PS_OK ? err : read_server(connection, opening->patience.timeout_ns, diag);
    if (err == PS_OK) {
        connection->made++;
        tell(opening);
    }
    return err;
}

PsErr ps_opcua_connection_open(PsOpcuaConnection *connection, const PsDevice *device,
                               PsOpcuaPatience patience, PsDiag *diag) {
    PS_ASSERT(connection->client == NULL);
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    Opening opening = {.connection = connection, .device = device, .patience = patience};
    PsErr err = ps_opcua_address(device, &opening.address, diag);
    if (err == PS_OK) {
        snprintf(connection->host, sizeof connection->host, "%s", opening.address.host);
        err = run(&opening, diag);
    }
    if (err != PS_OK) {
        ps_opcua_connection_close(connection);
    }
    UA_Array_delete(opening.endpoints, opening.endpoint_count,
                    &UA_TYPES[UA_TYPES_ENDPOINTDESCRIPTION]);
    ps_opcua_identity_deinit(&opening.identity);
    return err;
}
