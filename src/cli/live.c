// `penstock check --live`: arguments, the parts one after the other, the summary and the exit
// status. Blocking; a signal ends what is under way.
#include "cli/live.h"

#include "cli/cli_findings.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 30.0
#define TIMEOUT_MAX_S 86400.0
#define GATEWAY_ANSWER_S 5.0

typedef struct Arguments {
    const char *folder;
    const char *state; // NULL: the running gateway's, or the usual one
    double timeout_s;
    bool send;
} Arguments;

static bool parse_seconds(const char *text, double *ret_seconds) {
    char *end = NULL;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds > 0 && seconds <= TIMEOUT_MAX_S)) {
        return false;
    }
    *ret_seconds = seconds;
    return true;
}

static int parse(int count, char **words, Arguments *ret_arguments) {
    *ret_arguments = (Arguments){.timeout_s = TIMEOUT_S};
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--send") == 0) {
            ret_arguments->send = true;
        } else if (strcmp(words[i], "--timeout") == 0) {
            i++;
            if (i == count || !parse_seconds(words[i], &ret_arguments->timeout_s)) {
                return cli_fail(CLI_USAGE, "--timeout needs seconds, more than 0 and at most %.0f",
                                TIMEOUT_MAX_S);
            }
        } else if (strcmp(words[i], "--state") == 0) {
            i++;
            if (i == count) {
                return cli_fail(CLI_USAGE, "--state needs the gateway's state folder");
            }
            ret_arguments->state = words[i];
        } else if (strcmp(words[i], "--live") == 0) {
            continue;
        } else if (words[i][0] == '-') {
            return cli_fail(CLI_USAGE, "check --live has no option '%s'", words[i]);
        } else if (ret_arguments->folder != NULL) {
            return cli_fail(CLI_USAGE, "check --live takes one folder, not also '%s'", words[i]);
        } else {
            ret_arguments->folder = words[i];
        }
    }
    if (ret_arguments->folder == NULL) {
        ret_arguments->folder = CLI_DEFAULT_CONFIG;
    }
    return CLI_DONE;
}

// --- what the parts use -------------------------------------------------------------------------

static void cancel(Live *live) {
    if (live->cancel != NULL) {
        live->cancel(live->cancel_ctx);
    }
}

static void on_signal(uv_signal_t *signal, int number) {
    Live *live = signal->data;
    live->interrupted = true;
    cancel(live);
}

static void on_limit(uv_timer_t *timer) {
    cancel(timer->data);
}

void live_begin(Live *live, PsMono deadline, void (*how)(void *ctx), void *ctx) {
    live->cancel = how;
    live->cancel_ctx = ctx;
    uv_update_time(&live->loop);
    uv_timer_start(&live->limit, on_limit, (uint64_t)ps_mono_poll_ms(ps_mono_now(), deadline), 0);
}

void live_end(Live *live) {
    live->cancel = NULL;
    uv_timer_stop(&live->limit);
}

void live_progress(const Live *live, const char *fmt, ...) {
    if (!live->progress) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    fputs("\r\033[K", stderr); // ECMA-48: to the start of the line, erase it
    vfprintf(stderr, fmt, args);
    va_end(args);
}

void live_count(json_t *part, const char *key) {
    json_object_set_new(part, key, json_integer(cli_integer(part, key) + 1));
}

// --- the loop -----------------------------------------------------------------------------------

static void unref(uv_handle_t *handle, void *data) {
    handle->data = data;
    uv_unref(handle); // a part is over when its own handles are closed
}

static void open_loop(Live *live) {
    static const int numbers[PS_COUNT(live->signals)] = {SIGINT, SIGTERM};
    uv_loop_init(&live->loop);
    for (size_t i = 0; i < PS_COUNT(numbers); i++) {
        uv_signal_init(&live->loop, &live->signals[i]);
        uv_signal_start(&live->signals[i], on_signal, numbers[i]);
        unref((uv_handle_t *)&live->signals[i], live);
    }
    uv_timer_init(&live->loop, &live->limit);
    unref((uv_handle_t *)&live->limit, live);
}

