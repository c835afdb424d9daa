"""The local cloud under many, slow and half-open clients: it serves the others, and bounds what each costs."""
import contextlib
import pathlib
import shutil
import socket
import ssl
import sys
import time

import harness
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import cloud as load  # bench/cloud.py: the same connections, counted there, held to limits here

pytestmark = pytest.mark.alone

MANY = 1000
MINUTE_S = 60
KIB_EACH = 96  # the sanitizers' own share included
SANITIZED = "build-test" in str(harness.BIN)


@pytest.fixture
def quiet(certificates, folder, cleanup):
    def start(*limits):
        shutil.copytree(certificates, folder / "cloud", symlinks=True)
        return cleanup(harness.Cloud(folder / "cloud", limits=(*harness.WITHOUT_RATES, *limits), options=("--quiet",)))

    return start


def closed(connection):
    """Has the server ended it?"""
    connection.settimeout(harness.PATIENCE)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while connection.recv(4096):
            pass
    return True


def still_serves(cloud):
    cloud.publish("load/check", "x")
    return True


def test_1000_connections_with_mutual_tls(quiet):
    cloud = quiet()
    clients, seconds, kib = load.open_many(cloud, MANY, patience_s=4 * MINUTE_S)
    assert still_serves(cloud)
    assert clients[0].sendall(b"\xc0\x00") is None and clients[0].recv(2) == b"\xd0\x00"
    assert clients[-1].sendall(b"\xc0\x00") is None and clients[-1].recv(2) == b"\xd0\x00"
    print(f"{MANY} connections in {seconds:.1f} s, {kib:.0f} KiB each")
    if not SANITIZED:
        assert kib < KIB_EACH
        assert seconds < MINUTE_S  # 1,000 connects a minute
    for client in clients:
        client.close()
    assert still_serves(cloud)


def test_silent_clients_are_cut_in_the_handshake(quiet):
    cloud = quiet("connect_wait_s=2")
    silent = [socket.create_connection(("127.0.0.1", cloud.port)) for _ in range(50)]
    half = [socket.create_connection(("127.0.0.1", cloud.port)) for _ in range(50)]
    for connection in half:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # begins a ClientHello
    assert still_serves(cloud)
    assert all(closed(connection) for connection in silent + half)


def test_half_open_clients_are_cut_before_their_connect(quiet):
    cloud = quiet("connect_wait_s=2")
    context = ssl.create_default_context(cafile=cloud.files("gateway")["root_ca"])
    context.load_cert_chain(cloud.files("gateway")["cert"], cloud.files("gateway")["key"])
    connections = [context.wrap_socket(socket.create_connection(("127.0.0.1", cloud.port)), server_hostname="localhost")
                   for _ in range(20)]
    connections[0].sendall(b"\x10\x20\x00\x04MQ")  # and no more of it
    assert still_serves(cloud)
    assert all(closed(connection) for connection in connections)


def test_a_client_that_reads_nothing_is_bounded(quiet):
    """60 MB for a subscriber that does not read: neither the others nor the memory notice."""
    cloud = quiet()
    pid = cloud.program.process.pid
    context = ssl.create_default_context(cafile=cloud.files("gateway")["root_ca"])
    context.load_cert_chain(cloud.files("gateway")["cert"], cloud.files("gateway")["key"])
    deaf = load.connect(cloud, context, b"deaf")
    deaf.sendall(b"\x82\x0b\x00\x01\x00\x06load/a\x00")
    assert deaf.recv(5) == b"\x90\x03\x00\x01\x00"
    before = load.memory_kib(pid, "Rss:")
    sender = load.connect(cloud, context, b"sender")
    payload = b"x" * 100000
    topic = b"\x00\x06load/a"
    length = len(topic) + len(payload)
    packet = b"\x30" + bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14]) + topic + payload
    for _ in range(600):
        sender.sendall(packet)
    sender.sendall(b"\xc0\x00")
    assert sender.recv(2) == b"\xd0\x00"  # all of it has been taken
    assert still_serves(cloud)
    grown = load.memory_kib(pid, "Rss:") - before
    assert grown < 16 * 1024 or SANITIZED, f"{grown} KiB for one client that does not read"
    deaf.close()
    sender.close()


def test_clients_that_go_without_a_word_leave_nothing(quiet):
    cloud = quiet()
    pid = cloud.program.process.pid
    descriptors = pathlib.Path(f"/proc/{pid}/fd")
    assert still_serves(cloud)  # what it opens for itself is open now
    before = len(list(descriptors.iterdir()))
    for _ in range(5):
        clients, _, _ = load.open_many(cloud, 40)
        for client in clients[::2]:
            plain = socket.socket(fileno=client.detach())
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset
            plain.close()
        for client in clients[1::2]:
            client.close()
    # The client of the check itself may have been on its way out.
    harness.wait_for(lambda: len(list(descriptors.iterdir())) <= before + 2, "the descriptors to come back")
    assert still_serves(cloud)


def test_connects_beside_traffic(quiet):
    """The way of one client's messages is not held up by the handshakes of others."""
    cloud = quiet()
    context = ssl.create_default_context(cafile=cloud.files("gateway")["root_ca"])
    context.load_cert_chain(cloud.files("gateway")["cert"], cloud.files("gateway")["key"])
    client = load.connect(cloud, context, b"steady")
    slowest = 0.0
    for number in range(100):
        other = load.connect(cloud, context, b"passing%d" % number)
        began = time.monotonic()
        client.sendall(b"\x32\x0b\x00\x06load/b\x00\x01x")
        assert client.recv(4) == b"\x40\x02\x00\x01"
        slowest = max(slowest, time.monotonic() - began)
        other.close()
    assert slowest < 2, slowest
    client.close()
