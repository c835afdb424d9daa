// The socket and the event loop of one client. The library's own loop would bring two more
// descriptors for each connection and could not be woken from another thread.
// Runs on the channel's thread; `run` blocks for as long as it was told to, sending for as long as
// the server does not take the bytes.
#include "drivers/opcua/net.h"

#include "base/mem.h"
#include "base/time.h"
#include "drivers/tcp_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMERS 8 // the library has two or three
#define RECEIVE_BYTES 65536U
#define CONNECTION_ID 1

typedef struct Timer {
    UA_Callback run; // NULL: free
    void *application;
    void *data;
    UA_DateTime next;     // monotonic
    UA_DateTime interval; // 0: once
    UA_UInt64 id;
} Timer;

struct PsOpcuaNet {
    UA_EventLoop loop;
    UA_ConnectionManager tcp;
    PsOpcuaPlace place;
    Timer timers[TIMERS];
    UA_UInt64 last_timer;
    UA_DelayedCallback *delayed;
    int fd;
    bool opening; // connected, and the library does not know it yet
    bool closing; // the library has to be told
    bool leaving;
    bool heard;
    UA_ConnectionManager_connectionCallback callback;
    void *application;
    void *context;
    PsErr error;
    PsDiag diag;
    uint8_t buffer[RECEIVE_BYTES];
};

static PsOpcuaNet *net_of(UA_EventLoop *loop) {
    return (PsOpcuaNet *)loop;
}

static PsOpcuaNet *net_of_tcp(UA_ConnectionManager *tcp) {
    return (PsOpcuaNet *)tcp->eventSource.eventLoop;
}

static void set_state(UA_EventLoop *loop, UA_EventLoopState state) {
    // Read-only to the library's users, and this is not one of them.
    *(volatile UA_EventLoopState *)(uintptr_t)&loop->state = state;
}

static UA_DateTime now_monotonic(UA_EventLoop *loop) {
    return UA_DateTime_nowMonotonic();
}

static UA_DateTime now(UA_EventLoop *loop) {
    return UA_DateTime_now();
}

static UA_Int64 utc_offset(UA_EventLoop *loop) {
    return UA_DateTime_localTimeUtcOffset();
}

static UA_DateTime next_time(UA_EventLoop *loop) {
    UA_DateTime next = UA_INT64_MAX;
    for (size_t i = 0; i < TIMERS; i++) {
        const Timer *timer = &net_of(loop)->timers[i];
        next = timer->run != NULL && timer->next < next ? timer->next : next;
    }
    return next;
}

static UA_StatusCode add_timer(UA_EventLoop *loop, Timer timer, UA_UInt64 *ret_id) {
    PsOpcuaNet *net = net_of(loop);
    for (size_t i = 0; i < TIMERS; i++) {
        if (net->timers[i].run == NULL) {
            timer.id = ++net->last_timer;
            net->timers[i] = timer;
            if (ret_id != NULL) {
                *ret_id = timer.id;
            }
            return UA_STATUSCODE_GOOD;
        }
    }
    return UA_STATUSCODE_BADOUTOFMEMORY;
}

static UA_StatusCode add_cyclic(UA_EventLoop *loop, UA_Callback run, void *application, void *data,
                                UA_Double interval_ms, UA_DateTime *base, UA_TimerPolicy policy,
                                UA_UInt64 *ret_id) {
    UA_DateTime interval = (UA_DateTime)(interval_ms * UA_DATETIME_MSEC);
    if (run == NULL || interval <= 0) {
        return UA_STATUSCODE_BADINTERNALERROR;
    }
    Timer timer = {run, application, data, now_monotonic(loop) + interval, interval, 0};
    return add_timer(loop, timer, ret_id);
}

static UA_StatusCode add_timed(UA_EventLoop *loop, UA_Callback run, void *application, void *data,
                               UA_DateTime date, UA_UInt64 *ret_id) {
    return add_timer(loop, (Timer){run, application, data, date, 0, 0}, ret_id);
}

