//! The folder a demo works in: the gateway's configuration as the manual sets it up. Blocking.
#pragma once

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

#define DEMO_PATH_SIZE (PATH_MAX / 2)

/// What the simulated plant and the set-up of the thing said when they were ready.
typedef struct DemoPeers {
    int plant_port;
    int cloud_port;
    char endpoint[256];
    char cert[DEMO_PATH_SIZE];
    char key[DEMO_PATH_SIZE];
    char root_ca[DEMO_PATH_SIZE];
} DemoPeers;

#define DEMO_THING "aws_iot_test"

/// Does the cloud answer?
bool demo_files_cloud_ready(const char *folder);

/// Reads what the plant and the thing's set-up left. PS_ERR_NOT_FOUND while one of them is not
/// there yet.
PsErr demo_files_read_peers(const char *folder, DemoPeers *ret_peers, PsDiag *diag);

/// Writes FOLDER/config: penstock.json, the scripts from `scripts`, the thing's three files.
PsErr demo_files_write_config(const char *folder, const char *scripts, const DemoPeers *peers,
                              PsDiag *diag);

/// Removes the folder and everything in it.
void demo_files_remove(const char *folder);
