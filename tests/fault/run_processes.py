"""Processes that end without warning: penstockd, the broker, the scripts. All by SIGKILL."""
import os
import signal
import time

from harness import children


def kill_gateway(rig, count):
    """penstockd, at random moments, also while it starts; every third time while the broker cannot be
    reached, so that messages wait."""
    rig.start()
    rig.flows()
    away = 0
    for number in range(count):
        cut = number % 3 == 2
        if cut:
            rig.proxy.swallow()
            away += 1
        time.sleep(rig.random.uniform(0, 2))
        rig.kill()
        if cut:
            rig.proxy.heal()
        rig.start(ready=None)
    rig.gateway.wait_line("STARTED")
    rig.flows()
    rig.notes.append(f"{count} kills, {away} of them with the broker out of reach")


def kill_gateway_slow_disk(rig, count):
    """The same with a disk whose every sync takes 30 ms longer, as SD cards' do."""
    rig.shim.sync(0.03)
    kill_gateway(rig, count)
    rig.shim.sync(0)


def kill_broker(rig, count):
    rig.start()
    for _ in range(count):
        rig.flows()
        time.sleep(rig.random.uniform(0, 1))
        before = rig.receiver.subscribed
        rig.broker.kill()
        rig.proxy.refuse = True  # the receiver first, or nobody is there to hear
        time.sleep(rig.random.uniform(0, 0.5))
        rig.broker.start()
        rig.wait(lambda: rig.receiver.subscribed > before, "the receiver to be back")
        rig.proxy.refuse = False
    rig.flows()
    rig.notes.append(f"{count} kills")


def workers(rig):
    """The running scripts by name."""
    return {row["name"]: row["pid"] for row in rig.status()["workers"]
            if row["state"] == "running"}


def kill_workers(rig, count):
    """Scripts, one at a time, and at the end the process that all of them come from."""
    rig.start()
    rig.flows()
    for number in range(count):
        names = rig.wait(lambda: sorted(workers(rig).items()), "a running script")
        _, pid = rig.random.choice(names)
        time.sleep(rig.random.uniform(0, 0.5))
        kill_process(pid)
        for row in rig.status()["workers"]:
            if row["state"] == "held":
                rig.gateway.cli("script", "release", row["name"])
    for pid in children(rig.gateway.program.pid):
        kill_process(pid)
    for row in rig.status()["workers"]:
        if row["state"] == "held":
            rig.gateway.cli("script", "release", row["name"])
    rig.wait(lambda: len(workers(rig)) == len(rig.saving) + rig.returns, "all scripts to run again")
    rig.flows()
    dead = sum(row["dead"] for row in rig.status()["messages"])
    rig.notes.append(f"{count} kills of a script and one of their parent; {dead} calls that did not "
                     "finish are dead letters")


def kill_process(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
