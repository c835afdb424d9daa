// One pass that filters and takes keys, then a selection of the page, then a sort of the page
// alone. Keys are numbers as far as possible; texts are compared where numbers are equal. Pure.
#include "live/listing.h"

#include "base/mem.h"
#include "live/search.h"
#include "model/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Row {
    uint64_t key;
    uint32_t variable;
} Row;

typedef struct Pass {
    const PsConfig *config;
    const PsListingQuery *query;
    PsCellRead *read;
    void *ctx;
    PsSearch search;
    bool numbered;   // it may be part of an address that is made of numbers
    uint32_t device; // UINT32_MAX: none of that name, or all
    uint32_t group;
    uint32_t *ranks; // of devices, groups or types
    Row *rows;
    uint32_t count;
    uint32_t random;
} Pass;

static const struct {
    const char *name;
    PsListingSort sort;
} sorts[] = {
    {"name", PS_SORT_NAME}, {"device", PS_SORT_DEVICE},   {"group", PS_SORT_GROUP},
    {"type", PS_SORT_TYPE}, {"address", PS_SORT_ADDRESS}, {"value", PS_SORT_VALUE},
    {"time", PS_SORT_TIME}, {"quality", PS_SORT_QUALITY},
};

PsErr ps_listing_sort_of(const char *text, PsListingSort *ret_sort, bool *ret_descending) {
    *ret_sort = PS_SORT_NONE;
    *ret_descending = text != NULL && text[0] == '-';
    if (text == NULL) {
        return PS_OK;
    }
    for (size_t i = 0; i < PS_COUNT(sorts); i++) {
        if (strcmp(sorts[i].name, text + (*ret_descending ? 1 : 0)) == 0) {
            *ret_sort = sorts[i].sort;
            return PS_OK;
        }
    }
    return PS_ERR_INVALID;
}

// --- which ones ---------------------------------------------------------------------------------

static bool matches_quality(const char *wanted, PsQuality quality) {
    if (strcmp(wanted, "bad") == 0) {
        return quality != PS_QUALITY_GOOD;
    }
    return strcmp(wanted, ps_quality_name(quality)) == 0;
}

// Of a tag or node; "" for places that are numbers.
static const char *name_of_place(const PsVariable *variable) {
    bool tag = variable->symbol != NULL && variable->symbol[0] != '\0';
    return tag ? variable->symbol : variable->identifier != NULL ? variable->identifier : "";
}

static bool matches_text(const Pass *pass, const PsVariable *variable) {
    if (ps_search_finds(&pass->search, variable->name) ||
        ps_search_finds(&pass->search, variable->desc) ||
        ps_search_finds(&pass->search, variable->device_name)) {
        return true;
    }
    if (ps_search_finds(&pass->search, name_of_place(variable))) {
        return true;
    }
    if (!pass->numbered) {
        return false;
    }
    char address[PS_ADDRESS_SIZE];
    ps_variable_address(pass->config->devices[variable->device].protocol, variable, address,
                        sizeof address);
    return ps_search_finds(&pass->search, address);
}

static bool matches(const Pass *pass, uint32_t number) {
    const PsVariable *variable = &pass->config->variables[number];
    const PsListingQuery *query = pass->query;
    return (query->device == NULL || variable->device == pass->device) &&
           (query->group == NULL || variable->group == pass->group) &&
           (pass->search.len == 0 || matches_text(pass, variable)) &&
           (query->quality == NULL ||
            matches_quality(query->quality, pass->read(number, pass->ctx).quality));
}

// --- keys ---------------------------------------------------------------------------------------

// Doubles in the order of their values, as unsigned numbers; 1 and up.
static uint64_t key_of_double(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint64_t sign = UINT64_C(1) << 63;
    return bits & sign ? ~bits : bits | sign;
}

// The first six bytes, small letters: order among texts that differ there.
static uint64_t key_of_text(const char *text, size_t len) {
    uint64_t key = 0;
    for (size_t i = 0; i < 6; i++) {
        uint8_t byte = i < len ? (uint8_t)text[i] : 0;
        byte = byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
        key = key << 8 | byte;
    }
    return key;
}

// Behind all numbers: that of the largest, infinity, is 0xfff0 and zeros.
#define KEY_OF_TEXTS (UINT64_C(0xfff8) << 48)

// None, then numbers, then texts.
static uint64_t key_of_value(PsValue value) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        return key_of_double(value.boolean ? 1 : 0);
    case PS_VALUE_INT:
        return key_of_double((double)value.integer);
    case PS_VALUE_UINT:
        return key_of_double((double)value.unsigned_integer);
    case PS_VALUE_FLOAT:
        return value.number == value.number ? key_of_double(value.number) : 1;
    case PS_VALUE_TEXT:
        return KEY_OF_TEXTS | key_of_text(value.text, value.text_len);
    case PS_VALUE_NONE:
        break;
    }
    return 0;
}

