// Fault rules: "on EVENT [#N], QUALIFIER, ...: ACTION". A table has every action with the events it
// can follow, so that a rule that could never act is refused when it is set. Pure.
#include "localcloud/faults/rule.h"

#include "base/text.h"
#include "localcloud/faults/words.h"

#include <string.h>

#define BIT(event) (1U << PS_FAULT_ON_##event)
#define ANSWERED (BIT(CONNECT) | BIT(PUBLISH) | BIT(SUBSCRIBE) | BIT(UNSUBSCRIBE) | BIT(PINGREQ))
#define PACKETS (ANSWERED | BIT(PUBACK) | BIT(DELIVER))
#define HAS_TOPIC (BIT(PUBLISH) | BIT(SUBSCRIBE) | BIT(UNSUBSCRIBE) | BIT(DELIVER))

typedef enum Argument {
    NO_ARGUMENT,
    ANSWER,
    ANSWER_AND_TIME,
    TIME,
    PERHAPS_TIME, // "for 5s"
    PERHAPS_CODE,
    CERTIFICATE,
} Argument;

typedef struct Action {
    const char *words;
    PsFaultDo what;
    Argument argument;
    uint32_t events;
} Action;

// Longer words before those they begin with.
static const Action actions[] = {
    {"cut before", PS_FAULT_CUT_BEFORE_ANSWER, ANSWER, ANSWERED},
    {"cut after", PS_FAULT_CUT_AFTER_ANSWER, ANSWER, ANSWERED},
    {"cut", PS_FAULT_CUT, NO_ARGUMENT, PACKETS | BIT(HANDSHAKE)},
    {"withhold", PS_FAULT_WITHHOLD_ANSWER, ANSWER, ANSWERED},
    {"delay", PS_FAULT_DELAY, TIME, BIT(HANDSHAKE) | BIT(DELIVER)},
    {"delay", PS_FAULT_DELAY, ANSWER_AND_TIME, ANSWERED},
    {"drop", PS_FAULT_DROP_ANSWER, ANSWER, ANSWERED},
    {"drop", PS_FAULT_DROP, NO_ARGUMENT, PACKETS},
    {"refuse", PS_FAULT_REFUSE, PERHAPS_CODE,
     BIT(CONNECT) | BIT(PUBLISH) | BIT(SUBSCRIBE) | BIT(HANDSHAKE)},
    {"stop reading", PS_FAULT_STOP_READING, PERHAPS_TIME, PACKETS},
    {"lose session", PS_FAULT_LOSE_SESSION, NO_ARGUMENT, BIT(CONNECT)},
    {"server certificate", PS_FAULT_SERVER_CERTIFICATE, CERTIFICATE, BIT(HANDSHAKE)},
};

#define REFUSE_CODE 0x87

#define refuse(diag, field, ...) ps_fail(PS_ERR_INVALID, diag, NULL, field, __VA_ARGS__)

// ---- When

// "#3", "#3-5", "#3-", "every 2"; nothing is every one.
static PsErr read_ordinal(PsFaultWords *words, PsFaultRule *rule, PsDiag *diag) {
    rule->first = 1;
    rule->last = UINT32_MAX;
    rule->every = 1;
    if (ps_fault_words_ended(words)) {
        return PS_OK;
    }
    if (ps_fault_words_take(words, "every")) {
        bool good = ps_fault_words_number(ps_fault_words_next(words), &rule->every);
        words->at += good ? 1 : 0;
        return good ? PS_OK : refuse(diag, "every", "needs a number, as in: every 3");
    }
    char text[32];
    const char *word = ps_fault_words_next(words);
    ps_text_format(text, sizeof text, "%s", word);
    char *dash = strchr(text, '-');
    if (dash != NULL) {
        *dash = '\0';
    }
    bool good = text[0] == '#' && ps_fault_words_number(text + 1, &rule->first);
    if (good && dash == NULL) {
        rule->last = rule->first;
    } else if (good && dash[1] != '\0') {
        good = ps_fault_words_number(dash + 1, &rule->last) && rule->last >= rule->first;
    }
    if (!good) {
        return refuse(diag, ps_fault_event_name(rule->event),
                      "'%s' is not understood; #3, #3-5, #3- or every 3 can stand here, then a "
                      "comma or the colon",
                      word);
    }
    words->at++;
    return PS_OK;
}

