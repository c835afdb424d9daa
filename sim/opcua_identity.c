// A key and its self-signed certificate through OpenSSL, kept in a folder where one is given.
// Called when the side starts; blocks on the disk and while the key is looked for.
#include "sim/opcua_identity.h"

#include "base/file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define KEY_BITS 2048
#define VALID_S (10L * 365 * 86400)
#define EARLIER_S (-86400L) // clocks of clients that are behind
#define FILE_MOST ((size_t)64 * 1024)

static bool add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *address) {
    char names[160];
    snprintf(names, sizeof names, "URI:%s,DNS:localhost,IP:%s", PS_SIM_OPCUA_APPLICATION_URI,
             address);
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), EARLIER_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_S) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)"penstock-sim", -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage,
                         "critical,digitalSignature,nonRepudiation,keyEncipherment,"
                         "dataEncipherment") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_subject_alt_name, names) &&
           X509_sign(certificate, key, EVP_sha256()) != 0;
}

static bool append(PsBuf *out, unsigned char *der, int len) {
    bool made = len > 0;
    if (made) {
        ps_buf_put(out, der, (size_t)len);
    }
    OPENSSL_free(der);
    return made;
}

static PsErr make(const char *address, PsBuf *certificate, PsBuf *key, PsDiag *diag) {
    EVP_PKEY *pair = EVP_RSA_gen(KEY_BITS);
    X509 *made = X509_new();
    bool done = pair != NULL && made != NULL && fill(made, pair, address);
    unsigned char *certificate_der = NULL;
    unsigned char *key_der = NULL;
    int certificate_len = done ? i2d_X509(made, &certificate_der) : 0;
    int key_len = done ? i2d_PrivateKey(pair, &key_der) : 0;
    done = append(certificate, certificate_der, certificate_len) && done;
    done = append(key, key_der, key_len) && done;
    X509_free(made);
    EVP_PKEY_free(pair);
    if (!done) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        ERR_clear_error();
        return ps_fail(PS_ERR_INTERNAL, diag, "OPC UA server", "certificate",
                       "OpenSSL could not make it: %s", reason != NULL ? reason : "no reason");
    }
    return PS_OK;
}

PsErr ps_sim_opcua_identity(const char *folder, const char *address, PsBuf *certificate, PsBuf *key,
                            PsDiag *diag) {
    if (folder == NULL) {
        return make(address, certificate, key, diag);
    }
    char certificate_path[512];
    char key_path[512];
    size_t room = sizeof certificate_path;
    if ((size_t)snprintf(certificate_path, room, "%s/opcua-server.der", folder) >= room ||
        (size_t)snprintf(key_path, room, "%s/opcua-server.key", folder) >= room) {
        return ps_fail(PS_ERR_TOO_BIG, diag, folder, NULL, "the path is too long");
    }
    PsErr err = ps_file_read(key_path, FILE_MOST, key, diag);
    err = err == PS_OK ? ps_file_read(certificate_path, FILE_MOST, certificate, diag) : err;
    if (err != PS_ERR_NOT_FOUND) {
        return err;
    }
    ps_buf_clear(key);
    err = make(address, certificate, key, diag);
    err = err == PS_OK ? ps_dir_make(folder, 0755, diag) : err;
    err = err == PS_OK ? ps_file_write(key_path, key->data, key->len, 0600, diag) : err;
    return err == PS_OK
               ? ps_file_write(certificate_path, certificate->data, certificate->len, 0644, diag)
               : err;
}