static Timer *find_timer(UA_EventLoop *loop, UA_UInt64 id) {
    for (size_t i = 0; i < TIMERS; i++) {
        Timer *timer = &net_of(loop)->timers[i];
        if (timer->run != NULL && timer->id == id) {
            return timer;
        }
    }
    return NULL;
}

static UA_StatusCode modify_cyclic(UA_EventLoop *loop, UA_UInt64 id, UA_Double interval_ms,
                                   UA_DateTime *base, UA_TimerPolicy policy) {
    Timer *timer = find_timer(loop, id);
    if (timer == NULL || interval_ms <= 0) {
        return UA_STATUSCODE_BADNOTFOUND;
    }
    timer->interval = (UA_DateTime)(interval_ms * UA_DATETIME_MSEC);
    timer->next = now_monotonic(loop) + timer->interval;
    return UA_STATUSCODE_GOOD;
}

static void remove_cyclic(UA_EventLoop *loop, UA_UInt64 id) {
    Timer *timer = find_timer(loop, id);
    if (timer != NULL) {
        *timer = (Timer){0};
    }
}

static void run_timers(PsOpcuaNet *net) {
    UA_DateTime at = now_monotonic(&net->loop);
    for (size_t i = 0; i < TIMERS; i++) {
        Timer timer = net->timers[i];
        if (timer.run == NULL || timer.next > at) {
            continue;
        }
        if (timer.interval == 0) {
            net->timers[i] = (Timer){0};
        } else {
            net->timers[i].next = at + timer.interval; // what was missed is not made up for
        }
        timer.run(timer.application, timer.data);
    }
}

static void add_delayed(UA_EventLoop *loop, UA_DelayedCallback *delayed) {
    delayed->next = net_of(loop)->delayed;
    net_of(loop)->delayed = delayed;
}

static void remove_delayed(UA_EventLoop *loop, UA_DelayedCallback *delayed) {
    UA_DelayedCallback **at = &net_of(loop)->delayed;
    while (*at != NULL && *at != delayed) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = delayed->next;
    }
}

static void run_delayed(PsOpcuaNet *net) {
    UA_DelayedCallback *first = net->delayed;
    net->delayed = NULL;
    while (first != NULL) {
        UA_DelayedCallback *next = first->next; // the callback may free its record
        if (first->callback != NULL) {
            first->callback(first->application, first->context);
        }
        first = next;
    }
}

static void tell(PsOpcuaNet *net, UA_ConnectionState state, UA_ByteString bytes) {
    net->callback(&net->tcp, CONNECTION_ID, net->application, &net->context, state,
                  &UA_KEYVALUEMAP_NULL, bytes);
}

static void run_connection(PsOpcuaNet *net) {
    if (net->closing) {
        net->closing = false;
        net->opening = false;
        close(net->fd);
        net->fd = -1;
        tell(net, UA_CONNECTIONSTATE_CLOSING, UA_BYTESTRING_NULL); // may open a new one
        return;
    }
    if (net->opening) {
        net->opening = false;
        tell(net, UA_CONNECTIONSTATE_ESTABLISHED, UA_BYTESTRING_NULL);
    }
}

static void receive(PsOpcuaNet *net) {
    ssize_t len = recv(net->fd, net->buffer, sizeof net->buffer, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0) {
        net->closing = true;
        run_connection(net);
        return;
    }
    net->heard = true;
    tell(net, UA_CONNECTIONSTATE_ESTABLISHED, (UA_ByteString){(size_t)len, net->buffer});
}

static int wait_ms(PsOpcuaNet *net, UA_UInt32 timeout_ms) {
    if (net->opening || net->closing || net->delayed != NULL) {
        return 0;
    }
    UA_DateTime left = next_time(&net->loop) - now_monotonic(&net->loop);
    left = left < 0 ? 0 : left / UA_DATETIME_MSEC + 1;
    return (int)(left < (UA_DateTime)timeout_ms ? left : (UA_DateTime)timeout_ms);
}

