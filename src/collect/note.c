// Making write jobs. Main thread.
#include "collect/note.h"

#include "base/mem.h"
#include "drivers/driver.h"

#include <string.h>

PsWriteJob *ps_write_job_new(PsChannel *channel, const PsVariable *variable, uint32_t index,
                             PsValue value) {
    uint32_t text_size = ps_variable_text_size(variable);
    PsWriteJob *job = ps_alloc(sizeof *job + 2 * (size_t)text_size);
    job->head = (PsNote){.kind = PS_NOTE_WRITE, .channel = channel};
    job->variable = index;
    job->value = value;
    job->text_size = text_size;
    job->read_text = job->text + text_size;
    if (value.kind == PS_VALUE_TEXT) {
        PS_ASSERT(value.text_len <= text_size);
        if (value.text_len > 0) {
            memcpy(job->text, value.text, value.text_len);
        }
        job->value.text = job->text;
    }
    return job;
}

PsWriteJob *ps_peek_job_new(PsChannel *channel, uint32_t index) {
    PsWriteJob *job = ps_alloc(sizeof *job + 2 * (size_t)PS_PEEK_BYTES);
    job->head = (PsNote){.kind = PS_NOTE_WRITE, .channel = channel};
    job->peek = true;
    job->variable = index;
    job->text_size = PS_PEEK_BYTES;
    job->read_text = job->text + PS_PEEK_BYTES;
    return job;
}
