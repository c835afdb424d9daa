// The plant's process and its point table. Pure; the caller serialises.
#include "sim/plant.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AMBIENT_C 15.0
#define HEATING_TAU_S 8.0 // time constant of the vessel towards its set point
#define STIRRER_TAU_S 3.0
#define START_SET_POINT_C 22
#define START_SPEED_RPM 120.0F
#define PATTERN_FIRST 1000 // from this offset on, registers hold their own item number
#define PATTERN_END 20000
#define HEATER_COIL 0
#define SET_POINT 100       // 40101 WORD
#define SPEED_SET_POINT 101 // 40102 FLOAT
#define RECIPE 103          // 40104 STRING, 16 characters
#define RECIPE_SHOWN 9      // 30010
#define RECIPE_REGISTERS 8
#define MODEL 30 // 40031 STRING

typedef enum PointKind {
    POINT_BIT,
    POINT_WORD,
    POINT_INT,
    POINT_DWORD,
    POINT_FLOAT,
} PointKind;

typedef struct Point {
    PsSimTable table;
    uint16_t offset;
    PointKind kind;
    double (*value)(const PsPlant *plant);
    // Takes a value that a client wrote into the process; NULL: the write only shows for a while.
    void (*accept)(PsPlant *plant, double value);
} Point;

static double seconds(const PsPlant *plant) {
    return (double)plant->now_ms / 1000.0;
}

// A swing of two degrees in twelve seconds, so that a person sees whole degrees change.
static double swing(const PsPlant *plant) {
    return 2.0 * sin(2.0 * M_PI * seconds(plant) / 12.0);
}

static double temperature(const PsPlant *plant) {
    return plant->temperature + swing(plant);
}

static double whole_temperature(const PsPlant *plant) {
    double value = round(temperature(plant));
    return value < 0 ? 0 : value;
}

static void accept_temperature(PsPlant *plant, double value) {
    plant->temperature = isfinite(value) ? value - swing(plant) : AMBIENT_C;
}

static double counter(const PsPlant *plant) {
    return plant->counter;
}

static void accept_counter(PsPlant *plant, double value) {
    plant->counter = value;
}

static double vibration(const PsPlant *plant) {
    return round(100.0 * sin(2.0 * M_PI * seconds(plant) / 7.0));
}

static double switch_closed(const PsPlant *plant) {
    return (plant->now_ms / 3000) % 2 != 0;
}

static double heartbeat(const PsPlant *plant) {
    return (plant->now_ms / 500) % 2 != 0;
}

static double heating(const PsPlant *plant) {
    return plant->coils[HEATER_COIL] != 0 && plant->temperature < plant->holdings[SET_POINT];
}

// Bit 0 heater on, bit 1 heating, bit 2 heartbeat, bit 3 switch, bit 15 always set.
static double status_word(const PsPlant *plant) {
    unsigned bits = 0x8000U;
    bits |= plant->coils[HEATER_COIL] != 0 ? 1U : 0U;
    bits |= heating(plant) != 0 ? 2U : 0U;
    bits |= heartbeat(plant) != 0 ? 4U : 0U;
    bits |= switch_closed(plant) != 0 ? 8U : 0U;
    return bits;
}

// A tank that fills in twenty seconds and empties at once.
static double level(const PsPlant *plant) {
    return (double)((plant->now_ms / 20) % 1000);
}

static double speed(const PsPlant *plant) {
    return plant->speed;
}

static double run_seconds(const PsPlant *plant) {
    return floor(plant->counter / 10.0);
}

static double below_zero(const PsPlant *plant) {
    return vibration(plant) < 0;
}

static double level_high(const PsPlant *plant) {
    return level(plant) > 800;
}

static double negative_level(const PsPlant *plant) {
    return -level(plant);
}

