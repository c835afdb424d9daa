"""The configuration over the API, with a real gateway: every resource is added, read, changed, renamed and
deleted; what is wrong is named and changes nothing; certificates, scripts, import and export."""
import contextlib
import http.client
import json
import os
import random
import re
import subprocess
import threading
import time
import urllib.parse

import pytest
from harness import BIN, Gateway, group, modbus_device, publish, serial_port, variable
from web_access import add_user, logged_in

KILLS = int(os.environ.get("PENSTOCK_KILLS", "8"))
MAIN = "def main(d, w):\n    return d\n"


def plant(modbus, **more):
    return {
        "devices": [modbus_device("PLC", modbus.port)],
        "vars": [variable("temp", "PLC", "WORD", 40001, group="fast"),
                 variable("flow", "PLC", "WORD", 40002)],
        "groups": [group(), group("fast"), {"group_name": "faults", "group_type": "alarm"}],
        "warning": [{"warn_name": "hot", "group": "faults", "quotes": 1, "device": "PLC",
                     "var_name": "temp", "condition1": "Gt", "operand1": "30000"}],
        **more,
    }


def with_message(modbus, **more):
    return plant(modbus, publish=[publish("readings", "a/b", groups=("default", "fast"))],
                 cloud={"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": 1, "client_id": "g"},
                 **more)


@pytest.fixture
def gateway(folder, modbus, cleanup):
    return cleanup(Gateway(folder, with_message(modbus), {"readings.py": MAIN}))


def at(*parts, **query):
    path = "/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def ok(gateway, method, path, body=None):
    status, answer = gateway.api(method, path, body)
    assert status == 200, (status, answer)
    return answer


def refused(gateway, status, method, path, body=None):
    before = number(gateway), file_of(gateway)
    got, problem = gateway.api(method, path, body)
    assert got == status, (got, problem)
    assert (number(gateway), file_of(gateway)) == before
    return problem


def number(gateway):
    return ok(gateway, "GET", "/revisions")["running"]


def file_of(gateway):
    return json.loads((gateway.config_dir / "penstock.json").read_text())


def object_of(gateway, block, key, name):
    return next((one for one in file_of(gateway)[block] if one[key] == name), None)


# --- over HTTPS -----------------------------------------------------------------------------------

def test_an_engineer_changes_all_but_the_web_server(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, with_message(modbus), {"readings.py": MAIN}, web=True))
    add_user(gateway, "emil", "engineer")
    web = logged_in(gateway, "emil")
    odd = "<img src=x onerror=alert(1)>\u2028 \\ 'q' \"d\" ${x} %00"
    status, _, answer = web.ask("POST", "/groups", {"group_name": odd})
    assert status == 200 and answer["revision"]["who"] == "emil", answer
    assert web.ask("GET", at("groups", odd))[2]["group_name"] == odd
    assert web.ask("DELETE", at("groups", odd))[0] == 200
    edit = {"op": "set", "block": "web", "value": {"address": "0.0.0.0"}}
    candidate = {**file_of(gateway), "web": {"address": "0.0.0.0"}}
    text = json.dumps({"files": {"penstock.json": json.dumps(candidate)}})
    upload = web.ask("POST", "/apply/upload", {"text": text})[2]["upload"]
    for method, path, body in [("PUT", "/web", {"address": "0.0.0.0"}),
                               ("POST", "/edits", {"edits": [edit]}),
                               ("POST", "/apply", {"upload": upload})]:
        status, _, problem = web.ask(method, path, body)
        assert status == 403, (path, problem)
    assert "web" not in file_of(gateway)
    ok(gateway, "POST", "/edits", {"edits": [{**edit, "value": {"session_idle_min": 45}}]})
    status, _, problem = web.ask("POST", "/revert", {})
    assert status == 403 and problem["object"] == "web"


# --- resources ------------------------------------------------------------------------------------

