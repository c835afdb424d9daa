//! Who refers to whom by name in penstock.json, and what becomes of that when an object is renamed
//! or goes. Inside src/model only. Pure.
#pragma once

#include "model/edit_document.h"

typedef struct PsEditReference {
    PsEditKind kind; ///< of what is referred to
    const char *key; ///< the option that holds the name
    const char *scope;
    const char *name;
    bool idle; ///< it follows, but does not count as a use: the option has no effect as things are
} PsEditReference;

typedef void PsEditReferenceDo(const PsEditReference *reference, void *ctx);

/// Calls `on_reference` for each name that the object, of this table's list, refers to.
void ps_edit_references(const PsOptionTable *table, const json_t *object,
                        PsEditReferenceDo *on_reference, void *ctx);

/// Everything that refers to the name `from` refers to `to` from now on; PS_EDIT_NONE: to what the
/// option has when it is left out.
void ps_edit_redirect(PsEditDocument *document, uint32_t from, uint32_t to);

/// The objects that use a name, each once; the caller's, freed with free().
uint32_t *ps_edit_users(PsEditDocument *document, uint32_t name, uint32_t *ret_count);

/// Nothing that was deleted is used, and what has changed refers to what is there. PS_ERR_REFUSED
/// with a diagnosis that names the users, or PS_ERR_INVALID with findings.
PsErr ps_edit_check_references(PsEditDocument *document, PsFindings *findings, PsDiag *diag);

/// "device 'PLC'", "var 'temp' of device 'PLC'": as the check of a configuration calls it.
void ps_edit_label(const PsOptionTable *table, const char *scope, const char *name, char *out,
                   size_t size);
