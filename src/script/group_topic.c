// Fills parameters in and finds the publish entry of a group. Pure; loop thread.
#include "script/group_topic.h"

#include "base/mem.h"

#include <string.h>

char *ps_script_expand_topic(const PsConfig *config, const char *topic) {
    PS_AUTO_BUF PsBuf text = {0};
    const char *unknown = NULL;
    size_t unknown_len = 0;
    ps_config_expand(config, topic, &text, &unknown, &unknown_len);
    return ps_strdup((const char *)text.data);
}

static bool has_group(const PsPublish *publish, PsWireText group) {
    for (uint32_t i = 0; i < publish->group_names.count; i++) {
        const char *name = publish->group_names.items[i];
        if (strlen(name) == group.len && memcmp(name, group.data, group.len) == 0) {
            return true;
        }
    }
    return false;
}

char *ps_script_group_topic(const PsConfig *config, PsWireText group, int *ret_qos) {
    for (uint32_t i = 0; i < config->publish_count; i++) {
        const PsPublish *publish = &config->publish[i];
        if (!has_group(publish, group)) {
            continue;
        }
        *ret_qos = publish->qos;
        return ps_script_expand_topic(config, publish->topic);
    }
    return NULL;
}
