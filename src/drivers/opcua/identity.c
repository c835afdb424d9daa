// Certificates and keys of the gateway and of users, through OpenSSL. Channel threads; several of
// them may want the gateway's own certificate at once, so that a lock file stands before it.
#include "drivers/opcua/identity.h"

#include "access/secret.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_BYTES_MAX ((size_t)64 * 1024)
#define KEY_BITS 2048
#define VALID_S (INT64_C(10) * 365 * 86400)
#define RENEW_BEFORE_S (INT64_C(60) * 86400)
#define NOT_BEFORE_S INT64_C(946684800) // 2000: a board whose clock stands still may make it

void ps_opcua_wipe(PsBuf *buf) {
    if (buf->data != NULL) {
        ps_secret_wipe(buf->data, buf->capacity);
    }
    ps_buf_deinit(buf);
}

void ps_opcua_identity_deinit(PsOpcuaIdentity *identity) {
    ps_buf_deinit(&identity->certificate);
    ps_opcua_wipe(&identity->key);
}

static PsErr fail_openssl(const char *step, PsDiag *diag) {
    char text[160];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return ps_fail(PS_ERR_INTERNAL, diag, NULL, NULL, "%s: %s", step, text);
}

static PsErr put_der(int len, uint8_t *der, PsBuf *out, PsDiag *diag) {
    if (len <= 0) {
        return fail_openssl("the certificate cannot be encoded", diag);
    }
    ps_buf_put(out, der, (size_t)len);
    ps_secret_wipe(der, (size_t)len);
    OPENSSL_free(der);
    return PS_OK;
}

// The URI in the certificate's alternative names.
static void take_uri(X509 *certificate, char *out, size_t size) {
    out[0] = '\0';
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI) {
            snprintf(out, size, "%.*s", ASN1_STRING_length(name->d.uniformResourceIdentifier),
                     (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier));
            break;
        }
    }
    GENERAL_NAMES_free(names);
}

static int64_t seconds_of(const ASN1_TIME *time) {
    struct tm parts = {0};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static PsErr take_identity(X509 *certificate, EVP_PKEY *key, PsOpcuaIdentity *ret_identity,
                           PsDiag *diag) {
    PsOpcuaIdentity identity = {0};
    uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);
    PsErr err = put_der(len, der, &identity.certificate, diag);
    if (err == PS_OK) {
        der = NULL;
        len = i2d_PrivateKey(key, &der);
        err = put_der(len, der, &identity.key, diag);
    }
    if (err != PS_OK) {
        ps_opcua_identity_deinit(&identity);
        return err;
    }
    take_uri(certificate, identity.uri, sizeof identity.uri);
    identity.not_after = seconds_of(X509_get0_notAfter(certificate));
    *ret_identity = identity;
    return PS_OK;
}

static bool add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

// Letters, digits, dots and hyphens of the host's name.
static void host_name(char *out, size_t size) {
    if (gethostname(out, size) != 0 || out[0] == '\0') {
        snprintf(out, size, "gateway");
    }
    out[size - 1] = '\0';
    for (char *c = out; *c != '\0'; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z') || *c == '.' || *c == '-';
        *c = plain ? *c : '-';
    }
}

static bool fill_certificate(X509 *certificate, EVP_PKEY *key) {
    char host[64];
    char names[256];
    host_name(host, sizeof host);
    snprintf(names, sizeof names, "URI:urn:%s:penstock,DNS:%s", host, host);
    time_t now = time(NULL);
    uint8_t serial[16];
    ps_secret_random(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x3F) | 0x40); // positive, and not begun with zeros
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool done =
        number != NULL && X509_set_version(certificate, 2) == 1 &&
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL &&
        ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)NOT_BEFORE_S) != NULL &&
        ASN1_TIME_set(X509_getm_notAfter(certificate), now + (time_t)VALID_S) != NULL &&
        X509_set_pubkey(certificate, key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"Penstock", -1, -1,
                                   0) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "DC", MBSTRING_ASC, (const uint8_t *)host, -1, -1, 0) ==
            1 &&
        X509_set_issuer_name(certificate, subject) == 1 &&
        add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
        // Part 6, 6.2.2: what an application instance certificate must allow.
        add_extension(certificate, NID_key_usage,
                      "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,"
                      "keyCertSign") &&
        add_extension(certificate, NID_ext_key_usage, "clientAuth,serverAuth") &&
        add_extension(certificate, NID_subject_alt_name, names) &&
        add_extension(certificate, NID_subject_key_identifier, "hash") &&
        X509_sign(certificate, key, EVP_sha256()) > 0;
    BN_free(number);
    return done;
}

