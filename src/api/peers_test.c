// Names of peers: from a file like /etc/passwd, and without one.
#include "api/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void names(void **state) {
    char path[] = "/tmp/ps-peers-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "root:x:0:0::/root:/bin/sh\nann:x:1001:1001::/:/bin/sh\n"
                               "anna:x:1001:1001::/:/bin/sh\nspoiled\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    PsApiPeers *peers = ps_api_peers_new(path);
    unlink(path);
    char name[16];
    ps_api_peers_name(peers, 1001, name, sizeof name);
    assert_string_equal(name, "ann");
    ps_api_peers_name(peers, 1002, name, sizeof name);
    assert_string_equal(name, "uid 1002");
    ps_api_peers_free(peers);
    peers = ps_api_peers_new(path);
    ps_api_peers_name(peers, 0, name, sizeof name);
    assert_string_equal(name, "uid 0");
    ps_api_peers_free(peers);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
