// Cases of the conformance kit: values, and what there is to say about them. The test's thread.
#include "drivers/kit/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAGES_MOST 200

static void open_all(PsKit *kit) {
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    ps_kit_connect(kit);
}

void ps_kit_case_reads_all_types(void **state) {
    PsKit *kit = *state;
    open_all(kit);
    for (int cycle = 0; cycle < 2; cycle++) { // the second with what the first has learned
        assert_int_equal(ps_kit_read(kit, 0), PS_OK);
        assert_string_equal(kit->diag.text, "");
        for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
            ps_kit_expect(kit, i, kit->rig->variables[i].value);
        }
    }
    assert_true(kit->session->counters.errors == 0);
}

// Every other one high, so that neighbours are seen to stay as they are.
static void write_round(PsKit *kit, bool even_low) {
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
            const PsKitVariable *row = &kit->rig->variables[i];
            bool low = (i % 2 == 0) == even_low;
            PsValue value = low ? row->low : row->high;
            if (row->low.kind == PS_VALUE_NONE) {
                continue;
            }
            if (pass == 0) {
                ps_kit_write(kit, i, value);
            } else {
                ps_kit_expect(kit, i, value);
            }
        }
        if (pass == 0) {
            assert_int_equal(ps_kit_read(kit, 0), PS_OK);
        }
    }
}

void ps_kit_case_writes_and_reads_back(void **state) {
    PsKit *kit = *state;
    open_all(kit);
    write_round(kit, true);
    write_round(kit, false);
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) { // as it was, for the cases to come
        const PsKitVariable *row = &kit->rig->variables[i];
        if (row->low.kind != PS_VALUE_NONE && row->value.kind != PS_VALUE_NONE) {
            ps_kit_write(kit, i, row->value);
        }
    }
}

void ps_kit_case_refuses_what_does_not_fit(void **state) {
    PsKit *kit = *state;
    open_all(kit);
    bool any = false;
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        const PsKitVariable *row = &kit->rig->variables[i];
        if (row->beyond.kind == PS_VALUE_NONE) {
            continue;
        }
        any = true;
        ps_kit_write(kit, i, row->low);
        PsValue back = ps_value_none();
        kit->diag = (PsDiag){0};
        PsErr err = kit->rig->driver->write(kit->session, i, row->beyond, &back, &kit->diag);
        if (err != PS_ERR_INVALID) {
            fail_msg("'%s' took what does not fit: %s: %s", row->variable.name, ps_err_name(err),
                     kit->diag.text);
        }
        assert_string_not_equal(kit->diag.text, "");
        assert_int_equal(ps_kit_read(kit, 0), PS_OK);
        ps_kit_expect(kit, i, row->low);
        if (row->value.kind != PS_VALUE_NONE) {
            ps_kit_write(kit, i, row->value);
        }
    }
    if (!any) {
        skip();
    }
}

void ps_kit_case_one_absent_spoils_no_other(void **state) {
    PsKit *kit = *state;
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        ps_kit_add(kit, &kit->rig->variables[i].variable);
    }
    uint32_t absent = ps_kit_add(kit, &kit->rig->absent);
    ps_kit_add_set(kit, 0, absent + 1);
    ps_kit_open(kit);
    ps_kit_connect(kit);
    if (kit->rig->absent_command != NULL) {
        ps_kit_plant_command(kit->plant, kit->rig->absent_command);
    }
    for (int cycle = 0; cycle < 3; cycle++) {
        assert_int_equal(ps_kit_read(kit, 0), PS_OK);
        assert_int_equal(ps_kit_sample(kit, absent)->quality, PS_QUALITY_REFUSED);
        assert_string_not_equal(kit->diag.text, "");
        for (uint32_t i = 0; i < absent; i++) {
            ps_kit_expect(kit, i, ps_value_none());
        }
    }
    PsValue back = ps_value_none();
    kit->diag = (PsDiag){0};
    PsErr err = kit->rig->driver->write(kit->session, absent, ps_value_int(1), &back, &kit->diag);
    assert_int_equal(err, PS_ERR_REFUSED);
    assert_string_not_equal(kit->diag.text, "");
    assert_true(kit->rig->driver->connected(kit->session));
}

void ps_kit_case_describe(void **state) {
    PsKit *kit = *state;
    ps_kit_take_all(kit);
    ps_kit_open(kit);
    if (kit->rig->driver->describe == NULL) {
        skip();
        return;
    }
    const PsKitPlan *plan = ps_kit_plan(kit);
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        PS_AUTO_BUF PsBuf text = {0};
        kit->rig->driver->describe(&plan->config, &plan->sets[0], i, &text);
        assert_true(text.len > 0);
        assert_null(memchr(text.data, '\n', text.len));
    }
}

