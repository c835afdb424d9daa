//! What a controller says about its structures: the template object, its members and their types.
//! Pure; any thread.
//!
//! Source: Rockwell 1756-PM020, chapter 2, "Step 2: Isolate user-created tags" (symbol types) and
//! "Step 3: Determine the structure makeup" (templates).
#pragma once

#include "base/arena.h"
#include "drivers/eip/cip.h"

#define PS_EIP_TEMPLATE_MAX 65536U ///< bytes of a definition that are read
#define PS_EIP_MEMBERS_MAX 4096U

/// The type of a tag or member, taken apart.
typedef struct PsEipSymbolType {
    bool structure;
    bool system;          ///< of the controller itself, not of the user's program
    uint8_t dimensions;   ///< of an array, 0 to 3
    uint16_t template_id; ///< of a structure
    uint16_t code;        ///< elementary otherwise
} PsEipSymbolType;

PsEipSymbolType ps_eip_symbol_type(uint16_t word);

/// Attributes of a template.
typedef struct PsEipTemplateHead {
    uint32_t words; ///< of its definition
    uint32_t size;  ///< bytes of a value
    uint16_t members;
    uint16_t handle;
} PsEipTemplateHead;

/// Get Attribute List for the four of them, and its answer. False when it is not well formed.
void ps_eip_template_head_put(PsBuf *out, uint16_t template_id);
bool ps_eip_template_head_get(const PsEipReply *reply, PsEipTemplateHead *ret_head);
/// Bytes of the definition that can be read.
uint32_t ps_eip_template_len(const PsEipTemplateHead *head);
void ps_eip_template_read_put(PsBuf *out, uint16_t template_id, uint32_t offset, uint16_t count);

typedef struct PsEipMember {
    const char *name;
    PsEipSymbolType type;
    uint16_t elements; ///< of an array; 0: it is none
} PsEipMember;

typedef struct PsEipTemplate {
    uint16_t id;
    const char *name;
    PsEipMember *members;
    uint32_t count;
    bool text; ///< LEN and DATA: a text of a length of its own
} PsEipTemplate;

/// `bytes` is the definition. Texts and members are the arena's. False when it is not well formed.
bool ps_eip_template_parse(const uint8_t *bytes, size_t len, uint16_t members, PsArena *arena,
                           PsEipTemplate *ret_template);

/// One tag of a Get Instance Attribute List answer.
typedef struct PsEipTag {
    uint32_t instance;
    const uint8_t *name; ///< borrowed
    uint16_t name_len;
    uint16_t type;
    uint32_t dimensions[3];
    uint8_t access; ///< PsEipAccess
} PsEipTag;

/// External Access of a tag (attribute 10 of the symbol object).
typedef enum PsEipAccess {
    PS_EIP_ACCESS_BOTH = 0,
    PS_EIP_ACCESS_READ = 2,
    PS_EIP_ACCESS_NONE = 3,
} PsEipAccess;

/// How much is asked of each tag: older controllers know less.
typedef enum PsEipListing {
    PS_EIP_LIST_WITH_ACCESS, ///< name, type, dimensions, external access
    PS_EIP_LIST_WITH_DIMENSIONS,
    PS_EIP_LIST_PLAIN, ///< name, type
} PsEipListing;

/// Asks for the tags from `instance` on, of a program or, with an empty scope, of the controller.
void ps_eip_list_put(PsBuf *out, const char *scope, uint32_t instance, PsEipListing listing);
/// Takes the next tag; false at the end, and then reader->failed says whether it was a clean one.
bool ps_eip_list_next(PsReader *reader, PsEipListing listing, PsEipTag *ret_tag);
