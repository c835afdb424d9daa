// Fuzz target: what clients send to the simulated controller of EtherNet/IP, cut into frames as its
// port does. Each frame is taken as one of a registered session. Answers are whole frames, no
// longer than what was agreed on, and what is stored stays in its tag.
#include "sim/eip_session.h"
#include "sim/framing.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 24
#define LONGEST (HEADER + 22 + PS_SIM_CIP_LARGE_MOST)
#define SESSION_AT 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static void items(void *plant, PsSimAddress first, size_t count, uint16_t *ret_values) {
    (void)plant;
    (void)first;
    memset(ret_values, 'A', count * sizeof ret_values[0]);
}

static void write_items(void *plant, PsSimAddress first, size_t count, const uint16_t *values) {
    uint16_t *sum = plant;
    (void)first;
    for (size_t i = 0; i < count; i++) {
        *sum = (uint16_t)(*sum + values[i]);
    }
}

static bool take(PsSimEip *eip, PsSimEipSession *session, const uint8_t *frame, size_t len) {
    PS_AUTO_BUF PsBuf own = {0};
    PS_AUTO_BUF PsBuf out = {0};
    ps_buf_put(&own, frame, len);
    own.data[SESSION_AT] = (uint8_t)session->handle;
    memset(own.data + SESSION_AT + 1, 0, 3);
    bool goes_on = ps_sim_eip_take(eip, session, own.data, len, (PsMono){1}, &out);
    must(out.len <= LONGEST);
    must(out.len == 0 || ps_sim_framing_eip.length(out.data, out.len) == out.len);
    return goes_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint16_t sum = 0;
    PsSimSideSetup source = {.items = items, .write_items = write_items, .plant = &sum};
    PsSimEip eip = {.cip = ps_sim_cip_new(&source), .port = 1};
    PsSimEipSession session = {.handle = ++eip.last_handle};
    size_t at = 0;
    size_t len = 0;
    bool goes_on = true;
    while (goes_on && (len = ps_sim_framing_eip.length(data + at, size - at)) != 0 &&
           len <= size - at) {
        goes_on = take(&eip, &session, data + at, len);
        at += len;
    }
    ps_sim_cip_free(eip.cip);
    return 0;
}
