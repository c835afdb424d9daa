//! What the tests of this driver share: a device with variables, its session, and a controller for
//! it. One test at a time.
#pragma once

#include "drivers/eip/driver.h"
#include "drivers/eip/test_server.h"
#include "drivers/learned.h"

#define EIP_TEST_VARIABLES 400

typedef struct EipFixture {
    EipTestServer *server;
    PsDevice device;
    PsGroup group;
    PsVariable variables[EIP_TEST_VARIABLES];
    char symbols[EIP_TEST_VARIABLES][32];
    uint32_t indexes[EIP_TEST_VARIABLES];
    PsConfig config;
    uint32_t device_index;
    PsPollSet set;
    PsEndpoint endpoint;
    PsSession *session;
    PsSampleBatch *batch;
    PsLearned *learned;
    PsDiag diag;
} EipFixture;

int eip_set_up(void **state);
int eip_tear_down(void **state);
uint32_t eip_add(EipFixture *f, const char *symbol);
void eip_make_session(EipFixture *f);
void eip_open_session(EipFixture *f);
PsErr eip_read_all(EipFixture *f);
void eip_read_well(EipFixture *f);
const PsSample *eip_sample_of(const EipFixture *f, uint32_t variable);
void eip_assert_sample(const EipFixture *f, uint32_t variable, PsValue expected);
void eip_assert_quality(const EipFixture *f, uint32_t variable, PsQuality quality);
void eip_add_plant(EipFixture *f);

#define EIP_TEST(name) cmocka_unit_test_setup_teardown(name, eip_set_up, eip_tear_down)
