//! For tests: a server in a loop of its own and clients on bare sockets, all on one thread.
#pragma once

#include "base/buf.h"
#include "http/server.h"

#include <openssl/ssl.h>

/// What the rig's handlers have seen and how they shall behave.
typedef struct Rig {
    uv_loop_t loop;
    PsHttpServer *server;
    PsHttpSetup setup;
    unsigned heads;
    unsigned requests;
    unsigned dropped;
    unsigned gone;
    bool closed;
    PsHttpVerdict verdict;
    bool late;             ///< keep requests in `kept` instead of answering
    bool late_refusals;    ///< also those that are refused
    PsHttpRequest *kept;   ///< the last one
    const char *header[2]; ///< of the answers, name and value, or NULL
    PsHttpPeer peer;       ///< of the last request
    char cookie[64];       ///< "sid" of the last request
    void (*on_request)(struct Rig *rig, PsHttpRequest *request); ///< instead, or NULL
    PsHttpStream *stream;
    unsigned streams_closed;
    char *cert; ///< with rig_use_tls
    char *key;
    int tls_most;       ///< highest version of TLS the clients offer; 0: all
    SSL *clients[1024]; ///< of the descriptors that have TLS
} Rig;

/// Port 0 on 127.0.0.1 unless `setup` is changed before rig_start. Answers 200 with
/// "METHOD TARGET BYTES\n" and the body, or the refusal's status.
void rig_init(Rig *rig);
/// A certificate of its own.
void rig_use_tls(Rig *rig);
void rig_start(Rig *rig);
/// Stops the server, runs the loop empty; everything must go.
void rig_end(Rig *rig);
void rig_answer(Rig *rig, PsHttpRequest *request);
void rig_count_gone(void *ctx);
void rig_stream_closed(void *ctx);

/// Turns the loop for a few milliseconds.
void rig_turn(Rig *rig);
/// Turns the loop until `condition` or the test fails.
#define RIG_UNTIL(rig, condition)                                                                  \
    do {                                                                                           \
        for (int rig_turns = 0; !(condition); rig_turns++) {                                       \
            assert_true(rig_turns < 15000);                                                        \
            rig_turn(rig);                                                                         \
        }                                                                                          \
    } while (0)

/// With TLS when the server has it; -1 when the handshake fails.
int rig_connect(Rig *rig);
/// As much as the connection takes now; false: nothing of it.
bool rig_send(Rig *rig, int fd, const char *text);
/// Takes what is there; false when the server has closed.
bool rig_take(Rig *rig, int fd, PsBuf *got);
void rig_close(Rig *rig, int fd);
/// Until the text holds `wanted`, or the server closed; fails when it never comes.
void rig_expect(Rig *rig, int fd, PsBuf *got, const char *wanted);
/// Until the server closes.
void rig_expect_end(Rig *rig, int fd, PsBuf *got);
/// Sends `text` on a new connection, returns what came until the server closed or the first whole
/// answer by its Content-Length.
void rig_ask(Rig *rig, const char *text, PsBuf *got);
bool rig_has(const PsBuf *got, const char *wanted);
unsigned rig_count(const PsBuf *got, const char *wanted);

/// A certificate of its own for localhost, PEM texts to be freed.
void rig_make_cert(char **ret_cert, char **ret_key);
