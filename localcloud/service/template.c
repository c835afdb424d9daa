// Evaluation of provisioning templates. Every value is first evaluated (functions become what they
// give), then taken by the resource it belongs to. Pure.
#include "localcloud/service/template.h"

#include "base/mem.h"
#include "localcloud/service/names.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_ID "AWS::IoT::Certificate::Id"
#define DEPTH_MAX 20
#define TEXT_MAX ((size_t)4096) // of one value, as the API model has it for parameters

typedef struct Scope {
    const json_t *template;
    const json_t *parameters; ///< what the device sent
    const char *certificate_id;
    PsDiag *diag;
} Scope;

void ps_template_plan_deinit(PsTemplatePlan *plan) {
    free(plan->thing);
    free(plan->type);
    free(plan->billing_group);
    json_decref(plan->attributes);
    json_decref(plan->groups);
    json_decref(plan->configuration);
    for (size_t i = 0; i < plan->policy_count; i++) {
        free(plan->policies[i].name);
        free(plan->policies[i].document);
    }
    *plan = (PsTemplatePlan){0};
}

static PsErr bad(const Scope *scope, const char *where, const char *what) {
    return ps_fail(PS_ERR_INVALID, scope->diag, "the template", where, "%s", what);
}

// ---- functions

static PsErr evaluate(const Scope *scope, const json_t *value, int depth, json_t **ret_value);

static PsErr reference(const Scope *scope, const char *name, json_t **ret_value) {
    const json_t *sent = json_object_get(scope->parameters, name);
    const json_t *declared = json_object_get(json_object_get(scope->template, "Parameters"), name);
    if (strcmp(name, CERTIFICATE_ID) == 0) {
        *ret_value = json_string(scope->certificate_id);
        return PS_OK;
    }
    if (json_is_string(sent) && declared != NULL) {
        *ret_value = json_string(json_string_value(sent));
        return PS_OK;
    }
    const json_t *otherwise = json_object_get(declared, "Default");
    if (json_is_string(otherwise)) {
        *ret_value = json_string(json_string_value(otherwise));
        return PS_OK;
    }
    return ps_fail(PS_ERR_INVALID, scope->diag, "the template", "Parameters",
                   declared == NULL ? "there is no parameter '%s'"
                                    : "the parameter '%s' has no value and no default",
                   name);
}

static json_t *text_or_null(PsBuf *buf) {
    return buf->len <= TEXT_MAX
               ? json_stringn(buf->len > 0 ? (const char *)buf->data : "", buf->len)
               : NULL;
}

// ["delimiter", [texts]]
static PsErr join(const Scope *scope, const json_t *arguments, json_t **ret_value) {
    const char *between = json_string_value(json_array_get(arguments, 0));
    const json_t *list = json_array_get(arguments, 1);
    if (between == NULL || !json_is_array(list)) {
        return bad(scope, "Fn::Join", "expected a delimiter and a list");
    }
    PS_AUTO_BUF PsBuf text = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *part = json_string_value(json_array_get(list, i));
        if (part == NULL) {
            return bad(scope, "Fn::Join", "the list holds something that is no text");
        }
        if (i > 0) {
            ps_buf_put(&text, between, strlen(between));
        }
        ps_buf_put(&text, part, strlen(part));
    }
    *ret_value = text_or_null(&text);
    return *ret_value != NULL ? PS_OK : bad(scope, "Fn::Join", "the text is too long");
}

// [index, [values]]
static PsErr select_one(const Scope *scope, const json_t *arguments, json_t **ret_value) {
    const json_t *index = json_array_get(arguments, 0);
    long long at = json_integer_value(index);
    if (json_is_string(index)) {
        at = strtoll(json_string_value(index), NULL, 10);
    }
    json_t *one = at >= 0 ? json_array_get(json_array_get(arguments, 1), (size_t)at) : NULL;
    if (one == NULL || json_is_null(one)) {
        return bad(scope, "Fn::Select", "the list has nothing at that index");
    }
    *ret_value = json_incref(one);
    return PS_OK;
}

