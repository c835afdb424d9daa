// One device with one session, and what the kit's cases do with it. The test's thread.
#include "drivers/kit/rig.h"

#include "tags/coerce.h"

#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATIENCE_S 30
#define TEXT_MOST 8192U

void ps_kit_begin(PsKit *kit, const PsKitRig *rig, PsKitPlant *plant) {
    *kit = (PsKit){.rig = rig, .plant = plant, .device = rig->device, .serial = rig->serial};
    PsDevice *device = &kit->device;
    device->name = "device";
    device->protocol = rig->driver->protocol;
    device->timeout = PS_KIT_LONG_S;
    device->serial_name = "";
    // What the loader fills in where nothing is written.
    const char **texts[] = {&device->ip,    &device->client_tsap, &device->server_tsap,
                            &device->route, &device->url,         &device->username,
                            &device->cert,  &device->key,         &device->password_file};
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        *texts[i] = *texts[i] != NULL ? *texts[i] : "";
    }
    if (plant != NULL && rig->plant.line) {
        kit->serial.name = device->serial_name = "line";
        kit->serial.path = ps_kit_plant_line(plant);
    } else if (plant != NULL) {
        device->ip = "127.0.0.1";
        device->port = ps_kit_plant_port(plant);
    }
}

void ps_kit_end(PsKit *kit) {
    kit->rig->driver->free(kit->session);
    ps_sample_batch_free(kit->batch);
    kit->session = NULL;
    kit->batch = NULL;
}

uint32_t ps_kit_add(PsKit *kit, const PsVariable *variable) {
    uint32_t index = kit->variable_count++;
    assert_true(index < PS_KIT_VARIABLES_MAX);
    PsVariable *added = &kit->variables[index];
    *added = *variable;
    added->name = added->name != NULL ? added->name : "variable";
    added->device_name = "device";
    added->symbol = added->symbol != NULL ? added->symbol : "";
    added->identifier = added->identifier != NULL ? added->identifier : "";
    added->unit = added->desc = added->group_name = "";
    return index;
}

void ps_kit_add_set(PsKit *kit, uint32_t first, uint32_t count) {
    assert_true(kit->set_count < PS_COUNT(kit->sets));
    kit->sets[kit->set_count++] = (PsKitSet){first, count};
}

void ps_kit_take_all(PsKit *kit) {
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        ps_kit_add(kit, &kit->rig->variables[i].variable);
    }
    ps_kit_add_set(kit, 0, kit->rig->variable_count);
}

const PsKitPlan *ps_kit_plan(const PsKit *kit) {
    return &kit->plans[kit->in_use];
}

static const PsEndpoint *make_plan(PsKit *kit) {
    kit->in_use = 1 - kit->in_use;
    PsKitPlan *plan = &kit->plans[kit->in_use];
    *plan = (PsKitPlan){.device = kit->device, .serial = kit->serial};
    plan->group = (PsGroup){.name = "default", .polling_interval = 1, .upload_interval = 1};
    plan->config = (PsConfig){.devices = &plan->device,
                              .device_count = 1,
                              .serials = &plan->serial,
                              .serial_count = 1,
                              .groups = &plan->group,
                              .group_count = 1,
                              .variables = plan->variables,
                              .variable_count = kit->variable_count};
    for (uint32_t i = 0; i < kit->variable_count; i++) {
        plan->variables[i] = kit->variables[i];
        plan->indexes[i] = i;
    }
    for (uint32_t i = 0; i < kit->set_count; i++) {
        plan->sets[i] = (PsPollSet){.variables = &plan->indexes[kit->sets[i].first],
                                    .variable_count = kit->sets[i].count};
    }
    plan->endpoint = (PsEndpoint){.config = &plan->config,
                                  .devices = &plan->device_index,
                                  .device_count = 1,
                                  .sets = plan->sets,
                                  .set_count = kit->set_count};
    return &plan->endpoint;
}

void ps_kit_open(PsKit *kit) {
    const PsDriver *driver = kit->rig->driver;
    const PsEndpoint *endpoint = make_plan(kit);
    if (kit->batch == NULL) {
        kit->batch = ps_sample_batch_new(PS_KIT_VARIABLES_MAX, TEXT_MOST);
    }
    for (uint32_t i = 0; i < kit->variable_count; i++) {
        if (driver->check_variable(&kit->device, &kit->variables[i], &kit->diag) != PS_OK) {
            fail_msg("the check of '%s': %s", kit->variables[i].name, kit->diag.text);
        }
    }
    PsErr err = driver->session_new(endpoint, &kit->session, &kit->diag);
    if (err != PS_OK) {
        fail_msg("session: %s", kit->diag.text);
    }
    assert_ptr_equal(kit->session->driver, driver);
    assert_false(driver->connected(kit->session));
}

void ps_kit_connect(PsKit *kit) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    const PsDriver *driver = kit->rig->driver;
    while (!driver->connected(kit->session)) {
        kit->diag = (PsDiag){0};
        PsErr err = driver->connect(kit->session, &kit->diag);
        assert_int_equal(err == PS_OK, driver->connected(kit->session));
        if (err != PS_OK && ps_mono_now().ns > deadline.ns) {
            fail_msg("connect: %s: %s: %s", ps_err_name(err), kit->diag.field, kit->diag.text);
        }
        (void)poll(NULL, 0, err == PS_OK ? 0 : 20);
    }
}

void ps_kit_replan(PsKit *kit) {
    bool same_line = kit->rig->driver->replan(kit->session, make_plan(kit));
    assert_true(same_line);
}

