// Fuzz target: what devices send to the local cloud's shadows, jobs and provisioning. Whatever the
// bytes are, a shadow keeps its rules, a job execution stays in a known state, and CBOR that is
// read is written as what reads the same again.
#include "localcloud/service/cbor.h"
#include "localcloud/service/job_doc.h"
#include "localcloud/service/shadow_doc.h"
#include "localcloud/service/template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static void try_shadow(const uint8_t *data, size_t size) {
    static const char first[] =
        "{\"state\":{\"desired\":{\"a\":{\"b\":1}},\"reported\":{\"c\":[1]}}}";
    PsShadow shadow = {0};
    PsShadowLimits limits = {0};
    PsShadowResult result = {0};
    ps_shadow_update(&shadow, first, sizeof first - 1, &limits, 1, &result);
    must(result.code == 200);
    ps_shadow_result_deinit(&result);
    ps_shadow_update(&shadow, data, size, &limits, 2, &result);
    must((result.code == 200) == (shadow.version == 2));
    must((result.code == 200) == (result.message[0] == '\0'));
    must(ps_json_text_size(json_object_get(shadow.state, "desired")) <= PS_SHADOW_BYTES);
    must(ps_json_depth(json_object_get(shadow.state, "desired")) <= PS_SHADOW_DEPTH);
    PS_AUTO_BUF PsBuf text = {0};
    ps_shadow_text(&result, result.accepted, &text);
    PS_AUTO_JSON json_t *read = ps_json_parse(text.data, text.len);
    must(json_is_object(read));
    ps_shadow_result_deinit(&result);
    ps_shadow_deinit(&shadow);
}

static void try_job(const uint8_t *data, size_t size) {
    PsJobRequest request = {0};
    PsJobRefusal refusal = {0};
    PsJobExecution execution = {.version = 1, .queued_ms = 1, .updated_ms = 1};
    if (ps_job_request_parse(data, size, true, &request, &refusal) == PS_JOB_OK) {
        bool done = ps_job_update(&execution, &request, 1, 1000, &refusal) == PS_JOB_OK;
        must(done == (execution.version == 2));
        must(done || execution.status == PS_JOB_QUEUED);
        must(!ps_job_status_is_final(execution.status) || ps_job_deadline(&execution) == 0);
    } else {
        must(refusal.message[0] != '\0');
    }
    PS_AUTO_JSON json_t *json = ps_job_execution_json(&execution, NULL, true, 2000);
    must(json_is_object(json));
    ps_job_execution_deinit(&execution);
    ps_job_request_deinit(&request);
}

static void try_cbor(const uint8_t *data, size_t size) {
    PS_AUTO_JSON json_t *json = ps_cbor_read(data, size);
    if (json != NULL) {
        PS_AUTO_BUF PsBuf bytes = {0};
        ps_cbor_write(json, &bytes);
        PS_AUTO_JSON json_t *again = ps_cbor_read(bytes.data, bytes.len);
        must(json_equal(json, again));
    }
}

static void try_template(const uint8_t *data, size_t size) {
    char *body = malloc(size + 1);
    must(body != NULL);
    memcpy(body, data, size);
    body[size] = '\0';
    PsDiag diag = {0};
    if (ps_template_check(body, &diag) == PS_OK) {
        PsTemplatePlan plan = {0};
        PsErr err = ps_template_plan(body, NULL, "c0ffee", &plan, &diag);
        must(err == PS_OK || diag.text[0] != '\0');
        ps_template_plan_deinit(&plan);
    }
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_shadow(data, size);
    try_job(data, size);
    try_cbor(data, size);
    try_template(data, size);
    return 0;
}
