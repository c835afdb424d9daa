//! Faults on command: rules that say what goes wrong, when and for whom, and the question whether
//! something is to go wrong now. Pure: whoever asks does it. One thread.
//!
//! A rule is a line (docs/local-cloud-faults.md has all of it):
//!
//!     on publish #3, client gw, topic awsiot/*, once: cut before puback
//!     on connect #1, client gw: cut after connack
//!     on handshake, 2 times: server certificate expired
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// At most so many rules at a time, of so many bytes each.
#define PS_FAULTS_MAX 256
#define PS_FAULT_RULE_SIZE 512

typedef enum PsFaultEvent {
    PS_FAULT_ON_HANDSHAKE,   ///< a TCP connection was accepted; client id and topic are not known
    PS_FAULT_ON_CONNECT,     ///< packets from the client, when they are whole and allowed
    PS_FAULT_ON_PUBLISH,     ///
    PS_FAULT_ON_SUBSCRIBE,   ///< topic: its first filter
    PS_FAULT_ON_UNSUBSCRIBE, ///
    PS_FAULT_ON_PUBACK,      ///< the client acknowledges a message
    PS_FAULT_ON_PINGREQ,     ///
    PS_FAULT_ON_DELIVER,     ///< a message is about to be sent to the client
    PS_FAULT_EVENTS,
} PsFaultEvent;

typedef enum PsFaultDo {
    PS_FAULT_NOTHING,
    PS_FAULT_CUT,               ///< close at once; the packet has no effect
    PS_FAULT_CUT_BEFORE_ANSWER, ///< the packet has its effect; close instead of answering
    PS_FAULT_CUT_AFTER_ANSWER,  ///< answer, then close
    PS_FAULT_DROP,        ///< as if the packet had not come; PUBLISH: neither routed nor answered
    PS_FAULT_DROP_ANSWER, ///< the packet has its effect; the answer is never sent
    PS_FAULT_WITHHOLD_ANSWER,    ///< the same, until the rule is taken away; then it is sent
    PS_FAULT_DELAY,              ///< answer, handshake or delivery comes `time_ms` later
    PS_FAULT_REFUSE,             ///< answer with `code`; handshake: close without a word
    PS_FAULT_STOP_READING,       ///< read nothing more from the client, for `time_ms` (0: for ever)
    PS_FAULT_LOSE_SESSION,       ///< CONNECT: as if its stored session had never been
    PS_FAULT_SERVER_CERTIFICATE, ///< handshake: present the certificate `certificate`
} PsFaultDo;

typedef enum PsFaultCertificate {
    PS_FAULT_CERTIFICATE_GOOD,
    PS_FAULT_CERTIFICATE_EXPIRED,
    PS_FAULT_CERTIFICATE_NOT_YET,
    PS_FAULT_CERTIFICATE_FOREIGN, ///< of a root that no client has
    PS_FAULT_CERTIFICATE_WRONG_HOST,
} PsFaultCertificate;

/// What is to go wrong.
typedef struct PsFault {
    PsFaultDo what;
    uint32_t rule;    ///< its id, for ps_faults_in_force
    uint32_t time_ms; ///< PS_FAULT_DELAY, PS_FAULT_STOP_READING
    /// PS_FAULT_REFUSE. CONNECT: reason code of MQTT 5, 0x87 unless the rule says another;
    /// for 3.1.1 see ps_fault_return_code. PUBLISH, SUBSCRIBE: reason code of the answer; where the
    /// protocol has none (PUBACK of 3.1.1) the connection is closed.
    uint8_t code;
    PsFaultCertificate certificate;
} PsFault;

/// Of one connection: what has happened on it. Zero-initialised when it is accepted.
typedef struct PsFaultCounts {
    uint64_t connection; ///< set by the first question
    uint32_t of[PS_FAULT_EVENTS];
} PsFaultCounts;

typedef struct PsFaults PsFaults;

PsFaults *ps_faults_new(void);
/// Accepts NULL.
void ps_faults_free(PsFaults *faults);

/// Counts the event and asks. True: do `ret_fault`; false: all is to go well. `client_id` and
/// `topic` may be NULL where they are not known; `topic` need not be terminated. Must be asked
/// exactly once for each event. Without rules it costs an addition.
bool ps_faults_ask(PsFaults *faults, PsFaultCounts *counts, PsFaultEvent event,
                   const char *client_id, const char *topic, size_t topic_len, PsFault *ret_fault);

/// Is the rule still there (PS_FAULT_WITHHOLD_ANSWER)?
bool ps_faults_in_force(const PsFaults *faults, uint32_t rule);

/// Called after rules were taken away. One watcher.
void ps_faults_watch(PsFaults *faults, void (*changed)(void *ctx), void *ctx);

/// MQTT 3.1.1's CONNACK return code (1 to 5) that is nearest to a reason code of MQTT 5.
uint8_t ps_fault_return_code(uint8_t reason_code);

// ---- Rules

/// PS_ERR_INVALID (`diag`: the word and what was expected), PS_ERR_FULL.
PsErr ps_faults_add(PsFaults *faults, const char *line, uint32_t *ret_rule, PsDiag *diag);
/// PS_ERR_NOT_FOUND.
PsErr ps_faults_remove(PsFaults *faults, uint32_t rule);
void ps_faults_clear(PsFaults *faults);
size_t ps_faults_count(const PsFaults *faults);

/// A script: one rule a line; empty lines and lines that begin with # are passed over. All or
/// nothing; what is there already stays.
PsErr ps_faults_load(PsFaults *faults, const char *text, size_t len, PsDiag *diag);

/// {"rules": [{"id": 1, "rule": "on …: …", "matched": 12, "done": 1}]}; a new reference.
json_t *ps_faults_take(const PsFaults *faults);
/// {"rules": ["on …: …"]} in the place of all, {"add": "on …: …"} or a list, {"remove": 1} or a
/// list, {"clear": true}. All or nothing. PS_ERR_INVALID, PS_ERR_FULL, PS_ERR_NOT_FOUND.
PsErr ps_faults_put(PsFaults *faults, const json_t *json, PsDiag *diag);
