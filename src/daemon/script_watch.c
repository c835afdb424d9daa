// inotify on the folders of the scripts: a file that was closed after writing, or moved to its
// name, is read on a worker thread and compared with what is known. Changes that come during a
// reading are read after it. Main thread, except `read_files`.
#include "daemon/script_watch.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENT_BYTES 4096

typedef struct Script {
    bool publish;
    uint32_t index;
    char *path;
    int folder;   // inotify's number of its folder, -1 when that cannot be watched
    PsBuf known;  // content as last told or configured
    bool changed; // to be read
    // Of the reading under way.
    bool reading;
    PsBuf content;
    PsErr result;
    PsDiag diag;
} Script;

struct PsScriptWatch {
    PsScriptWatchSetup setup;
    Script *scripts;
    uint32_t count;
    int fd;
    uv_poll_t poll;
    uv_work_t work;
    bool working;
    bool closing;
    bool closed; // the handle is off the loop
};

static const char *name_of(const Script *script) {
    const char *slash = strrchr(script->path, '/');
    return slash != NULL ? slash + 1 : script->path;
}

static void free_when_idle(PsScriptWatch *watch) {
    if (!watch->closed || watch->working) {
        return;
    }
    for (uint32_t i = 0; i < watch->count; i++) {
        free(watch->scripts[i].path);
        ps_buf_deinit(&watch->scripts[i].known);
        ps_buf_deinit(&watch->scripts[i].content);
    }
    free(watch->scripts);
    free(watch);
}

// --- reading ------------------------------------------------------------------------------------

static void read_files(uv_work_t *work) {
    PsScriptWatch *watch = work->data;
    for (uint32_t i = 0; i < watch->count; i++) {
        Script *script = &watch->scripts[i];
        if (script->reading) {
            script->result =
                ps_file_read(script->path, PS_SCRIPT_BYTES_MAX, &script->content, &script->diag);
        }
    }
}

static bool is_known(const Script *script) {
    return script->content.len == script->known.len &&
           (script->known.len == 0 ||
            memcmp(script->content.data, script->known.data, script->known.len) == 0);
}

static void take_content(PsScriptWatch *watch, Script *script) {
    if (script->result != PS_OK) {
        PS_LOGW("SCRIPT-SAVED", "%s %s; the script as it was goes on", script->path,
                script->diag.text);
    } else if (!is_known(script)) {
        ps_buf_clear(&script->known);
        ps_buf_put(&script->known, script->content.data, script->content.len);
        watch->setup.saved(script->publish, script->index, &script->content, watch->setup.ctx);
    }
    ps_buf_deinit(&script->content);
    script->reading = false;
}

static void begin_reading(PsScriptWatch *watch);

static void on_read(uv_work_t *work, int status) {
    PsScriptWatch *watch = work->data;
    watch->working = false;
    for (uint32_t i = 0; i < watch->count && !watch->closing; i++) {
        if (watch->scripts[i].reading) {
            take_content(watch, &watch->scripts[i]);
        }
    }
    if (watch->closing) {
        free_when_idle(watch);
    } else {
        begin_reading(watch);
    }
}

static void begin_reading(PsScriptWatch *watch) {
    bool any = false;
    for (uint32_t i = 0; i < watch->count && !watch->working; i++) {
        Script *script = &watch->scripts[i];
        script->reading = script->changed;
        script->changed = false;
        any |= script->reading;
    }
    if (any) {
        watch->work.data = watch;
        watch->working = uv_queue_work(watch->setup.loop, &watch->work, read_files, on_read) == 0;
    }
}

// --- events of the kernel -----------------------------------------------------------------------

static void mark(PsScriptWatch *watch, const struct inotify_event *event) {
    bool lost = (event->mask & IN_Q_OVERFLOW) != 0; // any of them may have changed
    for (uint32_t i = 0; i < watch->count; i++) {
        Script *script = &watch->scripts[i];
        bool its = event->wd == script->folder && event->len > 0 &&
                   strcmp(event->name, name_of(script)) == 0;
        script->changed |= lost || its;
        if (event->wd == script->folder && (event->mask & IN_IGNORED) != 0) {
            script->folder = -1;
            PS_LOGW("SCRIPT-WATCH",
                    "the folder of %s went away; that it is saved is noticed again after a restart "
                    "of the gateway",
                    script->path);
        }
    }
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    PsScriptWatch *watch = poll->data;
    union {
        struct inotify_event event;
        char bytes[EVENT_BYTES];
    } buffer;
    ssize_t len = read(watch->fd, buffer.bytes, sizeof buffer.bytes);
    for (ssize_t at = 0; at < len;) {
        // The kernel aligns each event for access in place: inotify(7).
        const struct inotify_event *event = (const void *)(buffer.bytes + at);
        mark(watch, event);
        at += (ssize_t)(sizeof *event + event->len);
    }
    begin_reading(watch);
}

// --- life ---------------------------------------------------------------------------------------

static void add_script(PsScriptWatch *watch, bool publish, uint32_t index, const char *path,
                       const PsBuf *source) {
    if (path == NULL || path[0] == '\0') {
        return;
    }
    Script *script = &watch->scripts[watch->count++];
    *script =
        (Script){.publish = publish, .index = index, .path = ps_strdup(path), .changed = true};
    ps_buf_put(&script->known, source->data, source->len);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(name_of(script) - script->path), path);
    script->folder = inotify_add_watch(watch->fd, folder[0] != '\0' ? folder : ".",
                                       IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
    if (script->folder < 0) {
        PS_LOGW("SCRIPT-WATCH", "%s: that it is saved is not noticed: %s", path, strerror(errno));
    }
}

static void add_scripts(PsScriptWatch *watch, const PsConfig *config) {
    watch->scripts =
        ps_alloc_array(config->publish_count + config->subscribe_count, sizeof *watch->scripts);
    for (uint32_t i = 0; i < config->publish_count; i++) {
        add_script(watch, true, i, config->publish[i].script, &config->publish[i].source);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        add_script(watch, false, i, config->subscribe[i].script, &config->subscribe[i].source);
    }
}

PsScriptWatch *ps_script_watch_new(const PsScriptWatchSetup *setup) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        PS_LOGW("SCRIPT-WATCH", "saved scripts are not noticed until a restart: %s",
                strerror(errno));
        return NULL;
    }
    PsScriptWatch *watch = ps_alloc(sizeof *watch);
    watch->setup = *setup;
    watch->setup.config = NULL; // it may be replaced
    watch->fd = fd;
    add_scripts(watch, setup->config);
    int failure = uv_poll_init(setup->loop, &watch->poll, fd);
    PS_ASSERT(failure == 0); // a fresh descriptor of our own
    watch->poll.data = watch;
    uv_poll_start(&watch->poll, UV_READABLE, on_readable);
    begin_reading(watch);
    return watch;
}

static void on_closed(uv_handle_t *handle) {
    PsScriptWatch *watch = handle->data;
    close(watch->fd);
    watch->closed = true;
    free_when_idle(watch);
}

void ps_script_watch_close(PsScriptWatch *watch) {
    if (watch != NULL) {
        watch->closing = true;
        uv_close((uv_handle_t *)&watch->poll, on_closed);
    }
}
