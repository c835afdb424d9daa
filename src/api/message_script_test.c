// Which file the script of a message becomes. Pure.
#include "api/message_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PsPublish publish[] = {{.name = "Readings", .script = "/etc/p/scripts/readings.py"},
                              {.name = "a-b", .script = "/etc/p/scripts/a_b.py"}};
static PsSubscribe subscribe[] = {{.name = "orders", .script = "/opt/shared.py"}};
static const PsConfig config = {.folder = "/etc/p",
                                .publish = publish,
                                .publish_count = 2,
                                .subscribe = subscribe,
                                .subscribe_count = 1};

static void assert_path(const char *message, const char *object_text, const char *path) {
    json_t *object = json_loads(object_text, 0, NULL);
    json_t *edit = ps_message_script_take(&config, message, object);
    assert_non_null(edit);
    assert_string_equal(json_string_value(json_object_get(edit, "op")), "file");
    assert_string_equal(json_string_value(json_object_get(edit, "text")), "x");
    assert_string_equal(json_string_value(json_object_get(edit, "path")), path);
    assert_string_equal(json_string_value(json_object_get(object, "script")), path);
    assert_null(json_object_get(object, "script_text"));
    json_decref(edit);
    json_decref(object);
}

static void a_script_is_named_after_its_message(void **state) {
    assert_path(NULL, "{\"name\": \"My \\u00e4 1\", \"script_text\": \"x\"}", "scripts/my____1.py");
    assert_path(NULL, "{\"name\": \"../x\", \"script_text\": \"x\"}", "scripts/___x.py");
    assert_path(NULL, "{\"script_text\": \"x\"}", "scripts/script.py");
}

static void it_never_takes_the_place_of_anothers(void **state) {
    assert_path(NULL, "{\"name\": \"A B\", \"script_text\": \"x\"}", "scripts/a_b_2.py");
}

static void the_file_that_is_there_or_wanted_counts(void **state) {
    assert_path("orders", "{\"name\": \"other\", \"script_text\": \"x\"}", "/opt/shared.py");
    assert_path("a-b", "{\"name\": \"a-b\", \"script_text\": \"x\"}", "scripts/a_b.py");
    assert_path("a-b", "{\"name\": \"a-b\", \"script\": \"s.py\", \"script_text\": \"x\"}", "s.py");
}

static void without_a_text_there_is_nothing_to_save(void **state) {
    json_t *object = json_loads("{\"name\": \"m\"}", 0, NULL);
    assert_null(ps_message_script_take(&config, NULL, object));
    assert_null(json_object_get(object, "script"));
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_named_after_its_message),
        cmocka_unit_test(it_never_takes_the_place_of_anothers),
        cmocka_unit_test(the_file_that_is_there_or_wanted_counts),
        cmocka_unit_test(without_a_text_there_is_nothing_to_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
