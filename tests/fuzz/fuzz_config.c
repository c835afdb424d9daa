// Fuzz target: the configuration loader. Whatever the bytes are, it must refuse with findings or
// give a configuration that writes and reads back to the same text.
#include "model/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err = ps_config_parse("/nonexistent", data, size, NULL, &findings, &config);
    if ((err == PS_OK) != (config != NULL) || (err == PS_OK) != (findings.errors == 0)) {
        abort();
    }
    if (config != NULL) {
        PsBuf first = {0};
        PsBuf second = {0};
        PsConfig *again = NULL;
        ps_config_write(config, &first);
        if (ps_config_parse("/nonexistent", first.data, first.len, NULL, &findings, &again) !=
            PS_OK) {
            abort();
        }
        ps_config_write(again, &second);
        if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0) {
            abort();
        }
        ps_buf_deinit(&first);
        ps_buf_deinit(&second);
        ps_config_free(config);
        ps_config_free(again);
    }
    ps_findings_deinit(&findings);
    return 0;
}