static UA_StatusCode run(UA_EventLoop *loop, UA_UInt32 timeout_ms) {
    PsOpcuaNet *net = net_of(loop);
    run_timers(net);
    run_delayed(net);
    run_connection(net);
    struct pollfd polls[] = {
        {.fd = net->closing ? -1 : net->fd, .events = POLLIN},
        {.fd = net->leaving ? -1 : net->place.wake_fd, .events = POLLIN},
    };
    int ready = poll(polls, PS_COUNT(polls), wait_ms(net, timeout_ms));
    if (ready > 0 && polls[0].revents != 0 && net->fd >= 0) {
        receive(net);
    }
    if (loop->state == UA_EVENTLOOPSTATE_STOPPING && net->fd < 0) {
        run_delayed(net);
        set_state(loop, UA_EVENTLOOPSTATE_STOPPED);
    }
    return UA_STATUSCODE_GOOD;
}

static UA_StatusCode start(UA_EventLoop *loop) {
    set_state(loop, UA_EVENTLOOPSTATE_STARTED);
    net_of(loop)->tcp.eventSource.state = UA_EVENTSOURCESTATE_STARTED;
    return UA_STATUSCODE_GOOD;
}

static void stop(UA_EventLoop *loop) {
    PsOpcuaNet *net = net_of(loop);
    net->closing = net->fd >= 0;
    net->tcp.eventSource.state = UA_EVENTSOURCESTATE_STOPPED;
    set_state(loop, net->closing ? UA_EVENTLOOPSTATE_STOPPING : UA_EVENTLOOPSTATE_STOPPED);
}

static UA_StatusCode free_loop(UA_EventLoop *loop) {
    PsOpcuaNet *net = net_of(loop);
    run_delayed(net);
    if (net->fd >= 0) {
        close(net->fd);
    }
    free(net);
    return UA_STATUSCODE_GOOD;
}

static UA_StatusCode no_source(UA_EventLoop *loop, UA_EventSource *source) {
    return UA_STATUSCODE_BADNOTSUPPORTED;
}

static void no_lock(UA_EventLoop *loop) {
}

// The address in `params` is not looked at: it is that of the url, and the place is where to go.
static UA_StatusCode open_connection(UA_ConnectionManager *tcp, const UA_KeyValueMap *params,
                                     void *application, void *context,
                                     UA_ConnectionManager_connectionCallback callback) {
    PsOpcuaNet *net = net_of_tcp(tcp);
    if (net->fd >= 0) {
        return UA_STATUSCODE_BADINTERNALERROR;
    }
    PsTcpTarget target = {.host = net->place.host,
                          .port = net->place.port,
                          .server = "OPC UA server",
                          .wake_fd = net->place.wake_fd};
    net->error = ps_tcp_connect(&target, net->place.timeout_ns, &net->fd, &net->diag);
    if (net->error != PS_OK) {
        net->fd = -1;
        return UA_STATUSCODE_BADCONNECTIONREJECTED;
    }
    net->callback = callback;
    net->application = application;
    net->context = context;
    net->opening = true;
    tell(net, UA_CONNECTIONSTATE_OPENING, UA_BYTESTRING_NULL);
    return UA_STATUSCODE_GOOD;
}

// Waits until the socket takes bytes again.
static bool wait_to_send(PsOpcuaNet *net) {
    struct pollfd polls[] = {
        {.fd = net->fd, .events = POLLOUT},
        {.fd = net->leaving ? -1 : net->place.wake_fd, .events = POLLIN},
    };
    int limit = (int)(net->place.timeout_ns / PS_NS_PER_MS) + 1;
    int ready = poll(polls, PS_COUNT(polls), limit);
    return (ready < 0 && errno == EINTR) ||
           (ready > 0 && polls[1].revents == 0 && (polls[0].revents & POLLOUT) != 0);
}

