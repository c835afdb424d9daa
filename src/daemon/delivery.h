//! From the outbox to the link: hands messages over while window and pace have room, finds out
//! which message makes the server hang up, and tells how fast the queue drains. Main thread; never
//! blocks.
#pragma once

#include "api/api.h"
#include "link/link.h"
#include "link/pace.h"
#include "outbox/outbox.h"

typedef struct PsDelivery PsDelivery;

/// The outbox is borrowed. Nothing goes until there is a link.
PsDelivery *ps_delivery_new(uv_loop_t *loop, PsOutbox *outbox, const PsCloud *cloud);
/// Another link, borrowed, or NULL: none. What is under way on the former one waits again.
void ps_delivery_set_link(PsDelivery *delivery, PsLink *link);
/// Goes on with the window and the rates of another configuration.
void ps_delivery_apply(PsDelivery *delivery, const PsCloud *cloud);
/// Accepts NULL. Memory goes when the loop has closed its timer.
void ps_delivery_close(PsDelivery *delivery);

/// Hands over as much as may go now. Call when a row was accepted or the outbox is ready.
void ps_delivery_pump(PsDelivery *delivery);
/// For the link's on_state; tells the outbox, too.
void ps_delivery_link_state(PsDelivery *delivery, const PsLinkStatus *status);
/// For the link's on_acknowledged.
void ps_delivery_acknowledged(PsDelivery *delivery, uint64_t id);
/// May a publish past the outbox (mqtt_publish of scripts) go now? It takes what an idle outbox
/// leaves, and an eighth of the rate on top, which no backlog takes away from it. Counts it when it
/// may.
bool ps_delivery_admit_now(PsDelivery *delivery, size_t bytes);

/// All 0 while there is no link.
PsApiDelivery ps_delivery_status(PsDelivery *delivery);
