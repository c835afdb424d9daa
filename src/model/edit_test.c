// Edits of penstock.json: what each does to the text, and what is refused with which words. Pure.
#include "base/mem.h"
#include "model/config_json.h"
#include "model/config_test_rig.h"
#include "model/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char plant[] =
    "{\n"
    "  \"version\": 1,\n"
    "  \"devices\": [\n"
    "    {\"device_name\": \"PLC\", \"protocol\": \"ModbusTCP\", \"ip\": \"10.0.0.7\", "
    "\"timeout\": "
    "0.1},\n"
    "    {\"device_name\": \"Meter\", \"protocol\": \"ModbusRTU\", \"serial\": \"RS485\", "
    "\"comm_alarm\": true, \"comm_alarm_group\": \"faults\"}\n"
    "  ],\n"
    "  \"vars\": [\n"
    "    {\"var_name\": \"temp\", \"device\": \"PLC\", \"group\": \"fast\", \"data_type\": "
    "\"FLOAT\", "
    "\"register_addr\": 40001},\n"
    "    {\"var_name\": \"flow\", \"device\": \"PLC\", \"data_type\": \"WORD\", \"register_addr\": "
    "40010},\n"
    "    {\"var_name\": \"temp\", \"device\": \"Meter\", \"group\": \"fast\", \"data_type\": "
    "\"WORD\", \"register_addr\": 40001}\n"
    "  ],\n"
    "  \"groups\": [\n"
    "    {\"group_name\": \"fast\", \"polling_interval\": 0.5},\n"
    "    {\"group_name\": \"slow\"},\n"
    "    {\"group_name\": \"faults\", \"group_type\": \"alarm\"}\n"
    "  ],\n"
    "  \"warning\": [\n"
    "    {\"warn_name\": \"hot\", \"group\": \"faults\", \"quotes\": 1, \"device\": \"PLC\", "
    "\"var_name\": \"temp\", \"condition1\": \"Gt\", \"operand1\": \"30\"},\n"
    "    {\"warn_name\": \"own\", \"quotes\": 0, \"device\": \"PLC\", \"var_name\": \"temp\", "
    "\"condition1\": \"Gt\", \"operand1\": \"30\", \"data_type\": \"WORD\", \"register_addr\": "
    "40020}\n"
    "  ],\n"
    "  \"publish\": [\n"
    "    {\"name\": \"readings\", \"topic\": \"a/b\", \"groups\": [\"default\", \"fast\"], "
    "\"main_function\": \"main\", \"script\": \"scripts/readings.py\"}\n"
    "  ],\n"
    "  \"parameters\": {\"max_loss_s\": 10, \"custom\": {\"site\": \"north\", \"api_token\": "
    "\"abc\"}},\n"
    "  \"serial\": [\n"
    "    {\"name\": \"RS485\", \"path\": \"/dev/ttyS1\"}\n"
    "  ]\n"
    "}\n";

typedef struct Outcome {
    PsErr err;
    PsDiag diag;
    PsFindings findings;
    PsEdited edited;
    json_t *root; // of the new text
} Outcome;

static Outcome edit_text(const char *text, const char *edits) {
    Outcome outcome = {0};
    json_error_t error;
    json_t *list = json_loads(edits, 0, &error);
    if (list == NULL) {
        fail_msg("%s: %s", edits, error.text);
    }
    outcome.err =
        ps_edit_apply(text, strlen(text), list, &outcome.findings, &outcome.edited, &outcome.diag);
    json_decref(list);
    if (outcome.err == PS_OK) {
        PsFindings none = {0};
        outcome.root =
            ps_config_parse_json(outcome.edited.json.data, outcome.edited.json.len, &none);
        assert_non_null(outcome.root);
    } else {
        assert_null(outcome.edited.json.data);
        assert_null(outcome.edited.files);
    }
    return outcome;
}

static Outcome edit(const char *edits) {
    return edit_text(plant, edits);
}

static void end(Outcome *outcome) {
    json_decref(outcome->root);
    ps_findings_deinit(&outcome->findings);
    ps_edited_deinit(&outcome->edited);
}

