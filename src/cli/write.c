// `penstock write DEVICE VAR VALUE`: writes, and shows what the device holds now. Blocking.
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int cli_write(const CliOptions *options, int count, char **arguments) {
    if (count != 3) {
        return cli_fail(CLI_USAGE, "write needs three words: penstock write DEVICE VAR VALUE");
    }
    json_t *result = cli_call_once(
        options,
        json_pack("{s:s, s:s, s:s, s:s}", "call", "PUT /devices/{device}/variables/{name}/value",
                  "device", arguments[0], "name", arguments[1], "value", arguments[2]));
    if (result == NULL) {
        return CLI_FAILED;
    }
    const char *text = json_string_value(json_object_get(result, "text"));
    if (options->json) {
        cli_print_json(result);
    } else if (text != NULL && text[0] != '\0') {
        printf("OK: %s %s is now %s\n", arguments[0], arguments[1], text);
    } else {
        printf("OK: %s %s written; it gives nothing to read back\n", arguments[0], arguments[1]);
    }
    json_decref(result);
    return CLI_DONE;
}
