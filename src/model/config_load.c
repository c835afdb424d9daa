// Loads penstock.json and the scripts it names into a PsConfig. Blocks on files; not for the
// running main loop. One thread.
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "model/config.h"
#include "model/config_check.h"
#include "model/config_json.h"
#include "model/config_text.h"
#include "model/tables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 1000000

typedef struct Loader {
    PsConfig *config;
    const json_t *root;
    const PsConfigText *text;  // where the lists are; NULL when they are in `root`
    const PsConfigFile *files; // instead of those on the disk
    size_t file_count;
    PsOptionContext context;
} Loader;

json_t *ps_config_parse_json(const void *json, size_t len, PsFindings *findings) {
    json_error_t error;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        ps_config_text_refuse(findings, error.line, error.column, error.text);
        return NULL;
    }
    if (!json_is_object(root)) {
        ps_findings_error(findings, PS_CONFIG_FILE, NULL, NULL,
                          "must be one object: {\"version\": %d, \"devices\": [...], ...}",
                          PS_CONFIG_VERSION);
        json_decref(root);
        return NULL;
    }
    return root;
}

// "device 'Boiler'", or "devices[3]" for an object that has no usable name.
static void name_object(const PsOptionTable *table, const json_t *json, size_t index, char *out,
                        size_t size) {
    const char *name =
        table->name_key != NULL ? json_string_value(json_object_get(json, table->name_key)) : NULL;
    if (name != NULL && name[0] != '\0') {
        snprintf(out, size, "%s '%.100s'", table->kind, name);
    } else if (table->name_key != NULL) {
        snprintf(out, size, "%s[%zu]", table->block, index);
    } else {
        snprintf(out, size, "%s", table->block);
    }
}

// The elements of one block, wherever they are.
typedef struct List {
    const json_t *tree; // NULL: from the text
    const PsConfigText *text;
    const char *at;
    size_t count;
} List;

static List open_list(const Loader *loader, const PsOptionTable *table) {
    const PsConfigList *list =
        loader->text != NULL ? ps_config_text_list(loader->text, table->block) : NULL;
    if (list != NULL) {
        return (List){.text = loader->text, .at = list->text, .count = list->count};
    }
    const json_t *tree = json_object_get(loader->root, table->block);
    bool is_list = tree == NULL || json_is_array(tree);
    return (List){.tree = tree, .count = is_list ? json_array_size(tree) : SIZE_MAX};
}

// The element is the caller's.
static json_t *next_of(List *list, size_t index) {
    return list->tree != NULL ? json_incref(json_array_get(list->tree, index))
                              : ps_config_text_next(list->text, &list->at);
}

// Loads one block that is a list of objects; returns how many, `ret_items` an arena array.
static uint32_t load_list(Loader *loader, const PsOptionTable *table, size_t item_size,
                          uint32_t spare, void *ret_items) {
    List list = open_list(loader, table);
    if (list.count > LIST_MAX) {
        ps_findings_error(loader->context.findings, PS_CONFIG_FILE, table->block, NULL,
                          "must be a list of at most %d objects", LIST_MAX);
        list.count = 0;
    }
    size_t count = list.count;
    char *items = ps_arena_take(loader->config->arena, (count + spare) * item_size);
    for (size_t i = 0; i < count; i++) {
        json_t *json = next_of(&list, i);
        char object[128];
        name_object(table, json, i, object, sizeof object);
        loader->context.findings->place = (PsPlace){table->block, i};
        if (!json_is_object(json)) {
            ps_findings_error(loader->context.findings, PS_CONFIG_FILE, object, NULL,
                              "must be an object: {\"%s\": ...}", table->name_key);
        }
        ps_option_load(table, json, object, NULL, &loader->context, items + i * item_size);
        json_decref(json);
    }
    loader->context.findings->place = (PsPlace){0};
    *(void **)ret_items = items;
    return (uint32_t)count;
}

static void load_single(Loader *loader, const PsOptionTable *table, const char *const *also,
                        const json_t *json, void *target) {
    if (json != NULL && !json_is_object(json)) {
        ps_findings_error(loader->context.findings, PS_CONFIG_FILE, table->block, NULL,
                          "must be an object: {...}");
    }
    ps_option_load(table, json, table->block, also, &loader->context, target);
}

static void load_cloud(Loader *loader) {
    PsCloud *cloud = &loader->config->cloud;
    const json_t *json = json_object_get(loader->root, ps_table_cloud.block);
    if (json == NULL) {
        // No block: nothing to connect to, and nothing required.
        *cloud = (PsCloud){.endpoint = "",
                           .client_id = "",
                           .cert = "",
                           .key = "",
                           .root_ca = "",
                           .alpn = "",
                           .username = "",
                           .password_file = "",
                           .window = 1,
                           .publish_rate = PS_UNSET,
                           .publish_kib = PS_UNSET};
        return;
    }
    load_single(loader, &ps_table_cloud, NULL, json, cloud);
    if (cloud->port == PS_UNSET) {
        cloud->port = cloud->type == PS_CLOUD_AWS_IOT ? 8883 : 1883;
    }
}

