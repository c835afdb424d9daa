// Puts the pieces of a candidate together. Pure.
#include "daemon/upload.h"

#include <stdio.h>
#include <string.h>

#define LEFT_ALONE_NS (60 * PS_NS_PER_S)

static void drop(PsUploads *uploads) {
    ps_buf_deinit(&uploads->text);
    uploads->id = 0;
}

void ps_uploads_deinit(PsUploads *uploads) {
    drop(uploads);
}

static bool is_its(const PsUploads *uploads, uint64_t id, const char *who) {
    return uploads->id != 0 && uploads->id == id && strcmp(uploads->who, who) == 0;
}

static PsErr gone(PsDiag *diag) {
    return ps_fail(PS_ERR_NOT_FOUND, diag, "apply", "upload",
                   "is not there any more; send it again");
}

PsErr ps_uploads_add(PsUploads *uploads, uint64_t id, const char *who, const char *text, size_t len,
                     PsMono now, uint64_t *ret_id, PsDiag *diag) {
    if (id != 0 && !is_its(uploads, id, who)) {
        return gone(diag);
    }
    if (id == 0) {
        if (uploads->id != 0 && ps_mono_diff_ns(now, uploads->heard) < LEFT_ALONE_NS) {
            return ps_fail(PS_ERR_BUSY, diag, "apply", NULL,
                           "%s is sending a configuration; try again in a moment", uploads->who);
        }
        drop(uploads);
        uploads->id = ++uploads->last;
        snprintf(uploads->who, sizeof uploads->who, "%s", who);
    }
    if (uploads->text.len + len > PS_API_UPLOAD_MAX) {
        drop(uploads);
        return ps_fail(PS_ERR_TOO_BIG, diag, "apply", "upload",
                       "is larger than %zu bytes; put it into the configuration folder",
                       PS_API_UPLOAD_MAX);
    }
    ps_buf_put(&uploads->text, text, len);
    uploads->heard = now;
    *ret_id = uploads->id;
    return PS_OK;
}

PsErr ps_uploads_take(PsUploads *uploads, uint64_t id, const char *who, PsBuf *ret_text,
                      PsDiag *diag) {
    if (!is_its(uploads, id, who)) {
        return gone(diag);
    }
    *ret_text = uploads->text;
    uploads->text = (PsBuf){0};
    uploads->id = 0;
    return PS_OK;
}
