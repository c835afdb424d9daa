// Checks what devices of each protocol need beyond an address, and tells of keys that mean nothing
// to them. What has no effect is a warning, so that a device can change its protocol and back
// without losing anything; what contradicts is an error. Pure, apart from a look at the files that
// a device names; one thread.
#include "base/text.h"
#include "model/checker.h"
#include "model/device_address.h"
#include "model/tables.h"

#include <stdio.h>
#include <string.h>

#define FAIL PS_CHECK_FAIL
#define WARN PS_CHECK_WARN

// "ModbusTCP and ModbusRTU"
static void name_protocols(const PsOption *option, char *out, size_t size) {
    const char *names[PS_PROTOCOL_SIMULATOR + 1] = {NULL};
    size_t count = 0;
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i <= PS_PROTOCOL_SIMULATOR; i++) {
        if (ps_option_is_for(option, i)) {
            names[count++] = ps_protocol_name(i);
        }
    }
    for (size_t i = 0; i < count && len < size; i++) {
        const char *gap = i == 0 ? "" : i + 1 < count ? ", " : " and ";
        int more = snprintf(out + len, size - len, "%s%s", gap, names[i]);
        len += more > 0 ? (size_t)more : 0;
    }
}

void ps_checker_foreign(PsChecker *checker, const PsOptionTable *table, const void *object,
                        int protocol) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        bool told = strcmp(option->key, "serial") == 0; // it is a way to the device: an error
        if (told || ps_option_is_for(option, protocol) || ps_option_is_default(option, object)) {
            continue;
        }
        char protocols[96];
        name_protocols(option, protocols, sizeof protocols);
        WARN(checker, option->key, "is for %s; it does not count for %s, remove it", protocols,
             ps_protocol_name(protocol));
    }
}

// Keys that another key of the device has made idle.
static void warn_idle(PsChecker *checker, const PsDevice *device, const char *const *keys,
                      const char *why) {
    for (; *keys != NULL; keys++) {
        const PsOption *option = ps_option_find(&ps_table_device, *keys);
        if (option != NULL && !ps_option_is_default(option, device)) {
            WARN(checker, *keys, "does not count %s; remove it", why);
        }
    }
}

static void check_tsap(PsChecker *checker, const char *field, const char *text) {
    uint16_t tsap = 0;
    if (!ps_tsap_parse(text, &tsap)) {
        FAIL(checker, field, "'%.5s' is no TSAP: write two hexadecimal bytes, like 10.00 or 02.01",
             text);
    }
}

static void check_s7(PsChecker *checker, const PsDevice *device) {
    static const char *const places[] = {"rack", "slot", NULL};
    static const char *const tsaps[] = {"client_tsap", "server_tsap", NULL};
    if (device->s7_mode == PS_S7_TSAP) {
        check_tsap(checker, "client_tsap", device->client_tsap);
        check_tsap(checker, "server_tsap", device->server_tsap);
        warn_idle(checker, device, places, "in mode TSAP");
    } else {
        warn_idle(checker, device, tsaps, "in mode Rack/Slot");
    }
}

static void check_eip(PsChecker *checker, const PsDevice *device) {
    static const char *const slot[] = {"slot", NULL};
    PsDiag diag = {0};
    if (ps_route_check(device->route, &diag) != PS_OK) {
        FAIL(checker, diag.field, "%s", diag.text);
    }
    if (device->route[0] != '\0') {
        warn_idle(checker, device, slot, "beside route, which says the whole path");
    }
}

static void check_url(PsChecker *checker, const PsDevice *device) {
    static const char *const port[] = {"port", NULL};
    PsDiag diag = {0};
    if (device->url[0] == '\0') {
        return;
    }
    if (ps_opcua_url_check(device->url, &diag) != PS_OK) {
        FAIL(checker, diag.field, "%s", diag.text);
    }
    if (device->ip[0] != '\0') {
        FAIL(checker, "ip", "and url are both there; keep one of them");
    }
    warn_idle(checker, device, port, "beside url, which has a port of its own");
}

static void need(PsChecker *checker, const char *field, const char *text, int auth) {
    if (text[0] == '\0') {
        FAIL(checker, field, "is missing; auth %s needs it", ps_opcua_auth_name(auth));
    }
}

static void check_auth(PsChecker *checker, const PsDevice *device) {
    static const char *const user[] = {"username", "password_file", NULL};
    static const char *const pair[] = {"cert", "key", NULL};
    char why[64];
    snprintf(why, sizeof why, "with auth %s", ps_opcua_auth_name(device->auth));
    if (device->auth == PS_OPCUA_USER_NAME) {
        need(checker, "username", device->username, device->auth);
        need(checker, "password_file", device->password_file, device->auth);
    } else {
        warn_idle(checker, device, user, why);
    }
    if (device->auth == PS_OPCUA_CERTIFICATE) {
        need(checker, "cert", device->cert, device->auth);
        need(checker, "key", device->key, device->auth);
    } else {
        warn_idle(checker, device, pair, why);
    }
}

