// Symbol types, lists of tags and definitions of structures, against Rockwell 1756-PM020F.
#include "drivers/eip/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void symbol_types_are_taken_apart(void **state) {
    (void)state;
    PsEipSymbolType type = ps_eip_symbol_type(0x00C4);
    assert_int_equal(type.code, 0xC4);
    assert_false(type.structure || type.system);
    type = ps_eip_symbol_type(0x60CA);
    assert_int_equal(type.dimensions, 3);
    assert_int_equal(type.code, 0xCA);
    type = ps_eip_symbol_type(0x8FCE);
    assert_true(type.structure);
    assert_int_equal(type.template_id, 0xFCE);
    // chapter 2, "Step 1": Program:MainProgram is 68 10
    assert_true(ps_eip_symbol_type(0x1068).system);
}

// Chapter 2, "Example of retrieving the first group of tags" and its subsequent responses.
static void lists_of_tags_are_read(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    ps_eip_list_put(&buf, "", 0, PS_EIP_LIST_PLAIN);
    assert_int_equal(buf.len, 14);
    assert_memory_equal(buf.data, "\x55\x03\x20\x6B\x25\x00\x00\x00\x02\x00\x01\x00\x02\x00", 14);
    ps_buf_clear(&buf);
    ps_eip_list_put(&buf, "Program:Main", 7, PS_EIP_LIST_WITH_ACCESS);
    assert_memory_equal(buf.data, "\x55\x0A\x91\x0CProgram:Main\x20\x6B\x25\x00\x07\x00\x04\x00",
                        24);
    PsReader reader = ps_reader("\x12\x03\x00\x00\x0D\x00"
                                "CipReadData10\xFF\x8F"
                                "\x51\x0E\x00\x00\x06\x00"
                                "counts\x82\xCF"
                                "\xE8\x08\x00\x00\x13\x00Program:MainProgram\x68\x10",
                                21 + 14 + 27);
    PsEipTag tag;
    assert_true(ps_eip_list_next(&reader, PS_EIP_LIST_PLAIN, &tag));
    assert_int_equal(tag.instance, 0x312);
    assert_memory_equal(tag.name, "CipReadData10", tag.name_len);
    assert_int_equal(tag.type, 0x8FFF);
    assert_true(ps_eip_list_next(&reader, PS_EIP_LIST_PLAIN, &tag));
    assert_int_equal(tag.type, 0xCF82);
    assert_true(ps_eip_list_next(&reader, PS_EIP_LIST_PLAIN, &tag));
    assert_int_equal(tag.instance, 0x8E8);
    assert_false(ps_eip_list_next(&reader, PS_EIP_LIST_PLAIN, &tag));
    assert_false(reader.failed);
    reader = ps_reader("\x12\x03\x00\x00\x0D\x00"
                       "Cip",
                       9);
    assert_false(ps_eip_list_next(&reader, PS_EIP_LIST_PLAIN, &tag));
    assert_true(reader.failed);
}

// Chapter 2, "Example of reading template attributes": STRUCT_B.
static void attributes_of_a_template_are_read(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    ps_eip_template_head_put(&buf, 0x2E9);
    assert_int_equal(buf.len, 18);
    assert_memory_equal(
        buf.data, "\x03\x03\x20\x6C\x25\x00\xE9\x02\x04\x00\x04\x00\x05\x00\x02\x00\x01\x00", 18);
    static const char answer[] = "\x83\x00\x00\x00\x04\x00\x04\x00\x00\x00\x1E\x00\x00\x00"
                                 "\x05\x00\x00\x00\x20\x00\x00\x00\x02\x00\x00\x00\x04\x00"
                                 "\x01\x00\x00\x00\xCD\x9E";
    PsEipReply reply;
    PsEipTemplateHead head;
    assert_true(ps_eip_reply_get(BYTES(answer), &reply));
    assert_true(ps_eip_template_head_get(&reply, &head));
    assert_int_equal(head.words, 0x1E);
    assert_int_equal(head.size, 0x20);
    assert_int_equal(head.members, 4);
    assert_int_equal(head.handle, 0x9ECD);
    assert_int_equal(ps_eip_template_len(&head), 97);
    reply.len--;
    assert_false(ps_eip_template_head_get(&reply, &head));
}

static void definitions_are_read(void **state) {
    (void)state;
    PsArena *arena = ps_arena_new();
    PsEipTemplate found = {0};
    // A BOOL at bit 3, a REAL, ten DINTs, a STRING.
    static const char definition[] = "\x03\x00\xC1\x00\x00\x00\x00\x00"
                                     "\x00\x00\xCA\x00\x04\x00\x00\x00"
                                     "\x0A\x00\xC4\x20\x08\x00\x00\x00"
                                     "\x00\x00\xCE\x8F\x30\x00\x00\x00"
                                     "MOTOR;nEBECEAHA\0Running\0Speed\0Counts\0Name";
    assert_true(ps_eip_template_parse(BYTES(definition), 4, arena, &found));
    assert_string_equal(found.name, "MOTOR");
    assert_int_equal(found.count, 4);
    assert_false(found.text);
    assert_string_equal(found.members[0].name, "Running");
    assert_int_equal(found.members[0].elements, 0);
    assert_string_equal(found.members[2].name, "Counts");
    assert_int_equal(found.members[2].elements, 10);
    assert_string_equal(found.members[3].name, "Name");
    assert_true(found.members[3].type.structure);
    static const char text[] = "\x00\x00\xC4\x00\x00\x00\x00\x00"
                               "\x14\x00\xC2\x20\x04\x00\x00\x00"
                               "STRING20;n\0LEN\0DATA\0";
    assert_true(ps_eip_template_parse(BYTES(text), 2, arena, &found));
    assert_true(found.text);
    assert_false(ps_eip_template_parse(BYTES("\x00\x00\xC4\x00"), 1, arena, &found));
    ps_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbol_types_are_taken_apart),
        cmocka_unit_test(lists_of_tags_are_read),
        cmocka_unit_test(attributes_of_a_template_are_read),
        cmocka_unit_test(definitions_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
