// Differences of configurations in words, against texts written by hand; and what 100,000 variables
// cost. Configurations are made from text; the scripts they name are in a temporary folder.
#include "base/file.h"
#include "base/time.h"
#include "model/config_diff.h"
#include "model/config_test_rig.h"
#include "model/line_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/penstock-diff-XXXXXX";

static void write_script(const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(ps_file_write(path, text, strlen(text), 0644, NULL), PS_OK);
}

static int make_folder(void **state) {
    assert_non_null(mkdtemp(folder));
    write_script("s.py", "def main(d, w):\n    pass\n");
    write_script("t.py", "def main(d, w):\n    pass\n");
    return 0;
}

static int remove_folder(void **state) {
    const char *const names[] = {"s.py", "t.py"};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    return rmdir(folder);
}

static PsConfig *make(const char *text) {
    return ps_test_config(folder, text);
}

static PsConfigDiff *between(PsConfig *a, PsConfig *b) {
    PsConfigMap *map = ps_config_map_new(a, b);
    PsConfigDiff *diff = ps_config_diff_new(a, b, map);
    ps_config_map_free(map);
    ps_config_free(a);
    ps_config_free(b); // the difference must not need them
    return diff;
}

static void assert_says(const PsConfigDiff *diff, const char *summary, const char *lines) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_config_diff_summary(diff, &text);
    assert_string_equal((const char *)text.data, summary);
    ps_buf_clear(&text);
    ps_buf_put_u8(&text, '\n');
    ps_config_diff_write(diff, 100, &text);
    assert_string_equal((const char *)text.data, lines);
}

#define DEVICE(name, more)                                                                         \
    "{\"device_name\": \"" name "\", \"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.1\"" more "}"
#define VAR(name, device, more)                                                                    \
    "{\"var_name\": \"" name "\", \"device\": \"" device                                           \
    "\", \"data_type\": \"WORD\", \"register_addr\": 40001" more "}"
#define MESSAGE(name, more)                                                                        \
    "{\"name\": \"" name "\", \"topic\": \"t/1\", \"qos\": 1, \"groups\": [\"default\"], "         \
    "\"main_function\": \"main\"" more "}"
#define CLOUD(more)                                                                                \
    "\"cloud\": {\"enable\": false, \"endpoint\": \"h\", \"client_id\": \"c\"" more "}"

static void objects_come_go_and_change(void **state) {
    PsConfigDiff *diff = between(
        make("{\"version\": 1, \"devices\": [" DEVICE("Boiler", ", \"timeout\": 2") "," DEVICE(
            "Old", "") "], \"vars\": [" VAR("T", "Boiler", "") "," VAR("P", "Old", "") "]}"),
        make("{\"version\": 1, \"devices\": [" DEVICE("Pump", "") "," DEVICE(
            "Boiler",
            ", "
            "\"timeo"
            "ut\": "
            "5, "
            "\"port"
            "\": "
            "503") "], \"vars\": [" VAR("T", "Boiler",
                                        ", \"unit\": \"deg C\"") "," VAR("P", "Pump",
                                                                         "") "," VAR("Q", "Pump",
                                                                                     "") "]," CLOUD("") "}"));
    assert_says(diff,
                "1 device added, 1 device removed, 1 device changed, 2 variables added, 1 variable "
                "removed, 1 variable changed, cloud added",
                "\n"
                "device 'Pump': added\n"
                "device 'Boiler': port 502 -> 503, timeout 2 -> 5\n"
                "device 'Old': removed\n"
                "variable 'T' of 'Boiler': unit '' -> 'deg C'\n"
                "variable 'P' of 'Pump': added\n"
                "variable 'Q' of 'Pump': added\n"
                "variable 'P' of 'Old': removed\n"
                "cloud: added\n");
    ps_config_diff_free(diff);
}

static void scripts_and_names_of_messages(void **state) {
    const char *before = "{\"version\": 1," CLOUD("") ", \"publish\": [" MESSAGE(
        "one",
        ", \"script\": \"s.py\"") "," MESSAGE("two",
                                              ", \"script\": \"s.py\"") "," MESSAGE("three",
                                                                                    ", \"script\": "
                                                                                    "\"t.py\"") "]"
                                                                                                "}";
    PsConfig *a = make(before);
    write_script("s.py", "import json\n\ndef main(d, w):\n    return d\n");
    PsConfig *b = make("{\"version\": 1," CLOUD(", \"publish_rate\": 7") ", \"publish\": [" MESSAGE(
        "one", ", \"script\": \"s.py\"") "," MESSAGE("two",
                                                     ", \"script\": \"s.py\", \"split\": "
                                                     "false") "," MESSAGE("drei", ", \"script\": "
                                                                                  "\"t.py\"") "]}");
    PsConfigDiff *diff = between(a, b);
    assert_says(diff,
                "cloud changed, 1 publish message changed, 1 publish message renamed, 1 script "
                "changed",
                "\n"
                "cloud: publish_rate '' -> 7\n"
                "publish message 'one': script text changed (+3 -1 lines)\n"
                "publish message 'two': split true -> false, script text changed (+3 -1 lines)\n"
                "publish message 'drei': renamed from 'three'\n");
    json_t *json = ps_config_diff_json(diff, 2);
    assert_int_equal(json_integer_value(json_object_get(json, "left_out")), 2);
    const json_t *change = json_array_get(json_object_get(json, "changes"), 1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(change, "script"), "added")), 3);
    json_decref(json);
    ps_config_diff_free(diff);
}

