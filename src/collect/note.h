//! What a channel thread and the main thread send each other: batches and jobs go there and
//! back as the same object, so that nothing is allocated on the way and neither side can be
//! flooded: there are only so many of them.
#pragma once

#include "collect/collector.h"
#include "drivers/driver.h"
#include "model/config.h"
#include "tags/sample_batch.h"

typedef enum PsNoteKind {
    PS_NOTE_BATCH,   ///< to main: samples; to the channel: the empty batch back
    PS_NOTE_JOB,     ///< to the channel: do it; to main: its outcome
    PS_NOTE_PLAN,    ///< to the channel: go on with this plan; to main: it has, the former is free
    PS_NOTE_LEARNED, ///< to main: what the devices have taught; to the channel: the empty note back
    PS_NOTE_RECALL,  ///< to the channel: read everything; to main: done, the batches went before it
    PS_NOTE_STOP,    ///< to the channel: end; to main: the thread has ended
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

typedef struct PsLearnedNote {
    PsNote head;
    PsLearned *copy; ///< the receiver's
} PsLearnedNote;

typedef enum PsJobKind {
    PS_JOB_WRITE,
    PS_JOB_PEEK,
    PS_JOB_BROWSE,
} PsJobKind;

/// What is done once, ahead of the polls, in the channel's own time. First member of each kind.
typedef struct PsJob {
    PsNote head;
    struct PsJob *next; ///< in the channel's own queue
    PsJobKind kind;
    uint32_t place; ///< of the variable, or of the device to be browsed: its number in the
                    ///< channel's part, of the plan ordered or reported last
    PsMono deadline;
    void *ctx;
    PsErr result;
    PsDiag diag;
} PsJob;

/// One write, with its outcome once it comes back.
typedef struct PsWriteJob {
    PsJob job;
    PsWriteDone *done;
    PsValue value;      ///< its text lives in `text`
    PsValue read_back;  ///< none, or with its text in `read_text`
    PsMono read_mono;   ///< when it was read back
    PsWall read_wall;   ///< the same moment
    uint32_t text_size; ///< of each of the two
    char *read_text;
    char text[];
} PsWriteJob;

/// A look at what goes over the wire for a variable.
typedef struct PsPeekJob {
    PsJob job;
    PsPeekDone *done;
    PsPeek peek;
} PsPeekJob;

/// A look at what a device has.
typedef struct PsBrowseJob {
    PsJob job;
    PsBrowseDone *done;
    PsBrowse browse; ///< its arena and its nodes are the job's
    PsBrowseNode nodes[PS_BROWSE_NODES_MAX];
} PsBrowseJob;

/// Copies the value's text. The variable's size bounds both texts.
PsWriteJob *ps_write_job_new(PsChannel *channel, const PsVariable *variable, uint32_t place,
                             PsValue value);
PsPeekJob *ps_peek_job_new(PsChannel *channel, uint32_t place);
/// Copies the texts.
PsBrowseJob *ps_browse_job_new(PsChannel *channel, uint32_t place, const char *node,
                               const char *after);
/// Any kind; not while a channel has it. Accepts NULL.
void ps_job_free(PsJob *job);
