"""Alarms: evaluated on their own schedule, told once for each change, listed while they are on."""
import json
import os
import pwd
import re

import pytest

from harness import (Gateway, Plant, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

SCRIPT = '''
def main(data_collect, wizard_api):
    wizard_api.awsiot_publish("alarms", data_collect, 1)
'''
SAYS = '''
def main(data_collect, wizard_api):
    return [data_collect["group_name"], sorted(data_collect["values"])]
'''


def alarm(name, condition, operand, **more):
    return {"warn_name": name, "group": "fast", "quotes": 1, "device": "D", "var_name": "level",
            "condition1": condition, "operand1": operand, **more}


@pytest.fixture
def plant(folder, cleanup):
    plant = cleanup(Plant(folder))
    plant.knob("set 40001 20")
    plant.knob("set 40002 0")
    return plant


def config(plant, cloud, alarms, messages):
    return {**local(plant, alarms), "cloud": cloud_block(cloud), "publish": messages}


def local(plant, alarms, **more):
    return {
        "devices": [modbus_device("D", plant.port, timeout=0.3)],
        # Its own group reads it once an hour: whatever happens below is the alarm group's reading.
        "vars": [variable("level", "D", "WORD", 40001, group="slow", unit="mm")],
        "groups": [group("slow", 3600, 3600),
                   {"group_name": "fast", "group_type": "alarm", "polling_interval": 0.1}],
        "warning": alarms, **more}


def evaluations(gateway):
    return next(row for row in gateway.status()["groups"] if row["name"] == "fast")["uploads"]


def wait_evaluated(gateway, times=3):
    before = evaluations(gateway)
    wait_for(lambda: evaluations(gateway) >= before + times, "evaluations")


def alarms_on(gateway):
    return json.loads(gateway.cli("alarms", "--json").stdout)["alarms"]


def test_triggered_and_restored(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config(
        plant, cloud,
        [alarm("Mid level", "Gt", "30", combine_method="And", condition2="Lt", operand2="50",
               alarm_content="level in the middle")],
        [publish("up", "up", groups=["fast"], group_type="alarm"),
         publish("says", "says", groups=["warning", "fast"], group_type="alarm"),
         publish("other", "other", groups=["warning"], group_type="alarm", script="says.py")]),
        {"up.py": SCRIPT, "says.py": SAYS}))
    wait_evaluated(gateway)
    assert alarms_on(gateway) == [] and "none of 1 alarms is on" in gateway.cli("alarms").stdout
    plant.knob("set 40001 40")
    wait_for(lambda: receiver.messages("alarms"), "the alarm")
    text = receiver.messages("alarms")[0][1]
    form = (r'\{"timestamp": (\d+\.\d+), "values": \{"Mid level": \{"timestamp": (\d+), '
            r'"current": "%s", "status": %d, "value": %d, "alarm_content": "level in the middle", '
            r'"level": 1\}\}, "group_name": "fast"\}')
    found = re.fullmatch(form % ("on", 0, 40), text)
    assert found and int(float(found[1])) == int(found[2]), text
    row, = alarms_on(gateway)
    assert 0 <= row.pop("time") - float(found[1]) < 1
    assert row == {"name": "Mid level", "group": "fast", "device": "D", "var_name": "level",
                   "status": "Triggered", "description": "level in the middle", "value": 40,
                   "text": "40", "unit": "mm", "level": 1}
    assert re.search(r"Mid level +Triggered +40 mm +20.* level in the middle",
                     gateway.cli("alarms").stdout)
    plant.knob("set 40001 45")
    wait_evaluated(gateway)  # still on: nothing to tell
    plant.knob("set 40001 60")
    wait_for(lambda: len(receiver.messages("alarms")) >= 2, "the end of the alarm")
    assert re.fullmatch(form % ("off", 1, 60), receiver.messages("alarms")[1][1])
    assert alarms_on(gateway) == []
    wait_evaluated(gateway)
    assert len(receiver.messages("alarms")) == 2
    wait_for(lambda: len(receiver.messages("says")) == 2, "the other message of the group")
    assert receiver.documents("says") == [["fast", ["Mid level"]]] * 2
    assert receiver.messages("other") == []
    # In the ledger as alarms, and each script called once for each change.
    assert gateway.message("up")["accepted"] == 2 and gateway.worker("up")["calls"] == 2


