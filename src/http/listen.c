// Makes the listening socket: TCP on a numeric address, or a Unix socket with its file. Loop
// thread, at start; asks a socket file that is there already whether somebody answers.
#include "base/cleanup.h"
#include "http/inside.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define UNACKNOWLEDGED_MS 30000 // bytes that nobody acknowledges: the client's machine is gone
#define KEEPALIVE_S 30

// ---- Unix

// Is there a process behind the socket file? A short blocking connect.
static bool somebody_listens(const struct sockaddr_un *address) {
    PS_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
}

static PsErr prepare_path(const char *path, struct sockaddr_un *address, PsDiag *diag) {
    if (strlen(path) >= sizeof address->sun_path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL,
                       "is longer than the %zu bytes a socket path may have; use --socket",
                       sizeof address->sun_path - 1);
    }
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    if (somebody_listens(address)) {
        return ps_fail(PS_ERR_BUSY, diag, path, NULL,
                       "another gateway answers on this socket; stop it or use --socket");
    }
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
        return ps_fail(PS_ERR_EXISTS, diag, path, NULL, "exists and is not a socket; remove it");
    }
    (void)unlink(path);
    return PS_OK;
}

static PsErr listen_unix(const char *path, int *ret_fd, PsDiag *diag) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    PsErr err = prepare_path(path, &address, diag);
    if (err != PS_OK) {
        return err;
    }
    PS_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // Only this user and its group, from the first moment the socket exists.
    mode_t mask = umask(0117);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    umask(mask);
    if (bound && listen(fd, BACKLOG) != 0) {
        error = errno;
        bound = false;
        (void)unlink(path);
    }
    if (!bound) {
        return ps_fail(error == EACCES ? PS_ERR_DENIED : PS_ERR_IO, diag, path, NULL,
                       "cannot make the command socket: %s; use --socket", strerror(error));
    }
    *ret_fd = fd;
    fd = -1;
    return PS_OK;
}

// ---- TCP

static void set_option(int fd, int level, int option, int value) {
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

// What the accepted sockets inherit. None is needed for the server to work.
static void set_options(int fd, int family) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); // in TIME_WAIT, after a restart
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
    if (family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
}

static PsErr fail_tcp(int error, const PsHttpSetup *setup, PsDiag *diag) {
    switch (error) {
    case EADDRINUSE:
        return ps_fail(PS_ERR_BUSY, diag, "HTTP server", "port",
                       "%s port %u is in use; end the program that listens there, or set another "
                       "port",
                       setup->address, setup->port);
    case EACCES:
        return ps_fail(PS_ERR_DENIED, diag, "HTTP server", "port",
                       "%s port %u: permission denied; ports below 1024 need the capability "
                       "CAP_NET_BIND_SERVICE",
                       setup->address, setup->port);
    case EADDRNOTAVAIL:
        return ps_fail(PS_ERR_IO, diag, "HTTP server", "address",
                       "%s is no address of this machine; \"0.0.0.0\" means all of them",
                       setup->address);
    default:
        return ps_fail(PS_ERR_IO, diag, "HTTP server", "address", "%s port %u: %s", setup->address,
                       setup->port, strerror(error));
    }
}

static uint16_t port_of(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        return 0;
    }
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port)
                                         : ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static PsErr listen_tcp(const PsHttpSetup *setup, int *ret_fd, uint16_t *ret_port, PsDiag *diag) {
    char port[8];
    snprintf(port, sizeof port, "%u", setup->port);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(setup->address, port, &hints, &found) != 0) { // numeric only: asks nobody
        return ps_fail(
            PS_ERR_INVALID, diag, "HTTP server", "address",
            "'%.60s' is no IP address; such as 127.0.0.1, 0.0.0.0 or ::", setup->address);
    }
    int family = found->ai_family;
    PS_AUTO_FD int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool bound = false;
    if (fd >= 0) {
        set_options(fd, family);
        bound = bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    }
    int error = errno;
    freeaddrinfo(found);
    if (!bound) {
        return fail_tcp(error, setup, diag);
    }
    *ret_port = port_of(fd);
    *ret_fd = fd;
    fd = -1;
    return PS_OK;
}

PsErr ps_http_listen(const PsHttpSetup *setup, int *ret_fd, uint16_t *ret_port, PsDiag *diag) {
    PS_ASSERT((setup->address != NULL) != (setup->socket != NULL));
    *ret_port = 0;
    return setup->socket != NULL ? listen_unix(setup->socket, ret_fd, diag)
                                 : listen_tcp(setup, ret_fd, ret_port, diag);
}
