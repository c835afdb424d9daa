// The yardstick for S7: libsnap7's client reading VARIABLES scattered REALs of DB1 in full
// multi-reads of 20 items, without a pause, for SECONDS; says "ready" when connected and at the end
// cycles and seconds. With "serve" it is the other side of both: libsnap7's server with that block.
// One thread besides the library's.
#include <time.h>

#include <snap7.h>
#undef true
#undef false

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRIDE 64 // as bench/s7.py places the variables
#define BLOCK_BYTES 65000
#define ITEMS 20 // the most that the library takes

static int serve(uint16_t port) {
    static uint8_t block[BLOCK_BYTES];
    S7Object server = Srv_Create();
    (void)Srv_SetParam(server, p_u16_LocalPort, &port);
    (void)Srv_RegisterArea(server, srvAreaDB, 1, block, sizeof block);
    int number = Srv_StartTo(server, "127.0.0.1");
    if (number != 0) {
        fprintf(stderr, "s7_loop: cannot serve: 0x%x\n", (unsigned)number);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}

static int read_all(S7Object client, int variables) {
    uint8_t values[ITEMS][4];
    TS7DataItem items[ITEMS];
    for (int first = 0; first < variables; first += ITEMS) {
        int count = variables - first < ITEMS ? variables - first : ITEMS;
        for (int i = 0; i < count; i++) {
            items[i] = (TS7DataItem){.Area = S7AreaDB,
                                     .WordLen = S7WLByte,
                                     .DBNumber = 1,
                                     .Start = STRIDE * (first + i),
                                     .Amount = 4,
                                     .pdata = values[i]};
        }
        int number = Cli_ReadMultiVars(client, items, count);
        for (int i = 0; number == 0 && i < count; i++) {
            number = items[i].Result;
        }
        if (number != 0) {
            fprintf(stderr, "s7_loop: 0x%x\n", (unsigned)number);
            return -1;
        }
    }
    return 0;
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run(uint16_t port, int variables, double seconds) {
    S7Object client = Cli_Create();
    (void)Cli_SetParam(client, p_u16_RemotePort, &port);
    if (Cli_ConnectTo(client, "127.0.0.1", 0, 1) != 0 || read_all(client, variables) != 0) {
        fprintf(stderr, "s7_loop: cannot connect or read\n");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    double start = now_s();
    long cycles = 0;
    while (now_s() - start < seconds) {
        if (read_all(client, variables) != 0) {
            return 1;
        }
        cycles++;
    }
    printf("%ld %.6f\n", cycles, now_s() - start);
    Cli_Destroy(&client);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        return serve((uint16_t)strtol(argv[2], NULL, 10));
    }
    if (argc != 4) {
        fprintf(stderr, "usage: s7_loop serve PORT | s7_loop PORT VARIABLES SECONDS\n");
        return 2;
    }
    return run((uint16_t)strtol(argv[1], NULL, 10), (int)strtol(argv[2], NULL, 10),
               strtod(argv[3], NULL));
}
