// Sessions: begin, find, end. Pure but for random values.
#include "access/sessions.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

PsMono ps_sessions_last_end(const PsSessions *sessions, const PsSession *session) {
    return ps_mono_add_ns(session->begun, sessions->longest_ns);
}

PsMono ps_sessions_idle_end(const PsSessions *sessions, const PsSession *session) {
    PsMono idle = ps_mono_add_ns(session->used, sessions->idle_ns);
    PsMono last = ps_sessions_last_end(sessions, session);
    return idle.ns < last.ns ? idle : last;
}

void ps_session_end(PsSession *session) {
    ps_secret_wipe(session, sizeof *session);
}

// One that has ended is free from then on.
static bool is_there(const PsSessions *sessions, PsSession *session, PsMono now) {
    if (session->id != 0 && now.ns >= ps_sessions_idle_end(sessions, session).ns) {
        ps_session_end(session);
    }
    return session->id != 0;
}

// A free place; else that of the account's session, or of anybody's, that is longest unused.
static PsSession *make_room(PsSessions *sessions, const char *name, PsMono now) {
    PsSession *free_one = NULL;
    PsSession *oldest = NULL;
    PsSession *own = NULL;
    size_t own_count = 0;
    for (size_t i = 0; i < PS_SESSIONS_MAX; i++) {
        PsSession *session = &sessions->items[i];
        if (!is_there(sessions, session, now)) {
            free_one = session;
            continue;
        }
        if (oldest == NULL || session->used.ns < oldest->used.ns) {
            oldest = session;
        }
        if (strcasecmp(session->name, name) == 0) {
            own_count++;
            own = own == NULL || session->used.ns < own->used.ns ? session : own;
        }
    }
    PsSession *place = own_count >= PS_SESSIONS_EACH ? own : free_one != NULL ? free_one : oldest;
    ps_session_end(place);
    return place;
}

PsSession *ps_sessions_begin(PsSessions *sessions, const char *name, PsMono now,
                             char ret_cookie[PS_SECRET_TEXT]) {
    PsSession *session = make_room(sessions, name, now);
    ps_secret_make(ret_cookie);
    ps_secret_hash(ret_cookie, session->hash);
    ps_secret_make(session->csrf);
    snprintf(session->name, sizeof session->name, "%s", name);
    session->begun = session->used = now;
    session->id = ++sessions->last_id;
    return session;
}

PsSession *ps_sessions_find(PsSessions *sessions, const char *cookie, PsMono now) {
    uint8_t hash[PS_SECRET_HASH];
    PsSession *found = NULL;
    ps_secret_hash(cookie, hash);
    for (size_t i = 0; i < PS_SESSIONS_MAX; i++) {
        PsSession *session = &sessions->items[i];
        if (is_there(sessions, session, now) &&
            ps_secret_equal(session->hash, hash, PS_SECRET_HASH)) {
            found = session;
        }
    }
    return found;
}

PsSession *ps_sessions_by_id(PsSessions *sessions, uint64_t id, PsMono now) {
    for (size_t i = 0; id != 0 && i < PS_SESSIONS_MAX; i++) {
        PsSession *session = &sessions->items[i];
        if (session->id == id) {
            return is_there(sessions, session, now) ? session : NULL;
        }
    }
    return NULL;
}

void ps_sessions_end_of(PsSessions *sessions, const char *name, uint64_t except) {
    for (size_t i = 0; i < PS_SESSIONS_MAX; i++) {
        PsSession *session = &sessions->items[i];
        if (session->id != 0 && session->id != except && strcasecmp(session->name, name) == 0) {
            ps_session_end(session);
        }
    }
}
