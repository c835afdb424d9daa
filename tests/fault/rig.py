"""A gateway in full flow with everything that can be broken around it, and the judgement at the end.

    plant -> penstockd with its scripts -> proxy -> mosquitto -> mosquitto_sub
                       |                                             |
                    witness  <------------ compared ---------> what arrived

Four message definitions send about 200 messages a second. `penstock status --json` is looked at all
the time: at every look each ledger row must add up.
"""
import json
import mmap
import os
import random
import signal
import struct
import subprocess
import threading
import time

import account as books
import harness
import witness as peers
from harness import wait_for
from proxy import PUBACK, PUBLISH, Proxy, puback_id, publish_parts

SAVING = ("save1", "save2", "save3")
LOOK_S = 0.25
CONNECTED = "Connection Successful"
RESENT_S = 1.5  # an acknowledged row leaves the disk half a second later, and disks are slow
LAST_LINES = 15  # of a gateway that ended
WINDOW = 100    # messages in flight on one connection, at most: `window`


class Shim:
    """Turns the machine's disk and clock against penstockd: tests/fault/shim.c."""

    LIBRARY = harness.BIN.parent / "tests/fault/libfault-shim.so"

    def __init__(self, folder):
        self.path = folder / "shim"
        self.path.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def env(self):
        asan = os.environ.get("ASAN_OPTIONS", "")
        return {**os.environ, "LD_PRELOAD": str(self.LIBRARY), "FAULT_SHIM": str(self.path),
                "ASAN_OPTIONS": f"{asan}:verify_asan_link_order=0".lstrip(":")}

    def disk(self, errno):
        """Every write to a file fails with this number from now on; 0: none does."""
        self.map[0:8] = struct.pack("=q", errno)

    def clock(self, seconds):
        """The wall clock shows so much more than the machine's."""
        self.map[8:16] = struct.pack("=q", int(seconds * 1e9))

    def sync(self, seconds):
        """Every sync takes so much longer."""
        self.map[16:24] = struct.pack("=q", int(seconds * 1e9))


