// Checks across the objects of a configuration, and the indexes they leave behind.
// Reads file attributes (certificates), otherwise pure. One thread.
#include "model/config_check.h"

#include "base/text.h"
#include "model/checker.h"
#include "model/tables.h"
#include "model/topic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME PS_CONFIG_FILE

static void at(PsChecker *checker, const char *kind, const char *name) {
    snprintf(checker->object, sizeof checker->object, "%s '%.100s'", kind, name);
}

#define FAIL PS_CHECK_FAIL
#define WARN PS_CHECK_WARN

static const struct {
    const char *key;
    const char *what;
} later_blocks[] = {
    {"api", "the web interface is"},
};

void ps_config_check_block(const char *key, const json_t *value, PsFindings *findings) {
    const char *known[16] = {"version"};
    size_t count = 1;
    for (const PsOptionTable *const *table = ps_tables; *table != NULL; table++) {
        known[count++] = (*table)->block;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(known[i], key) == 0) {
            return;
        }
    }
    for (size_t i = 0; i < PS_COUNT(later_blocks); i++) {
        if (strcmp(later_blocks[i].key, key) == 0) {
            if (json_array_size(value) + json_object_size(value) > 0) {
                ps_findings_error(findings, FILE_NAME, key, NULL,
                                  "%s not available in this version; remove the block",
                                  later_blocks[i].what);
            }
            return;
        }
    }
    const char *nearest = ps_text_nearest(key, known, count);
    ps_findings_error(findings, FILE_NAME, key, NULL, "is not a known block; %s%s%s",
                      nearest != NULL ? "did you mean '" : "remove it",
                      nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static void fail_protocol(PsChecker *checker, int protocol) {
    PS_AUTO_BUF PsBuf there = {0};
    for (int i = 0; i <= PS_PROTOCOL_SIMULATOR; i++) {
        if (checker->check_for(i) != NULL) {
            ps_buf_printf(&there, "%s%s", there.len > 0 ? ", " : "", ps_protocol_name(i));
        }
    }
    FAIL(checker, "protocol", "%s is not available in this version, which has %s",
         ps_protocol_name(protocol), there.len > 0 ? (const char *)there.data : "none");
}

static void check_devices(PsChecker *checker) {
    PsConfig *config = checker->config;
    for (uint32_t i = 0; i < config->device_count; i++) {
        PsDevice *device = &config->devices[i];
        at(checker, "device", device->name);
        checker->findings->place = (PsPlace){ps_table_device.block, i};
        if (!ps_map_put(&checker->devices, NULL, device->name, i)) {
            FAIL(checker, "device_name", "is used twice; give each device a name of its own");
        }
        if (checker->check_for != NULL && checker->check_for(device->protocol) == NULL) {
            fail_protocol(checker, device->protocol);
        }
        ps_checker_way(checker, device);
        ps_checker_protocol(checker, device, i);
    }
}

static void check_groups(PsChecker *checker) {
    PsConfig *config = checker->config;
    for (uint32_t i = 0; i < config->group_count; i++) {
        const PsGroup *group = &config->groups[i];
        at(checker, "group", group->name);
        checker->findings->place = (PsPlace){ps_table_group.block, i};
        if (!ps_map_put(&checker->groups, NULL, group->name, i)) {
            FAIL(checker, "group_name", "is used twice; give each group a name of its own");
        }
        if (strcmp(group->name, "default") == 0 && group->type != PS_GROUP_COLLECT) {
            FAIL(checker, "group_type", "of the predefined group 'default' is collect");
        }
        if (strcmp(group->name, "warning") == 0 && group->type != PS_GROUP_ALARM) {
            FAIL(checker, "group_type", "of the predefined group 'warning' is alarm");
        }
    }
}

uint32_t ps_checker_group(PsChecker *checker, const char *field, const char *name, int type) {
    uint32_t group = ps_map_find(&checker->groups, NULL, name);
    if (group == PS_MAP_NONE) {
        FAIL(checker, field, "there is no group '%.100s'; add it to groups or name another", name);
        return 0;
    }
    if (checker->config->groups[group].type != type) {
        FAIL(checker, field, "'%.100s' is %s group; name %s group", name,
             type == PS_GROUP_COLLECT ? "an alarm" : "a collect",
             type == PS_GROUP_COLLECT ? "a collect" : "an alarm");
    }
    return group;
}

uint32_t ps_checker_device(PsChecker *checker, const char *name) {
    uint32_t device = ps_map_find(&checker->devices, NULL, name);
    if (device == PS_MAP_NONE) {
        FAIL(checker, "device",
             "there is no device '%.100s'; add it to devices or correct the name", name);
    }
    return device;
}

bool ps_checker_can_exist(PsChecker *checker, const PsVariable *variable) {
    const PsDevice *owner = &checker->config->devices[variable->device];
    PsVariableCheck *check =
        checker->check_for != NULL ? checker->check_for(owner->protocol) : NULL;
    PsDiag diag = {0};
    if (check == NULL || check(owner, variable, &diag) == PS_OK) {
        return true;
    }
    FAIL(checker, diag.field, "%s", diag.text);
    return false;
}

static void check_variable(PsChecker *checker, PsVariable *variable) {
    variable->group = ps_checker_group(checker, "group", variable->group_name, PS_GROUP_COLLECT);
    checker->config->groups[variable->group].variable_count++;
    uint32_t device = ps_checker_device(checker, variable->device_name);
    if (device != PS_MAP_NONE) {
        variable->device = device;
        (void)ps_checker_can_exist(checker, variable); // there is a finding
        ps_checker_foreign(checker, &ps_table_variable, variable,
                           checker->config->devices[device].protocol);
    }
}

static void check_variables(PsChecker *checker) {
    PsConfig *config = checker->config;
    ps_map_reserve(&checker->variables, config->variable_count);
    for (uint32_t i = 0; i < config->variable_count; i++) {
        PsVariable *variable = &config->variables[i];
        checker->findings->place = (PsPlace){ps_table_variable.block, i};
        snprintf(checker->object, sizeof checker->object, "var '%.50s' of device '%.50s'",
                 variable->name, variable->device_name);
        if (!ps_map_put(&checker->variables, variable->device_name, variable->name, i)) {
            FAIL(checker, "var_name", "is used twice in this device; give it a name of its own");
        }
        check_variable(checker, variable);
    }
}

static void check_qos(PsChecker *checker, int qos) {
    if (qos == 2 && checker->config->cloud.type == PS_CLOUD_AWS_IOT) {
        FAIL(checker, "qos", "2 is not offered by AWS IoT; use 1");
    }
}

static void check_topic(PsChecker *checker, const char *field, const char *topic,
                        PsErr (*check)(const char *, bool, PsDiag *)) {
    PS_AUTO_BUF PsBuf expanded = {0};
    const char *unknown = NULL;
    size_t unknown_len = 0;
    ps_config_expand(checker->config, topic, &expanded, &unknown, &unknown_len);
    if (unknown != NULL) {
        WARN(checker, field, "%.*s is no custom parameter and stays as it is written",
             (int)(unknown_len < 100 ? unknown_len : 100), unknown);
    }
    bool aws = checker->config->cloud.type == PS_CLOUD_AWS_IOT;
    PsDiag diag = {0};
    if (check((const char *)expanded.data, aws, &diag) != PS_OK) {
        FAIL(checker, field, "%s", diag.text);
    }
    if (aws && expanded.data[0] == '$' &&
        strncmp((const char *)expanded.data, "$aws/", strlen("$aws/")) != 0) {
        WARN(checker, field,
             "begins with $, which AWS IoT reserves; the server may cut the "
             "connection");
    }
}

static void check_delivery(PsChecker *checker, const PsMessageDelivery *delivery) {
    if (delivery->gap_topic[0] != '\0') {
        check_topic(checker, "gap_topic", delivery->gap_topic, ps_topic_check_name);
    }
    if (delivery->pack_kib > (int)(PS_AWS_PAYLOAD_BYTES / 1024) &&
        checker->config->cloud.type == PS_CLOUD_AWS_IOT) {
        FAIL(checker, "pack_kib", "is %d; AWS IoT takes messages of at most %d", delivery->pack_kib,
             (int)(PS_AWS_PAYLOAD_BYTES / 1024));
    }
}

static void check_publish(PsChecker *checker, PsPublish *publish) {
    check_qos(checker, publish->qos);
    check_topic(checker, "topic", publish->topic, ps_topic_check_name);
    check_delivery(checker, &publish->delivery);
    publish->groups = ps_arena_take(checker->config->arena,
                                    (publish->group_names.count + 1) * sizeof *publish->groups);
    for (uint32_t i = 0; i < publish->group_names.count; i++) {
        const char *name = publish->group_names.items[i];
        publish->groups[i] = ps_checker_group(checker, "groups", name, publish->group_type);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(publish->group_names.items[j], name) == 0) {
                FAIL(checker, "groups", "names '%.100s' twice; name it once", name);
            }
        }
        const PsGroup *group = &checker->config->groups[publish->groups[i]];
        if (group->variable_count + group->alarm_count == 0) {
            WARN(checker, "groups", "'%.100s' has no %s, so the script never runs for it", name,
                 publish->group_type == PS_GROUP_ALARM ? "alarms" : "variables");
        }
    }
}

