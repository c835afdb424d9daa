//! Every limit of AWS IoT Core's message broker, shadows and jobs that this cloud holds its clients
//! to, with the service's number as default. Adjustable, so that tests can use small ones and
//! benchmarks none: `penstock-cloud run --limit NAME=VALUE`, `PUT /_penstock/limits`.
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/// Where a comment says so, 0 means no limit.
typedef struct PsLimits {
    uint32_t payload_bytes;
    uint32_t packet_bytes;
    uint32_t topic_bytes;
    uint32_t topic_slashes;
    uint32_t client_id_bytes;
    uint32_t share_name_bytes;
    uint32_t filters_per_subscribe;
    uint32_t subscriptions;
    uint32_t publishes_per_s;  ///< 0: none
    uint32_t deliveries_per_s; ///< 0: none
    uint32_t bytes_per_s;      ///< each direction; 0: none
    uint32_t unacked_in;
    uint32_t unacked_out;
    uint32_t unacked_out_s;         ///< 0: for ever
    uint32_t resend_out_s;          ///< 0: never
    uint32_t connects_per_id_per_s; ///< 0: none
    uint32_t connects_per_s;        ///< 0: none
    uint32_t keep_alive_min_s;
    uint32_t keep_alive_max_s;
    uint32_t session_expiry_s;
    uint32_t topic_aliases;
    uint32_t message_expiry_s;
    uint32_t replay_per_s; ///< 0: at once
    uint32_t connect_wait_s;
    uint32_t packet_wait_s;
    uint32_t held_bytes;
    // Of the services, which get them from whoever builds the program.
    uint32_t shadow_bytes;
    uint32_t shadow_depth;
    uint32_t shadow_requests_per_s;
    uint32_t shadow_in_flight;
    uint32_t shadow_delay_ms; ///< 0: none
    uint32_t job_document_bytes;
} PsLimits;

typedef struct PsLimitOption {
    const char *name;
    const char *unit;
    uint32_t initial;
    uint32_t min;
    uint32_t max;
    const char *help; ///< what happens beyond it
    size_t offset;    ///< in PsLimits
} PsLimitOption;

/// The table, in the order people should see it.
const PsLimitOption *ps_limit_options(size_t *ret_count);
/// AWS's numbers.
void ps_limits_init(PsLimits *limits);
uint32_t ps_limits_value(const PsLimits *limits, const PsLimitOption *option);
/// PS_ERR_NOT_FOUND (no such name; the diagnosis suggests one), PS_ERR_RANGE.
PsErr ps_limits_set(PsLimits *limits, const char *name, long long value, PsDiag *diag);
/// "NAME=VALUE". Also PS_ERR_INVALID.
PsErr ps_limits_set_text(PsLimits *limits, const char *text, PsDiag *diag);
