// The folder of roots, server and things. Blocks on the disk and on making keys.
#include "localcloud/folder.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_DAY (INT64_C(86400) * PS_NS_PER_S)
#define PEM_LIMIT ((size_t)64 * 1024)
#define SECRET_MODE 0600
#define PUBLIC_MODE 0644
#define SECRET_DIR_MODE 0700
#define PUBLIC_DIR_MODE 0755
#define FILE_ID_DIGITS 10

// 2049-12-31T23:59:59Z, the end of every certificate AWS IoT makes.
static const PsWall far_end = {INT64_C(2524607999) * PS_NS_PER_S};

#define CERTIFICATE_END "-certificate.pem.crt"
#define PRIVATE_END "-private.pem.key"
#define PUBLIC_END "-public.pem.key"
#define DEVICE_CA "device-ca"

typedef struct RootRule {
    const char *file; // without .pem
    const char *common_name;
} RootRule;

static const RootRule root_rules[] = {
    [PS_KEY_RSA] = {"AmazonRootCA1", "Local stand-in for Amazon Root CA 1"},
    [PS_KEY_ECC] = {"AmazonRootCA3", "Local stand-in for Amazon Root CA 3"},
};

const char *ps_folder_root_name(PsKeyType type) {
    return type == PS_KEY_RSA ? "AmazonRootCA1.pem" : "AmazonRootCA3.pem";
}

static PsErr join(char *out, const char *dir, const char *sub, const char *name, const char *end,
                  PsDiag *diag) {
    int len = snprintf(out, PATH_MAX, "%s/%s%s%s", dir, sub, name, end);
    if (len < 0 || len >= PATH_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, dir, NULL,
                       "the path is too long; choose a shorter one");
    }
    return PS_OK;
}

PsErr ps_folder_open(const char *dir, char *ret_absolute, PsDiag *diag) {
    PsErr err = ps_dir_make(dir, PUBLIC_DIR_MODE, diag);
    if (err != PS_OK) {
        return err;
    }
    if (realpath(dir, ret_absolute) == NULL) {
        return ps_fail(PS_ERR_IO, diag, dir, NULL, "%s", strerror(errno));
    }
    // Room for the longest name below it, so that nothing fails half-way.
    char longest[PATH_MAX];
    return join(longest, ret_absolute,
                "clients/0123456789012345678901234567890123456789012345678901234567890123456789"
                "0123456789012345678901234567890123456789012345678901234567/",
                "0123456789", CERTIFICATE_END, diag);
}

static PsWall after_days(PsWall time, int64_t days) {
    return (PsWall){time.ns + days * NS_PER_DAY};
}

void ps_folder_set_validity(PsPkiOrder *order, PsFlaw flaw) {
    PsWall now = ps_wall_now();
    order->not_before = after_days(now, -1); // a peer's clock may be a little behind
    order->not_after = far_end;
    if (flaw == PS_FLAW_EXPIRED) {
        order->not_before = after_days(now, -60);
        order->not_after = after_days(now, -1);
    } else if (flaw == PS_FLAW_NOT_YET) {
        order->not_before = after_days(now, 1);
    }
}

PsPkiOrder ps_folder_device_order(PsKeyType type) {
    PsPkiOrder order = {
        .role = PS_PKI_DEVICE, .key_type = type, .common_name = "AWS IoT Certificate"};
    ps_folder_set_validity(&order, PS_FLAW_NONE);
    return order;
}

static PsErr write_private(const char *path, const EVP_PKEY *key, PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    ps_buf_reserve(&pem, PEM_LIMIT); // so that no half-filled copy is left behind by growing
    PsErr err = ps_pki_put_private_key(key, &pem);
    if (err == PS_OK) {
        err = ps_file_write(path, pem.data, pem.len, SECRET_MODE, diag);
    }
    OPENSSL_cleanse(pem.data, pem.capacity);
    return err;
}

static PsErr write_certificates(const char *path, const X509 *first, const X509 *second,
                                PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    PsErr err = ps_pki_put_certificate(first, &pem);
    if (err == PS_OK && second != NULL) {
        err = ps_pki_put_certificate(second, &pem);
    }
    if (err != PS_OK) {
        return err;
    }
    return ps_file_write(path, pem.data, pem.len, PUBLIC_MODE, diag);
}

