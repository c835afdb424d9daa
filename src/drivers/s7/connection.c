// Steps of connecting, the exchange of one telegram, and errors in words. Telegrams are made and
// checked in pdu.c. Runs on the channel's thread and blocks: in the resolver, and in poll.
#include "drivers/s7/connection.h"

#include "base/mem.h"
#include "drivers/s7/address.h"
#include "drivers/s7/words.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHAT_SIZE 128

PsErr ps_s7_connection_init(PsS7Connection *connection, const PsDevice *device, PsSession *session,
                            PsDiag *diag) {
    *connection = (PsS7Connection){.host = ps_strdup(device->ip),
                                   .port = device->port,
                                   .by_slot = device->s7_mode == PS_S7_RACK_SLOT,
                                   .rack = device->rack,
                                   .slot = device->slot,
                                   .socket = -1,
                                   .counters = &session->counters};
    connection->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->wake_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "cannot prepare a connection to %.100s: %s",
                       device->ip, strerror(errno));
    }
    return ps_s7_tsaps(device, &connection->local_tsap, &connection->remote_tsap, diag);
}

void ps_s7_connection_deinit(PsS7Connection *connection) {
    ps_s7_connection_close(connection);
    if (connection->wake_fd >= 0) {
        close(connection->wake_fd);
        connection->wake_fd = -1;
    }
    free(connection->host);
    connection->host = NULL;
}

void ps_s7_connection_close(PsS7Connection *connection) {
    if (connection->socket >= 0) {
        close(connection->socket);
        connection->socket = -1;
    }
}

void ps_s7_connection_interrupt(PsS7Connection *connection) {
    atomic_store(&connection->interrupted, true);
    uint64_t one = 1;
    ssize_t put = write(connection->wake_fd, &one, sizeof one);
    (void)put; // can only fail when the counter is full, and then it is readable as well
}

// --- one telegram ------------------------------------------------------------------------------

// Waits until the socket can be read: 0, ETIMEDOUT or ECANCELED.
static int wait_readable(const PsS7Connection *connection, PsMono deadline) {
    struct pollfd fds[] = {
        {.fd = connection->socket, .events = POLLIN},
        {.fd = connection->wake_fd, .events = POLLIN},
    };
    int ready;
    do {
        ready = poll(fds, PS_COUNT(fds), ps_mono_poll_ms(ps_mono_now(), deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready > 0 && fds[1].revents != 0) {
        return ECANCELED;
    }
    return ready > 0 ? 0 : ready == 0 ? ETIMEDOUT : errno;
}

// One frame into `answer`, whatever it is: 0 or an errno; EPROTO: it is none of ours.
static int receive(PsS7Connection *connection, PsMono deadline) {
    size_t have = 0;
    for (;;) {
        size_t len = ps_s7_frame_length(connection->answer, have);
        if (len == SIZE_MAX) {
            return EPROTO;
        }
        if (len == PS_S7_FRAME_HEAD && have == len && ps_mono_now().ns < deadline.ns) {
            have = 0; // an empty piece before the telegram, as some controllers send it
            continue;
        }
        if (len > 0 && have == len) {
            connection->answer_len = len;
            return 0;
        }
        // Never more than this frame: what comes behind it answers nothing.
        size_t want = len > 0 ? len - have : PS_S7_FRAME_HEAD - have;
        ssize_t got = recv(connection->socket, connection->answer + have, want, MSG_DONTWAIT);
        if (got > 0) {
            have += (size_t)got;
            continue;
        }
        if (got == 0) {
            return ECONNRESET;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return errno;
        }
        int number = wait_readable(connection, deadline);
        if (number != 0) {
            return number;
        }
    }
}

// What came before the request answers nothing that is asked now. A device that has hung up is left
// to the exchange.
static bool has_stray_bytes(PsS7Connection *connection) {
    uint8_t byte;
    if (recv(connection->socket, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        return false;
    }
    connection->counters->late++;
    return true;
}

// The request goes out in one piece: it is short, and the one before was answered, so that the
// send buffer is empty.
static int exchange(PsS7Connection *connection, int64_t timeout_ns) {
    const PsS7Frame *request = &connection->request;
    connection->answer_len = 0;
    if (has_stray_bytes(connection)) {
        return EBADMSG;
    }
    connection->counters->requests++;
    ssize_t sent =
        send(connection->socket, request->bytes, request->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)request->len) {
        return sent < 0 ? errno : EIO;
    }
    return receive(connection, ps_mono_add_ns(ps_mono_now(), timeout_ns));
}

static void smooth_round_trip(PsDriverCounters *counters, PsMono start) {
    int64_t taken = ps_mono_diff_ns(ps_mono_now(), start);
    counters->round_trip_ns =
        counters->round_trip_ns == 0 ? taken : (counters->round_trip_ns * 7 + taken) / 8;
}

// What is being done, for people; put into words only when it fails.
typedef struct What {
    const char *verb;
    const PsS7Ask *asks; // NULL: the verb says all
    uint32_t count;
} What;

static void name_what(const What *what, char *out, size_t size) {
    if (what->asks == NULL) {
        snprintf(out, size, "%s", what->verb);
        return;
    }
    char place[PS_S7_NAME_SIZE];
    char more[32] = "";
    const PsS7Ask *ask = &what->asks[0];
    ps_s7_name_bytes(ask->area, ask->db, ask->first, ask->len, place, sizeof place);
    if (what->count > 1) {
        snprintf(more, sizeof more, " and %u more places", what->count - 1);
    }
    if (ask->is_bit) {
        snprintf(more, sizeof more, ", bit %u", ask->bit);
    }
    snprintf(out, size, "%s %s%s", what->verb, place, more);
}

static PsErr fail_protocol(PsS7Connection *connection, const What *what, const char *wrong,
                           PsDiag *diag) {
    connection->counters->errors++;
    connection->closed_by_timeout = false;
    ps_s7_connection_close(connection);
    char name[WHAT_SIZE];
    name_what(what, name, sizeof name);
    return ps_fail(PS_ERR_PROTOCOL, diag, NULL, NULL,
                   "%s: the answer does not belong to the request: %s; check that an S7 "
                   "controller listens on this port",
                   name, wrong);
}

static PsErr fail_exchange(PsS7Connection *connection, const What *what, int number, PsDiag *diag) {
    if (number == EBADMSG) {
        return fail_protocol(connection, what, "it came before the request", diag);
    }
    if (number == EPROTO) {
        return fail_protocol(connection, what, "it is no S7 telegram of the length agreed on",
                             diag);
    }
    connection->counters->errors++;
    connection->closed_by_timeout = number == ETIMEDOUT;
    ps_s7_connection_close(connection);
    char name[WHAT_SIZE];
    name_what(what, name, sizeof name);
    switch (number) {
    case ETIMEDOUT:
        return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL, "%s: no answer in time", name);
    case ECANCELED:
        return ps_tcp_fail_cancelled(diag);
    case ECONNRESET:
    case EPIPE:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "%s: the device closed the connection",
                       name);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, NULL, "%s: %s", name, strerror(number));
    }
}

