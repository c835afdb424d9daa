//! penstock-sim in a process of its own, for tests: its ports, its command lines, its end. The
//! program is found by the environment variable PENSTOCK_SIM. What cannot be done fails the test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct PsKitPlant PsKitPlant;

typedef struct PsKitPlantSetup {
    const char *side; ///< that is served beside Modbus TCP: "s7"; NULL: none
    bool line;        ///< with a serial line, too
} PsKitPlantSetup;

/// Starts it on free ports and waits until it is ready. Never NULL.
PsKitPlant *ps_kit_plant_start(const PsKitPlantSetup *setup);
/// Ends the process. Accepts NULL.
void ps_kit_plant_free(PsKitPlant *plant);
/// Kills it, as a power cut does.
void ps_kit_plant_kill(PsKitPlant *plant);
/// Starts it again, on the ports it had.
void ps_kit_plant_again(PsKitPlant *plant);

/// Of the side, or of Modbus TCP where there is none.
uint16_t ps_kit_plant_port(const PsKitPlant *plant);
/// Path of the serial line.
const char *ps_kit_plant_line(const PsKitPlant *plant);
/// One command line of sim/README.md, answered by "ok".
void ps_kit_plant_command(PsKitPlant *plant, const char *line);
