//! How devices are addressed beyond an IP address and a port, as it is written in penstock.json:
//! TSAPs, CIP routes, OPC UA addresses. Pure; any thread.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/// "10.00": two hexadecimal bytes of one or two digits each.
bool ps_tsap_parse(const char *text, uint16_t *ret_tsap);

/// "none", or pairs of port (1 to 65535) and address behind it: a slot or node 0 to 255, or an IPv4
/// address. `diag` has field "route". "" is in order: it is left out.
PsErr ps_route_check(const char *text, PsDiag *diag);

/// "opc.tcp://host[:port][/path]", an IPv6 address in brackets. `diag` has field "url".
PsErr ps_opcua_url_check(const char *url, PsDiag *diag);
