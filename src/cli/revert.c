// `penstock revert [N]`: an earlier revision runs again. Blocking.
#include "base/text.h"
#include "cli/apply.h"

#include <string.h>

int cli_revert(const CliOptions *options, int count, char **words) {
    long long number = 0;
    const char *why = "";
    bool dry_run = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--dry-run") == 0) {
            dry_run = true;
        } else if (strcmp(words[i], "--why") == 0 && i + 1 < count) {
            why = words[++i];
        } else if (number != 0 || !ps_text_to_int(words[i], 1, UINT32_MAX, &number)) {
            return cli_fail(CLI_USAGE,
                            "penstock revert [N] [--dry-run] [--why TEXT]; 'penstock revisions' "
                            "lists the numbers, without one it is the one before");
        }
    }
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    int status = cli_apply_run(options, client,
                               json_pack("{s:s, s:I, s:s, s:b}", "call", "POST /revert", "of",
                                         (json_int_t)number, "why", why, "dry_run", (int)dry_run));
    cli_client_close(client);
    return status;
}
