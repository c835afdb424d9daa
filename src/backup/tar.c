// Writes and reads plain files as ustar. Pure. The reader takes only what the writer makes, so that
// nothing of tar's links, devices and extensions has to be judged.
#include "backup/tar.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define BLOCK ((size_t)512)
#define NAME_BYTES ((size_t)100)
#define PREFIX_BYTES ((size_t)155)
#define SIZE_MAX_OCTAL ((size_t)077777777777)

typedef struct Header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char pad[12];
} Header;

_Static_assert(sizeof(Header) == 512, "a tar header is one block");

static bool part_is_clean(const char *part, size_t len) {
    return len > 0 && !(len == 1 && part[0] == '.') &&
           !(len == 2 && part[0] == '.' && part[1] == '.');
}

bool ps_tar_name_is_clean(const char *name) {
    size_t len = strlen(name);
    if (len >= PS_TAR_NAME_SIZE || !ps_text_is_utf8(name, len)) {
        return false;
    }
    const char *part = name;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte < 0x20 || byte == 0x7f || byte == '\\') {
            return false;
        }
        if (byte == '/') {
            if (!part_is_clean(part, (size_t)(name + i - part))) {
                return false;
            }
            part = name + i + 1;
        }
    }
    return part_is_clean(part, strlen(part));
}

// The sum of the header's bytes with blanks in place of the sum itself.
static unsigned checksum_of(const Header *header) {
    const unsigned char *bytes = (const unsigned char *)header;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof *header; i++) {
        bool own = i >= offsetof(Header, checksum) && i < offsetof(Header, type);
        sum += own ? ' ' : bytes[i];
    }
    return sum;
}

// Fills a field of `size` bytes with octal digits and a NUL.
static void put_octal(char *field, size_t size, unsigned long long value) {
    char text[32];
    snprintf(text, sizeof text, "%0*llo", (int)size - 1, value);
    memcpy(field, text, size);
}

// A name longer than its field is split at a slash.
static bool put_name(Header *header, const char *name) {
    size_t len = strlen(name);
    const char *rest = name;
    if (len > NAME_BYTES) {
        rest = strchr(name + len - NAME_BYTES - 1, '/');
        if (rest == NULL || (size_t)(rest - name) > PREFIX_BYTES) {
            return false;
        }
        memcpy(header->prefix, name, (size_t)(rest - name));
        rest++;
    }
    memcpy(header->name, rest, strlen(rest));
    return true;
}

static void pad_block(PsBuf *out) {
    static const uint8_t zeros[BLOCK];
    if (out->len % BLOCK != 0) {
        ps_buf_put(out, zeros, BLOCK - out->len % BLOCK);
    }
}

static void fill_header(Header *header, size_t len, int64_t time_s) {
    put_octal(header->mode, sizeof header->mode, 0600);
    put_octal(header->uid, sizeof header->uid, 0);
    put_octal(header->gid, sizeof header->gid, 0);
    put_octal(header->size, sizeof header->size, len);
    put_octal(header->mtime, sizeof header->mtime,
              time_s < 0 || (size_t)time_s > SIZE_MAX_OCTAL ? 0 : (unsigned long long)time_s);
    header->type = '0';
    memcpy(header->magic, "ustar", sizeof header->magic);
    memcpy(header->version, "00", sizeof header->version);
    put_octal(header->major, sizeof header->major, 0);
    put_octal(header->minor, sizeof header->minor, 0);
    put_octal(header->checksum, sizeof header->checksum - 1, checksum_of(header));
    header->checksum[7] = ' ';
}

