//! A Modbus TCP server thread for tests, on 127.0.0.1: libmodbus answers from a mapping, and knobs
//! make it misbehave. Not part of any program.
#pragma once

#include <stdint.h>

/// Items in each of the four tables.
#define TEST_SERVER_ITEMS 12000

typedef struct TestServer TestServer;

/// `port` 0 takes a free one. Never NULL.
TestServer *test_server_start(int port);
/// Closes all connections, ends the thread, frees.
void test_server_stop(TestServer *server);
int test_server_port(const TestServer *server);

void test_server_set_register(TestServer *server, int offset, uint16_t value);
uint16_t test_server_register(TestServer *server, int offset);
void test_server_set_input_register(TestServer *server, int offset, uint16_t value);
void test_server_set_coil(TestServer *server, int offset, int on);
int test_server_coil(TestServer *server, int offset);
void test_server_set_discrete(TestServer *server, int offset, int on);

/// This slave does not answer; -1 for none.
void test_server_silence(TestServer *server, int slave);
/// Holding register that does not exist; -1 for none.
void test_server_hole(TestServer *server, int offset);
/// Exception code for every request; 0 for none.
void test_server_refuse(TestServer *server, int exception);
/// Milliseconds before each answer.
void test_server_delay(TestServer *server, int ms);
/// Byte number `at` of every answer is changed to `value`; `at` -1 for none.
void test_server_forge(TestServer *server, int at, int value);
/// Sends this many zero bytes after each answer.
void test_server_trail(TestServer *server, int bytes);
/// Closes the connection instead of answering the next request.
void test_server_drop_next(TestServer *server);
/// Connections accepted so far.
unsigned test_server_connections(TestServer *server);
/// Requests received so far.
unsigned test_server_requests(TestServer *server);
