// getaddrinfo cannot be interrupted, so each question runs on a detached thread that shares a
// counted object with the asker; whoever lets go last frees it.
#include "link/resolve.h"

#include "base/cleanup.h"
#include "base/mem.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

struct PsResolve {
    atomic_int refs; // asker and thread
    atomic_bool done;
    int fd;
    char *host;
    int eai;               // written before `done`
    PsAddresses addresses; // written before `done`
};

static void unref(PsResolve *resolve) {
    if (atomic_fetch_sub(&resolve->refs, 1) == 1) {
        close(resolve->fd);
        free(resolve->host);
        free(resolve);
    }
}

static void keep_addresses(PsAddresses *kept, const struct addrinfo *list) {
    for (const struct addrinfo *at = list; at != NULL && kept->count < PS_ADDRESSES_MAX;
         at = at->ai_next) {
        char *text = kept->text[kept->count];
        if (getnameinfo(at->ai_addr, at->ai_addrlen, text, PS_ADDRESS_SIZE, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            kept->count++;
        }
    }
}

static void *run(void *argument) {
    PsResolve *resolve = argument;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    resolve->eai = getaddrinfo(resolve->host, NULL, &hints, &list);
    if (resolve->eai == 0) {
        keep_addresses(&resolve->addresses, list);
        freeaddrinfo(list);
        if (resolve->addresses.count == 0) {
            resolve->eai = EAI_NODATA;
        }
    }
    atomic_store(&resolve->done, true);
    eventfd_write(resolve->fd, 1);
    unref(resolve);
    return NULL;
}

// Signals belong to the main thread.
static int start_thread(PsResolve *resolve) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int failed = pthread_create(&thread, &attributes, run, resolve);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed;
}

PsErr ps_resolve_start(const char *host, PsResolve **ret_resolve) {
    PS_AUTO_FD int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return PS_ERR_IO;
    }
    PsResolve *resolve = ps_alloc(sizeof *resolve);
    atomic_init(&resolve->refs, 2);
    resolve->fd = fd;
    resolve->host = ps_strdup(host);
    fd = -1;
    if (start_thread(resolve) != 0) {
        atomic_store(&resolve->refs, 1);
        unref(resolve);
        return PS_ERR_IO;
    }
    *ret_resolve = resolve;
    return PS_OK;
}

int ps_resolve_fd(const PsResolve *resolve) {
    return resolve->fd;
}

bool ps_resolve_take(PsResolve *resolve, int *ret_eai, PsAddresses *ret_addresses) {
    if (!atomic_load(&resolve->done)) {
        return false;
    }
    *ret_eai = resolve->eai;
    *ret_addresses = resolve->addresses;
    return true;
}

void ps_resolve_free(PsResolve *resolve) {
    if (resolve != NULL) {
        unref(resolve);
    }
}
