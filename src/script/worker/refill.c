// Fills data_collect of the call before once more: the hot path of a worker. A value that is as
// before costs two looks, another one a new object in the entry's dict; an entry that the script
// kept or changed is replaced.
#include "script/worker/refill.h"

#include <endian.h>
#include <string.h>

// Can this entry of the call before be filled again with no script the wiser? Then its present
// objects are returned, borrowed.
static bool is_untouched(const PsWorkerGroups *groups, PyObject *entry, PyObject **ret_raw_data,
                         PyObject **ret_status) {
    if (!PyDict_CheckExact(entry) || Py_REFCNT(entry) != 1 || PyDict_GET_SIZE(entry) != 2) {
        return false;
    }
    Py_ssize_t at = 0;
    PyObject *first = NULL;
    PyObject *second = NULL;
    return PyDict_Next(entry, &at, &first, ret_raw_data) && first == groups->key_raw_data &&
           PyDict_Next(entry, &at, &second, ret_status) && second == groups->key_status;
}

// Nothing of the script runs when it goes away.
static bool is_plain(PyObject *object) {
    return PyLong_CheckExact(object) || PyFloat_CheckExact(object) ||
           PyUnicode_CheckExact(object) || PyBool_Check(object) || object == Py_None;
}

// Most values of a plant are those of the call before.
static bool is_same(PyObject *object, PsValue value) {
    if (value.kind == PS_VALUE_INT && PyLong_CheckExact(object)) {
        int overflow = 0;
        return PyLong_AsLongLongAndOverflow(object, &overflow) == value.integer && overflow == 0;
    }
    if (value.kind == PS_VALUE_FLOAT && PyFloat_CheckExact(object)) {
        double number = PyFloat_AS_DOUBLE(object);
        uint64_t bits = 0; // a zero has a sign, and what is not a number is the same as itself
        memcpy(&bits, &number, sizeof bits);
        return bits == value.unsigned_integer;
    }
    return false;
}

// Fills an entry whose present objects are these, both plain: runs nothing of the script.
static bool refill_entry(const PsWorkerGroups *groups, PyObject *entry, PyObject *raw_data,
                         PyObject *status, PsValue value) {
    PyObject *wanted = value.kind != PS_VALUE_NONE ? groups->one : groups->zero;
    if (status != wanted && PyDict_SetItem(entry, groups->key_status, wanted) < 0) {
        return false;
    }
    if (is_same(raw_data, value)) {
        return true;
    }
    PyObject *object = ps_worker_value_object(value);
    bool ok = object != NULL &&
              (object == raw_data || PyDict_SetItem(entry, groups->key_raw_data, object) == 0);
    Py_XDECREF(object);
    return ok;
}

// Is this dict held by nobody but its owner, with as many keys as we gave it?
static bool is_ours(PyObject *dict, uint32_t size) {
    return dict != NULL && PyDict_CheckExact(dict) && Py_REFCNT(dict) == 1 &&
           PyDict_GET_SIZE(dict) == (Py_ssize_t)size;
}

// Some values side by side. The dicts of the call before have left the caches while the process
// slept; walked one by one, each makes the processor wait for memory several times. Each step
// below asks for what the next one reads, so that these waits overlap, and the script finds
// everything near.
#define BLOCK 64
#define LINE 64 // bytes the processor fetches at once

typedef struct Block {
    uint32_t count;
    PyObject *entries[BLOCK]; // borrowed; NULL where the script kept or changed the entry
    PyObject *raw_data[BLOCK];
    PyObject *status[BLOCK];
    PsValue values[BLOCK];
} Block;

static void fetch(const void *begin, size_t len) {
    __builtin_prefetch(begin);
    __builtin_prefetch((const char *)begin + len - 1);
}

// False when the dict has other keys than ours.
static bool find_entries(PyObject *target, Py_ssize_t *at, PyObject *const *names, Block *block) {
    PyObject *name = NULL;
    for (uint32_t i = 0; i < block->count; i++) {
        if (!PyDict_Next(target, at, &name, &block->entries[i]) || name != names[i]) {
            return false;
        }
        fetch(name, LINE);
        fetch((const char *)block->entries[i] - LINE / 4, LINE); // with the collector's head
    }
    return true;
}

static void find_objects(const PsWorkerGroups *groups, Block *block) {
    for (uint32_t i = 0; i < block->count; i++) {
        if (PyDict_CheckExact(block->entries[i])) {
            const PyDictObject *entry = (const PyDictObject *)block->entries[i];
            fetch(entry->ma_values != NULL ? (const void *)entry->ma_values : entry->ma_keys, LINE);
        }
    }
    for (uint32_t i = 0; i < block->count; i++) {
        if (is_untouched(groups, block->entries[i], &block->raw_data[i], &block->status[i])) {
            __builtin_prefetch(block->raw_data[i]);
        } else {
            block->entries[i] = NULL;
        }
    }
}

