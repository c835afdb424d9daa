// A serial port as the way to a line of Modbus RTU slaves: opened and set through libmodbus, held
// against other programs, its direction given to the kernel where the line is RS-485. Channel
// thread; opening blocks only as long as the port's driver does.
#include "base/cleanup.h"
#include "drivers/modbus/connection.h"
#include "drivers/modbus/rtu_line.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/serial.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static const char parity_letters[] = {
    [PS_PARITY_NONE] = 'N', [PS_PARITY_ODD] = 'O', [PS_PARITY_EVEN] = 'E'};

static PsErr fail_denied(const char *path, PsDiag *diag) {
    struct stat status;
    struct group entry;
    struct group *found = NULL;
    char names[1024];
    bool known = stat(path, &status) == 0 && (status.st_mode & S_IWGRP) != 0 &&
                 getgrgid_r(status.st_gid, &entry, names, sizeof names, &found) == 0 &&
                 found != NULL;
    if (known) {
        return ps_fail(PS_ERR_IO, diag, NULL, "path",
                       "%.100s: permission denied; add the user that runs the gateway to group "
                       "%.40s and start it anew",
                       path, found->gr_name);
    }
    return ps_fail(PS_ERR_IO, diag, NULL, "path",
                   "%.100s: permission denied; give the user that runs the gateway the right to "
                   "read and write it",
                   path);
}

static PsErr fail_open(const char *path, int number, PsDiag *diag) {
    switch (number) {
    case EACCES:
    case EPERM:
        return fail_denied(path, diag);
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return ps_fail(PS_ERR_CLOSED, diag, NULL, "path",
                       "%.100s: there is no such port; check path, and that the adapter is plugged "
                       "in",
                       path);
    case EBUSY:
    case EWOULDBLOCK:
        return ps_fail(PS_ERR_IO, diag, NULL, "path",
                       "%.100s: another program uses it; end that one, or choose another port",
                       path);
    case ENOTTY:
        return ps_fail(PS_ERR_IO, diag, NULL, "path", "%.100s: is no serial port; correct path",
                       path);
    case EINVAL:
        return ps_fail(PS_ERR_IO, diag, NULL, "path",
                       "%.100s: does not take these settings; try another baud rate, parity or "
                       "number of stop bits",
                       path);
    default:
        return ps_fail(PS_ERR_IO, diag, NULL, "path", "%.100s: %s", path, strerror(number));
    }
}

// Before libmodbus changes the settings of a line that is another's: flock against programs that
// ask. The descriptor through `ret_fd`, or an errno.
static int lock_port(const char *path, int *ret_fd) {
    PS_AUTO_FD int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    if (!isatty(fd)) {
        return ENOTTY;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno;
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

// Drivers leave out what their hardware cannot do and say nothing.
static bool has_settings(int fd, const PsSerial *serial) {
    struct termios settings;
    if (tcgetattr(fd, &settings) != 0) {
        return false;
    }
    bool two_stops = (settings.c_cflag & CSTOPB) != 0;
    bool parity = (settings.c_cflag & PARENB) != 0;
    bool odd = (settings.c_cflag & PARODD) != 0;
    return two_stops == (serial->stop_bits == 2) && parity == (serial->parity != PS_PARITY_NONE) &&
           (!parity || odd == (serial->parity == PS_PARITY_ODD));
}

// Direct rather than through libmodbus, which forgets what the device tree says about the polarity.
// False: the kernel does not offer what is wanted.
static bool set_direction(const PsModbusConnection *connection, int fd) {
    struct serial_rs485 direction = {0};
    bool wanted = connection->serial.mode == PS_SERIAL_RS485;
    bool offered = ioctl(fd, TIOCGRS485, &direction) == 0;
    bool is_on = (direction.flags & SER_RS485_ENABLED) != 0;
    if (offered && wanted != is_on) {
        direction.flags = wanted ? direction.flags | SER_RS485_ENABLED
                                 : direction.flags & ~(unsigned)SER_RS485_ENABLED;
        bool polarity = (direction.flags & (SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND)) != 0;
        direction.flags |= polarity ? 0 : SER_RS485_RTS_ON_SEND;
        offered = ioctl(fd, TIOCSRS485, &direction) == 0;
    }
    return offered || !wanted;
}

static void note_shortcomings(PsModbusConnection *connection, int fd) {
    const char *note = "";
    if (!has_settings(fd, &connection->serial)) {
        note = "the port does not take this parity or these stop bits and goes without; use what "
               "it can do, on the devices as well";
    } else if (!set_direction(connection, fd)) {
        note = "the kernel does not switch the direction of this port; the adapter has to do it by "
               "itself, as most do";
    }
    snprintf(connection->note, PS_SESSION_NOTE_SIZE, "%s", note);
}

// The port as it is wanted: its descriptor inside `modbus`, or an errno.
static int set_up(modbus_t *modbus, int *ret_fd) {
    if (modbus == NULL || modbus_connect(modbus) != 0) {
        return errno;
    }
    int fd = modbus_get_socket(modbus);
    if (ioctl(fd, TIOCEXCL) != 0) { // against programs that do not ask
        int number = errno;
        modbus_close(modbus);
        return number;
    }
    *ret_fd = fd;
    return 0;
}

static PsErr serial_open(PsModbusConnection *connection, int64_t timeout_ns, PsDiag *diag) {
    const PsSerial *serial = &connection->serial;
    const char *path = connection->host;
    PS_AUTO_FD int lock_fd = -1;
    int fd = -1;
    int number = lock_port(path, &lock_fd);
    if (number == 0) {
        modbus_free(connection->modbus);
        connection->modbus = modbus_new_rtu(path, serial->baud_rate, parity_letters[serial->parity],
                                            serial->data_bits, serial->stop_bits);
        number = set_up(connection->modbus, &fd);
    }
    if (number != 0) {
        return fail_open(path, number, diag);
    }
    note_shortcomings(connection, fd);
    (void)tcflush(fd, TCIOFLUSH); // what came before belongs to nobody
    connection->quiet_since = ps_mono_now();
    connection->lock_fd = lock_fd;
    lock_fd = -1;
    ps_modbus_connection_adopt(connection, fd);
    return PS_OK;
}

const PsModbusWay ps_modbus_way_serial = {
    .name = "Modbus RTU",
    .keeps_open = true,
    .open = serial_open,
    .exchange = ps_modbus_rtu_exchange,
};
