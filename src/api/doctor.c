// POST /cloud/doctor: one trial connection to the cloud, step by step, beside the running one and
// never with its client id. On a thread of its own; the rest is the main thread's.
#include "api/handlers_live.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wake.h"
#include "link/probe.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_DEFAULT 40
#define OTHER_ID_SUFFIX "-check"

typedef struct Doctor {
    PsApiCall *call;
    void *hold; // of the configuration, whose texts `cloud` borrows
    PsCloud cloud;
    char *client_id;
    bool other_id;
    PsMono deadline;
    atomic_bool cancelled;
    uv_thread_t thread;
    PsWake wake;
    bool wake_open;
    // The thread's, until it has ended.
    PsErr err;
    PsDiag diag;
    PsProbe probe;
} Doctor;

// --- on its own thread --------------------------------------------------------------------------

static bool go_on(const char *step, void *ctx) {
    (void)step;
    return !atomic_load(&((Doctor *)ctx)->cancelled);
}

static void run(void *ctx) {
    Doctor *doctor = ctx;
    PsProbeSetup setup = {
        .cloud = &doctor->cloud, .deadline = doctor->deadline, .go_on = go_on, .ctx = doctor};
    doctor->err = ps_probe_run(&setup, &doctor->probe, &doctor->diag);
    ps_wake_send(&doctor->wake);
}

// --- the answer ---------------------------------------------------------------------------------

typedef enum Outcome {
    OUTCOME_OK,
    OUTCOME_FAILED,
    OUTCOME_NOT_TRIED,
} Outcome;

// `text` is cause and cure with "; " between them.
static void put_step(json_t *steps, const char *name, Outcome outcome, const char *text) {
    const char *cut = strstr(text, "; ");
    bool failed = outcome == OUTCOME_FAILED;
    size_t cause = failed && cut != NULL ? (size_t)(cut - text) : strlen(text);
    json_t *ok = outcome == OUTCOME_NOT_TRIED ? json_null() : json_boolean(!failed);
    json_array_append_new(steps,
                          json_pack("{s:s, s:o, s:s%, s:s}", "step", name, "ok", ok, "detail", text,
                                    cause, "cure", failed && cut != NULL ? cut + 2 : ""));
}

// Files are looked at in this order, and the first that is wrong ends it.
typedef struct FileStep {
    const char *name;
    const char *good;
    unsigned faults; // bits of PsFileFault
} FileStep;

#define FAULT(fault) (1U << (fault))

static const FileStep file_steps[] = {
    {"files", "certificate, key and root certificates can be read",
     FAULT(PS_FILE_READ) | FAULT(PS_FILE_NOT_PEM) | FAULT(PS_FILE_ENCRYPTED) |
         FAULT(PS_FILE_REFUSED) | FAULT(PS_FILE_HALF)},
    {"dates", "the certificate is valid now", FAULT(PS_FILE_EXPIRED) | FAULT(PS_FILE_EARLY)},
    {"key", "the key fits the certificate", FAULT(PS_FILE_MISMATCH)},
};

static unsigned file_fault(const PsProbe *probe) {
    bool failed = probe->failed && probe->failure.step == PS_STEP_FILES;
    return failed && probe->failure.code > 0 && probe->failure.code < 31 ? 1U << probe->failure.code
                                                                         : 0;
}

static bool has_identity(const Doctor *doctor) {
    return doctor->cloud.cert != NULL && doctor->cloud.cert[0] != '\0';
}

static void put_files(const Doctor *doctor, json_t *steps) {
    const PsProbe *probe = &doctor->probe;
    unsigned fault = file_fault(probe);
    // Only a connection that has come as far as TLS has looked at the files.
    bool looked = probe->steps[PS_STEP_TLS].reached || fault != 0;
    bool over = false;
    for (size_t i = 0; probe->tls && i < PS_COUNT(file_steps); i++) {
        const FileStep *step = &file_steps[i];
        bool failed = (fault & step->faults) != 0;
        if (i > 0 && !has_identity(doctor)) {
            put_step(steps, step->name, OUTCOME_OK, "no certificate of its own is configured");
        } else {
            put_step(steps, step->name,
                     failed            ? OUTCOME_FAILED
                     : over || !looked ? OUTCOME_NOT_TRIED
                                       : OUTCOME_OK,
                     failed            ? probe->failure.text
                     : over || !looked ? ""
                                       : step->good);
        }
        over = over || failed;
    }
}

typedef struct NetStep {
    const char *name;
    PsLinkStep step;
} NetStep;

static const NetStep net_steps[] = {
    {"name", PS_STEP_DNS},
    {"TCP", PS_STEP_TCP},
    {"TLS", PS_STEP_TLS},
    {"MQTT", PS_STEP_CONNECT},
};

// With another id a policy may say no, which says nothing about the gateway's own.
static void put_refused_id(const Doctor *doctor, json_t *steps) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text,
                  "%s (tried as '%s', since the gateway's own id is in use); a policy that allows "
                  "only '%.*s' refuses this trial although the gateway itself may connect: see the "
                  "cloud status",
                  doctor->probe.failure.text, doctor->client_id,
                  (int)(strlen(doctor->client_id) - strlen(OTHER_ID_SUFFIX)), doctor->client_id);
    put_step(steps, "MQTT", OUTCOME_FAILED, (const char *)text.data);
}

