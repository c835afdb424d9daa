// Requests of a session and what becomes of them. How the session is made is in open.c.
// Runs on the channel's thread and blocks in the net's poll.
#include "drivers/opcua/connection.h"

#include "base/mem.h"
#include "base/text.h"
#include "drivers/opcua/value.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLICE_MS 250U      // an interrupt wakes the net's poll; this is for the library's timers
#define LEAVE_MS 300       // how long a good-bye may take
#define SILENCES_MAX 3     // then the session is made anew
#define HINT_EXTRA_MS 2000 // the library's own limit must not come before ours

static void keep_line(void *context, UA_LogLevel level, UA_LogCategory category, const char *text,
                      va_list args) PS_PRINTF(4, 0);

static void keep_line(void *context, UA_LogLevel level, UA_LogCategory category, const char *text,
                      va_list args) {
    PsOpcuaConnection *connection = context;
    if (level >= UA_LOGLEVEL_WARNING) {
        ps_text_format_list(connection->last_line, sizeof connection->last_line, text, args);
    }
}

PsErr ps_opcua_connection_init(PsOpcuaConnection *connection, const PsEndpoint *endpoint,
                               PsSession *session, PsDiag *diag) {
    const char *state_folder = endpoint->state_folder;
    *connection = (PsOpcuaConnection){
        .session = session,
        .state_folder = state_folder != NULL ? ps_strdup(state_folder) : NULL,
        .only_reads = endpoint->only_reads,
        .logger = {.log = keep_line, .context = connection},
    };
    connection->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->wake_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "cannot prepare a connection: %s",
                       strerror(errno));
    }
    return PS_OK;
}

void ps_opcua_connection_deinit(PsOpcuaConnection *connection) {
    ps_opcua_connection_close(connection);
    if (connection->wake_fd >= 0) {
        close(connection->wake_fd);
        connection->wake_fd = -1;
    }
    free(connection->state_folder);
}

bool ps_opcua_connection_is_open(const PsOpcuaConnection *connection) {
    return connection->client != NULL;
}

void ps_opcua_connection_interrupt(PsOpcuaConnection *connection) {
    atomic_store(&connection->interrupted, true);
    uint64_t one = 1;
    ssize_t put = write(connection->wake_fd, &one, sizeof one);
    (void)put; // can only fail when the counter is full, and then it is readable as well
}

void ps_opcua_connection_close(PsOpcuaConnection *connection) {
    connection->call++; // whatever comes now belongs to nobody
    if (connection->client != NULL) {
        UA_Client *client = connection->client;
        connection->client = NULL;
        ps_opcua_net_leave(connection->loop);
        UA_Client_getConfig(client)->noReconnect = true;
        UA_Client_getConfig(client)->timeout = LEAVE_MS;
        (void)UA_Client_disconnect(client);
        UA_Client_delete(client);
        connection->loop = NULL;
    }
    UA_Array_delete(connection->namespaces, connection->namespace_count,
                    &UA_TYPES[UA_TYPES_STRING]);
    connection->namespaces = NULL;
    connection->namespace_count = 0;
    connection->silences = 0;
}

void *ps_opcua_begin(PsOpcuaConnection *connection, void *response, const UA_DataType *type) {
    connection->call++;
    connection->answered = false;
    connection->response = response;
    connection->response_type = type;
    UA_init(response, type);
    return (void *)(uintptr_t)connection->call;
}

void ps_opcua_answer(UA_Client *client, void *user, UA_UInt32 id, void *response) {
    PsOpcuaConnection *connection = UA_Client_getContext(client);
    if ((uint32_t)(uintptr_t)user != connection->call || connection->answered) {
        connection->session->counters.late++;
        return;
    }
    // Taken over: the library clears what is left.
    memcpy(connection->response, response, connection->response_type->memSize);
    UA_init(response, connection->response_type);
    connection->answered = true;
}

static bool is_lost(const PsOpcuaConnection *connection) {
    return connection->status != UA_STATUSCODE_GOOD ||
           connection->state != UA_SESSIONSTATE_ACTIVATED ||
           connection->channel != UA_SECURECHANNELSTATE_OPEN;
}

