// Areas as tables over the plant; holes and other faults. Called by the server's threads and the
// controlling thread; a lock guards what is ours, the plant has its own.
#include "sim/s7_memory.h"

#include "base/err.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_OF_RANGE 0x05
#define NOT_THERE 0x0A

#define REGISTER_BYTES 40000U // registers 1 to 20000, as far as the plant has something to show
#define BIT_BYTES 8192U       // 65,536 bits
#define RECIPE_ITEM 103       // 40104: 16 characters
#define RECIPE_CHARACTERS 16U
#define RECIPE_BYTES (2 + RECIPE_CHARACTERS)
#define FREE_BYTES 1000U // behind the recipe
#define OUTPUT_BYTES 128U
#define HOLES 16

typedef struct Hole {
    uint8_t area;
    uint16_t db;
    uint32_t first;
    uint32_t last;
} Hole;

struct PsSimS7Memory {
    PsSimSideSetup setup;
    pthread_mutex_t lock;
    uint8_t free_memory[FREE_BYTES];
    uint8_t outputs[OUTPUT_BYTES];
    Hole holes[HOLES];
    size_t hole_count;
    bool refuses;
    bool stopped;
    uint8_t exception; // 0: none
};

PsSimS7Memory *ps_sim_s7_memory_new(const PsSimSideSetup *setup) {
    PsSimS7Memory *memory = ps_alloc(sizeof *memory);
    memory->setup = *setup;
    pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

void ps_sim_s7_memory_free(PsSimS7Memory *memory) {
    if (memory != NULL) {
        pthread_mutex_destroy(&memory->lock);
        free(memory);
    }
}

// --- areas -------------------------------------------------------------------------------------

// Bytes of an area or block; 0: there is none.
static uint32_t area_size(uint8_t area, uint16_t db) {
    switch (area) {
    case PS_SIM_S7_INPUTS:
    case PS_SIM_S7_FLAGS:
        return BIT_BYTES;
    case PS_SIM_S7_OUTPUTS:
        return OUTPUT_BYTES;
    case PS_SIM_S7_DB:
        return db == 1 || db == 3 ? REGISTER_BYTES : db == 2 ? RECIPE_BYTES + FREE_BYTES : 0;
    default:
        return 0;
    }
}

static bool touches(const Hole *hole, const PsSimS7Place *place) {
    return hole->area == place->area && hole->db == place->db && place->first <= hole->last &&
           place->first + place->len > hole->first;
}

uint8_t ps_sim_s7_code(PsSimS7Memory *memory, const PsSimS7Place *place) {
    uint32_t size = area_size(place->area, place->db);
    uint8_t code = PS_SIM_S7_FINE;
    if (size == 0) {
        code = NOT_THERE;
    } else if (place->first >= size || place->len > size - place->first) {
        code = OUT_OF_RANGE;
    }
    pthread_mutex_lock(&memory->lock);
    for (size_t i = 0; code == PS_SIM_S7_FINE && i < memory->hole_count; i++) {
        code = touches(&memory->holes[i], place) ? OUT_OF_RANGE : code;
    }
    code = memory->exception != 0 ? memory->exception : code;
    pthread_mutex_unlock(&memory->lock);
    return code;
}

static PsSimTable register_table(uint16_t db) {
    return db == 3 ? PS_SIM_INPUT : PS_SIM_HOLDING;
}

// Bytes of registers, high byte first. A register of which one byte is wanted is asked for whole.
static void read_registers(const PsSimS7Memory *memory, PsSimTable table, uint32_t first,
                           uint32_t len, uint8_t *ret_bytes) {
    uint16_t values[64];
    while (len > 0) {
        uint32_t odd = first % 2;
        size_t count = (odd + len + 1) / 2;
        count = count < PS_COUNT(values) ? count : PS_COUNT(values);
        PsSimAddress address = {.table = table, .offset = (uint16_t)(first / 2)};
        memory->setup.items(memory->setup.plant, address, count, values);
        for (uint32_t at = odd; at < 2 * count && len > 0; at++, len--, first++) {
            uint16_t value = values[at / 2];
            *ret_bytes++ = (uint8_t)(at % 2 == 0 ? value >> 8 : value);
        }
    }
}

static void write_registers(const PsSimS7Memory *memory, PsSimTable table, uint32_t first,
                            uint32_t len, const uint8_t *bytes) {
    uint16_t values[64];
    while (len > 0) {
        uint32_t odd = first % 2;
        size_t count = (odd + len + 1) / 2;
        count = count < PS_COUNT(values) ? count : PS_COUNT(values);
        PsSimAddress address = {.table = table, .offset = (uint16_t)(first / 2)};
        memory->setup.items(memory->setup.plant, address, count, values);
        for (uint32_t at = odd; at < 2 * count && len > 0; at++, len--, first++) {
            uint16_t old = values[at / 2];
            values[at / 2] = (uint16_t)(at % 2 == 0 ? (unsigned)*bytes << 8 | (old & 0xFFU)
                                                    : (old & 0xFF00U) | *bytes);
            bytes++;
        }
        memory->setup.write_items(memory->setup.plant, address, count, values);
    }
}

static void read_bits(const PsSimS7Memory *memory, PsSimTable table, uint32_t first, uint32_t len,
                      uint8_t *ret_bytes) {
    for (uint32_t i = 0; i < len; i++) {
        uint16_t values[8];
        PsSimAddress address = {.table = table, .offset = (uint16_t)(8 * (first + i))};
        memory->setup.items(memory->setup.plant, address, 8, values);
        ret_bytes[i] = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            ret_bytes[i] = (uint8_t)(ret_bytes[i] | (values[bit] != 0) << bit);
        }
    }
}

