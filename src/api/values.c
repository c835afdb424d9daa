// Values and times as JSON. Pure.
#include "api/values.h"

#include "base/text.h"

#include <math.h>
#include <stdint.h>

static json_t *text_value(PsValue value) {
    if (ps_text_is_utf8(value.text, value.text_len)) {
        return json_stringn(value.text, value.text_len);
    }
    char shown[1024];
    ps_value_format(value, shown, sizeof shown);
    return json_string(shown);
}

json_t *ps_api_value(PsValue value) {
    switch (value.kind) {
    case PS_VALUE_BOOL:
        return json_boolean(value.boolean);
    case PS_VALUE_INT:
        return json_integer(value.integer);
    case PS_VALUE_UINT:
        // jansson's integers end at 2^63-1; a real keeps the size, a person sees 16 digits.
        return value.unsigned_integer <= INT64_MAX
                   ? json_integer((json_int_t)value.unsigned_integer)
                   : json_real((double)value.unsigned_integer);
    case PS_VALUE_FLOAT:
        return isfinite(value.number) ? json_real(value.number) : json_null();
    case PS_VALUE_TEXT:
        return text_value(value);
    default:
        return json_null();
    }
}

json_t *ps_api_time(PsWall time) {
    return time.ns > 0 ? json_real(ps_wall_seconds(time)) : json_null();
}

json_t *ps_api_span(double ms) {
    return ms > 0 ? json_real(ms) : json_null();
}
