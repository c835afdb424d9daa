// OpenSSL contexts and what is decided during a handshake. Main thread.
#include "localcloud/transport/tls.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

// Security policy IoTSecurityPolicy_TLS13_1_2_2022_10 (AWS IoT developer guide, transport
// security). Which kind of chain a client gets follows from the order here and of the signature
// algorithms below, as both are the server's to choose.
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_RSA                                                                                 \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:"                    \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA"
#define SUITES_ECC                                                                                 \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:"              \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA"
#define SUITES_PLAIN_RSA                                                                           \
    "AES128-GCM-SHA256:AES128-SHA256:AES128-SHA:AES256-GCM-SHA384:AES256-SHA256:AES256-SHA"
#define SIGNATURES_RSA                                                                             \
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha256:"                \
    "rsa_pkcs1_sha384:rsa_pkcs1_sha512"
#define SIGNATURES_ECC "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512"

typedef struct Preference {
    const char *suites; // for TLS 1.2
    const char *signatures;
} Preference;

static const Preference preferences[] = {
    [PS_KEY_RSA] = {SUITES_RSA ":" SUITES_ECC ":" SUITES_PLAIN_RSA,
                    SIGNATURES_RSA ":" SIGNATURES_ECC},
    [PS_KEY_ECC] = {SUITES_ECC ":" SUITES_RSA ":" SUITES_PLAIN_RSA,
                    SIGNATURES_ECC ":" SIGNATURES_RSA},
};

struct PsTls {
    PsTlsSetup setup;
    X509 *named;                     // the certificate whose names clients may ask for
    SSL_CTX *contexts[PS_TLS_SLOTS]; // NULL: no identity there
};

// OpenSSL chooses the alert by the error; one it has no alert for becomes certificate_unknown.
static const int errors[] = {
    [PS_REFUSE_UNKNOWN] = X509_V_ERR_SUBTREE_MINMAX,
    [PS_REFUSE_TIME] = X509_V_ERR_CERT_HAS_EXPIRED,
    [PS_REFUSE_KIND] = X509_V_ERR_INVALID_PURPOSE,
};

void ps_tls_identity_deinit(PsTlsIdentity *identity) {
    for (size_t i = 0; i < PS_COUNT(identity->server); i++) {
        ps_pki_pair_deinit(&identity->server[i]);
        ps_pki_pair_deinit(&identity->issuer[i]);
    }
}

static PsErr openssl_failed(PsDiag *diag, const char *step) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    PsErr err = ps_fail(PS_ERR_INTERNAL, diag, "TLS", step, "%s",
                        reason != NULL ? reason : "failed without a reason");
    ERR_clear_error();
    return err;
}

// ---- decisions in the handshake ----

static PsTlsSession *session_of(SSL *ssl) {
    return SSL_get_app_data(ssl);
}

