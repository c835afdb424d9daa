"""Device List, Group and Parameter Settings in Debian's Chromium, against a simulated plant: what a
person does with devices and variables, with a hundred thousand of them, in each role; names and
values that want to be a page."""
import json

import harness
import pytest
import web_ui
from harness import Gateway, Plant, modbus_device

pytestmark = [web_ui.WITHOUT]

HOSTILE = "<img src=x onerror=ran=1>"
MANY = 100_000


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder))


@pytest.fixture
def gateway(folder, cleanup):
    def start(config):
        return cleanup(Gateway(folder / "gateway", config, web=True))
    return start


@pytest.fixture
def scenario(cleanup):
    def run(name, gateway, **told):
        program = cleanup(web_ui.start(name, gateway, **web_ui.account(gateway), **told))
        web_ui.held(program)
        return program
    return run


def variable(name, address, data_type, device="Vessel", **more):
    return {"var_name": name, "device": device, "register_addr": address, "data_type": data_type, **more}


def vessel(plant, **more):
    """A device with two variables, read each second."""
    return {"devices": [modbus_device("Vessel", plant.port)],
            "groups": [{"group_name": "slow", "polling_interval": 1, "upload_interval": 10}],
            "vars": [variable("temperature", 40002, "FLOAT", group="slow", unit="°C"),
                     variable("setpoint", 40101, "WORD", group="slow", read_write="read/write")],
            **more}


def test_from_nothing_to_values_by_clicking_and_typing(plant, gateway, scenario):
    running = gateway({})
    scenario("devices-walk", running, port=plant.port)
    assert running.tags() == {}


def test_files_are_seen_before_they_are_applied(plant, gateway, scenario):
    config = vessel(plant)
    config["vars"].append(variable("level", 30001, "WORD"))
    running = gateway(config)
    scenario(
        "devices-import", running,
        devices=f"Device Name,Protocol,Ip,Port,Slave,Byte Order\nLine,ModbusTCP,127.0.0.1,{plant.port},2,abcd\n",
        variables="Var Name,Device,Register Addr,Data Type,Unit\n"
                  "level,Vessel,30001,WORD,mm\nspeed,Line,30002,FLOAT,rpm\n"
                  "seconds,Line,30004,DWORD,s\nstrange,Line,30001,REAL,\n")
    assert {("Line", "speed"), ("Line", "seconds"), ("Vessel", "level")} <= set(running.tags())
    assert running.tags()["Vessel", "level"]["unit"] == "mm"


def test_a_hundred_thousand_variables(plant, gateway, scenario):
    names = [variable(f"v{i:06}", 41001 + i % 9000, "WORD", group="slow") for i in range(MANY)]
    running = gateway({**vessel(plant), "vars": names})
    program = scenario("devices-many", running, count=MANY)
    print(program.find("jumps_ms")[0])


def test_each_role_sees_what_it_may(plant, gateway, scenario):
    running = gateway(vessel(plant))
    for name, role in (("vera", "viewer"), ("otto", "operator"), ("emil", "engineer")):
        web_ui.account(running, name, role)
    scenario("devices-roles", running)


def test_hostile_names_and_values_stay_text(plant, gateway, scenario):
    text = "<img src=y onerror=ran=2>"
    for i in range(0, len(text), 2):
        plant.knob(f"set {40301 + i // 2} {int.from_bytes(text[i:i + 2].ljust(2, chr(0)).encode(), 'big')}")
    running = gateway({
        "devices": [modbus_device(HOSTILE, plant.port)],
        "groups": [{"group_name": HOSTILE, "polling_interval": 1, "upload_interval": 10}],
        "vars": [variable(HOSTILE, 40301, "STRING", device=HOSTILE, group=HOSTILE, size=len(text),
                          unit="<b>", desc=HOSTILE)],
        "parameters": {"custom": {HOSTILE.replace("=", ""): HOSTILE}}})
    scenario("devices-hostile", running, hostile=HOSTILE)


