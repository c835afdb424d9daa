//! Are the scripts of a configuration Python, and do they have their main functions? Nothing of
//! them is run: penstock-script compiles them in a process of its own, which may use a minute.
//! Blocks until it has ended; any thread.
#pragma once

#include "model/config.h"

/// Every script that is not sound becomes an error among `findings`, with its line. PS_ERR_INVALID
/// when there was one. PS_ERR_IO, PS_ERR_TIMEOUT with `diag` when they could not be compiled at
/// all. `program` is penstock-script.
PsErr ps_script_compile(const char *program, const PsConfig *config, PsFindings *findings,
                        PsDiag *diag);
