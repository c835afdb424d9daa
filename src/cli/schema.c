// `penstock schema`: what penstock.json may hold, from the option tables. Blocking.
#include "cli/cli.h"

#include "model/schema.h"

#include <stdio.h>
#include <string.h>

int cli_schema(const CliOptions *options, int count, char **arguments) {
    bool markdown = count == 1 && strcmp(arguments[0], "--markdown") == 0;
    if (count > 0 && !markdown) {
        return cli_fail(CLI_USAGE, "schema takes nothing or --markdown");
    }
    PS_AUTO_BUF PsBuf out = {0};
    if (markdown) {
        ps_schema_write_markdown(&out);
    } else {
        ps_schema_write_json(&out);
    }
    fwrite(out.data, 1, out.len, stdout);
    return CLI_DONE;
}