static PsErr transact(PsS7Connection *connection, int64_t timeout_ns, const What *what,
                      PsDiag *diag) {
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    if (connection->socket < 0) {
        return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "%s: not connected", what->verb);
    }
    connection->error = 0;
    PsMono start = ps_mono_now();
    int number = exchange(connection, timeout_ns);
    if (number != 0) {
        return fail_exchange(connection, what, number, diag);
    }
    smooth_round_trip(connection->counters, start);
    return PS_OK;
}

// What the CPU says of the job as a whole.
static PsErr judge(PsS7Connection *connection, const What *what, const PsS7Verdict *verdict,
                   PsDiag *diag) {
    if (verdict->wrong != NULL) {
        return fail_protocol(connection, what, verdict->wrong, diag);
    }
    connection->error = verdict->error;
    if (verdict->error == 0) {
        return PS_OK;
    }
    connection->counters->errors++;
    char name[WHAT_SIZE];
    name_what(what, name, sizeof name);
    return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "%s: %s (error 0x%04X)", name,
                   ps_s7_job_words(verdict->error), verdict->error);
}

// --- connecting --------------------------------------------------------------------------------

static void name_partner(const PsS7Connection *connection, char *out, size_t size) {
    if (connection->by_slot) {
        snprintf(out, size, "rack %d slot %d", connection->rack, connection->slot);
    } else {
        snprintf(out, size, "TSAP %02X.%02X", connection->remote_tsap >> 8,
                 connection->remote_tsap & 0xFFU);
    }
}

// The device took the network connection and then ended it: nobody of this name is in it, or it
// serves no one more.
static PsErr fail_partner(PsS7Connection *connection, PsDiag *diag) {
    char partner[32];
    name_partner(connection, partner, sizeof partner);
    ps_s7_connection_close(connection);
    return ps_fail(PS_ERR_CLOSED, diag, NULL, connection->by_slot ? "slot" : "server_tsap",
                   "connect: the device refuses a connection to %s; check %s, and that it has a "
                   "connection free",
                   partner,
                   connection->by_slot
                       ? "rack and slot (slot 2 in an S7-300; 0 or 1 in an S7-1200 or 1500)"
                       : "client_tsap and server_tsap (S7-200 Smart: 02.00 and 02.01)");
}

