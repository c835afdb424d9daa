"""Why is this value bad? `penstock explain` in the five cases people have, the API behind it, and
`penstock browse`. The transcripts in docs/explain.md are what is said here."""
import json
import pathlib
import struct

import pytest

import web_ui
from harness import Gateway, Plant, free_port, group, modbus_device, rtu_device, serial_port, variable, wait_for
from rtu_line import RtuLine
from transcripts import hold, steady

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/explain.md"


def registers(value):
    """The registers of a FLOAT, the most significant first."""
    return struct.unpack(">HH", struct.pack(">f", value))


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder))


def boiler(port, **more):
    return modbus_device("Boiler", port, timeout=1, **more)


def start(folder, cleanup, device, *variables, **more):
    return cleanup(Gateway(folder, {"devices": [device], "vars": list(variables), "groups": [group(polling=1, upload=1)], **more}))


def until(gateway, device, name, quality):
    """Waits for the quality and gives what explain says then, without asking the device."""
    def look():
        status, answer = gateway.api("GET", f"/explain?device={device}&name={name}&look=false")
        assert status == 200, answer
        return answer if answer["state"] == quality else None
    return wait_for(look, f"{name} to be '{quality}'")


def explain(gateway, device, name, *more):
    done = gateway.cli("explain", device, name, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def put_on_page(name, gateway, port, device, variable_name, usual=502):
    """`usual`: the port that such devices have in a plant."""
    text = f"$ penstock explain {device} {variable_name}\n" + explain(gateway, device, variable_name)
    places = [(f"127.0.0.1:{port}", f"10.5.16.82:{usual}"), (f"port {port}", f"port {usual}"), ("127.0.0.1", "10.5.16.82")]
    hold(DOCUMENT, name, steady(text, places))
    return text


# --- the five cases -----------------------------------------------------------------------------


def test_a_wrong_address(folder, plant, cleanup):
    plant.command("exception 2 40060-40079")
    gateway = start(folder, cleanup, boiler(plant.port), variable("Pressure", "Boiler", "WORD", 40061))
    until(gateway, "Boiler", "Pressure", "refused by the device")
    text = put_on_page("wrong-address", gateway, plant.port, "Boiler", "Pressure")
    assert "refused with code 2" in text and "list of registers" in text
    assert "83 02" in text  # the answer as it came


def test_a_wrong_byte_order(folder, plant, cleanup):
    high, low = registers(22.5)
    plant.command(f"set 40201 {low}")
    plant.command(f"set 40202 {high}")
    gateway = start(folder, cleanup, boiler(plant.port), variable("Temperature", "Boiler", "FLOAT", 40201))
    until(gateway, "Boiler", "Temperature", "good")
    text = put_on_page("wrong-byte-order", gateway, plant.port, "Boiler", "Temperature")
    assert "22.5 <--" in text
    advice = " ".join(text.split("what to do")[1].split())
    assert "as FLOAT in byte order cdab they are 22.5" in advice and "byte_order of device 'Boiler' to cdab" in advice
    _, answer = gateway.api("GET", "/explain?device=Boiler&name=Temperature")
    marked = [(row["type"], row["order"], row["text"]) for row in answer["readings"] if row["marked"]]
    assert marked == [("FLOAT", "cdab", "22.5")]


def test_a_device_that_is_unplugged(folder, plant, cleanup):
    plant.command("set 40001 22")
    gateway = start(folder, cleanup, boiler(plant.port), variable("Temperature", "Boiler", "WORD", 40001))
    until(gateway, "Boiler", "Temperature", "good")
    plant.command("silence")
    until(gateway, "Boiler", "Temperature", "device away")
    text = put_on_page("unplugged", gateway, plant.port, "Boiler", "Temperature")
    assert "no answer" in text and "switched on" in text and "next try" in text
    plant.command("ok")
    assert "answered" in explain(gateway, "Boiler", "Temperature")  # asked now, not at the next try
    until(gateway, "Boiler", "Temperature", "good")


def test_a_controller_in_stop_that_permits_no_access(folder, cleanup):
    """PUT/GET is off, as an S7-1500 is delivered; and the CPU stands still besides."""
    sides = cleanup(Plant(folder, s7=True))
    sides.command("s7 stop")
    sides.command("s7 putget off")
    gateway = start(folder, cleanup, {"device_name": "PLC", "protocol": "ISO-on-TCP", "ip": "127.0.0.1",
                                      "port": sides.s7_port, "timeout": 2},
                    {"var_name": "Temperature", "device": "PLC", "data_type": "FLOAT", "register_type": "DB",
                     "dbnumber": 1, "register_addr": 2})
    until(gateway, "PLC", "Temperature", "refused by the device")
    text = put_on_page("put-get", gateway, sides.s7_port, "PLC", "Temperature", usual=102)
    assert "refused with code 0x8104" in text and "PUT/GET" in text
    assert "the CPU is in STOP" in " ".join(text.split())
    sides.command("s7 putget on")
    assert "answered" in explain(gateway, "PLC", "Temperature")
    until(gateway, "PLC", "Temperature", "good")


def opcua_device(port, **more):
    return {"device_name": "Server", "protocol": "OPCUA", "url": f"opc.tcp://127.0.0.1:{port}", "timeout": 5, **more}


def auto(name, device, **more):
    return {"var_name": name, "device": device, "data_type": "AUTO", **more}


def test_a_certificate_that_is_not_trusted(folder, cleanup):
    sides = cleanup(Plant(folder, opcua=True))
    gateway = start(folder, cleanup, opcua_device(sides.opcua_port),
                    auto("Temperature", "Server", identifier="nsu=urn:penstock:sim;s=Plant.Temperature"))
    until(gateway, "Server", "Temperature", "device away")
    text = put_on_page("not-trusted", gateway, sides.opcua_port, "Server", "Temperature", usual=4840)
    assert "no connection" in text and "not trusted" in text and "fingerprint" in text
    fast = " ".join(explain(gateway, "Server", "Temperature", "--fast").split())
    assert "penstock trust accept" in fast and "switched on" not in fast
    gateway.cli("trust", "accept", "Server")
    assert "answered" in explain(gateway, "Server", "Temperature")  # asked now, not at the next try


# --- what it says beside ------------------------------------------------------------------------


def test_a_good_value(folder, plant, cleanup):
    for at, value in enumerate((22, 0, 0, 0)):
        plant.command(f"set {40001 + at} {value}")
    gateway = start(folder, cleanup, boiler(plant.port), variable("Temperature", "Boiler", "WORD", 40001),
                    variable("Blind", "Boiler", "WORD", 40103, read_write="write"))
    until(gateway, "Boiler", "Temperature", "good")
    text = put_on_page("good", gateway, plant.port, "Boiler", "Temperature")
    assert "nothing is wrong with this value" in text
    assert "not asked" in explain(gateway, "Boiler", "Blind") and "read/write" in explain(gateway, "Boiler", "Blind")


def test_what_the_api_says(folder, plant, cleanup):
    gateway = start(folder, cleanup, boiler(plant.port), variable("Temperature", "Boiler", "WORD", 40001),
                    variable("Heater", "Boiler", "BOOL", 1))
    until(gateway, "Boiler", "Temperature", "good")
    _, fast = gateway.api("GET", "/explain?device=Boiler&name=Temperature&look=false")
    assert fast["look"] is None and fast["readings"] is None and fast["learned"] is None
    _, full = gateway.api("GET", "/explain?device=Boiler&name=Temperature")
    look = full["look"]
    assert look["outcome"] == "answered" and look["code"] == 0 and look["error"] == ""
    assert "function 3 to slave 1" in look["text"] and look["sent"].endswith("000000060103000000" + "04")
    assert look["received"].endswith(look["bytes"]) and len(look["bytes"]) == 16
    now = [row for row in full["readings"] if row["configured"]]
    assert [(row["type"], row["order"]) for row in now] == [("WORD", "ab")]
    assert int(now[0]["text"]) == int(look["bytes"][:4], 16)
    assert {row["type"] for row in full["readings"] if row["settable"]} >= {"INT", "FLOAT", "DOUBLE"}
    assert not any(row["settable"] for row in full["readings"] if row["order"] == "ba" or row["type"] == "bits")
    _, bit = gateway.api("GET", "/explain?device=Boiler&name=Heater")
    assert bit["readings"] == [] and bit["look"]["bytes"] in ("00", "01")
    assert gateway.api("GET", "/explain?device=Boiler&name=None")[0] == 404
    assert json.loads(explain(gateway, "Boiler", "Temperature", "--json"))["look"]["outcome"] == "answered"
    assert "asked now" not in explain(gateway, "Boiler", "Temperature", "--fast")


def test_what_the_device_has_taught(folder, plant, cleanup):
    plant.command("exception 2 40010-40011")
    gateway = start(folder, cleanup, boiler(plant.port),
                    *(variable(f"v{i}", "Boiler", "WORD", 40001 + i) for i in range(30)))
    until(gateway, "Boiler", "v9", "refused by the device")
    until(gateway, "Boiler", "v20", "good")

    def taught():
        holes = gateway.api("GET", "/explain?device=Boiler&name=v9")[1]["learned"]["holes"]
        return holes if any(hole["here"] for hole in holes) else None
    here = [hole for hole in wait_for(taught, "the hole") if hole["here"]]
    assert here[0]["first"] == "40010" and here[0]["code"] == 2 and here[0]["next_try"] > here[0]["since"]
    assert "40010" in explain(gateway, "Boiler", "v9") and "(this place)" in explain(gateway, "Boiler", "v9")


def test_bytes_of_ones_own(folder, plant, cleanup):
    gateway = start(folder, cleanup, boiler(plant.port), variable("Temperature", "Boiler", "WORD", 40001))
    _, answer = gateway.api("GET", "/readings?bytes=41%20B4%2000%2000")
    assert [row["text"] for row in answer["readings"] if row["type"] == "FLOAT" and row["order"] == "abcd"] == ["22.5"]
    for wrong in ("4", "zz", "00" * 65):
        status, problem = gateway.api("GET", f"/readings?bytes={wrong}")
        assert status == 422 and problem["field"] == "bytes"


def test_a_line_of_slaves(folder, cleanup):
    line = cleanup(RtuLine([3, 4]))
    gateway = cleanup(Gateway(folder, {
        "devices": [rtu_device("Pump", 3, timeout=0.5), rtu_device("Gone", 9, timeout=0.5)],
        "serial": [serial_port(line.path)], "groups": [group(polling=1, upload=1)],
        "vars": [variable("level", "Pump", "WORD", 40002), variable("level", "Gone", "WORD", 40002)]}))
    until(gateway, "Pump", "level", "good")
    _, good = gateway.api("GET", "/explain?device=Pump&name=level")
    assert good["look"]["sent"].startswith("030300010004") and len(good["look"]["sent"]) == 16  # with its CRC
    assert good["look"]["received"].startswith("030308") and good["look"]["bytes"].startswith("0301")
    until(gateway, "Gone", "level", "device away")
    text = explain(gateway, "Gone", "level")
    assert "slave number 9" in text and "no answer" in text


def test_protocols_that_say_what_they_send(folder, cleanup):
    sides = cleanup(Plant(folder, opcua=True, eip=True))
    gateway = cleanup(Gateway(folder, {
        "devices": [opcua_device(sides.opcua_port, security_policy="None", security_mode="None"), logix(sides.eip_port)],
        "groups": [group(polling=1, upload=1)],
        "vars": [auto("t", "Server", identifier="nsu=urn:penstock:sim;s=Plant.Temperature"),
                 auto("no", "Server", identifier="nsu=urn:penstock:sim;s=Plant.Nothing"),
                 auto("t", "Logix", symbol="Temperature"), auto("no", "Logix", symbol="Nothing")]}))
    for device, kind in (("Server", "Double"), ("Logix", "REAL")):
        until(gateway, device, "t", "good")
        good = gateway.api("GET", f"/explain?device={device}&name=t")[1]
        assert good["look"]["type"] == kind and good["look"]["bytes"] and good["readings"] == []
        until(gateway, device, "no", "refused by the device")
        bad = gateway.api("GET", f"/explain?device={device}&name=no")[1]
        assert bad["look"]["outcome"] == "refused" and bad["look"]["code"] != 0
        assert bad["what_to_do"] == bad["look"]["meaning"] and "no such" in bad["what_to_do"]
    assert "0x80340000" in explain(gateway, "Server", "no")  # as the standard writes it


@web_ui.WITHOUT
def test_the_cases_in_the_browser(folder, cleanup):
    """The same five with the question mark in Device List; the pictures of docs/explain.md."""
    sides = cleanup(Plant(folder, s7=True, opcua=True))
    silent = cleanup(Plant(folder))
    silent.command("silence")
    for line in ("exception 2 40060-40079", "s7 stop", "s7 putget off"):
        sides.command(line)
    plc = {"device_name": "PLC", "protocol": "ISO-on-TCP", "ip": "127.0.0.1", "port": sides.s7_port, "timeout": 2}
    gateway = cleanup(Gateway(folder / "gateway", {
        "devices": [boiler(sides.port), modbus_device("Pump", silent.port, timeout=1), plc, opcua_device(sides.opcua_port)],
        "groups": [group(polling=1, upload=1)],
        "vars": [variable("Pressure", "Boiler", "WORD", 40061), variable("Speed", "Pump", "WORD", 40001),
                 {"var_name": "Level", "device": "PLC", "data_type": "FLOAT", "register_type": "DB", "dbnumber": 1,
                  "register_addr": 2},
                 auto("Temperature", "Server", identifier="nsu=urn:penstock:sim;s=Plant.Temperature")]}, web=True))
    until(gateway, "Boiler", "Pressure", "refused by the device")
    until(gateway, "Pump", "Speed", "device away")
    cases = [("explain-wrong-address", "Boiler", "Pressure", ["code 2", "list of registers"]),
             ("explain-unplugged", "Pump", "Speed", ["It did not answer", "switched on"]),
             ("explain-put-get", "PLC", "Level", ["code 0x8104", "PUT/GET"]),
             ("explain-not-trusted", "Server", "Temperature", ["It cannot be reached", "not trusted yet"])]
    told = [{"picture": picture, "device": device, "variable": name, "words": words}
            for picture, device, name, words in cases]
    program = cleanup(web_ui.start("explain-cases", gateway, **web_ui.account(gateway), cases=told))
    web_ui.held(program)


# --- browsing -----------------------------------------------------------------------------------


def test_what_cannot_be_browsed_says_so(folder, plant, cleanup):
    gateway = start(folder, cleanup, boiler(plant.port), variable("Temperature", "Boiler", "WORD", 40001))
    done = gateway.cli("browse", "Boiler", check=False)
    assert done.returncode == 1 and "cannot tell what it has" in done.stderr
    assert gateway.cli("browse", "Nobody", check=False).returncode == 1
    assert gateway.cli("browse", check=False).returncode == 2
    assert gateway.cli("explain", "Boiler", check=False).returncode == 2
    assert gateway.api("GET", "/devices/Boiler/browse")[0] == 501


def logix(port):
    return {"device_name": "Logix", "protocol": "EtherNet/IP", "ip": "127.0.0.1", "port": port, "timeout": 5}


def test_a_device_without_variables_is_browsed(folder, cleanup):
    """When one browses there is nothing to read yet, so nothing is connected."""
    sides = cleanup(Plant(folder, eip=True, opcua=True))
    gateway = cleanup(Gateway(folder, {
        "devices": [logix(sides.eip_port), opcua_device(sides.opcua_port, security_policy="None", security_mode="None")],
        "groups": [group()]}))
    assert gateway.status()["channels"] == []
    top = gateway.cli("browse", "Logix").stdout
    assert "+ Motor" in top and '"symbol"' in top and "--all" in top
    text = "$ penstock browse Logix Motor\n" + gateway.cli("browse", "Logix", "Motor").stdout
    hold(DOCUMENT, "browse", text)
    _, page = gateway.api("GET", "/devices/Logix/browse?node=Motor")
    assert [row["address"] for row in page["nodes"]] == ["Motor.Speed", "Motor.Running", "Motor.Count", "Motor.Name"]
    rows = json.loads(gateway.cli("browse", "Server", "nsu=urn:penstock:sim;s=Plant", "--all", "--json").stdout)
    assert "nsu=urn:penstock:sim;s=Plant.Temperature" in [row["address"] for row in rows]
    long = json.loads(gateway.cli("browse", "Logix", "Big", "--all", "--json").stdout)
    assert len(long) == 1000 and long[-1]["address"] == "Big[999]"
    first = gateway.cli("browse", "Logix", "Big").stdout
    assert "Big[499]" in first and "Big[500]" not in first and "There is more" in first
    assert gateway.status()["channels"] == []  # it is nobody's business that somebody looked
    status, problem = gateway.api("GET", "/devices/Logix/browse?node=Nowhere")
    assert status == 404 and "Nowhere" in problem["detail"]


def test_what_was_browsed_is_read(folder, cleanup):
    sides = cleanup(Plant(folder, eip=True))
    gateway = cleanup(Gateway(folder, {"devices": [logix(sides.eip_port)], "groups": [group()]}))
    _, page = gateway.api("GET", "/devices/Logix/browse")
    node = next(row for row in page["nodes"] if row["name"] == "Level")
    edits = [{"op": "put", "block": "vars", "device": "Logix",
              "value": auto(node["name"], "Logix", group="default", **{page["key"]: node["address"]})}]
    status, answer = gateway.api("POST", "/edits", {"edits": edits, "why": "picked"})
    assert status == 200, answer
    until(gateway, "Logix", "Level", "good")


def test_a_device_that_is_off_is_browsed_in_vain(folder, cleanup):
    gateway = cleanup(Gateway(folder, {"devices": [logix(free_port())], "groups": [group()]}))
    done = gateway.cli("browse", "Logix", check=False)
    assert done.returncode == 1 and "refuses port" in done.stderr, done.stderr
