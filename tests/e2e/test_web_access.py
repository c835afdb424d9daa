"""Who is let in over HTTPS: the first administrator, log-in and its end, fixation, CSRF, cookies,
delays, tokens, and what must never be seen anywhere."""

import concurrent.futures
import json
import pathlib
import socket
import time
import urllib.parse

import pytest

from harness import Gateway, free_port, wait_for
from web_access import (COOKIE, PASSWORD, Clock, Web, add_token, add_user, cookie_of, listening,
                        logged_in, raw)

CONFIG = {"devices": []}


@pytest.fixture
def empty(tmp_path):
    """Nobody has an account yet."""
    gateway = Gateway(tmp_path, CONFIG, web=True)
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(empty):
    add_user(empty, "anna", "administrator")
    return empty


# --- the first administrator


def test_the_first_administrator_is_made_with_the_code(empty):
    web = Web(empty)
    assert web.ask("GET", "/setup")[2] == {"needed": True, "loopback_only": True}
    assert web.ask("GET", "/session")[0] == 401
    assert web.ask("GET", "/setup/code")[0] == 404  # on the Unix socket only
    code = json.loads(empty.cli("setup-code", "--json").stdout)["code"]
    wrong = {"code": "0" * 26, "name": "anna", "password": PASSWORD}
    status, _, answer = web.ask("POST", "/setup", wrong)
    assert status == 403 and answer["field"] == "code"
    status, _, answer = web.ask("POST", "/setup", {**wrong, "code": code, "password": "password11"})
    assert status == 422 and answer["field"] == "password"
    status, headers, answer = web.ask("POST", "/setup", {**wrong, "code": code.lower()})
    assert status == 200 and answer["role"] == "administrator"
    web.keep(headers, answer)
    assert web.ask("GET", "/users")[0] == 200
    assert web.ask("GET", "/setup")[2] == {"needed": False, "loopback_only": False}
    assert Web(empty).ask("POST", "/setup", {**wrong, "code": code})[0] == 409


def test_only_loopback_is_listened_on_before_there_is_an_administrator(tmp_path):
    web = {"address": "0.0.0.0", "port": free_port()}
    gateway = Gateway(tmp_path, {**CONFIG, "web": web}, web=None)
    try:
        wait_for(lambda: listening(gateway.program.pid), "a listener")
        assert {address for address, _ in listening(gateway.program.pid)} <= {"127.0.0.1", "::1"}
        add_user(gateway, "bert", "engineer")  # no administrator
        assert {address for address, _ in listening(gateway.program.pid)} <= {"127.0.0.1", "::1"}
        add_user(gateway, "anna", "administrator")
        wait_for(lambda: "0.0.0.0" in {address for address, _ in listening(gateway.program.pid)},
                 "the address of the configuration")
    finally:
        gateway.stop()


# --- sessions


def test_log_in_and_log_out(gateway):
    web = Web(gateway)
    status, headers, answer = web.log_in("Anna")
    assert status == 200
    assert answer["name"] == "anna" and answer["role"] == "administrator" and answer["csrf"]
    assert answer["idle_until"] < answer["expires"]
    cookie = cookie_of(headers)
    assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Strict"
    assert cookie["path"] == "/" and not cookie["domain"] and not cookie["max-age"]
    assert len(cookie.value) >= 43
    status, _, session = web.ask("GET", "/session")
    assert status == 200 and session["csrf"] == answer["csrf"] and session["by"] == "session"
    status, headers, _ = web.ask("DELETE", "/session")
    assert status == 200 and cookie_of(headers)["max-age"] == "0"
    assert web.ask("GET", "/session")[0] == 401


