// Codes to words: const tables and their lookup. Pure; any thread.
#include "link/reason.h"

#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const step_names[] = {
    [PS_STEP_FILES] = "files",
    [PS_STEP_DNS] = "DNS",
    [PS_STEP_TCP] = "TCP",
    [PS_STEP_TLS] = "TLS",
    [PS_STEP_CONNECT] = "MQTT CONNECT",
    [PS_STEP_SESSION] = "connection",
};

const char *ps_link_step_name(PsLinkStep step) {
    size_t index = (size_t)step;
    return index < PS_COUNT(step_names) ? step_names[index] : "unknown";
}

void ps_link_failure_set(PsLinkFailure *failure, PsLinkStep step, int code, bool needs_person,
                         const char *fmt, ...) {
    failure->step = step;
    failure->code = code;
    failure->needs_person = needs_person;
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(failure->text, sizeof failure->text, fmt, args);
    va_end(args);
}

bool ps_link_failure_same(const PsLinkFailure *a, const PsLinkFailure *b) {
    return a->step == b->step && a->code == b->code;
}

typedef struct CodeWords {
    long code;
    PsLinkWords words;
    bool about_certificate;
} CodeWords;

static const CodeWords *find_code(const CodeWords *table, size_t count, long code) {
    for (size_t i = 0; i < count; i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return NULL;
}

#define FIREWALL_CURE                                                                              \
    "check network and firewall; where the port is blocked, AWS IoT also answers on port 443"

static const CodeWords tcp_words[] = {
    {ECONNREFUSED,
     {"refused: nothing listens there, or a firewall says no",
      "check endpoint and port, and that the server runs"},
     false},
    {ETIMEDOUT, {"timed out: no answer", FIREWALL_CURE}, false},
    {ENETUNREACH,
     {"network unreachable", "check cable, mobile link, address and default route of the gateway"},
     false},
    {EHOSTUNREACH,
     {"host unreachable", "check cable, mobile link, address and default route of the gateway"},
     false},
    {EADDRNOTAVAIL,
     {"no local address for this kind of network", "check the gateway's network settings"},
     false},
    {EACCES, {"forbidden by the local firewall", "allow outgoing connections to this port"}, false},
};

PsLinkWords ps_tcp_words(int error_number) {
    const CodeWords *found = find_code(tcp_words, PS_COUNT(tcp_words), error_number);
    return found != NULL ? found->words : (PsLinkWords){"failed", FIREWALL_CURE};
}

static const CodeWords dns_words[] = {
    {EAI_NONAME,
     {"the name does not exist", "compare the endpoint with the one the cloud shows"},
     false},
    {EAI_AGAIN,
     {"no name server answered", "check the gateway's network and DNS server settings"},
     false},
    {EAI_FAIL, {"the name server failed", "check the gateway's DNS server settings"}, false},
    {EAI_NODATA,
     {"the name exists but has no address", "compare the endpoint with the one the cloud shows"},
     false},
};

PsLinkWords ps_dns_words(int eai) {
    const CodeWords *found = find_code(dns_words, PS_COUNT(dns_words), eai);
    return found != NULL ? found->words
                         : (PsLinkWords){"the resolver failed", "check the gateway's DNS settings"};
}

static const CodeWords connack_words[] = {
    {1,
     {"the server does not speak this MQTT version", "set mqtt_version to the other version"},
     false},
    {2,
     {"the server does not take this client id", "choose another client_id (length, characters)"},
     false},
    {3, {"the server is not available", "nothing here; it is tried again"}, false},
    {4, {"user name or password is wrong", "check username and password_file"}, false},
    {5,
     {"not authorized", "check user, certificate and the server's access rules for this client_id"},
     false},
};

PsLinkWords ps_connack_words(int code) {
    const CodeWords *found = find_code(connack_words, PS_COUNT(connack_words), code);
    return found != NULL ? found->words
                         : (PsLinkWords){"the server gives a code MQTT 3.1.1 does not know",
                                         "check that this is an MQTT server"};
}

#define CERTIFICATE_CURE                                                                           \
    "check in the cloud that this certificate is registered and active, and that cert and key "    \
    "belong to this endpoint's account and region"

// Alerts that speak of the certificate the gateway showed have the third column set.
static const CodeWords alert_words[] = {
    {SSL3_AD_HANDSHAKE_FAILURE,
     {"certificate not accepted or not active (handshake failure)", CERTIFICATE_CURE},
     true},
    {SSL3_AD_BAD_CERTIFICATE,
     {"certificate not accepted (bad certificate)", CERTIFICATE_CURE},
     true},
    {SSL3_AD_UNSUPPORTED_CERTIFICATE,
     {"certificate of a kind the server does not support",
      "use RSA of at least 2048 bits or ECC P-256, P-384 or P-521"},
     true},
    {SSL3_AD_CERTIFICATE_REVOKED,
     {"certificate was revoked", "make a new certificate in the cloud and install it"},
     true},
    {SSL3_AD_CERTIFICATE_EXPIRED,
     {"certificate has expired", "make a new certificate in the cloud and install it"},
     true},
    {SSL3_AD_CERTIFICATE_UNKNOWN,
     {"certificate not accepted (certificate unknown)", CERTIFICATE_CURE},
     true},
    {TLS1_AD_UNKNOWN_CA,
     {"certificate not accepted: the server does not know its issuer (unknown ca)",
      CERTIFICATE_CURE},
     true},
    {TLS1_AD_ACCESS_DENIED, {"certificate not allowed (access denied)", CERTIFICATE_CURE}, true},
    {TLS1_AD_DECRYPT_ERROR,
     {"signature not accepted (decrypt error)", "check that key belongs to cert"},
     true},
    {116 /* certificate_required */,
     {"certificate missing: the server requires one", "set cert and key"},
     true},
    {TLS1_AD_PROTOCOL_VERSION,
     {"no common TLS version", "the server must speak TLS 1.2 or 1.3"},
     false},
    {TLS1_AD_INSUFFICIENT_SECURITY,
     {"no common cipher", "the server must offer ECDHE with AES-GCM or the like"},
     false},
    {TLS1_AD_UNRECOGNIZED_NAME,
     {"the server does not serve this host name", "compare endpoint with the one the cloud shows"},
     false},
    {TLS1_AD_NO_APPLICATION_PROTOCOL,
     {"the server does not take the ALPN name",
      "clear alpn, or use port 443 of AWS IoT with x-amzn-mqtt-ca"},
     false},
    {TLS1_AD_INTERNAL_ERROR, {"the server reports an internal error", "try later"}, false},
};

PsLinkWords ps_alert_words(int alert, bool *ret_about_certificate) {
    const CodeWords *found = find_code(alert_words, PS_COUNT(alert_words), alert);
    *ret_about_certificate = found != NULL && found->about_certificate;
    return found != NULL ? found->words
                         : (PsLinkWords){"the server ended the handshake", "see the server's log"};
}

#define ROOT_CAUSE "root_ca does not match: the server's certificate comes from another issuer"
#define ROOT_CURE                                                                                  \
    "install the root certificate of this server (AWS IoT: Amazon Root CA 1 and 3 in one file)"
#define CLOCK_CURE "check the gateway's clock first, then the server's certificate"

static const CodeWords x509_words[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, {ROOT_CAUSE, ROOT_CURE}, false},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, {ROOT_CAUSE, ROOT_CURE}, false},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, {ROOT_CAUSE, ROOT_CURE}, false},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, {ROOT_CAUSE, ROOT_CURE}, false},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, {ROOT_CAUSE, ROOT_CURE}, false},
    {X509_V_ERR_CERT_UNTRUSTED, {ROOT_CAUSE, ROOT_CURE}, false},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE,
     {"root_ca does not match: same name, but another key", ROOT_CURE},
     false},
    {X509_V_ERR_CERT_HAS_EXPIRED, {"the server's certificate has expired", CLOCK_CURE}, false},
    {X509_V_ERR_CERT_NOT_YET_VALID,
     {"the server's certificate is not valid yet", CLOCK_CURE},
     false},
    {X509_V_ERR_HOSTNAME_MISMATCH,
     {"the server's certificate is for another host name",
      "set endpoint to a name the certificate holds"},
     false},
    {X509_V_ERR_IP_ADDRESS_MISMATCH,
     {"the server's certificate does not hold this IP address",
      "set endpoint to a name the certificate holds"},
     false},
    {X509_V_ERR_INVALID_PURPOSE,
     {"the server's certificate is not meant for servers", "the server needs another certificate"},
     false},
    {X509_V_ERR_INVALID_CA,
     {"a certificate in the server's chain is not a CA", "check root_ca and the server's chain"},
     false},
    {X509_V_ERR_EE_KEY_TOO_SMALL,
     {"the key of the server's certificate is too small", "the server needs 2048 bits RSA or ECC"},
     false},
    {X509_V_ERR_CA_KEY_TOO_SMALL,
     {"a CA key in the server's chain is too small",
      "the server needs a chain of 2048 bits or more"},
     false},
    {X509_V_ERR_CA_MD_TOO_WEAK,
     {"a signature in the server's chain is too weak", "the server needs a chain with SHA-256"},
     false},
    {X509_V_ERR_CERT_REVOKED,
     {"the server's certificate is revoked", "ask who runs the server"},
     false},
};

PsLinkWords ps_x509_words(long code) {
    const CodeWords *found = find_code(x509_words, PS_COUNT(x509_words), code);
    return found != NULL ? found->words
                         : (PsLinkWords){X509_verify_cert_error_string(code),
                                         "check root_ca and the server's certificate"};
}
