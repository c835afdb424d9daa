// Lists of tags and definitions of structures, fetched in as many parts as they need. Runs on the
// channel's thread and blocks.
#include "drivers/eip/explore.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// Of one answer, what is not data; and the least that is asked of a definition at once.
#define ANSWER_HEAD 16U
#define STRING_TEMPLATE 0x0FCEU
// Answers that one search takes: a bound, not a limit anybody reaches.
#define SEARCH_MAX 4096

void ps_eip_explorer_deinit(PsEipExplorer *explorer) {
    ps_buf_deinit(&explorer->definition);
}

PsErr ps_eip_explore(PsEipExplorer *explorer, const char *what, PsEipReply *ret_reply,
                     PsDiag *diag) {
    const PsBuf *message = &explorer->session->message;
    PsErr err = ps_eip_transact(&explorer->session->connection, message->data, message->len,
                                explorer->timeout_ns, ret_reply, diag);
    if (err == PS_OK && ret_reply->status != PS_EIP_OK && ret_reply->status != PS_EIP_PARTIAL) {
        char words[256];
        ps_eip_status_format(ret_reply->status, ret_reply->extended, words, sizeof words);
        return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "%s: %s", what, words);
    }
    return err;
}

// An older controller refuses properties it does not know.
static bool knows_less(const PsEipReply *reply, PsErr err, PsEipListing listing) {
    return err == PS_ERR_REFUSED && listing != PS_EIP_LIST_PLAIN &&
           reply->status != PS_EIP_BAD_PATH && reply->status != PS_EIP_NO_DESTINATION &&
           reply->status != PS_EIP_NO_OBJECT;
}

PsErr ps_eip_explore_tags(PsEipExplorer *explorer, const char *scope, uint32_t instance,
                          PsReader *ret_reader, bool *ret_more, PsDiag *diag) {
    PsBuf *message = &explorer->session->message;
    PsEipReply reply = {0};
    PsErr err;
    for (;;) {
        ps_buf_clear(message);
        ps_eip_list_put(message, scope, instance, explorer->listing);
        err = ps_eip_explore(explorer, "listing the tags", &reply, diag);
        if (!knows_less(&reply, err, explorer->listing)) {
            break;
        }
        explorer->listing = (PsEipListing)(explorer->listing + 1);
    }
    bool nowhere = err == PS_ERR_REFUSED &&
                   (reply.status == PS_EIP_BAD_PATH || reply.status == PS_EIP_NO_DESTINATION ||
                    reply.status == PS_EIP_NO_OBJECT);
    if (nowhere && instance > 0 && scope[0] == '\0') {
        *ret_reader = ps_reader(NULL, 0); // asked beyond the last
        *ret_more = false;
        return PS_OK;
    }
    if (nowhere && scope[0] != '\0') {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "the controller has no '%.100s'", scope);
    }
    if (err == PS_OK) {
        *ret_reader = ps_reader(reply.data, reply.len);
        *ret_more = reply.status == PS_EIP_PARTIAL;
    }
    return err;
}

static PsErr fail_answer(PsDiag *diag, const char *what) {
    return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "%s: the answer is not well formed", what);
}

static PsErr read_definition(PsEipExplorer *explorer, uint16_t id, uint32_t len, PsDiag *diag) {
    PsBuf *message = &explorer->session->message;
    uint32_t room = ps_eip_connection_room(&explorer->session->connection) - ANSWER_HEAD;
    ps_buf_clear(&explorer->definition);
    while (explorer->definition.len < len) {
        uint32_t left = len - (uint32_t)explorer->definition.len;
        PsEipReply reply;
        ps_buf_clear(message);
        ps_eip_template_read_put(message, id, (uint32_t)explorer->definition.len,
                                 (uint16_t)(left < room ? left : room));
        PsErr err = ps_eip_explore(explorer, "reading a structure's definition", &reply, diag);
        if (err != PS_OK) {
            return err;
        }
        if (reply.len == 0 || reply.len > left) {
            return fail_answer(diag, "reading a structure's definition");
        }
        ps_buf_put(&explorer->definition, reply.data, reply.len);
    }
    return PS_OK;
}

static PsErr load_template(PsEipExplorer *explorer, uint16_t id, PsEipTemplate *ret_template,
                           PsDiag *diag) {
    PsBuf *message = &explorer->session->message;
    PsEipReply reply;
    PsEipTemplateHead head;
    ps_buf_clear(message);
    ps_eip_template_head_put(message, id);
    PsErr err = ps_eip_explore(explorer, "asking about a structure", &reply, diag);
    if (err == PS_OK && !ps_eip_template_head_get(&reply, &head)) {
        err = fail_answer(diag, "asking about a structure");
    }
    err = err != PS_OK ? err : read_definition(explorer, id, ps_eip_template_len(&head), diag);
    if (err == PS_OK && !ps_eip_template_parse(explorer->definition.data, explorer->definition.len,
                                               head.members, explorer->arena, ret_template)) {
        err = fail_answer(diag, "reading a structure's definition");
    }
    ret_template->id = id;
    return err;
}

PsErr ps_eip_explore_template(PsEipExplorer *explorer, uint16_t id,
                              const PsEipTemplate **ret_template, PsDiag *diag) {
    static const PsEipTemplate string = {.id = STRING_TEMPLATE, .name = "STRING", .text = true};
    *ret_template = NULL;
    if (id == STRING_TEMPLATE) {
        *ret_template = &string;
        return PS_OK;
    }
    for (uint32_t i = 0; i < explorer->template_count; i++) {
        if (explorer->templates[i].id == id) {
            *ret_template = &explorer->templates[i];
            return PS_OK;
        }
    }
    if (explorer->template_count == PS_EIP_TEMPLATES) {
        return PS_OK;
    }
    PsEipTemplate *slot = &explorer->templates[explorer->template_count];
    PsErr err = load_template(explorer, id, slot, diag);
    if (err == PS_OK) {
        explorer->template_count++;
        *ret_template = slot;
    }
    return err;
}

PsErr ps_eip_explore_find(PsEipExplorer *explorer, const char *scope, const char *name, size_t len,
                          PsEipTag *ret_tag, PsDiag *diag) {
    uint32_t instance = 0;
    bool more = true;
    for (int i = 0; more && i < SEARCH_MAX; i++) {
        PsReader reader;
        PsErr err = ps_eip_explore_tags(explorer, scope, instance, &reader, &more, diag);
        if (err != PS_OK) {
            return err;
        }
        PsEipTag tag = {0};
        uint32_t last = instance;
        while (ps_eip_list_next(&reader, explorer->listing, &tag)) {
            last = tag.instance;
            if (tag.name_len == len && strncasecmp((const char *)tag.name, name, len) == 0) {
                *ret_tag = tag;
                return PS_OK;
            }
        }
        if (reader.failed || (more && last < instance) || last == UINT32_MAX) {
            return fail_answer(diag, "listing the tags");
        }
        instance = last + 1;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "there is no tag '%.*s'%s%.64s",
                   (int)(len < 100 ? len : 100), name, scope[0] != '\0' ? " in " : "", scope);
}
