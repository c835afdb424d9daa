// Answers what a script asks about the plant. A recall lives until its outcome is in, even when its
// script has died or the host has gone: the outcome arrives exactly once. Loop thread.
#include "script/requests.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/inputs.h"
#include "script/tag_config.h"

#include <stdlib.h>

struct PsScriptRecallCall {
    PsScriptRecallCall *next;
    PsScriptRequests *requests; // NULL once the host has gone
    PsScriptOwner owner;
    uint32_t ticket;
};

void ps_script_requests_init(PsScriptRequests *requests, const PsScriptHostSetup *setup,
                             PsScriptGroups *groups, PsScriptAnswered *on_answered, void *ctx) {
    *requests = (PsScriptRequests){
        .setup = setup, .groups = groups, .on_answered = on_answered, .ctx = ctx};
}

void ps_script_requests_forget_config(PsScriptRequests *requests) {
    ps_buf_deinit(&requests->tag_config);
}

void ps_script_requests_forget_owner(PsScriptRequests *requests, uint32_t slot) {
    PsScriptRecallCall **at = &requests->recalls;
    while (*at != NULL) {
        PsScriptRecallCall *call = *at;
        if (call->owner.slot == slot) {
            *at = call->next;
            call->requests = NULL;
        } else {
            at = &call->next;
        }
    }
}

void ps_script_requests_deinit(PsScriptRequests *requests) {
    for (PsScriptRecallCall *call = requests->recalls; call != NULL; call = call->next) {
        call->requests = NULL;
    }
    ps_buf_deinit(&requests->tag_config);
    *requests = (PsScriptRequests){0};
}

static void answer_error(PsScriptRequests *requests, PsScriptOwner owner, uint32_t ticket,
                         PsWireReplyError error) {
    PS_AUTO_BUF PsBuf frame = {0};
    ps_wire_end(&frame, ps_wire_begin_reply(&frame, ticket, error));
    requests->on_answered(owner, &frame, NULL, requests->ctx);
}

static void answer_too_big(PsScriptRequests *requests, PsScriptOwner owner, uint32_t ticket,
                           const char *method) {
    if (ps_script_lines_warn(owner.lines)) {
        PS_LOGE("SCRIPT-REQUEST", "%s: %s: the answer would have more than %zu MiB; not delivered",
                *owner.name, method, PS_WIRE_BODY_MAX / (1024 * 1024));
    }
    answer_error(requests, owner, ticket, PS_WIRE_REPLY_TOO_BIG);
}

static void answer_tag_config(PsScriptRequests *requests, PsScriptOwner owner, uint32_t ticket) {
    PsBuf *text = &requests->tag_config;
    if (text->len == 0) {
        ps_tag_config_put(requests->setup->config, text);
    }
    if (text->len > PS_WIRE_BODY_MAX - 64) {
        answer_too_big(requests, owner, ticket, "get_tag_config");
        return;
    }
    PS_AUTO_BUF PsBuf frame = {0};
    size_t begin = ps_wire_begin_reply(&frame, ticket, PS_WIRE_REPLY_OK);
    ps_buf_put_bytes(&frame, text->data, text->len);
    ps_wire_end(&frame, begin);
    requests->on_answered(owner, &frame, NULL, requests->ctx);
}

static void answer_recall(PsScriptRequests *requests, const PsScriptRecallCall *call,
                          const PsUpload *all) {
    PS_AUTO_BUF PsBuf frame = {0};
    size_t begin = ps_wire_begin_reply(&frame, call->ticket, PS_WIRE_REPLY_OK);
    PsScriptGroups *groups = requests->groups;
    if (ps_snapshot_put_recall(&groups->schemas[groups->count], all, &frame) != PS_OK) {
        answer_too_big(requests, call->owner, call->ticket, "recall_data");
        return;
    }
    ps_wire_end(&frame, begin);
    requests->on_answered(call->owner, &frame, ps_script_groups_names(groups, groups->count),
                          requests->ctx);
}

static void unlink_call(const PsScriptRecallCall *call) {
    PsScriptRecallCall **at = &call->requests->recalls;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
}

static void on_recalled(PsErr result, const PsUpload *all, void *ctx) {
    PsScriptRecallCall *call = ctx;
    PsScriptRequests *requests = call->requests;
    if (requests != NULL) {
        unlink_call(call);
        if (result == PS_OK) {
            answer_recall(requests, call, all);
        } else {
            PsWireReplyError error =
                result == PS_ERR_TIMEOUT ? PS_WIRE_REPLY_TIMEOUT : PS_WIRE_REPLY_CANCELLED;
            answer_error(requests, call->owner, call->ticket, error);
        }
    }
    free(call);
}

static void begin_recall(PsScriptRequests *requests, PsScriptOwner owner,
                         const PsWireRequest *request) {
    PsScriptRecallCall *call = ps_alloc(sizeof *call);
    *call = (PsScriptRecallCall){
        .next = requests->recalls, .requests = requests, .owner = owner, .ticket = request->ticket};
    requests->recalls = call;
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), ps_seconds_to_ns(request->timeout_s));
    requests->setup->on_recall(deadline, on_recalled, call, requests->setup->ctx);
}

void ps_script_requests_begin(PsScriptRequests *requests, PsScriptOwner owner,
                              const PsWireRequest *request) {
    if (request->asked == PS_WIRE_ASK_TAG_CONFIG) {
        answer_tag_config(requests, owner, request->ticket);
    } else {
        begin_recall(requests, owner, request);
    }
}
