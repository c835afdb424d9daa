// write_plc_values on the daemon side. A call lives until every item's outcome is in, even when
// its script was answered (time limit) or has died; each item's outcome arrives exactly once.
#include "script/writes.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Stands in `names` for a variable name that more than one device has.
#define NOT_UNIQUE (PS_MAP_NONE - 1)
#define NAME_MAX_BYTES 300
#define LOGGED_MAX 20U // failures of one call

typedef struct Item {
    PsScriptWriteCall *call;
    char *device;
    char *variable;
    bool ok;
    char error[384];
} Item;

struct PsScriptWriteCall {
    PsScriptWriteCall *next;
    PsScriptWrites *writes; // NULL once the host has gone
    PsScriptOwner owner;
    uint32_t ticket;
    bool wants_result;
    bool answered;
    PsMono deadline;
    uint32_t count;
    uint32_t open; // items without outcome, and 1 while the call is being started
    Item items[];
};

void ps_script_writes_init(PsScriptWrites *writes, const PsScriptHostSetup *setup,
                           PsScriptWriteEnded *on_ended, void *ctx) {
    *writes = (PsScriptWrites){.setup = setup, .on_ended = on_ended, .ctx = ctx};
}

static void learn_names(PsScriptWrites *writes) {
    const PsConfig *config = writes->setup->config;
    writes->knows_names = true;
    for (uint32_t i = 0; i < config->device_count; i++) {
        ps_map_put(&writes->devices, NULL, config->devices[i].name, i);
    }
    PsMap seen = {0};
    PsMap twice = {0};
    for (uint32_t i = 0; i < config->variable_count; i++) {
        const PsVariable *variable = &config->variables[i];
        ps_map_put(&writes->variables, config->devices[variable->device].name, variable->name, i);
        if (!ps_map_put(&seen, NULL, variable->name, i)) {
            ps_map_put(&twice, NULL, variable->name, i);
        }
    }
    for (uint32_t i = 0; i < config->variable_count; i++) {
        const char *name = config->variables[i].name;
        bool unique = ps_map_find(&twice, NULL, name) == PS_MAP_NONE;
        ps_map_put(&writes->names, NULL, name, unique ? i : NOT_UNIQUE);
    }
    ps_map_deinit(&seen);
    ps_map_deinit(&twice);
}

void ps_script_writes_open(PsScriptWrites *writes) {
    uv_timer_init(writes->setup->loop, &writes->timer);
    writes->timer.data = writes;
    writes->open = true;
}

void ps_script_writes_close(PsScriptWrites *writes, uv_close_cb closed) {
    writes->open = false;
    for (PsScriptWriteCall *call = writes->calls; call != NULL; call = call->next) {
        call->writes = NULL;
    }
    writes->calls = NULL;
    writes->timer.data = writes->ctx;
    uv_close((uv_handle_t *)&writes->timer, closed);
}

void ps_script_writes_forget_names(PsScriptWrites *writes) {
    ps_map_deinit(&writes->devices);
    ps_map_deinit(&writes->variables);
    ps_map_deinit(&writes->names);
    writes->knows_names = false;
}

void ps_script_writes_deinit(PsScriptWrites *writes) {
    ps_script_writes_forget_names(writes);
}

static void free_call(PsScriptWriteCall *call) {
    for (uint32_t i = 0; i < call->count; i++) {
        free(call->items[i].device);
        free(call->items[i].variable);
    }
    free(call);
}

static void unlink_call(PsScriptWriteCall *call) {
    PsScriptWriteCall **at = &call->writes->calls;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
}

static void put_results(const PsScriptWriteCall *call, bool timed_out, PsBuf *out) {
    PsWireReplyError error = timed_out ? PS_WIRE_REPLY_TIMEOUT : PS_WIRE_REPLY_OK;
    size_t begin = ps_wire_begin_reply(out, call->ticket, error);
    ps_buf_put_u32(out, timed_out ? 0 : call->count);
    for (uint32_t i = 0; !timed_out && i < call->count; i++) {
        const Item *item = &call->items[i];
        ps_buf_put_u8(out, item->ok);
        ps_buf_put_text(out, item->device);
        ps_buf_put_text(out, item->variable);
        ps_buf_put_text(out, item->error);
    }
    ps_wire_end(out, begin);
}

