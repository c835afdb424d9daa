//! Which servers' certificates are trusted: one file each in the folders trusted/ and rejected/ of
//! the driver, named by SHA-256. A certificate that nobody has accepted yet is kept in rejected/,
//! so that a person can look at it and accept it. Files are looked at anew at each connection, so
//! that a decision needs no restart. Blocks on the disk; any thread. Free of the OPC UA library.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_TRUST_FINGERPRINT 65 ///< SHA-256 in hexadecimal digits, with its NUL
#define PS_TRUST_ENDPOINT 320
#define PS_TRUST_URI 192

/// Kept at most in each of the two folders; of rejected ones the oldest makes room.
#define PS_TRUST_ENTRIES_MAX 200U

typedef struct PsTrustEntry {
    char fingerprint[PS_TRUST_FINGERPRINT];
    char subject[256];                ///< RFC 2253, UTF-8
    char uri[PS_TRUST_URI];           ///< application it is for, "" without
    char hosts[512];                  ///< names and addresses it is for, with ", " between
    char endpoint[PS_TRUST_ENDPOINT]; ///< where it was met first: opc.tcp://...
    char announced[PS_TRUST_URI];     ///< as what application the server spoke there; "" unknown
    char warning[800];                ///< names that do not match (names.h), "" mostly
    int64_t not_before;               ///< seconds since 1970
    int64_t not_after;
    int64_t met;    ///< first, seconds since 1970
    size_t own_len; ///< bytes of the server's own certificate, where a whole chain was given
    bool trusted;
} PsTrustEntry;

/// Of a certificate alone, without endpoint and what follows from it. PS_ERR_INVALID when it is
/// none.
PsErr ps_opcua_trust_describe(const void *der, size_t len, PsTrustEntry *ret_entry, PsDiag *diag);

/// The lists, below the driver's folder.
typedef struct PsTrustList {
    const char *folder; ///< NULL: nothing is known and nothing can be kept
    bool only_reads;    ///< a gateway's: no certificate is kept in it
} PsTrustList;

/// A server that shows a certificate.
typedef struct PsTrustShown {
    const void *der;
    size_t len;
    const char *endpoint;  ///< that was asked: opc.tcp://...
    const char *announced; ///< application URI that the server gives; "" when it gives none
} PsTrustShown;

/// May the server be talked to? PS_ERR_DENIED: not yet. Then the certificate is kept in rejected/
/// and `diag` names subject, fingerprint and the command that accepts it, or says that this user
/// may not read the list. PS_ERR_INVALID: there is none, or it is no certificate. `now` in seconds
/// since 1970. `ret_warning`, "" mostly, is what people should know besides: about one that is
/// trusted that it has ended, about one that is not that its names are others.
PsErr ps_opcua_trust_check(const PsTrustList *list, const PsTrustShown *shown, int64_t now,
                           char *ret_warning, size_t warning_size, PsDiag *diag);

/// All of both folders, rejected ones first, newest first. `entries` has room for 2 *
/// PS_TRUST_ENTRIES_MAX. A folder that is not there is empty.
PsErr ps_opcua_trust_list(const char *folder, PsTrustEntry *entries, size_t *ret_count,
                          PsDiag *diag);

/// By the fingerprint, or as many of its first digits (8 at least) as make it the only one; colons
/// are skipped. PS_ERR_NOT_FOUND, PS_ERR_EXISTS when several begin so, PS_ERR_INVALID.
PsErr ps_opcua_trust_find(const PsTrustEntry *entries, size_t count, const char *fingerprint,
                          const PsTrustEntry **ret_entry, PsDiag *diag);

/// Moves it from one folder to the other. Accepting what is accepted is no error.
PsErr ps_opcua_trust_accept(const char *folder, const char *fingerprint, PsDiag *diag);
PsErr ps_opcua_trust_revoke(const char *folder, const char *fingerprint, PsDiag *diag);
