// What the command line asks over HTTP, and how it reads answers: in one piece, byte by byte,
// broken.
#include "cli/http_ask.h"
#include "cli/http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_asks(json_t *call, const char *wanted) {
    PS_AUTO_BUF PsBuf out = {0};
    assert_int_equal(cli_http_ask(call, &out), PS_OK);
    assert_string_equal((const char *)out.data, wanted);
    json_decref(call);
}

static void calls_become_requests(void **state) {
    (void)state;
    assert_asks(json_pack("{s:s}", "call", "GET /status"),
                "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_asks(json_pack("{s:s, s:s, s:i, s:b}", "call", "GET /dead", "name", "a&b/ü", "id", 7,
                          "whole", 1),
                "GET /api/v1/dead?name=a%26b%2F%C3%BC&id=7&whole=true HTTP/1.1\r\nHost: "
                "localhost\r\n\r\n");
    assert_asks(json_pack("{s:s, s:s, s:s, s:s}", "call", "PUT /devices/{device}/{name}", "device",
                          "a b", "name", "v\r\n", "value", "1"),
                "PUT /api/v1/devices/a%20b/v%0D%0A HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "application/json\r\nContent-Length: 13\r\n\r\n{\"value\":\"1\"}");
    assert_asks(json_pack("{s:s}", "call", "POST /confirm"),
                "POST /api/v1/confirm HTTP/1.1\r\nHost: localhost\r\n\r\n");
    PS_AUTO_BUF PsBuf out = {0};
    json_t *wrong = json_pack("{s:s}", "call", "status");
    assert_int_equal(cli_http_ask(wrong, &out), PS_ERR_INVALID);
    json_decref(wrong);
}

// Whole and byte by byte alike.
static void assert_reads(const char *text, int status, const char *body, bool closes) {
    for (int pieces = 0; pieces < 2; pieces++) {
        CliReply reply = {0};
        CliReplyState state = CLI_REPLY_MORE;
        size_t len = strlen(text);
        size_t step = pieces == 0 ? len : 1;
        for (size_t at = 0; at < len; at += step) {
            assert_int_equal(state, CLI_REPLY_MORE);
            state = cli_reply_take(&reply, text + at, step);
        }
        state = state == CLI_REPLY_MORE ? cli_reply_end(&reply) : state;
        assert_int_equal(state, CLI_REPLY_WHOLE);
        assert_int_equal(reply.status, status);
        assert_int_equal(reply.body.len, strlen(body));
        assert_memory_equal(reply.body.len > 0 ? (const char *)reply.body.data : "", body,
                            strlen(body));
        assert_int_equal(reply.closes, closes);
        cli_reply_deinit(&reply);
    }
}

static void answers_are_read(void **state) {
    (void)state;
    assert_reads("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nhi", 200,
                 "hi", false);
    assert_reads("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 404,
                 "", true);
    assert_reads("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
                 200, "abc0123456789", false);
    assert_reads("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end", true);
}

static void broken_answers_are_refused(void **state) {
    (void)state;
    const char *const wrong[] = {
        "{\"ok\": true}\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    };
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        CliReply reply = {0};
        CliReplyState end = cli_reply_take(&reply, wrong[i], strlen(wrong[i]));
        end = end == CLI_REPLY_MORE ? cli_reply_end(&reply) : end;
        assert_int_equal(end, CLI_REPLY_WRONG);
        cli_reply_deinit(&reply);
    }
    CliReply cut = {0};
    assert_int_equal(cli_reply_take(&cut, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", 41),
                     CLI_REPLY_MORE);
    assert_int_equal(cli_reply_end(&cut), CLI_REPLY_WRONG);
    cli_reply_reset(&cut);
    cut.without_body = true;
    assert_int_equal(cli_reply_take(&cut, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 39 - 1),
                     CLI_REPLY_WHOLE);
    cli_reply_deinit(&cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_become_requests),
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(broken_answers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
