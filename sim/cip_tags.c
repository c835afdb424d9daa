// Tables of tags, structures and what of them lives in the plant; finding the place that a path
// names. The side's lock is held.
#include "sim/cip_tags.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANY 1000 // tags of Program:Many
#define BIG 1000  // elements of Big

#define PROGRAM_MAIN "Program:Main"
#define PROGRAM_MANY "Program:Many"
#define CODE_PROGRAM 0x1068 // in the list of symbols: a system object
#define CODE_TASK 0x1070

static const PsSimCipMember string_members[] = {
    {.name = "LEN", .code = PS_SIM_CIP_DINT},
    {.name = "DATA", .code = PS_SIM_CIP_SINT, .count = 82, .offset = 4},
};

// Instance and handle of the controllers' own STRING.
static const PsSimCipTemplate string_template = {
    .name = "ASCIISTRING82",
    .instance = 0xFCE,
    .handle = 0x0FCE,
    .size = 88,
    .members = string_members,
    .member_count = PS_COUNT(string_members),
};

static const PsSimCipMember motor_members[] = {
    {.name = "Speed", .code = PS_SIM_CIP_REAL},
    {.name = "ZZZZZZZZZZMotor1", .code = PS_SIM_CIP_SINT, .offset = 4, .hidden = true},
    {.name = "Running", .code = PS_SIM_CIP_BOOL, .offset = 4},
    {.name = "Count", .code = PS_SIM_CIP_DINT, .offset = 8},
    {.name = "Name", .code = PS_SIM_CIP_STRUCTURE, .offset = 12, .layout = &string_template},
};

static const PsSimCipTemplate motor_template = {
    .name = "Motor",
    .instance = 0x123,
    .handle = 0x6B2D,
    .size = 100,
    .members = motor_members,
    .member_count = PS_COUNT(motor_members),
};

static const PsSimCipTemplate *const templates[] = {&string_template, &motor_template};

typedef struct TagRow {
    const char *name;
    const char *program;
    uint16_t code;
    const PsSimCipTemplate *layout;
    uint32_t dimensions[PS_SIM_CIP_DIMENSIONS];
    bool read_only;
    double start; // of a number
} TagRow;

static const TagRow rows[] = {
    {"Temperature", NULL, PS_SIM_CIP_REAL},
    {"Counter", NULL, PS_SIM_CIP_DINT},
    {"Setpoint", NULL, PS_SIM_CIP_INT},
    {"StirrerSetpoint", NULL, PS_SIM_CIP_REAL},
    {"Recipe", NULL, PS_SIM_CIP_STRUCTURE, &string_template},
    {"Heater", NULL, PS_SIM_CIP_BOOL},
    {"Level", NULL, PS_SIM_CIP_INT, .read_only = true},
    {"Speed", NULL, PS_SIM_CIP_REAL, .read_only = true},
    {"Status", NULL, PS_SIM_CIP_INT},
    {"Numbers", NULL, PS_SIM_CIP_DINT, .dimensions = {10}},
    {"Matrix", NULL, PS_SIM_CIP_REAL, .dimensions = {3, 4}},
    {"Motor", NULL, PS_SIM_CIP_STRUCTURE, &motor_template},
    {"Motors", NULL, PS_SIM_CIP_STRUCTURE, &motor_template, {3}},
    {"Flags", NULL, PS_SIM_CIP_DWORD, .dimensions = {2}}, // what BOOL[64] is to a controller
    {"Big", NULL, PS_SIM_CIP_DINT, .dimensions = {BIG}},
    {"Types_BOOL", NULL, PS_SIM_CIP_BOOL, .start = 1},
    {"Types_SINT", NULL, PS_SIM_CIP_SINT, .start = -8},
    {"Types_INT", NULL, PS_SIM_CIP_INT, .start = -16},
    {"Types_DINT", NULL, PS_SIM_CIP_DINT, .start = -32},
    {"Types_LINT", NULL, PS_SIM_CIP_LINT, .start = -64},
    {"Types_USINT", NULL, PS_SIM_CIP_USINT, .start = 8},
    {"Types_UINT", NULL, PS_SIM_CIP_UINT, .start = 16},
    {"Types_UDINT", NULL, PS_SIM_CIP_UDINT, .start = 32},
    {"Types_ULINT", NULL, PS_SIM_CIP_ULINT, .start = 64},
    {"Types_REAL", NULL, PS_SIM_CIP_REAL, .start = 1.5},
    {"Types_LREAL", NULL, PS_SIM_CIP_LREAL, .start = 2.25},
    {"Types_BYTE", NULL, PS_SIM_CIP_BYTE, .start = 8},
    {"Types_WORD", NULL, PS_SIM_CIP_WORD, .start = 16},
    {"Types_DWORD", NULL, PS_SIM_CIP_DWORD, .start = 32},
    {"Types_LWORD", NULL, PS_SIM_CIP_LWORD, .start = 64},
    {PROGRAM_MAIN, NULL, CODE_PROGRAM},
    {PROGRAM_MANY, NULL, CODE_PROGRAM},
    {"Task:Cyclic", NULL, CODE_TASK},
    {"Local", PROGRAM_MAIN, PS_SIM_CIP_DINT, .start = 7},
    {"Name", PROGRAM_MAIN, PS_SIM_CIP_STRUCTURE, &string_template},
};

