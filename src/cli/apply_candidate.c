// A candidate that lies anywhere: read here, with the rights of whoever calls, and sent in pieces.
// Of a folder the scripts that its penstock.json names come along; certificates and keys do not.
// Blocking.
#include "cli/apply.h"

#include "base/file.h"
#include "model/config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE ((size_t)100 * 1024) // doubled by quoting it still fits into a call

static bool add_file(json_t *files, const char *name, const char *path, size_t limit) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PsDiag diag = {0};
    if (ps_file_read(path, limit, &bytes, &diag) != PS_OK) {
        cli_fail(CLI_FAILED, "%s: %s", path, diag.text);
        return false;
    }
    json_t *text = json_stringn((const char *)bytes.data, bytes.len);
    if (text == NULL) {
        cli_fail(CLI_FAILED, "%s: is not UTF-8; save it as UTF-8", path);
        return false;
    }
    json_object_set_new(files, name, text);
    return true;
}

// Scripts that are named by absolute paths are the gateway's business.
static bool add_scripts(json_t *files, const char *folder, const json_t *messages) {
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const char *name = cli_text(json_array_get(messages, i), "script");
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", folder, name);
        if (name[0] == '\0' || name[0] == '/' || json_object_get(files, name) != NULL) {
            continue;
        }
        if (length < 0 || (size_t)length >= sizeof path) {
            cli_fail(CLI_FAILED, "%s: the path is too long", name);
            return false;
        }
        if (!add_file(files, name, path, PS_SCRIPT_BYTES_MAX)) {
            return false;
        }
    }
    return true;
}

// What does not even parse goes as it is: the gateway says what is wrong and where.
static bool add_folder(json_t *files, const char *folder) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/" PS_CONFIG_FILE, folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        cli_fail(CLI_FAILED, "%s: the path is too long", folder);
        return false;
    }
    if (!add_file(files, PS_CONFIG_FILE, path, PS_CONFIG_BYTES_MAX)) {
        return false;
    }
    const json_t *text = json_object_get(files, PS_CONFIG_FILE);
    json_t *root = json_loadb(json_string_value(text), json_string_length(text), 0, NULL);
    bool added = add_scripts(files, folder, json_object_get(root, "publish")) &&
                 add_scripts(files, folder, json_object_get(root, "subscribe"));
    json_decref(root);
    return added;
}

static long long send_pieces(CliClient *client, const char *text) {
    long long upload = 0;
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += PIECE) {
        size_t size = len - at < PIECE ? len - at : PIECE;
        json_t *answer = cli_client_call(
            client, json_pack("{s:s, s:I, s:o}", "call", "POST /apply/upload", "upload",
                              (json_int_t)upload, "text", json_stringn(text + at, size)));
        if (answer == NULL) {
            return 0;
        }
        upload = cli_integer(answer, "upload");
        json_decref(answer);
    }
    return upload;
}

long long cli_apply_upload(CliClient *client, const char *path) {
    struct stat status;
    json_t *files = json_object();
    bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    bool read = is_folder ? add_folder(files, path)
                          : add_file(files, PS_CONFIG_FILE, path, PS_CONFIG_BYTES_MAX);
    json_t *root = json_pack("{s:o}", "files", files);
    // Plain ASCII can be cut anywhere.
    char *text = read ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    long long upload = text != NULL ? send_pieces(client, text) : 0;
    free(text);
    json_decref(root);
    return upload;
}
