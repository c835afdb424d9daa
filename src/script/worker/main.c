// penstock-script: loads Python once, then forks one worker per message script. Started by
// penstockd with the control socket as descriptor 3 and `--scratch DIR`, where workers' scratch
// folders are made; of no use to a person by itself.
#include "script/worker/starter.h"
#include "version.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_FD 3

// Ctrl-C and a service stop reach every process of the gateway. penstockd ends the workers in
// order by closing their sockets, so these signals are only for it; handlers, unlike SIG_IGN, are
// not inherited by programs a script starts.
static void ignore_signal(int number) {
}

static void prepare_process(void) {
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(077);
}

#define CHECK_CPU_S 60 // sources are at most 1 MiB, but Python thinks long about some

static int check_scripts(void) {
    setrlimit(RLIMIT_CPU, &(struct rlimit){CHECK_CPU_S, CHECK_CPU_S});
    PsWorker worker;
    PsDiag diag = {0};
    PsErr err = ps_worker_warm(&worker, &diag);
    if (err != PS_OK) {
        fprintf(stderr, "penstock-script: %s\n", diag.text);
        return 1;
    }
    PyObject *done = PyObject_CallNoArgs(PyDict_GetItemString(worker.prelude, "check_all"));
    return done != NULL ? 0 : 1;
}

static bool is_control_socket(int fd) {
    int type = 0;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("penstock-script %s, Python %s\n", PENSTOCK_VERSION, PY_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--check") == 0) {
        _exit(check_scripts());
    }
    bool called_well = argc == 1 || (argc == 3 && strcmp(argv[1], "--scratch") == 0);
    if (!called_well || !is_control_socket(CONTROL_FD)) {
        fprintf(stderr, "penstock-script runs the message scripts of penstockd, which starts it. "
                        "To try a script by hand, use `penstock script run`.\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); // what a script may have started ends here
    prepare_process();
    PsWorker worker;
    PsDiag diag = {0};
    PsErr err = ps_worker_warm(&worker, &diag);
    if (err != PS_OK) {
        char text[sizeof diag];
        ps_diag_format(&diag, text, sizeof text);
        fprintf(stderr, "penstock-script: %s\n", text);
        return 1;
    }
    // _exit: the workers' shared interpreter is never taken apart, it just ends.
    _exit(ps_starter_run(&worker, CONTROL_FD, argc == 3 ? argv[2] : NULL));
}
