// Prometheus's text format: each line by its rules, names and values as they were.
#include "api/metrics_text.h"

#include "base/err.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char nasty[] = "\"\\\n";

static json_t *make_status(void) {
    return json_pack(
        "{s:f, s:{s:s, s:i}, s:[{s:s, s:I, s:i, s:i, s:i, s:{s:i, s:i}}, {s:s, s:i, s:{}}],"
        " s:{s:b, s:n}, s:[], s:[{s:s, s:s, s:s, s:i}]}",
        "started", 1700000000.25, "link", "state", "Connection Successful", "connects", 3,
        "messages", "name", nasty, "accepted", (json_int_t)9007199254740993, "delivered", 2,
        "waiting", 1, "dead", 0, "dropped", "retention", 5, "size", 0, "name", "other", "accepted",
        7, "dropped", "outbox", "store_failing", 1, "waiting", "channels", "workers", "name", "w",
        "kind", "publish", "state", "running", "rss_kib", 2);
}

// ---- a reader of the format, by its description

static const char *skip_name(const char *at) {
    assert_true(isalpha((unsigned char)*at) || *at == '_' || *at == ':');
    while (isalnum((unsigned char)*at) || *at == '_' || *at == ':') {
        at++;
    }
    return at;
}

static const char *skip_labels(const char *at) {
    assert_true(*at == '{');
    do {
        at = skip_name(at + 1);
        assert_true(at[0] == '=' && at[1] == '"');
        for (at += 2; *at != '"'; at++) {
            assert_true(*at != '\0' && *at != '\n');
            if (*at == '\\') {
                at++;
                assert_true(*at == '\\' || *at == '"' || *at == 'n');
            }
        }
        at++;
    } while (*at == ',');
    assert_true(*at == '}');
    return at + 1;
}

// Samples stand behind the TYPE line of their own metric.
static void read_line(const char *line, size_t len, char *type_name, size_t size) {
    char copy[1000];
    assert_true(len < sizeof copy);
    memcpy(copy, line, len);
    copy[len] = '\0';
    if (strncmp(copy, "# HELP ", 7) == 0) {
        assert_true(*skip_name(copy + 7) == ' ');
        return;
    }
    if (strncmp(copy, "# TYPE ", 7) == 0) {
        const char *end = skip_name(copy + 7);
        assert_true(strcmp(end, " counter") == 0 || strcmp(end, " gauge") == 0);
        bool total = end - copy > 13 && strncmp(end - 6, "_total", 6) == 0;
        assert_true(total == (strcmp(end, " counter") == 0));
        assert_true((size_t)(end - copy - 7) < size);
        memcpy(type_name, copy + 7, (size_t)(end - copy - 7));
        type_name[end - copy - 7] = '\0';
        return;
    }
    const char *at = skip_name(copy);
    assert_true(strncmp(copy, type_name, strlen(type_name)) == 0 &&
                strlen(type_name) == (size_t)(at - copy));
    at = *at == '{' ? skip_labels(at) : at;
    assert_true(*at == ' ');
    char *end = NULL;
    (void)strtod(at + 1, &end);
    assert_true(end > at + 1 && *end == '\0');
}

static void every_line_follows_the_rules(void **state) {
    json_t *status = make_status();
    PS_AUTO_BUF PsBuf text = {0};
    ps_metrics_text(status, &text);
    json_decref(status);
    char type_name[200] = "";
    size_t lines = 0;
    for (const char *at = (const char *)text.data; *at != '\0'; lines++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end); // the last one, too
        read_line(at, (size_t)(end - at), type_name, sizeof type_name);
        at = end + 1;
    }
    assert_true(lines > 80);
}

static void values_and_labels_are_whole(void **state) {
    json_t *status = make_status();
    PS_AUTO_BUF PsBuf text = {0};
    ps_metrics_text(status, &text);
    json_decref(status);
    static const char *const lines[] = {
        "\npenstock_start_time_seconds 1700000000.25\n",
        "\npenstock_link_state{state=\"Connection Successful\"} 1\n",
        "\npenstock_link_connects_total 3\n",
        "\npenstock_messages_accepted{message=\"\\\"\\\\\\n\"} 9007199254740993\n",
        "\npenstock_messages_accepted{message=\"other\"} 7\n",
        "\npenstock_messages_dropped_total{message=\"\\\"\\\\\\n\",reason=\"retention\"} 5\n",
        "\npenstock_outbox_store_failing 1\n",
        "\npenstock_outbox_messages NaN\n",
        "\npenstock_worker_state{message=\"w\",kind=\"publish\",state=\"running\"} 1\n",
        "\npenstock_worker_resident_bytes{message=\"w\",kind=\"publish\"} 2048\n",
        "# TYPE penstock_channel_errors_total counter\n",
    };
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        if (strstr((const char *)text.data, lines[i]) == NULL) {
            fail_msg("missing: %s in\n%s", lines[i], (const char *)text.data);
        }
    }
    assert_null(strstr((const char *)text.data, "penstock_channel_errors_total{"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_follows_the_rules),
        cmocka_unit_test(values_and_labels_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
