// The conversation with a running worker: inputs go down one at a time, what the script does
// comes up as frames. Each type a worker may send has its handler; one that makes no sense at
// that moment ends the worker, never the gateway. Loop thread.
#include "script/entry.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/topic.h"
#include "script/group_topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Answers a worker that does not read may pile up before it is given up.
#define UNREAD_MAX ((size_t)64 * 1024)
#define TOPIC_MAX 65535
#define FILE_MAX 256
#define ERROR_SHOWN 160

// --- downwards ----------------------------------------------------------------------------------

// The two lines of spec 8.7, for a person who looks for a message that was sent to the gateway.
static void log_message(const PsScriptEntry *entry, bool before) {
    if (entry->current.type != PS_WIRE_MESSAGE || ps_log_level() > PS_LOG_INFO ||
        entry->shared->setup.on_line != NULL) {
        return;
    }
    const PsBuf *frame = &entry->current.frame;
    PsReader reader = ps_reader(frame->data + PS_WIRE_HEAD_BYTES, frame->len - PS_WIRE_HEAD_BYTES);
    (void)ps_reader_u8(&reader);
    size_t topic_len = 0;
    size_t len = 0;
    const char *topic = (const char *)ps_reader_bytes(&reader, &topic_len);
    const char *payload = (const char *)ps_reader_bytes(&reader, &len);
    const char *cloud =
        entry->shared->setup.config->cloud.type == PS_CLOUD_AWS_IOT ? "AWSIoT" : "MQTT";
    if (!ps_text_is_utf8(payload, len)) {
        payload = "(not text)";
        len = strlen(payload);
    }
    if (before) {
        PS_LOGI(NULL, "[%s]: on_cloud_subscribe. topic: %.*s, payload: %.*s, qos: %d", cloud,
                (int)topic_len, topic, (int)len, payload, entry->current.qos);
    } else {
        PS_LOGI(NULL, "[%s]: receive message, topic: %.*s, payload: %.*s", cloud, (int)topic_len,
                topic, (int)len, payload);
    }
}

static bool take_reply(PsScriptEntry *entry) {
    PsScriptReply *reply = entry->replies;
    if (reply == NULL) {
        return false;
    }
    entry->replies = reply->next;
    entry->open_writes--;
    ps_script_input_deinit(&entry->current);
    entry->current =
        (PsScriptInput){.frame = reply->frame, .type = PS_WIRE_REPLY, .names = reply->names};
    free(reply);
    return true;
}

// The names that the values of the input go by, unless the process knows them.
static void put_names(PsScriptEntry *entry, PsBuf *out) {
    PsScriptNames *names = entry->current.names;
    if (names != NULL && ps_script_told_put(&entry->told, names)) {
        ps_buf_put(out, names->frame.data, names->frame.len);
    }
}

// The number that the call will have, unless the process knows it.
static void put_sequence(PsScriptEntry *entry, PsBuf *out) {
    if (entry->sequence_sent != entry->sequence) {
        size_t begin = ps_wire_begin(out, PS_WIRE_SEQUENCE);
        ps_buf_put_u64(out, entry->sequence);
        ps_wire_end(out, begin);
        entry->sequence_sent = entry->sequence;
    }
}

// What a script was given is not to be left over at a stop, nor what it was told to write.
static bool has_to_finish(const PsScriptEntry *entry) {
    return entry->finishes && (entry->inputs.count + ps_script_samples_released(&entry->samples) +
                                   entry->open_writes + entry->silent_writes >
                               0);
}

// At a stop nothing is waited for any more: what there is runs with the script there is.
static bool take_next(PsScriptEntry *entry) {
    bool runs = entry->state == PS_WORKER_RUNNING;
    bool inputs = !entry->pauses || entry->finishes;
    return take_reply(entry) ||
           (inputs && (ps_script_inputs_take(&entry->inputs, &entry->current) ||
                       ps_script_samples_take(&entry->samples, &entry->current) ||
                       (runs && ps_script_entry_take_replay(entry))));
}

