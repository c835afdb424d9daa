// The trust list on the disk. A certificate FINGERPRINT.der has FINGERPRINT.txt beside it: a line
// with the endpoint at which it was met, and one with the application that spoke there. Channel
// threads and the API's workers at once: each change is one rename.
#include "drivers/opcua/trust.h"

#include "access/secret.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/opcua/names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CERTIFICATE_BYTES_MAX ((size_t)64 * 1024)
#define PATH_SIZE 640
#define LINES_SIZE ((size_t)PS_TRUST_ENDPOINT + PS_TRUST_URI)
#define WARN_BEFORE_S (INT64_C(30) * 86400)

#define TRUSTED "trusted"
#define REJECTED "rejected"

static void put_path(char *out, const char *folder, const char *list, const char *fingerprint,
                     const char *ending) {
    snprintf(out, PATH_SIZE, "%.480s/%s/%.64s%s", folder, list, fingerprint, ending);
}

static int64_t seconds_of(const ASN1_TIME *when) {
    struct tm parts = {0};
    return ASN1_TIME_to_tm(when, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static void put_name(X509_NAME *name, char *out, size_t size) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    long len = BIO_get_mem_data(bio, &text);
    ps_text_format(out, size, "%.*s", (int)(len > 0 ? len : 0), text != NULL ? text : "");
    BIO_free(bio);
}

static void add_host(char *out, size_t size, const char *text, int len) {
    size_t at = strlen(out);
    ps_text_format(out + at, size - at, "%s%.*s", at > 0 ? ", " : "", len, text);
}

static void add_address(char *out, size_t size, const ASN1_OCTET_STRING *address) {
    int len = ASN1_STRING_length(address);
    char text[INET6_ADDRSTRLEN];
    if ((len == 4 || len == 16) && inet_ntop(len == 4 ? AF_INET : AF_INET6,
                                             ASN1_STRING_get0_data(address), text, sizeof text)) {
        add_host(out, size, text, (int)strlen(text));
    }
}

static void put_alternatives(X509 *certificate, PsTrustEntry *entry) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = name->d.ia5;
        if (name->type == GEN_URI && entry->uri[0] == '\0') {
            ps_text_format(entry->uri, sizeof entry->uri, "%.*s", ASN1_STRING_length(text),
                           (const char *)ASN1_STRING_get0_data(text));
        } else if (name->type == GEN_DNS) {
            add_host(entry->hosts, sizeof entry->hosts, (const char *)ASN1_STRING_get0_data(text),
                     ASN1_STRING_length(text));
        } else if (name->type == GEN_IPADD) {
            add_address(entry->hosts, sizeof entry->hosts, name->d.iPAddress);
        }
    }
    GENERAL_NAMES_free(names);
}

PsErr ps_opcua_trust_describe(const void *der, size_t len, PsTrustEntry *ret_entry, PsDiag *diag) {
    const uint8_t *at = der;
    X509 *certificate =
        len > 0 && len <= CERTIFICATE_BYTES_MAX ? d2i_X509(NULL, &at, (long)len) : NULL;
    ERR_clear_error();
    if (certificate == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "what the server gives as its certificate is none; make it a new one in the "
                       "server");
    }
    PsTrustEntry entry = {0};
    uint8_t hash[32];
    // A server may send its whole chain; the first certificate is its own.
    size_t own = (size_t)(at - (const uint8_t *)der);
    entry.own_len = own;
    EVP_Digest(der, own, hash, NULL, EVP_sha256(), NULL);
    ps_secret_to_hex(hash, sizeof hash, entry.fingerprint);
    put_name(X509_get_subject_name(certificate), entry.subject, sizeof entry.subject);
    put_alternatives(certificate, &entry);
    entry.not_before = seconds_of(X509_get0_notBefore(certificate));
    entry.not_after = seconds_of(X509_get0_notAfter(certificate));
    X509_free(certificate);
    *ret_entry = entry;
    return PS_OK;
}

static void put_date(int64_t seconds, char *out, size_t size) {
    struct tm parts;
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &parts) == NULL || strftime(out, size, "%Y-%m-%d", &parts) == 0) {
        snprintf(out, size, "?");
    }
}

// ---- files

static bool is_there(const char *folder, const char *list, const char *fingerprint) {
    char path[PATH_SIZE];
    struct stat status;
    put_path(path, folder, list, fingerprint, ".der");
    return stat(path, &status) == 0;
}

