//! A page of the list of variables: filtered, searched, sorted. Of 100,000 variables a page takes
//! some milliseconds, since only the page itself is sorted. Pure.
#pragma once

#include "base/err.h"
#include "live/cells.h"
#include "model/config.h"

typedef enum PsListingSort {
    PS_SORT_NONE, ///< as in the configuration
    PS_SORT_NAME,
    PS_SORT_DEVICE,
    PS_SORT_GROUP,
    PS_SORT_TYPE,
    PS_SORT_ADDRESS,
    PS_SORT_VALUE,
    PS_SORT_TIME,
    PS_SORT_QUALITY,
} PsListingSort;

typedef struct PsListingQuery {
    const char *device;  ///< NULL: all; an unknown one gives nothing
    const char *group;   ///< likewise
    const char *quality; ///< NULL: all; "good", "bad" (all others) or a name of a quality
    const char *search;  ///< a part of name, device, description or address; NULL: all
    PsListingSort sort;
    bool descending;
    uint32_t offset;
    uint32_t limit;
} PsListingQuery;

typedef struct PsListing {
    uint32_t total;  ///< that match
    uint32_t count;  ///< of the page
    uint32_t *items; ///< their numbers
} PsListing;

/// What the texts of a query say, "name", "-name"; PS_ERR_INVALID for others. NULL is none.
PsErr ps_listing_sort_of(const char *text, PsListingSort *ret_sort, bool *ret_descending);

/// Variables that are equal in the order stand as in the configuration.
void ps_listing_make(const PsConfig *config, const PsListingQuery *query, PsCellRead *read,
                     void *ctx, PsListing *ret_listing);
void ps_listing_deinit(PsListing *listing);
