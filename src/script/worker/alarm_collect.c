// Builds data_collect of alarms. Changes are rare, so nothing is kept from call to call but names.
#include "script/worker/alarm_collect.h"

#include "base/mem.h"

#include <stdlib.h>

#define STATUS_TRIGGERED 0
#define STATUS_CLEARED 1

bool ps_worker_alarms_init(PsWorkerAlarms *alarms) {
    *alarms = (PsWorkerAlarms){
        .key_current = PyUnicode_InternFromString("current"),
        .key_value = PyUnicode_InternFromString("value"),
        .key_alarm_content = PyUnicode_InternFromString("alarm_content"),
        .key_level = PyUnicode_InternFromString("level"),
        .on = PyUnicode_InternFromString("on"),
        .off = PyUnicode_InternFromString("off"),
    };
    return !PyErr_Occurred();
}

static PsWorkerAlarmGroup *find_group(const PsWorkerAlarms *alarms, uint32_t id) {
    for (uint32_t i = 0; i < alarms->count; i++) {
        if (alarms->items[i].id == id) {
            return &alarms->items[i];
        }
    }
    return NULL;
}

static void free_group(const PsWorkerAlarmGroup *group) {
    for (uint32_t i = 0; i < group->count; i++) {
        Py_XDECREF(group->names[i]);
        Py_XDECREF(group->contents[i]);
    }
    Py_XDECREF(group->name);
    free(group->names);
    free(group->contents);
}

bool ps_worker_alarms_add(PsWorkerAlarms *alarms, const PsWireFrame *names) {
    PsReader reader = ps_reader(names->body, names->len);
    PsWorkerAlarmGroup group = {.id = ps_reader_u32(&reader)};
    group.name = ps_worker_interned(&reader);
    uint32_t count = ps_reader_u32(&reader);
    if (reader.failed || count > names->len) {
        count = 0;
        reader.failed = true;
    }
    group.names = ps_alloc_array(count + 1, sizeof *group.names);
    group.contents = ps_alloc_array(count + 1, sizeof *group.contents);
    for (; group.count < count && !reader.failed && !PyErr_Occurred(); group.count++) {
        group.names[group.count] = ps_worker_interned(&reader);
        group.contents[group.count] = ps_worker_interned(&reader);
    }
    if (!ps_reader_done(&reader) && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "unreadable names of alarms from penstockd");
    }
    if (PyErr_Occurred()) {
        free_group(&group);
        return false;
    }
    PsWorkerAlarmGroup *former = find_group(alarms, group.id);
    if (former == NULL) {
        alarms->items = ps_grow_array(alarms->items, alarms->count + 1, sizeof *alarms->items);
        former = &alarms->items[alarms->count++];
    } else {
        free_group(former);
    }
    *former = group;
    return true;
}

// Takes the value over, which may be NULL with an exception set.
static bool put(PyObject *dict, PyObject *key, PyObject *value) {
    bool ok = value != NULL && PyDict_SetItem(dict, key, value) == 0;
    Py_XDECREF(value);
    return ok;
}

// One alarm of the frame into `values`. False when it is unreadable, or with an exception set.
static bool put_alarm(const PsWorkerAlarms *alarms, const PsWorkerGroups *groups,
                      const PsWorkerAlarmGroup *group, PsReader *reader, PyObject *values) {
    uint32_t place = ps_reader_u32(reader);
    uint8_t state = ps_reader_u8(reader);
    bool on = ps_wire_alarm_on(state);
    long long seconds = (long long)ps_reader_u64(reader);
    PsValue value = ps_wire_get_value(reader);
    if (reader->failed || place >= group->count) {
        return false;
    }
    PyObject *alarm = PyDict_New();
    bool ok =
        alarm != NULL && put(alarm, groups->key_timestamp, PyLong_FromLongLong(seconds)) &&
        put(alarm, alarms->key_current, Py_NewRef(on ? alarms->on : alarms->off)) &&
        put(alarm, groups->key_status, PyLong_FromLong(on ? STATUS_TRIGGERED : STATUS_CLEARED)) &&
        put(alarm, alarms->key_value, ps_worker_value_object(value)) &&
        put(alarm, alarms->key_alarm_content, Py_NewRef(group->contents[place])) &&
        put(alarm, alarms->key_level, PyLong_FromLong(ps_wire_alarm_level(state))) &&
        PyDict_SetItem(values, group->names[place], alarm) == 0;
    Py_XDECREF(alarm);
    return ok;
}

PyObject *ps_worker_alarm_collect(const PsWorkerAlarms *alarms, const PsWorkerGroups *groups,
                                  PsReader *reader) {
    const PsWorkerAlarmGroup *group = find_group(alarms, ps_reader_u32(reader));
    double timestamp = ps_reader_f64(reader);
    uint32_t count = ps_reader_u32(reader);
    PyObject *values = PyDict_New();
    bool ok = values != NULL && group != NULL && !reader->failed;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = put_alarm(alarms, groups, group, reader, values);
    }
    PyObject *dict = ok && ps_reader_done(reader)
                         ? ps_worker_frame_dict(groups, group->name, timestamp, values)
                         : NULL;
    Py_XDECREF(values);
    if (dict == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "unreadable alarms from penstockd");
    }
    return dict;
}