static uint64_t key_of_time(PsWall time) {
    return time.ns > 0 ? (uint64_t)time.ns : 0;
}

// Numbers by area and number; behind them the names of tags and nodes, which compare_rest puts in
// order.
#define KEY_OF_NAMED (UINT64_C(1) << 63)

static uint64_t key_of_address(const Pass *pass, const PsVariable *variable) {
    int protocol = pass->config->devices[variable->device].protocol;
    uint64_t place = (uint64_t)(uint32_t)variable->register_addr << 8;
    place |= (uint8_t)(variable->register_bit + 1);
    switch (protocol) {
    case PS_PROTOCOL_ISO_ON_TCP:
        return place | (uint64_t)variable->dbnumber << 40 |
               (uint64_t)(uint8_t)(variable->register_type + 1) << 56;
    case PS_PROTOCOL_OPCUA:
    case PS_PROTOCOL_ETHERNET_IP:
    case PS_PROTOCOL_SIMULATOR:
        return KEY_OF_NAMED | variable->namespace_index;
    default:
        return place;
    }
}

static uint64_t key_of(const Pass *pass, uint32_t number) {
    const PsVariable *variable = &pass->config->variables[number];
    switch (pass->query->sort) {
    case PS_SORT_NAME:
        return 0; // names begin alike; all of them are compared
    case PS_SORT_DEVICE:
        return pass->ranks[variable->device];
    case PS_SORT_GROUP:
        return pass->ranks[variable->group];
    case PS_SORT_TYPE:
        return pass->ranks[variable->data_type];
    case PS_SORT_ADDRESS:
        return key_of_address(pass, variable);
    case PS_SORT_VALUE:
        return key_of_value(pass->read(number, pass->ctx).value);
    case PS_SORT_TIME:
        return key_of_time(pass->read(number, pass->ctx).time);
    case PS_SORT_QUALITY:
        return (uint64_t)pass->read(number, pass->ctx).quality;
    case PS_SORT_NONE:
        break;
    }
    return 0;
}

// --- order --------------------------------------------------------------------------------------

static int compare_texts(PsValue a, PsValue b) {
    size_t common = a.text_len < b.text_len ? a.text_len : b.text_len;
    int order = common > 0 ? memcmp(a.text, b.text, common) : 0;
    return order != 0 ? order : (a.text_len > b.text_len) - (a.text_len < b.text_len);
}

// Where the keys are equal.
static int compare_rest(const Pass *pass, uint64_t key, uint32_t a, uint32_t b) {
    if (pass->query->sort == PS_SORT_NAME) {
        return ps_search_compare(pass->config->variables[a].name, pass->config->variables[b].name);
    }
    if (pass->query->sort == PS_SORT_ADDRESS && key >= KEY_OF_NAMED) {
        const PsVariable *left = &pass->config->variables[a];
        const PsVariable *right = &pass->config->variables[b];
        int order = ps_search_compare(name_of_place(left), name_of_place(right));
        return order != 0 ? order : left->array_index - right->array_index;
    }
    if (pass->query->sort == PS_SORT_VALUE && key >= KEY_OF_TEXTS) {
        PsValue left = pass->read(a, pass->ctx).value;
        PsValue right = pass->read(b, pass->ctx).value;
        return left.kind == PS_VALUE_TEXT && right.kind == PS_VALUE_TEXT
                   ? compare_texts(left, right)
                   : 0;
    }
    return 0;
}

static int compare_rows(const void *left, const void *right, void *ctx) {
    const Pass *pass = ctx;
    const Row *a = left;
    const Row *b = right;
    int order = a->key != b->key ? (a->key < b->key ? -1 : 1)
                                 : compare_rest(pass, a->key, a->variable, b->variable);
    if (order == 0) { // so no two rows are equal
        return (a->variable > b->variable) - (a->variable < b->variable);
    }
    return pass->query->descending ? -order : order;
}

static void swap_rows(Row *a, Row *b) {
    Row kept = *a;
    *a = *b;
    *b = kept;
}

static uint32_t random_up_to(Pass *pass, uint32_t count) {
    pass->random = pass->random * 1664525U + 1013904223U;
    return (uint32_t)((uint64_t)pass->random * count >> 32);
}

