//! What the files of the controller's services share: a request taken apart, replies put together.
#pragma once

#include "sim/cip.h"

/// Of a reply: service, reserved, general status, words of extended status.
#define PS_SIM_CIP_REPLY_BYTES 4

typedef struct PsSimCipAsk {
    uint8_t service;
    PsSimCipPath path;
    PsReader data;
    size_t room; ///< bytes that the whole reply may have
} PsSimCipAsk;

typedef void (*PsSimCipService)(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);

/// Begins a reply; its data follow.
void ps_sim_cip_reply(PsBuf *out, const PsSimCipAsk *ask, uint8_t status);
/// A whole reply that is a refusal.
void ps_sim_cip_fail(PsBuf *out, const PsSimCipAsk *ask, uint8_t status);
/// The same with an extended status.
void ps_sim_cip_fail_more(PsBuf *out, const PsSimCipAsk *ask, uint8_t status, uint16_t more);

// Services to tags (cip_data.c).
void ps_sim_cip_read(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_read_fragment(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_write(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_write_fragment(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_modify(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);

// What there is (cip_symbols.c).
void ps_sim_cip_list_symbols(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_template_attributes(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_template_read(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);

// Connections (cip_connections.c).
void ps_sim_cip_forward_open(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_large_forward_open(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
void ps_sim_cip_forward_close(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out);
