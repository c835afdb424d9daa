// `penstock browse`: tags of the controller and of its programs, elements of arrays, members of
// structures, as nodes that a person can choose from. Runs on the channel's thread and blocks.
#include "drivers/eip/explore.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROGRAM "Program:"
#define ANSWERS_PER_LOOK 64 // then the next look goes on
#define NODE_SIZE 320U

// A tag, member or element that is looked at.
typedef struct Spot {
    PsEipSymbolType type;
    uint32_t dimensions[3];
    uint8_t access;
} Spot;

typedef struct Look {
    PsEipExplorer explorer;
    PsBrowse *browse;
    PsDiag *diag;
} Look;

static const char *keep(const Look *look, const char *text) {
    return ps_arena_strdup(look->browse->arena, text);
}

// The words of a BOOL array have 32 of its elements each.
static bool is_bit_array(const Look *look, const Spot *spot) {
    return spot->type.dimensions == 1 &&
           ps_eip_index_type(look->explorer.session, spot->type.code) == PS_EIP_TYPE_DWORD;
}

static void name_dimensions(const Look *look, const Spot *spot, char *out, size_t size) {
    out[0] = '\0';
    size_t used = 0;
    for (unsigned i = 0; i < spot->type.dimensions && i < 3; i++) {
        uint64_t count = (uint64_t)spot->dimensions[i] * (is_bit_array(look, spot) ? 32 : 1);
        int len = snprintf(out + used, size - used, "%s%llu", i == 0 ? "[" : ",",
                           (unsigned long long)count);
        used += len > 0 && (size_t)len < size - used ? (size_t)len : 0;
    }
    if (spot->type.dimensions > 0 && used + 1 < size) {
        snprintf(out + used, size - used, "]");
    }
}

// Its type for people, and whether it is a value by itself. A structure that is not loaded any more
// in this look is called one.
static PsErr name_spot(Look *look, const Spot *spot, char *out, size_t size, bool *ret_value) {
    char dimensions[48];
    name_dimensions(look, spot, dimensions, sizeof dimensions);
    *ret_value = spot->type.dimensions == 0;
    if (spot->type.structure) {
        const PsEipTemplate *found;
        PsErr err =
            ps_eip_explore_template(&look->explorer, spot->type.template_id, &found, look->diag);
        if (err != PS_OK && err != PS_ERR_REFUSED) {
            return err;
        }
        found = err == PS_OK ? found : NULL;
        *ret_value = *ret_value && found != NULL && found->text;
        snprintf(out, size, "%.60s%s", found != NULL ? found->name : "structure", dimensions);
        return PS_OK;
    }
    const PsEipType *type = ps_eip_type_find(spot->type.code);
    *ret_value = *ret_value && type != NULL;
    if (type == NULL) {
        snprintf(out, size, "0x%02X%s", spot->type.code, dimensions);
    } else {
        snprintf(out, size, "%s%s", is_bit_array(look, spot) ? "BOOL" : type->name, dimensions);
    }
    return PS_OK;
}

static PsErr add_spot(Look *look, const char *name, const char *node, const Spot *spot) {
    char type[128];
    bool value = false;
    PsErr err = name_spot(look, spot, type, sizeof type, &value);
    if (err != PS_OK) {
        return err;
    }
    bool readable = spot->access != PS_EIP_ACCESS_NONE;
    look->browse->nodes[look->browse->count++] = (PsBrowseNode){
        .name = keep(look, name),
        .node = keep(look, node),
        .type = keep(look, type),
        .address = value ? keep(look, node) : "",
        .data_type = value ? PS_TYPE_AUTO : PS_UNSET,
        .inside = !value && (spot->type.structure || spot->type.dimensions > 0),
        .readable = readable,
        .writable = readable && spot->access != PS_EIP_ACCESS_READ,
    };
    return PS_OK;
}

static void add_program(Look *look, const char *name) {
    look->browse->nodes[look->browse->count++] = (PsBrowseNode){
        .name = keep(look, name),
        .node = keep(look, name),
        .type = "",
        .address = "",
        .data_type = PS_UNSET,
        .inside = true,
        .readable = true,
    };
}

static void set_next(Look *look, uint32_t number) {
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    look->browse->next = keep(look, text);
}

// Where the look before has ended.
static PsErr take_after(const Look *look, uint32_t *ret_number) {
    long long number = 0;
    const char *after = look->browse->after;
    if (after[0] != '\0' && !ps_text_to_int(after, 0, UINT32_MAX, &number)) {
        return ps_fail(PS_ERR_INVALID, look->diag, NULL, "after", "'%.40s' is of no look before",
                       after);
    }
    *ret_number = (uint32_t)number;
    return PS_OK;
}