// A client that must agree on a protocol and offers none never comes to choose_alpn.
static int look_at_hello(SSL *ssl, int *ret_alert, void *ctx) {
    (void)ctx;
    const unsigned char *extension = NULL;
    size_t len = 0;
    PsTlsSession *session = session_of(ssl);
    if (session->needs_alpn &&
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
                                  &extension, &len) != 1) {
        session->why = "no ALPN; this port wants " PS_TLS_ALPN_MQTT;
        *ret_alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static bool is_address(const char *name) {
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static bool name_is_ours(const PsTls *tls, const char *name) {
    return is_address(name) ? X509_check_ip_asc(tls->named, name, 0) == 1
                            : X509_check_host(tls->named, name, 0, 0, NULL) == 1;
}

static int look_at_name(SSL *ssl, int *ret_alert, void *ctx) {
    (void)ctx;
    PsTlsSession *session = session_of(ssl);
    const PsTls *tls = session->tls;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL) {
        if (!tls->setup.needs_server_name) {
            return SSL_TLSEXT_ERR_NOACK;
        }
        session->why = "no server name (SNI)";
        *ret_alert = SSL_AD_MISSING_EXTENSION;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    size_t len = strlen(name);
    if (len >= sizeof session->server_name || !name_is_ours(tls, name)) {
        session->why = "a server name (SNI) that is not this endpoint's";
        *ret_alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    memcpy(session->server_name, name, len + 1);
    return SSL_TLSEXT_ERR_OK;
}

static int choose_alpn(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_len,
                       const unsigned char *offered, unsigned int offered_len, void *ctx) {
    (void)ctx;
    static const char wanted[] = PS_TLS_ALPN_MQTT;
    PsTlsSession *session = session_of(ssl);
    for (unsigned int i = 0; i < offered_len && i + 1 + offered[i] <= offered_len;
         i += 1U + offered[i]) {
        if (offered[i] == strlen(wanted) && memcmp(offered + i + 1, wanted, offered[i]) == 0) {
            *ret_chosen = offered + i + 1;
            *ret_len = offered[i];
            memcpy(session->alpn, wanted, sizeof wanted);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    if (!session->needs_alpn) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    session->why = "another ALPN protocol than " PS_TLS_ALPN_MQTT;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int judge_certificate(X509_STORE_CTX *store, void *ctx) {
    PsTls *tls = ctx;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    PsTlsSession *session = session_of(ssl);
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    ps_pki_certificate_id(certificate, session->certificate_id);
    // Who nobody knows learns nothing about dates; that is also the order in which AWS's words for
    // an unknown certificate come first.
    PsAdmission admission = tls->setup.admit(tls->setup.ctx, certificate, session->certificate_id,
                                             X509_STORE_CTX_get0_untrusted(store), &session->why);
    if (admission == PS_ADMIT) {
        admission = ps_certificate_rules(certificate, time(NULL), &session->why);
    }
    X509_STORE_CTX_set_error(store, admission == PS_ADMIT ? X509_V_OK : errors[admission]);
    return admission == PS_ADMIT;
}

// ---- contexts ----

static bool set_rules(SSL_CTX *context, PsKeyType prefers) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    const Preference *preference = &preferences[prefers];
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_ciphersuites(context, SUITES_13) == 1 &&
           SSL_CTX_set_cipher_list(context, preference->suites) == 1 &&
           SSL_CTX_set1_sigalgs_list(context, preference->signatures) == 1 &&
           SSL_CTX_set1_client_sigalgs_list(context, SIGNATURES_ECC ":" SIGNATURES_RSA) == 1;
}

static bool add_chain(SSL_CTX *context, const PsPkiPair *server, const PsPkiPair *issuer) {
    return SSL_CTX_use_certificate(context, server->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, server->key) == 1 &&
           SSL_CTX_add1_chain_cert(context, issuer->certificate) == 1;
}

static PsErr make_context(PsTls *tls, const PsTlsIdentity *identity, SSL_CTX **ret_context,
                          PsDiag *diag) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool sound = context != NULL && set_rules(context, tls->setup.prefers);
    for (size_t i = 0; sound && i < PS_COUNT(identity->server); i++) {
        sound = add_chain(context, &identity->server[i], &identity->issuer[i]);
    }
    if (!sound) {
        SSL_CTX_free(context);
        return openssl_failed(diag, "server context");
    }
    SSL_CTX_set_client_hello_cb(context, look_at_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, look_at_name);
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, judge_certificate, tls);
    *ret_context = context;
    return PS_OK;
}

PsErr ps_tls_new(const PsTlsSetup *setup, const PsTlsIdentity *identity, PsTls **ret_tls,
                 PsDiag *diag) {
    PsTls *tls = ps_alloc(sizeof *tls);
    tls->setup = *setup;
    tls->named = identity->server[setup->prefers].certificate;
    X509_up_ref(tls->named);
    PsErr err = make_context(tls, identity, &tls->contexts[0], diag);
    if (err != PS_OK) {
        ps_tls_free(tls);
        return err;
    }
    *ret_tls = tls;
    return PS_OK;
}

void ps_tls_free(PsTls *tls) {
    if (tls != NULL) {
        for (size_t i = 0; i < PS_TLS_SLOTS; i++) {
            SSL_CTX_free(tls->contexts[i]);
        }
        X509_free(tls->named);
        free(tls);
    }
}

PsErr ps_tls_put(PsTls *tls, size_t slot, const PsTlsIdentity *identity, PsDiag *diag) {
    PS_ASSERT(slot < PS_TLS_SLOTS);
    SSL_CTX *context = NULL;
    PsErr err = make_context(tls, identity, &context, diag);
    if (err == PS_OK) {
        SSL_CTX_free(tls->contexts[slot]); // handshakes on their way hold a reference
        tls->contexts[slot] = context;
    }
    return err;
}

bool ps_tls_has(const PsTls *tls, size_t slot) {
    return slot < PS_TLS_SLOTS && tls->contexts[slot] != NULL;
}

SSL *ps_tls_accept(PsTls *tls, PsTlsSession *session, int fd, size_t slot, bool needs_alpn) {
    PS_ASSERT(ps_tls_has(tls, slot));
    SSL *ssl = SSL_new(tls->contexts[slot]);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    *session = (PsTlsSession){.tls = tls, .needs_alpn = needs_alpn};
    SSL_set_app_data(ssl, session);
    SSL_set_accept_state(ssl);
    return ssl;
}