static PsErr read_pattern(PsFaultWords *words, PsFaultRule *rule, const char *field,
                          const PsPattern **ret_pattern, PsDiag *diag) {
    const char *text = ps_fault_words_next(words);
    PsPattern *pattern = ps_arena_take(rule->arena, sizeof *pattern);
    if (text[0] == '\0' ||
        ps_pattern_compile(rule->arena, text, strlen(text), PS_PATTERN_WILD, pattern) != PS_OK) {
        return refuse(diag, field, "needs a text; * and ? stand for any characters");
    }
    words->at++;
    *ret_pattern = pattern;
    return PS_OK;
}

static PsErr read_connection(PsFaultWords *words, PsFaultRule *rule, PsDiag *diag) {
    const char *text = ps_fault_words_next(words);
    bool own = rule->event == PS_FAULT_ON_HANDSHAKE || rule->event == PS_FAULT_ON_CONNECT;
    if (own || text[0] != '#' || !ps_fault_words_number(text + 1, &rule->connection)) {
        return refuse(diag, "connection",
                      own ? "there is one on each connection; say on %s #2" : "needs a number: #2",
                      ps_fault_event_name(rule->event));
    }
    words->at++;
    return PS_OK;
}

static PsErr read_times(PsFaultWords *words, PsFaultRule *rule, PsDiag *diag) {
    const char *text = ps_fault_words_next(words);
    if (!ps_fault_words_number(text, &rule->times)) {
        return refuse(diag, "when",
                      "'%s' is not understood; client, topic, connection #2, once and 3 times can "
                      "stand here",
                      text);
    }
    words->at++;
    if (!ps_fault_words_take(words, "times") && !ps_fault_words_take(words, "time")) {
        return refuse(diag, "when", "the word 'times' is missing after %s", text);
    }
    return PS_OK;
}

static PsErr read_qualifier(PsFaultWords *words, PsFaultRule *rule, PsDiag *diag) {
    uint32_t event = 1U << rule->event;
    if (ps_fault_words_take(words, "client")) {
        return event & BIT(HANDSHAKE) ? refuse(diag, "client", "is not known before the CONNECT")
                                      : read_pattern(words, rule, "client", &rule->client, diag);
    }
    if (ps_fault_words_take(words, "topic")) {
        return event & HAS_TOPIC
                   ? read_pattern(words, rule, "topic", &rule->topic, diag)
                   : refuse(diag, "topic", "%s has none", ps_fault_event_name(rule->event));
    }
    if (ps_fault_words_take(words, "connection")) {
        return read_connection(words, rule, diag);
    }
    if (ps_fault_words_take(words, "once")) {
        rule->times = 1;
        return PS_OK;
    }
    return read_times(words, rule, diag);
}

