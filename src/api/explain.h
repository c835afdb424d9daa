//! What the answer of GET /explain is made from, shared by its files. Inside src/api only. Main
//! thread.
#pragma once

#include "api/api.h"
#include "api/live_private.h"
#include "drivers/readings.h"

/// What came of asking the device just now.
typedef struct PsApiLook {
    bool wanted; ///< otherwise the rest is of no meaning
    PsErr result;
    const PsDiag *diag; ///< never NULL when wanted
    const PsPeek *peek; ///< NULL when the device could not be asked at all
    PsReading readings[PS_READINGS_MAX];
    uint32_t reading_count;
} PsApiLook;

typedef struct PsApiStory {
    const PsApiLive *live;
    uint32_t number;
    const PsVariable *variable;
    const PsDevice *device;
    const PsGroup *group;
    PsQuality quality;
    PsDeviceRow row;
    PsApiLook look;
} PsApiStory;

/// What to do, for people; nothing when nothing is wrong.
void ps_api_explain_advice(const PsApiStory *story, PsBuf *out);

// What the look brought; the caller owns them. JSON null when none was wanted.
json_t *ps_api_explain_look(const PsApiStory *story);
json_t *ps_api_explain_readings(const PsApiStory *story);
json_t *ps_api_explain_learned(const PsApiStory *story);

/// Readings as JSON; `device` and `variable` (may both be NULL) say which can be configured.
json_t *ps_api_readings_json(const PsReading *readings, uint32_t count, const PsDevice *device,
                             const PsVariable *variable);
/// "41B4".
json_t *ps_api_hex(const uint8_t *bytes, uint32_t len);
