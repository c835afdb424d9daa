// Modbus over the plant. Requests come on the port's thread, and from serial lines and other sides
// on theirs; one lock guards plant, faults, counters and libmodbus's context.
#include "sim/server.h"

#include "base/mem.h"
#include "base/time.h"
#include "sim/framing.h"

#include <errno.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct PsSimServer {
    bool slaves[256];
    bool restricted; // only the listed unit ids exist
    PsMono start;
    PsSimPort *port;

    pthread_mutex_t lock;
    PsFaults faults;
    PsPlant *plant;
    modbus_mapping_t mapping; // the plant's tables, as libmodbus wants them
    modbus_t *modbus;         // puts its answers into pair[0]
    int pair[2];
    uint64_t answered;
    uint64_t exceptions;
    uint64_t unanswered;
};

static int64_t run_ms(const PsSimServer *server) {
    return ps_mono_diff_ns(ps_mono_now(), server->start) / PS_NS_PER_MS;
}

// The answer's length, 0 when there is none. Under the lock.
static size_t make_answer(PsSimServer *server, const uint8_t *frame, size_t len,
                          const PsSimRequest *request, uint8_t exception, uint8_t *answer) {
    int made = 0;
    if (exception != 0) {
        made = modbus_reply_exception(server->modbus, frame, exception);
    } else {
        ps_plant_advance(server->plant, run_ms(server));
        made = modbus_reply(server->modbus, frame, (int)len, &server->mapping);
        ps_plant_written(server->plant, request->write.table, request->write.offset,
                         request->write.count);
    }
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): it is there, or told at once
    ssize_t got = made > 0 ? recv(server->pair[1], answer, PS_SIM_FRAME_BYTES, MSG_DONTWAIT) : 0;
    if (got <= 0) {
        return 0;
    }
    server->exceptions += exception != 0;
    server->answered += exception == 0;
    return (size_t)got;
}

// What the device says, 0: nothing.
static size_t carry_out(PsSimServer *server, const uint8_t *frame, size_t len, uint8_t *answer,
                        PsKnobAnswer *fault) {
    PsSimRequest request = ps_sim_frame_decode(frame, len);
    size_t answer_len = 0;
    pthread_mutex_lock(&server->lock);
    PsFaultVerdict verdict = ps_faults_judge(&server->faults, &request);
    bool absent = server->restricted && !server->slaves[request.slave];
    if (absent || verdict.action == PS_FAULT_SILENCE) {
        server->unanswered++;
    } else {
        uint8_t exception = verdict.exception != 0 ? verdict.exception : request.exception;
        answer_len = make_answer(server, frame, len, &request, exception, answer);
    }
    pthread_mutex_unlock(&server->lock);
    *fault = (PsKnobAnswer){.late_ms = verdict.late_ms, .damage = verdict.damage};
    return answer_len;
}

static void on_request(void *owner, PsSimClient *client, uint8_t *frame, size_t len) {
    uint8_t answer[PS_SIM_FRAME_BYTES];
    PsKnobAnswer fault;
    size_t answer_len = carry_out(owner, frame, len, answer, &fault);
    if (answer_len > 0) {
        ps_sim_client_answer(client, answer, answer_len, &fault);
    }
}

bool ps_sim_server_ask(PsSimServer *server, const uint8_t *frame, size_t len, uint8_t *answer,
                       size_t *ret_len, PsKnobAnswer *ret_fault) {
    if (ps_sim_port_judge_request(server->port) != PS_KNOB_PASS) {
        return false; // a serial line cannot be reset; it stays silent
    }
    PsKnobAnswer own;
    size_t answer_len = carry_out(server, frame, len, answer, &own);
    if (answer_len == 0) {
        return false;
    }
    PsKnobAnswer fault = ps_sim_port_judge_answer(server->port);
    fault.late_ms += own.late_ms;
    fault.damage = fault.damage != PS_DAMAGE_NONE ? fault.damage : own.damage;
    *ret_len = answer_len;
    *ret_fault = fault;
    return !fault.dropped;
}

bool ps_sim_server_refuses(PsSimServer *server) {
    return ps_sim_port_refuses(server->port);
}

static PsSimServer *server_new(const PsSimServerSetup *setup) {
    PsSimServer *server = ps_alloc(sizeof *server);
    for (size_t i = 0; i < PS_COUNT(setup->slaves); i++) {
        server->slaves[i] = setup->slaves[i];
        server->restricted = server->restricted || setup->slaves[i];
    }
    server->start = ps_mono_now();
    server->plant = ps_plant_new(0);
    server->mapping = (modbus_mapping_t){
        .nb_bits = PS_SIM_TABLE_ITEMS,
        .nb_input_bits = PS_SIM_TABLE_ITEMS,
        .nb_input_registers = PS_SIM_TABLE_ITEMS,
        .nb_registers = PS_SIM_TABLE_ITEMS,
        .tab_bits = server->plant->coils,
        .tab_input_bits = server->plant->discretes,
        .tab_input_registers = server->plant->inputs,
        .tab_registers = server->plant->holdings,
    };
    pthread_mutex_init(&server->lock, NULL);
    server->pair[0] = -1;
    server->pair[1] = -1;
    return server;
}

