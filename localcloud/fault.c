// penstock-cloud fault: rules of what is to go wrong, at a cloud that runs.
#include "localcloud/ask.h"
#include "localcloud/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGET "/_penstock/faults"

static void print_rules(const json_t *answer) {
    const json_t *rules = json_object_get(answer, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        printf("%3lld  %s  (matched %lld, acted %lld)\n",
               (long long)json_integer_value(json_object_get(rule, "id")),
               json_string_value(json_object_get(rule, "rule")),
               (long long)json_integer_value(json_object_get(rule, "matched")),
               (long long)json_integer_value(json_object_get(rule, "done")));
    }
    if (json_array_size(rules) == 0) {
        puts("no rules: all goes well");
    }
}

/// What the words after the folder ask for.
typedef struct Order {
    const char *method;
    json_t *body; ///< owned
    bool json;
} Order;

// The words of a rule may come apart or as one argument.
static json_t *join(char **words, int count) {
    PsBuf text = {0};
    for (int i = 0; i < count; i++) {
        ps_buf_printf(&text, "%s%s", i > 0 ? " " : "", words[i]);
    }
    json_t *joined = json_stringn((const char *)text.data, text.len);
    ps_buf_deinit(&text);
    return joined;
}

static bool read_order(int count, char **words, Order *ret_order) {
    const char *verb = count > 0 ? words[0] : "list";
    if (strcmp(verb, "list") == 0 && count <= 2) {
        *ret_order = (Order){.method = "GET", .json = count == 2};
        return count < 2 || strcmp(words[1], "--json") == 0;
    }
    if (strcmp(verb, "clear") == 0 && count == 1) {
        *ret_order = (Order){.method = "PUT", .body = json_pack("{s:b}", "clear", 1)};
        return true;
    }
    if (strcmp(verb, "remove") == 0 && count == 2) {
        json_int_t id = (json_int_t)strtol(words[1], NULL, 10);
        *ret_order = (Order){.method = "PUT", .body = json_pack("{s:I}", "remove", id)};
        return true;
    }
    if (strcmp(verb, "add") == 0 && count > 1) {
        json_t *line = join(words + 1, count - 1);
        *ret_order = (Order){.method = "PUT", .body = json_pack("{s:o}", "add", line)};
        return true;
    }
    return false;
}

int ps_command_fault(int argc, char **argv) {
    Order order = {0};
    if (argc < 2 || !read_order(argc - 2, argv + 2, &order)) {
        return ps_command_wrong("fault needs a folder, and then add RULE, remove NUMBER, list "
                                "[--json] or clear");
    }
    PsDiag diag = {0};
    PsAsk *ask = NULL;
    json_t *answer = NULL;
    PsErr err = ps_ask_open(argv[1], &ask, &diag);
    err = err == PS_OK ? ps_ask(ask, order.method, TARGET, NULL, order.body, &answer, &diag) : err;
    if (err == PS_OK && order.json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (err == PS_OK) {
        print_rules(answer);
    }
    json_decref(order.body);
    json_decref(answer);
    ps_ask_close(ask);
    return err == PS_OK ? EXIT_SUCCESS : ps_command_failed(&diag);
}
