"""EtherNet/IP: the gateway against the simulated Logix controller, which others have written, and its
frames before the eyes of a foreign dissector."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from harness import Gateway, Plant, group, wait_for


def device(name, port, **more):
    return {"device_name": name, "protocol": "EtherNet/IP", "ip": "127.0.0.1", "port": port,
            "timeout": 5, **more}


def tag(name, symbol, device="PLC", **more):
    return {"var_name": name, "device": device, "symbol": symbol, **more}


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder, eip=True))


def of_quality(gateway, count, status=1):
    tags = gateway.tags()
    found = [row for row in tags.values() if row["status"] == status]
    return tags if len(found) == count else None


TYPES = {"BOOL": True, "SINT": -8, "INT": -16, "DINT": -32, "LINT": -64, "USINT": 8, "UINT": 16,
         "UDINT": 32, "ULINT": 64}

WAYS = {"connected": {}, "unconnected": {"connected": False},
        "small connections": {"knob": "eip no-large"}, "none to spare": {"knob": "eip no-connections"}}


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_tag_by_every_way(folder, plant, cleanup, way):
    options = dict(WAYS[way])
    knob = options.pop("knob", None)
    if knob:
        plant.command(knob)
    rows = [tag("temperature", "Temperature"), tag("setpoint", "Setpoint"),
            tag("heater", "Heater"), tag("recipe", "Recipe"), tag("speed", "Motor.Speed"),
            tag("running", "Motor.Running"), tag("name", "Motor.Name"), tag("third", "Numbers[3]"),
            tag("cell", "Matrix[1,2]"), tag("local", "Program:Main.Local"),
            tag("text", "Program:Main.Name"), tag("bit", "Setpoint.1"), tag("no_bit", "Setpoint.0"),
            tag("big", "Big[999]"), tag("inner", "Motors[1].Count"), tag("len", "Recipe.LEN"),
            tag("letter", "Recipe.DATA[0]")]
    rows += [tag(name, f"Types_{name}") for name in (*TYPES, "REAL", "LREAL")]
    gateway = cleanup(Gateway(folder, {"devices": [device("PLC", plant.eip_port, **options)],
                                       "vars": rows, "groups": [group()]}))
    tags = wait_for(lambda: of_quality(gateway, len(rows)), "all values good")
    seen = {name: row["value"] for (_, name), row in tags.items()}
    for name, value in TYPES.items():
        assert seen[name] == value, name
    assert seen["setpoint"] == 22 and seen["heater"] is True and seen["recipe"] == "RECIPE-1"
    assert 15 < seen["temperature"] < 30
    assert seen["running"] is True and seen["name"] == "" and seen["third"] == 3
    assert seen["cell"] == 6 and seen["local"] == 7 and seen["big"] == 999
    assert seen["bit"] is True and seen["no_bit"] is False
    assert seen["len"] == 8 and seen["letter"] == ord("R")
    gateway.wait_line("CHANNEL-NOTE", {"connected": "messages of 4002 bytes",
                                       "unconnected": "no CIP connection: as the configuration says",
                                       "small connections": "messages of 504 bytes",
                                       "none to spare": "all its connections are taken"}[way])


@pytest.mark.parametrize("connected", [True, False])
def test_writes_are_read_back_and_held_against_the_type(folder, plant, cleanup, connected):
    rows = [tag(name, symbol, read_write="read/write") for name, symbol in [
        ("setpoint", "Setpoint"), ("stirrer", "StirrerSetpoint"), ("heater", "Heater"),
        ("recipe", "Recipe"), ("bit", "Types_DINT.31"), ("whole", "Types_DINT"),
        ("third", "Numbers[3]"), ("name", "Motor.Name"), ("motor", "Motor"), ("level", "Level"),
        ("misspelt", "Setpiont"), ("local", "Program:Main.Local")]]
    gateway = cleanup(Gateway(folder, {
        "devices": [device("PLC", plant.eip_port, connected=connected)], "vars": rows,
        "groups": [group(polling=1, upload=1)]}))
    wait_for(lambda: of_quality(gateway, len(rows) - 2), "the good ones")

    def write(name, value):
        return gateway.cli("write", "PLC", name, value).stdout

    assert "is now -7" in write("setpoint", "-7")
    assert plant.command("get 40101") == str(65536 - 7)
    assert "is now 90.5" in write("stirrer", "90.5")
    assert "is now false" in write("heater", "false")
    assert plant.command("get 1") == "0"
    assert "is now BATCH-77" in write("recipe", "BATCH-77")
    assert "is now true" in write("bit", "1")
    assert "is now false" in write("bit", "0")
    assert "is now -2147483648" in write("whole", "-2147483648")
    assert "is now -5" in write("third", "-5")
    assert "is now Mixer" in write("name", "Mixer")
    assert "is now 8" in write("local", "8")
    for name, value, reason in [
            ("setpoint", "32768", "from -32768 to 32767 (the tag is a INT)"),
            ("setpoint", "1.5", "(the tag is a INT)"), ("heater", "7", "the tag is a BOOL"),
            ("recipe", "x" * 83, "82"), ("motor", "1", "is a structure"),
            ("misspelt", "1", "there is no such tag"), ("level", "1", "CIP status")]:
        refused = gateway.cli("write", "PLC", name, value, check=False)
        assert refused.returncode == 1, (name, value)
        assert reason in refused.stderr, refused.stderr


def test_a_bad_tag_spoils_no_other_and_costs_nothing(folder, plant, cleanup):
    rows = [tag("good", "Counter"), tag("beyond", "Numbers[10]"), tag("misspelt", "Cuonter"),
            tag("no_member", "Motor.Sped"), tag("structure", "Motor"), tag("hidden", "Temperature"),
            tag("no_bit", "Setpoint.16"), tag("wrong", "Speed", data_type="INT")]
    plant.command("eip deny Temperature")
    gateway = cleanup(Gateway(folder, {"devices": [device("PLC", plant.eip_port)], "vars": rows,
                                       "groups": [group()]}))
    tags = wait_for(lambda: of_quality(gateway, 1), "the good one")
    first = tags["PLC", "good"]["value"]
    wait_for(lambda: gateway.tags()["PLC", "good"]["value"] != first, "the counter to go on")
    seen = {name: row["quality"] for (_, name), row in gateway.tags().items()}
    assert {name for name, quality in seen.items() if "refused" in quality} == {
        "beyond", "misspelt", "no_member", "hidden"}
    assert {name for name, quality in seen.items() if "not a value" in quality} == {
        "structure", "no_bit", "wrong"}
    explained = gateway.cli("explain", "PLC", "hidden", check=False)
    assert "External Access" in explained.stdout, explained.stdout + explained.stderr


def test_a_thousand_tags_in_few_requests(folder, plant, cleanup):
    rows = [tag(f"v{i}", f"Program:Many.V{i:03}") for i in range(1000)]
    gateway = cleanup(Gateway(folder, {"devices": [device("PLC", plant.eip_port)], "vars": rows,
                                       "groups": [group()]}))
    tags = wait_for(lambda: of_quality(gateway, 1000), "all values good")
    assert all(tags["PLC", f"v{i}"]["value"] == i for i in range(1000))

    def count():
        due = next(row["due"] for row in gateway.status()["groups"] if row["name"] == "default")
        return due, plant.stats("eip")["requests"]
    due, requests = count()
    wait_for(lambda: count()[0] >= due + 20, "twenty cycles")
    due_then, requests_then = count()
    assert requests_then - requests <= 7 * (due_then - due + 1), "153 of them fit a message"


FAULTS = ["eip silence", "eip reset 3", "eip garbage", "eip truncate 2", "eip wrong-id 3",
          "eip drop", "eip refuse", "eip late 900 2"]


@pytest.mark.parametrize("fault", FAULTS)
def test_it_comes_back_and_never_believes_another_answer(folder, plant, cleanup, fault):
    rows = [tag("setpoint", "Setpoint"), tag("third", "Numbers[3]"), tag("text", "Recipe"),
            tag("last", "Numbers[9]"), tag("counter", "Counter")]
    expected = {"setpoint": 22, "third": 3, "text": "RECIPE-1", "last": 9}
    gateway = cleanup(Gateway(folder, {
        "devices": [device("PLC", plant.eip_port, timeout=0.3)], "vars": rows,
        "groups": [group()]}))
    wait_for(lambda: of_quality(gateway, len(rows)), "all values good")

    def right():
        tags = gateway.tags()
        for name, value in expected.items():
            row = tags["PLC", name]
            assert row["status"] != 1 or row["value"] == value, (name, row)
        return tags

    errors = gateway.status()["channels"][0]["errors"]
    plant.command(fault)
    wait_for(lambda: right() and gateway.status()["channels"][0]["errors"] > errors,
             f"'{fault}' to be noticed")
    plant.command("eip ok")
    before = right()["PLC", "counter"]["value"]
    wait_for(lambda: of_quality(gateway, len(rows)) and
             right()["PLC", "counter"]["value"] != before, "all good again")


def test_connections_are_given_back(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": [device("PLC", plant.eip_port)],
                                       "vars": [tag("counter", "Counter")], "groups": [group()]}))
    wait_for(lambda: of_quality(gateway, 1), "the value")
    plant.command("eip silence")  # it waits for an answer now, and stops all the same at once
    gateway.program.process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    gateway.program.process.wait(60)
    assert time.monotonic() - start < 30
    plant.command("eip ok")
    wait_for(lambda: plant.stats("eip")["connections"] == 0, "the connection to be closed")


def test_browse(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": [device("PLC", plant.eip_port)],
                                       "vars": [tag("counter", "Counter")], "groups": [group()]}))
    wait_for(lambda: of_quality(gateway, 1), "the value")

    def look(*node):
        nodes = json.loads(gateway.cli("browse", "PLC", *node, "--json").stdout)
        return {row["name"]: row for row in nodes}

    top = look()
    assert top["Temperature"]["type"] == "REAL" and top["Temperature"]["address"] == "Temperature"
    assert top["Recipe"]["type"] == "STRING" and top["Recipe"]["address"] == "Recipe"
    assert top["Matrix"]["type"] == "REAL[3,4]" and not top["Matrix"]["address"]
    assert "Program:Main" in top and not any(name.startswith("__") for name in top)
    assert top["Level"]["writable"] is False and top["Setpoint"]["writable"] is True
    motor = look("Motor")
    assert motor["Speed"]["address"] == "Motor.Speed" and motor["Running"]["type"] == "BOOL"
    assert look("Program:Main")["Local"]["address"] == "Program:Main.Local"
    assert look("Matrix")["[2,3]"]["address"] == "Matrix[2,3]"
    assert look("Motors")["[1]"]["type"] == "Motor"
    assert look("Motors[1]")["Count"]["address"] == "Motors[1].Count"
    refused = gateway.cli("browse", "PLC", "Nothing", check=False)
    assert refused.returncode != 0 and "there is no tag 'Nothing'" in refused.stderr


def can_capture():
    return shutil.which("tshark") is not None and os.geteuid() == 0


@pytest.mark.skipif(not can_capture(), reason="needs tshark and the right to capture")
def test_a_foreign_dissector_finds_no_fault(folder, plant, cleanup):
    pcap = folder / "eip.pcapng"

    def read(filter, *fields, check=True):
        command = ["tshark", "-r", str(pcap), "-d", f"tcp.port=={plant.eip_port},enip", "-Y", filter]
        for field in fields:
            command += ["-e", field]
        command += ["-T", "fields"] if fields else []
        return subprocess.run(command, check=check, capture_output=True, text=True).stdout

    capture = subprocess.Popen(
        ["tshark", "-q", "-i", "lo", "-f", f"tcp port {plant.eip_port}", "-w", str(pcap)],
        stderr=subprocess.PIPE, text=True)
    try:
        for line in capture.stderr:
            if "Capturing on" in line:
                break
        wait_for(pcap.exists, "the capture to begin")
        rows = [tag("recipe", "Recipe", read_write="read/write"), tag("counter", "Counter"),
                tag("bit", "Types_DINT.3", read_write="read/write"), tag("no", "Nothing"),
                tag("cell", "Matrix[1,2]"), tag("big", "Big[700]")]
        gateway = cleanup(Gateway(folder, {"devices": [device("PLC", plant.eip_port)],
                                           "vars": rows, "groups": [group()]}))
        wait_for(lambda: of_quality(gateway, 5), "the values")
        gateway.cli("write", "PLC", "recipe", "SEEN")
        gateway.cli("write", "PLC", "bit", "1")
        gateway.cli("browse", "PLC", "Motor")
        gateway.stop()
        # What was sent last is in the file a little later.
        wait_for(lambda: read("enip.command == 0x66", check=False), "the end of the capture")
    finally:
        capture.send_signal(signal.SIGINT)
        capture.wait(60)

    assert read("_ws.malformed || _ws.unreassembled || enip.status != 0") == ""
    wrong = read("_ws.expert.severity >= 6291456 && enip", "_ws.expert.message")  # warnings
    assert wrong == "", wrong
    # Every frame of ours is taken for one of EtherNet/IP.
    sent = read(f"tcp.len > 0 && tcp.dstport == {plant.eip_port}", "tcp.len").split()
    assert len(sent) == len(read(f"enip && tcp.dstport == {plant.eip_port}", "tcp.len").split())
    services = set()
    for line in read("cip", "cip.sc").splitlines():
        services |= {int(word, 0) & 0x7F for word in line.replace(",", " ").split()}
    assert {0x01, 0x03, 0x0A, 0x4C, 0x4D, 0x4E, 0x55, 0x5B} <= services, services
    commands = {int(word, 0) for word in read("enip", "enip.command").replace(",", " ").split()}
    assert commands == {0x65, 0x66, 0x6F, 0x70}
    assert "Recipe" in read("cip", "cip.symbol")
