// Drives one attempt of the link to its end, on the caller's thread, and notes what it went
// through. Blocks in poll, and where a file is read on the disk.
#include "link/probe.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "link/attempt.h"
#include "link/library.h"
#include "link/settings.h"
#include "link/tls_files.h"

#include <mosquitto.h>
#include <stdlib.h>

#define ASK_MS 100 // between two questions whether to go on

typedef struct Run {
    const PsProbeSetup *setup;
    PsProbe *probe;
    PsAttempt *attempt;
    bool *refused;
    PsMono entered; // the present step
    size_t sent;
    PsMono sent_at;
} Run;

static const PsLinkStep step_of_stage[] = {
    [PS_STAGE_RESOLVING] = PS_STEP_DNS, [PS_STAGE_TCP] = PS_STEP_TCP,
    [PS_STAGE_TLS] = PS_STEP_TLS,       [PS_STAGE_CONNACK] = PS_STEP_CONNECT,
    [PS_STAGE_UP] = PS_STEP_SESSION,
};

static double ms_since(PsMono begin, PsMono now) {
    return (double)ps_mono_diff_ns(now, begin) / 1e6;
}

static void on_acknowledged(uint64_t id, bool now, size_t len, void *ctx) {
    Run *run = ctx;
    PsProbeMessage *message = &run->setup->messages[id];
    message->acknowledged = true;
    message->ms = ms_since(run->sent_at, ps_mono_now());
}

static void on_received(const struct mosquitto_message *message, void *ctx) {
    ((Run *)ctx)->probe->received++;
}

static void note_facts(Run *run) {
    PsProbe *probe = run->probe;
    const PsTls *tls = run->attempt->tls;
    ps_text_format(probe->address, sizeof probe->address, "%s", ps_attempt_address(run->attempt));
    if (tls != NULL) {
        ps_text_format(probe->tls_summary, sizeof probe->tls_summary, "%s", ps_tls_summary(tls));
        ps_text_format(probe->warning, sizeof probe->warning, "%s", ps_tls_warning(tls));
    }
}

// Steps from the one before to the one that `stage` is in are done; one call may go through
// several.
static void note_steps(Run *run, PsStage before, PsMono now) {
    PsStage stage = run->attempt->stage;
    PsProbe *probe = run->probe;
    bool failed = stage == PS_STAGE_FAILED;
    PsLinkStep end = failed ? run->attempt->failure.step : step_of_stage[stage];
    if (failed && end == PS_STEP_FILES) {
        end = PS_STEP_TCP; // files are read when the address is known
    }
    double ms = ms_since(run->entered, now);
    for (PsLinkStep step = step_of_stage[before]; step <= end && step <= PS_STEP_CONNECT; step++) {
        bool skipped = step == PS_STEP_TLS && !probe->tls;
        bool begun = !failed || run->attempt->failure.step != PS_STEP_FILES || step != end;
        probe->steps[step].reached = !skipped && begun;
        probe->steps[step].done = !skipped && step < end;
        if ((step < end || failed) && !skipped && probe->steps[step].ms == 0) {
            probe->steps[step].ms = ms;
            ms = 0;
        }
    }
    for (PsLinkStep step = end; failed && step <= PS_STEP_CONNECT; step++) {
        // With TLS 1.3 a server refuses the certificate after the handshake.
        probe->steps[step].done = false;
        probe->steps[step].reached = probe->steps[step].reached && step == end;
    }
    run->entered = now;
}

static void publish_next(Run *run, PsMono now) {
    const PsProbeSetup *setup = run->setup;
    bool open = run->sent > 0 && !setup->messages[run->sent - 1].acknowledged;
    if (open || run->sent == setup->message_count || run->attempt->subscribes_waiting > 0) {
        return;
    }
    const PsProbeMessage *message = &setup->messages[run->sent];
    PsLinkPublish publish = {.id = run->sent,
                             .now = true,
                             .qos = message->qos,
                             .topic = message->topic,
                             .payload = message->payload,
                             .len = message->len};
    run->sent++;
    run->sent_at = now;
    ps_session_publish(run->attempt, &publish, now);
}

