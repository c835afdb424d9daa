//! EPATHs of CIP requests: where a request goes. Padded form (CIP Volume 1, appendix C-1). Pure.
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/// Most segments of one path; a longer one is refused.
#define PS_SIM_CIP_SEGMENTS 16

typedef enum PsSimCipSegmentKind {
    PS_SIM_CIP_CLASS,
    PS_SIM_CIP_INSTANCE,
    PS_SIM_CIP_ELEMENT, ///< "member" in CIP, an array index in Logix
    PS_SIM_CIP_ATTRIBUTE,
    PS_SIM_CIP_SYMBOL,
    PS_SIM_CIP_PORT,
} PsSimCipSegmentKind;

typedef struct PsSimCipSegment {
    PsSimCipSegmentKind kind;
    uint32_t value;   ///< of a port: its number
    uint32_t link;    ///< of a port: the address behind it, UINT32_MAX when that is no number
    const char *name; ///< of a symbol; not terminated, borrowed from the request
    size_t len;
} PsSimCipSegment;

typedef struct PsSimCipPath {
    PsSimCipSegment segments[PS_SIM_CIP_SEGMENTS];
    size_t count;
} PsSimCipPath;

/// Decodes a whole path of `words` 16-bit words. False: the path is no such thing.
bool ps_sim_cip_path_decode(PsReader *reader, size_t words, PsSimCipPath *ret_path);
/// Is segment `index` of this kind?
bool ps_sim_cip_path_is(const PsSimCipPath *path, size_t index, PsSimCipSegmentKind kind);
/// Does the path begin with this class and instance?
bool ps_sim_cip_path_leads_to(const PsSimCipPath *path, uint32_t class_id, uint32_t instance);
