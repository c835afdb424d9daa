"""penstockd is killed at random moments while it applies: afterwards one of the two configurations runs,
whole, and its files are those in the configuration folder. PENSTOCK_KILLS says how often."""
import json
import os
import random
import re
import subprocess
import time

from harness import BIN, Gateway, group, modbus_device, publish, variable, wait_for

KILLS = int(os.environ.get("PENSTOCK_KILLS", "12"))
SCRIPTS = 6


def files_of(version, port):
    """Every file says which version it is of, and so does every variable's name."""
    config = {
        "version": 1,
        "devices": [modbus_device("D", port)],
        "vars": [variable(f"{version}{n:03}", "D", "WORD", 41001 + n) for n in range(300)],
        "groups": [group()],
        "publish": [publish(f"m{n}", f"t/{version}") for n in range(SCRIPTS)],
        "cloud": {"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": 1, "client_id": "g"},
    }
    scripts = {f"scripts/m{n}.py": f"VERSION = '{version}'\ndef main(d, w):\n    return VERSION\n"
               for n in range(SCRIPTS)}
    return {"penstock.json": json.dumps(config), **scripts}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def version_in(gateway):
    """The version of all files in the folder, which is the same for each of them."""
    found = set()
    for name in ["penstock.json", *(f"scripts/m{n}.py" for n in range(SCRIPTS))]:
        text = (gateway.config_dir / name).read_text()
        found |= set(re.findall(r"t/([ab])\"", text)) or set(re.findall(r"VERSION = '([ab])'", text))
    assert len(found) == 1, found
    return found.pop()


def version_of(gateway):
    """The version of what runs."""
    found = {name[0] for _, name in gateway.tags()}
    assert len(found) == 1 and len(gateway.tags()) == 300, found
    return found.pop()


def apply_and_kill(gateway, folder, seconds):
    applying = subprocess.Popen([str(BIN / "penstock"), "apply", str(folder), "--socket",
                                 str(gateway.socket)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
    time.sleep(seconds)  # the moment, which is the test's point
    gateway.kill()
    applying.wait(30)


def test_killed_while_it_applies(folder, modbus, cleanup):
    versions = {name: write(folder / name, files_of(name, modbus.port)) for name in "ab"}
    write(folder / "config", files_of("a", modbus.port))
    gateway = cleanup(Gateway(folder, {}, start=False))
    write(folder / "config", files_of("a", modbus.port))
    gateway.start()
    start = time.monotonic()
    gateway.cli("apply", versions["b"])
    took = time.monotonic() - start
    gateway.cli("apply", versions["a"])
    chance = random.Random(int(os.environ.get("PENSTOCK_SEED", time.time())))
    outcomes = {"old": 0, "new": 0}
    before = "a"
    for _ in range(KILLS):
        wanted = "b" if before == "a" else "a"
        apply_and_kill(gateway, versions[wanted], chance.uniform(0, took * 1.2))
        gateway.start()
        after = version_of(gateway)
        assert version_in(gateway) == after, gateway.program.text()[-3000:]
        outcomes["new" if after == wanted else "old"] += 1
        before = after
    print(f"{KILLS} kills within {took:.2f} s: {outcomes}")
    wait_for(lambda: all(row["state"] == "running" for row in gateway.status()["workers"]), "scripts")
