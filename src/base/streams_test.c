// Tests of the standard descriptors, each in a child process that closes its own.
#include "base/streams.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_null_device(int fd) {
    struct stat is;
    return fstat(fd, &is) == 0 && S_ISCHR(is.st_mode) && is.st_rdev == makedev(1, 3);
}

// 0 when exactly the closed descriptors became /dev/null and the next file gets a number above 2.
static int fill(unsigned closed) {
    int pipes[2];
    if (pipe(pipes) != 0) {
        return 1;
    }
    for (int fd = 0; fd <= 2; fd++) {
        if (dup2(pipes[1], fd) != fd || ((closed >> fd & 1U) != 0 && close(fd) != 0)) {
            return 2;
        }
    }
    if (ps_streams_fill() != PS_OK) {
        return 3;
    }
    for (int fd = 0; fd <= 2; fd++) {
        if (is_null_device(fd) != ((closed >> fd & 1U) != 0)) {
            return 4;
        }
    }
    return dup(pipes[0]) > 2 ? 0 : 5;
}

static void closed_descriptors_become_the_null_device(void **state) {
    for (unsigned closed = 0; closed < 8; closed++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(fill(closed));
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_descriptors_become_the_null_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
