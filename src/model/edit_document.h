//! The text of a penstock.json that is being edited: its objects by name, and who refers to whom.
//! Inside src/model only. One thread.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "model/findings.h"
#include "model/tables.h"

#include <jansson.h>

#define PS_EDIT_NONE UINT32_MAX
#define PS_EDIT_BLOCKS_MAX 16

/// What has names of its own. Publish and subscribe entries share theirs.
typedef enum PsEditKind {
    PS_EDIT_DEVICE,
    PS_EDIT_VARIABLE,
    PS_EDIT_GROUP,
    PS_EDIT_ALARM,
    PS_EDIT_MESSAGE,
    PS_EDIT_SERIAL,
    PS_EDIT_KINDS,
} PsEditKind;

/// A name that an object has, or that something refers to.
typedef struct PsEditName {
    PsEditKind kind;
    const char *scope; ///< device of a variable, else NULL
    const char *text;
    uint32_t item;   ///< that has it, or PS_EDIT_NONE
    uint32_t uses;   ///< newest of those that refer to it, or did
    bool predefined; ///< exists whether an object has it or not
    bool deleted;    ///< an edit took the object away
} PsEditName;

/// One object of a list.
typedef struct PsEditItem {
    const char *text; ///< as it stood; borrowed
    json_t *json;     ///< as it is now; NULL: as it stood
    size_t len;
    uint32_t name; ///< PS_EDIT_NONE: none that can be found
    uint32_t next; ///< of its list
    uint32_t mark;
    uint8_t block;
    bool gone;
} PsEditItem;

typedef struct PsEditUse {
    uint32_t item;
    uint32_t next;
} PsEditUse;

typedef struct PsEditBlock {
    const PsOptionTable *table;
    uint32_t first; ///< item; PS_EDIT_NONE: the list is empty
    uint32_t last;
    const char *text; ///< of the whole block; NULL: the file does not have it
    size_t len;
    json_t *json; ///< of a block that is one object, when it has changed
    bool is_list;
    bool touched;
} PsEditBlock;

typedef struct PsEditMember {
    const char *key;
    const char *text;
    size_t len;
    uint32_t block; ///< PS_EDIT_NONE: none of the tables
} PsEditMember;

typedef struct PsEditDocument {
    PsArena *arena; ///< of names
    PsEditBlock blocks[PS_EDIT_BLOCKS_MAX];
    uint32_t block_count;
    PsEditMember *members; ///< of the file, in its order
    uint32_t member_count;
    PsEditItem *items;
    uint32_t item_count;
    PsEditName *names;
    uint32_t name_count;
    PsEditUse *uses;
    uint32_t use_count;
    PsMap maps[PS_EDIT_KINDS]; ///< of names
    uint32_t mark;
    uint32_t followed; ///< references that were looked at for renames
    bool touched;
} PsEditDocument;

/// False after findings; then there is nothing to deinit. The text is borrowed.
bool ps_edit_document_read(PsEditDocument *document, const void *json, size_t len,
                           PsFindings *findings);
void ps_edit_document_deinit(PsEditDocument *document);
/// Appends the file. Blocks that have not changed stand as they stood.
void ps_edit_document_write(const PsEditDocument *document, PsBuf *out);

/// Number of a block, or PS_EDIT_NONE.
uint32_t ps_edit_document_block(const PsEditDocument *document, const char *name);
/// What the objects of a list are, PS_EDIT_KINDS for a block that is one object.
PsEditKind ps_edit_kind_of(const PsOptionTable *table);
/// The key that says within what the name is unique; NULL: everywhere.
const char *ps_edit_scope_key(const PsOptionTable *table);

/// The number of a name, whether an object has it or not. `scope` NULL but for variables.
uint32_t ps_edit_document_name(PsEditDocument *document, PsEditKind kind, const char *scope,
                               const char *text);
/// The object that has a name, or PS_EDIT_NONE.
uint32_t ps_edit_document_find(const PsEditDocument *document, PsEditKind kind, const char *scope,
                               const char *text);
/// It as it is now; the caller's.
json_t *ps_edit_document_object(const PsEditDocument *document, uint32_t item);
/// Puts an object, taken over, in the place of `item` or, PS_EDIT_NONE, at the end of the list.
/// Its name should be free. Who refers to it is not changed.
uint32_t ps_edit_document_put(PsEditDocument *document, uint32_t block, uint32_t item,
                              json_t *object);
void ps_edit_document_remove(PsEditDocument *document, uint32_t item);

/// A block that is one object, as it is now; the caller's, NULL when there is none.
json_t *ps_edit_document_single(const PsEditDocument *document, uint32_t block);
/// Takes the object over; NULL: without the block.
void ps_edit_document_set_single(PsEditDocument *document, uint32_t block, json_t *object);
