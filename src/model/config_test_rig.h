//! Configurations from text, for unit tests. Fails the test with the findings when one is not
//! sound.
#pragma once

#include "model/config.h"

/// Devices are not asked about addresses. The caller owns it.
PsConfig *ps_test_config(const char *folder, const char *text);
