"""TLS of the local cloud, as AWS IoT Core speaks it: versions, chains, names, ALPN, and which client
certificates get in. Each test is named after what it shows; the peers are OpenSSL and Python's ssl."""
import contextlib
import json
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import time

import harness
import pytest
from cloud_api import CloudApi

MQTT_3_CONNECT = bytes.fromhex("101000044d5154540402003c0004") + b"tls-"
CONNACK = bytes.fromhex("20020000")
ALPN = "x-amzn-mqtt-ca"
# RFC 8446, 6: numbers of alerts.
CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN, UNSUPPORTED_CERTIFICATE = 45, 46, 43
MISSING_EXTENSION, UNRECOGNIZED_NAME, CERTIFICATE_REQUIRED, NO_APPLICATION_PROTOCOL = 109, 112, 116, 120


@pytest.fixture(scope="module")
def running(certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud-tls")
    subprocess.run(["cp", "-a", certificates, folder / "cloud"], check=True)
    cloud = harness.Cloud(folder / "cloud", options=("--alpn-port", "0", "--api-port", "0"))
    cloud.api = object.__new__(CloudApi)
    cloud.api.port = int(cloud.ready["api_url"].rsplit(":", 1)[1])
    cloud.work = folder
    yield cloud
    cloud.stop()


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, text=True, check=True,
                          capture_output=True, timeout=harness.PATIENCE).stdout


def s_client(cloud, *arguments, port=None, root="AmazonRootCA1.pem", name="localhost", thing="gateway"):
    """(everything openssl s_client says, number of the alert it got or None)"""
    files = ["-cert", cloud.files(thing)["cert"], "-key", cloud.files(thing)["key"]] if thing else []
    server_name = ["-servername", name] if name else ["-noservername"]
    process = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port or cloud.port}", "-CAfile",
         cloud.folder / root, "-verify_return_error", "-ign_eof", *server_name, *files, *map(str, arguments)],
        input=b"\xe0\x00", capture_output=True, timeout=harness.PATIENCE)
    text = (process.stdout + process.stderr).decode(errors="replace")
    alert = re.search(r"SSL alert number (\d+)", text)
    return text, int(alert.group(1)) if alert else None


def alert_of(cloud, certificate, key, version=ssl.TLSVersion.TLSv1_2):
    """Connects with that certificate; the alert's name, or None when it is let in."""
    context = ssl.create_default_context(cafile=cloud.folder / "AmazonRootCA1.pem")
    context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(certificate, key)
    try:
        with socket.create_connection(("127.0.0.1", cloud.port), harness.PATIENCE) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(MQTT_3_CONNECT)
            assert tls.recv(4) == CONNACK
            return None
    except ssl.SSLError as error:
        return error.reason


def certificate(folder, name, key=("ec", "ec_paramgen_curve:P-256"), digest="sha256", days=9, ca=None):
    """Self-signed, or by `ca`; (certificate file, key file)"""
    pem, private = folder / f"{name}.pem", folder / f"{name}.key"
    kind = ["-newkey", key[0], *(["-pkeyopt", key[1]] if len(key) > 1 else [])]
    signer = ["-CA", ca[0], "-CAkey", ca[1]] if ca else []
    if ca:
        openssl("req", "-new", *kind, "-nodes", "-keyout", private, "-out", f"{pem}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{pem}.csr", *signer, "-CAcreateserial", "-out", pem, "-days", days,
                f"-{digest}")
    else:
        openssl("req", "-x509", *kind, "-nodes", f"-{digest}", "-keyout", private, "-out", pem, "-days", days,
                "-subj", f"/CN={name}")
    return pem, private


def register(cloud, pem, status="ACTIVE"):
    made = cloud.api.ok("POST", "/certificate/register-no-ca", {"certificatePem": pem.read_text(), "status": status})
    cloud.api.ok("PUT", "/target-policies/penstock-quickstart", {"target": made["certificateArn"]})
    return made["certificateId"]


# ---- versions, suites, tickets


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_versions_1_2_and_1_3(running, version):
    text, alert = s_client(running, f"-tls{version}")
    assert f"TLSv{version.replace('_', '.')}" in text and alert is None, text


