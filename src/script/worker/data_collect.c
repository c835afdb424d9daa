// Builds data_collect where there is no dict of the call before to fill again (refill.c): a copy of
// a template for each value; no key is hashed twice and no dict grows while it is filled.
#include "script/worker/data_collect.h"

#include "base/mem.h"
#include "script/worker/refill.h"

#include <stdlib.h>

PyObject *ps_worker_interned(PsReader *reader) {
    size_t len = 0;
    const uint8_t *text = ps_reader_bytes(reader, &len);
    PyObject *name = PyUnicode_DecodeUTF8((const char *)text, (Py_ssize_t)len, "replace");
    if (name != NULL) {
        PyUnicode_InternInPlace(&name);
    }
    return name;
}

bool ps_worker_groups_init(PsWorkerGroups *groups, PyObject *prelude) {
    PyObject *template = PyDict_GetItemString(prelude, "entry_template"); // borrowed
    *groups = (PsWorkerGroups){0};
    groups->key_timestamp = PyUnicode_InternFromString("timestamp");
    groups->key_values = PyUnicode_InternFromString("values");
    groups->key_group_name = PyUnicode_InternFromString("group_name");
    groups->key_raw_data = PyUnicode_InternFromString("raw_data");
    groups->key_status = PyUnicode_InternFromString("status");
    groups->one = PyLong_FromLong(1);
    groups->zero = PyLong_FromLong(0);
    if (PyErr_Occurred()) {
        return false;
    }
    groups->good = PyObject_CallOneArg(template, groups->one);
    groups->bad = PyObject_CallOneArg(template, groups->zero);
    return groups->good != NULL && groups->bad != NULL;
}

static bool read_device(PsWorkerGroup *group, PsReader *reader) {
    PsWorkerDevice *device = &group->devices[group->device_count];
    *device = (PsWorkerDevice){.name = ps_worker_interned(reader), .blank = PyDict_New()};
    device->first = group->variable_count;
    device->count = ps_reader_u32(reader);
    if (device->name == NULL || device->blank == NULL) {
        return false;
    }
    group->device_count++;
    uint32_t total = group->variable_count + device->count;
    group->variables = ps_grow_array(group->variables, total + 1, sizeof(PyObject *));
    group->device_of = ps_grow_array(group->device_of, total + 1, sizeof(uint32_t));
    while (group->variable_count < total && !reader->failed) {
        PyObject *name = ps_worker_interned(reader);
        if (name == NULL || PyDict_SetItem(device->blank, name, Py_None) < 0) {
            return false;
        }
        group->variables[group->variable_count] = name;
        group->device_of[group->variable_count] = group->device_count - 1;
        group->variable_count++;
    }
    return true;
}

static void free_group(PsWorkerGroup *group) {
    for (uint32_t i = 0; i < group->variable_count; i++) {
        Py_DECREF(group->variables[i]);
    }
    for (uint32_t i = 0; i < group->device_count; i++) {
        Py_DECREF(group->devices[i].name);
        Py_DECREF(group->devices[i].blank);
    }
    Py_XDECREF(group->name);
    Py_XDECREF(group->last);
    free(group->devices);
    free(group->variables);
    free(group->device_of);
}

static PsWorkerGroup *find_group(const PsWorkerGroups *groups, uint32_t id) {
    for (uint32_t i = 0; i < groups->count; i++) {
        if (groups->items[i].id == id) {
            return &groups->items[i];
        }
    }
    return NULL;
}

static void put_group(PsWorkerGroups *groups, PsWorkerGroup group) {
    PsWorkerGroup *former = find_group(groups, group.id);
    if (former != NULL) {
        free_group(former);
        *former = group;
        return;
    }
    groups->items = ps_grow_array(groups->items, groups->count + 1, sizeof *groups->items);
    groups->items[groups->count++] = group;
}

bool ps_worker_groups_add(PsWorkerGroups *groups, const PsWireFrame *schema) {
    PsReader reader = ps_reader(schema->body, schema->len);
    PsWorkerGroup group = {.id = ps_reader_u32(&reader)};
    group.name = ps_worker_interned(&reader);
    uint32_t devices = ps_reader_u32(&reader);
    if (group.name == NULL || reader.failed || devices > schema->len) {
        PyErr_SetString(PyExc_SystemError, "unreadable schema from penstockd");
        return false;
    }
    group.devices = ps_alloc_array(devices + 1, sizeof *group.devices);
    for (uint32_t i = 0; i < devices && !reader.failed; i++) {
        if (!read_device(&group, &reader)) {
            return false;
        }
    }
    if (!ps_reader_done(&reader)) {
        PyErr_SetString(PyExc_SystemError, "unreadable schema from penstockd");
        return false;
    }
    put_group(groups, group);
    return true;
}

// Text of a PLC is whatever the device sent: UTF-8 when it is, otherwise one character a byte.
static PyObject *text_object(const char *text, uint32_t len) {
    PyObject *object = PyUnicode_DecodeUTF8(text, len, NULL);
    if (object == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        object = PyUnicode_DecodeLatin1(text, len, NULL);
    }
    return object;
}

