// Policy documents: JSON to statements. What is refused is refused as AWS IoT does, with its words
// where they are known ("The following resources are invalid"), and with the place in any case.
// Pure.
#include "localcloud/policy/document.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define VERSION_WITH_VARIABLES "2012-10-17"
#define VERSION_WITHOUT "2008-10-17"
#define ARN_COLONS 5

/// What is being read, for words about it.
typedef struct Parser {
    PsPolicyDocument *document;
    size_t statement; // number from 1, 0: the document itself
    const char *element;
    PsDiag *diag;
} Parser;

// ps_fail with the place filled in.
#define refuse(parser, ...) (set_diag(parser, __VA_ARGS__), PS_ERR_INVALID)

static void set_diag(Parser *parser, const char *fmt, ...) PS_PRINTF(2, 3);

static void set_diag(Parser *parser, const char *fmt, ...) {
    char text[sizeof parser->diag->text];
    char object[64] = "policy document";
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(text, sizeof text, fmt, args);
    va_end(args);
    if (parser->statement > 0) {
        snprintf(object, sizeof object, "statement %zu", parser->statement);
    }
    char element[64];
    ps_text_format(element, sizeof element, "%s", parser->element != NULL ? parser->element : "");
    ps_diag_set(parser->diag, object, parser->element != NULL ? element : NULL, "%s", text);
}

static PsErr refuse_unknown(Parser *parser, const char *key, const char *const *known,
                            size_t count) {
    const char *nearest = ps_text_nearest(key, known, count);
    parser->element = key;
    return nearest != NULL ? refuse(parser, "is not an element of a policy; is %s meant?", nearest)
                           : refuse(parser, "is not an element of a policy");
}

static PsErr check_keys(Parser *parser, json_t *object, const char *const *known, size_t count) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0) {
            i++;
        }
        if (i == count) {
            return refuse_unknown(parser, key, known, count);
        }
    }
    return PS_OK;
}

// A string, or a list of strings: the number of them, and each.
static size_t list_size(const json_t *value) {
    return json_is_array(value) ? json_array_size(value) : 1;
}

static json_t *list_item(json_t *value, size_t at) {
    return json_is_array(value) ? json_array_get(value, at) : value;
}

static PsErr check_list(Parser *parser, json_t *value, const char *what) {
    if (json_is_array(value) && json_array_size(value) == 0) {
        return refuse(parser, "Policy statement must contain %s", what);
    }
    for (size_t i = 0; i < list_size(value); i++) {
        const char *text = json_string_value(list_item(value, i));
        if (text == NULL || text[0] == '\0') {
            return refuse(parser, "must be a text or a list of texts, none of them empty");
        }
    }
    return PS_OK;
}

/// An element of which a statement has exactly one form.
typedef struct Choice {
    const char *name;
    const char *negated; // "NotAction"
    const char *what;
} Choice;

static PsErr choose(Parser *parser, json_t *json, const Choice *choice, json_t **ret_value,
                    bool *ret_negated) {
    json_t *value = json_object_get(json, choice->name);
    json_t *others = json_object_get(json, choice->negated);
    parser->element = others != NULL ? choice->negated : choice->name;
    if (value == NULL && others == NULL) {
        return refuse(parser, "Policy statement must contain %s", choice->what);
    }
    if (value != NULL && others != NULL) {
        return refuse(parser, "%s and %s exclude each other", choice->name, choice->negated);
    }
    *ret_negated = others != NULL;
    *ret_value = value != NULL ? value : others;
    return check_list(parser, *ret_value, choice->what);
}

// ---- Actions

