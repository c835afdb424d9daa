// Sessions by client id. Main thread; saving blocks for a local database.
#include "localcloud/front/session.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS ((size_t)64)
#define USE_NS (10 * PS_NS_PER_S) // longer than any rate of CONNECTs is measured over

// FNV-1a.
static size_t hash(const char *text) {
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return (size_t)value;
}

static PsSession **bucket_of(const PsSessions *sessions, const char *client_id) {
    return &sessions->buckets[hash(client_id) & (sessions->bucket_count - 1)];
}

static void grow(PsSessions *sessions) {
    PsSessions larger = {.bucket_count = sessions->bucket_count * 2};
    larger.buckets = ps_alloc_array(larger.bucket_count, sizeof(PsSession *));
    for (size_t i = 0; i < sessions->bucket_count; i++) {
        for (PsSession *session = sessions->buckets[i]; session != NULL;) {
            PsSession *next = session->next;
            PsSession **bucket = bucket_of(&larger, session->client_id);
            session->next = *bucket;
            *bucket = session;
            session = next;
        }
    }
    free(sessions->buckets);
    sessions->buckets = larger.buckets;
    sessions->bucket_count = larger.bucket_count;
}

PsSession *ps_sessions_find(const PsSessions *sessions, const char *client_id) {
    PsSession *session = *bucket_of(sessions, client_id);
    while (session != NULL && strcmp(session->client_id, client_id) != 0) {
        session = session->next;
    }
    return session;
}

PsSession *ps_sessions_get(PsSessions *sessions, const char *client_id) {
    PsSession *session = ps_sessions_find(sessions, client_id);
    if (session != NULL) {
        return session;
    }
    if (sessions->count >= sessions->bucket_count) {
        grow(sessions);
    }
    size_t size = strlen(client_id) + 1;
    session = ps_alloc(sizeof *session + size);
    memcpy(session->client_id, client_id, size);
    PsSession **bucket = bucket_of(sessions, client_id);
    session->next = *bucket;
    *bucket = session;
    sessions->count++;
    return session;
}

static void on_stored_session(void *ctx, const PsStoredSession *stored) {
    PsSession *session = ps_sessions_get(ctx, stored->client_id);
    session->version = stored->version;
    session->expiry_s = stored->expiry_s;
    session->left = (PsWall){stored->left_ms * PS_NS_PER_MS};
    session->kept = true;
}

static void on_stored_filter(void *ctx, const char *client_id, PsBytes filter, uint8_t options) {
    ps_subscriptions_put(&ps_sessions_get(ctx, client_id)->subscriptions, filter, options);
}

void ps_sessions_init(PsSessions *sessions, PsStore *store) {
    *sessions = (PsSessions){.bucket_count = FIRST_BUCKETS};
    sessions->buckets = ps_alloc_array(FIRST_BUCKETS, sizeof(PsSession *));
    if (store != NULL) {
        PsStoreReader reader = {on_stored_session, on_stored_filter, sessions};
        ps_store_read(store, &reader);
    }
    sessions->store = store;
}

static void free_session(PsSession *session) {
    ps_subscriptions_deinit(&session->subscriptions);
    free(session);
}

void ps_sessions_deinit(PsSessions *sessions) {
    for (size_t i = 0; i < sessions->bucket_count; i++) {
        for (PsSession *session = sessions->buckets[i]; session != NULL;) {
            PsSession *next = session->next;
            free_session(session);
            session = next;
        }
    }
    free(sessions->buckets);
    *sessions = (PsSessions){0};
}

void ps_session_save(PsSessions *sessions, const PsSession *session) {
    if (sessions->store == NULL || !session->kept) {
        return;
    }
    PsStoredSession stored = {.client_id = session->client_id,
                              .version = session->version,
                              .expiry_s = session->expiry_s,
                              .left_ms = session->left.ns / PS_NS_PER_MS};
    ps_store_put_session(sessions->store, &stored);
}

void ps_session_forget(PsSessions *sessions, PsSession *session) {
    if (sessions->store != NULL && session->kept) {
        ps_store_drop_session(sessions->store, session->client_id);
    }
    ps_subscriptions_deinit(&session->subscriptions);
    session->kept = false;
}

bool ps_session_is_over(const PsSession *session, PsWall now) {
    return session->kept && session->client == NULL && session->left.ns != 0 &&
           (now.ns - session->left.ns) / PS_NS_PER_S >= (int64_t)session->expiry_s;
}

void ps_sessions_sweep(PsSessions *sessions, PsMono now,
                       void (*each)(void *ctx, PsSession *session), void *ctx) {
    for (size_t i = 0; i < sessions->bucket_count; i++) {
        for (PsSession **slot = &sessions->buckets[i]; *slot != NULL;) {
            PsSession *session = *slot;
            each(ctx, session);
            if (session->client == NULL && !session->kept && !session->wiping &&
                ps_mono_diff_ns(now, session->idle) > USE_NS) {
                *slot = session->next;
                sessions->count--;
                free_session(session);
            } else {
                slot = &session->next;
            }
        }
    }
}
