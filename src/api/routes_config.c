// Routes of the configuration: what may be changed, and what ran when. Constant data.
#include "api/handlers_config.h"

#define WHY                                                                                        \
    {"why", PS_API_BODY, PS_API_TEXT, .help = "What for; kept with the revision.", .max = 500}
#define DRY_RUN {"dry_run", PS_API_BODY, PS_API_BOOLEAN, .help = "Only say what would change."}
#define BASE                                                                                       \
    {"base", PS_API_BODY, PS_API_INTEGER, .max = 4294967295.0,                                     \
     .help = "The revision that the change was made from; refused when another one runs. 0: any."}

static const PsApiParameter apply_parameters[] = {
    {"upload", PS_API_BODY, PS_API_INTEGER, .max = 9e15,
     .help = "The candidate, as POST /apply/upload answered; without it or 0 it is the "
             "configuration folder."},
    WHY,
    DRY_RUN,
    BASE,
    {"confirm_s", PS_API_BODY, PS_API_NUMBER, .max = 1e6,
     .help = "Taken back unless confirmed within this time."},
    {"healthy_s", PS_API_BODY, PS_API_NUMBER, .max = 1e6,
     .help = "Taken back at the end of this time if something is worse than before."},
    {NULL},
};

static const PsApiParameter upload_parameters[] = {
    {"upload", PS_API_BODY, PS_API_INTEGER, .max = 9e15,
     .help = "As the piece before was answered; 0 or left out for the first."},
    {"text", PS_API_BODY, PS_API_TEXT, .required = true,
     .help = "A piece of {\"files\": {\"penstock.json\": text, \"scripts/main.py\": text}}."},
    {NULL},
};

static const PsApiParameter revert_parameters[] = {
    {"of", PS_API_BODY, PS_API_INTEGER, .max = 4294967295.0,
     .help = "Number of the revision; 0 or left out: the one before."},
    WHY,
    DRY_RUN,
    BASE,
    {NULL},
};

static const PsApiParameter revision_parameters[] = {
    {"number", PS_API_PATH, PS_API_INTEGER, .min = 1, .max = 4294967295.0,
     .help = "Number of the revision."},
    {NULL},
};

const PsApiRoute ps_api_routes_config[] = {
    {.method = "POST",
     .path = "/apply",
     .id = "apply",
     .handler = ps_api_apply,
     .role = PS_ROLE_ENGINEER,
     .parameters = apply_parameters,
     .help = "Makes the configuration folder, or an uploaded candidate, what runs.",
     .statuses = "404 409 507"},
    {.method = "POST",
     .path = "/apply/upload",
     .id = "uploadCandidate",
     .handler = ps_api_apply_upload,
     .role = PS_ROLE_ENGINEER,
     .parameters = upload_parameters,
     .help = "Takes one piece of a candidate.",
     .statuses = "404 409 413",
     .flags = PS_API_QUIET},
    {.method = "GET",
     .path = "/apply/progress",
     .id = "getApplyProgress",
     .handler = ps_api_apply_progress,
     .role = PS_ROLE_VIEWER,
     .help = "Who changes what at the moment, and how far it is."},
    {.method = "POST",
     .path = "/confirm",
     .id = "confirm",
     .handler = ps_api_confirm,
     .role = PS_ROLE_ENGINEER,
     .help = "What is tried out stays.",
     .statuses = "404 409"},
    {.method = "POST",
     .path = "/revert",
     .id = "revert",
     .handler = ps_api_revert,
     .role = PS_ROLE_ENGINEER,
     .parameters = revert_parameters,
     .help = "Runs an earlier revision again.",
     .statuses = "404 409 507"},
    {.method = "GET",
     .path = "/revisions",
     .id = "listRevisions",
     .handler = ps_api_revisions,
     .role = PS_ROLE_VIEWER,
     .help = "What ran when, by whom and why."},
    {.method = "GET",
     .path = "/revisions/{number}",
     .id = "getRevision",
     .handler = ps_api_revision,
     .role = PS_ROLE_VIEWER,
     .parameters = revision_parameters,
     .help = "A kept revision with what it changed.",
     .statuses = "404 409"},
    {NULL},
};
