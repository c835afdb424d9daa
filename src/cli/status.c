// `penstock status`: the gateway on one screen. Blocking.
#include "cli/cli.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

// "0 Day 00:00:48", the form of Device Supervisor's connection time.
static void format_duration(double seconds, char *out, size_t size) {
    long long whole = seconds > 0 ? (long long)seconds : 0;
    snprintf(out, size, "%lld Day %02lld:%02lld:%02lld", whole / 86400, whole / 3600 % 24,
             whole / 60 % 60, whole % 60);
}

static void print_revision(const json_t *revision) {
    const json_t *probation = json_object_get(revision, "probation");
    if (cli_text(revision, "problem")[0] != '\0') {
        printf("ATTENTION: %s; correct it and run: penstock apply\n",
               cli_text(revision, "problem"));
    }
    if (cli_integer(revision, "number") > 0) {
        char when[PS_STAMP_SIZE];
        cli_stamp(revision, "time", when);
        when[strcspn(when, ",")] = '\0'; // to the second
        printf("Revision %lld, %s by %s at %s\n", cli_integer(revision, "number"),
               cli_text(revision, "kind"), cli_text(revision, "who"), when);
    }
    if (json_is_object(probation)) {
        printf("  is tried out for %.0f s more; it stays if %s\n", cli_number(probation, "left_s"),
               cli_text(probation, "stays_if"));
    }
}

static void print_link(const json_t *status) {
    const json_t *link = json_object_get(status, "link");
    char uptime[64];
    format_duration(cli_number(status, "uptime_s"), uptime, sizeof uptime);
    printf("penstockd %s, up %s, configuration %s\n", cli_text(status, "version"), uptime,
           cli_text(status, "config"));
    char since[64];
    format_duration(ps_wall_seconds(ps_wall_now()) - cli_number(link, "since"), since,
                    sizeof since);
    print_revision(json_object_get(status, "revision"));
    printf("Cloud: %s for %s", cli_text(link, "state"), since);
    if (cli_text(link, "endpoint")[0] != '\0') {
        printf("; %s %s:%lld as %s", cli_text(link, "type"), cli_text(link, "endpoint"),
               cli_integer(link, "port"), cli_text(link, "client_id"));
    }
    printf("\n");
    if (cli_text(link, "last_error")[0] != '\0') {
        printf("  last error: %s\n", cli_text(link, "last_error"));
    }
}

static void print_web(const json_t *status) {
    const json_t *web = json_object_get(status, "web");
    if (!json_is_true(json_object_get(web, "enabled"))) {
        return;
    }
    if (cli_text(web, "url")[0] == '\0') {
        printf("Web: nowhere yet%s%s\n", cli_text(web, "problem")[0] != '\0' ? "; " : "",
               cli_text(web, "problem"));
        return;
    }
    bool here = json_is_true(json_object_get(web, "this_machine_only"));
    printf("Web: %s%s; certificate SHA-256 %s\n", cli_text(web, "url"),
           here ? ", for this machine only" : "",
           cli_text(json_object_get(web, "certificate"), "fingerprint"));
    if (json_is_false(json_object_get(web, "set_up"))) {
        printf("  there is no administrator yet; make one with the code of: penstock setup-code\n");
    }
    if (cli_text(web, "problem")[0] != '\0') {
        printf("  %s\n", cli_text(web, "problem"));
    }
}

static void format_bytes(const json_t *row, const char *key, char *out, size_t size) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double bytes = (double)cli_integer(row, key);
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < PS_COUNT(units)) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, size, "%.*f %s", unit > 0 && bytes < 100 ? 1 : 0, bytes, units[unit]);
}

static void print_disk(const json_t *status) {
    const json_t *disk = json_object_get(status, "disk");
    char today[32];
    char week[32];
    char total[32];
    format_bytes(disk, "today", today, sizeof today);
    format_bytes(disk, "week", week, sizeof week);
    format_bytes(disk, "total", total, sizeof total);
    if (cli_integer(disk, "total") == 0) {
        printf("Disk: nothing written\n");
    } else {
        printf("Disk: %s written today, %s in the last 7 days, %s in total since %s\n", today, week,
               total, cli_text(disk, "since"));
    }
}

