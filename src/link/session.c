// The connected part of an attempt: subscriptions, publishes in flight, their timers.
// Whoever holds the worker's session; nothing here blocks.
#include "link/attempt.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define SUBACK_REFUSED 0x80
#define TLS_RECORD_BYTES ((size_t)16384) // RFC 8446 section 5.1
#define TLS_RECORD_ROOM ((size_t)512)    // more than MQTT's header and most topics

static PsMono after_ms(PsMono now, int ms) {
    return ps_mono_add_ns(now, ms * PS_NS_PER_MS);
}

static void on_publish(struct mosquitto *handle, void *object, int mid) {
    PsAttempt *attempt = object;
    for (size_t i = 0; i < PS_COUNT(attempt->slots); i++) {
        PsSlot *slot = &attempt->slots[i];
        if (slot->used && slot->mid == mid) {
            slot->used = false;
            attempt->slots_used--;
            attempt->slots_now -= slot->now;
            attempt->events.acknowledged(slot->id, slot->now, slot->len, attempt->events.ctx);
            return;
        }
    }
}

static void on_subscribe(struct mosquitto *handle, void *object, int mid, int count,
                         const int *granted) {
    PsAttempt *attempt = object;
    for (size_t i = 0; i < attempt->settings->subscription_count; i++) {
        const PsLinkSubscription *wanted = &attempt->settings->subscriptions[i];
        if (attempt->subscribe_mids[i] != mid) {
            continue;
        }
        attempt->subscribe_mids[i] = 0;
        attempt->subscribes_waiting--;
        bool refused = count < 1 || granted[0] >= SUBACK_REFUSED;
        if (refused && !attempt->refused[i]) {
            PS_LOGE("LINK-SUBSCRIBE-REFUSED",
                    "subscribe '%s': the server refused this filter; allow it in the cloud's "
                    "policy (AWS: iot:Subscribe and iot:Receive) or correct the topic",
                    wanted->topic);
        } else if (!refused && attempt->refused[i]) {
            PS_LOGI("LINK-SUBSCRIBED", "subscribe '%s': accepted now", wanted->topic);
        } else if (!refused && granted[0] < wanted->qos) {
            PS_LOGD("LINK-SUBSCRIBE-QOS", "subscribe '%s': QoS %d instead of %d", wanted->topic,
                    granted[0], wanted->qos);
        }
        attempt->refused[i] = refused;
        return;
    }
}

static void on_message(struct mosquitto *handle, void *object,
                       const struct mosquitto_message *message) {
    PsAttempt *attempt = object;
    attempt->events.received(message, attempt->events.ctx);
}

void ps_session_callbacks(struct mosquitto *handle) {
    mosquitto_publish_callback_set(handle, on_publish);
    mosquitto_subscribe_callback_set(handle, on_subscribe);
    mosquitto_message_callback_set(handle, on_message);
}

// One filter a packet: AWS IoT takes at most eight in one, and a refusal names its filter.
static bool subscribe(PsAttempt *attempt, size_t index) {
    const PsLinkSubscription *wanted = &attempt->settings->subscriptions[index];
    int code = mosquitto_subscribe(attempt->handle, &attempt->subscribe_mids[index], wanted->topic,
                                   wanted->qos);
    if (code != MOSQ_ERR_SUCCESS) {
        ps_attempt_fail_library(attempt, code, errno);
        return false;
    }
    attempt->subscribes_waiting++;
    return true;
}

void ps_session_begin(PsAttempt *attempt, PsMono now) {
    attempt->up_since = now;
    attempt->deadline = after_ms(now, attempt->settings->times.connack_ms);
    size_t i = 0;
    while (i < attempt->settings->subscription_count && subscribe(attempt, i)) {
        i++;
    }
}

// The subscription of this filter, or `subscription_count`. *ret_same: with this QoS alone; where
// there are several, the server has the one that came last.
static size_t find_filter(const PsLinkSettings *settings, const PsLinkSubscription *wanted,
                          bool *ret_same) {
    size_t found = settings->subscription_count;
    *ret_same = true;
    for (size_t i = 0; i < settings->subscription_count; i++) {
        const PsLinkSubscription *has = &settings->subscriptions[i];
        if (strcmp(has->topic, wanted->topic) == 0) {
            found = i;
            *ret_same = *ret_same && has->qos == wanted->qos;
        }
    }
    return found;
}

