"""Users, tokens, the set-up code and the audit log at the command line."""

import json
import os
import pty
import subprocess
import threading

import pytest

from harness import BIN, Gateway, wait_for
from web_access import PASSWORD, add_token, add_user, password_file


@pytest.fixture
def gateway(tmp_path):
    gateway = Gateway(tmp_path, {"devices": []})
    yield gateway
    gateway.stop()


def users(gateway):
    return {row["name"]: row for row in json.loads(gateway.cli("users", "--json").stdout)["items"]}


def test_the_code_is_shown_until_there_is_an_administrator(gateway):
    first = gateway.cli("setup-code").stdout.splitlines()[0]
    assert len(first) == 30 and first.count("-") == 4
    shown = json.loads(gateway.cli("setup-code", "--json").stdout)
    assert shown["code"] == first and shown["expires"] > 1.7e9
    assert first not in gateway.program.text()
    assert "penstock setup-code" in gateway.program.text()
    add_user(gateway, "bert", "engineer")
    assert json.loads(gateway.cli("setup-code", "--json").stdout)["code"] == first
    add_user(gateway, "anna", "administrator")
    result = gateway.cli("setup-code", check=False)
    assert result.returncode == 1 and "there is an administrator" in result.stderr


def test_users_are_added_changed_and_removed(gateway):
    assert "no user yet" in gateway.cli("users").stdout
    add_user(gateway, "anna", "administrator")
    add_user(gateway, "bert", "viewer")
    assert users(gateway)["bert"]["role"] == "viewer"
    gateway.cli("users", "role", "bert", "operator")
    gateway.cli("users", "disable", "bert")
    assert users(gateway)["bert"]["role"] == "operator" and users(gateway)["bert"]["disabled"]
    gateway.cli("users", "enable", "bert")
    assert not users(gateway)["bert"]["disabled"]
    gateway.cli("users", "password", "bert", "--password-file",
                password_file(gateway.folder, "quite another one"))
    table = gateway.cli("users").stdout
    assert "anna" in table and "administrator" in table and "never" in table
    gateway.cli("users", "remove", "bert")
    assert set(users(gateway)) == {"anna"}
    for words in (("remove", "anna"), ("disable", "anna"), ("role", "anna", "viewer")):
        result = gateway.cli("users", *words, check=False)
        assert result.returncode == 1 and "last administrator" in result.stderr
    # Kept over a restart, with mode 0600 in a folder of mode 0700.
    gateway.stop()
    gateway.start()
    assert set(users(gateway)) == {"anna"}
    file = gateway.state / "access" / "access.json"
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert PASSWORD not in file.read_text()


@pytest.mark.parametrize("words, said", [
    (("add", "anna"), "users takes"),
    (("add", "anna", "--role"), "users takes"),
    (("role", "anna"), "users takes"),
    (("paint", "anna"), "users takes"),
    (("disable", "anna", "--password-file", "x"), "users takes"),
])
def test_wrong_words_are_explained(gateway, words, said):
    result = gateway.cli("users", *words, check=False)
    assert result.returncode == 2 and said in result.stderr


def test_weak_passwords_and_wrong_names_are_refused(gateway):
    for password, said in (("short", "at least 10"), ("password123", "commonest"),
                           ("anna123456", "user's name")):
        result = gateway.cli("users", "add", "anna", "--role", "viewer", "--password-file",
                             password_file(gateway.folder, password), check=False)
        assert result.returncode == 1 and said in result.stderr and password not in result.stderr
    result = gateway.cli("users", "add", "../anna", "--role", "viewer", "--password-file",
                         password_file(gateway.folder), check=False)
    assert result.returncode == 1 and "letters" in result.stderr
    assert users(gateway) == {}


