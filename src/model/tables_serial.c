// The option table of serial ports. Names, ranges and defaults are those of Device Supervisor where
// it has the field. Constant data.
#include "model/config.h"
#include "model/tables_private.h"

#include <stddef.h>

WORDS(serial_mode_words, "RS485", "RS232");
WORDS(parity_words, "none", "odd", "even");

const char *ps_serial_mode_name(int mode) {
    return ps_word_at(&serial_mode_words, mode);
}

const char *ps_parity_name(int parity) {
    return ps_word_at(&parity_words, parity);
}

static const PsOption serial_options[] = {
    {.key = "name",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsSerial, name),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .help = "Name of the port, as devices name it: RS485, RS232, or one of your own."},
    {.key = "path",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsSerial, path),
     .min = 1,
     .max = 100,
     .unit = "characters",
     .help = "Device file of the port: /dev/ttyS1; for USB adapters the name below "
             "/dev/serial/by-id, which stays the same."},
    {.key = "mode",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsSerial, mode),
     .words = &serial_mode_words,
     .fallback = "RS485",
     .help = "How the line is wired. RS485: the kernel is asked to switch the direction of the "
             "line; adapters that do it by themselves need nothing else."},
    {.key = "baud_rate",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsSerial, baud_rate),
     .min = 300,
     .max = 230400,
     .unit = "baud",
     .fallback = "9600",
     .help = "300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200 or 230400."},
    {.key = "data_bits",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsSerial, data_bits),
     .min = 7,
     .max = 8,
     .fallback = "8",
     .help = "Data bits of a character; ModbusRTU needs 8."},
    {.key = "parity",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsSerial, parity),
     .words = &parity_words,
     .fallback = "none",
     .help = "Parity bit of a character."},
    {.key = "stop_bits",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsSerial, stop_bits),
     .min = 1,
     .max = 2,
     .fallback = "1",
     .help = "Stop bits of a character."},
    {.key = "pause_ms",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsSerial, pause_ms),
     .min = 0,
     .max = 1000,
     .unit = "ms",
     .fallback = "0",
     .help = "Silence before each request, on top of the 3.5 characters Modbus asks for: for "
             "devices that need longer to listen again."},
};
TABLE(ps_table_serial, "serial", "serial port", "name",
      "The serial ports; each with the devices that name it.", serial_options);