void ps_script_entry_next(PsScriptEntry *entry) {
    if (entry->in_call || entry->doomed || entry->exited || entry->streams == NULL) {
        return;
    }
    if (entry->state == PS_WORKER_STOPPING && !has_to_finish(entry)) {
        ps_script_entry_quit(entry);
        return;
    }
    bool runs = entry->state == PS_WORKER_RUNNING;
    if ((!runs && !entry->finishes) || entry->settling || !take_next(entry)) {
        return;
    }
    if (entry->inputs.count == 0) {
        entry->dropping = false;
    }
    PsScriptShared *shared = entry->shared;
    PsScriptInput *input = &entry->current;
    log_message(entry, true);
    PS_AUTO_BUF PsBuf before = {0};
    put_names(entry, &before);
    put_sequence(entry, &before);
    ps_script_entry_put_settings(entry, &before);
    if (input->type == PS_WIRE_REPLY) {
        input->collected = ps_wall_now();
    }
    ps_snapshot_set_link(&input->frame, shared->link);
    entry->in_call = true;
    entry->returned = false;
    entry->acted = false;
    entry->lines = (PsScriptLines){.hidden = entry->lines.hidden};
    entry->frames = 0;
    ps_buf_clear(&entry->words);
    ps_script_streams_send(entry->streams, &before, &input->frame);
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_CALL, entry->timeout_s);
}

bool ps_script_entry_refuses(PsScriptEntry *entry, const PsScriptInput *input) {
    bool stopped = entry->shared->stopping && !entry->finishes;
    bool refuses = entry->state == PS_WORKER_HELD || stopped;
    if (refuses) {
        ps_script_entry_give_up(entry, input, stopped ? PS_ENTRY_WAS_STOPPED : entry->held);
    }
    return refuses;
}

PsErr ps_script_entry_put(PsScriptEntry *entry, PsScriptInput *input) {
    if (ps_script_entry_refuses(entry, input)) {
        return PS_ERR_CLOSED;
    }
    input->replay = 0; // what it was before, a buffer in turn
    ps_script_entry_make_room(entry, input);
    ps_script_inputs_put(&entry->inputs, input);
    ps_script_entry_next(entry);
    return PS_OK;
}

void ps_script_entry_write_ended(PsScriptEntry *entry, uint32_t generation, PsBuf *frame) {
    if (entry->generation != generation || entry->streams == NULL) {
        return; // the process that asked is no more
    }
    if (frame == NULL) {
        entry->silent_writes--;
        if (entry->finishes) {
            ps_script_entry_next(entry);
        }
        return;
    }
    ps_script_entry_answered(entry, generation, frame, NULL);
}

void ps_script_entry_answered(PsScriptEntry *entry, uint32_t generation, PsBuf *frame,
                              PsScriptNames *names) {
    if (entry->generation != generation || entry->streams == NULL) {
        return; // the process that asked is no more
    }
    PsScriptReply *reply = ps_alloc(sizeof *reply);
    reply->frame = *frame;
    reply->names = ps_script_names_share(names);
    *frame = (PsBuf){0};
    PsScriptReply **last = &entry->replies;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = reply;
    ps_script_entry_next(entry);
}

// What the disk or the cloud takes is not the script's time: a script that is slow only because
// they are would be killed again and again, and held in the end.
static void begin_asking(PsScriptEntry *entry) {
    entry->asks = true;
    ps_script_entry_pause_call(entry);
}

static void answer(PsScriptEntry *entry, bool sent) {
    entry->asks = false;
    ps_script_entry_resume_call(entry);
    if (ps_script_streams_waiting(entry->streams) > UNREAD_MAX) {
        ps_script_entry_doom(entry, false, "it does not read its answers");
        return;
    }
    PS_AUTO_BUF PsBuf frame = {0};
    uint8_t body = sent;
    ps_wire_put(&frame, PS_WIRE_SENT, &body, 1);
    ps_script_streams_send(entry->streams, &frame, NULL);
}

void ps_script_entry_sent(PsScriptEntry *entry, uint32_t generation, bool sent) {
    if (entry->generation == generation && entry->streams != NULL && entry->asks) {
        answer(entry, sent);
    }
}

static uint64_t ticket_of(const PsScriptEntry *entry) {
    return (uint64_t)entry->slot << 32 | entry->generation;
}

// Must something wait until what was published is safe?
static bool settles_later(PsScriptEntry *entry) {
    const PsScriptHostSetup *setup = &entry->shared->setup;
    entry->settling = entry->published && setup->on_settle != NULL &&
                      setup->on_settle(ticket_of(entry), setup->ctx);
    entry->published = false;
    return entry->settling;
}

void ps_script_entry_settled(PsScriptEntry *entry, uint32_t generation) {
    if (entry->generation != generation || entry->streams == NULL || !entry->settling) {
        return;
    }
    entry->settling = false;
    if (!entry->saving) {
        ps_script_entry_next(entry);
        return;
    }
    entry->saving = false;
    answer(entry, true);
}

// --- upwards ------------------------------------------------------------------------------------

static void keep_call_error(PsScriptEntry *entry) {
    if (entry->call_error[0] == '\0') {
        memcpy(entry->call_error, entry->last_error, sizeof entry->call_error);
    }
}

