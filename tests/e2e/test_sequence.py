"""wizard_api.sequence() and the receiver's check of the reference: what is missing is what was dropped."""
import re

from harness import (ROOT, Gateway, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

# Fails in every way there is, every so often; its own file, since globals go with the process.
SCRIPT = """
import os, tempfile
calls = 0

def main(data_collect, wizard_api):
    global calls
    calls += 1
    number = wizard_api.sequence()
    if calls % 5 == 3:
        raise ValueError(number)
    if calls == 9:
        os._exit(3)
    return number
"""


def receivers_check():
    text = (ROOT / "docs/api/wizard_api.md").read_text()
    block, = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    space = {}
    exec(block, space)
    return space["missing"]


def config(modbus, cloud, **parameters):
    return {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group(polling=0.05, upload=0.05)], "cloud": cloud_block(cloud),
        "publish": [publish("bad", "p")], "parameters": parameters}


def test_the_check_itself():
    missing = receivers_check()

    def numbers(boot, *these):
        return [{"boot": boot, "sequence": number} for number in these]
    assert missing([]) == {}
    assert missing(numbers("a", 1, 3, 2, 2)) == {}
    assert missing(numbers("a", 2, 4) + numbers("b", 1, 2)) == {"a": [1, 3]}


def test_nothing_is_missing_whatever_the_script_does(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud), {"bad.py": SCRIPT}))
    wait_for(lambda: gateway.worker("bad")["restarts"] >= 2, "a crash or two")
    gateway.write_script("bad.py", SCRIPT + "# saved\n")
    gateway.wait_line("its saved script takes over")
    gateway.cli("outbox", "replay", "bad", "--keep-going", check=False)
    assert gateway.stop() == 0
    gateway.start()
    count = len(receiver.messages())
    wait_for(lambda: len(receiver.messages()) >= count + 10, "messages after the restart")
    numbers = receiver.documents("p")
    assert len({number["boot"] for number in numbers}) == 2
    assert receivers_check()(numbers) == {}
    assert len({(number["boot"], number["sequence"]) for number in numbers}) >= 20


def test_what_was_dropped_is_what_is_missing(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud, catch_recording=10), {
        "bad.py": "def main(d, w):\n    return w.sequence()\n"}))
    wait_for(lambda: len(receiver.messages()) >= 3, "the first messages")
    cloud.stop()
    wait_for(lambda: sum(gateway.message("bad")["dropped"].values()) >= 5, "the outbox to be full")
    cloud.start()
    last = gateway.message("bad")["accepted"]
    wait_for(lambda: max(number["sequence"] for number in receiver.documents("p")) >= last + 3,
             "messages after the outage")
    wait_for(lambda: gateway.message("bad")["waiting"] <= 1, "the outbox to be empty")
    numbers = receiver.documents("p")
    holes, = receivers_check()(numbers).values()
    assert len(holes) == sum(gateway.message("bad")["dropped"].values())
    assert holes == list(range(holes[0], holes[0] + len(holes))), "the oldest of the outage"
