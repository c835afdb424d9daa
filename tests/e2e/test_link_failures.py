"""Each way a connection can fail gives one clear line with step and cure; collection goes on."""
import shutil
import socket
import subprocess

import pytest

from harness import (BIN, Cloud, Gateway, Receiver, cloud_block, free_port, group, modbus_device,
                     publish, variable, wait_for)
from proxy import Proxy

SCRIPT = "def main(data_collect, wizard_api):\n    return data_collect\n"


def start(folder, modbus, cloud_config):
    return Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_config, "publish": [publish("p", "p")]},
        {"p.py": SCRIPT})


def expect(gateway, *words):
    """The error names step and cause, is logged once, and collection goes on."""
    error = wait_for(lambda: gateway.status()["link"]["last_error"], "an error of the link")
    lowered = error.lower()
    for word in words:
        assert word.lower() in lowered, f"'{word}' not in: {error}"
    wait_for(lambda: gateway.program.find(error[:60]), "the error in the log")
    before = gateway.tags()["D", "v"]["time"] or 0
    wait_for(lambda: (gateway.tags()["D", "v"]["time"] or 0) > before + 0.5, "collection to go on")
    logged = gateway.program.find(error[:60])
    assert len(logged) == 1, gateway.program.text()
    wait_for(lambda: gateway.message("p")["waiting"] > 0, "messages to wait")


def issue(cloud, name, *flags):
    subprocess.run([str(BIN / "penstock-cloud"), "issue", str(cloud.folder), "--thing", name,
                    *flags], check=True, capture_output=True, timeout=60)
    folder = cloud.folder / "things" / name
    return {"cert": str(next(folder.glob("*-certificate.pem.crt"))),
            "key": str(next(folder.glob("*-private.pem.key")))}


def test_wrong_key(folder, cloud, modbus, cleanup):
    other = issue(cloud, "other")
    expect(cleanup(start(folder, modbus, cloud_block(cloud, key=other["key"]))), "key",
           "certificate")


def test_expired_own_certificate(folder, cloud, modbus, cleanup):
    old = issue(cloud, "old", "--expired")
    expect(cleanup(start(folder, modbus, cloud_block(cloud, **old))), "expired", "certificate")


def test_certificate_the_server_does_not_know(folder, cloud, modbus, cleanup):
    foreign = issue(cloud, "foreign", "--foreign-ca")
    expect(cleanup(start(folder, modbus, cloud_block(cloud, **foreign))), "TLS", "certificate")


def test_wrong_root(folder, cloud, modbus, cleanup, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Another Root", "-keyout",
                    str(tmp_path / "k"), "-out", str(tmp_path / "root.pem"), "-days", "30"],
                   check=True, capture_output=True)
    expect(cleanup(start(folder, modbus, cloud_block(cloud, root_ca=str(tmp_path / "root.pem")))),
           "TLS", "root_ca")


def test_wrong_host_name(folder, cloud, modbus, cleanup):
    # 127.0.0.2 reaches the same loopback, but the certificate does not name it.
    proxy = cleanup(Proxy(cloud.port, address="127.0.0.2"))
    expect(cleanup(start(folder, modbus, cloud_block(cloud, endpoint="127.0.0.2",
                                                     port=proxy.port))), "TLS", "127.0.0.2")


def test_refused_port(folder, cloud, modbus, cleanup):
    expect(cleanup(start(folder, modbus, cloud_block(cloud, port=free_port()))), "TCP", "refused")


def test_silent_port(folder, cloud, modbus, cleanup):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        expect(cleanup(start(folder, modbus,
                             cloud_block(cloud, port=silent.getsockname()[1]))), "TLS")


def test_unknown_host(folder, cloud, modbus, cleanup):
    expect(cleanup(start(folder, modbus, cloud_block(cloud, endpoint="no-such-host.invalid"))),
           "DNS", "no-such-host.invalid")


def test_recovers_when_the_cause_is_mended(folder, cloud, modbus, cleanup):
    cloud.stop()
    gateway = cleanup(start(folder, modbus, cloud_block(cloud)))
    expect(gateway, "TCP")
    cloud.start()
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    wait_for(lambda: gateway.message("p")["waiting"] <= 1, "the backlog to go")


def test_ecc_keys_and_root(folder, modbus, cleanup):
    cloud = cleanup(Cloud(folder / "ecc", key_type="ecc"))
    receiver = cleanup(Receiver(cloud, "p"))
    cleanup(start(folder, modbus, cloud_block(cloud)))
    wait_for(receiver.messages, "a message over an ECC chain")