static PsErr make_folder(const char *folder, const char *list, PsDiag *diag) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%.480s/%s", folder, list);
    PsErr err = ps_dir_make(folder, 0700, diag);
    return err != PS_OK ? err : ps_dir_make(path, 0700, diag);
}

static bool is_fingerprint_file(const char *name) {
    size_t digits = strspn(name, "0123456789abcdef");
    return digits == PS_TRUST_FINGERPRINT - 1 && strcmp(name + digits, ".der") == 0;
}

static void remove_pair(const char *folder, const char *list, const char *fingerprint) {
    char path[PATH_SIZE];
    put_path(path, folder, list, fingerprint, ".der");
    (void)unlink(path);
    put_path(path, folder, list, fingerprint, ".txt");
    (void)unlink(path);
}

// Room for one more: servers that change their certificate at each start must not fill the disk.
static void make_room(const char *folder) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%.480s/%s", folder, REJECTED);
    DIR *dir = opendir(path);
    int fd = dir != NULL ? dirfd(dir) : -1;
    if (fd < 0) {
        return;
    }
    char oldest[PS_TRUST_FINGERPRINT] = "";
    time_t oldest_time = 0;
    unsigned count = 0;
    for (struct dirent *file; (file = readdir(dir)) != NULL;) {
        struct stat status;
        if (!is_fingerprint_file(file->d_name) ||
            fstatat(fd, file->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        count++;
        if (oldest[0] == '\0' || status.st_mtime < oldest_time) {
            snprintf(oldest, sizeof oldest, "%.64s", file->d_name);
            oldest_time = status.st_mtime;
        }
    }
    closedir(dir);
    if (count >= PS_TRUST_ENTRIES_MAX) {
        remove_pair(folder, REJECTED, oldest);
    }
}

static PsErr keep_rejected(const char *folder, const PsTrustShown *shown, const PsTrustEntry *entry,
                           PsDiag *diag) {
    if (is_there(folder, REJECTED, entry->fingerprint)) {
        return PS_OK;
    }
    PsErr err = make_folder(folder, REJECTED, diag);
    if (err != PS_OK) {
        return err;
    }
    make_room(folder);
    char path[PATH_SIZE];
    char lines[LINES_SIZE];
    int len = snprintf(lines, sizeof lines, "%s\n%s", entry->endpoint, entry->announced);
    put_path(path, folder, REJECTED, entry->fingerprint, ".txt");
    err = ps_file_write(path, lines, (size_t)len, 0600, diag);
    put_path(path, folder, REJECTED, entry->fingerprint, ".der");
    return err != PS_OK ? err : ps_file_write(path, shown->der, shown->len, 0600, diag);
}

// ---- the check

// Whose list is it that the certificate is not in, and what makes it known there.
static PsErr fail_unknown(const PsTrustList *list, const PsTrustEntry *entry, int64_t now,
                          PsDiag *diag) {
    char until[24];
    put_date(entry->not_after, until, sizeof until);
    const char *ends = entry->not_after < now ? "ended" : "valid to";
    if (list->folder == NULL) {
        return ps_fail(PS_ERR_DENIED, diag, NULL, NULL,
                       "the server's certificate could not be checked, because no trust list is at "
                       "hand here, and so no session was opened; it is %.90s, SHA-256 %s, %s %s",
                       entry->subject, entry->fingerprint, ends, until);
    }
    if (list->only_reads && !is_there(list->folder, REJECTED, entry->fingerprint)) {
        return ps_fail(PS_ERR_DENIED, diag, NULL, NULL,
                       "the server's certificate is not trusted: %.60s, SHA-256 %s, %s %s; the "
                       "gateway has not met it yet: let it run with this device, compare the "
                       "fingerprint with the server's, then: penstock trust accept %.16s",
                       entry->subject, entry->fingerprint, ends, until, entry->fingerprint);
    }
    return ps_fail(PS_ERR_DENIED, diag, NULL, NULL,
                   "the server's certificate is not trusted yet: %.90s, SHA-256 %s, %s %s; compare "
                   "the fingerprint with the server's, then: penstock trust accept %.16s",
                   entry->subject, entry->fingerprint, ends, until, entry->fingerprint);
}

static PsErr fail_closed_list(const PsTrustList *list, PsDiag *diag) {
    return ps_fail(PS_ERR_DENIED, diag, NULL, NULL,
                   "this user may not read the gateway's trust list in %.200s, so no session was "
                   "opened; try it as root, or as the user the gateway runs as",
                   list->folder);
}

static void warn_of_time(const PsTrustEntry *entry, int64_t now, char *out, size_t size) {
    char date[24];
    if (entry->not_after < now) {
        put_date(entry->not_after, date, sizeof date);
        snprintf(out, size, "the server's certificate ended on %s; give the server a new one",
                 date);
    } else if (entry->not_after - WARN_BEFORE_S < now) {
        put_date(entry->not_after, date, sizeof date);
        snprintf(out, size, "the server's certificate ends on %s; give the server a new one", date);
    } else if (entry->not_before > now) {
        put_date(entry->not_before, date, sizeof date);
        snprintf(out, size,
                 "the server's certificate begins on %s only; check the clocks of both sides",
                 date);
    }
}

PsErr ps_opcua_trust_check(const PsTrustList *list, const PsTrustShown *shown, int64_t now,
                           char *ret_warning, size_t warning_size, PsDiag *diag) {
    PsTrustEntry entry;
    PsErr err = ps_opcua_trust_describe(shown->der, shown->len, &entry, diag);
    if (err != PS_OK) {
        return err;
    }
    ret_warning[0] = '\0';
    if (list->folder == NULL) {
        return fail_unknown(list, &entry, now, diag);
    }
    if (is_there(list->folder, TRUSTED, entry.fingerprint)) {
        warn_of_time(&entry, now, ret_warning, warning_size);
        return PS_OK;
    }
    if (errno == EACCES) {
        return fail_closed_list(list, diag);
    }
    ps_text_format(entry.endpoint, sizeof entry.endpoint, "%s", shown->endpoint);
    ps_text_format(entry.announced, sizeof entry.announced, "%s", shown->announced);
    ps_opcua_names_compare(&entry);
    ps_text_format(ret_warning, warning_size, "%s", entry.warning);
    err = list->only_reads ? PS_OK : keep_rejected(list->folder, shown, &entry, diag);
    return err != PS_OK ? err : fail_unknown(list, &entry, now, diag);
}

// ---- the list

// The second line is younger than the first: not every file has it.
static void read_lines(const char *path, PsTrustEntry *entry) {
    PS_AUTO_BUF PsBuf text = {0};
    if (ps_file_read(path, LINES_SIZE, &text, NULL) != PS_OK || text.len == 0) {
        return;
    }
    const char *first = (const char *)text.data;
    size_t len = strcspn(first, "\n");
    ps_text_format(entry->endpoint, sizeof entry->endpoint, "%.*s", (int)len, first);
    if (first[len] == '\n') {
        ps_text_format(entry->announced, sizeof entry->announced, "%s", first + len + 1);
    }
}

static bool read_entry(const char *folder, const char *list, const char *name,
                       PsTrustEntry *entry) {
    char path[PATH_SIZE];
    struct stat status;
    PS_AUTO_BUF PsBuf der = {0};
    put_path(path, folder, list, name, ".der");
    if (stat(path, &status) != 0 ||
        ps_file_read(path, CERTIFICATE_BYTES_MAX, &der, NULL) != PS_OK ||
        ps_opcua_trust_describe(der.data, der.len, entry, NULL) != PS_OK ||
        strncmp(entry->fingerprint, name, PS_TRUST_FINGERPRINT - 1) != 0) {
        return false; // somebody else's file
    }
    entry->met = (int64_t)status.st_mtime;
    entry->trusted = strcmp(list, TRUSTED) == 0;
    put_path(path, folder, list, name, ".txt");
    read_lines(path, entry);
    ps_opcua_names_compare(entry);
    return true;
}

static PsErr read_list(const char *folder, const char *list, PsTrustEntry *entries, size_t *count,
                       PsDiag *diag) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%.480s/%s", folder, list);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT
                   ? PS_OK
                   : ps_fail(PS_ERR_IO, diag, NULL, NULL, "%.300s: %s", path, strerror(errno));
    }
    size_t end = *count + PS_TRUST_ENTRIES_MAX;
    for (struct dirent *file; *count < end && (file = readdir(dir)) != NULL;) {
        if (is_fingerprint_file(file->d_name)) {
            *count += read_entry(folder, list, file->d_name, &entries[*count]);
        }
    }
    closedir(dir);
    return PS_OK;
}

