//! The tags of the simulated Logix controller: names, types, structures, and their bytes as the
//! controller keeps them. What moves comes from the plant. Not thread-safe; the side serialises.
#pragma once

#include "sim/cip_path.h"
#include "sim/side.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Elementary types (CIP Volume 1, appendix C-6.1).
#define PS_SIM_CIP_BOOL 0xC1
#define PS_SIM_CIP_SINT 0xC2
#define PS_SIM_CIP_INT 0xC3
#define PS_SIM_CIP_DINT 0xC4
#define PS_SIM_CIP_LINT 0xC5
#define PS_SIM_CIP_USINT 0xC6
#define PS_SIM_CIP_UINT 0xC7
#define PS_SIM_CIP_UDINT 0xC8
#define PS_SIM_CIP_ULINT 0xC9
#define PS_SIM_CIP_REAL 0xCA
#define PS_SIM_CIP_LREAL 0xCB
#define PS_SIM_CIP_BYTE 0xD1
#define PS_SIM_CIP_WORD 0xD2
#define PS_SIM_CIP_DWORD 0xD3
#define PS_SIM_CIP_LWORD 0xD4
/// In the place of a type: a structure, its handle follows (Rockwell 1756-PM020).
#define PS_SIM_CIP_STRUCTURE 0x02A0

#define PS_SIM_CIP_DIMENSIONS 3
#define PS_SIM_CIP_NAME_BYTES 41 ///< a Logix name has at most 40

typedef struct PsSimCipTemplate PsSimCipTemplate;

typedef struct PsSimCipMember {
    const char *name;
    uint16_t code;
    uint16_t count; ///< of an array; 0: none
    uint8_t bit;    ///< of a BOOL in its host byte
    uint32_t offset;
    const PsSimCipTemplate *layout; ///< of a structure
    bool hidden;                    ///< a host byte of BOOLs
} PsSimCipMember;

struct PsSimCipTemplate {
    const char *name;
    uint16_t instance;
    uint16_t handle;
    uint32_t size;
    const PsSimCipMember *members;
    size_t member_count;
};

typedef struct PsSimCipTag {
    char name[PS_SIM_CIP_NAME_BYTES];
    const char *program; ///< "Program:Main"; NULL: of the controller
    uint32_t hash;       ///< of the name in small letters
    uint32_t instance;   ///< of the symbol object, within its scope
    uint16_t code;
    const PsSimCipTemplate *layout;
    uint32_t dimensions[PS_SIM_CIP_DIMENSIONS];
    size_t dimension_count;
    bool read_only;
    bool is_system; ///< no tag with a value: a program or a task in the list of symbols
    uint8_t *image;
    size_t size;
} PsSimCipTag;

typedef struct PsSimCipTags PsSimCipTags;

/// `plant` is copied; its functions are called with the tags' owner's lock held.
PsSimCipTags *ps_sim_cip_tags_new(const PsSimSideSetup *plant);
void ps_sim_cip_tags_free(PsSimCipTags *tags);

/// In the order of their instances, the controller's first, then program by program.
size_t ps_sim_cip_tags_count(const PsSimCipTags *tags);
const PsSimCipTag *ps_sim_cip_tags_at(const PsSimCipTags *tags, size_t index);
/// The template with this instance, NULL when there is none.
const PsSimCipTemplate *ps_sim_cip_template_find(uint32_t instance);
/// Bytes of one value of an elementary type, 0: no such type.
size_t ps_sim_cip_type_size(uint16_t code);

/// A place that a path names.
typedef struct PsSimCipPlace {
    PsSimCipTag *tag;
    uint32_t offset;
    uint16_t code;
    const PsSimCipTemplate *layout;
    uint32_t element_size;
    uint32_t count; ///< elements from here to the end of the array
    bool is_bit;    ///< a BOOL in a host byte
    uint8_t bit;
    bool is_member;
    bool is_array;  ///< the whole array, no index given
    char text[160]; ///< as people write it, without indices
} PsSimCipPlace;

typedef enum PsSimCipFinding {
    PS_SIM_CIP_FOUND,
    PS_SIM_CIP_NO_SYMBOL,  ///< no such name, or no such way of naming
    PS_SIM_CIP_NO_OBJECT,  ///< no such instance
    PS_SIM_CIP_BEYOND_END, ///< index outside its array
} PsSimCipFinding;

PsSimCipFinding ps_sim_cip_tags_find(PsSimCipTags *tags, const PsSimCipPath *path,
                                     PsSimCipPlace *ret_place);

/// Brings what moves in the tag up to date.
void ps_sim_cip_tags_refresh(PsSimCipTags *tags, const PsSimCipTag *tag);
/// Hands what was written to the plant.
void ps_sim_cip_tags_written(PsSimCipTags *tags, const PsSimCipTag *tag, uint32_t offset,
                             size_t len);
/// The name of the program scope that the path begins with, NULL when it is no program.
const char *ps_sim_cip_tags_program(const PsSimCipPath *path);
