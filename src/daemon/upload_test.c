// Candidates in pieces: whole, of one user, one at a time, not for ever. Times are made up.
#include "base/mem.h"
#include "daemon/upload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PsErr add(PsUploads *uploads, uint64_t id, const char *who, const char *text, int64_t now_s,
                 uint64_t *ret_id, PsDiag *diag) {
    return ps_uploads_add(uploads, id, who, text, strlen(text), (PsMono){now_s * PS_NS_PER_S},
                          ret_id, diag);
}

static void pieces_make_a_whole_once(void **state) {
    PsUploads uploads = {0};
    PsDiag diag = {0};
    uint64_t id = 0;
    PS_AUTO_BUF PsBuf text = {0};
    assert_int_equal(add(&uploads, 0, "anna", "ab", 1, &id, &diag), PS_OK);
    assert_int_equal(add(&uploads, id, "anna", "cd", 2, &id, &diag), PS_OK);
    assert_int_equal(add(&uploads, id, "bert", "xx", 2, &id, &diag), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_uploads_take(&uploads, id, "bert", &text, &diag), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_uploads_take(&uploads, id, "anna", &text, &diag), PS_OK);
    assert_string_equal((const char *)text.data, "abcd");
    assert_int_equal(ps_uploads_take(&uploads, id, "anna", &text, &diag), PS_ERR_NOT_FOUND);
    ps_uploads_deinit(&uploads);
}

static void the_next_waits_until_the_one_before_is_left_alone(void **state) {
    PsUploads uploads = {0};
    PsDiag diag = {0};
    uint64_t first = 0;
    uint64_t second = 0;
    assert_int_equal(add(&uploads, 0, "anna", "a", 100, &first, &diag), PS_OK);
    assert_int_equal(add(&uploads, 0, "bert", "b", 159, &second, &diag), PS_ERR_BUSY);
    assert_non_null(strstr(diag.text, "anna"));
    assert_int_equal(add(&uploads, 0, "bert", "b", 160, &second, &diag), PS_OK);
    assert_int_not_equal(first, second);
    assert_int_equal(add(&uploads, first, "anna", "a", 161, &first, &diag), PS_ERR_NOT_FOUND);
    ps_uploads_deinit(&uploads);
}

static void it_does_not_grow_without_end(void **state) {
    PsUploads uploads = {0};
    PsDiag diag = {0};
    uint64_t id = 0;
    size_t piece = PS_API_UPLOAD_MAX / 4;
    char *text = ps_alloc(piece);
    memset(text, 'x', piece);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ps_uploads_add(&uploads, id, "anna", text, piece, (PsMono){1}, &id, &diag),
                         PS_OK);
    }
    assert_int_equal(ps_uploads_add(&uploads, id, "anna", text, 1, (PsMono){1}, &id, &diag),
                     PS_ERR_TOO_BIG);
    assert_int_equal(uploads.text.capacity, 0); // the memory is given back
    free(text);
    ps_uploads_deinit(&uploads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_a_whole_once),
        cmocka_unit_test(the_next_waits_until_the_one_before_is_left_alone),
        cmocka_unit_test(it_does_not_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
