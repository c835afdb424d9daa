// Devices of each protocol: what is refused, what is only told, and with which words.
// Configurations are made from text; the files they name are in a temporary folder.
#include "base/file.h"
#include "model/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/penstock-device-XXXXXX";
static const char *const files[] = {"a.pem", "a.key", "cloud.key", "user.password"};

static int make_folder(void **state) {
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(ps_file_write(path, "x\n", 2, 0600, NULL), PS_OK);
    }
    return 0;
}

static int remove_folder(void **state) {
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    return rmdir(folder);
}

// What the text says, "" when it is sound without a word.
static void explain(const char *json, char *out, size_t size) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err = ps_config_parse(folder, json, strlen(json), NULL, &findings, &config);
    assert_int_equal(err == PS_OK, findings.errors == 0);
    out[0] = '\0';
    for (size_t i = 0; i < findings.count; i++) {
        size_t used = strlen(out);
        char line[512];
        ps_finding_format(&findings.items[i], line, sizeof line);
        snprintf(out + used, size - used, "%s\n", line);
    }
    ps_config_free(config);
    ps_findings_deinit(&findings);
}

static void expect(const char *json, const char *words, bool whole) {
    char text[4096];
    explain(json, text, sizeof text);
    bool same = words[0] == '\0' ? text[0] == '\0' : strstr(text, words) != NULL;
    bool one = strchr(text, '\n') == NULL || strchr(text, '\n')[1] == '\0';
    if (!same || (whole && !one)) {
        fail_msg("%s\ngives: %s\nnot: %s", json, text, words);
    }
}

