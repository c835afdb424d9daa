// The parent of all workers. One thread, no Python code runs here after the warm-up: it waits for
// orders and for children that end. It holds no state that matters; penstockd keeps the books.
#include "script/worker/starter.h"

#include "base/mem.h"
#include "script/worker/confine.h"

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
} Child;

typedef struct Starter {
    PsWorker *worker;
    int control;
    int signals;
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

static void serve_as_child(Starter *starter, PsWireFork order, const int *fds) {
    PsWorker *worker = starter->worker;
    int fd = ps_confine(fds[0], fds[1], order.memory_limit);
    PyOS_AfterFork_Child();
    ps_worker_run(worker, fd);
}

static void on_fork(Starter *starter, const PsWireFrame *frame, const int *fds) {
    PsWireFork order;
    PsErr err = ps_wire_get_fork(frame, &order);
    if (err != PS_OK || fds[0] < 0 || fds[1] < 0) {
        return;
    }
    pid_t parent = getpid();
    PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        if (ps_confine_follow_parent(parent)) {
            serve_as_child(starter, order, fds);
        }
        _exit(0);
    }
    int failure = errno;
    PyOS_AfterFork_Parent();
    if (pid < 0) {
        tell(starter, PS_WIRE_FORK_FAILED, order.slot, order.generation, (uint32_t)failure);
        return;
    }
    starter->children = ps_grow_array(starter->children, starter->count + 1, sizeof(Child));
    starter->children[starter->count++] = (Child){order.slot, order.generation, pid};
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
                tell(starter, PS_WIRE_EXITED, gone.slot, gone.generation, (uint32_t)status);
                break;
            }
        }
    }
}

int ps_starter_run(PsWorker *worker, int control) {
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal, NULL);
    Starter starter = {.worker = worker, .control = control};
    starter.signals = signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    if (starter.signals < 0) {
        perror("penstock-script: signalfd");
        return 1;
    }
    PS_AUTO_BUF PsBuf ready = {0};
    ps_wire_put(&ready, PS_WIRE_READY, NULL, 0);
    if (send(control, ready.data, ready.len, MSG_NOSIGNAL) < 0) {
        return 1;
    }
    struct pollfd watched[] = {{.fd = control, .events = POLLIN},
                               {.fd = starter.signals, .events = POLLIN}};
    bool serving = true;
    while (serving) {
        if (poll(watched, PS_COUNT(watched), -1) < 0) {
            continue;
        }
        if (watched[1].revents != 0) {
            reap(&starter);
        }
        if (watched[0].revents != 0) {
            serving = take_order(&starter);
        }
    }
    for (size_t i = 0; i < starter.count; i++) {
        kill(-starter.children[i].pid, SIGKILL); // a worker would end with us, its children not
    }
    free(starter.children);
    close(starter.signals);
    return 0;
}
