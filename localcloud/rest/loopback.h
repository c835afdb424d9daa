//! What `penstock-cloud api` has instead of a broker: a message published over the API reaches the
//! console's event streams and nothing else; retained ones are kept in memory. No device is there.
//! Main thread.
#pragma once

#include "localcloud/rest/rest.h"

typedef struct PsLoopback PsLoopback;

PsLoopback *ps_loopback_new(void);
/// After the server has stopped. Accepts NULL.
void ps_loopback_free(PsLoopback *loopback);
/// Borrowed, for PsRestSetup.
const PsRestCloud *ps_loopback_cloud(const PsLoopback *loopback);
