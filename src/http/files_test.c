// Static files: what is sent with them, what is not sent twice, and what is no file of the page.
#include "http/files.h"

#include "http/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define POLICY "default-src 'none'; script-src 'self'"

static char folder[] = "/tmp/penstock-files-XXXXXX";
static PsHttpFiles *files;

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void answer(Rig *rig, PsHttpRequest *request) {
    static PsTarget target;
    assert_int_equal(ps_target_read(ps_http_target(request), &target), PS_OK);
    ps_http_files_answer(files, request, &target, 0);
}

static void start(Rig *rig, const char *dir, size_t bytes_max) {
    rig_init(rig);
    rig->on_request = answer;
    rig_start(rig);
    files = ps_http_files_new(dir, POLICY, bytes_max);
}

static void end(Rig *rig) {
    ps_http_files_free(files);
    rig_end(rig);
}

static void get(Rig *rig, const char *target, const char *header, PsBuf *got) {
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n", target,
             header);
    rig_ask(rig, text, got);
}

static void test_files_have_their_headers(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, folder, 100000);
    get(&rig, "/", "", &got);
    assert_true(rig_has(&got, "200 OK") && rig_has(&got, "<p>page</p>"));
    assert_true(rig_has(&got, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_true(rig_has(&got, "Content-Security-Policy: " POLICY "\r\n"));
    assert_true(rig_has(&got, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(rig_has(&got, "X-Frame-Options: DENY\r\n"));
    assert_true(rig_has(&got, "Cache-Control: no-cache\r\n"));
    get(&rig, "/assets/app-Bx3_k9Qz.js?v=1", "", &got);
    assert_true(rig_has(&got, "Cache-Control: public, max-age=31536000, immutable\r\n"));
    assert_true(rig_has(&got, "text/javascript") && rig_has(&got, "\r\n\r\nplain"));
    end(&rig);
    ps_buf_deinit(&got);
}

static void test_packed_files_are_for_those_who_take_them(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, folder, 100000);
    get(&rig, "/assets/app-Bx3_k9Qz.js", "Accept-Encoding: br, gzip\r\n", &got);
    assert_true(rig_has(&got, "Content-Encoding: gzip\r\n") && rig_has(&got, "\r\n\r\npacked"));
    assert_true(rig_has(&got, "Vary: Accept-Encoding\r\n") && rig_has(&got, "text/javascript"));
    get(&rig, "/assets/app-Bx3_k9Qz.js", "Accept-Encoding: gzip;q=0\r\n", &got);
    assert_true(!rig_has(&got, "Content-Encoding") && rig_has(&got, "\r\n\r\nplain"));
    get(&rig, "/", "Accept-Encoding: gzip\r\n", &got); // has none
    assert_true(!rig_has(&got, "Content-Encoding") && rig_has(&got, "<p>page</p>"));
    end(&rig);
    ps_buf_deinit(&got);
}

static void test_what_is_known_is_not_sent_again(void **state) {
    Rig rig;
    PsBuf got = {0};
    char header[128];
    start(&rig, folder, 100000);
    get(&rig, "/", "", &got);
    const char *etag = strstr((const char *)got.data, "ETag: ");
    assert_non_null(etag);
    snprintf(header, sizeof header, "If-None-Match: %.34s\r\n", etag + 6);
    get(&rig, "/", header, &got);
    assert_true(rig_has(&got, "304 Not Modified") && !rig_has(&got, "page"));
    assert_true(rig_has(&got, "ETag: "));
    get(&rig, "/", "If-None-Match: \"other\"\r\n", &got);
    assert_true(rig_has(&got, "200 OK"));
    // Another content has another tag, at the latest after a second.
    put("index.html", "<p>second</p>");
    uint64_t until = uv_now(&rig.loop) + 1100;
    RIG_UNTIL(&rig, uv_now(&rig.loop) > until);
    get(&rig, "/", header, &got);
    assert_true(rig_has(&got, "200 OK") && rig_has(&got, "<p>second</p>"));
    put("index.html", "<p>page</p>");
    end(&rig);
    ps_buf_deinit(&got);
}

static void test_nothing_outside(void **state) {
    static const char *const none[] = {
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/assets/..%2f..%2fsecret",
        "/.hidden",
        "//",
        "/assets",
        "/none.js",
        "/assets//app-Bx3_k9Qz.js",
        "/assets/",
        "/.",
        "/assets/.hidden",
        "/etc/passwd",
        "/index.html/",
    };
    Rig rig;
    PsBuf got = {0};
    start(&rig, folder, 100000);
    for (size_t i = 0; i < PS_COUNT(none); i++) {
        get(&rig, none[i], "", &got);
        if (!rig_has(&got, "404 Not Found") || !rig_has(&got, "nosniff")) {
            fail_msg("%s: %s", none[i], (const char *)got.data);
        }
    }
    end(&rig);
    start(&rig, NULL, 100000);
    get(&rig, "/", "", &got);
    assert_true(rig_has(&got, "404 Not Found") && rig_has(&got, "not installed"));
    end(&rig);
    ps_buf_deinit(&got);
}

static void test_little_memory_serves_all(void **state) {
    Rig rig;
    PsBuf got = {0};
    start(&rig, folder, 12); // of 11 and 5 bytes
    for (int round = 0; round < 3; round++) {
        get(&rig, "/", "", &got);
        assert_true(rig_has(&got, "<p>page</p>"));
        get(&rig, "/assets/app-Bx3_k9Qz.js", "", &got);
        assert_true(rig_has(&got, "\r\n\r\nplain"));
        get(&rig, "/empty.txt", "", &got);
        assert_true(rig_has(&got, "200 OK") && rig_has(&got, "Content-Length: 0\r\n"));
    }
    end(&rig);
    ps_buf_deinit(&got);
}

static void test_names(void **state) {
    assert_true(ps_http_name_is_hashed("assets/app-Bx3_k9Qz.js"));
    assert_true(ps_http_name_is_hashed("/x/assets/a-b-12345678.css"));
    assert_false(ps_http_name_is_hashed("/x/assets/app.js"));
    assert_false(ps_http_name_is_hashed("/x/assets/app-1234567.js"));
    assert_false(ps_http_name_is_hashed("/x/myassets/app-12345678.js"));
    assert_false(ps_http_name_is_hashed("/app-12345678.js"));
    assert_false(ps_http_name_is_hashed("assets/12345678.js"));
    assert_false(ps_http_name_is_hashed("assets/noending-12345678"));
    assert_string_equal(ps_http_type_of("a.b/c.svg"), "image/svg+xml");
    assert_string_equal(ps_http_type_of("none"), "application/octet-stream");
}

static int make_folder(void **state) {
    char path[256];
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    snprintf(path, sizeof path, "%s/assets", folder);
    mkdir(path, 0755);
    put("index.html", "<p>page</p>");
    put("assets/app-Bx3_k9Qz.js", "plain");
    put("assets/app-Bx3_k9Qz.js.gz", "packed");
    put(".hidden", "no");
    put("assets/.hidden", "no");
    put("empty.txt", "");
    return 0;
}

static int remove_folder(void **state) {
    static const char *const names[] = {
        "index.html", "assets/app-Bx3_k9Qz.js", "assets/app-Bx3_k9Qz.js.gz",
        ".hidden",    "assets/.hidden",         "empty.txt"};
    char path[256];
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/assets", folder);
    rmdir(path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_have_their_headers),
        cmocka_unit_test(test_packed_files_are_for_those_who_take_them),
        cmocka_unit_test(test_what_is_known_is_not_sent_again),
        cmocka_unit_test(test_nothing_outside),
        cmocka_unit_test(test_little_memory_serves_all),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("http files", tests, make_folder, remove_folder);
}
