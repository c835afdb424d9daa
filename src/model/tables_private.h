//! How the option tables are written down; for tables.c, tables_alarm.c and tables_message.c.
#pragma once

#include "base/err.h"
#include "model/tables.h"

#define WORDS(name, ...)                                                                           \
    static const char *const name##_items[] = {__VA_ARGS__};                                       \
    static const PsWords name = {name##_items, PS_COUNT(name##_items)}

/// "collect", "alarm": of groups, and of what a message carries.
extern const PsWords ps_group_type_words;
/// PsDataType.
extern const PsWords ps_data_type_words;
/// PsS7Area.
extern const PsWords ps_s7_area_words;
/// PsIdentifierType.
extern const PsWords ps_identifier_type_words;

/// For `protocols` of options.
#define FOR_RTU PS_OPTION_FOR(PS_PROTOCOL_MODBUS_RTU)
#define FOR_MODBUS (PS_OPTION_FOR(PS_PROTOCOL_MODBUS_TCP) | FOR_RTU)
#define FOR_ISO PS_OPTION_FOR(PS_PROTOCOL_ISO_ON_TCP)
#define FOR_OPCUA PS_OPTION_FOR(PS_PROTOCOL_OPCUA)
#define FOR_EIP PS_OPTION_FOR(PS_PROTOCOL_ETHERNET_IP)
#define FOR_NETWORK (FOR_MODBUS | FOR_ISO | FOR_OPCUA | FOR_EIP)
#define FOR_SIMULATOR PS_OPTION_FOR(PS_PROTOCOL_SIMULATOR)

/// The word of a constant, "unknown" when there is none.
const char *ps_word_at(const PsWords *words, int index);

#define TABLE(table_name, block_key, kind_text, name, help_text, array, ...)                       \
    const PsOptionTable table_name = {.block = (block_key),                                        \
                                      .kind = (kind_text),                                         \
                                      .name_key = (name),                                          \
                                      .help = (help_text),                                         \
                                      .options = (array),                                          \
                                      .count = PS_COUNT(array),                                    \
                                      __VA_ARGS__}
