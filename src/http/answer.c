// Answers: the whole of one, with its headers. Loop thread.
#include "base/log.h"
#include "base/mem.h"
#include "http/head.h"
#include "http/inside.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

typedef struct Kept {
    void (*release)(void *ctx);
    void *ctx;
} Kept;

typedef struct Copy {
    size_t len;
    unsigned char bytes[];
} Copy;

static void drop_copy(void *ctx) {
    Copy *copy = ctx;
    OPENSSL_cleanse(copy->bytes, copy->len); // it may be a token
    free(copy);
}

static void drop_kept(void *ctx) {
    Kept *kept = ctx;
    if (kept->release != NULL) {
        kept->release(kept->ctx);
    }
    free(kept);
}

bool ps_http_add_headers(struct MHD_Response *response, const PsHttpHeader *headers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!ps_http_header_is_sound(headers[i].name, headers[i].value) ||
            MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES) {
            PS_LOGE("HTTP-HEADER", "an answer's header '%.60s' cannot be sent as it is",
                    headers[i].name);
            return false;
        }
    }
    return true;
}

static void give(PsHttpRequest *request, int status, size_t len, struct MHD_Response *response) {
    PS_ASSERT(request->handed && !request->answered);
    request->answered = true;
    request->status = status;
    request->answer_len = len;
    request->response = response;
    ps_http_request_resume(request);
}

// Instead of an answer whose headers cannot be sent.
static struct MHD_Response *make_failure(void) {
    static char nothing[1] = "";
    return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
}

static void answer(PsHttpRequest *request, int status, const PsHttpHeader *headers, size_t count,
                   struct MHD_Response *response, size_t len) {
    if (response != NULL && !ps_http_add_headers(response, headers, count)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    if (response == NULL) {
        give(request, 500, 0, make_failure());
    } else {
        give(request, status, len, response);
    }
}

void ps_http_answer(PsHttpRequest *request, int status, const PsHttpHeader *headers, size_t count,
                    const void *bytes, size_t len) {
    Copy *copy = ps_alloc(sizeof *copy + len + 1);
    copy->len = len;
    if (len > 0) {
        memcpy(copy->bytes, bytes, len);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(len, copy->bytes, drop_copy, copy);
    if (response == NULL) {
        drop_copy(copy);
    }
    answer(request, status, headers, count, response, len);
}

void ps_http_answer_kept(PsHttpRequest *request, int status, const PsHttpHeader *headers,
                         size_t count, const void *bytes, size_t len, void (*release)(void *ctx),
                         void *ctx) {
    Kept *kept = ps_alloc(sizeof *kept);
    *kept = (Kept){.release = release, .ctx = ctx};
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        len, (void *)(uintptr_t)bytes, drop_kept, kept);
    if (response == NULL) {
        drop_kept(kept);
    }
    answer(request, status, headers, count, response, len);
}
