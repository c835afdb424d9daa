// Tests of the mailbox: order, bound, wake, waiting, two threads.
#include "base/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_items_come_in_order_and_full_refuses(void **state) {
    int items[3];
    PsMailbox *mailbox = ps_mailbox_new(2, NULL, NULL);
    assert_null(ps_mailbox_take(mailbox));
    // More rounds than the capacity, so that the ring wraps.
    for (int round = 0; round < 5; round++) {
        assert_int_equal(ps_mailbox_put(mailbox, &items[0]), PS_OK);
        assert_int_equal(ps_mailbox_put(mailbox, &items[1]), PS_OK);
        assert_int_equal(ps_mailbox_put(mailbox, &items[2]), PS_ERR_FULL);
        assert_int_equal(ps_mailbox_count(mailbox), 2);
        assert_ptr_equal(ps_mailbox_take(mailbox), &items[0]);
        assert_int_equal(ps_mailbox_put(mailbox, &items[2]), PS_OK);
        assert_ptr_equal(ps_mailbox_take(mailbox), &items[1]);
        assert_ptr_equal(ps_mailbox_take(mailbox), &items[2]);
        assert_null(ps_mailbox_take(mailbox));
    }
    ps_mailbox_free(mailbox);
    ps_mailbox_free(NULL);
}

static void test_it_grows_in_order_up_to_its_capacity(void **state) {
    static int items[100];
    PsMailbox *mailbox = ps_mailbox_new(40, NULL, NULL);
    assert_int_equal(ps_mailbox_put(mailbox, &items[0]), PS_OK);
    assert_ptr_equal(ps_mailbox_take(mailbox), &items[0]); // so that the ring begins elsewhere
    for (int i = 0; i < 40; i++) {
        assert_int_equal(ps_mailbox_put(mailbox, &items[i]), PS_OK);
    }
    assert_int_equal(ps_mailbox_put(mailbox, &items[40]), PS_ERR_FULL);
    ps_mailbox_set_capacity(mailbox, 100);
    for (int i = 40; i < 100; i++) {
        assert_int_equal(ps_mailbox_put(mailbox, &items[i]), PS_OK);
    }
    assert_int_equal(ps_mailbox_put(mailbox, &items[0]), PS_ERR_FULL);
    for (int i = 0; i < 100; i++) {
        assert_ptr_equal(ps_mailbox_take(mailbox), &items[i]);
    }
    ps_mailbox_set_capacity(mailbox, 1); // the ring stays larger than that
    assert_int_equal(ps_mailbox_put(mailbox, &items[0]), PS_OK);
    assert_int_equal(ps_mailbox_put(mailbox, &items[1]), PS_ERR_FULL);
    ps_mailbox_free(mailbox);
}

static void count_wake(void *ctx) {
    ++*(int *)ctx;
}

static void test_wake_only_for_what_was_taken_over(void **state) {
    int wakes = 0;
    PsMailbox *mailbox = ps_mailbox_new(1, count_wake, &wakes);
    assert_int_equal(ps_mailbox_put(mailbox, &wakes), PS_OK);
    assert_int_equal(wakes, 1);
    assert_int_equal(ps_mailbox_put(mailbox, &wakes), PS_ERR_FULL);
    assert_int_equal(wakes, 1);
    assert_ptr_equal(ps_mailbox_take(mailbox), &wakes);
    ps_mailbox_free(mailbox);
}

static void test_wait_ends_at_the_deadline(void **state) {
    PsMailbox *mailbox = ps_mailbox_new(1, NULL, NULL);
    PsMono start = ps_mono_now();
    assert_null(ps_mailbox_wait(mailbox, start)); // already past
    PsMono deadline = ps_mono_add_ns(start, 30 * PS_NS_PER_MS);
    assert_null(ps_mailbox_wait(mailbox, deadline));
    assert_true(ps_mono_diff_ns(ps_mono_now(), deadline) >= 0);
    assert_int_equal(ps_mailbox_put(mailbox, &start), PS_OK);
    assert_ptr_equal(ps_mailbox_wait(mailbox, start), &start); // there is one: no waiting
    ps_mailbox_free(mailbox);
}

#define SENDERS 2
#define ITEMS_EACH 5000

typedef struct Sender {
    PsMailbox *mailbox;
    uintptr_t first;
} Sender;

