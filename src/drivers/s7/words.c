// Codes to words, as tables. Numbers: S7 protocol as its openly available implementations have it
// (return codes of data items; error class and code of the header). Pure; any thread.
#include "drivers/s7/words.h"

#include "base/err.h"

#include <string.h>

#define OUT_OF_RANGE 0x05
#define WRONG_TYPE 0x06
#define WRONG_SIZE 0x07
#define NOT_THERE 0x0A

static const struct {
    uint8_t code;
    const char *words;
} items[] = {
    {0x01, "hardware fault: the module behind it does not answer"},
    {0x03, "access not allowed: permit PUT/GET and full access in the CPU's settings"},
    {OUT_OF_RANGE, "address out of range: the block ends before it, or has optimized access"},
    {WRONG_TYPE, "data type not supported there"},
    {WRONG_SIZE, "data type does not fit there; check data_type and size"},
    {NOT_THERE, "it does not exist: no such block is loaded, or it has optimized access"},
};

static const struct {
    uint16_t error;
    const char *words;
} jobs[] = {
    {0x8104, "the CPU refuses the function: permit access with PUT/GET in its settings"},
    {0x8304, "the CPU has no resources left for this job"},
    {0x8404, "the CPU cannot do this in its present state; is it in STOP?"},
    {0x8500, "the telegram is longer than agreed on"},
    {0xD241, "the CPU's protection level forbids it; give this access in its settings"},
    {0xD401, "the CPU does not know this information function"},
    {0xD402, "the CPU does not know this information"},
    {0xD602, "the CPU wants its password; give full access without one in its settings"},
};

static const struct {
    uint8_t class_code;
    const char *words;
} classes[] = {
    {0x81, "the CPU refuses the job: wrong state of the connection; check mode, rack, slot and "
           "TSAPs"},
    {0x82, "the CPU refuses the job: error in the object that is addressed"},
    {0x83, "the CPU has no resources free: too many connections or jobs at a time"},
    {0x84, "the CPU refuses the job: it cannot be served in the present state"},
    {0x85, "the CPU refuses the job: error in the telegram's supplies"},
    {0x87, "the CPU refuses the job: access error"},
    {0xD2, "the CPU refuses the job: its protection level forbids it"},
};

static const struct {
    const char *prefix; // of the order number, without blanks
    const char *family;
} families[] = {
    {"6ES721", "S7-1200"},       {"6AG1211", "S7-1200"},
    {"6AG1212", "S7-1200"},      {"6AG1214", "S7-1200"},
    {"6AG1215", "S7-1200"},      {"6AG1217", "S7-1200"},
    {"6ES7288", "S7-200 Smart"}, {"6ES731", "S7-300"},
    {"6AG131", "S7-300"},        {"6ES741", "S7-400"},
    {"6AG141", "S7-400"},        {"6ES751", "S7-1500"},
    {"6AG151", "S7-1500"},       {"6ES7677", "S7-1500 software controller"},
};

const char *ps_s7_item_words(uint8_t code) {
    for (size_t i = 0; i < PS_COUNT(items); i++) {
        if (items[i].code == code) {
            return items[i].words;
        }
    }
    return "refused with a code that S7 does not define";
}

const char *ps_s7_job_words(uint16_t error) {
    for (size_t i = 0; i < PS_COUNT(jobs); i++) {
        if (jobs[i].error == error) {
            return jobs[i].words;
        }
    }
    for (size_t i = 0; i < PS_COUNT(classes); i++) {
        if (classes[i].class_code == error >> 8) {
            return classes[i].words;
        }
    }
    return "the CPU refuses the job with a code that S7 does not define";
}

bool ps_s7_is_absence(uint8_t code) {
    return code == OUT_OF_RANGE || code == WRONG_TYPE || code == WRONG_SIZE || code == NOT_THERE;
}

const char *ps_s7_family(const char *order_number) {
    char packed[24];
    size_t len = 0;
    for (const char *at = order_number; *at != '\0' && len + 1 < sizeof packed; at++) {
        if (*at != ' ') {
            packed[len++] = *at;
        }
    }
    packed[len] = '\0';
    for (size_t i = 0; i < PS_COUNT(families); i++) {
        if (strncmp(packed, families[i].prefix, strlen(families[i].prefix)) == 0) {
            return families[i].family;
        }
    }
    return "";
}
