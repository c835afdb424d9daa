//! The one-time code with which the first administrator is made: 128 random bits, in groups that
//! can be read out. In memory only. Pure: random bytes and times (of ps_boot_now) come in.
#pragma once

#include "access/access.h"

#define PS_SETUP_CODE_BYTES 16

typedef struct PsSetupCode {
    char text[PS_SETUP_CODE_SIZE]; ///< "": there is none
    PsMono ends;
    unsigned wrong;
} PsSetupCode;

/// A new one in place of what was; holds for 24 hours and ten wrong tries.
void ps_setup_code_make(PsSetupCode *code, const uint8_t random[PS_SETUP_CODE_BYTES], PsMono now);
/// Is there none that can still be used?
bool ps_setup_code_is_over(const PsSetupCode *code, PsMono now);
/// Letters in any case, with and without the dashes and blanks, and with O, I, L for 0 and 1. In
/// the same time wherever a wrong one differs. A wrong one counts.
bool ps_setup_code_try(PsSetupCode *code, const char *given, PsMono now);
void ps_setup_code_wipe(PsSetupCode *code);