// --- tags

static Spot spot_of_tag(const PsEipTag *tag) {
    Spot spot = {.type = ps_eip_symbol_type(tag->type), .access = tag->access};
    memcpy(spot.dimensions, tag->dimensions, sizeof spot.dimensions);
    return spot;
}

// What the controller has for itself is nothing to collect.
static bool is_hidden(const char *name, const Spot *spot) {
    return strncmp(name, "__", 2) == 0 || strstr(name, ":__") != NULL || spot->type.system ||
           strncmp(name, "ZZZZZZZZZZ", 10) == 0;
}

static PsErr add_tag(Look *look, const char *scope, const PsEipTag *tag) {
    char name[64];
    char node[NODE_SIZE];
    ps_text_format(name, sizeof name, "%.*s", (int)tag->name_len, (const char *)tag->name);
    Spot spot = spot_of_tag(tag);
    if (strncasecmp(name, PROGRAM, strlen(PROGRAM)) == 0) {
        add_program(look, name);
        return PS_OK;
    }
    if (is_hidden(name, &spot)) {
        return PS_OK;
    }
    snprintf(node, sizeof node, "%.100s%s%s", scope, scope[0] != '\0' ? "." : "", name);
    return add_spot(look, name, node, &spot);
}

// The answer is copied: naming a structure asks in between.
static PsErr add_tags(Look *look, const char *scope, const PsBuf *answer, uint32_t *instance,
                      bool *ret_full) {
    PsReader reader = ps_reader(answer->data, answer->len);
    PsEipTag tag = {0};
    PsErr err = PS_OK;
    while (err == PS_OK && !*ret_full && ps_eip_list_next(&reader, look->explorer.listing, &tag)) {
        err = add_tag(look, scope, &tag);
        *instance = tag.instance;
        *ret_full = look->browse->count == PS_BROWSE_NODES_MAX;
    }
    if (err == PS_OK && reader.failed) {
        return ps_fail(PS_ERR_REFUSED, look->diag, NULL, NULL,
                       "listing the tags: the answer is not well formed");
    }
    return err;
}

static PsErr list_tags(Look *look, const char *scope) {
    uint32_t last = 0;
    PsErr err = take_after(look, &last);
    bool more = true;
    bool full = false;
    PS_AUTO_BUF PsBuf answer = {0};
    for (int i = 0; err == PS_OK && more && !full && i < ANSWERS_PER_LOOK; i++) {
        PsReader reader;
        uint32_t before = last;
        uint32_t from = last > 0 ? last + 1 : 0;
        err = ps_eip_explore_tags(&look->explorer, scope, from, &reader, &more, look->diag);
        if (err == PS_OK) {
            ps_buf_clear(&answer);
            ps_buf_put(&answer, reader.data, reader.len);
            err = add_tags(look, scope, &answer, &last, &full);
        }
        more = more && last > before;
    }
    if (err == PS_OK && (more || full)) {
        set_next(look, last);
    }
    return err;
}

// --- inside a tag

static PsErr list_members(Look *look, const char *node, const Spot *spot) {
    const PsEipTemplate *found;
    uint32_t number = 0;
    PsErr err = take_after(look, &number);
    err = err != PS_OK ? err
                       : ps_eip_explore_template(&look->explorer, spot->type.template_id, &found,
                                                 look->diag);
    for (; err == PS_OK && found != NULL && number < found->count; number++) {
        const PsEipMember *member = &found->members[number];
        Spot inner = {.type = member->type, .access = spot->access};
        char address[NODE_SIZE];
        inner.type.system = false;
        inner.dimensions[0] = member->elements;
        if (member->name[0] == '\0' || is_hidden(member->name, &inner)) {
            continue;
        }
        if (look->browse->count == PS_BROWSE_NODES_MAX) {
            set_next(look, number);
            break;
        }
        snprintf(address, sizeof address, "%.250s.%.64s", node, member->name);
        err = add_spot(look, member->name, address, &inner);
    }
    return err;
}

static uint64_t count_elements(const Look *look, const Spot *spot) {
    uint64_t count = is_bit_array(look, spot) ? 32 : 1;
    for (unsigned i = 0; i < spot->type.dimensions && i < 3; i++) {
        count *= spot->dimensions[i];
    }
    return count;
}

static void name_element(const Spot *spot, uint64_t number, char *out, size_t size) {
    const uint32_t *d = spot->dimensions;
    unsigned long long n = number;
    switch (spot->type.dimensions) {
    case 3:
        snprintf(out, size, "[%llu,%llu,%llu]", n / d[2] / d[1], n / d[2] % d[1], n % d[2]);
        return;
    case 2:
        snprintf(out, size, "[%llu,%llu]", n / d[1], n % d[1]);
        return;
    default:
        snprintf(out, size, "[%llu]", n);
        return;
    }
}

