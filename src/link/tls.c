// One TLS context for one connection attempt, and what its callbacks saw. Link thread only.
//
// Until CONNACK the context keeps a second hold on the connection: with TLS 1.3 the server's
// verdict on our certificate may still be unread when a failed write makes libmosquitto close.
//
// libmosquitto is given a numeric address and would send it as SNI (RFC 6066 section 3 forbids
// that), so the info callback sets the real name when the handshake starts.
#include "link/tls.h"

#include "link/tls_files.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct PsTls {
    SSL_CTX *context;
    char *host;
    bool host_is_address;
    bool done;
    SSL *ssl; // from the end of the handshake until CONNACK, with a descriptor of its own
    int last_fd;
    int alert;            // received; -1 none
    int socket_errno;     // of the socket call that ended the last handshake step; 0 none
    unsigned long reason; // of OpenSSL, 0 none
    long verify_code;     // X509_V_OK when nothing was refused
    char verify_detail[256];
    char root_name[128];
    char summary[96];
    size_t record_overhead;
    char warning[PS_TLS_WARNING_SIZE];
};

static bool is_address(const char *host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void on_handshake_start(PsTls *tls, SSL *ssl) {
    if (!tls->done) {
        SSL_set_tlsext_host_name(ssl, tls->host_is_address ? NULL : tls->host);
    }
}

// Header and tag, and what the version adds: RFC 8446 section 5.2 (content type), RFC 5288 section
// 3 (explicit nonce).
static size_t record_overhead(const SSL *ssl) {
    bool gcm = strstr(SSL_get_cipher_name(ssl), "GCM") != NULL;
    if (SSL_version(ssl) == TLS1_3_VERSION) {
        return SSL3_RT_HEADER_LENGTH + 1 + EVP_GCM_TLS_TAG_LEN;
    }
    return gcm ? SSL3_RT_HEADER_LENGTH + EVP_GCM_TLS_EXPLICIT_IV_LEN + EVP_GCM_TLS_TAG_LEN : 0;
}

static void on_handshake_done(PsTls *tls, SSL *ssl) {
    if (!tls->done) {
        tls->last_fd = fcntl(SSL_get_fd(ssl), F_DUPFD_CLOEXEC, 0);
        tls->ssl = tls->last_fd >= 0 && SSL_up_ref(ssl) == 1 ? ssl : NULL;
    }
    tls->done = true;
    tls->record_overhead = record_overhead(ssl);
    snprintf(tls->summary, sizeof tls->summary, "%s, %s", SSL_get_version(ssl),
             SSL_get_cipher_name(ssl));
}

// Called before anything between here and the socket call could change errno.
static void on_handshake_stop(PsTls *tls, const SSL *ssl, int error_number) {
    if (ERR_peek_last_error() != 0) {
        tls->reason = ERR_peek_last_error();
    } else if (SSL_get_error(ssl, -1) == SSL_ERROR_SYSCALL) {
        tls->socket_errno = error_number;
    }
}

static void on_info(const SSL *const_ssl, int where, int value) {
    int error_number = errno;
    // The C API gives the callback a const SSL, yet setting SNI from here is its documented use.
    SSL *ssl = (SSL *)(uintptr_t)const_ssl;
    PsTls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (where == SSL_CB_HANDSHAKE_START) {
        on_handshake_start(tls, ssl);
    } else if (where == SSL_CB_HANDSHAKE_DONE) {
        on_handshake_done(tls, ssl);
    } else if (where == SSL_CB_READ_ALERT && (value & 0xff) != SSL3_AD_CLOSE_NOTIFY) {
        tls->alert = value & 0xff;
    } else if (where == SSL_CB_CONNECT_EXIT && value <= 0) {
        on_handshake_stop(tls, ssl, error_number);
    }
}

static void list_names(const PsTls *tls, const X509 *certificate, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "endpoint is %.100s, it holds:", tls->host);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = sk_GENERAL_NAME_num(names);
    for (int i = 0; i < count && used < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            used += (size_t)snprintf(out + used, size - used, " %.*s",
                                     ASN1_STRING_length(name->d.dNSName),
                                     (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            char text[INET6_ADDRSTRLEN] = "";
            int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text);
            used += (size_t)snprintf(out + used, size - used, " %s", text);
        }
    }
    GENERAL_NAMES_free(names);
    if (count <= 0 && used < size) {
        char common[128] = "no name";
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common,
                                  sizeof common);
        snprintf(out + used, size - used, " %s", common);
    }
}

static void describe_dates(const X509 *certificate, long code, char *out, size_t size) {
    char now[64];
    char limit[64];
    ps_tls_now_text(now, sizeof now);
    bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
    ps_tls_time_text(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate),
                     limit, sizeof limit);
    snprintf(out, size, "valid %s %s, this gateway's clock says %s", expired ? "until" : "from",
             limit, now);
}

static void describe_issuer(const PsTls *tls, const X509 *certificate, char *out, size_t size) {
    char issuer[128] = "";
    X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof issuer);
    snprintf(out, size, "issuer %.100s, root_ca holds %.100s", issuer, tls->root_name);
}

static int on_verify(int ok, X509_STORE_CTX *store) {
    if (ok) {
        return ok;
    }
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    PsTls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    long code = X509_STORE_CTX_get_error(store);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    tls->verify_code = code;
    if (certificate == NULL) {
        return 0;
    }
    char *out = tls->verify_detail;
    size_t size = sizeof tls->verify_detail;
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        list_names(tls, certificate, out, size);
    } else if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID) {
        describe_dates(certificate, code, out, size);
    } else {
        describe_issuer(tls, certificate, out, size);
    }
    return 0;
}