static const json_t *object_at(const Outcome *outcome, const char *block, size_t index) {
    return json_array_get(json_object_get(outcome->root, block), index);
}

static void assert_text(const Outcome *outcome, const char *block, size_t index, const char *key,
                        const char *text) {
    const char *there = json_string_value(json_object_get(object_at(outcome, block, index), key));
    assert_non_null(there);
    assert_string_equal(there, text);
}

static void assert_refused(const char *edits, PsErr err, const char *object, const char *field,
                           const char *words) {
    Outcome outcome = edit(edits);
    assert_int_equal(outcome.err, err);
    const PsDiag *diag =
        outcome.findings.errors > 0 ? &outcome.findings.items[0].diag : &outcome.diag;
    assert_string_equal(diag->object, object);
    assert_string_equal(diag->field, field);
    if (strstr(diag->text, words) == NULL) {
        fail_msg("'%s' is not in '%s'", words, diag->text);
    }
    end(&outcome);
}

static void assert_contains(const Outcome *outcome, const char *text) {
    if (strstr((const char *)outcome->edited.json.data, text) == NULL) {
        fail_msg("'%s' is not in %s", text, (const char *)outcome->edited.json.data);
    }
}

// --- put, set, delete
// -----------------------------------------------------------------------------

static void no_edit_changes_no_byte(void **state) {
    Outcome outcome = edit("[]");
    assert_string_equal((const char *)outcome.edited.json.data, plant);
    end(&outcome);
    outcome = edit("[{\"op\": \"set\", \"block\": \"devices\", \"name\": \"PLC\", \"value\": "
                   "{\"port\": 502}}]");
    assert_string_equal((const char *)outcome.edited.json.data, plant);
    end(&outcome);
}

static void a_new_object_stands_at_the_end_without_defaults(void **state) {
    Outcome outcome = edit(
        "[{\"op\": \"put\", \"block\": \"devices\", \"value\": {\"slave\": 1, \"port\": 1502, "
        "\"serial\": null, \"ip\": \"10.0.0.8\", \"protocol\": \"modbustcp\", \"device_name\": "
        "\"New\", \"timeout\": 2.5}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_contains(&outcome,
                    ",\n    {\"device_name\": \"New\", \"protocol\": \"ModbusTCP\", \"ip\": "
                    "\"10.0.0.8\", \"port\": 1502, \"timeout\": 2.5}\n  ],\n");
    end(&outcome);
}

static void a_block_that_is_not_there_is_made(void **state) {
    Outcome outcome = edit_text(
        "{\"version\": 1}", "[{\"op\": \"put\", \"block\": \"groups\", \"value\": {\"group_name\": "
                            "\"a\"}}]");
    assert_string_equal((const char *)outcome.edited.json.data,
                        "{\n  \"version\": 1,\n  \"groups\": [\n    {\"group_name\": \"a\"}\n  "
                        "]\n}\n");
    end(&outcome);
}

