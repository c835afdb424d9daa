//! The tables of cloud.db. Pure data.
#pragma once

/// SQL of an empty database.
extern const char ps_registry_schema[];
