// Checks a Modbus TCP request before the library answers it. Pure; any thread.
#include "sim/frame.h"

#include "base/buf.h"

#define ILLEGAL_FUNCTION 1
#define ILLEGAL_ADDRESS 2
#define ILLEGAL_VALUE 3

// Shape of a request after its address field.
typedef enum Shape {
    SHAPE_READ,       // count
    SHAPE_ONE,        // value
    SHAPE_MANY,       // count, byte count, values
    SHAPE_MASK,       // and-mask, or-mask
    SHAPE_READ_WRITE, // count, then address, count, byte count, values
} Shape;

typedef struct FunctionRule {
    uint8_t code;
    PsSimTable table;
    Shape shape;
    uint16_t most_read;
    uint16_t most_written;
} FunctionRule;

// Limits: Modbus Application Protocol 1.1b3, chapter 6.
static const FunctionRule rules[] = {
    {1, PS_SIM_COIL, SHAPE_READ, 2000, 0},   {2, PS_SIM_DISCRETE, SHAPE_READ, 2000, 0},
    {3, PS_SIM_HOLDING, SHAPE_READ, 125, 0}, {4, PS_SIM_INPUT, SHAPE_READ, 125, 0},
    {5, PS_SIM_COIL, SHAPE_ONE, 0, 1},       {6, PS_SIM_HOLDING, SHAPE_ONE, 0, 1},
    {15, PS_SIM_COIL, SHAPE_MANY, 0, 1968},  {16, PS_SIM_HOLDING, SHAPE_MANY, 0, 123},
    {22, PS_SIM_HOLDING, SHAPE_MASK, 0, 1},  {23, PS_SIM_HOLDING, SHAPE_READ_WRITE, 125, 121},
};

static uint16_t get_u16(PsReader *reader) {
    uint8_t high = ps_reader_u8(reader);
    uint8_t low = ps_reader_u8(reader);
    return (uint16_t)(high << 8 | low);
}

size_t ps_sim_frame_length(const uint8_t *header) {
    PsReader reader = ps_reader(header, PS_SIM_MBAP_BYTES);
    get_u16(&reader); // transaction
    uint16_t protocol = get_u16(&reader);
    uint16_t length = get_u16(&reader);
    // The length counts the unit id, which is already part of the header: at least a function
    // code follows it.
    if (protocol != 0 || length < 2 || length + 6u > PS_SIM_FRAME_BYTES) {
        return 0;
    }
    return length + 6u;
}

static void read_values(PsReader *reader, const FunctionRule *rule, PsSimRequest *request) {
    uint16_t bytes = ps_reader_u8(reader);
    uint32_t expected =
        rule->table == PS_SIM_COIL ? (request->write.count + 7) / 8 : request->write.count * 2;
    if (ps_reader_raw(reader, bytes) == NULL || bytes != expected) {
        request->exception = ILLEGAL_VALUE;
    }
}

static void read_shape(PsReader *reader, const FunctionRule *rule, PsSimRequest *request) {
    PsSimSpan span = {.table = rule->table, .offset = get_u16(reader), .count = 1};
    uint16_t word = get_u16(reader);
    switch (rule->shape) {
    case SHAPE_READ:
        span.count = word;
        request->read = span;
        break;
    case SHAPE_ONE:
        request->write = span;
        break;
    case SHAPE_MANY:
        span.count = word;
        request->write = span;
        read_values(reader, rule, request);
        break;
    case SHAPE_MASK:
        get_u16(reader);
        request->write = span;
        break;
    case SHAPE_READ_WRITE:
        span.count = word;
        request->read = span;
        request->write = (PsSimSpan){.table = rule->table, .offset = get_u16(reader)};
        request->write.count = get_u16(reader);
        read_values(reader, rule, request);
        break;
    }
    bool bad_coil = rule->code == 5 && word != 0 && word != 0xFF00;
    if (!ps_reader_done(reader) || bad_coil) {
        request->exception = ILLEGAL_VALUE;
    }
}

static bool count_fits(const PsSimSpan *span, uint16_t most) {
    return most == 0 || (span->count > 0 && span->count <= most);
}

static bool inside_table(const PsSimSpan *span) {
    return span->offset + span->count <= PS_SIM_TABLE_ITEMS;
}

PsSimRequest ps_sim_frame_decode(const uint8_t *frame, size_t len) {
    PsReader reader = ps_reader(frame, len);
    ps_reader_raw(&reader, PS_SIM_MBAP_BYTES - 1);
    PsSimRequest request = {.exception = ILLEGAL_FUNCTION};
    request.slave = ps_reader_u8(&reader);
    request.function = ps_reader_u8(&reader);
    for (size_t i = 0; i < PS_COUNT(rules); i++) {
        if (rules[i].code != request.function) {
            continue;
        }
        request.exception = 0;
        read_shape(&reader, &rules[i], &request);
        if (request.exception == 0 && (!count_fits(&request.read, rules[i].most_read) ||
                                       !count_fits(&request.write, rules[i].most_written))) {
            request.exception = ILLEGAL_VALUE;
        }
        if (request.exception == 0 &&
            (!inside_table(&request.read) || !inside_table(&request.write))) {
            request.exception = ILLEGAL_ADDRESS;
        }
        break;
    }
    return request;
}
