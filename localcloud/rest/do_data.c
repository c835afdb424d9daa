// Data plane: publish, retained messages, cutting a client. Main thread; the front does the work.
#include "localcloud/rest/routes.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "localcloud/rest/page.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX ((size_t)128 * 1024) // AWS IoT quotas
#define USER_PROPERTIES_MOST 32
#define RETAINED_PAGE_MOST 200 // API model iot-data

static PsApiCode no_broker(PsApiFault *fault) {
    return ps_api_fail(PS_API_UNAVAILABLE, fault,
                       "The message broker does not run; start it with penstock-cloud run");
}

// Bytes of base64 text, at most `most`. False: not base64.
static bool decode_base64(const char *text, size_t most, PsBuf *out) {
    size_t len = strlen(text);
    if (len % 4 != 0 || len / 4 * 3 > most + 2) {
        return false;
    }
    ps_buf_reserve(out, len / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock(out->data, (const unsigned char *)text, (int)len);
    if (decoded < 0) {
        return false;
    }
    size_t padding = 0;
    while (padding < 2 && len > padding && text[len - 1 - padding] == '=') {
        padding++;
    }
    out->len = (size_t)decoded - padding;
    out->data[out->len] = '\0';
    return true;
}

static json_t *base64_of(const void *bytes, size_t len) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_reserve(&text, len / 3 * 4 + 8);
    int encoded = EVP_EncodeBlock(text.data, bytes, (int)len);
    return json_stringn((const char *)text.data, (size_t)encoded);
}

static const char *header(const PsRestCall *call, const char *name) {
    return call->header != NULL ? call->header(call->header_ctx, name) : NULL;
}

// x-amz-mqtt5-user-properties: base64 of [{"name": "value"}, …]; `ret_json` holds the texts.
static PsApiCode read_user_properties(const PsRestCall *call, json_t **ret_json, PsRestPair *pairs,
                                      size_t *ret_count, PsApiFault *fault) {
    const char *text = header(call, "x-amz-mqtt5-user-properties");
    if (text == NULL) {
        return PS_API_OK;
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    json_t *list = decode_base64(text, PAYLOAD_MAX, &bytes)
                       ? json_loadb((const char *)bytes.data, bytes.len, 0, NULL)
                       : NULL;
    *ret_json = list;
    bool sound = json_is_array(list);
    for (size_t i = 0; sound && i < json_array_size(list); i++) {
        const char *name = NULL;
        json_t *value = NULL;
        sound = json_is_object(json_array_get(list, i));
        json_object_foreach(json_array_get(list, i), name, value) {
            sound = sound && json_is_string(value) && *ret_count < USER_PROPERTIES_MOST;
            if (sound) {
                pairs[(*ret_count)++] = (PsRestPair){name, json_string_value(value)};
            }
        }
    }
    return sound ? PS_API_OK
                 : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                               "x-amz-mqtt5-user-properties is base64 of a JSON list of at most %d "
                               "{\"name\": \"value\"}",
                               USER_PROPERTIES_MOST);
}

static PsApiCode read_message(const PsRestCall *call, PsRestMessage *message, PsBuf *correlation,
                              PsApiFault *fault) {
    long long qos = 0;
    long long expiry = 0;
    PsApiCode code = ps_rest_query_int(call, "qos", 0, 1, 0, &qos, fault);
    code = code == PS_API_OK ? ps_rest_query_bool(call, "retain", false, &message->retain, fault)
                             : code;
    if (code == PS_API_OK) {
        code = ps_rest_query_int(call, "messageExpiry", 0, INT64_MAX, 0, &expiry, fault);
    }
    const char *format = header(call, "x-amz-mqtt5-payload-format-indicator");
    if (code == PS_API_OK && format != NULL && strcmp(format, "UTF8_DATA") != 0 &&
        strcmp(format, "UNSPECIFIED_BYTES") != 0) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "payload format indicator is UTF8_DATA or UNSPECIFIED_BYTES");
    }
    const char *data = header(call, "x-amz-mqtt5-correlation-data");
    if (code == PS_API_OK && data != NULL && !decode_base64(data, PAYLOAD_MAX, correlation)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "correlation data is not base64");
    }
    message->topic = call->parameters[0];
    message->payload = call->body;
    message->len = call->body_len;
    message->qos = (int)qos;
    message->content_type = ps_rest_query(call, "contentType");
    message->response_topic = ps_rest_query(call, "responseTopic");
    message->correlation = correlation->data;
    message->correlation_len = correlation->len;
    message->expiry_s = expiry;
    message->utf8 = format != NULL && strcmp(format, "UTF8_DATA") == 0;
    return code;
}

