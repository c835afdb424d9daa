"""The command line as a person and as a program uses it."""
import json
import re
import subprocess

from harness import BIN, Gateway, group, modbus_device, publish, variable, wait_for


def run(*arguments):
    return subprocess.run([str(BIN / "penstock"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=60)


def test_check_lists_every_finding(folder):
    (folder / "penstock.json").write_text(json.dumps({
        "version": 1,
        "devices": [{"device_name": "Boiler", "protocol": "ModbusTCP", "ip": "x", "prot": 1}],
        "vars": [{"var_name": "t", "device": "Boiler", "data_type": "FLOT",
                  "register_addr": 40001}]}))
    result = run("check", folder)
    assert result.returncode == 2
    lines = result.stdout.splitlines()
    assert lines == [
        "penstock.json: device 'Boiler': prot: is not a known key; did you mean 'port'?",
        "penstock.json: var 't': data_type: 'FLOT' is not one of: BOOL, BIT, BYTE, SINT, WORD, INT, "
        "DWORD, DINT, FLOAT, DOUBLE, STRING, BCD, BCD32, LONG, ULONG, S7STRING, AUTO"]
    found = json.loads(run("check", folder, "--json").stdout)["findings"]
    assert [f["field"] for f in found] == ["prot", "data_type"]


def test_check_asks_the_driver(folder):
    (folder / "penstock.json").write_text(json.dumps({
        "version": 1, "devices": [modbus_device("D", 502)],
        "vars": [variable("a", "D", "WORD", 1), variable("b", "D", "WORD", 25000),
                 variable("c", "D", "BOOL", 40001), variable("d", "D", "DOUBLE", 465535),
                 variable("e", "D", "WORD", 30001, read_write="write")]}))
    result = run("check", folder)
    assert result.returncode == 2
    assert [line.split("'")[1] for line in result.stdout.splitlines()] == list("abcde")


def test_check_compiles_the_scripts(folder):
    for name, text in (("a", "def main(d, w)\n    pass\n"), ("b", "def run(d, w):\n    pass\n"),
                       ("c", "raise SystemExit\ndef main(d, w): pass\n")):
        (folder / f"{name}.py").write_text(text)
    (folder / "penstock.json").write_text(json.dumps({
        "version": 1, "cloud": {"type": "Standard MQTT", "endpoint": "x", "client_id": "x"},
        "publish": [{**publish(name, "t"), "script": f"{name}.py"} for name in "abc"]}))
    result = run("check", folder)
    assert result.returncode == 2
    assert [line for line in result.stdout.splitlines() if "warning" not in line] == [
        "a.py: publish 'a': line 1: expected ':'",
        "b.py: publish 'b': main_function: No main entry method found. main"]


def test_wrong_calls_say_what_is_right(folder):
    for arguments, word in [((), "usage"), (("statsu",), "--help"), (("check",), "penstock check"),
                            (("write", "a"), "DEVICE VAR VALUE")]:
        result = run(*arguments)
        assert result.returncode == 2, arguments
        assert word in result.stderr
    absent = run("status", "--socket", folder / "none")
    assert absent.returncode == 1 and "start penstockd" in absent.stderr


def test_every_command_has_its_help():
    whole = run("--help").stdout
    commands = re.findall(r"^  ([a-z][a-z-]*) ", whole, re.MULTILINE)
    assert len(commands) > 25 and max(map(len, whole.splitlines())) <= 100
    for command in commands:
        result = run(command, "--help")
        assert result.returncode == 0 and result.stderr == ""
        assert result.stdout.startswith(f"usage: penstock {command} ")
        assert max(map(len, result.stdout.splitlines())) <= 100
    text = run("script", "--help").stdout
    for word in ("--input FILE", "--group NAME", "--payload P", "canary NAME FILE", "release NAME"):
        assert word in text


def test_a_bad_configuration_is_refused_whole(folder):
    (folder / "penstock.json").write_text('{"version": 1, "devices": 3}')
    result = subprocess.run([str(BIN / "penstockd"), "--config", str(folder), "--state",
                             str(folder / "state"), "--socket", str(folder / "s"), "--web", "none"],
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "devices: must be a list" in result.stderr
    assert not (folder / "state").exists()


def test_status_has_what_programs_rely_on(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": [modbus_device("D", modbus.port)],
                                       "vars": [variable("v", "D", "WORD", 40001)],
                                       "groups": [group()]}))
    wait_for(lambda: gateway.status()["channels"][0]["requests"] > 2, "requests")
    status = gateway.status()
    assert status["link"]["state"] == "Not Enabled"
    assert {"state", "since", "last_error"} <= set(status["link"])
    assert {"name", "state", "requests", "errors", "round_trip_ms"} <= set(status["channels"][0])
    assert status["channels"][0]["name"] == f"127.0.0.1:{modbus.port}"
    assert {"name", "due", "late"} <= set(status["groups"][0])
    assert status["messages"] == [] and status["workers"] == []
    assert "STARTED" in gateway.cli("log").stdout
    row = gateway.tags()["D", "v"]
    assert row["quality"] == "good" and row["time"] > 1_600_000_000
    table = gateway.cli("tags", "D").stdout
    assert "DEVICE" in table and "good" in table
    assert gateway.cli("tags", "Nobody", check=False).returncode == 1


def test_a_second_gateway_on_the_same_state_is_refused(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": []}))
    second = subprocess.run([str(BIN / "penstockd"), "--config", str(gateway.config_dir), "--state",
                             str(gateway.state), "--socket", str(folder / "s2"), "--web", "none"],
                            capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert "another gateway uses this state folder" in second.stderr
    assert gateway.status()["link"]["state"] == "Not Enabled"


def test_names_beyond_ascii_reach_people_whole_or_cut_at_a_character(folder, modbus, cleanup):
    device, name = "K" + "ü" * 60, "x" + "ö" * 60
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device(device, modbus.port)],
        "vars": [variable(name, device, "WORD", 40001), variable("w" + name, device, "WORD", 40002,
                                                                read_write="read/write")],
        "groups": [group()]}))
    wait_for(lambda: gateway.tags()[device, name]["status"] == 1, "a value")
    for variable_name, value, words in [(name, "1", "read-only"), ("w" + name, "99999", "65535"),
                                        ("w" + name, "ä" * 300, "got"), ("ß" * 99, "1", "no such")]:
        refused = gateway.cli("write", device, variable_name, value, check=False)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr
    modbus.kill()
    wait_for(lambda: gateway.status()["channels"][0]["last_error"], "an error in the status")
    (folder / "bad").mkdir()
    (folder / "bad/penstock.json").write_text('{"version": 1, "de\x1b[31mvices": [\n\x01')
    assert len(run("check", folder / "bad").stdout.splitlines()) == 1


