"""The sides of penstock-sim from outside: every fault of frames on every one of them over raw
sockets, the controller of EtherNet/IP through a foreign client."""
import json
import re
import socket
import struct
import subprocess
import time

import harness
import node_modules
import pytest

SIDES = re.findall(r"--(\w+)-port N +also [A-Z]", subprocess.run(
    [harness.BIN / "penstock-sim", "--help"], capture_output=True, text=True, check=True).stdout)
SIDES = ["modbus", *(side for side in SIDES if side != "rtu")]
NOTHING_S = 0.25  # as long as one must look to say that nothing comes


class Peer:
    """A connection; `ask` sends one request, `answer` takes one whole frame."""

    identity = slice(0, 2)  # where an answer says whom it answers

    def __init__(self, port):
        self.port = port
        self.count = 0
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=harness.PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.greet()

    def greet(self):
        pass

    def ask(self):
        self.count += 1
        self.sock.sendall(self.request())

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise ConnectionError("closed")
            data += part
        return data

    def answer(self):
        head = self.exactly(self.head)
        return head + self.exactly(self.length(head) - self.head)

    def asked(self):
        self.ask()
        return self.answer()

    def hears_nothing(self):
        self.sock.settimeout(NOTHING_S)
        try:
            assert self.sock.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(harness.PATIENCE)

    def close(self):
        self.sock.close()


class Modbus(Peer):
    head = 6

    def request(self):
        return struct.pack(">HHHBBHH", self.count, 0, 6, 1, 3, 1000, 2)

    def length(self, head):
        return 6 + struct.unpack(">H", head[4:6])[0]


class S7(Peer):
    head = 4
    identity = slice(11, 13)

    def greet(self):
        self.sock.sendall(bytes.fromhex("0300001611e00000000100c0010ac1020100c2020101"))
        assert self.answer()[5] == 0xD0
        self.sock.sendall(bytes.fromhex("0300001902f08032010000ffff00080000f0000001000101e0"))
        assert self.answer()[8] == 3

    def request(self):  # two bytes of DB1
        return (bytes.fromhex("0300001f02f08032010000") + struct.pack(">H", self.count) +
                bytes.fromhex("000e0000" "0401120a10020002000184000000"))

    def length(self, head):
        return struct.unpack(">H", head[2:4])[0]


class OpcUa(Peer):
    head = 8
    identity = slice(20, 24)
    HEADER = b"\0\0" + bytes(8) + struct.pack("<IIiI", 1, 0, -1, 10000) + b"\0\0\0"

    def text(self, text):
        return struct.pack("<i", len(text)) + text

    def greet(self):
        url = self.text(f"opc.tcp://127.0.0.1:{self.port}".encode())
        self.url = url
        self.sock.sendall(b"HELF" + struct.pack("<I", 28 + len(url)) +
                          struct.pack("<IIIII", 0, 65535, 65535, 0, 0) + url)
        assert self.answer()[:3] == b"ACK"
        body = (self.text(b"http://opcfoundation.org/UA/SecurityPolicy#None") +
                struct.pack("<iiII", -1, -1, 1, 1) + bytes.fromhex("0100be01") + self.HEADER +
                struct.pack("<IIIiI", 0, 0, 1, -1, 600000))
        self.sock.sendall(b"OPNF" + struct.pack("<II", 12 + len(body), 0) + body)
        opened = self.answer()
        assert opened[:3] == b"OPN"
        at = opened.index(b"\x01\x00\xc1\x01") + 4  # OpenSecureChannelResponse
        at += 8 + 4 + 4 + 1 + 4 + 3 + 4  # its header (no diagnostics), the protocol's version
        self.channel, self.token = struct.unpack("<II", opened[at:at + 8])
        self.count = 1

    def request(self):  # GetEndpoints
        body = (struct.pack("<IIII", self.channel, self.token, self.count, self.count) +
                bytes.fromhex("0100ac01") + self.HEADER + self.url + struct.pack("<ii", -1, -1))
        return b"MSGF" + struct.pack("<I", 8 + len(body)) + body

    def length(self, head):
        return struct.unpack("<I", head[4:8])[0]


