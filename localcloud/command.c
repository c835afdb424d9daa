// What the sub-commands share. Main thread.
#include "localcloud/command.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int ps_command_failed(const PsDiag *diag) {
    char text[sizeof(PsDiag) + 8];
    ps_diag_format(diag, text, sizeof text);
    fprintf(stderr, "penstock-cloud: %s\n", text);
    return EXIT_FAILURE;
}

int ps_command_wrong(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fputs("penstock-cloud: ", stderr);
    vfprintf(stderr, fmt, args);
    fputs("; see penstock-cloud --help\n", stderr);
    va_end(args);
    return PS_EXIT_USAGE;
}

bool ps_command_key_type(const char *text, PsKeyType *ret_type) {
    bool ecc = strcmp(text, "ecc") == 0;
    if (!ecc && strcmp(text, "rsa") != 0) {
        return false;
    }
    *ret_type = ecc ? PS_KEY_ECC : PS_KEY_RSA;
    return true;
}

PsErr ps_command_signals(int *ret_fd, PsDiag *diag) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    int fd = sigprocmask(SIG_BLOCK, &ends, NULL) == 0 ? signalfd(-1, &ends, SFD_CLOEXEC) : -1;
    if (fd < 0) {
        return ps_fail(PS_ERR_IO, diag, "signals", NULL, "cannot be caught");
    }
    *ret_fd = fd;
    return PS_OK;
}

PsErr ps_command_client(const char *dir, const char *name, PsCommandClient *client,
                        PsCloudClientSetup *setup, PsDiag *diag) {
    char absolute[PATH_MAX];
    PsErr err = ps_endpoint_read(dir, &client->endpoint, diag);
    if (err == PS_OK && client->endpoint.port == 0) {
        err =
            ps_fail(PS_ERR_NOT_FOUND, diag, dir, NULL,
                    "only the control plane runs here; start 'penstock-cloud run %s' instead", dir);
    }
    err = err == PS_OK ? ps_folder_open(dir, absolute, diag) : err;
    PsThingOrder order = {.name = name, .key_type = PS_KEY_ECC, .own_client = true};
    err = err == PS_OK ? ps_folder_thing(absolute, &order, &client->files, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    snprintf(client->client_id, sizeof client->client_id, "penstock-cloud-%s-%d", name,
             (int)getpid());
    setup->host = PS_ENDPOINT_HOST;
    setup->port = client->endpoint.port;
    setup->root_ca = client->endpoint.root_ca;
    setup->certificate = client->files.certificate;
    setup->private_key = client->files.private_key;
    setup->client_id = client->client_id;
    return PS_OK;
}

const char *ps_command_console_dir(void) {
    static char dir[PATH_MAX];
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0) {
        return NULL;
    }
    program[len] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
        return NULL;
    }
    *slash = '\0';
    int wanted = snprintf(dir, sizeof dir, "%s/../share/penstock/cloud-console", program);
    return wanted > 0 && (size_t)wanted < sizeof dir && access(dir, R_OK | X_OK) == 0 ? dir : NULL;
}
