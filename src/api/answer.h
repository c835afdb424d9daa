//! Answers with the headers that each of them has. Inside src/api only. Main thread.
#pragma once

#include "http/server.h"

#include <jansson.h>

/// Further headers may be NULL. JSON is taken over.
void ps_api_answer_json(PsHttpRequest *request, int status, const PsHttpHeader *more, size_t count,
                        const char *content_type, json_t *json);
void ps_api_answer_bytes(PsHttpRequest *request, int status, const PsHttpHeader *more, size_t count,
                         const char *content_type, const void *bytes, size_t len);
/// Writes the headers of every API answer behind `more` into `out`; how many.
#define PS_API_ANSWER_HEADERS 24
size_t ps_api_answer_headers(const PsHttpHeader *more, size_t count, const char *content_type,
                             PsHttpHeader out[PS_API_ANSWER_HEADERS]);