void ps_script_entry_rest(PsScriptEntry *entry, const char *error) {
    const PsScriptHostSetup *setup = &entry->shared->setup;
    if (setup->on_rest != NULL && entry->draft == NULL && !entry->leaving) {
        setup->on_rest(entry->kind, entry->index, error, setup->ctx);
    }
}

static void rest_when_idle(PsScriptEntry *entry) {
    if (entry->shared->setup.on_rest != NULL && entry->state == PS_WORKER_RUNNING &&
        !entry->in_call && entry->open_writes == 0 && entry->silent_writes == 0) {
        char error[sizeof entry->call_error];
        memcpy(error, entry->call_error, sizeof error);
        entry->call_error[0] = '\0';
        ps_script_entry_rest(entry, error);
    }
}

static void log_build(const PsScriptEntry *entry, const PsWireBuilt *built) {
    PS_LOGI(NULL, "Build module: %s, type: %s", entry->main_function,
            ps_script_kind_name(entry->kind));
    if (built->ok) {
        PS_LOGI(NULL, "Build OK.");
    } else {
        PS_LOGE(NULL, "Build module error. '%.*s' (%s '%s')", (int)built->error.len,
                built->error.data, ps_script_kind_name(entry->kind), entry->name);
    }
}

static PsErr take_built(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWireBuilt built;
    PsErr err = ps_wire_get_built(frame, &built);
    if (err != PS_OK || entry->state == PS_WORKER_RUNNING) {
        return PS_ERR_PROTOCOL;
    }
    if (entry->draft == NULL && entry->shared->setup.on_line == NULL) {
        log_build(entry, &built);
    }
    ps_script_entry_built(entry, built.ok != 0, built.error);
    ps_script_entry_next(entry);
    rest_when_idle(entry);
    return PS_OK;
}

static PsErr take_log(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWireLog log;
    PsErr err = ps_wire_get_log(frame, &log);
    if (err != PS_OK || log.file.len >= FILE_MAX) {
        return PS_ERR_PROTOCOL;
    }
    if (entry->draft != NULL) {
        return PS_OK; // the process that lives on says it
    }
    if (entry->lines.logged >= PS_SCRIPT_CALL_LINES_MAX ||
        entry->lines.bytes + log.text.len > PS_SCRIPT_CALL_LOG_BYTES_MAX) {
        entry->lines.hidden++;
        return PS_OK;
    }
    entry->lines.logged++;
    entry->lines.bytes += log.text.len;
    char file[FILE_MAX];
    memcpy(file, log.file.data, log.file.len);
    file[log.file.len] = '\0';
    const PsScriptHostSetup *setup = &entry->shared->setup;
    if (setup->on_line != NULL) {
        PsScriptLine line = {(PsLogLevel)log.level, file, log.line, log.text.data, log.text.len};
        setup->on_line(&line, setup->ctx);
        return PS_OK;
    }
    ps_log_script((PsLogLevel)log.level, log.always != 0, entry->name, file, (int)log.line,
                  log.text.data, log.text.len);
    return PS_OK;
}

static bool publish(PsScriptEntry *entry, const char *topic, int qos, PsWireText payload,
                    PsWall collected) {
    if (entry->leaving) {
        return false; // there is no message any more to take it
    }
    const PsScriptHostSetup *setup = &entry->shared->setup;
    PsScriptPublish message = {
        .kind = entry->kind,
        .entry = entry->index,
        .topic = topic,
        .qos = qos,
        .payload = (const uint8_t *)payload.data,
        .payload_len = payload.len,
        .collected = collected,
        .replay = entry->in_call ? entry->current.replay : 0,
    };
    bool accepted = setup->on_publish(&message, setup->ctx);
    entry->published |= accepted;
    return accepted;
}

static PsErr take_return(PsScriptEntry *entry, const PsWireFrame *frame) {
    bool returns = entry->current.type == PS_WIRE_DATA || entry->current.type == PS_WIRE_ALARMS;
    if (!entry->in_call || !returns || entry->returned) {
        return PS_ERR_PROTOCOL;
    }
    entry->returned = true;
    PsWireText payload = {(const char *)frame->body, (uint32_t)frame->len};
    (void)publish(entry, entry->topic, entry->qos, payload, entry->current.collected);
    return PS_OK; // a refusal is in the log
}

