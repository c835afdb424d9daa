// The question of `penstock-cloud explain`: policies from files or from the account, and what is
// known of the connection. Main thread; reads files and the registry's database.
#include "localcloud/explain_case.h"

#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_CERTIFICATE ((size_t)64 * 1024)

// "plant" of "/some/where/plant.json".
static void name_of(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%s", slash != NULL ? slash + 1 : path);
    char *dot = strrchr(out, '.');
    if (dot != NULL && dot != out) {
        *dot = '\0';
    }
}

static PsErr read_policy(PsExplainCase *question, const char *path, PsDiag *diag) {
    PS_AUTO_BUF PsBuf text = {0};
    PsErr err = ps_file_read(path, PS_POLICY_LONGEST_BYTES, &text, diag);
    if (err != PS_OK) {
        return err;
    }
    PsPolicyDocument *document = NULL;
    PsDiag detail = {0};
    err = ps_policy_parse((const char *)text.data, text.len, &document, &detail);
    if (err != PS_OK) {
        char words[sizeof(PsDiag) + 8];
        ps_diag_format(&detail, words, sizeof words);
        return ps_fail(err, diag, path, NULL, "%s", words);
    }
    char name[128];
    name_of(path, name, sizeof name);
    ps_policy_set_put(&question->set, name, "1", document);
    ps_policy_unref(document);
    return PS_OK;
}

static PsErr take_certificate(PsExplainCase *question, const PsBuf *pem, const char *from,
                              PsDiag *diag) {
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *x509 = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (x509 == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, from, NULL,
                       "is no certificate in PEM form; a thing's ends in -certificate.pem.crt");
    }
    ps_pki_certificate_id(x509, question->certificate_id);
    PsErr err = ps_policy_certificate_vars(x509, &question->certificate);
    X509_free(x509);
    return err == PS_OK ? PS_OK : ps_fail(err, diag, from, NULL, "cannot be read by OpenSSL");
}

static bool is_id(const char *text) {
    return strlen(text) == PS_PKI_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == strlen(text);
}

// The certificate itself, from the file or from the account.
static PsErr find_certificate(PsExplainCase *question, const char *from, PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    if (!is_id(from)) {
        PsErr err = ps_file_read(from, LONGEST_CERTIFICATE, &pem, diag);
        return err == PS_OK ? take_certificate(question, &pem, from, diag) : err;
    }
    snprintf(question->certificate_id, sizeof question->certificate_id, "%s", from);
    if (question->registry == NULL) {
        return PS_OK;
    }
    char *text = NULL;
    PsErr err = ps_registry_certificate_pem(question->registry, from, &text);
    if (err != PS_OK) {
        return ps_fail(err, diag, "certificate", NULL, "%s is not registered here", from);
    }
    ps_buf_put(&pem, text, strlen(text));
    free(text);
    return take_certificate(question, &pem, from, diag);
}

// Thing and policies of the account, as the front asks for them when a client connects.
static PsErr read_account(PsExplainCase *question, const PsExplainOrder *order, PsDiag *diag) {
    PsRegistryCertificate certificate;
    PsErr err =
        ps_registry_find_certificate(question->registry, question->certificate_id, &certificate);
    if (err != PS_OK) {
        return ps_fail(err, diag, "certificate", NULL, "%s is not registered here",
                       question->certificate_id);
    }
    if (certificate.status != PS_CERTIFICATE_ACTIVE) {
        return ps_fail(PS_ERR_DENIED, diag, "certificate", NULL,
                       "%s is %s: it fails in the TLS handshake, before any policy",
                       question->certificate_id, ps_certificate_status_name(certificate.status));
    }
    err =
        ps_registry_thing_for(question->registry, question->certificate_id,
                              order->client_id != NULL ? order->client_id : "", &question->stored);
    const PsRegistryThing *stored = &question->stored;
    if (err == PS_OK) {
        err = ps_registry_policies(question->registry, question->certificate_id,
                                   stored->known ? stored->name : NULL, &question->set);
    }
    return err == PS_OK ? PS_OK
                        : ps_fail(err, diag, "cloud.db", NULL, "the account cannot be read");
}

