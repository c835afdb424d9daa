// Properties of every configuration, tried on random ones made from the option tables, so that a
// new option is tried without a word here: what is written is read again as the same, and a damaged
// file is refused with its place or was not damaged in what it says. Pure; scripts are in a
// temporary folder.
#include "base/file.h"
#include "base/mem.h"
#include "model/config.h"
#include "model/config_map.h"
#include "model/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define ROUNDS 300
#define DAMAGES 40

static char folder[] = "/tmp/penstock-property-XXXXXX";
static const char *const files[] = {"script.py", "cert.pem", "key.pem",
                                    "ca.pem",    "user.key", "user.password"};

static int make_folder(void **state) {
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(ps_file_write(path, "x = 1\n", 6, 0600, NULL), PS_OK);
    }
    return 0;
}

static int remove_folder(void **state) {
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    return rmdir(folder);
}

// --- random configurations ---------------------------------------------------------------------

// A small generator, so that a failing round can be repeated.
typedef struct Dice {
    uint64_t state;
} Dice;

static uint32_t roll(Dice *dice, uint32_t sides) {
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice->state >> 33) % sides; // Knuth's MMIX multiplier
}

static const char *const letters[] = {"a",
                                      "B",
                                      "7",
                                      " ",
                                      ",",
                                      ";",
                                      "\"",
                                      "\\",
                                      "'",
                                      "=",
                                      "$",
                                      "{",
                                      "}",
                                      "/",
                                      "-",
                                      "_",
                                      "\xc3\xa4",
                                      "\xe6\xb8\xa9",
                                      "\xf0\x9f\x92\xa7"};

static json_t *random_text(Dice *dice, double min, double max) {
    char text[64] = "";
    uint32_t count = roll(dice, 9);
    for (uint32_t i = 0; i < count || (double)strlen(text) < min; i++) {
        const char *letter = letters[roll(dice, PS_COUNT(letters))];
        if ((double)(strlen(text) + strlen(letter)) > max) {
            break;
        }
        memcpy(text + strlen(text), letter, strlen(letter) + 1);
    }
    return json_string(text);
}

static double random_number(Dice *dice, double min, double max) {
    switch (roll(dice, 4)) {
    case 0:
        return min;
    case 1:
        return max;
    default:
        return min + (max - min) * roll(dice, 1001) / 1000;
    }
}

static json_t *random_value(Dice *dice, const PsOption *option) {
    switch (option->type) {
    case PS_OPTION_INT:
        return json_integer((json_int_t)random_number(dice, option->min, option->max));
    case PS_OPTION_NUMBER:
        return json_real(random_number(dice, option->min, option->max));
    case PS_OPTION_BOOL:
        return json_boolean(roll(dice, 2));
    case PS_OPTION_WORD:
        return json_string(option->words->items[roll(dice, (uint32_t)option->words->count)]);
    case PS_OPTION_TEXT:
        return random_text(dice, option->min, option->max);
    case PS_OPTION_PATH:
    case PS_OPTION_TEXTS:
        return NULL;
    }
    return NULL;
}

static json_t *random_object(Dice *dice, const PsOptionTable *table) {
    json_t *object = json_object();
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        json_t *value = option->required || roll(dice, 2) == 0 ? random_value(dice, option) : NULL;
        if (value != NULL) {
            json_object_set_new(object, option->key, value);
        }
    }
    return object;
}

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, json_string(text));
}

static const char *name_of(json_t *list, uint32_t index, const char *key) {
    return json_string_value(json_object_get(json_array_get(list, index), key));
}

// A name nothing else has: a random one with its number.
static void name(Dice *dice, json_t *object, const char *key, size_t number) {
    char text[80];
    json_t *random = random_text(dice, 0, 40);
    snprintf(text, sizeof text, "%s%zu", json_string_value(random), number);
    json_decref(random);
    set_text(object, key, text);
}

