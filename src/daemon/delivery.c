// From the outbox to the link. Owns the list of what is under way, the pace, and the timer that
// goes on when the pace allows the next message. Main thread; never blocks.
#include "daemon/delivery.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/drain_meter.h"
#include "daemon/suspects.h"

#include <stdlib.h>

// An end this long after the message was sent says nothing about the message.
#define BLAME_NS (10 * PS_NS_PER_S)
#define ASIDE_PART 8 // of the rates, for publishes past the outbox: of AWS IoT's 100, 80 and 10
#define ASIDE_BURST_S 1
#define TELL_NS (300 * PS_NS_PER_S)

typedef struct Sent {
    uint64_t id;
    size_t messages; // more than one in a pack
    PsMono at;
    bool measured; // others were under way: its acknowledgement does not wait on our side
} Sent;

struct PsDelivery {
    PsOutbox *outbox;
    PsLink *link;
    uv_timer_t timer;
    PsPace pace;
    PsPace aside; // of publishes past the outbox
    PsMono aside_told;
    PsSuspects suspects;
    Sent sent[PS_LINK_WINDOW_MAX];
    size_t count;
    PsDrainMeter meter;
    uint64_t set_aside;
    bool pumping;
    bool closed;
};

// ---- handing over

static void on_timer(uv_timer_t *timer) {
    ps_delivery_pump(timer->data);
}

static void wait_for_pace(PsDelivery *delivery, PsMono now) {
    PsMono next = ps_pace_next(&delivery->pace, now);
    if (next.ns > now.ns && !uv_is_active((uv_handle_t *)&delivery->timer)) {
        uv_update_time(delivery->timer.loop);
        uv_timer_start(&delivery->timer, on_timer, (uint64_t)ps_mono_poll_ms(now, next), 0);
    }
}

static bool has_room(PsDelivery *delivery, PsMono now) {
    if (ps_link_room(delivery->link) == 0 || delivery->count == PS_COUNT(delivery->sent)) {
        return false;
    }
    if (ps_suspects_one_by_one(&delivery->suspects) && delivery->count > 0) {
        return false;
    }
    return ps_pace_may_send(&delivery->pace, delivery->count, now);
}

// False when the link refuses.
static bool hand_over(PsDelivery *delivery, const PsOutboxRow *row, PsMono now) {
    PsErr err =
        ps_link_publish(delivery->link, row->id, row->topic, row->payload, row->len, row->qos);
    if (err != PS_OK) {
        // Room and topic were checked before, so this is the moment a connection ends.
        PS_LOGD("DELIVERY-BACK", "message %llu waits again: %s", (unsigned long long)row->id,
                ps_err_name(err));
        ps_outbox_put_back(delivery->outbox, row->id);
        return false;
    }
    ps_pace_sent(&delivery->pace, row->len);
    delivery->sent[delivery->count] =
        (Sent){.id = row->id, .messages = row->packed, .at = now, .measured = delivery->count > 0};
    delivery->count++;
    return true;
}

void ps_delivery_pump(PsDelivery *delivery) {
    if (delivery->link == NULL || delivery->closed || delivery->pumping) {
        return;
    }
    delivery->pumping = true;
    PsMono now = ps_mono_now();
    bool goes_on = true;
    while (goes_on && has_room(delivery, now)) {
        bool one_by_one = ps_suspects_one_by_one(&delivery->suspects);
        const PsOutboxRow *row = ps_outbox_next(delivery->outbox, one_by_one);
        goes_on = row != NULL && hand_over(delivery, row, now);
        now = ps_mono_now();
    }
    if (goes_on && ps_link_room(delivery->link) > 0) {
        wait_for_pace(delivery, now);
    }
    delivery->pumping = false;
}

static bool is_idle(const PsDelivery *delivery) {
    PsOutboxStats stats = ps_outbox_stats(delivery->outbox);
    return stats.waiting <= stats.in_flight;
}

static bool take(PsPace *pace, size_t bytes, PsMono now) {
    if (!ps_pace_may_send(pace, 0, now)) {
        return false;
    }
    ps_pace_sent(pace, bytes);
    return true;
}

bool ps_delivery_admit_now(PsDelivery *delivery, size_t bytes) {
    PsMono now = ps_mono_now();
    if ((is_idle(delivery) && take(&delivery->pace, bytes, now)) ||
        take(&delivery->aside, bytes, now)) {
        return true;
    }
    if (now.ns >= delivery->aside_told.ns) {
        delivery->aside_told = ps_mono_add_ns(now, TELL_NS);
        PS_LOGW("DELIVERY-NOW-RATE",
                "mqtt_publish is called more often than the cloud takes messages (publish_rate); "
                "it returns False for what is too much, the outbox is not held up by it");
    }
    return false;
}

// ---- what became of it

