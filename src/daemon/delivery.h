//! From the outbox to the link: hands rows over while the link has room. Main thread.
#pragma once

#include "link/link.h"
#include "outbox/outbox.h"

/// Hands over as many rows as the link takes now. Call when either side may have changed: a row
/// was accepted, the outbox is ready, the link connected, a row was acknowledged.
void ps_delivery_pump(PsOutbox *outbox, PsLink *link);