static json_t *make_groups(Dice *dice) {
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 4) + 2; i < count; i++) {
        json_t *group = random_object(dice, &ps_table_group);
        name(dice, group, "group_name", i);
        set_text(group, "group_type", i == 0 ? "alarm" : "collect");
        json_array_append_new(list, group);
    }
    return list;
}

static json_t *make_serials(Dice *dice) {
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 3) + 1; i < count; i++) {
        char text[32];
        json_t *serial = random_object(dice, &ps_table_serial);
        snprintf(text, sizeof text, "port %u", i);
        set_text(serial, "name", text);
        snprintf(text, sizeof text, "/dev/%u", i);
        set_text(serial, "path", text);
        json_object_set_new(serial, "baud_rate", json_integer(roll(dice, 2) ? 9600 : 115200));
        json_object_set_new(serial, "data_bits", json_integer(8));
        json_array_append_new(list, serial);
    }
    return list;
}

static int protocol_of(json_t *device) {
    const char *name = json_string_value(json_object_get(device, "protocol"));
    for (int i = 0; i <= PS_PROTOCOL_SIMULATOR; i++) {
        if (strcmp(ps_protocol_name(i), name) == 0) {
            return i;
        }
    }
    fail_msg("'%s' is no protocol", name);
    return PS_UNSET;
}

// What belongs to other protocols is no use.
static void drop_foreign(json_t *object, const PsOptionTable *table, int protocol) {
    for (size_t i = 0; i < table->count; i++) {
        if (!ps_option_is_for(&table->options[i], protocol)) {
            json_object_del(object, table->options[i].key);
        }
    }
}

// What has a form of its own, or goes with other keys.
static void give_forms(Dice *dice, json_t *device) {
    static const char *const forms[][4] = {{"client_tsap", "10.00", "02.00", "4d.57"},
                                           {"server_tsap", "03.01", "02.01", "FF.1"},
                                           {"route", "none", "1,0", "1,0,2,192.168.1.5"}};
    for (size_t i = 0; i < PS_COUNT(forms); i++) {
        if (json_object_get(device, forms[i][0]) != NULL) {
            set_text(device, forms[i][0], forms[i][1 + roll(dice, 3)]);
        }
    }
    if (protocol_of(device) != PS_PROTOCOL_OPCUA) {
        return;
    }
    if (roll(dice, 2) == 0) {
        json_object_del(device, "ip");
        json_object_del(device, "port");
        set_text(device, "url", roll(dice, 2) ? "opc.tcp://plc:4841/a b" : "opc.tcp://[fe80::1]");
    } else {
        json_object_del(device, "url");
    }
    bool plain = roll(dice, 2) == 0;
    set_text(device, "security_policy", plain ? "None" : "Basic256Sha256");
    set_text(device, "security_mode", plain ? "None" : "Sign");
    set_text(device, "username", "operator");
    set_text(device, "password_file", "user.password");
    set_text(device, "cert", "cert.pem");
    set_text(device, "key", "user.key");
    if (plain) {
        set_text(device, "auth", roll(dice, 2) ? "Anonymous" : "Username/Password");
    }
}

// Reached in one way: behind a serial port or by ip.
static void give_way(Dice *dice, json_t *device, json_t *serials) {
    bool may_serial =
        strcmp(json_string_value(json_object_get(device, "protocol")), "ModbusRTU") == 0;
    bool serial = may_serial && roll(dice, 2) == 0;
    json_object_del(device, serial ? "ip" : "serial");
    if (serial) {
        uint32_t port = roll(dice, (uint32_t)json_array_size(serials));
        set_text(device, "serial", name_of(serials, port, "name"));
    } else {
        json_object_set_new(device, "ip", random_text(dice, 1, 253));
    }
}

static json_t *make_devices(Dice *dice, json_t *groups, json_t *serials) {
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 4) + 1; i < count; i++) {
        json_t *device = random_object(dice, &ps_table_device);
        name(dice, device, "device_name", i);
        give_way(dice, device, serials);
        drop_foreign(device, &ps_table_device, protocol_of(device));
        give_forms(dice, device);
        set_text(device, "comm_alarm_group",
                 roll(dice, 2) ? name_of(groups, 0, "group_name") : "warning");
        json_array_append_new(list, device);
    }
    return list;
}

