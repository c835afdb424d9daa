//! What a check of a configuration found: a list of diagnoses, each with its file.
//! One thread.
#pragma once

#include "base/err.h"

#include <stdbool.h>

typedef struct PsFinding {
    bool is_error; ///< false: a warning that does not stop the configuration
    char file[128];
    PsDiag diag;
} PsFinding;

typedef struct PsFindings {
    PsFinding *items;
    size_t count;
    size_t errors;
    size_t dropped; ///< findings past PS_FINDINGS_MAX, counted but not kept
} PsFindings;

#define PS_FINDINGS_MAX 1000

void ps_findings_deinit(PsFindings *findings);
void ps_findings_error(PsFindings *findings, const char *file, const char *object,
                       const char *field, const char *fmt, ...) PS_PRINTF(5, 6);
void ps_findings_warning(PsFindings *findings, const char *file, const char *object,
                         const char *field, const char *fmt, ...) PS_PRINTF(5, 6);
/// "file: object 'name': field: what is wrong; what to do" into `out`.
void ps_finding_format(const PsFinding *finding, char *out, size_t size);
