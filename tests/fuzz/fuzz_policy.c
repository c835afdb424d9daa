// Fuzz target: a policy document and a resource, parted by a zero byte. Whatever the bytes are,
// the document is refused with words, or decides the same twice, through the cache and with
// reasons that agree: nothing applies to what is denied for want of a statement.
#include "localcloud/policy/reasons.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const PsPolicyAttribute attributes[] = {{"line", "7"}};
static const PsPolicyThing thing = {"gw", "boiler", attributes, 1};
static const PsPolicyContext context = {
    .client_id = "gw",
    .source_ip = "203.0.113.9",
    .domain_name = "localhost",
    .thing = &thing,
    .is_attached = true,
    .last_will = true,
    .last_will_topic = "arn:aws:iot:us-east-1:000000000000:topic/will",
};

typedef struct Seen {
    size_t allowing;
    size_t denying;
} Seen;

static void count(void *ctx, const PsPolicyReason *reason) {
    Seen *seen = ctx;
    seen->allowing += reason->applies && !reason->denies ? 1 : 0;
    seen->denying += reason->applies && reason->denies ? 1 : 0;
    if (reason->text[0] == '\0') {
        abort();
    }
}

static void decide(const PsPolicySet *set, PsPolicyAction action, const char *resource,
                   size_t len) {
    PsPolicyWhy why;
    PsPolicyCache cache = {0};
    Seen seen = {0};
    PsPolicyVerdict verdict = ps_policy_decide(set, &context, action, resource, len, &why);
    ps_policy_reasons(set, &context, action, resource, len, count, &seen);
    PsPolicyVerdict told = PS_POLICY_DENY_IMPLICIT;
    if (seen.denying > 0) {
        told = PS_POLICY_DENY_EXPLICIT;
    } else if (seen.allowing > 0) {
        told = PS_POLICY_ALLOW;
    }
    if (verdict != told || (why.statement == 0) != (verdict == PS_POLICY_DENY_IMPLICIT)) {
        abort();
    }
    for (int again = 0; again < 2; again++) {
        if (ps_policy_cache_decide(&cache, set, &context, action, resource, len) != verdict) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t len = end != NULL ? (size_t)(end - data) : size;
    const char *resource = end != NULL ? (const char *)end + 1 : "*";
    size_t resource_len = end != NULL ? size - len - 1 : 1;
    PsPolicyDocument *document = NULL;
    PsDiag diag = {0};
    PsErr err = ps_policy_parse((const char *)data, len, &document, &diag);
    if ((err == PS_OK) != (document != NULL) || (err == PS_OK) != (diag.text[0] == '\0')) {
        abort();
    }
    if (document == NULL) {
        return 0;
    }
    PsPolicySet set = {0};
    ps_policy_set_put(&set, "fuzz", "1", document);
    ps_policy_unref(document);
    for (int action = 0; action < PS_POLICY_ACTION_COUNT; action++) {
        decide(&set, (PsPolicyAction)action, resource, resource_len);
    }
    ps_policy_set_deinit(&set);
    return 0;
}
