// The controller of the driver's tests. Its own thread; one client at a time.
#include "drivers/eip/test_server.h"

#include "base/buf.h"
#include "base/mem.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSION 0x00C0FFEEU
#define CONNECTION 0x80FE0007U
#define FRAME_MAX 8192U

EipTestServer *eip_test_server_new(void) {
    return ps_alloc(sizeof(EipTestServer));
}

EipTestTag *eip_test_server_add(EipTestServer *server, const char *name, uint16_t type,
                                uint32_t size, uint32_t count, const void *data) {
    PS_ASSERT(server->tag_count < EIP_TEST_TAGS && size * count <= sizeof server->tags[0].data);
    EipTestTag *tag = &server->tags[server->tag_count++];
    snprintf(tag->name, sizeof tag->name, "%s", name);
    tag->type = type;
    tag->size = size;
    tag->count = count;
    if (data != NULL) {
        memcpy(tag->data, data, (size_t)size * count);
    }
    return tag;
}

EipTestTag *eip_test_server_find(EipTestServer *server, const char *name) {
    for (uint32_t i = 0; i < server->tag_count; i++) {
        if (strcmp(server->tags[i].name, name) == 0) {
            return &server->tags[i];
        }
    }
    return NULL;
}

// Names joined by dots, and the last index. False for a path of other segments.
static bool read_path(PsReader *path, char *name, size_t size, uint32_t *ret_index) {
    size_t used = 0;
    name[0] = '\0';
    *ret_index = 0;
    while (ps_reader_left(path) > 0) {
        uint8_t segment = ps_reader_u8(path);
        if (segment == 0x91) {
            uint8_t len = ps_reader_u8(path);
            const uint8_t *text = ps_reader_raw(path, len);
            if (text == NULL) {
                return false;
            }
            used += (size_t)snprintf(name + used, size - used, "%s%.*s", used > 0 ? "." : "",
                                     (int)len, (const char *)text);
            (void)ps_reader_raw(path, len % 2);
            *ret_index = 0;
        } else if (segment == 0x28) {
            *ret_index = ps_reader_u8(path);
        } else if (segment == 0x29 || segment == 0x2A) {
            (void)ps_reader_u8(path);
            *ret_index = segment == 0x29 ? ps_reader_u16(path) : ps_reader_u32(path);
        } else {
            return false;
        }
    }
    return !path->failed;
}

static void put_status(PsBuf *out, uint8_t service, uint8_t status, uint16_t extended) {
    ps_buf_put_u8(out, service | 0x80);
    ps_buf_put_u8(out, 0);
    ps_buf_put_u8(out, status);
    ps_buf_put_u8(out, extended != 0 ? 1 : 0);
    if (extended != 0) {
        ps_buf_put_u16(out, extended);
    }
}

static void serve_read(EipTestServer *server, uint8_t service, const EipTestTag *tag,
                       uint32_t index, uint16_t elements, PsBuf *out) {
    server->reads++;
    if (elements == 0 || index + elements > tag->count) {
        put_status(out, service, 0xFF, 0x2105);
        return;
    }
    put_status(out, service, 0, 0);
    ps_buf_put_u16(out, tag->type);
    if (tag->type == 0x02A0) {
        ps_buf_put_u16(out, tag->handle);
    }
    ps_buf_put(out, tag->data + (size_t)index * tag->size, (size_t)tag->size * elements);
}

static void serve_write(EipTestServer *server, EipTestTag *tag, uint32_t index, PsReader *data,
                        PsBuf *out) {
    server->writes++;
    uint16_t type = ps_reader_u16(data);
    uint16_t handle = type == 0x02A0 ? ps_reader_u16(data) : 0;
    (void)ps_reader_u16(data); // elements
    size_t len = ps_reader_left(data);
    const uint8_t *bytes = ps_reader_raw(data, len);
    if (type != tag->type || handle != tag->handle ||
        (size_t)index * tag->size + len > sizeof tag->data) {
        put_status(out, 0x4D, 0xFF, 0x2107);
        return;
    }
    memcpy(tag->data + (size_t)index * tag->size, bytes, len);
    put_status(out, 0x4D, 0, 0);
}

static void serve_modify(EipTestServer *server, EipTestTag *tag, uint32_t index, PsReader *data,
                         PsBuf *out) {
    server->modifies++;
    uint16_t size = ps_reader_u16(data);
    const uint8_t *set = ps_reader_raw(data, size);
    const uint8_t *keep = ps_reader_raw(data, size);
    if (keep == NULL || size > tag->size) {
        put_status(out, 0x4E, 0x03, 0);
        return;
    }
    for (uint16_t i = 0; i < size; i++) {
        uint8_t *byte = &tag->data[(size_t)index * tag->size + i];
        *byte = (uint8_t)((*byte | set[i]) & keep[i]);
    }
    put_status(out, 0x4E, 0, 0);
}

