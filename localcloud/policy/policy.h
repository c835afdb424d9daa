//! AWS IoT policies: documents, what a connection is, and the verdict on one action. Pure: no I/O,
//! no clock, no log. A document may be shared between threads that only decide; the count of
//! references is not atomic, so one thread keeps them.
//!
//! What is imitated: AWS IoT Core developer guide, "AWS IoT Core policies", "policy variables" and
//! "X.509 certificate policy variables"; the language is IAM's, version 2012-10-17.
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Characters of a document without its white space (AWS IoT Core quotas).
#define PS_POLICY_LONGEST 2048
/// Bytes of a document with it: what is longer is refused unread.
#define PS_POLICY_LONGEST_BYTES ((size_t)404600)

// ---- Documents

/// Parsed and immutable.
typedef struct PsPolicyDocument PsPolicyDocument;

/// Reads a document. PS_ERR_TOO_BIG (longer than PS_POLICY_LONGEST), PS_ERR_INVALID; `diag` has the
/// statement as object, the element as field, and in `text` what a MalformedPolicyException is to
/// say (ps_diag_format gives the whole sentence). The caller owns one reference.
PsErr ps_policy_parse(const char *text, size_t len, PsPolicyDocument **ret_document, PsDiag *diag);
PsPolicyDocument *ps_policy_ref(PsPolicyDocument *document);
/// Accepts NULL.
void ps_policy_unref(PsPolicyDocument *document);

/// The policies that hold for a connection: those of its certificate and of its thing's groups, in
/// any order, each in its default version. Zero-initialised is empty, and allows nothing.
typedef struct PsPolicyEntry {
    char *name;
    char *version; ///< "1"
    PsPolicyDocument *document;
} PsPolicyEntry;

typedef struct PsPolicySet {
    PsPolicyEntry *entries;
    size_t count;
} PsPolicySet;

/// Copies the names and takes a reference of its own. A policy that is there already (same name and
/// version: attached to certificate and group) is not put twice.
void ps_policy_set_put(PsPolicySet *set, const char *name, const char *version,
                       PsPolicyDocument *document);
void ps_policy_set_deinit(PsPolicySet *set);
#define PS_AUTO_POLICY_SET __attribute__((cleanup(ps_policy_set_deinit)))

// ---- What a connection is

/// Subject, issuer, alternative names and serial number of a certificate as policy variables;
/// made once per connection. Values that hold one of * $ + ? # or are longer than 1024 bytes are
/// left out, lists stop at five.
typedef struct PsPolicyCertificate PsPolicyCertificate;

/// PS_ERR_INTERNAL (OpenSSL). The caller owns it.
PsErr ps_policy_certificate_vars(const X509 *x509, PsPolicyCertificate **ret_certificate);
/// Accepts NULL.
void ps_policy_certificate_free(PsPolicyCertificate *certificate);

typedef struct PsPolicyAttribute {
    const char *name;
    const char *value;
} PsPolicyAttribute;

typedef struct PsPolicyThing {
    const char *name;
    const char *type; ///< NULL: it has none
    const PsPolicyAttribute *attributes;
    size_t attribute_count;
} PsPolicyThing;

/// All borrowed. What is NULL cannot be resolved: a statement with such a variable matches nothing.
typedef struct PsPolicyContext {
    const char *client_id;
    const char *certificate_id; ///< 64 hex digits
    const char *source_ip;      ///< without port and brackets
    const char *domain_name;    ///< SNI
    const PsPolicyThing *thing; ///< attached to the certificate and named like the client id, or
                                ///< the certificate's exclusive thing
    bool is_attached;           ///< iot:Connection.Thing.IsAttached
    const PsPolicyCertificate *certificate;
    // Of the CONNECT; they count for iot:Connect only.
    bool persistent;             ///< the session outlives the connection
    bool last_will;              ///
    const char *last_will_topic; ///< ARN (ps_policy_put_arn with PS_POLICY_PUBLISH), NULL: no will
} PsPolicyContext;

// ---- Verdicts