PsErr ps_tar_put(PsBuf *out, const char *name, const void *bytes, size_t len, int64_t time_s,
                 PsDiag *diag) {
    PS_ASSERT(out->len % BLOCK == 0);
    Header header = {0};
    if (strlen(name) >= PS_TAR_NAME_SIZE || len > SIZE_MAX_OCTAL) {
        return ps_fail(PS_ERR_TOO_BIG, diag, name, NULL,
                       "has too long a name or is too large for a tar archive");
    }
    if (!ps_tar_name_is_clean(name)) {
        return ps_fail(PS_ERR_INVALID, diag, name, NULL,
                       "has a name with control characters, backslashes or parts like '..'; "
                       "rename the file");
    }
    if (!put_name(&header, name)) {
        return ps_fail(PS_ERR_TOO_BIG, diag, name, NULL,
                       "has too long a name for a tar archive; shorten it below 100 bytes");
    }
    fill_header(&header, len, time_s);
    ps_buf_put(out, &header, sizeof header);
    ps_buf_put(out, bytes, len);
    pad_block(out);
    return PS_OK;
}

void ps_tar_end(PsBuf *out) {
    static const uint8_t zeros[2 * BLOCK];
    ps_buf_put(out, zeros, sizeof zeros);
}

// As put_octal wrote it, nothing else.
static bool take_octal(const char *field, size_t size, unsigned long long *ret_value) {
    unsigned long long value = 0;
    for (size_t i = 0; i + 1 < size; i++) {
        if (field[i] < '0' || field[i] > '7') {
            return false;
        }
        value = value * 8 + (unsigned)(field[i] - '0');
    }
    *ret_value = value;
    return field[size - 1] == '\0' || field[size - 1] == ' ';
}

static bool take_name(const Header *header, char *name) {
    size_t prefix = strnlen(header->prefix, sizeof header->prefix);
    size_t rest = strnlen(header->name, sizeof header->name);
    snprintf(name, PS_TAR_NAME_SIZE, "%.*s%s%.*s", (int)prefix, header->prefix,
             prefix > 0 ? "/" : "", (int)rest, header->name);
    return ps_tar_name_is_clean(name);
}

static bool all_zero(const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static PsErr broken(const PsReader *reader, PsDiag *diag, const char *what) {
    return ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                   "%s near byte %zu of the unpacked tar; take another copy of the archive", what,
                   reader->at);
}

PsErr ps_tar_next(PsReader *reader, PsTarEntry *ret_entry, PsDiag *diag) {
    Header header;
    const uint8_t *block = ps_reader_raw(reader, BLOCK);
    if (block == NULL) {
        return broken(reader, diag, "it ends too early,");
    }
    if (all_zero(block, BLOCK)) {
        size_t left = ps_reader_left(reader);
        const uint8_t *end = ps_reader_raw(reader, left);
        return left >= BLOCK && all_zero(end, left)
                   ? PS_ERR_NOT_FOUND
                   : broken(reader, diag, "there is something behind its end");
    }
    memcpy(&header, block, sizeof header);
    unsigned long long sum = 0;
    unsigned long long size = 0;
    if (memcmp(header.magic, "ustar", sizeof header.magic) != 0 ||
        memcmp(header.version, "00", sizeof header.version) != 0 ||
        !take_octal(header.checksum, sizeof header.checksum - 1, &sum) ||
        sum != checksum_of(&header) || !take_octal(header.size, sizeof header.size, &size)) {
        return broken(reader, diag, "a file's header is damaged");
    }
    PsTarEntry entry = {.len = (size_t)size};
    if (header.type != '0' || header.link[0] != '\0') {
        return broken(reader, diag, "there is a link, folder or device, which no backup holds,");
    }
    if (!take_name(&header, entry.name)) {
        return broken(reader, diag, "there is a name that leads elsewhere");
    }
    entry.bytes = ps_reader_raw(reader, entry.len);
    size_t pad = (BLOCK - entry.len % BLOCK) % BLOCK;
    const uint8_t *padding = ps_reader_raw(reader, pad);
    if (reader->failed || (pad > 0 && !all_zero(padding, pad))) {
        return broken(reader, diag, "it ends too early,");
    }
    *ret_entry = entry;
    return PS_OK;
}
