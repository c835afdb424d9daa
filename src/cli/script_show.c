// Prints the report of a trial. Blocking.
#include "cli/script_show.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *json, const char *key) {
    const char *text = json_string_value(json_object_get(json, key));
    return text != NULL ? text : "";
}

static long long integer_of(const json_t *json, const char *key) {
    return (long long)json_integer_value(json_object_get(json, key));
}

static double milliseconds(const json_t *json, const char *key) {
    return json_number_value(json_object_get(json, key)) * 1000;
}

static void show_publish(const json_t *publish) {
    const char *topic = text_of(publish, "topic");
    bool now = strcmp(text_of(publish, "method"), "mqtt_publish") == 0;
    printf("would publish%s to %s, QoS %lld: %lld bytes", now ? " (mqtt_publish)" : "",
           topic[0] != '\0' ? topic : "the message's topic", integer_of(publish, "qos"),
           integer_of(publish, "bytes"));
    long long limit = integer_of(publish, "limit");
    if (json_is_true(json_object_get(publish, "too_large"))) {
        printf(", TOO LARGE: AWS IoT takes at most %lld", limit);
    } else if (limit > 0) {
        printf(" of at most %lld", limit);
    }
    const char *hex = text_of(publish, "payload_hex");
    printf("\n  %s%s\n", hex[0] != '\0' ? "bytes " : "",
           hex[0] != '\0' ? hex : text_of(publish, "payload"));
}

void cli_show_trial(const json_t *result, const char *file, const char *main_function) {
    bool ok = json_is_true(json_object_get(result, "ok"));
    printf("%s of %s: %s\n", main_function, file, ok ? "OK" : text_of(result, "error"));
    double wall = milliseconds(result, "wall_s");
    if (wall > 0) {
        printf("%.2f ms, CPU %.2f ms, peak memory %.1f MB\n", wall, milliseconds(result, "cpu_s"),
               (double)integer_of(result, "peak_kib") / 1024);
    }
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(result, "publishes"), index, row) {
        show_publish(row);
    }
    json_array_foreach(json_object_get(result, "writes"), index, row) {
        printf("would write %s %s = %s\n", text_of(row, "device"), text_of(row, "var_name"),
               text_of(row, "value"));
    }
    json_array_foreach(json_object_get(result, "lines"), index, row) {
        printf("[%s] [%s %lld]: %s\n", text_of(row, "level"), text_of(row, "file"),
               integer_of(row, "line"), text_of(row, "text"));
    }
    long long left_out = integer_of(result, "left_out");
    if (left_out > 0) {
        printf("%lld more are not shown\n", left_out);
    }
}