class Eip(Peer):
    head = 24
    identity = slice(12, 20)

    def greet(self):
        self.session = 0
        self.sock.sendall(self.frame(0x65, struct.pack("<HH", 1, 0)))
        self.session = struct.unpack("<I", self.answer()[4:8])[0]

    def frame(self, command, data):
        return struct.pack("<HHIIQI", command, len(data), self.session, 0, self.count, 0) + data

    def request(self):
        cip = b"\x4c\x05\x91\x08Setpoint\x01\x00"
        return self.frame(0x6F, struct.pack("<IHHHHHH", 0, 0, 2, 0, 0, 0xB2, len(cip)) + cip)

    def length(self, head):
        return 24 + struct.unpack("<H", head[2:4])[0]


PEERS = {"modbus": Modbus, "s7": S7, "opcua": OpcUa, "eip": Eip}


class Side:
    def __init__(self, plant, name):
        self.plant = plant
        self.name = name
        self.port = plant.port if name == "modbus" else getattr(plant, f"{name}_port")

    def peer(self):
        return PEERS[self.name](self.port)

    def turn(self, line):
        return self.plant.command(f"{self.name} {line}")


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    program = harness.Plant(tmp_path_factory.mktemp("sides"),
                            **{name: True for name in SIDES if name != "modbus"})
    yield program
    assert program.stop() == 0, program.text()


@pytest.fixture(params=SIDES)
def side(plant, request):
    served = Side(plant, request.param)
    yield served
    served.turn("ok")


def test_every_side_is_tried():
    assert set(SIDES) <= set(PEERS), "a side without a peer here"
    assert {"modbus", "eip"} <= set(SIDES)


def test_delay_and_jitter(side):
    peer = side.peer()
    assert peer.asked()[peer.identity] != peer.asked()[peer.identity]
    side.turn("delay 120")
    before = time.monotonic()
    peer.asked()
    peer.asked()
    assert time.monotonic() - before >= 0.24
    side.turn("delay 0")
    side.turn("jitter 60")
    before = time.monotonic()
    for _ in range(10):
        peer.asked()
    assert time.monotonic() - before >= 0.06
    peer.close()


def test_late_answers_keep_their_order(side):
    peer = side.peer()
    ordinary = len(peer.asked())
    side.turn("late 600 once")
    before = time.monotonic()
    peer.ask()
    assert peer.hears_nothing()
    peer.ask()
    first, second = peer.answer(), peer.answer()
    assert time.monotonic() - before >= 0.6
    assert first[peer.identity] != second[peer.identity]
    assert len(first) == len(second) == ordinary
    peer.close()


def test_silence(side):
    peer = side.peer()
    unanswered = stat(side, "unanswered")
    side.turn("silence")
    peer.ask()
    assert peer.hears_nothing()
    assert stat(side, "unanswered") == unanswered + 1
    side.turn("ok")
    peer.close()
    peer = side.peer()
    assert peer.asked()
    peer.close()


def stat(side, name):
    return side.plant.stats(None if side.name == "modbus" else side.name)[name]


def test_resets(side):
    resets = stat(side, "resets")
    peer = side.peer()
    peer.asked()
    side.turn("reset")
    peer.ask()
    with pytest.raises(ConnectionResetError):
        peer.answer()
    peer.close()
    peer = side.peer()
    side.turn("reset 3")
    peer.asked()
    peer.asked()
    peer.ask()
    with pytest.raises(ConnectionResetError):
        peer.answer()
    peer.close()
    assert stat(side, "resets") == resets + 2


