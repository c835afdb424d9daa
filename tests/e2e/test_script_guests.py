"""Scripts that are no good guests: what they send, start, print and ask for must not reach anybody
else. The cloud is mosquitto, which closes the connection over what AWS IoT does not take either."""
import os
import signal

import pytest

from harness import (Gateway, Receiver, behind_a_filter, cloud_block, group, is_running,
                     modbus_device, publish, variable, wait_for)

GOOD = "def main(data_collect, wizard_api):\n    return [data_collect['timestamp']]\n"


def start(folder, modbus, cloud, script, wrapper=()):
    gateway = Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("v", "D", "WORD", 40001, read_write="read/write")],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("bad", "bad"), publish("good", "good")]},
        {"bad.py": script, "good.py": GOOD}, start=False)
    return gateway.start(wrapper=wrapper)


def adds_up(gateway):
    for row in gateway.status()["messages"]:
        assert row["accepted"] == (row["delivered"] + row["waiting"] + row["dead"] +
                                   sum(row["dropped"].values())), row


# What the cloud would answer by closing the connection, again at each try.
POISON = {
    "control_character": "wizard_api.awsiot_publish('a\\x01b', 'x', 1)",
    "non_character": "wizard_api.awsiot_publish('a\\uffff', 'x', 1)",
    "qos_2": "wizard_api.mqtt_publish('a', 'x', 2)",
    "wildcard": "wizard_api.awsiot_publish('a/#', 'x', 1)",
    "long_topic": "wizard_api.awsiot_publish('a' * 300, 'x', 1)",
    "large": "wizard_api.awsiot_publish('a', 'x' * 131073, 1)",
}


@pytest.mark.parametrize("kind", POISON)
def test_what_the_cloud_does_not_take_is_kept_from_it(folder, cloud, modbus, cleanup, kind):
    receiver = cleanup(Receiver(cloud, "good"))
    script = f"def main(data_collect, wizard_api):\n    {POISON[kind]}\n"
    gateway = cleanup(start(folder, modbus, cloud, script))
    gateway.wait_line("ERROR", "bad")
    wait_for(lambda: len(receiver.messages()) >= 10, "the good script's messages")
    assert len(gateway.program.find("LINK-UP")) == 1
    assert not gateway.program.find("LINK-LOST")
    wait_for(lambda: gateway.message("good")["waiting"] <= 2, "the good script's backlog to go")
    adds_up(gateway)


def test_the_largest_message_and_topic_of_aws_arrive(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "t" * 256))
    script = ("def main(data_collect, wizard_api):\n"
              "    wizard_api.awsiot_publish('t' * 256, 'x' * 131072, 1)\n")
    gateway = cleanup(start(folder, modbus, cloud, script))
    wait_for(receiver.messages, "the largest message")
    assert len(receiver.messages()[0][1]) == 131072
    adds_up(gateway)


def test_a_refused_message_is_told_once(folder, cloud, modbus, cleanup):
    gateway = cleanup(start(folder, modbus, cloud,
                            "def main(d, w):\n    return 'x' * 131073\n"))
    wait_for(lambda: gateway.message("bad")["dropped"].get("too_large", 0) >= 5, "five refusals")
    assert len(gateway.program.find("OUTBOX-REFUSED", "131073", "131072")) == 1


def test_failed_writes_do_not_flood_the_log(folder, cloud, modbus, cleanup):
    script = ("calls = 0\n"
              "def main(d, w):\n"
              "    global calls\n"
              "    calls += 1\n"
              "    if calls == 1:\n"
              "        w.write_plc_values({str(i): i for i in range(5000)})\n")
    gateway = cleanup(start(folder, modbus, cloud, script))
    gateway.wait_line("SCRIPT-WRITE", "4980 more values of this call failed")
    assert len(gateway.program.find("SCRIPT-WRITE")) == 21


@pytest.mark.parametrize("end", ["stop", "kill_worker"])
def test_what_a_script_started_ends_with_its_worker(folder, cloud, modbus, cleanup, end):
    """Where seccomp does not keep it from starting anything in the first place."""
    receiver = cleanup(Receiver(cloud, "bad"))
    script = ("import os, signal\n"
              "child = os.fork()\n"
              "while child == 0:\n"
              "    signal.pause()\n"
              "def main(d, w):\n"
              "    return child\n")
    gateway = cleanup(start(folder, modbus, cloud, script, behind_a_filter("seccomp")))
    wait_for(receiver.messages, "the number of the script's child")
    child = receiver.documents()[0]
    assert is_running(child)
    if end == "stop":
        assert gateway.stop() == 0
    else:
        os.kill(gateway.worker("bad")["pid"], signal.SIGKILL)
    wait_for(lambda: not is_running(child), "the script's child to end")


def test_a_module_that_does_not_build_is_named(folder, cloud, modbus, cleanup):
    gateway = cleanup(start(folder, modbus, cloud, "def main(d, w)\n    return 1\n"))
    line = gateway.wait_line("Build module error.")
    assert "<string>, line 1" in line and "(publish 'bad')" in line, line


def test_terminal_escapes_do_not_reach_the_log(folder, cloud, modbus, cleanup):
    script = ("import logging, os\n"
              "def main(d, w):\n"
              "    logging.info('one \\x1b[2J\\n[ERROR] two')\n"
              "    os.write(2, b'three \\x1b]0;title\\x07\\n')\n")
    gateway = cleanup(start(folder, modbus, cloud, script))
    gateway.wait_line("[<string> 3]: one ?[2J [ERROR] two")
    gateway.wait_line("three ?]0;title?")
    assert "\x1b" not in gateway.program.text()


def test_a_script_that_writes_without_end_does_not_flood_the_log(folder, cloud, modbus, cleanup):
    script = ("def main(d, w):\n"
              "    for _ in range(5000):\n"
              "        w.write_plc_values({'v': 1})\n"
              "        w.awsiot_publish('a/#', 'x', 1)\n")
    gateway = cleanup(start(folder, modbus, cloud, script))
    gateway.wait_line("SCRIPT-LINES", "more lines of this call were not logged")
    calls = len(gateway.program.find("SCRIPT-LINES")) + 1
    warnings = gateway.program.find("SCRIPT-WRITE") + gateway.program.find("SCRIPT-TOPIC")
    assert len(warnings) <= 50 * calls, calls


def test_a_write_while_the_gateway_stops_is_refused(folder, cloud, modbus, cleanup):
    script = ("def main(d, w):\n"
              "    while True:\n"
              "        w.write_plc_values({'v': 1})\n")
    gateway = cleanup(start(folder, modbus, cloud, script))
    gateway.wait_line("SCRIPT-WRITE")
    assert gateway.stop() == 0