static void put_net(const Doctor *doctor, const NetStep *net, json_t *steps) {
    const PsProbe *probe = &doctor->probe;
    const PsProbeStep *step = &probe->steps[net->step];
    PS_AUTO_BUF PsBuf text = {0};
    if (step->done) {
        bool tcp = net->step >= PS_STEP_TCP && net->step <= PS_STEP_TCP;
        bool tls = net->step == PS_STEP_TLS;
        ps_buf_printf(&text, "%.0f ms%s%s", step->ms, tcp || tls ? ", " : "",
                      tcp   ? probe->address
                      : tls ? probe->tls_summary
                            : "");
        put_step(steps, net->name, OUTCOME_OK, (const char *)text.data);
    } else if (probe->failed && probe->failure.step == net->step) {
        if (net->step == PS_STEP_CONNECT && doctor->other_id) {
            put_refused_id(doctor, steps);
        } else {
            put_step(steps, net->name, OUTCOME_FAILED, probe->failure.text);
        }
    } else {
        put_step(steps, net->name, OUTCOME_NOT_TRIED, "");
    }
}

static json_t *probe_json(const Doctor *doctor) {
    const PsProbe *probe = &doctor->probe;
    json_t *steps = json_array();
    put_net(doctor, &net_steps[0], steps);
    put_net(doctor, &net_steps[1], steps);
    put_files(doctor, steps);
    for (size_t i = 2; i < PS_COUNT(net_steps); i++) {
        if (net_steps[i].step != PS_STEP_TLS || probe->tls) {
            put_net(doctor, &net_steps[i], steps);
        }
    }
    json_t *json = json_pack("{s:o, s:s, s:s, s:b, s:s}", "steps", steps, "client_id",
                             doctor->client_id, "address", probe->address, "ok",
                             (int)(probe->connected && !probe->failed), "warning", probe->warning);
    return json;
}

static void on_wake_closed(PsWake *wake) {
    free(wake->data);
}

// Before the call is answered: it knows whose configuration it is.
static void free_doctor(Doctor *doctor) {
    ps_api_call_sources(doctor->call)->release_config(doctor->hold);
    ps_probe_deinit(&doctor->probe);
    free(doctor->client_id);
    if (doctor->wake_open) {
        ps_wake_close(&doctor->wake, on_wake_closed);
    } else {
        free(doctor);
    }
}

static void on_done(PsWake *wake) {
    Doctor *doctor = wake->data;
    PsApiCall *call = doctor->call;
    uv_thread_join(&doctor->thread);
    PsErr err = doctor->err;
    PsDiag diag = doctor->diag;
    json_t *json = NULL;
    if (err == PS_OK && doctor->probe.interrupted) {
        err = ps_fail(PS_ERR_CANCELLED, &diag, "cloud", NULL, "the trial was cut short");
    } else if (err == PS_OK) {
        json = probe_json(doctor);
    }
    free_doctor(doctor);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    } else {
        ps_api_call_reply(call, json);
    }
}

// --- beginning ----------------------------------------------------------------------------------

static void cancel(void *ctx) {
    atomic_store(&((Doctor *)ctx)->cancelled, true);
}

// The gateway's own id only where no connection has it and no session of it is kept in the cloud.
static Doctor *doctor_of(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    Doctor *doctor = ps_alloc(sizeof *doctor);
    doctor->call = call;
    doctor->cloud = sources->config->cloud;
    int64_t seconds = ps_api_call_integer(call, "seconds", SECONDS_DEFAULT);
    doctor->deadline = ps_mono_add_ns(ps_mono_now(), seconds * PS_NS_PER_S);
    doctor->other_id = sources->config->cloud.enable || !doctor->cloud.clean_session;
    PsBuf id = {0};
    ps_buf_printf(&id, "%s%s", doctor->cloud.client_id, doctor->other_id ? OTHER_ID_SUFFIX : "");
    doctor->client_id = (char *)id.data;
    doctor->cloud.client_id = doctor->client_id;
    doctor->cloud.clean_session = true;
    doctor->hold = sources->hold_config(sources->ctx);
    return doctor;
}

static PsErr start(Doctor *doctor, PsDiag *diag) {
    if (!ps_api_call_goes_on(doctor->call, cancel, doctor)) {
        return ps_fail(PS_ERR_BUSY, diag, "cloud", NULL,
                       "another trial is under way; try again in a moment");
    }
    if (ps_wake_init(&doctor->wake, ps_api_call_sources(doctor->call)->loop, on_done, doctor) !=
        PS_OK) {
        return ps_fail(PS_ERR_IO, diag, "cloud", NULL,
                       "no descriptor left; raise the limit of open files");
    }
    doctor->wake_open = true;
    if (uv_thread_create(&doctor->thread, run, doctor) != 0) {
        return ps_fail(PS_ERR_IO, diag, "cloud", NULL, "no thread left; end other programs");
    }
    return PS_OK;
}

void ps_api_doctor(PsApiCall *call) {
    PsDiag diag = {0};
    if (ps_api_call_sources(call)->config->cloud.endpoint[0] == '\0') {
        PsErr err = ps_fail(PS_ERR_INVALID, &diag, "cloud", "endpoint",
                            "is not set; fill in the form first");
        ps_api_call_fail(call, err, &diag);
        return;
    }
    Doctor *doctor = doctor_of(call);
    PsErr err = start(doctor, &diag);
    if (err != PS_OK) {
        free_doctor(doctor);
        ps_api_call_fail(call, err, &diag);
    }
}
