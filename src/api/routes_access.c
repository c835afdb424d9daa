// Routes of accounts, sessions, tokens and the audit log. Constant data.
#include "api/handlers_access.h"

#define ROLES "viewer|operator|engineer|administrator"
#define OBJECT(required, properties)                                                               \
    "{\"type\":\"object\",\"required\":[" required "],\"properties\":{" properties "}}"
#define TEXT(name) "\"" name "\":{\"type\":\"string\"}"
#define NUMBER(name) "\"" name "\":{\"type\":\"number\"}"
#define TIME_OR_NULL(name) "\"" name "\":{\"type\":[\"number\",\"null\"]}"
#define FLAG(name) "\"" name "\":{\"type\":\"boolean\"}"
#define ITEMS(row) OBJECT("\"items\"", "\"items\":{\"type\":\"array\",\"items\":" row "}")

#define SESSION                                                                                    \
    OBJECT("\"name\",\"role\",\"by\"", TEXT("name") "," TEXT("role") "," TEXT("by") "," TEXT(      \
                                           "csrf") "," NUMBER("idle_until") "," NUMBER("expires"))
#define USER                                                                                       \
    OBJECT("\"name\",\"role\",\"created\",\"last_login\",\"disabled\",\"locked_until\"",           \
           TEXT("name") "," TEXT("role") "," NUMBER("created") "," TIME_OR_NULL(                   \
               "last_login") "," FLAG("disabled") "," TIME_OR_NULL("locked_until"))
#define TOKEN                                                                                               \
    OBJECT(                                                                                                 \
        "\"id\",\"name\",\"owner\",\"role\",\"created\",\"expires\",\"last_used\"",                         \
        TEXT("id") "," TEXT("name") ",\"owner\":{\"type\":[\"string\",\"null\"]}," TEXT("role") "," NUMBER( \
            "created") "," NUMBER("expires") "," TIME_OR_NULL("last_used") "," TEXT("token"))
#define ENTRY                                                                                      \
    OBJECT("\"id\",\"time\",\"who\",\"from\",\"what\",\"object\",\"result\",\"detail\"",           \
           "\"id\":{\"type\":\"integer\"}," NUMBER("time") "," TEXT("who") "," TEXT(               \
               "from") "," TEXT("what") "," TEXT("object") "," TEXT("result") "," TEXT("detail"))

static const PsApiParameter set_up[] = {
    {"code", PS_API_BODY, PS_API_TEXT, true, "what `penstock setup-code` shows", 1, 128},
    {"name", PS_API_BODY, PS_API_TEXT, true, "of the first administrator", 1, 256},
    {"password", PS_API_BODY, PS_API_TEXT, true, "10 to 128 bytes", 1, 1024},
    {NULL},
};
static const PsApiParameter log_in[] = {
    {"name", PS_API_BODY, PS_API_TEXT, true, "of the user", 0, 256},
    {"password", PS_API_BODY, PS_API_TEXT, true, "the account's password", 0, 1024},
    {NULL},
};
static const PsApiParameter password[] = {
    {"old", PS_API_BODY, PS_API_TEXT, true, "the present password", 0, 1024},
    {"new", PS_API_BODY, PS_API_TEXT, true, "10 to 128 bytes", 1, 1024},
    {NULL},
};
static const PsApiParameter user_add[] = {
    {"name", PS_API_BODY, PS_API_TEXT, true, "letters, digits and . _ @ -", 1, 256},
    {"role", PS_API_BODY, PS_API_TEXT, true, "what the user may do", .words = ROLES},
    {"password", PS_API_BODY, PS_API_TEXT, true, "10 to 128 bytes", 1, 1024},
    {NULL},
};
static const PsApiParameter user_change[] = {
    {"user", PS_API_PATH, PS_API_TEXT, true, "name of the user", 1, 64},
    {"role", PS_API_BODY, PS_API_TEXT, false, "what the user may do", .words = ROLES},
    {"password", PS_API_BODY, PS_API_TEXT, false, "another one, 10 to 128 bytes", 1, 1024},
    {"disabled", PS_API_BODY, PS_API_BOOLEAN, false, "cannot log in, and the tokens do not open"},
    {NULL},
};
static const PsApiParameter user[] = {
    {"user", PS_API_PATH, PS_API_TEXT, true, "name of the user", 1, 64},
    {NULL},
};
static const PsApiParameter token_add[] = {
    {"name", PS_API_BODY, PS_API_TEXT, true, "what it is for: letters, digits and . _ @ -", 1, 64},
    {"role", PS_API_BODY, PS_API_TEXT, true, "at most one's own", .words = ROLES},
    {"days", PS_API_BODY, PS_API_INTEGER, true, "how long it opens", 1, 3650},
    {NULL},
};
static const PsApiParameter token[] = {
    {"id", PS_API_PATH, PS_API_TEXT, true, "of the token, as listed", 1, 64},
    {NULL},
};
static const PsApiParameter audit[] = {
    {"before", PS_API_QUERY, PS_API_INTEGER, false, "older than this id: the next page", 1, 9e15},
    {"after", PS_API_QUERY, PS_API_INTEGER, false, "newer than this id, oldest first", 0, 9e15},
    {"limit", PS_API_QUERY, PS_API_INTEGER, false, "entries of a page, 50 unless given", 1, 1000},
    {"who", PS_API_QUERY, PS_API_TEXT, false, "of this user only", 1, 200},
    {"what", PS_API_QUERY, PS_API_TEXT, false, "operations that begin so, such as `put`", 1, 100},
    {"search", PS_API_QUERY, PS_API_TEXT, false, "found in any text, whatever the case", 1, 200},
    {NULL},
};

