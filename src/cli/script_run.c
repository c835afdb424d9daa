// `penstock script run`: one call of a draft, on the gateway's newest values or, with --input, on a
// written-down data_collect and without a gateway. The script of a configured message has what that
// message has. Nothing is sent or written. Blocking.
#include "cli/script_message.h"
#include "cli/script_show.h"
#include "cli/trial_place.h"

#include "base/file.h"
#include "script/sample.h"
#include "script/trial_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define INPUT_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TIMEOUT_S 30.0
#define ANSWER_S 30.0
#define MAIN_FUNCTION "main"

typedef struct Arguments {
    const char *file;
    const char *message;
    const char *main_function; // NULL: the message's, or `main`
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
    {"--message", offsetof(Arguments, message)},
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
    *ret_arguments = (Arguments){0};
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
                        "[--message NAME] [--main F] [--group-type alarm] [--input FILE | --group "
                        "NAME | --topic T "
                        "--payload P]");
    }
    const char *type = ret_arguments->group_type;
    if (type != NULL && strcmp(type, "collect") != 0 && strcmp(type, "alarm") != 0) {
        return cli_fail(CLI_USAGE, "--group-type is collect or alarm, not '%s'", type);
    }
    return CLI_DONE;
}

// What the draft ran as.
typedef struct Used {
    char message[160]; // "" when it is the script of none
    char main_function[160];
} Used;

static void note_used(Used *used, const char *message, const char *main_function) {
    snprintf(used->message, sizeof used->message, "%s", message);
    snprintf(used->main_function, sizeof used->main_function, "%s", main_function);
}

static int read_whole(const char *path, size_t limit, PsBuf *bytes) {
    PsDiag diag = {0};
    if (ps_file_read(path, limit, bytes, &diag) == PS_OK) {
        return CLI_DONE;
    }
    return cli_fail(CLI_FAILED, "%s: %s", path, diag.text);
}

// --- through the gateway ------------------------------------------------------------------------

// The message that the file is the script of, if it is one; its row is the caller's. False when the
// gateway does not answer, which was said.
static bool ask_for_message(CliClient *client, const Arguments *arguments, json_t **ret_row) {
    json_t *result = cli_client_call(client, json_pack("{s:s}", "call", "GET /messages"));
    if (result == NULL) {
        return false;
    }
    const json_t *row = cli_find_message(json_object_get(result, "messages"), arguments->file,
                                         arguments->message, arguments->main_function);
    *ret_row = json_incref((json_t *)(uintptr_t)row);
    json_decref(result);
    return true;
}

static json_t *call_of(const Arguments *arguments, const json_t *row, json_t *text) {
    json_t *call = json_pack("{s:s, s:o}", "call", "POST /scripts/run", "source", text);
    const char *message = row != NULL ? cli_text(row, "name") : arguments->message;
    const char *function = arguments->main_function;
    if (function == NULL && message == NULL) {
        function = MAIN_FUNCTION;
    }
    const char *const keys[] = {"message",    "main_function", "group",
                                "group_type", "topic",         "payload"};
    const char *const values[] = {message,          function,
                                  arguments->group, arguments->group_type,
                                  arguments->topic, arguments->payload};
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        if (values[i] != NULL) {
            json_object_set_new(call, keys[i], json_string(values[i]));
        }
    }
    return call;
}

static json_t *run_there(const CliOptions *options, const Arguments *arguments, const PsBuf *source,
                         Used *ret_used) {
    json_t *text = json_stringn((const char *)source->data, source->len);
    if (text == NULL) {
        cli_fail(CLI_FAILED, "%s: is not UTF-8; save the script as UTF-8", arguments->file);
        return NULL;
    }
    json_t *row = NULL;
    json_t *result = NULL;
    CliClient *client = cli_client_open(options);
    if (client == NULL || !ask_for_message(client, arguments, &row)) {
        json_decref(text);
    } else {
        if (row != NULL) {
            note_used(ret_used, cli_text(row, "name"), cli_text(row, "main_function"));
            // The call may take this long, and so may a callback.
            cli_client_wait(client, ANSWER_S + 2 * cli_number(row, "timeout"));
        }
        result = cli_client_call(client, call_of(arguments, row, text));
    }
    json_decref(row);
    cli_client_close(client);
    return result;
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
    CliTrialPlace place = {0};
    cli_trial_place_init(&place);
    Here here = {.config = given->config};
    PsTrialSetup setup = *given;
    setup.loop = &loop;
    setup.program = place.program;
    setup.scratch = cli_trial_place_scratch(&place);
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
    cli_trial_place_deinit(&place);
    return here.result;
}

