//! Presence and subscription events. See service.h for what the front tells.
#pragma once

#include "localcloud/service/service.h"

#include <jansson.h>
#include <sqlite3.h>

PsErr ps_presence_prepare(sqlite3 *db, PsDiag *diag);
/// Drops version numbers of clients that were away for an hour.
void ps_presence_forget(sqlite3 *db, PsWall now);
/// The event's document. Pure.
json_t *ps_presence_document(const PsPresence *event, const PsServiceSession *session);
void ps_presence_tell(sqlite3 *db, const PsPresence *event, PsServiceSession *session,
                      const PsServiceOut *out);
