// Cuts a command line into words. Pure; any thread.
#include "sim/words.h"

#include "base/text.h"

#include <string.h>

bool ps_sim_words_split(const char *line, PsSimWords *ret_words) {
    PsSimWords *words = ret_words;
    size_t len = strlen(line);
    if (len >= sizeof words->text) {
        return false;
    }
    memcpy(words->text, line, len + 1);
    words->count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(words->text, " \t\r", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r", &rest)) {
        if (words->count == PS_SIM_WORDS) {
            return false;
        }
        words->word[words->count++] = word;
    }
    return words->count > 0;
}

bool ps_sim_words_is(const PsSimWords *words, size_t index, const char *text) {
    return index < words->count && strcmp(words->word[index], text) == 0;
}

bool ps_sim_words_number(const PsSimWords *words, size_t index, long long min, long long max,
                         long long *ret_value) {
    return index < words->count && ps_text_to_int(words->word[index], min, max, ret_value);
}
