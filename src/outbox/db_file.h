//! A database file and its write-ahead log as pages, read without SQLite. Nothing is changed.
//! Blocks on the disk; one thread. The log's layout is that of
//! https://www.sqlite.org/fileformat2.html, section 4.
#pragma once

#include "base/err.h"
#include "outbox/page.h"

typedef struct PsDbFile PsDbFile;

/// Never fails: what is missing or cannot be read has no pages.
PsDbFile *ps_db_file_open(const char *path);
/// Accepts NULL.
void ps_db_file_close(PsDbFile *file);

/// True when the log has lost something that was committed: a broken place and, behind it, a
/// transaction that was begun after another was complete. (A broken end alone is what a power cut
/// leaves of a transaction that nobody was promised; SQLite leaves it out by itself.) Also true
/// when the log belongs to a database that is empty: SQLite would delete it.
bool ps_db_file_log_is_damaged(const PsDbFile *file);

uint32_t ps_db_file_page_count(const PsDbFile *file);
/// Page `number` (from 1) as it was committed last; false when it cannot be read.
bool ps_db_file_page(PsDbFile *file, uint32_t number, uint8_t page[PS_PAGE_BYTES]);