def test_truncated_answer(side):
    peer = side.peer()
    ordinary = peer.asked()
    side.turn("truncate once")
    peer.ask()
    half = peer.exactly(len(ordinary) // 2)
    assert peer.hears_nothing()
    assert half[:3] == ordinary[:3] or side.name == "modbus"
    peer.close()


def test_wrong_identity(side):
    peer = side.peer()
    ordinary = peer.asked()
    side.turn("wrong-id once")
    wrong = peer.asked()
    right = peer.asked()
    assert len(wrong) == len(ordinary) == len(right)
    spoiled = bytes(byte ^ 0x5A for byte in wrong[peer.identity])
    counts = [int.from_bytes(part, "big" if side.name in ("modbus", "s7") else "little")
              for part in (spoiled, right[peer.identity])]
    assert counts == [peer.count - 1, peer.count]
    peer.close()


def test_garbage(side):
    peer = side.peer()
    ordinary = peer.asked()
    side.turn("garbage once")
    peer.ask()
    other = peer.exactly(len(ordinary))
    assert sum(a != b for a, b in zip(other, ordinary)) > len(ordinary) // 2
    assert peer.asked()  # the next one is itself again
    peer.close()


def test_twice_and_in_pieces(side):
    peer = side.peer()
    peer.asked()
    side.turn("pieces 7")
    side.turn("twice once")
    first, second, third = peer.asked(), peer.answer(), peer.asked()
    assert first == second
    assert first[peer.identity] != third[peer.identity] and len(third) == len(first)
    peer.close()


def test_refused(side):
    peer = side.peer()
    side.turn("refuse")
    with pytest.raises(ConnectionError):
        peer.exactly(1)
    with pytest.raises(ConnectionRefusedError):
        side.peer()
    assert stat(side, "connections") == 0
    side.turn("ok")
    again = side.peer()
    assert again.asked()
    again.close()
    peer.close()


# Not EtherNet/IP: any two bytes are a command there, any two a length.
@pytest.mark.parametrize("side", [name for name in SIDES if name != "eip"], indirect=True)
def test_what_is_no_frame_ends_the_connection(side):
    raw = socket.create_connection(("127.0.0.1", side.port), timeout=harness.PATIENCE)
    raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
    try:
        assert raw.recv(1) == b""
    except ConnectionResetError:
        pass
    raw.close()
    good = side.peer()
    assert good.asked()
    good.close()


def test_faults_of_one_side_are_its_own(plant):
    plant.command("modbus silence")
    try:
        for name in SIDES[1:]:
            peer = Side(plant, name).peer()
            assert peer.asked()
            peer.close()
    finally:
        plant.command("ok")


def test_wrong_lines(plant):
    for line in ("eip late", "eip exception 2", "modbus explode", "eip delay x", "eip", "eip size 5"):
        count = len(plant.lines)
        plant.send(line)
        harness.wait_for(lambda: len(plant.lines) > count, "an answer")
        assert plant.lines[count].startswith("error: "), line


def test_thousand_endpoints_on_one_port(tmp_path):
    """Many addresses, one thread: what benches of hundreds of devices stand on."""
    plant = harness.Plant(tmp_path, 0, "--address", "0.0.0.0", "--connections", "1000")
    sockets = []
    try:
        for number in range(300):
            sock = socket.create_connection((f"127.0.{number // 100}.{number % 100 + 1}", plant.port),
                                            timeout=harness.PATIENCE)
            sockets.append(sock)
        for sock in sockets:
            sock.sendall(struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 1000, 30))
        for sock in sockets:
            assert len(sock.recv(69, socket.MSG_WAITALL)) == 69
        assert plant.stats()["connections"] == 300
        assert len(list((harness.pathlib.Path("/proc") / str(plant.pid) / "task").iterdir())) <= 3
    finally:
        for sock in sockets:
            sock.close()
        assert plant.stop() == 0


