// Node ids from text and back.
#include "drivers/opcua/node_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// The library's own drops a const.
#define TEXT(chars) {sizeof(chars) - 1, (UA_Byte *)(uintptr_t)(chars)}

static PsErr parse(const char *text, PsOpcuaNode *node, PsDiag *diag) {
    return ps_opcua_node_parse(text, strlen(text), node, diag);
}

static void test_there_and_back(void **state) {
    static const char *const ids[] = {
        "i=2258",
        "ns=2;s=Tank.Level",
        "ns=65535;i=4294967295",
        "s=a;b=c", // what follows the kind is the identifier, whatever is in it
        "nsu=urn:plant;i=1001",
        "nsu=http://x/y;s=Tank;Level",
        "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a",
        "ns=1;b=M/RbKBsRVkePCePcx24oRA==",
        "b=AQ==",
        "b=AQI=",
        "ns=3;s=\xc3\x84rmel",
    };
    for (size_t i = 0; i < PS_COUNT(ids); i++) {
        PsOpcuaNode node;
        PsDiag diag = {0};
        char text[PS_OPCUA_NODE_TEXT];
        assert_int_equal(parse(ids[i], &node, &diag), PS_OK);
        ps_opcua_node_format(&node, text, sizeof text);
        assert_string_equal(text, ids[i]);
        ps_opcua_node_deinit(&node);
    }
}

static void test_what_is_none(void **state) {
    static const char *const texts[] = {
        "",          "Tank",         "ns=2",
        "ns=;i=1",   "ns=65536;i=1", "ns=2;Tank",
        "i=",        "i=4294967296", "i=-1",
        "i=1x",      "s=",           "g=1",
        "b=",        "b=AQ",         "b=A===",
        "b=A?==",    "nsu=;i=1",     "nsu=urn:x",
        "ns= 2;i=1", "x=1",          "g=09087e75x8e5e-499b-954f-f2a9603db28a",
    };
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        PsOpcuaNode node = {0};
        PsDiag diag = {0};
        assert_int_equal(parse(texts[i], &node, &diag), PS_ERR_INVALID);
        assert_string_equal(diag.field, "identifier");
        assert_true(diag.text[0] != '\0');
        assert_null(node.owned);
    }
}

static void test_of_a_variable(void **state) {
    static const struct {
        PsVariable variable;
        const char *text;
    } rows[] = {
        {{.identifier = "Tank", .namespace_index = 3}, "ns=3;s=Tank"},
        {{.identifier = "a=b", .namespace_index = 3}, "ns=3;s=a=b"},
        {{.identifier = "i=5", .namespace_index = 3}, "ns=3;s=i=5"}, // a text, as the index says
        {{.identifier = "i=5"}, "i=5"},
        {{.identifier = "5", .identifier_type = PS_IDENTIFIER_NUMBER}, "i=5"},
        {{.identifier = "ns=4;i=5"}, "ns=4;i=5"},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PsOpcuaNode node;
        char text[PS_OPCUA_NODE_TEXT];
        assert_int_equal(ps_opcua_node_of(&rows[i].variable, &node, NULL), PS_OK);
        ps_opcua_node_format(&node, text, sizeof text);
        assert_string_equal(text, rows[i].text);
        ps_opcua_node_deinit(&node);
    }
}

static void test_namespaces(void **state) {
    UA_String names[] = {TEXT("http://opcfoundation.org/UA/"), TEXT("urn:server"),
                         TEXT("urn:a;b%c")};
    PsOpcuaNode node;
    UA_NodeId id;
    assert_int_equal(parse("nsu=urn:server;i=7", &node, NULL), PS_OK);
    assert_true(ps_opcua_node_resolve(&node, names, PS_COUNT(names), &id));
    assert_int_equal(id.namespaceIndex, 1);
    assert_int_equal(parse("nsu=urn:a%3Bb%25c;i=7", &node, NULL), PS_OK);
    assert_true(ps_opcua_node_resolve(&node, names, PS_COUNT(names), &id));
    assert_int_equal(id.namespaceIndex, 2);
    assert_int_equal(parse("nsu=urn:serve;i=7", &node, NULL), PS_OK);
    assert_false(ps_opcua_node_resolve(&node, names, PS_COUNT(names), &id));
    assert_int_equal(parse("ns=9;i=7", &node, NULL), PS_OK); // the server says what it has
    assert_true(ps_opcua_node_resolve(&node, names, PS_COUNT(names), &id));
    assert_int_equal(id.namespaceIndex, 9);
}

static void test_equal(void **state) {
    PsOpcuaNode a;
    PsOpcuaNode b;
    assert_int_equal(parse("nsu=urn:x;s=a", &a, NULL), PS_OK);
    assert_int_equal(parse("nsu=urn:x;s=a", &b, NULL), PS_OK);
    assert_true(ps_opcua_node_equal(&a, &b));
    assert_int_equal(parse("nsu=urn:y;s=a", &b, NULL), PS_OK);
    assert_false(ps_opcua_node_equal(&a, &b));
    assert_int_equal(parse("ns=1;s=a", &b, NULL), PS_OK);
    assert_false(ps_opcua_node_equal(&a, &b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_of_a_variable),  cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
