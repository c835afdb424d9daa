// Random edits of random plants: whatever they are, the result has every name once and no reference
// to what is not there, or nothing is changed; and a hundred thousand variables are no different.
// Pure.
#include "base/clock.h"
#include "base/mem.h"
#include "model/config_json.h"
#include "model/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 1500
#define EDITS 6
#define NAMES 5 // few, so that they meet

typedef struct Dice {
    uint64_t state;
} Dice;

static uint32_t roll(Dice *dice, uint32_t sides) {
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice->state >> 33) % sides; // Knuth's MMIX multiplier
}

static json_t *name(Dice *dice, const char *kind) {
    return json_sprintf("%s%u", kind, roll(dice, NAMES));
}

// --- random objects
// -------------------------------------------------------------------------------

static json_t *random_device(Dice *dice) {
    json_t *device = json_pack("{s:o, s:s, s:s}", "device_name", name(dice, "d"), "protocol",
                               "ModbusTCP", "ip", "10.0.0.1");
    if (roll(dice, 3) == 0) {
        json_object_del(device, "ip");
        json_object_set_new(device, "protocol", json_string("ModbusRTU"));
        json_object_set_new(device, "serial", name(dice, "s"));
    }
    if (roll(dice, 3) == 0) {
        json_object_set_new(device, "comm_alarm", json_boolean(roll(dice, 2)));
        json_object_set_new(device, "comm_alarm_group", name(dice, "w"));
    }
    return device;
}

static json_t *random_variable(Dice *dice) {
    json_t *variable =
        json_pack("{s:o, s:o, s:s, s:i}", "var_name", name(dice, "v"), "device", name(dice, "d"),
                  "data_type", "WORD", "register_addr", 40001 + (int)roll(dice, 100));
    if (roll(dice, 2) == 0) {
        json_object_set_new(variable, "group", name(dice, "g"));
    }
    return variable;
}

static json_t *random_group(Dice *dice) {
    bool alarm = roll(dice, 2) == 0;
    return json_pack("{s:o, s:s}", "group_name", name(dice, alarm ? "w" : "g"), "group_type",
                     alarm ? "alarm" : "collect");
}

static json_t *random_alarm(Dice *dice) {
    bool own = roll(dice, 3) == 0;
    json_t *alarm = json_pack("{s:o, s:i, s:o, s:o, s:s, s:s}", "warn_name", name(dice, "a"),
                              "quotes", own ? 0 : 1, "device", name(dice, "d"), "var_name",
                              name(dice, "v"), "condition1", "Gt", "operand1", "3");
    if (own) {
        json_object_set_new(alarm, "data_type", json_string("WORD"));
        json_object_set_new(alarm, "register_addr", json_integer(40001));
    }
    if (roll(dice, 2) == 0) {
        json_object_set_new(alarm, "group", name(dice, "w"));
    }
    return alarm;
}

static json_t *random_message(Dice *dice, bool publish) {
    json_t *message = json_pack("{s:o, s:s, s:s, s:s}", "name", name(dice, "m"), "topic", "a",
                                "main_function", "main", "script", "scripts/x.py");
    if (publish) {
        json_t *groups = json_array();
        for (uint32_t i = 0; i < 1 + roll(dice, 2); i++) {
            json_array_append_new(groups, name(dice, "g"));
        }
        json_object_set_new(message, "groups", groups);
    }
    return message;
}

static json_t *random_port(Dice *dice) {
    return json_pack("{s:o, s:s}", "name", name(dice, "s"), "path", "/dev/ttyS1");
}

static json_t *random_publish(Dice *dice) {
    return random_message(dice, true);
}

static json_t *random_subscribe(Dice *dice) {
    return random_message(dice, false);
}

static const struct {
    const char *block;
    const char *name_key;
    json_t *(*make)(Dice *dice);
    const char *kinds[2];
} blocks[] = {
    {"devices", "device_name", random_device, {"d", "d"}},
    {"vars", "var_name", random_variable, {"v", "v"}},
    {"groups", "group_name", random_group, {"g", "w"}},
    {"warning", "warn_name", random_alarm, {"a", "a"}},
    {"publish", "name", random_publish, {"m", "m"}},
    {"subscribe", "name", random_subscribe, {"m", "m"}},
    {"serial", "name", random_port, {"s", "s"}},
};

