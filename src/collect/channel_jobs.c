// Jobs of a channel: each is tried once, and once more when the connection turns out to be dead.
// What comes of it is as good as a poll for what is known about device and line. Channel thread;
// blocks in the field library, `interrupt` ends that.
#include "collect/channel_jobs.h"

#include "base/text.h"
#include "collect/channel_health.h"

#include <string.h>

// Jobs done in a row before what is due is polled: a script that writes without end must not stop
// collection.
#define JOBS_PER_TURN 32

// What is said of a job that was not done: "the write was not begun", "not written".
static const struct {
    const char *noun;
    const char *done;
} kinds[] = {
    [PS_JOB_WRITE] = {"write", "written"},
    [PS_JOB_PEEK] = {"read", "read"},
    [PS_JOB_BROWSE] = {"look into the device", "looked into"},
};

void ps_jobs_put(PsChannel *channel, PsJob *job) {
    job->next = NULL;
    *channel->last_job = job;
    channel->last_job = &job->next;
}

static PsJob *take(PsChannel *channel) {
    PsJob *job = channel->first_job;
    if (job != NULL) {
        channel->first_job = job->next;
        if (job->next == NULL) {
            channel->last_job = &channel->first_job;
        }
    }
    return job;
}

static uint32_t device_of(const PsChannel *channel, const PsJob *job) {
    return job->kind == PS_JOB_BROWSE ? job->place
                                      : channel->plan->config->variables[job->place].device;
}

static void keep_read_back(PsWriteJob *write) {
    write->read_mono = ps_mono_now();
    write->read_wall = ps_wall_now();
    if (write->read_back.kind == PS_VALUE_TEXT) {
        PS_ASSERT(write->read_back.text_len <= write->text_size);
        memcpy(write->read_text, write->read_back.text, write->read_back.text_len);
        write->read_back.text = write->read_text;
    }
}

static void finish(PsChannel *channel, PsJob *job, PsErr result) {
    const PsConfig *config = channel->plan->config;
    job->result = result;
    if (result == PS_OK) {
        job->diag = (PsDiag){0};
    }
    if (result == PS_OK && job->kind == PS_JOB_WRITE) {
        keep_read_back((PsWriteJob *)job);
    }
    if (result != PS_OK && job->diag.object[0] == '\0') {
        if (job->kind == PS_JOB_BROWSE) {
            ps_text_format(job->diag.object, sizeof job->diag.object, "device '%.100s'",
                           config->devices[job->place].name);
        } else {
            const PsVariable *variable = &config->variables[job->place];
            ps_text_format(job->diag.object, sizeof job->diag.object,
                           "variable '%.40s' of device '%.40s'", variable->name,
                           variable->device_name);
        }
    }
    ps_channel_report(channel, &job->head);
}

static PsErr call_driver(PsChannel *channel, PsJob *job) {
    const PsDriver *driver = channel->driver;
    PsSession *session = channel->session;
    switch (job->kind) {
    case PS_JOB_WRITE: {
        PsWriteJob *write = (PsWriteJob *)job;
        return driver->write(session, job->place, write->value, &write->read_back, &job->diag);
    }
    case PS_JOB_PEEK: {
        PsPeekJob *look = (PsPeekJob *)job;
        look->peek = (PsPeek){0};
        return driver->peek(session, job->place, &look->peek, &job->diag);
    }
    case PS_JOB_BROWSE: {
        PsBrowseJob *look = (PsBrowseJob *)job;
        look->browse.count = 0;
        look->browse.next = "";
        return driver->browse(session, job->place, &look->browse, &job->diag);
    }
    }
    return PS_ERR_UNSUPPORTED;
}

// Connects first where there is no connection.
static PsErr try_once(PsChannel *channel, PsJob *job) {
    if (!channel->driver->connected(channel->session)) {
        PsErr err = ps_health_connect(channel, &job->diag);
        if (err != PS_OK) {
            return err;
        }
    }
    return call_driver(channel, job);
}

static bool is_lost(PsErr err) {
    return err == PS_ERR_CLOSED || err == PS_ERR_IO || err == PS_ERR_PROTOCOL;
}

