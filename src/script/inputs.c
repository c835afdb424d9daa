// The input queue of a worker. Frames are moved by swapping buffers; where several inputs wait,
// what one leaves serves the next. Pure; loop thread.
#include "script/inputs.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4U
// A longer array of slots is not kept when it is empty.
#define ROOM_KEPT 64U
// Larger buffers are not kept for reuse.
#define KEPT_BYTES ((size_t)64 * 1024)

static PsScriptInput *slot(PsScriptInputs *inputs, uint32_t at) {
    PS_ASSERT(at < inputs->room);
    return &inputs->items[(inputs->first + at) % inputs->room];
}

void ps_script_input_set_names(PsScriptInput *input, PsScriptNames *names) {
    PsScriptNames *former = input->names;
    input->names = ps_script_names_share(names);
    ps_script_names_drop(former);
}

void ps_script_input_deinit(PsScriptInput *input) {
    ps_script_input_set_names(input, NULL);
    ps_buf_deinit(&input->frame);
}

static void empty(PsScriptInput *input) {
    ps_script_input_set_names(input, NULL);
    if (input->frame.capacity > KEPT_BYTES) {
        ps_buf_deinit(&input->frame);
    }
    ps_buf_clear(&input->frame);
}

void ps_script_inputs_deinit(PsScriptInputs *inputs) {
    for (uint32_t i = 0; i < inputs->room; i++) {
        ps_script_input_deinit(&inputs->items[i]);
    }
    free(inputs->items);
    *inputs = (PsScriptInputs){.most = inputs->most};
}

static void swap(PsScriptInput *a, PsScriptInput *b) {
    PsScriptInput kept = *a;
    *a = *b;
    *b = kept;
}

// The next input takes the first slot again: where inputs are taken as fast as they come, one
// slot's memory serves them all, and what a backlog took is given back after it.
static void begin_again(PsScriptInputs *inputs) {
    inputs->first = 0;
    while (inputs->used > 1) {
        ps_buf_deinit(&inputs->items[--inputs->used].frame);
    }
    if (inputs->room > ROOM_KEPT) {
        ps_script_inputs_deinit(inputs);
    }
}

// One more slot, the oldest in the first.
static void make_slot(PsScriptInputs *inputs) {
    if (inputs->count < inputs->room) {
        return;
    }
    uint32_t room = inputs->room > 0 ? 2 * inputs->room : ROOM_FIRST;
    room = room < inputs->most ? room : inputs->most;
    PsScriptInput *items = ps_alloc_array(room, sizeof *items);
    for (uint32_t i = 0; i < inputs->count; i++) {
        items[i] = *slot(inputs, i);
    }
    free(inputs->items);
    inputs->items = items;
    inputs->room = room;
    inputs->first = 0;
    inputs->used = inputs->count;
}

static void note_use(PsScriptInputs *inputs, const PsScriptInput *at) {
    uint32_t used = (uint32_t)(at - inputs->items) + 1;
    inputs->used = used > inputs->used ? used : inputs->used;
}

bool ps_script_inputs_is_full(const PsScriptInputs *inputs, const PsScriptInput *input) {
    return inputs->count > 0 && (inputs->count == inputs->most ||
                                 inputs->bytes + input->frame.len > PS_SCRIPT_QUEUE_BYTES);
}

void ps_script_inputs_put(PsScriptInputs *inputs, PsScriptInput *input) {
    PS_ASSERT(inputs->count < inputs->most);
    make_slot(inputs);
    PsScriptInput *last = slot(inputs, inputs->count);
    swap(last, input);
    empty(input);
    inputs->bytes += last->frame.len;
    inputs->count++;
    note_use(inputs, last);
}

const PsScriptInput *ps_script_inputs_oldest(const PsScriptInputs *inputs) {
    PS_ASSERT(inputs->count > 0);
    return &inputs->items[inputs->first];
}

bool ps_script_inputs_take(PsScriptInputs *inputs, PsScriptInput *input) {
    if (inputs->count == 0) {
        return false;
    }
    PsScriptInput *oldest = slot(inputs, 0);
    inputs->bytes -= oldest->frame.len;
    swap(oldest, input);
    empty(oldest);
    inputs->first = (inputs->first + 1) % inputs->room;
    inputs->count--;
    if (inputs->count == 0) {
        begin_again(inputs);
    }
    return true;
}

bool ps_script_inputs_put_back(PsScriptInputs *inputs, PsScriptInput *input) {
    if (inputs->count == inputs->most) {
        return false;
    }
    make_slot(inputs);
    inputs->first = (inputs->first + inputs->room - 1) % inputs->room;
    inputs->count++;
    PsScriptInput *oldest = slot(inputs, 0);
    swap(oldest, input);
    empty(input);
    inputs->bytes += oldest->frame.len;
    note_use(inputs, oldest);
    return true;
}
