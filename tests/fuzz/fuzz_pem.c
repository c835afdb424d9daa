// Fuzz target: a certificate or key, as somebody uploads it. Whatever it is, it is one of the kinds
// or refused with words.
#include "api/pem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsPem pem;
    PsDiag diag = {0};
    PsErr err = ps_pem_read("x.pem", data, size, &pem, &diag);
    if (err == PS_OK ? strcmp(ps_pem_kind_name(pem.kind), "unknown") == 0 : diag.text[0] == '\0') {
        abort();
    }
    return 0;
}
