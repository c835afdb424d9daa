//! The words behind `penstock backup` and `penstock restore`. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct CliArchiveArguments {
    const char *file;
    const char *folder;          ///< of the configuration; as it was where none is given
    const char *passphrase_file; ///< NULL: asked for
} CliArchiveArguments;

/// A word that only switches something on.
typedef struct CliSwitch {
    const char *word;
    bool *on;
} CliSwitch;

/// False when a word is not known, or the file is missing or there twice. The texts are borrowed.
bool cli_archive_arguments(CliArchiveArguments *taken, const CliSwitch *switches,
                           size_t switch_count, int count, char **words);