static void check_peek(PsKit *kit, uint32_t variable) {
    PsPeek seen = {0};
    kit->diag = (PsDiag){0};
    PsErr err = kit->rig->driver->peek(kit->session, variable, &seen, &kit->diag);
    if (err != PS_OK) {
        fail_msg("a look at '%s': %s: %s", kit->variables[variable].name, ps_err_name(err),
                 kit->diag.text);
    }
    assert_string_not_equal(seen.request, "");
    assert_true(seen.len > 0 && seen.len <= PS_PEEK_BYTES);
    assert_true(seen.sent_len <= PS_PEEK_FRAME_BYTES);
    assert_true(seen.received_len <= PS_PEEK_FRAME_BYTES);
    assert_int_equal(seen.code, 0);
}

void ps_kit_case_peek(void **state) {
    PsKit *kit = *state;
    uint32_t absent;
    ps_kit_take_all(kit);
    absent = ps_kit_add(kit, &kit->rig->absent);
    ps_kit_open(kit);
    ps_kit_connect(kit);
    if (kit->rig->no_peek) {
        PsPeek seen = {0};
        assert_int_equal(kit->rig->driver->peek(kit->session, 0, &seen, &kit->diag),
                         PS_ERR_UNSUPPORTED);
        return;
    }
    for (uint32_t i = 0; i < kit->rig->variable_count; i++) {
        check_peek(kit, i);
    }
    if (kit->rig->absent_command != NULL) {
        ps_kit_plant_command(kit->plant, kit->rig->absent_command);
    }
    PsPeek seen = {0};
    kit->diag = (PsDiag){0};
    assert_int_equal(kit->rig->driver->peek(kit->session, absent, &seen, &kit->diag),
                     PS_ERR_REFUSED);
    assert_string_not_equal(kit->diag.text, "");
    assert_string_not_equal(seen.request, "");
    assert_string_not_equal(seen.meaning, "");
    assert_int_not_equal(seen.code, 0);
}

static void check_node(const PsBrowseNode *node) {
    assert_non_null(node->name);
    assert_string_not_equal(node->name, "");
    assert_non_null(node->node);
    assert_non_null(node->type);
    assert_non_null(node->address);
    assert_true(!node->inside || node->node[0] != '\0');
    assert_true(node->data_type == PS_UNSET || node->address[0] != '\0');
}

// What is inside `node`, page by page; how many variables it and what is inside it have, as deep
// as `depth`.
static unsigned browse(PsKit *kit, const char *node, int depth) {
    PsArena *arena = ps_arena_new();
    PsBrowseNode *nodes = calloc(PS_BROWSE_NODES_MAX, sizeof *nodes);
    PsBrowse question = {.node = node, .after = "", .arena = arena, .nodes = nodes};
    unsigned variables = 0;
    unsigned pages = 0;
    do {
        question.count = 0;
        question.next = "";
        kit->diag = (PsDiag){0};
        PsErr err = kit->rig->driver->browse(kit->session, 0, &question, &kit->diag);
        if (err != PS_OK) {
            fail_msg("browse '%s': %s: %s", node, ps_err_name(err), kit->diag.text);
        }
        assert_true(question.count <= PS_BROWSE_NODES_MAX);
        for (uint32_t i = 0; i < question.count; i++) {
            check_node(&nodes[i]);
            variables += nodes[i].address[0] != '\0';
            if (nodes[i].inside && depth > 0) {
                variables += browse(kit, nodes[i].node, depth - 1);
            }
        }
        question.after = question.next;
    } while (question.next[0] != '\0' && ++pages < PAGES_MOST);
    assert_true(pages < PAGES_MOST);
    free(nodes);
    ps_arena_free(arena);
    return variables;
}

void ps_kit_case_browse(void **state) {
    PsKit *kit = *state;
    if (kit->rig->driver->browse == NULL) {
        skip();
        return;
    }
    open_all(kit);
    assert_true(browse(kit, "", 1) > 0);
    PsArena *arena = ps_arena_new();
    PsBrowseNode *nodes = calloc(PS_BROWSE_NODES_MAX, sizeof *nodes);
    PsBrowse question = {
        .node = "no-such-node-4711", .after = "", .arena = arena, .nodes = nodes, .next = ""};
    kit->diag = (PsDiag){0};
    assert_int_equal(kit->rig->driver->browse(kit->session, 0, &question, &kit->diag),
                     PS_ERR_NOT_FOUND);
    assert_string_not_equal(kit->diag.text, "");
    free(nodes);
    ps_arena_free(arena);
    assert_int_equal(ps_kit_read(kit, 0), PS_OK); // the session is none the worse for it
}
