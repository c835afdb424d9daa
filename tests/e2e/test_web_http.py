"""The gateway's HTTPS side as a machine in the network sees it: certificate and versions of TLS,
limits, clients that are slow or mean harm, headers, and the page's files."""

import hashlib
import http.client
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

from harness import PATIENCE, Gateway, wait_for
from web_access import Web, add_token, add_user, raw, trust_everything

CONFIG = {"devices": []}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), CONFIG, web=True)
    add_user(gateway, "anna", "administrator")
    yield gateway
    gateway.stop()


def port_of(gateway):
    return urllib.parse.urlsplit(gateway.web_url).port


def connect(gateway, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port_of(gateway)), timeout=PATIENCE,
                                    source_address=(source, 0))


def connect_tls(gateway, source="127.0.0.1"):
    return trust_everything().wrap_socket(connect(gateway, source), server_hostname="localhost")


def is_served(gateway, source="127.0.0.1"):
    return Web(gateway, source=source).ask("GET", "/setup")[0] == 200


def is_closed(connection):
    """By the other side; what it still sends is taken."""
    connection.settimeout(PATIENCE)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except (ConnectionError, ssl.SSLError):
        pass
    return True


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- TLS


def test_the_certificate_is_the_one_that_status_names(gateway):
    with connect_tls(gateway) as connection:
        der = connection.getpeercert(binary_form=True)
        assert connection.version() == "TLSv1.3"
    shown = gateway.status()["web"]["certificate"]["fingerprint"]
    assert hashlib.sha256(der).hexdigest().upper() == shown.replace(":", "").upper()
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
    with context.wrap_socket(connect(gateway), server_hostname="localhost") as connection:
        assert "localhost" in str(connection.getpeercert()["subjectAltName"])


@pytest.mark.parametrize("version, works", [
    ("-tls1_3", True), ("-tls1_2", True), ("-tls1_1", False), ("-tls1", False)])
def test_versions_of_tls(gateway, version, works):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port_of(gateway)}", version,
         "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE)
    assert ("Cipher is (NONE)" not in done.stdout) == works, done.stdout + done.stderr


@pytest.mark.parametrize("suite", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384",
                                   "DHE-RSA-AES256-GCM-SHA384"])
def test_weak_ciphers_are_not_spoken(gateway, suite):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port_of(gateway)}", "-tls1_2",
         "-cipher", f"{suite}:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE)
    assert "Cipher is (NONE)" in done.stdout or done.returncode != 0, done.stdout


def test_handshakes_that_stop_halfway_cost_no_time(gateway):
    halves = [connect(gateway, "127.0.0.9") for _ in range(30)]
    for half in halves:
        half.sendall(b"\x16\x03\x01\x01\x20\x01")
    assert is_served(gateway)
    before, start = cpu_seconds(gateway.program.pid), time.monotonic()
    while time.monotonic() - start < 2:
        assert is_served(gateway)
        time.sleep(0.5)
    assert cpu_seconds(gateway.program.pid) - before < 0.5 * (time.monotonic() - start)
    for half in halves:
        half.close()


def test_plain_http_is_not_answered(gateway):
    with connect(gateway) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert not connection.recv(4096).startswith(b"HTTP/")
        except ConnectionError:
            pass


# --- size


HEAD = "PUT /api/v1/cloud HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


@pytest.mark.parametrize("head, status", [
    ("X: " + "x" * 20000, 431),
    ("X: " + "x" * 200000, 431),
    ("a: b\r\n" * 5000, 431),
    ("Content-Length: 18446744073709551616", 413),
    ("Content-Length: -1", 400),
    ("Content-Length: 1\r\nContent-Length: 2", 400),
    ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: gzip", 400),
], ids=lambda value: str(value)[:40])
def test_heads_that_are_refused(gateway, head, status):
    answer = raw(gateway, f"GET / HTTP/1.1\r\nHost: localhost\r\n{head.rstrip()}\r\n\r\n".encode())
    assert answer.split(b" ")[1] == str(status).encode(), answer[:200]
    assert is_served(gateway)


def test_bodies_that_are_too_large(gateway):
    token = add_token(gateway, "large", "administrator")
    for body, more in ((b"", f"Content-Length: {1 << 40}"),
                       (b"10000\r\n" + b"x" * 65536 + b"\r\n", "Transfer-Encoding: chunked")):
        head = f"{HEAD}Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n{more}\r\n\r\n"
        answer = raw(gateway, head.encode() + body * 40 + (b"0\r\n\r\n" if body else b""))
        assert b" 413 " in answer.split(b"\r\n")[0], answer[:300]
        assert b"application/problem+json" in answer
    # Nobody who is not known makes the gateway take a body at all.
    answer = raw(gateway, f"{HEAD}Content-Length: 1000000\r\n\r\n".encode())
    assert b" 401 " in answer.split(b"\r\n")[0]


# --- time


