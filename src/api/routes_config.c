// Routes of the configuration: what may be changed, and what ran when. Constant data.
#include "api/handlers_config.h"

#define WHY                                                                                        \
    {"why", PS_API_BODY, PS_API_TEXT, .help = "What for; kept with the revision.", .max = 500}
#define DRY_RUN {"dry_run", PS_API_BODY, PS_API_BOOLEAN, .help = "Only say what would change."}
#define BASE                                                                                       \
    {"base", PS_API_BODY, PS_API_INTEGER, .max = 4294967295.0,                                     \
     .help = "The revision that the change was made from; refused when another one runs. 0: any."}

#define ASKED_WHY                                                                                  \
    {"why", PS_API_QUERY, PS_API_TEXT, .help = "What for; kept with the revision.", .max = 500}
#define ASKED_DRY_RUN                                                                              \
    {"dry_run", PS_API_QUERY, PS_API_BOOLEAN, .help = "Only say what would change."}
#define ASKED_BASE                                                                                 \
    {"base", PS_API_QUERY, PS_API_INTEGER, .max = 4294967295.0,                                    \
     .help = "The revision that the change was made from; refused when another one runs. 0: any."}
#define NAME {"name", PS_API_PATH, PS_API_TEXT, .help = "Its name.", .max = 128}
#define DEVICE {"device", PS_API_PATH, PS_API_TEXT, .help = "The device's name.", .max = 128}

// --- resources ----------------------------------------------------------------------------------

static const PsApiParameter list_parameters[] = {
    {"search", PS_API_QUERY, PS_API_TEXT,
     .help = "Only those that hold this in one of their texts.", .max = 128},
    {"sort", PS_API_QUERY, PS_API_TEXT, .help = "Left out: as in the file.", .words = "name|-name"},
    {"offset", PS_API_QUERY, PS_API_INTEGER, .help = "So many are passed over.", .max = 1e6},
    {"limit", PS_API_QUERY, PS_API_INTEGER, .help = "At most so many; 50.", .min = 1, .max = 1000},
    {NULL},
};

static const PsApiParameter name_parameters[] = {NAME, {NULL}};
static const PsApiParameter add_parameters[] = {ASKED_WHY, ASKED_BASE, ASKED_DRY_RUN, {NULL}};
static const PsApiParameter put_parameters[] = {NAME, ASKED_WHY, ASKED_BASE, ASKED_DRY_RUN, {NULL}};
static const PsApiParameter delete_parameters[] = {
    NAME,
    ASKED_WHY,
    ASKED_BASE,
    ASKED_DRY_RUN,
    {"cascade", PS_API_QUERY, PS_API_BOOLEAN,
     .help = "What cannot be without it goes too: the variables and alarms of a device, the alarms "
             "of a variable, the devices of a serial port. Members of a group go to the predefined "
             "one."},
    {NULL},
};
static const PsApiParameter variable_parameters[] = {DEVICE, NAME, {NULL}};
static const PsApiParameter variable_add_parameters[] = {
    DEVICE, ASKED_WHY, ASKED_BASE, ASKED_DRY_RUN, {NULL}};
static const PsApiParameter variable_put_parameters[] = {DEVICE,     NAME,          ASKED_WHY,
                                                         ASKED_BASE, ASKED_DRY_RUN, {NULL}};
static const PsApiParameter variable_delete_parameters[] = {
    DEVICE,        NAME,
    ASKED_WHY,     ASKED_BASE,
    ASKED_DRY_RUN, {"cascade", PS_API_QUERY, PS_API_BOOLEAN, .help = "Its alarms go too."},
    {NULL},
};

#define SCHEMA(block) "{\"$ref\":\"#/components/schemas/" block "\"}"
#define LIST_SCHEMA(block)                                                                         \
    "{\"type\":\"object\",\"required\":[\"total\",\"offset\",\"items\"],\"properties\":{"          \
    "\"total\":{"                                                                                  \
    "\"type\":\"integer\"},\"offset\":{\"type\":\"integer\"},\"items\":{\"type\":\"array\","       \
    "\"items\":{"                                                                                  \
    "\"type\":\"object\"}}}}"

#define LIST(segment, block, ids, things)                                                          \
    {.method = "GET",                                                                              \
     .path = "/" segment,                                                                          \
     .id = "list" ids,                                                                             \
     .handler = ps_api_resource_list,                                                              \
     .role = PS_ROLE_VIEWER,                                                                       \
     .parameters = list_parameters,                                                                \
     .answer_schema = LIST_SCHEMA(block),                                                          \
     .help = "The " things ", with all their keys."}
