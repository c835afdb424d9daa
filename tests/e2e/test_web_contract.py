"""The REST API against its own OpenAPI document: every operation is called with what the document
allows and with what it forbids; answers fit its schemas, no status is one that it does not name."""
import copy
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import urllib.parse

import jsonschema
import pytest
from harness import (BIN, Cloud, Gateway, LocalConnection, ModbusServer, ask, cloud_block, group,
                     modbus_device, publish, variable, wait_for)

MAIN = "def main(data, api):\n    return data\n"
# Streams have no end; their tests are in test_web_live.py.
WITHOUT_END = {"readEvents"}


def document():
    return json.loads(subprocess.run([BIN / "penstockd", "--openapi"], capture_output=True, check=True,
                                     timeout=60).stdout)


DOCUMENT = document()


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


OPERATIONS = list(operations())
IDS = [operation["operationId"] for _, _, operation in OPERATIONS]


def check(value, schema):
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def body_schema(operation):
    body = operation.get("requestBody")
    return body["content"]["application/json"]["schema"] if body else None


def example(schema):
    """Something that the schema allows, as small as it can be."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", [])
                if name in schema.get("properties", {})}
    if kind == "array":
        return [example(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    if kind == "string":
        return "x" * max(schema.get("minLength", 1), 1)
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), 1)
    return False


# What there is in the gateway below, by operation: what is asked for there is found.
NAMES = {"/devices/{name}": "D", "/groups/{name}": "default", "/strategies/{name}": "hot",
         "/publish/{name}": "p", "/subscribe/{name}": "s", "/serial/{name}": "RS485"}
PATHS = {"device": "D", "name": "v", "number": "1", "kind": "devices", "user": "anna", "id": "x"}
GOOD = {  # operation: (path values, query, body); the answer must be 200
    "getDevice": ({}, {}, None),
    "getGroup": ({}, {}, None),
    "getPublish": ({}, {}, None),
    "getSubscribe": ({}, {}, None),
    "getStrategy": ({}, {}, None),
    "getSerial": ({}, {}, None),
    "getVariable": ({}, {}, None),
    "writeVariable": ({}, {}, {"value": "7"}),
    "addDevice": ({}, {"dry_run": "true"}, {"device_name": "E", "protocol": "ModbusTCP", "ip": "127.0.0.1"}),
    "addGroup": ({}, {"dry_run": "true"}, {"group_name": "g", "group_type": "collect", "polling_interval": 1}),
    "putParameters": ({}, {"dry_run": "true"}, {"log_level": "DEBUG"}),
    "putWeb": ({}, {"dry_run": "true"}, {"port": 9444}),
    "edit": ({}, {}, {"edits": [{"op": "set", "block": "devices", "name": "D", "value": {"timeout": 2}}],
                      "dry_run": True}),
    "apply": ({}, {}, {"dry_run": True}),
    "getTrend": ({}, {"device": "D", "name": "v"}, None),
    "explainVariable": ({}, {"device": "D", "name": "v"}, None),
    "readBytes": ({}, {"bytes": "41B40000"}, None),
    "listVariables": ({}, {"sort": "-value", "limit": "5", "search": "v"}, None),
    "listTags": ({}, {"device": "D"}, None),
    "addWatch": ({}, {}, {"variables": [["D", "v"]]}),
    "setLogLevel": ({}, {}, {"level": "INFO", "seconds": 60}),
    "getScript": ({}, {"path": "scripts/p.py"}, None),
    "putScript": ({}, {"path": "scripts/p.py", "dry_run": "true"}, {"text": MAIN + "# other\n"}),
    "export": ({"kind": "devices"}, {}, None),
    "getRevision": ({"number": "1"}, {}, None),
    "runScript": ({}, {}, {"source": MAIN, "main_function": "main"}),
    "putCloudPassword": ({}, {}, {"password": "s3cret"}),
    "startCanary": ({}, {}, {"name": "p", "source": MAIN, "calls": 1}),
}


def config(modbus, cloud):
    return {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("v", "D", "WORD", 40001, read_write="read/write")],
        "groups": [group(polling=0.2, upload=0.2),
                   {"group_name": "faults", "group_type": "alarm", "polling_interval": 1}],
        "warning": [{"warn_name": "hot", "group": "faults", "quotes": 1, "device": "D", "var_name": "v",
                     "condition1": "Gt", "operand1": "30000"}],
        "cloud": cloud_block(cloud), "publish": [publish("p", "p")],
        "subscribe": [{"name": "s", "topic": "s", "main_function": "main", "script": "scripts/p.py"}],
        "serial": [{"name": "RS485", "path": "/dev/null"}]}


@pytest.fixture(scope="module")
def rig(certificates):
    """One gateway for all operations; what they change is small, or only tried."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pe-"))
    shutil.copytree(certificates, folder / "cloud", symlinks=True)
    cloud = Cloud(folder / "cloud")
    modbus = ModbusServer()
    gateway = Gateway(folder, config(modbus, cloud), {"p.py": MAIN})
    wait_for(lambda: gateway.tags()["D", "v"]["status"] == 1, "a value")
    yield gateway
    gateway.stop()
    modbus.stop()
    cloud.stop()
    shutil.rmtree(folder, ignore_errors=True)


