// Wildcards: what they take, and that no pattern makes matching dear.
#include "localcloud/policy/pattern.h"

#include "base/mem.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const PsPolicyContext context = {.client_id = "a:b"};

static PsMatch match(const char *source, unsigned style, const char *text) {
    PsArena *arena = ps_arena_new();
    PsPattern pattern;
    assert_int_equal(ps_pattern_compile(arena, source, strlen(source), style, &pattern), PS_OK);
    PsMatch result =
        ps_pattern_match(&pattern, style, &context, (PsPolicyText){text, strlen(text)}, NULL);
    ps_arena_free(arena);
    return result;
}

typedef struct Case {
    const char *pattern;
    unsigned style;
    const char *text;
    PsMatch result;
} Case;

#define WILD PS_PATTERN_WILD
#define VARIABLE (PS_PATTERN_WILD | PS_PATTERN_VARIABLES)
#define ARN (PS_PATTERN_WILD | PS_PATTERN_ARN)

static void test_cases(void **state) {
    (void)state;
    static const Case cases[] = {
        {"", WILD, "", PS_MATCH_YES},
        {"", WILD, "a", PS_MATCH_NO},
        {"*", WILD, "", PS_MATCH_YES},
        {"**", WILD, "abc", PS_MATCH_YES},
        {"?", WILD, "", PS_MATCH_NO},
        {"*?", WILD, "a", PS_MATCH_YES},
        {"*??", WILD, "\303\251", PS_MATCH_NO},        // one character of two bytes
        {"?", WILD, "\360\237\230\200", PS_MATCH_YES}, // of four
        {"a*b*c", WILD, "a-bb-cc", PS_MATCH_YES},
        {"a*b*c", WILD, "a-bb-cd", PS_MATCH_NO},
        {"*abab", WILD, "abaabab", PS_MATCH_YES},
        {"*ab*ba*", WILD, "aba", PS_MATCH_NO},
        {"*", 0, "a", PS_MATCH_NO},
        {"*?", 0, "*?", PS_MATCH_YES},
        {"AbC", PS_PATTERN_ANY_CASE, "aBc", PS_MATCH_YES},
        {"${iot:ClientId}", VARIABLE, "a:b", PS_MATCH_YES},
        {"*${iot:ClientId}*", VARIABLE, "xa:a:by", PS_MATCH_YES},
        {"${iot:ClientId}", WILD, "${iot:ClientId}", PS_MATCH_YES},
        {"${aws:SourceIp}", VARIABLE, "", PS_MATCH_UNRESOLVED},
        {"${}", VARIABLE, "", PS_MATCH_UNRESOLVED},
        {"$", VARIABLE, "$", PS_MATCH_YES},
        {"$$${$}{", VARIABLE, "$$${", PS_MATCH_YES},
        {"a:*:c:d:e:f", ARN, "a:b:c:d:e:f", PS_MATCH_YES},
        {"a:*:c:d:e:f", ARN, "a:b:x:c:d:e:f", PS_MATCH_NO},
        {"a:*:d:e:f", ARN, "a:b:c:d:e:f", PS_MATCH_NO},
        {"a:?:c:d:e:f", ARN, "a:b:c:d:e:f", PS_MATCH_YES},
        {"a:b:c:d:e:*", ARN, "a:b:c:d:e:f:g/h", PS_MATCH_YES},
        {"a:b:c:d:e:*h", ARN, "a:b:c:d:e:f:g/h", PS_MATCH_YES},
        {"*:*:*:*:*:*", ARN, "a:b:c:d:e:f:g", PS_MATCH_YES},
        {"*", ARN, "a:b:c:d:e:f", PS_MATCH_NO},
        {"a*", ARN, "abc", PS_MATCH_NO}, // no ARN
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        const Case *one = &cases[i];
        PsMatch result = match(one->pattern, one->style, one->text);
        if (result != one->result) {
            fail_msg("'%s' on '%s' gives %d", one->pattern, one->text, (int)result);
        }
    }
}