static const Point points[PS_PLANT_POINTS] = {
    {PS_SIM_HOLDING, 0, POINT_WORD, whole_temperature, accept_temperature},
    {PS_SIM_HOLDING, 1, POINT_FLOAT, temperature, accept_temperature},
    {PS_SIM_HOLDING, 3, POINT_DWORD, counter, accept_counter},
    {PS_SIM_HOLDING, 5, POINT_INT, vibration, NULL},
    {PS_SIM_HOLDING, 6, POINT_WORD, status_word, NULL},
    {PS_SIM_INPUT, 0, POINT_WORD, level, NULL},
    {PS_SIM_INPUT, 1, POINT_FLOAT, speed, NULL},
    {PS_SIM_INPUT, 3, POINT_DWORD, run_seconds, NULL},
    {PS_SIM_INPUT, 5, POINT_INT, negative_level, NULL},
    {PS_SIM_INPUT, 6, POINT_FLOAT, temperature, NULL},
    {PS_SIM_DISCRETE, 0, POINT_BIT, switch_closed, NULL},
    {PS_SIM_DISCRETE, 1, POINT_BIT, heartbeat, NULL},
    {PS_SIM_DISCRETE, 2, POINT_BIT, heating, NULL},
    {PS_SIM_DISCRETE, 3, POINT_BIT, level_high, NULL},
    {PS_SIM_COIL, 15, POINT_BIT, below_zero, NULL},
};

static uint16_t point_width(const Point *point) {
    return point->kind == POINT_DWORD || point->kind == POINT_FLOAT ? 2 : 1;
}

static uint16_t *registers(PsPlant *plant, PsSimTable table) {
    return table == PS_SIM_INPUT ? plant->inputs : plant->holdings;
}

static uint8_t *bits(PsPlant *plant, PsSimTable table) {
    return table == PS_SIM_DISCRETE ? plant->discretes : plant->coils;
}

// High word first, high byte first: byte order ABCD.
static void put_u32(uint16_t *at, uint32_t value) {
    at[0] = (uint16_t)(value >> 16);
    at[1] = (uint16_t)value;
}

static uint32_t get_u32(const uint16_t *at) {
    return (uint32_t)at[0] << 16 | at[1];
}

static void put_float(uint16_t *at, float value) {
    uint32_t image;
    memcpy(&image, &value, sizeof image);
    put_u32(at, image);
}

static float get_float(const uint16_t *at) {
    uint32_t image = get_u32(at);
    float value;
    memcpy(&value, &image, sizeof value);
    return value;
}

static void put_text(uint16_t *at, const char *text, size_t registers_used) {
    size_t len = strlen(text);
    for (size_t i = 0; i < registers_used; i++) {
        uint8_t high = 2 * i < len ? (uint8_t)text[2 * i] : 0;
        uint8_t low = 2 * i + 1 < len ? (uint8_t)text[2 * i + 1] : 0;
        at[i] = (uint16_t)(high << 8 | low);
    }
}

static void show_point(PsPlant *plant, const Point *point) {
    double value = point->value(plant);
    if (point->kind == POINT_BIT) {
        bits(plant, point->table)[point->offset] = value != 0;
        return;
    }
    uint16_t *at = registers(plant, point->table) + point->offset;
    switch (point->kind) {
    case POINT_FLOAT:
        put_float(at, (float)value);
        break;
    case POINT_DWORD:
        put_u32(at, (uint32_t)fmod(value, 4294967296.0));
        break;
    default:
        at[0] = (uint16_t)(int32_t)fmax(-32768.0, fmin(65535.0, value));
        break;
    }
}

static double read_point(PsPlant *plant, const Point *point) {
    const uint16_t *at = registers(plant, point->table) + point->offset;
    switch (point->kind) {
    case POINT_FLOAT:
        return get_float(at);
    case POINT_DWORD:
        return get_u32(at);
    default:
        return at[0];
    }
}

static double approach(double value, double target, double elapsed_s, double tau_s) {
    return target + (value - target) * exp(-elapsed_s / tau_s);
}

static void show_all(PsPlant *plant) {
    for (size_t i = 0; i < PS_PLANT_POINTS; i++) {
        if (plant->held_until_ms[i] <= plant->now_ms) {
            show_point(plant, &points[i]);
        }
    }
    memcpy(plant->inputs + RECIPE_SHOWN, plant->holdings + RECIPE,
           RECIPE_REGISTERS * sizeof plant->holdings[0]);
}