def test_slow_clients_are_cut_and_others_served(gateway):
    """One of each kind, at once: each sends a byte now and then. 30 s is the time for a request."""
    starts = {
        "line": b"GET /api/v1/se",
        "head": b"GET / HTTP/1.1\r\nX: ",
        "body": b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 3000\r\n\r\n",
        "chunks": b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                  b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n",
    }
    lasted = {}

    def drip(kind):
        begun = time.monotonic()
        try:
            with connect_tls(gateway, "127.0.0.8") as connection:
                connection.sendall(starts[kind])
                connection.settimeout(0.25)
                while time.monotonic() - begun < 100:
                    try:
                        if not connection.recv(4096):
                            break
                    except TimeoutError:
                        connection.sendall(b" ")
        except (OSError, ssl.SSLError):
            pass
        lasted[kind] = time.monotonic() - begun

    threads = [threading.Thread(target=drip, args=(kind,)) for kind in starts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        begun = time.monotonic()
        assert is_served(gateway)
        assert time.monotonic() - begun < 5
        time.sleep(0.5)
    assert set(lasted) == set(starts)
    assert all(25 < seconds < 60 for seconds in lasted.values()), lasted


# --- many


def test_one_address_cannot_keep_others_out(gateway):
    held = []
    for _ in range(100):  # half of connections_max
        held.append(connect(gateway, "127.0.0.7"))
    wait_for(lambda: gateway.status()["web"]["connections"] >= 100, "the connections")
    with connect(gateway, "127.0.0.7") as one_more:
        assert is_closed(one_more)
    assert is_served(gateway, "127.0.0.6")
    for connection in held:
        connection.close()
    wait_for(lambda: gateway.status()["web"]["connections"] < 10, "their end")
    assert is_served(gateway, "127.0.0.7")


# --- headers


def answer_of(gateway, path, method="GET", **headers):
    connection = http.client.HTTPSConnection("localhost", port_of(gateway), timeout=PATIENCE,
                                             context=trust_everything())
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/api/v1/setup", "/api/v1/devices", "/api/v1/none", "/none.js"])
def test_every_answer_keeps_to_itself(gateway, path):
    _, headers, _ = answer_of(gateway, path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY" or "frame-ancestors 'none'" in headers.get(
        "Content-Security-Policy", "")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers and "Access-Control-Allow-Origin" not in headers
    if path.startswith("/api"):
        assert "no-store" in headers["Cache-Control"]


def test_the_page_runs_only_what_is_its_own(gateway):
    status, headers, text = answer_of(gateway, "/")
    if status == 404:
        pytest.skip("built without the pages")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert b"<div" in text and headers["Content-Type"].startswith("text/html")
    etag = headers["ETag"]
    assert answer_of(gateway, "/", If_None_Match=etag)[0] == 304
    asset = text.split(b'src="')[1].split(b'"')[0].decode().lstrip(".")
    asset = asset if asset.startswith("/") else "/" + asset
    status, headers, plain = answer_of(gateway, asset)
    assert status == 200 and "immutable" in headers["Cache-Control"]
    status, _, nothing = answer_of(gateway, asset, method="HEAD")
    assert status == 200 and nothing == b""
    assert answer_of(gateway, "/", method="PUT")[0] == 405


def test_no_name_leads_out_of_the_page(gateway):
    for path in ("/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd",
                 "//etc/passwd", "/assets/../../../penstock/demo", "/%00", "/.hidden", "/assets/..",
                 "/..\\..\\etc\\passwd", "/%252e%252e/etc/passwd", "/etc/passwd", "/%c0%ae%c0%ae/etc"):
        status, _, text = answer_of(gateway, path)
        assert status in (400, 404), path
        assert b"root:" not in text and b"penstock-demo" not in text


def test_what_is_asked_for_does_not_become_a_header(gateway):
    token = add_token(gateway, "split", "administrator")
    for path in ("/api/v1/devices/a%0d%0aX-Evil:%201", "/%0d%0aX-Evil:%201",
                 "/api/v1/export/variables?device=a%0d%0aX-Evil:%201"):
        _, headers, _ = answer_of(gateway, path, Authorization=f"Bearer {token}")
        assert "X-Evil" not in headers


def test_others_names_and_pages_are_refused(gateway):
    token = add_token(gateway, "names", "administrator")
    assert raw(gateway, f"GET /api/v1/devices HTTP/1.1\r\nHost: rebound.example\r\n"
                        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
               .encode()).startswith(b"HTTP/1.1 403")
    web = Web(gateway, token=token)
    assert web.ask("GET", "/devices")[0] == 200
    assert web.ask("PUT", "/log/level", {"level": "INFO"},
                   {"Origin": "https://evil.example"})[0] == 403
    assert web.ask("PUT", "/log/level", {"level": "INFO"}, {"Sec-Fetch-Site": "cross-site"})[0] == 403


# --- the end


def test_open_connections_do_not_hold_up_the_end(tmp_path):
    gateway = Gateway(tmp_path, CONFIG, web=True)
    token = None
    try:
        add_user(gateway, "anna", "administrator")
        token = add_token(gateway, "end", "viewer")
        half = connect(gateway)
        half.sendall(b"\x16\x03")
        idle = connect_tls(gateway)
        stream = connect_tls(gateway)
        stream.sendall(f"GET /api/v1/events?status=true HTTP/1.1\r\nHost: localhost\r\n"
                       f"Authorization: Bearer {token}\r\n\r\n".encode())
        assert stream.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        begun = time.monotonic()
        gateway.stop()
    assert time.monotonic() - begun < PATIENCE / 2
    for connection in (half, idle, stream):
        assert is_closed(connection)
        connection.close()