static int by_state_and_time(const void *a, const void *b) {
    const PsTrustEntry *x = a;
    const PsTrustEntry *y = b;
    if (x->trusted != y->trusted) {
        return x->trusted ? 1 : -1;
    }
    if (x->met != y->met) {
        return x->met < y->met ? 1 : -1;
    }
    return strcmp(x->fingerprint, y->fingerprint);
}

PsErr ps_opcua_trust_list(const char *folder, PsTrustEntry *entries, size_t *ret_count,
                          PsDiag *diag) {
    size_t count = 0;
    PsErr err = read_list(folder, REJECTED, entries, &count, diag);
    err = err != PS_OK ? err : read_list(folder, TRUSTED, entries, &count, diag);
    if (err != PS_OK) {
        return err;
    }
    if (count > 0) {
        qsort(entries, count, sizeof *entries, by_state_and_time);
    }
    *ret_count = count;
    return PS_OK;
}

// Lower case and without colons, as people copy it from somewhere.
static bool normalise(const char *text, char *out) {
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text == ':' || *text == ' ') {
            continue;
        }
        if (!isxdigit((unsigned char)*text) || len == PS_TRUST_FINGERPRINT - 1) {
            return false;
        }
        out[len++] = (char)tolower((unsigned char)*text);
    }
    out[len] = '\0';
    return len >= 8;
}

