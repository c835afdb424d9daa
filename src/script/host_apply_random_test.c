// A hundred random configurations in a row while inputs flow: every input comes out exactly once,
// with its own names and the next number, or is given up because its message was removed. A real
// penstock-script, one loop; each former configuration is freed at once. The seed is printed.
#include "script/config_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APPLIES 100
#define UPLOADS_MAX (APPLIES * 16)
#define WAITING_MAX 20 // of one message, well below what a queue holds
#define MESSAGES 5
#define GROUPS 4
#define VARIABLES 24
#define NAMES (2 * MESSAGES) // each message may be called two things

// The time of an upload is its number; what is missing or of another group is found here, a wrong
// name by its value.
#define SCRIPT(version)                                                                            \
    "n = 0\n"                                                                                      \
    "def call(d, w):\n"                                                                            \
    "  global n\n"                                                                                 \
    "  n += 1\n"                                                                                   \
    "  got = d['values'].get('A', {})\n"                                                           \
    "  good = all(int(k[1:]) == e['raw_data'] for k, e in got.items())\n"                          \
    "  return '%d %d %d %d %s' % (d['timestamp'], w.sequence()['sequence'], n, good, "             \
    "d['group_name'])\n"                                                                           \
    "main = call\n"                                                                                \
    "other = call\n"                                                                               \
    "version = " version "\n"

typedef struct Input {
    char group[8];
    uint32_t outcomes;
} Input;

typedef struct Number {
    uint64_t next;    // of its sequence, 0: nobody has or had this name
    uint64_t calls;   // of the present process
    uint32_t renewed; // how often the process may begin anew
} Number;

typedef struct Flow {
    Rig *rig;
    PsConfig *config;
    uint64_t state; // of the random numbers
    Input inputs[UPLOADS_MAX];
    uint32_t input_count;
    uint32_t published;
    uint32_t dead;
    uint32_t joined; // messages that went on over a change
    uint32_t removed;
    Number numbers[NAMES];
    RigDefinition definitions[MESSAGES + 1];
    char groups[128];
    char variables[VARIABLES * 8];
    int64_t slowest_ns;
} Flow;

static uint32_t draw(Flow *flow, uint32_t below) {
    flow->state ^= flow->state << 13;
    flow->state ^= flow->state >> 7;
    flow->state ^= flow->state << 17;
    return (uint32_t)(flow->state >> 33) % below;
}

// --- what comes out -----------------------------------------------------------------------------

static Number *number_of(Flow *flow, const char *name) {
    return &flow->numbers[(name[0] - 'a') * 2 + (name[1] - '0')];
}

static void count_outcome(Flow *flow, int64_t time_s, const char *group) {
    assert_true(time_s >= 1 && time_s <= flow->input_count);
    Input *input = &flow->inputs[time_s - 1];
    input->outcomes++;
    assert_int_equal(input->outcomes, 1);
    if (group != NULL) {
        assert_string_equal(input->group, group);
    }
}

static void on_message(const PsScriptPublish *publish, void *ctx) {
    Flow *flow = ctx;
    char text[128];
    snprintf(text, sizeof text, "%.*s", (int)publish->payload_len, (const char *)publish->payload);
    long long time_s = 0;
    unsigned long long sequence = 0;
    unsigned long long calls = 0;
    int good = 0;
    char group[8] = "";
    assert_int_equal(
        sscanf(text, "%lld %llu %llu %d %7s", &time_s, &sequence, &calls, &good, group), 5);
    assert_int_equal(good, 1);
    count_outcome(flow, time_s, group);
    const char *name = flow->config->publish[publish->entry].name;
    Number *number = number_of(flow, name);
    assert_int_equal(sequence, number->next);
    number->next++;
    if (calls != number->calls + 1) {
        assert_int_equal(calls, 1);
        assert_true(number->renewed > 0);
        number->renewed--;
    }
    number->calls = calls;
    flow->published++;
}

static void on_dead(const PsScriptDead *dead, void *ctx) {
    Flow *flow = ctx;
    assert_non_null(strstr(dead->reason, "its message was removed"));
    count_outcome(flow, dead->kept->collected.ns / PS_NS_PER_S, NULL);
    flow->dead++;
}

