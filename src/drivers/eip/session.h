//! What the files of this driver share of a session. One channel thread.
#pragma once

#include "drivers/eip/connection.h"
#include "drivers/eip/plan.h"
#include "drivers/eip/symbol.h"

#define PS_EIP_SHAPES 32U

/// Is a structure with this handle a text, that is LEN and DATA?
typedef struct PsEipShape {
    uint16_t handle;
    bool known;
    bool text;
} PsEipShape;

typedef struct PsEipSession {
    PsSession base;
    const PsEndpoint *endpoint;
    PsEipPlan *plans; ///< one per set
    PsEipConnection connection;
    bool connection_ready; ///< init has run
    int64_t connect_timeout_ns;
    int64_t idle_ns;
    bool no_multiple;       ///< the device does not know packets of several services
    uint32_t answer_max[2]; ///< most bytes it has given at once: without, with a CIP connection
    PsEipShape shapes[PS_EIP_SHAPES]; ///< a ring
    uint32_t shape_next;
    PsBuf message; ///< scratch of the requests that are not of a plan
} PsEipSession;

/// What one message may hold by the present way, and as the device has taught.
PsEipLimits ps_eip_session_limits(const PsEipSession *session);
/// An answer of `len` bytes was too much.
void ps_eip_session_shrink(PsEipSession *session, uint32_t len);

/// What the type of a place is to an index: in a Micro800 a DWORD is a number.
uint16_t ps_eip_index_type(const PsEipSession *session, uint16_t type);

/// NULL: not known yet.
const PsEipShape *ps_eip_shape_find(const PsEipSession *session, uint16_t handle);
/// Asks whether the structure at `path` has members LEN (a DINT) and DATA (of SINT), and keeps it
/// for its handle. Errors as of ps_eip_transact.
PsErr ps_eip_shape_learn(PsEipSession *session, uint16_t handle, const uint8_t *path,
                         uint16_t path_len, int64_t timeout_ns, PsDiag *diag);

/// One place, asked for by itself.
typedef struct PsEipPlace {
    PsEipSymbol symbol;
    int64_t timeout_ns;
    uint8_t path[PS_EIP_PLACE_PATH_MAX]; ///< that was asked for in the end
    uint16_t path_len;
    PsEipReply reply; ///< its status; borrowed until the next request, as is `data`
    PsEipData data;
    int8_t bit; ///< of the place, or PS_EIP_NO_BIT
} PsEipPlace;

/// The place of a variable, for ps_eip_place_read.
PsErr ps_eip_place_init(const PsEipSession *session, uint32_t variable, PsEipPlace *ret_place,
                        PsDiag *diag);
/// Reads it; a refusal is PS_OK with its status in place->reply. Other errors as of
/// ps_eip_transact.
PsErr ps_eip_place_read(PsEipSession *session, PsEipPlace *place, PsDiag *diag);
/// PS_ERR_REFUSED in words.
PsErr ps_eip_fail_refused(const PsVariable *variable, const PsEipReply *reply, PsDiag *diag);

PsErr ps_eip_read(PsEipSession *session, uint32_t set, PsSampleBatch *batch, PsDiag *diag);
PsErr ps_eip_write(PsEipSession *session, uint32_t variable, PsValue value, PsValue *ret_read_back,
                   PsDiag *diag);
PsErr ps_eip_peek(PsEipSession *session, uint32_t variable, PsPeek *peek, PsDiag *diag);
PsErr ps_eip_browse(PsEipSession *session, uint32_t device, PsBrowse *browse, PsDiag *diag);

int64_t ps_eip_timeout(const PsEipSession *session, uint32_t device);