def test_alarms_that_change_together_are_one_message(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    own = {"quotes": 0, "var_name": "", "data_type": "BIT", "register_addr": 40002,
           "register_bit": 3}
    gateway = cleanup(Gateway(folder, config(
        plant, cloud, [alarm("High", "Gne", "50"), alarm("Higher", "Gt", "55"),
                       alarm("Bit", "Eq", "1", **own), alarm("Low", "Lt", "5")],
        [publish("says", "says", groups=["fast"], group_type="alarm")]), {"says.py": SAYS}))
    wait_evaluated(gateway)
    plant.knob("set 40001 60")
    wait_for(lambda: receiver.messages("says"), "the alarms")
    plant.knob("set 40002 8")
    wait_for(lambda: len(receiver.messages("says")) >= 2, "the alarm with an address of its own")
    plant.knob("set 40001 1")
    wait_for(lambda: len(receiver.messages("says")) >= 3, "alarms that go and come")
    assert receiver.documents("says") == [["fast", ["High", "Higher"]], ["fast", ["Bit"]],
                                          ["fast", ["High", "Higher", "Low"]]]
    assert [row["name"] for row in alarms_on(gateway)] == ["Bit", "Low"]
    # What an alarm watches is nobody else's business.
    assert list(gateway.tags()) == [("D", "level")]
    # A device that does not answer clears nothing.
    plant.stop()
    wait_for(lambda: gateway.status()["channels"][0]["state"] == "away", "the device to be away")
    wait_evaluated(gateway)
    assert [row["name"] for row in alarms_on(gateway)] == ["Bit", "Low"]
    assert len(receiver.messages("says")) == 3
    told = json.loads(gateway.cli("alarms", "--json").stdout)
    assert told["defined"] == 4 and told["unread"][2] == {
        "name": "Bit", "device": "D", "quality": "device away"}
    assert "'Low' (device 'D') cannot be evaluated: device away" in gateway.cli("alarms").stdout


def test_a_failing_alarm_script_loses_nothing(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config(
        plant, cloud, [alarm("High", "Gne", "50", alarm_content="too high")],
        [publish("up", "up", groups=["fast"], group_type="alarm")]),
        {"up.py": "def main(d, w):\n    raise ValueError('not yet')\n"}))
    wait_evaluated(gateway)
    plant.knob("set 40001 60")
    wait_for(lambda: gateway.message("up")["dead"] == 1, "a dead letter")
    plant.knob("set 40001 20")
    wait_for(lambda: gateway.message("up")["dead"] == 2, "another")
    first, second = json.loads(gateway.cli("outbox", "dead", "up", "--json").stdout)
    whole = json.loads(gateway.cli("outbox", "dead", "--id", first["id"], "--json").stdout)
    assert whole["input"]["group_name"] == "fast"
    shown = whole["input"]["values"]["High"]
    assert isinstance(shown.pop("timestamp"), int)
    assert shown == {"current": "on", "status": 0, "value": 60, "alarm_content": "too high",
                     "level": 1}
    # After a restart without the alarm the letters still say what they said.
    assert gateway.stop() == 0
    gateway.write(config(plant, cloud, [alarm("Later", "Lt", "0")],
                         [publish("up", "up", groups=["fast"], group_type="alarm")]),
                  {"up.py": SCRIPT})
    gateway.start()
    gateway.cli("outbox", "replay", "up")
    wait_for(lambda: len(receiver.messages("alarms")) == 2, "the letters")
    sent = receiver.documents("alarms")
    assert [row["values"]["High"]["current"] for row in sent] == ["on", "off"]
    assert [row["timestamp"] for row in sent] == [first["collected"], second["collected"]]


def test_no_cloud_is_needed_to_see_alarms(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", plant.port)],
        "vars": [variable("level", "D", "WORD", 40001)],
        "groups": [{"group_name": "warning", "group_type": "alarm", "polling_interval": 0.1}],
        "warning": [alarm("Low", "Lt", "30", group="warning")]}))
    wait_for(lambda: [row["name"] for row in alarms_on(gateway)] == ["Low"], "the alarm")


def history(gateway, *arguments):
    return json.loads(gateway.cli("alarms", "--history", *arguments, "--json").stdout)


