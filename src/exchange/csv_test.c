// CSV: what spreadsheets write, where mistakes are, writing back, damage. Pure.
#include "exchange/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// "a|b" for each row, rows end with a newline.
static void flatten(const PsCsv *csv, char *out, size_t size) {
    size_t used = 0;
    for (uint32_t r = 0; r < csv->row_count; r++) {
        for (uint32_t f = 0; f < csv->rows[r].count; f++) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", f > 0 ? "|" : "",
                                     csv->rows[r].fields[f]);
        }
        used += (size_t)snprintf(out + used, size - used, "\n");
        assert_true(used < size);
    }
}

static void reads_what_spreadsheets_write(void **state) {
    static const struct {
        const char *text;
        char separator;
        const char *expected;
    } cases[] = {
        {"a,b\n1,2\n", ',', "a|b\n1|2\n"},
        {"a,b\r\n1,2\r\n", ',', "a|b\n1|2\n"},
        {"a,b\r1,2", ',', "a|b\n1|2\n"},
        {"a;b\n1,5;2\n", ';', "a|b\n1,5|2\n"},
        {"a\tb\n1\t2\n", '\t', "a|b\n1|2\n"},
        {"sep=;\r\na,x;b\r\n1;2", ';', "a,x|b\n1|2\n"},
        {"sep=x,b\n", ',', "sep=x|b\n"},
        {"\xef\xbb\xbf\"a\",b\n", ',', "a|b\n"},
        {"\"a;;;\",b\n\"x\"\"y\",\"1\r\n2\"\n", ',', "a;;;|b\nx\"y|1\r\n2\n"},
        {"a,b\n\n,\n1,\n\n", ',', "a|b\n1|\n"},
        {"a\n", ',', "a\n"},
        {"a,b\n 1 ,\" 2 \"\n", ',', "a|b\n 1 | 2 \n"},
        {"a,b,c\n1\n1,2,3,4\n", ',', "a|b|c\n1\n1|2|3|4\n"},
        {"a,\"\",b\n", ',', "a||b\n"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsCsv csv = {0};
        PsDiag diag = {0};
        char text[256] = "";
        assert_int_equal(ps_csv_parse(cases[i].text, strlen(cases[i].text), &csv, &diag), PS_OK);
        flatten(&csv, text, sizeof text);
        assert_string_equal(text, cases[i].expected);
        assert_int_equal(csv.separator, cases[i].separator);
        ps_csv_deinit(&csv);
    }
}

static void counts_lines_through_quotes_and_empty_rows(void **state) {
    static const char text[] = "a,b\r\n\r\n\"1\r\n2\",x\r\n3,4\r5,6\n7,8";
    PsCsv csv = {0};
    assert_int_equal(ps_csv_parse(text, strlen(text), &csv, NULL), PS_OK);
    static const uint32_t lines[] = {1, 3, 5, 6, 7};
    assert_int_equal(csv.row_count, PS_COUNT(lines));
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        assert_int_equal(csv.rows[i].line, lines[i]);
    }
    ps_csv_deinit(&csv);
}

static void reads_windows_1252(void **state) {
    static const char text[] = "n,u\nK\xfchler,\xb0"
                               "C\nPreis,\x80\n\x93x\x94,\x99\n";
    PsCsv csv = {0};
    assert_int_equal(ps_csv_parse(text, strlen(text), &csv, NULL), PS_OK);
    assert_true(csv.decoded);
    assert_string_equal(csv.rows[1].fields[0], "K\u00fchler");
    assert_string_equal(csv.rows[1].fields[1], "\u00b0C");
    assert_string_equal(csv.rows[2].fields[1], "\u20ac");
    assert_string_equal(csv.rows[3].fields[0], "\u201cx\u201d");
    ps_csv_deinit(&csv);
    // The same bytes in UTF-8 stay what they are.
    assert_int_equal(ps_csv_parse("K\u00fchler", strlen("K\u00fchler"), &csv, NULL), PS_OK);
    assert_false(csv.decoded);
    assert_string_equal(csv.rows[0].fields[0], "K\u00fchler");
    ps_csv_deinit(&csv);
}

