//! Names of the users behind command sockets. The table is read once: asking the system for a name
//! may wait for a directory server, which the main thread must not. Inside src/api only.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct PsApiPeers PsApiPeers;

/// Reads the users of a file like /etc/passwd; without it there are none. Blocks on the disk.
PsApiPeers *ps_api_peers_new(const char *path);
/// Accepts NULL.
void ps_api_peers_free(PsApiPeers *peers);

/// The name, or "uid 1001" for one that is not in the table.
void ps_api_peers_name(const PsApiPeers *peers, uid_t uid, char *out, size_t size);
