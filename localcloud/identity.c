// The server's certificates. Reads the roots from the disk; takes time for the RSA keys.
#include "localcloud/identity.h"

#include <string.h>

static const PsFlawName flaw_names[] = {
    {"good", PS_FLAW_NONE},
    {"expired", PS_FLAW_EXPIRED},
    {"not-yet", PS_FLAW_NOT_YET},
    {"wrong-host", PS_FLAW_WRONG_HOST},
    {"foreign-ca", PS_FLAW_FOREIGN_CA},
};

const PsFlawName *ps_identity_flaw(const char *name) {
    for (size_t i = 0; i < PS_COUNT(flaw_names); i++) {
        if (strcmp(flaw_names[i].name, name) == 0) {
            return &flaw_names[i];
        }
    }
    return NULL;
}

static PsErr make_root(const char *dir, PsKeyType type, PsFlaw flaw, PsPkiPair *ret_root,
                       PsDiag *diag) {
    if (flaw != PS_FLAW_FOREIGN_CA) {
        return ps_folder_root(dir, type, ret_root, diag);
    }
    PsPkiOrder order = {
        .role = PS_PKI_ROOT, .key_type = type, .common_name = "A root nobody knows"};
    ps_folder_set_validity(&order, PS_FLAW_NONE);
    return ps_pki_make(&order, NULL, ret_root, diag);
}

static PsErr make_chain(const PsPkiPair *root, const PsPkiOrder *server, PsPkiPair *ret_issuer,
                        PsPkiPair *ret_server, PsDiag *diag) {
    PsPkiOrder issuer = {.role = PS_PKI_ISSUER,
                         .key_type = server->key_type,
                         .common_name = "Local stand-in for Amazon's issuing CA"};
    ps_folder_set_validity(&issuer, PS_FLAW_NONE);
    PsErr err = ps_pki_make(&issuer, root, ret_issuer, diag);
    return err == PS_OK ? ps_pki_make(server, ret_issuer, ret_server, diag) : err;
}

PsErr ps_identity_make(const char *dir, PsFlaw flaw, const char *const *hosts, size_t host_count,
                       PsTlsIdentity *ret_identity, PsDiag *diag) {
    static const char *const wrong_hosts[] = {"wrong-host.invalid"};
    const char *all[PS_IDENTITY_HOSTS + 3] = {"localhost", "127.0.0.1", "::1"};
    PS_ASSERT(host_count <= PS_IDENTITY_HOSTS);
    for (size_t i = 0; i < host_count; i++) {
        all[3 + i] = hosts[i];
    }
    bool wrong = flaw == PS_FLAW_WRONG_HOST;
    PS_AUTO_TLS_IDENTITY PsTlsIdentity identity = {0};
    PsErr err = PS_OK;
    for (size_t type = 0; err == PS_OK && type < PS_COUNT(identity.server); type++) {
        PS_AUTO_PKI_PAIR PsPkiPair root = {0};
        PsPkiOrder order = {.role = PS_PKI_SERVER,
                            .key_type = (PsKeyType)type,
                            .common_name = "Local stand-in for an AWS IoT endpoint",
                            .hosts = wrong ? wrong_hosts : all,
                            .host_count = wrong ? 1 : 3 + host_count};
        ps_folder_set_validity(&order, flaw);
        err = make_root(dir, (PsKeyType)type, flaw, &root, diag);
        err = err == PS_OK
                  ? make_chain(&root, &order, &identity.issuer[type], &identity.server[type], diag)
                  : err;
    }
    if (err == PS_OK) {
        *ret_identity = identity;
        identity = (PsTlsIdentity){0};
    }
    return err;
}
