// The queue of inputs: order, limits, and what memory it keeps.
#include "script/inputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_BYTES 8000

static void fill(PsScriptInput *input, uint32_t number) {
    uint8_t bytes[FRAME_BYTES] = {0};
    memcpy(bytes, &number, sizeof number);
    ps_buf_clear(&input->frame);
    ps_buf_put(&input->frame, bytes, sizeof bytes);
}

static uint32_t number_of(const PsScriptInput *input) {
    uint32_t number;
    assert_int_equal(input->frame.len, FRAME_BYTES);
    memcpy(&number, input->frame.data, sizeof number);
    return number;
}

static size_t memory_of(const PsScriptInputs *inputs) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < inputs->room; i++) {
        bytes += inputs->items[i].frame.capacity;
    }
    return bytes;
}

static void a_steady_stream_keeps_the_memory_of_one(void **state) {
    PsScriptInputs inputs = {.most = PS_SCRIPT_QUEUE_INPUTS};
    PsScriptInput in = {0};
    PsScriptInput out = {0};
    for (uint32_t i = 0; i < 10 * PS_SCRIPT_QUEUE_INPUTS; i++) {
        fill(&in, i);
        ps_script_inputs_put(&inputs, &in);
        assert_true(ps_script_inputs_take(&inputs, &out));
        assert_int_equal(number_of(&out), i);
    }
    assert_true(memory_of(&inputs) < (size_t)3 * FRAME_BYTES);
    ps_script_input_deinit(&in);
    ps_script_input_deinit(&out);
    ps_script_inputs_deinit(&inputs);
}

static void a_backlog_comes_in_order_and_leaves_nothing(void **state) {
    PsScriptInputs inputs = {.most = PS_SCRIPT_QUEUE_INPUTS};
    PsScriptInput in = {0};
    PsScriptInput out = {0};
    for (uint32_t i = 0; i < PS_SCRIPT_QUEUE_INPUTS; i++) {
        fill(&in, i);
        ps_script_inputs_put(&inputs, &in);
    }
    assert_true(ps_script_inputs_is_full(&inputs, &in));
    assert_true(ps_script_inputs_take(&inputs, &out));
    assert_true(ps_script_inputs_put_back(&inputs, &out));
    for (uint32_t i = 0; i < PS_SCRIPT_QUEUE_INPUTS; i++) {
        assert_true(ps_script_inputs_take(&inputs, &out));
        assert_int_equal(number_of(&out), i);
    }
    assert_false(ps_script_inputs_take(&inputs, &out));
    assert_true(memory_of(&inputs) < (size_t)3 * FRAME_BYTES);
    ps_script_input_deinit(&in);
    ps_script_input_deinit(&out);
    ps_script_inputs_deinit(&inputs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_stream_keeps_the_memory_of_one),
        cmocka_unit_test(a_backlog_comes_in_order_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
