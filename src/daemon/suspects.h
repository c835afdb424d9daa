//! Which message makes the server end the connection? AWS IoT closes it for a publish that a policy
//! does not allow, or that it cannot take, and says no more. Pure; main thread.
//!
//! When the server has ended a connection with several messages under way, they go one by one over
//! the next, until each is acknowledged. A message that was alone under way when two connections in
//! a row were ended by the server is the one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_SUSPECT_STRIKES 2

typedef struct PsSuspects {
    size_t left;    ///< acknowledgements until messages go side by side again
    uint64_t alone; ///< was alone under way at the newest such end; 0: none
    int strikes;    ///< ends in a row for it
} PsSuspects;

/// Shall messages go one at a time now?
bool ps_suspects_one_by_one(const PsSuspects *suspects);

/// The server ended the connection with `messages` under way; `id` is the one when it is one. The
/// id that is to be set aside, or 0.
uint64_t ps_suspects_cut(PsSuspects *suspects, size_t messages, uint64_t id);
void ps_suspects_acknowledged(PsSuspects *suspects, uint64_t id);
