//! Where a passphrase comes from: a file, standard input, or the terminal without echo. Never an
//! argument or the environment, which other users of the machine can read. One thread, blocking.
#pragma once

#include "base/buf.h"

#include <stdbool.h>

/// Shortest passphrase for a new backup, in bytes.
#define CLI_PASSPHRASE_LEAST 12

/// The first line of `file` ("-": standard input; NULL: asked for at the terminal). A `fresh` one
/// protects something new: it has a least length, and the terminal asks twice. The caller wipes
/// `ret_passphrase`, NUL-terminated. PS_ERR_NOT_FOUND when there is no terminal; PS_ERR_INVALID;
/// PS_ERR_CANCELLED on Ctrl-C; errors of the file.
PsErr cli_passphrase_take(const char *file, bool fresh, PsBuf *ret_passphrase, PsDiag *diag);
