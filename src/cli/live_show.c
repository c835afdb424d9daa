// The report of `check --live` for people, part by part. Blocking.
#include "cli/live.h"

#include <stdio.h>
#include <string.h>

void live_show_gateway(const Live *live) {
    if (live->gateway == LIVE_GATEWAY_RUNNING) {
        printf("a gateway is running (%s); it goes on undisturbed\n",
               cli_text(live->status, "config"));
    } else if (live->gateway == LIVE_GATEWAY_MUTE) {
        printf("there is a gateway's socket (%s), but it gives no answer to this user\n",
               live->options->socket);
    }
}

// --- devices ------------------------------------------------------------------------------------

static void show_bad(const json_t *device) {
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(device, "bad"), index, row) {
        printf("      %s, %s: %s%s\n", cli_text(row, "name"), cli_text(row, "address"),
               cli_text(row, "reason"),
               json_is_true(json_object_get(row, "of_alarm")) ? " (read for an alarm)" : "");
    }
    long long more = cli_integer(device, "bad_not_named");
    if (more > 0) {
        printf("      and %lld more\n", more);
    }
}

static void show_device(const json_t *device) {
    printf("    %s: %s", cli_text(device, "name"), cli_text(device, "state"));
    if (cli_integer(device, "readable") > 0) {
        printf(", %lld of %lld variables good", cli_integer(device, "good"),
               cli_integer(device, "readable"));
    }
    static const char *const kinds[] = {"refused", "undecodable", "silent"};
    for (size_t i = 0; i < PS_COUNT(kinds); i++) {
        if (cli_integer(device, kinds[i]) > 0) {
            printf(", %lld %s", cli_integer(device, kinds[i]), kinds[i]);
        }
    }
    const char *error = cli_text(device, "error");
    printf("%s%s\n", error[0] != '\0' ? ": " : "", error);
    show_bad(device);
}

static void show_endpoint(const json_t *endpoint) {
    printf("  %s: %s", cli_text(endpoint, "name"), cli_text(endpoint, "state"));
    const json_t *groups = json_object_get(endpoint, "groups");
    if (json_array_size(groups) > 0) {
        double round_trip_ms = cli_number(endpoint, "round_trip_ms");
        if (round_trip_ms > 0) { // null: nothing was answered
            printf(", round trip %.1f ms", round_trip_ms);
        }
        printf(", reading takes %.1f ms (%.1f %% of the time)", cli_number(endpoint, "cycle_ms"),
               cli_number(endpoint, "load") * 100);
    }
    printf("\n");
    if (json_is_true(json_object_get(endpoint, "shared_with_gateway"))) {
        printf("    the running gateway is connected there, too: a device with room for one "
               "connection only may refuse the second\n");
    }
    const char *warning = cli_text(endpoint, "warning");
    if (warning[0] != '\0') {
        printf("    warning: %s\n", warning);
    }
    size_t index;
    json_t *device;
    json_array_foreach(json_object_get(endpoint, "devices"), index, device) {
        show_device(device);
    }
}

void live_show_devices(const json_t *devices) {
    printf("devices\n");
    const char *error = cli_text(devices, "error");
    if (error[0] != '\0') {
        printf("  %s\n", error);
    }
    size_t index;
    json_t *endpoint;
    json_array_foreach(json_object_get(devices, "endpoints"), index, endpoint) {
        show_endpoint(endpoint);
    }
}

// --- scripts ------------------------------------------------------------------------------------

static void show_results(const json_t *row) {
    size_t index;
    json_t *result;
    json_array_foreach(json_object_get(row, "results"), index, result) {
        bool now = strcmp(cli_text(result, "method"), "mqtt_publish") == 0;
        printf("    would publish%s to %s, QoS %lld: ", now ? " (mqtt_publish)" : "",
               cli_text(result, "topic"), cli_integer(result, "qos"));
        long long count = cli_integer(result, "count");
        if (count > 1) {
            printf("%lld times, up to ", count);
        }
        printf("%lld bytes", cli_integer(result, "bytes"));
        if (cli_integer(result, "limit") > 0) {
            printf(" of at most %lld", cli_integer(result, "limit"));
        }
        printf("\n");
    }
    const json_t *calls = json_object_get(row, "calls");
    if (cli_integer(calls, "write_plc_values") > 0) {
        printf("    would write %lld values\n", cli_integer(calls, "write_plc_values"));
    }
    if (cli_integer(row, "calls_not_kept") > 0) {
        printf("    and %lld calls more\n", cli_integer(row, "calls_not_kept"));
    }
}

