// Whom the gateway trusts as an OPC UA server: which certificates were met, accepting and revoking
// one. Main thread; the disk and OpenSSL on worker threads.
#include "drivers/opcua/trust.h"
#include "api/handlers_config.h"
#include "api/work.h"
#include "base/file.h"
#include "base/mem.h"
#include "drivers/opcua/address.h"
#include "drivers/opcua/identity.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES ((size_t)2 * PS_TRUST_ENTRIES_MAX)
#define CERTIFICATE_BYTES_MAX ((size_t)64 * 1024)

typedef enum Ask {
    ASK_LIST,
    ASK_ACCEPT,
    ASK_REVOKE,
} Ask;

typedef struct Job {
    PsApiHeld held;
    Ask ask;
    char folder[PATH_MAX];
    char *certificate; // fingerprint or device; NULL for a list
    PsTrustEntry *entries;
    size_t count;
    json_t *answer;
    PsErr err;
    PsDiag diag;
} Job;

static void finish(PsApiCall *call, void *ctx) {
    Job *job = ctx;
    if (job->err == PS_OK) {
        ps_api_call_reply(call, job->answer);
    } else {
        ps_api_call_fail(call, job->err, &job->diag);
    }
    ps_api_let_go(&job->held);
    free(job->certificate);
    free(job->entries);
    free(job);
}

// Has the device its server where the certificate was met?
static bool is_of(const PsDevice *device, const PsTrustEntry *entry) {
    PsOpcuaAddress address;
    return device->protocol == PS_PROTOCOL_OPCUA &&
           ps_opcua_address(device, &address, NULL) == PS_OK &&
           strcmp(address.url, entry->endpoint) == 0;
}

static json_t *devices_of(const PsConfig *config, const PsTrustEntry *entry) {
    json_t *devices = json_array();
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (is_of(&config->devices[i], entry)) {
            json_array_append_new(devices, json_string(config->devices[i].name));
        }
    }
    return devices;
}

static json_t *entry_json(const PsConfig *config, const PsTrustEntry *entry) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I}", "fingerprint",
                     entry->fingerprint, "warning", entry->warning, "announced", entry->announced,
                     "state", entry->trusted ? "trusted" : "rejected", "subject", entry->subject,
                     "uri", entry->uri, "hosts", entry->hosts, "endpoint", entry->endpoint,
                     "devices", devices_of(config, entry), "not_before",
                     (json_int_t)entry->not_before, "not_after", (json_int_t)entry->not_after,
                     "met", (json_int_t)entry->met);
}

// The gateway's own certificate, which is what a server must accept; null before the first
// protected connection.
static json_t *own_json(const char *folder) {
    char path[PATH_MAX + 40];
    PS_AUTO_BUF PsBuf der = {0};
    PsTrustEntry own;
    snprintf(path, sizeof path, "%s/%s", folder, PS_OPCUA_OWN_CERTIFICATE);
    if (ps_file_read(path, CERTIFICATE_BYTES_MAX, &der, NULL) != PS_OK ||
        ps_opcua_trust_describe(der.data, der.len, &own, NULL) != PS_OK) {
        return json_null();
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "path", path, "fingerprint", own.fingerprint,
                     "subject", own.subject, "uri", own.uri, "not_after",
                     (json_int_t)own.not_after);
}

static json_t *list_json(const Job *job) {
    json_t *items = json_array();
    for (size_t i = 0; i < job->count; i++) {
        json_array_append_new(items, entry_json(job->held.config, &job->entries[i]));
    }
    return json_pack("{s:o, s:o}", "own", own_json(job->folder), "items", items);
}

// The one certificate met at the server of a device that a decision would change.
static PsErr find_by_device(Job *job, const PsDevice *device, const PsTrustEntry **ret_entry) {
    bool accept = job->ask == ASK_ACCEPT;
    const PsTrustEntry *found = NULL;
    for (size_t i = 0; i < job->count; i++) {
        const PsTrustEntry *entry = &job->entries[i];
        if (!is_of(device, entry) || entry->trusted == accept) {
            continue;
        }
        if (found != NULL) {
            return ps_fail(PS_ERR_EXISTS, &job->diag, "certificate", "certificate",
                           "the server of '%.60s' has shown several certificates; name one by its "
                           "fingerprint (penstock trust lists them)",
                           device->name);
        }
        found = entry;
    }
    if (found == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, &job->diag, "certificate", "certificate",
                       accept ? "no certificate of the server of '%.60s' waits to be accepted; the "
                                "gateway meets it when it connects"
                              : "no certificate of the server of '%.60s' is trusted",
                       device->name);
    }
    *ret_entry = found;
    return PS_OK;
}

static PsErr find(Job *job, const PsTrustEntry **ret_entry) {
    const PsConfig *config = job->held.config;
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (strcmp(config->devices[i].name, job->certificate) == 0) {
            return find_by_device(job, &config->devices[i], ret_entry);
        }
    }
    return ps_opcua_trust_find(job->entries, job->count, job->certificate, ret_entry, &job->diag);
}

static void work(void *ctx) {
    Job *job = ctx;
    const PsTrustEntry *entry = NULL;
    job->entries = ps_alloc_array(ENTRIES, sizeof *job->entries);
    job->err = ps_opcua_trust_list(job->folder, job->entries, &job->count, &job->diag);
    if (job->err == PS_OK && job->ask == ASK_LIST) {
        job->answer = list_json(job);
        return;
    }
    job->err = job->err != PS_OK ? job->err : find(job, &entry);
    if (job->err == PS_OK) {
        job->err = job->ask == ASK_ACCEPT
                       ? ps_opcua_trust_accept(job->folder, entry->fingerprint, &job->diag)
                       : ps_opcua_trust_revoke(job->folder, entry->fingerprint, &job->diag);
    }
    if (job->err == PS_OK) {
        PsTrustEntry now = *entry;
        now.trusted = job->ask == ASK_ACCEPT;
        job->answer = entry_json(job->held.config, &now);
    }
}

static void begin(PsApiCall *call, Ask ask) {
    const char *certificate = ps_api_call_text(call, "certificate");
    const char *state = ps_api_call_sources(call)->state;
    Job *job = ps_alloc(sizeof *job);
    job->held = ps_api_hold(call);
    job->ask = ask;
    job->certificate = certificate != NULL ? ps_strdup(certificate) : NULL;
    snprintf(job->folder, sizeof job->folder, "%.3000s/drivers/%s", state,
             ps_protocol_name(PS_PROTOCOL_OPCUA));
    ps_api_call_note(call, certificate, NULL);
    ps_api_work(call, work, finish, job);
}

void ps_api_trust(PsApiCall *call) {
    begin(call, ASK_LIST);
}

// Body: `certificate`. It counts from the next try to connect on.
void ps_api_trust_accept(PsApiCall *call) {
    begin(call, ASK_ACCEPT);
}

// Body: `certificate`. A session that is open stays until it is made anew.
void ps_api_trust_revoke(PsApiCall *call) {
    begin(call, ASK_REVOKE);
}