def target(path, values, query=None):
    for name, value in {**PATHS, "name": NAMES.get(path, "v"), **values}.items():
        path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def call(gateway, method, path, body=None, headers=None):
    connection = LocalConnection(gateway.socket)
    try:
        return ask(connection, method, path, body, headers)
    finally:
        connection.close()


def fits(operation, status, headers, answer):
    """The answer is one that the document names."""
    name = operation["operationId"]
    assert str(status) in operation["responses"], f"{name}: {status} is not named: {answer}"
    content = operation["responses"][str(status)]["content"]
    kind = headers["Content-Type"].split(";")[0]
    assert kind in content, f"{name}: {kind}"
    if "json" in kind:
        check(answer, content[kind]["schema"])
    if status >= 400:
        assert answer["status"] == status and answer["detail"] and answer["class"] != "ok", answer
    assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"


def refused(gateway, operation, status, method, path, body=None, headers=None):
    got, answer_headers, answer = call(gateway, method, path, body, headers)
    assert got in (status if isinstance(status, tuple) else (status,)), \
        f"{operation['operationId']} {path} {body!r}: {got} {answer}"
    fits(operation, got, answer_headers, answer)
    return answer


def test_the_document_is_openapi_and_whole():
    assert DOCUMENT["openapi"].startswith("3.1") and len(set(IDS)) == len(IDS)
    for method, path, operation in OPERATIONS:
        name = operation["operationId"]
        assert operation["summary"].endswith("."), name
        assert operation["x-role"] in ("none", "viewer", "operator", "engineer", "administrator"), name
        wanted = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert wanted == {row["name"] for row in operation["parameters"] if row["in"] == "path"}, name
        for row in operation["parameters"]:
            jsonschema.Draft202012Validator.check_schema(row["schema"])
        schemas = [body_schema(operation) or {}]
        for response in operation["responses"].values():
            schemas += [media["schema"] for media in response["content"].values()]
        for schema in schemas:
            jsonschema.Draft202012Validator.check_schema(schema)
            for reference in json.dumps(schema).split('"$ref": "')[1:]:
                assert reference.split('"')[0].rsplit("/", 1)[1] in DOCUMENT["components"]["schemas"]
        assert (method in ("GET", "DELETE")) <= ("requestBody" not in operation), name


def test_the_gateway_gives_the_document_and_a_page_about_it(rig):
    status, _, answer = call(rig, "GET", "/openapi.json")
    assert status == 200 and answer == DOCUMENT
    status, headers, page = call(rig, "GET", "/reference")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    assert "script-src" not in headers["Content-Security-Policy"] and b"<script" not in page
    assert all(f'id="{name}"'.encode() in page for name in IDS)


@pytest.mark.parametrize("method, path, operation", OPERATIONS, ids=IDS)
def test_what_is_allowed_is_answered_as_documented(rig, method, path, operation):
    name = operation["operationId"]
    if name in WITHOUT_END:
        pytest.skip("has no end")
    values, query, body = copy.deepcopy(GOOD.get(name, ({}, None, None)))
    if name not in GOOD:
        query = {row["name"]: example(row["schema"]) for row in operation["parameters"]
                 if row["in"] == "query" and row["required"]}
        if any(row["name"] == "dry_run" for row in operation["parameters"]):
            query["dry_run"] = "true"
        schema = body_schema(operation)
        body = example(schema) if schema else None
    status, headers, answer = call(rig, method, target(path, values, query), body)
    fits(operation, status, headers, answer)
    assert status == 200 or name not in GOOD, (status, answer)
    plain = method == "GET" and "{" not in path and not query and name not in (
        "getSession", "getSetupCode")
    assert status == 200 or not plain, (status, answer)


