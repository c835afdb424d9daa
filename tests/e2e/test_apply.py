"""A running gateway takes over another configuration: what changed changes, and nothing else."""
import json
import pathlib

import pytest

from harness import (BIN, Gateway, ModbusServer, Program, Receiver, cloud_block, group,
                     is_running, modbus_device, publish, subscribe, variable, wait_for)

DEVICES = 100
EVERYTHING = '''
def main(data_collect, wizard_api):
    return {"time": data_collect["timestamp"],
            "values": {device: {name: [value["raw_data"], value["status"]]
                                for name, value in variables.items()}
                       for device, variables in data_collect["values"].items()}}
'''
COUNTS = '''
calls = 0

def main(data_collect, wizard_api):
    global calls
    calls += 1
    return {"version": VERSION, "calls": calls}
'''


class Plants:
    """penstock-sim behind as many endpoints as wanted: each address of 127.0.1.0/24 is one."""

    def __init__(self, folder):
        self.programs = []
        self.ports = []
        for number in range(2):  # one takes 64 connections
            ready = folder / f"plants{number}.ready"
            self.programs.append(Program([BIN / "penstock-sim", "--address", "0.0.0.0", "--port", 0,
                                          "--ready-file", ready]))
            wait_for(ready.exists, "penstock-sim")
            self.ports.append(int(ready.read_text()))

    def device(self, number, **more):
        return modbus_device(f"D{number:03}", self.ports[number % 2],
                             **{"ip": f"127.0.1.{number + 1}", **more})

    def connections(self):
        """{address: local port} of the gateway's connections that are up."""
        found = {}
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            host, port = fields[2].split(":")
            if int(port, 16) in self.ports and fields[3] == "01":
                address = ".".join(str(byte) for byte in reversed(bytes.fromhex(host)))
                found[address] = int(fields[1].split(":")[1], 16)
        return found

    def stop(self):
        for program in self.programs:
            program.stop()


@pytest.fixture
def plants(folder, cleanup):
    return cleanup(Plants(folder))


def edit(gateway, change):
    """penstock.json as `change` makes it, in place."""
    path = gateway.config_dir / "penstock.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def stamps(receiver):
    return [document["time"] for document in receiver.documents("all")]


def late_cycles(gateway):
    return sum(row["late"] for row in gateway.status()["groups"])


def test_one_variable_added_disturbs_no_other_device(folder, cloud, plants, cleanup):
    config = {
        "devices": [plants.device(i) for i in range(DEVICES)],
        "vars": [variable("a", f"D{i:03}", "WORD", 41001 + i) for i in range(DEVICES)],
        "groups": [group(polling=1, upload=1)],
        "cloud": cloud_block(cloud),
        "publish": [publish("all", "all")],
    }
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config, {"all.py": EVERYTHING}))
    wait_for(lambda: len(stamps(receiver)) >= 5, "five messages")
    expected = {f"D{n:03}": {"a": [1001 + n, 1]} for n in range(DEVICES)}
    wait_for(lambda: receiver.documents("all")[-1]["values"] == expected, "all devices to answer")
    begun = len(receiver.documents("all")) - 1
    late = late_cycles(gateway)  # a hundred connections at once overflow the listener of a plant
    before = plants.connections()
    assert len(before) == DEVICES
    pid = gateway.worker("all")["pid"]
    for added in range(3):
        name = f"added{added}"
        edit(gateway, lambda config: config["vars"].append(
            variable(name, "D007", "WORD", 41500 + added)))
        gateway.cli("apply", "--why", "one more")
        wait_for(lambda: name in receiver.documents("all")[-1]["values"]["D007"], name)
    seen = len(stamps(receiver))
    wait_for(lambda: len(stamps(receiver)) >= seen + 3, "three more messages")
    assert plants.connections() == before
    assert gateway.worker("all")["pid"] == pid
    times = stamps(receiver)
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert all(0.5 < gap < 1.5 for gap in gaps), gaps
    documents = receiver.documents("all")
    for document in documents[begun:]:
        for number in range(DEVICES):
            if number != 7:
                assert document["values"][f"D{number:03}"] == {"a": [1001 + number, 1]}, document
    assert documents[-1]["values"]["D007"]["added2"] == [1502, 1]
    assert late_cycles(gateway) == late
    assert gateway.message("all")["dropped"] == 0 or gateway.message("all")["dropped"] == {}


