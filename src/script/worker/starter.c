// The parent of all workers. One thread, no Python code runs here after the warm-up: it waits for
// orders and for children that end, and looks once a second whether they keep to their limits. It
// holds no state that matters; penstockd keeps the books.
#include "script/worker/starter.h"

#include "base/mem.h"
#include "script/worker/confine.h"
#include "script/worker/scratch.h"
#include "script/worker/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKET_MAX 256
#define PASSED_FDS 2 // the worker's socket, its standard error

typedef struct Child {
    uint32_t slot;
    uint32_t generation;
    pid_t pid;
    char *scratch;
    PsWatch watch;
} Child;

typedef struct Starter {
    PsWorker *worker;
    int control;
    int signals;
    PsWireHolds holds;
    PsScratch scratch;
    PsMono looked; // at the children
    Child *children;
    size_t count;
} Starter;

static void tell(Starter *starter, PsWireType type, uint32_t slot, uint32_t generation,
                 uint32_t number) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_wire_put_child(&out, type, (PsWireChild){slot, generation, number});
    if (send(starter->control, out.data, out.len, MSG_NOSIGNAL) < 0) {
        _exit(0); // penstockd has gone; the workers follow
    }
}

static void serve_as_child(Starter *starter, PsWireFork order, const int *fds,
                           const char *scratch) {
    PsWorker *worker = starter->worker;
    PsConfinement confinement = {.order = order,
                                 .holds = starter->holds,
                                 .scratch = scratch,
                                 .import_path = PySys_GetObject("path")};
    int fd = ps_confine(fds[0], fds[1], &confinement);
    PyOS_AfterFork_Child();
    ps_worker_run(worker, fd, scratch, order.network != 0);
}

static void keep_child(Starter *starter, const PsWireFork *order, pid_t pid, char *scratch) {
    starter->children = ps_grow_array(starter->children, starter->count + 1, sizeof(Child));
    Child *child = &starter->children[starter->count++];
    *child = (Child){order->slot, order->generation, pid, scratch, {0}};
    ps_watch_init(&child->watch, pid, order, scratch);
}

static void on_fork(Starter *starter, const PsWireFrame *frame, const int *fds) {
    PsWireFork order;
    PsErr err = ps_wire_get_fork(frame, &order);
    if (err != PS_OK || fds[0] < 0 || fds[1] < 0) {
        return;
    }
    char *scratch = ps_scratch_add(&starter->scratch, order.slot, order.generation);
    pid_t parent = getpid();
    PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        if (ps_confine_follow_parent(parent)) {
            serve_as_child(starter, order, fds, scratch);
        }
        _exit(0);
    }
    int failure = errno;
    PyOS_AfterFork_Parent();
    if (pid < 0) {
        ps_scratch_remove(scratch);
        tell(starter, PS_WIRE_FORK_FAILED, order.slot, order.generation, (uint32_t)failure);
        return;
    }
    keep_child(starter, &order, pid, scratch);
    tell(starter, PS_WIRE_FORKED, order.slot, order.generation, (uint32_t)pid);
}

static void on_kill(Starter *starter, const PsWireFrame *frame) {
    PsWireChild order;
    PsErr err = ps_wire_get_child(frame, &order);
    if (err != PS_OK) {
        return;
    }
    for (size_t i = 0; i < starter->count; i++) {
        const Child *child = &starter->children[i];
        if (child->slot == order.slot && child->generation == order.generation) {
            kill(child->pid, (int)order.number);
        }
    }
}

