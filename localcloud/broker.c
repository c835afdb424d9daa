// Configuration, start, watch and end of mosquitto. Main thread; start and stop block for as long
// as the broker needs.
#include "localcloud/broker.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_LIMIT_S 10
#define STOP_LIMIT_MS 5000
#define PROBE_MS 20
#define CONF "broker/mosquitto.conf" // as the broker sees it, in the cloud's folder
#define SOCKET "mqtt.sock"
#define PACKET_MAX (32 * 1024 * 1024) // the most that the front's limit can be set to

// What a start needs.
typedef struct Start {
    const char *dir;
    char program[PATH_MAX];
    char folder[PATH_MAX];
    char conf[PATH_MAX];
    char log[PATH_MAX];
} Start;

// Paths are relative: the broker runs in the cloud's folder, so no path needs quoting. Limits that
// a device meets are the front's; here is what bounds the broker's memory.
static PsErr write_conf(const Start *start, PsDiag *diag) {
    PS_AUTO_BUF PsBuf conf = {0};
    ps_buf_printf(&conf, "# Written by penstock-cloud at each start; changes are lost.\n");
    if (geteuid() == 0) {
        // Else mosquitto would become user mosquitto and could not enter the folder.
        ps_buf_printf(&conf, "user root\n");
    }
    ps_buf_printf(&conf,
                  "log_dest stderr\n"
                  "log_type error\nlog_type warning\nlog_type notice\n"
                  "log_type information\nlog_type subscribe\nlog_type unsubscribe\n"
                  "log_timestamp_format %%Y-%%m-%%d %%H:%%M:%%S\n"
                  "persistence true\n"
                  "persistence_location broker\n"
                  "autosave_interval 30\n"
                  "persistent_client_expiration 8d\n"
                  "sys_interval 0\n"
                  "max_inflight_messages 0\n"
                  "max_queued_messages 10000\n"
                  "max_packet_size %d\n"
                  "\nlistener 0 broker/" SOCKET "\n"
                  "# who gets as far as this socket was let in by penstock-cloud\n"
                  "allow_anonymous true\n"
                  "max_qos 1\n"
                  "max_topic_alias 8\n",
                  PACKET_MAX);
    return ps_file_write(start->conf, conf.data, conf.len, 0644, diag);
}

