//! The bytes of a value read in all byte orders and as all types, for a person who sees nonsense
//! where a temperature should be. Pure; any thread.
#pragma once

#include "model/config.h"

#include <stdbool.h>
#include <stdint.h>

/// Most bytes that are looked at; text may be that long, numbers are the first 8 at most.
#define PS_READING_BYTES_MAX 64U
/// Most readings of so many bytes.
#define PS_READINGS_MAX 48U
/// PsReading.data_type of what is no type of the configuration: the bits one by one.
#define PS_READING_BITS (-2)

typedef enum PsLikely {
    PS_LIKELY_NO,    ///< nonsense, or no value of the type at all
    PS_LIKELY_MAYBE, ///< possible
    PS_LIKELY_YES,   ///< what devices measure and count
} PsLikely;

typedef struct PsReading {
    int data_type; ///< PsDataType, or PS_READING_BITS
    int order;     ///< PsByteOrder; of two bytes abcd is ab and badc is ba; PS_UNSET: of no meaning
    char text[PS_READING_BYTES_MAX + 16]; ///< "" where the bytes are no value of the type
    PsLikely likely;
    bool marked;     ///< worth pointing at; none is where the configured one is as likely
    bool configured; ///< what the configuration says
} PsReading;

/// All readings of `len` bytes as they came over the wire, of each type that they are enough for,
/// type by type from narrow to wide. `data_type` and `order` are those configured (PS_UNSET: none).
/// How many.
uint32_t ps_readings(const uint8_t *bytes, uint32_t len, int data_type, int order,
                     PsReading ret_readings[PS_READINGS_MAX]);

/// "FLOAT", "bits".
const char *ps_reading_type_name(const PsReading *reading);
/// "ab", "cdab"; "" where it is of no meaning.
const char *ps_reading_order_name(const PsReading *reading);

/// Where the configured reading is nonsense: one that has its type, or else any, and is marked;
/// NULL when there is none or nothing is wrong. It is one of `readings`.
const PsReading *ps_readings_better(const PsReading *readings, uint32_t count);