// Not waited for: what still comes belongs to no entry and is passed over.
static bool unsubscribe_missing(PsAttempt *attempt, const PsLinkSettings *former) {
    bool same;
    for (size_t i = 0; i < former->subscription_count; i++) {
        const PsLinkSubscription *had = &former->subscriptions[i];
        if (find_filter(attempt->settings, had, &same) < attempt->settings->subscription_count) {
            continue;
        }
        int code = mosquitto_unsubscribe(attempt->handle, NULL, had->topic);
        if (code != MOSQ_ERR_SUCCESS) {
            ps_attempt_fail_library(attempt, code, errno);
            return false;
        }
    }
    return true;
}

static void subscribe_difference(PsAttempt *attempt, const PsLinkSettings *former,
                                 const int *former_mids, PsMono now) {
    attempt->subscribes_waiting = 0;
    bool failed = !unsubscribe_missing(attempt, former);
    for (size_t i = 0; !failed && i < attempt->settings->subscription_count; i++) {
        bool same;
        size_t before = find_filter(former, &attempt->settings->subscriptions[i], &same);
        if (before == former->subscription_count || !same) {
            failed = !subscribe(attempt, i);
        } else if (former_mids[before] != 0) { // is on its way
            attempt->subscribe_mids[i] = former_mids[before];
            attempt->subscribes_waiting++;
        }
    }
    if (attempt->subscribes_waiting > 0) {
        attempt->deadline = after_ms(now, attempt->settings->times.connack_ms);
    }
}

void ps_session_change(PsAttempt *attempt, const PsLinkSettings *settings, bool *refused,
                       PsMono now) {
    const PsLinkSettings *former = attempt->settings;
    PS_AUTO_FREE int *former_mids = attempt->subscribe_mids;
    attempt->settings = settings;
    attempt->refused = refused;
    attempt->subscribe_mids = ps_alloc_array(settings->subscription_count, sizeof(int));
    if (attempt->stage == PS_STAGE_UP) {
        ps_session_listen(attempt); // how much may wait depends on what is subscribed
        subscribe_difference(attempt, former, former_mids, now);
    }
}

static const char *waiting_filter(const PsAttempt *attempt) {
    for (size_t i = 0; i < attempt->settings->subscription_count; i++) {
        if (attempt->subscribe_mids[i] != 0) {
            return attempt->settings->subscriptions[i].topic;
        }
    }
    return "";
}

// The oldest publish without acknowledgement; false when nothing is in flight.
static bool oldest_sent(const PsAttempt *attempt, PsMono *ret_sent) {
    bool found = false;
    for (size_t i = 0; i < PS_COUNT(attempt->slots) && attempt->slots_used > 0; i++) {
        const PsSlot *slot = &attempt->slots[i];
        if (slot->used && (!found || slot->sent.ns < ret_sent->ns)) {
            *ret_sent = slot->sent;
            found = true;
        }
    }
    return found;
}

void ps_session_check(PsAttempt *attempt, PsMono now) {
    PsLinkFailure failure;
    if (attempt->subscribes_waiting > 0 && now.ns >= attempt->deadline.ns) {
        ps_link_failure_set(&failure, PS_STEP_SESSION, -10, false,
                            "no SUBACK for '%.200s' after %d s; check the cloud's policy "
                            "(iot:Subscribe) and the network",
                            waiting_filter(attempt), attempt->settings->times.connack_ms / 1000);
        ps_attempt_fail(attempt, &failure);
        return;
    }
    PsMono sent = {0};
    int limit_ms = attempt->settings->times.puback_ms;
    if (oldest_sent(attempt, &sent) && now.ns >= after_ms(sent, limit_ms).ns) {
        ps_link_failure_set(&failure, PS_STEP_SESSION, -11, false,
                            "no acknowledgement for a message after %d s; connecting again and "
                            "sending it again (check the network; AWS also does this above 100 "
                            "messages a second)",
                            limit_ms / 1000);
        ps_attempt_fail(attempt, &failure);
    }
}

