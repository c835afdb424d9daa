// Static files. Loop thread; blocks for reading a small local file when it is asked for first or
// has changed.
#include "http/files.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/time.h"
#include "http/head.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FRESH_NS PS_NS_PER_S // for so long a file is not looked at again
#define HASH_MIN 8           // characters of a hash in a name
#define ETAG_SIZE 40

typedef struct Entry {
    struct Entry *next;
    char *path;
    PsBuf bytes;
    char etag[ETAG_SIZE];
    struct timespec modified;
    PsMono looked; ///< at the file
    PsMono used;
    unsigned refs; ///< answers under way, and the cache
} Entry;

struct PsHttpFiles {
    char *dir; ///< NULL: none
    char *policy;
    size_t bytes_max;
    size_t bytes;
    Entry *entries;
};

const PsHttpHeader ps_http_security_headers[PS_HTTP_SECURITY_HEADERS] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

// ---- names

static const char *const types[][2] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".map", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
};

const char *ps_http_type_of(const char *path) {
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < PS_COUNT(types); i++) {
        if (strcmp(dot, types[i][0]) == 0) {
            return types[i][1];
        }
    }
    return "application/octet-stream";
}

bool ps_http_name_is_hashed(const char *path) {
    const char *name = strrchr(path, '/');
    static const char folder[] = "assets";
    size_t folder_len = sizeof folder - 1;
    if (name == NULL || (size_t)(name - path) < folder_len ||
        strncmp(name - folder_len, folder, folder_len) != 0 ||
        ((size_t)(name - path) > folder_len && name[-(ptrdiff_t)folder_len - 1] != '/')) {
        return false;
    }
    const char *dot = strrchr(name, '.');
    const char *hash = dot;
    while (hash != NULL && hash > name && (isalnum((unsigned char)hash[-1]) || hash[-1] == '_')) {
        hash--;
    }
    return hash != NULL && hash > name && hash[-1] == '-' && dot - hash >= HASH_MIN;
}