// A mistake of the script that raises nothing in it.
static void report(PsScriptEntry *entry, const char *id, const char *text) {
    const PsScriptHostSetup *setup = &entry->shared->setup;
    if (!ps_script_lines_warn(&entry->lines)) {
        return;
    }
    if (setup->on_line != NULL) {
        PsScriptLine line = {PS_LOG_ERROR, "<gateway>", 0, text, strlen(text)};
        setup->on_line(&line, setup->ctx);
        return;
    }
    PS_LOGE(id, "%s '%s': %s", ps_script_kind_name(entry->kind), entry->name, text);
}

// The topic as a C string if it is one that may be published to; otherwise NULL, and the log says
// what is wrong with it. AWS IoT would answer such a topic by closing the connection.
static char *take_topic(PsScriptEntry *entry, PsWireText text) {
    char *topic = ps_alloc((size_t)text.len + 1);
    memcpy(topic, text.data, text.len);
    PsDiag diag = {0};
    bool aws = entry->shared->setup.config->cloud.type == PS_CLOUD_AWS_IOT;
    PsErr err = strlen(topic) == text.len ? ps_topic_check_name(topic, aws, &diag)
                                          : ps_fail(PS_ERR_INVALID, &diag, NULL, NULL, "has a NUL");
    if (err == PS_OK) {
        return topic;
    }
    char why[640];
    snprintf(why, sizeof why, "message not sent: topic '%.200s': %s", topic, diag.text);
    report(entry, "SCRIPT-TOPIC", why);
    free(topic);
    return NULL;
}

static PsErr take_publish(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWirePublish message;
    PsErr err = ps_wire_get_publish(frame, &message);
    if (err != PS_OK || message.topic.len > TOPIC_MAX || message.topic.len == 0 || !entry->aws) {
        return PS_ERR_PROTOCOL;
    }
    char *topic = take_topic(entry, message.topic);
    if (topic != NULL) {
        PsWall collected = entry->in_call ? entry->current.collected : ps_wall_now();
        (void)publish(entry, topic, message.qos, message.payload, collected); // as above
        free(topic);
    }
    return PS_OK;
}

static PsErr take_publish_now(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWirePublish message;
    PsErr err = ps_wire_get_publish(frame, &message);
    if (err != PS_OK || message.topic.len > TOPIC_MAX || message.topic.len == 0 || entry->asks) {
        return PS_ERR_PROTOCOL;
    }
    const PsScriptHostSetup *setup = &entry->shared->setup;
    char *topic = take_topic(entry, message.topic);
    bool asked = false;
    if (topic != NULL && !entry->leaving) {
        PsScriptPublish now = {
            .kind = entry->kind,
            .entry = entry->index,
            .topic = topic,
            .qos = message.qos,
            .payload = (const uint8_t *)message.payload.data,
            .payload_len = message.payload.len,
            .collected = entry->in_call ? entry->current.collected : ps_wall_now(),
        };
        // Set first: the answer may come from inside the callback.
        begin_asking(entry);
        asked = setup->on_publish_now(&now, ticket_of(entry), setup->ctx);
    }
    free(topic);
    if (!asked) {
        answer(entry, false);
    }
    return PS_OK;
}

// save_data goes out in the order of saving, whatever the clock of the machine does.
static PsWall save_time(PsScriptShared *shared) {
    PsWall now = ps_wall_now();
    shared->last_saved = now.ns > shared->last_saved.ns ? now : shared->last_saved;
    return shared->last_saved;
}

static void answer_save(PsScriptEntry *entry, bool saved) {
    if (saved && settles_later(entry)) {
        entry->saving = true;
        begin_asking(entry);
    } else {
        answer(entry, saved);
    }
}

static PsErr take_save(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWirePublish message;
    PsErr err = ps_wire_get_publish(frame, &message);
    if (err != PS_OK || message.topic.len > TOPIC_MAX || message.topic.len == 0 || entry->asks) {
        return PS_ERR_PROTOCOL;
    }
    char *topic = take_topic(entry, message.topic);
    bool saved = topic != NULL &&
                 publish(entry, topic, message.qos, message.payload, save_time(entry->shared));
    free(topic);
    answer_save(entry, saved);
    return PS_OK;
}

static PsErr take_save_group(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWirePublish message;
    PsErr err = ps_wire_get_publish(frame, &message);
    if (err != PS_OK || entry->asks) {
        return PS_ERR_PROTOCOL;
    }
    int qos = 0;
    char *topic = ps_script_group_topic(entry->shared->setup.config, message.topic, &qos);
    bool saved =
        topic != NULL && publish(entry, topic, qos, message.payload, save_time(entry->shared));
    if (topic == NULL) {
        char why[320];
        snprintf(why, sizeof why, "save_data: no publish message has a group '%.*s'; not saved",
                 (int)(message.topic.len < 200 ? message.topic.len : 200), message.topic.data);
        report(entry, "SCRIPT-SAVE", why);
    }
    free(topic);
    answer_save(entry, saved);
    return PS_OK;
}

