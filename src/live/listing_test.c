// Pages of a list: filters, every order against a plain sort, and what 100,000 of them cost.
#include "live/listing.h"

#include "live/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MANY 100000

static PsDevice devices[] = {{.name = "Pumpe"}, {.name = "boiler"}, {.name = "Ofen"}};
static PsGroup groups[] = {{.name = "slow"}, {.name = "Fast"}};

typedef struct Plant {
    PsConfig config;
    PsCellReading *readings;
    char (*names)[32];
} Plant;

static PsCellReading read_plant(uint32_t variable, void *ctx) {
    return ((Plant *)ctx)->readings[variable];
}

static Plant *plant_of(uint32_t count) {
    Plant *plant = calloc(1, sizeof *plant);
    plant->config = (PsConfig){.devices = devices,
                               .device_count = PS_COUNT(devices),
                               .groups = groups,
                               .group_count = PS_COUNT(groups),
                               .variables = calloc(count, sizeof(PsVariable)),
                               .variable_count = count};
    plant->readings = calloc(count, sizeof *plant->readings);
    plant->names = calloc(count, sizeof *plant->names);
    uint32_t random = 7;
    for (uint32_t i = 0; i < count; i++) {
        random = random * 1664525U + 1013904223U;
        snprintf(plant->names[i], sizeof plant->names[i], "%sVariable_%05u", i % 3 ? "" : "x",
                 (unsigned)(random >> 8) % 90000);
        plant->config.variables[i] = (PsVariable){.name = plant->names[i],
                                                  .device_name = devices[i % 3].name,
                                                  .desc = i == 17 ? "K\xc3\x9c"
                                                                    "hlwasser"
                                                                  : "",
                                                  .device = i % 3,
                                                  .group = i % 2,
                                                  .data_type = (int)(i % 15),
                                                  .register_addr = 40001 + (int)(random >> 16),
                                                  .register_bit = PS_UNSET};
        plant->readings[i] = (PsCellReading){
            .value = i % 50 == 0   ? ps_value_none()
                     : i % 50 == 1 ? ps_value_text(plant->names[i], (uint32_t)(random >> 8) % 14)
                     : i % 50 == 2 ? ps_value_bool(true)
                                   : ps_value_float((double)(int)random / 1000),
            .quality = i % 10 == 3 ? PS_QUALITY_AWAY : PS_QUALITY_GOOD,
            .time = {(int64_t)(random >> 4)}};
    }
    return plant;
}

static void free_plant(Plant *plant) {
    free(plant->config.variables);
    free(plant->readings);
    free(plant->names);
    free(plant);
}

static uint32_t total(Plant *plant, const PsListingQuery *query) {
    PsListing listing;
    ps_listing_make(&plant->config, query, read_plant, plant, &listing);
    uint32_t result = listing.total;
    assert_true(listing.count <= query->limit);
    ps_listing_deinit(&listing);
    return result;
}

static void filters(void **state) {
    (void)state;
    Plant *plant = plant_of(300);
    assert_int_equal(total(plant, &(PsListingQuery){.limit = 5}), 300);
    assert_int_equal(total(plant, &(PsListingQuery){.device = "boiler", .limit = 5}), 100);
    assert_int_equal(total(plant, &(PsListingQuery){.device = "none", .limit = 5}), 0);
    assert_int_equal(total(plant, &(PsListingQuery){.group = "Fast", .limit = 5}), 150);
    assert_int_equal(total(plant, &(PsListingQuery){.quality = "bad", .limit = 5}), 30);
    assert_int_equal(total(plant, &(PsListingQuery){.quality = "device away", .limit = 5}), 30);
    assert_int_equal(total(plant, &(PsListingQuery){.quality = "good", .limit = 5}), 270);
    assert_int_equal(total(plant, &(PsListingQuery){.search = "XVAR", .limit = 5}), 100);
    assert_int_equal(total(plant, &(PsListingQuery){.search = "k\xc3\xbchl", .limit = 5}), 1);
    assert_int_equal(total(plant, &(PsListingQuery){.search = "OFEN", .limit = 5}), 100);
    assert_int_equal(total(plant, &(PsListingQuery){.search = "", .offset = 1000, .limit = 5}),
                     300);
    char address[16];
    snprintf(address, sizeof address, "%d", plant->config.variables[3].register_addr);
    assert_in_range(total(plant, &(PsListingQuery){.search = address, .limit = 5}), 1, 10);
    free_plant(plant);
}