RESOURCES = {
    "devices": ("devices", "device_name",
                {"device_name": "New", "protocol": "ModbusTCP", "ip": "127.0.0.1", "port": 1502},
                "timeout", 0.5),
    "groups": ("groups", "group_name", {"group_name": "New", "polling_interval": 5},
               "upload_interval", 20),
    "strategies": ("warning", "warn_name",
                   {"warn_name": "New", "quotes": 1, "device": "PLC", "var_name": "temp",
                    "condition1": "Gt", "operand1": "5"}, "on_delay", 2.5),
    "publish": ("publish", "name",
                {"name": "New", "topic": "x/y", "groups": ["fast"], "main_function": "main",
                 "script_text": MAIN}, "qos", 0),
    "subscribe": ("subscribe", "name",
                  {"name": "New", "topic": "x/#", "main_function": "main",
                   "script": "scripts/readings.py"}, "timeout", 5),
    "serial": ("serial", "name", {"name": "New", "path": "/dev/null"}, "baud_rate", 19200),
}


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_from_add_to_delete(gateway, resource):
    block, key, value, changed_key, changed = RESOURCES[resource]
    added = ok(gateway, "POST", at(resource, why="test"), value)
    assert added["result"] == "applied" and added["revision"]["why"] == "test"
    one = ok(gateway, "GET", at(resource, "New"))
    options = next(table for table in ok(gateway, "GET", "/options")["blocks"]
                   if table["block"] == block)
    assert {option["key"] for option in options["options"]} <= set(one)
    for name, wanted in value.items():
        assert name == "script_text" or one[name] == wanted
    listed = ok(gateway, "GET", at(resource, search="new"))
    assert [row[key] for row in listed["items"]] == ["New"] and listed["total"] == 1
    # The whole object back with one key changed, as a form does.
    ok(gateway, "PUT", at(resource, "New"), {**one, changed_key: changed})
    assert object_of(gateway, block, key, "New")[changed_key] == changed
    assert ok(gateway, "GET", at(resource, "New"))[changed_key] == changed
    ok(gateway, "PUT", at(resource, "New"), {**one, key: "Other name"})
    assert gateway.api("GET", at(resource, "New"))[0] == 404
    assert changed_key not in object_of(gateway, block, key, "Other name")
    assert ok(gateway, "DELETE", at(resource, "Other name"))["result"] == "applied"
    assert object_of(gateway, block, key, "Other name") is None
    problem = refused(gateway, 404, "DELETE", at(resource, "Other name"))
    assert "Other name" in problem["object"]


def test_a_variable_from_add_to_delete(gateway):
    value = {"var_name": "level", "data_type": "WORD", "register_addr": 40003, "unit": "m"}
    ok(gateway, "POST", at("devices", "PLC", "variables"), value)
    one = ok(gateway, "GET", at("devices", "PLC", "variables", "level"))
    assert one["unit"] == "m" and one["group"] == "default" and one["register_bit"] is None
    ok(gateway, "PUT", at("devices", "PLC", "variables", "level"), {**one, "var_name": "a/b & c"})
    gateway.cli("tags")
    assert ("PLC", "a/b & c") in gateway.tags()
    ok(gateway, "DELETE", at("devices", "PLC", "variables", "a/b & c"))
    assert ("PLC", "a/b & c") not in gateway.tags()


def test_single_blocks(gateway):
    cloud = ok(gateway, "GET", "/cloud")
    assert cloud["keepalive"] == 60 and cloud["client_id"] == "g"
    ok(gateway, "PUT", "/cloud", {**cloud, "keepalive": 90})
    assert file_of(gateway)["cloud"]["keepalive"] == 90
    parameters = ok(gateway, "GET", "/parameters")
    assert parameters["custom"] == {} and parameters["catch_recording"] == 100000
    ok(gateway, "PUT", "/parameters", {**parameters, "custom": {"site": "north", "api_token": "abc"}})
    parameters = ok(gateway, "GET", "/parameters")
    assert parameters["custom"] == {"site": "north", "api_token": None}
    ok(gateway, "PUT", "/parameters", {**parameters, "gateway_sn": "7"})
    assert file_of(gateway)["parameters"] == {"gateway_sn": "7",
                                              "custom": {"site": "north", "api_token": "abc"}}


def test_a_cloud_that_nobody_has_set_up(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, plant(modbus)))
    cloud = ok(gateway, "GET", "/cloud")
    assert (cloud["enable"], cloud["keepalive"], cloud["port"], cloud["endpoint"]) == (
        False, 60, None, "")
    ok(gateway, "PUT", "/cloud", {**cloud, "type": "Standard MQTT", "endpoint": "broker.example",
                                  "client_id": "g"})
    assert file_of(gateway)["cloud"] == {"enable": False, "type": "Standard MQTT",
                                         "endpoint": "broker.example", "client_id": "g"}


