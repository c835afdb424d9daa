// A server and its clients in one thread: the loop is turned between the client's calls, so a test
// waits for conditions only.
#include "http/test_rig.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

// ---- handlers

void rig_answer(Rig *rig, PsHttpRequest *request) {
    PsBuf text = {0};
    size_t len = 0;
    const uint8_t *body = ps_http_body(request, &len);
    int refusal = ps_http_refusal(request);
    ps_buf_printf(&text, "%s %s %zu\n", ps_http_method(request), ps_http_target(request), len);
    ps_buf_put(&text, body, len);
    PsHttpHeader header = {rig->header[0], rig->header[1]};
    ps_http_answer(request, refusal != 0 ? refusal : 200, &header, rig->header[0] != NULL,
                   text.data, text.len);
    ps_buf_deinit(&text);
}

static PsHttpVerdict on_head(PsHttpRequest *request, void *ctx) {
    Rig *rig = ctx;
    rig->heads++;
    ps_http_set_data(request, rig);
    return rig->verdict;
}

static void on_request(PsHttpRequest *request, void *ctx) {
    Rig *rig = ctx;
    rig->requests++;
    ps_http_peer(request, &rig->peer);
    if (!ps_http_cookie(request, "sid", rig->cookie, sizeof rig->cookie)) {
        rig->cookie[0] = '\0';
    }
    if (rig->on_request != NULL) {
        rig->on_request(rig, request);
    } else if (rig->late && (rig->late_refusals || ps_http_refusal(request) == 0)) {
        ps_http_on_gone(request, rig_count_gone, rig);
        rig->kept = request;
    } else {
        rig_answer(rig, request);
    }
}

static void on_dropped(PsHttpRequest *request, void *ctx) {
    Rig *rig = ctx;
    assert_ptr_equal(ps_http_data(request), rig);
    rig->dropped++;
}

void rig_count_gone(void *ctx) {
    ((Rig *)ctx)->gone++;
}

void rig_stream_closed(void *ctx) {
    Rig *rig = ctx;
    rig->streams_closed++;
    rig->stream = NULL;
}

// ---- life

void rig_init(Rig *rig) {
    *rig = (Rig){.verdict = {.body_max = 1000},
                 .setup = {.address = "127.0.0.1",
                           .connections_max = 20,
                           .head_max = 8192,
                           .silence_s = 10,
                           .request_s = 10,
                           .bodies_max = (size_t)64 * 1024 * 1024,
                           .on_head = on_head,
                           .on_request = on_request,
                           .on_dropped = on_dropped,
                           .ctx = rig}};
    assert_int_equal(uv_loop_init(&rig->loop), 0);
}

void rig_use_tls(Rig *rig) {
    signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    rig_make_cert(&rig->cert, &rig->key);
    rig->setup.cert = rig->cert;
    rig->setup.key = rig->key;
}

void rig_start(Rig *rig) {
    PsDiag diag = {0};
    if (ps_http_start(&rig->loop, &rig->setup, &rig->server, &diag) != PS_OK) {
        fail_msg("%s: %s: %s", diag.object, diag.field, diag.text);
    }
}

static void on_closed(void *ctx) {
    ((Rig *)ctx)->closed = true;
}