static void use_stored_thing(PsExplainCase *question) {
    const PsRegistryThing *stored = &question->stored;
    if (!stored->known) {
        return;
    }
    PsPolicyAttribute *attributes =
        stored->attribute_count > 0 ? ps_alloc_array(stored->attribute_count, sizeof *attributes)
                                    : NULL;
    for (size_t i = 0; i < stored->attribute_count; i++) {
        attributes[i] =
            (PsPolicyAttribute){stored->attributes[i].name, stored->attributes[i].value};
    }
    question->own_attributes = attributes;
    question->thing = (PsPolicyThing){.name = stored->name,
                                      .type = stored->type[0] != '\0' ? stored->type : NULL,
                                      .attributes = attributes,
                                      .attribute_count = stored->attribute_count};
    question->context.thing = &question->thing;
    question->context.is_attached = stored->attached;
}

// What the command line says of the thing, when there is no account to ask.
static void use_ordered_thing(PsExplainCase *question, const PsExplainOrder *order) {
    if (order->thing == NULL) {
        return;
    }
    question->thing =
        (PsPolicyThing){order->thing, order->thing_type, order->attributes, order->attribute_count};
    question->context.thing = &question->thing;
    question->context.is_attached = true;
}

static const char *to_arn(const PsExplainCase *question, PsPolicyAction action, const char *name,
                          PsBuf *text) {
    if (strncmp(name, "arn:", 4) == 0) {
        return name;
    }
    ps_policy_put_arn(text, &question->place, action, name, strlen(name));
    return (const char *)text->data;
}

// Asking makes no account where there is none.
static PsErr open_account(PsExplainCase *question, const char *dir, PsDiag *diag) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", dir, PS_REGISTRY_FILE);
    if (len < 0 || (size_t)len >= sizeof path || access(path, F_OK) != 0) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, dir, NULL,
                       "has no account; penstock-cloud run or quickstart makes one");
    }
    return ps_registry_open(dir, &question->registry, diag);
}

PsErr ps_explain_case_init(const PsExplainOrder *order, PsExplainCase *question, PsDiag *diag) {
    PsErr err = PS_OK;
    question->place = (PsPolicyPlace){"aws", PS_DEFAULT_REGION, PS_ACCOUNT_ID};
    if (order->dir != NULL) {
        err = open_account(question, order->dir, diag);
    }
    if (err == PS_OK && question->registry != NULL) {
        question->place.region = ps_registry_region(question->registry);
    }
    if (err == PS_OK && order->certificate != NULL) {
        err = find_certificate(question, order->certificate, diag);
    }
    for (size_t i = 0; err == PS_OK && i < order->policy_count; i++) {
        err = read_policy(question, order->policies[i], diag);
    }
    bool of_account = question->registry != NULL && order->policy_count == 0;
    if (err == PS_OK && of_account) {
        err = read_account(question, order, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    if (of_account) {
        use_stored_thing(question);
    } else {
        use_ordered_thing(question, order);
    }
    PsPolicyContext *context = &question->context;
    context->client_id = order->client_id;
    context->certificate_id = order->certificate != NULL ? question->certificate_id : NULL;
    context->certificate = question->certificate;
    context->source_ip = order->source_ip != NULL ? order->source_ip : "127.0.0.1";
    context->domain_name = order->domain != NULL ? order->domain : "localhost";
    context->persistent = order->persistent;
    context->last_will = order->will != NULL;
    if (order->will != NULL) {
        context->last_will_topic =
            to_arn(question, PS_POLICY_PUBLISH, order->will, &question->will_text);
    }
    question->action = order->action;
    question->resource = to_arn(question, order->action, order->resource, &question->resource_text);
    return PS_OK;
}

void ps_explain_case_deinit(PsExplainCase *question) {
    ps_policy_set_deinit(&question->set);
    ps_policy_certificate_free(question->certificate);
    ps_registry_thing_deinit(&question->stored);
    free(question->own_attributes);
    ps_buf_deinit(&question->resource_text);
    ps_buf_deinit(&question->will_text);
    ps_registry_close(question->registry);
    *question = (PsExplainCase){0};
}
