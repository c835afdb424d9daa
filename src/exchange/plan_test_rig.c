// Makes plans for tests and tells them as text. One thread.
#include "exchange/plan_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static PsErr check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    bool numbered = device->protocol <= PS_PROTOCOL_ISO_ON_TCP;
    if (numbered && variable->register_addr == PS_UNSET) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_addr", "is missing; add it");
    }
    if (variable->register_addr == 25000) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_addr", "is in no table");
    }
    return PS_OK;
}

bool rig_every_protocol = false;

PsVariableCheck *rig_check_for(int protocol) {
    bool modbus = protocol == PS_PROTOCOL_MODBUS_TCP || protocol == PS_PROTOCOL_MODBUS_RTU;
    return modbus || rig_every_protocol ? check_variable : NULL;
}

PsPlan *rig_plan(const char *json, ...) {
    PsFindings findings = {0};
    PsPlan *plan = NULL;
    PsErr err = ps_plan_new("/nonexistent", json, json != NULL ? strlen(json) : 0, rig_check_for,
                            &findings, &plan);
    assert_int_equal(err, PS_OK);
    ps_findings_deinit(&findings);
    va_list files;
    va_start(files, json);
    for (const char *name; (name = va_arg(files, const char *)) != NULL;) {
        const char *text = va_arg(files, const char *);
        ps_plan_add(plan, name, text, strlen(text));
    }
    va_end(files);
    ps_plan_finish(plan);
    return plan;
}

static void tell_row(const PsPlan *plan, const PsPlanRow *row, PsBuf *out) {
    ps_buf_printf(out, "%s:%u %s %s%s%s", plan->files[row->file].name, row->line,
                  ps_row_state_name(row->state), row->scope, row->scope[0] != '\0' ? "/" : "",
                  row->name);
    for (uint32_t i = 0; i < row->change_count; i++) {
        ps_buf_printf(out, " %s:%s>%s", row->changes[i].key, row->changes[i].before,
                      row->changes[i].after);
    }
    for (uint32_t i = 0; i < row->problem_count; i++) {
        ps_buf_printf(out, " - %s: %s", row->problems[i].column, row->problems[i].text);
    }
    ps_buf_printf(out, "\n");
}

void rig_tell(const PsPlan *plan, PsBuf *out) {
    ps_buf_printf(out, "%s", "");
    for (uint32_t i = 0; i < plan->file_count; i++) {
        if (plan->files[i].failure != NULL) {
            ps_buf_printf(out, "%s failed: %s\n", plan->files[i].name, plan->files[i].failure);
        }
    }
    for (uint32_t i = 0; i < plan->row_count; i++) {
        tell_row(plan, &plan->rows[i], out);
    }
    for (uint32_t i = 0; i < plan->note_count; i++) {
        const PsPlanNote *note = &plan->notes[i];
        ps_buf_printf(out, "note %s:%u %u %s: %s\n", plan->files[note->file].name, note->first_line,
                      note->count, note->column, note->text);
    }
    for (size_t i = 0; i < plan->rest.count; i++) {
        char line[1024];
        ps_finding_format(&plan->rest.items[i], line, sizeof line);
        ps_buf_printf(out, "rest %s\n", line);
    }
}

void rig_expect_parts(PsPlan *plan, const char *const *parts, size_t count) {
    PS_AUTO_BUF PsBuf text = {0};
    rig_tell(plan, &text);
    for (size_t i = 0; i < count; i++) {
        if (strstr((const char *)text.data, parts[i]) == NULL) {
            fail_msg("%s\n does not have: %s", (const char *)text.data, parts[i]);
        }
    }
    ps_plan_free(plan);
}
