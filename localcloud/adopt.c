// Things of this program's own making enter the account. Main thread; blocks for the database.
#include "localcloud/adopt.h"

#include "base/buf.h"
#include "base/file.h"
#include "localcloud/folder.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <stdio.h>

#define PEM_LIMIT ((size_t)64 * 1024)

PsErr ps_adopt(PsRegistry *registry, const char *thing, const char *certificate_path,
               PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    PsErr err = ps_file_read(certificate_path, PEM_LIMIT, &pem, diag);
    if (err != PS_OK) {
        return err;
    }
    PsApiFault fault = {0};
    PsApiCode code = ps_registry_adopt(registry, thing, (const char *)pem.data, &fault);
    return code == PS_API_OK ? PS_OK
                             : ps_fail(PS_ERR_IO, diag, certificate_path, NULL,
                                       "cannot enter the account: %s", fault.message);
}

static bool is_ours(const char *certificate_path, const PsPkiPair *device_ca) {
    PS_AUTO_BUF PsBuf pem = {0};
    if (ps_file_read(certificate_path, PEM_LIMIT, &pem, NULL) != PS_OK) {
        return false;
    }
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    PsPkiPair thing = {.certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)};
    BIO_free(bio);
    bool ours = thing.certificate != NULL && ps_pki_signed_by(&thing, device_ca);
    ps_pki_pair_deinit(&thing);
    return ours;
}

PsErr ps_adopt_folder(PsRegistry *registry, const char *dir, PsDiag *diag) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/things", dir);
    PS_ASSERT(len > 0 && (size_t)len < sizeof path); // ps_folder_open made sure of room
    DIR *things = opendir(path);
    if (things == NULL) {
        return PS_OK; // none were made yet
    }
    PS_AUTO_PKI_PAIR PsPkiPair device_ca = {0};
    PsErr err = ps_folder_device_ca(dir, &device_ca, diag);
    struct dirent *entry = NULL;
    while (err == PS_OK && (entry = readdir(things)) != NULL) {
        PsThingFiles files;
        if (ps_folder_find_thing(dir, entry->d_name, &files, NULL) == PS_OK &&
            is_ours(files.certificate, &device_ca)) {
            err = ps_adopt(registry, entry->d_name, files.certificate, diag);
        }
    }
    closedir(things);
    return err;
}