static void names_the_place_of_each_mistake(void **state) {
    static const struct {
        const char *text;
        size_t len;
        const char *place;
        const char *expected;
    } cases[] = {
        {"", 0, "line 1, column 1", "no text"},
        {"\n,,\n", 4, "line 1, column 1", "no text"},
        {"a,b\n1,\"2\n", 9, "line 2, column 3", "never closed"},
        {"a,b\r\n\u00fc1,2\"3\r\n", 13, "line 2, column 5", "double this one"},
        {"a,b\n\"1\"x,2\n", 11, "line 2, column 4", "behind a closing quote"},
        {"a,b\n1,\0\n", 8, "line 2, column 3", "control character 0x00"},
        {"a,b\n\r\x1b,1\n", 9, "line 3, column 1", "control character 0x1b"},
        {"a,b\n\xfc\xfc,\x81\n", 9, "line 2, column 4", "byte 0x81"},
        {"\xff\xfe"
         "a\0",
         4, "line 1, column 1", "UTF-16"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsCsv csv = {0};
        PsDiag diag = {0};
        assert_int_equal(ps_csv_parse(cases[i].text, cases[i].len, &csv, &diag), PS_ERR_INVALID);
        assert_string_equal(diag.field, cases[i].place);
        assert_non_null(strstr(diag.text, cases[i].expected));
        assert_null(csv.arena);
    }
}

static void holds_its_limits(void **state) {
    PS_AUTO_BUF PsBuf text = {0};
    PsCsv csv = {0};
    PsDiag diag = {0};
    for (unsigned i = 1; i < PS_CSV_COLUMNS_MAX; i++) {
        ps_buf_put_u8(&text, ',');
    }
    ps_buf_put_u8(&text, 'x');
    assert_int_equal(ps_csv_parse(text.data, text.len, &csv, &diag), PS_OK);
    assert_int_equal(csv.rows[0].count, PS_CSV_COLUMNS_MAX);
    ps_csv_deinit(&csv);
    ps_buf_put(&text, ",y", 2);
    assert_int_equal(ps_csv_parse(text.data, text.len, &csv, &diag), PS_ERR_TOO_BIG);
    assert_string_equal(diag.field, "line 1, column 258");
    ps_buf_clear(&text);
    for (unsigned i = 0; i < PS_CSV_FIELD_MAX; i++) {
        ps_buf_put_u8(&text, 'x');
    }
    assert_int_equal(ps_csv_parse(text.data, text.len, &csv, &diag), PS_OK);
    ps_csv_deinit(&csv);
    ps_buf_put_u8(&text, 'x');
    assert_int_equal(ps_csv_parse(text.data, text.len, &csv, &diag), PS_ERR_TOO_BIG);
    ps_buf_clear(&text);
    for (unsigned i = 0; i < PS_CSV_ROWS_MAX + 1; i++) {
        ps_buf_put(&text, "x\n", 2);
    }
    assert_int_equal(ps_csv_parse(text.data, text.len, &csv, &diag), PS_OK);
    ps_csv_deinit(&csv);
    ps_buf_put(&text, "x\n", 2);
    assert_int_equal(ps_csv_parse(text.data, text.len, &csv, &diag), PS_ERR_TOO_BIG);
    assert_string_equal(diag.field, "line 200002, column 1");
    assert_int_equal(ps_csv_parse(text.data, PS_CSV_BYTES_MAX + 1, &csv, &diag), PS_ERR_TOO_BIG);
}

static void writes_what_it_reads(void **state) {
    static const char *const fields[] = {"plain", "",       "a,b", "x;y",
                                         "\"q\"", "1\r\n2", " s ", "\u00fc"};
    PS_AUTO_BUF PsBuf out = {0};
    ps_csv_write_mark(&out);
    ps_csv_write_row(fields, PS_COUNT(fields), &out);
    assert_string_equal((const char *)out.data, "\xef\xbb\xbfplain,,\"a,b\",\"x;y\",\"\"\"q\"\"\","
                                                "\"1\r\n2\",\" s \",\u00fc\r\n");
    PsCsv csv = {0};
    assert_int_equal(ps_csv_parse(out.data, out.len, &csv, NULL), PS_OK);
    assert_int_equal(csv.rows[0].count, PS_COUNT(fields));
    for (size_t i = 0; i < PS_COUNT(fields); i++) {
        assert_string_equal(csv.rows[0].fields[i], fields[i]);
    }
    ps_csv_deinit(&csv);
    static const char *const hint[] = {"sep=", ""};
    ps_buf_clear(&out);
    ps_csv_write_row(hint, PS_COUNT(hint), &out);
    assert_string_equal((const char *)out.data, "\"sep=\",\r\n");
}

// Whatever is changed in a sound file, it is read or the place of the mistake is named.
static void damage_is_named_with_its_place(void **state) {
    static const char sound[] = "\xef\xbb\xbfVar Name,Device,Unit,Desc\r\n"
                                "t1,Boiler,\u00b0C,\"a \"\"b\"\", c\"\r\n"
                                "t2,Boiler,bar,\"two\r\nlines\"\r\n";
    unsigned random = 1;
    unsigned refused = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char text[sizeof sound];
        memcpy(text, sound, sizeof sound);
        size_t len = sizeof sound - 1;
        for (unsigned i = 0; i <= round % 3; i++) {
            random = random * 1664525U + 1013904223U;
            text[(random >> 8) % len] = (char)(random >> 24);
        }
        len -= round % 5 == 0 ? (random >> 4) % len : 0;
        PsCsv csv = {0};
        PsDiag diag = {0};
        if (ps_csv_parse(text, len, &csv, &diag) != PS_OK) {
            unsigned line = 0;
            unsigned column = 0;
            assert_int_equal(sscanf(diag.field, "line %u, column %u", &line, &column), 2);
            assert_true(line >= 1 && line <= 6 && column >= 1 && column <= len + 1);
            assert_true(diag.text[0] != '\0');
            refused++;
        }
        ps_csv_deinit(&csv);
    }
    assert_true(refused > 1000 && refused < 19000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_spreadsheets_write),
        cmocka_unit_test(counts_lines_through_quotes_and_empty_rows),
        cmocka_unit_test(reads_windows_1252),
        cmocka_unit_test(names_the_place_of_each_mistake),
        cmocka_unit_test(holds_its_limits),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(damage_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
