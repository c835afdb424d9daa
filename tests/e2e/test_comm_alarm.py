"""The alarm of a device that does not answer: told once, ended once, over restarts too."""
import json
import re
import time

import pytest

from harness import (Gateway, Plant, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

SCRIPT = '''
def main(data_collect, wizard_api):
    return data_collect
'''
CONFIG = '''
import json

def main(data_collect, wizard_api):
    wizard_api.get_tag_config(tell)

def tell(config, tail, wizard_api):
    wizard_api.awsiot_publish("config", [row["warn_name"] for row in config["warning"]], 1)
'''
HIGH = {"warn_name": "High", "quotes": 1, "device": "D", "var_name": "level", "condition1": "Gt",
        "operand1": "100"}
NAME = "D communication"


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder))


def config(plant, cloud, on=0.5, off=0.5, **more):
    return {
        "devices": [modbus_device("D", plant.port, timeout=0.3, comm_alarm=True, comm_alarm_level=4,
                                  comm_alarm_on_delay=on, comm_alarm_off_delay=off,
                                  comm_alarm_content="no line to D")],
        "vars": [variable("level", "D", "WORD", 40001)], "groups": [group()],
        "cloud": cloud_block(cloud),
        "publish": [publish("up", "up", groups=["warning"], group_type="alarm")], **more}


def alarms(gateway):
    return json.loads(gateway.cli("alarms", "--json").stdout)


def is_on(gateway):
    return [row["name"] for row in alarms(gateway)["alarms"]] == [NAME]


def history(gateway):
    """Oldest first."""
    rows = json.loads(gateway.cli("alarms", "--history", "--json").stdout)
    return [(row["name"], row["status"], row["value"], row["level"]) for row in reversed(rows)]


def told(receiver):
    return [(name, value["current"]) for document in receiver.documents("up")
            for name, value in document["values"].items()]


def restart(plant, folder, cleanup):
    return cleanup(Plant(folder, plant.port))


def test_stopped_and_started_again(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config(
        plant, cloud, warning=[HIGH], publish=[
            publish("up", "up", groups=["warning"], group_type="alarm"),
            publish("config", "config")]), {"up.py": SCRIPT, "config.py": CONFIG}))
    wait_for(lambda: alarms(gateway)["unread"] == [], "the device to answer")
    assert alarms(gateway)["alarms"] == [] and alarms(gateway)["defined"] == 2
    # It has no variable, so it has no place in Device Supervisor's layout.
    wait_for(lambda: receiver.messages("config"), "the configuration")
    assert receiver.documents("config")[0] == ["High"]
    plant.stop()
    before = time.time()
    wait_for(lambda: is_on(gateway), "the alarm")
    row, = alarms(gateway)["alarms"]
    assert before - 2 < row.pop("time") < before + 30
    assert row == {"name": NAME, "group": "warning", "device": "D", "var_name": "",
                   "status": "Triggered", "description": "no line to D", "value": "no answer",
                   "text": "no answer", "unit": "", "level": 4}
    assert re.search(rf"{NAME} +Triggered +no answer +20.* no line to D",
                     gateway.cli("alarms").stdout)
    wait_for(lambda: receiver.messages("up"), "the script to be told")
    form = (r'\{"timestamp": \d+\.\d+, "values": \{"D communication": \{"timestamp": \d+, '
            r'"current": "%s", "status": %d, "value": "%s", "alarm_content": "no line to D", '
            r'"level": 4\}\}, "group_name": "warning"\}')
    assert re.fullmatch(form % ("on", 0, "no answer"), receiver.messages("up")[0][1])
    gateway.cli("alarms", "ack", NAME)
    assert "acknowledged by" in gateway.cli("alarms").stdout
    plant = restart(plant, folder, cleanup)
    wait_for(lambda: not alarms(gateway)["alarms"], "the end of the alarm")
    wait_for(lambda: len(receiver.messages("up")) == 2, "the script to be told")
    assert re.fullmatch(form % ("off", 1, "answers"), receiver.messages("up")[1][1])
    assert history(gateway) == [(NAME, "Triggered", "no answer", 4),
                                (NAME, "Acknowledged", "no answer", 4),
                                (NAME, "Restored", "answers", 4)]
    shown = gateway.cli("script", "run", gateway.config_dir / "scripts" / "up.py",
                        "--group-type", "alarm").stdout
    assert NAME in shown and "no answer" in shown


def test_never_answered(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    plant.stop()
    gateway = cleanup(Gateway(folder, config(plant, cloud, on=3), {"up.py": SCRIPT}))
    started = time.monotonic()
    wait_for(lambda: is_on(gateway), "the alarm")
    assert time.monotonic() - started > 2
    wait_for(lambda: told(receiver) == [(NAME, "on")], "the script to be told")


def test_a_restart_tells_nothing_again(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    settings = config(plant, cloud, on=0, off=0)
    gateway = cleanup(Gateway(folder, settings, {"up.py": SCRIPT}))

    def restart_gateway(kill=False):
        gateway.kill() if kill else gateway.stop()
        gateway.start()

    def known():
        return alarms(gateway)["unread"] == []
    for kill in (False, True):  # with a sound device a start tells nothing, even without a delay
        wait_for(known, "the device to answer")
        restart_gateway(kill)
    wait_for(known, "the device to answer")
    assert history(gateway) == []
    plant.stop()
    wait_for(lambda: told(receiver) == [(NAME, "on")], "the script to be told")
    began, = (row["time"] for row in alarms(gateway)["alarms"])
    assert len(history(gateway)) == 1  # which is on the disk now, whatever max_loss_s is
    for kill in (False, True):
        restart_gateway(kill)
        assert is_on(gateway)  # from the first moment
        wait_for(known, "the device to be asked")
    assert [row["time"] for row in alarms(gateway)["alarms"]] == [began]
    gateway.stop()
    restart(plant, folder, cleanup)
    gateway.start()
    wait_for(lambda: told(receiver) == [(NAME, "on"), (NAME, "off")], "the end to be told")
    assert [row[1] for row in history(gateway)] == ["Triggered", "Restored"]


def test_a_silent_neighbour(folder, cloud, plant, cleanup):
    """Behind one connection each device has its own health."""
    receiver = cleanup(Receiver(cloud))
    plant.knob("slave 2 silent")
    devices = [modbus_device(name, plant.port, slave=slave, timeout=0.3, comm_alarm=True,
                             comm_alarm_on_delay=0, comm_alarm_off_delay=0)
               for name, slave in (("A", 1), ("B", 2))]
    gateway = cleanup(Gateway(folder, config(
        plant, cloud, devices=devices, vars=[variable("level", name, "WORD", 40001)
                                             for name in ("A", "B")]), {"up.py": SCRIPT}))
    wait_for(lambda: told(receiver) == [("B communication", "on")], "the silent one")
    wait_for(lambda: alarms(gateway)["unread"] == [], "the other to be known")
    plant.knob("slave 2 ok")
    wait_for(lambda: told(receiver)[1:] == [("B communication", "off")], "it to come back")


def test_export_says_what_is_not_taken(folder, cloud, plant, cleanup):
    gateway = cleanup(Gateway(folder, config(plant, cloud, warning=[HIGH]), {"up.py": SCRIPT},
                              start=False))
    for kind, said in (("alarms", True), ("devices", True), ("variables", False)):
        result = gateway.cli("export", kind, "--config", gateway.config_dir)
        assert ("not taken: 1 communication alarm " in result.stderr) == said
        assert NAME not in result.stdout
