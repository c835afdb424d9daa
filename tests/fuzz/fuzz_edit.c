// Fuzz target: edits of penstock.json, as a browser sends them. The input is a penstock.json, a
// line
// "---", and the list of edits. Whatever they are, they must be refused and nothing made, or give a
// text that can be edited again; no edit at all gives the same text.
#include "model/config_json.h"
#include "model/edit.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_result(const PsEdited *edited) {
    PsFindings findings = {0};
    PsDiag diag = {0};
    PsEdited again = {0};
    json_t *root = ps_config_parse_json(edited->json.data, edited->json.len, &findings);
    json_t *none = json_array();
    if (root == NULL || ps_edit_apply(edited->json.data, edited->json.len, none, &findings, &again,
                                      &diag) != PS_OK) {
        abort();
    }
    if (again.json.len != edited->json.len ||
        memcmp(again.json.data, edited->json.data, again.json.len) != 0) {
        abort();
    }
    json_decref(none);
    json_decref(root);
    ps_edited_deinit(&again);
    ps_findings_deinit(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char mark[] = "\n---\n";
    const uint8_t *cut = memmem(data, size, mark, sizeof mark - 1);
    if (cut == NULL) {
        return 0;
    }
    size_t len = (size_t)(cut - data);
    const char *rest = (const char *)cut + sizeof mark - 1;
    json_t *edits = json_loadb(rest, size - len - (sizeof mark - 1), 0, NULL);
    PsFindings findings = {0};
    PsEdited edited = {0};
    PsDiag diag = {0};
    PsErr err = ps_edit_apply(data, len, edits, &findings, &edited, &diag);
    if (err == PS_OK) {
        check_result(&edited);
    } else if (edited.json.data != NULL || (findings.errors == 0 && diag.text[0] == '\0')) {
        abort();
    }
    ps_edited_deinit(&edited);
    ps_findings_deinit(&findings);
    json_decref(edits);
    return 0;
}
