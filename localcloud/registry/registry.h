//! What the account knows: things, groups, certificates, CAs, policies and who has which. One
//! SQLite file, DIR/cloud.db (mode 0600, WAL). Private keys are never in it.
//! Main thread only; every call blocks for a local database at most. The changes are in the headers
//! beside this one (things.h, groups.h, certificates.h, authorities.h, policies.h, state.h); here
//! is what the front asks while a client connects, and how it hears of changes.
#pragma once

#include "localcloud/registry/fault.h"

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct sqlite3 sqlite3;
typedef struct PsPolicySet PsPolicySet; ///< localcloud/policy/policy.h

typedef struct PsRegistry PsRegistry;

/// In the cloud's folder.
#define PS_REGISTRY_FILE "cloud.db"
/// The account a stand-in has, and its default region.
#define PS_ACCOUNT_ID "000000000000"
#define PS_DEFAULT_REGION "eu-central-1"

/// 64 hex digits, terminated. Ids of certificates and of CA certificates: SHA-256 of the DER bytes.
#define PS_CERTIFICATE_ID_SIZE 65
/// Thing, thing type and group names (API model): 1 to 128 of [a-zA-Z0-9:_-], terminated.
#define PS_NAME_SIZE 129

/// Opens or makes `dir`/cloud.db. Things signed by the folder's device CA need `dir` for its key.
/// PS_ERR_CORRUPT (not a database of ours, or of a newer version), PS_ERR_IO, PS_ERR_DENIED.
PsErr ps_registry_open(const char *dir, PsRegistry **ret_registry, PsDiag *diag);
/// Accepts NULL. Watchers and parts must not be called any more.
void ps_registry_close(PsRegistry *registry);

/// For tables of the services. They use transactions through db.h, so that an import of the whole
/// state stays one transaction.
sqlite3 *ps_registry_db(PsRegistry *registry);
const char *ps_registry_dir(const PsRegistry *registry);
const char *ps_registry_region(const PsRegistry *registry);
/// What DescribeEndpoint answers; "localhost" until set.
const char *ps_registry_endpoint(const PsRegistry *registry);
PsErr ps_registry_set_endpoint(PsRegistry *registry, const char *host, PsDiag *diag);
PsErr ps_registry_set_region(PsRegistry *registry, const char *region, PsDiag *diag);

// ---- what the front asks

typedef enum PsCertificateStatus {
    PS_CERTIFICATE_INACTIVE,
    PS_CERTIFICATE_ACTIVE,
    PS_CERTIFICATE_REVOKED,
    PS_CERTIFICATE_PENDING_TRANSFER,
    PS_CERTIFICATE_REGISTER_INACTIVE,
    PS_CERTIFICATE_PENDING_ACTIVATION,
    PS_CERTIFICATE_STATUSES,
} PsCertificateStatus;

/// "ACTIVE".
const char *ps_certificate_status_name(PsCertificateStatus status);
bool ps_certificate_status_find(const char *name, PsCertificateStatus *ret_status);

typedef struct PsRegistryCertificate {
    char id[PS_CERTIFICATE_ID_SIZE];
    char ca_id[PS_CERTIFICATE_ID_SIZE]; ///< registered CA that signed it; "" when none
    PsCertificateStatus status;
    bool sni_only; ///< registered without a CA: may be known to several accounts
} PsRegistryCertificate;

/// `id`: 64 hex digits, lower case. PS_ERR_NOT_FOUND, PS_ERR_IO (the database failed).
PsErr ps_registry_find_certificate(PsRegistry *registry, const char *id,
                                   PsRegistryCertificate *ret_certificate);
/// The certificate's PEM text. PS_ERR_NOT_FOUND, PS_ERR_IO. Freed with free().
PsErr ps_registry_certificate_pem(PsRegistry *registry, const char *id, char **ret_pem);

/// Just-in-time registration: an ACTIVE registered CA with automatic registration that signed
/// `leaf`. PS_ERR_NOT_FOUND.
PsErr ps_registry_find_signer(PsRegistry *registry, X509 *leaf, char *ret_ca_id);
/// Registers `leaf` as PENDING_ACTIVATION under that CA. PS_ERR_EXISTS.
PsErr ps_registry_register_pending(PsRegistry *registry, X509 *leaf, const char *ca_id,
                                   PsDiag *diag);

typedef struct PsRegistryAttribute {
    char *name;
    char *value;
} PsRegistryAttribute;

/// The thing behind a connection. Zeroed is none.
typedef struct PsRegistryThing {
    bool known;    ///< false: no thing; the names are empty
    bool attached; ///< iot:Connection.Thing.IsAttached
    bool exclusive;
    char name[PS_NAME_SIZE];
    char type[PS_NAME_SIZE]; ///< "" without
    PsRegistryAttribute *attributes;
    size_t attribute_count;
} PsRegistryThing;

void ps_registry_thing_deinit(PsRegistryThing *thing);

/// The thing whose variables a connection may use: the one the certificate is attached to
/// exclusively, else the attached one whose name is the client id. No such thing is not an error.
PsErr ps_registry_thing_for(PsRegistry *registry, const char *certificate_id, const char *client_id,
                            PsRegistryThing *ret_thing);

/// Default versions of the policies of the certificate and of the groups (with ancestors) of
/// `thing` (NULL or "": none). The caller frees the set as policy.h says.
PsErr ps_registry_policies(PsRegistry *registry, const char *certificate_id, const char *thing,
                           PsPolicySet *ret_set);

// ---- changes

/// `certificate_id` NULL: anything may have changed (a policy, a group, an import).
typedef void (*PsRegistryWatch)(void *ctx, const char *certificate_id);
/// Called on the main thread after the change is in the database. At most 8 watchers; one may take
/// itself away while it is called.
void ps_registry_watch(PsRegistry *registry, PsRegistryWatch watch, void *ctx);
void ps_registry_unwatch(PsRegistry *registry, PsRegistryWatch watch, void *ctx);
/// For the other files of this folder.
void ps_registry_tell(PsRegistry *registry, const char *certificate_id);

// ---- tables of others in export and import

/// A part of the account that somebody else keeps in the same database (shadows, jobs): one member
/// of the exported JSON.
typedef struct PsRegistryPart {
    const char *name; ///< the member's name: "shadows"
    void *ctx;
    json_t *(*take)(void *ctx); ///< everything, a new reference; NULL: the database failed
    /// Replaces everything by `json` (NULL: the file has no such member, so nothing is left),
    /// inside a transaction that is undone when it refuses.
    PsApiCode (*put)(void *ctx, const json_t *json, PsApiFault *fault);
} PsRegistryPart;

/// Borrowed for the registry's life; at most 8.
void ps_registry_add_part(PsRegistry *registry, const PsRegistryPart *part);