// A write ends at once where the device is away: a script must not wait for it. A person who looks
// wants to know how it is now; where others on the line would have to wait for that, only as often
// as their account allows.
static bool may_be_tried(PsChannel *channel, PsJob *job, const PsDeviceState *state) {
    if (job->kind == PS_JOB_WRITE) {
        return ps_health_reachable(channel, state, &job->diag);
    }
    PsMono free_at = ps_line_budget_free_at(&channel->look_budget);
    double wait = (double)ps_mono_diff_ns(free_at, ps_mono_now()) / 1e9;
    if (wait <= 0 || !state->away || !ps_health_anyone_answers(channel)) {
        return true;
    }
    (void)ps_fail(PS_ERR_CLOSED, &job->diag, NULL, NULL,
                  "asked a moment ago, and it did not answer; others answer on this line and must "
                  "not wait for it all the time: look again in %.0f s",
                  wait + 0.5);
    return false;
}

static void pay_for_silence(PsChannel *channel, const PsJob *job, PsMono start) {
    if (ps_health_anyone_answers(channel)) {
        PsMono now = ps_mono_now();
        PsLineBudget *budget = job->kind == PS_JOB_WRITE ? &channel->budget : &channel->look_budget;
        ps_line_budget_pay(budget, now, ps_mono_diff_ns(now, start));
    }
}

// What the outcome says about the device; a connection that could not be made has been noted.
static void conclude(PsChannel *channel, PsJob *job, PsDeviceState *state, PsErr err,
                     PsMono start) {
    bool answered = err == PS_OK || err == PS_ERR_REFUSED ||
                    (err == PS_ERR_NOT_FOUND && job->kind == PS_JOB_BROWSE);
    if (!channel->up) {
        return;
    }
    if (answered) {
        ps_health_answer(channel, state, &(PsDiag){0});
    } else if (err == PS_ERR_TIMEOUT) {
        ps_health_silent(channel, state, &job->diag);
        pay_for_silence(channel, job, start);
    } else if (is_lost(err)) {
        ps_health_lost(channel, &job->diag);
    }
}

// What finds a dead connection is sent again on a new one: writing the same value twice does no
// harm.
static PsErr do_job(PsChannel *channel, PsJob *job) {
    PsDeviceState *state = ps_health_find(channel, device_of(channel, job));
    if (job->deadline.ns < ps_mono_now().ns) {
        return ps_fail(PS_ERR_TIMEOUT, &job->diag, NULL, NULL,
                       "the %s was not begun in time: the channel was busy with others",
                       kinds[job->kind].noun);
    }
    if (!may_be_tried(channel, job, state)) {
        return PS_ERR_CLOSED;
    }
    PsMono start = ps_mono_now();
    PsErr err = try_once(channel, job);
    if (is_lost(err) && channel->up) {
        err = try_once(channel, job);
    }
    conclude(channel, job, state, err, start);
    return err;
}

void ps_jobs_run(PsChannel *channel) {
    for (int i = 0; i < JOBS_PER_TURN && channel->first_job != NULL; i++) {
        PsJob *job = take(channel);
        PsErr result = do_job(channel, job);
        ps_health_publish(channel); // first: whoever is told of the outcome sees what it says
        finish(channel, job, result);
    }
}

static uint32_t find_device(const PsConfig *config, const char *name) {
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (strcmp(config->devices[i].name, name) == 0) {
            return i;
        }
    }
    return PS_NOT_THERE;
}

void ps_jobs_follow(PsChannel *channel, const PsChannelPlan *plan) {
    PsJob *job = channel->first_job;
    channel->first_job = NULL;
    channel->last_job = &channel->first_job;
    while (job != NULL) {
        PsJob *next = job->next;
        bool browse = job->kind == PS_JOB_BROWSE;
        uint32_t place =
            browse ? find_device(plan->config, channel->plan->config->devices[job->place].name)
                   : plan->moved[job->place];
        if (place == PS_NOT_THERE) {
            finish(channel, job,
                   ps_fail(PS_ERR_CANCELLED, &job->diag, NULL, NULL,
                           "not %s: the %s was changed or removed meanwhile", kinds[job->kind].done,
                           browse ? "device" : "variable"));
        } else {
            // Its report will come after that of the new plan.
            job->place = place;
            ps_jobs_put(channel, job);
        }
        job = next;
    }
}

void ps_jobs_cancel(PsChannel *channel) {
    for (PsJob *job; (job = take(channel)) != NULL;) {
        finish(channel, job,
               ps_fail(PS_ERR_CANCELLED, &job->diag, NULL, NULL,
                       "not %s: the gateway stops or changes its configuration",
                       kinds[job->kind].done));
    }
}