static PsErr read_when(PsFaultWords *words, PsFaultRule *rule, PsDiag *diag) {
    if (!ps_fault_words_take(words, "on")) {
        return refuse(diag, NULL, "begins with 'on', as in: on publish #3, client gw: cut");
    }
    if (!ps_fault_words_event(words, &rule->event)) {
        return refuse(diag, "on",
                      "'%s' is no event; handshake, connect, publish, subscribe, unsubscribe, "
                      "puback, pingreq and deliver are",
                      ps_fault_words_next(words));
    }
    PsErr err = read_ordinal(words, rule, diag);
    while (err == PS_OK && words->mark[words->at - 1] == ',') {
        err = read_qualifier(words, rule, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    return words->mark[words->at - 1] == ':'
               ? PS_OK
               : refuse(diag, "when", "a colon and what is to happen must follow '%s'",
                        words->text[words->at - 1]);
}

// ---- What

static bool read_answer(PsFaultWords *words, const PsFaultRule *rule) {
    const char *answer = ps_fault_answer_name(rule->event);
    return answer != NULL && ps_fault_words_take(words, answer);
}

static bool read_argument(PsFaultWords *words, PsFaultRule *rule, Argument argument) {
    PsFault *fault = &rule->fault;
    switch (argument) {
    case NO_ARGUMENT:
        return true;
    case ANSWER:
        return read_answer(words, rule);
    case ANSWER_AND_TIME:
        return read_answer(words, rule) && ps_fault_words_time(words, &fault->time_ms);
    case TIME:
        return ps_fault_words_time(words, &fault->time_ms);
    case PERHAPS_TIME:
        return !ps_fault_words_take(words, "for") || ps_fault_words_time(words, &fault->time_ms);
    case PERHAPS_CODE:
        fault->code = REFUSE_CODE;
        return words->at == words->count || ps_fault_words_code(words, &fault->code);
    case CERTIFICATE:
        return ps_fault_words_certificate(words, &fault->certificate);
    }
    return false;
}

static PsErr read_what(PsFaultWords *words, PsFaultRule *rule, PsDiag *diag) {
    const char *event = ps_fault_event_name(rule->event);
    const char *answer = ps_fault_answer_name(rule->event);
    size_t begin = words->at;
    for (size_t i = 0; i < PS_COUNT(actions); i++) {
        const Action *action = &actions[i];
        words->at = begin;
        rule->fault = (PsFault){.what = action->what};
        if ((action->events & 1U << rule->event) && ps_fault_words_take(words, action->words) &&
            read_argument(words, rule, action->argument) && words->at == words->count) {
            return PS_OK;
        }
    }
    words->at = begin;
    return refuse(diag, "what",
                  "'%s…' cannot happen on %s, or lacks what belongs to it%s%s%s; "
                  "docs/local-cloud-faults.md has all there is",
                  ps_fault_words_next(words), event,
                  answer != NULL ? " (its answer is called " : "", answer != NULL ? answer : "",
                  answer != NULL ? ")" : "");
}

PsErr ps_fault_rule_read(const char *line, size_t len, PsFaultRule *ret_rule, PsDiag *diag) {
    PsFaultRule rule = {.arena = ps_arena_new()};
    PsFaultWords words;
    PsDiag detail = {0};
    PsErr err = PS_OK;
    if (len >= PS_FAULT_RULE_SIZE || memchr(line, '\0', len) != NULL) {
        err = refuse(&detail, NULL, "is longer than %d bytes", PS_FAULT_RULE_SIZE - 1);
    } else if (ps_fault_words_split(rule.arena, line, len, &words) != PS_OK) {
        err = refuse(&detail, NULL, "has too many words, or a quote that is not closed");
    } else {
        err = read_when(&words, &rule, &detail);
        err = err == PS_OK ? read_what(&words, &rule, &detail) : err;
    }
    if (err != PS_OK) {
        char object[sizeof diag->object];
        ps_text_format(object, sizeof object, "fault rule '%.*s'", (int)len, line);
        ps_diag_set(diag, object, detail.field[0] != '\0' ? detail.field : NULL, "%s", detail.text);
        ps_arena_free(rule.arena);
        return err;
    }
    rule.line = ps_arena_strndup(rule.arena, line, len);
    *ret_rule = rule;
    return PS_OK;
}

void ps_fault_rule_deinit(PsFaultRule *rule) {
    ps_arena_free(rule->arena);
    *rule = (PsFaultRule){0};
}

// ---- Asking

static bool fits(const PsPattern *pattern, PsPolicyText text) {
    static const PsPolicyContext nobody;
    return pattern == NULL ||
           ps_pattern_match(pattern, PS_PATTERN_WILD, &nobody, text, NULL) == PS_MATCH_YES;
}

static bool is_of_client(const PsFaultRule *rule, const PsFaultMoment *moment) {
    const char *id = moment->client_id;
    return rule->client == NULL ||
           (id != NULL && fits(rule->client, (PsPolicyText){id, strlen(id)}));
}

bool ps_fault_rule_see(PsFaultRule *rule, const PsFaultMoment *moment) {
    if (!is_of_client(rule, moment)) {
        return false;
    }
    if (moment->event == PS_FAULT_ON_CONNECT && ++rule->connects == rule->connection) {
        rule->on_connection = moment->connection;
    }
    bool elsewhere = rule->connection > 0 && rule->on_connection != moment->connection;
    bool other_topic =
        rule->topic != NULL && (!moment->has_topic || !fits(rule->topic, moment->topic));
    if (rule->event != moment->event || elsewhere || other_topic) {
        return false;
    }
    rule->matched++;
    // A connection has one handshake and one CONNECT: the rule counts them.
    bool one_each = rule->event == PS_FAULT_ON_HANDSHAKE || rule->event == PS_FAULT_ON_CONNECT;
    uint32_t ordinal = one_each ? rule->matched : moment->ordinal;
    return ordinal >= rule->first && ordinal <= rule->last && ordinal % rule->every == 0 &&
           (rule->times == 0 || rule->done < rule->times);
}
