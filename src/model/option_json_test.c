// Objects and option tables as JSON: every key is there, and what is read back is the same. Pure.
#include "model/config_test_rig.h"
#include "model/json_line.h"
#include "model/option_json.h"
#include "model/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_line(const json_t *json, const char *text) {
    PS_AUTO_BUF PsBuf line = {0};
    ps_json_write_line(json, &line);
    assert_string_equal((const char *)line.data, text);
}

static void an_object_has_all_its_keys(void **state) {
    PsConfig *config = ps_test_config(
        "/etc/plant", "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": "
                      "\"ModbusTCP\", \"ip\": \"h\", \"timeout\": 0.1}], \"vars\": [{\"var_name\": "
                      "\"v\", \"device\": \"D\", \"data_type\": \"WORD\", \"register_addr\": "
                      "40001}], \"cloud\": {\"enable\": false, \"endpoint\": \"e\", \"client_id\": "
                      "\"c\", \"cert\": \"certs/c.pem\", \"key\": \"/elsewhere/k.pem\"}}");
    json_t *device = ps_option_json(&ps_table_device, &config->devices[0], config->folder);
    json_t *variable = ps_option_json(&ps_table_variable, &config->variables[0], config->folder);
    json_t *cloud = ps_option_json(&ps_table_cloud, &config->cloud, config->folder);
    assert_int_equal(json_object_size(device), ps_table_device.count);
    assert_line(json_object_get(device, "timeout"), "0.1");
    assert_line(json_object_get(device, "comm_alarm"), "false");
    assert_line(json_object_get(device, "port"), "502"); // what the protocol makes of it
    assert_line(variable,
                "{\"var_name\": \"v\", \"device\": \"D\", \"group\": \"default\", \"data_type\": "
                "\"WORD\", \"register_addr\": 40001, \"register_bit\": null, "
                "\"register_type\": null, \"dbnumber\": 0, \"symbol\": \"\", "
                "\"identifier\": \"\", \"identifier_type\": \"String\", \"namespace_index\": 0, "
                "\"array_index\": null, \"read_write\": \"read\", \"mode\": \"realtime\", "
                "\"float_repr\": 2, \"size\": 1, \"unit\": \"\", "
                "\"desc\": \"\"}");
    assert_line(json_object_get(cloud, "cert"), "\"certs/c.pem\"");
    assert_line(json_object_get(cloud, "key"), "\"/elsewhere/k.pem\"");
    json_decref(device);
    json_decref(variable);
    json_decref(cloud);
    ps_config_free(config);
}

static void defaults_are_those_of_an_empty_object(void **state) {
    PsFindings findings = {0};
    PsArena *arena = ps_arena_new();
    PsOptionContext context = {.arena = arena, .folder = "", .file = "", .findings = &findings};
    PsCloud cloud = {0};
    json_t *nothing = json_object();
    ps_option_load(&ps_table_cloud, nothing, "", NULL, &context, &cloud);
    json_t *loaded = ps_option_json(&ps_table_cloud, &cloud, "");
    json_t *defaults = ps_option_defaults_json(&ps_table_cloud);
    assert_true(json_equal(loaded, defaults));
    json_decref(nothing);
    json_decref(loaded);
    json_decref(defaults);
    ps_arena_free(arena);
    ps_findings_deinit(&findings);
}

static void every_table_is_described(void **state) {
    json_t *options = ps_options_json();
    const json_t *blocks = json_object_get(options, "blocks");
    size_t count = 0;
    for (; ps_tables[count] != NULL; count++) {
        const json_t *block = json_array_get(blocks, count);
        assert_int_equal(json_array_size(json_object_get(block, "options")),
                         ps_tables[count]->count);
    }
    assert_int_equal(json_array_size(blocks), count);
    const json_t *device = json_object_get(json_array_get(blocks, 0), "options");
    assert_line(json_array_get(device, 4),
                "{\"key\": \"serial\", \"type\": \"text\", \"required\": false, \"unit\": "
                "\"characters\", \"min\": 0, \"max\": 128, \"fallback\": null, \"words\": null, "
                "\"help\": \"ModbusRTU: name of the serial port the device is behind, in place of "
                "ip.\", \"secret\": false, \"protocols\": [\"ModbusRTU\"]}");
    assert_line(json_object_get(json_array_get(device, 5), "fallback"), "1");
    assert_line(json_object_get(json_array_get(device, 0), "protocols"), "null");
    json_decref(options);
}

static void numbers_are_as_short_as_they_can_be(void **state) {
    json_t *json =
        json_loads("[0.1, 1e300, -2.5, 3.0, 7, true, null, \"a\\u0001\\\"\", {}]", 0, NULL);
    assert_line(json, "[0.1, 1e+300, -2.5, 3, 7, true, null, \"a\\u0001\\\"\", {}]");
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_has_all_its_keys),
        cmocka_unit_test(defaults_are_those_of_an_empty_object),
        cmocka_unit_test(every_table_is_described),
        cmocka_unit_test(numbers_are_as_short_as_they_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