def test_wrong_name_and_wrong_password_are_answered_alike(gateway):
    add_user(gateway, "carl", "viewer")
    gateway.cli("users", "disable", "carl")
    answers = [Web(gateway).log_in(*pair) for pair in
               (("anna", "wrong wrong"), ("nobody", PASSWORD), ("carl", PASSWORD))]
    assert {status for status, _, _ in answers} == {401}
    assert len({json.dumps(answer, sort_keys=True) for _, _, answer in answers}) == 1
    assert all(headers["Set-Cookie"] is None for _, headers, _ in answers)


def test_a_session_of_before_the_log_in_is_worth_nothing_after_it(gateway):
    web = Web(gateway)
    web.cookie = "A" * 43  # what an attacker has planted
    _, headers, _ = web.ask("POST", "/session", {"name": "anna", "password": PASSWORD})
    assert cookie_of(headers).value != "A" * 43
    assert web.ask("GET", "/session")[0] == 401
    # And a real one of before ends with the log-in that follows it.
    first = logged_in(gateway, "anna")
    former = first.cookie
    status, headers, answer = first.log_in("anna")
    assert status == 200 and first.cookie != former
    first.cookie = former
    assert first.ask("GET", "/session")[0] == 401


def test_sessions_end_when_idle_and_at_last(tmp_path):
    clock = Clock(tmp_path)
    gateway = Gateway(tmp_path, {**CONFIG, "web": {"session_idle_min": 10, "session_max_h": 1}},
                      start=False, web=True)
    gateway.start(env=clock.env())
    try:
        add_user(gateway, "anna", "administrator")
        idle = logged_in(gateway, "anna")
        used = logged_in(gateway, "anna")
        for minutes in (6, 12, 18, 24, 30, 36, 42, 48, 54, 59):
            clock.set(boot_s=minutes * 60)
            assert used.ask("GET", "/session")[0] == 200, minutes
            if minutes == 12:
                assert idle.ask("GET", "/session")[0] == 401
        clock.set(boot_s=60 * 60 + 1)
        assert used.ask("GET", "/session")[0] == 401
        assert logged_in(gateway, "anna").ask("GET", "/session")[0] == 200
    finally:
        gateway.stop()


@pytest.mark.parametrize("words", [("role", "bert", "engineer"), ("disable", "bert"),
                                   ("remove", "bert")])
def test_a_change_of_the_user_ends_the_sessions(gateway, words):
    add_user(gateway, "bert", "operator")
    web = logged_in(gateway, "bert")
    gateway.cli("users", *words)
    assert web.ask("GET", "/session")[0] == 401


def test_ones_own_password(gateway):
    web = logged_in(gateway, "anna")
    other = logged_in(gateway, "anna")
    change = {"old": PASSWORD, "new": "another four words"}
    status, _, answer = web.ask("PUT", "/session/password", {**change, "old": "wrong wrong"})
    assert status == 403 and answer["field"] == "old"
    assert web.ask("PUT", "/session/password", {**change, "new": "password1234"})[0] == 422
    assert web.ask("PUT", "/session/password", change)[0] == 200
    assert web.ask("GET", "/session")[0] == 200
    assert other.ask("GET", "/session")[0] == 401
    assert Web(gateway).log_in("anna")[0] == 401
    assert Web(gateway).log_in("anna", "another four words")[0] == 200
    token = Web(gateway, token=add_token(gateway, "t", "administrator"))
    assert token.ask("PUT", "/session/password", change)[0] == 409


def test_a_restart_ends_sessions(gateway):
    web = logged_in(gateway, "anna")
    gateway.stop()
    gateway.start()
    after = Web(gateway)
    after.cookie = web.cookie
    assert after.ask("GET", "/session")[0] == 401
    assert after.log_in("anna")[0] == 200


# --- pages of others in the same browser


