// The EtherNet/IP side: a port, its clients' sessions, the controller behind them. Requests come on
// the port's thread, faults on the controlling one; one lock guards the controller.
#include "sim/eip.h"

#include "base/mem.h"
#include "sim/eip_session.h"
#include "sim/framing.h"
#include "sim/port.h"

#include <pthread.h>
#include <stdlib.h>

#define DEFAULT_PORT 44818

struct PsSimSide {
    PsSimPort *port;
    pthread_mutex_t lock;
    PsSimEip eip;
    PsBuf answer; // of the port's thread
};

static bool on_opened(void *owner, PsSimClient *client) {
    (void)owner;
    client->user = ps_alloc(sizeof(PsSimEipSession));
    return true;
}

static void on_closed(void *owner, PsSimClient *client) {
    PsSimSide *side = owner;
    pthread_mutex_lock(&side->lock);
    ps_sim_cip_forget(side->eip.cip, client->user);
    pthread_mutex_unlock(&side->lock);
    free(client->user);
}

static void on_request(void *owner, PsSimClient *client, uint8_t *frame, size_t len) {
    PsSimSide *side = owner;
    ps_buf_clear(&side->answer);
    pthread_mutex_lock(&side->lock);
    bool goes_on =
        ps_sim_eip_take(&side->eip, client->user, frame, len, ps_mono_now(), &side->answer);
    pthread_mutex_unlock(&side->lock);
    if (side->answer.len > 0) {
        ps_sim_client_answer(client, side->answer.data, side->answer.len, NULL);
    }
    if (!goes_on) {
        ps_sim_client_finish(client);
    }
}

static void stop(PsSimSide *side) {
    if (side == NULL) {
        return;
    }
    ps_sim_port_free(side->port);
    ps_sim_cip_free(side->eip.cip);
    ps_buf_deinit(&side->answer);
    pthread_mutex_destroy(&side->lock);
    free(side);
}

static PsErr start(const PsSimSideSetup *setup, PsSimSide **ret_side, PsDiag *diag) {
    PsSimSide *side = ps_alloc(sizeof *side);
    PsSimPortSetup public = {.address = setup->address,
                             .port = setup->port,
                             .connections = setup->connections,
                             .framing = &ps_sim_framing_eip,
                             .owner = side,
                             .opened = on_opened,
                             .request = on_request,
                             .closed = on_closed};
    pthread_mutex_init(&side->lock, NULL);
    side->eip.cip = ps_sim_cip_new(setup);
    side->eip.port = setup->public_port;
    PsErr err = ps_sim_port_new(&public, &side->port, diag);
    err = err == PS_OK ? ps_sim_port_start(side->port, diag) : err;
    if (err != PS_OK) {
        stop(side);
        return err;
    }
    *ret_side = side;
    return PS_OK;
}

static uint16_t bound_port(const PsSimSide *side) {
    return ps_sim_port_number(side->port);
}

static PsErr fault(PsSimSide *side, const char *line, PsDiag *diag) {
    pthread_mutex_lock(&side->lock);
    PsSimCipFaults *faults = &side->eip.cip->faults;
    PsErr err = ps_sim_cip_fault(faults, line, diag);
    if (faults->drop) {
        faults->drop = false;
        ps_sim_cip_forget(side->eip.cip, NULL);
    }
    pthread_mutex_unlock(&side->lock);
    return err;
}

const PsSimSideKind ps_sim_eip_kind = {
    .name = "eip",
    .title = "EtherNet/IP",
    .port = DEFAULT_PORT,
    .framing = &ps_sim_framing_eip,
    .start = start,
    .stop = stop,
    .bound_port = bound_port,
    .fault = fault,
    .help = ps_sim_cip_fault_help,
};
