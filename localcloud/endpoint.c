// endpoint.json. Blocks on the disk.
#include "localcloud/endpoint.h"

#include "base/file.h"
#include "base/text.h"
#include "localcloud/registry/registry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)1 << 20)

PsErr ps_endpoint_write(const char *path, const PsEndpoint *endpoint, const PsEndpointThing *things,
                        size_t thing_count, PsDiag *diag) {
    json_t *all = json_object();
    for (size_t i = 0; i < thing_count; i++) {
        json_t *thing = json_pack("{s:s, s:s, s:s, s:s}", "cert", things[i].files.certificate,
                                  "key", things[i].files.private_key, "root_ca", endpoint->root_ca,
                                  "certificate_id", things[i].files.certificate_id);
        json_object_set_new(all, things[i].name, thing);
    }
    json_t *port = endpoint->alpn_port != 0 ? json_integer(endpoint->alpn_port) : json_null();
    json_t *json =
        json_pack("{s:s, s:i, s:o, s:s, s:o}", "endpoint", PS_ENDPOINT_HOST, "port", endpoint->port,
                  "alpn_port", port, "root_ca", endpoint->root_ca, "things", all);
    if (endpoint->api_port != 0) {
        json_object_set_new(json, "api_url",
                            json_sprintf(PS_ENDPOINT_API, (unsigned int)endpoint->api_port));
    }
    if (endpoint->region != NULL) {
        json_object_set_new(json, "account_id", json_string(PS_ACCOUNT_ID));
        json_object_set_new(json, "region", json_string(endpoint->region));
    }
    char *text = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
    json_decref(json);
    if (text == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, path, NULL,
                       "cannot be written as JSON; use folder names in UTF-8");
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    ps_buf_printf(&bytes, "%s\n", text);
    free(text);
    return ps_file_write(path, bytes.data, bytes.len, 0644, diag);
}

PsErr ps_endpoint_read(const char *dir, PsEndpoint *ret_endpoint, PsDiag *diag) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", dir, PS_ENDPOINT_FILE);
    if (len < 0 || (size_t)len >= sizeof path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, dir, NULL, "the path is too long");
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    PsErr err = ps_file_read(path, FILE_LIMIT, &bytes, diag);
    if (err == PS_ERR_NOT_FOUND) {
        return ps_fail(err, diag, dir, NULL,
                       "no local cloud runs here; start it with 'penstock-cloud run %s'", dir);
    }
    if (err != PS_OK) {
        return err;
    }
    json_t *json = json_loadb((const char *)bytes.data, bytes.len, 0, NULL);
    json_int_t port = json_integer_value(json_object_get(json, "port"));
    const char *root_ca = json_string_value(json_object_get(json, "root_ca"));
    const char *api_url = json_string_value(json_object_get(json, "api_url"));
    const char *api_port = api_url != NULL ? strrchr(api_url, ':') : NULL;
    long long api_number = 0;
    PsEndpoint endpoint = {0};
    bool api = api_port != NULL && ps_text_to_int(api_port + 1, 1, UINT16_MAX, &api_number);
    endpoint.api_port = (uint16_t)api_number;
    bool sound = (port > 0 || (api && port == 0)) && port <= UINT16_MAX && root_ca != NULL &&
                 (size_t)snprintf(endpoint.root_ca, PATH_MAX, "%s", root_ca) < PATH_MAX;
    endpoint.port = (uint16_t)port;
    json_decref(json);
    if (!sound) {
        return ps_fail(PS_ERR_CORRUPT, diag, path, NULL,
                       "is not what penstock-cloud writes; stop the cloud and start it again");
    }
    *ret_endpoint = endpoint;
    return PS_OK;
}