static void set_changes_only_its_keys(void **state) {
    Outcome outcome = edit("[{\"op\": \"set\", \"block\": \"vars\", \"device\": \"PLC\", \"name\": "
                           "\"temp\", \"value\": {\"group\": null, \"unit\": \"C\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_contains(&outcome, "{\"var_name\": \"temp\", \"device\": \"PLC\", \"data_type\": "
                              "\"FLOAT\", \"register_addr\": 40001, \"unit\": \"C\"}");
    assert_contains(&outcome, "\"timeout\": 0.1}"); // untouched
    end(&outcome);
}

static void a_put_replaces_the_whole(void **state) {
    Outcome outcome = edit("[{\"op\": \"put\", \"block\": \"devices\", \"name\": \"PLC\", "
                           "\"value\": {\"protocol\": \"ModbusTCP\", \"ip\": \"10.0.0.9\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_contains(&outcome, "{\"device_name\": \"PLC\", \"protocol\": \"ModbusTCP\", \"ip\": "
                              "\"10.0.0.9\"},");
    end(&outcome);
}

static void a_predefined_group_can_be_changed_where_the_file_has_none(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"set\", \"block\": \"groups\", \"name\": \"warning\", \"value\": "
             "{\"polling_interval\": 2}}, {\"op\": \"put\", \"block\": \"groups\", \"name\": "
             "\"default\", \"value\": {\"polling_interval\": 3}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_contains(&outcome, "{\"group_name\": \"warning\", \"group_type\": \"alarm\", "
                              "\"polling_interval\": 2}");
    assert_contains(&outcome, "{\"group_name\": \"default\", \"polling_interval\": 3}");
    end(&outcome);
}

static void single_blocks_are_put_set_and_deleted(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"put\", \"block\": \"cloud\", \"value\": {\"enable\": false, "
             "\"endpoint\": \"example.org\", \"client_id\": \"g\"}}, {\"op\": \"set\", \"block\": "
             "\"cloud\", \"value\": {\"keepalive\": 30}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_contains(&outcome, ",\n  \"cloud\": {\"enable\": false, \"endpoint\": \"example.org\", "
                              "\"client_id\": \"g\", \"keepalive\": 30}\n}\n");
    end(&outcome);
    outcome = edit("[{\"op\": \"delete\", \"block\": \"parameters\"}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_null(json_object_get(outcome.root, "parameters"));
    end(&outcome);
}

static void a_custom_parameter_that_is_null_keeps_its_value(void **state) {
    Outcome outcome = edit("[{\"op\": \"put\", \"block\": \"parameters\", \"value\": {\"custom\": "
                           "{\"site\": \"south\", \"api_token\": null}}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_contains(&outcome, "\"parameters\": {\"custom\": {\"site\": \"south\", \"api_token\": "
                              "\"abc\"}}");
    end(&outcome);
    assert_refused("[{\"op\": \"set\", \"block\": \"parameters\", \"value\": {\"custom\": "
                   "{\"none\": null}}}]",
                   PS_ERR_INVALID, "parameters", "none", "must be a text");
}

static void the_order_of_edits_does_not_matter_for_what_hangs_together(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"put\", \"block\": \"vars\", \"value\": {\"var_name\": \"x\", \"device\": "
             "\"Late\", \"data_type\": \"WORD\", \"register_addr\": 40001}},"
             "{\"op\": \"put\", \"block\": \"devices\", \"value\": {\"device_name\": \"Late\", "
             "\"protocol\": \"ModbusTCP\", \"ip\": \"10.0.0.8\"}},"
             "{\"op\": \"delete\", \"block\": \"vars\", \"device\": \"PLC\", \"name\": \"temp\"},"
             "{\"op\": \"delete\", \"block\": \"warning\", \"name\": \"hot\"}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "vars")), 3);
    end(&outcome);
}

// --- renaming
// -------------------------------------------------------------------------------------

static void what_refers_to_a_device_follows_it(void **state) {
    Outcome outcome = edit("[{\"op\": \"set\", \"block\": \"devices\", \"name\": \"PLC\", "
                           "\"value\": {\"device_name\": \"Press\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_text(&outcome, "vars", 0, "device", "Press");
    assert_text(&outcome, "vars", 1, "device", "Press");
    assert_text(&outcome, "vars", 2, "device", "Meter");
    assert_text(&outcome, "warning", 0, "device", "Press");
    assert_text(&outcome, "warning", 1, "device", "Press");
    end(&outcome);
}

static void what_refers_to_a_group_follows_it(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"set\", \"block\": \"groups\", \"name\": \"fast\", \"value\": "
             "{\"group_name\": \"quick\"}}, {\"op\": \"set\", \"block\": \"groups\", \"name\": "
             "\"faults\", \"value\": {\"group_name\": \"alerts\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_text(&outcome, "vars", 0, "group", "quick");
    assert_text(&outcome, "warning", 0, "group", "alerts");
    assert_text(&outcome, "devices", 1, "comm_alarm_group", "alerts");
    assert_contains(&outcome, "\"groups\": [\"default\", \"quick\"]");
    end(&outcome);
}

static void what_refers_to_a_variable_follows_it_to_another_device(void **state) {
    Outcome outcome = edit("[{\"op\": \"set\", \"block\": \"vars\", \"device\": \"PLC\", \"name\": "
                           "\"temp\", \"value\": {\"device\": \"Meter\", \"var_name\": \"t2\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_text(&outcome, "warning", 0, "device", "Meter");
    assert_text(&outcome, "warning", 0, "var_name", "t2");
    assert_text(&outcome, "warning", 1, "device", "PLC"); // an address of its own
    assert_text(&outcome, "warning", 1, "var_name", "temp");
    end(&outcome);
}

static void what_refers_to_a_port_follows_it(void **state) {
    Outcome outcome = edit("[{\"op\": \"set\", \"block\": \"serial\", \"name\": \"RS485\", "
                           "\"value\": {\"name\": \"line 1\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_text(&outcome, "devices", 1, "serial", "line 1");
    end(&outcome);
}

static void there_and_back_is_the_same_text(void **state) {
    static const char *const rounds[] = {
        "[{\"op\": \"set\", \"block\": \"devices\", \"name\": \"PLC\", \"value\": "
        "{\"device_name\": \"Q\"}}, {\"op\": \"set\", \"block\": \"devices\", \"name\": \"Q\", "
        "\"value\": {\"device_name\": \"PLC\"}}]",
        "[{\"op\": \"set\", \"block\": \"groups\", \"name\": \"fast\", \"value\": {\"group_name\": "
        "\"Q\"}}, {\"op\": \"set\", \"block\": \"groups\", \"name\": \"Q\", \"value\": "
        "{\"group_name\": \"fast\"}}]",
        "[{\"op\": \"set\", \"block\": \"vars\", \"device\": \"PLC\", \"name\": \"temp\", "
        "\"value\": {\"device\": \"Meter\", \"var_name\": \"Q\"}}, {\"op\": \"set\", \"block\": "
        "\"vars\", \"device\": \"Meter\", \"name\": \"Q\", \"value\": {\"device\": \"PLC\", "
        "\"var_name\": \"temp\"}}]",
    };
    for (size_t i = 0; i < PS_COUNT(rounds); i++) {
        Outcome outcome = edit(rounds[i]);
        assert_int_equal(outcome.err, PS_OK);
        assert_string_equal((const char *)outcome.edited.json.data, plant);
        end(&outcome);
    }
}

static void two_objects_can_change_their_names_for_each_other(void **state) {
    Outcome outcome = edit(
        "[{\"op\": \"set\", \"block\": \"groups\", \"name\": \"fast\", \"value\": {\"group_name\": "
        "\"-\"}}, {\"op\": \"set\", \"block\": \"groups\", \"name\": \"slow\", \"value\": "
        "{\"group_name\": \"fast\"}}, {\"op\": \"set\", \"block\": \"groups\", \"name\": \"-\", "
        "\"value\": {\"group_name\": \"slow\"}}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_text(&outcome, "vars", 0, "group", "slow");
    assert_contains(&outcome, "\"groups\": [\"default\", \"slow\"]");
    end(&outcome);
}

// --- deleting
// -------------------------------------------------------------------------------------

static void what_is_used_is_not_deleted(void **state) {
    assert_refused("[{\"op\": \"delete\", \"block\": \"devices\", \"name\": \"PLC\"}]",
                   PS_ERR_REFUSED, "device 'PLC'", "",
                   "is used by 2 variables ('flow', 'temp') and 2 alarms ('own', 'hot')");
    assert_refused(
        "[{\"op\": \"delete\", \"block\": \"vars\", \"device\": \"PLC\", \"name\": \"temp\"}]",
        PS_ERR_REFUSED, "var 'temp' of device 'PLC'", "", "1 alarm ('hot')");
    assert_refused("[{\"op\": \"delete\", \"block\": \"groups\", \"name\": \"fast\"}]",
                   PS_ERR_REFUSED, "group 'fast'", "",
                   "2 variables ('temp', 'temp') and 1 publish message ('readings')");
    assert_refused("[{\"op\": \"delete\", \"block\": \"serial\", \"name\": \"RS485\"}]",
                   PS_ERR_REFUSED, "serial port 'RS485'", "", "1 device ('Meter')");
    assert_refused("[{\"op\": \"delete\", \"block\": \"groups\", \"name\": \"default\"}]",
                   PS_ERR_REFUSED, "group 'default'", "", "always there");
}

static void what_nobody_uses_goes(void **state) {
    Outcome outcome = edit(
        "[{\"op\": \"delete\", \"block\": \"groups\", \"name\": \"slow\"}, {\"op\": \"delete\", "
        "\"block\": \"vars\", \"device\": \"PLC\", \"name\": \"flow\"}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "groups")), 2);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "vars")), 2);
    end(&outcome);
}

static void cascade_takes_what_cannot_be_without_it(void **state) {
    Outcome outcome = edit("[{\"op\": \"delete\", \"block\": \"devices\", \"name\": \"PLC\", "
                           "\"cascade\": true}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "devices")), 1);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "vars")), 1);
    assert_contains(&outcome, "\"warning\": []");
    end(&outcome);
    outcome = edit("[{\"op\": \"delete\", \"block\": \"serial\", \"name\": \"RS485\", \"cascade\": "
                   "true}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "devices")), 1);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "vars")), 2);
    end(&outcome);
}

static void a_group_gives_its_members_to_the_predefined_one(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"delete\", \"block\": \"groups\", \"name\": \"fast\", \"cascade\": true}, "
             "{\"op\": \"delete\", \"block\": \"groups\", \"name\": \"faults\", \"cascade\": "
             "true}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_int_equal(json_array_size(json_object_get(outcome.root, "vars")), 3);
    assert_null(json_object_get(object_at(&outcome, "vars", 0), "group"));
    assert_null(json_object_get(object_at(&outcome, "devices", 1), "comm_alarm_group"));
    assert_contains(&outcome, "\"groups\": [\"default\"]");
    end(&outcome);
    assert_refused(
        "[{\"op\": \"set\", \"block\": \"publish\", \"name\": \"readings\", \"value\": "
        "{\"groups\": [\"fast\"]}}, {\"op\": \"delete\", \"block\": \"groups\", \"name\": "
        "\"fast\", \"cascade\": true}]",
        PS_ERR_REFUSED, "group 'fast'", "", "only group of the message 'readings'");
}

// --- refusals
// -------------------------------------------------------------------------------------

static void names_are_found_and_free(void **state) {
    assert_refused("[{\"op\": \"set\", \"block\": \"devices\", \"name\": \"Nobody\", \"value\": "
                   "{}}]",
                   PS_ERR_NOT_FOUND, "device 'Nobody'", "", "not there");
    assert_refused("[{\"op\": \"put\", \"block\": \"devices\", \"value\": {\"device_name\": "
                   "\"PLC\", \"protocol\": \"ModbusTCP\"}}]",
                   PS_ERR_EXISTS, "device 'PLC'", "device_name", "already");
    assert_refused("[{\"op\": \"set\", \"block\": \"vars\", \"device\": \"PLC\", \"name\": "
                   "\"flow\", \"value\": {\"var_name\": \"temp\"}}]",
                   PS_ERR_EXISTS, "var 'temp' of device 'PLC'", "var_name", "already");
    assert_refused("[{\"op\": \"put\", \"block\": \"subscribe\", \"value\": {\"name\": "
                   "\"readings\", \"topic\": \"a\", \"main_function\": \"main\", \"script\": "
                   "\"scripts/readings.py\"}}]",
                   PS_ERR_EXISTS, "subscribe 'readings'", "name", "already");
    assert_refused("[{\"op\": \"put\", \"block\": \"groups\", \"value\": {\"group_name\": "
                   "\"default\"}}]",
                   PS_ERR_EXISTS, "group 'default'", "group_name", "already");
    assert_refused("[{\"op\": \"set\", \"block\": \"groups\", \"name\": \"warning\", \"value\": "
                   "{\"group_name\": \"x\"}}]",
                   PS_ERR_REFUSED, "group 'warning'", "group_name", "keeps its name");
}

static void mistakes_name_object_and_field(void **state) {
    assert_refused("[{\"op\": \"set\", \"block\": \"devices\", \"name\": \"PLC\", \"value\": "
                   "{\"port\": 70000}}]",
                   PS_ERR_INVALID, "device 'PLC'", "port", "1 to 65535");
    assert_refused("[{\"op\": \"put\", \"block\": \"devices\", \"name\": \"PLC\", \"value\": "
                   "{\"protocol\": \"ModbusTCP\", \"prot\": 1}}]",
                   PS_ERR_INVALID, "device 'PLC'", "prot", "not a known key; did you mean");
    assert_refused("[{\"op\": \"put\", \"block\": \"vars\", \"device\": \"PLC\", \"value\": "
                   "{\"var_name\": \"n\", \"data_type\": \"WORD\", \"register_addr\": \"40001\"}}]",
                   PS_ERR_INVALID, "var 'n' of device 'PLC'", "register_addr", "without quotes");
    assert_refused("[{\"op\": \"put\", \"block\": \"vars\", \"value\": {\"var_name\": \"n\", "
                   "\"device\": \"X\", \"data_type\": \"WORD\", \"register_addr\": 40001}}]",
                   PS_ERR_INVALID, "var 'n' of device 'X'", "device", "no device 'X'");
    assert_refused("[{\"op\": \"set\", \"block\": \"warning\", \"name\": \"hot\", \"value\": "
                   "{\"var_name\": \"gone\"}}]",
                   PS_ERR_INVALID, "alarm 'hot'", "var_name", "has no variable 'gone'");
    assert_refused("[{\"op\": \"put\", \"block\": \"devices\", \"value\": {}}]", PS_ERR_INVALID,
                   "device", "device_name", "missing");
}

static void every_mistake_is_found_in_one_go(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"set\", \"block\": \"devices\", \"name\": \"PLC\", \"value\": {\"port\": "
             "0}}, {\"op\": \"set\", \"block\": \"devices\", \"name\": \"Meter\", \"value\": "
             "{\"slave\": 300, \"timeout\": \"x\"}}]");
    assert_int_equal(outcome.err, PS_ERR_INVALID);
    assert_int_equal(outcome.findings.errors, 3);
    end(&outcome);
}

static void edits_have_a_form(void **state) {
    assert_refused("[{\"op\": \"push\", \"block\": \"devices\"}]", PS_ERR_INVALID, "edit", "op",
                   "put, set, delete or file");
    assert_refused("[{\"op\": \"put\", \"block\": \"device\"}]", PS_ERR_INVALID, "edit", "block",
                   "devices, vars");
    assert_refused("[{\"op\": \"put\", \"block\": \"cloud\", \"name\": \"x\", \"value\": {}}]",
                   PS_ERR_INVALID, "cloud", "name", "only one");
    assert_refused("[{\"op\": \"delete\", \"block\": \"vars\", \"name\": \"x\"}]", PS_ERR_INVALID,
                   "var 'x'", "device", "missing");
    assert_refused("[{\"op\": \"delete\", \"block\": \"groups\", \"device\": \"x\", \"name\": "
                   "\"fast\"}]",
                   PS_ERR_INVALID, "group 'fast'", "device", "is for variables");
    assert_refused("[{\"op\": \"set\", \"block\": \"groups\", \"value\": {}}]", PS_ERR_INVALID,
                   "group", "name", "which group");
    assert_refused("[{\"op\": \"put\", \"block\": \"groups\", \"value\": 1}]", PS_ERR_INVALID,
                   "group", "value", "keys of groups");
    assert_refused("[{\"op\": \"put\", \"blok\": \"groups\"}]", PS_ERR_INVALID, "edit", "blok",
                   "not known");
    assert_refused("[{\"op\": \"put\", \"block\": \"groups\", \"name\": 1}]", PS_ERR_INVALID,
                   "edit", "name", "text in quotes");
    assert_refused("[1]", PS_ERR_INVALID, "edit", "op", "must be");
    assert_refused("{}", PS_ERR_INVALID, "edits", "", "list");
}

static void a_text_that_is_no_configuration_is_told(void **state) {
    Outcome outcome = edit_text("{\"version\": 1,\n]", "[]");
    assert_int_equal(outcome.err, PS_ERR_INVALID);
    assert_string_equal(outcome.findings.items[0].diag.object, "line 2, column 1");
    end(&outcome);
    outcome = edit_text("{\"devices\": 5}", "[{\"op\": \"delete\", \"block\": \"devices\", "
                                            "\"name\": \"x\"}]");
    assert_int_equal(outcome.err, PS_ERR_INVALID);
    assert_string_equal(outcome.diag.object, "devices");
    end(&outcome);
}

// --- scripts
// --------------------------------------------------------------------------------------

static void a_script_is_saved_with_its_message(void **state) {
    Outcome outcome =
        edit("[{\"op\": \"file\", \"path\": \"scripts/new.py\", \"text\": \"x = 1\\n\"}, {\"op\": "
             "\"set\", \"block\": \"publish\", \"name\": \"readings\", \"value\": {\"script\": "
             "\"scripts/new.py\"}}, {\"op\": \"file\", \"path\": \"scripts/readings.py\", "
             "\"text\": null}]");
    assert_int_equal(outcome.err, PS_OK);
    assert_int_equal(outcome.edited.file_count, 2);
    assert_string_equal(outcome.edited.files[0].path, "scripts/new.py");
    assert_string_equal(outcome.edited.files[0].text, "x = 1\n");
    assert_true(outcome.edited.files[1].remove);
    end(&outcome);
}

static void a_script_has_a_place_and_a_message(void **state) {
    static const char *const paths[] = {
        "../x.py",       "/etc/x.py",     "scripts/../x.py", ".hidden.py",
        "certs/key.pem", "penstock.json", "a//b.py",         ".py"};
    for (size_t i = 0; i < PS_COUNT(paths); i++) {
        char edits[160];
        snprintf(edits, sizeof edits, "[{\"op\": \"file\", \"path\": \"%s\", \"text\": \"\"}]",
                 paths[i]);
        assert_refused(edits, PS_ERR_INVALID, paths[i], "path", "Python file below");
    }
    assert_refused("[{\"op\": \"file\", \"path\": \"scripts/none.py\", \"text\": \"\"}]",
                   PS_ERR_INVALID, "scripts/none.py", "path", "of no message");
    assert_refused("[{\"op\": \"file\", \"path\": \"scripts/readings.py\", \"text\": null}]",
                   PS_ERR_REFUSED, "scripts/readings.py", "", "the message 'readings'");
    assert_refused("[{\"op\": \"file\", \"path\": \"scripts/readings.py\", \"text\": 1}]",
                   PS_ERR_INVALID, "scripts/readings.py", "text", "text of the script");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_edit_changes_no_byte),
        cmocka_unit_test(a_new_object_stands_at_the_end_without_defaults),
        cmocka_unit_test(a_block_that_is_not_there_is_made),
        cmocka_unit_test(set_changes_only_its_keys),
        cmocka_unit_test(a_put_replaces_the_whole),
        cmocka_unit_test(a_predefined_group_can_be_changed_where_the_file_has_none),
        cmocka_unit_test(single_blocks_are_put_set_and_deleted),
        cmocka_unit_test(a_custom_parameter_that_is_null_keeps_its_value),
        cmocka_unit_test(the_order_of_edits_does_not_matter_for_what_hangs_together),
        cmocka_unit_test(what_refers_to_a_device_follows_it),
        cmocka_unit_test(what_refers_to_a_group_follows_it),
        cmocka_unit_test(what_refers_to_a_variable_follows_it_to_another_device),
        cmocka_unit_test(what_refers_to_a_port_follows_it),
        cmocka_unit_test(there_and_back_is_the_same_text),
        cmocka_unit_test(two_objects_can_change_their_names_for_each_other),
        cmocka_unit_test(what_is_used_is_not_deleted),
        cmocka_unit_test(what_nobody_uses_goes),
        cmocka_unit_test(cascade_takes_what_cannot_be_without_it),
        cmocka_unit_test(a_group_gives_its_members_to_the_predefined_one),
        cmocka_unit_test(names_are_found_and_free),
        cmocka_unit_test(mistakes_name_object_and_field),
        cmocka_unit_test(every_mistake_is_found_in_one_go),
        cmocka_unit_test(edits_have_a_form),
        cmocka_unit_test(a_text_that_is_no_configuration_is_told),
        cmocka_unit_test(a_script_is_saved_with_its_message),
        cmocka_unit_test(a_script_has_a_place_and_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
