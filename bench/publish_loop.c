// The yardstick for draining: a bare libmosquitto loop that publishes COUNT messages of BYTES bytes
// at QoS 1 over TLS with WINDOW of them in flight, and does nothing else. One thread; prints the
// seconds from the first publish to the last acknowledgement.
#include <mosquitto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOPIC "drain"
#define KEEPALIVE_S 60
#define PATIENCE_MS 1000

typedef struct Loop {
    struct mosquitto *handle;
    bool connected;
    long sent;
    long acknowledged;
} Loop;

static void on_connect(struct mosquitto *handle, void *object, int code) {
    ((Loop *)object)->connected = code == 0;
}

static void on_publish(struct mosquitto *handle, void *object, int mid) {
    ((Loop *)object)->acknowledged++;
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int give_up(const char *step, int code) {
    fprintf(stderr, "publish_loop: %s: %s\n", step, mosquitto_strerror(code));
    return 1;
}

static int open_connection(Loop *loop, char **argv, int window) {
    mosquitto_connect_callback_set(loop->handle, on_connect);
    mosquitto_publish_callback_set(loop->handle, on_publish);
    mosquitto_int_option(loop->handle, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_max_inflight_messages_set(loop->handle, (unsigned)window);
    int code = mosquitto_tls_set(loop->handle, argv[3], NULL, argv[4], argv[5], NULL);
    if (code == MOSQ_ERR_SUCCESS) {
        code =
            mosquitto_connect(loop->handle, argv[1], (int)strtol(argv[2], NULL, 10), KEEPALIVE_S);
    }
    while (code == MOSQ_ERR_SUCCESS && !loop->connected) {
        code = mosquitto_loop(loop->handle, PATIENCE_MS, 1);
    }
    return code;
}

static int publish_all(Loop *loop, long count, int bytes, int window) {
    char *payload = malloc((size_t)bytes);
    if (payload == NULL) {
        return MOSQ_ERR_NOMEM;
    }
    memset(payload, 'x', (size_t)bytes);
    int code = MOSQ_ERR_SUCCESS;
    while (code == MOSQ_ERR_SUCCESS && loop->acknowledged < count) {
        while (code == MOSQ_ERR_SUCCESS && loop->sent < count &&
               loop->sent - loop->acknowledged < window) {
            code = mosquitto_publish(loop->handle, NULL, TOPIC, bytes, payload, 1, false);
            loop->sent++;
        }
        if (code == MOSQ_ERR_SUCCESS) {
            code = mosquitto_loop(loop->handle, PATIENCE_MS, 1);
        }
    }
    free(payload);
    return code;
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr, "usage: publish_loop HOST PORT CAFILE CERT KEY COUNT BYTES WINDOW\n");
        return 2;
    }
    int window = (int)strtol(argv[8], NULL, 10);
    mosquitto_lib_init();
    Loop loop = {0};
    loop.handle = mosquitto_new("bare", true, &loop);
    if (loop.handle == NULL) {
        return give_up("new", MOSQ_ERR_NOMEM);
    }
    int code = open_connection(&loop, argv, window);
    if (code != MOSQ_ERR_SUCCESS) {
        return give_up("connect", code);
    }
    double start = now_s();
    code = publish_all(&loop, strtol(argv[6], NULL, 10), (int)strtol(argv[7], NULL, 10), window);
    if (code != MOSQ_ERR_SUCCESS) {
        return give_up("publish", code);
    }
    printf("%.6f\n", now_s() - start);
    mosquitto_disconnect(loop.handle);
    mosquitto_destroy(loop.handle);
    mosquitto_lib_cleanup();
    return 0;
}