def test_a_changed_script_is_rebuilt_alone(folder, cloud, plants, cleanup):
    config = {
        "devices": [plants.device(0)], "vars": [variable("a", "D000", "WORD", 41001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("one", "one"), publish("two", "two")],
    }
    receiver = cleanup(Receiver(cloud))
    scripts = {f"{name}.py": COUNTS.replace("VERSION", "1") for name in ("one", "two")}
    gateway = cleanup(Gateway(folder, config, scripts))
    wait_for(lambda: len(receiver.documents("two")) >= 3, "messages")
    pids = gateway.worker("one")["pid"], gateway.worker("two")["pid"]
    (folder / "new").mkdir()
    candidate = json.loads((gateway.config_dir / "penstock.json").read_text())
    candidate["publish"][0]["topic"] = "renamed"
    (folder / "new" / "penstock.json").write_text(json.dumps(candidate))
    (folder / "new" / "scripts").mkdir()
    (folder / "new" / "scripts" / "one.py").write_text(COUNTS.replace("VERSION", "2"))
    (folder / "new" / "scripts" / "two.py").write_text(scripts["two.py"])
    gateway.cli("apply", folder / "new")
    def versions():
        return [document["version"] for document in receiver.documents("renamed")]

    wait_for(lambda: 2 in versions(), "the new script on its new topic")
    # A call that was under way may end after the change: then the first is still of the old script.
    assert versions() == sorted(versions()) and versions().count(1) <= 1
    counted = [document["calls"] for document in receiver.documents("two")]
    wait_for(lambda: len(receiver.documents("two")) > len(counted) + 3, "more messages")
    counted = [document["calls"] for document in receiver.documents("two")]
    assert counted == list(range(1, len(counted) + 1))
    assert gateway.worker("two")["pid"] == pids[1]
    assert (gateway.config_dir / "scripts" / "one.py").read_text() == COUNTS.replace("VERSION", "2")


def test_a_renamed_message_keeps_its_backlog(folder, cloud, plants, cleanup):
    config = {
        "devices": [plants.device(0)], "vars": [variable("a", "D000", "WORD", 41001)],
        "groups": [group(polling=0.1, upload=0.1)], "cloud": cloud_block(cloud),
        "publish": [publish("before", "t", script="counts.py")],
    }
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config, {"counts.py": COUNTS.replace("VERSION", "1")}))
    wait_for(lambda: receiver.documents("t"), "a message")
    cloud.stop()
    wait_for(lambda: gateway.message("before")["waiting"] >= 20, "a backlog")
    edit(gateway, lambda config: config["publish"][0].update(name="after"))
    gateway.cli("apply")
    row = gateway.message("after")
    assert row["waiting"] >= 20 and row["accepted"] > 20
    assert not [row for row in gateway.status()["messages"] if row["name"] == "before"]
    cloud.start()
    wait_for(lambda: gateway.message("after")["waiting"] <= 3, "the backlog to drain")
    counted = [document["calls"] for document in receiver.documents("t")]
    assert sorted(set(counted)) == list(range(1, max(counted) + 1)), counted


