// The table of refused calls and its translation to a classic BPF program. Everything that is not
// in the table is allowed, up to the newest call the table's author knew; later ones do not exist
// for a script. Runs in the fresh fork, before user code.
#include "script/worker/call_filter.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#define THIS_ARCH 0 // no filter: said once in the log
#endif

// The newest call of Linux 6.1, the oldest kernel Penstock is for. glibc takes ENOSYS for an
// answer. x32 calls (bit 30) are above it, too.
#define NEWEST_CALL 450
#define O_TMPFILE_BIT 020000000U // O_TMPFILE without O_DIRECTORY, as the kernel has it
#define SOCKET_TYPE_MASK 0xfU    // without SOCK_CLOEXEC and SOCK_NONBLOCK
#define SELF UINT32_MAX          // stands for the worker's own process id
#define INSTRUCTIONS_MAX 512

typedef enum CallTest {
    ALWAYS,
    WHEN_IN,     // the argument is one of the values
    WHEN_NOT_IN, // it is none of them
    WHEN_ANY,    // it has one of the bits of the first value
    WHEN_NONE,   // it has none of them
} CallTest;

typedef struct CallRule {
    uint16_t number;
    uint16_t error;
    uint8_t test;
    uint8_t argument;
    uint8_t count;
    uint32_t mask; // 0: all bits
    uint32_t values[3];
} CallRule;

#define NEVER(call, errno_value) {.number = __NR_##call, .error = (errno_value)}
#define CHECK(call, errno_value, which, test_kind, ...)                                            \
    {                                                                                              \
        .number = __NR_##call, .error = (errno_value), .test = (test_kind), .argument = (which),   \
        .count = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), .values = {                 \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const CallRule rules[] = {
    // No process but this one. clone3 hides its flags in memory; glibc then uses clone.
    NEVER(clone3, ENOSYS),
    CHECK(clone, EPERM, 0, WHEN_NONE, CLONE_THREAD),
    NEVER(execve, EPERM),
    NEVER(execveat, EPERM),
    NEVER(unshare, EPERM),
    NEVER(setns, EPERM),
#ifdef __NR_fork // not on every machine, like the others between such lines
    NEVER(fork, EPERM),
    NEVER(vfork, EPERM),
#endif
    // Nothing that reaches another process.
    CHECK(kill, EPERM, 0, WHEN_NOT_IN, SELF),
    CHECK(tgkill, EPERM, 0, WHEN_NOT_IN, SELF),
    NEVER(tkill, EPERM),
    CHECK(rt_sigqueueinfo, EPERM, 0, WHEN_NOT_IN, SELF),
    CHECK(rt_tgsigqueueinfo, EPERM, 0, WHEN_NOT_IN, SELF),
    NEVER(pidfd_open, EPERM),
    NEVER(pidfd_getfd, EPERM),
    NEVER(pidfd_send_signal, EPERM),
    // Signals by way of a descriptor's owner.
    CHECK(fcntl, EPERM, 1, WHEN_IN, F_SETOWN, F_SETOWN_EX, F_SETSIG),
    CHECK(ioctl, EPERM, 1, WHEN_IN, FIOSETOWN, SIOCSPGRP, TIOCSTI),
    CHECK(prlimit64, EPERM, 0, WHEN_NOT_IN, 0, SELF),
    NEVER(ptrace, EPERM),
    NEVER(process_vm_readv, EPERM),
    NEVER(process_vm_writev, EPERM),
    NEVER(process_madvise, EPERM),
    NEVER(process_mrelease, EPERM),
    NEVER(kcmp, EPERM),
    NEVER(migrate_pages, EPERM),
    NEVER(move_pages, EPERM),
    NEVER(sched_setaffinity, EPERM),
    NEVER(sched_setattr, EPERM),
    NEVER(sched_setparam, EPERM),
    NEVER(sched_setscheduler, EPERM),
    NEVER(setpriority, EPERM),
    NEVER(ioprio_set, EPERM),
    NEVER(setpgid, EPERM),
    NEVER(setsid, EPERM),
    // It ends with penstock-script, whatever it wants.
    CHECK(prctl, EPERM, 0, WHEN_IN, PR_SET_PDEATHSIG),
    // Memory and files that no limit counts.
    NEVER(memfd_create, EPERM),
    NEVER(memfd_secret, EPERM),
    CHECK(openat, EOPNOTSUPP, 2, WHEN_ANY, O_TMPFILE_BIT),
    NEVER(openat2, ENOSYS),
    NEVER(shmget, EPERM),
    NEVER(msgget, EPERM),
    NEVER(semget, EPERM),
    NEVER(mq_open, EPERM),
#ifdef __NR_open
    CHECK(open, EOPNOTSUPP, 1, WHEN_ANY, O_TMPFILE_BIT),
#endif
    // What Landlock does not see, or not on every kernel.
    NEVER(truncate, EPERM),
    NEVER(fchmod, EPERM),
    NEVER(fchmodat, EPERM),
    NEVER(fchown, EPERM),
    NEVER(fchownat, EPERM),
    NEVER(setxattr, EPERM),
    NEVER(lsetxattr, EPERM),
    NEVER(fsetxattr, EPERM),
    NEVER(removexattr, EPERM),
    NEVER(lremovexattr, EPERM),
    NEVER(fremovexattr, EPERM),
    CHECK(utimensat, EPERM, 1, WHEN_NOT_IN, 0),
    NEVER(name_to_handle_at, EPERM),
    NEVER(open_by_handle_at, EPERM),
    NEVER(fanotify_init, EPERM),
#ifdef __NR_chmod
    NEVER(chmod, EPERM),
    NEVER(chown, EPERM),
    NEVER(lchown, EPERM),
    NEVER(utime, EPERM),
    NEVER(utimes, EPERM),
    NEVER(futimesat, EPERM),
#endif
    // The machine.
    NEVER(mount, EPERM),
    NEVER(umount2, EPERM),
    NEVER(pivot_root, EPERM),
    NEVER(chroot, EPERM),
    NEVER(open_tree, EPERM),
    NEVER(move_mount, EPERM),
    NEVER(fsopen, EPERM),
    NEVER(fsconfig, EPERM),
    NEVER(fsmount, EPERM),
    NEVER(fspick, EPERM),
    NEVER(mount_setattr, EPERM),
    NEVER(quotactl, EPERM),
    NEVER(quotactl_fd, EPERM),
    NEVER(swapon, EPERM),
    NEVER(swapoff, EPERM),
    NEVER(acct, EPERM),
    NEVER(reboot, EPERM),
    NEVER(kexec_load, EPERM),
    NEVER(kexec_file_load, EPERM),
    NEVER(init_module, EPERM),
    NEVER(finit_module, EPERM),
    NEVER(delete_module, EPERM),
    NEVER(settimeofday, EPERM),
    NEVER(clock_settime, EPERM),
    NEVER(clock_adjtime, EPERM),
    NEVER(adjtimex, EPERM),
    NEVER(sethostname, EPERM),
    NEVER(setdomainname, EPERM),
    NEVER(syslog, EPERM),
    NEVER(vhangup, EPERM),
    NEVER(personality, EPERM),
#ifdef __NR_iopl
    NEVER(iopl, EPERM),
    NEVER(ioperm, EPERM),
    NEVER(modify_ldt, EPERM),
#endif
    // Doors of the kernel that no script needs and most faults were found behind.
    NEVER(bpf, EPERM),
    NEVER(perf_event_open, EPERM),
    NEVER(userfaultfd, EPERM),
    NEVER(keyctl, EPERM),
    NEVER(add_key, EPERM),
    NEVER(request_key, EPERM),
    NEVER(io_uring_setup, ENOSYS),
    NEVER(io_uring_enter, ENOSYS),
    NEVER(io_uring_register, ENOSYS),
    // Not even with the network: a port of its own, or a datagram to another service's socket.
    NEVER(listen, EACCES),
    {.number = __NR_socketpair,
     .error = EACCES,
     .test = WHEN_NOT_IN,
     .argument = 1,
     .count = 1,
     .mask = SOCKET_TYPE_MASK,
     .values = {SOCK_STREAM}},
};

static const CallRule without_network = NEVER(socket, EACCES);
static const CallRule with_network =
    CHECK(socket, EACCES, 0, WHEN_NOT_IN, AF_INET, AF_INET6, AF_NETLINK);

typedef struct Program {
    struct sock_filter code[INSTRUCTIONS_MAX];
    uint16_t count;
    uint32_t self;
} Program;

static void put(Program *program, struct sock_filter instruction) {
    PS_ASSERT(program->count < INSTRUCTIONS_MAX);
    program->code[program->count++] = instruction;
}

static void load(Program *program, size_t offset) {
    put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(Program *program, uint32_t action) {
    put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void load_number(Program *program) {
    load(program, offsetof(struct seccomp_data, nr));
}

// The low half: every argument looked at is an int or has its flags there (little endian).
static void load_argument(Program *program, const CallRule *rule) {
    load(program, offsetof(struct seccomp_data, args) + rule->argument * sizeof(uint64_t));
    if (rule->mask != 0) {
        put(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule->mask));
    }
}

// One jump per value: over the jumps that are left and, unless it is refused, over the answer.
static void test_values(Program *program, const CallRule *rule) {
    uint16_t jump = rule->test == WHEN_ANY || rule->test == WHEN_NONE ? BPF_JSET : BPF_JEQ;
    bool hit_refuses = rule->test == WHEN_IN || rule->test == WHEN_ANY;
    for (uint8_t i = 0; i < rule->count; i++) {
        uint8_t left = (uint8_t)(rule->count - 1 - i);
        uint8_t hit = (uint8_t)(left + (hit_refuses ? 0 : 1));
        uint8_t miss = left > 0 || !hit_refuses ? 0 : 1;
        uint32_t value = rule->values[i] == SELF ? program->self : rule->values[i];
        put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | jump | BPF_K, value, hit, miss));
    }
}