def test_the_web_server(gateway):
    web = ok(gateway, "GET", "/web")
    assert web["address"] == "127.0.0.1" and web["session_idle_min"] == 30
    ok(gateway, "PUT", "/web", {**web, "session_idle_min": 45})
    assert file_of(gateway)["web"] == {"session_idle_min": 45}
    problem = refused(gateway, 422, "PUT", "/web", {**web, "address": "everywhere"})
    assert (problem["object"], problem["field"]) == ("web", "address")


def test_lists_have_pages_and_an_order(gateway):
    ok(gateway, "POST", "/edits", {"edits": [
        {"op": "put", "block": "groups", "value": {"group_name": f"g{n:03}"}} for n in range(120)]})
    page = ok(gateway, "GET", at("groups", search="g", offset=100, limit=1000))
    assert page["total"] > 120 - 1 and page["offset"] == 100
    names = [row["group_name"] for row in ok(gateway, "GET", at("groups", search="g0", sort="-name",
                                                              limit=3))["items"]]
    assert names == ["g099", "g098", "g097"]
    assert len(ok(gateway, "GET", "/groups")["items"]) == 50
    assert gateway.api("GET", "/groups?limit=0")[0] == 400
    assert gateway.api("GET", "/groups?colour=red")[0] == 400


def test_references_follow_and_keep_it(gateway, modbus):
    ok(gateway, "PUT", at("devices", "PLC"),
       {"device_name": "Press", "protocol": "ModbusTCP", "ip": "127.0.0.1", "port": modbus.port})
    ok(gateway, "PUT", at("groups", "fast"), {"group_name": "quick", "polling_interval": 0.2,
                                              "upload_interval": 0.2})
    file = file_of(gateway)
    assert {one["device"] for one in file["vars"]} == {"Press"}
    assert file["warning"][0]["device"] == "Press" and file["vars"][0]["group"] == "quick"
    assert file["publish"][0]["groups"] == ["default", "quick"]
    problem = refused(gateway, 409, "DELETE", at("devices", "Press"))
    assert "2 variables" in problem["detail"] and "1 alarm ('hot')" in problem["detail"]
    problem = refused(gateway, 409, "DELETE", at("groups", "default"))
    assert "always there" in problem["detail"]
    ok(gateway, "DELETE", at("devices", "Press", cascade="true"))
    file = file_of(gateway)
    assert (file["devices"], file["vars"], file["warning"]) == ([], [], [])


def test_mistakes_name_object_and_field(gateway):
    cases = [
        ("POST", "/devices", {"device_name": "X", "protocol": "ModbusTCP", "ip": "h", "port": 70000},
         422, "device 'X'", "port"),
        ("POST", "/devices", {"device_name": "X", "protocol": "Profibus"}, 422, "device 'X'",
         "protocol"),
        ("POST", "/devices", {"device_name": "X", "protocol": "ModbusTCP", "colour": 1}, 422,
         "device 'X'", "colour"),
        ("POST", "/devices", {"device_name": "PLC", "protocol": "ModbusTCP", "ip": "h"}, 409,
         "device 'PLC'", "device_name"),
        ("PUT", "/groups/fast", {"group_name": "fast", "polling_interval": "1"}, 422,
         "group 'fast'", "polling_interval"),
        # What only the whole can show:
        ("POST", "/devices/PLC/variables",
         {"var_name": "x", "data_type": "WORD", "register_addr": 99999}, 422,
         "var 'x' of device 'PLC'", "register_addr"),
        ("POST", "/strategies", {"warn_name": "x", "quotes": 1, "device": "PLC", "var_name": "none",
                                 "condition1": "Gt", "operand1": "1"}, 422, "alarm 'x'", "var_name"),
        ("POST", "/publish", {"name": "x", "topic": "a/#", "groups": ["fast"],
                              "main_function": "main", "script": "scripts/readings.py"}, 422,
         "publish 'x'", "topic"),
    ]
    for method, path, body, status, named, field in cases:
        problem = refused(gateway, status, method, path, body)
        assert (problem["object"], problem["field"]) == (named, field), problem
    assert gateway.api("POST", "/devices", [1])[0] in (400, 422)


