//! One value of a variable, and the stamped sample that carries it through the gateway. Pure.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum PsValueKind {
    PS_VALUE_NONE,
    PS_VALUE_BOOL,
    PS_VALUE_INT,
    PS_VALUE_UINT, ///< only for values above INT64_MAX (ULONG)
    PS_VALUE_FLOAT,
    PS_VALUE_TEXT,
} PsValueKind;

/// 16 bytes, passed by value. `text` is borrowed: whoever made the value says for how long, and
/// holders that keep it copy the bytes. Text is bytes as the device sent them, not checked UTF-8.
typedef struct PsValue {
    uint8_t kind; ///< PsValueKind
    uint32_t text_len;
    union {
        bool boolean;
        int64_t integer;
        uint64_t unsigned_integer;
        double number;
        const char *text;
    };
} PsValue;

static inline PsValue ps_value_none(void) {
    return (PsValue){.kind = PS_VALUE_NONE};
}

static inline PsValue ps_value_bool(bool boolean) {
    return (PsValue){.kind = PS_VALUE_BOOL, .boolean = boolean};
}

static inline PsValue ps_value_int(int64_t integer) {
    return (PsValue){.kind = PS_VALUE_INT, .integer = integer};
}

static inline PsValue ps_value_uint(uint64_t integer) {
    return (PsValue){.kind = PS_VALUE_UINT, .unsigned_integer = integer};
}

static inline PsValue ps_value_float(double number) {
    return (PsValue){.kind = PS_VALUE_FLOAT, .number = number};
}

static inline PsValue ps_value_text(const char *text, uint32_t len) {
    return (PsValue){.kind = PS_VALUE_TEXT, .text_len = len, .text = text};
}

/// Same kind and same content. NaN equals NaN here: an unchanged reading is unchanged.
bool ps_value_equal(PsValue a, PsValue b);

/// For displays: true/false, digits, shortest float that reads back the same, text with control
/// bytes and malformed UTF-8 shown as '?'. None gives "". Always terminated.
void ps_value_format(PsValue value, char *out, size_t size);

/// Rounded half away from zero to `decimals` (0 to 6) places; never -0.
double ps_round_decimals(double number, unsigned decimals);

/// Why a value is good or bad. Scripts see status 1 for good and 0 for all others.
typedef enum PsQuality {
    PS_QUALITY_GOOD,
    PS_QUALITY_NOT_READ,    ///< nothing has been collected yet
    PS_QUALITY_AWAY,        ///< the device does not answer; the next try is scheduled
    PS_QUALITY_REFUSED,     ///< the device answered with an error for this address
    PS_QUALITY_UNDECODABLE, ///< the bytes are no value of this type (bad BCD digit)
    PS_QUALITY_STALE,       ///< the newest value is too old to pass for current
    PS_QUALITY_WRITE_ONLY,  ///< never read by configuration
} PsQuality;

/// "good", "not read yet", "device away", ... Never NULL.
const char *ps_quality_name(PsQuality quality);

/// One reading of one variable. `stamp` is the wall clock at the moment of the read.
typedef struct PsSample {
    uint32_t variable; ///< index into PsConfig.variables
    uint8_t quality;   ///< PsQuality
    PsValue value;     ///< none unless the quality is good
} PsSample;
