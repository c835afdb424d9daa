"""Scripts that fail in every way: the other message and collection go on."""
import pytest

from harness import (Gateway, Receiver, cloud_block, group, modbus_device, publish, subscribe,
                     variable, wait_for)

GOOD = "def main(data_collect, wizard_api):\n    return [data_collect['timestamp']]\n"

BAD = {
    "raises": ("def main(d, w):\n    a = 1\n    return a / 0\n", ["<string> 3", "ZeroDivisionError"]),
    "hangs": ("def main(d, w):\n    while True:\n        pass\n", ["bad"]),
    "exits": ("import os\ndef main(d, w):\n    os._exit(3)\n", ["bad"]),
    # Not SIGSEGV: under AddressSanitizer that is a report and an exit, not a crash.
    "crashes": ("import os\ndef main(d, w):\n    os.abort()\n", ["bad", "signal 6", "<string> 3"]),
    "sys_exit": ("import sys\ndef main(d, w):\n    sys.exit(1)\n", ["bad"]),
    "no_main": ("def other(d, w):\n    pass\n", ["No main entry method found. main"]),
    "syntax": ("def main(d, w):\n    return (\n", ["Build module error"]),
    "unserialisable": ("\ndef main(d, w):\n    return {'x': object()}\n",
                       ["<string> 2", "object"]),
    "missing_module": ("import no_such_module\ndef main(d, w):\n    pass\n", ["no_such_module"]),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_script_harms_nobody_else(folder, cloud, modbus, cleanup, kind):
    text, expected = BAD[kind]
    receiver = cleanup(Receiver(cloud, "good"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("bad", "bad", timeout=0.5), publish("good", "good")]},
        {"bad.py": text, "good.py": GOOD}))
    gateway.wait_line("ERROR", *expected)
    count = len(receiver.messages())
    wait_for(lambda: len(receiver.messages()) > count + 10, "the good script to go on")
    before = gateway.tags()["D", "v"]["time"]
    wait_for(lambda: gateway.tags()["D", "v"]["time"] > before, "collection to go on")


WRITER = '''
import json, logging
from common.Logger import logger

def main(topic, payload, wizard_api):
    wizard_api.write_plc_values(json.loads(payload), done, tail=topic, timeout=5)

def done(result, tail, wizard_api):
    logger.info("%s", {"tail": tail, "result": result})
    wizard_api.awsiot_publish("answer", {"tail": tail, "result": result}, 1)
'''


def test_write_plc_values_with_a_callback(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "answer"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("sp", "D", "WORD", 40001, read_write="read/write"),
                 variable("ro", "D", "WORD", 40002)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "subscribe": [subscribe("cmd", "cmd/+", qos=1)]}, {"cmd.py": WRITER}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    cloud.publish("cmd/1", '{"sp": 42}')
    wait_for(lambda: len(receiver.messages()) == 1, "the first answer")
    answer = receiver.documents()[0]
    assert answer["tail"] == "cmd/1"
    assert answer["result"][0]["result"] == "OK" and answer["result"][0]["error"] == ""
    assert answer["result"][0]["device"] == "D" and answer["result"][0]["var_name"] == "sp"
    assert modbus.get("holding", 0) == [42]
    cloud.publish("cmd/2", '{"D": {"sp": 70000, "ro": 1}, "Nowhere": {"sp": 1}}')
    wait_for(lambda: len(receiver.messages()) == 2, "the second answer")
    rows = receiver.documents()[1]["result"]
    assert [row["result"] for row in rows] == ["Failed"] * 3
    assert "0 to 65535" in rows[0]["error"]
    assert rows[2]["error"] == "Device 'Nowhere' not found."
    assert modbus.get("holding", 0) == [42]


def test_log_level_and_both_ways_of_logging(folder, cloud, modbus, cleanup):
    script = ("import logging\nfrom common.Logger import logger\n"
              "def main(d, w):\n"
              "    logging.info('always')\n"
              "    logger.info('hidden')\n"
              "    logger.error('shown')\n")
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud), "publish": [publish("p", "p")],
        "parameters": {"log_level": "ERROR"}}, {"p.py": script}, start=False))
    gateway.start(ready="[<string> 6]: shown")
    assert gateway.program.find("[INFO] [<string> 4]: always")
    assert not gateway.program.find("hidden")


def test_global_parameters_and_topics(folder, cloud, modbus, cleanup):
    script = "def main(d, w):\n    return w.get_global_parameter()\n"
    receiver = cleanup(Receiver(cloud, "plant/7/values"))
    cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("p", "plant/${device_id}/values")],
        "parameters": {"custom": {"device_id": "7"}, "gateway_sn": "GL9"}}, {"p.py": script}))
    wait_for(receiver.messages, "a message on the expanded topic")
    parameters = receiver.documents()[0]
    assert parameters["device_id"] == "7"
    assert parameters["gateway_sn"] == "GL9"
    assert parameters["log_level"] == "INFO"
    assert parameters["catch_recording"] == 100000
    assert parameters["warning_recording"] == 2000


def test_onchange_variables_and_groups_on_their_own_schedule(folder, cloud, modbus, cleanup):
    script = "def main(d, w):\n    return d\n"
    receiver = cleanup(Receiver(cloud, "p"))
    cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("fast", "D", "WORD", 40001, group="fast"),
                 variable("change", "D", "WORD", 40002, group="slow", mode="onchange")],
        "groups": [group("fast", 0.1, 0.2), group("slow", 0.1, 0.1), group("empty", 0.1, 0.1)],
        "cloud": cloud_block(cloud),
        "publish": [publish("p", "p", groups=["fast", "slow", "empty"])]}, {"p.py": script}))
    wait_for(lambda: len(receiver.messages()) >= 15, "messages")
    slow = [d for d in receiver.documents() if d["group_name"] == "slow"]
    assert len(slow) == 1, "an unchanged value goes up once"
    assert not [d for d in receiver.documents() if d["group_name"] == "empty"]
    modbus.set("holding", 1, 9)
    wait_for(lambda: len([d for d in receiver.documents() if d["group_name"] == "slow"]) == 2,
             "the change")
    slow = [d for d in receiver.documents() if d["group_name"] == "slow"]
    assert slow[1]["values"] == {"D": {"change": {"raw_data": 9, "status": 1}}}
