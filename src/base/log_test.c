// Tests of the log: line format, levels, cutting, forging, the ring, threads. The log is one per
// process, so each test looks only at lines after the sequence it started from.
#include "base/log.h"

#include "base/buf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RING_BYTES ((size_t)512 * 1024) // as in log.c

static char kept[RING_BYTES + 1];

// Sequence of the newest line: what "after" means for the next copy.
static uint64_t newest(void) {
    uint64_t last = 0;
    for (uint64_t next = ps_log_copy(0, kept, sizeof kept); next != last;
         next = ps_log_copy(next, kept, sizeof kept)) {
        last = next;
    }
    return last;
}

static int quiet(void **state) {
    ps_log_set_fd(-1);
    ps_log_set_level(PS_LOG_INFO);
    ps_log_set_listener(NULL, NULL);
    return 0;
}

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (const char *at = strchr(text, '\n'); at != NULL; at = strchr(at + 1, '\n')) {
        count++;
    }
    return count;
}

static void test_line_format(void **state) {
    uint64_t start = newest();
    ps_log_write(PS_LOG_WARNING, "src/link/link.c", 120, "LINK-DOWN", "lost %d", 7);
    assert_true(ps_log_copy(start, kept, sizeof kept) == start + 1);
    // [2026-01-31 12:00:00,123] [WARNING] [link.c 120]: LINK-DOWN: lost 7
    assert_int_equal(kept[0], '[');
    assert_int_equal(kept[20], ',');
    assert_int_equal(kept[24], ']');
    assert_string_equal(kept + 25, " [WARNING] [link.c 120]: LINK-DOWN: lost 7\n");
}

static void test_line_without_id(void **state) {
    uint64_t start = newest();
    ps_log_write(PS_LOG_INFO, "app.c", 1, NULL, "Build OK.");
    ps_log_copy(start, kept, sizeof kept);
    assert_string_equal(kept + 25, " [INFO] [app.c 1]: Build OK.\n");
}

static void test_script_line(void **state) {
    uint64_t start = newest();
    ps_log_script(PS_LOG_ERROR, false, "m", "<string>", 6, "boom", 4);
    ps_log_copy(start, kept, sizeof kept);
    assert_string_equal(kept + 25, " [ERROR] [<string> 6]: boom\n");
    start = newest();
    ps_log_script(PS_LOG_INFO, true, "m", "<string>", 7, NULL, 0);
    ps_log_copy(start, kept, sizeof kept);
    assert_string_equal(kept + 25, " [INFO] [<string> 7]: \n");
}

static void test_levels(void **state) {
    uint64_t start = newest();
    PS_LOGD("T", "hidden");
    ps_log_script(PS_LOG_DEBUG, false, "m", "<string>", 1, "hidden", 6);
    assert_true(newest() == start);
    ps_log_script(PS_LOG_DEBUG, true, "m", "<string>", 1, "always", 6);
    assert_true(newest() == start + 1);
    ps_log_set_level(PS_LOG_ERROR);
    assert_int_equal(ps_log_level(), PS_LOG_ERROR);
    PS_LOGW("T", "hidden");
    PS_LOGE("T", "shown");
    assert_true(newest() == start + 2);
    ps_log_set_level(PS_LOG_DEBUG);
    PS_LOGD("T", "shown");
    assert_true(newest() == start + 3);
    assert_string_equal(ps_log_level_name(PS_LOG_WARNING), "WARNING");
    assert_string_equal(ps_log_level_name((PsLogLevel)77), "UNKNOWN");
}

static void test_text_cannot_forge_a_line(void **state) {
    uint64_t start = newest();
    PS_LOGI("T", "a\n[2026-01-31 12:00:00,123] [INFO] [x.c 1]: forged\r!");
    ps_log_script(PS_LOG_INFO, true, "m", "<str\ning>", 1, "b\nc\0d", 5);
    PS_LOGI("T", "\x1b[2Jclear \xc2\x9b"
                 "31m red\x7f\ttab \xc2\xb0"
                 "C");
    assert_true(ps_log_copy(start, kept, sizeof kept) == start + 3);
    assert_int_equal(count_lines(kept), 3);
    assert_null(strchr(kept, '\r'));
    assert_non_null(strstr(kept, "[<str ing> 1]: b c d\n"));
    assert_non_null(strstr(kept, "T: ?[2Jclear ??31m red?\ttab \xc2\xb0"
                                 "C\n"));
}

static void test_long_text_is_cut_and_says_so(void **state) {
    size_t len = PS_LOG_TEXT_MAX * 3;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    for (int script = 0; script < 2; script++) {
        uint64_t start = newest();
        if (script) {
            ps_log_script(PS_LOG_INFO, true, "m", "<string>", 1, text, len);
        } else {
            PS_LOGI("LONG", "%s", text);
        }
        ps_log_copy(start, kept, sizeof kept);
        const char *mark = strstr(kept, " ... (");
        assert_non_null(mark);
        size_t said = strtoul(mark + 6, NULL, 10);
        size_t shown = strspn(strchr(kept, 'x'), "x");
        assert_int_equal(said + shown, len);
        assert_true(shown > PS_LOG_TEXT_MAX - 256 && shown <= PS_LOG_TEXT_MAX);
        assert_int_equal(count_lines(kept), 1);
    }
    free(text);
}