static void write_bits(const PsSimS7Memory *memory, PsSimTable table, uint32_t first, uint32_t len,
                       const uint8_t *bytes) {
    for (uint32_t i = 0; i < len; i++) {
        uint16_t values[8];
        for (unsigned bit = 0; bit < 8; bit++) {
            values[bit] = bytes[i] >> bit & 1;
        }
        PsSimAddress address = {.table = table, .offset = (uint16_t)(8 * (first + i))};
        memory->setup.write_items(memory->setup.plant, address, 8, values);
    }
}

// --- the second block: a STRING[16] over the recipe, then free memory --------------------------

static void read_second(PsSimS7Memory *memory, const PsSimS7Place *place, uint8_t *ret_bytes) {
    uint8_t recipe[RECIPE_BYTES] = {RECIPE_CHARACTERS};
    read_registers(memory, PS_SIM_HOLDING, 2 * RECIPE_ITEM, RECIPE_CHARACTERS, recipe + 2);
    recipe[1] = (uint8_t)strnlen((const char *)recipe + 2, RECIPE_CHARACTERS);
    pthread_mutex_lock(&memory->lock);
    for (uint32_t i = 0; i < place->len; i++) {
        uint32_t at = place->first + i;
        ret_bytes[i] = at < RECIPE_BYTES ? recipe[at] : memory->free_memory[at - RECIPE_BYTES];
    }
    pthread_mutex_unlock(&memory->lock);
}

static void write_second(PsSimS7Memory *memory, const PsSimS7Place *place, const uint8_t *bytes) {
    uint8_t recipe[RECIPE_BYTES];
    PsSimS7Place whole = {.area = PS_SIM_S7_DB, .db = 2, .len = RECIPE_BYTES};
    read_second(memory, &whole, recipe);
    bool is_recipe = place->first < RECIPE_BYTES;
    pthread_mutex_lock(&memory->lock);
    for (uint32_t i = 0; i < place->len; i++) {
        uint32_t at = place->first + i;
        if (at < RECIPE_BYTES) {
            recipe[at] = bytes[i];
        } else {
            memory->free_memory[at - RECIPE_BYTES] = bytes[i];
        }
    }
    pthread_mutex_unlock(&memory->lock);
    if (is_recipe) {
        uint32_t len = recipe[1] < RECIPE_CHARACTERS ? recipe[1] : RECIPE_CHARACTERS;
        memset(recipe + 2 + len, 0, RECIPE_CHARACTERS - len);
        write_registers(memory, PS_SIM_HOLDING, 2 * RECIPE_ITEM, RECIPE_CHARACTERS, recipe + 2);
    }
}

void ps_sim_s7_read(PsSimS7Memory *memory, const PsSimS7Place *place, uint8_t *ret_bytes) {
    if (place->area == PS_SIM_S7_DB && place->db == 2) {
        read_second(memory, place, ret_bytes);
    } else if (place->area == PS_SIM_S7_DB) {
        read_registers(memory, register_table(place->db), place->first, place->len, ret_bytes);
    } else if (place->area == PS_SIM_S7_OUTPUTS) {
        pthread_mutex_lock(&memory->lock);
        memcpy(ret_bytes, memory->outputs + place->first, place->len);
        pthread_mutex_unlock(&memory->lock);
    } else {
        read_bits(memory, place->area == PS_SIM_S7_INPUTS ? PS_SIM_DISCRETE : PS_SIM_COIL,
                  place->first, place->len, ret_bytes);
    }
}

void ps_sim_s7_write(PsSimS7Memory *memory, const PsSimS7Place *place, const uint8_t *bytes) {
    if (place->area == PS_SIM_S7_DB && place->db == 2) {
        write_second(memory, place, bytes);
    } else if (place->area == PS_SIM_S7_DB) {
        write_registers(memory, register_table(place->db), place->first, place->len, bytes);
    } else if (place->area == PS_SIM_S7_OUTPUTS) {
        pthread_mutex_lock(&memory->lock);
        memcpy(memory->outputs + place->first, bytes, place->len);
        pthread_mutex_unlock(&memory->lock);
    } else {
        write_bits(memory, place->area == PS_SIM_S7_INPUTS ? PS_SIM_DISCRETE : PS_SIM_COIL,
                   place->first, place->len, bytes);
    }
}

