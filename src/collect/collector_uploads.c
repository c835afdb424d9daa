// Hands out the snapshots of groups: one when an upload is due, or, with `every_sample`, each
// sample as it is complete, and word that the upload interval has ended. Main thread.
#include "collect/collector_private.h"

static bool build(PsCollector *collector, PsGroupState *group, PsMono now, PsUpload *ret_upload) {
    return ps_uploader_build(group->uploader, collector->setup.table, now, ps_wall_now(),
                             collector->upload_room, ret_upload);
}

static void hand_out(PsCollector *collector, PsGroupState *group, const PsUpload *upload) {
    group->uploads++;
    collector->setup.on_upload(upload, collector->setup.ctx);
}

static void serve_newest(PsCollector *collector, PsGroupState *group, PsMono now) {
    PsUploadClock *clock = ps_uploader_clock(group->uploader);
    if (!ps_upload_clock_due(clock, now)) {
        return;
    }
    PsUpload upload;
    bool any = build(collector, group, now, &upload);
    ps_upload_clock_done(clock, now);
    if (any) {
        hand_out(collector, group, &upload);
    }
}

// What was read by the end of the interval goes with it.
static void serve_samples(PsCollector *collector, PsGroupState *group, PsMono now) {
    PsUploadClock *clock = ps_uploader_clock(group->uploader);
    const PsSampling *sampling = ps_uploader_sampling(group->uploader);
    bool ends = ps_upload_clock_due(clock, now);
    bool sample = ps_sampling_due(sampling, now) || (ends && ps_sampling_pending(sampling));
    PsUpload upload = {.group = ps_uploader_group(group->uploader)};
    bool any = sample && build(collector, group, now, &upload);
    if (ends) {
        ps_upload_clock_done(clock, now);
    }
    if (any) {
        upload.waits = !ends;
        hand_out(collector, group, &upload);
    } else if (ends && collector->setup.on_flush != NULL) {
        collector->setup.on_flush(upload.group, collector->setup.ctx);
    }
}

void ps_collector_serve(PsCollector *collector, PsGroupState *group, PsMono now) {
    if (ps_uploader_sampling(group->uploader) != NULL) {
        serve_samples(collector, group, now);
    } else {
        serve_newest(collector, group, now);
    }
}

PsMono ps_collector_next_upload(const PsGroupState *group, PsMono now) {
    PsMono next = ps_upload_clock_next(ps_uploader_clock(group->uploader), now);
    const PsSampling *sampling = ps_uploader_sampling(group->uploader);
    PsMono sample = sampling != NULL ? ps_sampling_next(sampling, now) : next;
    return sample.ns < next.ns ? sample : next;
}

void ps_collector_sample_before(PsCollector *collector, uint32_t index, uint32_t slot) {
    PsGroupState *group = &collector->groups[index];
    const PsSampling *sampling =
        group->uploader != NULL ? ps_uploader_sampling(group->uploader) : NULL;
    PsUpload upload;
    if (sampling != NULL && slot != PS_NOT_THERE && ps_sampling_is_ahead(sampling, slot) &&
        build(collector, group, ps_mono_now(), &upload)) {
        upload.waits = true;
        hand_out(collector, group, &upload);
    }
}

void ps_collector_sample_after(PsCollector *collector, uint32_t index) {
    PsGroupState *group = &collector->groups[index];
    if (group->uploader != NULL && ps_uploader_sampling(group->uploader) != NULL) {
        serve_samples(collector, group, ps_mono_now());
    }
}