// Brings the row that belongs to place `wanted` there, smaller ones before, larger ones behind it
// (Hoare's FIND). The element it goes by is random, so that no order of names is a bad one.
static void select_place(Pass *pass, uint32_t first, uint32_t end, uint32_t wanted) {
    while (end - first > 1) {
        Row middle = pass->rows[first + random_up_to(pass, end - first)];
        uint32_t low = first;
        uint32_t high = end - 1;
        while (true) {
            while (compare_rows(&pass->rows[low], &middle, pass) < 0) {
                low++;
            }
            while (compare_rows(&middle, &pass->rows[high], pass) < 0) {
                high--;
            }
            if (low >= high) {
                break;
            }
            swap_rows(&pass->rows[low], &pass->rows[high]);
        }
        if (low == wanted) {
            return;
        }
        first = low < wanted ? low + 1 : first;
        end = low < wanted ? end : low;
    }
}

// --- ranks --------------------------------------------------------------------------------------

typedef const char *NameOf(const PsConfig *config, uint32_t number);

static const char *device_name(const PsConfig *config, uint32_t number) {
    return config->devices[number].name;
}

static const char *group_name(const PsConfig *config, uint32_t number) {
    return config->groups[number].name;
}

static const char *type_name(const PsConfig *config, uint32_t number) {
    (void)config;
    return ps_data_type_name((int)number);
}

typedef struct Ranked {
    const char *name;
    uint32_t number;
} Ranked;

static int compare_ranked(const void *left, const void *right) {
    const Ranked *a = left;
    const Ranked *b = right;
    int order = ps_search_compare(a->name, b->name);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static uint32_t *ranks_of(const PsConfig *config, uint32_t count, NameOf *name_of) {
    uint32_t *ranks = ps_alloc_array(count + 1, sizeof *ranks);
    Ranked *order = ps_alloc_array(count + 1, sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = (Ranked){name_of(config, i), i};
    }
    qsort(order, count, sizeof *order, compare_ranked);
    for (uint32_t i = 0; i < count; i++) {
        ranks[order[i].number] = i;
    }
    free(order);
    return ranks;
}

static uint32_t *make_ranks(const Pass *pass) {
    const PsConfig *config = pass->config;
    switch (pass->query->sort) {
    case PS_SORT_DEVICE:
        return ranks_of(config, config->device_count, device_name);
    case PS_SORT_GROUP:
        return ranks_of(config, config->group_count, group_name);
    case PS_SORT_TYPE:
        return ranks_of(config, PS_TYPE_AUTO + 1, type_name);
    default:
        return NULL;
    }
}

// --- the page -----------------------------------------------------------------------------------

static uint32_t find(const PsConfig *config, uint32_t count, NameOf *name_of, const char *name) {
    for (uint32_t i = 0; name != NULL && i < count; i++) {
        if (strcmp(name_of(config, i), name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void prepare(Pass *pass) {
    const PsConfig *config = pass->config;
    const char *search = pass->query->search;
    ps_search_init(&pass->search, search);
    // "40003.1", "DB6.14": what a name alone could be is not worth making every address.
    pass->numbered = search != NULL && strpbrk(search, "0123456789") != NULL &&
                     strspn(search, "0123456789.DBIQMdbiqm") == strlen(search);
    pass->device = find(config, config->device_count, device_name, pass->query->device);
    pass->group = find(config, config->group_count, group_name, pass->query->group);
    pass->ranks = make_ranks(pass);
    pass->rows = ps_alloc_array(config->variable_count + 1, sizeof *pass->rows);
}

static void take_page(Pass *pass, PsListing *listing) {
    uint32_t begin = pass->query->offset < pass->count ? pass->query->offset : pass->count;
    uint32_t left = pass->count - begin;
    uint32_t end = begin + (pass->query->limit < left ? pass->query->limit : left);
    if (pass->query->sort != PS_SORT_NONE && begin < end) {
        select_place(pass, 0, pass->count, begin);
        select_place(pass, begin, pass->count, end - 1);
        qsort_r(pass->rows + begin, end - begin, sizeof *pass->rows, compare_rows, pass);
    }
    listing->total = pass->count;
    listing->count = end - begin;
    listing->items = ps_alloc_array(listing->count + 1, sizeof *listing->items);
    for (uint32_t i = 0; i < listing->count; i++) {
        listing->items[i] = pass->rows[begin + i].variable;
    }
}

void ps_listing_make(const PsConfig *config, const PsListingQuery *query, PsCellRead *read,
                     void *ctx, PsListing *ret_listing) {
    Pass pass = {.config = config, .query = query, .read = read, .ctx = ctx, .random = 1};
    prepare(&pass);
    for (uint32_t i = 0; i < config->variable_count; i++) {
        if (matches(&pass, i)) {
            pass.rows[pass.count++] = (Row){key_of(&pass, i), i};
        }
    }
    take_page(&pass, ret_listing);
    free(pass.rows);
    free(pass.ranks);
}

void ps_listing_deinit(PsListing *listing) {
    free(listing->items);
    *listing = (PsListing){0};
}