def test_schema_knows_the_keys():
    schema = json.loads(run("schema").stdout)
    assert "register_addr" in schema["properties"]["vars"]["items"]["properties"]
    assert "| `register_addr` |" in run("schema", "--markdown").stdout


def test_the_socket_survives_hostile_clients(folder, modbus, cleanup):
    import socket
    gateway = cleanup(Gateway(folder, {"devices": []}))
    for data in (b"\0\xff{}\n", b"{" * 5000 + b"\r\n\r\n", b'{"call": "status"}\n', b"x" * 400000,
                 b"GET /api/v1/log?after=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"POST /api/v1/replay HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                 b"POST /api/v1/replay HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(gateway.socket))
            try:
                client.sendall(data)
                client.settimeout(30)
                if data.endswith(b"\r\n\r\n"):
                    assert not client.recv(65536).startswith(b"HTTP/1.1 2")
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert gateway.status()["uptime_s"] >= 0


def test_a_client_that_asks_and_does_not_read_costs_no_memory(folder, cleanup):
    import socket
    gateway = cleanup(Gateway(folder, {"devices": []}))

    def memory_kib():
        with open(f"/proc/{gateway.program.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    # Each is a request of its own, answered in turn, however many come in one piece.
    unknown = b"GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(gateway.socket))
        client.settimeout(30)
        client.sendall(unknown * 1000)
        answers = client.makefile("rb")
        statuses = 0
        while statuses < 1000:
            line = answers.readline()
            assert line, f"closed after {statuses} answers"
            statuses += b"404 Not Found" in line
    before = memory_kib()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(gateway.socket))
        client.settimeout(1)
        try:
            for _ in range(2000):
                client.sendall(b"GET /api/v1/log HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
            raise AssertionError("the gateway reads without end what nobody takes the answers of")
        except TimeoutError:
            pass
        assert memory_kib() < before + 16 * 1024
        assert gateway.status()["uptime_s"] >= 0


def test_silent_clients_make_room(folder, cleanup):
    import socket
    gateway = cleanup(Gateway(folder, {"devices": []}))
    silent = [socket.socket(socket.AF_UNIX) for _ in range(80)]
    try:
        for client in silent:
            client.connect(str(gateway.socket))
        wait_for(lambda: gateway.cli("status", check=False).returncode == 0, "room for a person")
    finally:
        for client in silent:
            client.close()
