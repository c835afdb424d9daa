//! Options as data: one record per key of the configuration file, and the code that reads,
//! writes and documents a struct from its table. Parser, JSON Schema, reference page and
//! penstock.json writer all come from the same records, so none of them can lag behind.
//! Pure apart from the arena; one thread.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "model/findings.h"
#include "model/shorthand.h"
#include "model/text_pool.h"

#include <jansson.h>

typedef enum PsOptionType {
    PS_OPTION_TEXT,   ///< const char *
    PS_OPTION_PATH,   ///< const char *, made absolute below the configuration folder; "" stays ""
    PS_OPTION_INT,    ///< int, or what `store` says
    PS_OPTION_NUMBER, ///< double
    PS_OPTION_BOOL,   ///< bool
    PS_OPTION_WORD,   ///< int or what `store` says, the index of the word in `words`
    PS_OPTION_TEXTS,  ///< PsTextList (model/config.h)
} PsOptionType;

/// How wide the field of a PS_OPTION_INT or PS_OPTION_WORD is: objects of which there are a hundred
/// thousand keep their small numbers small.
typedef enum PsOptionStore {
    PS_STORE_INT,    ///< int
    PS_STORE_INT8,   ///< int8_t
    PS_STORE_INT16,  ///< int16_t
    PS_STORE_UINT16, ///< uint16_t; has no PS_UNSET, so it needs a fallback
} PsOptionStore;

/// The words of an enumeration in the order of its C constants.
typedef struct PsWords {
    const char *const *items;
    size_t count;
} PsWords;

/// The bit of a PsProtocol.
#define PS_OPTION_FOR(protocol) (1U << (protocol))

typedef struct PsOption {
    const char *key;
    PsOptionType type;
    bool required;
    size_t offset;        ///< of the field in the object's struct
    PsOptionStore store;  ///< of a whole number or word
    const char *unit;     ///< "s", "characters"; NULL when it has none
    double min;           ///< least number, or least length of a text
    double max;           ///< greatest number, or greatest length of a text in bytes
    const char *fallback; ///< documented default as it would stand in the file; NULL: none
    const char *(*fallback_for)(const void *object); ///< a default that other keys decide; NULL:
                                                     ///< `fallback` is it
    const PsWords *words;                            ///< for PS_OPTION_WORD
    const char *help;   ///< one sentence for the reference page and forms
    bool secret;        ///< PS_OPTION_PATH: the file is for the gateway's eyes only
    unsigned protocols; ///< of devices it is for, PS_OPTION_FOR each; 0: it is for all
} PsOption;

typedef struct PsOptionTable {
    const char *block;    ///< key at the top level of penstock.json: "devices"
    const char *kind;     ///< what one object is called in messages: "device"
    const char *name_key; ///< the key that names an object; NULL when there is only one
    const char *help;
    const PsOption *options;
    size_t count;
    const PsShorthand *shorthand; ///< NULL: there is none
} PsOptionTable;

/// What loading needs to know besides the table.
typedef struct PsOptionContext {
    PsArena *arena;
    const char *folder; ///< for PS_OPTION_PATH
    const char *file;   ///< for findings
    PsFindings *findings;
    PsTextPool *texts; ///< of the arena: texts that repeat are shared; NULL: none are
} PsOptionContext;

/// Fills `target` (zeroed by the caller) from a JSON object: defaults first, then each key. Every
/// problem becomes a finding under `object`. Keys listed in `also` (NULL-terminated, may be NULL)
/// belong to the caller and are passed over.
void ps_option_load(const PsOptionTable *table, const json_t *json, const char *object,
                    const char *const *also, const PsOptionContext *context, void *target);

/// A copy of a JSON object with the keys that its table's shorthand stands for in its place; what
/// is wrong with that becomes a finding under `object`. The copy is the caller's.
json_t *ps_option_unfold(const PsOptionTable *table, const json_t *json, const char *object,
                         const char *file, PsFindings *findings);

/// Appends `{"key": value, ...}` on one line: required keys, and others that differ from their
/// default, in table order. `folder` shortens paths below it.
void ps_option_write(const PsOptionTable *table, const void *source, const char *folder,
                     PsBuf *out);

/// Has the object the documented default there?
bool ps_option_is_default(const PsOption *option, const void *source);

/// Do two objects have the same value there?
bool ps_option_equal(const PsOption *option, const void *a, const void *b);

/// Do two objects have the same value in every option of their table?
bool ps_option_all_equal(const PsOptionTable *table, const void *a, const void *b);

/// Appends the value as it stands in the file, texts and words without quotes; nothing when there
/// is none. `folder` shortens paths below it.
void ps_option_write_plain(const PsOption *option, const void *source, const char *folder,
                           PsBuf *out);

/// Appends a JSON string literal.
void ps_option_write_text(const char *text, PsBuf *out);

/// The text or path of an object there; never NULL once it is loaded. Borrowed.
const char *ps_option_text(const PsOption *option, const void *source);

/// The number or word index of an object there; PS_UNSET when it has none.
int ps_option_int(const PsOption *option, const void *source);

/// Is it an option of devices, or their variables, of this PsProtocol?
bool ps_option_is_for(const PsOption *option, int protocol);

/// The record of a key, or NULL.
const PsOption *ps_option_find(const PsOptionTable *table, const char *key);
