//! What a channel thread and the main thread send each other: batches and writes go there and
//! back as the same object, so that nothing is allocated on the way and neither side can be
//! flooded: there are only so many of them.
#pragma once

#include "collect/collector.h"
#include "model/config.h"
#include "tags/sample_batch.h"

typedef enum PsNoteKind {
    PS_NOTE_BATCH,  ///< to main: samples; to the channel: the empty batch back
    PS_NOTE_WRITE,  ///< to the channel: do it; to main: its outcome
    PS_NOTE_PLAN,   ///< to the channel: go on with this plan; to main: it has, the former is free
    PS_NOTE_RECALL, ///< to the channel: read everything; to main: done, the batches went before it
    PS_NOTE_STOP,   ///< to the channel: end; to main: the thread has ended
} PsNoteKind;

typedef struct PsChannel PsChannel;

/// First member of each kind.
typedef struct PsNote {
    PsNoteKind kind;
    PsChannel *channel;
} PsNote;

typedef struct PsBatchNote {
    PsNote head;
    PsSampleBatch *batch;
} PsBatchNote;

/// One write, with its outcome once it comes back; or a look at the bytes, which is done as a write
/// is: ahead of the polls, once, in the channel's own time.
typedef struct PsWriteJob {
    PsNote head;
    struct PsWriteJob *next; ///< in the channel's own queue
    bool peek;               ///< nothing is written; `read_back` is the bytes as a text
    uint32_t variable;       ///< number in the channel's part, of the plan ordered or reported last
    PsMono deadline;
    PsWriteDone *done;
    void *ctx;
    PsErr result;
    PsDiag diag;
    PsValue value;      ///< its text lives in `text`
    PsValue read_back;  ///< none, or with its text in `read_text`
    PsMono read_mono;   ///< when it was read back
    PsWall read_wall;   ///< the same moment
    uint32_t text_size; ///< of each of the two
    char *read_text;
    char text[];
} PsWriteJob;

/// Copies the value's text. The variable's size bounds both texts.
PsWriteJob *ps_write_job_new(PsChannel *channel, const PsVariable *variable, uint32_t index,
                             PsValue value);
/// A look at the bytes.
PsWriteJob *ps_peek_job_new(PsChannel *channel, uint32_t index);
