// See its header. Files in a temporary folder; one thread.
#include "script/config_rig.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/penstock-apply-XXXXXX";

int config_rig_setup(void **state) {
    return mkdtemp(folder) != NULL ? 0 : -1;
}

int config_rig_teardown(void **state) {
    DIR *files = opendir(folder);
    if (files == NULL) {
        return -1;
    }
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        unlink(path); // not `.` and `..`, which are no files
    }
    closedir(files);
    return rmdir(folder);
}

void config_rig_script(const char *file, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(ps_file_write(path, text, strlen(text), 0644, NULL), PS_OK);
}

typedef void PutWord(const char *word, PsBuf *json);

// A JSON list of what `put` makes of each word.
static void put_words(const char *words, PutWord *put, PsBuf *json) {
    PS_AUTO_FREE char *copy = ps_strdup(words);
    char *rest = NULL;
    const char *separator = "";
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        ps_buf_printf(json, "%s", separator);
        put(word, json);
        separator = ", ";
    }
}

static void put_group(const char *name, PsBuf *json) {
    size_t len = strcspn(name, "*");
    ps_buf_printf(json, "{\"group_name\": \"%.*s\", \"every_sample\": %s}", (int)len, name,
                  name[len] == '*' ? "true" : "false");
}

static void put_variable(const char *word, PsBuf *json) {
    const char *slash = strchr(word, '/');
    ps_buf_printf(json,
                  "{\"var_name\": \"%s\", \"device\": \"A\", \"group\": \"%.*s\", \"data_type\": "
                  "\"WORD\", \"register_addr\": 40001, \"read_write\": \"read/write\"}",
                  slash + 1, (int)(slash - word), word);
}

static void put_name(const char *name, PsBuf *json) {
    ps_buf_printf(json, "\"%s\"", name);
}

static void put_messages(const RigDefinition *definitions, bool publish, PsBuf *json) {
    const char *separator = "";
    for (const RigDefinition *at = definitions; at->name != NULL; at++) {
        if ((at->groups != NULL) != publish) {
            continue;
        }
        ps_buf_printf(json,
                      "%s{\"name\": \"%s\", \"topic\": \"%s\", \"qos\": 1, \"script\": \"%s\", "
                      "\"main_function\": \"%s\"%s",
                      separator, at->name, at->topic, at->script,
                      at->main_function != NULL ? at->main_function : "main",
                      at->more != NULL ? at->more : "");
        if (publish) {
            ps_buf_printf(json, ", \"groups\": [");
            put_words(at->groups, put_name, json);
            ps_buf_printf(json, "]");
        }
        ps_buf_printf(json, "}");
        separator = ", ";
    }
}

PsConfig *config_rig_make(const RigPlan *plan) {
    PS_AUTO_BUF PsBuf json = {0};
    ps_buf_printf(&json,
                  "{\"version\": 1, \"cloud\": {\"enable\": false, \"endpoint\": \"h\", "
                  "\"client_id\": \"c\", \"type\": \"%s\"}, \"devices\": [{\"device_name\": \"A\", "
                  "\"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.1\"}], \"groups\": [",
                  plan->cloud != NULL ? plan->cloud : "AWS IoT");
    put_words(plan->groups, put_group, &json);
    ps_buf_printf(&json, "], \"vars\": [");
    put_words(plan->variables, put_variable, &json);
    ps_buf_printf(&json, "], \"publish\": [");
    put_messages(plan->definitions, true, &json);
    ps_buf_printf(&json, "], \"subscribe\": [");
    put_messages(plan->definitions, false, &json);
    ps_buf_printf(&json, "]%s}", plan->more != NULL ? plan->more : "");
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err = ps_config_parse(folder, json.data, json.len, NULL, &findings, &config);
    for (size_t i = 0; err != PS_OK && i < findings.count; i++) {
        char line[512];
        ps_finding_format(&findings.items[i], line, sizeof line);
        print_message("%s\n", line);
    }
    ps_findings_deinit(&findings);
    assert_int_equal(err, PS_OK);
    return config;
}

PsConfig *config_rig_apply(Rig *rig, PsConfig *former, PsConfig *config) {
    PsConfigMap *map = ps_config_map_new(former, config);
    ps_buf_clear(&rig->anew);
    ps_script_host_apply(rig->host, config, map, &rig->anew);
    ps_config_map_free(map);
    ps_config_free(former);
    return config;
}

PsConfig *config_rig_change(Rig *rig, PsConfig *former, const RigPlan *plan) {
    return config_rig_apply(rig, former, config_rig_make(plan));
}

uint32_t config_rig_publish(const PsConfig *config, const char *name) {
    uint32_t at = 0;
    while (at < config->publish_count && strcmp(config->publish[at].name, name) != 0) {
        at++;
    }
    assert_true(at < config->publish_count);
    return at;
}

static uint32_t find_group(const PsConfig *config, const char *name) {
    uint32_t at = 0;
    while (at < config->group_count && strcmp(config->groups[at].name, name) != 0) {
        at++;
    }
    assert_true(at < config->group_count);
    return at;
}

static PsErr collect(Rig *rig, const PsConfig *config, const char *message, const char *group,
                     PsWall collected, bool waits) {
    uint32_t number = find_group(config, group);
    PsUploadItem *items = ps_alloc_array(config->variable_count + 1, sizeof *items);
    PsUpload upload = {.group = number, .collected = collected, .waits = waits, .items = items};
    for (uint32_t i = 0; i < config->variable_count; i++) {
        if (config->variables[i].group == number) {
            int64_t value = strtol(config->variables[i].name + 1, NULL, 10);
            items[upload.item_count++] =
                (PsUploadItem){.variable = i, .good = true, .value = ps_value_int(value)};
        }
    }
    PsErr err = ps_script_host_collect(rig->host, config_rig_publish(config, message), &upload);
    free(items);
    return err;
}

PsErr config_rig_upload(Rig *rig, const PsConfig *config, const char *message, const char *group,
                        int64_t collected_ns) {
    return collect(rig, config, message, group, (PsWall){collected_ns}, false);
}

PsErr config_rig_sample(Rig *rig, const PsConfig *config, const char *message, const char *group,
                        int64_t collected_ns) {
    return collect(rig, config, message, group, (PsWall){collected_ns}, true);
}

void config_rig_flush(Rig *rig, const PsConfig *config, const char *message, const char *group) {
    ps_script_host_flush(rig->host, config_rig_publish(config, message), find_group(config, group));
}