def test_changes_need_the_csrf_value_of_the_session(gateway):
    web = logged_in(gateway, "anna")
    other = logged_in(gateway, "anna")
    user = {"name": "bert", "role": "viewer", "password": PASSWORD}
    for csrf in (None, "", "A" * 43, other.csrf):
        attacked = Web(gateway)
        attacked.cookie = web.cookie
        attacked.csrf = csrf
        status, _, answer = attacked.ask("POST", "/users", user)
        assert status == 403 and answer["field"] == "X-CSRF-Token", csrf
    assert web.ask("POST", "/users", user)[0] == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example"},
])
def test_pages_of_others_are_refused(gateway, headers):
    web = logged_in(gateway, "anna")
    user = {"name": "bert", "role": "viewer", "password": PASSWORD}
    assert web.ask("POST", "/users", user, headers)[0] in (400, 403)
    assert Web(gateway).ask("POST", "/session", {"name": "anna", "password": PASSWORD},
                            headers)[0] in (400, 403)
    form = {"Content-Type": "text/plain"}
    assert web.ask("POST", "/users", json.dumps(user), form)[0] == 415
    assert web.ask("GET", "/users")[2]["items"][0]["name"] == "anna"
    assert len(web.ask("GET", "/users")[2]["items"]) == 1


# --- guessing


def test_guessing_is_slowed_down_and_locks_nobody_out(gateway):
    guesser = Web(gateway, source="127.0.0.2")
    statuses = []

    def has_to_wait():
        status, headers, answer = guesser.log_in("anna", "wrong wrong")
        statuses.append(status)
        return status == 429 and answer["class"] == "busy" and int(headers["Retry-After"]) >= 4

    wait_for(has_to_wait, "a delay that has doubled twice")
    assert statuses[:4] == [401] * 4 and statuses.count(401) <= 8
    assert guesser.log_in("anna")[0] == 429  # the right one does not help now
    # The owner, from elsewhere, gets in at once.
    assert Web(gateway, source="127.0.0.3").log_in("anna")[0] == 200
    wait_for(lambda: guesser.log_in("anna")[0] == 200, "the end of the delay")


def test_many_guesses_at_once_gain_nothing(gateway):
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        statuses = list(pool.map(
            lambda i: Web(gateway, source="127.0.0.2").log_in("anna", f"wrong wrong {i}")[0],
            range(60)))
    assert statuses.count(401) <= 8 and set(statuses) == {401, 429}
    assert gateway.status()["version"]


def test_guessing_is_in_the_audit_log_and_does_not_flood_it(gateway):
    guesser = Web(gateway)
    for _ in range(3):
        guesser.log_in("anna", "wrong wrong")
    guesser.log_in(PASSWORD, "in the wrong field")
    rows = json.loads(gateway.cli("audit", "--what", "logIn", "--json").stdout)["items"]
    assert [row["result"] for row in rows] == ["denied"] * 4
    assert [row["object"] for row in rows] == ["(no user's name)"] + ["anna"] * 3
    assert rows[0]["from"] == "127.0.0.1" and rows[0]["who"] == ""
    connection = guesser.connect()
    body = json.dumps({"name": "anna", "password": "wrong wrong"})
    for _ in range(300):
        connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    connection.close()
    rows = json.loads(gateway.cli("audit", "--limit", "1000", "--json").stdout)["items"]
    assert 90 < len(rows) < 200