// Actions have wildcards and no variables, and do not mind the case of letters.
static bool action_matches(const char *pattern, const char *name) {
    const char *run = NULL;
    const char *run_end = NULL;
    while (*name != '\0') {
        if (*pattern == '*') {
            run = ++pattern;
            run_end = name;
        } else if (*pattern == '?' || strncasecmp(pattern, name, 1) == 0) {
            pattern++;
            name++;
        } else if (run != NULL) {
            pattern = run;
            name = ++run_end;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

static uint32_t bits_of(const char *pattern) {
    uint32_t bits = 0;
    for (int i = 0; i < PS_POLICY_ACTION_COUNT; i++) {
        bits |= action_matches(pattern, ps_policy_action_name((PsPolicyAction)i)) ? 1U << i : 0;
    }
    return bits;
}

static PsErr read_actions(Parser *parser, json_t *json, PsStatement *statement) {
    static const Choice choice = {"Action", "NotAction", "actions"};
    json_t *value = NULL;
    bool negated = false;
    PsErr err = choose(parser, json, &choice, &value, &negated);
    if (err != PS_OK) {
        return err;
    }
    statement->names_actions = !negated;
    statement->action_count = list_size(value);
    const char **actions =
        ps_arena_take(parser->document->arena, statement->action_count * sizeof *actions);
    uint32_t bits = 0;
    for (size_t i = 0; i < statement->action_count; i++) {
        const char *text = json_string_value(list_item(value, i));
        const char *colon = strchr(text, ':');
        if (strcmp(text, "*") != 0 && (colon == NULL || colon == text || colon[1] == '\0')) {
            return refuse(parser, "The following actions are invalid : %s (iot:%s?)", text, text);
        }
        actions[i] = ps_arena_strdup(parser->document->arena, text);
        bits |= bits_of(text);
    }
    statement->actions = actions;
    statement->action_bits = statement->names_actions ? bits : ~bits;
    return PS_OK;
}

// ---- Resources

// "*", or an ARN; wildcards may stand for any part of it.
static bool is_resource(const char *text) {
    size_t colons = 0;
    for (const char *at = text; *at != '\0'; at++) {
        colons += *at == ':' ? 1 : 0;
    }
    bool begins = strncmp(text, "arn:", 4) == 0;
    return text[0] == '*' || (begins && (colons >= ARN_COLONS || strchr(text, '*') != NULL));
}

static PsErr read_resources(Parser *parser, json_t *json, PsStatement *statement) {
    static const Choice choice = {"Resource", "NotResource", "resources"};
    json_t *value = NULL;
    PsErr err = choose(parser, json, &choice, &value, &statement->not_resources);
    if (err != PS_OK) {
        return err;
    }
    PsArena *arena = parser->document->arena;
    unsigned style =
        PS_RESOURCE_STYLE | (parser->document->has_variables ? PS_PATTERN_VARIABLES : 0);
    statement->resource_count = list_size(value);
    statement->resources =
        ps_arena_take(arena, statement->resource_count * sizeof *statement->resources);
    for (size_t i = 0; i < statement->resource_count; i++) {
        json_t *item = list_item(value, i);
        const char *text = json_string_value(item);
        if (!is_resource(text)) {
            return refuse(parser,
                          "The following resources are invalid : %s (a resource is * or "
                          "arn:aws:iot:REGION:ACCOUNT:KIND/NAME)",
                          text);
        }
        if (ps_pattern_compile(arena, text, json_string_length(item), style,
                               &statement->resources[i]) != PS_OK) {
            return refuse(parser, "the variable in '%s' has no closing }", text);
        }
    }
    return PS_OK;
}

// ---- Conditions

// Texts as they are; true, false and numbers as IAM takes them, by their text.
static const char *value_text(const json_t *item, char *buffer, size_t size) {
    if (json_is_boolean(item)) {
        return json_is_true(item) ? "true" : "false";
    }
    if (json_is_integer(item)) {
        snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(item));
        return buffer;
    }
    return json_string_value(item);
}

static PsErr read_values(Parser *parser, json_t *value, PsCondition *condition) {
    PsPolicyDocument *document = parser->document;
    condition->value_count = list_size(value);
    condition->values =
        ps_arena_take(document->arena, (condition->value_count + 1) * sizeof *condition->values);
    for (size_t i = 0; i < condition->value_count; i++) {
        char number[32];
        const char *text = value_text(list_item(value, i), number, sizeof number);
        PsDiag detail = {0};
        if (text == NULL) {
            return refuse(parser, "%s: %s: must be a text or a list of texts",
                          condition->operator_name, condition->key.name);
        }
        if (ps_condition_value(condition, document->arena, text, strlen(text),
                               document->has_variables, &condition->values[i], &detail) != PS_OK) {
            return refuse(parser, "%s: %s: %s", condition->operator_name, condition->key.name,
                          detail.text);
        }
    }
    return PS_OK;
}

static size_t count_conditions(json_t *json) {
    size_t count = 0;
    const char *name = NULL;
    json_t *keys = NULL;
    json_object_foreach(json, name, keys) {
        count += json_object_size(keys);
    }
    return count;
}

// The keys of one operator.
static PsErr read_keys(Parser *parser, const char *name, json_t *keys, PsStatement *statement) {
    PsArena *arena = parser->document->arena;
    PsCondition condition = {.operator_name = ps_arena_strdup(arena, name)};
    PsDiag detail = {0};
    if (ps_condition_operator(name, &condition, &detail) != PS_OK) {
        return refuse(parser, "%s", detail.text);
    }
    if (!json_is_object(keys)) {
        return refuse(parser, "%s must be an object of keys, each with a value or a list", name);
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(keys, key, value) {
        if (strchr(key, ':') == NULL) {
            return refuse(parser, "%s: '%s' is no condition key; one looks like iot:ClientId", name,
                          key);
        }
        condition.key = ps_variable_find(ps_arena_strdup(arena, key));
        PsErr err = read_values(parser, value, &condition);
        if (err != PS_OK) {
            return err;
        }
        statement->conditions[statement->condition_count++] = condition;
    }
    return PS_OK;
}

static PsErr read_conditions(Parser *parser, json_t *json, PsStatement *statement) {
    json_t *value = json_object_get(json, "Condition");
    parser->element = "Condition";
    if (value == NULL) {
        return PS_OK;
    }
    if (!json_is_object(value)) {
        return refuse(parser, "must be an object of operators");
    }
    statement->conditions = ps_arena_take(
        parser->document->arena, (count_conditions(value) + 1) * sizeof *statement->conditions);
    const char *name = NULL;
    json_t *keys = NULL;
    json_object_foreach(value, name, keys) {
        PsErr err = read_keys(parser, name, keys, statement);
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

// ---- Statements and the document

static PsErr read_head(Parser *parser, json_t *json, PsStatement *statement) {
    json_t *sid = json_object_get(json, "Sid");
    parser->element = "Sid";
    if (sid != NULL && !json_is_string(sid)) {
        return refuse(parser, "must be a text");
    }
    statement->sid =
        sid != NULL ? ps_arena_strdup(parser->document->arena, json_string_value(sid)) : NULL;
    const char *effect = json_string_value(json_object_get(json, "Effect"));
    parser->element = "Effect";
    if (effect == NULL || (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0)) {
        return refuse(parser, "Invalid effect: %s (Allow or Deny)",
                      effect != NULL ? effect : "none");
    }
    statement->deny = strcmp(effect, "Deny") == 0;
    return PS_OK;
}

static PsErr read_statement(Parser *parser, json_t *json, PsStatement *statement) {
    static const char *const known[] = {"Sid",      "Effect",      "Action",   "NotAction",
                                        "Resource", "NotResource", "Condition"};
    parser->element = NULL;
    if (!json_is_object(json)) {
        return refuse(parser, "must be an object with Effect, Action and Resource");
    }
    parser->element = "Principal";
    if (json_object_get(json, "Principal") != NULL || json_object_get(json, "NotPrincipal")) {
        return refuse(parser, "Policy document should not specify a principal");
    }
    PsErr err = check_keys(parser, json, known, PS_COUNT(known));
    err = err == PS_OK ? read_head(parser, json, statement) : err;
    err = err == PS_OK ? read_actions(parser, json, statement) : err;
    err = err == PS_OK ? read_resources(parser, json, statement) : err;
    return err == PS_OK ? read_conditions(parser, json, statement) : err;
}

static PsErr read_version(Parser *parser, json_t *root) {
    json_t *version = json_object_get(root, "Version");
    const char *text = json_string_value(version);
    parser->element = "Version";
    if (version != NULL && (text == NULL || (strcmp(text, VERSION_WITH_VARIABLES) != 0 &&
                                             strcmp(text, VERSION_WITHOUT) != 0))) {
        return refuse(parser, "must be \"" VERSION_WITH_VARIABLES "\"");
    }
    parser->document->has_variables = text != NULL && strcmp(text, VERSION_WITH_VARIABLES) == 0;
    return PS_OK;
}

static PsErr read_document(Parser *parser, json_t *root) {
    static const char *const known[] = {"Version", "Id", "Statement"};
    if (!json_is_object(root)) {
        return refuse(parser,
                      "Invalid policy syntax: must be an object with Version and Statement");
    }
    PsErr err = check_keys(parser, root, known, PS_COUNT(known));
    err = err == PS_OK ? read_version(parser, root) : err;
    if (err != PS_OK) {
        return err;
    }
    json_t *statements = json_object_get(root, "Statement");
    parser->element = "Statement";
    if (statements == NULL || (json_is_array(statements) && json_array_size(statements) == 0)) {
        return refuse(parser, "Policy document must contain at least one statement");
    }
    PsPolicyDocument *document = parser->document;
    document->statement_count = list_size(statements);
    document->statements =
        ps_arena_take(document->arena, document->statement_count * sizeof *document->statements);
    for (size_t i = 0; err == PS_OK && i < document->statement_count; i++) {
        parser->statement = i + 1;
        err = read_statement(parser, list_item(statements, i), &document->statements[i]);
    }
    return err;
}

// Characters, as the limit counts them.
static size_t count_characters(const char *text, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        bool white = strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0';
        bool continues = ((unsigned char)text[i] & 0xC0) == 0x80;
        count += white || continues ? 0 : 1;
    }
    return count;
}

PsErr ps_policy_parse(const char *text, size_t len, PsPolicyDocument **ret_document, PsDiag *diag) {
    size_t characters = len <= PS_POLICY_LONGEST_BYTES ? count_characters(text, len) : len;
    if (characters > PS_POLICY_LONGEST) {
        return ps_fail(PS_ERR_TOO_BIG, diag, "policy document", NULL,
                       "has %zu characters without white space; %d are allowed", characters,
                       PS_POLICY_LONGEST);
    }
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "policy document", NULL,
                       "Invalid policy syntax: line %d, column %d: %s", error.line, error.column,
                       error.text);
    }
    PsPolicyDocument *document = ps_alloc(sizeof *document);
    document->arena = ps_arena_new();
    document->references = 1;
    PsDiag unwanted = {0};
    Parser parser = {.document = document, .diag = diag != NULL ? diag : &unwanted};
    PsErr err = read_document(&parser, root);
    json_decref(root);
    if (err != PS_OK) {
        ps_policy_unref(document);
        return err;
    }
    *ret_document = document;
    return PS_OK;
}
