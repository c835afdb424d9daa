// Appending to the audit log, changing files, and looking things up from the end. Blocks.
#include "access/audit_file.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

// A file may be longer than its limit by what was put at once.
#define READ_MAX(file) ((file)->file_bytes + (size_t)8 * 1024 * 1024)

static void name_of(const PsAuditFile *file, int number, char out[PATH_MAX]) {
    if (number == 0) {
        snprintf(out, PATH_MAX, "%s", file->path);
    } else {
        snprintf(out, PATH_MAX, "%s.%d", file->path, number);
    }
}

static PsErr fail_file(const PsAuditFile *file, PsDiag *diag, const char *what) {
    int number = errno;
    return ps_fail(number == EACCES || number == EROFS ? PS_ERR_DENIED : PS_ERR_IO, diag,
                   file->path, NULL, "cannot %s: %s", what, strerror(number));
}

// ---- writing

static bool write_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

static int open_it(const PsAuditFile *file, struct stat *status) {
    int fd = open(file->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && fstat(fd, status) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// The oldest goes; a name that is missing on the way is none to worry about.
static void make_former(const PsAuditFile *file) {
    for (int i = file->files - 1; i > 0; i--) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        name_of(file, i - 1, from);
        name_of(file, i, to);
        (void)rename(from, to);
    }
}

PsErr ps_audit_file_put(const PsAuditFile *file, const void *lines, size_t len, PsDiag *diag) {
    struct stat status;
    PS_AUTO_FD int fd = open_it(file, &status);
    if (fd >= 0 && status.st_size > 0 && (size_t)status.st_size + len > file->file_bytes) {
        close(fd);
        make_former(file);
        fd = open_it(file, &status);
    }
    if (fd < 0) {
        return fail_file(file, diag, "be opened");
    }
    if (!write_all(fd, lines, len) || fdatasync(fd) != 0) {
        PsErr err = fail_file(file, diag, "be written");
        (void)!ftruncate(fd, status.st_size); // as it was; else the next start ends the line
        return err;
    }
    return PS_OK;
}

// ---- reading

static PsErr read_file(const PsAuditFile *file, int number, PsBuf *text, PsDiag *diag) {
    char path[PATH_MAX];
    name_of(file, number, path);
    PsErr err = ps_file_read(path, READ_MAX(file), text, diag);
    return err == PS_ERR_NOT_FOUND ? PS_OK : err;
}

// The line before `*end`, which moves to its beginning; NULL when there is none.
static const char *line_before(const char *text, size_t *end, size_t *ret_len) {
    size_t to = *end;
    while (to > 0 && text[to - 1] == '\n') {
        to--;
    }
    size_t from = to;
    while (from > 0 && text[from - 1] != '\n') {
        from--;
    }
    *end = from;
    *ret_len = to - from;
    return to > 0 ? text + from : NULL;
}

static json_t *parse(const char *line, size_t len, int64_t *ret_id) {
    json_t *row = len <= PS_AUDIT_LINE_MAX ? json_loadb(line, len, 0, NULL) : NULL;
    *ret_id = json_integer_value(json_object_get(row, "id"));
    if (*ret_id <= 0) {
        json_decref(row);
        return NULL;
    }
    return row;
}

static int64_t newest_id(const PsBuf *text) {
    size_t end = text->len;
    size_t len;
    for (const char *line;
         text->len > 0 && (line = line_before((const char *)text->data, &end, &len)) != NULL;) {
        int64_t id;
        json_t *row = parse(line, len, &id);
        json_decref(row);
        if (row != NULL) {
            return id;
        }
    }
    return 0;
}

PsErr ps_audit_file_open(PsAuditFile *file, const char *folder, int64_t *ret_id, PsDiag *diag) {
    *file = (PsAuditFile){.file_bytes = PS_AUDIT_FILE_BYTES, .files = PS_AUDIT_FILES};
    int length = snprintf(file->path, sizeof file->path, "%s/" PS_AUDIT_FILE, folder);
    if (length < 0 || (size_t)length >= sizeof file->path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, folder, NULL, "the path is too long");
    }
    int64_t id = 0;
    for (int i = 0; i < file->files && id == 0; i++) {
        PS_AUTO_BUF PsBuf text = {0};
        PsErr err = read_file(file, i, &text, diag);
        if (err != PS_OK) {
            return err;
        }
        if (i == 0 && text.len > 0 && text.data[text.len - 1] != '\n') {
            err = ps_audit_file_put(file, "\n", 1, diag);
        }
        if (err != PS_OK) {
            return err;
        }
        id = newest_id(&text);
    }
    *ret_id = id;
    return PS_OK;
}