// --- configurations -----------------------------------------------------------------------------

static void add_word(char *words, size_t size, const char *word) {
    size_t len = strlen(words);
    snprintf(words + len, size - len, "%s%s", len > 0 ? " " : "", word);
}

static void draw_groups(Flow *flow) {
    uint32_t first = draw(flow, GROUPS);
    uint32_t step = draw(flow, 2) * 2 + 1;
    flow->groups[0] = '\0';
    flow->variables[0] = '\0';
    for (uint32_t i = 0; i < GROUPS; i++) {
        char name[8];
        snprintf(name, sizeof name, "g%u", (first + i * step) % GROUPS);
        add_word(flow->groups, sizeof flow->groups, name);
    }
    for (uint32_t i = 0; i < VARIABLES; i++) {
        if (draw(flow, 3) > 0) {
            char word[16];
            snprintf(word, sizeof word, "g%u/v%u", draw(flow, GROUPS), (i * 7 + first) % VARIABLES);
            add_word(flow->variables, sizeof flow->variables, word);
        }
    }
}

// Mostly what it was, and always of all groups, so that any upload finds it.
static void draw_messages(Flow *flow) {
    static const char *const names[] = {"a0", "a1", "b0", "b1", "c0", "c1", "d0", "d1", "e0", "e1"};
    static const char *const topics[] = {"t/a", "t/b", "t/c", "t/d", "t/e"};
    static const char *const lists[] = {"g0 g1 g2 g3", "g3 g1 g2 g0"};
    static const char *const more[] = {NULL, ", \"timeout\": 29", ", \"memory_mb\": 600"};
    uint32_t first = draw(flow, MESSAGES);
    uint32_t count = 0;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint32_t at = (first + i) % MESSAGES;
        if (draw(flow, 12) == 0) {
            continue;
        }
        flow->definitions[count++] = (RigDefinition){
            .name = names[at * 2 + (draw(flow, 5) == 0)],
            .topic = topics[at],
            .script = draw(flow, 8) == 0 ? "two.py" : "one.py",
            .main_function = draw(flow, 8) == 0 ? "other" : "main",
            .groups = lists[draw(flow, 2)],
            .more = more[draw(flow, 8) % PS_COUNT(more)],
        };
    }
    flow->definitions[count] = (RigDefinition){.name = NULL};
}

static PsConfig *draw_config(Flow *flow) {
    draw_groups(flow);
    draw_messages(flow);
    return config_rig_make(&(RigPlan){flow->groups, flow->variables, flow->definitions});
}

static bool needs_process(const PsPublish *before, const PsPublish *after) {
    return strcmp(before->script, after->script) != 0 ||
           strcmp(before->main_function, after->main_function) != 0 ||
           before->limits.memory_mb != after->limits.memory_mb;
}

// What the numbers of each name must be from now on.
static void expect_numbers(Flow *flow, const PsConfig *config, const PsConfigMap *map) {
    Number carried[NAMES] = {0};
    for (uint32_t i = 0; i < config->publish_count; i++) {
        uint32_t before = ps_index_to_old(&map->publish, i);
        if (before != PS_NOT_THERE) {
            const PsPublish *former = &flow->config->publish[before];
            carried[i] = *number_of(flow, former->name);
            carried[i].renewed += needs_process(former, &config->publish[i]);
            flow->joined++;
        } else {
            carried[i] = (Number){.next = 1, .renewed = 1};
        }
    }
    for (uint32_t i = 0; i < flow->config->publish_count; i++) {
        flow->removed += ps_index_to_new(&map->publish, i) == PS_NOT_THERE;
    }
    for (uint32_t i = 0; i < config->publish_count; i++) {
        Number *number = number_of(flow, config->publish[i].name);
        bool comes_back = ps_index_to_old(&map->publish, i) == PS_NOT_THERE && number->next > 0;
        carried[i].next = comes_back ? number->next : carried[i].next;
        *number = carried[i];
    }
}