static PsErr open_modbus(PsSimServer *server, PsDiag *diag) {
    server->modbus = modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
    if (server->modbus == NULL ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, server->pair) != 0 ||
        modbus_set_socket(server->modbus, server->pair[0]) != 0) {
        return ps_fail(PS_ERR_IO, diag, "penstock-sim", NULL, "cannot prepare libmodbus: %s",
                       strerror(errno));
    }
    return PS_OK;
}

PsErr ps_sim_server_start(const PsSimServerSetup *setup, PsSimServer **ret_server, PsDiag *diag) {
    PsSimServer *server = server_new(setup);
    PsSimPortSetup public = {.address = setup->address,
                             .port = setup->port,
                             .connections = setup->connections,
                             .framing = &ps_sim_framing_modbus,
                             .owner = server,
                             .request = on_request};
    PsErr err = open_modbus(server, diag);
    err = err == PS_OK ? ps_sim_port_new(&public, &server->port, diag) : err;
    err = err == PS_OK ? ps_sim_port_start(server->port, diag) : err;
    if (err != PS_OK) {
        ps_sim_server_stop(server);
        return err;
    }
    *ret_server = server;
    return PS_OK;
}

void ps_sim_server_stop(PsSimServer *server) {
    if (server == NULL) {
        return;
    }
    ps_sim_port_free(server->port);
    modbus_free(server->modbus);
    for (size_t i = 0; i < PS_COUNT(server->pair); i++) {
        if (server->pair[i] >= 0) {
            close(server->pair[i]);
        }
    }
    pthread_mutex_destroy(&server->lock);
    ps_plant_free(server->plant);
    free(server);
}

uint16_t ps_sim_server_port(const PsSimServer *server) {
    return ps_sim_port_number(server->port);
}

PsSimStats ps_sim_server_stats(PsSimServer *server) {
    PsSimPortStats port = ps_sim_port_stats(server->port);
    pthread_mutex_lock(&server->lock);
    PsSimStats stats = {.requests = port.requests,
                        .answered = server->answered,
                        .exceptions = server->exceptions,
                        .unanswered = port.unanswered + server->unanswered,
                        .resets = port.resets,
                        .accepted = port.accepted,
                        .turned_away = port.turned_away,
                        .connections = port.connections};
    pthread_mutex_unlock(&server->lock);
    return stats;
}

PsErr ps_sim_server_fault(PsSimServer *server, const char *line, PsDiag *diag) {
    PsDiag unknown = {0};
    PsErr err = ps_sim_port_fault(server->port, line, &unknown);
    if (err != PS_OK && err != PS_ERR_NOT_FOUND) {
        if (diag != NULL) {
            *diag = unknown;
        }
        return err;
    }
    PsDiag own = {0};
    pthread_mutex_lock(&server->lock);
    PsErr own_err = ps_faults_turn(&server->faults, line, &own); // "ok" is for both
    pthread_mutex_unlock(&server->lock);
    if (own_err == PS_ERR_NOT_FOUND && err == PS_OK) {
        return PS_OK;
    }
    if (own_err != PS_OK && diag != NULL) {
        *diag = own;
    }
    return own_err;
}

void ps_sim_server_force(PsSimServer *server, PsSimAddress address, uint16_t value) {
    pthread_mutex_lock(&server->lock);
    ps_plant_advance(server->plant, run_ms(server));
    ps_plant_force(server->plant, address, value);
    pthread_mutex_unlock(&server->lock);
}

uint16_t ps_sim_server_item(PsSimServer *server, PsSimAddress address) {
    uint16_t value = 0;
    ps_sim_server_items(server, address, 1, &value);
    return value;
}

void ps_sim_server_items(PsSimServer *server, PsSimAddress first, size_t count,
                         uint16_t *ret_values) {
    pthread_mutex_lock(&server->lock);
    ps_plant_advance(server->plant, run_ms(server));
    for (size_t i = 0; i < count; i++) {
        size_t offset = first.offset + i;
        PsSimAddress address = {first.table, (uint16_t)offset};
        ret_values[i] = offset < PS_SIM_TABLE_ITEMS ? ps_plant_item(server->plant, address) : 0;
    }
    pthread_mutex_unlock(&server->lock);
}

void ps_sim_server_write(PsSimServer *server, PsSimAddress first, size_t count,
                         const uint16_t *values) {
    pthread_mutex_lock(&server->lock);
    ps_plant_advance(server->plant, run_ms(server));
    ps_plant_write(server->plant, first, count, values);
    pthread_mutex_unlock(&server->lock);
}

void ps_sim_server_release(PsSimServer *server) {
    pthread_mutex_lock(&server->lock);
    ps_plant_release(server->plant);
    pthread_mutex_unlock(&server->lock);
}
