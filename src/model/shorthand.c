// Unfolds shorthands in JSON objects. Pure.
#include "model/shorthand.h"

#include "model/config.h"
#include "model/s7_address.h"

#include <stdio.h>
#include <string.h>

static bool has(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return value != NULL && !json_is_null(value);
}

static PsErr unfold_s7(const char *text, json_t *object, PsDiag *diag) {
    PsS7Address address;
    PsErr err = ps_s7_address_parse(text, &address, diag);
    if (err != PS_OK) {
        return err;
    }
    json_object_set_new(object, "register_type", json_string(ps_s7_area_name(address.area)));
    json_object_set_new(object, "register_addr", json_integer(address.byte));
    if (address.area == PS_S7_DB) {
        json_object_set_new(object, "dbnumber", json_integer(address.dbnumber));
    }
    if (address.bit != PS_UNSET) {
        json_object_set_new(object, "register_bit", json_integer(address.bit));
    }
    if (address.data_type != PS_UNSET) {
        json_object_set_new(object, "data_type", json_string(ps_data_type_name(address.data_type)));
    }
    return PS_OK;
}

static const char *const s7_keys[] = {"register_type", "dbnumber", "register_addr", "register_bit",
                                      NULL};
const PsShorthand ps_shorthand_s7 = {
    .key = "address",
    .help = "ISO-on-TCP: the place in the notation of the programming software, DB6.DBD18, "
            "DB6.DBX2.0, IW3 (EW3) or M10.2, in place of register_type, dbnumber, register_addr "
            "and register_bit, which are written back. Without data_type, X is taken as BOOL, B as "
            "BYTE, W as WORD, D as DWORD.",
    .keys = s7_keys,
    .hint = "data_type",
    .unfold = unfold_s7,
};

static PsErr check_alone(const PsShorthand *shorthand, const json_t *object, PsDiag *diag) {
    for (const char *const *key = shorthand->keys; *key != NULL; key++) {
        if (has(object, *key)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, shorthand->key,
                           "stands for register_type, dbnumber, register_addr and register_bit; "
                           "remove it, or %s and the others",
                           *key);
        }
    }
    return PS_OK;
}

PsErr ps_shorthand_unfold(const PsShorthand *shorthand, json_t *object, bool nulls, bool hinted,
                          PsDiag *diag) {
    const json_t *value = shorthand != NULL ? json_object_get(object, shorthand->key) : NULL;
    if (value == NULL) {
        return PS_OK;
    }
    if (json_is_null(value)) {
        json_object_del(object, shorthand->key);
        return PS_OK;
    }
    if (!json_is_string(value)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, shorthand->key,
                       "must be a text in quotes, like \"DB6.DBD18\"");
    }
    PsErr err = check_alone(shorthand, object, diag);
    json_t *parts = json_object();
    err = err == PS_OK ? shorthand->unfold(json_string_value(value), parts, diag) : err;
    for (const char *const *key = shorthand->keys; err == PS_OK && *key != NULL; key++) {
        json_t *part = json_object_get(parts, *key);
        if (part != NULL) {
            json_object_set(object, *key, part);
        } else if (nulls) {
            json_object_set_new(object, *key, json_null());
        } else {
            json_object_del(object, *key); // it was null
        }
    }
    if (err == PS_OK && !hinted && shorthand->hint != NULL && !has(object, shorthand->hint) &&
        has(parts, shorthand->hint)) {
        json_object_set(object, shorthand->hint, json_object_get(parts, shorthand->hint));
    }
    json_decref(parts);
    if (err == PS_OK) {
        json_object_del(object, shorthand->key);
    }
    return err;
}
