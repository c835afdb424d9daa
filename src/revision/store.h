//! The newest revisions on the disk, STATE/revisions/NUMBER/ each: penstock.json, scripts/,
//! difference.json (from the one before it) and meta.json, which is written last and removed first,
//! so that what has one is whole. Files 0600, folders 0700; no private keys: certificates and keys
//! stay where penstock.json says, and the SHA-256 of what is public in them is noted.
//!
//! The newest revision is the one that runs. Every call may block on the disk and is for one thread
//! at a time; what cannot be written leaves the store as it was.
#pragma once

#include "revision/content.h"
#include "revision/revision.h"

#define PS_REVISIONS_MAX 50
/// The oldest also go while all together have more bytes.
#define PS_REVISIONS_BYTES_MAX ((uint64_t)256 * 1024 * 1024)

/// For tests: asked before each step that changes the disk, and told after it (`after`). What is
/// not PS_OK before it fails the step.
typedef struct PsRevisionGate {
    PsErr (*step)(bool after, const char *what, void *ctx);
    void *ctx;
} PsRevisionGate;

typedef struct PsRevisionStore PsRevisionStore;

/// Makes the folder STATE/revisions when missing. What a sudden end left half done is completed
/// when it was decided, and goes otherwise: `config_folder` then holds one configuration, whole.
/// `gate` may be NULL; it outlives the store. Where the configuration folder cannot be written the
/// store opens all the same, see ps_revision_store_unfinished.
PsErr ps_revision_store_open(const char *folder, const char *config_folder,
                             const PsRevisionGate *gate, PsRevisionStore **ret_store, PsDiag *diag);
/// The configuration folder does not hold all of the newest revision, and could not be made to.
bool ps_revision_store_unfinished(const PsRevisionStore *store);
/// Accepts NULL.
void ps_revision_store_close(PsRevisionStore *store);
/// STATE/revisions; borrowed.
const char *ps_revision_store_folder(const PsRevisionStore *store);

/// Oldest first; borrowed until the store changes.
size_t ps_revision_store_count(const PsRevisionStore *store);
const PsRevision *ps_revision_store_at(const PsRevisionStore *store, size_t index);
/// The one that runs; NULL when there is none yet.
const PsRevision *ps_revision_store_newest(const PsRevisionStore *store);
/// NULL when it is not kept.
const PsRevision *ps_revision_store_find(const PsRevisionStore *store, uint32_t number);
/// The newest one before `number`; NULL when there is none.
const PsRevision *ps_revision_store_before(const PsRevisionStore *store, uint32_t number);

/// What was noted of the cloud's files when it was made, as of ps_credentials_note; NULL when that
/// is not known. The caller owns it.
json_t *ps_revision_store_credentials(const PsRevisionStore *store, uint32_t number);

typedef struct PsRevisionEntry {
    const PsContent *content;
    const PsConfig *config;   ///< what the content was loaded as
    const json_t *difference; ///< as of ps_config_diff_json
    const PsContent *running; ///< what the folder should hold now; NULL: whatever it holds
    bool from_folder;         ///< the content was read there: what differs is newer, and stays
} PsRevisionEntry;

/// Makes it durable as the newest revision and the configuration folder hold it; `number` and
/// `bytes` are filled in. Files of the folder that are neither `running` nor the new content were
/// edited by somebody: they are kept beside, as NAME.edited-before-NUMBER. Where the content itself
/// was read in the folder, what differs by now was saved meanwhile, and stays. On PS_ERR_FULL,
/// PS_ERR_IO, PS_ERR_DENIED nothing has changed; at a sudden end the next open sees to it that all
/// has or nothing.
PsErr ps_revision_store_put(PsRevisionStore *store, PsRevision *revision,
                            const PsRevisionEntry *entry, PsDiag *diag);
/// Forgets one.
void ps_revision_store_remove(PsRevisionStore *store, uint32_t number);
/// Down to PS_REVISIONS_MAX, oldest first; never the newest nor `keep` (0: no other).
void ps_revision_store_prune(PsRevisionStore *store, uint32_t keep);

/// Its files, into an empty `content`. PS_ERR_NOT_FOUND, PS_ERR_CORRUPT.
PsErr ps_revision_store_read(const PsRevisionStore *store, uint32_t number, PsContent *content,
                             PsDiag *diag);
/// What ps_revision_store_put was given; the caller owns it. NULL when it cannot be read. Any
/// thread.
json_t *ps_revision_difference(const char *store_folder, uint32_t number);
