"""S7 through the whole gateway: node-snap7's server and nodes7 are the strangers, penstock-sim's S7
side brings the faults."""
import json
import struct
import subprocess
import time

import pytest

import node_modules
from harness import Gateway, Plant, free_port, group, wait_for


def device(port, name="PLC", **more):
    return {"device_name": name, "protocol": "ISO-on-TCP", "ip": "127.0.0.1", "port": port, "slot": 1,
            "timeout": 5, **more}


def db(name, number, byte, data_type, **more):
    return {"var_name": name, "device": "PLC", "data_type": data_type, "register_type": "DB",
            "dbnumber": number, "register_addr": byte, **more}


def flag(name, area, byte, data_type, **more):
    return {"var_name": name, "device": "PLC", "data_type": data_type, "register_type": area,
            "register_addr": byte, **more}


def config(port, rows, **more):
    return {"devices": [device(port, **more)], "vars": rows, "groups": [group()]}


def value(gateway, name, status=1):
    row = gateway.tags()[("PLC", name)]
    return row["value"] if row["status"] == status else None


def all_good(gateway, count):
    tags = gateway.tags()
    return tags if len([row for row in tags.values() if row["status"] == 1]) == count else None


def is_told(gateway, text):
    """In the status, where the last error of a channel and device stand."""
    return text in json.dumps(gateway.status())


class Server:
    """node-snap7's server; stop and start keep the port."""

    def __init__(self, port=None):
        node_modules.build_snap7()
        self.port = port or free_port()
        self.program = None
        self.start()

    def start(self, *blocks):
        self.program = node_modules.program([node_modules.HERE / "s7_server.mjs", self.port, *blocks],
                                            "node-snap7")
        self.program.wait_line("ready")

    def order(self, **line):
        count = len(self.program.lines)
        self.program.send(json.dumps(line))
        wait_for(lambda: len(self.program.lines) > count, f"the server to do {line}")
        return json.loads(self.program.lines[count])

    def set(self, area, first, data, number=0):
        self.order(do="set", area=area, db=number, first=first, bytes=data.hex())

    def get(self, area, first, length, number=0):
        return bytes.fromhex(self.order(do="get", area=area, db=number, first=first,
                                        len=length)["bytes"])

    def stop(self):
        if self.program is not None:
            self.program.stop()
            self.program = None


@pytest.fixture
def server(cleanup):
    return cleanup(Server())


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder, s7=True))


# name, data type, struct format, value in the controller, value the gateway shows
TYPES = [
    ("byte", "BYTE", "B", 200, 200), ("sint", "SINT", "b", -100, -100),
    ("word", "WORD", "H", 65535, 65535), ("int", "INT", "h", -2, -2),
    ("dword", "DWORD", "I", 4000000000, 4000000000), ("dint", "DINT", "i", -123456, -123456),
    ("float", "FLOAT", "f", 528.5625, 528.56), ("double", "DOUBLE", "d", -0.125, -0.13),
    ("long", "LONG", "q", -(2**62), -(2**62)), ("ulong", "ULONG", "Q", 2**63 - 1, 2**63 - 1),
    ("bcd", "BCD", "H", 0x1234, 1234), ("bcd32", "BCD32", "I", 0x87654321, 87654321),
]


def test_every_type_and_area_of_a_stranger(folder, cleanup, server):
    rows, at = [], 1
    for name, data_type, fmt, raw, _ in TYPES:
        data = struct.pack(">" + fmt, raw)
        server.set("DB", at, data, 1)
        server.set("M", at, data)
        rows += [db(f"db_{name}", 1, at, data_type), flag(f"m_{name}", "M", at, data_type)]
        at += len(data) + 3
    server.set("I", 4, b"\x08")
    server.set("Q", 5, b"\xf7")
    server.set("DB", 300, b"plain\0xx", 1)
    server.set("DB", 0, b"\x14\x05Rezep", 2)
    rows += [flag("input", "I", 4, "BOOL", register_bit=3), flag("output", "Q", 5, "BIT", register_bit=3),
             db("text", 1, 300, "STRING", size=8), db("string", 2, 0, "S7STRING", size=20)]
    gateway = cleanup(Gateway(folder, config(server.port, rows)))
    tags = wait_for(lambda: all_good(gateway, len(rows)), "all values good")
    for name, _, _, _, shown in TYPES:
        assert tags[("PLC", f"db_{name}")]["value"] == shown, name
        assert tags[("PLC", f"m_{name}")]["value"] == shown, name
    assert tags[("PLC", "input")]["value"] is True and tags[("PLC", "output")]["value"] == 0
    assert tags[("PLC", "text")]["value"] == "plain" and tags[("PLC", "string")]["value"] == "Rezep"
    assert "6ES7" in gateway.wait_line("CHANNEL-NOTE", "telegrams of")


