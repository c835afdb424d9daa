// penstock.json taken apart list by list says yes and no to the same texts as jansson does to the
// whole, and names the place. Pure.
#include "model/config_json.h"
#include "model/config_text.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const sound[] = {
    "{}",
    " {\n} \n",
    "{\"version\": 1, \"vars\": [], \"devices\": [ ] , \"other\": [1, {\"a\": null}]}",
    "{\"vars\":[{\"var_name\":\"a\"},{\"var_name\":\"b\"}],\"groups\":[{}]}",
    "{\"vars\": [1, \"two\", [3], null, true, 1.5e3, {\"x\": \"\\u00e9\\n\"}]}",
    "{\"vars\": 3, \"groups\": {\"a\": 1}}",
    "{\"a\\u0062\": \"]}\\\"\", \"publish\" :\t[ {\"groups\": [\"a\", \"b\"]} ]}",
};

static bool accepts(const char *text, size_t len, char *finding, size_t size) {
    PsFindings findings = {0};
    PsConfigText parts;
    // A copy of exactly its size, so that reading past the end is seen.
    char *copy = ps_alloc(len > 0 ? len : 1);
    memcpy(copy, text, len);
    bool accepted = ps_config_text_init(&parts, copy, len, &findings);
    assert_int_equal(accepted, findings.errors == 0);
    if (accepted) {
        ps_config_text_deinit(&parts);
    } else {
        ps_finding_format(&findings.items[0], finding, size);
    }
    ps_findings_deinit(&findings);
    free(copy);
    return accepted;
}

static bool jansson_accepts(const char *text, size_t len) {
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    bool accepted = json_is_object(root);
    json_decref(root);
    return accepted;
}

static void takes_what_is_sound(void **state) {
    char finding[256];
    for (size_t i = 0; i < PS_COUNT(sound); i++) {
        if (!accepts(sound[i], strlen(sound[i]), finding, sizeof finding)) {
            fail_msg("%s: %s", sound[i], finding);
        }
        assert_true(jansson_accepts(sound[i], strlen(sound[i])));
    }
}

// Every text cut off everywhere, and with every byte replaced by some that matter.
static void agrees_with_jansson_about_damage(void **state) {
    static const char bytes[] = {'{',  '}', '[', ']', ',',  ':', '"',
                                 '\\', '0', 'x', ' ', '\n', 0,   (char)0xff};
    char finding[256];
    unsigned refused = 0;
    for (size_t i = 0; i < PS_COUNT(sound); i++) {
        size_t len = strlen(sound[i]);
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(accepts(sound[i], cut, finding, sizeof finding),
                             jansson_accepts(sound[i], cut));
        }
        char *changed = ps_strdup(sound[i]);
        for (size_t at = 0; at < len; at++) {
            for (size_t b = 0; b < sizeof bytes; b++) {
                changed[at] = bytes[b];
                bool accepted = accepts(changed, len, finding, sizeof finding);
                refused += !accepted;
                bool expected = bytes[b] != '\0' && jansson_accepts(changed, len);
                if (accepted != expected) {
                    fail_msg("%s at %zu: %s", changed, at, accepted ? "taken" : finding);
                }
            }
            changed[at] = sound[i][at];
        }
        free(changed);
    }
    assert_true(refused > 1000);
}

static void names_the_place(void **state) {
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"{\n \"vars\": [\n  {\"a\": 1},\n  {\"a\": tru}]}", "line 4, column"},
        {"{\n\"vars\": [{\"a\": 1}\n{\"b\": 2}]}",
         "line 3, column 1: this is not strict JSON: ',' or"},
        {"{\"vars\": [], \"vars\": []}", "line 1, column 14: this is not strict JSON: duplicate"},
        {"{\"version\": 1} x", "line 1, column 16: this is not strict JSON: end of file"},
        {"[1]", "must be one object"},
        {"", "line 1, column 1"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char finding[256] = "";
        assert_false(accepts(cases[i].text, strlen(cases[i].text), finding, sizeof finding));
        if (strstr(finding, cases[i].expected) == NULL) {
            fail_msg("%s gave: %s", cases[i].text, finding);
        }
    }
}

static void walks_a_list(void **state) {
    PsFindings findings = {0};
    PsConfigText text;
    assert_true(ps_config_text_init(&text, sound[3], strlen(sound[3]), &findings));
    const PsConfigList *list = ps_config_text_list(&text, "vars");
    assert_int_equal(list->count, 2);
    const char *at = list->text;
    json_t *first = ps_config_text_next(&text, &at);
    json_t *second = ps_config_text_next(&text, &at);
    assert_string_equal(json_string_value(json_object_get(first, "var_name")), "a");
    assert_string_equal(json_string_value(json_object_get(second, "var_name")), "b");
    json_decref(first);
    json_decref(second);
    assert_null(ps_config_text_list(&text, "devices"));
    ps_config_text_deinit(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_sound),
        cmocka_unit_test(agrees_with_jansson_about_damage),
        cmocka_unit_test(names_the_place),
        cmocka_unit_test(walks_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
