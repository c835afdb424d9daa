// One walk over the words. Pure.
#include "cli/archive_arguments.h"

#include <string.h>

static bool take_switch(const CliSwitch *switches, size_t count, const char *word) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(switches[i].word, word) == 0) {
            *switches[i].on = true;
            return true;
        }
    }
    return false;
}

bool cli_archive_arguments(CliArchiveArguments *taken, const CliSwitch *switches,
                           size_t switch_count, int count, char **words) {
    for (int i = 0; i < count; i++) {
        if (take_switch(switches, switch_count, words[i])) {
            continue;
        }
        if (strcmp(words[i], "--config") == 0 && i + 1 < count) {
            taken->folder = words[++i];
        } else if (strcmp(words[i], "--passphrase-file") == 0 && i + 1 < count) {
            taken->passphrase_file = words[++i];
        } else if (words[i][0] == '-' || taken->file != NULL) {
            return false;
        } else {
            taken->file = words[i];
        }
    }
    return taken->file != NULL;
}
