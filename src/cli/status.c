// `penstock status`: the gateway on one screen. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *json, const char *key) {
    const char *text = json_string_value(json_object_get(json, key));
    return text != NULL ? text : "";
}

static long long integer_of(const json_t *json, const char *key) {
    return (long long)json_integer_value(json_object_get(json, key));
}

static double number_of(const json_t *json, const char *key) {
    return json_number_value(json_object_get(json, key));
}

// "0 Day 00:00:48", the form of Device Supervisor's connection time.
static void format_duration(double seconds, char *out, size_t size) {
    long long whole = seconds > 0 ? (long long)seconds : 0;
    snprintf(out, size, "%lld Day %02lld:%02lld:%02lld", whole / 86400, whole / 3600 % 24,
             whole / 60 % 60, whole % 60);
}

static void print_link(const json_t *status) {
    const json_t *link = json_object_get(status, "link");
    char uptime[64];
    format_duration(number_of(status, "uptime_s"), uptime, sizeof uptime);
    printf("penstockd %s, up %s, configuration %s\n", text_of(status, "version"), uptime,
           text_of(status, "config"));
    char since[64];
    format_duration(ps_wall_seconds(ps_wall_now()) - number_of(link, "since"), since, sizeof since);
    printf("Cloud: %s for %s", text_of(link, "state"), since);
    if (text_of(link, "endpoint")[0] != '\0') {
        printf("; %s %s:%lld as %s", text_of(link, "type"), text_of(link, "endpoint"),
               integer_of(link, "port"), text_of(link, "client_id"));
    }
    printf("\n");
    if (text_of(link, "last_error")[0] != '\0') {
        printf("  last error: %s\n", text_of(link, "last_error"));
    }
}

static void print_channels(const json_t *status) {
    printf("\n%-26s %-12s %10s %8s %8s %s\n", "CHANNEL", "STATE", "REQUESTS", "ERRORS", "MS",
           "LAST ERROR");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "channels"), index, row) {
        printf("%-26s %-12s %10lld %8lld %8.2f %s\n", text_of(row, "name"), text_of(row, "state"),
               integer_of(row, "requests"), integer_of(row, "errors"),
               number_of(row, "round_trip_ms"), text_of(row, "last_error"));
    }
}

static void print_groups(const json_t *status) {
    printf("\n%-26s %10s %10s %8s %8s %8s\n", "GROUP", "POLL S", "UPLOAD S", "VARS", "CYCLES",
           "LATE");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "groups"), index, row) {
        printf("%-26s %10g %10g %8lld %8lld %8lld\n", text_of(row, "name"),
               number_of(row, "polling_interval"), number_of(row, "upload_interval"),
               integer_of(row, "variables"), integer_of(row, "due"), integer_of(row, "late"));
    }
}

static void print_messages(const json_t *status) {
    printf("\n%-26s %10s %10s %10s %10s %10s\n", "MESSAGE", "ACCEPTED", "DELIVERED", "WAITING",
           "DEAD", "DROPPED");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "messages"), index, row) {
        long long dropped = 0;
        const char *reason;
        json_t *count;
        json_object_foreach(json_object_get(row, "dropped"), reason, count) {
            dropped += (long long)json_integer_value(count);
        }
        printf("%-26s %10lld %10lld %10lld %10lld %10lld", text_of(row, "name"),
               integer_of(row, "accepted"), integer_of(row, "delivered"),
               integer_of(row, "waiting"), integer_of(row, "dead"), dropped);
        json_object_foreach(json_object_get(row, "dropped"), reason, count) {
            printf("  %s %lld", reason, (long long)json_integer_value(count));
        }
        printf("\n");
    }
}

static void print_workers(const json_t *status) {
    printf("\n%-26s %-10s %8s %8s %8s %8s %8s %9s\n", "SCRIPT", "STATE", "PID", "CALLS", "ERRORS",
           "RESTARTS", "CPU S", "RSS KIB");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "workers"), index, row) {
        printf("%-26s %-10s %8lld %8lld %8lld %8lld %8.2f %9lld\n", text_of(row, "name"),
               text_of(row, "state"), integer_of(row, "pid"), integer_of(row, "calls"),
               integer_of(row, "errors"), integer_of(row, "restarts"), number_of(row, "cpu_s"),
               integer_of(row, "rss_kib"));
        if (text_of(row, "last_error")[0] != '\0') {
            printf("  last error: %s\n", text_of(row, "last_error"));
        }
    }
}

int cli_status(const CliOptions *options, int count, char **arguments) {
    if (count != 0) {
        return cli_fail(CLI_USAGE, "status takes no argument, not '%s'", arguments[0]);
    }
    json_t *status = cli_call_once(options, json_pack("{s:s}", "call", "status"));
    if (status == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(status);
    } else {
        print_link(status);
        print_channels(status);
        print_groups(status);
        print_messages(status);
        print_workers(status);
    }
    json_decref(status);
    return CLI_DONE;
}