static PsErr take_request(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWireRequest request;
    PsErr err = ps_wire_get_request(frame, &request);
    if (err != PS_OK || entry->open_writes >= PS_SCRIPT_WRITES_MAX) {
        return PS_ERR_PROTOCOL; // the worker counts as well
    }
    entry->open_writes++;
    PsScriptOwner owner = {entry->slot, entry->generation, &entry->name, &entry->lines};
    ps_script_requests_begin(&entry->shared->requests, owner, &request);
    return PS_OK;
}

static PsErr take_write(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWireWrite write;
    PsReader items;
    PsErr err = ps_wire_get_write(frame, &write, &items);
    if (err != PS_OK) {
        return err;
    }
    uint32_t *open = write.wants_result ? &entry->open_writes : &entry->silent_writes;
    if (*open >= PS_SCRIPT_WRITES_MAX) {
        if (write.wants_result) {
            return PS_ERR_PROTOCOL; // the worker counts as well
        }
        if (ps_script_lines_warn(&entry->lines)) {
            PS_LOGW("SCRIPT-WRITE",
                    "%s '%s': write_plc_values: %d writes are still open; not written",
                    ps_script_kind_name(entry->kind), entry->name, PS_SCRIPT_WRITES_MAX);
        }
        return PS_OK;
    }
    (*open)++;
    PsScriptOwner owner = {entry->slot, entry->generation, &entry->name, &entry->lines};
    ps_script_writes_begin(&entry->shared->writes, owner, &write, items);
    return PS_OK;
}

static PsErr take_done(PsScriptEntry *entry, const PsWireFrame *frame) {
    PsWireDone done;
    PsErr err = ps_wire_get_done(frame, &done);
    if (err != PS_OK || !entry->in_call || entry->asks) {
        return PS_ERR_PROTOCOL;
    }
    entry->in_call = false;
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
    entry->calls++;
    entry->sequence += done.ok && done.used_sequence;
    if (!done.ok) {
        entry->errors++;
        const char *end = memchr(done.error.data, '\n', done.error.len);
        ps_script_entry_note_error(entry, done.error.data,
                                   end != NULL ? (size_t)(end - done.error.data) : done.error.len);
        keep_call_error(entry);
    }
    ps_script_entry_tell_hidden_lines(entry);
    log_message(entry, false);
    PS_AUTO_BUF PsBuf reason = {0};
    if (!done.ok) {
        ps_buf_put(&reason, done.error.data, done.error.len);
    }
    ps_script_entry_end_input(entry, (const char *)reason.data);
    if (!entry->in_call) {                    // the end of a replayed input may have begun the next
        ps_buf_deinit(&entry->current.frame); // of many scripts few are in a call at a time
    }
    (void)settles_later(entry); // the next call waits
    ps_script_entry_next(entry);
    rest_when_idle(entry);
    return PS_OK;
}

typedef PsErr FrameHandler(PsScriptEntry *entry, const PsWireFrame *frame);

static FrameHandler *const handlers[PS_WIRE_TYPE_COUNT] = {
    [PS_WIRE_BUILT] = take_built,
    [PS_WIRE_LOG] = take_log,
    [PS_WIRE_RETURN] = take_return,
    [PS_WIRE_PUBLISH] = take_publish,
    [PS_WIRE_PUBLISH_NOW] = take_publish_now,
    [PS_WIRE_SAVE] = take_save,
    [PS_WIRE_SAVE_GROUP] = take_save_group,
    [PS_WIRE_WRITE] = take_write,
    [PS_WIRE_REQUEST] = take_request,
    [PS_WIRE_DONE] = take_done,
};

void ps_script_entry_take_frame(PsScriptEntry *entry, const PsWireFrame *frame) {
    entry->acted |= frame->type != PS_WIRE_LOG && frame->type != PS_WIRE_BUILT;
    PS_ASSERT(handlers[frame->type] != NULL); // the decoder lets only a worker's types through
    if (++entry->frames > PS_SCRIPT_CALL_FRAMES_MAX) {
        ps_script_entry_doom(entry, true, "one call logged, published and wrote more than %d times",
                             PS_SCRIPT_CALL_FRAMES_MAX);
        return;
    }
    PsErr err = handlers[frame->type](entry, frame);
    if (err != PS_OK) {
        ps_script_entry_doom(entry, false, "it sent a '%s' that makes no sense",
                             ps_wire_type_name(frame->type));
    }
}
