"""Devices that are only thought of: waves, memory, and the faults a person can try."""
import json
import subprocess

from harness import BIN, Gateway, group, wait_for


def variable(name, device, symbol, **more):
    return {"var_name": name, "device": device, "symbol": symbol, **more}


def device(name, **more):
    return {"device_name": name, "protocol": "Simulator", **more}


def test_waves_memory_and_faults(folder, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [device("Press"), device("Silent", timeout=0.3), device("Gone")],
        "groups": [group()],
        "vars": [
            variable("counter", "Press", "counter/0.01", data_type="DWORD"),
            variable("sine", "Press", "sine/1/-5..5", data_type="FLOAT"),
            variable("square", "Press", "square/0.5/0..1", data_type="BOOL"),
            variable("cell", "Press", "cell/A", data_type="INT", read_write="read/write"),
            variable("same", "Press", "cell/A"),
            variable("text", "Press", "cell/B", data_type="STRING", size=8, read_write="read/write"),
            variable("absent", "Press", "missing", data_type="INT"),
            variable("broken", "Press", "broken", data_type="INT"),
            variable("small", "Press", "ramp/1/1000..2000", data_type="BYTE"),
            variable("v", "Silent", "silent"),
            variable("v", "Gone", "gone")]}))
    good = {"counter", "sine", "square", "cell", "same", "text"}

    def settled():
        tags = gateway.tags()
        return {name for (name_of, name), row in tags.items()
                if name_of == "Press" and row["status"] == 1} == good and tags
    tags = wait_for(settled, "the values of Press")
    assert tags[("Press", "absent")]["quality"] != tags[("Press", "broken")]["quality"]
    seen = {row["value"] for row in (gateway.tags()[("Press", "counter")] for _ in range(2))}
    wait_for(lambda: gateway.tags()[("Press", "counter")]["value"] not in seen, "the counter to count")
    assert -5 <= tags[("Press", "sine")]["value"] <= 5
    assert json.loads(gateway.cli("write", "Press", "cell", "-7", "--json").stdout)["read_back"] == -7
    wait_for(lambda: gateway.tags()[("Press", "same")]["value"] == -7, "the other name of the cell")
    gateway.cli("write", "Press", "text", "Ofen")
    wait_for(lambda: gateway.tags()[("Press", "text")]["value"] == "Ofen", "the text")
    assert gateway.cli("write", "Press", "sine", "1", check=False).returncode != 0
    # The silent one and the one that hangs up harm nobody.
    gateway.wait_line("DEVICE-AWAY", "Silent")
    assert settled()
    assert "no place 'missing'" in gateway.cli("explain", "Press", "absent").stdout
    places = json.loads(gateway.cli("browse", "Press", "--json").stdout)
    assert "ramp/10/0..100" in {row["address"] for row in places}


def test_what_is_wrong_is_said_beforehand(folder):
    (folder / "penstock.json").write_text(json.dumps({
        "version": 1, "devices": [device("Press")], "groups": [group()],
        "vars": [variable("a", "Press", "rampe/10"), variable("b", "Press", "sine", read_write="write"),
                 variable("c", "Press", "ramp/10/5..1")]}))
    text = subprocess.run([BIN / "penstock", "check", folder], capture_output=True, text=True)
    output = text.stdout + text.stderr
    assert text.returncode != 0
    for words in ("'rampe/10' is no place of the simulator", "'sine' moves by itself",
                  "'ramp/10/5..1' is not written as ramp is; for example ramp/10/0..100"):
        assert words in output, output