static PsErr make(PsOpcuaIdentity *ret_identity, PsDiag *diag) {
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    X509 *certificate = X509_new();
    PsErr err = key != NULL && certificate != NULL && fill_certificate(certificate, key)
                    ? take_identity(certificate, key, ret_identity, diag)
                    : fail_openssl("the gateway's OPC UA certificate cannot be made", diag);
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (err == PS_OK) {
        ret_identity->made = true;
    }
    return err;
}

static X509 *read_certificate(const PsBuf *bytes) {
    const uint8_t *at = bytes->data;
    X509 *certificate = bytes->len > 0 ? d2i_X509(NULL, &at, (long)bytes->len) : NULL;
    if (certificate == NULL && bytes->len > 0) {
        BIO *bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    ERR_clear_error();
    return certificate;
}

// A key with a password has nobody to ask for it.
static int no_password(char *out, int size, int writing, void *user) {
    return -1;
}

static EVP_PKEY *read_key(const PsBuf *bytes) {
    const uint8_t *at = bytes->data;
    EVP_PKEY *key = bytes->len > 0 ? d2i_AutoPrivateKey(NULL, &at, (long)bytes->len) : NULL;
    if (key == NULL && bytes->len > 0) {
        BIO *bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);
        key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
        BIO_free(bio);
    }
    ERR_clear_error();
    return key;
}

static PsErr check_closed(const char *path, const char *field, PsDiag *diag) {
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return ps_fail(PS_ERR_DENIED, diag, NULL, field,
                       "others may read %.200s; close it with chmod 600", path);
    }
    return PS_OK;
}

// Certificate and key from the bytes of two files.
static PsErr parse(const PsBuf *cert_bytes, const PsBuf *key_bytes, PsOpcuaIdentity *ret_identity,
                   PsDiag *diag) {
    X509 *certificate = read_certificate(cert_bytes);
    EVP_PKEY *key = read_key(key_bytes);
    PsErr err = PS_OK;
    if (certificate == NULL) {
        err = ps_fail(PS_ERR_INVALID, diag, NULL, "cert", "the file is no certificate, PEM or DER");
    } else if (key == NULL) {
        err = ps_fail(PS_ERR_INVALID, diag, NULL, "key",
                      "the file is no private key without a password, PEM or DER");
    } else if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        err = ps_fail(PS_ERR_INVALID, diag, NULL, "key",
                      "the key is no RSA key, which the security policies of OPC UA need");
    } else if (X509_check_private_key(certificate, key) != 1) {
        err = ps_fail(PS_ERR_INVALID, diag, NULL, "key",
                      "the key does not belong to the certificate");
    } else {
        err = take_identity(certificate, key, ret_identity, diag);
    }
    ERR_clear_error();
    X509_free(certificate);
    EVP_PKEY_free(key);
    return err;
}

static PsErr read_pair(const char *cert, const char *key, PsOpcuaIdentity *ret_identity,
                       PsDiag *diag) {
    PS_AUTO_BUF PsBuf cert_bytes = {0};
    PsBuf key_bytes = {0};
    PsErr err = ps_file_read(cert, FILE_BYTES_MAX, &cert_bytes, diag);
    err = err != PS_OK ? err : check_closed(key, "key", diag);
    err = err != PS_OK ? err : ps_file_read(key, FILE_BYTES_MAX, &key_bytes, diag);
    err = err != PS_OK ? err : parse(&cert_bytes, &key_bytes, ret_identity, diag);
    ps_opcua_wipe(&key_bytes);
    return err;
}