void ps_sim_s7_write_bit(PsSimS7Memory *memory, const PsSimS7Place *place, unsigned bit, bool on) {
    if (place->area == PS_SIM_S7_FLAGS || place->area == PS_SIM_S7_INPUTS) {
        PsSimTable table = place->area == PS_SIM_S7_INPUTS ? PS_SIM_DISCRETE : PS_SIM_COIL;
        PsSimAddress address = {.table = table, .offset = (uint16_t)(8 * place->first + bit)};
        memory->setup.write_items(memory->setup.plant, address, 1, (const uint16_t[]){on});
        return;
    }
    uint8_t byte = 0;
    ps_sim_s7_read(memory, place, &byte);
    byte = (uint8_t)(on ? byte | 1U << bit : byte & ~(1U << bit));
    ps_sim_s7_write(memory, place, &byte);
}

// --- faults ------------------------------------------------------------------------------------

bool ps_sim_s7_refuses(PsSimS7Memory *memory) {
    pthread_mutex_lock(&memory->lock);
    bool refuses = memory->refuses;
    pthread_mutex_unlock(&memory->lock);
    return refuses;
}

bool ps_sim_s7_stopped(PsSimS7Memory *memory) {
    pthread_mutex_lock(&memory->lock);
    bool stopped = memory->stopped;
    pthread_mutex_unlock(&memory->lock);
    return stopped;
}

// "DB1 10-20", "DB1 10", "M 4", "I 0-3".
static bool parse_hole(const char *text, Hole *ret_hole) {
    static const struct {
        const char *letter;
        uint8_t area;
    } areas[] = {{"I", PS_SIM_S7_INPUTS}, {"Q", PS_SIM_S7_OUTPUTS}, {"M", PS_SIM_S7_FLAGS}};
    unsigned db = 0;
    unsigned first = 0;
    unsigned last = 0;
    char letter[2] = "";
    char rest = '\0';
    int got = sscanf(text, "DB%5u %5u-%5u%c", &db, &first, &last, &rest);
    if (got == 2 || got == 3) {
        *ret_hole = (Hole){PS_SIM_S7_DB, (uint16_t)db, first, got == 3 ? last : first};
        return db <= UINT16_MAX && ret_hole->last >= first;
    }
    got = sscanf(text, "%1[IQM] %5u-%5u%c", letter, &first, &last, &rest);
    for (size_t i = 0; (got == 2 || got == 3) && i < PS_COUNT(areas); i++) {
        if (strcmp(areas[i].letter, letter) == 0) {
            *ret_hole = (Hole){areas[i].area, 0, first, got == 3 ? last : first};
            return ret_hole->last >= first;
        }
    }
    return false;
}

static PsErr put_hole(PsSimS7Memory *memory, const char *text, PsDiag *diag) {
    Hole hole;
    if (!parse_hole(text, &hole)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "hole DB1 10-20, hole M 4: bytes");
    }
    if (memory->hole_count == HOLES) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "there are %d holes; ok ends them", HOLES);
    }
    memory->holes[memory->hole_count++] = hole;
    return PS_OK;
}

static PsErr put_exception(PsSimS7Memory *memory, const char *text, PsDiag *diag) {
    char *end = NULL;
    unsigned long code = strtoul(text, &end, 0);
    if (end == text || *end != '\0' || code == 0 || code >= PS_SIM_S7_FINE) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "exception CODE: return code of an item, 1 to 254, for example 0x03");
    }
    memory->exception = (uint8_t)code;
    return PS_OK;
}

static PsErr turn(PsSimS7Memory *memory, const char *line, PsDiag *diag) {
    if (strncmp(line, "hole ", 5) == 0) {
        return put_hole(memory, line + 5, diag);
    }
    if (strncmp(line, "exception ", 10) == 0) {
        return put_exception(memory, line + 10, diag);
    }
    if (strcmp(line, "ok") == 0) {
        memory->hole_count = 0;
        memory->exception = 0;
        memory->refuses = false;
        memory->stopped = false;
    } else if (strcmp(line, "stop") == 0 || strcmp(line, "run") == 0) {
        memory->stopped = line[0] == 's';
    } else if (strcmp(line, "putget off") == 0 || strcmp(line, "putget on") == 0) {
        memory->refuses = strcmp(line, "putget off") == 0;
    } else {
        return PS_ERR_NOT_FOUND;
    }
    return PS_OK;
}

PsErr ps_sim_s7_memory_fault(PsSimS7Memory *memory, const char *line, PsDiag *diag) {
    pthread_mutex_lock(&memory->lock);
    PsErr err = turn(memory, line, diag);
    pthread_mutex_unlock(&memory->lock);
    return err;
}
