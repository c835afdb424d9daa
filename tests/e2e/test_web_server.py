"""The web server: its certificate, its address, a port that is taken, another configuration."""
import hashlib
import http.client
import json
import socket
import ssl
import subprocess
import urllib.parse

from harness import Gateway, LocalConnection, PATIENCE, ask, free_port, wait_for
from web_access import PASSWORD, Web, add_token, add_user


def certificate(url):
    """(DER, fingerprint) that the server shows."""
    where = urllib.parse.urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((where.hostname, where.port), PATIENCE) as plain, \
            context.wrap_socket(plain, server_hostname=where.hostname) as wrapped:
        der = wrapped.getpeercert(binary_form=True)
    return der, ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def shown(url):
    """The fingerprint; None while it begins anew."""
    try:
        return certificate(url)[1]
    except OSError:
        return None


def get(url, path="/", trusted=None, name=None):
    where = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=trusted)
    if trusted is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(name or where.hostname, where.port, timeout=PATIENCE,
                                             context=context)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def answers(url):
    try:
        return get(url, "/api/v1/setup")[0] == 200
    except OSError:
        return False


def pair(folder, name, days=30, hosts="DNS:localhost,IP:127.0.0.1"):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", cert, "-days", str(days), "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName={hosts}"], check=True, capture_output=True, timeout=60)
    key.chmod(0o600)
    return cert, key