static json_t *make_variables(Dice *dice, json_t *devices, json_t *groups) {
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 12) + 1; i < count; i++) {
        json_t *variable = random_object(dice, &ps_table_variable);
        uint32_t device = roll(dice, (uint32_t)json_array_size(devices));
        name(dice, variable, "var_name", i);
        set_text(variable, "device", name_of(devices, device, "device_name"));
        drop_foreign(variable, &ps_table_variable, protocol_of(json_array_get(devices, device)));
        uint32_t group = 1 + roll(dice, (uint32_t)json_array_size(groups) - 1);
        set_text(variable, "group", name_of(groups, group, "group_name"));
        json_array_append_new(list, variable);
    }
    return list;
}

static int protocol_of_device(json_t *devices, const char *wanted) {
    for (uint32_t i = 0; i < json_array_size(devices); i++) {
        if (strcmp(name_of(devices, i, "device_name"), wanted) == 0) {
            return protocol_of(json_array_get(devices, i));
        }
    }
    return PS_UNSET;
}

static json_t *make_alarms(Dice *dice, json_t *variables, json_t *devices, json_t *groups) {
    static const char *const numeric[] = {"WORD", "INT", "FLOAT", "DINT", "BYTE"};
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 4); i < count; i++) {
        json_t *alarm = random_object(dice, &ps_table_alarm);
        name(dice, alarm, "warn_name", i);
        set_text(alarm, "group", roll(dice, 2) ? name_of(groups, 0, "group_name") : "warning");
        uint32_t variable = roll(dice, (uint32_t)json_array_size(variables));
        set_text(alarm, "device", name_of(variables, variable, "device"));
        json_object_set_new(alarm, "quotes", json_integer(0));
        set_text(alarm, "data_type", numeric[roll(dice, PS_COUNT(numeric))]);
        json_object_set_new(alarm, "register_addr", json_integer(40001 + roll(dice, 100)));
        set_text(alarm, "symbol", "Tag[3]");
        set_text(alarm, "identifier", "ns=2;s=Tank");
        drop_foreign(alarm, &ps_table_alarm,
                     protocol_of_device(devices, name_of(variables, variable, "device")));
        for (int n = 1; n <= 2; n++) {
            char key[32];
            char operand[16];
            snprintf(key, sizeof key, "operand%d", n);
            snprintf(operand, sizeof operand, "%d", (int)roll(dice, 200) - 100);
            set_text(alarm, key, operand);
            snprintf(key, sizeof key, "condition%d", n);
            set_text(alarm, key, roll(dice, 2) ? "Gt" : "Lne");
        }
        json_array_append_new(list, alarm);
    }
    return list;
}

static void make_message(Dice *dice, json_t *message, size_t number) {
    name(dice, message, "name", number);
    set_text(message, "script", "script.py");
    set_text(message, "topic", roll(dice, 2) ? "a/${p}/c" : "t/1");
    json_object_del(message, "gap_topic");
    json_object_del(message, "pack_kib");
    json_object_set_new(message, "qos", json_integer(roll(dice, 2)));
}

static json_t *make_publish(Dice *dice, json_t *groups) {
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 4); i < count; i++) {
        json_t *publish = random_object(dice, &ps_table_publish);
        make_message(dice, publish, i);
        bool alarms = roll(dice, 4) == 0;
        set_text(publish, "group_type", alarms ? "alarm" : "collect");
        json_t *names = json_array();
        for (size_t g = 1; !alarms && g < json_array_size(groups); g++) {
            if (g == 1 || roll(dice, 2)) {
                json_array_append(names, json_object_get(json_array_get(groups, g), "group_name"));
            }
        }
        if (alarms) {
            json_array_append_new(names, json_string("warning"));
        }
        json_object_set_new(publish, "groups", names);
        json_array_append_new(list, publish);
    }
    return list;
}

