// Prints the report of a trial. Blocking.
#include "cli/script_show.h"

#include <stdio.h>
#include <string.h>

static double milliseconds(const json_t *json, const char *key) {
    return cli_number(json, key) * 1000;
}

static void show_publish(const json_t *publish) {
    const char *topic = cli_text(publish, "topic");
    bool now = strcmp(cli_text(publish, "method"), "mqtt_publish") == 0;
    printf("would publish%s to %s, QoS %lld: %lld bytes", now ? " (mqtt_publish)" : "",
           topic[0] != '\0' ? topic : "the message's topic", cli_integer(publish, "qos"),
           cli_integer(publish, "bytes"));
    long long limit = cli_integer(publish, "limit");
    if (json_is_true(json_object_get(publish, "too_large"))) {
        printf(", TOO LARGE: AWS IoT takes at most %lld", limit);
    } else if (limit > 0) {
        printf(" of at most %lld", limit);
    }
    const char *hex = cli_text(publish, "payload_hex");
    printf("\n  %s%s\n", hex[0] != '\0' ? "bytes " : "",
           hex[0] != '\0' ? hex : cli_text(publish, "payload"));
}

void cli_show_trial(const json_t *result, const char *file, const char *main_function) {
    bool ok = json_is_true(json_object_get(result, "ok"));
    printf("%s of %s: %s\n", main_function, file, ok ? "OK" : cli_text(result, "error"));
    double wall = milliseconds(result, "wall_s");
    if (wall > 0) {
        printf("%.2f ms, CPU %.2f ms, peak memory %.1f MB\n", wall, milliseconds(result, "cpu_s"),
               (double)cli_integer(result, "peak_kib") / 1024);
    }
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(result, "publishes"), index, row) {
        show_publish(row);
    }
    json_array_foreach(json_object_get(result, "writes"), index, row) {
        printf("would write %s %s = %s\n", cli_text(row, "device"), cli_text(row, "var_name"),
               cli_text(row, "value"));
    }
    json_array_foreach(json_object_get(result, "lines"), index, row) {
        printf("[%s] [%s %lld]: %s\n", cli_text(row, "level"), cli_text(row, "file"),
               cli_integer(row, "line"), cli_text(row, "text"));
    }
    long long left_out = cli_integer(result, "left_out");
    if (left_out > 0) {
        printf("%lld more are not shown\n", left_out);
    }
}
