// Fuzz target: answers among the bytes of a serial line. The first four bytes choose the request,
// the rest is what the line brings. Whatever it is, what is found is an answer to that request, and
// what is done with stays within what came.
#include "drivers/modbus/rtu.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HEAD 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) {
        return 0;
    }
    PsModbusTable table = (PsModbusTable)(data[0] % 4);
    uint16_t count = (uint16_t)(data[1] % PS_MODBUS_READ_REGISTERS_MAX + 1);
    PsModbusAsk ask = {.transaction = 1, .slave = data[2], .offset = data[3]};
    PsModbusAdu request = ps_modbus_adu_read(ask, table, count);
    PsModbusRtuScan scan;
    ps_modbus_rtu_scan(&request, data + HEAD, size - HEAD, &scan);
    must(scan.used <= size - HEAD);
    if (scan.found) {
        int exception = -1;
        must(scan.used >= scan.answer_len - 4); // six bytes of header for two of checksum
        must(scan.answer[6] == ask.slave);
        must(ps_modbus_adu_check(&request, scan.answer, scan.answer_len, &exception) == NULL);
    }
    return 0;
}
