"""What the tests of access share: a client of the gateway's HTTPS side that keeps nothing to
itself, raw requests, a clock that can be put ahead, and the operations of the API's own document."""

import functools
import http.client
import http.cookies
import json
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import urllib.parse

from harness import PATIENCE, ask

HERE = pathlib.Path(__file__).parent
ROLES = ("viewer", "operator", "engineer", "administrator")
PASSWORD = "four words in a row"
COOKIE = "__Host-penstock"


@functools.cache
def trust_everything():
    """The certificate is the matter of other tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def password_file(folder, text=PASSWORD):
    path = pathlib.Path(folder) / f"password-{abs(hash(text))}"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def add_user(gateway, name, role, password=PASSWORD):
    gateway.cli("users", "add", name, "--role", role, "--password-file",
                password_file(gateway.folder, password))


def add_token(gateway, name, role, days=1):
    return gateway.cli("tokens", "add", name, "--role", role, "--days", days).stdout.strip()


class Web:
    """One client. With `session` it sends cookie and CSRF value, with `token` that."""

    def __init__(self, gateway, token=None, source=None):
        self.url = urllib.parse.urlsplit(gateway.web_url)
        self.source = source
        self.token = token
        self.cookie = None
        self.csrf = None
        self.kept = None  # connection of status_of

    def connect(self):
        return http.client.HTTPSConnection(
            self.url.hostname, self.url.port, timeout=PATIENCE, context=trust_everything(),
            source_address=(self.source, 0) if self.source else None)

    def headers(self, method):
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            headers["Cookie"] = f"{COOKIE}={self.cookie}"
        if self.csrf and method not in ("GET", "HEAD"):
            headers["X-CSRF-Token"] = self.csrf
        return headers

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, answer)"""
        connection = self.connect()
        try:
            return ask(connection, method, path, body, {**self.headers(method), **(headers or {})})
        finally:
            connection.close()

    def status_of(self, method, path, body=None, headers=None):
        """(status, answer or None) over one connection, which an answer without an end takes with it."""
        sent = {**self.headers(method), **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = json.dumps(body)
        connection, self.kept = self.kept or self.connect(), None
        connection.request(method, f"/api/v1{path}", body, sent)
        response = connection.getresponse()
        kind = response.headers.get("Content-Type", "")
        if "event-stream" in kind:
            connection.close()
            return response.status, None
        answer = response.read()
        if response.will_close:
            connection.close()
        else:
            self.kept = connection
        return response.status, json.loads(answer) if "problem+json" in kind else None

    def close(self):
        if self.kept is not None:
            self.kept.close()

    def log_in(self, name, password=PASSWORD):
        """(status, headers, answer); keeps the session."""
        status, headers, answer = self.ask("POST", "/session",
                                           {"name": name, "password": password})
        if status == 200:
            self.keep(headers, answer)
        return status, headers, answer

    def keep(self, headers, answer):
        self.cookie = cookie_of(headers).value
        self.csrf = answer["csrf"]


def cookie_of(headers):
    return http.cookies.SimpleCookie(headers["Set-Cookie"])[COOKIE]


def logged_in(gateway, name, password=PASSWORD):
    web = Web(gateway)
    status, _, answer = web.log_in(name, password)
    assert status == 200, answer
    return web


def raw(gateway, request, read=1 << 20):
    """Sends bytes as they are; all that is answered until the other side closes."""
    url = urllib.parse.urlsplit(gateway.web_url)
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE) as plain:
        with trust_everything().wrap_socket(plain, server_hostname="localhost") as sock:
            sock.sendall(request)
            answer = b""
            while len(answer) < read:
                try:
                    part = sock.recv(65536)
                except (ssl.SSLError, ConnectionError):
                    break
                if not part:
                    break
                answer += part
            return answer


def operations(gateway):
    """[(method, path, operation)] of the API's own document."""
    status, document = gateway.api("GET", "/openapi.json")
    assert status == 200, document
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "delete"):
                found.append((method.upper(), path.removeprefix("/api/v1"), operation))
    return found


def fill(path, value="none"):
    """A path with something for each parameter."""
    return re.sub(r"\{[^}]+\}", value, path)


def listening(pid):
    """{(address, port)} of a process' TCP sockets."""
    inodes = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for name, width in (("tcp", 4), ("tcp6", 16)):
        for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:  # LISTEN
                address, port = fields[1].split(":")
                words = bytes.fromhex(address)
                text = b"".join(words[i:i + 4][::-1] for i in range(0, width, 4))
                family = socket.AF_INET if width == 4 else socket.AF_INET6
                found.add((socket.inet_ntop(family, text), int(port, 16)))
    return found


class Clock:
    """Lets a program's clocks run ahead; see clock_shift.c."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.file = self.folder / "clock-shift"
        self.library = self.folder / "clock_shift.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(self.library),
                        str(HERE / "clock_shift.c")], check=True)
        self.set()

    def set(self, boot_s=0, wall_s=0):
        with open(self.file, "r+b" if self.file.exists() else "w+b") as out:
            out.write(struct.pack("=qq", boot_s, wall_s))

    def env(self):
        return {**os.environ, "LD_PRELOAD": str(self.library), "CLOCK_SHIFT": str(self.file),
                "ASAN_OPTIONS": "verify_asan_link_order=0"}