static void devices_are_checked_by_their_protocol(void **state) {
    static const struct {
        const char *protocol;
        const char *keys;
        const char *expected; // "": not a word
    } cases[] = {
        {"ISO-on-TCP", "\"ip\": \"h\", \"rack\": 0, \"slot\": 2", ""},
        {"ISO-on-TCP", "\"ip\": \"h\", \"mode\": \"TSAP\", \"client_tsap\": \"02.00\"", ""},
        {"ISO-on-TCP", "\"ip\": \"h\", \"mode\": \"TSAP\", \"client_tsap\": \"2000\"",
         "device 'D': client_tsap: '2000' is no TSAP: write two hexadecimal bytes, like 10.00"},
        {"ISO-on-TCP", "\"ip\": \"h\", \"mode\": \"TSAP\", \"slot\": 2",
         "device 'D': slot: does not count in mode TSAP; remove it"},
        {"ISO-on-TCP", "\"ip\": \"h\", \"server_tsap\": \"02.01\"",
         "device 'D': server_tsap: does not count in mode Rack/Slot; remove it"},
        {"ISO-on-TCP", "\"ip\": \"h\", \"slave\": 3",
         "device 'D': slave: is for ModbusTCP and ModbusRTU; it does not count for ISO-on-TCP"},
        {"ISO-on-TCP", "\"slot\": 2", "device 'D': ip: is missing; add it"},
        {"ModbusTCP", "\"ip\": \"h\", \"rack\": 1",
         "device 'D': rack: is for ISO-on-TCP; it does not count for ModbusTCP, remove it"},
        {"ModbusTCP", "\"ip\": \"h\", \"slot\": 1", "slot: is for ISO-on-TCP and EtherNet/IP; it"},
        {"ModbusTCP", "\"ip\": \"h\", \"rack\": 0, \"connected\": true, \"url\": \"\"", ""},
        {"EtherNet/IP", "\"ip\": \"h\", \"route\": \"1,0,2,192.168.1.5\"", ""},
        {"EtherNet/IP", "\"ip\": \"h\", \"route\": \"1\"", "device 'D': route: '1' is no path"},
        {"EtherNet/IP", "\"ip\": \"h\", \"route\": \"1,3\", \"slot\": 2",
         "device 'D': slot: does not count beside route"},
        {"OPCUA", "\"ip\": \"h\"", ""},
        {"OPCUA", "\"url\": \"opc.tcp://[::1]:4841/x\"", ""},
        {"OPCUA", "\"slave\": 1", "device 'D': ip: is missing; add it, or url"},
        {"OPCUA", "\"url\": \"plc:4840\"", "device 'D': url: 'plc:4840' does not begin with"},
        {"OPCUA", "\"url\": \"opc.tcp://h\", \"ip\": \"h\"",
         "device 'D': ip: and url are both there; keep one"},
        {"OPCUA", "\"url\": \"opc.tcp://h\", \"port\": 4841", "port: does not count beside url"},
        {"OPCUA",
         "\"ip\": \"h\", \"auth\": \"Username/Password\", \"username\": \"u\", "
         "\"password_file\": \"user.password\"",
         ""},
        {"OPCUA",
         "\"ip\": \"h\", \"auth\": \"Username/Password\", \"password_file\": \"user.password\"",
         "device 'D': username: is missing; auth Username/Password needs it"},
        {"OPCUA", "\"ip\": \"h\", \"auth\": \"Username/Password\", \"username\": \"u\"",
         "device 'D': password_file: is missing; auth Username/Password needs it"},
        {"OPCUA", "\"ip\": \"h\", \"username\": \"u\"",
         "device 'D': username: does not count with auth Anonymous; remove it"},
        {"OPCUA",
         "\"ip\": \"h\", \"auth\": \"Certificate\", \"cert\": \"a.pem\", \"key\": \"a.key\"", ""},
        {"OPCUA", "\"ip\": \"h\", \"auth\": \"Certificate\", \"cert\": \"a.pem\"",
         "device 'D': key: is missing; auth Certificate needs it"},
        {"OPCUA",
         "\"ip\": \"h\", \"auth\": \"Certificate\", \"cert\": \"b.pem\", \"key\": \"a.key\"",
         "b.pem cannot be read: No such file or directory; copy the file there"},
        {"OPCUA", "\"ip\": \"h\", \"security_policy\": \"None\"", ""},
        {"OPCUA", "\"ip\": \"h\", \"security_policy\": \"None\", \"security_mode\": \"None\"", ""},
        {"OPCUA", "\"ip\": \"h\", \"security_policy\": \"None\", \"security_mode\": \"Sign\"",
         "device 'D': security_mode: Sign needs a policy to do it by, and security_policy is None"},
        {"OPCUA",
         "\"ip\": \"h\", \"security_policy\": \"Basic256Sha256\", \"security_mode\": \"None\"",
         "device 'D': security_mode: None leaves security_policy Basic256Sha256 nothing to do"},
        {"OPCUA",
         "\"ip\": \"h\", \"security_policy\": \"None\", \"auth\": \"Username/Password\", "
         "\"username\": \"u\", \"password_file\": \"user.password\"",
         "security_policy: None: whoever listens on the network can read the password"},
        {"OPCUA",
         "\"ip\": \"h\", \"security_mode\": \"None\", \"auth\": \"Certificate\", "
         "\"cert\": \"a.pem\", \"key\": \"a.key\"",
         "auth: Certificate needs a secured connection"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char json[1024];
        snprintf(json, sizeof json,
                 "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"%s\", "
                 "%s}]}",
                 cases[i].protocol, cases[i].keys);
        expect(json, cases[i].expected, true);
    }
}

#define CLOUD                                                                                      \
    "\"cloud\": {\"enable\": false, \"type\": \"Standard MQTT\", \"endpoint\": \"e\", "            \
    "\"client_id\": \"c\", \"password_file\": \"user.password\", \"key\": \"cloud.key\"}"
#define OPCUA(more)                                                                                \
    "{\"version\": 1, " CLOUD ", \"devices\": [{\"device_name\": \"D\", \"protocol\": \"OPCUA\", " \
    "\"ip\": \"h\", " more "}]}"

static void an_address_of_another_protocol_is_none(void **state) {
    expect("{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ISO-on-TCP\", "
           "\"url\": \"opc.tcp://h\"}]}",
           "device 'D': ip: is missing; add it", false);
}

// Else whoever sets up devices could have them sent to a server of his own.
static void secrets_of_others_stay_theirs(void **state) {
    expect(OPCUA("\"auth\": \"Username/Password\", \"username\": \"u\", \"password_file\": "
                 "\"user.password\""),
           "password_file: is the password of the cloud, which is for nobody else", true);
    expect(OPCUA("\"auth\": \"Username/Password\", \"username\": \"u\", \"password_file\": "
                 "\"cloud.key\""),
           "password_file: is the private key of the cloud", true);
    expect(OPCUA("\"auth\": \"Certificate\", \"cert\": \"a.pem\", \"key\": \"cloud.key\""),
           "key: is the private key of the cloud", true);
    expect(OPCUA("\"auth\": \"Certificate\", \"cert\": \"a.pem\", \"key\": \"a.key\", "
                 "\"password_file\": \"a.key\""),
           "password_file: is the private key; name the file", false);
}

#define EIP(name, more)                                                                            \
    "{\"device_name\": \"" name "\", \"protocol\": \"EtherNet/IP\", \"ip\": \"h\"" more "}"

static void devices_of_one_controller_agree(void **state) {
    expect(
        "{\"version\": 1, \"devices\": [" EIP("A", "") ", " EIP("B", ", \"connected\": false") "]}",
        "device 'B': connected: is false, but device 'A' is the same controller and has true",
        true);
    expect("{\"version\": 1, \"devices\": [" EIP("A", "") ", " EIP(
               "B", ", \"slot\": 1, \"connected\": false") "]}",
           "", true);
}

#define WITH(protocol, keys)                                                                       \
    "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"" protocol            \
    "\", \"ip\": \"h\"}], \"vars\": [{\"var_name\": \"v\", \"device\": \"D\", " keys "}]}"

static void variables_are_told_what_does_not_count(void **state) {
    expect(WITH("EtherNet/IP", "\"symbol\": \"A\", \"register_addr\": 5"),
           "var 'v' of device 'D': register_addr: is for ModbusTCP, ModbusRTU and ISO-on-TCP; it "
           "does not count for EtherNet/IP",
           true);
    expect(WITH("ModbusTCP", "\"data_type\": \"WORD\", \"register_addr\": 1, \"dbnumber\": 5"),
           "dbnumber: is for ISO-on-TCP; it does not count for ModbusTCP", true);
    expect(WITH("OPCUA", "\"identifier\": \"i=1\", \"dbnumber\": 0, \"symbol\": \"\""), "", true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_checked_by_their_protocol),
        cmocka_unit_test(an_address_of_another_protocol_is_none),
        cmocka_unit_test(secrets_of_others_stay_theirs),
        cmocka_unit_test(devices_of_one_controller_agree),
        cmocka_unit_test(variables_are_told_what_does_not_count),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