bool ps_script_lines_warn(PsScriptLines *lines) {
    bool may = lines->warnings < PS_SCRIPT_CALL_WARNINGS_MAX;
    lines->warnings += may;
    lines->hidden += !may;
    return may;
}

// Nobody will look at the results of such a call, so the failures go to the log.
static void log_failures(const PsScriptWriteCall *call) {
    uint32_t failed = 0;
    for (uint32_t i = 0; i < call->count; i++) {
        const Item *item = &call->items[i];
        if (!item->ok && failed++ < LOGGED_MAX && ps_script_lines_warn(call->owner.lines)) {
            PS_LOGW("SCRIPT-WRITE", "%s: write_plc_values: device '%s', variable '%s': %s",
                    *call->owner.name, item->device, item->variable, item->error);
        }
    }
    if (failed > LOGGED_MAX && ps_script_lines_warn(call->owner.lines)) {
        PS_LOGW("SCRIPT-WRITE", "%s: write_plc_values: %u more values of this call failed",
                *call->owner.name, failed - LOGGED_MAX);
    }
}

static void answer(PsScriptWriteCall *call, bool timed_out) {
    call->answered = true;
    if (!call->wants_result) {
        if (timed_out && ps_script_lines_warn(call->owner.lines)) {
            PS_LOGW("SCRIPT-WRITE", "%s: write_plc_values: not finished within its timeout",
                    *call->owner.name);
        } else if (!timed_out) {
            log_failures(call);
        }
        call->writes->on_ended(call->owner, NULL, call->writes->ctx);
        return;
    }
    PS_AUTO_BUF PsBuf frame = {0};
    put_results(call, timed_out, &frame);
    call->writes->on_ended(call->owner, &frame, call->writes->ctx);
}

static void on_timer(uv_timer_t *timer);

static void set_timer(PsScriptWrites *writes) {
    PsMono next = {INT64_MAX};
    for (PsScriptWriteCall *call = writes->calls; call != NULL; call = call->next) {
        if (!call->answered && call->deadline.ns < next.ns) {
            next = call->deadline;
        }
    }
    if (next.ns == INT64_MAX) {
        uv_timer_stop(&writes->timer);
        return;
    }
    uv_update_time(writes->setup->loop);
    uv_timer_start(&writes->timer, on_timer, (uint64_t)ps_mono_poll_ms(ps_mono_now(), next), 0);
}

static void on_timer(uv_timer_t *timer) {
    PsScriptWrites *writes = timer->data;
    PsMono now = ps_mono_now();
    for (PsScriptWriteCall *call = writes->calls; call != NULL; call = call->next) {
        if (!call->answered && call->deadline.ns <= now.ns) {
            answer(call, true);
        }
    }
    set_timer(writes);
}

void ps_script_writes_forget_owner(PsScriptWrites *writes, uint32_t slot) {
    PsScriptWriteCall **at = &writes->calls;
    while (*at != NULL) {
        PsScriptWriteCall *call = *at;
        if (call->owner.slot == slot) {
            *at = call->next;
            call->writes = NULL;
        } else {
            at = &call->next;
        }
    }
    if (writes->open) {
        set_timer(writes);
    }
}

static void release(PsScriptWriteCall *call) {
    if (--call->open > 0) {
        return;
    }
    PsScriptWrites *writes = call->writes;
    if (writes != NULL) {
        if (!call->answered) {
            answer(call, false);
        }
        unlink_call(call);
        set_timer(writes);
    }
    free_call(call);
}

static void fail_item(Item *item, const char *text) {
    item->ok = false;
    snprintf(item->error, sizeof item->error, "%s", text);
}