typedef enum LinkKind {
    LINK_WORD, // one register
    LINK_PAIR, // two, high word first
    LINK_BIT,
    LINK_TEXT, // eight registers, as STRING
} LinkKind;

// What of a tag lives in the plant.
typedef struct Link {
    const char *tag;
    uint32_t offset;
    LinkKind kind;
    PsSimAddress address;
} Link;

static const Link links[] = {
    {"Temperature", 0, LINK_PAIR, {PS_SIM_HOLDING, 1}},
    {"Counter", 0, LINK_PAIR, {PS_SIM_HOLDING, 3}},
    {"Setpoint", 0, LINK_WORD, {PS_SIM_HOLDING, 100}},
    {"StirrerSetpoint", 0, LINK_PAIR, {PS_SIM_HOLDING, 101}},
    {"Recipe", 0, LINK_TEXT, {PS_SIM_HOLDING, 103}},
    {"Heater", 0, LINK_BIT, {PS_SIM_COIL, 0}},
    {"Level", 0, LINK_WORD, {PS_SIM_INPUT, 0}},
    {"Speed", 0, LINK_PAIR, {PS_SIM_INPUT, 1}},
    {"Status", 0, LINK_WORD, {PS_SIM_HOLDING, 6}},
    {"Motor", 0, LINK_PAIR, {PS_SIM_INPUT, 1}},
    {"Motor", 4, LINK_BIT, {PS_SIM_COIL, 0}},
    {"Motor", 8, LINK_PAIR, {PS_SIM_INPUT, 3}},
};

#define TEXT_REGISTERS 8
#define TEXT_START 4 // of a STRING's characters

struct PsSimCipTags {
    PsSimSideSetup plant;
    size_t count;
    PsSimCipTag *tags;
};

static const struct {
    uint16_t code;
    uint8_t size;
} type_sizes[] = {
    {PS_SIM_CIP_BOOL, 1},  {PS_SIM_CIP_SINT, 1},  {PS_SIM_CIP_INT, 2},   {PS_SIM_CIP_DINT, 4},
    {PS_SIM_CIP_LINT, 8},  {PS_SIM_CIP_USINT, 1}, {PS_SIM_CIP_UINT, 2},  {PS_SIM_CIP_UDINT, 4},
    {PS_SIM_CIP_ULINT, 8}, {PS_SIM_CIP_REAL, 4},  {PS_SIM_CIP_LREAL, 8}, {PS_SIM_CIP_BYTE, 1},
    {PS_SIM_CIP_WORD, 2},  {PS_SIM_CIP_DWORD, 4}, {PS_SIM_CIP_LWORD, 8},
};

size_t ps_sim_cip_type_size(uint16_t code) {
    for (size_t i = 0; i < PS_COUNT(type_sizes); i++) {
        if (type_sizes[i].code == code) {
            return type_sizes[i].size;
        }
    }
    return 0;
}

const PsSimCipTemplate *ps_sim_cip_template_find(uint32_t instance) {
    for (size_t i = 0; i < PS_COUNT(templates); i++) {
        if (templates[i]->instance == instance) {
            return templates[i];
        }
    }
    return NULL;
}