// Every length around the cut: nothing is overrun, nothing lost without the mark.
static void test_lengths_around_the_cut(void **state) {
    char text[PS_LOG_TEXT_MAX + 64];
    memset(text, 'x', sizeof text);
    uint64_t start = newest();
    for (size_t len = PS_LOG_TEXT_MAX - 140; len < PS_LOG_TEXT_MAX + 10; len += 3) {
        text[len] = '\0';
        ps_log_script(PS_LOG_INFO, true, "m", "a_rather_long_file_name_of_a_script.py", 123456,
                      text, len);
        PS_LOGI("A-STABLE-ID-OF-SOME-LENGTH", "%s", text);
        text[len] = 'x';
        assert_true(ps_log_copy(start, kept, sizeof kept) == start + 2);
        start += 2;
        for (const char *line = kept; *line != '\0'; line = strchr(line, '\n') + 1) {
            size_t shown =
                strspn(strstr(line, ": x") != NULL ? strstr(line, ": x") + 2 : line, "x");
            const char *mark = strstr(line, " ... (");
            const char *end = strchr(line, '\n');
            size_t said = mark != NULL && mark < end ? strtoul(mark + 6, NULL, 10) : 0;
            assert_int_equal(shown + said, len);
        }
    }
}

static void test_ring_keeps_the_newest_lines(void **state) {
    char text[4000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    uint64_t start = newest();
    const uint64_t rounds = 400; // about three times the ring
    for (uint64_t i = 0; i < rounds; i++) {
        PS_LOGI("RING", "%llu %s", (unsigned long long)i, text + i * 7 % 900);
    }
    uint64_t last = ps_log_copy(start, kept, sizeof kept);
    assert_true(last == start + rounds);
    size_t lines = count_lines(kept);
    assert_true(lines > 100 && lines < rounds);
    assert_int_equal(kept[0], '[');
    unsigned long long expected = rounds - lines;
    for (const char *line = kept; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_true(strtoull(strstr(line, "RING: ") + 6, NULL, 10) == expected++);
    }
    assert_true(expected == rounds);
}

static void test_copy_in_parts(void **state) {
    uint64_t start = newest();
    for (int i = 0; i < 5; i++) {
        PS_LOGI("PART", "%d", i);
    }
    char small[100];
    uint64_t after = start;
    for (int i = 0; i < 5; i++) {
        after = ps_log_copy(after, small, sizeof small);
        assert_true(after == start + (uint64_t)i + 1);
        assert_int_equal(count_lines(small), 1);
        assert_int_equal(strtol(strstr(small, "PART: ") + 6, NULL, 10), i);
    }
    assert_true(ps_log_copy(after, small, sizeof small) == after);
    assert_string_equal(small, "");
    assert_true(ps_log_copy(start, small, 1) == start); // nothing fits
    assert_string_equal(small, "");
    assert_true(ps_log_copy(start, NULL, 0) == start);
}

static void test_lines_go_to_the_descriptor(void **state) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ps_log_set_fd(ends[1]);
    PS_LOGI("PIPE", "hello");
    ps_log_set_fd(-1);
    PS_LOGI("PIPE", "not there");
    close(ends[1]);
    char text[200] = {0};
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_int_equal(read(ends[0], text + 100, 10), 0);
    assert_non_null(strstr(text, "PIPE: hello\n"));
    close(ends[0]);
}

typedef struct Heard {
    _Atomic uint64_t sequence;
} Heard;

static void remember(uint64_t sequence, void *ctx) {
    Heard *heard = ctx;
    atomic_store(&heard->sequence, sequence);
    // Under no lock: a listener may read the log.
    char line[200];
    (void)ps_log_copy(sequence - 1, line, sizeof line);
}

static void test_listener_hears_each_line(void **state) {
    Heard heard = {0};
    uint64_t start = newest();
    ps_log_set_listener(remember, &heard);
    PS_LOGI("HEAR", "one");
    assert_true(atomic_load(&heard.sequence) == start + 1);
    ps_log_set_listener(NULL, NULL);
    PS_LOGI("HEAR", "two");
    assert_true(atomic_load(&heard.sequence) == start + 1);
}

#define THREADS 4
#define LINES_EACH 300

static void *log_many(void *name) {
    for (int i = 0; i < LINES_EACH; i++) {
        PS_LOGI("THREAD", "%s %d.", (const char *)name, i);
    }
    return NULL;
}

static void test_threads_do_not_mix_lines(void **state) {
    char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    uint64_t start = newest();
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(ps_log_copy(start, kept, sizeof kept) == start + (uint64_t)THREADS * LINES_EACH);
    int next[THREADS] = {0};
    for (const char *line = kept; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *text = strstr(line, "THREAD: ") + 8;
        assert_in_range(text[0], 'a', 'd');
        assert_int_equal(strtol(text + 2, NULL, 10), next[text[0] - 'a']++);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(next[i], LINES_EACH);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_line_format, quiet),
        cmocka_unit_test_setup(test_line_without_id, quiet),
        cmocka_unit_test_setup(test_script_line, quiet),
        cmocka_unit_test_setup(test_levels, quiet),
        cmocka_unit_test_setup(test_text_cannot_forge_a_line, quiet),
        cmocka_unit_test_setup(test_long_text_is_cut_and_says_so, quiet),
        cmocka_unit_test_setup(test_lengths_around_the_cut, quiet),
        cmocka_unit_test_setup(test_ring_keeps_the_newest_lines, quiet),
        cmocka_unit_test_setup(test_copy_in_parts, quiet),
        cmocka_unit_test_setup(test_lines_go_to_the_descriptor, quiet),
        cmocka_unit_test_setup(test_listener_hears_each_line, quiet),
        cmocka_unit_test_setup(test_threads_do_not_mix_lines, quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