// ["delimiter", "text"]
static PsErr split(const Scope *scope, const json_t *arguments, json_t **ret_value) {
    const char *between = json_string_value(json_array_get(arguments, 0));
    const char *text = json_string_value(json_array_get(arguments, 1));
    if (between == NULL || between[0] == '\0' || text == NULL) {
        return bad(scope, "Fn::Split", "expected a delimiter and a text");
    }
    json_t *list = json_array();
    const char *at = text;
    for (const char *found = strstr(at, between); found != NULL; found = strstr(at, between)) {
        json_array_append_new(list, json_stringn(at, (size_t)(found - at)));
        at = found + strlen(between);
    }
    json_array_append_new(list, json_string(at));
    *ret_value = list;
    return PS_OK;
}

// ["map", "first key", "second key"]
static PsErr find_in_map(const Scope *scope, const json_t *arguments, json_t **ret_value) {
    const json_t *at = json_object_get(scope->template, "Mappings");
    for (size_t i = 0; i < 3; i++) {
        const char *key = json_string_value(json_array_get(arguments, i));
        at = key != NULL ? json_object_get(at, key) : NULL;
    }
    if (at == NULL) {
        return bad(scope, "Fn::FindInMap", "Mappings has no such entry");
    }
    *ret_value = json_deep_copy(at);
    return PS_OK;
}

// "text with ${Name}", or [that, {"Name": value}]
static PsErr substitute(const Scope *scope, const json_t *argument, json_t **ret_value) {
    const json_t *own = json_array_get(argument, 1);
    const char *at =
        json_string_value(json_is_array(argument) ? json_array_get(argument, 0) : argument);
    if (at == NULL) {
        return bad(scope, "Fn::Sub", "expected a text");
    }
    PS_AUTO_BUF PsBuf text = {0};
    while (*at != '\0') {
        const char *end = strncmp(at, "${", 2) == 0 ? strchr(at, '}') : NULL;
        if (end == NULL) {
            ps_buf_put_u8(&text, (uint8_t)*at++);
            continue;
        }
        char name[256];
        (void)snprintf(name, sizeof name, "%.*s", (int)(end - at - 2), at + 2);
        PS_AUTO_JSON json_t *value = json_incref(json_object_get(own, name));
        if (value == NULL) {
            PsErr err = reference(scope, name, &value);
            if (err != PS_OK) {
                return err;
            }
        }
        if (!json_is_string(value)) {
            return bad(scope, "Fn::Sub", "a variable is no text");
        }
        ps_buf_put(&text, json_string_value(value), json_string_length(value));
        at = end + 1;
    }
    *ret_value = text_or_null(&text);
    return *ret_value != NULL ? PS_OK : bad(scope, "Fn::Sub", "the text is too long");
}

typedef struct Function {
    const char *name;
    PsErr (*apply)(const Scope *scope, const json_t *arguments, json_t **ret_value);
} Function;

static const Function functions[] = {
    {"Fn::Join", join},      {"Fn::Select", select_one},
    {"Fn::Split", split},    {"Fn::FindInMap", find_in_map},
    {"Fn::Sub", substitute},
};

static PsErr evaluate_members(const Scope *scope, const json_t *value, int depth,
                              json_t **ret_value) {
    json_t *copy = json_object();
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        json_t *result = NULL;
        PsErr err = evaluate(scope, member, depth + 1, &result);
        if (err != PS_OK) {
            json_decref(copy);
            return err;
        }
        json_object_set_new(copy, key, result);
    }
    *ret_value = copy;
    return PS_OK;
}

static PsErr evaluate_items(const Scope *scope, const json_t *value, int depth,
                            json_t **ret_value) {
    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *result = NULL;
        PsErr err = evaluate(scope, json_array_get(value, i), depth + 1, &result);
        if (err != PS_OK) {
            json_decref(copy);
            return err;
        }
        json_array_append_new(copy, result);
    }
    *ret_value = copy;
    return PS_OK;
}

