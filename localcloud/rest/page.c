// Paging of lists. Pure; any thread.
#include "localcloud/rest/page.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_PAGE 250

void ps_page_token_put(int64_t number, char *out) {
    char text[24];
    int len = snprintf(text, sizeof text, "p%lld", (long long)number);
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, len);
}

bool ps_page_token_read(const char *token, int64_t *ret_number) {
    char text[PS_PAGE_TOKEN_SIZE];
    size_t len = strlen(token);
    if (len == 0 || len >= PS_PAGE_TOKEN_SIZE) {
        return false;
    }
    int decoded = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)token, (int)len);
    if (decoded <= 0) {
        return false;
    }
    text[decoded] = '\0'; // EVP_DecodeBlock leaves zero bytes where '=' stood
    long long number = 0;
    if (text[0] != 'p' || !ps_text_to_int(text + 1, 1, INT64_MAX, &number)) {
        return false;
    }
    *ret_number = number;
    return true;
}

PsApiCode ps_page_read(const PsRestCall *call, PsPageStyle style, PsPage *ret_page,
                       PsApiFault *fault) {
    bool marker = style == PS_PAGE_MARKER;
    PsPage page = {0};
    bool ascending = false;
    long long limit = 0;
    PsApiCode code = ps_rest_query_int(call, marker ? "pageSize" : "maxResults", 1, LARGEST_PAGE,
                                       marker ? 25 : LARGEST_PAGE, &limit, fault);
    if (code == PS_API_OK && marker) {
        code = ps_rest_query_bool(call, "isAscendingOrder", false, &ascending, fault);
    }
    const char *token = ps_rest_query(call, marker ? "marker" : "nextToken");
    if (code == PS_API_OK && token != NULL && !ps_page_token_read(token, &page.after)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s '%s' was not given out here",
                           marker ? "marker" : "nextToken", token);
    }
    if (code == PS_API_OK) {
        page.limit = limit;
        page.descending = marker && !ascending;
        *ret_page = page;
    }
    return code;
}

void ps_page_answer(PsListed *listed, PsPageStyle style, const char *member, PsRestAnswer *answer) {
    answer->json = json_pack("{s:o}", member, listed->items);
    if (listed->next != 0) {
        char token[PS_PAGE_TOKEN_SIZE];
        ps_page_token_put(listed->next, token);
        json_object_set_new(answer->json, style == PS_PAGE_MARKER ? "nextMarker" : "nextToken",
                            json_string(token));
    }
    *listed = (PsListed){0};
}
