// The requests for a reading of everything, and the result made from the tag table when a round has
// ended: what was read since the round began is good, everything else is not. Main thread;
// allocates only when someone asks.
#include "collect/recall.h"

#include "base/mem.h"

#include <stdlib.h>

typedef struct Request {
    struct Request *next;
    PsMono deadline;
    PsRecallDone *done;
    void *ctx;
} Request;

struct PsRecalls {
    const PsConfig *config;
    const PsTagTable *table;
    Request *waiting; // for the next round, oldest first
    Request *served;  // by the present one
    bool running;
    uint32_t pending; // channels that still read
    PsMono begun;
};

PsRecalls *ps_recalls_new(const PsConfig *config, const PsTagTable *table) {
    PsRecalls *recalls = ps_alloc(sizeof *recalls);
    recalls->config = config;
    recalls->table = table;
    return recalls;
}

void ps_recalls_free(PsRecalls *recalls) {
    PS_ASSERT(recalls == NULL || (recalls->waiting == NULL && recalls->served == NULL));
    free(recalls);
}

void ps_recalls_add(PsRecalls *recalls, PsMono deadline, PsRecallDone *done, void *ctx) {
    Request *request = ps_alloc(sizeof *request);
    *request = (Request){.deadline = deadline, .done = done, .ctx = ctx};
    Request **last = &recalls->waiting;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = request;
}

bool ps_recalls_due(const PsRecalls *recalls) {
    return !recalls->running && recalls->waiting != NULL;
}

// The list is taken off before: a callback may add requests.
static void end_all(Request *request, PsErr result, const PsUpload *all) {
    while (request != NULL) {
        Request *next = request->next;
        request->done(result, all, request->ctx);
        free(request);
        request = next;
    }
}

static PsWall newest_stamp(const PsRecalls *recalls, const PsUploadItem *items, uint32_t count) {
    PsWall newest = {INT64_MIN};
    for (uint32_t i = 0; i < count; i++) {
        PsWall stamp = ps_tag_table_get(recalls->table, items[i].variable)->stamp;
        newest = items[i].good && stamp.ns > newest.ns ? stamp : newest;
    }
    return newest.ns != INT64_MIN ? newest : ps_wall_now();
}

static uint32_t build_items(const PsRecalls *recalls, PsUploadItem *items) {
    const PsConfig *config = recalls->config;
    uint32_t used = 0;
    for (uint32_t i = 0; i < config->variable_count; i++) {
        if (config->variables[i].access == PS_ACCESS_WRITE) {
            continue;
        }
        const PsTag *tag = ps_tag_table_get(recalls->table, i);
        bool good = tag->quality == PS_QUALITY_GOOD && tag->read.ns >= recalls->begun.ns;
        items[used++] = (PsUploadItem){
            .variable = i, .good = good, .value = good ? tag->value : ps_value_none()};
    }
    return used;
}

static void finish(PsRecalls *recalls) {
    Request *served = recalls->served;
    recalls->served = NULL;
    recalls->running = false;
    if (served == NULL) {
        return; // all of them timed out
    }
    PsUploadItem *items = ps_alloc_array(recalls->config->variable_count, sizeof *items);
    uint32_t count = build_items(recalls, items);
    PsUpload all = {
        .group = recalls->config->group_count,
        .collected = newest_stamp(recalls, items, count),
        .item_count = count,
        .items = items,
    };
    end_all(served, PS_OK, &all);
    free(items);
}

void ps_recalls_begin(PsRecalls *recalls, uint32_t channels, PsMono now) {
    PS_ASSERT(ps_recalls_due(recalls));
    recalls->served = recalls->waiting;
    recalls->waiting = NULL;
    recalls->running = true;
    recalls->pending = channels;
    recalls->begun = now;
    if (channels == 0) {
        finish(recalls);
    }
}

void ps_recalls_set_config(PsRecalls *recalls, const PsConfig *config) {
    recalls->config = config;
}

void ps_recalls_channel_done(PsRecalls *recalls) {
    PS_ASSERT(recalls->running && recalls->pending > 0);
    recalls->pending--;
    if (recalls->pending == 0) {
        finish(recalls);
    }
}

// Takes what is past its deadline off the list.
static Request *take_expired(Request **list, PsMono now) {
    Request *expired = NULL;
    Request **last = &expired;
    while (*list != NULL) {
        Request *request = *list;
        if (request->deadline.ns > now.ns) {
            list = &request->next;
            continue;
        }
        *list = request->next;
        request->next = NULL;
        *last = request;
        last = &request->next;
    }
    return expired;
}

void ps_recalls_expire(PsRecalls *recalls, PsMono now) {
    Request *served = take_expired(&recalls->served, now);
    Request *waiting = take_expired(&recalls->waiting, now);
    end_all(served, PS_ERR_TIMEOUT, NULL);
    end_all(waiting, PS_ERR_TIMEOUT, NULL);
}

static PsMono first_deadline(const Request *request, PsMono first) {
    for (; request != NULL; request = request->next) {
        first = request->deadline.ns < first.ns ? request->deadline : first;
    }
    return first;
}

PsMono ps_recalls_next(const PsRecalls *recalls) {
    PsMono next = first_deadline(recalls->served, (PsMono){INT64_MAX});
    return first_deadline(recalls->waiting, next);
}

void ps_recalls_cancel(PsRecalls *recalls) {
    Request *served = recalls->served;
    Request *waiting = recalls->waiting;
    recalls->served = NULL;
    recalls->waiting = NULL;
    end_all(served, PS_ERR_CANCELLED, NULL);
    end_all(waiting, PS_ERR_CANCELLED, NULL);
}