def test_what_is_changed_and_written_is_in_the_audit_log(gateway):
    add_user(gateway, "emil", "engineer")
    web = logged_in(gateway, "emil")
    plc = {"device_name": "PLC", "protocol": "ModbusTCP", "ip": "127.0.0.1", "port": free_port()}
    assert web.ask("POST", "/devices?why=new+line", plc)[0] == 200
    temp = {"var_name": "temp", "data_type": "INT", "register_addr": 40001,
            "read_write": "read/write"}
    status, _, answer = web.ask("POST", "/devices/PLC/variables", temp)
    assert status == 200, answer
    web.ask("PUT", "/devices/PLC/variables/temp/value", {"value": 42})  # nobody answers there
    assert web.ask("PUT", "/log/level", {"level": "DEBUG", "seconds": 60})[0] == 200
    assert web.ask("DELETE", "/users/anna")[0] == 403
    token = web.ask("POST", "/tokens", {"name": "line-3", "role": "engineer", "days": 1})[2]
    assert Web(gateway, token=token["token"]).ask("DELETE", "/devices/PLC?cascade=true")[0] == 200
    web.ask("DELETE", "/session")
    rows = json.loads(gateway.cli("audit", "--search", "emil", "--json").stdout)["items"]
    told = {row["what"]: row for row in rows}
    assert told["logIn"]["result"] == "ok" and told["logOut"]["result"] == "ok"
    device, write = told["addDevice"], told["writeVariable"]
    assert device["object"] == "PLC" and "why new line" in device["detail"]
    assert "revision 2" in device["detail"] and device["from"] == "127.0.0.1"
    assert write["object"] == "PLC/temp" and "value 42" in write["detail"]
    assert "level DEBUG, seconds 60" in told["setLogLevel"]["detail"]
    assert told["removeUser"]["result"] == "denied"
    assert told["deleteDevice"]["who"] == "emil (token line-3)"
    assert all(row["who"].startswith("emil") for row in rows if row["what"] != "addUser")


# --- tokens


def test_a_token_opens_what_its_role_may_until_its_end(tmp_path):
    clock = Clock(tmp_path)
    gateway = Gateway(tmp_path, CONFIG, start=False, web=True)
    gateway.start(env=clock.env())
    try:
        add_user(gateway, "anna", "administrator")
        owner = logged_in(gateway, "anna")
        status, _, made = owner.ask("POST", "/tokens",
                                    {"name": "line-3", "role": "viewer", "days": 1})
        assert status == 200 and made["token"].startswith("pst_")
        token = Web(gateway, token=made["token"])
        assert token.ask("GET", "/session")[2]["by"] == "token"
        assert token.ask("GET", "/users")[0] == 403
        assert token.ask("POST", "/tokens", {"name": "x", "role": "viewer", "days": 9})[0] == 403
        assert Web(gateway, token=made["token"] + "A").ask("GET", "/session")[0] == 401
        assert Web(gateway, token="").ask("GET", "/session", headers={"Authorization": "Bearer "})[0] == 401
        listed = owner.ask("GET", "/tokens")[2]["items"]
        assert listed[0]["last_used"] and "token" not in listed[0]
        clock.set(wall_s=23 * 3600)
        assert token.ask("GET", "/session")[0] == 200
        clock.set(wall_s=25 * 3600)
        assert token.ask("GET", "/session")[0] == 401
        clock.set(wall_s=-40 * 365 * 86400)  # a board whose clock is not set
        assert token.ask("GET", "/session")[0] == 401
        clock.set()
        assert token.ask("GET", "/session")[0] == 200
        assert owner.ask("DELETE", f"/tokens/{made['id']}")[0] == 200
        assert token.ask("GET", "/session")[0] == 401
    finally:
        gateway.stop()


def test_a_token_is_no_more_than_its_user(gateway):
    add_user(gateway, "bert", "engineer")
    bert = logged_in(gateway, "bert")
    wanted = {"name": "t", "role": "administrator", "days": 1}
    assert bert.ask("POST", "/tokens", wanted)[0] == 403
    made = bert.ask("POST", "/tokens", {**wanted, "role": "engineer"})[2]
    token = Web(gateway, token=made["token"])
    assert token.ask("GET", "/session")[2]["role"] == "engineer"
    gateway.cli("users", "role", "bert", "viewer")
    assert token.ask("GET", "/session")[2]["role"] == "viewer"
    add_user(gateway, "carl", "operator")
    carl = logged_in(gateway, "carl")
    assert carl.ask("GET", "/tokens")[2]["items"] == []
    assert carl.ask("DELETE", f"/tokens/{made['id']}")[0] == 404
    gateway.cli("users", "disable", "bert")
    assert token.ask("GET", "/session")[0] == 401
    gateway.cli("users", "enable", "bert")
    assert token.ask("GET", "/session")[0] == 200
    assert logged_in(gateway, "anna").ask("DELETE", f"/tokens/{made['id']}")[0] == 200
    assert token.ask("GET", "/session")[0] == 401


