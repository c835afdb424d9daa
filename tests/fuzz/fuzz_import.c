// Fuzz target: an import from any bytes. It must name each row that it does not take, and what it
// takes must be a configuration that reads back; importing it twice changes nothing more.
#include "exchange/plan.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base[] =
    "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", \"ip\": "
    "\"h\"}], \"vars\": [{\"var_name\": \"v\", \"device\": \"D\", \"data_type\": \"WORD\", "
    "\"register_addr\": 40001}]}";

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static PsPlan *make_plan(const void *json, size_t json_len, const uint8_t *data, size_t size) {
    PsFindings findings = {0};
    PsPlan *plan = NULL;
    must(ps_plan_new("/nonexistent", json, json_len, NULL, &findings, &plan) == PS_OK);
    ps_plan_add(plan, "f", data, size);
    ps_plan_finish(plan);
    ps_findings_deinit(&findings);
    return plan;
}

static void must_be_told(const PsPlan *plan) {
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const PsPlanRow *row = &plan->rows[i];
        must(row->line > 1 && (row->state == PS_ROW_NOT_TAKEN) == (row->problem_count > 0));
        must((row->change_count > 0) || row->state != PS_ROW_CHANGED);
    }
    const char *failure = plan->files[0].failure;
    must(plan->failed_files == 0 || strncmp(failure, "line ", 5) == 0);
    must(plan->config != NULL); // the base is sound, and bad rows are taken back
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsPlan *plan = make_plan(base, strlen(base), data, size);
    must_be_told(plan);
    PsBuf first = {0};
    PsBuf second = {0};
    ps_config_write(plan->config, &first);
    PsPlan *again = make_plan(first.data, first.len, data, size);
    must_be_told(again);
    must(again->counts[PS_ROW_ADDED] + again->counts[PS_ROW_CHANGED] == 0);
    ps_config_write(again->config, &second);
    must(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    ps_plan_free(plan);
    ps_plan_free(again);
    ps_buf_deinit(&first);
    ps_buf_deinit(&second);
    return 0;
}