static void on_item_done(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx) {
    Item *item = ctx;
    item->ok = result == PS_OK;
    if (!item->ok) {
        bool has_text = diag != NULL && diag->text[0] != '\0';
        fail_item(item, has_text ? diag->text : ps_err_name(result));
    }
    release(item->call);
}

static uint32_t resolve(const PsScriptWrites *writes, Item *item, bool has_device) {
    char text[NAME_MAX_BYTES + 80];
    uint32_t variable = PS_MAP_NONE;
    if (!has_device) {
        variable = ps_map_find(&writes->names, NULL, item->variable);
    } else if (ps_map_find(&writes->devices, NULL, item->device) != PS_MAP_NONE) {
        variable = ps_map_find(&writes->variables, item->device, item->variable);
    } else {
        snprintf(text, sizeof text, "Device '%.*s' not found.", NAME_MAX_BYTES, item->device);
        fail_item(item, text);
        return PS_MAP_NONE;
    }
    if (variable == NOT_UNIQUE) {
        snprintf(text, sizeof text, "Variable '%.*s' exists on more than one device.",
                 NAME_MAX_BYTES, item->variable);
        fail_item(item, text);
        return PS_MAP_NONE;
    }
    if (variable == PS_MAP_NONE) {
        snprintf(text, sizeof text, "Variable '%.*s' not found.", NAME_MAX_BYTES, item->variable);
        fail_item(item, text);
    }
    return variable;
}

static void start_item(PsScriptWriteCall *call, Item *item, bool has_device, PsValue value) {
    const PsScriptHostSetup *setup = call->writes->setup;
    uint32_t index = resolve(call->writes, item, has_device);
    if (index == PS_MAP_NONE) {
        return;
    }
    const PsVariable *variable = &setup->config->variables[index];
    if (!has_device) {
        free(item->device);
        item->device = ps_strdup(setup->config->devices[variable->device].name);
    }
    if (variable->access == PS_ACCESS_READ) {
        fail_item(item, "The variable is read-only.");
        return;
    }
    if (value.kind == PS_VALUE_NONE) {
        fail_item(item, "The value must be a bool, a number of at most 64 bits, or a str.");
        return;
    }
    PsDiag diag = {0};
    call->open++;
    PsErr err =
        setup->on_write(index, value, call->deadline, on_item_done, item, setup->ctx, &diag);
    if (err != PS_OK) {
        call->open--;
        fail_item(item, diag.text[0] != '\0' ? diag.text : ps_err_name(err));
    }
}

// NUL inside a name matches nothing; it is shown up to there.
static char *name_of(PsWireText text) {
    char *name = ps_alloc((size_t)text.len + 1);
    if (text.len > 0) {
        memcpy(name, text.data, text.len);
    }
    return name;
}

void ps_script_writes_begin(PsScriptWrites *writes, PsScriptOwner owner, const PsWireWrite *write,
                            PsReader items) {
    if (!writes->knows_names) {
        learn_names(writes);
    }
    PsScriptWriteCall *call = ps_alloc(sizeof *call + write->item_count * sizeof(Item));
    call->next = writes->calls;
    call->writes = writes;
    call->owner = owner;
    call->ticket = write->ticket;
    call->wants_result = write->wants_result != 0;
    call->deadline = ps_mono_add_ns(ps_mono_now(), ps_seconds_to_ns(write->timeout_s));
    call->count = write->item_count;
    call->open = 1;
    writes->calls = call;
    for (uint32_t i = 0; i < call->count; i++) {
        PsWireWriteItem wire = {0};
        PsErr err = ps_wire_get_write_item(&items, &wire);
        PS_ASSERT(err == PS_OK); // ps_wire_get_write has walked them
        Item *item = &call->items[i];
        item->call = call;
        item->device = name_of(wire.device);
        item->variable = name_of(wire.variable);
        item->ok = true;
        start_item(call, item, wire.has_device != 0, wire.value);
    }
    set_timer(writes);
    release(call);
}