static bool is_listening(const PsBroker *broker) {
    PS_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", broker->socket_path);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool find_program(char *out, size_t size) {
    const char *path = getenv("PATH");
    char all[8192];
    int len = snprintf(all, sizeof all, "%s:/usr/sbin:/usr/local/sbin", path != NULL ? path : "");
    if (len < 0 || (size_t)len >= sizeof all) {
        return false;
    }
    char *rest = NULL;
    for (char *dir = strtok_r(all, ":", &rest); dir != NULL; dir = strtok_r(NULL, ":", &rest)) {
        len = snprintf(out, size, "%s/mosquitto", dir);
        if (len > 0 && (size_t)len < size && access(out, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

// In the child; only calls that are safe after fork.
static _Noreturn void become_broker(const Start *start, pid_t parent, int log_fd) {
    sigset_t none;
    sigemptyset(&none);
    bool ready = sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
                 prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
                 chdir(start->dir) == 0 && dup2(log_fd, STDOUT_FILENO) >= 0 &&
                 dup2(log_fd, STDERR_FILENO) >= 0;
    if (ready) {
        // Its own group: a Ctrl-C at the terminal ends us first, and we end the broker.
        setpgid(0, 0);
        execl(start->program, "mosquitto", "-c", CONF, (char *)NULL);
    }
    _exit(127);
}

static PsErr spawn(const Start *start, PsBroker *broker, PsDiag *diag) {
    PS_AUTO_FD int log_fd = open(start->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    PS_AUTO_FD int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t parent = getpid();
    pid_t pid = log_fd >= 0 && null_fd >= 0 ? fork() : -1;
    if (pid == 0) {
        dup2(null_fd, STDIN_FILENO);
        become_broker(start, parent, log_fd);
    }
    if (pid < 0) {
        return ps_fail(PS_ERR_IO, diag, start->program, NULL, "cannot start: %s", strerror(errno));
    }
    broker->pid = pid;
    broker->pid_fd = pidfd_open(pid, 0);
    if (broker->pid_fd < 0) {
        PsErr err =
            ps_fail(PS_ERR_IO, diag, start->program, NULL, "cannot watch: %s", strerror(errno));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        broker->pid = 0;
        return err;
    }
    return PS_OK;
}

static bool has_ended(const PsBroker *broker, int wait_ms) {
    struct pollfd ended = {.fd = broker->pid_fd, .events = POLLIN};
    return poll(&ended, 1, wait_ms) > 0;
}

// The last line of the broker's log that speaks of an error, for the diagnosis.
static void last_error(const Start *start, char *out, size_t size) {
    PS_AUTO_BUF PsBuf log = {0};
    snprintf(out, size, "no reason in its log");
    if (ps_file_read(start->log, (size_t)1 << 20, &log, NULL) != PS_OK || log.data == NULL) {
        return;
    }
    char *rest = NULL;
    for (char *line = strtok_r((char *)log.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *error = strstr(line, "Error: ");
        if (error != NULL) {
            snprintf(out, size, "%s", error + strlen("Error: "));
        }
    }
}

static PsErr wait_ready(const Start *start, PsBroker *broker, PsDiag *diag) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), START_LIMIT_S * PS_NS_PER_S);
    while (ps_mono_diff_ns(deadline, ps_mono_now()) > 0) {
        if (has_ended(broker, PROBE_MS)) {
            char reason[200];
            last_error(start, reason, sizeof reason);
            return ps_fail(PS_ERR_IO, diag, "mosquitto", NULL, "ended at once: %s (see %s)", reason,
                           start->log);
        }
        if (is_listening(broker)) {
            return PS_OK;
        }
    }
    return ps_fail(PS_ERR_TIMEOUT, diag, "mosquitto", NULL,
                   "does not accept connections after %d s; see %s", START_LIMIT_S, start->log);
}

static PsErr name_paths(const char *dir, Start *start, char *log_before, PsDiag *diag) {
    start->dir = dir;
    int len = snprintf(log_before, PATH_MAX, "%s/broker/mosquitto.log.1", dir);
    if (len < 0 || len >= PATH_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, dir, NULL,
                       "the path is too long; choose a shorter one");
    }
    snprintf(start->folder, PATH_MAX, "%s/broker", dir);
    snprintf(start->conf, PATH_MAX, "%s/" CONF, dir);
    snprintf(start->log, PATH_MAX, "%s/broker/mosquitto.log", dir);
    if (!find_program(start->program, PATH_MAX)) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, "mosquitto", NULL,
                       "is not installed; install the package 'mosquitto'");
    }
    return PS_OK;
}

// A Unix socket's path has 107 bytes at most (unix(7)): ours goes through the open folder.
static PsErr open_folder(const Start *start, PsBroker *broker, PsDiag *diag) {
    PsErr err = ps_dir_make(start->folder, 0700, diag);
    if (err != PS_OK) {
        return err;
    }
    broker->folder_fd = open(start->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // An older one may have been made for everybody.
    if (broker->folder_fd < 0 || fchmod(broker->folder_fd, 0700) != 0) {
        return ps_fail(PS_ERR_IO, diag, start->folder, NULL, "%s", strerror(errno));
    }
    snprintf(broker->socket_path, sizeof broker->socket_path, "/proc/self/fd/%d/" SOCKET,
             broker->folder_fd);
    unlink(broker->socket_path); // of a broker that was killed
    return PS_OK;
}

PsErr ps_broker_start(const char *dir, PsBroker *ret_broker, PsDiag *diag) {
    Start start;
    char log_before[PATH_MAX];
    PsBroker broker = {.folder_fd = -1};
    PsErr err = name_paths(dir, &start, log_before, diag);
    err = err == PS_OK ? open_folder(&start, &broker, diag) : err;
    if (err == PS_OK) {
        rename(start.log, log_before); // the first start has none
        err = write_conf(&start, diag);
    }
    err = err == PS_OK ? spawn(&start, &broker, diag) : err;
    err = err == PS_OK ? wait_ready(&start, &broker, diag) : err;
    if (err != PS_OK) {
        ps_broker_stop(&broker);
        return err;
    }
    *ret_broker = broker;
    return PS_OK;
}

void ps_broker_stop(PsBroker *broker) {
    if (broker->pid > 0) {
        kill(broker->pid, SIGTERM);
        if (!has_ended(broker, STOP_LIMIT_MS)) {
            kill(broker->pid, SIGKILL);
        }
        while (waitpid(broker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        close(broker->pid_fd);
    }
    if (broker->folder_fd > 0) {
        close(broker->folder_fd);
    }
    *broker = (PsBroker){0};
}