def test_the_last_administrator_stays(gateway):
    anna = logged_in(gateway, "anna")
    assert anna.ask("DELETE", "/users/anna")[0] == 409
    assert anna.ask("PUT", "/users/anna", {"disabled": True})[0] == 409
    assert anna.ask("PUT", "/users/anna", {"role": "engineer"})[0] == 409
    add_user(gateway, "bert", "administrator")
    assert anna.ask("PUT", "/users/anna", {"role": "engineer"})[0] == 200
    assert anna.ask("GET", "/session")[0] == 401


# --- requests that are none


@pytest.mark.parametrize("path", [
    "/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd",
    "/assets/../../../../etc/passwd", "/assets/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/....//....//etc/passwd", "/%00/etc/passwd", "/etc/passwd", "//etc/passwd",
    "/..\\..\\etc\\passwd", "/api/v1/../../../../etc/passwd",
    "/api/v1/scripts/file?path=../../../../../../etc/passwd",
    "/api/v1/scripts/file?path=/etc/passwd", "/api/v1/scripts/file?path=%2e%2e%2fstate%2faccess%2faccess.json",
])
def test_no_path_leads_out(gateway, path):
    token = add_token(gateway, "t", "administrator")
    request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
               "Connection: close\r\n\r\n")
    answer = raw(gateway, request.encode())
    assert b"root:" not in answer and b"$y$" not in answer
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1", "a\nX-Evil: 1", "a%0d%0aX-Evil: 1", "\x00", "a\u2028b"])
def test_no_header_is_injected(gateway, name):
    token = add_token(gateway, "t", "administrator")
    web = Web(gateway, token=token)
    status, headers, _ = web.ask("POST", "/users",
                                 {"name": name, "role": "viewer", "password": PASSWORD})
    assert status in (400, 422)
    assert headers["X-Evil"] is None and headers["Set-Cookie"] is None
    status, headers, _ = web.ask("GET", "/audit?search=" + urllib.parse.quote(name, safe=""))
    assert status in (200, 400) and headers["X-Evil"] is None
    status, headers, _ = web.ask("DELETE", "/users/" + urllib.parse.quote(name, safe=""))
    assert status in (400, 404) and headers["X-Evil"] is None and headers["Set-Cookie"] is None


def test_two_identities_are_not_mixed(gateway):
    """A token that is wrong is not made good by a cookie, and cookies do nothing with a wrong name."""
    web = logged_in(gateway, "anna")
    assert web.ask("GET", "/users", headers={"Authorization": "Bearer pst_wrong"})[0] == 401
    assert web.ask("GET", "/users", headers={"Authorization": "Basic YW5uYTp4"})[0] == 401
    assert Web(gateway).ask("GET", "/users", headers={"Cookie": f"penstock={web.cookie}"})[0] == 401
    assert Web(gateway).ask("GET", "/users",
                            headers={"Cookie": f"x={COOKIE}={web.cookie}"})[0] == 401


def test_every_answer_has_the_security_headers(gateway):
    for path in ("/api/v1/setup", "/api/v1/users", "/api/v1/nothing"):
        _, headers, _ = Web(gateway).ask("GET", path)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["Strict-Transport-Security"] is None or "max-age" in headers["Strict-Transport-Security"]


# --- what must never be seen