// ---- looking up

static bool any_text_has(const json_t *row, const char *search) {
    static const char *const keys[] = {"who", "from", "what", "object", "result", "detail"};
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        const char *text = json_string_value(json_object_get(row, keys[i]));
        if (text != NULL && strcasestr(text, search) != NULL) {
            return true;
        }
    }
    return false;
}

static bool fits(const json_t *row, int64_t id, const PsAuditQuery *query) {
    const char *who = json_string_value(json_object_get(row, "who"));
    const char *what = json_string_value(json_object_get(row, "what"));
    return (query->before <= 0 || id < query->before) && id > query->after &&
           (query->who == NULL || (who != NULL && strcasecmp(who, query->who) == 0)) &&
           (query->what == NULL ||
            (what != NULL && strncmp(what, query->what, strlen(query->what)) == 0)) &&
           (query->search == NULL || any_text_has(row, query->search));
}

// What was found so far: the newest first. Those after an id are wanted oldest first, so of them
// the newest go again when there are more than asked for.
typedef struct Found {
    json_t *items;
    bool more;
    int64_t newest; // of all lines, whether wanted or not
} Found;

static void keep(Found *found, const PsAuditQuery *query, json_t *row) {
    json_array_append_new(found->items, row);
    if (json_array_size(found->items) > (size_t)query->limit) {
        found->more = true;
        json_array_remove(found->items, query->after >= 0 ? 0 : (size_t)query->limit);
    }
}

// False when what is older is not wanted.
static bool look_through(const PsBuf *text, const PsAuditQuery *query, Found *found) {
    size_t end = text->len;
    size_t len;
    for (const char *line;
         text->len > 0 && (line = line_before((const char *)text->data, &end, &len)) != NULL;) {
        int64_t id;
        json_t *row = parse(line, len, &id);
        if (row != NULL && found->newest == 0) {
            found->newest = id;
        }
        if (row != NULL && id <= query->after) {
            json_decref(row);
            return false;
        }
        if (row != NULL && fits(row, id, query)) {
            keep(found, query, row);
        } else {
            json_decref(row);
        }
        if (query->after < 0 && found->more) {
            return false;
        }
    }
    return true;
}

static json_t *answer_of(const Found *found, const PsAuditQuery *query) {
    size_t count = json_array_size(found->items);
    json_t *items = found->items;
    if (query->after >= 0) {
        items = json_array();
        for (size_t i = count; i > 0; i--) {
            json_array_append(items, json_array_get(found->items, i - 1));
        }
        json_decref(found->items);
    }
    json_t *next = json_null();
    if (found->more) {
        next = json_incref(json_object_get(json_array_get(items, count - 1), "id"));
    } else if (query->after >= 0) { // who follows the log goes on behind all that was looked at
        next = json_integer(found->newest > query->after ? found->newest : query->after);
    }
    return json_pack("{s:o, s:o}", "items", items, "next", next);
}

PsErr ps_audit_file_find(const PsAuditFile *file, const PsAuditQuery *query, json_t **ret_answer,
                         PsDiag *diag) {
    Found found = {.items = json_array()};
    for (int i = 0; i < file->files; i++) {
        PS_AUTO_BUF PsBuf text = {0};
        PsErr err = read_file(file, i, &text, diag);
        if (err != PS_OK) {
            json_decref(found.items);
            return err;
        }
        if (!look_through(&text, query, &found)) {
            break;
        }
    }
    *ret_answer = answer_of(&found, query);
    return PS_OK;
}