// Little endian, as the controllers keep their values.
static void put_number(uint8_t *at, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get_number(const uint8_t *at, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static void put_start(uint8_t *at, uint16_t code, double start) {
    uint64_t bits = 0;
    float single = (float)start;
    uint32_t single_bits = 0;
    switch (code) {
    case PS_SIM_CIP_REAL:
        memcpy(&single_bits, &single, sizeof single_bits);
        bits = single_bits;
        break;
    case PS_SIM_CIP_LREAL:
        memcpy(&bits, &start, sizeof bits);
        break;
    default:
        bits = (uint64_t)(int64_t)start;
        break;
    }
    put_number(at, bits, ps_sim_cip_type_size(code));
}

// FNV-1a over small letters: a request to one of a thousand tags compares one name.
static uint32_t hash_of(const char *name, size_t len) {
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < len; i++) {
        uint8_t letter = (uint8_t)name[i];
        letter = letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + 32) : letter;
        hash = (hash ^ letter) * 16777619U;
    }
    return hash;
}

static void add_tag(PsSimCipTags *tags, const TagRow *row, const char *name) {
    PsSimCipTag *tag = &tags->tags[tags->count++];
    uint32_t before = tags->count > 1 && tag[-1].program == row->program ? tag[-1].instance : 0;
    *tag = (PsSimCipTag){.program = row->program,
                         .hash = hash_of(name, strlen(name)),
                         .instance = before + 3, // controllers leave gaps, too
                         .code = row->code,
                         .layout = row->layout,
                         .read_only = row->read_only,
                         .is_system = (row->code & 0x1000) != 0};
    snprintf(tag->name, sizeof tag->name, "%s", name);
    size_t elements = 1;
    for (size_t i = 0; i < PS_SIM_CIP_DIMENSIONS && row->dimensions[i] > 0; i++) {
        tag->dimensions[tag->dimension_count++] = row->dimensions[i];
        elements *= row->dimensions[i];
    }
    size_t size = row->layout != NULL ? row->layout->size : ps_sim_cip_type_size(row->code);
    tag->size = elements * size;
    tag->image = tag->size > 0 ? ps_alloc(tag->size) : NULL;
    for (size_t i = 0; row->layout == NULL && i < elements && tag->size > 0; i++) {
        // An array's elements hold their own number.
        put_start(tag->image + i * size, row->code,
                  tag->dimension_count > 0 ? (double)i : row->start);
    }
}

PsSimCipTags *ps_sim_cip_tags_new(const PsSimSideSetup *plant) {
    PsSimCipTags *tags = ps_alloc(sizeof *tags);
    tags->plant = *plant;
    tags->tags = ps_alloc_array(PS_COUNT(rows) + MANY, sizeof tags->tags[0]);
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        add_tag(tags, &rows[i], rows[i].name);
    }
    for (int i = 0; i < MANY; i++) {
        char name[PS_SIM_CIP_NAME_BYTES];
        TagRow row = {.program = PROGRAM_MANY, .code = PS_SIM_CIP_DINT, .start = i};
        snprintf(name, sizeof name, "V%03d", i);
        add_tag(tags, &row, name);
    }
    return tags;
}

void ps_sim_cip_tags_free(PsSimCipTags *tags) {
    for (size_t i = 0; i < tags->count; i++) {
        free(tags->tags[i].image);
    }
    free(tags->tags);
    free(tags);
}

size_t ps_sim_cip_tags_count(const PsSimCipTags *tags) {
    return tags->count;
}

const PsSimCipTag *ps_sim_cip_tags_at(const PsSimCipTags *tags, size_t index) {
    return &tags->tags[index];
}

// ---- what lives in the plant

static size_t link_bytes(LinkKind kind) {
    static const size_t sizes[] = {
        [LINK_WORD] = 2, [LINK_PAIR] = 4, [LINK_BIT] = 1, [LINK_TEXT] = 88};
    return sizes[kind];
}

static bool is_linked(const Link *link, const PsSimCipTag *tag) {
    return tag->program == NULL && strcmp(link->tag, tag->name) == 0;
}

