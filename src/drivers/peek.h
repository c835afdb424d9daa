//! What drivers have in common when they look at a variable's place. Pure; the session's thread.
#pragma once

#include "drivers/driver.h"
#include "drivers/learned.h"

/// Writes item number `item` of an area as people write its address.
typedef void PsPeekName(uint32_t area, uint32_t item, char *out, size_t size);

/// Fills in what was learned about the place and around it: the holes nearest to it, in order of
/// place. `learned` may be NULL.
void ps_peek_learned(PsPeek *peek, const PsLearned *learned, const PsLearnedHole *place,
                     PsPeekName *name);
