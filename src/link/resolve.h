//! Names to addresses without blocking the caller: one short-lived thread for each question.
//! All calls from one thread.
#pragma once

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/// Addresses kept of one name; more are ignored.
#define PS_ADDRESSES_MAX 8
#define PS_ADDRESS_SIZE (INET6_ADDRSTRLEN + 20) // room for %interface

typedef struct PsAddresses {
    size_t count;
    char text[PS_ADDRESSES_MAX][PS_ADDRESS_SIZE]; ///< numeric, in the order of the system
} PsAddresses;

typedef struct PsResolve PsResolve;

/// Starts getaddrinfo(host) for stream sockets. PS_ERR_NO_MEMORY, PS_ERR_IO (no thread, no
/// descriptor).
PsErr ps_resolve_start(const char *host, PsResolve **ret_resolve);

/// Becomes readable when the answer is there. Owned by the object.
int ps_resolve_fd(const PsResolve *resolve);

/// True when answered: *ret_eai is getaddrinfo's code, 0 with addresses in *ret_addresses.
bool ps_resolve_take(PsResolve *resolve, int *ret_eai, PsAddresses *ret_addresses);

/// Lets go; a question under way ends by itself later and its answer is thrown away. Accepts NULL.
void ps_resolve_free(PsResolve *resolve);
