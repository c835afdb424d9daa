// The files of a demo. Blocking.
#include "cli/demo_files.h"

#include "base/buf.h"
#include "base/file.h"

#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)1024 * 1024)

// The manual's own set-up; intervals of 2 s in place of 10 so that something is seen at once.
static const char config_format[] =
    "{\n"
    "  \"version\": 1,\n"
    "  \"devices\": [\n"
    "    {\"device_name\": \"Temperature_Sensor\", \"protocol\": \"ModbusTCP\", "
    "\"ip\": \"127.0.0.1\", \"port\": %d}\n"
    "  ],\n"
    "  \"vars\": [\n"
    "    {\"var_name\": \"Test\", \"device\": \"Temperature_Sensor\", \"data_type\": \"WORD\", "
    "\"register_addr\": 40001, \"unit\": \"\u00b0C\"}\n"
    "  ],\n"
    "  \"groups\": [\n"
    "    {\"group_name\": \"default\", \"polling_interval\": 2, \"upload_interval\": 2}\n"
    "  ],\n"
    "  \"cloud\": {\"type\": \"AWS IoT\", \"endpoint\": \"%s\", \"port\": %d, "
    "\"client_id\": \"awstest\", \"cert\": \"certs/certificate.pem.crt\", "
    "\"key\": \"certs/private.pem.key\", \"root_ca\": \"certs/root_ca.pem\"},\n"
    "  \"publish\": [\n"
    "    {\"name\": \"data_upload\", \"topic\": \"awsiot/test\", \"qos\": 1, "
    "\"groups\": [\"default\"], \"main_function\": \"vars_upload_test\", "
    "\"script\": \"scripts/data_upload.py\"}\n"
    "  ],\n"
    "  \"subscribe\": [\n"
    "    {\"name\": \"data_receive\", \"topic\": \"awsiot/send\", \"qos\": 1, "
    "\"main_function\": \"main\", \"script\": \"scripts/data_receive.py\"}\n"
    "  ]\n"
    "}\n";

static PsErr read_json(const char *folder, const char *name, json_t **ret_json, PsDiag *diag) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    PS_AUTO_BUF PsBuf text = {0};
    PsErr err = ps_file_read(path, FILE_BYTES_MAX, &text, diag);
    if (err != PS_OK) {
        return err;
    }
    *ret_json = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, NULL);
    return *ret_json != NULL ? PS_OK
                             : ps_fail(PS_ERR_PROTOCOL, diag, path, NULL, "is not readable JSON");
}

static void take_text(const json_t *json, const char *key, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(json, key));
    snprintf(out, size, "%s", text != NULL ? text : "");
}

bool demo_files_cloud_ready(const char *folder) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/cloud.ready", folder);
    return access(path, F_OK) == 0;
}

PsErr demo_files_read_peers(const char *folder, DemoPeers *ret_peers, PsDiag *diag) {
    json_t *plant = NULL;
    json_t *cloud = NULL;
    PsErr err = read_json(folder, "plant.ready", &plant, diag);
    if (err == PS_OK) {
        err = read_json(folder, "thing.ready", &cloud, diag);
    }
    if (err == PS_OK) {
        DemoPeers peers = {.plant_port = (int)json_integer_value(plant),
                           .cloud_port = (int)json_integer_value(json_object_get(cloud, "port"))};
        const json_t *thing = json_object_get(json_object_get(cloud, "things"), DEMO_THING);
        take_text(cloud, "endpoint", peers.endpoint, sizeof peers.endpoint);
        take_text(thing, "cert", peers.cert, sizeof peers.cert);
        take_text(thing, "key", peers.key, sizeof peers.key);
        take_text(thing, "root_ca", peers.root_ca, sizeof peers.root_ca);
        *ret_peers = peers;
    }
    json_decref(plant);
    json_decref(cloud);
    return err;
}

static PsErr copy_file(const char *from, const char *folder, const char *name, mode_t mode,
                       PsDiag *diag) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PsErr err = ps_file_read(from, FILE_BYTES_MAX, &bytes, diag);
    if (err != PS_OK) {
        return err;
    }
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return ps_file_write(path, bytes.data, bytes.len, mode, diag);
}

static PsErr copy_script(const char *scripts, const char *folder, const char *name, PsDiag *diag) {
    char from[PATH_MAX];
    char to[128];
    snprintf(from, sizeof from, "%s/%s", scripts, name);
    snprintf(to, sizeof to, "config/scripts/%s", name);
    return copy_file(from, folder, to, 0644, diag);
}

static PsErr make_folders(const char *folder, PsDiag *diag) {
    static const char *const names[] = {"config", "config/scripts", "config/certs"};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        PsErr err = ps_dir_make(path, 0700, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

PsErr demo_files_write_config(const char *folder, const char *scripts, const DemoPeers *peers,
                              PsDiag *diag) {
    PsErr err = make_folders(folder, diag);
    if (err == PS_OK) {
        err = copy_script(scripts, folder, "data_upload.py", diag);
    }
    if (err == PS_OK) {
        err = copy_script(scripts, folder, "data_receive.py", diag);
    }
    if (err == PS_OK) {
        err = copy_file(peers->cert, folder, "config/certs/certificate.pem.crt", 0644, diag);
    }
    if (err == PS_OK) {
        err = copy_file(peers->key, folder, "config/certs/private.pem.key", 0600, diag);
    }
    if (err == PS_OK) {
        err = copy_file(peers->root_ca, folder, "config/certs/root_ca.pem", 0644, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text, config_format, peers->plant_port, peers->endpoint, peers->cloud_port);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/config/penstock.json", folder);
    return ps_file_write(path, text.data, text.len, 0644, diag);
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk) {
    return remove(path);
}

void demo_files_remove(const char *folder) {
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