class Looker:
    """Asks for the status again and again, and keeps what does not add up."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.looks = 0
        self.wrong = []
        self.last = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended.wait(LOOK_S):
            try:
                status = self.gateway.status()
            except (AssertionError, ValueError, subprocess.SubprocessError):
                continue  # killed, or not up yet
            self.looks += 1
            self.last = status
            self.wrong += [row for row in status["messages"] if not books.ledger_adds_up(row)]

    def stop(self):
        self.ended.set()
        self.thread.join(30)


def ended(program):
    last = "\n".join(program.lines[-LAST_LINES:])
    return f"penstockd ended by itself with {program.process.returncode}; its last lines:\n{last}"


class Rig:
    def __init__(self, folder, max_loss_s, seed, count=6, pad=40, keepalive=60, shim=False,
                 saving=SAVING, returns=True, timeout=30):
        """`count`: messages of each saving script every 0.1 s; `timeout`: of one call, in seconds."""
        self.random = random.Random(seed)
        self.folder = folder
        self.max_loss_s = max_loss_s
        self.kills = []
        self.stamped = ()
        self.epochs = []
        self.notes = []
        self.skip = None     # why this run cannot be made here
        self.damaged = None  # what the run did to the outbox's files
        self.at_end = None
        self.started = []
        self.acknowledged = set()  # payloads the broker took over, as the proxy saw it
        self.under_way = {}
        self.allowed_lost = 0
        self.allowed_late = 0
        self.witness = self.keep(peers.Witness())
        self.broker = self.keep(harness.Broker(
            folder, "allow_anonymous true", "max_inflight_messages 0", "max_queued_messages 0"))
        self.proxy = self.keep(Proxy(self.broker.port, plain=True))
        self.proxy.watch = self.watch
        self.receiver = self.keep(peers.Receiver(self.broker.port))
        self.plant = self.keep(harness.Plant(folder))
        self.shim = Shim(folder) if shim else None
        self.env = self.shim.env() if shim else None
        self.saving = saving
        self.returns = returns
        self.timeout = timeout
        self.gateway = self.keep(harness.Gateway(
            folder, self.config(keepalive), self.scripts(count, pad), start=False))

    def keep(self, thing):
        self.started.append(thing)
        return thing

    def stop(self):
        """Everything, whatever fails; the first failure is raised at the end."""
        failures = []
        stops = [thing.stop if thing is not self.gateway else self.end
                 for thing in reversed(self.started)]
        for stop in [*stops, self.at_end]:
            try:
                if stop is not None:
                    stop()
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def config(self, keepalive):
        fast = [harness.publish("return", "return", ["fast"], network=True)] if self.returns else []
        return {
            "devices": [harness.modbus_device("Plant", self.plant.port)],
            "vars": [harness.variable("slow", "Plant", "WORD", 40001),
                     harness.variable("fast", "Plant", "WORD", 40002, group="fast")],
            "groups": [harness.group("default", 0.1, 0.1), harness.group("fast", 0.05, 0.05)],
            "cloud": self.broker.block(self.proxy.port, keepalive=keepalive),
            "publish": [*(harness.publish(name, name, network=True, timeout=self.timeout)
                          for name in self.saving), *fast],
            "parameters": {"max_loss_s": self.max_loss_s, "outbox_free_mb": 0}}

    def scripts(self, count, pad):
        scripts = {f"{name}.py": self.witness.script(peers.SAVES, name, count, pad)
                   for name in self.saving}
        return {**scripts, "return.py": self.witness.script(peers.RETURNS, "return", pad=pad)}

    # ---- the gateway

    def start(self, ready="STARTED", wrapper=()):
        self.gateway.start(ready, wrapper, self.env)
        if not any(isinstance(thing, Looker) for thing in self.started):
            self.looker = self.keep(Looker(self.gateway))
        return self

    def runs(self):
        """Fails when penstockd has ended by itself: everything else would only look odd then."""
        program = self.gateway.program
        if program is not None and program.process.poll() is not None:
            program.reader.join(5)
            raise AssertionError(ended(program))

    def wait(self, condition, what, timeout=harness.PATIENCE):
        """As wait_for, but not beyond the end of penstockd."""
        def look():
            self.runs()
            return condition()
        return wait_for(look, what, timeout)

    def kill(self):
        self.runs()
        self.kills.append(time.monotonic())
        program = self.gateway.program
        self.gateway.kill()
        assert program.process.returncode == -signal.SIGKILL, ended(program)

    def end(self):
        """An orderly stop."""
        self.runs()
        status = self.gateway.stop()
        assert status == 0, f"penstockd, told to stop, ended with {status}"

    def status(self):
        try:
            return self.gateway.status()
        except (AssertionError, ValueError, subprocess.SubprocessError):
            self.runs()
            raise

    def outbox(self):
        return self.status()["outbox"]

    def link_up(self):
        return self.status()["link"]["state"] == CONNECTED

    def flows(self, messages=50):
        """Until so many more messages have arrived."""
        before = self.receiver.count
        self.wait(lambda: self.receiver.count >= before + messages, "messages to flow")

    def accepts(self, messages):
        before = self.witness.total()
        self.wait(lambda: self.witness.total() >= before + messages, "messages to be accepted")

    def fills_up(self, messages):
        """Until so many are accepted in all. That may take long; a fault is when none comes any more."""
        while self.witness.total() < messages:
            self.accepts(1)

    # ---- the network

    def watch(self, connection, outward, packet):
        kind = packet[0] >> 4
        if outward and kind == PUBLISH:
            number, payload = publish_parts(packet)
            self.under_way[connection, number] = payload
        elif not outward and kind == PUBACK:
            payload = self.under_way.pop((connection, puback_id(packet)), None)
            if payload is not None:
                self.acknowledged.add(payload)

    # ---- the end

    def drain(self, timeout=120):
        """No new numbers; everything that waits is delivered."""
        self.witness.paused = True
        quiet = 0
        before = None
        deadline = time.monotonic() + timeout
        while quiet < 3:
            assert time.monotonic() < deadline, f"not drained: {self.outbox()}"
            time.sleep(LOOK_S)
            status = self.status()
            state = (self.witness.total(), self.receiver.count,
                     sum(row["calls"] for row in status["workers"]) // 10 ** 9)
            drained = status["outbox"]["waiting"] == 0 and status["link"]["state"] == CONNECTED
            quiet = quiet + 1 if drained and state == before else 0
            before = state

    def ledger_complaints(self):
        """The looks, and the ledger at the end beside what the witness knows."""
        found = [f"the ledger does not add up: {row}" for row in self.looker.wrong[:1]]
        if self.looker.looks == 0:
            found.append("the ledger was never looked at")
        for row in self.status()["messages"]:
            name = row["name"]
            accepted = len(self.witness.accepted[name])
            most = self.witness.given[name]
            taken = row["accepted"] - row["dead"]  # dead letters are no messages
            # Counts that never touched the disk, or stood on a page that is gone.
            forgets = self.damaged or self.kills and self.max_loss_s > 0
            if not forgets and not accepted <= taken <= most:
                found.append(f"'{name}': {taken} accepted by the ledger, {accepted} by the witness, "
                             f"{most} given out")
            if row["waiting"] != 0:
                found.append(f"'{name}': {row['waiting']} still wait")
        return found

    def judge(self, **allowed):
        """(account, complaints of messages, complaints of the ledger)"""
        arrivals = {name: list(rows) for name, rows in self.receiver.arrivals.items()}
        account = books.balance(self.witness.accepted, self.witness.given, arrivals, self.stamped,
                                self.epochs)
        limits = {"loss_s": self.max_loss_s, "resent_s": RESENT_S, "per_cut": WINDOW,
                  "cuts": max(0, self.proxy.accepted - 1), "lost": self.allowed_lost,
                  "late": self.allowed_late, **allowed}
        complaints = books.complaints(account, books.Allowed(kills=self.kills, **limits))
        if self.receiver.changed:
            complaints.append(f"{len(self.receiver.changed)} arrived changed, the first is "
                              f"{self.receiver.changed[0][:200]!r}")
        return account, complaints, self.ledger_complaints()