static void close_loop(Live *live) {
    for (size_t i = 0; i < PS_COUNT(live->signals); i++) {
        uv_close((uv_handle_t *)&live->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&live->limit, NULL);
    uv_run(&live->loop, UV_RUN_DEFAULT);
    uv_loop_close(&live->loop);
}

// --- the parts ----------------------------------------------------------------------------------

// A gateway that we may not ask is treated as one that has our client id.
static void find_gateway(Live *live) {
    CliClient *client = cli_client_try(live->options->socket);
    if (client == NULL) {
        bool absent = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR;
        live->gateway = absent ? LIVE_GATEWAY_ABSENT : LIVE_GATEWAY_MUTE;
        return;
    }
    cli_client_wait(client, GATEWAY_ANSWER_S);
    live->status = cli_client_call(client, json_pack("{s:s}", "call", "GET /status"));
    live->gateway = live->status != NULL ? LIVE_GATEWAY_RUNNING : LIVE_GATEWAY_MUTE;
    cli_client_close(client);
}

typedef struct Part {
    const char *name;
    json_t *(*run)(Live *live);
    void (*show)(const json_t *part);
} Part;

static const Part parts[] = {
    {"devices", live_devices, live_show_devices},
    {"scripts", live_scripts, live_show_scripts},
    {"cloud", live_cloud, live_show_cloud},
};

static json_t *run_parts(Live *live) {
    json_t *report = json_object();
    for (size_t i = 0; i < PS_COUNT(parts) && !live->interrupted; i++) {
        json_t *part = parts[i].run(live);
        live_progress(live, "%s", "");
        json_object_set_new(report, parts[i].name, part);
        if (!live->options->json) {
            parts[i].show(part);
            fflush(stdout);
        }
    }
    return report;
}

static long long sum(const json_t *report, const char *key) {
    long long all = 0;
    for (size_t i = 0; i < PS_COUNT(parts); i++) {
        all += cli_integer(json_object_get(report, parts[i].name), key);
    }
    return all;
}

static void show_summary(const Live *live, const json_t *report) {
    const json_t *devices = json_object_get(report, "devices");
    const json_t *scripts = json_object_get(report, "scripts");
    const json_t *cloud = json_object_get(report, "cloud");
    printf("%s: ", live->config->folder);
    if (live->interrupted) {
        printf("interrupted; ");
    }
    printf("%lld of %lld devices answer, %lld of %lld variables are good; ",
           cli_integer(devices, "answer"), cli_integer(devices, "devices"),
           cli_integer(devices, "good"), cli_integer(devices, "readable"));
    printf("%lld of %lld scripts are sound; ", cli_integer(scripts, "sound"),
           cli_integer(scripts, "count"));
    printf("cloud: %s; ", cloud != NULL ? cli_text(cloud, "result") : "not tried");
    printf("%lld failed, %lld warnings, %.1f s\n", cli_integer(report, "failed"),
           cli_integer(report, "warnings"), cli_number(report, "seconds"));
}

// Where it keeps whom it trusts.
static void find_state(Live *live, const char *wanted) {
    const char *running = cli_text(live->status, "state");
    live->state = wanted != NULL ? wanted : running[0] != '\0' ? running : CLI_DEFAULT_STATE;
}

static int run(Live *live, const Arguments *arguments, const PsFindings *findings) {
    find_gateway(live);
    find_state(live, arguments->state);
    if (!live->options->json) {
        live_show_gateway(live);
    }
    json_t *report = run_parts(live);
    long long failed = sum(report, "failed");
    json_object_set_new(report, "failed", json_integer(failed));
    json_object_set_new(report, "warnings", json_integer(sum(report, "warnings")));
    json_object_set_new(report, "interrupted", json_boolean(live->interrupted));
    json_object_set_new(report, "ok", json_boolean(failed == 0 && !live->interrupted));
    json_object_set_new(report, "config", json_string(live->config->folder));
    json_object_set_new(report, "findings", ps_findings_json(findings));
    json_object_set_new(report, "gateway_running",
                        json_boolean(live->gateway == LIVE_GATEWAY_RUNNING));
    double seconds = (double)ps_mono_diff_ns(ps_mono_now(), live->begin) / 1e9;
    json_object_set_new(report, "seconds", json_real(seconds));
    if (live->options->json) {
        cli_print_json(report);
    } else {
        show_summary(live, report);
    }
    int status = json_is_true(json_object_get(report, "ok")) ? CLI_DONE : CLI_FAILED;
    json_decref(report);
    return status;
}

static void free_results(Live *live) {
    for (uint32_t i = 0; i < live->config->publish_count; i++) {
        free(live->results[i].topic);
        free(live->results[i].payload);
    }
    free(live->results);
}

static int check(const CliOptions *options, const Arguments *arguments, const PsConfig *config,
                 const PsFindings *findings) {
    signal(SIGPIPE, SIG_IGN);
    ps_log_set_fd(-1); // the report says it
    Live live = {.options = options,
                 .config = config,
                 .send = arguments->send,
                 .progress = !options->json && isatty(STDERR_FILENO),
                 .timeout_s = arguments->timeout_s,
                 .begin = ps_mono_now()};
    live.deadline = ps_mono_add_ns(live.begin, ps_seconds_to_ns(arguments->timeout_s));
    live.table = ps_tag_table_new(config);
    live.results = ps_alloc_array(config->publish_count + 1, sizeof *live.results);
    open_loop(&live);
    int status = run(&live, arguments, findings);
    close_loop(&live);
    free_results(&live);
    ps_tag_table_free(live.table);
    json_decref(live.status);
    return status;
}

int cli_check_live(const CliOptions *options, int count, char **words) {
    Arguments arguments;
    int status = parse(count, words, &arguments);
    if (status != CLI_DONE) {
        return status;
    }
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsDiag diag = {0};
    PsErr err = cli_load_checked(arguments.folder, &findings, &config, &diag);
    if (!options->json) {
        cli_print_findings(&findings);
    } else if (err != PS_OK) {
        cli_print_findings_json(&findings);
    }
    status = err == PS_OK ? check(options, &arguments, config, &findings)
                          : cli_checked_status(err, &diag);
    ps_findings_deinit(&findings);
    ps_config_free(config);
    return status;
}
