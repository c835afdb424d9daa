//! `wizard_api`, the object scripts call the gateway through. One per worker.
//! mqtt_publish waits for the gateway's answer and belongs to the first thread; the other methods
//! may be called from any thread of the script.
#pragma once

#include "script/worker/worker.h"

/// `aws`: with awsiot_publish, which exists only when the cloud type is AWS IoT. NULL with a
/// Python exception set on failure.
PyObject *ps_wizard_api_new(PsWorker *worker, bool aws);
/// Takes the answer to a write_plc_values in (`reader` stands behind the link byte) and calls the
/// script's callback. True when there was nothing to complain about; false with a Python
/// exception set.
bool ps_wizard_api_write_done(PsWorker *worker, PsReader *reader);
