//! Where a passphrase or password comes from: a file, standard input, or the terminal without echo.
//! Never an argument or the environment, which other users of the machine can read. One thread,
//! blocking.
#pragma once

#include "base/buf.h"

#include <stdbool.h>

/// What is asked for, in words.
typedef struct CliSecret {
    const char *name;     ///< "passphrase": for mistakes
    const char *question; ///< at the terminal
    const char *option;   ///< that names a file
    size_t least;         ///< bytes of a fresh one
} CliSecret;

extern const CliSecret cli_backup_passphrase;
extern const CliSecret cli_user_password;

/// The first line of `file` ("-": standard input; NULL: asked for at the terminal). A `fresh` one
/// protects something new: it has a least length, and the terminal asks twice. The caller wipes
/// `ret_passphrase`, NUL-terminated. PS_ERR_NOT_FOUND when there is no terminal; PS_ERR_INVALID;
/// PS_ERR_CANCELLED on Ctrl-C; errors of the file.
PsErr cli_passphrase_take(const CliSecret *secret, const char *file, bool fresh,
                          PsBuf *ret_passphrase, PsDiag *diag);