static void *send_many(void *ctx) {
    Sender *sender = ctx;
    for (uintptr_t i = 0; i < ITEMS_EACH; i++) {
        while (ps_mailbox_put(sender->mailbox, (void *)(sender->first + i)) != PS_OK) {
            sched_yield();
        }
    }
    return NULL;
}

static void test_two_senders_one_receiver(void **state) {
    PsMailbox *mailbox = ps_mailbox_new(8, NULL, NULL);
    Sender senders[SENDERS];
    pthread_t threads[SENDERS];
    uintptr_t next[SENDERS];
    for (size_t i = 0; i < SENDERS; i++) {
        next[i] = 1 + i * ITEMS_EACH;
        senders[i] = (Sender){mailbox, next[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), 60 * PS_NS_PER_S);
    for (size_t i = 0; i < (size_t)SENDERS * ITEMS_EACH; i++) {
        uintptr_t item = (uintptr_t)ps_mailbox_wait(mailbox, deadline);
        assert_int_not_equal(item, 0);
        size_t sender = (item - 1) / ITEMS_EACH;
        assert_true(item == next[sender]++); // each sender's items in its order, none lost
    }
    for (size_t i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(ps_mailbox_count(mailbox), 0);
    ps_mailbox_free(mailbox);
}

static void *wait_one(void *ctx) {
    return ps_mailbox_wait(ctx, ps_mono_add_ns(ps_mono_now(), 60 * PS_NS_PER_S));
}

static void test_put_ends_a_wait(void **state) {
    int item;
    PsMailbox *mailbox = ps_mailbox_new(1, NULL, NULL);
    pthread_t thread;
    void *got = NULL;
    assert_int_equal(pthread_create(&thread, NULL, wait_one, mailbox), 0);
    PsMono start = ps_mono_now();
    assert_int_equal(ps_mailbox_put(mailbox, &item), PS_OK);
    assert_int_equal(pthread_join(thread, &got), 0);
    assert_ptr_equal(got, &item);
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) < 30 * PS_NS_PER_S);
    ps_mailbox_free(mailbox);
}

static void *wait_for_any(void *ctx) {
    return ps_mailbox_wait_all(ctx, ps_mono_add_ns(ps_mono_now(), 60 * PS_NS_PER_S));
}

static void test_quiet_items_wake_who_waits_for_all(void **state) {
    int item;
    PsMailbox *mailbox = ps_mailbox_new(1, NULL, NULL);
    PsMono start = ps_mono_now();
    for (int round = 0; round < 50; round++) { // some find the item, some are woken by it
        pthread_t thread;
        void *got = NULL;
        assert_int_equal(pthread_create(&thread, NULL, wait_for_any, mailbox), 0);
        assert_int_equal(ps_mailbox_put_quietly(mailbox, &item), PS_OK);
        assert_int_equal(pthread_join(thread, &got), 0);
        assert_ptr_equal(got, &item);
    }
    assert_true(ps_mono_diff_ns(ps_mono_now(), start) < 30 * PS_NS_PER_S);
    ps_mailbox_free(mailbox);
}

static void test_quiet_items_are_found_without_a_wake(void **state) {
    int woken = 0;
    int items[2];
    PsMailbox *mailbox = ps_mailbox_new(1, count_wake, &woken);
    assert_int_equal(ps_mailbox_put_quietly(mailbox, &items[0]), PS_OK);
    assert_int_equal(ps_mailbox_put_quietly(mailbox, &items[1]), PS_ERR_FULL);
    assert_int_equal(woken, 0);
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), 60 * PS_NS_PER_S);
    assert_ptr_equal(ps_mailbox_wait(mailbox, deadline), &items[0]);
    ps_mailbox_free(mailbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_in_order_and_full_refuses),
        cmocka_unit_test(test_it_grows_in_order_up_to_its_capacity),
        cmocka_unit_test(test_wake_only_for_what_was_taken_over),
        cmocka_unit_test(test_wait_ends_at_the_deadline),
        cmocka_unit_test(test_two_senders_one_receiver),
        cmocka_unit_test(test_put_ends_a_wait),
        cmocka_unit_test(test_quiet_items_wake_who_waits_for_all),
        cmocka_unit_test(test_quiet_items_are_found_without_a_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