def test_version_1_1_is_refused(running):
    text, alert = s_client(running, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
    assert alert == 70 or "no protocols available" in text, text  # protocol_version


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_suites_of_tls_1_3(running, suite):
    text, alert = s_client(running, "-tls1_3", "-ciphersuites", suite)
    assert suite in text and alert is None


@pytest.mark.parametrize("suite", [
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384",
    "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES128-SHA",
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_suites_of_tls_1_2(running, suite):
    root = "AmazonRootCA3.pem" if "ECDSA" in suite else "AmazonRootCA1.pem"
    text, alert = s_client(running, "-tls1_2", "-cipher", suite, root=root)
    assert suite in text and "Verify return code: 0" in text and alert is None, text


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_no_session_tickets(running, version):
    text, _ = s_client(running, f"-tls{version}", "-msg")
    assert "NewSessionTicket" not in text
    assert "Reused" not in text


# ---- the server's chains and name


def test_rsa_chain_for_a_client_that_takes_both(running):
    text, _ = s_client(running)
    assert "Verify return code: 0" in text and "Peer signature type: RSA-PSS" in text
    assert "issuing CA" in text  # the chain is sent, as AWS does


def test_ecc_chain_for_a_client_that_takes_only_ecdsa(running):
    context = "ecdsa_secp256r1_sha256:RSA+SHA256" # the second is for its own certificate, in 1.2
    text, _ = s_client(running, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-sigalgs", context,
                       root="AmazonRootCA3.pem")
    assert "Verify return code: 0" in text and "Peer signature type: ECDSA" in text


def test_key_type_ecc_prefers_the_ecc_chain(folder, cleanup):
    cloud = cleanup(harness.Cloud(folder / "cloud", key_type="ecc"))
    text, _ = s_client(cloud, root="AmazonRootCA3.pem")
    assert "Verify return code: 0" in text and "Peer signature type: ECDSA" in text
    assert cloud.ready["root_ca"].endswith("AmazonRootCA3.pem")
    text, _ = s_client(cloud, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert "Verify return code: 0" in text


def test_device_ca_is_not_the_servers_root(running):
    text, _ = s_client(running, root="device-ca.pem")
    assert "unable to get local issuer certificate" in text


def test_wrong_server_name_is_refused(running):
    for name in ("example.com", "localhost.example.com"):
        assert s_client(running, name=name)[1] == UNRECOGNIZED_NAME, name


def test_server_name_may_be_missing(running):
    assert s_client(running, name=None)[1] is None


def test_strict_sni_refuses_a_missing_name(certificates, folder, cleanup):
    subprocess.run(["cp", "-a", certificates, folder / "cloud"], check=True)
    cloud = cleanup(harness.Cloud(folder / "cloud", options=("--strict-sni", "--host", "*.iot.example.com")))
    assert s_client(cloud, name=None)[1] == MISSING_EXTENSION
    assert s_client(cloud, name="localhost")[1] is None
    assert s_client(cloud, name="abc-ats.iot.example.com")[1] is None


# ---- ALPN


def test_alpn_is_required_on_the_port_like_443(running):
    port = running.ready["alpn_port"]
    assert f"ALPN protocol: {ALPN}" in s_client(running, "-alpn", f"h2,{ALPN}", port=port)[0]
    assert s_client(running, "-alpn", "mqtt", port=port)[1] == NO_APPLICATION_PROTOCOL
    assert s_client(running, port=port)[1] == NO_APPLICATION_PROTOCOL


def test_alpn_is_optional_on_8883(running):
    assert f"ALPN protocol: {ALPN}" in s_client(running, "-alpn", ALPN)[0]
    for offered in (["-alpn", "mqtt"], []):
        text, alert = s_client(running, *offered)
        assert "No ALPN negotiated" in text and alert is None


# ---- the client's certificate


def test_without_a_certificate(running):
    assert s_client(running, thing=None)[1] == CERTIFICATE_REQUIRED
    assert s_client(running, "-tls1_2", thing=None)[1] == 40  # handshake_failure


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_only_active_certificates_connect(running, status):
    pem, key = certificate(running.work, f"state-{status}")
    name = register(running, pem)
    assert alert_of(running, pem, key) is None
    running.api.ok("PUT", f"/certificates/{name}?newStatus={status}")
    assert alert_of(running, pem, key) == "SSLV3_ALERT_CERTIFICATE_UNKNOWN"
    running.api.ok("PUT", f"/certificates/{name}?newStatus=ACTIVE")
    assert alert_of(running, pem, key) is None


def test_unknown_certificates_fail_in_the_handshake(running):
    pem, key = certificate(running.work, "unknown")
    assert alert_of(running, pem, key) == "SSLV3_ALERT_CERTIFICATE_UNKNOWN"


def test_with_tls_1_3_the_alert_comes_at_the_first_read(running):
    pem, key = certificate(running.work, "late")
    context = ssl.create_default_context(cafile=running.folder / "AmazonRootCA1.pem")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(pem, key)
    with socket.create_connection(("127.0.0.1", running.port), harness.PATIENCE) as plain:
        tls = context.wrap_socket(plain, server_hostname="localhost")  # the client believes it is in
        with contextlib.suppress(OSError):
            tls.sendall(MQTT_3_CONNECT)
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_UNKNOWN"):
            tls.recv(4)


def test_a_self_signed_certificate_connects_once_registered(running):
    pem, key = certificate(running.work, "self-signed")
    register(running, pem)
    assert alert_of(running, pem, key) is None
    assert alert_of(running, pem, key, ssl.TLSVersion.TLSv1_3) is None


def test_any_issuer_will_do(running):
    ca = certificate(running.work, "some-ca")
    pem, key = certificate(running.work, "some-leaf", ca=ca)
    register(running, pem)
    assert alert_of(running, pem, key) is None


def test_an_expired_certificate(running):
    issue = subprocess.run([harness.BIN / "penstock-cloud", "issue", running.folder, "--thing", "old", "--expired",
                            "--json"], capture_output=True, text=True, check=True, timeout=harness.PATIENCE)
    files = json.loads(issue.stdout)
    assert alert_of(running, files["cert"], files["key"]) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


@pytest.mark.parametrize("key", [("rsa", "rsa_keygen_bits:2048"), ("rsa", "rsa_keygen_bits:3072"),
                                 ("ec", "ec_paramgen_curve:P-256"), ("ec", "ec_paramgen_curve:P-384"),
                                 ("ec", "ec_paramgen_curve:P-521")])
def test_accepted_keys(running, key):
    pem, private = certificate(running.work, "key-" + key[1].split(":")[1], key)
    register(running, pem)
    assert alert_of(running, pem, private) is None


def put_directly(cloud, pem):
    """The API refuses such a certificate, as AWS does; so it is put where the handshake looks."""
    issued = certificate(cloud.work, "stand-in")
    name = register(cloud, issued[0])
    digest = openssl("x509", "-in", pem, "-noout", "-fingerprint", "-sha256").split("=")[1].replace(":", "").strip().lower()
    sqlite = sqlite3.connect(cloud.folder / "cloud.db", timeout=harness.PATIENCE)
    with sqlite:
        changed = sqlite.execute("UPDATE certificates SET id = ? WHERE id = ?", (digest, name)).rowcount
    sqlite.close()
    assert changed == 1


@pytest.mark.parametrize("name, key, digest", [
    ("rsa-1024", ("rsa", "rsa_keygen_bits:1024"), "sha256"),
    ("sha1", ("rsa", "rsa_keygen_bits:2048"), "sha1")])
def test_keys_and_signatures_that_are_not_accepted(running, name, key, digest):
    pem, private = certificate(running.work, name, key, digest)
    put_directly(running, pem)
    assert alert_of(running, pem, private) == "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"


def test_just_in_time_registration(running):
    ca = certificate(running.work, "jitr-ca")
    running.api.ok("PUT", "/_penstock/limits", {"limits": {}})
    answer = running.api.ok("POST", "/cacertificate?setAsActive=true&allowAutoRegistration=true",
                            {"caCertificate": ca[0].read_text(), "certificateMode": "SNI_ONLY"})
    pem, key = certificate(running.work, "jitr-leaf", ca=ca)
    topic = f"$aws/events/certificates/registered/{answer['certificateId']}"
    with listen(running, topic) as subscriber:
        assert alert_of(running, pem, key) == "SSLV3_ALERT_CERTIFICATE_UNKNOWN"
        event = json.loads(subscriber.stdout.readline())
    assert event["caCertificateId"] == answer["certificateId"]
    assert event["certificateStatus"] == "PENDING_ACTIVATION"
    found = running.api.ok("GET", f"/certificates/{event['certificateId']}")["certificateDescription"]
    assert found["status"] == "PENDING_ACTIVATION" and found["caCertificateId"] == answer["certificateId"]
    assert alert_of(running, pem, key) == "SSLV3_ALERT_CERTIFICATE_UNKNOWN"
    running.api.ok("PUT", f"/certificates/{event['certificateId']}?newStatus=ACTIVE")
    running.api.ok("PUT", "/target-policies/penstock-quickstart", {"target": found["certificateArn"]})
    assert alert_of(running, pem, key) is None


@contextlib.contextmanager
def listen(cloud, topic):
    """mosquitto_sub that is subscribed to `topic`."""
    files = cloud.files("receiver")
    process = subprocess.Popen(
        ["mosquitto_sub", "-h", "localhost", "-p", str(cloud.port), "--cafile", files["root_ca"], "--cert",
         files["cert"], "--key", files["key"], "-i", "listener", "-q", "1", "-t", topic, "-W", str(harness.PATIENCE)],
        stdout=subprocess.PIPE, text=True)
    log = cloud.folder / "broker/mosquitto.log"
    harness.wait_for(lambda: f"listener 1 {topic}" in log.read_text(), "the subscription")
    try:
        yield process
    finally:
        process.kill()
        process.wait(harness.PATIENCE)
        process.stdout.close()


def test_a_live_session_ends_when_its_certificate_leaves_active(running):
    pem, key = certificate(running.work, "leaver")
    name = register(running, pem)
    context = ssl.create_default_context(cafile=running.folder / "AmazonRootCA1.pem")
    context.load_cert_chain(pem, key)
    with socket.create_connection(("127.0.0.1", running.port), harness.PATIENCE) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(MQTT_3_CONNECT)
        assert tls.recv(4) == CONNACK
        running.api.ok("PUT", f"/certificates/{name}?newStatus=INACTIVE")
        assert tls.recv(4) == b""


# ---- faults of a handshake


@pytest.mark.parametrize("rule, words", [
    ("server certificate expired", "certificate has expired"),
    ("server certificate not-yet", "certificate is not yet valid"),
    ("server certificate foreign", "unable to get local issuer certificate|self.signed certificate"),
    ("server certificate wrong-host", "hostname mismatch"),
    ("refuse", "no peer certificate available")])
def test_one_handshake_goes_wrong_on_command(running, rule, words):
    running.api.ok("PUT", "/_penstock/faults", {"rules": [f"on handshake, once: {rule}"]})
    text, _ = s_client(running, "-verify_hostname", "localhost")
    assert re.search(words, text), text
    assert "Verify return code: 0" in s_client(running)[0]


def test_a_slow_handshake_on_command(running):
    running.api.ok("PUT", "/_penstock/faults", {"rules": ["on handshake, once: delay 700ms"]})
    began = time.monotonic()
    assert "Verify return code: 0" in s_client(running)[0]
    assert time.monotonic() - began > 0.7


def test_a_folder_of_the_first_form_is_taken_over(certificates, folder, cleanup):
    """It had the files, and no account."""
    shutil.copytree(certificates, folder / "cloud")
    bad = subprocess.run([harness.BIN / "penstock-cloud", "issue", folder / "cloud", "--thing", "bad", "--foreign-ca",
                          "--json"], capture_output=True, text=True, check=True, timeout=harness.PATIENCE)
    for part in (folder / "cloud").glob("cloud.db*"):
        part.unlink()
    cloud = cleanup(harness.Cloud(folder / "cloud", things=("other",)))
    pem, = (cloud.folder / "things/gateway").glob("*-certificate.pem.crt")
    key, = (cloud.folder / "things/gateway").glob("*-private.pem.key")
    assert alert_of(cloud, pem, key) is None
    bad = json.loads(bad.stdout)
    assert alert_of(cloud, bad["cert"], bad["key"]) == "SSLV3_ALERT_CERTIFICATE_UNKNOWN"
