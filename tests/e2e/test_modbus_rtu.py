"""Modbus RTU: serial ports with several slaves, dead and late ones, converters, adapters that go."""
import fcntl
import json
import os
import termios
import time

import pytest

from harness import (Gateway, ModbusServer, Plant, free_port, group, rtu_device, serial_port,
                     variable, wait_for)
from rtu_line import RtuLine, Wire, value_of


def channel(gateway):
    return gateway.status()["channels"][0]


def good(gateway, *names):
    tags = gateway.tags()
    return all(tags[name]["status"] == 1 for name in names)


def test_slaves_on_one_line_are_read_and_written(folder, cleanup):
    path = folder / "line"
    plant = cleanup(Plant(folder, 0, "--rtu", path, "--slaves", "1,2,3"))
    plant.knob("set 40001 123")
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(path, parity="even")],
        "devices": [rtu_device(f"D{n}", n) for n in (1, 2, 3)],
        "vars": [variable("t", f"D{n}", "WORD", 40001) for n in (1, 2, 3)] + [
            variable("s", "D2", "FLOAT", 40102, read_write="read/write"),
            variable("c", "D3", "BOOL", 1), variable("text", "D1", "STRING", 40031, size=12)],
        "groups": [group()]}))
    wait_for(lambda: good(gateway, *gateway.tags()), "all values")
    tags = gateway.tags()
    assert {tags[f"D{n}", "t"]["value"] for n in (1, 2, 3)} == {123}
    assert tags["D1", "text"]["value"] == "PENSTOCK-SIM"
    row = channel(gateway)
    assert row["name"] == str(path) and row["state"] == "connected" and row["devices"] == 3
    assert row["round_trip_ms"] > 0 and row["errors"] == 0 and row["late"] == 0
    # A second program is told that the port is taken.
    result = gateway.cli("check", "--live", gateway.config_dir, "--json", check=False)
    assert "another program uses it" in result.stdout, result.stdout
    gateway.stop()
    result = gateway.cli("check", "--live", gateway.config_dir, "--json", check=False)
    report = json.loads(result.stdout)
    assert report["ok"] and report["devices"]["endpoints"][0]["name"] == str(path), report


@pytest.mark.alone
def test_a_dead_slave_leaves_the_others_nine_tenths_of_their_rate(folder, cleanup):
    line = cleanup(RtuLine(range(1, 9)))
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(line.path)],
        "devices": [rtu_device(f"D{n}", n, timeout=0.5) for n in range(1, 9)],
        "vars": [variable("v", f"D{n}", "WORD", 40001 + n) for n in range(1, 9)],
        "groups": [group(polling=0.2)]}))
    wait_for(lambda: good(gateway, *gateway.tags()), "all values")

    def rates(seconds):
        before = dict(line.answered)
        start = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        return {n: (line.answered[n] - before.get(n, 0)) / took for n in range(1, 9)}

    healthy = rates(8)
    line.dead.add(3)
    gateway.wait_line("DEVICE-AWAY", "'D3'")
    asked = len(line.asked)
    sick = rates(16)
    assert sick[3] == 0
    print({n: round(sick[n] / healthy[n], 3) for n in healthy if n != 3})
    assert all(sick[n] >= 0.9 * healthy[n] for n in healthy if n != 3), (healthy, sick)
    tries = sum(slave == 3 for _, slave in line.asked[asked:])
    assert tries >= 1  # it is looked for
    assert all(gateway.tags()[f"D{n}", "v"]["value"] == value_of(n, n) for n in range(1, 9) if n != 3)
    line.dead.clear()
    wait_for(lambda: good(gateway, ("D3", "v")), "the dead slave to be found again")