def test_a_password_comes_from_standard_input_or_the_terminal(gateway):
    command = [BIN / "penstock", "users", "add", "--socket", gateway.socket, "--role", "viewer"]
    done = subprocess.run([*map(str, command), "anna", "--password-file", "-"],
                          input=PASSWORD + "\n", text=True, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    # A terminal: nothing of it is shown, and it is asked for twice.
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], [*map(str, command), "bert"])
    seen = bytearray()

    def read():
        while True:
            try:
                seen.extend(os.read(terminal, 1000))
            except OSError:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait_for(lambda: b"Password of the user:" in seen, "the question")
    os.write(terminal, PASSWORD.encode() + b"\n")
    wait_for(lambda: b"again" in seen, "the second question")
    os.write(terminal, PASSWORD.encode() + b"\n")
    _, status = os.waitpid(child, 0)
    reader.join(30)
    assert status == 0, seen
    assert PASSWORD.encode() not in seen
    assert set(users(gateway)) == {"anna", "bert"}


def test_tokens_are_made_and_removed(gateway):
    assert "no tokens" in gateway.cli("tokens").stdout
    token = add_token(gateway, "line-3", "operator", 30)
    assert token.startswith("pst_") and len(token) == 47
    rows = json.loads(gateway.cli("tokens", "--json").stdout)["items"]
    assert [(row["name"], row["role"], row["owner"]) for row in rows] == [("line-3", "operator", None)]
    assert token[4:] not in (gateway.state / "access" / "access.json").read_text()
    assert token not in gateway.cli("tokens").stdout
    again = gateway.cli("tokens", "add", "line-3", "--role", "viewer", "--days", "1", check=False)
    assert again.returncode == 1 and "of this name" in again.stderr
    for days in ("0", "4000", "x"):
        result = gateway.cli("tokens", "add", "t", "--role", "viewer", "--days", days, check=False)
        assert result.returncode == 2 and "3650" in result.stderr
    gateway.cli("tokens", "remove", rows[0]["id"])
    assert gateway.cli("tokens", "remove", rows[0]["id"], check=False).returncode == 1


def test_the_audit_log_tells_who_did_what(gateway):
    add_user(gateway, "anna", "administrator")
    token = add_token(gateway, "line-3", "viewer")
    gateway.cli("users", "role", "nobody", "viewer", check=False)
    rows = json.loads(gateway.cli("audit", "--json").stdout)["items"]
    assert [row["what"] for row in rows] == ["changeUser", "addToken", "addUser"]
    assert [row["object"] for row in rows] == ["nobody", "line-3", "anna"]
    assert [row["result"] for row in rows] == ["not-found", "ok", "ok"]
    assert all(row["from"] == "local" and row["who"] for row in rows)
    assert "role administrator" in rows[2]["detail"]
    text = gateway.cli("audit").stdout.splitlines()
    assert len(text) == 3 and "addUser" in text[0] and "anna" in text[0]
    assert len(gateway.cli("audit", "--what", "addT").stdout.splitlines()) == 1
    assert len(gateway.cli("audit", "--search", "LINE-3").stdout.splitlines()) == 1
    assert gateway.cli("audit", "--who", "somebody-else").stdout == ""
    assert gateway.cli("audit", "--limit", "0", check=False).returncode == 2
    whole = (gateway.state / "access" / "audit.jsonl").read_text()
    assert token not in whole and PASSWORD not in whole

    follower = subprocess.Popen([BIN / "penstock", "audit", "--follow", "--socket",
                                 str(gateway.socket)], stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(follower.stdout.readline, "")),
                              daemon=True)
    reader.start()
    try:
        wait_for(lambda: len(lines) == 3, "the former entries")
        add_user(gateway, "bert", "viewer")
        wait_for(lambda: len(lines) == 4, "the new entry")
        assert "bert" in lines[3]
    finally:
        follower.terminate()
        follower.wait(30)


def test_damaged_accounts_stop_nothing_but_log_ins(gateway):
    add_user(gateway, "anna", "administrator")
    gateway.stop()
    file = gateway.state / "access" / "access.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    gateway.start()
    assert "setup-code" in gateway.wait_line("access.json")
    for words in (("users",), ("setup-code",), ("tokens",)):
        result = gateway.cli(*words, check=False)
        assert result.returncode == 1 and "access.json" in result.stderr
    assert gateway.status()["version"]
    gateway.stop()
    assert file.read_bytes() == whole[:-40]
    file.write_bytes(whole)
    gateway.start()
    assert set(users(gateway)) == {"anna"}
