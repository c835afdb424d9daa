// Reports have a header with an id that grows, a version, and metrics; each name has a short form.
#include "localcloud/service/defender.h"

#include "localcloud/service/cbor.h"
#include "localcloud/service/json_text.h"

#include <string.h>

static const json_t *member(const json_t *json, const char *name, const char *brief) {
    const json_t *found = json_object_get(json, name);
    return found != NULL ? found : json_object_get(json, brief);
}

// What is wrong with it; NULL: nothing.
static const char *fault_of(const json_t *report) {
    const json_t *header = member(report, "header", "hed");
    if (!json_is_object(report)) {
        return "The payload is not an object";
    }
    if (!json_is_object(header)) {
        return "header is missing";
    }
    if (!json_is_integer(member(header, "report_id", "rid"))) {
        return "report_id must be a number";
    }
    if (!json_is_string(member(header, "version", "v"))) {
        return "version must be a text";
    }
    if (!json_is_object(member(report, "metrics", "met")) &&
        !json_is_object(member(report, "custom_metrics", "cmet"))) {
        return "there are no metrics";
    }
    return NULL;
}

json_t *ps_defender_answer(const char *thing, const json_t *report, PsWall now,
                           bool *ret_accepted) {
    const char *fault = fault_of(report);
    const json_t *id = member(member(report, "header", "hed"), "report_id", "rid");
    json_t *json = json_object();
    json_object_set_new(json, "thingName", json_string(thing));
    if (json_is_integer(id)) {
        json_object_set_new(json, "reportId", json_integer(json_integer_value(id)));
    }
    json_object_set_new(json, "status", json_string(fault == NULL ? "ACCEPTED" : "REJECTED"));
    if (fault != NULL) {
        json_object_set_new(
            json, "statusDetails",
            json_pack("{s:s, s:s}", "ErrorCode", "InvalidPayload", "ErrorMessage", fault));
    }
    json_object_set_new(json, "timestamp", json_integer(now.ns / PS_NS_PER_MS));
    *ret_accepted = fault == NULL;
    return json;
}

void ps_defender_take(const PsServiceCall *call, const PsLevels *levels, const PsServiceOut *out) {
    bool cbor = strcmp(levels->at[5], "cbor") == 0;
    PS_AUTO_JSON json_t *report =
        cbor ? ps_cbor_read(call->payload, call->len) : ps_json_parse(call->payload, call->len);
    bool accepted = false;
    PS_AUTO_JSON json_t *answer = ps_defender_answer(levels->at[2], report, call->now, &accepted);
    PS_AUTO_BUF PsBuf topic = {0};
    ps_buf_printf(&topic, "%s/%s", call->topic, accepted ? "accepted" : "rejected");
    PS_AUTO_BUF PsBuf text = {0};
    if (cbor) {
        ps_cbor_write(answer, &text);
    } else {
        ps_json_text(answer, &text);
    }
    out->publish(out->ctx, (const char *)topic.data, text.data, text.len, 1);
}