// A new reference: `value` with its functions done.
static PsErr evaluate(const Scope *scope, const json_t *value, int depth, json_t **ret_value) {
    if (depth > DEPTH_MAX) {
        return bad(scope, NULL, "nested too deeply");
    }
    if (json_is_array(value)) {
        return evaluate_items(scope, value, depth, ret_value);
    }
    if (!json_is_object(value)) {
        *ret_value = json_deep_copy(value);
        return PS_OK;
    }
    const char *ref = json_string_value(json_object_get(value, "Ref"));
    if (json_object_size(value) == 1 && ref != NULL) {
        return reference(scope, ref, ret_value);
    }
    for (size_t i = 0; json_object_size(value) == 1 && i < PS_COUNT(functions); i++) {
        const json_t *arguments = json_object_get(value, functions[i].name);
        if (arguments != NULL) {
            PS_AUTO_JSON json_t *done = NULL;
            PsErr err = evaluate(scope, arguments, depth + 1, &done);
            return err == PS_OK ? functions[i].apply(scope, done, ret_value) : err;
        }
    }
    return evaluate_members(scope, value, depth, ret_value);
}

// ---- resources

// A member that must be text when it is there.
static PsErr take_text(const Scope *scope, const json_t *properties, const char *name,
                       char **ret_text) {
    const json_t *value = json_object_get(properties, name);
    if (value == NULL || json_is_null(value)) {
        return PS_OK;
    }
    if (!json_is_string(value)) {
        return bad(scope, name, "must be a text");
    }
    free(*ret_text);
    *ret_text = ps_strdup(json_string_value(value));
    return PS_OK;
}

static bool holds_texts_only(const json_t *json) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)json, key, member) {
        if (!json_is_string(member)) {
            return false;
        }
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (!json_is_string(json_array_get(json, i))) {
            return false;
        }
    }
    return true;
}

static const char * override(const json_t *resource, const char *name) {
    const json_t *settings = json_object_get(resource, "OverrideSettings");
    const char *text = json_string_value(json_object_get(settings, name));
    return text != NULL ? text : "";
}

static PsErr plan_thing(const Scope *scope, const json_t *resource, const json_t *properties,
                        PsTemplatePlan *plan) {
    PsErr err = take_text(scope, properties, "ThingName", &plan->thing);
    if (err == PS_OK) {
        err = take_text(scope, properties, "ThingTypeName", &plan->type);
    }
    if (err == PS_OK) {
        err = take_text(scope, properties, "BillingGroup", &plan->billing_group);
    }
    if (err != PS_OK) {
        return err;
    }
    if (plan->thing == NULL || !ps_name_is_thing(plan->thing)) {
        return bad(scope, "ThingName", "must be 1 to 128 of [a-zA-Z0-9:_-]");
    }
    json_t *attributes = json_object_get(properties, "AttributePayload");
    json_t *groups = json_object_get(properties, "ThingGroups");
    if ((attributes != NULL && !json_is_object(attributes)) || !holds_texts_only(attributes)) {
        return bad(scope, "AttributePayload", "must be an object of texts");
    }
    if ((groups != NULL && !json_is_array(groups)) || !holds_texts_only(groups)) {
        return bad(scope, "ThingGroups", "must be a list of texts");
    }
    plan->attributes = json_incref(attributes);
    plan->groups = json_incref(groups);
    plan->merge = strcmp(override(resource, "AttributePayload"), "MERGE") == 0;
    plan->keep = strcmp(override(resource, "AttributePayload"), "DO_NOTHING") == 0;
    plan->fail_if_there = strcmp(override(resource, "AttributePayload"), "FAIL") == 0;
    return PS_OK;
}

static PsErr plan_certificate(const Scope *scope, const json_t *properties, PsTemplatePlan *plan) {
    const char *id = json_string_value(json_object_get(properties, "CertificateId"));
    if (id == NULL || strcmp(id, scope->certificate_id) != 0) {
        return bad(scope, "CertificateId", "must be {\"Ref\": \"" CERTIFICATE_ID "\"}");
    }
    const char *status = json_string_value(json_object_get(properties, "Status"));
    if (status != NULL && strcasecmp(status, "ACTIVE") != 0 &&
        strcasecmp(status, "INACTIVE") != 0) {
        return bad(scope, "Status", "must be ACTIVE or INACTIVE");
    }
    plan->inactive = status != NULL && strcasecmp(status, "INACTIVE") == 0;
    return PS_OK;
}

