// Presence and subscription events, as the developer guide's page on lifecycle events has them. The
// version number of a client id is kept in the database: it goes on over a restart, and starts over
// when the client was away for an hour.
#include "localcloud/service/presence.h"

#include "localcloud/service/json_text.h"
#include "localcloud/service/sql.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define FORGET_MS ((int64_t)3600 * 1000)
#define TOPIC_MAX 320 // of the event; a client id has at most 128 bytes

typedef struct Reason {
    const char *name;
    bool will;
} Reason;

static const Reason reasons[] = {
    [PS_DISCONNECT_AUTH_ERROR] = {"AUTH_ERROR", true},
    [PS_DISCONNECT_CLIENT_INITIATED] = {"CLIENT_INITIATED_DISCONNECT", false},
    [PS_DISCONNECT_CLIENT_ERROR] = {"CLIENT_ERROR", true},
    [PS_DISCONNECT_CONNECTION_LOST] = {"CONNECTION_LOST", true},
    [PS_DISCONNECT_DUPLICATE_CLIENTID] = {"DUPLICATE_CLIENTID", true},
    [PS_DISCONNECT_FORBIDDEN_ACCESS] = {"FORBIDDEN_ACCESS", true},
    [PS_DISCONNECT_KEEP_ALIVE_TIMEOUT] = {"MQTT_KEEP_ALIVE_TIMEOUT", true},
    [PS_DISCONNECT_SERVER_ERROR] = {"SERVER_ERROR", true},
    [PS_DISCONNECT_SERVER_INITIATED] = {"SERVER_INITIATED_DISCONNECT", true},
    [PS_DISCONNECT_API_INITIATED] = {"API_INITIATED_DISCONNECT", true},
    [PS_DISCONNECT_THROTTLED] = {"THROTTLED", true},
    [PS_DISCONNECT_WEBSOCKET_TTL] = {"WEBSOCKET_TTL_EXPIRATION", true},
    [PS_DISCONNECT_CUSTOMAUTH_TTL] = {"CUSTOMAUTH_TTL_EXPIRATION", true},
};

static const char *const kinds[] = {
    [PS_PRESENCE_CONNECTED] = "connected",           [PS_PRESENCE_DISCONNECTED] = "disconnected",
    [PS_PRESENCE_CONNECT_FAILED] = "connect_failed", [PS_PRESENCE_SUBSCRIBED] = "subscribed",
    [PS_PRESENCE_UNSUBSCRIBED] = "unsubscribed",
};

const char *ps_disconnect_reason_name(PsDisconnectReason reason) {
    return reasons[reason].name;
}

bool ps_disconnect_sends_will(PsDisconnectReason reason) {
    return reasons[reason].will;
}

PsErr ps_presence_prepare(sqlite3 *db, PsDiag *diag) {
    return ps_sql_make(db,
                       "CREATE TABLE IF NOT EXISTS service_presence ("
                       "client TEXT PRIMARY KEY, version INTEGER NOT NULL, seen INTEGER NOT NULL)"
                       " WITHOUT ROWID",
                       diag);
}

void ps_presence_forget(sqlite3 *db, PsWall now) {
    int64_t before = now.ns / PS_NS_PER_MS - FORGET_MS;
    (void)ps_sql_run(db, "DELETE FROM service_presence WHERE seen < ?", "i", before);
}

// The version of a new connection, and that the client was there now.
static uint64_t next_version(sqlite3 *db, const char *client_id, int64_t now_ms) {
    PsSql sql;
    int64_t version = 0;
    ps_sql_begin(&sql, db,
                 "INSERT INTO service_presence VALUES (?, 0, ?) ON CONFLICT(client) DO UPDATE SET "
                 "version = CASE WHEN seen < ? THEN 0 ELSE version + 1 END, seen = excluded.seen "
                 "RETURNING version",
                 "tii", client_id, now_ms, now_ms - FORGET_MS);
    if (ps_sql_next(&sql)) {
        version = ps_sql_int(&sql, 0);
    }
    (void)ps_sql_end(&sql); // an event with a version too low is better than none
    return (uint64_t)version;
}

static void begin_session(sqlite3 *db, const PsPresence *event, PsServiceSession *session) {
    uint8_t bytes[16] = {0};
    (void)RAND_bytes(bytes, sizeof bytes); // a name, not a secret
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    (void)snprintf(session->id, sizeof session->id,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", bytes[0],
                   bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8],
                   bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]);
    session->version = next_version(db, event->client_id, event->now.ns / PS_NS_PER_MS);
}

json_t *ps_presence_document(const PsPresence *event, const PsServiceSession *session) {
    json_t *json = json_object();
    json_object_set_new(json, "clientId", json_string(event->client_id));
    if (event->thing != NULL) {
        json_object_set_new(json, "thingName", json_string(event->thing));
    }
    json_object_set_new(json, "timestamp", json_integer(event->now.ns / PS_NS_PER_MS));
    json_object_set_new(json, "eventType", json_string(kinds[event->kind]));
    if (event->kind == PS_PRESENCE_CONNECT_FAILED) {
        json_object_set_new(json, "connectFailureReason", json_string("AUTHORIZATION_FAILED"));
    }
    json_object_set_new(json, "sessionIdentifier", json_string(session->id));
    json_object_set_new(json, "principalIdentifier",
                        json_string(event->certificate_id != NULL ? event->certificate_id : ""));
    if (event->kind == PS_PRESENCE_CONNECTED && event->ip_address != NULL) {
        json_object_set_new(json, "ipAddress", json_string(event->ip_address));
    }
    if (event->kind == PS_PRESENCE_DISCONNECTED) {
        json_object_set_new(json, "clientInitiatedDisconnect",
                            json_boolean(event->reason == PS_DISCONNECT_CLIENT_INITIATED));
        json_object_set_new(json, "disconnectReason", json_string(reasons[event->reason].name));
    }
    if (event->kind == PS_PRESENCE_SUBSCRIBED || event->kind == PS_PRESENCE_UNSUBSCRIBED) {
        json_t *topics = json_array();
        for (size_t i = 0; i < event->topic_count; i++) {
            json_array_append_new(topics, json_string(event->topics[i]));
        }
        json_object_set_new(json, "topics", topics);
    } else {
        json_object_set_new(json, "versionNumber", json_integer((json_int_t)session->version));
    }
    return json;
}

void ps_presence_tell(sqlite3 *db, const PsPresence *event, PsServiceSession *session,
                      const PsServiceOut *out) {
    if (event->kind == PS_PRESENCE_CONNECTED || event->kind == PS_PRESENCE_CONNECT_FAILED) {
        begin_session(db, event, session);
    } else if (event->kind == PS_PRESENCE_DISCONNECTED) {
        (void)ps_sql_run(db, "UPDATE service_presence SET seen = ? WHERE client = ?", "it",
                         event->now.ns / PS_NS_PER_MS, event->client_id);
    }
    if (strpbrk(event->client_id, "#+") != NULL) {
        return;
    }
    bool presence = event->kind <= PS_PRESENCE_CONNECT_FAILED;
    char topic[TOPIC_MAX];
    int len =
        snprintf(topic, sizeof topic, "$aws/events/%s/%s/%s",
                 presence ? "presence" : "subscriptions", kinds[event->kind], event->client_id);
    if (len < 0 || (size_t)len >= sizeof topic) {
        return; // no topic can name such a client
    }
    PS_AUTO_JSON json_t *json = ps_presence_document(event, session);
    PS_AUTO_BUF PsBuf text = {0};
    ps_json_text(json, &text);
    out->publish(out->ctx, topic, text.data, text.len, 0);
}
