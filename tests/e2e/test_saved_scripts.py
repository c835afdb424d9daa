"""A script that is saved while the gateway runs takes effect at once, alone, and only when it can be
built; a held one waits for a person."""
import os
import time

from harness import (Gateway, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

VERSION = '''
import os
calls = 0

def main(data_collect, wizard_api):
    global calls
    calls += 1
    return {"version": %d, "calls": calls, "pid": os.getpid()}
'''


def start(folder, cloud, modbus, scripts):
    return Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish(name, name, timeout=1) for name in scripts]},
        {f"{name}.py": text for name, text in scripts.items()})


def newest(receiver, topic):
    return wait_for(lambda: receiver.documents(topic), f"a message on {topic}")[-1]


def save_in_place(path, text):
    path.write_text(text)


def save_by_rename(path, text):
    other = path.with_suffix(".tmp")
    other.write_text(text)
    os.replace(other, path)


def test_a_saved_script_takes_over_and_the_other_keeps_its_globals(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(start(folder, cloud, modbus, {"one": VERSION % 1, "two": VERSION % 1}))
    scripts = folder / "config" / "scripts"
    kept = newest(receiver, "two")
    for number, save in ((2, save_in_place), (3, save_by_rename)):
        save(scripts / "one.py", VERSION % number)
        wait_for(lambda wanted=number: newest(receiver, "one")["version"] == wanted,
                 f"version {number}")
    assert newest(receiver, "two")["pid"] == kept["pid"]
    wait_for(lambda: newest(receiver, "two")["calls"] > kept["calls"], "the other to go on")
    before = newest(receiver, "one")
    (scripts / "one.py").write_text("def main(d, w:\n    pass\n")
    gateway.wait_line("ERROR", "SCRIPT-SAVED", "'one'", "<string>, line 1", "goes on")
    wait_for(lambda: newest(receiver, "one")["calls"] > before["calls"], "the version before")
    assert newest(receiver, "one")["pid"] == before["pid"]
    assert gateway.worker("one")["errors"] == 0


def test_a_held_script_is_released_by_hand(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    opens = time.time() + 6
    gateway = cleanup(start(folder, cloud, modbus, {
        "gate": f"import time\nif time.time() < {opens}: raise OSError('shut')\n"
                "def main(d, w): return ['through']\n"}))
    wait_for(lambda: gateway.worker("gate")["state"] == "held", "the script to be held")
    gateway.wait_line("SCRIPT-HELD", "'gate'", "shut", "penstock script release gate")
    refused = gateway.cli("script", "release", "nobody", check=False)
    assert refused.returncode == 1 and "nobody" in refused.stderr

    def released():
        if gateway.worker("gate")["state"] == "held":
            gateway.cli("script", "release", "gate", check=False)
        return gateway.worker("gate")["state"] == "running"

    wait_for(released, "the script to run")
    assert newest(receiver, "gate") == ["through"]
    refused = gateway.cli("script", "release", "gate", check=False)
    assert refused.returncode == 1 and "is not held but running" in refused.stderr
