// Static files of the console. Main thread; blocks for reading one file.
#include "localcloud/rest/files.h"

#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)4 * 1024 * 1024)

static const char *const types[][2] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".map", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *path) {
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < PS_COUNT(types); i++) {
        if (strcmp(dot, types[i][0]) == 0) {
            return types[i][1];
        }
    }
    return "application/octet-stream";
}

// No name leads out of the folder, and none is hidden.
static bool name_is_sound(const char *name) {
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static bool build_path(const char *dir, const PsTarget *target, char *out) {
    int len = snprintf(out, PATH_MAX, "%s", dir);
    for (size_t i = 1; i < target->segment_count && len < PATH_MAX; i++) {
        const char *name = target->segments[i];
        if (i + 1 == target->segment_count && name[0] == '\0') {
            name = "index.html";
        }
        if (!name_is_sound(name)) {
            return false;
        }
        len += snprintf(out + len, (size_t)(PATH_MAX - len), "/%s", name);
    }
    return len < PATH_MAX;
}

bool ps_files_answer(const char *dir, const PsTarget *target, PsRestAnswer *answer,
                     const char **ret_location) {
    const char *first = target->segment_count > 0 ? target->segments[0] : "";
    bool console = strcmp(first, "console") == 0;
    if (target->segment_count == 1 && (first[0] == '\0' || console)) {
        *ret_location = "/console/";
        answer->status = 302;
        return true;
    }
    if (!console) {
        return false;
    }
    char path[PATH_MAX];
    PsErr err = dir != NULL && build_path(dir, target, path)
                    ? ps_file_read(path, FILE_MAX, &answer->bytes, NULL)
                    : PS_ERR_NOT_FOUND;
    if (err == PS_OK) {
        answer->status = 200;
        answer->content_type = type_of(path);
    } else {
        answer->status = 404;
        answer->content_type = "text/plain; charset=utf-8";
        ps_buf_printf(&answer->bytes, "%s\n",
                      dir != NULL ? "There is no such file."
                                  : "The console's files are not installed.");
    }
    return true;
}