static json_t *make_subscribe(Dice *dice) {
    json_t *list = json_array();
    for (uint32_t i = 0, count = roll(dice, 3); i < count; i++) {
        json_t *subscribe = random_object(dice, &ps_table_subscribe);
        make_message(dice, subscribe, 100 + i);
        json_array_append_new(list, subscribe);
    }
    return list;
}

static json_t *make_cloud(Dice *dice) {
    json_t *cloud = random_object(dice, &ps_table_cloud);
    set_text(cloud, "endpoint", "broker.example");
    set_text(cloud, "client_id", "gateway \xc3\xa4");
    set_text(cloud, "cert", "cert.pem");
    set_text(cloud, "key", "key.pem");
    set_text(cloud, "root_ca", "ca.pem");
    return cloud;
}

static json_t *make_parameters(Dice *dice) {
    json_t *parameters = random_object(dice, &ps_table_parameters);
    json_object_set_new(parameters, "max_loss_s", json_integer(roll(dice, 2) * 10));
    json_t *custom = json_object();
    set_text(custom, "p", "x");
    json_t *value = random_text(dice, 0, 40);
    json_object_set_new(custom, "q 1", value);
    json_object_set_new(parameters, "custom", custom);
    return parameters;
}

static json_t *make_web(Dice *dice) {
    json_t *web = random_object(dice, &ps_table_web);
    set_text(web, "address", roll(dice, 2) ? "127.0.0.1" : "::");
    set_text(web, "cert", "cert.pem");
    set_text(web, "key", "key.pem");
    return web;
}

// Freed by the caller.
static char *make_text(Dice *dice) {
    json_t *root = json_object();
    json_t *groups = make_groups(dice);
    json_t *serials = make_serials(dice);
    json_t *devices = make_devices(dice, groups, serials);
    json_t *variables = make_variables(dice, devices, groups);
    json_object_set_new(root, "version", json_integer(PS_CONFIG_VERSION));
    json_object_set_new(root, "warning", make_alarms(dice, variables, devices, groups));
    json_object_set_new(root, "publish", make_publish(dice, groups));
    json_object_set_new(root, "subscribe", make_subscribe(dice));
    json_object_set_new(root, "cloud", make_cloud(dice));
    json_object_set_new(root, "parameters", make_parameters(dice));
    json_object_set_new(root, "web", make_web(dice));
    json_object_set_new(root, "groups", groups);
    json_object_set_new(root, "serial", serials);
    json_object_set_new(root, "devices", devices);
    json_object_set_new(root, "vars", variables);
    char *text = json_dumps(root, roll(dice, 2) ? JSON_INDENT(1) : JSON_COMPACT);
    json_decref(root);
    assert_non_null(text);
    return text;
}

// --- what holds for all of them ----------------------------------------------------------------

static PsConfig *parse(const char *text, size_t len, PsFindings *findings) {
    PsConfig *config = NULL;
    PsErr err = ps_config_parse(folder, text, len, NULL, findings, &config);
    assert_int_equal(err == PS_OK, config != NULL);
    assert_int_equal(err == PS_OK, findings->errors == 0);
    return config;
}

static PsConfig *parse_sound(const char *text) {
    PsFindings findings = {0};
    PsConfig *config = parse(text, strlen(text), &findings);
    for (size_t i = 0; config == NULL && i < findings.count; i++) {
        char line[512];
        ps_finding_format(&findings.items[i], line, sizeof line);
        print_error("%s\n", line);
    }
    if (config == NULL) {
        fail_msg("refused: %s", text);
    }
    ps_findings_deinit(&findings);
    return config;
}

static void assert_same_list(const PsOptionTable *table, const void *a, uint32_t a_count,
                             const void *b, uint32_t b_count, size_t size) {
    assert_int_equal(a_count, b_count);
    for (uint32_t i = 0; i < a_count; i++) {
        assert_true(
            ps_option_all_equal(table, (const char *)a + i * size, (const char *)b + i * size));
    }
}

