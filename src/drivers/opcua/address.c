// Addresses of servers, and the names of sessions. Pure.
#include "drivers/opcua/address.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "opc.tcp://"
#define DEFAULT_PORT 4840

static PsErr fail_url(const char *url, PsDiag *diag) {
    return ps_fail(PS_ERR_INVALID, diag, NULL, "url",
                   "'%.100s' is no address of an OPC UA server; it has the form "
                   "opc.tcp://10.5.16.82:4840 or opc.tcp://host:4840/path",
                   url);
}

static bool take_port(const char *text, size_t len, int *ret_port) {
    char digits[8];
    long long port;
    if (len == 0 || len >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (!ps_text_to_int(digits, 1, 65535, &port)) {
        return false;
    }
    *ret_port = (int)port;
    return true;
}

static void put_url(PsOpcuaAddress *address, const char *path) {
    bool is_ipv6 = strchr(address->host, ':') != NULL;
    snprintf(address->url, sizeof address->url, "%s%s%s%s:%d%s", SCHEME, is_ipv6 ? "[" : "",
             address->host, is_ipv6 ? "]" : "", address->port, path);
}

static PsErr parse_url(const char *url, PsOpcuaAddress *address, PsDiag *diag) {
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0) {
        return fail_url(url, diag);
    }
    const char *host = url + strlen(SCHEME);
    const char *end = host + strcspn(host, "/");
    const char *path = end;
    if (*host == '[') {
        host++;
        const char *bracket = memchr(host, ']', (size_t)(end - host));
        if (bracket == NULL || (bracket + 1 != end && bracket[1] != ':')) {
            return fail_url(url, diag);
        }
        if (bracket + 1 != end &&
            !take_port(bracket + 2, (size_t)(end - bracket) - 2, &address->port)) {
            return fail_url(url, diag);
        }
        end = bracket;
    } else {
        const char *colon = memchr(host, ':', (size_t)(end - host));
        if (colon != NULL && !take_port(colon + 1, (size_t)(end - colon) - 1, &address->port)) {
            return fail_url(url, diag);
        }
        end = colon != NULL ? colon : end;
    }
    size_t len = (size_t)(end - host);
    if (len == 0 || len >= sizeof address->host || strlen(path) > 40 + 256 - len) {
        return fail_url(url, diag);
    }
    memcpy(address->host, host, len);
    address->host[len] = '\0';
    put_url(address, path);
    return PS_OK;
}

PsErr ps_opcua_address(const PsDevice *device, PsOpcuaAddress *ret_address, PsDiag *diag) {
    PsOpcuaAddress address = {.port = device->port > 0 ? device->port : DEFAULT_PORT};
    const char *url = device->url != NULL ? device->url : "";
    const char *ip = device->ip != NULL ? device->ip : "";
    if (url[0] != '\0') {
        address.port = DEFAULT_PORT;
        PsErr err = parse_url(url, &address, diag);
        if (err != PS_OK) {
            return err;
        }
    } else {
        if (ip[0] == '\0' || strlen(ip) >= sizeof address.host) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, "url",
                           "the address of the server is missing: set url (opc.tcp://host:4840) "
                           "or ip");
        }
        snprintf(address.host, sizeof address.host, "%s", ip);
        put_url(&address, "");
    }
    *ret_address = address;
    return PS_OK;
}

static uint32_t hash_of(const char *text) {
    uint32_t hash = 2166136261U; // FNV-1a
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 16777619U;
    }
    return hash;
}

void ps_opcua_endpoint_key(const PsConfig *config, const PsDevice *device, char *out, size_t size) {
    PsOpcuaAddress address = {0};
    char key[sizeof address.url + 400];
    if (ps_opcua_address(device, &address, NULL) != PS_OK) {
        snprintf(out, size, "%.100s", device->url != NULL ? device->url : "");
        return;
    }
    int len = snprintf(key, sizeof key, "%s", address.url + strlen(SCHEME));
    size_t at = (size_t)len;
    if (device->auth == PS_OPCUA_USER_NAME) {
        at += (size_t)snprintf(key + at, sizeof key - at, " as %.128s", device->username);
    } else if (device->auth == PS_OPCUA_CERTIFICATE) {
        at += (size_t)snprintf(key + at, sizeof key - at, " with %.128s", device->cert);
    }
    if (device->security_policy != PS_OPCUA_POLICY_AUTO ||
        device->security_mode != PS_OPCUA_MODE_AUTO) {
        bool policy = device->security_policy != PS_OPCUA_POLICY_AUTO;
        bool mode = device->security_mode != PS_OPCUA_MODE_AUTO;
        snprintf(key + at, sizeof key - at, " (%s%s%s)",
                 policy ? ps_opcua_policy_name(device->security_policy) : "",
                 policy && mode ? ", " : "", mode ? ps_opcua_mode_name(device->security_mode) : "");
    }
    if (strlen(key) < size) {
        snprintf(out, size, "%s", key);
    } else {
        snprintf(out, size, "%.*s~%08x", (int)size - 11, key, hash_of(key));
    }
}
