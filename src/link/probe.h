//! One connection to the cloud made for a person who wants to know whether it would work: the steps
//! one after the other with their times, the answer to each subscription, messages sent only when
//! asked for. Then it says goodbye. Blocks the caller's thread, which ignores SIGPIPE.
#pragma once

#include "link/link.h"
#include "link/reason.h"

/// Steps of a probe: DNS, TCP, TLS (not without TLS), CONNECT. Trouble with files is told as a
/// failure of the step PS_STEP_FILES.
typedef struct PsProbeStep {
    bool reached;
    bool done;
    double ms;
} PsProbeStep;

typedef struct PsProbeSubscription {
    bool answered;
    bool refused;
} PsProbeSubscription;

/// A message to be published and acknowledged.
typedef struct PsProbeMessage {
    const char *topic;
    const void *payload;
    size_t len;
    int qos;
    bool acknowledged; ///< set by the probe; QoS 0: it is with the socket
    double ms;         ///< until then
} PsProbeMessage;

typedef struct PsProbeSetup {
    const PsCloud *cloud; ///< this and what follows is borrowed for the call
    const PsLinkSubscription *subscriptions;
    size_t subscription_count;
    PsProbeMessage *messages; ///< published one after the other
    size_t message_count;
    PsMono deadline;
    /// Asked often; false ends the probe. `step` is what it is about.
    bool (*go_on)(const char *step, void *ctx);
    void *ctx;
} PsProbeSetup;

typedef struct PsProbe {
    PsProbeStep steps[PS_STEP_CONNECT + 1]; ///< by PsLinkStep
    bool tls;
    bool connected;   ///< CONNACK 0 came
    bool interrupted; ///< go_on said so
    bool failed;      ///< `failure` says why
    PsLinkFailure failure;
    char address[64];                   ///< the last that was tried, "" before
    char tls_summary[96];               ///< "TLSv1.3, ...", "" before
    char warning[256];                  ///< about the files, "" if none
    uint32_t received;                  ///< messages that came for the subscriptions
    PsProbeSubscription *subscriptions; ///< one for each of the setup; freed by deinit
} PsProbe;

/// PS_ERR_INVALID with `diag` when the setup's shape cannot work. Otherwise what came of it is in
/// `ret_probe`, also every failure.
PsErr ps_probe_run(const PsProbeSetup *setup, PsProbe *ret_probe, PsDiag *diag);
/// Accepts a zeroed one.
void ps_probe_deinit(PsProbe *probe);

/// Until when the certificate in a PEM file is valid. PS_ERR_INVALID when there is none.
PsErr ps_probe_certificate_end(const char *path, PsWall *ret_end, PsLinkFailure *reterr_failure);
