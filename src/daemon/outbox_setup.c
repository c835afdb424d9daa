// Message definitions of the configuration as names and rules of the outbox; publish entries first,
// as ps_script_message_index numbers them. Main thread; blocks while the outbox opens.
#include "daemon/outbox_setup.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "link/aws.h"

#include <stdlib.h>

#define MB UINT64_C(1000000)

typedef struct Definitions {
    const PsConfig *config;
    const char **names;
    PsOutboxRule *rules;
    PsBuf *topics; // expanded gap topics
    size_t count;
} Definitions;

static void add(Definitions *all, const char *name, PsOutboxClass class,
                const PsMessageDelivery *delivery) {
    PsOutboxRule *rule = &all->rules[all->count];
    PsBuf *topic = &all->topics[all->count];
    all->names[all->count++] = name;
    *rule = (PsOutboxRule){.class = class,
                           .live_first = delivery->live_first,
                           .thin_out = delivery->when_full == PS_FULL_THIN_OUT,
                           .pack_bytes = (size_t)delivery->pack_kib * 1024};
    if (delivery->gap_topic[0] != '\0') {
        const char *unknown = NULL; // said when the configuration was checked
        size_t unknown_len = 0;
        ps_config_expand(all->config, delivery->gap_topic, topic, &unknown, &unknown_len);
        rule->gap_topic = (const char *)topic->data;
    }
}

static void add_all(Definitions *all) {
    const PsConfig *config = all->config;
    for (uint32_t i = 0; i < config->publish_count; i++) {
        const PsPublish *publish = &config->publish[i];
        PsOutboxClass class =
            publish->group_type == PS_GROUP_ALARM ? PS_OUTBOX_ALARM : PS_OUTBOX_POINT;
        add(all, publish->name, class, &publish->delivery);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        add(all, config->subscribe[i].name, PS_OUTBOX_POINT, &config->subscribe[i].delivery);
    }
}

static void definitions_init(Definitions *all, const PsConfig *config) {
    size_t count = config->publish_count + config->subscribe_count;
    *all = (Definitions){.config = config,
                         .names = ps_alloc_array(count, sizeof *all->names),
                         .rules = ps_alloc_array(count, sizeof *all->rules),
                         .topics = ps_alloc_array(count, sizeof *all->topics)};
    add_all(all);
}

static void definitions_deinit(Definitions *all) {
    for (size_t i = 0; i < all->count; i++) {
        ps_buf_deinit(&all->topics[i]);
    }
    free(all->names);
    free(all->rules);
    free(all->topics);
}

static PsOutboxSetup setup_of(const Definitions *all) {
    PsLinkLimits limits = ps_link_limits(all->config->cloud.type);
    const PsParameters *parameters = &all->config->parameters;
    return (PsOutboxSetup){
        .max_loss_s = parameters->max_loss_s,
        .catch_recording = (uint64_t)parameters->catch_recording,
        .warning_recording = (uint64_t)parameters->warning_recording,
        .max_bytes = (uint64_t)parameters->outbox_max_mb * MB,
        .keep_free_bytes = (uint64_t)parameters->outbox_free_mb * MB,
        .dead_max = (uint64_t)parameters->dead_max,
        .dead_max_bytes = (uint64_t)parameters->dead_max_mb * MB,
        .limits = {.payload_bytes = limits.payload_bytes,
                   .topic_bytes = limits.topic_bytes,
                   .topic_slashes = limits.topic_slashes},
        .names = all->names,
        .name_count = all->count,
        .rules = all->rules,
    };
}

PsErr ps_outbox_setup_open(const PsConfig *config, uv_loop_t *loop, const char *folder,
                           void (*on_ready)(void *ctx), void *ctx, PsOutbox **ret_outbox,
                           PsDiag *diag) {
    Definitions all;
    definitions_init(&all, config);
    PsOutboxSetup setup = setup_of(&all);
    setup.loop = loop;
    setup.folder = folder;
    setup.on_ready = on_ready;
    setup.ctx = ctx;
    PsErr err = ps_outbox_open(&setup, ret_outbox, diag);
    definitions_deinit(&all);
    return err;
}

// --- another configuration ----------------------------------------------------------------------

static size_t add_renames(PsOutboxRename *renames, const PsConfig *former, const PsConfig *config,
                          const PsConfigMap *map) {
    size_t count = 0;
    for (uint32_t i = 0; i < former->publish_count; i++) {
        uint32_t later = ps_index_to_new(&map->publish, i);
        if (later != PS_NOT_THERE) {
            renames[count++] =
                (PsOutboxRename){former->publish[i].name, config->publish[later].name};
        }
    }
    for (uint32_t i = 0; i < former->subscribe_count; i++) {
        uint32_t later = ps_index_to_new(&map->subscribe, i);
        if (later != PS_NOT_THERE) {
            renames[count++] =
                (PsOutboxRename){former->subscribe[i].name, config->subscribe[later].name};
        }
    }
    return count;
}

void ps_outbox_setup_apply(PsOutbox *outbox, const PsConfig *former, const PsConfig *config,
                           const PsConfigMap *map) {
    PS_AUTO_FREE PsOutboxRename *renames =
        ps_alloc_array(former->publish_count + former->subscribe_count, sizeof *renames);
    size_t count = add_renames(renames, former, config, map); // most to their own names
    Definitions all;
    definitions_init(&all, config);
    PsOutboxSetup setup = setup_of(&all);
    ps_outbox_apply(outbox, &setup, renames, count);
    definitions_deinit(&all);
}