def test_all_or_nothing(gateway):
    edits = [{"op": "set", "block": "groups", "name": "fast", "value": {"polling_interval": 1}},
             {"op": "set", "block": "vars", "device": "PLC", "name": "temp", "value": {"size": 0}},
             {"op": "set", "block": "vars", "device": "PLC", "name": "flow", "value": {"unit": 5}}]
    problem = refused(gateway, 422, "POST", "/edits", {"edits": edits})
    assert {(finding["object"], finding["field"]) for finding in problem["findings"]} == {
        ("var 'temp' of device 'PLC'", "size"), ("var 'flow' of device 'PLC'", "unit")}
    dry = ok(gateway, "POST", "/edits", {"edits": edits[:1], "dry_run": True})
    assert dry["result"] == "dry_run" and "polling_interval" in json.dumps(dry["difference"])
    assert number(gateway) == 1


def test_two_people(gateway):
    first = {"edits": [{"op": "set", "block": "groups", "name": "fast",
                        "value": {"polling_interval": 1}}], "base": 1}
    second = {"edits": [{"op": "set", "block": "devices", "name": "PLC", "value": {"timeout": 2}}],
              "base": 1}
    assert ok(gateway, "POST", "/edits", first)["revision"]["number"] == 2
    problem = refused(gateway, 409, "POST", "/edits", second)
    assert problem["field"] == "base"
    assert "revision 2 runs since" in problem["detail"] and "1 group changed" in problem["detail"]
    assert ok(gateway, "POST", "/edits", {**second, "base": 2})["revision"]["number"] == 3


def test_ten_thousand_at_once(gateway):
    edits = [{"op": "put", "block": "vars", "device": "PLC",
              "value": {"var_name": f"v{n:05}", "data_type": "WORD",
                        "register_addr": 40001 + n % 60000}} for n in range(10000)]
    answer = ok(gateway, "POST", "/edits", {"edits": edits})
    assert "10000 variables added" in answer["difference"]["summary"]
    moves = [{"op": "set", "block": "vars", "device": "PLC", "name": f"v{n:05}",
              "value": {"group": "fast"}} for n in range(10000)]
    assert ok(gateway, "POST", "/edits", {"edits": moves})["result"] == "applied"
    gone = [{"op": "delete", "block": "vars", "device": "PLC", "name": f"v{n:05}"}
            for n in range(10000)]
    assert ok(gateway, "POST", "/edits", {"edits": gone})["result"] == "applied"
    assert len(file_of(gateway)["vars"]) == 2
    assert ok(gateway, "POST", "/revert", {})["result"] == "applied"
    assert len(file_of(gateway)["vars"]) == 10002


# --- scripts --------------------------------------------------------------------------------------

def test_scripts(gateway):
    path = at("scripts", "file", path="scripts/readings.py")
    assert ok(gateway, "GET", path)["text"] == MAIN
    problem = refused(gateway, 422, "PUT", path, {"text": "x = 1\ndef main(d, w:\n    return d\n"})
    assert "line 2" in problem["detail"] + problem["object"] + problem["field"], problem
    assert ok(gateway, "GET", path)["text"] == MAIN
    better = "def main(d, w):\n    return [d]\n"
    saved = ok(gateway, "PUT", path, {"text": better})
    assert "1 script changed" in saved["difference"]["summary"]
    assert (gateway.config_dir / "scripts/readings.py").read_text() == better
    for path in ("../x.py", "/etc/passwd", "penstock.json", "certs/key.pem", "scripts/.x.py"):
        assert gateway.api("GET", at("scripts", "file", path=path))[0] in (404, 422), path
        refused(gateway, 422, "PUT", at("scripts", "file", path=path), {"text": "x"})
    gateway.write_script("spare.py", "x = 1\n")
    rows = {row["path"]: row for row in ok(gateway, "GET", "/scripts")["items"]}
    assert rows["scripts/readings.py"]["used_by"] == ["readings"]
    assert rows["scripts/spare.py"] == {"path": "scripts/spare.py", "bytes": 6, "used_by": []}
    ok(gateway, "POST", "/edits", {"edits": [{"op": "file", "path": "scripts/spare.py",
                                             "text": None}]})
    assert not (gateway.config_dir / "scripts/spare.py").exists()


def test_a_script_that_was_saved_meanwhile_stays(gateway):
    newer = "def main(d, w):\n    return {'newer': 1}\n"
    gateway.write_script("readings.py", newer)
    ok(gateway, "PUT", at("groups", "fast"), {"group_name": "fast", "polling_interval": 3})
    assert (gateway.config_dir / "scripts/readings.py").read_text() == newer
    assert number(gateway) == 2


