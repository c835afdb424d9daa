"""Servers that speak TLS or TCP but are no healthy broker, made with Python's own ssl module, and
endpoints and files as people really leave them: the gateway says what is wrong and how to mend it,
and is well again once it is mended."""
import contextlib
import shutil
import socket
import ssl
import threading

import pytest

from harness import (Gateway, cloud_block, group, modbus_device, publish, server_identity, variable,
                     wait_for)

SCRIPT = "def main(data_collect, wizard_api):\n    return data_collect\n"
CONNACK = b"\x20\x02\x00"


class Server:
    """Accepts on 127.0.0.1, over TLS unless told otherwise, and lets `talk` have each connection."""

    def __init__(self, cloud, talk, tls=True):
        self.talk = talk
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*server_identity(cloud))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client):
        with contextlib.suppress(OSError), client:
            if self.context is None:
                self.talk(client)
                return
            with self.context.wrap_socket(client, server_side=True) as secure:
                self.talk(secure)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def start(folder, modbus, cloud_config):
    return Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_config, "publish": [publish("p", "p")]},
        {"p.py": SCRIPT})


def closes(client):
    client.recv(4096)


def speaks_http(client):
    client.recv(4096)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def refuses(client):
    client.recv(4096)
    client.sendall(CONNACK + b"\x05")
    client.recv(4096)


def hangs_up_when_something_is_published(client):
    client.recv(4096)
    client.sendall(CONNACK + b"\x00")
    client.recv(1)


def speaks_no_mqtt(client):
    client.recv(4096)
    client.sendall(b"\x20\xff\xff\xff\xff\x7f")
    client.recv(4096)


CASES = {
    "not_mqtt": (speaks_no_mqtt, True, ["MQTT CONNECT: the server answers, but not with MQTT",
                                        "check that endpoint and port"]),
    "no_connack": (closes, True, ["MQTT CONNECT: closed by the server without CONNACK",
                                  "iot:Connect", "attach a policy"]),
    "connack_5": (refuses, True, ["MQTT CONNECT: CONNACK code 5", "not authorized", "check"]),
    "http_without_tls": (speaks_http, False, ["TLS: ", "does not speak TLS", "check port"]),
    "closes_without_tls": (closes, False, ["TLS: ", "check that"]),
    "hang_up": (hangs_up_when_something_is_published, True,
                ["connection: closed by the server", "client id 'test-gateway'", "policy"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_for_each_kind_of_server(folder, cloud, modbus, cleanup, case):
    talk, tls, words = CASES[case]
    server = cleanup(Server(cloud, talk, tls))
    gateway = cleanup(start(folder, modbus, cloud_block(cloud, port=server.port)))
    error = wait_for(lambda: gateway.status()["link"]["last_error"], "an error of the link")
    for word in words:
        assert word in error, error
    before = gateway.tags()["D", "v"]["time"]
    wait_for(lambda: gateway.tags()["D", "v"]["time"] > before + 2, "collection to go on")
    assert len(gateway.program.find("LINK-LOST")) + len(gateway.program.find("LINK-FAILED")) == 1


@pytest.mark.parametrize("endpoint", ["localhost.", "LOCALHOST", "127.0.0.1"])
def test_an_endpoint_that_means_the_same_connects(folder, cloud, modbus, cleanup, endpoint):
    gateway = cleanup(start(folder, modbus, cloud_block(cloud, endpoint=endpoint)))
    wait_for(lambda: gateway.message("p")["delivered"], f"a delivery through '{endpoint}'")


def test_an_ipv6_address_in_brackets_is_that_address(folder, cloud, modbus, cleanup):
    gateway = cleanup(start(folder, modbus, cloud_block(cloud, endpoint="[::1]")))
    error = wait_for(lambda: gateway.status()["link"]["last_error"], "an error of the link")
    assert error.startswith("TCP: ::1"), error


def test_files_replaced_on_disk_are_read_again(folder, cloud, modbus, cleanup):
    files = cloud.files("gateway")
    key = folder / "gateway.key"
    key.write_text("not a key")
    key.chmod(0o600)
    gateway = cleanup(start(folder, modbus, cloud_block(cloud, key=str(key))))
    error = wait_for(lambda: gateway.status()["link"]["last_error"], "an error of the link")
    assert error.startswith("files: key: ") and "is not a PEM private key" in error, error
    shutil.copyfile(files["key"], key)
    wait_for(lambda: gateway.message("p")["delivered"], "a delivery after the key was replaced")
    assert gateway.program.find("LINK-UP")
