//! data_collect of an alarm group: which alarms were triggered or restored, straight from the
//! gateway's frames (alarm_frame.h says how they look). First thread, lock held.
#pragma once

#include "script/worker/data_collect.h"

typedef struct PsWorkerAlarmGroup {
    uint32_t id;
    PyObject *name;
    uint32_t count;
    PyObject **names;    ///< of alarms, interned, by place
    PyObject **contents; ///< by place
} PsWorkerAlarmGroup;

typedef struct PsWorkerAlarms {
    PsWorkerAlarmGroup *items;
    uint32_t count;
    PyObject *key_current;
    PyObject *key_value;
    PyObject *key_alarm_content;
    PyObject *key_level;
    PyObject *on;
    PyObject *off;
} PsWorkerAlarms;

/// Makes the keys: once, before the first fork. False with a Python exception set.
bool ps_worker_alarms_init(PsWorkerAlarms *alarms);
/// Takes an ALARM_NAMES frame in, in place of the group's former one if there is one. False with a
/// Python exception set.
bool ps_worker_alarms_add(PsWorkerAlarms *alarms, const PsWireFrame *names);
/// The dict for an ALARMS frame whose link byte `reader` has already passed: a new reference, or
/// NULL with a Python exception set. `groups` has the keys that all of data_collect share.
PyObject *ps_worker_alarm_collect(const PsWorkerAlarms *alarms, const PsWorkerGroups *groups,
                                  PsReader *reader);