static json_t *random_edit(Dice *dice) {
    size_t b = roll(dice, PS_COUNT(blocks));
    static const char *const ops[] = {"put", "put", "put", "set", "set", "delete"};
    const char *op = ops[roll(dice, PS_COUNT(ops))];
    json_t *edit = json_pack("{s:s, s:s}", "op", op, "block", blocks[b].block);
    if (strcmp(op, "put") != 0 || roll(dice, 2) == 0) {
        json_object_set_new(edit, "name", name(dice, blocks[b].kinds[roll(dice, 2)]));
        if (strcmp(blocks[b].block, "vars") == 0) {
            json_object_set_new(edit, "device", name(dice, "d"));
        }
    }
    if (strcmp(op, "delete") == 0) {
        json_object_set_new(edit, "cascade", json_boolean(roll(dice, 2)));
        return edit;
    }
    json_t *value = blocks[b].make(dice);
    if (strcmp(op, "set") == 0) { // a rename, mostly
        json_t *renamed = json_object();
        json_object_set(renamed, blocks[b].name_key, json_object_get(value, blocks[b].name_key));
        if (strcmp(blocks[b].block, "vars") == 0 && roll(dice, 2) == 0) {
            json_object_set(renamed, "device", json_object_get(value, "device"));
        }
        json_decref(value);
        value = renamed;
    }
    json_object_set_new(edit, "value", value);
    return edit;
}

// --- what must hold
// -------------------------------------------------------------------------------

static bool has(const json_t *root, const char *block, const char *key, const char *wanted,
                const char *device) {
    size_t index;
    json_t *object;
    json_array_foreach(json_object_get(root, block), index, object) {
        const char *text = json_string_value(json_object_get(object, key));
        const char *scope = json_string_value(json_object_get(object, "device"));
        if (strcmp(text, wanted) == 0 && (device == NULL || strcmp(scope, device) == 0)) {
            return true;
        }
    }
    return false;
}

static void assert_there(const json_t *root, const char *block, const char *key,
                         const json_t *reference, const char *device) {
    const char *text = json_string_value(reference);
    bool predefined = text == NULL || strcmp(text, "default") == 0 || strcmp(text, "warning") == 0;
    if (!predefined && !has(root, block, key, text, device)) {
        char *dump = json_dumps(root, JSON_INDENT(1));
        fail_msg("no %s '%s' in %s", block, text, dump);
    }
}

static void assert_no_dangling(const json_t *root) {
    size_t index;
    size_t number;
    json_t *object;
    json_t *group;
    json_array_foreach(json_object_get(root, "vars"), index, object) {
        assert_there(root, "devices", "device_name", json_object_get(object, "device"), NULL);
        assert_there(root, "groups", "group_name", json_object_get(object, "group"), NULL);
    }
    json_array_foreach(json_object_get(root, "warning"), index, object) {
        const char *device = json_string_value(json_object_get(object, "device"));
        assert_there(root, "devices", "device_name", json_object_get(object, "device"), NULL);
        assert_there(root, "groups", "group_name", json_object_get(object, "group"), NULL);
        if (json_integer_value(json_object_get(object, "quotes")) == 1) {
            assert_there(root, "vars", "var_name", json_object_get(object, "var_name"), device);
        }
    }
    json_array_foreach(json_object_get(root, "devices"), index, object) {
        assert_there(root, "serial", "name", json_object_get(object, "serial"), NULL);
        if (json_is_true(json_object_get(object, "comm_alarm"))) {
            assert_there(root, "groups", "group_name", json_object_get(object, "comm_alarm_group"),
                         NULL);
        }
    }
    json_array_foreach(json_object_get(root, "publish"), index, object) {
        assert_true(json_array_size(json_object_get(object, "groups")) > 0);
        json_array_foreach(json_object_get(object, "groups"), number, group) {
            assert_there(root, "groups", "group_name", group, NULL);
        }
    }
}

static void assert_names_once(const json_t *root) {
    for (size_t b = 0; b < PS_COUNT(blocks); b++) {
        const json_t *list = json_object_get(root, blocks[b].block);
        for (size_t i = 0; i < json_array_size(list); i++) {
            for (size_t k = 0; k < i; k++) {
                const json_t *one = json_array_get(list, i);
                const json_t *other = json_array_get(list, k);
                bool same = json_equal(json_object_get(one, blocks[b].name_key),
                                       json_object_get(other, blocks[b].name_key));
                bool scoped = strcmp(blocks[b].block, "vars") == 0;
                same = same && (!scoped || json_equal(json_object_get(one, "device"),
                                                      json_object_get(other, "device")));
                assert_false(same);
            }
        }
    }
}

static void random_edits_leave_it_whole(void **state) {
    Dice dice = {7};
    PsBuf text = {0};
    uint32_t applied = 0;
    ps_buf_printf(&text, "{\n  \"version\": 1\n}\n");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        PsFindings findings = {0};
        PsEdited edited = {0};
        PsDiag diag = {0};
        json_t *edits = json_array();
        for (uint32_t i = 0; i < 1 + roll(&dice, EDITS); i++) {
            json_array_append_new(edits, random_edit(&dice));
        }
        PsErr err = ps_edit_apply(text.data, text.len, edits, &findings, &edited, &diag);
        if (err == PS_OK) {
            json_t *root = ps_config_parse_json(edited.json.data, edited.json.len, &findings);
            assert_non_null(root);
            assert_no_dangling(root);
            assert_names_once(root);
            json_decref(root);
            ps_buf_deinit(&text);
            text = edited.json;
            edited.json = (PsBuf){0};
            applied++;
        } else {
            assert_true(findings.errors > 0 || diag.text[0] != '\0');
        }
        json_decref(edits);
        ps_findings_deinit(&findings);
        ps_edited_deinit(&edited);
    }
    assert_true(applied > ROUNDS / 20); // or it would show little
    ps_buf_deinit(&text);
}