PsErr ps_opcua_trust_find(const PsTrustEntry *entries, size_t count, const char *fingerprint,
                          const PsTrustEntry **ret_entry, PsDiag *diag) {
    char wanted[PS_TRUST_FINGERPRINT];
    const PsTrustEntry *found = NULL;
    if (!normalise(fingerprint, wanted)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "fingerprint",
                       "'%.80s' is no SHA-256 fingerprint; it has 64 hexadecimal digits, of which "
                       "the first 8 to 64 are enough",
                       fingerprint);
    }
    for (size_t i = 0; i < count; i++) {
        if (strncmp(entries[i].fingerprint, wanted, strlen(wanted)) != 0) {
            continue;
        }
        if (found != NULL && strcmp(found->fingerprint, entries[i].fingerprint) != 0) {
            return ps_fail(PS_ERR_EXISTS, diag, NULL, "fingerprint",
                           "several certificates begin with %.64s; give more digits", wanted);
        }
        found = &entries[i];
    }
    if (found == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, "fingerprint",
                       "no certificate with the fingerprint %.64s was met; penstock trust lists "
                       "those that were",
                       wanted);
    }
    *ret_entry = found;
    return PS_OK;
}

static PsErr move(const char *folder, const char *fingerprint, const char *from, const char *to,
                  PsDiag *diag) {
    char source[PATH_SIZE];
    char target[PATH_SIZE];
    char whole[PS_TRUST_FINGERPRINT];
    if (!normalise(fingerprint, whole) || strlen(whole) != PS_TRUST_FINGERPRINT - 1) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "fingerprint", "'%.80s' is no whole fingerprint",
                       fingerprint);
    }
    if (is_there(folder, to, whole)) {
        remove_pair(folder, from, whole);
        return PS_OK;
    }
    PsErr err = make_folder(folder, to, diag);
    if (err != PS_OK) {
        return err;
    }
    put_path(source, folder, from, whole, ".txt");
    put_path(target, folder, to, whole, ".txt");
    (void)rename(source, target); // a note for people only
    put_path(source, folder, from, whole, ".der");
    put_path(target, folder, to, whole, ".der");
    if (rename(source, target) != 0) {
        return errno == ENOENT
                   ? ps_fail(PS_ERR_NOT_FOUND, diag, NULL, "fingerprint",
                             "no certificate with the fingerprint %.64s is there", whole)
                   : ps_fail(PS_ERR_IO, diag, NULL, NULL, "%.300s: %s", target, strerror(errno));
    }
    return PS_OK;
}

PsErr ps_opcua_trust_accept(const char *folder, const char *fingerprint, PsDiag *diag) {
    return move(folder, fingerprint, REJECTED, TRUSTED, diag);
}

PsErr ps_opcua_trust_revoke(const char *folder, const char *fingerprint, PsDiag *diag) {
    return move(folder, fingerprint, TRUSTED, REJECTED, diag);
}
