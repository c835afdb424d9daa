"""What scripts fail on is kept, can be seen, and runs through the corrected script, in order."""
import json

import pytest

from harness import (BIN, Gateway, Program, Receiver, cloud_block, group, modbus_device, publish,
                     subscribe, variable, wait_for)

FAILS = '''
def main(data_collect, wizard_api):
    raise ValueError("not ready yet")
'''

WORKS = '''
def main(data_collect, wizard_api):
    return data_collect
'''

SLOW = '''
import time

def main(data_collect, wizard_api):
    time.sleep(0.03)
    return data_collect
'''


def config(modbus, cloud, interval=0.1, name="v", timeout=30, **parameters):
    return {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable(name, "D", "WORD", 40001)],
        "groups": [group("default", interval, interval)], "cloud": cloud_block(cloud),
        "publish": [publish("p", "p", timeout=timeout)], "parameters": parameters}


def adds_up(gateway, name="p"):
    row = gateway.message(name)
    return row["accepted"] == (row["delivered"] + row["waiting"] + row["dead"] +
                               sum(row["dropped"].values())) and row


def letters(gateway, *arguments):
    return json.loads(gateway.cli("outbox", "dead", *arguments, "--json").stdout)


def replay(gateway, name="p", *more):
    return json.loads(gateway.cli("outbox", "replay", name, *more, "--json").stdout)


def save(gateway, script, name="p.py"):
    before = len(gateway.program.lines)
    gateway.write_script(name, script)
    gateway.wait_line("its saved script takes over", start=before)
    wait_for(lambda: gateway.worker("p")["state"] == "running", "the saved script to run")


def stamps(receiver, topic="p"):
    return [document["timestamp"] for document in receiver.documents(topic)]


def test_all_inputs_arrive_in_order_after_the_repair(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud), {"p.py": FAILS}))
    gateway.wait_line("DEAD-LETTER", "'p'")
    wait_for(lambda: gateway.message("p")["dead"] >= 20, "dead letters")
    assert adds_up(gateway)["delivered"] == 0
    # Everything from here on waits in the outbox, so that its order shows whose time counts.
    cloud.stop()
    save(gateway, WORKS)
    wait_for(lambda: gateway.message("p")["waiting"] >= 5, "live messages")
    dead = letters(gateway, "p")
    assert len(dead) == gateway.message("p")["dead"] >= 20
    assert {row["reason"] for row in dead} == {"ValueError: not ready yet"}
    whole = json.loads(gateway.cli("outbox", "dead", "--id", dead[0]["id"], "--json").stdout)
    assert 'File "<string>", line 3, in main' in whole["reason"]
    assert whole["input"]["values"] == {"D": {"v": {"raw_data": 0, "status": 1}}}
    shown = gateway.cli("outbox", "dead", "--id", dead[0]["id"]).stdout
    assert "Traceback" in shown and '"raw_data": 0' in shown
    before = adds_up(gateway)
    result = replay(gateway)
    assert result["end"] == "done" and result["failed"] == 0
    assert result["done"] == result["total"] == len(dead)
    after = adds_up(gateway)
    assert after["dead"] == 0 and after["waiting"] >= before["waiting"] + len(dead)
    assert letters(gateway) == []
    cloud.start()
    wait_for(lambda: len(set(stamps(receiver))) >= after["waiting"], "the messages")
    first = list(dict.fromkeys(stamps(receiver)))
    assert first == sorted(first), "in order of collection"
    assert {row["collected"] for row in dead} <= set(first)
    assert adds_up(gateway)


def test_a_kill_in_the_middle_loses_no_letter(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud, 0.05), {"p.py": FAILS}))
    wait_for(lambda: gateway.message("p")["dead"] >= 150, "dead letters")
    save(gateway, SLOW)
    dead = {row["collected"] for row in letters(gateway)}
    client = cleanup(Program([BIN / "penstock", "outbox", "replay", "p", "--socket",
                              gateway.socket]))
    # The second chunk of 32 is fetched only when what was done in the first is committed.
    wait_for(lambda: any(int(line.split()[0]) >= 40 for line in client.find(" done, ")),
             "progress")
    gateway.kill()
    gateway.start()
    left = adds_up(gateway)["dead"]
    assert 0 < left < len(dead), "some were done, some not"
    assert replay(gateway)["end"] == "done"
    assert adds_up(gateway)["dead"] == 0
    wait_for(lambda: dead <= set(stamps(receiver)), "every letter to arrive")


def run_replay(gateway, cleanup):
    """A replay that is followed by a program of its own."""
    return cleanup(Program([BIN / "penstock", "outbox", "replay", "p", "--socket", gateway.socket]))


def test_a_replay_is_stopped(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud, 0.05), {"p.py": FAILS}))
    nothing = gateway.cli("outbox", "replay", "--stop", check=False)
    assert nothing.returncode == 1 and "nothing to stop" in nothing.stderr
    wait_for(lambda: gateway.message("p")["dead"] >= 100, "dead letters")
    save(gateway, SLOW)
    dead = {row["collected"] for row in letters(gateway)}
    client = run_replay(gateway, cleanup)
    wait_for(lambda: any(int(line.split()[0]) >= 5 for line in client.find(" done, ")), "progress")
    stopped = json.loads(gateway.cli("outbox", "replay", "--stop", "--json").stdout)
    assert stopped["end"].startswith("stopped on request") and not stopped["running"]
    assert stopped["failed"] == 0 and 5 <= stopped["done"] < len(dead)
    assert client.process.wait(10) == 1
    client.wait_line("p: stopped on request")
    gateway.wait_line("REPLAY-END", "'p': stopped on request")
    left = letters(gateway)
    assert len(left) == len(dead) - stopped["done"] == adds_up(gateway)["dead"]
    assert {row["reason"] for row in left} == {"ValueError: not ready yet"}, "nothing failed anew"
    # It can be begun again, and goes on with what is left.
    assert replay(gateway)["done"] == len(left)
    assert adds_up(gateway)["dead"] == 0
    wait_for(lambda: dead <= set(stamps(receiver)), "every letter to arrive")
    assert len(receiver.messages()) == len(set(stamps(receiver))), "and none twice"


