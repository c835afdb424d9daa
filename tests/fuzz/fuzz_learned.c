// The file of what devices have taught: whatever it holds is refused, or read and written again as
// the same.
#include "collect/learned_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsMono now = {PS_NS_PER_S};
    PsWall wall = {INT64_C(1700000000) * PS_NS_PER_S};
    PsLearnedEntry *entries;
    uint32_t count;
    if (ps_learned_file_read(data, size, now, wall, &entries, &count, NULL) != PS_OK) {
        return 0;
    }
    char *text = ps_learned_file_write(entries, count, now, wall);
    PsLearnedEntry *again;
    uint32_t count_again;
    PsErr err = ps_learned_file_read(text, strlen(text), now, wall, &again, &count_again, NULL);
    PS_ASSERT(err == PS_OK && count_again <= count);
    char *text_again = ps_learned_file_write(again, count_again, now, wall);
    PS_ASSERT(strcmp(text, text_again) == 0);
    ps_learned_entries_free(entries, count);
    ps_learned_entries_free(again, count_again);
    free(text);
    free(text_again);
    return 0;
}
