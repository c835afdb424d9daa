// Which object of a changed configuration is which of the former one. Pure; configurations are made
// from text, the scripts they name are in a temporary folder.
#include "base/file.h"
#include "model/config_map.h"
#include "model/config_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/penstock-map-XXXXXX";

static int make_folder(void **state) {
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/s.py", folder);
    return ps_file_write(path, "def main(d, w): pass\n", 21, 0644, NULL) == PS_OK ? 0 : -1;
}

static int remove_folder(void **state) {
    char path[64];
    snprintf(path, sizeof path, "%s/s.py", folder);
    return unlink(path) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

#define HEAD                                                                                       \
    "{\"version\": 1, \"cloud\": {\"enable\": false, \"endpoint\": \"h\", \"client_id\": \"c\"}, " \
    "\"devices\": ["                                                                               \
    "{\"device_name\": \"A\", \"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.1\"},"                \
    "{\"device_name\": \"B\", \"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.2\"}],"
#define VAR(name, device)                                                                          \
    "{\"var_name\": \"" name "\", \"device\": \"" device                                           \
    "\", \"data_type\": \"WORD\", \"register_addr\": 40001}"
#define WARNING(name, variable)                                                                    \
    "{\"warn_name\": \"" name "\", \"quotes\": 1, \"device\": \"A\", \"var_name\": \"" variable    \
    "\", \"condition1\": \"Gt\", \"operand1\": \"3\", \"alarm_content\": \"x\"}"
#define MESSAGE(name, topic)                                                                       \
    "{\"name\": \"" name "\", \"topic\": \"" topic                                                 \
    "\", \"qos\": 1, \"groups\": [\"default\"], \"script\": \"s.py\", \"main_function\": "         \
    "\"main\"}"

static PsConfig *make(const char *text) {
    return ps_test_config(folder, text);
}

static PsConfigMap *between(const char *before, const char *after) {
    PsConfig *a = make(before);
    PsConfig *b = make(after);
    PsConfigMap *map = ps_config_map_new(a, b);
    ps_config_free(a);
    ps_config_free(b);
    return map;
}

static void variables_go_by_device_and_name(void **state) {
    PsConfigMap *map =
        between(HEAD "\"vars\": [" VAR("X", "A") "," VAR("X", "B") "," VAR("Y", "A") "]}",
                HEAD "\"vars\": [" VAR("Y", "A") "," VAR("Z", "A") "," VAR("X", "B") "]}");
    assert_int_equal(map->variables.to_new[0], PS_NOT_THERE);
    assert_int_equal(map->variables.to_new[1], 2);
    assert_int_equal(map->variables.to_new[2], 0);
    assert_int_equal(map->variables.to_old[1], PS_NOT_THERE);
    assert_int_equal(ps_index_to_new(&map->variables, 7), PS_NOT_THERE);
    assert_int_equal(ps_index_to_old(&map->devices, 1), 1);
    ps_config_map_free(map);
}

static void what_an_alarm_watches_goes_with_the_alarm(void **state) {
    PsConfigMap *map =
        between(HEAD "\"vars\": [" VAR("X", "A") "," VAR("Y", "A") "], \"warning\": [" WARNING(
                    "W", "X") "," WARNING("V", "Y") "]}",
                HEAD "\"vars\": [" VAR("Y", "A") "," VAR("X", "A") "," VAR(
                    "N", "A") "], \"warning\": [" WARNING("V", "Y") "," WARNING("W", "Y") "]}");
    assert_int_equal(map->alarms.to_old[0], 1);
    assert_int_equal(map->alarms.to_old[1], 0);
    // Old: X, Y, X of W, Y of V. New: Y, X, N, Y of both.
    assert_int_equal(map->variables.new_count, 4);
    assert_int_equal(map->variables.to_old[3], 3);
    assert_int_equal(map->variables.to_new[2], PS_NOT_THERE);
    ps_config_map_free(map);
}

static void a_renamed_message_is_the_same(void **state) {
    PsConfigMap *map = between(HEAD "\"vars\": [" VAR("X", "A") "], \"publish\": [" MESSAGE(
                                   "old", "t/1") "," MESSAGE("stays", "t/1") "]}",
                               HEAD "\"vars\": [" VAR("X", "A") "], \"publish\": [" MESSAGE(
                                   "stays", "t/1") "," MESSAGE("new", "t/1") "]}");
    assert_int_equal(map->publish.to_new[0], 1);
    assert_int_equal(map->publish.to_new[1], 0);
    ps_config_map_free(map);
}

static void a_doubtful_rename_is_none(void **state) {
    const char *before =
        HEAD "\"vars\": [" VAR("X", "A") "], \"publish\": [" MESSAGE("old", "t/1") "]}";
    PsConfigMap *map = between(
        before, HEAD "\"vars\": [" VAR("X", "A") "], \"publish\": [" MESSAGE("new", "t/2") "]}");
    assert_int_equal(map->publish.to_new[0], PS_NOT_THERE);
    ps_config_map_free(map);
    map = between(before, HEAD "\"vars\": [" VAR("X", "A") "], \"publish\": [" MESSAGE(
                              "new", "t/1") "," MESSAGE("other", "t/1") "]}");
    assert_int_equal(map->publish.to_new[0], PS_NOT_THERE);
    assert_int_equal(map->publish.to_old[1], PS_NOT_THERE);
    ps_config_map_free(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_go_by_device_and_name),
        cmocka_unit_test(what_an_alarm_watches_goes_with_the_alarm),
        cmocka_unit_test(a_renamed_message_is_the_same),
        cmocka_unit_test(a_doubtful_rename_is_none),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