void ps_delivery_acknowledged(PsDelivery *delivery, uint64_t id) {
    PsMono now = ps_mono_now();
    size_t at = 0;
    while (at < delivery->count && delivery->sent[at].id != id) {
        at++;
    }
    if (at < delivery->count) {
        Sent sent = delivery->sent[at];
        delivery->sent[at] = delivery->sent[--delivery->count];
        if (sent.measured) {
            ps_pace_acknowledged(&delivery->pace, ps_mono_diff_ns(now, sent.at));
        }
        ps_drain_meter_note(&delivery->meter, sent.messages,
                            ps_outbox_stats(delivery->outbox).waiting - sent.messages, now);
        ps_suspects_acknowledged(&delivery->suspects, id);
    }
    ps_outbox_acknowledged(delivery->outbox, id);
    ps_delivery_pump(delivery);
}

static const char reason[] =
    "the server ended two connections in a row right after this message was sent; AWS IoT does so "
    "for a topic that the certificate's policy does not allow (iot:Publish): correct topic or "
    "policy, then run 'penstock outbox replay'";

static void set_aside(PsDelivery *delivery, uint64_t id) {
    if (ps_outbox_quarantine(delivery->outbox, id, reason)) {
        delivery->set_aside++;
        PS_LOGE("DELIVERY-QUARANTINE",
                "a message is set aside, the others go on: %s; 'penstock outbox dead' shows it",
                reason);
    }
}

static void look_for_culprit(PsDelivery *delivery, PsMono now) {
    size_t messages = 0;
    for (size_t i = 0; i < delivery->count; i++) {
        messages += delivery->sent[i].messages;
    }
    bool late = messages == 1 && ps_mono_diff_ns(now, delivery->sent[0].at) > BLAME_NS;
    uint64_t id = delivery->count > 0 ? delivery->sent[0].id : 0;
    uint64_t culprit = late ? 0 : ps_suspects_cut(&delivery->suspects, messages, id);
    if (culprit != 0) {
        set_aside(delivery, culprit);
    }
}

void ps_delivery_link_state(PsDelivery *delivery, const PsLinkStatus *status) {
    PsMono now = ps_mono_now();
    if (status->state == PS_LINK_CONNECTED) {
        ps_pace_restart(&delivery->pace, now);
        ps_drain_meter_init(&delivery->meter, ps_outbox_stats(delivery->outbox).waiting, now);
        ps_outbox_link_up(delivery->outbox);
        ps_delivery_pump(delivery);
        return;
    }
    uv_timer_stop(&delivery->timer);
    ps_outbox_link_lost(delivery->outbox);
    if (status->hung_up) {
        look_for_culprit(delivery, now);
    }
    delivery->count = 0;
}

PsApiDelivery ps_delivery_status(PsDelivery *delivery) {
    if (delivery->link == NULL) {
        return (PsApiDelivery){0};
    }
    PsDrainRates rates = ps_drain_meter_rates(
        &delivery->meter, ps_outbox_stats(delivery->outbox).waiting, ps_mono_now());
    return (PsApiDelivery){
        .per_s = rates.delivered_per_s,
        .drained_per_s = rates.drained_per_s,
        .window = delivery->pace.window,
        .acknowledge_ms = (double)delivery->pace.usual_ns / PS_NS_PER_MS,
        .one_by_one = ps_suspects_one_by_one(&delivery->suspects),
        .set_aside = delivery->set_aside,
    };
}

// ---- life

static void init_pace(PsDelivery *delivery, const PsCloud *cloud, PsMono now) {
    PsLinkPace pace = ps_link_pace(cloud);
    ps_pace_init(&delivery->pace, pace, ps_link_window(cloud), now);
    pace.publishes_per_s = (pace.publishes_per_s + ASIDE_PART - 1) / ASIDE_PART;
    pace.bytes_per_s = (pace.bytes_per_s + ASIDE_PART - 1) / ASIDE_PART;
    ps_pace_init(&delivery->aside, pace, PS_LINK_NOW_WINDOW, now);
    delivery->aside.burst_s = ASIDE_BURST_S;
}

void ps_delivery_apply(PsDelivery *delivery, const PsCloud *cloud) {
    PsLinkPace pace = ps_link_pace(cloud);
    const PsPace *present = &delivery->pace; // what it has learned goes only when it must
    if (pace.publishes_per_s != present->limit.publishes_per_s ||
        pace.bytes_per_s != present->limit.bytes_per_s || ps_link_window(cloud) != present->most) {
        init_pace(delivery, cloud, ps_mono_now());
        uv_timer_stop(&delivery->timer); // it may wait for a rate that is none any more
    }
}

void ps_delivery_set_link(PsDelivery *delivery, PsLink *link) {
    uv_timer_stop(&delivery->timer);
    ps_outbox_link_lost(delivery->outbox);
    delivery->count = 0;
    delivery->link = link;
}

PsDelivery *ps_delivery_new(uv_loop_t *loop, PsOutbox *outbox, const PsCloud *cloud) {
    PsDelivery *delivery = ps_alloc(sizeof *delivery);
    PsMono now = ps_mono_now();
    delivery->outbox = outbox;
    ps_drain_meter_init(&delivery->meter, ps_outbox_stats(outbox).waiting, now);
    init_pace(delivery, cloud, now);
    uv_timer_init(loop, &delivery->timer);
    delivery->timer.data = delivery;
    return delivery;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void ps_delivery_close(PsDelivery *delivery) {
    if (delivery != NULL) {
        delivery->closed = true;
        uv_close((uv_handle_t *)&delivery->timer, on_closed);
    }
}
