//! Where a variable lies inside its device: the same place, and its notation for people. Pure; any
//! thread.
#pragma once

#include "model/config.h"

/// Longest address with its NUL: a node id with an element.
#define PS_ADDRESS_SIZE 560

/// Do two variables mean the same place of a device, in the same type?
bool ps_variable_same_place(const PsVariable *a, const PsVariable *b);

/// Writes the address as the device's makers write it: "40001", "40003.1", "DB6.14", "I0.0",
/// "Program:Main.Speed", "ns=2;s=Tank.Level".
void ps_variable_address(int protocol, const PsVariable *variable, char *out, size_t size);
