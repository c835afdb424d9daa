// Making and freeing jobs. Main thread.
#include "collect/note.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static PsJob job_of(PsChannel *channel, PsJobKind kind, uint32_t place) {
    return (PsJob){.head = {.kind = PS_NOTE_JOB, .channel = channel}, .kind = kind, .place = place};
}

PsWriteJob *ps_write_job_new(PsChannel *channel, const PsVariable *variable, uint32_t place,
                             PsValue value) {
    uint32_t text_size = ps_variable_text_size(variable);
    PsWriteJob *write = ps_alloc(sizeof *write + 2 * (size_t)text_size);
    write->job = job_of(channel, PS_JOB_WRITE, place);
    write->value = value;
    write->text_size = text_size;
    write->read_text = write->text + text_size;
    if (value.kind == PS_VALUE_TEXT) {
        PS_ASSERT(value.text_len <= text_size);
        if (value.text_len > 0) {
            memcpy(write->text, value.text, value.text_len);
        }
        write->value.text = write->text;
    }
    return write;
}

PsPeekJob *ps_peek_job_new(PsChannel *channel, uint32_t place) {
    PsPeekJob *look = ps_alloc(sizeof *look);
    look->job = job_of(channel, PS_JOB_PEEK, place);
    return look;
}

PsBrowseJob *ps_browse_job_new(PsChannel *channel, uint32_t place, const char *node,
                               const char *after) {
    PsBrowseJob *look = ps_alloc(sizeof *look);
    look->job = job_of(channel, PS_JOB_BROWSE, place);
    PsArena *arena = ps_arena_new();
    look->browse = (PsBrowse){
        .node = ps_arena_strdup(arena, node),
        .after = ps_arena_strdup(arena, after),
        .arena = arena,
        .nodes = look->nodes,
        .next = "",
    };
    return look;
}

void ps_job_free(PsJob *job) {
    if (job != NULL && job->kind == PS_JOB_BROWSE) {
        ps_arena_free(((PsBrowseJob *)job)->browse.arena);
    }
    free(job);
}
