// penstock-cloud pub: one message to the running local cloud, acknowledged.
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "localcloud/broker.h"
#include "localcloud/command.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_S 10

typedef struct Publication {
    PsCloudClient *client;
    const char *topic;
    const uint8_t *payload;
    size_t len;
    int qos;
    int ticket;
    bool done;
    PsErr err;
    const char *why; // of the last lost connection
} Publication;

static void on_ready(void *ctx) {
    Publication *publication = ctx;
    publication->err =
        ps_cloud_client_publish(publication->client, publication->topic, publication->payload,
                                publication->len, publication->qos, &publication->ticket);
    publication->done = publication->err != PS_OK;
}

static void on_delivered(void *ctx, int ticket) {
    Publication *publication = ctx;
    publication->done = publication->done || ticket == publication->ticket;
}

static void on_lost(void *ctx, const char *why) {
    Publication *publication = ctx;
    publication->why = why;
}

static void wait_done(Publication *publication) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), LIMIT_S * PS_NS_PER_S);
    while (!publication->done) {
        struct pollfd fd = {.fd = ps_cloud_client_fd(publication->client),
                            .events = ps_cloud_client_events(publication->client)};
        poll(&fd, 1, 200);
        ps_cloud_client_service(publication->client);
        if (ps_mono_diff_ns(deadline, ps_mono_now()) <= 0) {
            publication->err = PS_ERR_TIMEOUT;
            return;
        }
    }
}

static int report(const Publication *publication) {
    PsDiag diag = {0};
    switch (publication->err) {
    case PS_OK:
        return EXIT_SUCCESS;
    case PS_ERR_TIMEOUT:
        (void)ps_fail(PS_ERR_TIMEOUT, &diag, publication->topic, NULL,
                      "not acknowledged within %d s%s%s", LIMIT_S,
                      publication->why != NULL ? ": " : "",
                      publication->why != NULL ? publication->why : "");
        return ps_command_failed(&diag);
    case PS_ERR_TOO_BIG:
        (void)ps_fail(PS_ERR_TOO_BIG, &diag, publication->topic, NULL,
                      "the payload is longer than %d bytes", PS_CLOUD_PAYLOAD_MAX);
        return ps_command_failed(&diag);
    default:
        (void)ps_fail(publication->err, &diag, publication->topic, NULL,
                      "is no topic to publish to (1 to 256 bytes, no + or #)");
        return ps_command_failed(&diag);
    }
}

static int publish(const char *dir, Publication *publication) {
    PsCommandClient client;
    PsCloudClientSetup setup = {
        .on_ready = on_ready, .on_delivered = on_delivered, .on_lost = on_lost, .ctx = publication};
    PsDiag diag = {0};
    PsErr err = ps_command_client(dir, "pub", &client, &setup, &diag);
    err = err == PS_OK ? ps_cloud_client_new(&setup, &publication->client, &diag) : err;
    if (err != PS_OK) {
        return ps_command_failed(&diag);
    }
    wait_done(publication);
    ps_cloud_client_free(publication->client);
    return report(publication);
}

int ps_command_publish(int argc, char **argv) {
    static const struct option long_options[] = {
        {"qos", required_argument, NULL, 'q'},
        {0},
    };
    Publication publication = {.qos = 1};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        long long qos = 0;
        if (letter != 'q') {
            return PS_EXIT_USAGE;
        }
        if (!ps_text_to_int(optarg, 0, 1, &qos)) {
            return ps_command_wrong("--qos is 0 or 1, not '%s'", optarg);
        }
        publication.qos = (int)qos;
    }
    if (optind + 3 != argc) {
        return ps_command_wrong("pub needs a folder, a topic and a payload ('-': standard input)");
    }
    PS_AUTO_BUF PsBuf typed = {0};
    publication.topic = argv[optind + 1];
    publication.payload = (const uint8_t *)argv[optind + 2];
    publication.len = strlen(argv[optind + 2]);
    if (strcmp(argv[optind + 2], "-") == 0) {
        PsDiag diag = {0};
        if (ps_file_read("/dev/stdin", PS_CLOUD_PAYLOAD_MAX, &typed, &diag) != PS_OK) {
            return ps_command_failed(&diag);
        }
        publication.payload = typed.data;
        publication.len = typed.len;
    }
    return publish(argv[optind], &publication);
}
