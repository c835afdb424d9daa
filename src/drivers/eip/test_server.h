//! A controller for tests: tags in a table, sessions, connections, and things to go wrong. One
//! thread of its own; tags are added before it starts.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EIP_TEST_TAGS 512

typedef struct EipTestTag {
    char name[64]; // "Motor.Speed": indexes are left out
    uint16_t type;
    uint16_t handle; // of a structure
    uint32_t size;   // bytes of an element
    uint32_t count;  // elements
    uint8_t status;  // refused with it when not 0
    uint8_t data[512];
} EipTestTag;

typedef struct EipTestServer {
    EipTestTag tags[EIP_TEST_TAGS];
    uint32_t tag_count;
    int port;
    int listen_fd;
    atomic_bool stop;
    // What it does wrong.
    atomic_int large_open_status; // general status of Large Forward Open, 0: it is taken
    atomic_int large_open_extended;
    atomic_int offered_size; // by a large one that is refused
    atomic_int duplicates;   // so many are refused as there already
    atomic_int open_status;
    atomic_int open_extended;
    atomic_int answer_max; // packets with longer answers are refused with 0x11; 0: none
    atomic_bool silent;
    atomic_bool no_multiple;
    atomic_bool stray; // an answer to somebody else comes before each
    atomic_bool garbage;
    atomic_bool padded; // so long that no connection has room for it
    // What it has seen.
    atomic_int frames; // messages
    atomic_int packets;
    atomic_int reads;
    atomic_int writes;
    atomic_int modifies;
    atomic_int opens;
    atomic_int closes;
    atomic_int unregisters;
    atomic_int wrapped; // Unconnected Send
    uint64_t thread;    // pthread_t
} EipTestServer;

EipTestServer *eip_test_server_new(void);
EipTestTag *eip_test_server_add(EipTestServer *server, const char *name, uint16_t type,
                                uint32_t size, uint32_t count, const void *data);
void eip_test_server_start(EipTestServer *server);
void eip_test_server_stop(EipTestServer *server);
EipTestTag *eip_test_server_find(EipTestServer *server, const char *name);