static void load_custom(Loader *loader, const json_t *custom) {
    PsParameters *parameters = &loader->config->parameters;
    if (custom != NULL && !json_is_object(custom)) {
        ps_findings_error(loader->context.findings, PS_CONFIG_FILE, "parameters", "custom",
                          "must be an object of texts: {\"device_id\": \"1\"}");
        return;
    }
    PsArena *arena = loader->config->arena;
    parameters->custom = ps_arena_take(arena, (json_object_size(custom) + 1) * sizeof(PsCustom));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)custom, key, value) {
        if (!json_is_string(value)) {
            ps_findings_error(loader->context.findings, PS_CONFIG_FILE, "parameters", key,
                              "must be a text in quotes, as every custom parameter");
            continue;
        }
        parameters->custom[parameters->custom_count++] =
            (PsCustom){.name = ps_arena_strdup(arena, key),
                       .value = ps_arena_strdup(arena, json_string_value(value))};
    }
}

static void load_parameters(Loader *loader) {
    static const char *const also[] = {"custom", NULL};
    const json_t *json = json_object_get(loader->root, ps_table_parameters.block);
    load_single(loader, &ps_table_parameters, also, json, &loader->config->parameters);
    load_custom(loader, json_object_get(json, "custom"));
}

// `default` and `warning` exist even when the file does not have them.
static void add_predefined_groups(PsConfig *config) {
    static const struct {
        const char *name;
        PsGroupType type;
    } predefined[] = {{"default", PS_GROUP_COLLECT}, {"warning", PS_GROUP_ALARM}};
    for (size_t i = 0; i < PS_COUNT(predefined); i++) {
        bool found = false;
        for (uint32_t g = 0; g < config->group_count; g++) {
            found = found || strcmp(config->groups[g].name, predefined[i].name) == 0;
        }
        if (!found) {
            config->groups[config->group_count++] = (PsGroup){.name = predefined[i].name,
                                                              .type = predefined[i].type,
                                                              .polling_interval = 10,
                                                              .upload_interval = 10};
        }
    }
}

static void check_top_level(Loader *loader) {
    PsFindings *findings = loader->context.findings;
    const json_t *version = json_object_get(loader->root, "version");
    if (!json_is_integer(version) || json_integer_value(version) != PS_CONFIG_VERSION) {
        ps_findings_error(findings, PS_CONFIG_FILE, NULL, "version",
                          "must be %d: write \"version\": %d", PS_CONFIG_VERSION,
                          PS_CONFIG_VERSION);
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)loader->root, key, value) {
        ps_config_check_block(key, value, findings);
    }
}

