// The input queue of a worker. Frames are moved by swapping buffers, so that a steady stream of
// equal inputs allocates nothing. Pure; loop thread.
#include "script/inputs.h"

// Larger buffers are not kept for reuse.
#define KEPT_BYTES ((size_t)64 * 1024)

static PsScriptInput *slot(PsScriptInputs *inputs, uint32_t at) {
    return &inputs->items[(inputs->first + at) % PS_SCRIPT_QUEUE_INPUTS];
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
    for (size_t i = 0; i < PS_COUNT(inputs->items); i++) {
        ps_script_input_deinit(&inputs->items[i]);
    }
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
}

static void note_use(PsScriptInputs *inputs, const PsScriptInput *at) {
    uint32_t used = (uint32_t)(at - inputs->items) + 1;
    inputs->used = used > inputs->used ? used : inputs->used;
}

bool ps_script_inputs_is_full(const PsScriptInputs *inputs, const PsScriptInput *input) {
    return inputs->count > 0 && (inputs->count == PS_SCRIPT_QUEUE_INPUTS ||
                                 inputs->bytes + input->frame.len > PS_SCRIPT_QUEUE_BYTES);
}

void ps_script_inputs_put(PsScriptInputs *inputs, PsScriptInput *input) {
    PS_ASSERT(inputs->count < PS_SCRIPT_QUEUE_INPUTS);
    PsScriptInput *last = slot(inputs, inputs->count);
    swap(last, input);
    empty(input);
    inputs->bytes += last->frame.len;
    inputs->count++;
    note_use(inputs, last);
}

bool ps_script_inputs_take(PsScriptInputs *inputs, PsScriptInput *input) {
    if (inputs->count == 0) {
        return false;
    }
    PsScriptInput *oldest = slot(inputs, 0);
    inputs->bytes -= oldest->frame.len;
    swap(oldest, input);
    empty(oldest);
    inputs->first = (inputs->first + 1) % PS_SCRIPT_QUEUE_INPUTS;
    inputs->count--;
    if (inputs->count == 0) {
        begin_again(inputs);
    }
    return true;
}

bool ps_script_inputs_put_back(PsScriptInputs *inputs, PsScriptInput *input) {
    if (inputs->count == PS_SCRIPT_QUEUE_INPUTS) {
        return false;
    }
    inputs->first = (inputs->first + PS_SCRIPT_QUEUE_INPUTS - 1) % PS_SCRIPT_QUEUE_INPUTS;
    inputs->count++;
    PsScriptInput *oldest = slot(inputs, 0);
    swap(oldest, input);
    empty(input);
    inputs->bytes += oldest->frame.len;
    note_use(inputs, oldest);
    return true;
}