def test_serial_ports_settings_and_what_is_used(plant, gateway, scenario):
    running = gateway(vessel(plant, parameters={"custom": {"api_token": "4711"}}))
    scenario("devices-parameters", running)
    assert running.api("GET", "/parameters")[1]["warning_recording"] == 500
    assert running.api("GET", "/parameters")[1]["custom"] == {"api_token": None, "site": "south"}
    assert running.api("GET", "/devices/Meter")[1]["serial"] == "RS485"
    assert running.tags()["Vessel", "setpoint"]["group"] == "default"


def test_every_width_light_and_dark_without_barriers(plant, gateway, scenario):
    running = gateway(vessel(plant, serial=[{"name": "RS485", "path": "/dev/ttyS9"}],
                             parameters={"custom": {"site": "north"}}))
    harness.wait_for(lambda: running.tags()["Vessel", "temperature"]["status"] == 1, "a value")
    scenario("devices-look", running)


def test_a_bad_value_is_put_right_and_a_device_is_browsed(folder, cleanup, gateway, scenario):
    plant = cleanup(Plant(folder, eip=True))
    config = vessel(plant)
    config["devices"] = [modbus_device("Vessel", plant.port, byte_order="cdab"),
                         {"device_name": "Thought", "protocol": "Simulator"},
                         {"device_name": "Logix", "protocol": "EtherNet/IP", "ip": "127.0.0.1", "port": plant.eip_port}]
    running = gateway(config)
    harness.wait_for(lambda: running.tags()["Vessel", "temperature"]["status"] == 1, "a value")
    scenario("devices-explain", running)
    assert running.api("GET", "/devices/Vessel")[1]["byte_order"] == "abcd"
    rising = running.api("GET", "/devices/Thought/variables/rising")[1]
    assert rising["data_type"] == "AUTO" and rising["symbol"].startswith("ramp") and rising["group"] == "slow"
    done = running.cli("browse", "Thought")
    assert "ramp" in done.stdout and '"symbol"' in done.stdout


def test_each_protocol_has_its_form(gateway, scenario):
    running = gateway({})
    scenario("devices-protocols", running)
    saved = json.loads((running.config_dir / "penstock.json").read_text())
    devices = {device.pop("device_name"): device for device in saved["devices"]}
    password = devices["Server"].pop("password_file")
    assert devices == {
        "Press": {"protocol": "ISO-on-TCP", "ip": "127.0.0.1", "slot": 2},
        "Logo": {"protocol": "ISO-on-TCP", "ip": "127.0.0.2", "mode": "TSAP", "client_tsap": "02.00",
                 "server_tsap": "02.01"},
        "Logix": {"protocol": "EtherNet/IP", "ip": "127.0.0.3"},
        "Server": {"protocol": "OPCUA", "url": "opc.tcp://127.0.0.1:4841/plant", "auth": "Username/Password",
                   "username": "operator", "security_policy": "Basic256Sha256", "security_mode": "SignAndEncrypt"}}
    kept = running.config_dir / password
    assert kept.read_text() == "brass kettle" and kept.stat().st_mode & 0o777 == 0o600
    variables = {variable.pop("var_name"): variable for variable in saved["vars"]}
    assert variables == {
        "flow": {"device": "Press", "data_type": "FLOAT", "register_type": "DB", "dbnumber": 6, "register_addr": 18},
        "valve": {"device": "Press", "data_type": "BOOL", "register_type": "Q", "register_addr": 0, "register_bit": 3},
        "level": {"device": "Press", "data_type": "WORD", "register_type": "DB", "dbnumber": 7, "register_addr": 14},
        "speed": {"device": "Logix", "symbol": "Program:Main.Speed[3]"},
        "tank": {"device": "Server", "namespace_index": 2, "identifier": "Tank.Level", "array_index": 3}}
