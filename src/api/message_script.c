// Names the file of a script after its message. Pure.
#include "api/message_script.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SCRIPT_TEXT "script_text" // beside the keys of the table
#define PATH_SIZE 96

typedef struct Message {
    const char *name;
    const char *script; // as in penstock.json
} Message;

// Publish entries, then subscribe entries.
static Message message_at(const PsConfig *config, uint32_t index) {
    if (index < config->publish_count) {
        const PsPublish *publish = &config->publish[index];
        return (Message){publish->name, ps_config_short_path(config, publish->script)};
    }
    const PsSubscribe *subscribe = &config->subscribe[index - config->publish_count];
    return (Message){subscribe->name, ps_config_short_path(config, subscribe->script)};
}

static const char *script_of(const PsConfig *config, const char *name) {
    for (uint32_t i = 0; i < config->publish_count + config->subscribe_count; i++) {
        Message message = message_at(config, i);
        if (strcmp(message.name, name) == 0) {
            return message.script;
        }
    }
    return NULL;
}

static bool is_taken(const PsConfig *config, const char *path) {
    for (uint32_t i = 0; i < config->publish_count + config->subscribe_count; i++) {
        if (strcmp(message_at(config, i).script, path) == 0) {
            return true;
        }
    }
    return false;
}

// "scripts/a_name.py" for "A name", "scripts/a_name_2.py" when another message has that.
static void name_script(const PsConfig *config, const char *message, char *out) {
    char plain[65] = "";
    size_t len = 0;
    for (const char *at = message; *at != '\0' && len + 1 < sizeof plain; at++) {
        unsigned char byte = (unsigned char)*at;
        plain[len++] = byte < 0x80 && isalnum(byte) ? (char)tolower(byte) : '_';
    }
    plain[len] = '\0';
    snprintf(out, PATH_SIZE, "scripts/%s.py", plain);
    for (unsigned number = 2; is_taken(config, out); number++) {
        snprintf(out, PATH_SIZE, "scripts/%s_%u.py", plain, number);
    }
}

static const char *choose(const PsConfig *config, const char *message, const json_t *object,
                          char *scratch) {
    const char *given = json_string_value(json_object_get(object, "script"));
    if (given != NULL && given[0] != '\0') {
        return given;
    }
    const char *present = message != NULL ? script_of(config, message) : NULL;
    if (present != NULL) {
        return present;
    }
    const char *name = json_string_value(json_object_get(object, "name"));
    name_script(config, name != NULL && name[0] != '\0' ? name : "script", scratch);
    return scratch;
}

json_t *ps_message_script_take(const PsConfig *config, const char *message, json_t *object) {
    json_t *text = json_object_get(object, SCRIPT_TEXT);
    if (text == NULL) {
        return NULL;
    }
    char scratch[PATH_SIZE];
    const char *path = choose(config, message, object, scratch);
    json_t *edit = json_pack("{s:s, s:s, s:O}", "op", "file", "path", path, "text", text);
    json_object_set_new(object, "script", json_string(path));
    (void)json_object_del(object, SCRIPT_TEXT);
    return edit;
}