static UA_StatusCode send_bytes(UA_ConnectionManager *tcp, uintptr_t id,
                                const UA_KeyValueMap *params, UA_ByteString *bytes) {
    PsOpcuaNet *net = net_of_tcp(tcp);
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    for (size_t at = 0; at < bytes->length && status == UA_STATUSCODE_GOOD;) {
        bool open = net->fd >= 0 && !net->closing;
        ssize_t put =
            open ? send(net->fd, bytes->data + at, bytes->length - at, MSG_NOSIGNAL | MSG_DONTWAIT)
                 : -1;
        if (put > 0) {
            at += (size_t)put;
        } else if (!open || put == 0 || (errno != EAGAIN && errno != EINTR) || !wait_to_send(net)) {
            net->closing = net->fd >= 0;
            status = UA_STATUSCODE_BADCONNECTIONCLOSED;
        }
    }
    UA_ByteString_clear(bytes);
    return status;
}

static UA_StatusCode close_connection(UA_ConnectionManager *tcp, uintptr_t id) {
    PsOpcuaNet *net = net_of_tcp(tcp);
    if (net->fd < 0 || net->closing) {
        return UA_STATUSCODE_BADCONNECTIONCLOSED;
    }
    net->closing = true; // told from `run`
    return UA_STATUSCODE_GOOD;
}

static UA_StatusCode take_buffer(UA_ConnectionManager *tcp, uintptr_t id, UA_ByteString *buffer,
                                 size_t size) {
    return UA_ByteString_allocBuffer(buffer, size);
}

static void give_buffer(UA_ConnectionManager *tcp, uintptr_t id, UA_ByteString *buffer) {
    UA_ByteString_clear(buffer);
}

static UA_StatusCode start_source(UA_EventSource *source) {
    source->state = UA_EVENTSOURCESTATE_STARTED;
    return UA_STATUSCODE_GOOD;
}

static void stop_source(UA_EventSource *source) {
    source->state = UA_EVENTSOURCESTATE_STOPPED;
}

static UA_StatusCode free_source(UA_EventSource *source) {
    return UA_STATUSCODE_GOOD; // it lives in the net
}

static UA_Byte protocol[] = "tcp"; // read only, but for the type

UA_EventLoop *ps_opcua_net_new(const PsOpcuaPlace *place, const UA_Logger *logger) {
    PsOpcuaNet *net = ps_alloc(sizeof *net);
    net->place = *place;
    net->fd = -1;
    net->tcp = (UA_ConnectionManager){
        .eventSource = {.eventSourceType = UA_EVENTSOURCETYPE_CONNECTIONMANAGER,
                        .eventLoop = &net->loop,
                        .state = UA_EVENTSOURCESTATE_STOPPED,
                        .start = start_source,
                        .stop = stop_source,
                        .free = free_source},
        .protocol = {sizeof protocol - 1, protocol},
        .openConnection = open_connection,
        .sendWithConnection = send_bytes,
        .closeConnection = close_connection,
        .allocNetworkBuffer = take_buffer,
        .freeNetworkBuffer = give_buffer,
    };
    UA_EventLoop loop = {
        .logger = logger,
        .start = start,
        .stop = stop,
        .run = run,
        .free = free_loop,
        .dateTime_now = now,
        .dateTime_nowMonotonic = now_monotonic,
        .dateTime_localTimeUtcOffset = utc_offset,
        .nextCyclicTime = next_time,
        .addCyclicCallback = add_cyclic,
        .modifyCyclicCallback = modify_cyclic,
        .removeCyclicCallback = remove_cyclic,
        .addTimedCallback = add_timed,
        .addDelayedCallback = add_delayed,
        .removeDelayedCallback = remove_delayed,
        .eventSources = &net->tcp.eventSource,
        .registerEventSource = no_source,
        .deregisterEventSource = no_source,
        .lock = no_lock,
        .unlock = no_lock,
    };
    memcpy(&net->loop, &loop, sizeof loop); // its state is const
    return &net->loop;
}

PsErr ps_opcua_net_error(UA_EventLoop *loop, PsDiag *diag) {
    PsOpcuaNet *net = net_of(loop);
    if (net->error != PS_OK && diag != NULL) {
        *diag = net->diag;
    }
    return net->error;
}

void ps_opcua_net_leave(UA_EventLoop *loop) {
    net_of(loop)->leaving = true;
}

bool ps_opcua_net_heard(UA_EventLoop *loop) {
    bool heard = net_of(loop)->heard;
    net_of(loop)->heard = false;
    return heard;
}
