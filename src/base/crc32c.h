//! CRC-32C (Castagnoli): the checksum of RFC 3720 section 12.1, with the test vectors of its
//! appendix B.4. It finds every change within 32 bits in a row, and up to three flipped bits
//! wherever they are, in anything up to 256 MB. Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Goes on from `crc`, which is 0 at the beginning and the result of the call before later.
uint32_t ps_crc32c(uint32_t crc, const void *bytes, size_t len);
