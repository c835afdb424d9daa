//! The text of prelude.py, made by embed.py at build time.
#pragma once

extern const char ps_worker_prelude[];