def test_writes_reach_a_stranger(folder, cleanup, server):
    server.set("DB", 40, b"\xff", 1)
    server.set("DB", 0, b"\x08\x03old", 2)
    rows = [db("int", 1, 10, "INT", read_write="read/write"),
            db("float", 1, 12, "FLOAT", read_write="read/write"),
            db("bit", 1, 40, "BOOL", register_bit=6, read_write="read/write"),
            db("text", 1, 50, "STRING", size=6, read_write="read/write"),
            db("string", 2, 0, "S7STRING", size=20, read_write="read/write"),
            flag("flag", "M", 7, "BOOL", register_bit=0, read_write="read/write")]
    gateway = cleanup(Gateway(folder, config(server.port, rows)))
    wait_for(lambda: all_good(gateway, len(rows)), "all values good")
    assert "is now -7" in gateway.cli("write", "PLC", "int", "-7").stdout
    gateway.cli("write", "PLC", "float", "1.5")
    gateway.cli("write", "PLC", "bit", "false")
    gateway.cli("write", "PLC", "text", "abc")
    gateway.cli("write", "PLC", "string", "neu")
    gateway.cli("write", "PLC", "flag", "true")
    assert server.get("DB", 10, 6, 1) == struct.pack(">hf", -7, 1.5)
    assert server.get("DB", 40, 1, 1) == b"\xbf"  # the seven beside it are as they were
    assert server.get("DB", 50, 6, 1) == b"abc\0\0\0"
    assert server.get("DB", 0, 5, 2) == b"\x08\x03neu"
    assert server.get("M", 7, 1) == b"\x01"
    refused = gateway.cli("write", "PLC", "string", "nine char", check=False)
    assert refused.returncode != 0 and "STRING[8]" in refused.stderr + refused.stdout


def test_what_is_missing_spoils_nothing_else(folder, cleanup, server):
    rows = [db("good", 1, 0, "INT"), db("end", 1, 998, "INT"), db("behind", 1, 1000, "INT"),
            *(db(f"gone{n}", 77, 10 * n, "INT") for n in range(20))]
    gateway = cleanup(Gateway(folder, config(server.port, rows)))
    tags = wait_for(lambda: all_good(gateway, 2), "the good values")
    assert tags[("PLC", "good")]["status"] == 1 and tags[("PLC", "end")]["status"] == 1
    assert tags[("PLC", "behind")]["status"] == 0
    wait_for(lambda: is_told(gateway, "DB77 bytes 0 to 191: it does not exist"), "the reason")
    # The block is loaded, which ends the connection: it is asked for at once.
    server.stop()
    wait_for(lambda: all_good(gateway, 0) is not None, "the controller to be away")
    server.start(77)
    wait_for(lambda: all_good(gateway, 22), "the block to be read")


def test_a_server_that_dies_is_found_again(folder, cleanup, server):
    server.set("DB", 0, b"\0\x05", 1)
    gateway = cleanup(Gateway(folder, config(server.port, [db("v", 1, 0, "INT")])))
    wait_for(lambda: value(gateway, "v") == 5, "the value")
    server.program.kill()
    wait_for(lambda: value(gateway, "v", status=0) is not None or all_good(gateway, 0) is not None,
             "the controller to be away")
    server.start()
    server.set("DB", 0, b"\0\x06", 1)
    wait_for(lambda: value(gateway, "v") == 6, "the value after the restart")


# What the simulator shows under S7 names, as its README says.
SIMULATED = [db("temperature", 1, 2, "FLOAT"), db("setpoint", 1, 200, "WORD", read_write="read/write"),
             db("recipe", 2, 0, "S7STRING", size=16, read_write="read/write"),
             db("level", 3, 0, "WORD"), flag("heater", "M", 0, "BOOL", register_bit=0, read_write="read/write"),
             flag("heartbeat", "I", 0, "BOOL", register_bit=1), db("number", 1, 2000, "WORD"),
             db("free", 2, 100, "DINT", read_write="read/write")]


