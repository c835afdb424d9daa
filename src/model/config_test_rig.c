// Makes configurations for unit tests. Blocks on the scripts they name.
#include "model/config_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

PsConfig *ps_test_config(const char *folder, const char *text) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err = ps_config_parse(folder, text, strlen(text), NULL, &findings, &config);
    for (size_t i = 0; err != PS_OK && i < findings.count; i++) {
        char line[512];
        ps_finding_format(&findings.items[i], line, sizeof line);
        print_message("%s\n", line);
    }
    ps_findings_deinit(&findings);
    assert_int_equal(err, PS_OK);
    return config;
}