static void check_messages(PsChecker *checker) {
    PsConfig *config = checker->config;
    PS_AUTO_MAP PsMap names = {0};
    for (uint32_t i = 0; i < config->publish_count; i++) {
        at(checker, "publish", config->publish[i].name);
        if (!ps_map_put(&names, NULL, config->publish[i].name, i)) {
            FAIL(checker, "name", "is used twice; give each message a name of its own");
        }
        check_publish(checker, &config->publish[i]);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        const PsSubscribe *subscribe = &config->subscribe[i];
        at(checker, "subscribe", subscribe->name);
        if (!ps_map_put(&names, NULL, subscribe->name, i)) {
            FAIL(checker, "name", "is used twice; give each message a name of its own");
        }
        check_qos(checker, subscribe->qos);
        check_topic(checker, "topic", subscribe->topic, ps_topic_check_filter);
        check_delivery(checker, &subscribe->delivery);
    }
}

static void check_file(PsChecker *checker, const char *field, const char *path, bool secret) {
    struct stat status;
    if (path[0] == '\0') {
        return;
    }
    if (stat(path, &status) != 0) {
        FAIL(checker, field, "%.200s cannot be read: %s; copy the file there", path,
             strerror(errno));
    } else if (secret && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        WARN(checker, field, "%.200s can be read by other users; run: chmod 600 %.100s", path,
             path);
    }
}

