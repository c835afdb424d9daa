// GET /readings: bytes in all byte orders and as all types, for whoever has them from elsewhere or
// writes a variable that is not saved yet. Main thread; nothing is asked of a device.
#include "api/explain.h"
#include "api/handlers_live.h"

#include <string.h>

static int digit(char letter) {
    static const char digits[] = "0123456789ABCDEF";
    char upper = letter >= 'a' && letter <= 'f' ? (char)(letter - 'a' + 'A') : letter;
    const char *at = upper != '\0' ? strchr(digits, upper) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

// "41 B4 00 00" with or without blanks.
static PsErr parse(const char *text, uint8_t bytes[PS_READING_BYTES_MAX], uint32_t *ret_len,
                   PsDiag *diag) {
    uint32_t digits = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ' ') {
            continue;
        }
        int value = digit(*at);
        if (value < 0 || digits == 2 * PS_READING_BYTES_MAX) {
            return ps_fail(
                PS_ERR_INVALID, diag, NULL, "bytes",
                "expected at most %u bytes of two hexadecimal digits each, such as 41 B4",
                PS_READING_BYTES_MAX);
        }
        bytes[digits / 2] = (uint8_t)(digits % 2 == 0 ? value << 4 : bytes[digits / 2] | value);
        digits++;
    }
    if (digits % 2 != 0) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "bytes",
                       "a byte has two digits, and the last one has only one");
    }
    *ret_len = digits / 2;
    return PS_OK;
}

// Parameters: `bytes`.
void ps_api_read_as(PsApiCall *call) {
    uint8_t bytes[PS_READING_BYTES_MAX] = {0};
    uint32_t len = 0;
    PsDiag diag = {0};
    PsErr err = parse(ps_api_call_text(call, "bytes"), bytes, &len, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    PsReading readings[PS_READINGS_MAX];
    uint32_t count = ps_readings(bytes, len, PS_UNSET, PS_UNSET, readings);
    ps_api_call_reply(
        call, json_pack("{s:o}", "readings", ps_api_readings_json(readings, count, NULL, NULL)));
}
