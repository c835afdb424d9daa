//! A script that comes together with its message: which file it becomes. Inside src/api only. Pure.
#pragma once

#include "model/config.h"

#include <jansson.h>

/// Takes `script_text` out of the object of a publish or subscribe entry and returns the edit that
/// saves it (the caller's), NULL when there is none. An object without `script` gets that of the
/// message it replaces, or one named after it that no other message has. `message` NULL: a new one.
json_t *ps_message_script_take(const PsConfig *config, const char *message, json_t *object);