void rig_end(Rig *rig) {
    if (rig->server != NULL) {
        ps_http_stop(rig->server, on_closed, rig);
        RIG_UNTIL(rig, rig->closed);
    }
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    free(rig->cert);
    free(rig->key);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

static void nothing(uv_timer_t *timer) {
}

void rig_turn(Rig *rig) {
    uv_timer_t timer;
    uv_timer_init(&rig->loop, &timer);
    uv_timer_start(&timer, nothing, 1, 1); // again: the first may be due before the loop waits
    uv_run(&rig->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

// ---- clients

static bool wants_more(SSL *ssl, int result) {
    int error = SSL_get_error(ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool shake(Rig *rig, int fd) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, rig->tls_most);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(ssl, fd);
    rig->clients[fd] = ssl;
    int result = SSL_connect(ssl);
    for (int turn = 0; result != 1 && wants_more(ssl, result); turn++) {
        assert_true(turn < 15000);
        rig_turn(rig);
        result = SSL_connect(ssl);
    }
    return result == 1;
}

int rig_connect(Rig *rig) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(ps_http_port(rig->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_in_range(fd, 0, PS_COUNT(rig->clients) - 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (rig->setup.cert != NULL && !shake(rig, fd)) {
        rig_close(rig, fd);
        return -1;
    }
    return fd;
}

bool rig_send(Rig *rig, int fd, const char *text) {
    if (rig->clients[fd] != NULL) {
        int sent = SSL_write(rig->clients[fd], text, (int)strlen(text));
        ERR_clear_error();
        return sent > 0;
    }
    return send(fd, text, strlen(text), MSG_NOSIGNAL) > 0;
}

bool rig_take(Rig *rig, int fd, PsBuf *got) {
    char bytes[65536];
    for (;;) {
        SSL *ssl = rig->clients[fd];
        ssize_t len =
            ssl != NULL ? SSL_read(ssl, bytes, sizeof bytes) : recv(fd, bytes, sizeof bytes, 0);
        if (len <= 0) {
            bool later = ssl != NULL ? wants_more(ssl, (int)len) : len < 0 && errno == EAGAIN;
            ERR_clear_error();
            return later;
        }
        ps_buf_put(got, bytes, (size_t)len);
    }
}

void rig_close(Rig *rig, int fd) {
    SSL_free(rig->clients[fd]);
    rig->clients[fd] = NULL;
    close(fd);
}

unsigned rig_count(const PsBuf *got, const char *wanted) {
    unsigned count = 0;
    size_t len = strlen(wanted);
    for (size_t at = 0; at + len <= got->len; at++) {
        count += memcmp(got->data + at, wanted, len) == 0;
    }
    return count;
}

bool rig_has(const PsBuf *got, const char *wanted) {
    return rig_count(got, wanted) > 0;
}

void rig_expect(Rig *rig, int fd, PsBuf *got, const char *wanted) {
    bool open = true;
    for (int turn = 0; open && !rig_has(got, wanted); turn++) {
        assert_true(turn < 15000);
        rig_turn(rig);
        open = rig_take(rig, fd, got);
    }
    if (!rig_has(got, wanted)) {
        fail_msg("closed without \"%s\": %.*s", wanted, (int)got->len, (const char *)got->data);
    }
}

void rig_expect_end(Rig *rig, int fd, PsBuf *got) {
    for (int turn = 0; rig_take(rig, fd, got); turn++) {
        assert_true(turn < 15000);
        rig_turn(rig);
    }
}

static bool is_whole(const PsBuf *got) {
    const char *head = (const char *)got->data;
    const char *end = head != NULL ? strstr(head, "\r\n\r\n") : NULL;
    const char *length = head != NULL ? strstr(head, "Content-Length: ") : NULL;
    return end != NULL && length != NULL && length < end &&
           got->len >= (size_t)(end + 4 - head) + strtoul(length + 16, NULL, 10);
}

void rig_ask(Rig *rig, const char *text, PsBuf *got) {
    ps_buf_clear(got);
    int fd = rig_connect(rig);
    rig_send(rig, fd, text);
    for (int turn = 0; rig_take(rig, fd, got) && !is_whole(got); turn++) {
        assert_true(turn < 15000);
        rig_turn(rig);
    }
    rig_close(rig, fd);
    RIG_UNTIL(rig, rig->late || ps_http_connections(rig->server) == 0);
}

// ---- a certificate

static char *take_text(BIO *bio) {
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    char *copy = ps_alloc((size_t)len + 1);
    memcpy(copy, text, (size_t)len);
    BIO_free(bio);
    return copy;
}

void rig_make_cert(char **ret_cert, char **ret_key) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_true(key != NULL && cert != NULL);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(cert_bio, cert);
    PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
    *ret_cert = take_text(cert_bio);
    *ret_key = take_text(key_bio);
    X509_free(cert);
    EVP_PKEY_free(key);
}
