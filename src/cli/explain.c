// `penstock explain DEVICE VARIABLE [--fast]`: why a value is as it is, for whoever stands before
// the cabinet: what was asked, what came back, what it can mean, what to do. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 12
#define LINE_WIDTH 96
#define PATIENCE_S 60.0 // the device may be busy with others first, and slow then

// One field: a label, and a text that is broken at blanks and stays to the right of the label.
static void put(const char *label, const char *text) {
    printf("%-*s ", LABEL_WIDTH, label);
    size_t at = LABEL_WIDTH + 1;
    for (const char *word = text; *word != '\0';) {
        size_t len = strcspn(word, " ");
        if (at > LABEL_WIDTH + 1 && at + 1 + len > LINE_WIDTH) {
            printf("\n%*s ", LABEL_WIDTH, "");
            at = LABEL_WIDTH + 1;
        } else if (word > text) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)len, word);
        at += len;
        word += len;
        word += strspn(word, " ");
    }
    putchar('\n');
}

// "41B4" as "41 B4".
static void put_hex(const char *label, const char *hex) {
    PS_AUTO_BUF PsBuf text = {0};
    for (size_t i = 0; hex[i] != '\0' && hex[i + 1] != '\0'; i += 2) {
        ps_buf_printf(&text, "%s%.2s", i > 0 ? " " : "", hex + i);
    }
    if (text.len > 0) {
        put(label, (const char *)text.data);
    }
}

static void put_value(const json_t *found) {
    const json_t *variable = json_object_get(found, "variable");
    const json_t *value = json_object_get(variable, "value");
    PS_AUTO_BUF PsBuf text = {0};
    char *shown =
        json_is_null(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (shown != NULL) {
        ps_buf_printf(&text, "%s, ", shown);
    }
    free(shown);
    ps_buf_printf(&text, "%s", cli_text(found, "state"));
    if (json_is_number(json_object_get(variable, "time"))) {
        char stamp[PS_STAMP_SIZE];
        cli_stamp(variable, "time", stamp);
        ps_buf_printf(&text, ", read %s", stamp);
    }
    put("value", (const char *)text.data);
}

static void put_where(const json_t *found) {
    const json_t *variable = json_object_get(found, "variable");
    const json_t *device = json_object_get(found, "device");
    const char *serial = cli_text(device, "serial");
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text, "%s at %s of device '%s' (%s, %s", cli_text(variable, "type"),
                  cli_text(variable, "address"), cli_text(device, "name"),
                  cli_text(device, "protocol"),
                  serial[0] != '\0' ? serial : cli_text(device, "address"));
    if (json_object_get(device, "slave") != NULL) {
        ps_buf_printf(&text, ", slave %lld, byte order %s", cli_integer(device, "slave"),
                      cli_text(device, "byte_order"));
    }
    ps_buf_printf(&text, "), device %s", cli_text(device, "state"));
    put("place", (const char *)text.data);
}

// Small ones are numbers in the manuals, large ones hexadecimal.
static void name_code(const json_t *row, char *out, size_t size) {
    long long code = cli_integer(row, "code");
    snprintf(out, size, code > 255 ? "0x%llX" : "%lld", code);
}

// Words that stand under what to do are not said twice.
static void put_look(const json_t *look, const char *advice) {
    if (!json_is_object(look)) {
        return;
    }
    const char *text = cli_text(look, "text");
    if (text[0] != '\0') {
        put("asked now", text);
    }
    put_hex("sent", cli_text(look, "sent"));
    put_hex("received", cli_text(look, "received"));
    PS_AUTO_BUF PsBuf outcome = {0};
    const char *error = cli_text(look, "error");
    ps_buf_printf(&outcome, "%s", cli_text(look, "outcome"));
    if (cli_integer(look, "code") != 0) {
        char code[32];
        name_code(look, code, sizeof code);
        ps_buf_printf(&outcome, " with code %s", code);
    }
    if (error[0] != '\0' && strcmp(error, advice) != 0) {
        ps_buf_printf(&outcome, ": %s", error);
    }
    put("outcome", (const char *)outcome.data);
    if (cli_text(look, "type")[0] != '\0') {
        put("type there", cli_text(look, "type"));
    }
    put_hex("bytes", cli_text(look, "bytes"));
}

// --- readings -----------------------------------------------------------------------------------

#define CELL_WIDTH 18

static bool is_shown(const json_t *reading) {
    bool now = json_is_true(json_object_get(reading, "configured"));
    return now || (cli_text(reading, "text")[0] != '\0' && cli_integer(reading, "likely") > 0);
}

static void put_cell(const json_t *reading, PsBuf *line) {
    char cell[160] = "-";
    if (is_shown(reading)) {
        const char *text = cli_text(reading, "text");
        bool now = json_is_true(json_object_get(reading, "configured"));
        bool marked = json_is_true(json_object_get(reading, "marked"));
        snprintf(cell, sizeof cell, "%s%s%s", text[0] != '\0' ? text : "no value",
                 now ? " (now)" : "", marked ? " <--" : "");
    }
    ps_buf_printf(line, " %-*s", CELL_WIDTH, cell);
}

static void end_line(const PsBuf *line) {
    size_t len = line->len;
    while (len > 0 && line->data[len - 1] == ' ') {
        len--;
    }
    printf("%.*s\n", (int)len, (const char *)line->data);
}

