//! The sessions of people who have logged in: in memory only, so they end with the gateway. Of the
//! cookie only the SHA-256 is kept. Pure but for random values: times come in, and they are those
//! of ps_boot_now, which no one can set.
#pragma once

#include "access/accounts.h"

typedef struct PsSession {
    uint64_t id; ///< never used twice; 0: free
    uint8_t hash[PS_SECRET_HASH];
    char csrf[PS_SECRET_TEXT];
    char name[PS_ACCOUNT_NAME_MAX + 1];
    PsMono begun;
    PsMono used;
} PsSession;

typedef struct PsSessions {
    PsSession items[PS_SESSIONS_MAX];
    uint64_t last_id;
    int64_t idle_ns;
    int64_t longest_ns;
} PsSessions;

/// A new session with new secrets, whatever the client had before. Where the account has
/// PS_SESSIONS_EACH, or all are taken, the one that is longest unused ends.
PsSession *ps_sessions_begin(PsSessions *sessions, const char *name, PsMono now,
                             char ret_cookie[PS_SECRET_TEXT]);
/// NULL when it is none or has ended. The caller sets `used` when somebody uses it.
PsSession *ps_sessions_find(PsSessions *sessions, const char *cookie, PsMono now);
PsSession *ps_sessions_by_id(PsSessions *sessions, uint64_t id, PsMono now);
/// When it ends unless it is used, and whatever happens.
PsMono ps_sessions_idle_end(const PsSessions *sessions, const PsSession *session);
PsMono ps_sessions_last_end(const PsSessions *sessions, const PsSession *session);
void ps_session_end(PsSession *session);
/// All of the account but `except` (0: all).
void ps_sessions_end_of(PsSessions *sessions, const char *name, uint64_t except);