static void secrets_are_not_told(void **state) {
    PsConfigDiff *diff = between(
        make("{\"version\": 1, \"parameters\": {\"log_level\": \"INFO\", \"custom\": {\"line\": "
             "\"3\", \"api_token\": \"alpha\", \"gone\": \"x\"}}}"),
        make("{\"version\": 1, \"parameters\": {\"log_level\": \"DEBUG\", \"custom\": {\"line\": "
             "\"4\", \"api_token\": \"beta\"}}}"));
    assert_says(diff, "parameters changed",
                "\n"
                "parameters: log_level INFO -> DEBUG, line 3 -> 4, api_token changed (not shown), "
                "gone x -> ''\n");
    json_t *json = ps_config_diff_json(diff, 100);
    char *text = json_dumps(json, 0);
    assert_null(strstr(text, "alpha"));
    assert_null(strstr(text, "beta"));
    free(text);
    json_decref(json);
    ps_config_diff_free(diff);
}

static void nothing_changed(void **state) {
    const char *text = "{\"version\": 1, \"devices\": [" DEVICE("A", "") "]," CLOUD("") "}";
    PsConfigDiff *diff = between(make(text), make(text));
    assert_int_equal(diff->count, 0);
    assert_says(diff, "nothing changed", "\n");
    ps_config_diff_free(diff);
}

static void lines(const char *a, const char *b, uint32_t added, uint32_t removed) {
    PsLineDiff diff = ps_line_diff(a, strlen(a), b, strlen(b));
    assert_int_equal(diff.added, added);
    assert_int_equal(diff.removed, removed);
}

static void lines_are_counted(void **state) {
    lines("", "", 0, 0);
    lines("", "a\nb", 2, 0);
    lines("a\nb\n", "", 0, 2);
    lines("a\nb\nc\n", "a\nc\n", 0, 1);
    lines("a\nb\nc\nd\n", "x\nb\nd\ny\n", 2, 2);
    lines("a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc", 2, 3); // the example of Myers' paper
    PS_AUTO_BUF PsBuf before = {0};
    PS_AUTO_BUF PsBuf after = {0};
    for (int i = 0; i < 100000; i++) {
        ps_buf_printf(&before, "%d\n", i);
        ps_buf_printf(&after, "%d\n", i % 2 == 0 ? i : -i);
    }
    PsLineDiff diff = ps_line_diff(before.data, before.len, after.data, after.len);
    assert_int_equal(diff.added, 99999); // from the first difference to the end
    assert_int_equal(diff.removed, 99999);
}

static PsConfig *make_large(int count, int first, int timeout) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text,
                  "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": "
                  "\"ModbusTCP\", \"ip\": \"127.0.0.1\", \"timeout\": %d}], \"vars\": [",
                  timeout);
    for (int i = first; i < first + count; i++) {
        ps_buf_printf(&text,
                      "%s{\"var_name\": \"v%d\", \"device\": \"D\", \"data_type\": \"WORD\", "
                      "\"register_addr\": %d, \"unit\": \"%s\"}",
                      i > first ? "," : "", i, 40001 + i % 60000, i % 1000 == first ? "x" : "y");
    }
    ps_buf_printf(&text, "]}");
    return make((const char *)text.data);
}

static void a_large_configuration_is_quick(void **state) {
    PsConfig *a = make_large(100000, 0, 1);
    PsConfig *b = make_large(100000, 10, 2);
    PsMono begun = ps_mono_now();
    PsConfigDiff *diff = between(a, b);
    double seconds = (double)ps_mono_diff_ns(ps_mono_now(), begun) / 1e9;
    print_message("100,000 variables compared in %.3f s\n", seconds);
    PS_AUTO_BUF PsBuf text = {0};
    ps_config_diff_summary(diff, &text);
    // Of those that stay, each thousand has one whose unit went and one that got it.
    assert_string_equal((const char *)text.data,
                        "1 device changed, 10 variables added, 10 variables removed, 199 variables "
                        "changed");
    ps_config_diff_free(diff);
    assert_true(seconds < 5); // under a sanitizer, on a busy machine
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_come_go_and_change),
        cmocka_unit_test(scripts_and_names_of_messages),
        cmocka_unit_test(secrets_are_not_told),
        cmocka_unit_test(nothing_changed),
        cmocka_unit_test(lines_are_counted),
        cmocka_unit_test(a_large_configuration_is_quick),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
