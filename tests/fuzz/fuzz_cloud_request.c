// Any method, target and body at the local cloud's API: answers or refuses, and never fails inside.
// The first line is "METHOD TARGET", the rest is the body. The account lives through all inputs.
#include "localcloud/rest/rest.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static PsRegistry *the_account(void) {
    static PsRegistry *account;
    static char dir[] = "/tmp/penstock-fuzz-cloud-XXXXXX";
    if (account == NULL) {
        PsDiag diag = {0};
        PS_ASSERT(mkdtemp(dir) != NULL);
        PsErr err = ps_registry_open(dir, &account, &diag);
        PS_ASSERT(err == PS_OK);
    }
    return account;
}

// As a certificate's ARN that is not there: the way through the checks is what counts.
static const char *header(void *ctx, const char *name) {
    return "arn:aws:iot:eu-central-1:000000000000:cert/"
           "0000000000000000000000000000000000000000000000000000000000000000";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len > LONGEST) {
        return 0;
    }
    char *text = ps_alloc(len + 1);
    memcpy(text, data, len);
    char *body = memchr(text, '\n', len);
    char *target = strchr(text, ' ');
    if (body != NULL && target != NULL && target < body &&
        strstr(text, "keys-and-certificate") == NULL) { // a key takes long, and has no input
        *body++ = '\0';
        *target++ = '\0';
        PsRestSetup setup = {.registry = the_account()};
        PsRestRequest request = {.method = text,
                                 .target = target,
                                 .header = header,
                                 .body = (const uint8_t *)body,
                                 .body_len = (size_t)(text + len - body)};
        PsRestAnswer answer;
        const char *error_type = NULL;
        ps_rest_dispatch(&setup, &request, &answer, &error_type);
        PS_ASSERT(answer.status != 500);
        ps_rest_answer_deinit(&answer);
    }
    free(text);
    return 0;
}
