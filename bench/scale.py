"""A large configuration: 100,000 variables on 2,000 devices behind 20 endpoints, 200 messages, each with
a script and a group of its own. Times of checking and applying it beside their limits, and beside what
Python's json module takes to read the same file, which needs no more than its text."""
import json
import re
import time

import harness
from measure import median

DEVICES = 2000
EACH = 50
MESSAGES = 200
ENDPOINTS = 20
SETTLES_S = 30
SCRIPT = "def main(data_collect, wizard_api):\n    return len(data_collect['values'])\n"


def configuration(port, cloud):
    return {
        "devices": [harness.modbus_device(f"Device{n:04}", port, ip=f"127.0.2.{n % ENDPOINTS + 1}",
                                          slave=n // ENDPOINTS + 1) for n in range(DEVICES)],
        "vars": [harness.variable(f"value_{v:02}", f"Device{n:04}", "WORD", 41001 + v,
                                  group=f"g{n % MESSAGES}", unit="bar", desc=f"pressure {v}")
                 for n in range(DEVICES) for v in range(EACH)],
        "groups": [harness.group(f"g{n}", 10, 10) for n in range(MESSAGES)],
        "publish": [harness.publish(f"m{n}", f"t/{n}", groups=[f"g{n}"], script="m.py")
                    for n in range(MESSAGES)],
        "cloud": cloud,
    }


def memory(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(rf"{key}:\s+(\d+) kB", status.read())[1]) / 1024


def took(*arguments):
    start = time.monotonic()
    arguments[0](*arguments[1:])
    return time.monotonic() - start


def late(gateway):
    return sum(group["late"] for group in gateway.status()["groups"])


def settled(gateway):
    status = gateway.status()
    return (all(worker["state"] == "running" for worker in status["workers"]) and
            all(message["delivered"] > 0 for message in status["messages"]))


def bench_scale(folder, _):
    """Checking and applying 100,000 variables."""
    broker = harness.Broker(folder)
    ready = folder / "plant.ready"
    plant = harness.Program([harness.BIN / "penstock-sim", "--address", "0.0.0.0", "--port", 0,
                             "--ready-file", ready])
    harness.wait_for(ready.exists, "penstock-sim")
    config = configuration(int(ready.read_text()), broker.block())
    running = harness.Gateway(folder, config, {"m.py": SCRIPT}, start=False)
    text = (running.config_dir / "penstock.json").read_text()
    check = median(took(harness.subprocess.run, [str(harness.BIN / "penstock"), "check",
                                                 str(running.config_dir)]) for _ in range(5))
    python = median(took(json.loads, text) for _ in range(5))
    start = took(running.start)
    harness.wait_for(lambda: settled(running), "a message of each script", 120)
    pid = running.program.pid
    steady = memory(pid, "VmRSS")
    one = apply(running, config, lambda c: c["vars"].append(
        harness.variable("added", "Device0007", "WORD", 41900, group="g7")))
    many = apply(running, config, lambda c: [v.update(register_addr=v["register_addr"] + 1)
                                             for v in c["vars"]])
    harness.wait_for(lambda: settled(running), "all scripts", 120)
    at_once = memory(pid, "VmRSS")
    time.sleep(SETTLES_S)
    print(f"scale    {DEVICES * EACH:,} variables, {DEVICES:,} devices, {MESSAGES} messages, "
          f"{len(text) / 1e6:.0f} MB of JSON")
    print(f"         check {check:.2f} s (limit 2; Python's json module reads the text in {python:.2f} s), "
          f"start {start:.2f} s")
    print(f"         apply with one more variable {one:.2f} s, with every address another {many:.2f} s "
          f"(limit 3), {late(running)} cycles late")
    print(f"         penstockd: RSS {steady:.0f} MB before, {at_once:.0f} MB at once after the last change, "
          f"{memory(pid, 'VmRSS'):.0f} MB {SETTLES_S} s later (limit 60), at most {memory(pid, 'VmHWM'):.0f} MB")
    for thing in (running, plant, broker):
        thing.stop()


def apply(gateway, config, change):
    change(config)
    gateway.write(config, {})
    return took(gateway.cli, "apply")


BENCHES = {"scale": bench_scale}
