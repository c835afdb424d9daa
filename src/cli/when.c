// Moments and lengths of time from the command line. Pure, but for the local time zone.
#include "cli/when.h"

#include "base/err.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEARS_10_S (10LL * 366 * 24 * 3600)

bool cli_length_parse(const char *text, long long *ret_seconds) {
    static const struct {
        char letter;
        long long seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 24 * 3600}};
    size_t len = strlen(text);
    char digits[16];
    if (len < 2 || len > sizeof digits) {
        return false;
    }
    snprintf(digits, sizeof digits, "%.*s", (int)len - 1, text);
    for (size_t i = 0; i < PS_COUNT(units); i++) {
        long long count;
        if (units[i].letter == text[len - 1] &&
            ps_text_to_int(digits, 0, YEARS_10_S / units[i].seconds, &count)) {
            *ret_seconds = count * units[i].seconds;
            return true;
        }
    }
    return false;
}

bool cli_when_parse(const char *text, PsWall now, bool ends, PsWall *ret_time) {
    static const struct {
        const char *form;
        int days;
        int minutes;
        int seconds;
    } forms[] = {
        {"%Y-%m-%d", 1, 0, 0},          {"%Y-%m-%d %H:%M", 0, 1, 0},    {"%Y-%m-%dT%H:%M", 0, 1, 0},
        {"%Y-%m-%d %H:%M:%S", 0, 0, 1}, {"%Y-%m-%dT%H:%M:%S", 0, 0, 1},
    };
    long long ago = 0;
    if (cli_length_parse(text, &ago)) {
        ret_time->ns = now.ns - ago * PS_NS_PER_S;
        return true;
    }
    for (size_t i = 0; i < PS_COUNT(forms); i++) {
        struct tm parts = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i].form, &parts);
        if (end == NULL || *end != '\0') {
            continue;
        }
        if (ends) { // mktime carries over, and knows days of 23 hours
            parts.tm_mday += forms[i].days;
            parts.tm_min += forms[i].minutes;
            parts.tm_sec += forms[i].seconds;
        }
        time_t seconds = mktime(&parts);
        if (seconds < 0 || seconds > (time_t)1 << 33) {
            return false;
        }
        ret_time->ns = (int64_t)seconds * PS_NS_PER_S;
        return true;
    }
    return false;
}
