//! Paths of CIP requests that are no tags: the route through a chassis to the controller, and the
//! objects inside it. Pure; any thread.
//!
//! Sources: CIP Volume 1, appendix C-1.4.1 (port segments) and C-1.4.2 (logical segments).
#pragma once

#include "model/config.h"

#define PS_EIP_ROUTE_MAX 96U
#define PS_EIP_ROUTE_TEXT 72U

/// Way from the Ethernet port to the controller. Empty: the device itself is meant.
typedef struct PsEipRoute {
    uint8_t bytes[PS_EIP_ROUTE_MAX];
    uint8_t len;                  ///< always even
    char text[PS_EIP_ROUTE_TEXT]; ///< "1,0"; "none"
} PsEipRoute;

/// `route` and `slot` of a device: "" is "1,slot", "none" no route, otherwise pairs of port and
/// address. PS_ERR_INVALID with words.
PsErr ps_eip_route_parse(const PsDevice *device, PsEipRoute *ret_route, PsDiag *diag);

#define PS_EIP_OBJECT_MAX 12U

/// The path of an instance of a class, as short as it goes; instances of the symbol and template
/// objects always with 16 or 32 bits, as 1756-PM020 shows them. How many bytes.
uint16_t ps_eip_object_put(uint8_t *out, uint8_t class_id, uint32_t instance);
