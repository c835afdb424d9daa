"""The local cloud's data plane, event stream, console files and HTTP edge, and the commands that
use its API."""
import base64
import http.client
import json
import re
import socket
import subprocess
import threading

import cloud_api
import harness
import pytest
from cloud_api import INVALID, MISSING, openssl, quote, Stream


def test_publish_reaches_the_console(api, cleanup):
    all_of_it = cleanup(Stream(api, "filter=%23"))
    part = cleanup(Stream(api, "filter=gw%2F%2B%2Fcmd&filter=other"))
    assert api.ok("POST", "/topics/gw%2F1%2Fcmd?qos=1", '{"a": "\u00e4"}'.encode()) == {
        "message": "OK"}
    api.ok("POST", "/topics/gw/1/data", b"\xff\x00")
    api.ok("POST", "/topics/other")
    got = all_of_it.messages(3)
    assert [(message["topic"], message["qos"]) for message in got] == [
        ("gw/1/cmd", 1), ("gw/1/data", 0), ("other", 0)]
    assert got[0]["payload"] == '{"a": "\u00e4"}' and got[2]["payload"] == ""
    assert base64.b64decode(got[1]["payloadBase64"]) == b"\xff\x00"
    assert [message["topic"] for message in part.messages(2)] == ["gw/1/cmd", "other"]


def test_publish_is_refused(api):
    for path in ("/topics/a%2B", "/topics/a%23", "/topics/" + "x" * 257, "/topics/" + "a/" * 8 + "b",
                 "/topics/a?qos=2", "/topics/a?retain=1", "/topics/a?messageExpiry=-1"):
        api.refused(*INVALID, "POST", path, b"x")
    api.ok("POST", "/topics/" + "a/" * 7 + "b", b"x" * 131072)
    api.refused(413, "RequestEntityTooLargeException", "POST", "/topics/a", b"x" * 131073)
    api.ok("POST", "/topics/" + quote("$aws/rules/rule/" + "a/" * 7 + "b"), b"x")
    properties = base64.b64encode(b'[{"a": "b"}, {"c": "d"}]').decode()
    api.ok("POST", "/topics/a?contentType=text%2Fplain&responseTopic=b&messageExpiry=60", b"x",
           **{"x-amz-mqtt5-user-properties": properties,
              "x-amz-mqtt5-payload-format-indicator": "UTF8_DATA",
              "x-amz-mqtt5-correlation-data": "AAEC"})
    for header in ({"x-amz-mqtt5-user-properties": "not base64"},
                   {"x-amz-mqtt5-user-properties": base64.b64encode(b'{"a": 1}').decode()},
                   {"x-amz-mqtt5-payload-format-indicator": "ODD"},
                   {"x-amz-mqtt5-correlation-data": "x"}):
        api.refused(*INVALID, "POST", "/topics/a", b"x", **header)


def test_retained_messages(api, cleanup):
    for topic in ("b", "a/1", "c"):
        api.ok("POST", f"/topics/{topic}?retain=true&qos=1", topic.encode())
    found = api.ok("GET", "/retainedMessage/a%2F1")
    assert base64.b64decode(found["payload"]) == b"a/1" and found["qos"] == 1
    assert found["lastModifiedTime"] > 1_600_000_000_000
    page = api.ok("GET", "/retainedMessage?maxResults=2")
    assert [entry["topic"] for entry in page["retainedTopics"]] == ["a/1", "b"]
    rest = api.ok("GET", f"/retainedMessage?maxResults=2&nextToken={quote(page['nextToken'])}")
    assert [entry["topic"] for entry in rest["retainedTopics"]] == ["c"] and "nextToken" not in rest
    assert rest["retainedTopics"][0]["payloadSize"] == 1
    assert cleanup(Stream(api, "filter=c")).messages(1)[0]["retain"] is True
    api.ok("POST", "/topics/c?retain=true")
    api.refused(*MISSING, "GET", "/retainedMessage/c")
    for query in ("maxResults=0", "maxResults=201", "nextToken=x"):
        api.refused(*INVALID, "GET", f"/retainedMessage?{query}")
    api.refused(*MISSING, "DELETE", "/connections/nobody?cleanSession=true&preventWillMessage=true")
    api.refused(*INVALID, "DELETE", "/connections/nobody?cleanSession=maybe")