static PsErr plan_policy(const Scope *scope, const json_t *properties, PsTemplatePlan *plan) {
    const json_t *document = json_object_get(properties, "PolicyDocument");
    const char *name = json_string_value(json_object_get(properties, "PolicyName"));
    if (plan->policy_count == PS_TEMPLATE_POLICIES_MAX) {
        return bad(scope, "Resources", "too many policies");
    }
    PS_AUTO_BUF PsBuf text = {0};
    if (json_is_string(document)) {
        ps_buf_put(&text, json_string_value(document), json_string_length(document));
    } else if (json_is_object(document)) {
        ps_json_text(document, &text);
    }
    if (text.len == 0 && name == NULL) {
        return bad(scope, "PolicyName", "a policy needs PolicyName or PolicyDocument");
    }
    char hash[2 * SHA256_DIGEST_LENGTH + 1] = "";
    if (name == NULL) {
        uint8_t digest[SHA256_DIGEST_LENGTH];
        SHA256(text.data, text.len, digest);
        for (size_t i = 0; i < sizeof digest; i++) {
            (void)snprintf(hash + 2 * i, 3, "%02x", digest[i]);
        }
    }
    PsTemplatePolicy *policy = &plan->policies[plan->policy_count++];
    policy->name = ps_strdup(name != NULL ? name : hash);
    policy->document = text.len > 0 ? ps_strdup((const char *)text.data) : NULL;
    return PS_OK;
}

static PsErr plan_resource(const Scope *scope, const json_t *resource, PsTemplatePlan *plan) {
    const char *type = json_string_value(json_object_get(resource, "Type"));
    PS_AUTO_JSON json_t *properties = NULL;
    PsErr err = evaluate(scope, json_object_get(resource, "Properties"), 0, &properties);
    if (err != PS_OK) {
        return err;
    }
    if (strcmp(type, "AWS::IoT::Thing") == 0) {
        return plan_thing(scope, resource, properties, plan);
    }
    if (strcmp(type, "AWS::IoT::Certificate") == 0) {
        return plan_certificate(scope, properties, plan);
    }
    return plan_policy(scope, properties, plan);
}

PsErr ps_template_check(const char *body, PsDiag *diag) {
    Scope scope = {.diag = diag};
    PS_AUTO_JSON json_t *template = ps_json_parse(body, strlen(body));
    const json_t *resources = json_object_get(template, "Resources");
    if (strlen(body) > PS_TEMPLATE_BODY_MAX) {
        return bad(&scope, NULL, "longer than 10240 characters");
    }
    if (!json_is_object(template)) {
        return bad(&scope, NULL, "is not a JSON object");
    }
    size_t things = 0;
    size_t certificates = 0;
    const char *name;
    json_t *resource;
    json_object_foreach((json_t *)(uintptr_t)resources, name, resource) {
        const char *type = json_string_value(json_object_get(resource, "Type"));
        bool is_thing = type != NULL && strcmp(type, "AWS::IoT::Thing") == 0;
        bool is_certificate = type != NULL && strcmp(type, "AWS::IoT::Certificate") == 0;
        bool is_policy = type != NULL && strcmp(type, "AWS::IoT::Policy") == 0;
        if (!is_thing && !is_certificate && !is_policy) {
            return bad(&scope, name,
                       "Type must be AWS::IoT::Thing, AWS::IoT::Certificate or AWS::IoT::Policy");
        }
        if (!json_is_object(json_object_get(resource, "Properties"))) {
            return bad(&scope, name, "has no Properties");
        }
        things += is_thing;
        certificates += is_certificate;
    }
    if (things > 1 || certificates != 1) {
        return bad(&scope, "Resources", "must have one certificate and at most one thing");
    }
    return PS_OK;
}

PsErr ps_template_plan(const char *body, const json_t *parameters, const char *certificate_id,
                       PsTemplatePlan *plan, PsDiag *diag) {
    PS_AUTO_JSON json_t *template = ps_json_parse(body, strlen(body));
    Scope scope = {template, parameters, certificate_id, diag};
    const char *name;
    json_t *resource;
    json_object_foreach(json_object_get(template, "Resources"), name, resource) {
        PsErr err = plan_resource(&scope, resource, plan);
        if (err != PS_OK) {
            return err;
        }
    }
    const json_t *configuration = json_object_get(template, "DeviceConfiguration");
    return configuration != NULL ? evaluate(&scope, configuration, 0, &plan->configuration) : PS_OK;
}
