// An eventfd in the loop's poll set. The flag saves the write while an earlier one is unseen.
// `sent` falls before `woken` runs: a send that comes later writes again, so none is lost.
#include "base/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events) {
    PsWake *wake = poll->data;
    eventfd_t count;
    (void)eventfd_read(wake->fd, &count); // empties it; that it counted something is known
    atomic_store(&wake->sent, false);
    wake->woken(wake);
}

PsErr ps_wake_init(PsWake *wake, uv_loop_t *loop, void (*woken)(PsWake *wake), void *data) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return PS_ERR_IO;
    }
    wake->fd = fd;
    wake->woken = woken;
    wake->closed = NULL;
    wake->data = data;
    wake->poll.data = wake;
    atomic_init(&wake->sent, false);
    int failure = uv_poll_init(loop, &wake->poll, fd);
    PS_ASSERT(failure == 0); // a fresh descriptor of our own
    uv_poll_start(&wake->poll, UV_READABLE, on_readable);
    return PS_OK;
}

void ps_wake_send(PsWake *wake) {
    if (!atomic_exchange(&wake->sent, true)) {
        eventfd_write(wake->fd, 1);
    }
}

static void on_closed(uv_handle_t *handle) {
    PsWake *wake = handle->data;
    close(wake->fd);
    if (wake->closed != NULL) {
        wake->closed(wake);
    }
}

void ps_wake_close(PsWake *wake, void (*closed)(PsWake *wake)) {
    wake->closed = closed;
    uv_close((uv_handle_t *)&wake->poll, on_closed);
}
