// Reads a passphrase or password. The terminal is as before on every way out, Ctrl-C included.
// Blocking.
#include "cli/passphrase.h"

#include "backup/seal.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LONGEST ((size_t)1024)
#define TERMINAL "/dev/tty"

#define AUTO_SECRET PS_CLEANUP(ps_seal_wipe)

const CliSecret cli_backup_passphrase = {
    .name = "passphrase",
    .question = "Passphrase of the backup: ",
    .option = "--passphrase-file",
    .least = 12,
};
const CliSecret cli_user_password = {
    .name = "password",
    .question = "Password of the user: ",
    .option = "--password-file",
    .least = 10, // as the gateway has it, which also knows the commonest
};

// Up to the newline or the end.
static PsErr read_line(int fd, const char *from, PsBuf *line, PsDiag *diag) {
    ps_buf_reserve(line, LONGEST + 1); // so that it never moves and leaves a copy behind
    for (;;) {
        uint8_t byte = 0;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR) {
            return ps_fail(PS_ERR_CANCELLED, diag, from, NULL, "was interrupted; nothing was done");
        }
        if (got < 0) {
            return ps_fail(PS_ERR_IO, diag, from, NULL, "cannot be read: %s", strerror(errno));
        }
        if (got == 0 || byte == '\n') {
            return PS_OK;
        }
        if (byte == '\0' || line->len == LONGEST) {
            return ps_fail(PS_ERR_INVALID, diag, from, NULL,
                           "holds a NUL or more than %zu bytes; choose another", LONGEST);
        }
        ps_buf_put_u8(line, byte);
    }
}

static void interrupted(int signal_number) {
    // read() ends with EINTR, which is all that is wanted
}

static void write_text(int fd, const char *text) {
    ssize_t put = write(fd, text, strlen(text));
    (void)put; // a terminal that shows nothing still takes the answer
}

static PsErr ask(int fd, const char *question, PsBuf *line, PsDiag *diag) {
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    struct sigaction before[PS_COUNT(ending)];
    struct sigaction during = {.sa_handler = interrupted};
    struct termios shown;
    if (tcgetattr(fd, &shown) != 0) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, TERMINAL, NULL, "is no terminal: %s",
                       strerror(errno));
    }
    for (size_t i = 0; i < PS_COUNT(ending); i++) {
        (void)sigaction(ending[i], &during, &before[i]);
    }
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    PsErr err = PS_OK;
    if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0) {
        err = ps_fail(PS_ERR_IO, diag, TERMINAL, NULL, "cannot hide what is typed: %s",
                      strerror(errno));
    } else {
        write_text(fd, question);
        err = read_line(fd, TERMINAL, line, diag);
        write_text(fd, "\n");
    }
    (void)tcsetattr(fd, TCSAFLUSH, &shown);
    for (size_t i = 0; i < PS_COUNT(ending); i++) {
        (void)sigaction(ending[i], &before[i], NULL);
    }
    return err;
}

static PsErr ask_terminal(const CliSecret *secret, bool fresh, PsBuf *passphrase, PsDiag *diag) {
    PS_AUTO_FD int fd = open(TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, secret->name, NULL,
                       "cannot be asked for without a terminal; put it into a file that only you "
                       "can read and name that with %s, or give - there and send it to standard "
                       "input",
                       secret->option);
    }
    PsErr err = ask(fd, secret->question, passphrase, diag);
    if (err != PS_OK || !fresh) {
        return err;
    }
    AUTO_SECRET PsBuf again = {0};
    err = ask(fd, "The same again: ", &again, diag);
    if (err == PS_OK &&
        (again.len != passphrase->len || memcmp(again.data, passphrase->data, again.len) != 0)) {
        err = ps_fail(PS_ERR_INVALID, diag, secret->name, NULL,
                      "was not the same both times; try again");
    }
    return err;
}

static PsErr take_file(const char *file, PsBuf *passphrase, PsDiag *diag) {
    if (strcmp(file, "-") == 0) {
        return read_line(STDIN_FILENO, "standard input", passphrase, diag);
    }
    // A pipe is welcome here: <(pass show gateway) is one.
    PS_AUTO_FD int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return ps_fail(errno == ENOENT ? PS_ERR_NOT_FOUND : PS_ERR_DENIED, diag, file, NULL,
                       "cannot be read: %s", strerror(errno));
    }
    return read_line(fd, file, passphrase, diag);
}

PsErr cli_passphrase_take(const CliSecret *secret, const char *file, bool fresh,
                          PsBuf *ret_passphrase, PsDiag *diag) {
    AUTO_SECRET PsBuf passphrase = {0};
    PsErr err = file != NULL ? take_file(file, &passphrase, diag)
                             : ask_terminal(secret, fresh, &passphrase, diag);
    if (err != PS_OK) {
        return err;
    }
    if (passphrase.len > 0 && passphrase.data[passphrase.len - 1] == '\r') {
        passphrase.data[--passphrase.len] = '\0'; // a file from Windows
    }
    size_t least = fresh ? secret->least : 1;
    if (passphrase.len < least) {
        return ps_fail(PS_ERR_INVALID, diag, secret->name, NULL,
                       "is %zu bytes long; it needs at least %zu", passphrase.len, least);
    }
    *ret_passphrase = passphrase;
    passphrase = (PsBuf){0};
    return PS_OK;
}
