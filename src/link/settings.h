//! The link's own copy of what it was set up with, with every default filled in.
//! Immutable once made, so the main and the link thread both read it.
#pragma once

#include "base/arena.h"
#include "link/link.h"

typedef struct PsLinkSettings {
    PsArena *arena;
    PsCloud cloud; ///< no NULL texts
    bool tls;
    const char *alpn; ///< NULL for none
    int keepalive_s;
    PsLinkSubscription *subscriptions;
    size_t subscription_count;
    size_t window; ///< for the outbox; publish_now has PS_LINK_NOW_WINDOW more
    PsLinkTimes times;
} PsLinkSettings;

/// PS_ERR_INVALID with a diagnosis when the cloud's shape cannot work.
PsErr ps_link_settings_new(const PsLinkSetup *setup, PsLinkSettings **ret_settings, PsDiag *diag);
/// Can a connection made with `a` go on under `b`? Subscriptions, window and times do not matter.
bool ps_link_settings_same_connection(const PsLinkSettings *a, const PsLinkSettings *b);
/// Accepts NULL.
void ps_link_settings_free(PsLinkSettings *settings);