#define ADD(at, block, id_text, thing, table)                                                      \
    {.method = "POST",                                                                             \
     .path = (at),                                                                                 \
     .id = "add" id_text,                                                                          \
     .handler = ps_api_resource_add,                                                               \
     .role = PS_ROLE_ENGINEER,                                                                     \
     .parameters = (table),                                                                        \
     .body_schema = SCHEMA(block),                                                                 \
     .help = "Adds a " thing "; the answer is that of POST /apply.",                               \
     .statuses = "404 409 507",                                                                    \
     .body_max = MESSAGE_BODY_MAX}
#define GET(at, id_text, thing, table)                                                             \
    {.method = "GET",                                                                              \
     .path = (at),                                                                                 \
     .id = "get" id_text,                                                                          \
     .handler = ps_api_resource_get,                                                               \
     .role = PS_ROLE_VIEWER,                                                                       \
     .parameters = (table),                                                                        \
     .help = "One " thing ", with all its keys.",                                                  \
     .statuses = "404"}
#define PUT(at, block, id_text, thing, table)                                                      \
    {.method = "PUT",                                                                              \
     .path = (at),                                                                                 \
     .id = "put" id_text,                                                                          \
     .handler = ps_api_resource_put,                                                               \
     .role = PS_ROLE_ENGINEER,                                                                     \
     .parameters = (table),                                                                        \
     .body_schema = SCHEMA(block),                                                                 \
     .help = "Puts a whole " thing " in place of the one of this name; another name in the body "  \
             "renames it, and what refers to it follows.",                                         \
     .statuses = "404 409 507",                                                                    \
     .body_max = MESSAGE_BODY_MAX}
#define DELETE(at, id_text, thing, table)                                                          \
    {.method = "DELETE",                                                                           \
     .path = (at),                                                                                 \
     .id = "delete" id_text,                                                                       \
     .handler = ps_api_resource_delete,                                                            \
     .role = PS_ROLE_ENGINEER,                                                                     \
     .parameters = (table),                                                                        \
     .help = "Deletes a " thing "; refused while something uses it.",                              \
     .statuses = "404 409 507"}
#define RESOURCE(segment, block, id, ids, thing, things)                                           \
    LIST(segment, block, ids, things), ADD("/" segment, block, id, thing, add_parameters),         \
        GET("/" segment "/{name}", id, thing, name_parameters),                                    \
        PUT("/" segment "/{name}", block, id, thing, put_parameters),                              \
        DELETE("/" segment "/{name}", id, thing, delete_parameters)
#define SINGLE(block, id_text, thing, put_role)                                                    \
    {.method = "GET",                                                                              \
     .path = "/" block,                                                                            \
     .id = "get" id_text,                                                                          \
     .handler = ps_api_single_get,                                                                 \
     .role = PS_ROLE_VIEWER,                                                                       \
     .help = "The " thing ", with all keys."},                                                     \
        {.method = "PUT",                                                                          \
         .path = "/" block,                                                                        \
         .id = "put" id_text,                                                                      \
         .handler = ps_api_single_put,                                                             \
         .role = (put_role),                                                                       \
         .parameters = add_parameters,                                                             \
         .body_schema = SCHEMA(block),                                                             \
         .help = "Changes the " thing ".",                                                         \
         .statuses = "409 507"}

#define MESSAGE_BODY_MAX ((size_t)8 * 1024 * 1024) // with a script
#define VARIABLES "/devices/{device}/variables"

// --- files --------------------------------------------------------------------------------------

static const PsApiParameter edits_parameters[] = {
    {"edits", PS_API_BODY, PS_API_ARRAY, .required = true,
     .help = "What changes, in this order; all of it or nothing. What hangs together is looked at "
             "when all are done.",
     .max = 200000,
     .schema =
         "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"op\"],"
         "\"properties\":{\"op\":{\"enum\":[\"put\",\"set\",\"delete\",\"file\"]},\"block\":{"
         "\"type\":\"string\"},\"name\":{\"type\":\"string\"},\"device\":{\"type\":\"string\"},"
         "\"value\":{\"type\":\"object\"},\"cascade\":{\"type\":\"boolean\"},\"path\":{\"type\":"
         "\"string\"},\"text\":{\"type\":[\"string\",\"null\"]}},\"additionalProperties\":"
         "false}}"},
    WHY,
    DRY_RUN,
    BASE,
    {NULL},
};

static const PsApiParameter script_parameters[] = {
    {"path", PS_API_QUERY, PS_API_TEXT, .required = true, .max = 1024,
     .help = "Of the Python file, below the configuration folder: scripts/main.py."},
    {NULL},
};