void ps_sim_cip_tags_refresh(PsSimCipTags *tags, const PsSimCipTag *tag) {
    uint16_t words[TEXT_REGISTERS];
    for (size_t i = 0; i < PS_COUNT(links); i++) {
        const Link *link = &links[i];
        uint8_t *at = tag->image + link->offset;
        if (!is_linked(link, tag)) {
            continue;
        }
        tags->plant.items(tags->plant.plant, link->address, TEXT_REGISTERS, words);
        size_t len = 0;
        switch (link->kind) {
        case LINK_WORD:
            put_number(at, words[0], 2);
            break;
        case LINK_PAIR:
            put_number(at, (uint32_t)words[0] << 16 | words[1], 4);
            break;
        case LINK_BIT:
            at[0] = (uint8_t)((at[0] & 0xFEU) | (words[0] != 0 ? 1U : 0U));
            break;
        case LINK_TEXT:
            for (size_t k = 0; k < TEXT_REGISTERS; k++) {
                at[TEXT_START + 2 * k] = (uint8_t)(words[k] >> 8);
                at[TEXT_START + 2 * k + 1] = (uint8_t)words[k];
            }
            len = strnlen((char *)at + TEXT_START, 2 * TEXT_REGISTERS);
            put_number(at, len, 4);
            break;
        }
    }
}

static void push(PsSimCipTags *tags, const Link *link, const uint8_t *at) {
    uint16_t words[TEXT_REGISTERS] = {0};
    size_t count = 1;
    size_t len = 0;
    switch (link->kind) {
    case LINK_WORD:
        words[0] = (uint16_t)get_number(at, 2);
        break;
    case LINK_PAIR:
        words[0] = (uint16_t)(get_number(at, 4) >> 16);
        words[1] = (uint16_t)get_number(at, 4);
        count = 2;
        break;
    case LINK_BIT:
        words[0] = at[0] & 1U;
        break;
    case LINK_TEXT:
        count = TEXT_REGISTERS;
        len = get_number(at, 4);
        for (size_t i = 0; i < sizeof words && i < len; i++) {
            words[i / 2] |= (uint16_t)((uint16_t)at[TEXT_START + i] << (i % 2 == 0 ? 8 : 0));
        }
        break;
    }
    tags->plant.write_items(tags->plant.plant, link->address, count, words);
}

void ps_sim_cip_tags_written(PsSimCipTags *tags, const PsSimCipTag *tag, uint32_t offset,
                             size_t len) {
    for (size_t i = 0; i < PS_COUNT(links); i++) {
        const Link *link = &links[i];
        bool overlaps =
            link->offset < offset + len && offset < link->offset + link_bytes(link->kind);
        bool writable = link->address.table == PS_SIM_HOLDING || link->address.table == PS_SIM_COIL;
        if (is_linked(link, tag) && overlaps && writable) {
            push(tags, link, tag->image + link->offset);
        }
    }
}

// ---- places

static bool is_name(const PsSimCipSegment *segment, const char *name) {
    return strlen(name) == segment->len && strncasecmp(name, segment->name, segment->len) == 0;
}

const char *ps_sim_cip_tags_program(const PsSimCipPath *path) {
    static const char *const programs[] = {PROGRAM_MAIN, PROGRAM_MANY};
    for (size_t i = 0; i < PS_COUNT(programs); i++) {
        if (ps_sim_cip_path_is(path, 0, PS_SIM_CIP_SYMBOL) &&
            is_name(&path->segments[0], programs[i])) {
            return programs[i];
        }
    }
    return NULL;
}

static bool is_meant(const PsSimCipTag *tag, const PsSimCipSegment *by_name, uint32_t hash,
                     const PsSimCipSegment *by_instance) {
    if (by_name != NULL) {
        return tag->hash == hash && is_name(by_name, tag->name);
    }
    return by_instance != NULL && tag->instance == by_instance->value;
}

// By name, or by the instance of its symbol; `ret_used` segments named it.
static PsSimCipTag *find_tag(PsSimCipTags *tags, const PsSimCipPath *path, size_t *ret_used) {
    const char *program = ps_sim_cip_tags_program(path);
    size_t at = program != NULL ? 1 : 0;
    const PsSimCipSegment *by_name = NULL;
    const PsSimCipSegment *by_instance = NULL;
    uint32_t hash = 0;
    if (ps_sim_cip_path_is(path, at, PS_SIM_CIP_SYMBOL)) {
        by_name = &path->segments[at];
        hash = hash_of(by_name->name, by_name->len);
    } else if (ps_sim_cip_path_is(path, at, PS_SIM_CIP_CLASS) &&
               ps_sim_cip_path_is(path, at + 1, PS_SIM_CIP_INSTANCE)) {
        by_instance = &path->segments[at + 1];
    }
    *ret_used = at + (by_name != NULL ? 1 : 2);
    for (size_t i = 0; i < tags->count; i++) {
        PsSimCipTag *tag = &tags->tags[i];
        if (is_meant(tag, by_name, hash, by_instance) && tag->program == program &&
            !tag->is_system) {
            return tag;
        }
    }
    return NULL;
}