void ps_plant_advance(PsPlant *plant, int64_t now_ms) {
    int64_t steps = (now_ms - plant->now_ms) / PS_PLANT_STEP_MS;
    if (steps <= 0) {
        return;
    }
    double elapsed_s = (double)(steps * PS_PLANT_STEP_MS) / 1000.0;
    plant->now_ms += steps * PS_PLANT_STEP_MS;
    bool heater = plant->coils[HEATER_COIL] != 0;
    double target = heater ? plant->holdings[SET_POINT] : AMBIENT_C;
    plant->temperature = approach(plant->temperature, target, elapsed_s, HEATING_TAU_S);
    double speed_target = get_float(plant->holdings + SPEED_SET_POINT);
    speed_target = isfinite(speed_target) ? speed_target : 0.0;
    plant->speed = approach(plant->speed, speed_target, elapsed_s, STIRRER_TAU_S);
    plant->counter += (double)steps;
    show_all(plant);
}

PsPlant *ps_plant_new(int64_t now_ms) {
    PsPlant *plant = ps_alloc(sizeof *plant);
    plant->now_ms = now_ms;
    plant->temperature = START_SET_POINT_C;
    plant->coils[HEATER_COIL] = 1;
    for (uint32_t i = PATTERN_FIRST; i < PATTERN_END; i++) {
        plant->holdings[i] = (uint16_t)(i + 1);
        plant->inputs[i] = (uint16_t)(i + 1);
    }
    plant->holdings[SET_POINT] = START_SET_POINT_C;
    put_float(plant->holdings + SPEED_SET_POINT, START_SPEED_RPM);
    put_text(plant->holdings + RECIPE, "RECIPE-1", RECIPE_REGISTERS);
    put_text(plant->holdings + MODEL, "PENSTOCK-SIM", RECIPE_REGISTERS);
    show_all(plant);
    return plant;
}

void ps_plant_free(PsPlant *plant) {
    free(plant);
}

// Calls for each moving point that overlaps the span: keeps what is in the table until `until`.
static void hold(PsPlant *plant, PsSimTable table, uint32_t offset, uint32_t count, int64_t until) {
    for (size_t i = 0; i < PS_PLANT_POINTS; i++) {
        const Point *point = &points[i];
        bool overlaps = point->table == table && point->offset < offset + count &&
                        offset < (uint32_t)point->offset + point_width(point);
        if (!overlaps) {
            continue;
        }
        plant->held_until_ms[i] = plant->held_until_ms[i] > until ? plant->held_until_ms[i] : until;
        if (point->accept != NULL) {
            point->accept(plant, read_point(plant, point));
        }
    }
}

void ps_plant_written(PsPlant *plant, PsSimTable table, uint32_t offset, uint32_t count) {
    hold(plant, table, offset, count, plant->now_ms + PS_PLANT_HOLD_MS);
}

static void put_item(PsPlant *plant, PsSimTable table, uint32_t offset, uint16_t value) {
    if (table == PS_SIM_COIL || table == PS_SIM_DISCRETE) {
        bits(plant, table)[offset] = value != 0;
    } else {
        registers(plant, table)[offset] = value;
    }
}

void ps_plant_write(PsPlant *plant, PsSimAddress first, size_t count, const uint16_t *values) {
    size_t room = PS_SIM_TABLE_ITEMS - (size_t)first.offset;
    size_t taken = count < room ? count : room;
    for (size_t i = 0; i < taken; i++) {
        put_item(plant, first.table, (uint32_t)(first.offset + i), values[i]);
    }
    ps_plant_written(plant, first.table, first.offset, (uint32_t)taken);
}

void ps_plant_force(PsPlant *plant, PsSimAddress address, uint16_t value) {
    put_item(plant, address.table, address.offset, value);
    hold(plant, address.table, address.offset, 1, INT64_MAX);
}

void ps_plant_release(PsPlant *plant) {
    memset(plant->held_until_ms, 0, sizeof plant->held_until_ms);
}

uint16_t ps_plant_item(const PsPlant *plant, PsSimAddress address) {
    switch (address.table) {
    case PS_SIM_COIL:
        return plant->coils[address.offset];
    case PS_SIM_DISCRETE:
        return plant->discretes[address.offset];
    case PS_SIM_INPUT:
        return plant->inputs[address.offset];
    default:
        return plant->holdings[address.offset];
    }
}