def test_history_survives_a_power_cut(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, local(
        plant, [alarm("Mid level", "Gt", "30", combine_method="And", condition2="Lt",
                      operand2="50", alarm_content="middle"), alarm("High", "Gne", "50")],
        parameters={"warning_recording": 3, "max_loss_s": 1})))
    wait_evaluated(gateway)
    assert history(gateway) == []
    plant.knob("set 40001 40")
    wait_for(lambda: alarms_on(gateway), "the alarm")
    row, = history(gateway)  # on the disk now, whatever max_loss_s is
    gateway.kill()
    began = row.pop("time")
    assert row == {"id": 1, "name": "Mid level", "group": "fast", "status": "Triggered",
                   "value": "40", "unit": "mm", "description": "middle", "level": 1, "who": ""}
    plant.knob("set 40001 60")
    gateway.start()
    wait_for(lambda: len(history(gateway)) == 2, "the other alarm")
    plant.knob("set 40001 40")
    wait_for(lambda: len(history(gateway)) == 3 and history(gateway)[0]["id"] == 4,
             "an alarm that goes and one that comes, and the oldest to be gone")
    rows = history(gateway)
    assert [(row["name"], row["status"], row["value"]) for row in rows] == [
        ("High", "Restored", "40"), ("Mid level", "Triggered", "40"), ("High", "Triggered", "60")]
    assert [row["id"] for row in history(gateway, "--name", "hig")] == [
        row["id"] for row in rows if row["name"] == "High"]
    assert history(gateway, "--from", "1h", "--to", "2020-01-01") == []
    assert history(gateway, "--from", "1h") == rows and history(gateway, "--to", "1h") == []
    assert rows[0]["time"] >= rows[2]["time"] > began
    text = gateway.cli("alarms", "--history").stdout.splitlines()
    assert text[0].split() == ["TIME", "NAME", "STATUS", "VALUE", "DESCRIPTION"] and len(text) == 4
    assert re.search(r"^20.* High +Triggered +60 mm", "\n".join(text), re.M)
    assert gateway.cli("alarms", "--history", "--from", "noon", check=False).returncode == 2


def test_a_damaged_history_is_set_aside(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, local(plant, [alarm("Low", "Lt", "30")]), start=False))
    gateway.state.mkdir()
    (gateway.state / "alarms.db").write_bytes(b"rubbish!" * 4096)
    gateway.start()
    gateway.wait_line("ALARM-JOURNAL-DAMAGED")
    wait_for(lambda: [row["name"] for row in history(gateway)] == ["Low"], "the alarm")
    aside, = [path for path in gateway.state.iterdir() if ".damaged-" in path.name]
    assert aside.read_bytes().startswith(b"rubbish!")


def test_hysteresis_and_delay(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, local(plant, [
        alarm("wide", "Gt", "30", hysteresis=5), alarm("late", "Gt", "30", on_delay=0.7),
        alarm("plain", "Gt", "30")])))
    wait_evaluated(gateway)
    plant.knob("set 40001 31")
    wait_for(lambda: len(alarms_on(gateway)) == 3, "the alarms")
    plant.knob("set 40001 26")
    wait_for(lambda: [row["name"] for row in alarms_on(gateway)] == ["wide"], "two to end")
    wait_evaluated(gateway)
    assert [row["name"] for row in alarms_on(gateway)] == ["wide"]
    plant.knob("set 40001 25")
    wait_for(lambda: alarms_on(gateway) == [], "the last to end")
    began = {row["name"]: row["time"] for row in history(gateway) if row["status"] == "Triggered"}
    assert began["plain"] == began["wide"] and began["late"] - began["plain"] > 0.5


def test_acknowledge_and_shelve(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud))
    me = pwd.getpwuid(os.getuid()).pw_name
    settings = config(plant, cloud, [alarm("High", "Gne", "50"), alarm("Low", "Lt", "30")],
                      [publish("up", "up", groups=["fast"], group_type="alarm")])
    gateway = cleanup(Gateway(folder, settings, {"up.py": SCRIPT}))

    def told():
        return [(name, value["current"]) for document in receiver.documents("alarms")
                for name, value in document["values"].items()]
    wait_for(lambda: told() == [("Low", "on")], "the alarm")
    gateway.cli("alarms", "ack", "Low")
    row, = alarms_on(gateway)
    assert row["acknowledged_by"] == me and row["acknowledged"] >= row["time"]
    assert f"(acknowledged by {me})" in gateway.cli("alarms").stdout
    again = gateway.cli("alarms", "ack", "Low", check=False)
    assert again.returncode == 1 and f"acknowledged by {me} already" in again.stderr
    gateway.cli("alarms", "shelve", "High", "--for", "2h")
    assert gateway.cli("alarms", "shelve", "High", check=False).returncode == 2
    assert len(history(gateway)) == 3  # on the disk now
    gateway.kill()
    gateway.start()
    wait_for(lambda: [row.get("acknowledged_by") for row in alarms_on(gateway)] == [me],
             "the alarm that is still there")
    plant.knob("set 40001 60")
    wait_for(lambda: [row["name"] for row in alarms_on(gateway)] == ["High"], "the shelved alarm")
    wait_evaluated(gateway)
    assert ("High", "on") not in told()
    assert f"'High' is shelved by {me} until 20" in gateway.cli("alarms").stdout
    gateway.cli("alarms", "unshelve", "High")
    wait_for(lambda: ("High", "on") in told(), "what was missed")
    rows = [(row["name"], row["status"], row["who"]) for row in history(gateway, "--name", "high")]
    assert rows == [("High", "Unshelved", me), ("High", "Triggered", ""), ("High", "Shelved", me)]
