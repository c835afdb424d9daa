"""Alarm, Cloud and Message Management in Debian's Chromium, as a person uses them, against a local cloud
and a simulated plant."""
import json

import harness
import pytest
import web_ui
from test_standard_mqtt import PasswordBroker
from harness import Gateway, Receiver, cloud_block, group, modbus_device, publish, variable

pytestmark = [web_ui.WITHOUT]

HOSTILE = '<img src=x onerror="window.ran=1">'
GOOD = "def main(data_collect, wizard_api):\n    return data_collect['values']\n"
FAILS = f"def main(data_collect, wizard_api):\n    raise ValueError('{HOSTILE}')\n"
BROKEN = "import nowhere\n\n\ndef main(data_collect, wizard_api):\n    pass\n"


@pytest.fixture
def gateway(folder, cleanup):
    def start(config, scripts=None):
        return cleanup(Gateway(folder / "gateway", config, scripts or {}, web=True))
    return start


def people(gateway):
    """An administrator, and the others by their role."""
    others = {role: web_ui.account(gateway, role, role) for role in ("viewer", "operator", "engineer")}
    return {**web_ui.account(gateway), **others}


def plant(modbus, **more):
    return {"devices": [modbus_device("Temperature_Sensor", modbus.port)],
            "groups": [group(polling=0.5, upload=0.5)],
            "vars": [variable("Test", "Temperature_Sensor", "WORD", 40001)], **more}


def test_the_form_of_the_manual_connects(gateway, cloud, modbus, cleanup):
    mine = gateway(plant(modbus))
    files = {key: cloud.files("gateway")[key] for key in ("cert", "key", "root_ca")}
    browser = cleanup(web_ui.start(
        "cloud-connect", mine, endpoint=cloud.endpoint, port=cloud.port, closed=harness.free_port(),
        files=files, wrong=cloud.files("receiver")["key"], **people(mine)))
    web_ui.held(browser)
    written = json.loads((mine.config_dir / "penstock.json").read_text())["cloud"]
    assert written["endpoint"] == cloud.endpoint and written["client_id"] == "awstest"
    keys = [path for path in (mine.config_dir / "certs").iterdir() if path.name.endswith("key")]
    assert keys and all(path.stat().st_mode & 0o777 == 0o600 for path in keys)


def test_standard_mqtt_with_a_password(gateway, folder, modbus, cleanup):
    broker = cleanup(PasswordBroker(folder))
    mine = gateway(plant(modbus))
    web_ui.held(cleanup(web_ui.start("cloud-mqtt", mine, port=broker.port, secret="s3cret",
                                     **people(mine))))
    written = (mine.config_dir / "penstock.json").read_text()
    assert "s3cret" not in written and '"username": "plant"' in written
    kept = mine.config_dir / "certs/mqtt.password"
    assert kept.read_text() == "s3cret" and kept.stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in str(mine.api("GET", "/cloud")) + mine.program.text()


def test_a_message_is_written_run_and_delivered(gateway, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    modbus.set("holding", 0, 2)
    mine = gateway(plant(modbus, cloud=cloud_block(cloud)))
    harness.wait_for(lambda: mine.tags()["Temperature_Sensor", "Test"]["value"] == 2, "the value")
    browser = cleanup(web_ui.start("messages-editor", mine, **people(mine)))
    browser.wait_line("send", timeout=web_ui.PATIENCE)
    cloud.publish("awsiot/send", '{"message": "Hello from AWS IoT console"}')
    browser.send("sent")
    web_ui.held(browser)
    received = receiver.documents("awsiot/test")
    assert received and received[0][0]["Data"] == {"Test": 2}
    assert not any("draft" in payload for _, payload in receiver.messages())


def test_dead_letters_are_seen_corrected_and_replayed(gateway, cloud, modbus, cleanup):
    mine = gateway(plant(modbus, cloud=cloud_block(cloud), publish=[
        publish("readings", "plant/readings"), publish("broken", "plant/broken")]),
        {"readings.py": FAILS, "broken.py": BROKEN})
    harness.wait_for(lambda: mine.message("readings")["dead"] >= 3, "dead letters")
    web_ui.held(cleanup(web_ui.start("messages-dead", mine, hostile=HOSTILE, **people(mine))))
    assert mine.message("readings")["delivered"] >= 3


def test_the_life_of_an_alarm(gateway, modbus, cleanup):
    modbus.set("holding", 0, 20)
    mine = gateway({
        "devices": [modbus_device("Tank", modbus.port)],
        "groups": [group(), {"group_name": "warning", "group_type": "alarm", "polling_interval": 0.2},
                   {"group_name": "night", "group_type": "alarm", "polling_interval": 5}],
        "vars": [variable("level", "Tank", "WORD", 40001, unit="mm")]})
    browser = cleanup(web_ui.start("alarms-life", mine, hostile=HOSTILE, **people(mine)))
    browser.wait_line("high", timeout=web_ui.PATIENCE)
    modbus.set("holding", 0, 41)
    browser.send("is")
    browser.wait_line("low", timeout=web_ui.PATIENCE)
    modbus.set("holding", 0, 20)
    browser.send("is")
    web_ui.held(browser)


def test_an_alarm_on_an_s7_takes_the_notation_of_its_software(gateway, cleanup):
    mine = gateway({
        "devices": [{"device_name": "Press", "protocol": "ISO-on-TCP", "ip": "127.0.0.1", "port": harness.free_port()}],
        "groups": [{"group_name": "warning", "group_type": "alarm", "polling_interval": 5}]})
    web_ui.held(cleanup(web_ui.start("alarms-place", mine, **people(mine))))
    alarm = {"group": "warning", "quotes": 0, "device": "Press", "condition1": "Eq", "operand1": "1"}
    kept = {row["warn_name"]: row for row in json.loads((mine.config_dir / "penstock.json").read_text())["warning"]}
    assert kept.keys() == {"Too hot", "Valve open"}
    place = {"register_type": "DB", "dbnumber": 6, "register_addr": 18, "data_type": "FLOAT"}
    assert (alarm | place).items() - {("group", "warning")} <= kept["Too hot"].items()
    place = {"register_type": "Q", "register_addr": 0, "register_bit": 3, "data_type": "BOOL"}
    assert place.items() <= kept["Valve open"].items() and "dbnumber" not in kept["Valve open"]
    # The same over the API.
    status, answer = mine.api("POST", "/strategies", {
        "warn_name": "Full", "quotes": 0, "device": "Press", "address": "EW4", "condition1": "Gt", "operand1": "3"})
    assert status in (200, 201), answer
    full = mine.api("GET", "/strategies/Full")[1]
    assert (full["register_type"], full["register_addr"], full["data_type"]) == ("I", 4, "WORD")


def test_every_width_light_and_dark_without_barriers(gateway, cloud, modbus, cleanup):
    modbus.set("holding", 0, 41)
    alarm = {"quotes": 1, "device": "Temperature_Sensor", "var_name": "Test", "condition1": "Gt",
             "operand1": "30", "alarm_content": "the level is high"}
    mine = gateway(plant(modbus, cloud=cloud_block(cloud), publish=[
        publish("readings", "plant/readings"), publish("fails", "plant/fails")],
        warning=[{"warn_name": "Level is too high", **alarm},
                 {"warn_name": "Level is low", **alarm, "condition1": "Lt"}]),
        {"readings.py": GOOD, "fails.py": "def main(data_collect, wizard_api):\n    return 1 / 0\n"})
    harness.wait_for(lambda: mine.message("fails")["dead"] >= 1, "a dead letter")
    web_ui.held(cleanup(web_ui.start("cloud-look", mine, **people(mine))))
