//! What a check of a configuration found: a list of diagnoses, each with its file.
//! One thread.
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

/// An object of a list in penstock.json. Zero-initialised: none, something else is meant.
typedef struct PsPlace {
    const char *block; ///< "vars"; NULL: none
    size_t index;      ///< in that list
} PsPlace;

typedef struct PsFinding {
    bool is_error; ///< false: a warning that does not stop the configuration
    PsPlace place;
    char file[128];
    PsDiag diag;
} PsFinding;

typedef struct PsFindings {
    PsFinding *items;
    size_t count;
    size_t errors;
    size_t dropped; ///< findings past `most`, counted but not kept
    size_t most;    ///< to keep; 0: PS_FINDINGS_MAX
    PsPlace place;  ///< what is being looked at; each finding takes it over
} PsFindings;

#define PS_FINDINGS_MAX 1000

void ps_findings_deinit(PsFindings *findings);
void ps_findings_error(PsFindings *findings, const char *file, const char *object,
                       const char *field, const char *fmt, ...) PS_PRINTF(5, 6);
void ps_findings_warning(PsFindings *findings, const char *file, const char *object,
                         const char *field, const char *fmt, ...) PS_PRINTF(5, 6);
/// "file: object 'name': field: what is wrong; what to do" into `out`.
void ps_finding_format(const PsFinding *finding, char *out, size_t size);
/// [{"severity": "error" or "warning", "file", "object", "field", "text"}]; the caller owns it.
json_t *ps_findings_json(const PsFindings *findings);
