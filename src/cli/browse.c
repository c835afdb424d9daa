// `penstock browse DEVICE [NODE] [--all]`: what a device has, as a table with what a variable
// needs. Blocking.
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 60.0
// A device that says it has more than this below one node is looked at folder by folder.
#define ROWS_MAX 20000
#define DEPTH_MAX 16

typedef struct Browse {
    CliClient *client;
    const char *device;
    bool all;                    // every page, and what is inside
    json_t *rows;                // in the order they are shown, each with its depth
    const char *path[DEPTH_MAX]; // the nodes that are open
    char *key;                   // of a variable, which takes the addresses
    bool more;                   // there is another page
    bool cut;                    // ROWS_MAX was reached
} Browse;

// Servers point back at what one came from.
static bool is_open(const Browse *browse, size_t depth, const char *node) {
    for (size_t i = 0; i < depth; i++) {
        if (strcmp(browse->path[i], node) == 0) {
            return true;
        }
    }
    return false;
}

static bool look_into(Browse *browse, const char *node, size_t depth);

static bool take(Browse *browse, const json_t *nodes, size_t depth) {
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)nodes, index, row) {
        if (json_array_size(browse->rows) == ROWS_MAX) {
            browse->cut = true;
            return true;
        }
        json_object_set_new(row, "depth", json_integer((json_int_t)depth));
        json_array_append(browse->rows, row);
        const char *node = cli_text(row, "node");
        bool inside = browse->all && json_is_true(json_object_get(row, "inside")) &&
                      depth + 1 < DEPTH_MAX && !is_open(browse, depth + 1, node);
        if (inside && !look_into(browse, node, depth + 1)) {
            return false;
        }
    }
    return true;
}

// Borrowed texts of the path live in rows, which are kept.
static bool look_into(Browse *browse, const char *node, size_t depth) {
    browse->path[depth] = node;
    char *after = strdup("");
    bool done = true;
    do {
        json_t *call = json_pack("{s:s, s:s, s:s, s:s}", "call", "GET /devices/{name}/browse",
                                 "name", browse->device, "node", node, "after", after);
        json_t *page = cli_client_call(browse->client, call);
        free(after);
        after = page != NULL ? strdup(cli_text(page, "next")) : NULL;
        done = page != NULL && take(browse, json_object_get(page, "nodes"), depth);
        if (page != NULL && browse->key == NULL) {
            browse->key = strdup(cli_text(page, "key"));
        }
        json_decref(page);
    } while (done && browse->all && !browse->cut && after[0] != '\0');
    browse->more = browse->more || (done && !browse->all && after[0] != '\0');
    free(after);
    return done;
}

static const char *access_of(const json_t *row) {
    bool reads = json_is_true(json_object_get(row, "readable"));
    bool writes = json_is_true(json_object_get(row, "writable"));
    if (cli_text(row, "address")[0] == '\0') {
        return "";
    }
    return reads ? (writes ? "read/write" : "read") : (writes ? "write" : "none");
}

// Something to read, to show how a variable is written; the first whose type fits.
static const json_t *example(const json_t *rows) {
    const json_t *found = NULL;
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)rows, index, row) {
        bool good =
            cli_text(row, "address")[0] != '\0' && json_is_true(json_object_get(row, "readable"));
        if (good && (found == NULL || (cli_text(found, "data_type")[0] == '\0' &&
                                       cli_text(row, "data_type")[0] != '\0'))) {
            found = row;
        }
    }
    return found;
}

static void print_hint(const Browse *browse, const char *argument) {
    const json_t *row = example(browse->rows);
    if (row != NULL) {
        json_t *variable = json_pack("{s:s, s:s, s:s, s:s, s:s}", "var_name", cli_text(row, "name"),
                                     "device", browse->device, "group", "default", "data_type",
                                     "AUTO", browse->key, cli_text(row, "address"));
        char *text = json_dumps(variable, JSON_COMPACT);
        printf("\nTo read one, put its address under \"%s\" of a variable in \"vars\" of "
               "penstock.json, like this:\n  %s\n",
               browse->key, text != NULL ? text : "");
        free(text);
        json_decref(variable);
    }
    bool folder = false;
    for (size_t i = 0; i < json_array_size(browse->rows); i++) {
        folder = folder || json_is_true(json_object_get(json_array_get(browse->rows, i), "inside"));
    }
    if (browse->cut) {
        printf("\nOnly the first %d are shown; name a node to see what is inside it.\n", ROWS_MAX);
    } else if (browse->more) {
        printf("\nThere is more: penstock browse %s%s%s --all\n", browse->device,
               argument[0] != '\0' ? " " : "", argument);
    } else if (folder && !browse->all) {
        printf("\n+ has more inside: penstock browse %s NODE, or --all\n", browse->device);
    }
}

static void print(const Browse *browse, const char *argument) {
    printf("%-40s %-16s %-10s %s\n", "NAME", "TYPE", "ACCESS", "ADDRESS OR NODE");
    size_t index;
    json_t *row;
    json_array_foreach(browse->rows, index, row) {
        int depth = (int)cli_integer(row, "depth");
        bool inside = json_is_true(json_object_get(row, "inside"));
        char name[256];
        snprintf(name, sizeof name, "%*s%s%s", 2 * depth, "", inside ? "+ " : "  ",
                 cli_text(row, "name"));
        const char *address = cli_text(row, "address");
        printf("%-40s %-16s %-10s %s\n", name, cli_text(row, "type"), access_of(row),
               address[0] != '\0' ? address : cli_text(row, "node"));
    }
    print_hint(browse, argument);
}

int cli_browse(const CliOptions *options, int count, char **arguments) {
    Browse browse = {0};
    const char *node = NULL;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--all") == 0) {
            browse.all = true;
        } else if (browse.device == NULL) {
            browse.device = arguments[i];
        } else if (node == NULL) {
            node = arguments[i];
        } else {
            return cli_fail(CLI_USAGE, "browse takes a device, a node and --all, not '%s'",
                            arguments[i]);
        }
    }
    if (browse.device == NULL) {
        return cli_fail(CLI_USAGE, "browse needs a device: penstock browse DEVICE [NODE] [--all]");
    }
    browse.client = cli_client_open(options);
    if (browse.client == NULL) {
        return CLI_FAILED;
    }
    cli_client_wait(browse.client, PATIENCE_S);
    browse.rows = json_array();
    node = node != NULL ? node : "";
    bool done = look_into(&browse, node, 0);
    cli_client_close(browse.client);
    if (done && options->json) {
        cli_print_json(browse.rows);
    } else if (done) {
        print(&browse, node);
    }
    json_decref(browse.rows);
    free(browse.key);
    return done ? CLI_DONE : CLI_FAILED;
}
