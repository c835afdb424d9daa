// Notes and compares what the files of the cloud hold. Blocks on the disk; any thread.
#include "revision/credentials.h"

#include "base/text.h"
#include "revision/fingerprint.h"

#include <string.h>

static void note(json_t *list, const char *of, const char *path,
                 void print(const char *path, char out[static PS_FINGERPRINT_SIZE])) {
    char hash[PS_FINGERPRINT_SIZE];
    if (path != NULL && path[0] != '\0') {
        print(path, hash);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "of", of, "path", path, "sha256", hash));
    }
}

json_t *ps_credentials_note(const PsCloud *cloud) {
    json_t *list = json_array();
    note(list, "certificate", cloud->cert, ps_fingerprint_file);
    note(list, "key", cloud->key, ps_fingerprint_key);
    note(list, "root CA", cloud->root_ca, ps_fingerprint_file);
    return list;
}

static const char *text_of(const json_t *entry, const char *key) {
    const char *text = json_string_value(json_object_get(entry, key));
    return text != NULL ? text : "";
}

static bool is_replaced(const json_t *noted, const json_t *present) {
    const char *hash = text_of(present, "sha256");
    size_t index;
    json_t *entry;
    json_array_foreach(noted, index, entry) {
        if (strcmp(text_of(entry, "of"), text_of(present, "of")) == 0 &&
            strcmp(text_of(entry, "path"), text_of(present, "path")) == 0) {
            return hash[0] != '\0' && strcmp(text_of(entry, "sha256"), hash) != 0;
        }
    }
    return false;
}

static void say(json_t *difference, const json_t *present, bool only) {
    char text[64];
    char summary[512];
    ps_text_format(text, sizeof text, "%s of the cloud replaced", text_of(present, "of"));
    ps_text_format(summary, sizeof summary, "%s%s%s", only ? "" : text_of(difference, "summary"),
                   only ? "" : ", ", text);
    json_object_set_new(difference, "summary", json_string(summary));
    json_array_append_new(json_object_get(difference, "changes"),
                          json_pack("{s:s, s:s, s:s, s:s}", "what", "changed", "kind", "credential",
                                    "name", text_of(present, "of"), "text", text));
}

uint32_t ps_credentials_compare(const json_t *noted, const PsCloud *cloud, json_t *difference) {
    json_t *list = ps_credentials_note(cloud);
    uint32_t replaced = 0;
    size_t index;
    json_t *present;
    json_array_foreach(list, index, present) {
        if (is_replaced(noted, present)) {
            bool only = json_array_size(json_object_get(difference, "changes")) == 0;
            say(difference, present, only);
            replaced++;
        }
    }
    json_decref(list);
    return replaced;
}