static bool is_over(const Run *run) {
    const PsAttempt *attempt = run->attempt;
    const PsProbeSetup *setup = run->setup;
    if (attempt->stage != PS_STAGE_UP) {
        return attempt->stage == PS_STAGE_FAILED;
    }
    bool all_sent = run->sent == setup->message_count;
    return attempt->subscribes_waiting == 0 && all_sent &&
           (run->sent == 0 || setup->messages[run->sent - 1].acknowledged);
}

static void wait_a_little(const Run *run, PsMono now, short *ret_revents) {
    struct pollfd wait = ps_attempt_poll(run->attempt, false);
    PsMono wake = ps_mono_add_ns(now, ASK_MS * PS_NS_PER_MS);
    PsMono due = ps_attempt_wake_at(run->attempt, now);
    wake = due.ns < wake.ns ? due : wake;
    *ret_revents = poll(&wait, 1, ps_mono_poll_ms(now, wake)) > 0 ? wait.revents : 0;
}

static void time_is_up(Run *run) {
    PsLinkStep step = step_of_stage[run->attempt->stage];
    PsLinkFailure failure;
    ps_link_failure_set(&failure, step, -50, false,
                        "was not done in the time for the whole check; give it more (--timeout)");
    ps_attempt_fail(run->attempt, &failure);
}

static void go_through(Run *run) {
    const PsProbeSetup *setup = run->setup;
    while (!is_over(run)) {
        PsStage before = run->attempt->stage;
        if (!setup->go_on(ps_link_step_name(step_of_stage[before]), setup->ctx)) {
            run->probe->interrupted = true;
            return;
        }
        short revents = 0;
        wait_a_little(run, ps_mono_now(), &revents);
        PsMono now = ps_mono_now();
        ps_attempt_step(run->attempt, revents, now);
        if (run->attempt->stage == PS_STAGE_UP) {
            publish_next(run, now);
        }
        if (run->attempt->stage != PS_STAGE_FAILED && now.ns >= setup->deadline.ns &&
            !is_over(run)) {
            time_is_up(run);
        }
        note_facts(run);
        if (run->attempt->stage != before) {
            note_steps(run, before, now);
        }
    }
}

static void take_result(Run *run) {
    PsProbe *probe = run->probe;
    const PsAttempt *attempt = run->attempt;
    probe->connected = attempt->connack == 0;
    probe->failed = attempt->stage == PS_STAGE_FAILED;
    probe->failure = attempt->failure;
    for (size_t i = 0; probe->connected && i < run->setup->subscription_count; i++) {
        bool waits = attempt->subscribe_mids[i] != 0;
        probe->subscriptions[i] =
            (PsProbeSubscription){.answered = !waits, .refused = run->refused[i]};
    }
}

PsErr ps_probe_run(const PsProbeSetup *setup, PsProbe *ret_probe, PsDiag *diag) {
    PsLinkSetup link = {.cloud = setup->cloud,
                        .subscriptions = setup->subscriptions,
                        .subscription_count = setup->subscription_count};
    PsLinkSettings *settings = NULL;
    PsErr err = ps_link_settings_new(&link, &settings, diag);
    if (err != PS_OK) {
        return err;
    }
    ps_link_library_open();
    PS_AUTO_FREE bool *refused = ps_alloc_array(setup->subscription_count + 1, sizeof *refused);
    *ret_probe = (PsProbe){.tls = settings->tls};
    ret_probe->subscriptions =
        ps_alloc_array(setup->subscription_count + 1, sizeof *ret_probe->subscriptions);
    Run run = {.setup = setup, .probe = ret_probe, .refused = refused, .entered = ps_mono_now()};
    PsAttemptEvents events = {
        .acknowledged = on_acknowledged, .received = on_received, .ctx = &run};
    run.attempt = ps_attempt_new(settings, &events, refused, 0, run.entered);
    go_through(&run);
    take_result(&run);
    ps_attempt_free(run.attempt);
    ps_link_settings_free(settings);
    ps_link_library_close();
    return PS_OK;
}

void ps_probe_deinit(PsProbe *probe) {
    free(probe->subscriptions);
    probe->subscriptions = NULL;
}

PsErr ps_probe_certificate_end(const char *path, PsWall *ret_end, PsLinkFailure *reterr_failure) {
    return ps_tls_certificate_end(path, ret_end, reterr_failure);
}