def test_what_is_being_written_in_the_folder_is_kept(gateway, modbus):
    gateway.write(with_message(modbus, serial=[serial_port("/dev/null")]), {})
    ok(gateway, "PUT", at("groups", "fast"), {"group_name": "fast", "polling_interval": 3})
    assert "serial" not in file_of(gateway)
    kept = json.loads((gateway.config_dir / "penstock.json.edited-before-2").read_text())
    assert kept["serial"][0]["path"] == "/dev/null"


# --- certificates ---------------------------------------------------------------------------------

def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj",
            "/O=Works/CN=root", "-days", 365)
    openssl("req", *curve, "-keyout", folder / "device.key", "-out", folder / "device.csr", "-subj",
            "/CN=gateway 7")
    openssl("x509", "-req", "-in", folder / "device.csr", "-CA", folder / "ca.pem", "-CAkey",
            folder / "ca.key", "-out", folder / "device.pem", "-days", 30)
    openssl("pkey", "-in", folder / "device.key", "-aes128", "-passout", "pass:x", "-out",
            folder / "locked.key")
    openssl("x509", "-in", folder / "device.pem", "-outform", "der", "-out", folder / "device.der")
    return folder


def upload(gateway, pki, name, file=None):
    return ok(gateway, "POST", "/certificates",
              {"name": name, "text": (pki / (file or name)).read_text()})


def test_certificates(gateway, pki):
    assert upload(gateway, pki, "device.pem")["problem"] is None
    key = upload(gateway, pki, "device.key")
    assert key["kind"] == "key" and key["fits"] == ["certs/device.pem"]
    upload(gateway, pki, "ca.pem")
    for name in ("device.pem", "device.key"):
        assert (gateway.config_dir / "certs" / name).stat().st_mode & 0o777 == 0o600
    answer = ok(gateway, "GET", "/certificates")
    rows = {row["path"]: row for row in answer["items"]}
    assert rows["certs/ca.pem"]["kind"] == "root"
    device = rows["certs/device.pem"]
    assert device["kind"] == "certificate" and device["subject"] == "CN=gateway 7"
    assert device["issuer"] == "CN=root,O=Works" and 28 <= device["days_left"] <= 30
    assert device["fits"] == ["certs/device.key"] and len(device["fingerprint"]) == 95
    assert "PRIVATE" not in json.dumps(answer)
    secret = (pki / "device.key").read_text().splitlines()[1]
    assert secret not in json.dumps(answer) and secret not in gateway.program.text()
    # In use it cannot go.
    cloud = ok(gateway, "GET", "/cloud")
    ok(gateway, "PUT", "/cloud", {**cloud, "enable": False, "type": "AWS IoT", "endpoint": "x.example",
                                  "port": 8883, "cert": "certs/device.pem",
                                  "key": "certs/device.key", "root_ca": "certs/ca.pem"})
    rows = {row["path"]: row for row in ok(gateway, "GET", "/certificates")["items"]}
    assert rows["certs/device.key"]["used_by"] == ["cloud: key"]
    problem = refused(gateway, 409, "DELETE", at("certificates", "device.key"))
    assert "cloud: key" in problem["detail"]
    ok(gateway, "PUT", "/cloud", cloud)
    ok(gateway, "DELETE", at("certificates", "device.key"))
    assert not (gateway.config_dir / "certs/device.key").exists()
    assert gateway.api("DELETE", at("certificates", "device.key"))[0] == 404


def test_what_is_no_certificate_is_told_what_it_is(gateway, pki):
    cases = {
        "device.csr": "request for a certificate",
        "locked.key": "passphrase",
    }
    texts = {name: (pki / name).read_text() for name in cases}
    texts["page.pem"] = "<!DOCTYPE html><html><body>Sign in</body></html>"
    texts["der.pem"] = (pki / "device.der").read_bytes().decode("utf-8", "replace").replace("\0", "\ufffd")
    texts["cut.pem"] = (pki / "device.pem").read_text()[:300]
    texts["both.pem"] = (pki / "device.pem").read_text() + (pki / "device.key").read_text()
    cases.update({"page.pem": "web page", "der.pem": "DER", "cut.pem": "cut off",
                  "both.pem": "two files"})
    for name, words in cases.items():
        problem = refused(gateway, 422, "POST", "/certificates", {"name": name, "text": texts[name]})
        assert words in problem["detail"] and problem["object"] == name, problem
        assert not (gateway.config_dir / "certs" / name).exists()
    for name in ("../x.pem", "a/b", ".x", "", "x" * 101):
        status, _ = gateway.api("POST", "/certificates",
                                {"name": name, "text": (pki / "ca.pem").read_text()})
        assert status in (400, 422), name


