// The yardstick for collection: a bare libmodbus loop that makes the same requests as the gateway
// and throws the answers away. One thread; says "ready" when connected, ends after SECONDS.
#include <errno.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: modbus_loop PORT REGISTERS SECONDS\n");
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