def test_what_is_wrong_changes_nothing(folder, cloud, plants, cleanup):
    config = {
        "devices": [plants.device(0)], "vars": [variable("a", "D000", "WORD", 41001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("all", "all")],
    }
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config, {"all.py": EVERYTHING}))
    wait_for(lambda: receiver.documents("all"), "a message")
    sound = (gateway.config_dir / "penstock.json").read_text()
    pid, connections = gateway.worker("all")["pid"], plants.connections()
    for change, said in [
            (lambda c: c["vars"].append(variable("b", "D9", "WORD", 41001)), "no device 'D9'"),
            (lambda c: c["vars"].append(variable("b", "D000", "WORD", 41001, group="g")),
             "no group 'g'"),
            (lambda c: c["devices"].append(c["devices"][0]), "used twice"),
            (lambda c: c["publish"][0].update(main_function="other"), "other"),
            (lambda c: c["publish"][0].update(topic="a/" * 20), "topic"),
            (lambda c: c.update(colour="blue"), "colour")]:
        edit(gateway, change)
        result = gateway.cli("apply", check=False)
        assert result.returncode != 0 and said in result.stderr + result.stdout, result
        (gateway.config_dir / "penstock.json").write_text(sound)
    (gateway.config_dir / "scripts" / "all.py").write_text("def main(d, w:\n")
    result = gateway.cli("apply", check=False)
    assert result.returncode != 0 and "all.py" in result.stderr + result.stdout, result
    assert gateway.worker("all")["pid"] == pid and plants.connections() == connections
    seen = len(receiver.documents("all"))
    wait_for(lambda: len(receiver.documents("all")) > seen + 2, "more messages")


def test_another_address_of_a_foreign_device(folder, cleanup):
    """No value of the former place is taken for one of the new (pymodbus answers)."""
    servers = [cleanup(ModbusServer()), cleanup(ModbusServer())]
    servers[0].set("holding", 0, *range(100, 200))
    servers[1].set("holding", 0, *range(300, 400))
    config = {"devices": [modbus_device("D", servers[0].port)],
              "vars": [variable("v", "D", "WORD", 40001)], "groups": [group()]}
    gateway = cleanup(Gateway(folder, config))

    def value():
        row = gateway.tags()["D", "v"]
        return row["value"] if row["quality"] == "good" else None
    wait_for(lambda: value() == 100, "the first value")
    for address, server in [(40051, 0), (40051, 1), (40011, 1), (40001, 0)]:
        edit(gateway, lambda config: (config["vars"][0].update(register_addr=address),
                                      config["devices"][0].update(port=servers[server].port)))
        gateway.cli("apply")
        expected = (100 if server == 0 else 300) + address - 40001
        seen = []
        wait_for(lambda: seen.append(value()) or seen[-1] == expected, f"{expected}")
        assert set(seen) <= {None, expected}, seen


def test_the_cloud_is_switched_off_and_on(folder, cloud, plants, cleanup):
    config = {
        "devices": [plants.device(0)], "vars": [variable("a", "D000", "WORD", 41001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("all", "all")],
        "subscribe": [subscribe("in", "in/#")],
    }
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config, {"all.py": EVERYTHING,
                                               "in.py": "def main(t, p, w):\n    print(t)\n"}))
    wait_for(lambda: receiver.documents("all"), "a message")
    worker = gateway.worker("all")["pid"]
    edit(gateway, lambda config: config["cloud"].update(enable=False))
    gateway.cli("apply")
    wait_for(lambda: not is_running(worker), "the script to end")
    seen = len(receiver.documents("all"))
    edit(gateway, lambda config: config["cloud"].update(enable=True))
    gateway.cli("apply")
    wait_for(lambda: len(receiver.documents("all")) > seen + 2, "messages again")
    cloud.publish("in/x", "1")
    gateway.wait_line("in/x")


def test_custom_parameters_and_log_level_at_run_time(folder, cloud, plants, cleanup):
    config = {
        "devices": [plants.device(0)], "vars": [variable("a", "D000", "WORD", 41001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("all", "site/${place}/all")],
        "parameters": {"custom": {"place": "one"}},
    }
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, config, {"all.py": EVERYTHING}))
    wait_for(lambda: receiver.documents("site/one/all"), "a message")
    edit(gateway, lambda config: config["parameters"].update(
        custom={"place": "two"}, log_level="DEBUG"))
    gateway.cli("apply")
    wait_for(lambda: receiver.documents("site/two/all"), "a message on the other topic")


def test_sighup_applies(folder, plants, cleanup):
    config = {"devices": [plants.device(0)], "vars": [variable("a", "D000", "WORD", 41001)],
              "groups": [group()]}
    gateway = cleanup(Gateway(folder, config))
    edit(gateway, lambda config: config["vars"].append(variable("b", "D000", "WORD", 41002)))
    gateway.program.process.send_signal(1)
    wait_for(lambda: ("D000", "b") in gateway.tags(), "the new variable")