def test_what_needs_the_broker(api):
    for path in ("/_penstock/limits", "/_penstock/faults"):
        for method in ("GET", "PUT"):
            api.refused(503, "ServiceUnavailableException", method, path, {} if method == "PUT"
                        else None)


def test_calls_that_are_none(api):
    api.refused(*MISSING, "GET", "/nothing")
    api.refused(405, "MethodNotAllowedException", "PUT", "/things/gw", {})
    api.refused(405, "MethodNotAllowedException", "DELETE", "/policies")
    api.refused(*INVALID, "GET", "/things?" + "&".join(f"a{i}=1" for i in range(30)))
    api.refused(*INVALID, "GET", "/" + "a/" * 40)
    api.refused(*INVALID, "GET", "/things/" + "a" * 9000)
    status = api.ok("GET", "/_penstock/status")
    assert status["accountId"] == "000000000000" and status["counts"]["things"] == 0


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1:80:80"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
])
def test_pages_of_others_cannot_change_anything(api, headers):
    api.refused(403, "ForbiddenException", "POST", "/things/gw", {}, **headers)
    assert api.ok("GET", "/things") == {"things": []}


def test_own_pages_and_programs_may(api):
    host = f"localhost:{api.port}"
    api.ok("POST", "/things/a", {}, Host=host, Origin=f"http://{host}",
           **{"Sec-Fetch-Site": "same-origin"})
    api.ok("POST", "/things/b", {}, Host="[::1]:1", **{"Sec-Fetch-Site": "none"})
    api.refused(403, "ForbiddenException", "GET", "/things", Host="rebound.example")


def test_bodies_without_end_are_refused(api):
    # Refused by its head: the server does not wait for what it will not take.
    with socket.create_connection(("127.0.0.1", api.port), timeout=harness.PATIENCE) as connection:
        connection.sendall(b"PUT /_penstock/import HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 8388609\r\n\r\n")
        head = connection.recv(65536)
    assert head.startswith(b"HTTP/1.1 413") and b"RequestEntityTooLargeException" in head

    def pieces():
        for _ in range(9):
            yield b"x" * 1024 * 1024

    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=harness.PATIENCE)
    connection.request("PUT", "/_penstock/import", pieces(), {"Transfer-Encoding": "chunked"},
                       encode_chunked=True)
    status = connection.getresponse().status
    connection.close()
    assert status == 413
    assert api.ok("GET", "/things") == {"things": []}


def test_clients_that_say_nothing_do_not_keep_others_out(api):
    mute = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(60)]
    for connection in mute[:30]:
        connection.sendall(b"GET /things HTTP/1.1\r\nHost: local")
    assert api.ok("GET", "/things") == {"things": []}
    # The server ends them by itself.
    mute[0].settimeout(harness.PATIENCE)
    assert mute[0].recv(1) == b""
    for connection in mute:
        connection.close()


def test_many_at_once(api):
    errors = []

    def work(number):
        try:
            for i in range(20):
                api.thing(f"t{number}-{i}")
        except AssertionError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert api.ok("GET", "/_penstock/status")["counts"]["things"] == 160


def test_files_of_the_console(folder, cleanup):
    pages = folder / "pages"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text("<title>console</title>")
    (pages / "assets" / "app.js").write_text("1")
    (pages / ".hidden").write_text("no")
    (folder / "secret").write_text("no")
    api = cleanup(cloud_api.CloudApi(folder / "cloud", "--console-dir", pages))
    status, headers, text = api.raw("GET", "/console/")
    assert status == 200 and text == b"<title>console</title>"
    assert headers["Content-Type"].startswith("text/html")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    status, headers, _ = api.raw("GET", "/console/assets/app.js")
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")
    for path in ("/", "/console"):
        status, headers, _ = api.raw("GET", path)
        assert (status, headers["Location"]) == (302, "/console/")
    for path in ("/console/../secret", "/console/%2e%2e/secret", "/console/..%2fsecret",
                 "/console/.hidden", "/console/none.js", "/console/assets"):
        assert api.raw("GET", path)[0] == 404, path