typedef enum PsPolicyAction {
    PS_POLICY_CONNECT,
    PS_POLICY_PUBLISH,
    PS_POLICY_RETAIN_PUBLISH, ///< besides PUBLISH, for a PUBLISH with RETAIN
    PS_POLICY_SUBSCRIBE,
    PS_POLICY_RECEIVE,
    PS_POLICY_GET_RETAINED_MESSAGE,
    PS_POLICY_LIST_RETAINED_MESSAGES,
    PS_POLICY_GET_THING_SHADOW,
    PS_POLICY_UPDATE_THING_SHADOW,
    PS_POLICY_DELETE_THING_SHADOW,
    PS_POLICY_LIST_NAMED_SHADOWS,
    PS_POLICY_DESCRIBE_JOB_EXECUTION,
    PS_POLICY_GET_PENDING_JOB_EXECUTIONS,
    PS_POLICY_START_NEXT_PENDING_JOB,
    PS_POLICY_UPDATE_JOB_EXECUTION,
    PS_POLICY_ASSUME_ROLE,
    PS_POLICY_ACTION_COUNT,
} PsPolicyAction;

/// "iot:Publish". Never NULL.
const char *ps_policy_action_name(PsPolicyAction action);
/// By its name, upper and lower case alike; "Publish" is taken for "iot:Publish".
bool ps_policy_action_find(const char *name, PsPolicyAction *ret_action);

/// Where ARNs are: "arn:<partition>:iot:<region>:<account>:…".
typedef struct PsPolicyPlace {
    const char *partition; ///< "aws"
    const char *region;    ///< "us-east-1"
    const char *account;   ///< 12 digits
} PsPolicyPlace;

/// Appends the ARN that `action` is checked against: client/ for a client id, topic/ for a topic,
/// topicfilter/ for a filter, thing/, rolealias/. `name` need not be terminated.
/// iot:ListRetainedMessages is checked against "*".
void ps_policy_put_arn(PsBuf *out, const PsPolicyPlace *place, PsPolicyAction action,
                       const char *name, size_t name_len);

typedef enum PsPolicyVerdict {
    PS_POLICY_DENY_IMPLICIT, ///< no statement allows it
    PS_POLICY_DENY_EXPLICIT,
    PS_POLICY_ALLOW,
} PsPolicyVerdict;

typedef struct PsPolicyWhy {
    const char *policy;  ///< of the statement that decided, borrowed from the set; NULL: none did
    const char *version; ///
    size_t statement;    ///< its number in the document from 1; 0: none
    char text[256];      ///< for a person, one sentence
} PsPolicyWhy;

/// May `context` do `action` on `resource` (an ARN, not necessarily terminated)? Allocates nothing;
/// the time is at most proportional to the length of the policies times that of the resource.
/// `ret_why` may be NULL, which is quicker.
PsPolicyVerdict ps_policy_decide(const PsPolicySet *set, const PsPolicyContext *context,
                                 PsPolicyAction action, const char *resource, size_t resource_len,
                                 PsPolicyWhy *ret_why);

// ---- Verdicts remembered

/// Of one connection: what it published last, so that a topic that comes again costs a comparison.
/// Zero-initialised is empty. To be cleared when set, thing or context change.
#define PS_POLICY_CACHE_SLOTS 4
#define PS_POLICY_CACHE_LONGEST 160 // bytes of an ARN; longer ones are decided anew

typedef struct PsPolicyCacheSlot {
    uint16_t len; ///< 0: empty
    uint8_t action;
    uint8_t verdict;
    char resource[PS_POLICY_CACHE_LONGEST];
} PsPolicyCacheSlot;

typedef struct PsPolicyCache {
    PsPolicyCacheSlot slots[PS_POLICY_CACHE_SLOTS];
    uint8_t next; ///< the slot that is overwritten next
} PsPolicyCache;

void ps_policy_cache_clear(PsPolicyCache *cache);
/// ps_policy_decide through the cache.
PsPolicyVerdict ps_policy_cache_decide(PsPolicyCache *cache, const PsPolicySet *set,
                                       const PsPolicyContext *context, PsPolicyAction action,
                                       const char *resource, size_t resource_len);
