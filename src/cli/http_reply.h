//! One HTTP/1.1 answer, read from bytes as they come: status, type, body by length, in chunks or
//! until the end. Pure; bounded. See RFC 9112.
#pragma once

#include "base/buf.h"

#include <stdbool.h>

#define CLI_REPLY_HEAD_MAX ((size_t)64 * 1024)
#define CLI_REPLY_BODY_MAX ((size_t)256 * 1024 * 1024)

typedef enum CliReplyState {
    CLI_REPLY_MORE,  ///< further bytes are needed
    CLI_REPLY_WHOLE, ///< all is here
    CLI_REPLY_WRONG, ///< this is no answer, or one that is too large
} CliReplyState;

/// Zero-initialised is ready for the first byte.
typedef struct CliReply {
    int status;
    char type[96]; ///< media type, "application/json"
    PsBuf body;
    bool without_body; ///< set by the caller: the answer of a HEAD
    bool closes;       ///< the connection is of no more use after it
    // What follows is the reader's.
    PsBuf input; ///< not read yet
    int phase;
    uint64_t left; ///< bytes of the body, or of the chunk
    bool chunked;
    bool to_end;
} CliReply;

/// Takes further bytes.
CliReplyState cli_reply_take(CliReply *reply, const void *bytes, size_t len);
/// The other side has closed: whole if the answer ends that way.
CliReplyState cli_reply_end(CliReply *reply);
/// Ready for the next answer on the same connection.
void cli_reply_reset(CliReply *reply);
void cli_reply_deinit(CliReply *reply);