void ps_checker_files(PsChecker *checker, const PsOptionTable *table, const void *object) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (option->type == PS_OPTION_PATH) {
            const char *path = *(const char *const *)((const char *)object + option->offset);
            check_file(checker, option->key, path, option->secret);
        }
    }
}

static void require_file(PsChecker *checker, const char *field, const char *path) {
    if (path[0] == '\0') {
        FAIL(checker, field, "is missing; AWS IoT needs cert, key and root_ca");
    }
}

static void check_cloud(PsChecker *checker) {
    const PsCloud *cloud = &checker->config->cloud;
    snprintf(checker->object, sizeof checker->object, "cloud");
    if (!cloud->enable) {
        return;
    }
    if (cloud->type == PS_CLOUD_AWS_IOT) {
        require_file(checker, "cert", cloud->cert);
        require_file(checker, "key", cloud->key);
        require_file(checker, "root_ca", cloud->root_ca);
        if (cloud->client_id[0] == '$') {
            FAIL(checker, "client_id", "begins with $, which AWS IoT reserves; choose another");
        }
    }
    if ((cloud->cert[0] != '\0') != (cloud->key[0] != '\0')) {
        FAIL(checker, cloud->cert[0] != '\0' ? "key" : "cert",
             "is missing; cert and key belong together");
    }
    if (strpbrk(cloud->endpoint, "/: ") != NULL && cloud->endpoint[0] != '[' &&
        strchr(cloud->endpoint, ':') == strrchr(cloud->endpoint, ':')) {
        FAIL(checker, "endpoint", "must be a host name alone: no scheme, port or path");
    }
    ps_checker_files(checker, &ps_table_cloud, cloud);
}

static void check_web(PsChecker *checker) {
    const PsWeb *web = &checker->config->web;
    unsigned char bytes[sizeof(struct in6_addr)];
    snprintf(checker->object, sizeof checker->object, "web");
    if (inet_pton(AF_INET, web->address, bytes) != 1 &&
        inet_pton(AF_INET6, web->address, bytes) != 1) {
        FAIL(checker, "address",
             "must be an IP address of this machine, such as 127.0.0.1, "
             "0.0.0.0 or ::");
    }
    if ((web->cert[0] != '\0') != (web->key[0] != '\0')) {
        FAIL(checker, web->cert[0] != '\0' ? "key" : "cert",
             "is missing; cert and key belong together");
    }
    ps_checker_files(checker, &ps_table_web, web);
}

static void check_parameters(PsChecker *checker) {
    int max_loss = checker->config->parameters.max_loss_s;
    snprintf(checker->object, sizeof checker->object, "parameters");
    if (max_loss != 0 && max_loss != 1 && max_loss != 10) {
        FAIL(checker, "max_loss_s", "is %d; it must be 0, 1 or 10", max_loss);
    }
}

void ps_config_check(PsConfig *config, PsVariableCheckFor *check_for, PsFindings *findings) {
    PsChecker checker = {.config = config, .findings = findings, .check_for = check_for};
    ps_checker_serials(&checker);
    check_devices(&checker);
    check_groups(&checker);
    check_variables(&checker);
    ps_checker_alarms(&checker);
    findings->place = (PsPlace){0};
    check_messages(&checker);
    check_cloud(&checker);
    check_parameters(&checker);
    check_web(&checker);
    ps_map_deinit(&checker.serials);
    ps_map_deinit(&checker.devices);
    ps_map_deinit(&checker.controllers);
    ps_map_deinit(&checker.groups);
    ps_map_deinit(&checker.variables);
}