static void check_security(PsChecker *checker, const PsDevice *device) {
    int policy = device->security_policy;
    int mode = device->security_mode;
    bool plain = policy == PS_OPCUA_POLICY_NONE || mode == PS_OPCUA_MODE_NONE;
    if (policy == PS_OPCUA_POLICY_NONE && mode > PS_OPCUA_MODE_NONE) {
        FAIL(checker, "security_mode",
             "%s needs a policy to do it by, and security_policy is None; set both to None, or "
             "choose another policy",
             ps_opcua_mode_name(mode));
    } else if (mode == PS_OPCUA_MODE_NONE && policy > PS_OPCUA_POLICY_NONE) {
        FAIL(checker, "security_mode",
             "None leaves security_policy %s nothing to do; choose Sign or SignAndEncrypt, or set "
             "both to None",
             ps_opcua_policy_name(policy));
    } else if (plain && device->auth == PS_OPCUA_CERTIFICATE) {
        FAIL(checker, "auth",
             "Certificate needs a secured connection, and security is None; "
             "choose a policy, for example Basic256Sha256");
    } else if (plain && device->auth == PS_OPCUA_USER_NAME) {
        WARN(checker, "security_policy",
             "None: whoever listens on the network can read the password, unless the server asks "
             "for it encrypted; better choose Basic256Sha256");
    }
}

static const char *owner_of(const PsConfig *config, const char *path) {
    const struct {
        const char *path;
        const char *owner;
    } others[] = {
        {config->cloud.password_file, "the password of the cloud"},
        {config->cloud.key, "the private key of the cloud"},
        {config->web.key, "the private key of the web server"},
    };
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        if (others[i].path != NULL && others[i].path[0] != '\0' &&
            strcmp(others[i].path, path) == 0) {
            return others[i].owner;
        }
    }
    return NULL;
}

// Whoever sets up a device decides which server it talks to, and that server learns the password.
static void check_secrets(PsChecker *checker, const PsDevice *device) {
    const struct {
        const char *field;
        const char *path;
    } secrets[] = {{"password_file", device->password_file}, {"key", device->key}};
    for (size_t i = 0; i < PS_COUNT(secrets); i++) {
        const char *owner =
            secrets[i].path[0] != '\0' ? owner_of(checker->config, secrets[i].path) : NULL;
        if (owner != NULL) {
            FAIL(checker, secrets[i].field,
                 "is %s, which is for nobody else; give the device a file of its own", owner);
        }
    }
    if (device->password_file[0] != '\0' && strcmp(device->password_file, device->key) == 0) {
        FAIL(checker, "password_file", "is the private key; name the file with the password");
    }
}

static void check_opcua(PsChecker *checker, const PsDevice *device) {
    check_url(checker, device);
    check_auth(checker, device);
    check_security(checker, device);
    check_secrets(checker, device);
    ps_checker_files(checker, &ps_table_device, device);
}

// Devices that are one controller share one connection.
static void check_same_controller(PsChecker *checker, const PsDevice *device, uint32_t index) {
    char key[512];
    if (device->protocol != PS_PROTOCOL_ETHERNET_IP) {
        return;
    }
    ps_text_format(key, sizeof key, "%s %d %s %d", device->ip, device->port, device->route,
                   device->slot);
    if (ps_map_put(&checker->controllers, NULL, ps_arena_strdup(checker->config->arena, key),
                   index)) {
        return;
    }
    const PsDevice *other =
        &checker->config->devices[ps_map_find(&checker->controllers, NULL, key)];
    if (other->connected != device->connected) {
        FAIL(checker, "connected",
             "is %s, but device '%.60s' is the same controller and has %s; they share one "
             "connection, set both the same",
             device->connected ? "true" : "false", other->name,
             other->connected ? "true" : "false");
    }
}

void ps_checker_protocol(PsChecker *checker, const PsDevice *device, uint32_t index) {
    ps_checker_foreign(checker, &ps_table_device, device, device->protocol);
    switch (device->protocol) {
    case PS_PROTOCOL_ISO_ON_TCP:
        check_s7(checker, device);
        break;
    case PS_PROTOCOL_ETHERNET_IP:
        check_eip(checker, device);
        break;
    case PS_PROTOCOL_OPCUA:
        check_opcua(checker, device);
        break;
    default:
        break;
    }
    check_same_controller(checker, device, index);
}
