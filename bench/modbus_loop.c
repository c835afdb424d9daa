// The yardstick for collection: a bare libmodbus loop that makes the same requests as the gateway
// and throws the answers away. One thread; says "ready" when connected, reads everything once a
// second and ends after SECONDS. With "flat" behind it reads without a pause, and says at the end
// how many cycles it has made and in how many seconds.
#include <errno.h>
#include <modbus.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGISTERS_A_REQUEST 125

static int read_all(modbus_t *modbus, int registers) {
    uint16_t answer[REGISTERS_A_REQUEST];
    for (int first = 0; first < registers; first += REGISTERS_A_REQUEST) {
        int count =
            registers - first < REGISTERS_A_REQUEST ? registers - first : REGISTERS_A_REQUEST;
        if (modbus_read_registers(modbus, first, count, answer) != count) {
            fprintf(stderr, "modbus_loop: %s\n", modbus_strerror(errno));
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

static int run_flat(modbus_t *modbus, int registers, long seconds) {
    double start = now_s();
    long cycles = 0;
    while (now_s() - start < (double)seconds) {
        if (read_all(modbus, registers) != 0) {
            return 1;
        }
        cycles++;
    }
    printf("%ld %.6f\n", cycles, now_s() - start);
    return 0;
}

int main(int argc, char **argv) {
    bool flat = argc == 5 && strcmp(argv[4], "flat") == 0;
    if (argc != 4 && !flat) {
        fprintf(stderr, "usage: modbus_loop PORT REGISTERS SECONDS [flat]\n");
        return 2;
    }
    int registers = (int)strtol(argv[2], NULL, 10);
    long seconds = strtol(argv[3], NULL, 10);
    modbus_t *modbus = modbus_new_tcp_pi("127.0.0.1", argv[1]);
    if (modbus == NULL || modbus_connect(modbus) != 0) {
        fprintf(stderr, "modbus_loop: cannot connect: %s\n", modbus_strerror(errno));
        return 1;
    }
    puts("ready");
    fflush(stdout);
    if (flat) {
        return run_flat(modbus, registers, seconds);
    }
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long second = 0; second < seconds; second++) {
        if (read_all(modbus, registers) != 0) {
            return 1;
        }
        due.tv_sec++;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    modbus_close(modbus);
    modbus_free(modbus);
    return 0;
}
