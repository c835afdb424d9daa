"""penstock-sim from outside: its ready line, its tables over raw Modbus TCP, its control socket."""

import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

BIN = Path(os.environ.get("PENSTOCK_BUILD", "build")).resolve() / "bin"
LIMIT_S = 60
SIM = os.environ.get("PENSTOCK_SIM", str(BIN / "penstock-sim"))


class Modbus:
    """A client of a few lines, so that the test depends on no Modbus library."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        self.transaction = 0

    def request(self, pdu, slave=1):
        self.transaction += 1
        self.sock.sendall(struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, slave) + pdu)
        header = self.exactly(7)
        transaction, protocol, length, unit = struct.unpack(">HHHB", header)
        assert (transaction, protocol, unit) == (self.transaction, 0, slave)
        return self.exactly(length - 1)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise ConnectionError("closed")
            data += part
        return data

    def read(self, function, offset, count, slave=1):
        answer = self.request(struct.pack(">BHH", function, offset, count), slave)
        assert answer[0] == function, f"exception {answer[1]}"
        return answer[2:]

    def close(self):
        self.sock.close()


class Sim:
    def __init__(self, tmp_path, *options):
        self.control_path = tmp_path / "control"
        ready = tmp_path / "ready"
        self.process = subprocess.Popen(
            [SIM, "--port", "0", "--ready-file", str(ready), "--control", str(self.control_path), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("penstock-sim: modbus tcp on 127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])
        assert int(ready.read_text()) == self.port

    def say(self, line):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(LIMIT_S)
            control.connect(str(self.control_path))
            control.sendall(line.encode() + b"\n")
            return control.makefile().readline().strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT_S) == 0
        assert self.process.stderr.read() == ""


@pytest.fixture
def sim(tmp_path):
    plant = Sim(tmp_path)
    yield plant
    plant.stop()


def test_documented_points(sim):
    client = Modbus(sim.port)
    words = struct.unpack(">HfI", client.read(3, 0, 5))
    assert 15 <= words[0] <= 30
    assert abs(words[0] - words[1]) <= 0.51
    assert client.read(3, 30, 6) == b"PENSTOCK-SIM"
    assert struct.unpack(">H", client.read(3, 1999, 1)) == (2000,)
    assert struct.unpack(">H", client.read(3, 65535, 1)) == (0,)
    assert client.read(1, 0, 1)[0] & 1 == 1
    deadline = time.monotonic() + LIMIT_S
    while struct.unpack(">HfI", client.read(3, 0, 5))[2] <= words[2]:
        assert time.monotonic() < deadline, "the counter stands still"
        time.sleep(0.02)
    client.close()


def test_write_stays_and_feeds_back(sim):
    client = Modbus(sim.port)
    assert client.request(struct.pack(">BHH", 6, 100, 60)) == struct.pack(">BHH", 6, 100, 60)
    text = b"BATCH-0042".ljust(16, b"\0")
    client.request(struct.pack(">BHHB", 16, 103, 8, 16) + text)
    assert client.read(3, 103, 8) == text
    deadline = time.monotonic() + LIMIT_S
    while struct.unpack(">H", client.read(3, 0, 1))[0] < 30 or client.read(4, 9, 8) != text:
        assert time.monotonic() < deadline, "the plant does not follow its set points"
        time.sleep(0.05)
    assert struct.unpack(">H", client.read(3, 100, 1)) == (60,)
    client.close()


def test_control_socket(sim):
    assert sim.say("set 40001 123") == "ok"
    assert sim.say("get 40001") == "123"
    client = Modbus(sim.port)
    assert struct.unpack(">H", client.read(3, 0, 1)) == (123,)
    assert sim.say("exception 2 40010-40020") == "ok"
    assert client.request(struct.pack(">BHH", 3, 0, 30)) == bytes([0x83, 2])
    assert client.read(3, 0, 9)
    assert sim.say("ok") == "ok"
    assert client.read(3, 0, 30)
    assert sim.say("slave 7 silent") == "ok"
    client.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.read(3, 0, 1, slave=7)
    client.close()
    assert "unanswered=1" in sim.say("stats")
    assert sim.say("explode").startswith("error: ")
    assert sim.say("delay many") == "error: usage: delay MS"
    assert sim.say("refuse") == "ok"
    with pytest.raises(ConnectionRefusedError):
        Modbus(sim.port)
    assert sim.say("ok") == "ok"
    Modbus(sim.port).close()


def test_garbage_closes_only_its_own_connection(sim):
    good = Modbus(sim.port)
    bad = socket.create_connection(("127.0.0.1", sim.port), timeout=LIMIT_S)
    bad.sendall(b"GET / HTTP/1.1\r\n\r\n")
    try:
        assert bad.recv(1) == b""
    except ConnectionResetError:
        pass
    bad.close()
    assert good.request(bytes([0x2B, 14, 1, 0])) == bytes([0xAB, 1])
    assert good.request(struct.pack(">BHH", 3, 0, 126)) == bytes([0x83, 3])
    assert good.request(struct.pack(">BHH", 3, 65535, 2)) == bytes([0x83, 2])
    assert good.request(struct.pack(">BHHB", 16, 0, 2, 9) + b"123456789") == bytes([0x90, 3])
    assert good.read(3, 0, 1)
    good.close()


def test_called_wrongly():
    for arguments in (["--port", "x"], ["--bogus"], ["extra"], ["--fault", "nonsense", "--port", "0"]):
        run = subprocess.run([SIM, *arguments], capture_output=True, text=True, timeout=LIMIT_S)
        assert run.returncode == 2, arguments
        assert run.stderr
    assert subprocess.run([SIM, "--help"], capture_output=True, timeout=LIMIT_S).returncode == 0


def test_port_taken(sim, tmp_path):
    run = subprocess.run([SIM, "--port", str(sim.port)], capture_output=True, text=True, timeout=LIMIT_S)
    assert run.returncode == 1
    assert str(sim.port) in run.stderr


def test_quit_on_standard_input():
    run = subprocess.run(
        [SIM, "--port", "0", "--interactive"], input="get 40101\nquit\n", capture_output=True, text=True, timeout=LIMIT_S
    )
    assert run.returncode == 0
    assert run.stdout.splitlines()[1:] == ["22", "ok"]