static void put_rule(Program *program, const CallRule *rule) {
    uint32_t refuse = SECCOMP_RET_ERRNO | rule->error;
    if (rule->test == ALWAYS) {
        put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->number, 0, 1));
        answer(program, refuse);
        return;
    }
    uint16_t jump = program->count;
    put(program, (struct sock_filter){0});
    load_argument(program, rule);
    test_values(program, rule);
    answer(program, refuse);
    load_number(program);
    uint8_t over = (uint8_t)(program->count - jump - 1);
    program->code[jump] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->number, 0, over);
}

static void translate(Program *program, bool network) {
    load(program, offsetof(struct seccomp_data, arch));
    put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0));
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load_number(program);
    put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1));
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    put_rule(program, network ? &with_network : &without_network);
    for (size_t i = 0; i < PS_COUNT(rules); i++) {
        put_rule(program, &rules[i]);
    }
    answer(program, SECCOMP_RET_ALLOW);
}

bool ps_call_filter_possible(void) {
    uint32_t action = SECCOMP_RET_ERRNO;
    return THIS_ARCH != 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool ps_call_filter_set(bool network) {
    Program program = {.self = (uint32_t)getpid()};
    translate(&program, network);
    struct sock_fprog filter = {.len = program.count, .filter = program.code};
    // SPEC_ALLOW: without it every kernel before 5.16 slows the whole process down.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) ==
           0;
}
