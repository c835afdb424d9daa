// The process ids of orphaned workers, waited for one by one whenever a child has ended. libuv
// waits for its own children in the same way, so the two do not meet. Loop thread; never blocks.
#include "script/orphans.h"

#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

// ECHILD with a process there: its parent is still dying, it is not ours yet.
static bool is_over(int pid) {
    pid_t waited = waitpid(pid, NULL, WNOHANG);
    return waited == pid || (waited < 0 && errno == ECHILD && kill(pid, 0) < 0 && errno == ESRCH);
}

static void reap(PsOrphans *orphans) {
    for (size_t i = orphans->count; i > 0; i--) {
        if (is_over(orphans->pids[i - 1])) {
            orphans->pids[i - 1] = orphans->pids[--orphans->count];
        }
    }
}

static void on_child_ended(uv_signal_t *handle, int number) {
    reap((PsOrphans *)((char *)handle - offsetof(PsOrphans, child_ended)));
}

void ps_orphans_open(PsOrphans *orphans, uv_loop_t *loop, void *data) {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    uv_signal_init(loop, &orphans->child_ended);
    orphans->child_ended.data = data;
    uv_signal_start(&orphans->child_ended, on_child_ended, SIGCHLD);
}

void ps_orphans_add(PsOrphans *orphans, int pid) {
    orphans->pids = ps_grow_array(orphans->pids, orphans->count + 1, sizeof *orphans->pids);
    orphans->pids[orphans->count++] = pid;
    reap(orphans);
}

void ps_orphans_close(PsOrphans *orphans, uv_close_cb closed) {
    reap(orphans);
    free(orphans->pids);
    orphans->pids = NULL;
    orphans->count = 0;
    uv_close((uv_handle_t *)&orphans->child_ended, closed);
}