// What a topic may be: AWS IoT quotas; the part behind $aws/rules/<rule>/ counts alone.
static PsApiCode check_topic(const char *topic, PsApiFault *fault) {
    const char *counted = topic;
    static const char ingest[] = "$aws/rules/";
    if (strncmp(topic, ingest, sizeof ingest - 1) == 0) {
        const char *slash = strchr(topic + sizeof ingest - 1, '/');
        counted = slash != NULL ? slash + 1 : "";
    }
    size_t slashes = 0;
    for (const char *at = counted; *at != '\0'; at++) {
        slashes += *at == '/' ? 1 : 0;
    }
    if (topic[0] == '\0' || strpbrk(topic, "+#") != NULL || strlen(counted) > 256 || slashes > 7) {
        return ps_api_fail(
            PS_API_INVALID_REQUEST, fault,
            "The topic is not valid: up to 256 bytes and 7 slashes, without + and #");
    }
    return PS_API_OK;
}

PS_REST_HANDLER(ps_do_publish) {
    PsRestMessage message = {0};
    PsRestPair pairs[USER_PROPERTIES_MOST];
    PS_AUTO_BUF PsBuf correlation = {0};
    json_t *properties = NULL;
    size_t count = 0;
    PsApiCode code = read_message(call, &message, &correlation, fault);
    code = code == PS_API_OK ? check_topic(message.topic, fault) : code;
    if (code == PS_API_OK && message.len > PAYLOAD_MAX) {
        code = ps_api_fail(PS_API_TOO_LARGE, fault, "The payload exceeds the maximum size allowed");
    }
    code = code == PS_API_OK ? read_user_properties(call, &properties, pairs, &count, fault) : code;
    message.user_properties = pairs;
    message.user_property_count = count;
    if (code == PS_API_OK) {
        code = call->cloud != NULL && call->cloud->publish != NULL
                   ? call->cloud->publish(call->cloud->ctx, &message, fault)
                   : no_broker(fault);
    }
    if (code == PS_API_OK) {
        answer->json = json_pack("{s:s}", "message", "OK");
    }
    json_decref(properties);
    return code;
}

PS_REST_HANDLER(ps_do_get_retained_message) {
    PsRestMessage message = {0};
    if (call->cloud == NULL || call->cloud->retained_find == NULL) {
        return no_broker(fault);
    }
    if (!call->cloud->retained_find(call->cloud->ctx, call->parameters[0], &message)) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "No retained message on topic %s",
                           call->parameters[0]);
    }
    answer->json = json_pack("{s:s, s:o, s:i, s:I}", "topic", message.topic, "payload",
                             base64_of(message.payload, message.len), "qos", message.qos,
                             "lastModifiedTime", (json_int_t)message.modified_ms);
    return PS_API_OK;
}

PS_REST_HANDLER(ps_do_list_retained_messages) {
    long long most = 0;
    PsApiCode code = ps_rest_query_int(call, "maxResults", 1, RETAINED_PAGE_MOST,
                                       RETAINED_PAGE_MOST, &most, fault);
    if (code != PS_API_OK) {
        return code;
    }
    if (call->cloud == NULL || call->cloud->retained_next == NULL) {
        return no_broker(fault);
    }
    PS_AUTO_BUF PsBuf after = {0};
    const char *token = ps_rest_query(call, "nextToken");
    if (token != NULL &&
        (!decode_base64(token, PAYLOAD_MAX, &after) || !ps_text_is_utf8(after.data, after.len))) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "nextToken '%s' was not given out here",
                           token);
    }
    PsRestMessage message = {0};
    const char *last = token != NULL ? (const char *)after.data : NULL;
    json_t *list = json_array();
    answer->json = json_pack("{s:o}", "retainedTopics", list);
    while (call->cloud->retained_next(call->cloud->ctx, last, &message)) {
        if (last != NULL && (long long)json_array_size(list) == most) {
            json_object_set_new(answer->json, "nextToken", base64_of(last, strlen(last)));
            break;
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:i, s:I}", "topic", message.topic,
                                        "payloadSize", (json_int_t)message.len, "qos", message.qos,
                                        "lastModifiedTime", (json_int_t)message.modified_ms));
        last = message.topic;
    }
    return PS_API_OK;
}

PS_REST_HANDLER(ps_do_delete_connection) {
    bool clean = false;
    bool no_will = false;
    PsApiCode code = ps_rest_query_bool(call, "cleanSession", false, &clean, fault);
    code = code == PS_API_OK
               ? ps_rest_query_bool(call, "preventWillMessage", false, &no_will, fault)
               : code;
    if (code != PS_API_OK) {
        return code;
    }
    return call->cloud != NULL && call->cloud->disconnect_client != NULL
               ? call->cloud->disconnect_client(call->cloud->ctx, call->parameters[0], clean,
                                                no_will, fault)
               : no_broker(fault);
}
