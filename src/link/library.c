// A lock around libmosquitto's own count of its users. Any thread; short.
#include "link/library.h"

#include <mosquitto.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void ps_link_library_open(void) {
    pthread_mutex_lock(&lock);
    mosquitto_lib_init();
    pthread_mutex_unlock(&lock);
}

void ps_link_library_close(void) {
    pthread_mutex_lock(&lock);
    mosquitto_lib_cleanup();
    pthread_mutex_unlock(&lock);
}
