//! How long somebody who gave a wrong password has to wait. Pure: times come in (of ps_boot_now).
//!
//! Two counters, each with a delay that doubles: of the address, whatever names it tries, and of
//! the name, wherever it is tried. What is refused for its delay counts for nothing, so the delay
//! does not grow by knocking. That of a name does not hold for an address that it was used well
//! from before, nor for the first try of an address that has failed at nothing: so nobody can keep
//! an administrator out by failing on purpose. Names that are nobody's are treated the same.
//!
//! Bounds: PS_THROTTLE_ADDRESSES and PS_THROTTLE_NAMES; the entry whose last failure is oldest
//! goes.
#pragma once

#include "access/access.h"

#define PS_THROTTLE_ADDRESSES 1024
#define PS_THROTTLE_NAMES 512
#define PS_THROTTLE_GOOD 4 ///< addresses a name was used well from, newest first
#define PS_ADDRESS_SIZE 64

typedef struct PsThrottleEntry {
    char key[PS_ACCOUNT_NAME_MAX + 1]; ///< "": free
    unsigned failures;
    PsMono last; ///< failure
} PsThrottleEntry;

typedef struct PsThrottleGood {
    char name[PS_ACCOUNT_NAME_MAX + 1];
    char addresses[PS_THROTTLE_GOOD][PS_ADDRESS_SIZE];
} PsThrottleGood;

typedef struct PsThrottle {
    PsThrottleEntry addresses[PS_THROTTLE_ADDRESSES];
    PsThrottleEntry names[PS_THROTTLE_NAMES];
    PsThrottleGood good[PS_ACCOUNTS_MAX];
} PsThrottle;

/// What counts as one address: of IPv6 the first 64 bits, which one machine usually has to itself.
void ps_throttle_address(const char *address, char out[PS_ADDRESS_SIZE]);

/// Nanoseconds still to wait; 0: go on, and the try counts as a failure until it is told to be good
/// (so that many at once gain nothing).
int64_t ps_throttle_begin(PsThrottle *throttle, const char *name, const char *address, PsMono now);
/// The password was right. The address keeps what it failed at with other names.
void ps_throttle_good(PsThrottle *throttle, const char *name, const char *address);
/// It was not judged (the gateway stops, the queue is full): takes the failure back.
void ps_throttle_take_back(PsThrottle *throttle, const char *name, const char *address);
/// When the name's delay ends; 0 when it has none.
PsMono ps_throttle_name_until(const PsThrottle *throttle, const char *name, PsMono now);
/// Another password: the name's failures are forgotten.
void ps_throttle_forget(PsThrottle *throttle, const char *name);