// The draft of a publish message, on a written-down input.
static json_t *run_sample(const Arguments *arguments, const PsPublish *publish,
                          PsScriptSample *sample, PsBuf *source) {
    static const PsPublish none = {
        .main_function = MAIN_FUNCTION, .topic = "", .qos = 1, .timeout = TIMEOUT_S};
    const PsPublish *defaults = publish != NULL ? publish : &none;
    bool alarm = sample->config.groups[0].type == PS_GROUP_ALARM;
    PsTrialSetup setup = {
        .config = &sample->config,
        .kind = PS_SCRIPT_PUBLISH,
        .name = "trial",
        .main_function =
            arguments->main_function != NULL ? arguments->main_function : defaults->main_function,
        .topic = arguments->topic != NULL ? arguments->topic : defaults->topic,
        .qos = defaults->qos,
        .timeout_s = defaults->timeout,
        .limits = &defaults->limits,
        .source = source,
        .upload = alarm ? NULL : &sample->upload,
        .alarms = alarm ? &sample->alarms : NULL,
    };
    return run_trial(&setup);
}

static PsGroupType type_of_input(const Arguments *arguments, const PsPublish *publish) {
    if (arguments->group_type != NULL) {
        return strcmp(arguments->group_type, "alarm") == 0 ? PS_GROUP_ALARM : PS_GROUP_COLLECT;
    }
    return publish != NULL ? (PsGroupType)publish->group_type : PS_GROUP_COLLECT;
}

static json_t *run_here(const Arguments *arguments, PsBuf *source, Used *ret_used) {
    PS_AUTO_BUF PsBuf input = {0};
    if (read_whole(arguments->input, INPUT_BYTES_MAX, &input) != CLI_DONE) {
        return NULL;
    }
    PsConfig *config = cli_config_of(arguments->file);
    const PsPublish *publish = config != NULL
                                   ? cli_find_publish(config, arguments->file, arguments->message,
                                                      arguments->main_function)
                                   : NULL;
    PsGroupType type = type_of_input(arguments, publish);
    PsScriptSample sample = {0};
    PsDiag diag = {0};
    json_t *result = NULL;
    if (publish == NULL && arguments->message != NULL) {
        cli_fail(CLI_FAILED, "%s: there is no publish message of this name in the %s beside %s",
                 arguments->message, PS_CONFIG_FILE, arguments->file);
    } else if (ps_script_sample_parse((const char *)input.data, input.len, type, &sample, &diag) !=
               PS_OK) {
        cli_fail(CLI_FAILED, "%s: %s: %s", arguments->input, diag.field, diag.text);
    } else {
        if (publish != NULL) {
            note_used(ret_used, publish->name, publish->main_function);
            sample.config.parameters = config->parameters; // for ${name} in the topic
            sample.config.cloud.type = config->cloud.type;
        }
        result = run_sample(arguments, publish, &sample, source);
        ps_script_sample_deinit(&sample);
    }
    ps_config_free(config);
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
    Used used = {.main_function = MAIN_FUNCTION};
    json_t *result = arguments.input != NULL ? run_here(&arguments, &source, &used)
                                             : run_there(options, &arguments, &source, &used);
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (arguments.main_function != NULL) {
        snprintf(used.main_function, sizeof used.main_function, "%s", arguments.main_function);
    }
    if (options->json) {
        json_object_set_new(result, "message", json_string(used.message));
        json_object_set_new(result, "main_function", json_string(used.main_function));
        cli_print_json(result);
    } else {
        if (used.message[0] != '\0') {
            printf("as message '%s'\n", used.message);
        }
        cli_show_trial(result, arguments.file, used.main_function);
    }
    status = json_is_true(json_object_get(result, "ok")) ? CLI_DONE : CLI_FAILED;
    json_decref(result);
    return status;
}
