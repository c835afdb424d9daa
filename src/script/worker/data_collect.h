//! data_collect, the dict a publish script is called with, straight from the gateway's frames
//! (snapshot.h says how they look). Names arrive once per group and become interned keys; every
//! call gets what looks like fresh dicts: those of the call before are filled again only where
//! nothing but us holds them and their shape is untouched, because scripts keep and change them.
//! First thread, lock held.
#pragma once

#include "script/wire.h"

#include <Python.h>

typedef struct PsWorkerDevice {
    PyObject *name;
    PyObject *blank; ///< dict with all variable names, values None: copied for each call
    uint32_t first;  ///< place of its first variable
    uint32_t count;
} PsWorkerDevice;

typedef struct PsWorkerGroup {
    uint32_t id;
    PyObject *name;
    uint32_t device_count;
    PsWorkerDevice *devices;
    uint32_t variable_count;
    PyObject **variables; ///< names by place
    uint32_t *device_of;  ///< device by place
    PyObject *last;       ///< data_collect of the last call with all variables, or NULL
} PsWorkerGroup;

typedef struct PsWorkerGroups {
    PsWorkerGroup *items;
    uint32_t count;
    PyObject *key_timestamp;
    PyObject *key_values;
    PyObject *key_group_name;
    PyObject *key_raw_data;
    PyObject *key_status;
    PyObject *one;
    PyObject *zero;
    PyObject *good; ///< {'raw_data': None, 'status': 1}: copied for each value
    PyObject *bad;  ///< the same with status 0
} PsWorkerGroups;

/// Makes the keys, and the templates by the prelude: once, before the first fork. False with a
/// Python exception set.
bool ps_worker_groups_init(PsWorkerGroups *groups, PyObject *prelude);
/// Takes a SCHEMA frame in, in place of the group's former one if there is one. False with a Python
/// exception set.
bool ps_worker_groups_add(PsWorkerGroups *groups, const PsWireFrame *schema);
/// The dict for a DATA frame whose link byte `reader` has already passed: a new reference, or
/// NULL with a Python exception set.
PyObject *ps_worker_data_collect(const PsWorkerGroups *groups, PsReader *reader);

// For all that a script is called with. New references, NULL with a Python exception set.

/// The next text as an interned str.
PyObject *ps_worker_interned(PsReader *reader);
PyObject *ps_worker_value_object(PsValue value);
/// {'timestamp': ..., 'values': values, 'group_name': ...}
PyObject *ps_worker_frame_dict(const PsWorkerGroups *groups, PyObject *group_name, double timestamp,
                               PyObject *values);
/// {'raw_data': value, 'status': 0 or 1}
PyObject *ps_worker_entry(const PsWorkerGroups *groups, PsValue value);