def test_event_streams_are_few_and_checked(api, cleanup):
    for _ in range(8):
        cleanup(Stream(api, "filter=a"))
    api.refused(429, "ThrottlingException", "GET", "/console/events?filter=a")


def test_an_event_stream_with_a_wrong_filter(api):
    api.refused(*INVALID, "GET", "/console/events?filter=a%23")


def test_a_stream_that_does_not_read_is_told_what_it_missed(api, cleanup):
    stream = cleanup(Stream(api, "filter=big"))
    for _ in range(80):
        api.ok("POST", "/topics/big", b"x" * 100000)
    seen = b""
    while b"event: dropped" not in seen:
        seen = (seen + stream.socket.recv(1 << 20))[-200000:]
        if not seen.endswith(b"x"):
            api.ok("POST", "/topics/big", b"small")  # the next message brings the count
    assert re.search(rb"event: dropped\ndata: [1-9]", seen)


def cloud(*arguments, check=True):
    done = subprocess.run([harness.BIN / "penstock-cloud", *map(str, arguments)], text=True,
                          capture_output=True, timeout=harness.PATIENCE)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("running", [False, True])
def test_quickstart_makes_everything_once(folder, cleanup, running):
    where = folder / "cloud"
    if running:
        cleanup(cloud_api.CloudApi(where))
    text = cloud("quickstart", where, "gw1").stdout
    assert cloud("quickstart", where, "gw1").stdout == text
    block = json.loads(text[text.index('"cloud": ') + 9:])
    assert block["client_id"] == "gw1" and block["endpoint"] == "localhost"
    assert harness.pathlib.Path(block["key"]).stat().st_mode & 0o777 == 0o600
    openssl("verify", "-CAfile", where / "device-ca.pem", block["cert"])
    assert re.fullmatch("[0-9a-f]{10}-certificate.pem.crt", block["cert"].rsplit("/", 1)[1])
    things = json.loads(cloud("things", where, "--json").stdout)
    assert [thing["thingName"] for thing in things] == ["gw1"]
    assert things[0]["certificates"][0]["status"] == "ACTIVE"
    assert things[0]["certificates"][0]["policies"] == ["penstock-quickstart"]
    assert "policy penstock-quickstart" in cloud("things", where).stdout
    failed = cloud("quickstart", where, "a b", check=False)
    assert failed.returncode == 1 and "pattern" in failed.stderr


@pytest.mark.parametrize("running", [False, True])
def test_export_and_import_on_the_command_line(folder, cleanup, running):
    where = folder / "cloud"
    if running:
        cleanup(cloud_api.CloudApi(where))
    cloud("quickstart", where, "gw1")
    cloud("export", where, folder / "state.json")
    assert json.loads(cloud("export", where).stdout) == json.loads(
        (folder / "state.json").read_text())
    cloud("import", folder / "second", folder / "state.json")
    assert cloud("things", folder / "second").stdout == cloud("things", where).stdout
    (folder / "bad.json").write_text("{")
    failed = cloud("import", where, folder / "bad.json", check=False)
    assert failed.returncode == 1 and "line 1" in failed.stderr
    (folder / "bad.json").write_text("{}")
    failed = cloud("import", where, folder / "bad.json", check=False)
    assert failed.returncode == 1 and "format" in failed.stderr
    assert cloud("things", where).stdout.startswith("gw1\n")


def test_the_documentation_names_every_call():
    table = (harness.ROOT / "localcloud/rest/routes.c").read_text()
    rows = re.findall(r'\{"(\w+)", "([A-Z]+)", "([^"]+)"', table)
    assert len(rows) > 70
    text = (harness.ROOT / "docs/local-cloud-api.md").read_text()
    for operation, method, path in rows:
        assert f"| {operation} | {method} `{path}` |" in text, operation
