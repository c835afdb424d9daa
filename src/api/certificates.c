// Certificates and keys: which there are, a new one, one that goes. Answers never hold a key. Main
// thread; the disk and OpenSSL on worker threads.
#include "api/certificate_files.h"
#include "api/handlers_config.h"
#include "api/work.h"
#include "base/crc32c.h"
#include "base/mem.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Job {
    PsApiHeld held;
    char *name; // NULL: all are listed
    char *text; // of the new one, NULL: it goes. Wiped
    size_t len;
    json_t *answer;
    PsErr err;
    PsDiag diag;
} Job;

static void finish(PsApiCall *call, void *ctx) {
    Job *job = ctx;
    if (job->err == PS_OK) {
        ps_api_call_reply(call, job->answer);
    } else {
        ps_api_call_fail(call, job->err, &job->diag);
    }
    ps_api_let_go(&job->held);
    if (job->text != NULL) {
        OPENSSL_cleanse(job->text, job->len);
    }
    free(job->text);
    free(job->name);
    free(job);
}

static Job *make_job(const PsApiCall *call, const char *name) {
    Job *job = ps_alloc(sizeof *job);
    job->held = ps_api_hold(call);
    job->name = name != NULL ? ps_strdup(name) : NULL;
    return job;
}

static void fail_now(PsApiCall *call, PsErr err, const char *object, const char *field,
                     const char *text) {
    PsDiag diag = {0};
    PsErr same = ps_fail(err, &diag, object, field, "%s", text);
    ps_api_call_fail(call, same, &diag);
}

// --- all ----------------------------------------------------------------------------------------

static void list(void *ctx) {
    Job *job = ctx;
    PsCertificateFiles files;
    json_t *items = json_array();
    ps_certificate_files_read(job->held.config, &files);
    for (size_t i = 0; i < files.count; i++) {
        json_array_append_new(items,
                              ps_certificate_file_json(&files, job->held.config, &files.files[i]));
    }
    job->answer = json_pack("{s:o, s:b}", "items", items, "more", (int)files.more);
    ps_certificate_files_deinit(&files);
}

void ps_api_certificates(PsApiCall *call) {
    ps_api_work(call, list, finish, make_job(call, NULL));
}

// --- a new one ----------------------------------------------------------------------------------

static const char *name_trouble(const char *name) {
    return ps_certificate_name_ok(name) ? NULL
                                        : "must be a file name of letters, digits, '.', '-' and "
                                          "'_', such as device.pem";
}

// As it is listed from now on.
static json_t *describe(const PsConfig *config, const char *name) {
    char path[160];
    json_t *json = NULL;
    PsCertificateFiles files;
    snprintf(path, sizeof path, PS_CERTIFICATES_FOLDER "/%s", name);
    ps_certificate_files_read(config, &files);
    for (size_t i = 0; i < files.count; i++) {
        if (strcmp(files.files[i].path, path) == 0) {
            json = ps_certificate_file_json(&files, config, &files.files[i]);
        }
    }
    ps_certificate_files_deinit(&files);
    return json != NULL ? json : json_pack("{s:s}", "path", path);
}

static void write_new(void *ctx) {
    Job *job = ctx;
    PsPem pem;
    job->err = ps_pem_read(job->name, job->text, job->len, &pem, &job->diag);
    if (job->err == PS_OK) {
        job->err = ps_certificate_file_write(job->held.config->folder, job->name, job->text,
                                             job->len, &job->diag);
    }
    if (job->err == PS_OK) {
        job->answer = describe(job->held.config, job->name);
    }
}

// Takes the secret `key` of the arguments over, out of the call, which lives on.
static void take_text(const PsApiCall *call, const char *key, Job *job) {
    json_t *text = json_object_get(ps_api_call_arguments(call), key);
    char *given = (char *)(uintptr_t)json_string_value(text);
    job->len = json_string_length(text);
    job->text = ps_alloc(job->len + 1);
    memcpy(job->text, given, job->len);
    OPENSSL_cleanse(given, job->len);
}

