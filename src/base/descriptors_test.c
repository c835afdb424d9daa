// The limit goes up, and a descriptor goes on under a high number.
#include "base/descriptors.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include <cmocka.h>

static void the_limit_goes_up_to_what_is_allowed(void **state) {
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(ps_descriptors_raise_limit(), before.rlim_max);
    struct rlimit after;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
    assert_int_equal(after.rlim_cur, before.rlim_max);
}

static void a_descriptor_moves_up(void **state) {
    (void)state;
    assert_int_equal(ps_descriptor_make_high(-1), -1);
    if (ps_descriptors_raise_limit() <= FD_SETSIZE) {
        skip();
    }
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int low = ends[1];
    int high = ps_descriptor_make_high(low);
    assert_true(high >= FD_SETSIZE);
    assert_int_equal(fcntl(high, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(low, F_GETFD), -1);
    assert_int_equal(write(high, "x", 1), 1);
    char byte = 0;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(ps_descriptor_make_high(high), high);
    close(high);
    close(ends[0]);
}

static void without_room_it_stays(void **state) {
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(ps_descriptor_make_high(fd), fd);
    close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_goes_up_to_what_is_allowed),
        cmocka_unit_test(a_descriptor_moves_up),
        cmocka_unit_test(without_room_it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
