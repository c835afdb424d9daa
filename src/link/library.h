//! libmosquitto is initialised by whoever uses it, and counts them without a lock: links come and
//! go on the main thread, probes on threads of their own. Any thread.
#pragma once

void ps_link_library_open(void);
void ps_link_library_close(void);