// One packet is one frame. False: penstockd has gone.
static bool take_order(Starter *starter) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PASSED_FDS * sizeof(int))];
    } ancillary;
    uint8_t packet[PACKET_MAX];
    struct iovec vector = {packet, sizeof packet};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof ancillary.bytes};
    ssize_t got = recvmsg(starter->control, &message, MSG_CMSG_CLOEXEC);
    if (got <= 0) {
        return got < 0 && errno == EINTR;
    }
    int fds[PASSED_FDS] = {-1, -1};
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    if (control != NULL && control->cmsg_type == SCM_RIGHTS &&
        control->cmsg_len == CMSG_LEN(sizeof fds)) {
        memcpy(fds, CMSG_DATA(control), sizeof fds);
    }
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, PS_WIRE_FROM_HOST);
    size_t room_size = 0;
    memcpy(ps_wire_decoder_room(&decoder, &room_size), packet, (size_t)got);
    ps_wire_decoder_added(&decoder, (size_t)got);
    PsWireFrame frame;
    PsErr err = ps_wire_decoder_next(&decoder, &frame);
    if (err == PS_OK && frame.type == PS_WIRE_FORK) {
        on_fork(starter, &frame, fds);
    } else if (err == PS_OK && frame.type == PS_WIRE_KILL) {
        on_kill(starter, &frame);
    }
    ps_wire_decoder_deinit(&decoder);
    for (size_t i = 0; i < PASSED_FDS; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    return true;
}

static void reap(Starter *starter) {
    struct signalfd_siginfo info;
    if (read(starter->signals, &info, sizeof info) < 0) {
        return;
    }
    for (;;) {
        siginfo_t ended = {0};
        int status = 0;
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid == 0) {
            return;
        }
        pid_t pid = ended.si_pid;
        kill(-pid, SIGKILL); // while the number is still its own
        waitpid(pid, &status, 0);
        for (size_t i = 0; i < starter->count; i++) {
            if (starter->children[i].pid == pid) {
                Child gone = starter->children[i];
                starter->children[i] = starter->children[--starter->count];
                ps_scratch_remove(gone.scratch);
                tell(starter, PS_WIRE_EXITED, gone.slot, gone.generation, (uint32_t)status);
                break;
            }
        }
    }
}

static void look_at_children(Starter *starter) {
    PsMono now = ps_mono_now();
    if (ps_mono_diff_ns(now, starter->looked) < PS_WATCH_EVERY_MS * PS_NS_PER_MS) {
        return;
    }
    starter->looked = now;
    for (size_t i = 0; i < starter->count; i++) {
        Child *child = &starter->children[i];
        PsWireLimit limit = ps_watch_look(&child->watch, now);
        if (limit != PS_LIMIT_NONE) {
            tell(starter, PS_WIRE_OVER_LIMIT, child->slot, child->generation, limit);
        }
    }
}

static void serve(Starter *starter) {
    struct pollfd watched[] = {{.fd = starter->control, .events = POLLIN},
                               {.fd = starter->signals, .events = POLLIN}};
    bool serving = true;
    while (serving) {
        int wait_ms = starter->count > 0 ? PS_WATCH_EVERY_MS : -1;
        if (poll(watched, PS_COUNT(watched), wait_ms) < 0) {
            continue;
        }
        look_at_children(starter);
        if (watched[1].revents != 0) {
            reap(starter);
        }
        if (watched[0].revents != 0) {
            serving = take_order(starter);
        }
    }
}

// A worker would end with us; its scratch folder, and what it may have started, would not.
static void end_children(Starter *starter) {
    for (size_t i = 0; i < starter->count; i++) {
        const Child *child = &starter->children[i];
        kill(-child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
        ps_scratch_remove(child->scratch);
    }
    free(starter->children);
}

int ps_starter_run(PsWorker *worker, int control, const char *scratch_parent) {
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal, NULL);
    Starter starter = {
        .worker = worker, .control = control, .holds = ps_confine_possible(), .scratch.lock = -1};
    starter.signals = signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    if (starter.signals < 0) {
        perror("penstock-script: signalfd");
        return 1;
    }
    if (scratch_parent != NULL) {
        ps_scratch_open(&starter.scratch, scratch_parent);
    }
    PS_AUTO_BUF PsBuf ready = {0};
    ps_wire_put_ready(&ready, starter.holds);
    if (send(control, ready.data, ready.len, MSG_NOSIGNAL) >= 0) {
        serve(&starter);
    }
    end_children(&starter);
    ps_scratch_close(&starter.scratch);
    close(starter.signals);
    return 0;
}