@pytest.mark.parametrize("method, path, operation", OPERATIONS, ids=IDS)
def test_what_is_forbidden_is_refused(rig, method, path, operation):
    schema = body_schema(operation)
    good = example(schema) if schema else None
    plain = {row["name"]: str(example(row["schema"])) for row in operation["parameters"]
             if row["in"] == "query" and row["required"]}
    problem = refused(rig, operation, 400, method, target(path, {}, {**plain, "nonsense": "1"}), good)
    assert problem["field"] == "nonsense", problem
    for row in operation["parameters"]:
        if row["in"] != "query":
            continue
        wrong = {"integer": "1.5", "number": "many", "boolean": "maybe"}.get(row["schema"]["type"])
        wrong = "nonsense" if wrong is None and "enum" in row["schema"] else wrong
        if wrong is not None:
            problem = refused(rig, operation, 400, method,
                              target(path, {}, {**plain, row["name"]: wrong}), good)
            assert problem["field"] == row["name"], problem
        if row["required"]:
            left = {name: value for name, value in plain.items() if name != row["name"]}
            refused(rig, operation, 400, method, target(path, {}, left), good)
        if row["schema"].get("maximum", 1e15) < 1e15:
            refused(rig, operation, 400, method,
                    target(path, {}, {**plain, row["name"]: row["schema"]["maximum"] + 1}), good)


@pytest.mark.parametrize("method, path, operation",
                         [row for row in OPERATIONS if body_schema(row[2]) is None],
                         ids=[name for name, row in zip(IDS, OPERATIONS) if body_schema(row[2]) is None])
def test_no_body_where_none_is_wanted(rig, method, path, operation):
    plain = {row["name"]: str(example(row["schema"])) for row in operation["parameters"]
             if row["in"] == "query" and row["required"]}
    refused(rig, operation, (400, 413) if "413" in operation["responses"] else 400, method,
            target(path, {}, plain), {"a": 1})


WITH_BODY = [row for row in OPERATIONS if body_schema(row[2]) is not None]


@pytest.mark.parametrize("method, path, operation", WITH_BODY,
                         ids=[row[2]["operationId"] for row in WITH_BODY])
def test_wrong_bodies(rig, method, path, operation):
    schema = body_schema(operation)
    good = example(schema)
    plain = {row["name"]: str(example(row["schema"])) for row in operation["parameters"]
             if row["in"] == "query" and row["required"]}
    where = target(path, {}, plain)
    as_json = {"Content-Type": "application/json"}
    refused(rig, operation, 400, method, where, "{", as_json)
    refused(rig, operation, 400, method, where, '{"a": 1, "a": 2}', as_json)
    refused(rig, operation, 400, method, where, b'{"a": "\xff"}', as_json)
    refused(rig, operation, 415, method, where, json.dumps(good), {"Content-Type": "text/plain"})
    refused(rig, operation, 415, method, where, json.dumps(good), {})
    for wrong in ([], 5, "text", [[]]):
        refused(rig, operation, 422, method, where, json.dumps(wrong), as_json)
    if isinstance(good, dict):
        problem = refused(rig, operation, 422, method, where, {**good, "nonsense": 1})
        assert "nonsense" in json.dumps(problem), problem
    for name in schema.get("required", []):
        refused(rig, operation, 422, method, where,
                {key: value for key, value in good.items() if key != name})
    for name, member in schema.get("properties", {}).items():
        wrong = {"string": 5, "integer": "5", "number": "5", "boolean": "true", "array": {},
                 "object": []}.get(member.get("type"))
        if wrong is not None:
            problem = refused(rig, operation, 422, method, where, {**good, name: wrong})
            assert problem["field"] == name, problem


@pytest.mark.parametrize("method, path, operation", WITH_BODY,
                         ids=[row[2]["operationId"] for row in WITH_BODY])
def test_a_body_that_is_too_large_is_refused_before_it_has_come(rig, method, path, operation):
    plain = {row["name"]: str(example(row["schema"])) for row in operation["parameters"]
             if row["in"] == "query" and row["required"]}
    head = (f"{method} /api/v1{target(path, {}, plain)} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\nContent-Length: {200 << 20}\r\n\r\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(rig.socket))
        client.sendall(head.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 413")


def test_other_methods_are_refused_with_those_that_there_are(rig):
    for path, methods in DOCUMENT["paths"].items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {name.upper() for name in methods}:
            status, headers, answer = call(rig, method, target(path, {}))
            assert status == 405 and answer["status"] == 405, (method, path, status)
            allowed = set(headers["Allow"].split(", ")) - {"HEAD"}
            assert allowed == {name.upper() for name in methods}, (path, headers["Allow"])


def test_head_is_get_without_a_body(rig):
    for path in ("/status", "/metrics", "/openapi.json"):
        status, headers, answer = call(rig, "HEAD", path)
        assert status == 200 and answer == b"" and int(headers["Content-Length"]) > 100