// Places of each protocol: found as they are shown, in the order of their numbers or names.
static void places_are_found_and_sorted(void **state) {
    PsDevice plant_devices[] = {{.name = "S", .protocol = PS_PROTOCOL_ISO_ON_TCP},
                                {.name = "M", .protocol = PS_PROTOCOL_MODBUS_TCP},
                                {.name = "E", .protocol = PS_PROTOCOL_ETHERNET_IP},
                                {.name = "U", .protocol = PS_PROTOCOL_OPCUA}};
    PsVariable tags[] = {
        {.name = "a", .device = 3, .identifier = "Tank", .namespace_index = 2, .array_index = 3},
        {.name = "b", .device = 3, .identifier = "Tank", .namespace_index = 2, .array_index = 1},
        {.name = "c", .device = 2, .symbol = "Motor.Speed"},
        {.name = "d", .register_type = PS_S7_DB, .dbnumber = 6, .register_addr = 2},
        {.name = "e", .register_type = PS_S7_DB, .dbnumber = 5, .register_addr = 14},
        {.name = "f", .register_type = PS_S7_INPUTS, .register_addr = 99},
        {.name = "g", .device = 1, .register_addr = 40001, .register_bit = PS_UNSET},
        {.name = "h", .device = 1, .register_addr = 7, .register_bit = PS_UNSET},
    };
    Plant plant = {.config = {.devices = plant_devices,
                              .device_count = PS_COUNT(plant_devices),
                              .variables = tags,
                              .variable_count = PS_COUNT(tags)}};
    for (size_t i = 0; i < PS_COUNT(tags); i++) {
        tags[i].device_name = plant_devices[tags[i].device].name;
        tags[i].desc = "";
    }
    assert_int_equal(total(&plant, &(PsListingQuery){.search = "motor.", .limit = 9}), 1);
    assert_int_equal(total(&plant, &(PsListingQuery){.search = "tank", .limit = 9}), 2);
    assert_int_equal(total(&plant, &(PsListingQuery){.search = "db6.2", .limit = 9}), 1);
    assert_int_equal(total(&plant, &(PsListingQuery){.search = "00007", .limit = 9}), 1);
    assert_int_equal(total(&plant, &(PsListingQuery){.search = "DB", .limit = 9}), 0);
    PsListing listing;
    ps_listing_make(&plant.config, &(PsListingQuery){.sort = PS_SORT_ADDRESS, .limit = 9},
                    read_plant, &plant, &listing);
    char order[16] = "";
    for (uint32_t i = 0; i < listing.count; i++) {
        order[i] = tags[listing.items[i]].name[0];
    }
    assert_string_equal(order, "hgfedcba");
    ps_listing_deinit(&listing);
}

static int class_of(PsValue value) {
    return value.kind == PS_VALUE_NONE ? 0 : value.kind == PS_VALUE_TEXT ? 2 : 1;
}

static double number_of(PsValue value) {
    return value.kind == PS_VALUE_BOOL ? 1 : value.kind == PS_VALUE_FLOAT ? value.number : 0;
}

// Whole lists page by page, each row not before the one before it.
static int compare(Plant *plant, PsListingSort sort, uint32_t a, uint32_t b) {
    const PsVariable *left = &plant->config.variables[a];
    const PsVariable *right = &plant->config.variables[b];
    const PsCellReading *x = &plant->readings[a];
    const PsCellReading *y = &plant->readings[b];
    switch (sort) {
    case PS_SORT_NAME:
        return ps_search_compare(left->name, right->name);
    case PS_SORT_DEVICE:
        return ps_search_compare(left->device_name, right->device_name);
    case PS_SORT_GROUP:
        return ps_search_compare(groups[left->group].name, groups[right->group].name);
    case PS_SORT_TYPE:
        return ps_search_compare(ps_data_type_name(left->data_type),
                                 ps_data_type_name(right->data_type));
    case PS_SORT_ADDRESS:
        return left->register_addr - right->register_addr;
    case PS_SORT_TIME:
        return (x->time.ns > y->time.ns) - (x->time.ns < y->time.ns);
    case PS_SORT_QUALITY:
        return (int)x->quality - (int)y->quality;
    case PS_SORT_VALUE:
        if (class_of(x->value) != class_of(y->value)) {
            return class_of(x->value) - class_of(y->value);
        }
        if (x->value.kind == PS_VALUE_TEXT) {
            char a_text[32];
            char b_text[32];
            ps_value_format(x->value, a_text, sizeof a_text);
            ps_value_format(y->value, b_text, sizeof b_text);
            return strcmp(a_text, b_text);
        }
        return (number_of(x->value) > number_of(y->value)) -
               (number_of(x->value) < number_of(y->value));
    case PS_SORT_NONE:
        break;
    }
    return 0;
}

