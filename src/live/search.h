//! Finding a text in names, whatever the case of the letters. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PS_SEARCH_MAX 200 ///< bytes of what is looked for; the rest is not looked at

/// What is looked for, prepared once for many texts.
typedef struct PsSearch {
    char needle[PS_SEARCH_MAX + 1]; ///< folded
    size_t len;
    bool ascii;
} PsSearch;

/// `text` may be NULL or "": everything is found.
void ps_search_init(PsSearch *search, const char *text);
bool ps_search_finds(const PsSearch *search, const char *text);

/// Order of two texts by their letters, small and large ones alike: <0, 0, >0.
int ps_search_compare(const char *a, const char *b);