class Rtu(Peer):
    """RTU over TCP; answers are told apart by their length and checksum."""

    @staticmethod
    def checksum(data):
        crc = 0xFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        return struct.pack("<H", crc)

    def request(self):
        body = struct.pack(">BBHH", 1, 3, 1000, 2)
        return body + self.checksum(body)

    def answer(self):
        frame = self.exactly(9)
        return frame if frame[-2:] == self.checksum(frame[:-2]) else None


def test_frame_faults_of_a_serial_line(tmp_path):
    port = harness.free_port()
    plant = harness.Plant(tmp_path, 0, "--rtu-port", port)
    try:
        line = Rtu(port)
        assert line.asked()[:3] == bytes([1, 3, 4])
        plant.command("delay 120")
        plant.command("jitter 10")
        before = time.monotonic()
        assert line.asked()[0] == 1
        assert time.monotonic() - before >= 0.12
        plant.command("ok")
        plant.command("wrong-id once")
        assert line.asked()[0] == 1 ^ 0x5A  # another slave's, with a sound checksum
        assert line.asked()[0] == 1
        plant.command("garbage once")
        assert line.asked() is None
        plant.command("truncate once")
        line.ask()
        assert line.exactly(4)[:2] == bytes([1, 3])
        assert line.hears_nothing()
        plant.command("silence once")
        line.ask()
        assert line.hears_nothing()
        plant.command("late 400 once")
        before = time.monotonic()
        assert line.asked()[0] == 1
        assert time.monotonic() - before >= 0.4
        plant.command("refuse")
        with pytest.raises(ConnectionError):
            line.exactly(1)
        plant.command("ok")
        harness.wait_for(lambda: is_open(port), "the line to be there again")
    finally:
        assert plant.stop() == 0


def is_open(port):
    try:
        Rtu(port).close()
        return True
    except ConnectionRefusedError:
        return False


# ---- the controller of EtherNet/IP through a foreign client


@pytest.mark.parametrize("way", ["connected", "unconnected"])
def test_foreign_client_of_the_controller(tmp_path, way):
    node_modules.install()
    plant = harness.Plant(tmp_path, eip=True)
    try:
        program = node_modules.program(
            [node_modules.HERE / "eip_tags.mjs", plant.eip_port, way], "st-ethernet-ip")
        found = json.loads(program.wait_line('{"name"'))
        program.process.wait(harness.PATIENCE)
        check_tags(found)
        assert plant.command("get 40101") == "55"
        assert plant.command("get 1") == "0"
        words = [int(plant.command(f"get {40104 + i}")) for i in range(4)]
        assert struct.pack(">4H", *words) == b"BATCH-77"
    finally:
        assert plant.stop() == 0


def check_tags(found):
    assert found["name"] == "PENSTOCK-SIM"
    types = {tag["name"]: (tag["type"], tag["dimensions"]) for tag in found["tags"]}
    assert types["Temperature"] == ("REAL", 0)
    assert types["Matrix"] == ("REAL", 2)
    assert types["Recipe"] == ("ASCIISTRING82", 0)
    assert types["Motors"] == ("Motor", 1)
    assert types["Local"] == ("DINT", 0)
    assert found["many"] == 1000
    before = found["before"]
    assert 15 < before["Temperature"] < 30
    assert before["Setpoint"] == 22
    assert before["Heater"] is True
    assert before["Matrix[1,2]"] == 6
    assert before["Motor.Running"] is True
    assert before["Types_LINT"] == -64
    assert before["Types_USINT"] == 8
    assert before["Local"] == 7
    assert before["Numbers"] == list(range(10))
    assert found["recipe"] == "RECIPE-1"
    assert found["motor"]["Running"] is True and found["motor"]["Name"] == ""
    assert found["group"][0] == 22 and found["group"][2] == 1.5
    assert found["after"] == {"Setpoint": 55, "StirrerSetpoint": 90.5, "Heater": False,
                              "Numbers[3]": -7, "Types_DINT": 32, "Recipe": "BATCH-77"}
    assert found["refused"] == 4
