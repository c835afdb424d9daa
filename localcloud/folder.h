//! The local cloud's folder: roots, the server's certificate and the things, in AWS's file names.
//! What is there is used again; keys have mode 0600. Blocking; one process at a time per folder.
//!
//!     DIR/AmazonRootCA1.pem, AmazonRootCA3.pem    the server's roots, RSA and ECC
//!     DIR/device-ca.pem                           signed the things
//!     DIR/private/                                their keys, mode 0700
//!     DIR/things/NAME/<10 hex>-certificate.pem.crt, -private.pem.key, -public.pem.key
//!     DIR/clients/NAME/                           the same for the local cloud's own clients
#pragma once

#include "localcloud/pki.h"

#include <limits.h>

/// What is wrong with a certificate on purpose, for tests.
typedef enum PsFlaw {
    PS_FLAW_NONE,
    PS_FLAW_EXPIRED,    ///< ended yesterday
    PS_FLAW_NOT_YET,    ///< begins tomorrow
    PS_FLAW_FOREIGN_CA, ///< signed by a CA nobody knows
    PS_FLAW_WRONG_HOST, ///< servers: made out to another name
} PsFlaw;

/// Thing names: 1 to this many of [a-zA-Z0-9:_-] (AWS IoT API model, ThingName).
#define PS_THING_NAME_MAX 128

typedef struct PsThingOrder {
    const char *name;
    PsKeyType key_type;
    PsFlaw flaw;
    bool own_client; ///< under clients/ instead of things/
} PsThingOrder;

/// Absolute paths.
typedef struct PsThingFiles {
    char certificate_id[PS_PKI_ID_SIZE];
    char certificate[PATH_MAX];
    char private_key[PATH_MAX];
    char public_key[PATH_MAX];
} PsThingFiles;

/// Makes DIR when missing and returns its absolute path. PS_ERR_IO, PS_ERR_TOO_BIG.
PsErr ps_folder_open(const char *dir, char *ret_absolute, PsDiag *diag);

/// "AmazonRootCA1.pem" or "AmazonRootCA3.pem".
const char *ps_folder_root_name(PsKeyType type);

/// The server's root of that key type, and the CA that signs things: read, or made when missing.
PsErr ps_folder_root(const char *dir, PsKeyType type, PsPkiPair *ret_pair, PsDiag *diag);
PsErr ps_folder_device_ca(const char *dir, PsPkiPair *ret_pair, PsDiag *diag);

/// What AWS puts into every certificate it makes for a device: valid from yesterday (a peer's clock
/// may be a little behind) to 2049-12-31T23:59:59Z, common name "AWS IoT Certificate".
PsPkiOrder ps_folder_device_order(PsKeyType type);

/// From yesterday to the end of 2049, or as the flaw wants it.
void ps_folder_set_validity(PsPkiOrder *order, PsFlaw flaw);

/// Finds the thing's files or makes them. PS_ERR_INVALID (name), PS_ERR_EXISTS (the thing has a
/// certificate of another kind), PS_ERR_CORRUPT (its files do not belong together).
PsErr ps_folder_thing(const char *dir, const PsThingOrder *order, PsThingFiles *ret_files,
                      PsDiag *diag);

/// The thing's files when it has some. PS_ERR_NOT_FOUND, PS_ERR_INVALID (name), PS_ERR_CORRUPT.
PsErr ps_folder_find_thing(const char *dir, const char *name, PsThingFiles *ret_files,
                           PsDiag *diag);

/// PEM texts that were made elsewhere (CreateKeysAndCertificate) as the thing's files.
typedef struct PsThingTexts {
    const char *certificate_id; ///< 64 hex digits
    const char *certificate;
    const char *private_key;
    const char *public_key;
} PsThingTexts;

/// PS_ERR_INVALID (name), PS_ERR_EXISTS (it has files), PS_ERR_IO.
PsErr ps_folder_put_thing(const char *dir, const char *name, const PsThingTexts *texts,
                          PsThingFiles *ret_files, PsDiag *diag);