static void serve_tag(EipTestServer *server, uint8_t service, PsReader *path, PsReader *data,
                      PsBuf *out) {
    char name[128];
    uint32_t index;
    EipTestTag *tag =
        read_path(path, name, sizeof name, &index) ? eip_test_server_find(server, name) : NULL;
    if (tag == NULL) {
        put_status(out, service, 0x04, 0);
    } else if (tag->status != 0) {
        put_status(out, service, tag->status, 0);
    } else if (index >= tag->count) {
        put_status(out, service, 0xFF, 0x2105);
    } else if (service == 0x4D) {
        serve_write(server, tag, index, data, out);
    } else if (service == 0x4E) {
        serve_modify(server, tag, index, data, out);
    } else {
        serve_read(server, service, tag, index, ps_reader_u16(data), out);
    }
}

static void serve(EipTestServer *server, const uint8_t *message, size_t len, PsBuf *out);

static void serve_multiple(EipTestServer *server, PsReader *data, PsBuf *out) {
    server->packets++;
    if (server->no_multiple) {
        put_status(out, 0x0A, 0x08, 0);
        return;
    }
    PsReader offsets = *data;
    uint16_t count = ps_reader_u16(&offsets);
    const uint8_t *base = data->data + data->at;
    size_t base_len = ps_reader_left(data);
    PS_AUTO_BUF PsBuf body = {0};
    PS_AUTO_BUF PsBuf answers = {0};
    bool refused = false;
    ps_buf_put_u16(&body, count);
    for (uint16_t i = 0; i < count; i++) {
        size_t from = ps_reader_u16(&offsets);
        PsReader next = offsets;
        size_t to = i + 1 < count ? ps_reader_u16(&next) : base_len;
        PS_ASSERT(from <= to && to <= base_len);
        ps_buf_put_u16(&body, (uint16_t)(2 + 2 * count + answers.len));
        size_t at = answers.len;
        serve(server, base + from, to - from, &answers);
        refused = refused || answers.data[at + 2] != 0;
    }
    ps_buf_put(&body, answers.data, answers.len);
    if (server->answer_max > 0 && body.len > (size_t)server->answer_max) {
        put_status(out, 0x0A, 0x11, 0);
        return;
    }
    put_status(out, 0x0A, refused ? 0x1E : 0, 0);
    ps_buf_put(out, body.data, body.len);
}

static void serve_open(EipTestServer *server, uint8_t service, PsReader *data, PsBuf *out) {
    server->opens++;
    bool large = service == 0x5B;
    if (server->duplicates > 0) {
        server->duplicates--;
        put_status(out, service, 0x01, 0x0100);
        return;
    }
    if (large && server->offered_size > 0) {
        const uint8_t *parts = data->data + data->at;
        if ((parts[26] | (parts[27] & 0x0F) << 8) > server->offered_size) {
            ps_buf_put(out, "\xDB\0\x01\x02\x09\x01", 6);
            ps_buf_put_u16(out, (uint16_t)server->offered_size);
            return;
        }
    }
    int status = large ? server->large_open_status : server->open_status;
    if (status != 0) {
        put_status(out, service, (uint8_t)status,
                   (uint16_t)(large ? server->large_open_extended : server->open_extended));
        return;
    }
    (void)ps_reader_raw(data, 6);
    const uint8_t *ids = ps_reader_raw(data, 12);
    PS_ASSERT(ids != NULL);
    put_status(out, service, 0, 0);
    ps_buf_put_u32(out, CONNECTION);
    ps_buf_put(out, ids, 12);
    ps_buf_put_u32(out, 1000000);
    ps_buf_put_u32(out, 1000000);
    ps_buf_put_u16(out, 0);
}

static void serve_identity(PsBuf *out) {
    put_status(out, 0x01, 0, 0);
    ps_buf_put(out,
               "\x01\x00\x0E\x00\xA6\x00\x21\x0B\x60\x31\x44\x33\x22\x11\x0B"
               "1756-L83E/B",
               26);
}

static void serve(EipTestServer *server, const uint8_t *message, size_t len, PsBuf *out) {
    PsReader reader = ps_reader(message, len);
    uint8_t service = ps_reader_u8(&reader);
    size_t path_len = 2 * (size_t)ps_reader_u8(&reader);
    const uint8_t *path_bytes = ps_reader_raw(&reader, path_len);
    PS_ASSERT(path_bytes != NULL);
    PsReader path = ps_reader(path_bytes, path_len);
    bool manager = path_len == 4 && path_bytes[1] == 0x06;
    if (manager && service == 0x52) {
        server->wrapped++;
        (void)ps_reader_u16(&reader);
        uint16_t inner_len = ps_reader_u16(&reader);
        const uint8_t *inner = ps_reader_raw(&reader, inner_len);
        PS_ASSERT(inner != NULL);
        serve(server, inner, inner_len, out);
    } else if (manager && service == 0x4E) {
        server->closes++;
        put_status(out, service, 0, 0);
    } else if (manager) {
        serve_open(server, service, &reader, out);
    } else if (service == 0x0A) {
        serve_multiple(server, &reader, out);
    } else if (service == 0x01) {
        serve_identity(out);
    } else {
        serve_tag(server, service, &path, &reader, out);
    }
}

