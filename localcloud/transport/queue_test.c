// The byte queue of a connection: order, partial sends, memory given back.
#include "localcloud/transport/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

// Puts and takes in pieces of random size; what comes out must be what went in.
static void test_order_is_kept(void **state) {
    (void)state;
    PsQueue queue = {0};
    unsigned seed = 7;
    uint8_t next_in = 0;
    uint8_t next_out = 0;
    for (int i = 0; i < 20000; i++) {
        uint8_t piece[700];
        size_t len = (size_t)rand_r(&seed) % sizeof piece;
        for (size_t j = 0; j < len; j++) {
            piece[j] = next_in++;
        }
        ps_queue_put(&queue, piece, len);
        size_t left = ps_queue_len(&queue);
        size_t out = left == 0 ? 0 : (size_t)rand_r(&seed) % (left + 1);
        const uint8_t *front = ps_queue_front(&queue);
        for (size_t j = 0; j < out; j++) {
            assert_int_equal(front[j], next_out);
            next_out++;
        }
        ps_queue_take(&queue, out);
        assert_int_equal(ps_queue_len(&queue), left - out);
    }
    ps_queue_deinit(&queue);
}

static void test_bytes_that_were_sent_make_room(void **state) {
    (void)state;
    static const uint8_t piece[1000];
    PsQueue queue = {0};
    ps_queue_put(&queue, piece, sizeof piece);
    for (int i = 0; i < 10000; i++) {
        ps_queue_put(&queue, piece, sizeof piece);
        ps_queue_take(&queue, sizeof piece);
    }
    assert_true(queue.bytes.capacity < 64 * 1024);
    ps_queue_deinit(&queue);
}

static void test_an_empty_queue_keeps_little(void **state) {
    (void)state;
    static const uint8_t large[300000];
    PsQueue queue = {0};
    ps_queue_put(&queue, large, sizeof large);
    ps_queue_take(&queue, sizeof large);
    assert_int_equal(queue.bytes.capacity, 0);
    ps_queue_put(&queue, large, 10);
    ps_queue_take(&queue, 10);
    assert_true(queue.bytes.capacity > 0);
    ps_queue_deinit(&queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_kept),
        cmocka_unit_test(test_bytes_that_were_sent_make_room),
        cmocka_unit_test(test_an_empty_queue_keeps_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