// Body: `name`, `text` (PEM). One of the same name is replaced; what uses it reads it at the next
// connection, or with the next change of the configuration.
void ps_api_certificate_add(PsApiCall *call) {
    const char *name = ps_api_call_text(call, "name");
    const char *trouble = name_trouble(name);
    if (trouble != NULL) {
        fail_now(call, PS_ERR_INVALID, "certificate", "name", trouble);
        return;
    }
    Job *job = make_job(call, name);
    take_text(call, "text", job);
    ps_api_call_note(call, name, "certificate or key written");
    ps_api_work(call, write_new, finish, job);
}

// --- the password of Standard MQTT --------------------------------------------------------------

#define PASSWORD_FILE "mqtt.password"

static void write_password(void *ctx) {
    Job *job = ctx;
    job->err = ps_certificate_file_write(job->held.config->folder, job->name, job->text, job->len,
                                         &job->diag);
    job->answer =
        job->err == PS_OK
            ? json_pack("{s:o}", "path", json_sprintf(PS_CERTIFICATES_FOLDER "/%s", job->name))
            : NULL;
}

// Body: `password`. What `password_file` of the cloud is then set to is answered; where it is set
// already, the next connection has the new password.
void ps_api_cloud_password(PsApiCall *call) {
    Job *job = make_job(call, PASSWORD_FILE);
    take_text(call, "password", job);
    ps_api_call_note(call, PASSWORD_FILE, "password of the cloud written");
    ps_api_work(call, write_password, finish, job);
}

// Names of devices may hold anything, those of files may not; the checksum keeps them apart.
static void name_password_file(const char *device, char *out, size_t size) {
    char plain[48];
    size_t len = 0;
    for (const char *at = device; *at != '\0' && len + 1 < sizeof plain; at++) {
        bool kept = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                    (*at >= '0' && *at <= '9') || *at == '-' || *at == '_';
        plain[len++] = kept ? *at : '_';
    }
    plain[len] = '\0';
    snprintf(out, size, "device-%s-%08x.password", plain,
             (unsigned)ps_crc32c(0, device, strlen(device)));
}

// Body: `password`. The device need not be there yet: its form asks this before it is saved.
void ps_api_device_password(PsApiCall *call) {
    char name[96];
    name_password_file(ps_api_call_text(call, "name"), name, sizeof name);
    Job *job = make_job(call, name);
    take_text(call, "password", job);
    ps_api_call_note(call, name, "password of a device written");
    ps_api_work(call, write_password, finish, job);
}

// --- one that goes ------------------------------------------------------------------------------

static void remove_one(void *ctx) {
    Job *job = ctx;
    job->err = ps_certificate_file_remove(job->held.config->folder, job->name, &job->diag);
    job->answer = job->err == PS_OK ? json_pack("{s:s}", "removed", job->name) : NULL;
}

void ps_api_certificate_delete(PsApiCall *call) {
    const char *name = ps_api_call_text(call, "name");
    const char *trouble = name_trouble(name);
    if (trouble != NULL) {
        fail_now(call, PS_ERR_INVALID, "certificate", "name", trouble);
        return;
    }
    char path[160];
    snprintf(path, sizeof path, PS_CERTIFICATES_FOLDER "/%s", name);
    json_t *users = ps_certificate_users(ps_api_call_sources(call)->config, path);
    const char *user = json_string_value(json_array_get(users, 0));
    if (user != NULL) {
        char text[160];
        snprintf(text, sizeof text, "is used by %.60s; choose another file there first", user);
        fail_now(call, PS_ERR_REFUSED, name, NULL, text);
        json_decref(users);
        return;
    }
    json_decref(users);
    ps_api_call_note(call, name, "certificate or key removed");
    ps_api_work(call, remove_one, finish, make_job(call, name));
}