static const PsApiParameter script_put_parameters[] = {
    {"path", PS_API_QUERY, PS_API_TEXT, .required = true, .max = 1024,
     .help = "Of the Python file, below the configuration folder: scripts/main.py."},
    ASKED_WHY,
    ASKED_BASE,
    ASKED_DRY_RUN,
    {"text", PS_API_BODY, PS_API_TEXT, .required = true, .help = "The script."},
    {NULL},
};

static const PsApiParameter certificate_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .max = 100,
     .help = "Name of the file: letters, digits, '.', '-' and '_'."},
    {"text", PS_API_BODY, PS_API_TEXT, .required = true,
     .help = "A certificate, root certificates or a private key, PEM."},
    {NULL},
};

static const PsApiParameter password_parameters[] = {
    {"password", PS_API_BODY, PS_API_TEXT, .required = true, .min = 1, .max = 1024,
     .help = "Of `username` at the server; never answered."},
    {NULL},
};

static const PsApiParameter device_password_parameters[] = {
    NAME,
    {"password", PS_API_BODY, PS_API_TEXT, .required = true, .min = 1, .max = 1024,
     .help = "Of `username` at the server; never answered."},
    {NULL},
};

static const PsApiParameter certificate_name_parameters[] = {NAME, {NULL}};

static const PsApiParameter trust_parameters[] = {
    {"certificate", PS_API_BODY, PS_API_TEXT, .required = true, .min = 1, .max = 128,
     .help =
         "SHA-256 fingerprint of the certificate, or its first 8 digits and more; or the name of "
         "the device whose server has shown it."},
    {NULL},
};

static const PsApiParameter export_parameters[] = {
    {"kind", PS_API_PATH, PS_API_TEXT, .help = "What is exported.",
     .words = "devices|variables|groups|alarms"},
    {"device", PS_API_QUERY, PS_API_TEXT, .help = "Only variables and alarms of this device.",
     .max = 128},
    {NULL},
};

static const PsApiParameter import_parameters[] = {
    {"files", PS_API_BODY, PS_API_ARRAY, .required = true, .min = 1, .max = 20,
     .help = "CSV files of Device Supervisor, in any order.",
     .schema =
         "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\",\"text\"],"
         "\"properties\":{\"name\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"}},"
         "\"additionalProperties\":false}}"},
    {"skip_bad", PS_API_BODY, PS_API_BOOLEAN,
     .help = "Rows that are not taken do not keep the others from it."},
    WHY,
    DRY_RUN,
    BASE,
    {NULL},
};

#define EDITS_BODY_MAX ((size_t)32 * 1024 * 1024)
#define IMPORT_BODY_MAX ((size_t)64 * 1024 * 1024)
#define CERTIFICATE_BODY_MAX ((size_t)1024 * 1024)

