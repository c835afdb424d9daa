// The plant and the session of the driver's tests.
#include "drivers/eip/test_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static EipFixture fixture; // one test at a time

int eip_set_up(void **state) {
    memset(&fixture, 0, sizeof fixture);
    EipFixture *f = &fixture;
    f->server = eip_test_server_new();
    f->device =
        (PsDevice){.name = "plc", .ip = "127.0.0.1", .route = "", .connected = true, .timeout = 5};
    f->group = (PsGroup){.name = "default", .polling_interval = 1};
    f->config = (PsConfig){.devices = &f->device,
                           .device_count = 1,
                           .groups = &f->group,
                           .group_count = 1,
                           .variables = f->variables};
    f->learned = ps_learned_new();
    *state = f;
    return 0;
}

int eip_tear_down(void **state) {
    EipFixture *f = *state;
    ps_eip_driver.free(f->session);
    ps_sample_batch_free(f->batch);
    ps_learned_free(f->learned);
    eip_test_server_stop(f->server);
    return 0;
}

uint32_t eip_add(EipFixture *f, const char *symbol) {
    uint32_t index = f->config.variable_count++;
    f->indexes[index] = index;
    snprintf(f->symbols[index], sizeof f->symbols[index], "%s", symbol);
    f->variables[index] = (PsVariable){.name = "v",
                                       .device_name = "plc",
                                       .symbol = f->symbols[index],
                                       .data_type = PS_TYPE_AUTO,
                                       .access = PS_ACCESS_READ_WRITE,
                                       .register_addr = PS_UNSET,
                                       .register_bit = PS_UNSET,
                                       .float_repr = 2,
                                       .size = 1};
    return index;
}

void eip_make_session(EipFixture *f) {
    eip_test_server_start(f->server);
    f->device.port = f->server->port;
    f->set = (PsPollSet){.variables = f->indexes, .variable_count = f->config.variable_count};
    f->endpoint = (PsEndpoint){.config = &f->config,
                               .devices = &f->device_index,
                               .device_count = 1,
                               .sets = &f->set,
                               .set_count = 1,
                               .learned = f->learned};
    f->batch = ps_sample_batch_new(EIP_TEST_VARIABLES, EIP_TEST_VARIABLES * 90);
    if (ps_eip_driver.session_new(&f->endpoint, &f->session, &f->diag) != PS_OK) {
        fail_msg("session: %s", f->diag.text);
    }
}

void eip_open_session(EipFixture *f) {
    eip_make_session(f);
    if (ps_eip_driver.connect(f->session, &f->diag) != PS_OK) {
        fail_msg("connect: %s", f->diag.text);
    }
    assert_true(ps_eip_driver.connected(f->session));
}

PsErr eip_read_all(EipFixture *f) {
    ps_sample_batch_clear(f->batch);
    f->diag = (PsDiag){0};
    return ps_eip_driver.read(f->session, 0, f->batch, &f->diag);
}

void eip_read_well(EipFixture *f) {
    PsErr err = eip_read_all(f);
    if (err != PS_OK) {
        fail_msg("read: %s", f->diag.text);
    }
    assert_int_equal(f->batch->sample_count, f->config.variable_count);
}

const PsSample *eip_sample_of(const EipFixture *f, uint32_t variable) {
    for (uint32_t i = 0; i < f->batch->sample_count; i++) {
        if (f->batch->samples[i].variable == variable) {
            return &f->batch->samples[i];
        }
    }
    fail_msg("no sample of variable %u", variable);
    return NULL;
}

void eip_assert_sample(const EipFixture *f, uint32_t variable, PsValue expected) {
    const PsSample *sample = eip_sample_of(f, variable);
    char shown[64];
    ps_value_format(sample->value, shown, sizeof shown);
    if (sample->quality != PS_QUALITY_GOOD || !ps_value_equal(sample->value, expected)) {
        fail_msg("variable %u: %s '%s' %s", variable, ps_quality_name((PsQuality)sample->quality),
                 shown, f->diag.text);
    }
}

void eip_assert_quality(const EipFixture *f, uint32_t variable, PsQuality quality) {
    assert_int_equal(eip_sample_of(f, variable)->quality, quality);
}

void eip_add_plant(EipFixture *f) {
    EipTestServer *server = f->server;
    eip_test_server_add(server, "Count", 0xC4, 4, 1, "\xDC\x01\x00\x00");
    eip_test_server_add(server, "Speed", 0xCA, 4, 1, "\x00\x00\x68\x41");
    eip_test_server_add(server, "On", 0xC1, 1, 1, "\x01");
    eip_test_server_add(server, "Status", 0xC3, 2, 1, "\x05\x80");
    eip_test_server_add(server, "Program:Main.Local", 0xC4, 4, 1, "\x07\x00\x00\x00");
    EipTestTag *numbers = eip_test_server_add(server, "Numbers", 0xC4, 4, 100, NULL);
    for (uint8_t i = 0; i < 100; i++) {
        numbers->data[4 * i] = i;
    }
    // A BOOL array of 64 elements: 0 and 37 are on.
    eip_test_server_add(server, "Flags", 0xD3, 4, 2, "\x01\x00\x00\x00\x20\x00\x00\x00");
    EipTestTag *name = eip_test_server_add(server, "Name", 0x02A0, 88, 1, NULL);
    memcpy(name->data, "\x04\x00\x00\x00Pump", 8);
    name->handle = 0x0FCE;
    EipTestTag *motor = eip_test_server_add(server, "Motor", 0x02A0, 12, 1, NULL);
    motor->handle = 0x1234;
    EipTestTag *recipe = eip_test_server_add(server, "Recipe", 0x02A0, 24, 1, NULL);
    memcpy(recipe->data, "\x05\x00\x00\x00Sugar", 9);
    recipe->handle = 0x5678;
    eip_test_server_add(server, "Recipe.LEN", 0xC4, 4, 1, "\x05\x00\x00\x00");
    EipTestTag *data = eip_test_server_add(server, "Recipe.DATA", 0xC2, 1, 20, NULL);
    memcpy(data->data, "Sugar", 5);
}