static void test_unclosed(void **state) {
    (void)state;
    PsArena *arena = ps_arena_new();
    PsPattern pattern = {0};
    assert_int_equal(ps_pattern_compile(arena, "a${b", 4, VARIABLE, &pattern), PS_ERR_INVALID);
    assert_int_equal(pattern.count, 0);
    ps_arena_free(arena);
}

// The straightforward definition, exponential, for short texts.
static bool defined(const char *pattern, const char *text) {
    if (*pattern == '*') {
        return defined(pattern + 1, text) || (*text != '\0' && defined(pattern, text + 1));
    }
    if (*pattern == '\0' || *text == '\0') {
        return *pattern == *text;
    }
    return (*pattern == '?' || *pattern == *text) && defined(pattern + 1, text + 1);
}

static void spell(unsigned number, const char *letters, char *out) {
    unsigned base = (unsigned)strlen(letters) + 1;
    for (; number > 0; number /= base) {
        if (number % base > 0) {
            *out++ = letters[number % base - 1];
        }
    }
    *out = '\0';
}

// Every short pattern over every short text means what it is defined to.
static void test_definition(void **state) {
    (void)state;
    size_t matched = 0;
    for (unsigned p = 0; p < 3125; p++) {
        char pattern[16];
        spell(p, "ab*?", pattern);
        PsArena *arena = ps_arena_new();
        PsPattern compiled;
        assert_int_equal(ps_pattern_compile(arena, pattern, strlen(pattern), WILD, &compiled),
                         PS_OK);
        for (unsigned t = 0; t < 243; t++) {
            char text[16];
            spell(t, "ab", text);
            PsMatch result = ps_pattern_match(&compiled, WILD, &context,
                                              (PsPolicyText){text, strlen(text)}, NULL);
            if ((result == PS_MATCH_YES) != defined(pattern, text)) {
                fail_msg("'%s' on '%s' gives %d", pattern, text, (int)result);
            }
            matched += result == PS_MATCH_YES ? 1 : 0;
        }
        ps_arena_free(arena);
    }
    assert_in_range(matched, 1000, 500000);
}

#define HOSTILE_LEN 2000
#define TOPIC_LEN 60000

// A pattern as long as a policy may be, of `unit` over and over, on a topic far longer than the
// service takes: a matcher that goes back over more than the last star would not end in years.
static void test_hostile(void **state) {
    (void)state;
    static const char *const units[] = {"*a", "*aa", "a*", "*?", "?*a", "*?a", "*"};
    char *topic = ps_alloc(TOPIC_LEN + 1);
    memset(topic, 'a', TOPIC_LEN);
    for (size_t i = 0; i < PS_COUNT(units); i++) {
        char pattern[HOSTILE_LEN + 8] = "";
        size_t len = 0;
        while (len + strlen(units[i]) < HOSTILE_LEN) {
            memcpy(pattern + len, units[i], strlen(units[i]));
            len += strlen(units[i]);
        }
        memcpy(pattern + len, "b", 2);
        PsMono begin = ps_mono_now();
        assert_int_equal(match(pattern, WILD, topic), PS_MATCH_NO);
        assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 20 * PS_NS_PER_S);
    }
    free(topic);
}

// What costs most: every start of a run is followed through the whole pattern. The product of both
// lengths, which is milliseconds for what the service takes (2048 and 256).
static void test_worst(void **state) {
    (void)state;
    char pattern[2 + 2 * 400] = "*";
    char topic[4001];
    for (size_t i = 1; i + 1 < sizeof pattern; i += 2) {
        memcpy(pattern + i, "a?", 2);
    }
    pattern[sizeof pattern - 1] = '\0';
    pattern[sizeof pattern - 2] = 'b';
    memset(topic, 'a', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    assert_int_equal(match(pattern, WILD, topic), PS_MATCH_NO);
    topic[sizeof topic - 2] = 'b';
    assert_int_equal(match(pattern, WILD, topic), PS_MATCH_YES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),      cmocka_unit_test(test_unclosed),
        cmocka_unit_test(test_definition), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
