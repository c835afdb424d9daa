//! Pages of lists: what the query asks for, and what the answer says. The token is base64 of the
//! last entry's number, opaque to clients as the service's are. Pure.
#pragma once

#include "localcloud/registry/account.h"
#include "localcloud/rest/rest.h"

/// The two ways lists page in the API.
typedef enum PsPageStyle {
    PS_PAGE_TOKEN,  ///< maxResults, nextToken -> nextToken; oldest first
    PS_PAGE_MARKER, ///< pageSize, marker, isAscendingOrder -> nextMarker; newest first
} PsPageStyle;

/// Page size 1 to 250 (API models), 250 (token) or 25 (marker) when not given.
/// PS_API_INVALID_REQUEST.
PsApiCode ps_page_read(const PsRestCall *call, PsPageStyle style, PsPage *ret_page,
                       PsApiFault *fault);

/// {member: items, nextToken or nextMarker when there is more}. Takes the items.
void ps_page_answer(PsListed *listed, PsPageStyle style, const char *member, PsRestAnswer *answer);

/// A token's text, and back. `out` needs PS_PAGE_TOKEN_SIZE bytes. False: not one of ours.
#define PS_PAGE_TOKEN_SIZE 48
void ps_page_token_put(int64_t number, char *out);
bool ps_page_token_read(const char *token, int64_t *ret_number);