PsErr ps_opcua_identity_user(const char *cert, const char *key, PsOpcuaIdentity *ret_identity,
                             PsDiag *diag) {
    return read_pair(cert, key, ret_identity, diag);
}

static PsErr keep(const char *cert, const char *key, const PsOpcuaIdentity *identity,
                  PsDiag *diag) {
    // The key first: a certificate without its key is of no use, a key alone is made anew.
    PsErr err = ps_file_write(key, identity->key.data, identity->key.len, 0600, diag);
    return err != PS_OK ? err
                        : ps_file_write(cert, identity->certificate.data, identity->certificate.len,
                                        0644, diag);
}

static bool ends_soon(const PsOpcuaIdentity *identity) {
    return identity->not_after - RENEW_BEFORE_S < (int64_t)time(NULL);
}

static PsErr take_lock(const char *folder, int *ret_fd, PsDiag *diag) {
    char path[512];
    snprintf(path, sizeof path, "%s/.lock", folder);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        PsErr err = ps_fail(PS_ERR_IO, diag, NULL, NULL, "%.300s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return err;
    }
    *ret_fd = fd;
    return PS_OK;
}

static void put_paths(const char *folder, char *cert, char *key, size_t size) {
    snprintf(cert, size, "%s/%s", folder, PS_OPCUA_OWN_CERTIFICATE);
    snprintf(key, size, "%s/%s", folder, PS_OPCUA_OWN_KEY);
}

PsErr ps_opcua_identity_borrow(const char *folder, PsOpcuaIdentity *ret_identity, PsDiag *diag) {
    char cert[512];
    char key[512];
    put_paths(folder, cert, key, sizeof cert);
    PsErr err = read_pair(cert, key, ret_identity, diag);
    return err == PS_ERR_NOT_FOUND ? make(ret_identity, diag) : err;
}

PsErr ps_opcua_identity_own(const char *folder, PsOpcuaIdentity *ret_identity, PsDiag *diag) {
    if (folder == NULL) {
        return make(ret_identity, diag);
    }
    char cert[512];
    char key[512];
    put_paths(folder, cert, key, sizeof cert);
    PsErr err = ps_dir_make(folder, 0700, diag);
    if (err != PS_OK) {
        return err;
    }
    PS_AUTO_FD int lock = -1;
    err = take_lock(folder, &lock, diag);
    if (err != PS_OK) {
        return err;
    }
    PsOpcuaIdentity identity = {0};
    if (read_pair(cert, key, &identity, NULL) == PS_OK && !ends_soon(&identity)) {
        *ret_identity = identity;
        return PS_OK;
    }
    ps_opcua_identity_deinit(&identity);
    err = make(&identity, diag);
    err = err != PS_OK ? err : keep(cert, key, &identity, diag);
    if (err != PS_OK) {
        ps_opcua_identity_deinit(&identity);
        return err;
    }
    *ret_identity = identity;
    return PS_OK;
}

PsErr ps_opcua_read_secret(const char *path, const char *field, PsBuf *buf, PsDiag *diag) {
    PsErr err = check_closed(path, field, diag);
    err = err != PS_OK ? err : ps_file_read(path, FILE_BYTES_MAX, buf, diag);
    if (err != PS_OK) {
        return err;
    }
    while (buf->len > 0 && strchr("\r\n", buf->data[buf->len - 1]) != NULL) {
        buf->data[--buf->len] = '\0';
    }
    // Who may only name the file must not get a list of accounts sent to a server of his own.
    if (buf->len == 0 || memchr(buf->data, '\n', buf->len) != NULL ||
        memchr(buf->data, '\0', buf->len) != NULL) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, field,
                       "%.200s is to hold one line, the password, and nothing else", path);
    }
    return PS_OK;
}
