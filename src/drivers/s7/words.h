//! What the codes of a controller mean, in words, and what to do about them. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Return code of an item of a read or write. Never NULL.
const char *ps_s7_item_words(uint8_t code);

/// Error class (high byte) and code of a whole job. Never NULL.
const char *ps_s7_job_words(uint16_t error);

/// Either of them (an item's has one byte), with what to do in more words than fit a line of a log.
void ps_s7_meaning(uint16_t code, char *out, size_t size);

/// Does the code say that this place is not there, so that a part of it may be and the rest need
/// not be asked for each cycle?
bool ps_s7_is_absence(uint8_t code);

/// CPU types by the beginning of their order numbers: "S7-1200"; "" when it is not known.
const char *ps_s7_family(const char *order_number);