static void orders(void **state) {
    (void)state;
    Plant *plant = plant_of(1000);
    bool seen[1000];
    for (int sort = PS_SORT_NONE; sort <= PS_SORT_QUALITY; sort++) {
        for (int descending = 0; descending < 2; descending++) {
            uint32_t before = UINT32_MAX;
            memset(seen, 0, sizeof seen);
            for (uint32_t offset = 0; offset < 1000; offset += 70) {
                PsListingQuery query = {.sort = (PsListingSort)sort,
                                        .descending = descending != 0,
                                        .offset = offset,
                                        .limit = 70};
                PsListing listing;
                ps_listing_make(&plant->config, &query, read_plant, plant, &listing);
                for (uint32_t i = 0; i < listing.count; i++) {
                    uint32_t item = listing.items[i];
                    int order = before == UINT32_MAX
                                    ? -1
                                    : compare(plant, (PsListingSort)sort, before, item);
                    assert_true(descending ? order >= 0 || before == UINT32_MAX : order <= 0);
                    assert_true(order != 0 || before < item); // stable
                    assert_false(seen[item]);
                    seen[item] = true;
                    before = item;
                }
                ps_listing_deinit(&listing);
            }
            assert_null(memchr(seen, 0, sizeof seen));
        }
    }
    free_plant(plant);
}

static void words_of_orders(void **state) {
    (void)state;
    PsListingSort sort;
    bool descending;
    assert_int_equal(ps_listing_sort_of("-value", &sort, &descending), PS_OK);
    assert_true(sort == PS_SORT_VALUE && descending);
    assert_int_equal(ps_listing_sort_of(NULL, &sort, &descending), PS_OK);
    assert_true(sort == PS_SORT_NONE && !descending);
    assert_int_equal(ps_listing_sort_of("size", &sort, &descending), PS_ERR_INVALID);
}

static void searching(void **state) {
    (void)state;
    PsSearch search;
    ps_search_init(&search, "\xc3\x84\xd0\x96"); // A umlaut, Zhe
    assert_true(ps_search_finds(&search, "x\xc3\xa4\xd0\xb6y"));
    assert_false(ps_search_finds(&search, "x\xc3\xa4\xd0\xb7y"));
    ps_search_init(&search, "\x84"); // a part of a letter is none
    assert_false(ps_search_finds(&search, "\xc3\x84"));
    assert_true(ps_search_finds(&search, "\xff\x84"));
    assert_int_equal(ps_search_compare("abc", "ABD") < 0, 1);
    assert_int_equal(ps_search_compare("ab", "ABC") < 0, 1);
    assert_int_equal(ps_search_compare("\xc3\x9c", "\xc3\xbc"), 0);
    char longer[1000];
    memset(longer, 'A', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ps_search_init(&search, longer);
    assert_in_range(search.len, PS_SEARCH_MAX - 2, PS_SEARCH_MAX);
    assert_true(ps_search_finds(&search, longer));
}

static double cpu_ms(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

// The main loop waits for this. In processor time, which what else runs does not lengthen; the
// bound is loose for slow machines; the figure is printed.
static void of_many(void **state) {
    (void)state;
    Plant *plant = plant_of(MANY);
    for (int sort = PS_SORT_NONE; sort <= PS_SORT_QUALITY; sort++) {
        PsListingQuery query = {.sort = (PsListingSort)sort, .offset = MANY / 2, .limit = 50};
        double begin = cpu_ms();
        assert_int_equal(total(plant, &query), MANY);
        double ms = cpu_ms() - begin;
        query.search = "variable_0001";
        begin = cpu_ms();
        (void)total(plant, &query);
        double search_ms = cpu_ms() - begin;
        print_message("order %d: %.1f ms, searched %.1f ms\n", sort, ms, search_ms);
        assert_true(ms < 2000 && search_ms < 2000);
    }
    free_plant(plant);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),
        cmocka_unit_test(orders),
        cmocka_unit_test(words_of_orders),
        cmocka_unit_test(searching),
        cmocka_unit_test(places_are_found_and_sorted),
        cmocka_unit_test(of_many),
    };
    return cmocka_run_group_tests_name("live/listing", tests, NULL, NULL);
}