static PsErr read_pair(const char *certificate_path, const char *key_path, PsPkiPair *ret_pair,
                       PsDiag *diag) {
    PS_AUTO_BUF PsBuf certificate = {0};
    PS_AUTO_BUF PsBuf key = {0};
    PsErr err = ps_file_read(certificate_path, PEM_LIMIT, &certificate, diag);
    if (err != PS_OK) {
        return err;
    }
    err = ps_file_read(key_path, PEM_LIMIT, &key, diag);
    if (err == PS_OK && ps_pki_pair_read(&certificate, &key, ret_pair) != PS_OK) {
        err = ps_fail(PS_ERR_CORRUPT, diag, certificate_path, NULL,
                      "certificate and key cannot be read or do not belong together; remove both, "
                      "they will be made again");
    }
    if (key.data != NULL) {
        OPENSSL_cleanse(key.data, key.capacity);
    }
    return err;
}

// A self-signed CA under DIR: read when there, else made.
static PsErr authority(const char *dir, const char *name, const char *common_name, PsKeyType type,
                       PsPkiPair *ret_pair, PsDiag *diag) {
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    char private_dir[PATH_MAX];
    PsErr err = join(certificate, dir, "", name, ".pem", diag);
    err = err == PS_OK ? join(private_dir, dir, "", "private", "", diag) : err;
    err = err == PS_OK ? join(key, dir, "private/", name, ".key", diag) : err;
    if (err != PS_OK) {
        return err;
    }
    err = read_pair(certificate, key, ret_pair, diag);
    if (err != PS_ERR_NOT_FOUND) {
        return err;
    }
    PS_AUTO_PKI_PAIR PsPkiPair pair = {0};
    PsPkiOrder order = {.role = PS_PKI_ROOT, .key_type = type, .common_name = common_name};
    ps_folder_set_validity(&order, PS_FLAW_NONE);
    err = ps_pki_make(&order, NULL, &pair, diag);
    err = err == PS_OK ? ps_dir_make(private_dir, SECRET_DIR_MODE, diag) : err;
    err = err == PS_OK ? write_private(key, pair.key, diag) : err;
    err = err == PS_OK ? write_certificates(certificate, pair.certificate, NULL, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    *ret_pair = ps_pki_pair_take(&pair);
    return PS_OK;
}

PsErr ps_folder_root(const char *dir, PsKeyType type, PsPkiPair *ret_pair, PsDiag *diag) {
    return authority(dir, root_rules[type].file, root_rules[type].common_name, type, ret_pair,
                     diag);
}

// AWS's device CA is none of the Amazon roots: a client that mixes the two up must fail here too.
PsErr ps_folder_device_ca(const char *dir, PsPkiPair *ret_pair, PsDiag *diag) {
    return authority(dir, DEVICE_CA, "Local stand-in for the AWS IoT device CA", PS_KEY_RSA,
                     ret_pair, diag);
}

static bool name_is_sound(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:_-";
    size_t len = strlen(name);
    return len > 0 && len <= PS_THING_NAME_MAX && strspn(name, allowed) == len;
}

static PsErr check_name(const char *name, PsDiag *diag) {
    if (!name_is_sound(name)) {
        return ps_fail(PS_ERR_INVALID, diag, name, "thing",
                       "a thing name has 1 to %d of the characters a-z A-Z 0-9 : _ -",
                       PS_THING_NAME_MAX);
    }
    return PS_OK;
}

static PsErr name_files(const char *thing_dir, const char *file_id, PsThingFiles *files,
                        PsDiag *diag) {
    PsErr err = join(files->certificate, thing_dir, "", file_id, CERTIFICATE_END, diag);
    err = err == PS_OK ? join(files->private_key, thing_dir, "", file_id, PRIVATE_END, diag) : err;
    return err == PS_OK ? join(files->public_key, thing_dir, "", file_id, PUBLIC_END, diag) : err;
}

// The ten digits in front of "-certificate.pem.crt" in the thing's folder, or PS_ERR_NOT_FOUND.
static PsErr find_file_id(const char *thing_dir, char *ret_file_id) {
    DIR *dir = opendir(thing_dir);
    PsErr err = PS_ERR_NOT_FOUND;
    struct dirent *entry = NULL;
    while (dir != NULL && err != PS_OK && (entry = readdir(dir)) != NULL) {
        if (strlen(entry->d_name) == FILE_ID_DIGITS + strlen(CERTIFICATE_END) &&
            strcmp(entry->d_name + FILE_ID_DIGITS, CERTIFICATE_END) == 0) {
            snprintf(ret_file_id, FILE_ID_DIGITS + 1, "%.*s", FILE_ID_DIGITS, entry->d_name);
            err = PS_OK;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return err;
}

static PsFlaw flaw_of(const PsPkiPair *pair, const PsPkiPair *device) {
    PsWall now = ps_wall_now();
    if (ps_pki_not_after(pair->certificate).ns < now.ns) {
        return PS_FLAW_EXPIRED;
    }
    if (ps_pki_not_before(pair->certificate).ns > now.ns) {
        return PS_FLAW_NOT_YET;
    }
    return ps_pki_signed_by(pair, device) ? PS_FLAW_NONE : PS_FLAW_FOREIGN_CA;
}

static PsErr reuse_thing(const PsThingOrder *order, const PsPkiPair *device, PsThingFiles *files,
                         PsDiag *diag) {
    PS_AUTO_PKI_PAIR PsPkiPair pair = {0};
    PsErr err = read_pair(files->certificate, files->private_key, &pair, diag);
    if (err != PS_OK) {
        return err;
    }
    if (ps_pki_key_type(&pair) != order->key_type || flaw_of(&pair, device) != order->flaw) {
        return ps_fail(PS_ERR_EXISTS, diag, order->name, NULL,
                       "the thing has a certificate of another kind (%s); choose another name or "
                       "remove its folder",
                       files->certificate);
    }
    ps_pki_certificate_id(pair.certificate, files->certificate_id);
    return PS_OK;
}

static PsErr make_thing(const char *thing_dir, const PsThingOrder *order, const PsPkiPair *device,
                        PsThingFiles *files, PsDiag *diag) {
    PS_AUTO_PKI_PAIR PsPkiPair foreign = {0};
    PS_AUTO_PKI_PAIR PsPkiPair pair = {0};
    PsErr err = PS_OK;
    if (order->flaw == PS_FLAW_FOREIGN_CA) {
        PsPkiOrder root = {
            .role = PS_PKI_ROOT, .key_type = PS_KEY_RSA, .common_name = "A CA nobody knows"};
        ps_folder_set_validity(&root, PS_FLAW_NONE);
        err = ps_pki_make(&root, NULL, &foreign, diag);
    }
    PsPkiOrder leaf = ps_folder_device_order(order->key_type);
    ps_folder_set_validity(&leaf, order->flaw);
    const PsPkiPair *issuer = foreign.key != NULL ? &foreign : device;
    err = err == PS_OK ? ps_pki_make(&leaf, issuer, &pair, diag) : err;
    err = err == PS_OK ? ps_dir_make(thing_dir, PUBLIC_DIR_MODE, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    char file_id[FILE_ID_DIGITS + 1];
    ps_pki_certificate_id(pair.certificate, files->certificate_id);
    snprintf(file_id, sizeof file_id, "%.*s", FILE_ID_DIGITS, files->certificate_id);
    PS_AUTO_BUF PsBuf public_pem = {0};
    err = name_files(thing_dir, file_id, files, diag);
    err = err == PS_OK ? ps_pki_put_public_key(pair.key, &public_pem) : err;
    err = err == PS_OK ? write_private(files->private_key, pair.key, diag) : err;
    err = err == PS_OK
              ? ps_file_write(files->public_key, public_pem.data, public_pem.len, PUBLIC_MODE, diag)
              : err;
    if (err == PS_OK && foreign.certificate != NULL) {
        char path[PATH_MAX];
        err = join(path, thing_dir, "", "foreign-ca", ".pem", diag);
        err = err == PS_OK ? write_certificates(path, foreign.certificate, NULL, diag) : err;
    }
    // Last: a thing whose certificate is there is whole.
    return err == PS_OK ? write_certificates(files->certificate, pair.certificate, NULL, diag)
                        : err;
}

PsErr ps_folder_thing(const char *dir, const PsThingOrder *order, PsThingFiles *ret_files,
                      PsDiag *diag) {
    PsErr err = check_name(order->name, diag);
    if (err != PS_OK) {
        return err;
    }
    char thing_dir[PATH_MAX];
    PS_AUTO_PKI_PAIR PsPkiPair device = {0};
    PsThingFiles files = {0};
    char file_id[FILE_ID_DIGITS + 1] = "";
    err = join(thing_dir, dir, order->own_client ? "clients/" : "things/", order->name, "", diag);
    err = err == PS_OK ? ps_folder_device_ca(dir, &device, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    if (find_file_id(thing_dir, file_id) == PS_OK) {
        err = name_files(thing_dir, file_id, &files, diag);
        err = err == PS_OK ? reuse_thing(order, &device, &files, diag) : err;
    } else {
        err = make_thing(thing_dir, order, &device, &files, diag);
    }
    if (err == PS_OK) {
        *ret_files = files;
    }
    return err;
}

PsErr ps_folder_find_thing(const char *dir, const char *name, PsThingFiles *ret_files,
                           PsDiag *diag) {
    char thing_dir[PATH_MAX];
    char file_id[FILE_ID_DIGITS + 1] = "";
    PsThingFiles files = {0};
    PS_AUTO_PKI_PAIR PsPkiPair pair = {0};
    PsErr err = check_name(name, diag);
    err = err == PS_OK ? join(thing_dir, dir, "things/", name, "", diag) : err;
    if (err == PS_OK && find_file_id(thing_dir, file_id) != PS_OK) {
        err = ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL, "has no files in %s", dir);
    }
    err = err == PS_OK ? name_files(thing_dir, file_id, &files, diag) : err;
    err = err == PS_OK ? read_pair(files.certificate, files.private_key, &pair, diag) : err;
    if (err == PS_OK) {
        ps_pki_certificate_id(pair.certificate, files.certificate_id);
        *ret_files = files;
    }
    return err;
}

static PsErr write_text(const char *path, const char *text, mode_t mode, PsDiag *diag) {
    return ps_file_write(path, text, strlen(text), mode, diag);
}

PsErr ps_folder_put_thing(const char *dir, const char *name, const PsThingTexts *texts,
                          PsThingFiles *ret_files, PsDiag *diag) {
    char thing_dir[PATH_MAX];
    char file_id[FILE_ID_DIGITS + 1] = "";
    PsThingFiles files = {0};
    PsErr err = check_name(name, diag);
    err = err == PS_OK ? join(thing_dir, dir, "things/", name, "", diag) : err;
    if (err == PS_OK && find_file_id(thing_dir, file_id) == PS_OK) {
        err = ps_fail(PS_ERR_EXISTS, diag, name, NULL, "has files in %s already", thing_dir);
    }
    if (err != PS_OK) {
        return err;
    }
    snprintf(files.certificate_id, sizeof files.certificate_id, "%s", texts->certificate_id);
    snprintf(file_id, sizeof file_id, "%.*s", FILE_ID_DIGITS, texts->certificate_id);
    err = name_files(thing_dir, file_id, &files, diag);
    err = err == PS_OK ? ps_dir_make(thing_dir, PUBLIC_DIR_MODE, diag) : err;
    err = err == PS_OK ? write_text(files.private_key, texts->private_key, SECRET_MODE, diag) : err;
    err = err == PS_OK ? write_text(files.public_key, texts->public_key, PUBLIC_MODE, diag) : err;
    // Last: a thing whose certificate is there is whole.
    err = err == PS_OK ? write_text(files.certificate, texts->certificate, PUBLIC_MODE, diag) : err;
    if (err == PS_OK) {
        *ret_files = files;
    }
    return err;
}
