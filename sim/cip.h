//! The simulated Logix controller behind EtherNet/IP: CIP requests in, replies out (CIP Volume 1;
//! Rockwell 1756-PM020 for tags). No sockets, no clock. Not thread-safe; the side serialises.
#pragma once

#include "base/time.h"
#include "sim/cip_path.h"
#include "sim/cip_tags.h"

#include <stdbool.h>
#include <stdint.h>

/// Connections of class 3 at a time, over all clients.
#define PS_SIM_CIP_CONNECTIONS 32
/// Longest reply outside a connection: what unconnected messages are held to.
#define PS_SIM_CIP_UNCONNECTED 504
/// Largest connections (Forward Open: nine bits; Large Forward Open).
#define PS_SIM_CIP_SMALL_MOST 511
#define PS_SIM_CIP_LARGE_MOST 4002
/// Tags that have a fault of their own at the same time.
#define PS_SIM_CIP_TAG_FAULTS 16

// General status (CIP Volume 1, appendix B).
#define PS_SIM_CIP_OK 0x00
#define PS_SIM_CIP_CONNECTION_FAILURE 0x01
#define PS_SIM_CIP_BAD_PARAMETER 0x03
#define PS_SIM_CIP_PATH_SEGMENT 0x04
#define PS_SIM_CIP_PATH_UNKNOWN 0x05
#define PS_SIM_CIP_PARTIAL 0x06
#define PS_SIM_CIP_NO_SERVICE 0x08
#define PS_SIM_CIP_ATTRIBUTE_LIST 0x0A
#define PS_SIM_CIP_PRIVILEGE 0x0F
#define PS_SIM_CIP_STATE_CONFLICT 0x10
#define PS_SIM_CIP_REPLY_TOO_LARGE 0x11
#define PS_SIM_CIP_NOT_ENOUGH_DATA 0x13
#define PS_SIM_CIP_NO_ATTRIBUTE 0x14
#define PS_SIM_CIP_TOO_MUCH_DATA 0x15
#define PS_SIM_CIP_EMBEDDED 0x1E
#define PS_SIM_CIP_PATH_SIZE 0x26
#define PS_SIM_CIP_GENERAL 0xFF

typedef struct PsSimCipTagFault {
    char tag[64];
    uint8_t status;
} PsSimCipTagFault;

/// Zero-initialised: none.
typedef struct PsSimCipFaults {
    bool no_large;
    bool structure_only;
    bool locked;
    bool limited;   ///< `most` is in effect
    uint32_t most;  ///< connections
    uint32_t size;  ///< largest connection; 0: no limit of its own
    uint8_t status; ///< for every request to a tag; 0: none
    PsSimCipTagFault tags[PS_SIM_CIP_TAG_FAULTS];
    size_t tag_count;
    bool drop; ///< all connections are to be forgotten
} PsSimCipFaults;

/// One connection of class 3.
typedef struct PsSimCipConnection {
    const void *client; ///< whose it is; NULL: free
    uint32_t to_us;     ///< id of what comes here
    uint32_t to_client;
    uint16_t serial;
    uint16_t vendor;
    uint32_t originator;
    uint32_t room_in;  ///< largest request, with its sequence count
    uint32_t room_out; ///< largest reply, with its sequence count
    int64_t patience_ns;
    PsMono last;
} PsSimCipConnection;

typedef struct PsSimCip {
    PsSimCipTags *tags;
    PsSimCipFaults faults;
    PsSimCipConnection connections[PS_SIM_CIP_CONNECTIONS];
    uint32_t next_id;
    PsMono now;         ///< of the request at hand
    const void *client; ///< whose request it is
} PsSimCip;

PsSimCip *ps_sim_cip_new(const PsSimSideSetup *plant);
void ps_sim_cip_free(PsSimCip *cip);

/// Appends the reply to the CIP request `bytes`; it has `room` bytes at most.
void ps_sim_cip_ask(PsSimCip *cip, const uint8_t *bytes, size_t len, size_t room, PsBuf *out);

/// The connection of this client with this id, NULL when there is none (any more).
PsSimCipConnection *ps_sim_cip_connection_find(PsSimCip *cip, uint32_t to_us);
/// Forgets the connections of a client that has gone.
void ps_sim_cip_forget(PsSimCip *cip, const void *client);

/// Turns a fault knob of its own: PS_ERR_NOT_FOUND, PS_ERR_INVALID as ps_faults_turn.
PsErr ps_sim_cip_fault(PsSimCipFaults *faults, const char *line, PsDiag *diag);
void ps_sim_cip_fault_help(PsBuf *out);
/// The status that a fault demands for this place, 0: none.
uint8_t ps_sim_cip_fault_of(const PsSimCipFaults *faults, const char *place);

/// Appends the data of the identity object (attributes 1 to 7).
void ps_sim_cip_put_identity(PsBuf *out);
