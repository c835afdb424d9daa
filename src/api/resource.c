// The table of resources, and one object of it as JSON. Main thread.
#include "api/resource.h"
#include "api/live_private.h"

#include "drivers/driver.h"
#include "model/config_diff.h"
#include "model/option_json.h"
#include "model/tables.h"

#include <string.h>

#define COUNT(name, field)                                                                         \
    static uint32_t name(const PsConfig *config) {                                                 \
        return config->field;                                                                      \
    }

COUNT(count_devices, device_count)
COUNT(count_variables, variable_count)
COUNT(count_groups, group_count)
COUNT(count_publish, publish_count)
COUNT(count_subscribe, subscribe_count)
COUNT(count_serials, serial_count)

static const PsApiResource resources[] = {
    {"devices", &ps_table_device, offsetof(PsConfig, devices), sizeof(PsDevice), count_devices,
     NULL},
    {"variables", &ps_table_variable, offsetof(PsConfig, variables), sizeof(PsVariable),
     count_variables, "device"},
    {"groups", &ps_table_group, offsetof(PsConfig, groups), sizeof(PsGroup), count_groups, NULL},
    {"strategies", &ps_table_alarm, offsetof(PsConfig, alarms), sizeof(PsAlarm),
     ps_config_warning_count, NULL},
    {"publish", &ps_table_publish, offsetof(PsConfig, publish), sizeof(PsPublish), count_publish,
     NULL},
    {"subscribe", &ps_table_subscribe, offsetof(PsConfig, subscribe), sizeof(PsSubscribe),
     count_subscribe, NULL},
    {"serial", &ps_table_serial, offsetof(PsConfig, serials), sizeof(PsSerial), count_serials,
     NULL},
    {"cloud", &ps_table_cloud, offsetof(PsConfig, cloud), 0, NULL, NULL},
    {"parameters", &ps_table_parameters, offsetof(PsConfig, parameters), 0, NULL, NULL},
    {"web", &ps_table_web, offsetof(PsConfig, web), 0, NULL, NULL},
};

// "/devices/{device}/variables/{name}": "variables".
static bool ends_with_segment(const char *path, const char *segment) {
    const char *found = NULL;
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '/' && at[1] != '{') {
            found = at + 1;
        }
    }
    size_t len = strlen(segment);
    return found != NULL && strncmp(found, segment, len) == 0 &&
           (found[len] == '\0' || found[len] == '/');
}

const PsApiResource *ps_api_resource(const PsApiCall *call) {
    const char *path = ps_api_call_route(call)->path;
    size_t i = 0;
    while (!ends_with_segment(path, resources[i].segment)) {
        i++;
        PS_ASSERT(i < PS_COUNT(resources)); // the table of routes names only these
    }
    return &resources[i];
}

const void *ps_api_resource_at(const PsApiResource *resource, const PsConfig *config,
                               uint32_t index) {
    const char *field = (const char *)config + resource->offset;
    return resource->count == NULL ? field
                                   : *(const char *const *)field + index * resource->object_size;
}

static const char *text_at(const PsApiResource *resource, const void *object, const char *key) {
    return ps_option_text(ps_option_find(resource->table, key), object);
}

const void *ps_api_resource_find(const PsApiResource *resource, const PsConfig *config,
                                 const char *scope, const char *name) {
    uint32_t count = resource->count(config);
    for (uint32_t i = 0; i < count; i++) {
        const void *object = ps_api_resource_at(resource, config, i);
        if (strcmp(text_at(resource, object, resource->table->name_key), name) == 0 &&
            (resource->scope_key == NULL ||
             strcmp(text_at(resource, object, resource->scope_key), scope) == 0)) {
            return object;
        }
    }
    return NULL;
}

// --- as JSON ------------------------------------------------------------------------------------

// Values of those that are named like a secret are nobody's business, also not of who writes them.
static json_t *custom_json(const PsParameters *parameters) {
    json_t *json = json_object();
    for (uint32_t i = 0; i < parameters->custom_count; i++) {
        const PsCustom *custom = &parameters->custom[i];
        json_object_set_new(json, custom->name,
                            ps_config_is_secret(custom->name) ? json_null()
                                                              : json_string(custom->value));
    }
    return json;
}

static const char *device_state(const PsDeviceRow *row) {
    return row->contact == PS_CONTACT_ANSWERS  ? "answers"
           : row->away                         ? "away"
           : row->contact == PS_CONTACT_SILENT ? "away"
                                               : "not asked";
}

static void put_device_state(const PsApiSources *sources, const PsDevice *device, json_t *json) {
    PsDeviceRow row;
    ps_api_device_trouble(sources->live, (uint32_t)(device - sources->config->devices), &row);
    json_object_set_new(json, "state", json_string(device_state(&row)));
    json_object_set_new(json, "last_error", json_string(row.last_error));
    const PsDriver *driver = ps_driver_find(device->protocol);
    json_object_set_new(json, "browse", json_boolean(driver != NULL && driver->browse != NULL));
}

// The block is not there: nothing connects, and the rest is as it would be if somebody wrote it.
static json_t *no_cloud_json(void) {
    json_t *json = ps_option_defaults_json(&ps_table_cloud);
    json_object_set_new(json, "enable", json_false());
    return json;
}

json_t *ps_api_resource_json(const PsApiResource *resource, const PsApiSources *sources,
                             const void *object) {
    if (resource->table == &ps_table_cloud && sources->config->cloud.endpoint[0] == '\0') {
        return no_cloud_json();
    }
    json_t *json = ps_option_json(resource->table, object, sources->config->folder);
    if (resource->table == &ps_table_device) {
        put_device_state(sources, object, json);
    } else if (resource->table == &ps_table_parameters) {
        json_object_set_new(json, "custom", custom_json(object));
    }
    return json;
}
