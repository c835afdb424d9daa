"""The local cloud beside mosquitto alone: messages a second, and memory for each connection."""
import contextlib
import socket
import ssl
import statistics
import subprocess
import time

import harness
from measure import memory_kib

BYTES = 200
COUNT = 20000
WINDOW = 100  # unacknowledged messages, AWS IoT's limit
CONNECTIONS = 1000
CONNECT_LIMIT_S = 60
ROUNDS = 5


class MutualTls:
    """mosquitto alone, with the cloud's device CA and a server certificate of its own."""

    def __init__(self, folder, device_ca):
        def make(*arguments):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder,
                           timeout=harness.PATIENCE)

        make("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out",
             "root.pem", "-days", "9", "-subj", "/CN=root")
        make("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out",
             "server.csr", "-subj", "/CN=localhost")
        (folder / "names").write_text("subjectAltName=DNS:localhost\n")
        make("x509", "-req", "-in", "server.csr", "-CA", "root.pem", "-CAkey", "root.key",
             "-CAcreateserial", "-out", "server.pem", "-days", "9", "-extfile", "names")
        self.root = folder / "root.pem"
        self.broker = harness.Broker(
            folder, "user root", f"cafile {device_ca}", f"certfile {folder / 'server.pem'}",
            f"keyfile {folder / 'server.key'}", "require_certificate true",
            "use_identity_as_username true", "max_inflight_messages 100", "set_tcp_nodelay true",
            "persistence false")

    def stop(self):
        self.broker.stop()


def messages_a_second(port, root, files):
    """A bare libmosquitto loop; no other client, so what is measured is the way to the PUBACK."""
    seconds = float(subprocess.run(
        [str(argument) for argument in (harness.BIN.parent / "bench/publish_loop", "localhost", port, root,
                                        files["cert"], files["key"], COUNT, BYTES, WINDOW)],
        check=True, capture_output=True, text=True, timeout=600).stdout)
    return COUNT / seconds


def bench_rate(folder):
    """QoS 1 through front and mosquitto, in turns with mosquitto alone; the ratio's median."""
    cloud = harness.Cloud(folder / "cloud", options=("--quiet",))
    alone = MutualTls(folder, cloud.folder / "device-ca.pem")
    files = cloud.files("gateway")
    ways = [(alone.broker.port, alone.root), (cloud.port, files["root_ca"])]
    for port, root in ways:
        messages_a_second(port, root, files)  # not counted: caches, heaps
    rates = [[messages_a_second(port, root, files) for port, root in ways]
             for _ in range(ROUNDS)]
    cloud.stop()
    alone.stop()
    ratio = statistics.median(front / bare for bare, front in rates)
    print(f"cloud    QoS 1, {BYTES} bytes, {WINDOW} unacknowledged, mutual TLS")
    print(f"         mosquitto alone {statistics.median(r[0] for r in rates):.0f} messages/s, "
          f"local cloud {statistics.median(r[1] for r in rates):.0f} messages/s")
    print(f"         ratio {ratio:.2f} (limit 0.5)")


def connect(cloud, context, name):
    """A client that has its CONNACK."""
    plain = socket.create_connection(("127.0.0.1", cloud.port), harness.PATIENCE)
    tls = context.wrap_socket(plain, server_hostname="localhost")
    tls.sendall(bytes([0x10, 12 + len(name), 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, len(name)])
                + name)
    answer = tls.recv(4)
    assert answer == b"\x20\x02\x00\x00", answer
    return tls


def open_many(cloud, count=CONNECTIONS, patience_s=CONNECT_LIMIT_S):
    """(the connections, seconds it took, KiB each of them costs)"""
    files = cloud.files("gateway")
    context = ssl.create_default_context(cafile=files["root_ca"])
    context.load_cert_chain(files["cert"], files["key"])
    pid = cloud.program.process.pid
    clients = [connect(cloud, context, b"first")]
    before_kib = memory_kib(pid, "Pss:")
    began = time.monotonic()
    while len(clients) <= count:
        assert time.monotonic() - began < patience_s, f"{len(clients)} connections in {patience_s} s"
        clients.append(connect(cloud, context, b"c%05d" % len(clients)))
    return clients, time.monotonic() - began, (memory_kib(pid, "Pss:") - before_kib) / count


def bench_connections(folder):
    cloud = harness.Cloud(folder / "cloud-many", options=("--quiet",))
    clients, seconds, kib = open_many(cloud)
    print(f"         {CONNECTIONS} connections in {seconds:.1f} s, {kib:.0f} KiB each")
    for client in clients:
        with contextlib.suppress(OSError):
            client.close()
    cloud.stop()


def bench_cloud(folder, _):
    """The local cloud beside mosquitto alone, and 1,000 clients of it."""
    bench_rate(folder)
    bench_connections(folder)


BENCHES = {"cloud": bench_cloud}