static void show_script(const json_t *row) {
    const char *group = cli_text(row, "group");
    printf("  %s '%s'%s%s%s: ", cli_text(row, "kind"), cli_text(row, "message"),
           group[0] != '\0' ? " with group '" : "", group, group[0] != '\0' ? "'" : "");
    const char *error = cli_text(row, "error");
    if (error[0] != '\0') {
        printf("%s", error);
    } else if (!json_is_true(json_object_get(row, "tried"))) {
        printf("not tried: %s\n", cli_text(row, "why"));
        return;
    } else {
        printf("sound");
    }
    long long line = cli_integer(row, "line");
    if (error[0] != '\0' && line > 0) {
        printf(", line %lld", line);
    }
    printf(" (input: %s", cli_text(row, "input"));
    if (cli_number(row, "wall_ms") > 0) {
        printf("; %.1f ms, peak memory %.1f MB", cli_number(row, "wall_ms"),
               (double)cli_integer(row, "peak_kib") / 1024);
    }
    printf(")\n");
    const char *warning = cli_text(row, "warning");
    if (warning[0] != '\0') {
        printf("    warning: %s\n", warning);
    }
    show_results(row);
}

void live_show_scripts(const json_t *scripts) {
    printf("scripts (nothing they do reaches anybody)\n");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(scripts, "scripts"), index, row) {
        show_script(row);
    }
}

// --- cloud --------------------------------------------------------------------------------------

static void show_steps(const json_t *cloud) {
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(cloud, "steps"), index, row) {
        const char *name = cli_text(row, "name");
        const char *state = cli_text(row, "state");
        printf("  %s: %s", name, state);
        if (strcmp(state, "ok") == 0) {
            printf(", %.1f ms", cli_number(row, "ms"));
            const char *more = strcmp(name, "TLS") == 0   ? cli_text(cloud, "tls")
                               : strcmp(name, "TCP") == 0 ? cli_text(cloud, "address")
                                                          : "";
            printf("%s%s", more[0] != '\0' ? ", " : "", more);
        }
        printf("\n");
    }
    const char *error = cli_text(cloud, "error");
    if (error[0] != '\0') {
        printf("  failed at %s\n", error);
    }
    json_array_foreach(json_object_get(cloud, "subscriptions"), index, row) {
        const char *state = cli_text(row, "state");
        printf("  subscribe '%s' (%s): %s%s\n", cli_text(row, "message"), cli_text(row, "topic"),
               state,
               strcmp(state, "refused") == 0
                   ? "; allow it in the cloud's policy (AWS: iot:Subscribe and iot:Receive) or "
                     "correct the topic"
                   : "");
    }
}

static void show_sent(const json_t *cloud) {
    const json_t *sent = json_object_get(cloud, "sent");
    size_t index;
    json_t *row;
    json_array_foreach(sent, index, row) {
        printf("  sent for '%s' to %s, %lld bytes: ", cli_text(row, "message"),
               cli_text(row, "topic"), cli_integer(row, "bytes"));
        if (json_is_true(json_object_get(row, "acknowledged"))) {
            printf("acknowledged after %.1f ms\n", cli_number(row, "ms"));
        } else {
            printf("not acknowledged\n");
        }
    }
    if (json_array_size(sent) == 0) {
        printf("  nothing was published%s\n",
               json_is_true(json_object_get(cloud, "asked_to_send")) ? ", although asked for" : "");
    }
}

static void show_days(long long left) {
    if (left < 0) {
        printf("  the certificate has expired\n");
    } else {
        printf("  the certificate is valid for %lld days more\n", left);
    }
}

void live_show_cloud(const json_t *cloud) {
    if (!json_is_true(json_object_get(cloud, "enabled"))) {
        printf("cloud: not enabled\n");
        return;
    }
    printf("cloud %s as '%s': %s\n", cli_text(cloud, "endpoint"), cli_text(cloud, "client_id"),
           cli_text(cloud, "result"));
    const char *why = cli_text(cloud, "why");
    if (why[0] != '\0') {
        printf("  not connected for this check: %s\n", why);
    }
    const char *note = cli_text(cloud, "note");
    if (note[0] != '\0') {
        printf("  note: %s\n", note);
    }
    const char *error = cli_text(cloud, "running_error");
    if (error[0] != '\0') {
        printf("  its newest error: %s\n", error);
    }
    const json_t *days = json_object_get(cloud, "certificate_days");
    if (days != NULL) {
        show_days(cli_integer(cloud, "certificate_days"));
    }
    const char *warning = cli_text(cloud, "warning");
    if (warning[0] != '\0') {
        printf("  warning: %s\n", warning);
    }
    show_steps(cloud);
    show_sent(cloud);
}
