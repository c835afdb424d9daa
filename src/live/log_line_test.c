// Lines as the log keeps them, and what only looks like one.
#include "live/log_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MARK(script)                                                                               \
    "\x01"                                                                                         \
    "1764148464123"                                                                                \
    "\x02" script "\x03"
#define HEAD "[2026-11-26 09:14:24,123] "

typedef struct Case {
    const char *line;
    PsLogLevel level;
    const char *script;
    const char *source;
    int number;
    const char *text;
} Case;

static void assert_piece(PsLogPiece piece, const char *text) {
    assert_int_equal(piece.len, strlen(text));
    if (piece.len > 0) {
        assert_memory_equal(piece.data, text, piece.len);
    }
}

static void forms(void **state) {
    (void)state;
    const Case cases[] = {
        {MARK("") HEAD "[WARNING] [link.c 120]: LINK-DOWN: lost", PS_LOG_WARNING, "", "link.c", 120,
         "LINK-DOWN: lost"},
        {MARK("p 1") HEAD "[ERROR] [<string> 6]: a]: b", PS_LOG_ERROR, "p 1", "<string>", 6,
         "a]: b"},
        {MARK("m") HEAD "[INFO] [my file.py 7]: ", PS_LOG_INFO, "m", "my file.py", 7, ""},
        {HEAD "[DEBUG] [a.c 1]: x", PS_LOG_DEBUG, "", "a.c", 1, "x"},
        {MARK("m") "nonsense", PS_LOG_INFO, "m", "", 0, "nonsense"},
        {HEAD "[LOUD] [a.c 1]: x", PS_LOG_INFO, "", "", 0, HEAD "[LOUD] [a.c 1]: x"},
        {HEAD "[INFO] [a.c]: x", PS_LOG_INFO, "", "", 0, HEAD "[INFO] [a.c]: x"},
        {HEAD "[INFO] [a.c 99999999999]: x", PS_LOG_INFO, "", "", 0,
         HEAD "[INFO] [a.c 99999999999]: x"},
        {"\x01"
         "12x"
         "\x02\x03"
         "y",
         PS_LOG_INFO, "", "", 0,
         "\x01"
         "12x"
         "\x02\x03"
         "y"},
        {"", PS_LOG_INFO, "", "", 0, ""},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[256];
        int len = snprintf(text, sizeof text, "%s\nnext", cases[i].line);
        size_t at = 0;
        PsLogLine line;
        assert_true(ps_log_line_next(text, (size_t)len, &at, &line));
        assert_int_equal(line.level, cases[i].level);
        assert_piece(line.script, cases[i].script);
        assert_piece(line.source, cases[i].source);
        assert_int_equal(line.line, cases[i].number);
        assert_piece(line.text, cases[i].text);
        assert_int_equal(line.time.ns != 0, strstr(cases[i].line, "1764148464123") != NULL);
        assert_true(ps_log_line_next(text, (size_t)len, &at, &line));
        assert_piece(line.whole, "next");
        assert_false(ps_log_line_next(text, (size_t)len, &at, &line));
    }
}

// What the log itself keeps.
static void as_kept(void **state) {
    (void)state;
    static char text[4096];
    ps_log_set_fd(-1);
    PsWall before = ps_wall_now();
    PS_LOGW("SOME-ID", "device '%s'", "P");
    ps_log_script(PS_LOG_ERROR, false,
                  "mess\x02"
                  "age",
                  "<string>", 6, "bo\x01om", 5);
    (void)ps_log_copy_marked(0, text, sizeof text);
    size_t at = 0;
    PsLogLine line;
    assert_true(ps_log_line_next(text, strlen(text), &at, &line));
    assert_piece(line.source, "log_line_test.c");
    assert_piece(line.text, "SOME-ID: device 'P'");
    assert_in_range(line.time.ns - before.ns + PS_NS_PER_S, 0, 60 * PS_NS_PER_S);
    assert_true(ps_log_line_next(text, strlen(text), &at, &line));
    assert_piece(line.script, "mess?age");
    assert_piece(line.text, "bo?om");
    assert_int_equal(ps_log_last(), 2);
}

static void choosing(void **state) {
    (void)state;
    const char text[] = MARK("p1") HEAD "[WARNING] [<string> 120]: The Pump stopped\n";
    size_t at = 0;
    PsLogLine line;
    assert_true(ps_log_line_next(text, sizeof text - 1, &at, &line));
    PsLogQuery query = {.level = PS_LOG_WARNING};
    assert_true(ps_log_line_matches(&line, &query));
    query.level = PS_LOG_ERROR;
    assert_false(ps_log_line_matches(&line, &query));
    query = (PsLogQuery){.source = "<string>", .script = "p1"};
    ps_search_init(&query.search, "pUMP");
    assert_true(ps_log_line_matches(&line, &query));
    query.script = "p";
    assert_false(ps_log_line_matches(&line, &query));
    query.script = NULL;
    ps_search_init(&query.search, "valve");
    assert_false(ps_log_line_matches(&line, &query));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(as_kept),
        cmocka_unit_test(choosing),
    };
    return cmocka_run_group_tests_name("live/log_line", tests, NULL, NULL);
}
