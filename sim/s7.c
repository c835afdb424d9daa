// The S7 side: libsnap7's server on a private port, behind the front. Its threads ask for every
// value as it is read, so that the plant moves under it. The library's header has a bool of its own
// and defines objects: it comes first, and into this file only.
#include <time.h>

#include <snap7.h>
#undef true
#undef false

#include "sim/s7.h"

#include "base/mem.h"
#include "sim/framing.h"
#include "sim/s7_front.h"
#include "sim/s7_memory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ATTEMPTS 20
#define LOOK_MS 20 // of the library's threads, whether to stop

struct PsSimSide {
    S7Object server;
    PsSimS7Memory *memory;
    PsSimS7Front *front;
};

// Bytes of an element of a request, by its word length.
static uint32_t element_bytes(int word_len) {
    switch (word_len) {
    case 0x04: // WORD
    case 0x05: // INT
        return 2;
    case 0x06: // DWORD
    case 0x07: // DINT
    case 0x08: // REAL
        return 4;
    default:
        return 1;
    }
}

// Called by the library for each item of a read or write: 0, or the item is refused.
static int serve(void *argument, int sender, int operation, PS7Tag tag, void *data) {
    PsSimSide *side = argument;
    (void)sender;
    bool is_bit = tag->WordLen == S7WLBit;
    uint32_t start = (uint32_t)tag->Start;
    PsSimS7Place place = {
        .area = (uint8_t)tag->Area,
        .db = (uint16_t)tag->DBNumber,
        .first = is_bit ? start / 8 : start,
        .len = is_bit ? 1 : (uint32_t)tag->Size * element_bytes(tag->WordLen),
    };
    if (ps_sim_s7_code(side->memory, &place) != PS_SIM_S7_FINE) {
        return -1;
    }
    if (operation == OperationRead) {
        ps_sim_s7_read(side->memory, &place, data);
    } else if (is_bit) {
        ps_sim_s7_write_bit(side->memory, &place, start % 8, (*(const uint8_t *)data & 1) != 0);
    } else {
        ps_sim_s7_write(side->memory, &place, data);
    }
    return 0;
}

// The library does not tell which port it got.
static uint16_t free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    bool found = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &len) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return found ? ntohs(address.sin_port) : 0;
}

// Another program may be quicker to take the port: then another one.
static PsErr start_server(PsSimSide *side, uint16_t *ret_port, PsDiag *diag) {
    int look = LOOK_MS;
    side->server = Srv_Create();
    (void)Srv_SetParam(side->server, p_i32_WorkInterval, &look);
    (void)Srv_SetRWAreaCallback(side->server, serve, side);
    (void)Srv_SetCpuStatus(side->server, S7CpuStatusRun);
    for (int i = 0; i < ATTEMPTS; i++) {
        uint16_t port = free_port();
        if (port != 0 && Srv_SetParam(side->server, p_u16_LocalPort, &port) == 0 &&
            Srv_StartTo(side->server, "127.0.0.1") == 0) {
            *ret_port = port;
            return PS_OK;
        }
    }
    return ps_fail(PS_ERR_IO, diag, NULL, NULL, "S7: libsnap7's server finds no port on 127.0.0.1");
}

static void stop(PsSimSide *side) {
    if (side != NULL) {
        ps_sim_s7_front_stop(side->front);
        Srv_Stop(side->server);
        Srv_Destroy(&side->server);
        ps_sim_s7_memory_free(side->memory);
        free(side);
    }
}

static PsErr start(const PsSimSideSetup *setup, PsSimSide **ret_side, PsDiag *diag) {
    PsSimSide *side = ps_alloc(sizeof *side);
    side->memory = ps_sim_s7_memory_new(setup);
    uint16_t port = 0;
    PsErr err = start_server(side, &port, diag);
    if (err == PS_OK) {
        err = ps_sim_s7_front_start(side->memory, setup->address, setup->port, port, &side->front,
                                    diag);
    }
    if (err != PS_OK) {
        stop(side);
        return err;
    }
    *ret_side = side;
    return PS_OK;
}

static uint16_t bound_port(const PsSimSide *side) {
    return ps_sim_s7_front_port(side->front);
}

static PsErr fault(PsSimSide *side, const char *line, PsDiag *diag) {
    PsErr err = ps_sim_s7_memory_fault(side->memory, line, diag);
    bool stopped = ps_sim_s7_stopped(side->memory);
    (void)Srv_SetCpuStatus(side->server, stopped ? S7CpuStatusStop : S7CpuStatusRun);
    return err;
}

static void help(PsBuf *out) {
    static const struct {
        const char *usage;
        const char *meaning;
    } lines[] = {
        {"hole DB1 10-20", "these bytes are out of range (0x05); also: hole M 4"},
        {"exception CODE", "every item is refused with this return code: exception 0x03"},
        {"putget off|on", "the CPU refuses the functions read and write (0x8104)"},
        {"stop, run", "the CPU is in STOP, in RUN; its values are served all the same"},
    };
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        ps_buf_printf(out, "  %-32s %s\n", lines[i].usage, lines[i].meaning);
    }
}

const PsSimSideKind ps_sim_s7_kind = {
    .name = "s7",
    .title = "S7 (ISO-on-TCP)",
    .port = 102,
    .framing = &ps_sim_framing_tpkt,
    .start = start,
    .stop = stop,
    .bound_port = bound_port,
    .fault = fault,
    .help = help,
};