// The next value. Numbers, nearly all there is, without a call.
static inline PsValue next_value(PsReader *reader) {
    PsValue value = {0};
    uint64_t bits = 0;
    if (reader->len - reader->at > sizeof bits) {
        value.kind = reader->data[reader->at];
    }
    if (value.kind < PS_VALUE_INT || value.kind > PS_VALUE_FLOAT) {
        return ps_wire_get_value(reader);
    }
    memcpy(&bits, reader->data + reader->at + 1, sizeof bits);
    reader->at += 1 + sizeof bits;
    value.unsigned_integer = le64toh(bits);
    return value;
}

// What is borrowed stays alive: nothing of the script runs here. False on a Python exception.
static bool refill_untouched(const PsWorkerGroups *groups, Block *block, PsReader *reader,
                             bool *ret_all) {
    *ret_all = true;
    for (uint32_t i = 0; i < block->count; i++) {
        block->values[i] = next_value(reader);
        if (block->entries[i] == NULL || !is_plain(block->raw_data[i]) ||
            !is_plain(block->status[i])) {
            block->entries[i] = NULL;
            *ret_all = false;
        } else if (!refill_entry(groups, block->entries[i], block->raw_data[i], block->status[i],
                                 block->values[i])) {
            return false;
        }
    }
    return true;
}

// Here something of the script may run: the end of what it had put into its entries.
static bool replace_touched(const PsWorkerGroups *groups, PyObject *target, PyObject *const *names,
                            const Block *block) {
    for (uint32_t i = 0; i < block->count; i++) {
        if (block->entries[i] != NULL) {
            continue;
        }
        PyObject *fresh = ps_worker_entry(groups, block->values[i]);
        bool ok = fresh != NULL && PyDict_SetItem(target, names[i], fresh) == 0;
        Py_XDECREF(fresh);
        if (!ok) {
            return false;
        }
    }
    return true;
}

// Fills the last call's dict of one device. False with no exception set when the script changed it.
static bool refill_device(const PsWorkerGroups *groups, const PsWorkerGroup *group,
                          const PsWorkerDevice *device, PyObject *target, PsReader *reader) {
    Py_ssize_t at = 0;
    Block block;
    for (uint32_t i = 0; i < device->count; i += block.count) {
        PyObject *const *names = &group->variables[device->first + i];
        block.count = device->count - i < BLOCK ? device->count - i : BLOCK;
        if (!find_entries(target, &at, names, &block)) {
            return false;
        }
        find_objects(groups, &block);
        bool all = true;
        if (!refill_untouched(groups, &block, reader, &all) ||
            (!all && !replace_touched(groups, target, names, &block))) {
            return false;
        }
    }
    return true;
}

// Has data_collect of the last call its three keys, in order? Its size alone does not say so: a
// script may have put a key of its own in place of one. Then its values are returned, borrowed.
static bool has_our_keys(const PsWorkerGroups *groups, const PsWorkerGroup *group,
                         PyObject **ret_values) {
    if (!is_ours(group->last, 3)) {
        return false;
    }
    Py_ssize_t at = 0;
    PyObject *key = NULL;
    PyObject *value = NULL;
    PyObject *values = NULL;
    bool ok = PyDict_Next(group->last, &at, &key, &value) && key == groups->key_timestamp &&
              PyDict_Next(group->last, &at, &key, &values) && key == groups->key_values &&
              PyDict_Next(group->last, &at, &key, &value) && key == groups->key_group_name &&
              value == group->name;
    *ret_values = values;
    return ok;
}

bool ps_worker_refill(const PsWorkerGroups *groups, PsWorkerGroup *group, double timestamp,
                      PsReader *reader) {
    PyObject *values = NULL;
    if (!has_our_keys(groups, group, &values) || !is_ours(values, group->device_count)) {
        return false;
    }
    Py_ssize_t at = 0;
    PyObject *name = NULL;
    PyObject *target = NULL;
    for (uint32_t d = 0; d < group->device_count; d++) {
        const PsWorkerDevice *device = &group->devices[d];
        if (!PyDict_Next(values, &at, &name, &target) || name != device->name ||
            !is_ours(target, device->count) ||
            !refill_device(groups, group, device, target, reader)) {
            return false;
        }
    }
    PyObject *stamp = PyFloat_FromDouble(timestamp);
    bool ok = stamp != NULL && PyDict_SetItem(group->last, groups->key_timestamp, stamp) == 0;
    Py_XDECREF(stamp);
    return ok;
}