def test_late_answers_are_never_taken_for_others(folder, cleanup):
    line = cleanup(RtuLine([1, 2, 3]))
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(line.path)],
        "devices": [rtu_device(f"D{n}", n, timeout=0.2) for n in (1, 2, 3)],
        # Requests of the same length: only the slave's honesty tells their answers apart.
        "vars": [variable(f"v{offset}", f"D{n}", "WORD", 40001 + offset) for n in (1, 2, 3)
                 for offset in (1, 102, 203)],
        "groups": [group(polling=0.1)]}))
    names = list(gateway.tags())
    wait_for(lambda: good(gateway, *names), "all values")

    def watch(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for (device, name), row in gateway.tags().items():
                expected = value_of(int(device[1:]), int(name[1:]))
                assert row["status"] == 0 or row["value"] == expected, (device, name, row)

    for late in (0.25, 0.45, 0.7):
        line.late[2] = late
        watch(4)
        line.late.clear()
        watch(2)
    assert channel(gateway)["late"] > 0
    wait_for(lambda: good(gateway, *names), "the late slave to be back")
    watch(1)


def test_an_adapter_that_hears_itself(folder, cleanup):
    line = cleanup(RtuLine([1, 2], pace=0.1, echo=True))
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(line.path)],
        "devices": [rtu_device(f"D{n}", n, timeout=0.5) for n in (1, 2)],
        "vars": [variable("v", f"D{n}", "WORD", 40008, read_write="read/write") for n in (1, 2)],
        "groups": [group(polling=0.5)]}))
    wait_for(lambda: good(gateway, ("D1", "v"), ("D2", "v")), "both values")
    assert gateway.tags()["D2", "v"]["value"] == value_of(2, 7)
    gateway.cli("write", "D1", "v", 5)
    line.writes = False  # now its echo is all that comes back
    result = gateway.cli("write", "D1", "v", 6, check=False)
    assert result.returncode != 0 and "no answer" in result.stdout + result.stderr, result
    assert not gateway.program.find("DEVICE-AWAY", "'D2'")


def test_a_line_that_is_never_quiet_is_named_and_left_when_it_is_quiet(folder, cleanup):
    line = cleanup(RtuLine([1]))
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(line.path, pause_ms=50)], "devices": [rtu_device("D", 1, timeout=0.2)],
        "vars": [variable("v", "D", "WORD", 40002)], "groups": [group()]}))
    wait_for(lambda: good(gateway, ("D", "v")), "the value")
    line.babble = True
    wait_for(lambda: "never quiet" in channel(gateway)["last_error"], "the reason")
    line.babble = False
    wait_for(lambda: good(gateway, ("D", "v")), "the value again")


def test_pymodbus_on_a_terminal(folder, cleanup):
    wire = cleanup(Wire())
    server = cleanup(ModbusServer(wire.paths[0]))
    server.set("holding", 0, 4711)
    server.set("input", 7, 0x4148, 0x0000)
    server.set("coil", 2, 1)
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(wire.paths[1])],
        "devices": [rtu_device("A", 1), rtu_device("B", 2), rtu_device("Gone", 9, timeout=0.3)],
        "vars": [variable("w", "A", "WORD", 40001, read_write="read/write"),
                 variable("f", "B", "FLOAT", 30008), variable("c", "A", "BOOL", 3),
                 variable("g", "Gone", "WORD", 40001)],
        "groups": [group()]}))
    wait_for(lambda: good(gateway, ("A", "w"), ("B", "f"), ("A", "c")), "the values of pymodbus")
    tags = gateway.tags()
    assert tags["A", "w"]["value"] == 4711
    assert tags["B", "f"]["value"] == 12.5
    assert tags["A", "c"]["value"] is True
    assert tags["Gone", "g"]["status"] == 0


def test_an_adapter_that_is_pulled_out_and_comes_back(folder, cleanup):
    path = folder / "usb"
    plant = cleanup(Plant(folder, 0, "--rtu", path))
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(path)], "devices": [rtu_device("D", 1, timeout=0.3)],
        "vars": [variable("t", "D", "WORD", 40001)], "groups": [group()]}))
    wait_for(lambda: good(gateway, ("D", "t")), "the value")
    plant.knob("refuse")
    gateway.wait_line("CHANNEL-AWAY", str(path))
    wait_for(lambda: "there is no such port" in channel(gateway)["last_error"], "the reason")
    assert channel(gateway)["state"] == "away"
    plant.knob("ok")
    wait_for(lambda: good(gateway, ("D", "t")), "the value again")
    gateway.wait_line("CHANNEL-UP", "answers again")