static bool name_is_sound(const char *name) {
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static bool build_path(const char *dir, const PsTarget *target, size_t from, char *out) {
    int len = snprintf(out, PATH_MAX, "%s", dir);
    for (size_t i = from; i < target->segment_count && len < PATH_MAX; i++) {
        const char *name = target->segments[i];
        if (i + 1 == target->segment_count && name[0] == '\0') {
            name = "index.html";
        }
        if (!name_is_sound(name)) {
            return false;
        }
        len += snprintf(out + len, (size_t)(PATH_MAX - len), "/%s", name);
    }
    return len < PATH_MAX && from < target->segment_count;
}

// ---- what is kept

static void drop(void *ctx) {
    Entry *entry = ctx;
    if (--entry->refs == 0) {
        ps_buf_deinit(&entry->bytes);
        free(entry->path);
        free(entry);
    }
}

static void forget(PsHttpFiles *files, Entry *entry) {
    Entry **slot = &files->entries;
    while (*slot != entry) {
        slot = &(*slot)->next;
    }
    *slot = entry->next;
    files->bytes -= entry->bytes.len;
    drop(entry);
}

static void make_room(PsHttpFiles *files, size_t wanted) {
    while (files->entries != NULL && files->bytes + wanted > files->bytes_max) {
        Entry *oldest = files->entries;
        for (Entry *entry = oldest->next; entry != NULL; entry = entry->next) {
            oldest = entry->used.ns < oldest->used.ns ? entry : oldest;
        }
        forget(files, oldest);
    }
}

static void make_etag(const PsBuf *bytes, char *out) {
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned len = 0;
    int made = EVP_Digest(bytes->data, bytes->len, digest, &len, EVP_sha256(), NULL);
    PS_ASSERT(made == 1);
    int at = snprintf(out, ETAG_SIZE, "\"");
    for (unsigned i = 0; i < 16; i++) {
        at += snprintf(out + at, ETAG_SIZE - (size_t)at, "%02x", digest[i]);
    }
    snprintf(out + at, ETAG_SIZE - (size_t)at, "\"");
}

static bool same_time(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static Entry *read_entry(PsHttpFiles *files, const char *path, const struct stat *status,
                         PsMono now) {
    PsBuf bytes = {0};
    if (ps_file_read(path, PS_HTTP_FILE_MAX, &bytes, NULL) != PS_OK) {
        ps_buf_deinit(&bytes);
        return NULL;
    }
    Entry *entry = ps_alloc(sizeof *entry);
    entry->path = ps_strdup(path);
    entry->bytes = bytes;
    entry->modified = status->st_mtim;
    entry->looked = now;
    entry->refs = 1;
    make_etag(&entry->bytes, entry->etag);
    make_room(files, bytes.len);
    entry->next = files->entries;
    files->entries = entry;
    files->bytes += bytes.len;
    return entry;
}

// NULL: there is no such file.
static Entry *find(PsHttpFiles *files, const char *path) {
    PsMono now = ps_mono_now();
    Entry *entry = files->entries;
    while (entry != NULL && strcmp(entry->path, path) != 0) {
        entry = entry->next;
    }
    if (entry == NULL || ps_mono_diff_ns(now, entry->looked) > FRESH_NS) {
        struct stat status;
        bool there = stat(path, &status) == 0 && S_ISREG(status.st_mode);
        if (entry != NULL && (!there || !same_time(&entry->modified, &status.st_mtim) ||
                              (size_t)status.st_size != entry->bytes.len)) {
            forget(files, entry);
            entry = NULL;
        }
        if (entry == NULL && there) {
            entry = read_entry(files, path, &status, now);
        }
    }
    if (entry != NULL) {
        entry->looked = ps_mono_diff_ns(now, entry->looked) > FRESH_NS ? now : entry->looked;
        entry->used = now;
    }
    return entry;
}

// ---- answers

static void refuse(PsHttpFiles *files, PsHttpRequest *request) {
    PsHttpHeader headers[PS_HTTP_SECURITY_HEADERS + 2];
    memcpy(headers, ps_http_security_headers, sizeof ps_http_security_headers);
    headers[PS_HTTP_SECURITY_HEADERS] = (PsHttpHeader){"Content-Type", "text/plain; charset=utf-8"};
    headers[PS_HTTP_SECURITY_HEADERS + 1] = (PsHttpHeader){"Cache-Control", "no-store"};
    const char *text = files->dir != NULL ? "There is no such file.\n"
                                          : "The files of this page are not installed.\n";
    ps_http_answer(request, 404, headers, PS_COUNT(headers), text, strlen(text));
}

static void send_entry(PsHttpFiles *files, PsHttpRequest *request, Entry *entry, const char *path,
                       bool packed) {
    PsHttpHeader headers[PS_HTTP_SECURITY_HEADERS + 6];
    size_t count = PS_HTTP_SECURITY_HEADERS;
    memcpy(headers, ps_http_security_headers, sizeof ps_http_security_headers);
    headers[count++] = (PsHttpHeader){"Content-Security-Policy", files->policy};
    headers[count++] = (PsHttpHeader){"ETag", entry->etag};
    headers[count++] = (PsHttpHeader){"Vary", "Accept-Encoding"};
    headers[count++] = (PsHttpHeader){"Cache-Control", ps_http_name_is_hashed(path)
                                                           ? "public, max-age=31536000, immutable"
                                                           : "no-cache"};
    if (ps_http_etag_matches(ps_http_header(request, "If-None-Match"), entry->etag)) {
        ps_http_answer(request, 304, headers, count, NULL, 0);
        return;
    }
    headers[count++] = (PsHttpHeader){"Content-Type", ps_http_type_of(path)};
    if (packed) {
        headers[count++] = (PsHttpHeader){"Content-Encoding", "gzip"};
    }
    static const char nothing[1] = "";
    entry->refs++;
    ps_http_answer_kept(request, 200, headers, count,
                        entry->bytes.len > 0 ? (const void *)entry->bytes.data : nothing,
                        entry->bytes.len, drop, entry);
}

void ps_http_files_answer(PsHttpFiles *files, PsHttpRequest *request, const PsTarget *target,
                          size_t from) {
    PS_AUTO_FREE char *path = ps_alloc(PATH_MAX + sizeof ".gz");
    if (files->dir == NULL || !build_path(files->dir, target, from, path)) {
        refuse(files, request);
        return;
    }
    Entry *entry = NULL;
    size_t len = strlen(path);
    if (ps_http_accepts(ps_http_header(request, "Accept-Encoding"), "gzip")) {
        memcpy(path + len, ".gz", sizeof ".gz");
        entry = find(files, path);
        path[len] = '\0';
    }
    bool packed = entry != NULL;
    entry = packed ? entry : find(files, path);
    if (entry == NULL) {
        refuse(files, request);
    } else {
        send_entry(files, request, entry, path, packed);
    }
}

PsHttpFiles *ps_http_files_new(const char *dir, const char *policy, size_t bytes_max) {
    PsHttpFiles *files = ps_alloc(sizeof *files);
    files->dir = dir != NULL ? ps_strdup(dir) : NULL;
    files->policy = ps_strdup(policy);
    files->bytes_max = bytes_max;
    return files;
}

void ps_http_files_free(PsHttpFiles *files) {
    if (files == NULL) {
        return;
    }
    while (files->entries != NULL) {
        forget(files, files->entries);
    }
    free(files->dir);
    free(files->policy);
    free(files);
}
