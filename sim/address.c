// Written Modbus addresses to table and offset. Pure; any thread.
#include "sim/address.h"

typedef struct AddressRange {
    PsSimTable table;
    uint32_t first;
    uint32_t last;
} AddressRange;

static const AddressRange ranges[] = {
    {PS_SIM_COIL, 1, 10000},           {PS_SIM_DISCRETE, 10001, 20000},
    {PS_SIM_INPUT, 30001, 40000},      {PS_SIM_HOLDING, 40001, 50000},
    {PS_SIM_DISCRETE, 100001, 165536}, {PS_SIM_INPUT, 300001, 365536},
    {PS_SIM_HOLDING, 400001, 465536},
};

#define MOST_DIGITS 6

PsErr ps_sim_address_parse(const char *text, size_t len, PsSimAddress *ret_address) {
    if (len == 0 || len > MOST_DIGITS) {
        return PS_ERR_INVALID;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return PS_ERR_INVALID;
        }
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    for (size_t i = 0; i < PS_COUNT(ranges); i++) {
        if (number >= ranges[i].first && number <= ranges[i].last) {
            *ret_address = (PsSimAddress){ranges[i].table, (uint16_t)(number - ranges[i].first)};
            return PS_OK;
        }
    }
    return PS_ERR_RANGE;
}
