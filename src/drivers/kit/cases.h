//! The cases of the conformance kit; `state` is the PsKit of the case. A fault that the rig does
//! not have is skipped.
#pragma once

#include "drivers/kit/rig.h"

// cases_values.c: what is read, written, described, looked at and browsed
void ps_kit_case_reads_all_types(void **state);
void ps_kit_case_writes_and_reads_back(void **state);
void ps_kit_case_refuses_what_does_not_fit(void **state);
void ps_kit_case_one_absent_spoils_no_other(void **state);
void ps_kit_case_describe(void **state);
void ps_kit_case_peek(void **state);
void ps_kit_case_browse(void **state);

// cases_faults.c: a device and a line that are not as they should be
void ps_kit_case_closed_port(void **state);
void ps_kit_case_silent_device(void **state);
void ps_kit_case_slow_answer(void **state);
void ps_kit_case_late_answer(void **state);
void ps_kit_case_garbage(void **state);
void ps_kit_case_truncated(void **state);
void ps_kit_case_wrong_id(void **state);
void ps_kit_case_reset(void **state);
void ps_kit_case_restart(void **state);

// cases_session.c: the connection, its end, what it costs
void ps_kit_case_connects(void **state);
void ps_kit_case_interrupt_read(void **state);
void ps_kit_case_interrupt_write(void **state);
void ps_kit_case_interrupt_peek(void **state);
void ps_kit_case_interrupt_connect(void **state);
void ps_kit_case_interrupt_handshake(void **state);
void ps_kit_case_replan_keeps_the_connection(void **state);
void ps_kit_case_connects_leak_nothing(void **state);
void ps_kit_case_cycles_take_no_memory(void **state);
