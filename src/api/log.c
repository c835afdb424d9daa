// The call `log`: the kept lines after a sequence number. Main thread.
#include "base/log.h"
#include "api/handlers_live.h"
#include "base/mem.h"

#include <stdlib.h>

#define MOST_BYTES ((size_t)600 * 1024)

void ps_api_log(PsApiCall *call) {
    const json_t *after = json_object_get(ps_api_call_arguments(call), "after");
    char *text = ps_alloc(MOST_BYTES);
    uint64_t last = ps_log_copy((uint64_t)json_integer_value(after), text, MOST_BYTES);
    json_t *result = json_pack("{s:I, s:s}", "last", (json_int_t)last, "text", text);
    free(text);
    ps_api_call_reply(call, result);
}
