//! What the files that check across objects share. Inside src/model only; one thread.
#pragma once

#include "base/map.h"
#include "model/config.h"

typedef struct PsChecker {
    PsConfig *config;
    PsFindings *findings;
    PsVariableCheckFor *check_for;
    PsMap serials;
    PsMap devices;
    PsMap groups;
    PsMap variables;  ///< by device and name
    char object[128]; ///< the object being checked, for findings
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
/// How the device is reached.
void ps_checker_way(PsChecker *checker, PsDevice *device);

/// Alarms: after devices, groups and variables, before messages.
void ps_checker_alarms(PsChecker *checker);
