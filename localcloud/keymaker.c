// Keys on worker threads. Main thread, but for make_key().
#include "localcloud/keymaker.h"

#include "base/mem.h"
#include "localcloud/pki.h"

#include <stdlib.h>

typedef struct KeyOrder {
    uv_work_t work;
    struct KeyOrder *next; // among those that wait
    PsKeymaker *keymaker;
    PsKeyMade *made; // NULL: told already
    void *ctx;
    // What the thread has made.
    PsErr err;
    EVP_PKEY *key;
    PsDiag diag;
} KeyOrder;

struct PsKeymaker {
    uv_loop_t *loop;
    KeyOrder *running[PS_KEYS_AT_ONCE]; // NULL: free
    size_t running_count;
    KeyOrder *first; // that waits
    KeyOrder **end;
    size_t waiting_count;
    bool stopped;
};

PsKeymaker *ps_keymaker_new(uv_loop_t *loop) {
    PsKeymaker *keymaker = ps_alloc(sizeof *keymaker);
    keymaker->loop = loop;
    keymaker->end = &keymaker->first;
    return keymaker;
}

static void tell(KeyOrder *order, PsErr err) {
    PsKeyMade *made = order->made;
    order->made = NULL;
    if (made != NULL) {
        made(order->ctx, err, err == PS_OK ? order->key : NULL, &order->diag);
    }
}

// Worker thread.
static void make_key(uv_work_t *work) {
    KeyOrder *order = work->data;
    order->err = ps_pki_make_key(PS_KEY_RSA, &order->key, &order->diag);
}

static void run_next(PsKeymaker *keymaker);

static void on_made(uv_work_t *work, int status) {
    (void)status; // it is never cancelled
    KeyOrder *order = work->data;
    PsKeymaker *keymaker = order->keymaker;
    for (size_t i = 0; i < PS_KEYS_AT_ONCE; i++) {
        keymaker->running[i] = keymaker->running[i] == order ? NULL : keymaker->running[i];
    }
    keymaker->running_count--;
    run_next(keymaker); // the thread need not wait for what comes of this key
    tell(order, order->err);
    EVP_PKEY_free(order->key);
    free(order);
}

static void run(PsKeymaker *keymaker, KeyOrder *order) {
    size_t at = 0;
    while (keymaker->running[at] != NULL) {
        at++;
    }
    keymaker->running[at] = order;
    keymaker->running_count++;
    int failure = uv_queue_work(keymaker->loop, &order->work, make_key, on_made);
    PS_ASSERT(failure == 0); // it only fails without a function
}

static KeyOrder *take_waiting(PsKeymaker *keymaker) {
    KeyOrder *order = keymaker->first;
    keymaker->first = order->next;
    keymaker->end = keymaker->first == NULL ? &keymaker->first : keymaker->end;
    keymaker->waiting_count--;
    return order;
}

static void run_next(PsKeymaker *keymaker) {
    while (keymaker->first != NULL && keymaker->running_count < PS_KEYS_AT_ONCE) {
        run(keymaker, take_waiting(keymaker));
    }
}

PsErr ps_keymaker_order(PsKeymaker *keymaker, PsKeyMade *made, void *ctx) {
    if (keymaker->stopped) {
        return PS_ERR_CLOSED;
    }
    if (keymaker->waiting_count == PS_KEYS_WAITING_MAX) {
        return PS_ERR_FULL;
    }
    KeyOrder *order = ps_alloc(sizeof *order);
    *order = (KeyOrder){.keymaker = keymaker, .made = made, .ctx = ctx};
    order->work.data = order;
    *keymaker->end = order;
    keymaker->end = &order->next;
    keymaker->waiting_count++;
    run_next(keymaker);
    return PS_OK;
}

void ps_keymaker_stop(PsKeymaker *keymaker) {
    if (keymaker == NULL) {
        return;
    }
    keymaker->stopped = true;
    for (size_t i = 0; i < PS_KEYS_AT_ONCE; i++) {
        if (keymaker->running[i] != NULL) {
            tell(keymaker->running[i], PS_ERR_CLOSED);
        }
    }
    while (keymaker->first != NULL) {
        KeyOrder *order = take_waiting(keymaker);
        tell(order, PS_ERR_CLOSED);
        free(order);
    }
}

void ps_keymaker_free(PsKeymaker *keymaker) {
    ps_keymaker_stop(keymaker);
    while (keymaker != NULL && keymaker->running_count > 0) {
        uv_run(keymaker->loop, UV_RUN_ONCE);
    }
    free(keymaker);
}