static PsErr fail_lost(PsOpcuaConnection *connection, const PsOpcuaCall *call, UA_StatusCode status,
                       PsDiag *diag) {
    char words[200];
    ps_opcua_status_words(status != UA_STATUSCODE_GOOD ? status : UA_STATUSCODE_BADCONNECTIONCLOSED,
                          words, sizeof words);
    ps_opcua_connection_close(connection);
    return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "%s: %s", call->what, words);
}

static PsErr fail_silent(PsOpcuaConnection *connection, const PsOpcuaCall *call, PsDiag *diag) {
    connection->call++; // its answer comes too late from here on
    if (++connection->silences >= SILENCES_MAX) {
        ps_opcua_connection_close(connection);
    }
    return ps_fail(
        PS_ERR_TIMEOUT, diag, NULL, NULL,
        "%s: no answer within %g s; check that the server runs, and that timeout is long "
        "enough for it",
        call->what, (double)call->timeout_ns / 1e9);
}

static void smooth_round_trip(PsDriverCounters *counters, PsMono start) {
    int64_t took = ps_mono_diff_ns(ps_mono_now(), start);
    counters->round_trip_ns = counters->round_trip_ns == 0
                                  ? took
                                  : counters->round_trip_ns + (took - counters->round_trip_ns) / 8;
}

PsErr ps_opcua_wait(PsOpcuaConnection *connection, const PsOpcuaCall *call, UA_StatusCode sent,
                    UA_StatusCode *ret_status, PsDiag *diag) {
    PsDriverCounters *counters = &connection->session->counters;
    PsMono start = ps_mono_now();
    counters->requests++;
    while (sent == UA_STATUSCODE_GOOD && !connection->answered && !is_lost(connection)) {
        int64_t left = call->timeout_ns - ps_mono_diff_ns(ps_mono_now(), start);
        if (atomic_load(&connection->interrupted)) {
            connection->call++;
            return ps_tcp_fail_cancelled(diag);
        }
        if (left <= 0) {
            counters->errors++;
            return fail_silent(connection, call, diag);
        }
        int64_t ms = left / PS_NS_PER_MS + 1;
        (void)UA_Client_run_iterate(connection->client, ms < SLICE_MS ? (UA_UInt32)ms : SLICE_MS);
    }
    if (atomic_load(&connection->interrupted)) {
        connection->call++;
        return ps_tcp_fail_cancelled(diag);
    }
    if (!connection->answered) {
        counters->errors++;
        return fail_lost(connection, call, sent != UA_STATUSCODE_GOOD ? sent : connection->status,
                         diag);
    }
    UA_StatusCode status = ((UA_ResponseHeader *)call->response)->serviceResult;
    if (ps_opcua_status_is_lost(status)) {
        counters->errors++;
        UA_clear(call->response, call->response_type);
        return fail_lost(connection, call, status, diag);
    }
    counters->errors += status != UA_STATUSCODE_GOOD;
    connection->silences = 0;
    smooth_round_trip(counters, start);
    *ret_status = status;
    return PS_OK;
}

PsErr ps_opcua_call(PsOpcuaConnection *connection, const PsOpcuaCall *call,
                    UA_StatusCode *ret_status, PsDiag *diag) {
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    if (connection->client == NULL) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
    }
    UA_RequestHeader *header = call->request;
    header->timeoutHint = (UA_UInt32)(call->timeout_ns / PS_NS_PER_MS) + HINT_EXTRA_MS;
    void *user = ps_opcua_begin(connection, call->response, call->response_type);
    UA_StatusCode sent =
        __UA_Client_AsyncService(connection->client, call->request, call->request_type,
                                 ps_opcua_answer, call->response_type, user, NULL);
    if (ps_opcua_status_is_too_much(sent)) {
        *ret_status = sent; // it did not even fit the server's message size
        connection->call++;
        return PS_OK;
    }
    return ps_opcua_wait(connection, call, sent, ret_status, diag);
}

void ps_opcua_connection_drain(PsOpcuaConnection *connection) {
    for (int i = 0; i < 64 && connection->client != NULL; i++) {
        (void)UA_Client_run_iterate(connection->client, 0);
        if (!ps_opcua_net_heard(connection->loop)) {
            return;
        }
    }
}