PyObject *ps_worker_value_object(PsValue value) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        return PyBool_FromLong(value.boolean);
    case PS_VALUE_INT:
        return PyLong_FromLongLong(value.integer);
    case PS_VALUE_UINT:
        return PyLong_FromUnsignedLongLong(value.unsigned_integer);
    case PS_VALUE_FLOAT:
        return PyFloat_FromDouble(value.number);
    case PS_VALUE_TEXT:
        return text_object(value.text, value.text_len);
    case PS_VALUE_NONE:
        break;
    }
    return Py_NewRef(Py_None);
}

PyObject *ps_worker_entry(const PsWorkerGroups *groups, PsValue value) {
    bool good = value.kind != PS_VALUE_NONE;
    PyObject *entry = PyDict_Copy(good ? groups->good : groups->bad);
    if (entry == NULL || !good) {
        return entry;
    }
    PyObject *object = ps_worker_value_object(value);
    if (object == NULL || PyDict_SetItem(entry, groups->key_raw_data, object) < 0) {
        Py_CLEAR(entry);
    }
    Py_XDECREF(object);
    return entry;
}

static bool put_value(const PsWorkerGroups *groups, PsReader *reader, PyObject *target,
                      PyObject *name) {
    PyObject *entry = ps_worker_entry(groups, ps_wire_get_value(reader));
    bool ok = entry != NULL && PyDict_SetItem(target, name, entry) == 0;
    Py_XDECREF(entry);
    return ok;
}

static bool put_all(const PsWorkerGroups *groups, const PsWorkerGroup *group, PsReader *reader,
                    PyObject *values) {
    for (uint32_t d = 0; d < group->device_count; d++) {
        const PsWorkerDevice *device = &group->devices[d];
        PyObject *target = PyDict_Copy(device->blank);
        bool ok = target != NULL && PyDict_SetItem(values, device->name, target) == 0;
        for (uint32_t i = 0; ok && i < device->count; i++) {
            ok = put_value(groups, reader, target, group->variables[device->first + i]);
        }
        Py_XDECREF(target);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool put_some(const PsWorkerGroups *groups, const PsWorkerGroup *group, uint32_t count,
                     PsReader *reader, PyObject *values) {
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        uint32_t place = ps_reader_u32(reader);
        if (place >= group->variable_count) {
            reader->failed = true;
            break;
        }
        PyObject *name = group->devices[group->device_of[place]].name;
        PyObject *target = PyDict_GetItemWithError(values, name); // borrowed
        if (target == NULL) {
            target = PyDict_New();
            if (target == NULL || PyDict_SetItem(values, name, target) < 0) {
                Py_XDECREF(target);
                return false;
            }
            Py_DECREF(target); // `values` holds it
        }
        if (!put_value(groups, reader, target, group->variables[place])) {
            return false;
        }
    }
    return true;
}

PyObject *ps_worker_frame_dict(const PsWorkerGroups *groups, PyObject *group_name, double timestamp,
                               PyObject *values) {
    PyObject *dict = PyDict_New();
    PyObject *stamp = PyFloat_FromDouble(timestamp);
    if (dict == NULL || stamp == NULL || PyDict_SetItem(dict, groups->key_timestamp, stamp) < 0 ||
        PyDict_SetItem(dict, groups->key_values, values) < 0 ||
        PyDict_SetItem(dict, groups->key_group_name, group_name) < 0) {
        Py_CLEAR(dict);
    }
    Py_XDECREF(stamp);
    return dict;
}

static PyObject *build(const PsWorkerGroups *groups, const PsWorkerGroup *group, double timestamp,
                       bool sparse, uint32_t count, PsReader *reader) {
    PyObject *values = PyDict_New();
    bool ok = values != NULL && (sparse ? put_some(groups, group, count, reader, values)
                                        : put_all(groups, group, reader, values));
    PyObject *dict = ok ? ps_worker_frame_dict(groups, group->name, timestamp, values) : NULL;
    Py_XDECREF(values);
    return dict;
}

PyObject *ps_worker_data_collect(const PsWorkerGroups *groups, PsReader *reader) {
    PsWorkerGroup *group = find_group(groups, ps_reader_u32(reader));
    double timestamp = ps_reader_f64(reader);
    bool sparse = ps_reader_u8(reader) != 0;
    uint32_t count = ps_reader_u32(reader);
    PyObject *dict = NULL;
    if (group != NULL && !reader->failed) {
        PsReader again = *reader;
        if (!sparse && ps_worker_refill(groups, group, timestamp, reader)) {
            dict = Py_NewRef(group->last);
        } else if (!PyErr_Occurred()) {
            *reader = again;
            dict = build(groups, group, timestamp, sparse, count, reader);
        }
    }
    if (dict != NULL && !ps_reader_done(reader)) {
        Py_CLEAR(dict);
    }
    if (dict == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "unreadable data from penstockd");
    }
    if (group != NULL && !sparse && dict != group->last) {
        Py_XSETREF(group->last, Py_XNewRef(dict));
    }
    return dict;
}