static void put_header(PsBuf *out, const uint8_t *request, size_t body_len) {
    ps_buf_put(out, request, 2);
    ps_buf_put_u16(out, (uint16_t)body_len);
    ps_buf_put_u32(out, SESSION);
    ps_buf_put_u32(out, 0);
    ps_buf_put(out, request + 12, 8);
    ps_buf_put_u32(out, 0);
}

static void send_all(int fd, const PsBuf *buf) {
    ssize_t sent = send(fd, buf->data, buf->len, MSG_NOSIGNAL);
    (void)sent; // the client may have gone
}

// The answer; `shift` makes it somebody else's.
static void answer(int fd, const uint8_t *frame, const PsBuf *message, uint32_t to_client,
                   uint8_t shift) {
    bool connected = frame[0] == 0x70;
    PS_AUTO_BUF PsBuf out = {0};
    put_header(&out, frame, 16 + message->len + (connected ? 6 : 0));
    ps_buf_put(&out, "\0\0\0\0\0\0\2\0", 8);
    if (connected) {
        ps_buf_put(&out, "\xA1\0\4\0", 4);
        ps_buf_put_u32(&out, to_client);
        ps_buf_put(&out, "\xB1\0", 2);
        ps_buf_put_u16(&out, (uint16_t)(message->len + 2));
        ps_buf_put_u8(&out, (uint8_t)(frame[44] + shift));
        ps_buf_put_u8(&out, frame[45]);
    } else {
        ps_buf_put(&out, "\0\0\0\0\xB2\0", 6);
        ps_buf_put_u16(&out, (uint16_t)message->len);
    }
    ps_buf_put(&out, message->data, message->len);
    out.data[12] = (uint8_t)(out.data[12] + shift);
    send_all(fd, &out);
}

// False when the client has gone.
static bool serve_frame(EipTestServer *server, int fd, const uint8_t *frame, size_t len,
                        uint32_t *to_client) {
    if (frame[0] == 0x65) {
        PS_AUTO_BUF PsBuf out = {0};
        put_header(&out, frame, 4);
        ps_buf_put(&out, "\1\0\0\0", 4);
        send_all(fd, &out);
        return true;
    }
    if (frame[0] == 0x66) {
        server->unregisters++;
        return false;
    }
    size_t head = frame[0] == 0x70 ? 46 : 40;
    PS_ASSERT(len > head);
    server->frames++;
    if (server->silent) {
        return true;
    }
    PS_AUTO_BUF PsBuf message = {0};
    serve(server, frame + head, len - head, &message);
    if (frame[head] == 0x54 || frame[head] == 0x5B) {
        memcpy(to_client, frame + head + 12, 4);
    }
    if (server->garbage) {
        memset(message.data, 0xEE, message.len);
        send_all(fd, &message);
        return true;
    }
    while (server->padded && message.len < 20000) {
        ps_buf_put(&message, "\0", 1);
    }
    if (server->stray) {
        answer(fd, frame, &message, *to_client, 100);
    }
    answer(fd, frame, &message, *to_client, 0);
    return true;
}

static void serve_client(EipTestServer *server, int fd) {
    uint8_t in[FRAME_MAX];
    size_t have = 0;
    uint32_t to_client = 0;
    while (!server->stop) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 10) <= 0) {
            continue;
        }
        ssize_t got = recv(fd, in + have, sizeof in - have, 0);
        if (got <= 0) {
            return;
        }
        have += (size_t)got;
        while (have >= 24 && have >= 24U + (in[2] | in[3] << 8)) {
            size_t len = 24U + (in[2] | in[3] << 8);
            if (!serve_frame(server, fd, in, len, &to_client)) {
                return;
            }
            memmove(in, in + len, have - len);
            have -= len;
        }
    }
}

static void *run(void *arg) {
    EipTestServer *server = arg;
    while (!server->stop) {
        struct pollfd wait = {.fd = server->listen_fd, .events = POLLIN};
        if (poll(&wait, 1, 10) > 0) {
            int fd = accept(server->listen_fd, NULL, NULL);
            if (fd >= 0) {
                serve_client(server, fd);
                close(fd);
            }
        }
    }
    return NULL;
}

void eip_test_server_start(EipTestServer *server) {
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    PS_ASSERT(bind(server->listen_fd, (struct sockaddr *)&address, len) == 0);
    PS_ASSERT(getsockname(server->listen_fd, (struct sockaddr *)&address, &len) == 0);
    PS_ASSERT(listen(server->listen_fd, 8) == 0);
    server->port = ntohs(address.sin_port);
    pthread_t thread;
    PS_ASSERT(pthread_create(&thread, NULL, run, server) == 0);
    server->thread = (uint64_t)thread;
}

void eip_test_server_stop(EipTestServer *server) {
    server->stop = true;
    pthread_join((pthread_t)server->thread, NULL);
    close(server->listen_fd);
    free(server);
}