// --- revisions ----------------------------------------------------------------------------------

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
    {.method = "GET",
     .path = "/options",
     .id = "getOptions",
     .handler = ps_api_options,
     .role = PS_ROLE_VIEWER,
     .help = "Every key of the configuration with type, range, default and meaning, for forms."},
    RESOURCE("devices", "devices", "Device", "Devices", "device", "devices"),
    RESOURCE("groups", "groups", "Group", "Groups", "group", "groups"),
    RESOURCE("strategies", "warning", "Strategy", "Strategies", "alarm strategy",
             "alarm strategies"),
    RESOURCE("publish", "publish", "Publish", "Publishes", "publish message", "publish messages"),
    RESOURCE("subscribe", "subscribe", "Subscribe", "Subscribes", "subscribe message",
             "subscribe messages"),
    RESOURCE("serial", "serial", "Serial", "Serials", "serial port", "serial ports"),
    ADD(VARIABLES, "vars", "Variable", "variable", variable_add_parameters),
    GET(VARIABLES "/{name}", "Variable", "variable", variable_parameters),
    PUT(VARIABLES "/{name}", "vars", "Variable", "variable", variable_put_parameters),
    DELETE(VARIABLES "/{name}", "Variable", "variable", variable_delete_parameters),
    SINGLE("cloud", "Cloud", "connection to the cloud", PS_ROLE_ENGINEER),
    SINGLE("parameters", "Parameters", "parameters of the gateway", PS_ROLE_ENGINEER),
    SINGLE("web", "Web", "web server", PS_ROLE_ADMINISTRATOR),
    {.method = "POST",
     .path = "/edits",
     .id = "edit",
     .handler = ps_api_edits,
     .role = PS_ROLE_ENGINEER,
     .parameters = edits_parameters,
     .help = "Changes many objects at once, in one revision; the answer is that of POST /apply.",
     .statuses = "404 409 507",
     .body_max = EDITS_BODY_MAX},
    {.method = "GET",
     .path = "/scripts",
     .id = "listScripts",
     .handler = ps_api_scripts,
     .role = PS_ROLE_VIEWER,
     .help = "The Python files of the configuration, and which message uses which."},
    {.method = "GET",
     .path = "/scripts/file",
     .id = "getScript",
     .handler = ps_api_script_file,
     .role = PS_ROLE_ENGINEER,
     .parameters = script_parameters,
     .help = "The text of a script.",
     .statuses = "404"},
    {.method = "PUT",
     .path = "/scripts/file",
     .id = "putScript",
     .handler = ps_api_script_file_put,
     .role = PS_ROLE_ENGINEER,
     .parameters = script_put_parameters,
     .help = "Saves the script of a message as a new revision; the answer is that of POST /apply.",
     .statuses = "404 409 507",
     .body_max = MESSAGE_BODY_MAX},
    {.method = "GET",
     .path = "/certificates",
     .id = "listCertificates",
     .handler = ps_api_certificates,
     .role = PS_ROLE_ENGINEER,
     .help = "Certificates and keys: what they are and which belong together; never a key itself."},
    {.method = "POST",
     .path = "/certificates",
     .id = "addCertificate",
     .handler = ps_api_certificate_add,
     .role = PS_ROLE_ENGINEER,
     .parameters = certificate_parameters,
     .help = "Takes a certificate or a key in; one of the same name is replaced.",
     .statuses = "403 507",
     .body_max = CERTIFICATE_BODY_MAX,
     .flags = 0},
    {.method = "PUT",
     .path = "/cloud/password",
     .id = "putCloudPassword",
     .handler = ps_api_cloud_password,
     .role = PS_ROLE_ENGINEER,
     .parameters = password_parameters,
     .help = "Keeps the password of Standard MQTT in a file of its own, for `password_file` of the "
             "cloud: `path` of the answer.",
     .statuses = "403 507"},
    {.method = "PUT",
     .path = "/devices/{name}/password",
     .id = "putDevicePassword",
     .handler = ps_api_device_password,
     .role = PS_ROLE_ENGINEER,
     .parameters = device_password_parameters,
     .help = "Keeps the password of an OPC UA device in a file of its own, for `password_file` of "
             "the device, which need not be there yet: `path` of the answer.",
     .statuses = "403 507"},
    {.method = "DELETE",
     .path = "/certificates/{name}",
     .id = "deleteCertificate",
     .handler = ps_api_certificate_delete,
     .role = PS_ROLE_ENGINEER,
     .parameters = certificate_name_parameters,
     .help = "Removes a certificate or key that nothing uses.",
     .statuses = "403 404 409"},
    {.method = "GET",
     .path = "/trust",
     .id = "listTrust",
     .handler = ps_api_trust,
     .role = PS_ROLE_ENGINEER,
     .help = "Certificates of OPC UA servers that were met, trusted or not, with the devices they "
             "belong to; and the gateway's own."},
    {.method = "POST",
     .path = "/trust/accept",
     .id = "acceptCertificate",
     .handler = ps_api_trust_accept,
     .role = PS_ROLE_ADMINISTRATOR,
     .parameters = trust_parameters,
     .help = "Trusts the certificate of an OPC UA server, from the next try to connect on.",
     .statuses = "403 404 409 507"},
    {.method = "POST",
     .path = "/trust/revoke",
     .id = "revokeCertificate",
     .handler = ps_api_trust_revoke,
     .role = PS_ROLE_ADMINISTRATOR,
     .parameters = trust_parameters,
     .help = "Trusts the certificate of an OPC UA server no longer; a session that is open stays "
             "until it is made anew.",
     .statuses = "403 404 409 507"},
    {.method = "GET",
     .path = "/export/{kind}",
     .id = "export",
     .handler = ps_api_export,
     .role = PS_ROLE_VIEWER,
     .parameters = export_parameters,
     .answer_type = "text/csv; charset=utf-8",
     .help = "A part of the configuration as Device Supervisor's CSV.",
     .statuses = "404"},
    {.method = "POST",
     .path = "/import",
     .id = "import",
     .handler = ps_api_import,
     .role = PS_ROLE_ENGINEER,
     .parameters = import_parameters,
     .help =
         "Takes Device Supervisor's CSV files in, or, with dry_run, says what each row would do.",
     .statuses = "409 507",
     .body_max = IMPORT_BODY_MAX},
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
