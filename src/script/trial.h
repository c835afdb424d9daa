//! One call of a draft: the script runs in a host of its own with everything it would have, but
//! what it sends, saves or writes is only recorded. For people who write a script, and for programs
//! that help them. Thread of `loop`; never blocks.
#pragma once

#include "script/host.h"

/// Deeds and log lines kept of one trial; more are counted.
#define PS_TRIAL_DEEDS_MAX 1000
#define PS_TRIAL_LINES_MAX 1000

typedef enum PsTrialDeedKind {
    PS_TRIAL_PUBLISH,     ///< returned, awsiot_publish or save_data: to be kept until delivered
    PS_TRIAL_PUBLISH_NOW, ///< mqtt_publish
    PS_TRIAL_WRITE,       ///< one variable of write_plc_values
} PsTrialDeedKind;

typedef struct PsTrialDeed {
    PsTrialDeedKind kind;
    char *topic; ///< publish
    int qos;
    uint8_t *payload;
    size_t len;
    uint32_t variable; ///< write: index into the configuration's variables
    char value[128];   ///< write: as a display shows it
} PsTrialDeed;

typedef struct PsTrialLine {
    PsLogLevel level;
    uint32_t line; ///< of `file`
    char file[64];
    char *text;
} PsTrialLine;

typedef struct PsTrialReport {
    char error[320]; ///< "" when the module was built and every call went well
    PsTrialDeed *deeds;
    uint32_t deed_count;
    uint32_t deeds_hidden;
    PsTrialLine *lines;
    uint32_t line_count;
    uint32_t lines_hidden;
    double wall_s;     ///< from handing the input over to the end of the last callback
    double cpu_s;      ///< of the worker in that time, all its threads
    uint64_t peak_kib; ///< highest resident memory of the worker, the shared interpreter included
} PsTrialReport;

typedef struct PsTrialSetup {
    uv_loop_t *loop;
    const char *program;    ///< penstock-script
    const char *scratch;    ///< folder for scratch folders; NULL: none
    const PsConfig *config; ///< devices, variables, groups, parameters, cloud; borrowed until done
    PsScriptKind kind;
    const char *name; ///< for the log
    const char *main_function;
    const char *topic; ///< of the publish entry; may hold ${parameter}
    int qos;
    double timeout_s;
    const PsScriptLimits *limits; ///< copied; NULL: the documented defaults
    PsBuf *source;                ///< moved from
    const PsUpload *upload;       ///< publish: the input; copied; NULL for alarms
    const PsAlarmUpload *alarms;  ///< publish of alarms: the input; copied; else NULL
    const char *message_topic;    ///< subscribe: the input; copied
    const void *payload;
    size_t payload_len;
    bool build_only; ///< the module is built and nothing is called; an input is not needed
    /// Once; the report is borrowed until it returns. The trial frees itself afterwards.
    void (*done)(const PsTrialReport *report, void *ctx);
    void *ctx;
} PsTrialSetup;

typedef struct PsTrial PsTrial;

/// Starts it. PS_ERR_INVALID, PS_ERR_IO with `diag`: `done` is not called.
PsErr ps_trial_start(const PsTrialSetup *setup, PsTrial **ret_trial, PsDiag *diag);
/// Ends it early: `done` follows with an error that says so.
void ps_trial_cancel(PsTrial *trial);