static PsErr set_host(PsTls *tls) {
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int set = tls->host_is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, tls->host)
                                   : X509_VERIFY_PARAM_set1_host(param, tls->host, 0);
    return set == 1 ? PS_OK : PS_ERR_INVALID;
}

static PsErr set_alpn(PsTls *tls, const char *alpn) {
    if (alpn == NULL) {
        return PS_OK;
    }
    unsigned char wire[256];
    size_t len = strlen(alpn);
    if (len == 0 || len > sizeof wire - 1) {
        return PS_ERR_INVALID;
    }
    wire[0] = (unsigned char)len;
    memcpy(wire + 1, alpn, len);
    return SSL_CTX_set_alpn_protos(tls->context, wire, (unsigned)len + 1) == 0 ? PS_OK
                                                                               : PS_ERR_INVALID;
}

static PsErr configure(PsTls *tls, const PsTlsSetup *setup, PsLinkFailure *failure) {
    SSL_CTX_set_app_data(tls->context, tls);
    SSL_CTX_set_info_callback(tls->context, on_info);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, on_verify);
    // AWS IoT has no session tickets, and a resumed session would hide a changed certificate.
    SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls->context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1 ||
        set_host(tls) != PS_OK || set_alpn(tls, setup->alpn) != PS_OK) {
        ps_link_failure_set(failure, PS_STEP_FILES, -1, true,
                            "endpoint '%s' or alpn '%s' cannot be used for TLS; correct them",
                            setup->host, setup->alpn != NULL ? setup->alpn : "");
        return PS_ERR_INVALID;
    }
    PsErr err = ps_tls_load_roots(tls->context, setup->root_ca, tls->root_name,
                                  sizeof tls->root_name, failure);
    if (err != PS_OK) {
        return err;
    }
    return ps_tls_load_identity(tls->context, setup->cert, setup->key, tls->warning, failure);
}

PsErr ps_tls_new(const PsTlsSetup *setup, PsTls **ret_tls, PsLinkFailure *reterr_failure) {
    PsTls *tls = ps_alloc(sizeof *tls);
    tls->alert = -1;
    tls->last_fd = -1;
    tls->verify_code = X509_V_OK;
    tls->host = ps_strdup(setup->host);
    tls->host_is_address = is_address(setup->host);
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL) {
        ps_tls_free(tls);
        ps_link_failure_set(reterr_failure, PS_STEP_FILES, -2, false,
                            "no memory for TLS; restart the gateway");
        return PS_ERR_NO_MEMORY;
    }
    PsErr err = configure(tls, setup, reterr_failure);
    if (err != PS_OK) {
        ps_tls_free(tls);
        return err;
    }
    *ret_tls = tls;
    return PS_OK;
}

SSL_CTX *ps_tls_context(PsTls *tls) {
    return tls->context;
}

bool ps_tls_is_done(const PsTls *tls) {
    return tls->done;
}

int ps_tls_socket_errno(const PsTls *tls) {
    return tls->socket_errno;
}

size_t ps_tls_record_overhead(const PsTls *tls) {
    return tls->record_overhead;
}

const char *ps_tls_summary(const PsTls *tls) {
    return tls->summary;
}

const char *ps_tls_warning(const PsTls *tls) {
    return tls->warning;
}

static void explain_alert(const PsTls *tls, PsLinkFailure *failure) {
    bool ours = false;
    PsLinkWords words = ps_alert_words(tls->alert, &ours);
    ps_link_failure_set(failure, PS_STEP_TLS, 1000 + tls->alert, true, "%s%s (alert %d); %s",
                        ours ? "the server refused this gateway's certificate: " : "", words.cause,
                        tls->alert, words.cure);
}

static void explain_reason(const PsTls *tls, PsLinkFailure *failure) {
    int reason = ERR_GET_REASON(tls->reason);
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
        ps_link_failure_set(failure, PS_STEP_TLS, 2000 + reason, true,
                            "the server does not speak TLS on this port; check port and tls");
        return;
    }
    const char *words = ERR_reason_error_string(tls->reason);
    ps_link_failure_set(failure, PS_STEP_TLS, 2000 + reason, false,
                        "the handshake failed: %s; check that endpoint and port are a TLS server",
                        words != NULL ? words : "unknown reason");
}

void ps_tls_last_words(PsTls *tls) {
    char byte;
    if (tls->ssl != NULL && tls->alert < 0 && SSL_set_fd(tls->ssl, tls->last_fd) == 1) {
        (void)SSL_read(tls->ssl, &byte, sizeof byte); // on_info sees the alert
        ERR_clear_error();
    }
}

void ps_tls_settled(PsTls *tls) {
    SSL_free(tls->ssl);
    tls->ssl = NULL;
    if (tls->last_fd >= 0) {
        close(tls->last_fd);
        tls->last_fd = -1;
    }
}

bool ps_tls_explain(const PsTls *tls, PsLinkFailure *ret_failure) {
    if (tls->verify_code != X509_V_OK) {
        PsLinkWords words = ps_x509_words(tls->verify_code);
        bool has_detail = tls->verify_detail[0] != '\0';
        ps_link_failure_set(ret_failure, PS_STEP_TLS, (int)tls->verify_code, true, "%s%s%s%s; %s",
                            words.cause, has_detail ? " (" : "", tls->verify_detail,
                            has_detail ? ")" : "", words.cure);
        return true;
    }
    if (tls->alert >= 0) {
        explain_alert(tls, ret_failure);
        return true;
    }
    if (tls->reason != 0 && !tls->done) {
        explain_reason(tls, ret_failure);
        return true;
    }
    return false;
}

void ps_tls_free(PsTls *tls) {
    if (tls == NULL) {
        return;
    }
    ps_tls_settled(tls);
    SSL_CTX_free(tls->context);
    free(tls->host);
    free(tls);
}
