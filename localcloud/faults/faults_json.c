// Fault rules as JSON, for the HTTP side: the same lines, with what has happened to each. Pure.
#include "localcloud/faults/rule.h"

json_t *ps_faults_take(const PsFaults *faults) {
    json_t *rules = json_array();
    for (size_t i = 0; i < ps_faults_count(faults); i++) {
        const PsFaultRule *rule = ps_faults_at(faults, i);
        json_array_append_new(
            rules, json_pack("{s:I, s:s, s:I, s:I}", "id", (json_int_t)rule->id, "rule", rule->line,
                             "matched", (json_int_t)rule->matched, "done", (json_int_t)rule->done));
    }
    return json_pack("{s:o}", "rules", rules);
}

// One value, or a list of them.
static size_t list_size(const json_t *value) {
    return json_is_array(value) ? json_array_size(value) : 1;
}

static const json_t *list_item(const json_t *value, size_t at) {
    return json_is_array(value) ? json_array_get(value, at) : value;
}

static PsErr add_all(PsFaults *faults, const json_t *value, PsDiag *diag) {
    size_t before = ps_faults_count(faults);
    for (size_t i = 0; i < list_size(value); i++) {
        const char *line = json_string_value(list_item(value, i));
        uint32_t id = 0;
        PsErr err = line != NULL ? ps_faults_add(faults, line, &id, diag)
                                 : ps_fail(PS_ERR_INVALID, diag, "fault rules", NULL,
                                           "a rule is a text: \"on publish #3: cut\"");
        if (err != PS_OK) {
            ps_faults_shrink(faults, before);
            return err;
        }
    }
    return PS_OK;
}

static PsErr put_rules(PsFaults *faults, const json_t *value, PsDiag *diag) {
    size_t before = ps_faults_count(faults);
    PsErr err = add_all(faults, value, diag);
    for (size_t i = 0; err == PS_OK && i < before; i++) {
        err = ps_faults_remove(faults, ps_faults_at(faults, 0)->id);
    }
    return err;
}

static PsErr remove_all(PsFaults *faults, const json_t *value, PsDiag *diag) {
    for (size_t i = 0; i < list_size(value); i++) {
        json_int_t id = json_integer_value(list_item(value, i));
        if (id <= 0 || id > UINT32_MAX || !ps_faults_in_force(faults, (uint32_t)id)) {
            return ps_fail(PS_ERR_NOT_FOUND, diag, "fault rules", NULL,
                           "there is no rule with the number %lld", (long long)id);
        }
    }
    for (size_t i = 0; i < list_size(value); i++) {
        uint32_t id = (uint32_t)json_integer_value(list_item(value, i));
        if (ps_faults_in_force(faults, id)) { // named twice, it went before
            PsErr err = ps_faults_remove(faults, id);
            PS_ASSERT(err == PS_OK);
        }
    }
    return PS_OK;
}

static PsErr clear(PsFaults *faults, const json_t *value, PsDiag *diag) {
    if (!json_is_true(value)) {
        return ps_fail(PS_ERR_INVALID, diag, "fault rules", "clear", "can only be true");
    }
    ps_faults_clear(faults);
    return PS_OK;
}

typedef struct Order {
    const char *name;
    PsErr (*carry_out)(PsFaults *faults, const json_t *value, PsDiag *diag);
} Order;

static const Order orders[] = {
    {"rules", put_rules},
    {"add", add_all},
    {"remove", remove_all},
    {"clear", clear},
};

PsErr ps_faults_put(PsFaults *faults, const json_t *json, PsDiag *diag) {
    for (size_t i = 0; i < PS_COUNT(orders); i++) {
        const json_t *value = json_object_get(json, orders[i].name);
        if (value != NULL && json_object_size(json) == 1) {
            return orders[i].carry_out(faults, value, diag);
        }
    }
    return ps_fail(PS_ERR_INVALID, diag, "fault rules", NULL,
                   "one of rules, add, remove and clear must be given");
}