#define ASSERT_SAME(table, a, b, list, count)                                                      \
    assert_same_list(&ps_table_##table, (a)->list, (a)->count, (b)->list, (b)->count,              \
                     sizeof *(a)->list)

static void assert_same(const PsConfig *a, const PsConfig *b) {
    ASSERT_SAME(device, a, b, devices, device_count);
    ASSERT_SAME(variable, a, b, variables, variable_count);
    ASSERT_SAME(group, a, b, groups, group_count);
    ASSERT_SAME(alarm, a, b, alarms, alarm_count);
    ASSERT_SAME(publish, a, b, publish, publish_count);
    ASSERT_SAME(subscribe, a, b, subscribe, subscribe_count);
    ASSERT_SAME(serial, a, b, serials, serial_count);
    assert_true(ps_option_all_equal(&ps_table_cloud, &a->cloud, &b->cloud));
    assert_true(ps_option_all_equal(&ps_table_parameters, &a->parameters, &b->parameters));
    assert_true(ps_option_all_equal(&ps_table_web, &a->web, &b->web));
    assert_int_equal(a->parameters.custom_count, b->parameters.custom_count);
    for (uint32_t i = 0; i < a->parameters.custom_count; i++) {
        assert_string_equal(a->parameters.custom[i].name, b->parameters.custom[i].name);
        assert_string_equal(a->parameters.custom[i].value, b->parameters.custom[i].value);
    }
}

static void what_is_written_is_read_as_the_same(void **state) {
    Dice dice = {.state = 1};
    for (int round = 0; round < ROUNDS; round++) {
        char *text = make_text(&dice);
        PsConfig *first = parse_sound(text);
        PS_AUTO_BUF PsBuf written = {0};
        PS_AUTO_BUF PsBuf again = {0};
        ps_config_write(first, &written);
        PsConfig *second = parse_sound((const char *)written.data);
        assert_same(first, second);
        ps_config_write(second, &again);
        assert_string_equal((const char *)again.data, (const char *)written.data);
        PsConfigMap *map = ps_config_map_new(first, second);
        for (uint32_t i = 0; i < map->variables.old_count; i++) {
            assert_int_equal(map->variables.to_new[i], i);
        }
        ps_config_map_free(map);
        ps_config_free(first);
        ps_config_free(second);
        free(text);
    }
}

static void damage(Dice *dice, char *text, size_t *len) {
    size_t at = roll(dice, (uint32_t)*len);
    switch (roll(dice, 4)) {
    case 0:
        *len = at;
        break;
    case 1:
        text[at] = (char)(text[at] ^ (1 << roll(dice, 8)));
        break;
    case 2:
        memmove(text + at, text + at + 1, *len - at - 1);
        (*len)--;
        break;
    default: {
        size_t from = roll(dice, (uint32_t)*len);
        text[at] = text[from];
        break;
    }
    }
}

static void damage_is_named_with_its_place(void **state) {
    Dice dice = {.state = 2};
    unsigned refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char *text = make_text(&dice);
        size_t whole = strlen(text);
        for (int i = 0; i < DAMAGES; i++) {
            size_t len = whole;
            char *copy = ps_alloc(len);
            memcpy(copy, text, len);
            damage(&dice, copy, &len);
            PsFindings findings = {0};
            PsConfig *config = parse(copy, len, &findings);
            refused += config == NULL;
            for (size_t f = 0; f < findings.count; f++) {
                const PsFinding *finding = &findings.items[f];
                assert_string_not_equal(finding->file, "");
                assert_string_not_equal(finding->diag.text, "");
                bool placed = finding->diag.object[0] != '\0' || finding->diag.field[0] != '\0';
                assert_true(placed || strstr(finding->diag.text, "one object") != NULL);
            }
            ps_findings_deinit(&findings);
            ps_config_free(config);
            free(copy);
        }
        free(text);
    }
    assert_true(refused > ROUNDS * DAMAGES / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_as_the_same),
        cmocka_unit_test(damage_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