def test_a_replay_that_never_gets_its_turn_is_stopped(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud, 0.05), {"p.py": FAILS}))
    wait_for(lambda: gateway.message("p")["dead"] >= 3, "dead letters")
    # Slower than its inputs come: a letter is run only when none waits.
    save(gateway, SLOW.replace("0.03", "0.3"))
    wait_for(lambda: gateway.worker("p")["queued"] >= 3, "inputs that wait")
    before = gateway.message("p")["dead"]
    client = run_replay(gateway, cleanup)
    wait_for(lambda: client.find("0 of "), "the replay to begin")
    stopped = json.loads(gateway.cli("outbox", "replay", "--stop", "--json").stdout)
    assert stopped["end"].startswith("stopped on request") and stopped["done"] == 0
    assert client.process.wait(10) == 1
    assert gateway.message("p")["dead"] >= before


def test_names_and_letters_outlive_the_configuration(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud, name="before"), {"p.py": FAILS}))
    wait_for(lambda: gateway.message("p")["dead"] >= 5, "dead letters")
    assert gateway.stop() == 0
    gateway.write(config(modbus, cloud, name="after"), {"p.py": WORKS})
    gateway.start()
    wait_for(receiver.messages, "live messages")
    dead = {row["collected"] for row in letters(gateway)}
    assert replay(gateway)["done"] == len(dead) >= 5
    wait_for(lambda: dead <= set(stamps(receiver)), "every letter to arrive")
    for document in receiver.documents():
        name = "before" if document["timestamp"] in dead else "after"
        assert list(document["values"]["D"]) == [name]


BAD = {
    "hangs": ("def main(d, w):\n    while True: pass\n", "the call did not end within 0.3 s"),
    "exits": ("import os\ndef main(d, w):\n    os._exit(3)\n", "ended by itself with status 3"),
    "unbuilt": ("def main(d, w:\n    pass\n", "its module cannot be built"),
}


@pytest.mark.parametrize("kind", BAD)
def test_inputs_of_scripts_that_do_worse(folder, cloud, modbus, cleanup, kind):
    script, reason = BAD[kind]
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud, 0.2, timeout=0.3), {"p.py": script}))
    wait_for(lambda: gateway.message("p")["dead"] >= 2, "dead letters")
    save(gateway, WORKS)
    dead = letters(gateway)
    assert reason in dead[0]["reason"]
    assert replay(gateway)["end"] == "done"
    wait_for(lambda: {row["collected"] for row in dead} <= set(stamps(receiver)), "the letters")
    assert adds_up(gateway)["dead"] == 0


def test_received_messages(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "answer"))
    settings = config(modbus, cloud)
    settings["subscribe"] = [subscribe("cmd", "cmd/+", qos=1)]
    gateway = cleanup(Gateway(folder, settings, {
        "p.py": "def main(d, w):\n    pass\n",
        "cmd.py": "def main(topic, payload, w):\n    raise RuntimeError(payload)\n"}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    for number in range(3):
        cloud.publish(f"cmd/{number}", f"order {number}")
        wait_for(lambda: gateway.message("cmd")["dead"] == number + 1, "the letter")
    dead = letters(gateway, "cmd")
    assert [row["reason"] for row in dead] == [f"RuntimeError: order {n}" for n in range(3)]
    whole = json.loads(gateway.cli("outbox", "dead", "--id", dead[2]["id"], "--json").stdout)
    assert whole["input"] == {"topic": "cmd/2", "payload": "order 2"}
    # Still failing: it stops after three failures in a row, and keeps all.
    failed = gateway.cli("outbox", "replay", "cmd", check=False)
    assert failed.returncode == 1 and "stopped after 3 failures in a row" in failed.stdout
    assert adds_up(gateway, "cmd")["dead"] == 3
    save(gateway, "def main(topic, payload, w):\n"
                  "    w.awsiot_publish('answer', topic + ' ' + payload, 1)\n", "cmd.py")
    assert replay(gateway, "cmd")["done"] == 3
    wait_for(lambda: len(receiver.messages()) == 3, "the answers")
    assert [text for _, text in receiver.messages()] == [f"cmd/{n} order {n}" for n in range(3)]
    assert adds_up(gateway, "cmd")["dead"] == 0


def test_the_oldest_letters_go_and_calls_say_what_is_wrong(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud, 0.05, dead_max=10), {"p.py": FAILS}))
    wait_for(lambda: gateway.message("p")["dropped"].get("dead_retention", 0) >= 5, "drops")
    assert adds_up(gateway)["dead"] == 10
    assert len(gateway.program.find("DEAD-RETENTION")) == 1
    assert "dead_retention" in gateway.cli("outbox").stdout
    assert "ValueError: not ready yet" in gateway.cli("outbox", "dead", "p").stdout
    for arguments, words in [(("dead", "nobody"), "no message of this name"),
                             (("replay", "nobody"), "no message of this name"),
                             (("dead", "--id", "999999"), "no dead letter 999999"),
                             (("dead", "--id", "x"), "not the number"),
                             (("replay",), "needs the name"), (("empty",), "knows --watch, dead, replay and clear")]:
        result = gateway.cli("outbox", *arguments, check=False)
        assert result.returncode != 0 and words in result.stderr, (arguments, result)
