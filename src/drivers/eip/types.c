// The table of elementary types. Constant data; any thread.
#include "drivers/eip/types.h"

#include <stdbool.h>
#include <stddef.h>

static const PsEipType rows[] = {
    {PS_EIP_TYPE_BOOL, 1, PS_EIP_FAMILY_BOOL, "BOOL"},
    {PS_EIP_TYPE_SINT, 1, PS_EIP_FAMILY_SIGNED, "SINT"},
    {0x00C3, 2, PS_EIP_FAMILY_SIGNED, "INT"},
    {PS_EIP_TYPE_DINT, 4, PS_EIP_FAMILY_SIGNED, "DINT"},
    {0x00C5, 8, PS_EIP_FAMILY_SIGNED, "LINT"},
    {0x00C6, 1, PS_EIP_FAMILY_UNSIGNED, "USINT"},
    {0x00C7, 2, PS_EIP_FAMILY_UNSIGNED, "UINT"},
    {0x00C8, 4, PS_EIP_FAMILY_UNSIGNED, "UDINT"},
    {0x00C9, 8, PS_EIP_FAMILY_UNSIGNED, "ULINT"},
    {0x00CA, 4, PS_EIP_FAMILY_FLOAT, "REAL"},
    {0x00CB, 8, PS_EIP_FAMILY_FLOAT, "LREAL"},
    {PS_EIP_TYPE_STRING2, 0, PS_EIP_FAMILY_TEXT, "STRING"},
    {0x00D1, 1, PS_EIP_FAMILY_UNSIGNED, "BYTE"},
    {0x00D2, 2, PS_EIP_FAMILY_UNSIGNED, "WORD"},
    {PS_EIP_TYPE_DWORD, 4, PS_EIP_FAMILY_UNSIGNED, "DWORD"},
    {0x00D4, 8, PS_EIP_FAMILY_UNSIGNED, "LWORD"},
    {0x00D7, 8, PS_EIP_FAMILY_SIGNED, "LTIME"},
    {PS_EIP_TYPE_SHORT_STRING, 0, PS_EIP_FAMILY_TEXT, "SHORT_STRING"},
    {0x00DB, 4, PS_EIP_FAMILY_SIGNED, "TIME"},
};

const PsEipType *ps_eip_type_find(uint16_t code) {
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return NULL;
}

unsigned ps_eip_type_bits(const PsEipType *type) {
    bool whole = type->family == PS_EIP_FAMILY_SIGNED || type->family == PS_EIP_FAMILY_UNSIGNED;
    return whole ? 8U * type->size : 0;
}
