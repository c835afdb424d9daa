// Writes a PsConfig back as penstock.json, and expands ${name} in topics. Pure; any thread.
#include "model/config.h"
#include "model/tables.h"

#include <string.h>

static void write_list(const PsOptionTable *table, const void *items, uint32_t count,
                       size_t item_size, const char *folder, PsBuf *out) {
    ps_buf_printf(out, ",\n  \"%s\": [", table->block);
    for (uint32_t i = 0; i < count; i++) {
        ps_buf_printf(out, "%s\n    ", i > 0 ? "," : "");
        ps_option_write(table, (const char *)items + i * item_size, folder, out);
    }
    ps_buf_printf(out, "%s]", count > 0 ? "\n  " : "");
}

static void write_parameters(const PsConfig *config, PsBuf *out) {
    const PsParameters *parameters = &config->parameters;
    ps_buf_printf(out, ",\n  \"parameters\": ");
    ps_option_write(&ps_table_parameters, parameters, config->folder, out);
    if (parameters->custom_count == 0) {
        return;
    }
    out->len--; // reopen the object: `custom` is a map of the user's own keys, not a table
    ps_buf_printf(out, "%s\"custom\": {", out->data[out->len - 1] == '{' ? "" : ", ");
    for (uint32_t i = 0; i < parameters->custom_count; i++) {
        ps_buf_printf(out, "%s", i > 0 ? ", " : "");
        ps_option_write_text(parameters->custom[i].name, out);
        ps_buf_printf(out, ": ");
        ps_option_write_text(parameters->custom[i].value, out);
    }
    ps_buf_printf(out, "}}");
}

// Most gateways have nothing to say here.
static void write_web(const PsConfig *config, PsBuf *out) {
    bool plain = true;
    for (size_t i = 0; i < ps_table_web.count; i++) {
        plain = plain && ps_option_is_default(&ps_table_web.options[i], &config->web);
    }
    if (!plain) {
        ps_buf_printf(out, ",\n  \"web\": ");
        ps_option_write(&ps_table_web, &config->web, config->folder, out);
    }
}

void ps_config_write(const PsConfig *config, PsBuf *out) {
    const char *folder = config->folder;
    ps_buf_printf(out, "{\n  \"version\": %d", PS_CONFIG_VERSION);
    write_list(&ps_table_device, config->devices, config->device_count, sizeof(PsDevice), folder,
               out);
    write_list(&ps_table_variable, config->variables, config->variable_count, sizeof(PsVariable),
               folder, out);
    write_list(&ps_table_group, config->groups, config->group_count, sizeof(PsGroup), folder, out);
    write_list(&ps_table_alarm, config->alarms, ps_config_warning_count(config), sizeof(PsAlarm),
               folder, out);
    if (config->cloud.endpoint[0] != '\0') {
        ps_buf_printf(out, ",\n  \"cloud\": ");
        ps_option_write(&ps_table_cloud, &config->cloud, folder, out);
    }
    write_list(&ps_table_publish, config->publish, config->publish_count, sizeof(PsPublish), folder,
               out);
    write_list(&ps_table_subscribe, config->subscribe, config->subscribe_count, sizeof(PsSubscribe),
               folder, out);
    write_parameters(config, out);
    write_web(config, out);
    write_list(&ps_table_serial, config->serials, config->serial_count, sizeof(PsSerial), folder,
               out);
    ps_buf_printf(out, "\n}\n");
}

static const PsCustom *find_custom(const PsConfig *config, const char *name, size_t len) {
    for (uint32_t i = 0; i < config->parameters.custom_count; i++) {
        const PsCustom *custom = &config->parameters.custom[i];
        if (strlen(custom->name) == len && memcmp(custom->name, name, len) == 0) {
            return custom;
        }
    }
    return NULL;
}

void ps_config_expand(const PsConfig *config, const char *text, PsBuf *out,
                      const char **ret_unknown, size_t *ret_unknown_len) {
    *ret_unknown = NULL;
    *ret_unknown_len = 0;
    ps_buf_reserve(out, strlen(text));
    const char *at = text;
    for (;;) {
        const char *open = strstr(at, "${");
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL) {
            ps_buf_put(out, at, strlen(at));
            return;
        }
        ps_buf_put(out, at, (size_t)(open - at));
        const PsCustom *custom = find_custom(config, open + 2, (size_t)(close - open - 2));
        size_t len = (size_t)(close + 1 - open);
        if (custom != NULL) {
            ps_buf_put(out, custom->value, strlen(custom->value));
        } else {
            ps_buf_put(out, open, len);
            if (*ret_unknown == NULL) {
                *ret_unknown = open;
                *ret_unknown_len = len;
            }
        }
        at = close + 1;
    }
}