bool ps_kit_has(const PsKit *kit, PsKitFault fault) {
    return kit->rig->in_process ? kit->rig->fault_variables[fault] != NULL
                                : kit->rig->faults[fault] != NULL;
}

void ps_kit_turn(PsKit *kit, PsKitFault fault) {
    if (!kit->rig->in_process) {
        ps_kit_plant_command(kit->plant, kit->rig->faults[fault]);
        return;
    }
    uint32_t index = ps_kit_add(kit, kit->rig->fault_variables[fault]);
    assert_int_equal(index, kit->sets[0].first + kit->sets[0].count);
    kit->sets[0].count++;
    ps_kit_replan(kit);
}

void ps_kit_end_faults(PsKit *kit) {
    if (!kit->rig->in_process) {
        ps_kit_plant_command(kit->plant, kit->rig->end_faults);
        return;
    }
    kit->variable_count--;
    kit->sets[0].count--;
    ps_kit_replan(kit);
}

static void check_samples(const PsKit *kit, const PsPollSet *set) {
    unsigned seen[PS_KIT_VARIABLES_MAX] = {0};
    assert_int_equal(kit->batch->sample_count, set->variable_count);
    for (uint32_t i = 0; i < kit->batch->sample_count; i++) {
        const PsSample *sample = &kit->batch->samples[i];
        assert_true(sample->variable < PS_KIT_VARIABLES_MAX);
        seen[sample->variable]++;
        assert_true((sample->quality == PS_QUALITY_GOOD) == (sample->value.kind != PS_VALUE_NONE));
    }
    for (uint32_t i = 0; i < set->variable_count; i++) {
        assert_int_equal(seen[set->variables[i]], 1);
    }
}

PsErr ps_kit_read(PsKit *kit, uint32_t set) {
    ps_sample_batch_clear(kit->batch);
    kit->diag = (PsDiag){0};
    PsErr err = kit->rig->driver->read(kit->session, set, kit->batch, &kit->diag);
    if (err == PS_OK) {
        check_samples(kit, &ps_kit_plan(kit)->sets[set]);
    } else {
        assert_int_equal(kit->batch->sample_count, 0);
        assert_int_equal(kit->batch->text_used, 0);
        assert_string_not_equal(kit->diag.text, "");
    }
    bool gone = err == PS_ERR_CLOSED || err == PS_ERR_IO || err == PS_ERR_PROTOCOL;
    if (gone && kit->rig->driver->connected(kit->session)) {
        fail_msg("connected after %s: %s", ps_err_name(err), kit->diag.text);
    }
    return err;
}

void ps_kit_read_well(PsKit *kit, uint32_t set) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_S * PS_NS_PER_S);
    for (;;) {
        ps_kit_connect(kit);
        PsErr err = ps_kit_read(kit, set);
        if (err == PS_OK) {
            return;
        }
        if (ps_mono_now().ns > deadline.ns) {
            fail_msg("it does not become well: %s: %s", ps_err_name(err), kit->diag.text);
        }
    }
}

const PsSample *ps_kit_sample(const PsKit *kit, uint32_t variable) {
    for (uint32_t i = 0; i < kit->batch->sample_count; i++) {
        if (kit->batch->samples[i].variable == variable) {
            return &kit->batch->samples[i];
        }
    }
    fail_msg("no sample of variable %u", variable);
    return NULL;
}

static void compare(const char *name, PsValue found, PsValue expected) {
    if (!ps_value_equal(found, expected)) {
        char found_text[128];
        char expected_text[128];
        ps_value_format(found, found_text, sizeof found_text);
        ps_value_format(expected, expected_text, sizeof expected_text);
        fail_msg("'%s' is '%s' (kind %d) instead of '%s' (kind %d)", name, found_text, found.kind,
                 expected_text, expected.kind);
    }
}

void ps_kit_expect(const PsKit *kit, uint32_t variable, PsValue value) {
    const PsSample *sample = ps_kit_sample(kit, variable);
    const char *name = kit->variables[variable].name;
    if (sample->quality != PS_QUALITY_GOOD) {
        fail_msg("'%s': %s: %s", name, ps_quality_name((PsQuality)sample->quality), kit->diag.text);
    }
    if (value.kind != PS_VALUE_NONE) {
        compare(name, sample->value, value);
    }
}

void ps_kit_write(PsKit *kit, uint32_t variable, PsValue value) {
    const char *name = kit->variables[variable].name;
    PsValue coerced = value;
    PsValue back = ps_value_int(-4711);
    kit->diag = (PsDiag){0};
    PsErr err = ps_coerce(&kit->variables[variable], value, &coerced, &kit->diag);
    err = err == PS_OK ? kit->rig->driver->write(kit->session, variable, coerced, &back, &kit->diag)
                       : err;
    if (err != PS_OK) {
        fail_msg("write of '%s': %s: %s", name, ps_err_name(err), kit->diag.text);
    }
    compare(name, back, value);
}

uint32_t ps_kit_writable(const PsKit *kit, unsigned number) {
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        bool writable = kit->rig->variables[i].low.kind != PS_VALUE_NONE;
        if (writable && number-- == 0) {
            return i;
        }
    }
    fail_msg("the rig of %s has not enough variables that can be written", kit->rig->name);
    return 0;
}

static unsigned entries(const char *path) {
    DIR *folder = opendir(path);
    PS_ASSERT(folder != NULL);
    unsigned count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

unsigned ps_kit_descriptors(void) {
    return entries("/proc/self/fd");
}

unsigned ps_kit_threads(void) {
    return entries("/proc/self/task");
}

size_t ps_kit_allocated(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
