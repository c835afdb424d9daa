// The list of what a configuration check found. One thread.
#include "model/findings.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ps_findings_deinit(PsFindings *findings) {
    free(findings->items);
    *findings = (PsFindings){0};
}

PS_PRINTF(6, 0)
static void add(PsFindings *findings, bool is_error, const char *file, const char *object,
                const char *field, const char *fmt, va_list args) {
    findings->errors += is_error ? 1 : 0;
    if (findings->count >= (findings->most > 0 ? findings->most : PS_FINDINGS_MAX)) {
        findings->dropped++;
        return;
    }
    // Grow at each power of two: lists are short, and the first finding is rare.
    if ((findings->count & (findings->count - 1)) == 0) {
        size_t capacity = findings->count > 0 ? findings->count * 2 : 1;
        findings->items = ps_grow_array(findings->items, capacity, sizeof *findings->items);
    }
    PsFinding *finding = &findings->items[findings->count++];
    *finding = (PsFinding){.is_error = is_error, .place = findings->place};
    ps_text_format(finding->file, sizeof finding->file, "%s", file);
    ps_text_format(finding->diag.object, sizeof finding->diag.object, "%s", object ? object : "");
    ps_text_format(finding->diag.field, sizeof finding->diag.field, "%s", field ? field : "");
    ps_text_format_list(finding->diag.text, sizeof finding->diag.text, fmt, args);
}

void ps_findings_error(PsFindings *findings, const char *file, const char *object,
                       const char *field, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    add(findings, true, file, object, field, fmt, args);
    va_end(args);
}

void ps_findings_warning(PsFindings *findings, const char *file, const char *object,
                         const char *field, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    add(findings, false, file, object, field, fmt, args);
    va_end(args);
}

void ps_finding_format(const PsFinding *finding, char *out, size_t size) {
    char what[sizeof finding->diag];
    ps_diag_format(&finding->diag, what, sizeof what);
    snprintf(out, size, "%s: %s%s", finding->file, finding->is_error ? "" : "warning: ", what);
}

json_t *ps_findings_json(const PsFindings *findings) {
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const PsFinding *finding = &findings->items[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity",
                                        finding->is_error ? "error" : "warning", "file",
                                        finding->file, "object", finding->diag.object, "field",
                                        finding->diag.field, "text", finding->diag.text));
    }
    return list;
}