static void append_text(PsSimCipPlace *place, const char *name) {
    size_t len = strlen(place->text);
    snprintf(place->text + len, sizeof place->text - len, "%s%s", len > 0 ? "." : "", name);
}

// Indices behind a name: all that the array has dimensions, or none.
static PsSimCipFinding take_indices(const PsSimCipPath *path, size_t *at,
                                    const uint32_t *dimensions, size_t dimension_count,
                                    PsSimCipPlace *place) {
    uint32_t total = 1;
    uint32_t index = 0;
    size_t given = 0;
    for (size_t i = 0; i < dimension_count; i++) {
        total *= dimensions[i];
    }
    while (ps_sim_cip_path_is(path, *at, PS_SIM_CIP_ELEMENT)) {
        uint32_t value = path->segments[*at].value;
        if (given == dimension_count) {
            return PS_SIM_CIP_NO_SYMBOL;
        }
        if (value >= dimensions[given]) {
            return PS_SIM_CIP_BEYOND_END;
        }
        index = index * dimensions[given++] + value;
        (*at)++;
    }
    if (given > 0 && given < dimension_count) {
        return PS_SIM_CIP_NO_SYMBOL;
    }
    place->offset += index * place->element_size;
    place->count = total - index;
    place->is_array = given < dimension_count;
    return PS_SIM_CIP_FOUND;
}

static PsSimCipFinding take_member(const PsSimCipPath *path, size_t *at, PsSimCipPlace *place) {
    const PsSimCipTemplate *layout = place->layout;
    for (size_t i = 0; layout != NULL && i < layout->member_count; i++) {
        const PsSimCipMember *member = &layout->members[i];
        if (!is_name(&path->segments[*at], member->name)) {
            continue;
        }
        (*at)++;
        append_text(place, member->name);
        uint32_t count = member->count;
        place->offset += member->offset;
        place->code = member->code;
        place->layout = member->layout;
        place->element_size = member->layout != NULL ? member->layout->size
                                                     : (uint32_t)ps_sim_cip_type_size(member->code);
        place->is_member = true;
        place->is_bit = member->code == PS_SIM_CIP_BOOL;
        place->bit = member->bit;
        return take_indices(path, at, &count, count > 0 ? 1 : 0, place);
    }
    return PS_SIM_CIP_NO_SYMBOL;
}

PsSimCipFinding ps_sim_cip_tags_find(PsSimCipTags *tags, const PsSimCipPath *path,
                                     PsSimCipPlace *ret_place) {
    size_t at = 0;
    PsSimCipTag *tag = find_tag(tags, path, &at);
    if (tag == NULL) {
        return ps_sim_cip_path_is(path, 0, PS_SIM_CIP_CLASS) ? PS_SIM_CIP_NO_OBJECT
                                                             : PS_SIM_CIP_NO_SYMBOL;
    }
    PsSimCipPlace place = {.tag = tag,
                           .code = tag->code,
                           .layout = tag->layout,
                           .element_size = tag->layout != NULL
                                               ? tag->layout->size
                                               : (uint32_t)ps_sim_cip_type_size(tag->code)};
    if (tag->program != NULL) {
        append_text(&place, tag->program);
    }
    append_text(&place, tag->name);
    PsSimCipFinding finding =
        take_indices(path, &at, tag->dimensions, tag->dimension_count, &place);
    while (finding == PS_SIM_CIP_FOUND && at < path->count) {
        bool is_member = ps_sim_cip_path_is(path, at, PS_SIM_CIP_SYMBOL) && !place.is_array;
        finding = is_member ? take_member(path, &at, &place) : PS_SIM_CIP_NO_SYMBOL;
    }
    if (finding == PS_SIM_CIP_FOUND) {
        *ret_place = place;
    }
    return finding;
}
