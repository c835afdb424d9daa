// Codes to words, as tables. Numbers: S7 protocol as its openly available implementations have it
// (return codes of data items; error class and code of the header). Pure; any thread.
#include "drivers/s7/words.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

#define OUT_OF_RANGE 0x05
#define WRONG_TYPE 0x06
#define WRONG_SIZE 0x07
#define NOT_THERE 0x0A

typedef struct Code {
    uint16_t code;
    const char *words;
    const char *cure; // what to do; NULL: the words say it
} Code;

static const Code items[] = {
    {0x01, "hardware fault: the module behind it does not answer",
     "look at the CPU's diagnostic buffer"},
    {0x03, "access not allowed: permit PUT/GET and full access in the CPU's settings",
     "optimized access of the block must be off"},
    {OUT_OF_RANGE, "address out of range: the block ends before it, or has optimized access",
     "check dbnumber and register_addr, switch optimized access off, load the block"},
    {WRONG_TYPE, "data type not supported there", "check data_type"},
    {WRONG_SIZE, "data type does not fit there", "check data_type and size"},
    {NOT_THERE, "it does not exist: no such block is loaded, or it has optimized access",
     "check dbnumber, load the block, switch its optimized access off"},
};

static const Code jobs[] = {
    {0x8104, "the CPU refuses the function: permit access with PUT/GET in its settings",
     "it is under Protection & Security, Connection mechanisms; then load them"},
    {0x8304, "the CPU has no resources left for this job", "close other connections to it"},
    {0x8404, "the CPU cannot do this in its present state; is it in STOP?", NULL},
    {0x8500, "the telegram is longer than agreed on", NULL},
    {0xD241, "the CPU's protection level forbids it; give this access in its settings", NULL},
    {0xD401, "the CPU does not know this information function", NULL},
    {0xD402, "the CPU does not know this information", NULL},
    {0xD602, "the CPU wants its password; give full access without one in its settings", NULL},
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

static const Code *find_code(const Code *codes, size_t count, uint16_t code) {
    for (size_t i = 0; i < count; i++) {
        if (codes[i].code == code) {
            return &codes[i];
        }
    }
    return NULL;
}

static const Code *find_item(uint8_t code) {
    return find_code(items, PS_COUNT(items), code);
}

static const Code *find_job(uint16_t error) {
    return find_code(jobs, PS_COUNT(jobs), error);
}

const char *ps_s7_item_words(uint8_t code) {
    const Code *found = find_item(code);
    return found != NULL ? found->words : "refused with a code that S7 does not define";
}

const char *ps_s7_job_words(uint16_t error) {
    const Code *found = find_job(error);
    if (found != NULL) {
        return found->words;
    }
    for (size_t i = 0; i < PS_COUNT(classes); i++) {
        if (classes[i].class_code == error >> 8) {
            return classes[i].words;
        }
    }
    return "the CPU refuses the job with a code that S7 does not define";
}

void ps_s7_meaning(uint16_t code, char *out, size_t size) {
    const Code *found = code <= 0xFF ? find_item((uint8_t)code) : find_job(code);
    bool has_cure = found != NULL && found->cure != NULL;
    snprintf(out, size, "%s%s%s",
             code <= 0xFF ? ps_s7_item_words((uint8_t)code) : ps_s7_job_words(code),
             has_cure ? "; " : "", has_cure ? found->cure : "");
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
