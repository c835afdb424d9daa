// Serial ports in the configuration: what is refused and how, where their parts and changes go.
// Pure; configurations are made from text.
#include "model/config_diff.h"
#include "model/config_part.h"
#include "model/config_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PORT(name, path) "{\"name\": \"" name "\", \"path\": \"" path "\"}"
#define RTU(name, more) "{\"device_name\": \"" name "\", \"protocol\": \"ModbusRTU\", " more "}"
#define WHOLE(serials, devices)                                                                    \
    "{\"version\": 1, \"serial\": [" serials "], \"devices\": [" devices "]}"
#define RS485 PORT("RS485", "/dev/ttyS1")
#define ON_RS485 RTU("D", "\"serial\": \"RS485\"")

// All findings of a text, or "" when it is sound.
static void explain(const char *json, char *out, size_t size) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    out[0] = '\0';
    if (ps_config_parse("/", json, strlen(json), NULL, &findings, &config) == PS_OK) {
        ps_config_free(config);
    }
    for (size_t i = 0; i < findings.count; i++) {
        size_t used = strlen(out);
        ps_finding_format(&findings.items[i], out + used, size - used);
    }
    ps_findings_deinit(&findings);
}

static void mistakes_are_named(void **state) {
    static const struct {
        const char *json;
        const char *expected; // "": sound
    } cases[] = {
        {WHOLE(RS485, ON_RS485), ""},
        {WHOLE("", RTU("D", "\"ip\": \"10.0.0.1\", \"port\": 4001")), ""},
        {WHOLE("{}", ""), "serial[0]: name: is missing; add it"},
        {WHOLE("{\"name\": \"A\"}", ""), "serial port 'A': path: is missing; add it"},
        {WHOLE(PORT("A", "ttyS1"), ""), "serial port 'A': path: 'ttyS1' is not the whole path; "
                                        "write /dev/ before it"},
        {WHOLE(RS485 ", " PORT("RS485", "/dev/ttyS2"), ""),
         "serial port 'RS485': name: is used twice"},
        {WHOLE(RS485 ", " PORT("B", "/dev/ttyS1"), ""),
         "serial port 'B': path: /dev/ttyS1 is that of serial port 'RS485' already"},
        {WHOLE(PORT("10.0.0.1", "/dev/ttyS1"), ""), "name: holds one of . : /"},
        {WHOLE("{\"name\": \"A\", \"path\": \"/dev/ttyS1\", \"baud_rate\": 9601}", ""),
         "serial port 'A': baud_rate: is 9601; it must be 300, 600"},
        {WHOLE("{\"name\": \"A\", \"path\": \"/dev/ttyS1\", \"parity\": \"mark\"}", ""),
         "parity: 'mark' is not one of: none, odd, even"},
        {WHOLE("{\"name\": \"A\", \"path\": \"/dev/ttyS1\", \"data_bits\": 7}",
               RTU("D", "\"serial\": \"A\"")),
         "device 'D': serial: 'A' has 7 data bits, but ModbusRTU needs 8"},
        {WHOLE("", ON_RS485), "device 'D': serial: there is no serial port 'RS485'; add it to "
                              "serial"},
        {WHOLE(RS485, RTU("D", "\"slave\": 1")),
         "device 'D': serial: is missing; add it, or ip for a converter"},
        {WHOLE(RS485, RTU("D", "\"serial\": \"RS485\", \"ip\": \"h\"")),
         "device 'D': ip: and serial are both there"},
        {WHOLE(RS485, "{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", \"ip\": \"h\", "
                      "\"serial\": \"RS485\"}"),
         "device 'D': serial: is for ModbusRTU only"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[4096];
        explain(cases[i].json, text, sizeof text);
        bool right = cases[i].expected[0] == '\0' ? text[0] == '\0'
                                                  : strstr(text, cases[i].expected) != NULL;
        if (!right) {
            fail_msg("%s\n gave: %s\n not: %s", cases[i].json, text, cases[i].expected);
        }
    }
}

static void what_is_written_is_what_was_read(void **state) {
    static const char text[] =
        WHOLE("{\"name\": \"RS485\", \"path\": \"/dev/ttyS1\", \"mode\": \"RS232\", "
              "\"baud_rate\": 19200, \"parity\": \"even\", \"stop_bits\": 2, \"pause_ms\": 5}",
              ON_RS485);
    PsConfig *config = ps_test_config("/", text);
    PS_AUTO_BUF PsBuf first = {0};
    ps_config_write(config, &first);
    ps_config_free(config);
    config = ps_test_config("/", (const char *)first.data);
    const PsSerial *serial = &config->serials[config->devices[0].serial];
    assert_string_equal(serial->path, "/dev/ttyS1");
    assert_int_equal(serial->mode, PS_SERIAL_RS232);
    assert_int_equal(serial->baud_rate, 19200);
    assert_int_equal(serial->data_bits, 8);
    assert_int_equal(serial->parity, PS_PARITY_EVEN);
    assert_int_equal(serial->stop_bits, 2);
    assert_int_equal(serial->pause_ms, 5);
    PS_AUTO_BUF PsBuf second = {0};
    ps_config_write(config, &second);
    assert_string_equal((const char *)first.data, (const char *)second.data);
    ps_config_free(config);
}

#define TWO_LINES(settings)                                                                        \
    WHOLE("{\"name\": \"B\", \"path\": \"/dev/ttyS2\"" settings "}, " RS485,                       \
          RTU("b", "\"serial\": \"B\"") ", " ON_RS485 ", " RTU("d", "\"serial\": \"B\""))

static void a_part_has_its_port_and_no_other(void **state) {
    PsConfig *before = ps_test_config("/", TWO_LINES(""));
    PsConfig *after = ps_test_config("/", TWO_LINES(", \"parity\": \"odd\""));
    static const uint32_t device_part[] = {0, 1, 0};
    PsConfigPart *old_parts[2];
    PsConfigPart *new_parts[2];
    ps_config_parts_new(before, device_part, 2, old_parts);
    ps_config_parts_new(after, device_part, 2, new_parts);
    ps_config_free(before);
    const PsConfig *part = &old_parts[0]->config;
    assert_int_equal(part->serial_count, 1);
    assert_string_equal(part->serials[part->devices[1].serial].path, "/dev/ttyS2");
    assert_false(ps_config_part_equal(old_parts[0], new_parts[0]));
    assert_true(ps_config_part_equal(old_parts[1], new_parts[1]));
    for (size_t i = 0; i < 2; i++) {
        ps_config_part_free(old_parts[i]);
        ps_config_part_free(new_parts[i]);
    }
    ps_config_free(after);
}

static void changes_are_told(void **state) {
    PsConfig *before = ps_test_config("/", TWO_LINES(""));
    PsConfig *after = ps_test_config("/", TWO_LINES(", \"baud_rate\": 1200"));
    PsConfigMap *map = ps_config_map_new(before, after);
    PsConfigDiff *diff = ps_config_diff_new(before, after, map);
    PS_AUTO_BUF PsBuf text = {0};
    ps_config_diff_summary(diff, &text);
    ps_buf_printf(&text, "\n");
    ps_config_diff_write(diff, 10, &text);
    assert_string_equal((const char *)text.data, "1 serial port changed\n"
                                                 "serial port 'B': baud_rate 9600 -> 1200\n");
    ps_config_diff_free(diff);
    ps_config_map_free(map);
    ps_config_free(before);
    ps_config_free(after);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(what_is_written_is_what_was_read),
        cmocka_unit_test(a_part_has_its_port_and_no_other),
        cmocka_unit_test(changes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
