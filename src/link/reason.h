//! Why a connection failed, in words a person can act on. Pure; any thread.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/// Where a connection attempt can fail, in the order they are gone through.
typedef enum PsLinkStep {
    PS_STEP_FILES,   ///< certificate, key, root_ca, password on this gateway
    PS_STEP_DNS,     ///< name to addresses
    PS_STEP_TCP,     ///< an address answers on the port
    PS_STEP_TLS,     ///< both certificates are accepted
    PS_STEP_CONNECT, ///< CONNECT is answered with CONNACK 0
    PS_STEP_SESSION, ///< connected; kept alive, acknowledged
} PsLinkStep;

/// Codes of PS_STEP_FILES.
typedef enum PsFileFault {
    PS_FILE_READ = 1, ///< it is not there or cannot be read
    PS_FILE_NOT_PEM,
    PS_FILE_ENCRYPTED, ///< a key that wants a passphrase
    PS_FILE_MISMATCH,  ///< certificate and key are not a pair
    PS_FILE_EXPIRED,
    PS_FILE_EARLY,   ///< the certificate is not valid yet, or the clock is wrong
    PS_FILE_REFUSED, ///< by OpenSSL
    PS_FILE_HALF,    ///< a certificate without a key, or the other way round
} PsFileFault;

/// Code of PS_STEP_SESSION when the server closed the connection.
#define PS_SESSION_HUNG_UP (-40)

/// "files", "DNS", "TCP", "TLS", "MQTT CONNECT", "connection". Never NULL.
const char *ps_link_step_name(PsLinkStep step);

typedef struct PsLinkFailure {
    PsLinkStep step;
    int code;          ///< tells causes of one step apart (errno, alert, X509 code, ...)
    bool needs_person; ///< trying again without a change will not help
    char text[440];    ///< cause, then "; ", then what to do; without the step's name
} PsLinkFailure;

/// Fills `failure`; printf text.
void ps_link_failure_set(PsLinkFailure *failure, PsLinkStep step, int code, bool needs_person,
                         const char *fmt, ...) PS_PRINTF(5, 6);

/// Same step and code: worth one log line, not one for each try.
bool ps_link_failure_same(const PsLinkFailure *a, const PsLinkFailure *b);

/// A cause and its cure.
typedef struct PsLinkWords {
    const char *cause;
    const char *cure;
} PsLinkWords;

/// errno of a TCP connect. Unknown numbers get general words (strerror is the caller's).
PsLinkWords ps_tcp_words(int error_number);

/// EAI_ code of getaddrinfo. Never NULL texts.
PsLinkWords ps_dns_words(int eai);

/// CONNACK return code of MQTT 3.1.1 (section 3.2.2.3). Never NULL texts.
PsLinkWords ps_connack_words(int code);

/// TLS alert that the server sent (RFC 8446 section 6): what it means about our side.
/// `about_certificate` tells whether the gateway's certificate is the reason.
PsLinkWords ps_alert_words(int alert, bool *ret_about_certificate);

/// X509_V_ERR_ code of the server's certificate. Never NULL texts.
PsLinkWords ps_x509_words(long code);
