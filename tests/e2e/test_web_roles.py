"""Each role against each operation of the API's own document: what is measured is written as a table,
and docs/api-roles.md must be that table (PENSTOCK_WRITE_DOCS=1 writes it)."""

import json
import os
import pathlib

import pytest

import harness
from harness import Gateway, publish
from web_access import ROLES, Web, add_token, add_user, fill, logged_in, operations

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/api-roles.md"
BUILT = harness.BIN.parent / "api-roles.md"

MARKER = "planted-in-a-script"

HEAD = """# Who may call what

Measured: each role has called each operation of the API over HTTPS (`tests/e2e/test_web_roles.py` writes this table and holds it true).
"yes": not refused for want of a role; "-": 403; "log in": 401. *socket*: on the Unix socket only. [access.md](access.md) says what the roles
are for, [api.md](api.md) what the operations do.

| operation | nobody | viewer | operator | engineer | administrator |
|---|---|---|---|---|---|
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    config = {"devices": [], "publish": [publish("one", "t")],
              "cloud": {"enable": False, "endpoint": "h", "client_id": "c"}}
    scripts = {"one.py": f"WORD = '{MARKER}'\n\n\ndef main(data, api):\n    return 1\n"}
    gateway = Gateway(tmp_path_factory.mktemp("roles"), config, scripts, web=True)
    add_user(gateway, "anna", "administrator")
    yield gateway
    gateway.stop()


def verdict(web, method, path):
    """What an operation says to somebody, asked in a way that changes nothing."""
    status, problem = web.status_of(method, fill(path), {"no such member": 1} if
                                    method in ("POST", "PUT") else None)
    if status == 401 and problem["field"] == "Authorization":
        return "log in"
    if status == 403 and problem["field"] == "role":
        return "-"
    return "yes"


def measure(gateway):
    clients = [Web(gateway)] + [Web(gateway, token=add_token(gateway, f"all-{role}", role))
                                for role in ROLES]
    rows = {}
    for method, path, operation in operations(gateway):
        name = f"`{method} {path}`"
        status, _ = clients[-1].status_of(method, fill(path), None)
        if status == 404 and operation.get("x-unix-only"):
            rows[name] = ["socket"] * 5
        else:
            rows[name] = [verdict(web, method, path) for web in clients]
    for web in clients:
        web.close()
    return rows


def test_each_role_against_each_operation(gateway):
    rows = measure(gateway)
    assert len(rows) > 60
    table = HEAD + "".join(f"| {name} | {' | '.join(row)} |\n" for name, row in sorted(rows.items()))
    BUILT.write_text(table)
    for (method, path, operation) in operations(gateway):
        row = rows[f"`{method} {path}`"]
        role = operation["x-role"]
        if row[0] == "socket":
            continue
        if role == "none":
            assert row == ["yes"] * 5, (method, path)
            continue
        first = ROLES.index(role)
        assert row == ["log in"] + ["-"] * first + ["yes"] * (4 - first), (method, path, row)
    if os.environ.get("PENSTOCK_WRITE_DOCS") == "1":
        DOCUMENT.write_text(table)
    assert DOCUMENT.read_text() == table, f"copy {BUILT} to {DOCUMENT}"


def test_only_what_must_be_is_public(gateway):
    public = {(method, path) for method, path, operation in operations(gateway)
              if operation["x-role"] == "none"}
    assert public == {("GET", "/setup"), ("POST", "/setup"), ("POST", "/session")}


def test_each_change_of_a_session_needs_its_csrf_value(gateway):
    web = logged_in(gateway, "anna")
    web.csrf = None
    for method, path, operation in operations(gateway):
        if method == "GET" or operation["x-role"] == "none":
            continue
        status, problem = web.status_of(method, fill(path), {} if method != "DELETE" else None)
        assert status == 403 and problem["field"] == "X-CSRF-Token", (method, path, status)
    web.close()
    assert web.ask("GET", "/session")[0] == 200


def test_a_method_that_is_none_of_a_path_is_said(gateway):
    web = Web(gateway, token=add_token(gateway, "methods", "administrator"))
    there = {}
    for method, path, _ in operations(gateway):
        there.setdefault(path, set()).add(method)
    for path, methods in there.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - methods:
            status, _ = web.status_of(method, fill(path))
            assert status in (404, 405), (method, path, status)
        status, headers, _ = web.ask("PATCH", fill(path))
        if status == 405:
            allowed = {word.strip() for word in headers["Allow"].split(",")}
            assert methods == allowed - {"HEAD"}, path
    web.close()


def test_a_viewer_sees_no_contents_of_scripts(gateway):
    """Whatever a viewer may read, also of the revision in which a script changed."""
    engineer = Web(gateway, token=add_token(gateway, "changes", "engineer"))
    text = f"WORD = '{MARKER} again'\n\n\ndef main(data, api):\n    return 2\n"
    assert engineer.ask("PUT", "/scripts/file?path=scripts/one.py", {"text": text})[0] == 200
    assert MARKER in engineer.ask("GET", "/scripts/file?path=scripts/one.py")[2]["text"]
    viewer = Web(gateway, token=add_token(gateway, "looks", "viewer"))
    seen = 0
    for method, path, _ in operations(gateway):
        if method != "GET" or path == "/events":
            continue
        for value in ("one", "1", "2", "default"):
            status, _, answer = viewer.ask("GET", fill(path, value) + "?limit=1000"
                                           if path == "/log" else fill(path, value))
            text = answer.decode(errors="replace") if isinstance(answer, bytes) else json.dumps(answer)
            assert MARKER not in text, path
            seen += status == 200
            if "{" not in path:
                break
    assert seen > 30
