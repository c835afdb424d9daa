//! What `penstock-cloud run` can be told.
#pragma once

#include "localcloud/client.h"
#include "localcloud/front/limits.h"
#include "localcloud/front/reactions.h"
#include "localcloud/identity.h"
#include "localcloud/payload.h"

#define PS_RUN_THINGS 32
#define PS_RUN_API_PORT 8080

typedef struct PsRunOptions {
    const char *dir;
    uint16_t port;
    int alpn_port; ///< -1: none
    int api_port;  ///< 0: a free one; -1: PS_RUN_API_PORT, or a free one when that is taken
    const char *console_dir; ///< NULL: no page
    PsKeyType key_type;
    PsFlaw server_flaw;
    bool strict_sni;
    const char *things[PS_RUN_THINGS];
    size_t thing_count;
    const char *hosts[PS_IDENTITY_HOSTS];
    size_t host_count;
    const char *filters[PS_CLIENT_FILTERS];
    size_t filter_count;
    const char *ready_path;
    const char *faults_path; ///< a script of fault rules; NULL: none
    PsLimits limits;
    PsReactions reactions;
    PsPayloadFormat format;
    bool quiet;
} PsRunOptions;

/// 0, or the exit status after it has said what is wrong. Borrows from `argv`.
int ps_run_options_parse(int argc, char **argv, PsRunOptions *ret_options);
