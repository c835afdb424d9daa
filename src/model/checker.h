//! What the files that check across objects share. Inside src/model only; one thread.
#pragma once

#include "base/map.h"
#include "model/config.h"
#include "model/option.h"

typedef struct PsChecker {
    PsConfig *config;
    PsFindings *findings;
    PsVariableCheckFor *check_for;
    PsMap serials;
    PsMap devices;
    PsMap groups;
    PsMap controllers; ///< EtherNet/IP: by everything that says which one it is
    PsMap variables;   ///< by device and name
    char object[128];  ///< the object being checked, for findings
} PsChecker;

#define PS_CHECK_FAIL(checker, field, ...)                                                         \
    ps_findings_error((checker)->findings, PS_CONFIG_FILE, (checker)->object, field, __VA_ARGS__)
#define PS_CHECK_WARN(checker, field, ...)                                                         \
    ps_findings_warning((checker)->findings, PS_CONFIG_FILE, (checker)->object, field, __VA_ARGS__)

/// The index of a device, or PS_MAP_NONE after a finding.
uint32_t ps_checker_device(PsChecker *checker, const char *name);
/// The index of a group of this type; 0 after a finding.
uint32_t ps_checker_group(PsChecker *checker, const char *field, const char *name, int type);
/// Whether a variable, whose device is known, can exist on it; else there is a finding.
bool ps_checker_can_exist(PsChecker *checker, const PsVariable *variable);

/// Serial ports: before devices.
void ps_checker_serials(PsChecker *checker);
/// Warns of keys that belong to other protocols than that of the device.
void ps_checker_foreign(PsChecker *checker, const PsOptionTable *table, const void *object,
                        int protocol);
/// Whether the files that an object names are there, and its secrets nobody else's.
void ps_checker_files(PsChecker *checker, const PsOptionTable *table, const void *object);

/// What its protocol asks of a device.
void ps_checker_protocol(PsChecker *checker, const PsDevice *device, uint32_t index);
/// How the device is reached.
void ps_checker_way(PsChecker *checker, PsDevice *device);

/// Alarms: after devices, groups and variables, before messages.
void ps_checker_alarms(PsChecker *checker);