def test_another_baud_rate_disturbs_no_other_line(folder, cleanup):
    lines = {name: cleanup(RtuLine([1])) for name in ("A", "B")}

    def config(**more):
        return {"serial": [serial_port(lines["A"].path, "A", **more), serial_port(lines["B"].path, "B")],
                "devices": [rtu_device(n, 1, n) for n in ("A", "B")],
                "vars": [variable("v", n, "WORD", 40002) for n in ("A", "B")],
                "groups": [group(polling=0.1)]}

    gateway = cleanup(Gateway(folder, config()))
    wait_for(lambda: good(gateway, ("A", "v"), ("B", "v")), "both values")

    def descriptors(path):
        folder_of = f"/proc/{gateway.program.pid}/fd"
        return {fd: os.stat(f"{folder_of}/{fd}").st_ino for fd in os.listdir(folder_of)
                if os.readlink(f"{folder_of}/{fd}") == path}

    before = descriptors(lines["B"].path)
    assert before and lines["A"].speed() == termios.B115200
    asked = len(lines["B"].asked)
    gateway.write(config(baud_rate=19200, parity="odd"), {})
    shown = gateway.cli("apply").stdout
    assert "serial port 'A': baud_rate 115200 -> 19200, parity none -> odd" in shown, shown
    assert shown.endswith(f"Began anew:\n  device 'A' at {lines['A'].path}\n"), shown
    wait_for(lambda: lines["A"].speed() == termios.B19200, "the new baud rate")
    count = lines["A"].answered[1]
    wait_for(lambda: lines["A"].answered[1] > count + 3, "line A to be read on")
    wait_for(lambda: good(gateway, ("A", "v"), ("B", "v")), "both values")
    assert descriptors(lines["B"].path) == before
    times = [at for at, _ in lines["B"].asked[asked:]]
    assert max(b - a for a, b in zip(times, times[1:])) < 1
    assert not gateway.program.find("AWAY")


def test_the_reason_of_a_port_that_cannot_be_opened(folder, cleanup):
    line = cleanup(RtuLine([1]))
    fcntl.flock(line.slave, fcntl.LOCK_EX)
    plain = folder / "plain"
    plain.write_text("")
    gateway = cleanup(Gateway(folder, {
        "serial": [serial_port(line.path, "taken"), serial_port(plain, "file")],
        "devices": [rtu_device("A", 1, "taken"), rtu_device("B", 1, "file")],
        "vars": [variable("v", n, "WORD", 40001) for n in ("A", "B")], "groups": [group()]}))
    gateway.wait_line("CHANNEL-AWAY", f"{line.path}: another program uses it")
    gateway.wait_line("CHANNEL-AWAY", f"{plain}: is no serial port")
    fcntl.flock(line.slave, fcntl.LOCK_UN)
    wait_for(lambda: good(gateway, ("A", "v")), "the port once it is free")


def test_rtu_over_tcp_with_damaged_answers(folder, cleanup):
    port = free_port()
    plant = cleanup(Plant(folder, 0, "--rtu-port", port, "--slaves", "1,2"))
    plant.knob("set 40001 77")
    devices = [{"device_name": f"D{n}", "protocol": "ModbusRTU", "ip": "127.0.0.1", "port": port,
                "slave": n, "timeout": 0.5} for n in (1, 2)]
    gateway = cleanup(Gateway(folder, {
        "devices": devices, "vars": [variable("t", f"D{n}", "WORD", 40001) for n in (1, 2)],
        "groups": [group()]}))
    wait_for(lambda: good(gateway, ("D1", "t"), ("D2", "t")), "both values")
    assert channel(gateway)["name"] == f"127.0.0.1:{port}"
    for fault in ("garbage", "truncated"):
        start = len(gateway.program.lines)
        plant.knob(f"slave 2 {fault}")
        gateway.wait_line("DEVICE-AWAY", "'D2'", "damaged", start=start)
        assert good(gateway, ("D1", "t"))
        plant.knob("slave 2 ok")
        wait_for(lambda: good(gateway, ("D1", "t"), ("D2", "t")), f"recovery from {fault}")
    assert not gateway.program.find("CHANNEL-AWAY")
    plant.knob("refuse")
    gateway.wait_line("CHANNEL-AWAY", f"refuses port {port}")
    plant.knob("ok")
    wait_for(lambda: good(gateway, ("D1", "t"), ("D2", "t")), "recovery")
