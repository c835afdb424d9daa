// Scripts are compiled without running them: mistakes have their line, whatever can make the main
// function counts. Starts penstock-script.
#include "base/file.h"
#include "script/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static PsErr compile(const char *const *sources, uint32_t count, PsFindings *findings,
                     PsDiag *diag) {
    PsPublish *publish = calloc(count, sizeof *publish);
    assert_non_null(publish);
    char names[16][16];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "m%u", i);
        publish[i] = (PsPublish){
            .name = names[i], .script = "/config/scripts/a.py", .main_function = "main"};
        ps_buf_put(&publish[i].source, sources[i], strlen(sources[i]));
    }
    PsConfig config = {.folder = "/config", .publish = publish, .publish_count = count};
    PsErr err = ps_script_compile(getenv("PENSTOCK_SCRIPT"), &config, findings, diag);
    for (uint32_t i = 0; i < count; i++) {
        ps_buf_deinit(&publish[i].source);
    }
    free(publish);
    return err;
}

static void whatever_makes_the_function_counts(void **state) {
    const char *const sources[] = {
        "def main(d, w):\n    return d\n",
        "raise SystemExit('not run')\ndef main(d, w): pass\n",
        "if True:\n    main = lambda d, w: d\n",
        "from json import dumps as main\n",
        "def set():\n    global main\n    main = len\nset()\n",
        "class main:\n    pass\n",
        "from math import *\n",
        "exec('def main(d, w): pass')\n",
        "# coding: latin-1\n# \xe4\ndef main(d, w): pass\n",
    };
    PsFindings findings = {0};
    PsDiag diag = {0};
    assert_int_equal(compile(sources, PS_COUNT(sources), &findings, &diag), PS_OK);
    assert_int_equal(findings.count, 0);
}

static void mistakes_have_their_line(void **state) {
    const char *const sources[] = {
        "def main(d, w):\n    pass\n",
        "def main(d, w):\n    return (1\n",
        "def run(d, w):\n    main = 1\n",
        "x = 1\n# \xff\ndef main(d, w): pass\n",
        "",
    };
    PsFindings findings = {0};
    PsDiag diag = {0};
    assert_int_equal(compile(sources, PS_COUNT(sources), &findings, &diag), PS_ERR_INVALID);
    const char *const expected[] = {
        "scripts/a.py: publish 'm1': line 2: '(' was never closed",
        "scripts/a.py: publish 'm2': main_function: No main entry method found. main",
        "scripts/a.py: publish 'm3': line 2: (unicode error)",
        "scripts/a.py: publish 'm4': main_function: No main entry method found. main",
    };
    assert_int_equal(findings.errors, PS_COUNT(expected));
    for (size_t i = 0; i < PS_COUNT(expected); i++) {
        char line[512];
        ps_finding_format(&findings.items[i], line, sizeof line);
        assert_memory_equal(line, expected[i], strlen(expected[i]));
    }
    ps_findings_deinit(&findings);
}

static void a_source_that_exhausts_the_compiler_is_a_mistake(void **state) {
    PS_AUTO_BUF PsBuf deep = {0};
    for (int i = 0; i < 400000; i++) {
        ps_buf_put_u8(&deep, '(');
    }
    const char *const sources[] = {(const char *)deep.data, "def main(d, w): pass\n"};
    PsFindings findings = {0};
    PsDiag diag = {0};
    assert_int_equal(compile(sources, PS_COUNT(sources), &findings, &diag), PS_ERR_INVALID);
    assert_int_equal(findings.errors, 1);
    ps_findings_deinit(&findings);
}

static void a_missing_program_is_told(void **state) {
    PsPublish publish = {.name = "m", .script = "/s.py", .main_function = "main"};
    PsConfig config = {.folder = "/config", .publish = &publish, .publish_count = 1};
    PsFindings findings = {0};
    PsDiag diag = {0};
    assert_int_equal(ps_script_compile("/nowhere/penstock-script", &config, &findings, &diag),
                     PS_ERR_IO);
    assert_non_null(strstr(diag.text, "cannot be started"));
    assert_int_equal(ps_script_compile("/bin/false", &config, &findings, &diag), PS_ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_makes_the_function_counts),
        cmocka_unit_test(mistakes_have_their_line),
        cmocka_unit_test(a_source_that_exhausts_the_compiler_is_a_mistake),
        cmocka_unit_test(a_missing_program_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
