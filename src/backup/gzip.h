//! gzip (RFC 1952): one member, no name, no time, so that the same bytes give the same file.
//! Pure; one thread.
#pragma once

#include "base/buf.h"

/// Appends the packed bytes.
void ps_gzip_pack(const void *bytes, size_t len, PsBuf *out);

/// Appends the unpacked bytes. PS_ERR_INVALID: this is not gzip as ps_gzip_pack writes it;
/// PS_ERR_CORRUPT: damaged, cut or followed by something; PS_ERR_TOO_BIG: more than `limit` bytes,
/// found without unpacking much more than that. `out` is as before then.
PsErr ps_gzip_unpack(const void *bytes, size_t len, size_t limit, PsBuf *out, PsDiag *diag);
