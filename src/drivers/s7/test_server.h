//! libsnap7's server on loopback, for the tests here: the S7 peer that is not ours. For one
//! controlling thread.
#pragma once

#include <stdint.h>

#define TEST_SERVER_BYTES 2000

typedef struct TestServer TestServer;

/// Serves DB1 (TEST_SERVER_BYTES), DB2 (100 bytes), I, Q and M (64 bytes each). Asserts when it
/// cannot.
TestServer *test_server_start(void);
/// Accepts NULL.
void test_server_stop(TestServer *server);
uint16_t test_server_port(const TestServer *server);
/// Ends all connections and takes none; again() goes on, on the same port.
void test_server_away(TestServer *server);
void test_server_again(TestServer *server);

uint8_t *test_server_db1(TestServer *server);
uint8_t *test_server_db2(TestServer *server);
uint8_t *test_server_inputs(TestServer *server);
uint8_t *test_server_outputs(TestServer *server);
uint8_t *test_server_flags(TestServer *server);
/// Another block, of `len` bytes.
void test_server_add_db(TestServer *server, uint16_t number, uint8_t *bytes, int len);
void test_server_remove_db(TestServer *server, uint16_t number);
void test_server_set_stopped(TestServer *server, int stopped);