def test_the_simulated_controller_is_the_plant(folder, cleanup, plant):
    gateway = cleanup(Gateway(folder, config(plant.s7_port, SIMULATED)))
    tags = wait_for(lambda: all_good(gateway, len(SIMULATED)), "all values good")
    assert tags[("PLC", "recipe")]["value"] == "RECIPE-1" and tags[("PLC", "number")]["value"] == 1001
    assert 0 < tags[("PLC", "temperature")]["value"] < 100
    gateway.cli("write", "PLC", "setpoint", 31)
    assert plant.command("get 40101").split()[-1] == "31"
    gateway.cli("write", "PLC", "recipe", "TEA")
    wait_for(lambda: value(gateway, "recipe") == "TEA", "the recipe")
    gateway.cli("write", "PLC", "free", 123456)
    first = value(gateway, "heartbeat")
    wait_for(lambda: value(gateway, "heartbeat") == (not first), "the heartbeat to move")


def test_another_stranger_reads_the_simulated_controller(plant):
    node_modules.install()
    plant.command("set 40101 25")
    asked = {"write": {"DB2,INT100": -5, "DB2,REAL104": 2.5, "M3.1": True},
             "read": ["DB1,INT200", "DB1,INT2000", "DB2,S0.16", "DB2,INT100", "DB2,REAL104", "M3.1", "M3.0"]}
    done = subprocess.run(["node", node_modules.HERE / "s7_client.mjs", str(plant.s7_port), json.dumps(asked)],
                          capture_output=True, text=True, timeout=60, check=False)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["values"] == {"DB1,INT200": 25, "DB1,INT2000": 1001, "DB2,S0.16": "RECIPE-1",
                                "DB2,INT100": -5, "DB2,REAL104": 2.5, "M3.1": True, "M3.0": False}, done


def test_faults_of_the_controller(folder, cleanup, plant):
    rows = [db(f"v{n}", 1, 2 * n, "WORD") for n in range(50)]
    gateway = cleanup(Gateway(folder, config(plant.s7_port, rows)))
    wait_for(lambda: all_good(gateway, 50), "all values good")
    plant.command("s7 hole DB1 10-13")
    tags = wait_for(lambda: all_good(gateway, 48), "all but two values good")
    assert [name for (_, name), row in tags.items() if row["status"] == 0] == ["v5", "v6"]
    plant.command("s7 ok")
    plant.command("s7 putget off")
    wait_for(lambda: is_told(gateway, "permit access with PUT/GET"), "the reason")
    wait_for(lambda: all_good(gateway, 0) is not None, "all values refused")
    plant.command("s7 putget on")
    wait_for(lambda: all_good(gateway, 48), "the values again")
    plant.command("s7 exception 0x03")
    wait_for(lambda: is_told(gateway, "access not allowed"), "the reason")
    plant.command("s7 ok")
    plant.command("s7 stop")
    gateway.wait_line("CHANNEL-NOTE", "the CPU is in STOP")  # asked for every half minute


@pytest.mark.parametrize("knob", ["wrong-id", "garbage", "truncate", "late 300", "reset"])
def test_a_disturbed_answer_is_never_a_value(folder, cleanup, plant, knob):
    plant.command("set 41001 1001")
    rows = [db(f"v{n}", 1, 2000 + 100 * n, "WORD") for n in range(30)]
    gateway = cleanup(Gateway(folder, config(plant.s7_port, rows, timeout=0.2)))
    wait_for(lambda: all_good(gateway, 30), "all values good")
    plant.command(f"s7 {knob}")
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for (_, name), row in gateway.tags().items():
            assert row["status"] == 0 or row["value"] == 1001 + 50 * int(name[1:]), (knob, row)
    plant.command("s7 ok")
    wait_for(lambda: all_good(gateway, 30), "all values good again")


def test_a_silent_controller_does_not_hold_the_stop(folder, cleanup, plant):
    gateway = cleanup(Gateway(folder, config(plant.s7_port, [db("v", 1, 0, "WORD")], timeout=60)))
    wait_for(lambda: all_good(gateway, 1), "the value")
    plant.command("s7 silence")
    time.sleep(0.5)  # so that a request is under way
    start = time.monotonic()
    assert gateway.stop() == 0
    assert time.monotonic() - start < 10
