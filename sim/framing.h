//! How the streams of the protocols are cut into frames, and where a frame says which request it
//! answers. Pure; see PsSimFraming in side.h.
#pragma once

#include "sim/side.h"

/// TPKT (RFC 1006, section 6) around S7; the identity is the S7 header's PDU reference.
extern const PsSimFraming ps_sim_framing_tpkt;
/// OPC UA Part 6, section 7.1.2.2; the identity is the sequence header's request id. Within a
/// channel that encrypts or signs, a spoiled one is a broken message.
extern const PsSimFraming ps_sim_framing_opcua;
/// EtherNet/IP encapsulation (CIP Volume 2, section 2-3); the identity is the sender context, of
/// connected messages the sequence count.
extern const PsSimFraming ps_sim_framing_eip;
/// Modbus TCP; the identity is the transaction number.
extern const PsSimFraming ps_sim_framing_modbus;