def test_no_secret_is_seen_anywhere(gateway):
    """Planted secrets, then everything that can be read is searched for them."""
    secrets = {"password": "planted-password-4711", "other": "planted-password-0815"}
    add_user(gateway, "bert", "administrator", secrets["password"])
    web = logged_in(gateway, "bert", secrets["password"])
    secrets["cookie"], secrets["csrf"] = web.cookie, web.csrf
    made = web.ask("POST", "/tokens", {"name": "t", "role": "viewer", "days": 1})[2]
    secrets["token"] = made["token"]
    assert Web(gateway, token=made["token"]).ask("GET", "/session")[0] == 200
    secrets["code"] = "PLANT-PLANT-PLANT-PLANT-PLANTT"
    web.ask("POST", "/setup", {"code": secrets["code"], "name": "x", "password": secrets["other"]})
    Web(gateway).log_in("bert", secrets["other"])
    Web(gateway).log_in(secrets["other"], "x")
    web.ask("POST", "/users", {"name": "bert", "role": "viewer", "password": secrets["other"]})
    web.ask("PUT", "/users/bert", {"password": secrets["other"], "role": "none"})
    web.ask("PUT", "/session/password", {"old": secrets["other"], "new": secrets["password"]})

    seen = {}
    for path in ("/session", "/users", "/tokens", "/audit?limit=1000", "/status", "/log?limit=1000",
                 "/openapi.json", "/metrics"):
        status, _, answer = web.ask("GET", path)
        text = json.dumps(answer) if not isinstance(answer, bytes) else answer.decode()
        seen[path] = text.replace(web.csrf, "") if path == "/session" else text
    seen["log"] = gateway.program.text()
    for file in gateway.state.rglob("*"):
        if file.is_file():
            seen[str(file)] = file.read_bytes().decode(errors="replace")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            seen[str(process)] = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
    for where, text in seen.items():
        for what, secret in secrets.items():
            assert secret not in text, f"{what} in {where}"


def test_a_socket_that_says_nothing_takes_no_place(gateway):
    """Silent connections do not keep a person out."""
    url = Web(gateway).url
    silent = [socket.create_connection((url.hostname, url.port)) for _ in range(30)]
    try:
        started = time.monotonic()
        assert logged_in(gateway, "anna").ask("GET", "/session")[0] == 200
        assert time.monotonic() - started < 10
    finally:
        for one in silent:
            one.close()


def test_an_engineer_does_not_become_more(gateway):
    """Files, certificates and edits end at the configuration; the web server and users are not his."""
    add_user(gateway, "emil", "engineer")
    emil = logged_in(gateway, "emil")
    before = (gateway.state / "access" / "access.json").read_bytes()
    outside = ["../state/access/access.json", "/etc/passwd", "penstock.json", "certs/../penstock.json",
               str(gateway.state / "access" / "access.json"), "scripts/../../state/access/access.json"]
    for path in outside:
        at = "/scripts/file?path=" + urllib.parse.quote(path, safe="")
        assert emil.ask("GET", at)[0] in (403, 404, 422), path
        assert emil.ask("PUT", at, {"text": "x = 1\n"})[0] in (403, 422), path
        edit = {"op": "file", "path": path, "text": "x = 1\n"}
        assert emil.ask("POST", "/edits", {"edits": [edit]})[0] in (403, 422), path
    for name in ("../x.pem", "/tmp/x.pem", "a/../../x.pem", "..", "."):
        body = {"name": name, "text": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}
        assert emil.ask("POST", "/certificates", body)[0] == 422, name
        at = "/certificates/" + urllib.parse.quote(name, safe="")
        assert emil.ask("DELETE", at)[0] in (404, 422), name
    web = {"op": "set", "block": "web", "value": {"address": "0.0.0.0"}}
    assert emil.ask("POST", "/edits", {"edits": [web]})[0] == 403
    assert emil.ask("PUT", "/web", {"address": "0.0.0.0"})[0] == 403
    assert emil.ask("PUT", "/users/emil", {"role": "administrator"})[0] == 403
    assert (gateway.state / "access" / "access.json").read_bytes() == before