// --- many
// -----------------------------------------------------------------------------------------

#define MANY 100000

static PsBuf large_plant(void) {
    PsBuf text = {0};
    ps_buf_printf(&text, "{\n  \"version\": 1,\n  \"devices\": [");
    for (int i = 0; i < 100; i++) {
        ps_buf_printf(&text,
                      "%s\n    {\"device_name\": \"device %d\", \"protocol\": \"ModbusTCP\", "
                      "\"ip\": \"10.0.0.%d\"}",
                      i > 0 ? "," : "", i, i);
    }
    ps_buf_printf(&text, "\n  ],\n  \"vars\": [");
    for (int i = 0; i < MANY; i++) {
        ps_buf_printf(&text,
                      "%s\n    {\"var_name\": \"value %d\", \"device\": \"device %d\", "
                      "\"data_type\": \"WORD\", \"register_addr\": %d}",
                      i > 0 ? "," : "", i, i % 100, 40001 + i / 100);
    }
    ps_buf_printf(&text, "\n  ]\n}\n");
    return text;
}

static double seconds_for(const PsBuf *text, json_t *edits, PsBuf *ret_text) {
    PsFindings findings = {0};
    PsEdited edited = {0};
    PsDiag diag = {0};
    PsMono begin = ps_mono_now();
    assert_int_equal(ps_edit_apply(text->data, text->len, edits, &findings, &edited, &diag), PS_OK);
    double seconds = (double)(ps_mono_now().ns - begin.ns) / 1e9;
    if (ret_text != NULL) {
        *ret_text = edited.json;
        edited.json = (PsBuf){0};
    }
    json_decref(edits);
    ps_edited_deinit(&edited);
    ps_findings_deinit(&findings);
    return seconds;
}

// The time goes with the size of the file, not with its product with the number of edits.
static void many_edits_take_little_longer_than_one(void **state) {
    PsBuf text = large_plant();
    PsBuf there = {0};
    PsBuf back = {0};
    json_t *edits = json_array();
    double one =
        seconds_for(&text,
                    json_pack("[{s:s, s:s, s:s, s:s, s:{s:s}}]", "op", "set", "block", "vars",
                              "device", "device 5", "name", "value 5", "value", "unit", "C"),
                    NULL);
    for (int i = 0; i < 10000; i++) {
        json_array_append_new(edits,
                              json_pack("{s:s, s:s, s:o, s:o, s:{s:s}}", "op", "set", "block",
                                        "vars", "device", json_sprintf("device %d", i % 100),
                                        "name", json_sprintf("value %d", i), "value", "unit", "C"));
    }
    double many = seconds_for(&text, edits, NULL);
    double rename =
        seconds_for(&text,
                    json_pack("[{s:s, s:s, s:s, s:{s:s}}]", "op", "set", "block", "devices", "name",
                              "device 5", "value", "device_name", "other"),
                    &there);
    (void)seconds_for(&there,
                      json_pack("[{s:s, s:s, s:s, s:{s:s}}]", "op", "set", "block", "devices",
                                "name", "other", "value", "device_name", "device 5"),
                      &back);
    print_message("one edit of %d variables: %.3f s; 10000 edits: %.3f s; a device renamed: %.3f "
                  "s\n",
                  MANY, one, many, rename);
    assert_int_equal(back.len, text.len);
    assert_memory_equal(back.data, text.data, text.len);
    assert_true(many < 20 * one + 1);
    ps_buf_deinit(&text);
    ps_buf_deinit(&there);
    ps_buf_deinit(&back);
}

// Somebody who renames without end is stopped, not waited for.
static void renames_without_end_are_refused(void **state) {
    PsBuf text = large_plant();
    PsFindings findings = {0};
    PsEdited edited = {0};
    PsDiag diag = {0};
    json_t *edits = json_array();
    for (int i = 0; i < 3000; i++) {
        json_array_append_new(
            edits, json_pack("{s:s, s:s, s:o, s:{s:o}}", "op", "set", "block", "devices", "name",
                             i == 0 ? json_string("device 5") : json_sprintf("name %d", i - 1),
                             "value", "device_name", json_sprintf("name %d", i)));
    }
    assert_int_equal(ps_edit_apply(text.data, text.len, edits, &findings, &edited, &diag),
                     PS_ERR_TOO_BIG);
    assert_null(edited.json.data);
    json_decref(edits);
    ps_buf_deinit(&text);
    ps_findings_deinit(&findings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_edits_leave_it_whole),
        cmocka_unit_test(many_edits_take_little_longer_than_one),
        cmocka_unit_test(renames_without_end_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