PsMono ps_session_wake_at(const PsAttempt *attempt, PsMono now) {
    PsMono wake = after_ms(now, 1000); // libmosquitto's keep-alive counts whole seconds
    PsMono sent = {0};
    if (oldest_sent(attempt, &sent)) {
        PsMono limit = after_ms(sent, attempt->settings->times.puback_ms);
        wake = limit.ns < wake.ns ? limit : wake;
    }
    if (attempt->subscribes_waiting > 0 && attempt->deadline.ns < wake.ns) {
        wake = attempt->deadline;
    }
    return wake;
}

// Acknowledgements can wait for a later message, or for the main thread's timer: they are no news
// worth a wake-up of their own, and reading several at once costs little more than reading one. The
// kernel tells them from a message of the cloud by their length, since any message is at least a
// byte longer than one of them; so only one may wait where there is something subscribed. Only
// where there is no QoS 2, whose steps are as short.
#define PUBACK_BYTES 4 // MQTT 3.1.1, 3.4

static size_t quiet_max(const PsAttempt *attempt) {
    size_t part = attempt->settings->window / 4; // the rest of the window is for what goes on
    return attempt->settings->subscription_count > 0 || part == 0 ? 1 : part;
}

// Not so long that the outbox would store what the cloud has long had.
bool ps_session_has_patience(const PsAttempt *attempt, PsMono now) {
    return attempt->slots_used < quiet_max(attempt) &&
           now.ns < after_ms(attempt->looked, PS_LINK_QUIET_MS).ns;
}

static void let_wait(PsAttempt *attempt) {
    size_t overhead = attempt->tls != NULL ? ps_tls_record_overhead(attempt->tls) : 0;
    if (attempt->settings->cloud.type != PS_CLOUD_AWS_IOT || overhead == 0 || attempt->quiet) {
        return;
    }
    int bytes = (int)((overhead + PUBACK_BYTES) * quiet_max(attempt)) + 1;
    attempt->quiet = setsockopt(mosquitto_socket(attempt->handle), SOL_SOCKET, SO_RCVLOWAT, &bytes,
                                sizeof bytes) == 0;
}

void ps_session_listen(PsAttempt *attempt) {
    int bytes = 1;
    if (attempt->quiet) {
        attempt->quiet = false;
        // Cannot fail where raising it did not; a socket that is gone needs it no more.
        (void)setsockopt(mosquitto_socket(attempt->handle), SOL_SOCKET, SO_RCVLOWAT, &bytes,
                         sizeof bytes);
    }
}

void ps_session_drain(PsAttempt *attempt, PsMono now) {
    attempt->looked = now;
    errno = 0;
    int code = mosquitto_loop_read(attempt->handle, 1);
    if (code != MOSQ_ERR_SUCCESS) {
        ps_attempt_fail_library(attempt, code, errno);
    }
}

// Holds the bytes back until the whole packet is with the socket, so that it does not leave in one
// segment for each TLS record, which would cost both ends a wake-up each.
static void cork(const PsAttempt *attempt, bool on) {
    int value = on;
    int fd = mosquitto_socket(attempt->handle);
    // Only slower where it is refused.
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

void ps_session_publish(PsAttempt *attempt, const PsLinkPublish *publish, PsMono now) {
    PS_ASSERT(attempt->slots_used < PS_COUNT(attempt->slots) && publish->len <= INT_MAX);
    PsSlot *slot = attempt->slots;
    while (slot->used) {
        slot++;
    }
    // The slot is complete before the call: QoS 0 is acknowledged inside it.
    *slot = (PsSlot){
        .used = true, .now = publish->now, .id = publish->id, .len = publish->len, .sent = now};
    if (attempt->slots_used++ == 0) {
        attempt->looked = now;
    }
    attempt->slots_now += publish->now;
    bool corked = publish->len > TLS_RECORD_BYTES - TLS_RECORD_ROOM;
    if (corked) {
        cork(attempt, true);
    }
    int code = mosquitto_publish(attempt->handle, &slot->mid, publish->topic, (int)publish->len,
                                 publish->payload, publish->qos, false);
    int number = errno;
    if (corked) {
        cork(attempt, false);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        ps_attempt_fail_library(attempt, code, number);
    } else if (attempt->slots_used > quiet_max(attempt) || attempt->slots_now > 0) {
        ps_session_listen(attempt);
    } else if (attempt->slots_used > 0) {
        let_wait(attempt);
    }
}
