// Two lists of the CPU's state (System Software for S7-300/400, part 2, chapter 34): 0x0011, who it
// is, and 0x0424, in which mode it is. Runs on the channel's thread and blocks in the connection.
#include "drivers/s7/cpu.h"

#include "drivers/s7/words.h"

#include <stdio.h>
#include <string.h>

#define LIST_WHO 0x0011
#define LIST_STATE 0x0424
#define STATE_AGE_NS (30 * PS_NS_PER_S)

// Record of LIST_WHO: index, order number (20 characters), kind, version.
#define WHO_SIZE 28U
#define WHO_MODULE 1   // order number of the module
#define WHO_FIRMWARE 7 // 'V' and three numbers in place of the version

// Record of LIST_STATE: event, a byte, the mode in the lower half of another.
#define STATE_SIZE 4U
#define MODE_STOP 4
#define MODE_STOP_INSIDE 3 // CPUs that tell several kinds of STOP

static void take_order(PsS7Cpu *cpu, const uint8_t *text) {
    size_t len = 20;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\0')) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        bool printable = text[i] >= ' ' && text[i] < 0x7F;
        cpu->order[i] = (char)(printable ? text[i] : '?');
    }
    cpu->order[len] = '\0';
}

static void take_records(PsS7Cpu *cpu, const uint8_t *records, uint32_t size, uint32_t count) {
    for (uint32_t i = 0; i < count && size >= WHO_SIZE; i++) {
        const uint8_t *record = records + (size_t)i * size;
        unsigned index = (unsigned)record[0] << 8 | record[1];
        if (index == WHO_MODULE) {
            take_order(cpu, record + 2);
        } else if (index == WHO_FIRMWARE && record[24] == 'V') {
            snprintf(cpu->firmware, sizeof cpu->firmware, "V%u.%u", record[25], record[26]);
        }
    }
}

// A refusal is an answer: such a device has nothing to tell.
static PsErr ask_list(PsS7Cpu *cpu, PsS7Connection *connection, int64_t timeout_ns, uint16_t id,
                      const uint8_t **ret_records, uint32_t *ret_size, uint32_t *ret_count,
                      PsDiag *diag) {
    *ret_count = 0;
    PsErr err = ps_s7_list(connection, timeout_ns, id, ret_records, ret_size, ret_count, diag);
    cpu->mute = cpu->mute || (err != PS_OK && err != PS_ERR_CANCELLED);
    return err == PS_ERR_REFUSED ? PS_OK : err;
}

static PsErr ask_state(PsS7Cpu *cpu, PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag) {
    const uint8_t *records = NULL;
    uint32_t size = 0;
    uint32_t count = 0;
    PsErr err = ask_list(cpu, connection, timeout_ns, LIST_STATE, &records, &size, &count, diag);
    if (err == PS_OK && count > 0 && size >= STATE_SIZE) {
        unsigned mode = records[3] & 0x0FU;
        cpu->stopped = mode == MODE_STOP || mode == MODE_STOP_INSIDE;
    }
    cpu->asked = ps_mono_now();
    return err;
}

PsErr ps_s7_cpu_ask(PsS7Cpu *cpu, PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag) {
    cpu->stopped = false;
    if (cpu->mute) {
        return PS_OK;
    }
    const uint8_t *records = NULL;
    uint32_t size = 0;
    uint32_t count = 0;
    PsErr err = ask_list(cpu, connection, timeout_ns, LIST_WHO, &records, &size, &count, diag);
    if (err == PS_OK && count > 0) {
        take_records(cpu, records, size, count);
    }
    return err != PS_OK || cpu->mute ? err : ask_state(cpu, connection, timeout_ns, diag);
}

PsErr ps_s7_cpu_refresh(PsS7Cpu *cpu, PsS7Connection *connection, int64_t timeout_ns, PsMono now,
                        PsDiag *diag) {
    if (cpu->mute || ps_mono_diff_ns(now, cpu->asked) < STATE_AGE_NS) {
        return PS_OK;
    }
    return ask_state(cpu, connection, timeout_ns, diag);
}

void ps_s7_cpu_note(const PsS7Cpu *cpu, const PsS7Connection *connection, char *out, size_t size) {
    const char *family = ps_s7_family(cpu->order);
    snprintf(out, size, "%s%s%s%s%s%s%stelegrams of %u bytes%s", family,
             family[0] != '\0' ? " " : "", cpu->order, cpu->order[0] != '\0' ? " " : "",
             cpu->firmware, cpu->firmware[0] != '\0' ? " " : "", cpu->order[0] != '\0' ? "- " : "",
             connection->pdu,
             cpu->stopped ? "; the CPU is in STOP: its values do not move, set it to RUN" : "");
}
