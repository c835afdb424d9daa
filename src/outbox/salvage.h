//! What can be read of a damaged outbox, put into a fresh one. Blocks on the disk; one thread.
//!
//! The damaged file is read page by page, so that neither a broken tree nor a broken head hides
//! the rows of the pages that are sound. Each table is known by the shape of its records. Pages
//! that SQLite has freed hold no old rows: the database is written with secure_delete.
#pragma once

#include "outbox/db.h"

/// What came out of it.
typedef struct PsSalvage {
    uint64_t messages;
    uint64_t letters;   ///< dead letters
    uint64_t books;     ///< names with their counts
    uint64_t restarted; ///< names without: they count from 0 again
    uint64_t renamed;   ///< of them made up, for rows whose name was not found
    uint64_t changed;   ///< rows whose bytes are not those that were stored: left out, and counted
    uint64_t lost;      ///< rows that were seen to be there and could not be read
    uint64_t pages;     ///< of the damaged file
    uint64_t unread;    ///< pages that the disk did not give
} PsSalvage;

/// Reads the file at `path` with its write-ahead log, changing neither, and fills `into`, which
/// holds nothing yet, in one transaction. Fails only when `into` cannot be written.
PsErr ps_salvage(const char *path, PsDb *into, PsSalvage *ret_salvage);