# --- CSV ------------------------------------------------------------------------------------------

def test_the_preview_is_what_the_import_does(gateway, folder):
    exported = ok(gateway, "GET", at("export", "variables", device="PLC")).decode("utf-8-sig")
    assert exported.count("\r\n") == 3
    changed = exported.replace("flow,", "flow2,")
    broken = changed + "bad,PLC,ModbusTCP,40001,0,NOTYPE,read,2,realtime,,1,,default\r\n"
    path = folder / "var.csv"
    path.write_bytes(b"\xef\xbb\xbf" + broken.encode())
    files = [{"name": "var.csv", "text": broken}]
    preview = ok(gateway, "POST", "/import", {"files": files, "dry_run": True, "skip_bad": True})
    shown = json.loads(gateway.cli("import", path, "--config", gateway.config_dir, "--dry-run",
                                   "--skip-bad", "--json").stdout)
    for part in ("files", "rows", "notes"):
        assert preview[part] == shown[part]
    assert preview["written"] is False and number(gateway) == 1
    assert [row["state"] for row in preview["rows"]] == ["unchanged", "added", "not taken"]
    problem = refused(gateway, 422, "POST", "/import", {"files": files})
    assert problem["findings"][0]["object"] == "var.csv: line 4"
    done = ok(gateway, "POST", "/import", {"files": files, "skip_bad": True, "why": "new list"})
    assert done["written"] is True and done["rows"] == preview["rows"]
    assert done["difference"]["summary"] == preview["difference"]["summary"]
    assert {one["var_name"] for one in file_of(gateway)["vars"]} == {"temp", "flow", "flow2"}
    again = ok(gateway, "POST", "/import", {"files": files, "skip_bad": True})
    assert again["written"] is False and "nothing to change" in again["reason"]


def test_export_is_what_the_command_line_writes(gateway):
    for kind in ("devices", "variables", "groups", "alarms"):
        text = subprocess.run([str(BIN / "penstock"), "export", kind, "--config",
                               str(gateway.config_dir)], capture_output=True, check=True).stdout
        assert ok(gateway, "GET", at("export", kind)) == text
    assert gateway.api("GET", "/export/scripts")[0] in (400, 404, 422)



# --- the worst ------------------------------------------------------------------------------------

def edit_and_kill(gateway, body, seconds):
    """Asks for the edits and kills the gateway a moment later, whatever has come of them."""
    def ask():
        with contextlib.suppress(OSError, http.client.HTTPException):
            gateway.api("POST", "/edits", body)
    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(seconds)  # the moment, which is the test's point
    gateway.kill()
    asking.join(30)


def test_killed_while_it_is_edited(gateway):
    """Afterwards all of the edits are there or none, in what runs and in the folder. (10 is a default.)"""
    def edits(version):
        return {"edits": [
            {"op": "set", "block": "groups", "name": "fast", "value": {"polling_interval": version}},
            {"op": "set", "block": "devices", "name": "PLC", "value": {"timeout": version}},
            {"op": "file", "path": "scripts/readings.py",
             "text": f"VERSION = {version}\n" + MAIN}]}

    def versions():
        file = file_of(gateway)
        text = (gateway.config_dir / "scripts/readings.py").read_text()
        group_now = ok(gateway, "GET", at("groups", "fast"))["polling_interval"]
        return {file["groups"][1]["polling_interval"], file["devices"][0]["timeout"], group_now,
                ok(gateway, "GET", at("devices", "PLC"))["timeout"],
                int(re.search(r"VERSION = (\d+)", text).group(1))}

    start = time.monotonic()
    ok(gateway, "POST", "/edits", edits(11))
    took = time.monotonic() - start
    chance = random.Random(int(os.environ.get("PENSTOCK_SEED", time.time())))
    now = 11
    for wanted in range(12, 12 + KILLS):
        edit_and_kill(gateway, edits(wanted), chance.uniform(0, took * 1.2))
        gateway.start()
        found = versions()
        assert found in ({now}, {wanted}), found
        now = found.pop()
    ok(gateway, "POST", "/edits", edits(50))
    assert versions() == {50}