static PsErr list_elements(Look *look, const char *node, const Spot *spot) {
    uint32_t number = 0;
    uint64_t count = count_elements(look, spot);
    PsErr err = take_after(look, &number);
    Spot element = *spot;
    element.type.dimensions = 0;
    if (is_bit_array(look, spot)) {
        element.type.code = PS_EIP_TYPE_BOOL;
    }
    for (; err == PS_OK && number < count; number++) {
        char name[48];
        char address[NODE_SIZE];
        if (look->browse->count == PS_BROWSE_NODES_MAX) {
            set_next(look, number);
            break;
        }
        name_element(spot, number, name, sizeof name);
        snprintf(address, sizeof address, "%.260s%s", node, name);
        err = add_spot(look, name, address, &element);
    }
    return err;
}

// --- the way to a node

static PsErr fail_node(const Look *look) {
    return ps_fail(PS_ERR_NOT_FOUND, look->diag, NULL, NULL,
                   "the controller has no '%.150s'; look one level higher", look->browse->node);
}

static PsErr step_into(Look *look, Spot *spot, const char *name, size_t len) {
    const PsEipTemplate *found = NULL;
    if (!spot->type.structure || spot->type.dimensions > 0) {
        return fail_node(look);
    }
    PsErr err =
        ps_eip_explore_template(&look->explorer, spot->type.template_id, &found, look->diag);
    for (uint32_t i = 0; err == PS_OK && found != NULL && i < found->count; i++) {
        const PsEipMember *member = &found->members[i];
        if (strlen(member->name) == len && strncasecmp(member->name, name, len) == 0) {
            spot->type = member->type;
            memset(spot->dimensions, 0, sizeof spot->dimensions);
            spot->dimensions[0] = member->elements;
            return PS_OK;
        }
    }
    return err != PS_OK ? err : fail_node(look);
}

// `at` is behind the scope: "Motor[2].Name". Each part is a name, and an index of an array.
static PsErr walk(Look *look, const char *scope, const char *at, Spot *spot) {
    for (bool first = true; *at != '\0'; first = false) {
        size_t len = strcspn(at, ".[");
        PsEipTag tag = {0};
        PsErr err = first ? ps_eip_explore_find(&look->explorer, scope, at, len, &tag, look->diag)
                          : step_into(look, spot, at, len);
        if (err != PS_OK) {
            return err;
        }
        if (first) {
            *spot = spot_of_tag(&tag);
        }
        at += len;
        if (*at == '[') {
            at += strcspn(at, "]");
            at += *at == ']' ? 1 : 0;
            if (is_bit_array(look, spot)) {
                spot->type.code = PS_EIP_TYPE_BOOL;
            }
            spot->type.dimensions = 0;
        }
        if (*at != '\0' && *at != '.') {
            return fail_node(look);
        }
        at += *at == '.' ? 1 : 0;
    }
    return PS_OK;
}

static PsErr list_inside(Look *look, const char *scope, const char *rest) {
    Spot spot = {0};
    PsErr err = walk(look, scope, rest, &spot);
    if (err != PS_OK) {
        return err;
    }
    if (spot.type.dimensions > 0) {
        return list_elements(look, look->browse->node, &spot);
    }
    return spot.type.structure ? list_members(look, look->browse->node, &spot) : PS_OK;
}

PsErr ps_eip_browse(PsEipSession *session, uint32_t device, PsBrowse *browse, PsDiag *diag) {
    Look look = {.explorer = {.session = session,
                              .arena = browse->arena,
                              .timeout_ns = ps_eip_timeout(session, device)},
                 .browse = browse,
                 .diag = diag};
    char scope[PS_EIP_NAME_MAX * 2] = "";
    const char *node = browse->node;
    browse->count = 0;
    browse->next = "";
    bool in_program = strncasecmp(node, PROGRAM, strlen(PROGRAM)) == 0;
    size_t scope_len = in_program ? strcspn(node, ".") : 0;
    if (scope_len >= sizeof scope || strlen(node) >= NODE_SIZE) {
        return fail_node(&look);
    }
    memcpy(scope, node, scope_len);
    scope[scope_len] = '\0';
    const char *rest = node[scope_len] == '.' ? node + scope_len + 1 : node + scope_len;
    PsErr err = *rest == '\0' ? list_tags(&look, scope) : list_inside(&look, scope, rest);
    ps_eip_explorer_deinit(&look.explorer);
    return err;
}
