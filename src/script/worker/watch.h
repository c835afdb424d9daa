//! The limits of a worker that the kernel does not hold by itself: processor time over ten
//! seconds, number of threads, size of the scratch folder. penstock-script looks once a second;
//! penstockd decides what happens.
#pragma once

#include "base/time.h"
#include "script/messages.h"

#include <sys/types.h>

#define PS_WATCH_EVERY_MS 1000

typedef struct PsWatch {
    pid_t pid;
    PsWireFork order;
    const char *scratch; ///< borrowed; NULL: none
    int64_t fresh_ns;    ///< when the scratch folder was made
    PsMono at;           ///< of the last look
    int64_t cpu_ns;      ///< used until then
    int64_t counted_ns;  ///< used until the threads were counted last
    double debt_s;       ///< processor time used beyond the allowed share, 0 or more
    bool told;           ///< a limit was passed; the worker is about to be ended
} PsWatch;

void ps_watch_init(PsWatch *watch, pid_t pid, const PsWireFork *order, const char *scratch);
/// Which limit the worker has passed. Each worker is told of once; PS_LIMIT_NONE from then on.
PsWireLimit ps_watch_look(PsWatch *watch, PsMono now);