static void print_channels(const json_t *status) {
    printf("\n%-26s %-12s %10s %8s %6s %8s %6s %s\n", "CHANNEL", "STATE", "REQUESTS", "ERRORS",
           "LATE", "MS", "LOAD", "LAST ERROR");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "channels"), index, row) {
        char round_trip[32] = "-"; // nothing was answered yet
        if (json_is_number(json_object_get(row, "round_trip_ms"))) {
            snprintf(round_trip, sizeof round_trip, "%.2f", cli_number(row, "round_trip_ms"));
        }
        printf("%-26s %-12s %10lld %8lld %6lld %8s %4.0f %% %s\n", cli_text(row, "name"),
               cli_text(row, "state"), cli_integer(row, "requests"), cli_integer(row, "errors"),
               cli_integer(row, "late"), round_trip, cli_number(row, "load") * 100,
               cli_text(row, "last_error"));
    }
    json_array_foreach(json_object_get(status, "channels"), index, row) {
        const char *warning = cli_text(row, "load_warning");
        if (warning[0] != '\0') {
            printf("warning: %s: %s\n", cli_text(row, "name"), warning);
        }
    }
}

static void print_groups(const json_t *status) {
    printf("\n%-26s %10s %10s %8s %8s %8s\n", "GROUP", "POLL S", "UPLOAD S", "VARS", "CYCLES",
           "LATE");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(status, "groups"), index, row) {
        printf("%-26s %10g %10g %8lld %8lld %8lld\n", cli_text(row, "name"),
               cli_number(row, "polling_interval"), cli_number(row, "upload_interval"),
               cli_integer(row, "variables"), cli_integer(row, "due"), cli_integer(row, "late"));
    }
    json_array_foreach(json_object_get(status, "groups"), index, row) {
        if (json_is_true(json_object_get(row, "every_sample"))) {
            printf("samples of %s: %lld wait, %lld set aside because too many did\n",
                   cli_text(row, "name"), cli_integer(row, "samples_waiting"),
                   cli_integer(row, "samples_set_aside"));
        }
    }
}

void cli_show_ledger(const json_t *status) {
    printf("%-26s %10s %10s %10s %10s %10s\n", "MESSAGE", "ACCEPTED", "DELIVERED", "WAITING",
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
        printf("%-26s %10lld %10lld %10lld %10lld %10lld", cli_text(row, "name"),
               cli_integer(row, "accepted"), cli_integer(row, "delivered"),
               cli_integer(row, "waiting"), cli_integer(row, "dead"), dropped);
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
        printf("%-26s %-10s %8lld %8lld %8lld %8lld %8.2f %9lld\n", cli_text(row, "name"),
               cli_text(row, "state"), cli_integer(row, "pid"), cli_integer(row, "calls"),
               cli_integer(row, "errors"), cli_integer(row, "restarts"), cli_number(row, "cpu_s"),
               cli_integer(row, "rss_kib"));
        if (cli_text(row, "last_error")[0] != '\0') {
            printf("  last error: %s\n", cli_text(row, "last_error"));
        }
    }
}

int cli_status(const CliOptions *options, int count, char **arguments) {
    if (count != 0) {
        return cli_fail(CLI_USAGE, "status takes no argument, not '%s'", arguments[0]);
    }
    json_t *status = cli_call_once(options, json_pack("{s:s}", "call", "GET /status"));
    if (status == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(status);
    } else {
        print_link(status);
        print_web(status);
        print_disk(status);
        print_channels(status);
        print_groups(status);
        putchar('\n');
        cli_show_ledger(status);
        print_workers(status);
    }
    json_decref(status);
    return CLI_DONE;
}