static PsErr ask_partner(PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag) {
    static const What what = {.verb = "connect: ISO connection request"};
    ps_s7_pdu_connect(&connection->request, connection->local_tsap, connection->remote_tsap);
    PsErr err = transact(connection, timeout_ns, &what, diag);
    if (err == PS_ERR_CLOSED) {
        return fail_partner(connection, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    bool refused = false;
    const char *wrong =
        ps_s7_pdu_check_connect(connection->answer, connection->answer_len, &refused);
    if (refused) {
        connection->counters->errors++;
        return fail_partner(connection, diag);
    }
    return wrong == NULL ? PS_OK : fail_protocol(connection, &what, wrong, diag);
}

static PsErr agree_on_length(PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag) {
    static const What what = {.verb = "connect: agreeing on the length of telegrams"};
    ps_s7_pdu_setup(&connection->request, ++connection->reference, PS_S7_PDU_MAX);
    PsErr err = transact(connection, timeout_ns, &what, diag);
    if (err != PS_OK) {
        return err;
    }
    PsS7Verdict verdict = ps_s7_pdu_check_setup(&connection->request, connection->answer,
                                                connection->answer_len, &connection->pdu);
    err = judge(connection, &what, &verdict, diag);
    if (err == PS_ERR_REFUSED) {
        ps_s7_connection_close(connection);
        return PS_ERR_CLOSED;
    }
    return err;
}

PsErr ps_s7_connection_open(PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag) {
    PS_ASSERT(connection->socket < 0);
    if (atomic_load(&connection->interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    PsTcpTarget target = {.host = connection->host,
                          .port = connection->port,
                          .server = "S7 communication",
                          .wake_fd = connection->wake_fd};
    PsErr err = ps_tcp_connect(&target, timeout_ns, &connection->socket, diag);
    err = err != PS_OK ? err : ask_partner(connection, timeout_ns, diag);
    return err != PS_OK ? err : agree_on_length(connection, timeout_ns, diag);
}

// --- requests ----------------------------------------------------------------------------------

PsErr ps_s7_read(PsS7Connection *connection, int64_t timeout_ns, const PsS7Ask *asks,
                 uint32_t count, PsS7Got *ret_got, PsDiag *diag) {
    What what = {"reading", asks, count};
    ps_s7_pdu_read(&connection->request, ++connection->reference, asks, count);
    PsErr err = transact(connection, timeout_ns, &what, diag);
    if (err != PS_OK) {
        return err;
    }
    PsS7Verdict verdict = ps_s7_pdu_check_read(&connection->request, asks, count,
                                               connection->answer, connection->answer_len, ret_got);
    return judge(connection, &what, &verdict, diag);
}

PsErr ps_s7_write(PsS7Connection *connection, int64_t timeout_ns, const PsS7Ask *ask,
                  const uint8_t *bytes, PsDiag *diag) {
    What what = {"writing", ask, 1};
    ps_s7_pdu_write(&connection->request, ++connection->reference, ask, bytes);
    PsErr err = transact(connection, timeout_ns, &what, diag);
    if (err != PS_OK) {
        return err;
    }
    uint8_t code = PS_S7_FINE;
    PsS7Verdict verdict = ps_s7_pdu_check_write(&connection->request, connection->answer,
                                                connection->answer_len, &code);
    err = judge(connection, &what, &verdict, diag);
    if (err != PS_OK || code == PS_S7_FINE) {
        return err;
    }
    connection->error = code;
    connection->counters->errors++;
    return ps_s7_fail_item(&what.asks[0], what.verb, code, diag);
}

PsErr ps_s7_fail_item(const PsS7Ask *ask, const char *verb, uint8_t code, PsDiag *diag) {
    char name[WHAT_SIZE];
    name_what(&(What){verb, ask, 1}, name, sizeof name);
    return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "%s: %s (code 0x%02X)", name,
                   ps_s7_item_words(code), code);
}

PsErr ps_s7_list(PsS7Connection *connection, int64_t timeout_ns, uint16_t id,
                 const uint8_t **ret_records, uint32_t *ret_size, uint32_t *ret_count,
                 PsDiag *diag) {
    static const What what = {.verb = "asking for the state of the CPU"};
    ps_s7_pdu_list(&connection->request, ++connection->reference, id, 0);
    PsErr err = transact(connection, timeout_ns, &what, diag);
    if (err != PS_OK) {
        return err;
    }
    PsS7Verdict verdict =
        ps_s7_pdu_check_list(&connection->request, connection->answer, connection->answer_len,
                             ret_records, ret_size, ret_count);
    return judge(connection, &what, &verdict, diag);
}