def test_the_own_certificate_is_made_once_and_can_be_trusted(folder, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": []}, web=True))
    der, fingerprint = certificate(gateway.web_url)
    own = gateway.state / "web" / "cert.pem"
    assert (gateway.state / "web" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert ssl.PEM_cert_to_DER_cert(own.read_text()) == der
    assert gateway.status()["web"]["certificate"]["fingerprint"] == fingerprint
    assert gateway.program.find("WEB-LISTEN", fingerprint)
    assert get(gateway.web_url, "/api/v1/setup", trusted=own)[0] == 200
    assert get(gateway.web_url, "/api/v1/setup", trusted=own, name="localhost")[0] == 200
    assert fingerprint in gateway.cli("status").stdout
    gateway.stop()
    gateway.start()
    assert certificate(gateway.web_url)[1] == fingerprint
    gateway.stop()
    own.write_text("nonsense")
    gateway.start()
    assert certificate(gateway.web_url)[1] not in (fingerprint, None)


def test_a_port_that_is_taken_is_tried_again(folder, cleanup):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        gateway = cleanup(Gateway(folder, {"devices": [], "web": {"port": port}}, web=None))
        gateway.wait_line("WEB-PORT", "again")
        status = gateway.status()["web"]
        assert status["url"] == "" and "again" in status["problem"], status
        assert "Web: nowhere yet" in gateway.cli("status").stdout
    gateway.wait_line("WEB-LISTEN")
    assert answers(gateway.web_url) and gateway.status()["web"]["problem"] == ""
    assert len(gateway.program.find("WEB-PORT")) == 1


def test_another_configuration_moves_it_and_the_socket_stays(folder, cleanup):
    first, second = free_port(), free_port()
    gateway = cleanup(Gateway(folder, {"devices": [], "web": {"port": first}}, web=None))
    gateway.wait_line("WEB-LISTEN", str(first))
    assert answers(gateway.web_url)
    connection = LocalConnection(gateway.socket)
    status, _, answer = ask(connection, "PUT", "/web", {"port": second})
    assert status == 200 and any("web" in str(line) for line in answer["restarted"]), answer
    gateway.wait_line("WEB-LISTEN", str(second))
    assert answers(f"https://127.0.0.1:{second}/") and not answers(f"https://127.0.0.1:{first}/")
    assert ask(connection, "GET", "/whoami")[0] == 200  # the same connection
    assert ask(connection, "PUT", "/web", {"port": second, "enable": False})[0] == 200
    wait_for(lambda: not answers(f"https://127.0.0.1:{second}/"), "the end of the web server")
    assert gateway.status()["web"]["url"] == "" and "Web:" not in gateway.cli("status").stdout
    assert ask(connection, "PUT", "/web", {"port": second})[0] == 200
    wait_for(lambda: answers(f"https://127.0.0.1:{second}/"), "the web server again")
    connection.close()


def test_who_moves_it_gets_the_answer(folder, cleanup):
    """Over the listener that goes: the change of its port, and the set-up that opens it to all."""
    first, second = free_port(), free_port()
    gateway = cleanup(Gateway(folder, {"devices": [], "web": {"address": "0.0.0.0", "port": first}},
                              web=None))
    gateway.wait_line("WEB-LISTEN", "127.0.0.1")
    web = Web(gateway)
    code = gateway.api("GET", "/setup/code")[1]["code"]
    status, _, answer = web.ask("POST", "/setup", {"code": code, "name": "root", "password": PASSWORD})
    assert status == 200, answer
    wait_for(lambda: gateway.status()["web"]["address"] == "0.0.0.0", "all networks")
    web = Web(gateway, token=add_token(gateway, "t", "administrator"))
    status, _, answer = web.ask("PUT", "/web", {"port": second})
    assert status == 200 and answer["result"] == "applied", answer
    wait_for(lambda: answers(f"https://127.0.0.1:{second}/"), "the other port")


def test_ones_own_certificate_is_used_and_exchanged(folder, cleanup):
    cert, key = pair(folder, "one")
    port = free_port()
    gateway = cleanup(Gateway(folder, {"devices": [], "web": {
        "port": port, "cert": str(cert), "key": str(key)}}, web=None))
    gateway.wait_line("WEB-LISTEN")
    assert get(gateway.web_url, "/api/v1/setup", trusted=cert)[0] == 200
    assert gateway.status()["web"]["certificate"]["own"] is False
    first = certificate(gateway.web_url)[1]
    again, key_again = pair(folder, "two")
    cert.write_bytes(again.read_bytes())  # not yet its key: what is in use stays
    gateway.cli("apply")
    gateway.wait_line("WEB-CERT", "the certificate that is in use stays")
    assert certificate(gateway.web_url)[1] == first
    key.write_bytes(key_again.read_bytes())
    gateway.cli("apply")
    wait_for(lambda: shown(gateway.web_url) not in (None, first), "the new certificate")
    assert get(gateway.web_url, "/api/v1/setup", trusted=again)[0] == 200


def test_a_bad_certificate_at_the_start_does_not_cost_the_page(folder, cleanup):
    cert, _ = pair(folder, "one")
    _, key = pair(folder, "two")
    gateway = cleanup(Gateway(folder, {"devices": [], "web": {
        "port": free_port(), "cert": str(cert), "key": str(key)}}, web=None))
    gateway.wait_line("WEB-CERT", "own certificate is used")
    gateway.wait_line("WEB-LISTEN")
    assert answers(gateway.web_url)
    assert "key" in gateway.status()["web"]["problem"]


def test_all_networks_only_once_there_is_an_administrator(folder, cleanup):
    port = free_port()
    gateway = cleanup(Gateway(folder, {"devices": [], "web": {"address": "0.0.0.0", "port": port}},
                              web=None))
    gateway.wait_line("WEB-LISTEN", "127.0.0.1")
    assert gateway.status()["web"]["this_machine_only"] is True
    assert "setup-code" in gateway.cli("status").stdout
    add_user(gateway, "root", "administrator")
    wait_for(lambda: gateway.status()["web"]["address"] == "0.0.0.0", "all networks")
    assert answers(f"https://127.0.0.1:{port}/")
    assert "setup-code" not in gateway.cli("status").stdout


def test_the_page_has_a_strict_policy_and_nothing_else_is_served(folder, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": []}, web=True))
    for path in ("/../state/web/key.pem", "/%2e%2e/%2e%2e/etc/passwd", "/.hidden", "/nothing"):
        assert get(gateway.web_url, path)[0] in (400, 404), path
    status, headers, page = get(gateway.web_url)
    if status == 200:  # built with the pages
        assert b"<title>" in page
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_without_it_nothing_listens(folder, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": []}))
    assert gateway.status()["web"] is None
    assert not (gateway.state / "web").exists()


def test_bad_settings_are_named(folder, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": []}))
    for value, field in (({"address": "localhost"}, "address"), ({"port": 0}, "port"),
                         ({"cert": "certs/a.pem"}, "key"), ({"session_idle_min": 0}, "session_idle_min")):
        status, problem = gateway.api("PUT", "/web", value)
        assert status == 422, problem
        assert any(row["field"] == field for row in problem["findings"]), problem
    wrong = subprocess.run([gateway.program.process.args[0], "--web", "9443"], capture_output=True,
                           text=True, timeout=30)
    assert wrong.returncode == 2 and "ADDRESS:PORT" in wrong.stderr


def test_api_is_for_people_too(folder, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": []}))
    assert json.loads(gateway.cli("api", "GET", "/whoami").stdout)["by"] == "socket"
    body = folder / "body.json"
    body.write_text('{"level": "DEBUG", "seconds": 60}')
    assert json.loads(gateway.cli("api", "PUT", "/log/level", "--body", body).stdout)["level"] == "DEBUG"
    refused = gateway.cli("api", "GET", "/dead?name=none", check=False)
    assert refused.returncode == 1 and json.loads(refused.stdout)["status"] == 404
    assert gateway.cli("api", "GET", "status", check=False).returncode == 2
    assert gateway.cli("api", "GET", "/status HTTP/1.1", check=False).returncode == 2
