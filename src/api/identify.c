// Who sends a request: the user behind the Unix socket, an API token, a session. Main thread; never
// blocks.
#include "api/call_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COOKIE "__Host-penstock"
#define BEARER "Bearer "

static void of_socket(const PsApi *api, const PsHttpPeer *peer, PsIdentity *identity) {
    identity->role = PS_ROLE_ADMINISTRATOR;
    identity->by = "socket";
    ps_api_peers_name(api->peers, peer->uid, identity->name, sizeof identity->name);
}

void ps_api_identify(const PsApi *api, const PsHttpRequest *request, const PsHttpPeer *peer,
                     PsIdentity *ret_identity) {
    *ret_identity = (PsIdentity){.by = ""};
    PsAccess *access = api->sources.access;
    if (peer->local) {
        of_socket(api, peer, ret_identity);
        return;
    }
    if (access == NULL) {
        return;
    }
    PsIdentity found = {0};
    char cookie[PS_COOKIE_SIZE];
    const char *authorization = ps_http_header(request, "Authorization");
    PsErr err = PS_ERR_DENIED;
    if (authorization != NULL) { // whoever gives one does not mean the cookie
        size_t len = sizeof BEARER - 1;
        err = strncasecmp(authorization, BEARER, len) == 0
                  ? ps_access_by_token(access, authorization + len, &found)
                  : PS_ERR_DENIED;
    } else if (ps_http_cookie(request, COOKIE, cookie, sizeof cookie)) {
        err = ps_access_by_cookie(access, cookie, &found);
    }
    if (err == PS_OK) {
        *ret_identity = found;
    }
}
