//! `wizard_api`, the object scripts call the gateway through. One per worker.
//! mqtt_publish and save_data wait for the gateway's answer and belong to the first thread; the
//! other methods may be called from any thread of the script.
#pragma once

#include "script/worker/worker.h"

/// `aws`: with awsiot_publish, which exists only when the cloud type is AWS IoT. NULL with a
/// Python exception set on failure.
PyObject *ps_wizard_api_new(PsWorker *worker, bool aws);
