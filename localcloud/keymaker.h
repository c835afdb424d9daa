//! Makes keys beside the loop: an RSA key takes a tenth of a second and more, in which no client
//! would be served. A few at a time on libuv's worker threads, the others wait in their order.
//! Main thread.
#pragma once

#include "base/err.h"

#include <openssl/types.h>
#include <uv.h>

/// libuv has four threads; the others stay free for what else needs one.
#define PS_KEYS_AT_ONCE 2
/// Orders that wait for their turn.
#define PS_KEYS_WAITING_MAX 256

typedef struct PsKeymaker PsKeymaker;

/// `key` is borrowed. PS_ERR_CLOSED: the keymaker was stopped, PS_ERR_INTERNAL: OpenSSL's words are
/// in `diag`; then it is NULL.
typedef void PsKeyMade(void *ctx, PsErr err, EVP_PKEY *key, const PsDiag *diag);

PsKeymaker *ps_keymaker_new(uv_loop_t *loop);
/// Makes an RSA key (pki.h) and calls `made` once, later. PS_ERR_FULL, PS_ERR_CLOSED: it is not
/// called.
PsErr ps_keymaker_order(PsKeymaker *keymaker, PsKeyMade *made, void *ctx);
/// Every order that is not done is told PS_ERR_CLOSED, from within; no further ones are taken.
/// Accepts NULL.
void ps_keymaker_stop(PsKeymaker *keymaker);
/// Stops it and runs the loop until its threads are done. Accepts NULL.
void ps_keymaker_free(PsKeymaker *keymaker);