#define BODY_MAX ((size_t)16 * 1024)

const PsApiRoute ps_api_routes_access[] = {
    // the first administrator
    {"GET", "/setup", "getSetup", ps_api_setup,
     .answer_schema = OBJECT("\"needed\",\"loopback_only\"",
                             FLAG("needed") "," FLAG("loopback_only") "," TEXT("problem")),
     .help = "Whether the first administrator has still to be made.", .flags = PS_API_PUBLIC},
    {"POST", "/setup", "setUp", ps_api_set_up, .parameters = set_up, .answer_schema = SESSION,
     .help = "Makes the first administrator with the one-time code, and logs him in; on the "
             "gateway itself only.",
     .statuses = "403 409 422", .body_max = BODY_MAX, .flags = PS_API_PUBLIC | PS_API_QUIET},
    {"GET", "/setup/code", "getSetupCode", ps_api_setup_code, .role = PS_ROLE_ADMINISTRATOR,
     .answer_schema = OBJECT("\"code\",\"expires\"", TEXT("code") "," NUMBER("expires")),
     .help = "The one-time code for the first administrator; on the Unix socket only.",
     .statuses = "409", .flags = PS_API_UNIX_ONLY},
    // the session
    {"POST", "/session", "logIn", ps_api_log_in, .parameters = log_in, .answer_schema = SESSION,
     .help = "Logs in: sets the session cookie and answers the session with its `csrf`, which "
             "every change has to bring as X-CSRF-Token.",
     .statuses = "401 429", .body_max = BODY_MAX, .flags = PS_API_PUBLIC | PS_API_QUIET},
    {"GET", "/session", "getSession", ps_api_session, PS_ROLE_VIEWER, .answer_schema = SESSION,
     .help = "The session, or token, that asks."},
    {"DELETE", "/session", "logOut", ps_api_log_out, PS_ROLE_VIEWER,
     .answer_schema = "{\"type\":\"object\"}", .help = "Logs out: the session ends."},
    {"PUT", "/session/password", "changePassword", ps_api_password, PS_ROLE_VIEWER,
     .parameters = password, .answer_schema = "{\"type\":\"object\"}",
     .help = "Another password of one's own; one's other sessions end.", .statuses = "409 422 429",
     .body_max = BODY_MAX},
    // users
    {"GET", "/users", "listUsers", ps_api_users, PS_ROLE_ADMINISTRATOR,
     .answer_schema = ITEMS(USER), .help = "All users."},
    {"POST", "/users", "addUser", ps_api_user_add, PS_ROLE_ADMINISTRATOR, .parameters = user_add,
     .answer_schema = USER, .help = "A new user.", .statuses = "409 422 429 507",
     .body_max = BODY_MAX},
    {"PUT", "/users/{user}", "changeUser", ps_api_user_change, PS_ROLE_ADMINISTRATOR,
     .parameters = user_change, .answer_schema = USER,
     .help = "Another role or password of a user, or locks him out; his sessions end.",
     .statuses = "404 409 422 429", .body_max = BODY_MAX},
    {"DELETE", "/users/{user}", "removeUser", ps_api_user_remove, PS_ROLE_ADMINISTRATOR,
     .parameters = user, .answer_schema = "{\"type\":\"object\"}",
     .help = "Removes a user with his tokens; the last administrator stays.",
     .statuses = "404 409 429"},
    // tokens
    {"GET", "/tokens", "listTokens", ps_api_tokens, PS_ROLE_VIEWER, .answer_schema = ITEMS(TOKEN),
     .help = "One's own API tokens, without their text; an administrator sees all."},
    {"POST", "/tokens", "addToken", ps_api_token_add, PS_ROLE_VIEWER, .parameters = token_add,
     .answer_schema = TOKEN,
     .help = "A new API token. Its text, `token`, is shown this once. Not with a token.",
     .statuses = "409 422 429 507", .body_max = BODY_MAX},
    {"DELETE", "/tokens/{id}", "removeToken", ps_api_token_remove, PS_ROLE_VIEWER,
     .parameters = token, .answer_schema = "{\"type\":\"object\"}",
     .help = "Removes one of one's own tokens; an administrator any.", .statuses = "404 429"},
    // audit
    {"GET", "/audit", "listAudit", ps_api_audit, PS_ROLE_ADMINISTRATOR, .parameters = audit,
     .answer_schema = OBJECT("\"items\",\"next\"", "\"items\":{\"type\":\"array\",\"items\":" ENTRY
                                                   "},\"next\":{\"type\":[\"integer\",\"null\"]}"),
     .help = "Who did what, from where, with which result; newest first. `next` is the `before` "
             "(or `after`) of the next page.",
     .statuses = "409"},
    {NULL},
};