// Those of one type stand in a row, `from` is its first. Where the next type begins.
static size_t end_of_row(const json_t *readings, size_t from, bool *ret_any) {
    const char *type = cli_text(json_array_get(readings, from), "type");
    size_t at = from;
    *ret_any = false;
    while (at < json_array_size(readings) &&
           strcmp(cli_text(json_array_get(readings, at), "type"), type) == 0) {
        *ret_any = *ret_any || is_shown(json_array_get(readings, at));
        at++;
    }
    return at;
}

// Above it the orders, unless they are those of the row before, or there is no choice.
static void put_row(const json_t *readings, size_t from, size_t end, const char **before) {
    const char *type = cli_text(json_array_get(readings, from), "type");
    const char *order = cli_text(json_array_get(readings, from), "order");
    if (strcmp(order, *before) != 0 && end > from + 1) {
        PS_AUTO_BUF PsBuf heads = {0};
        ps_buf_printf(&heads, "%*s %-8s", LABEL_WIDTH, "", "");
        for (size_t i = from; i < end; i++) {
            ps_buf_printf(&heads, " %-*s", CELL_WIDTH,
                          cli_text(json_array_get(readings, i), "order"));
        }
        end_line(&heads);
        *before = order;
    }
    PS_AUTO_BUF PsBuf line = {0};
    ps_buf_printf(&line, "%*s %-8s", LABEL_WIDTH, "", type);
    for (size_t i = from; i < end; i++) {
        put_cell(json_array_get(readings, i), &line);
    }
    end_line(&line);
}

static void put_readings(const json_t *readings) {
    if (json_array_size(readings) == 0) {
        return;
    }
    puts("can mean");
    const char *before = "";
    for (size_t at = 0; at < json_array_size(readings);) {
        bool any;
        size_t end = end_of_row(readings, at, &any);
        if (any) {
            put_row(readings, at, end, &before);
        }
        at = end;
    }
}

// --- what was learned ---------------------------------------------------------------------------

static void put_learned(const json_t *learned) {
    const json_t *holes = json_object_get(learned, "holes");
    size_t index;
    json_t *hole;
    json_array_foreach((json_t *)(uintptr_t)holes, index, hole) {
        char since[PS_STAMP_SIZE];
        char next[PS_STAMP_SIZE];
        cli_stamp(hole, "since", since);
        cli_stamp(hole, "next_try", next);
        char code[32];
        name_code(hole, code, sizeof code);
        const char *first = cli_text(hole, "first");
        const char *last = cli_text(hole, "last");
        bool one = strcmp(first, last) == 0;
        PS_AUTO_BUF PsBuf text = {0};
        ps_buf_printf(&text, "%s%s%s%s: code %s, %lld time%s since %s, tried again %s", first,
                      one ? "" : " to ", one ? "" : last,
                      json_is_true(json_object_get(hole, "here")) ? " (this place)" : "", code,
                      cli_integer(hole, "refusals"), cli_integer(hole, "refusals") == 1 ? "" : "s",
                      since, next);
        put(index == 0 ? "refused" : "", (const char *)text.data);
    }
    if (cli_integer(learned, "most_items") > 0) {
        PS_AUTO_BUF PsBuf text = {0};
        ps_buf_printf(&text, "it gives at most %lld in one request",
                      cli_integer(learned, "most_items"));
        put("learned", (const char *)text.data);
    }
}

static void show(const json_t *found) {
    const json_t *variable = json_object_get(found, "variable");
    PS_AUTO_BUF PsBuf name = {0};
    ps_buf_printf(&name, "%s of %s", cli_text(variable, "name"), cli_text(variable, "device"));
    put("variable", (const char *)name.data);
    put_value(found);
    put_where(found);
    put("polled", cli_text(json_object_get(found, "request"), "text"));
    const char *note = cli_text(json_object_get(found, "channel"), "note");
    if (note[0] != '\0') {
        put("connection", note);
    }
    put_look(json_object_get(found, "look"), cli_text(found, "what_to_do"));
    put_readings(json_object_get(found, "readings"));
    put_learned(json_object_get(found, "learned"));
    const char *error = cli_text(json_object_get(found, "look"), "error");
    if (strcmp(cli_text(found, "last_error"), error) != 0) {
        put("last error", cli_text(found, "last_error"));
    }
    if (json_is_number(json_object_get(found, "next_try"))) {
        char stamp[PS_STAMP_SIZE];
        cli_stamp(found, "next_try", stamp);
        put("next try", stamp);
    }
    const char *advice = cli_text(found, "what_to_do");
    put("what to do", advice[0] != '\0' ? advice : "nothing is wrong with this value");
}

int cli_explain(const CliOptions *options, int count, char **arguments) {
    bool fast = count == 3 && strcmp(arguments[2], "--fast") == 0;
    if (count != 2 && !fast) {
        return cli_fail(CLI_USAGE, "explain needs a device and a variable: penstock explain DEVICE "
                                   "VARIABLE [--fast]");
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    cli_client_wait(client, PATIENCE_S);
    json_t *found =
        cli_client_call(client, json_pack("{s:s, s:s, s:s, s:b}", "call", "GET /explain", "device",
                                          arguments[0], "name", arguments[1], "look", !fast));
    cli_client_close(client);
    if (found == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(found);
    } else {
        show(found);
    }
    json_decref(found);
    return CLI_DONE;
}
