// `penstock script run`: one call of a draft, on the gateway's newest values or, with --input, on a
// written-down data_collect and without a gateway. Nothing is sent or written. Blocking.
#include "cli/script_show.h"

#include "base/file.h"
#include "script/sample.h"
#include "script/trial_report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define INPUT_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TIMEOUT_S 30.0

typedef struct Arguments {
    const char *file;
    const char *main_function;
    const char *input;
    const char *group;
    const char *group_type;
    const char *topic;
    const char *payload;
} Arguments;

typedef struct Option {
    const char *name;
    size_t offset;
} Option;

static const Option option_table[] = {
    {"--main", offsetof(Arguments, main_function)},
    {"--input", offsetof(Arguments, input)},
    {"--group", offsetof(Arguments, group)},
    {"--group-type", offsetof(Arguments, group_type)},
    {"--topic", offsetof(Arguments, topic)},
    {"--payload", offsetof(Arguments, payload)},
};

static const Option *find_option(const char *name) {
    for (size_t i = 0; i < PS_COUNT(option_table); i++) {
        if (strcmp(option_table[i].name, name) == 0) {
            return &option_table[i];
        }
    }
    return NULL;
}

static int parse(int count, char **words, Arguments *ret_arguments) {
    *ret_arguments = (Arguments){.main_function = "main"};
    for (int i = 0; i < count; i++) {
        const Option *option = find_option(words[i]);
        if (option != NULL && i + 1 < count) {
            *(const char **)((char *)ret_arguments + option->offset) = words[++i];
        } else if (option != NULL || strncmp(words[i], "--", 2) == 0) {
            return cli_fail(CLI_USAGE,
                            option != NULL ? "%s needs a word behind it"
                                           : "script run has no option '%s'",
                            words[i]);
        } else if (ret_arguments->file == NULL) {
            ret_arguments->file = words[i];
        } else {
            return cli_fail(CLI_USAGE, "script run takes one file, not also '%s'", words[i]);
        }
    }
    if (ret_arguments->file == NULL) {
        return cli_fail(CLI_USAGE,
                        "script run needs the file of a script: penstock script run FILE "
                        "[--main F] [--group-type alarm] [--input FILE | --group NAME | --topic T "
                        "--payload P]");
    }
    const char *type = ret_arguments->group_type;
    if (type != NULL && strcmp(type, "collect") != 0 && strcmp(type, "alarm") != 0) {
        return cli_fail(CLI_USAGE, "--group-type is collect or alarm, not '%s'", type);
    }
    return CLI_DONE;
}

static int read_whole(const char *path, size_t limit, PsBuf *bytes) {
    PsDiag diag = {0};
    if (ps_file_read(path, limit, bytes, &diag) == PS_OK) {
        return CLI_DONE;
    }
    return cli_fail(CLI_FAILED, "%s: %s", path, diag.text);
}

// --- through the gateway ------------------------------------------------------------------------

static json_t *run_there(const CliOptions *options, const Arguments *arguments,
                         const PsBuf *source) {
    json_t *text = json_stringn((const char *)source->data, source->len);
    if (text == NULL) {
        cli_fail(CLI_FAILED, "%s: is not UTF-8; save the script as UTF-8", arguments->file);
        return NULL;
    }
    json_t *call = json_pack("{s:s, s:o, s:s}", "call", "script_run", "source", text,
                             "main_function", arguments->main_function);
    const char *const keys[] = {"group", "group_type", "topic", "payload"};
    const char *const values[] = {arguments->group, arguments->group_type, arguments->topic,
                                  arguments->payload};
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        if (values[i] != NULL) {
            json_object_set_new(call, keys[i], json_string(values[i]));
        }
    }
    return cli_call_once(options, call);
}

// --- here ---------------------------------------------------------------------------------------

typedef struct Here {
    const PsConfig *config;
    json_t *result;
} Here;

static void on_done(const PsTrialReport *report, void *ctx) {
    Here *here = ctx;
    here->result = ps_trial_report_json(report, here->config);
}

static json_t *run_trial(const PsTrialSetup *given) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    char folder[PATH_MAX];
    cli_program_folder(folder, sizeof folder);
    char program[PATH_MAX + 32];
    snprintf(program, sizeof program, "%s/penstock-script", folder);
    char scratch[] = "/tmp/penstock-trial-XXXXXX"; // of our own, removed below
    bool has_scratch = mkdtemp(scratch) != NULL;
    Here here = {.config = given->config};
    PsTrialSetup setup = *given;
    setup.loop = &loop;
    setup.program = program;
    setup.scratch = has_scratch ? scratch : NULL;
    setup.done = on_done;
    setup.ctx = &here;
    PsTrial *trial = NULL;
    PsDiag diag = {0};
    if (ps_trial_start(&setup, &trial, &diag) != PS_OK) {
        char line[sizeof diag];
        ps_diag_format(&diag, line, sizeof line);
        cli_fail(CLI_FAILED, "%s", line);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (has_scratch) {
        rmdir(scratch); // penstock-script has emptied it
    }
    return here.result;
}

static json_t *run_here(const Arguments *arguments, PsBuf *source) {
    PS_AUTO_BUF PsBuf input = {0};
    if (read_whole(arguments->input, INPUT_BYTES_MAX, &input) != CLI_DONE) {
        return NULL;
    }
    PsScriptSample sample = {0};
    PsDiag diag = {0};
    bool alarm = arguments->group_type != NULL && strcmp(arguments->group_type, "alarm") == 0;
    PsGroupType type = alarm ? PS_GROUP_ALARM : PS_GROUP_COLLECT;
    if (ps_script_sample_parse((const char *)input.data, input.len, type, &sample, &diag) !=
        PS_OK) {
        cli_fail(CLI_FAILED, "%s: %s: %s", arguments->input, diag.field, diag.text);
        return NULL;
    }
    PsTrialSetup setup = {
        .config = &sample.config,
        .kind = PS_SCRIPT_PUBLISH,
        .name = "trial",
        .main_function = arguments->main_function,
        .topic = arguments->topic != NULL ? arguments->topic : "",
        .qos = 1,
        .timeout_s = TIMEOUT_S,
        .source = source,
        .upload = alarm ? NULL : &sample.upload,
        .alarms = alarm ? &sample.alarms : NULL,
    };
    json_t *result = run_trial(&setup);
    ps_script_sample_deinit(&sample);
    return result;
}

int cli_script_run(const CliOptions *options, int count, char **words) {
    Arguments arguments;
    int status = parse(count, words, &arguments);
    if (status != CLI_DONE) {
        return status;
    }
    PS_AUTO_BUF PsBuf source = {0};
    if (read_whole(arguments.file, PS_SCRIPT_BYTES_MAX, &source) != CLI_DONE) {
        return CLI_FAILED;
    }
    json_t *result = arguments.input != NULL ? run_here(&arguments, &source)
                                             : run_there(options, &arguments, &source);
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    } else {
        cli_show_trial(result, arguments.file, arguments.main_function);
    }
    status = json_is_true(json_object_get(result, "ok")) ? CLI_DONE : CLI_FAILED;
    json_decref(result);
    return status;
}