static void change(Flow *flow) {
    PsConfig *config = draw_config(flow);
    PsConfigMap *map = ps_config_map_new(flow->config, config);
    PsConfig *former = flow->config;
    PsMono begin = ps_mono_now();
    ps_script_host_apply(flow->rig->host, config, map, NULL);
    int64_t took_ns = ps_mono_diff_ns(ps_mono_now(), begin);
    flow->slowest_ns = took_ns > flow->slowest_ns ? took_ns : flow->slowest_ns;
    expect_numbers(flow, config, map);
    flow->config = config;
    ps_config_map_free(map);
    ps_config_free(former);
}

// --- the flow -----------------------------------------------------------------------------------

static void put_inputs(Flow *flow) {
    for (uint32_t i = 0; i < 12 && flow->config->publish_count > 0; i++) {
        uint32_t at = draw(flow, flow->config->publish_count);
        if (rig_status(flow->rig, at).queued >= WAITING_MAX) {
            continue;
        }
        Input *input = &flow->inputs[flow->input_count++];
        snprintf(input->group, sizeof input->group, "g%u", draw(flow, GROUPS));
        PsErr err = config_rig_upload(flow->rig, flow->config, flow->config->publish[at].name,
                                      input->group, flow->input_count * PS_NS_PER_S);
        assert_int_equal(err, PS_OK);
    }
}

// Until some have come out, now and then all; or not even that.
static void run_a_while(Flow *flow) {
    uint32_t under_way = flow->input_count - flow->published - flow->dead;
    bool all = draw(flow, 4) == 0;
    uint32_t enough = flow->published + (all ? under_way : draw(flow, 16));
    PsMono limit = ps_mono_add_ns(ps_mono_now(), draw(flow, 300) * PS_NS_PER_S / 1000);
    while (flow->published < enough && ps_mono_diff_ns(limit, ps_mono_now()) > 0) {
        uv_run(&flow->rig->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

static bool all_is_out(Rig *rig, const void *ctx) {
    const Flow *flow = ctx;
    return flow->published + flow->dead == flow->input_count;
}

static void flow_through_changes(uint64_t seed) {
    print_message("seed %llu\n", (unsigned long long)seed);
    Flow *flow = ps_alloc(sizeof *flow);
    flow->state = seed;
    flow->rig = rig_new();
    ps_log_set_level(PS_LOG_ERROR);
    flow->rig->on_message = on_message;
    flow->rig->on_dead = on_dead;
    flow->rig->hook_ctx = flow;
    flow->config = draw_config(flow);
    for (uint32_t i = 0; i < flow->config->publish_count; i++) {
        *number_of(flow, flow->config->publish[i].name) = (Number){.next = 1, .renewed = 1};
    }
    rig_start_with(flow->rig, flow->config);
    for (uint32_t i = 0; i < APPLIES; i++) {
        put_inputs(flow);
        run_a_while(flow);
        change(flow);
    }
    put_inputs(flow);
    rig_wait(flow->rig, all_is_out, flow, "every input to come out");
    print_message("%u inputs: %u published, %u given up; %u messages went on, %u were removed; "
                  "slowest change %.2f ms\n",
                  flow->input_count, flow->published, flow->dead, flow->joined, flow->removed,
                  (double)flow->slowest_ns / 1e6);
    assert_true(flow->published > flow->input_count / 2 && flow->joined > APPLIES);
    for (uint32_t i = 0; i < flow->config->publish_count; i++) {
        assert_int_equal(rig_status(flow->rig, i).errors, 0);
    }
    PsConfig *config = flow->config;
    rig_free(flow->rig);
    ps_config_free(config);
    free(flow);
}

static void test_inputs_flow_through_changes(void **state) {
    const char *given = getenv("PENSTOCK_SEED");
    config_rig_script("one.py", SCRIPT("1"));
    config_rig_script("two.py", SCRIPT("2"));
    flow_through_changes(given != NULL ? strtoull(given, NULL, 10)
                                       : (uint64_t)ps_mono_now().ns | 1);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs_flow_through_changes),
    };
    return cmocka_run_group_tests(tests, config_rig_setup, config_rig_teardown);
}