const char *ps_config_short_path(const PsConfig *config, const char *path) {
    size_t len = strlen(config->folder);
    return strncmp(path, config->folder, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static const PsConfigFile *find_file(const Loader *loader, const char *path) {
    const char *wanted = ps_config_short_path(loader->config, path);
    for (size_t i = 0; i < loader->file_count; i++) {
        if (strcmp(loader->files[i].path, wanted) == 0) {
            return &loader->files[i];
        }
    }
    return NULL;
}

static void load_script(const Loader *loader, const char *object, const char *path, PsBuf *source) {
    if (path == NULL || path[0] == '\0') {
        return;
    }
    PsDiag diag = {0};
    const PsConfigFile *file = find_file(loader, path);
    if (file != NULL && file->len <= PS_SCRIPT_BYTES_MAX) {
        ps_buf_put(source, file->bytes, file->len);
    } else if (file != NULL) {
        ps_findings_error(loader->context.findings, PS_CONFIG_FILE, object, "script",
                          "%.255s is larger than %zu bytes, the most a script may have", path,
                          PS_SCRIPT_BYTES_MAX);
    } else if (ps_file_read(path, PS_SCRIPT_BYTES_MAX, source, &diag) != PS_OK) {
        ps_findings_error(loader->context.findings, PS_CONFIG_FILE, object, "script",
                          "%.255s %s; put the Python file there", path, diag.text);
    }
}

static void load_scripts(const Loader *loader) {
    PsConfig *config = loader->config;
    char object[128];
    for (uint32_t i = 0; i < config->publish_count; i++) {
        PsPublish *publish = &config->publish[i];
        snprintf(object, sizeof object, "publish '%.100s'", publish->name);
        load_script(loader, object, publish->script, &publish->source);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        PsSubscribe *subscribe = &config->subscribe[i];
        snprintf(object, sizeof object, "subscribe '%.100s'", subscribe->name);
        load_script(loader, object, subscribe->script, &subscribe->source);
    }
}

static void load_blocks(Loader *loader) {
    PsConfig *config = loader->config;
    check_top_level(loader);
    config->device_count =
        load_list(loader, &ps_table_device, sizeof(PsDevice), 0, &config->devices);
    config->alarm_count =
        load_list(loader, &ps_table_alarm, sizeof(PsAlarm), config->device_count, &config->alarms);
    config->variable_count = load_list(loader, &ps_table_variable, sizeof(PsVariable),
                                       config->alarm_count, &config->variables);
    config->group_count = load_list(loader, &ps_table_group, sizeof(PsGroup), 2, &config->groups);
    config->publish_count =
        load_list(loader, &ps_table_publish, sizeof(PsPublish), 0, &config->publish);
    config->subscribe_count =
        load_list(loader, &ps_table_subscribe, sizeof(PsSubscribe), 0, &config->subscribe);
    load_cloud(loader);
    load_parameters(loader);
    load_single(loader, &ps_table_web, NULL, json_object_get(loader->root, ps_table_web.block),
                &config->web);
    config->serial_count =
        load_list(loader, &ps_table_serial, sizeof(PsSerial), 0, &config->serials);
}

// `given` has where everything comes from.
static PsErr load_all(const char *folder, const Loader *given, PsVariableCheckFor *check_for,
                      PsFindings *findings, PsConfig **ret_config) {
    PsConfig *config = ps_alloc(sizeof *config);
    config->arena = ps_arena_new();
    char absolute[PATH_MAX];
    config->folder =
        ps_arena_strdup(config->arena, realpath(folder, absolute) != NULL ? absolute : folder);
    Loader loader = {.config = config,
                     .root = given->root,
                     .text = given->text,
                     .files = given->files,
                     .file_count = given->file_count,
                     .context = {.arena = config->arena,
                                 .folder = config->folder,
                                 .file = PS_CONFIG_FILE,
                                 .findings = findings,
                                 .texts = ps_text_pool_new(config->arena)}};
    load_blocks(&loader);
    ps_text_pool_free(loader.context.texts);
    loader.context.texts = NULL;
    if (findings->errors == 0) {
        // Checks across objects lean on what the tables guarantee, so they run on sound objects.
        add_predefined_groups(config);
        load_scripts(&loader);
        ps_config_check(config, check_for, findings);
    }
    if (findings->errors > 0) {
        ps_config_free(config);
        return PS_ERR_INVALID;
    }
    *ret_config = config;
    return PS_OK;
}

PsErr ps_config_from_json(const char *folder, const json_t *root, PsVariableCheckFor *check_for,
                          PsFindings *findings, PsConfig **ret_config) {
    return load_all(folder, &(Loader){.root = root}, check_for, findings, ret_config);
}

PsErr ps_config_parse_with(const char *folder, const void *json, size_t len,
                           const PsConfigFile *files, size_t file_count,
                           PsVariableCheckFor *check_for, PsFindings *findings,
                           PsConfig **ret_config) {
    PsConfigText text;
    if (!ps_config_text_init(&text, json, len, findings)) {
        return PS_ERR_INVALID;
    }
    Loader given = {.root = text.root, .text = &text, .files = files, .file_count = file_count};
    PsErr err = load_all(folder, &given, check_for, findings, ret_config);
    ps_config_text_deinit(&text);
    return err;
}

PsErr ps_config_parse(const char *folder, const void *json, size_t len,
                      PsVariableCheckFor *check_for, PsFindings *findings, PsConfig **ret_config) {
    return ps_config_parse_with(folder, json, len, NULL, 0, check_for, findings, ret_config);
}

PsErr ps_config_load(const char *folder, PsVariableCheckFor *check_for, PsFindings *findings,
                     PsConfig **ret_config) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, PS_CONFIG_FILE);
    PS_AUTO_BUF PsBuf text = {0};
    PsDiag diag = {0};
    if (ps_file_read(path, PS_CONFIG_BYTES_MAX, &text, &diag) != PS_OK) {
        ps_findings_error(findings, PS_CONFIG_FILE, path, NULL, "%s; name the folder that holds %s",
                          diag.text, PS_CONFIG_FILE);
        return PS_ERR_INVALID;
    }
    return ps_config_parse(folder, text.data, text.len, check_for, findings, ret_config);
}

void ps_config_free(PsConfig *config) {
    if (config == NULL) {
        return;
    }
    for (uint32_t i = 0; i < config->publish_count; i++) {
        ps_buf_deinit(&config->publish[i].source);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        ps_buf_deinit(&config->subscribe[i].source);
    }
    ps_arena_free(config->arena);
    free(config);
}
