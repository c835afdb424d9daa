// Error names, diagnoses and the assertion hook. Pure apart from the abort; any thread.
#include "base/err.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const err_names[] = {
    [PS_OK] = "ok",
    [PS_ERR_NO_MEMORY] = "no-memory",
    [PS_ERR_INVALID] = "invalid",
    [PS_ERR_RANGE] = "range",
    [PS_ERR_TOO_BIG] = "too-big",
    [PS_ERR_NOT_FOUND] = "not-found",
    [PS_ERR_EXISTS] = "exists",
    [PS_ERR_UNSUPPORTED] = "unsupported",
    [PS_ERR_IO] = "io",
    [PS_ERR_TIMEOUT] = "timeout",
    [PS_ERR_CLOSED] = "closed",
    [PS_ERR_REFUSED] = "refused",
    [PS_ERR_PROTOCOL] = "protocol",
    [PS_ERR_BUSY] = "busy",
    [PS_ERR_FULL] = "full",
    [PS_ERR_CORRUPT] = "corrupt",
    [PS_ERR_CANCELLED] = "cancelled",
    [PS_ERR_DENIED] = "denied",
    [PS_ERR_INTERNAL] = "internal",
};

const char *ps_err_name(PsErr err) {
    size_t index = (size_t)err;
    return index < PS_COUNT(err_names) ? err_names[index] : "unknown";
}

void ps_diag_set(PsDiag *diag, const char *object, const char *field, const char *fmt, ...) {
    if (diag == NULL) {
        return;
    }
    ps_text_format(diag->object, sizeof diag->object, "%s", object ? object : "");
    ps_text_format(diag->field, sizeof diag->field, "%s", field ? field : "");
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(diag->text, sizeof diag->text, fmt, args);
    va_end(args);
}

void ps_diag_format(const PsDiag *diag, char *out, size_t size) {
    const char *object_gap = diag->object[0] != '\0' ? ": " : "";
    const char *field_gap = diag->field[0] != '\0' ? ": " : "";
    snprintf(out, size, "%s%s%s%s%s", diag->object, object_gap, diag->field, field_gap, diag->text);
}

_Noreturn void ps_assert_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "penstock: broken invariant at %s:%d: %s\n", file, line, condition);
    abort();
}
