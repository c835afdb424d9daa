"""Every limit of a script broken on purpose, side by side in one gateway: the delivery of another
message goes on, the log says what happened, nothing is left behind and the ledger adds up."""
import os
import pathlib
import platform
import re
import signal
import subprocess
import time

import pytest

import hostile
from harness import (BIN, PYTHON, Gateway, Receiver, behind_a_filter, cloud_block, descendants, group, modbus_device,
                     publish, variable, wait_for)

WITNESS = "def main(data_collect, wizard_api):\n    return [data_collect['timestamp']]\n"
UPLOAD_S = 1.0
LATE_S = 1.0  # one more interval: the machine that tests is busy with all those scripts


class Clocked(Receiver):
    """Notes when each line arrived."""

    def _read(self):
        self.times = []
        for line in self.process.stdout:
            if line.startswith("MSG "):
                self.times.append(time.monotonic())
            self.lines.append(line.rstrip("\n"))


def config(cloud, modbus, messages):
    return {"devices": [modbus_device("D", modbus.port)],
            "vars": [variable("v", "D", "WORD", 40001)],
            "groups": [group(upload=UPLOAD_S)], "cloud": cloud_block(cloud), "publish": messages}


def log_frame_type():
    """The number of the log frame, from the header that both sides use."""
    header = (pathlib.Path(__file__).parents[2] / "src/script/wire.h").read_text()
    block = header.split("typedef enum PsWireType {")[1].split("}")[0]
    return re.findall(r"^\s+(PS_WIRE_\w+)\b", block, re.MULTILINE).index("PS_WIRE_LOG")


def probe_for(folder, cloud, modbus):
    """The probe with the names of what it is to get at."""
    names = {"KEY": os.path.realpath(cloud.files("gateway")["key"]),
             "CONFIG": os.path.realpath(folder / "config"),
             "STATE": os.path.realpath(folder / "state"), "SOCKET": str(folder / "s"),
             "OUTSIDE": str(folder / "escape"),
             "PORT": modbus.port, "MACHINE": platform.machine()}
    return "\n".join(f"{name} = {value!r}" for name, value in names.items()) + hostile.PROBE


def check_probe(result, expected=()):
    expected = {**hostile.EXPECTED, **dict(expected)}
    wrong = {name: value for name, value in result.items()
             if isinstance(value, str) and value not in
             ((expected[name],) if name in expected else ("EPERM", "EACCES"))}
    assert not wrong
    assert len(result) > 40
    assert result["environment"] == ["HOME", "LANG", "PATH", "TMPDIR"]
    assert result["descriptors"] == [0, 1, 2, 3]


def adds_up(gateway):
    for row in gateway.status()["messages"]:
        assert row["accepted"] == (row["delivered"] + row["waiting"] + row["dead"] +
                                   sum(row["dropped"].values())), row


def processes_of(gateway):
    """penstockd, penstock-script and the workers."""
    return [gateway.program.pid, *descendants(gateway.program.pid)]


def state_of(pid):
    """"" when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_gone(pid):
    return state_of(pid) in ("", "Z")


@pytest.mark.alone
def test_every_limit_at_once(folder, cloud, modbus, cleanup):
    messages = [publish("witness", "witness"), publish("probe", "probe", scratch_mb=2)]
    scripts = {"witness.py": WITNESS, "probe.py": probe_for(folder, cloud, modbus)}
    for name, (script, more, _) in hostile.ENDS.items():
        messages.append(publish(f"bad_{name}", "bad", **more))
        scripts[f"bad_{name}.py"] = "" if isinstance(script, bytes) else script.replace(
            "LOG", str(log_frame_type()))
    witness = cleanup(Clocked(cloud, "witness"))
    probe = cleanup(Receiver(cloud, "probe"))
    gateway = cleanup(Gateway(folder, config(cloud, modbus, messages), scripts, start=False))
    for name, (script, _, _) in hostile.ENDS.items():
        if isinstance(script, bytes):
            (gateway.config_dir / "scripts" / f"bad_{name}.py").write_bytes(script)
    gateway.start()
    wait_for(witness.messages, "the first message")
    for name, (_, _, expected) in hostile.ENDS.items():
        gateway.wait_line("ERROR" if name != "huge_line" else "INFO", name, *expected)
    wait_for(probe.messages, "the probe")
    wait_for(lambda: len(witness.messages()) >= 15, "fifteen upload intervals")
    check_probe(probe.documents()[0])
    collected = [document[0] for document in witness.documents()]
    assert collected == sorted(collected)
    missed = max(b - a for a, b in zip(collected, collected[1:]))
    late = max(b - a for a, b in zip(witness.times, witness.times[1:]))
    print(f"witness: {len(collected)} messages, largest gap {missed:.3f} s between collections, "
          f"{late:.3f} s between arrivals, upload interval {UPLOAD_S} s")
    assert missed < UPLOAD_S + LATE_S
    assert late < UPLOAD_S + LATE_S
    assert gateway.worker("witness")["restarts"] == gateway.worker("witness")["errors"] == 0
    assert not [line for line in gateway.program.lines if len(line) > 10000]
    adds_up(gateway)
    pids = processes_of(gateway)
    assert not [pid for pid in pids if state_of(pid) == "Z"]
    assert gateway.stop() == 0
    assert all(is_gone(pid) for pid in pids)
    assert not list((folder / "state" / "scratch").iterdir())


def start_probe(folder, cloud, modbus, cleanup, wrapper=(), **more):
    """A gateway with the probe alone, its result and the gateway; `wrapper` runs penstockd."""
    receiver = cleanup(Receiver(cloud, "probe"))
    gateway = cleanup(Gateway(
        folder, config(cloud, modbus, [publish("probe", "probe", scratch_mb=2, **more)]),
        {"probe.py": probe_for(folder, cloud, modbus), "witness.py": WITNESS}, start=False))
    gateway.start(wrapper=wrapper)
    wait_for(lambda: receiver.messages() or gateway.program.process.poll() is not None, "the probe")
    assert receiver.messages(), gateway.program.text()
    return gateway, receiver.documents()[0]


def test_a_message_with_network_connects_out_and_nothing_else(folder, cloud, modbus, cleanup):
    _, result = start_probe(folder, cloud, modbus, cleanup, network=True)
    check_probe(result, {"connect": "done", "send a datagram": "done"})


def test_the_network_switch_is_named(folder, cloud, modbus, cleanup):
    script = ("import socket\n"
              "def main(d, w):\n"
              f"    socket.create_connection(('127.0.0.1', {modbus.port}))\n")
    gateway = cleanup(Gateway(folder, config(cloud, modbus, [publish("p", "p")]), {"p.py": script}))
    gateway.wait_line("ERROR", "[<string> 3]: p: PermissionError", '"network": true')


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run the gateway as somebody else")
def test_an_ordinary_user_is_held_like_root(folder, cloud, modbus, cleanup):
    """The other tests run as whoever runs them; root runs this one as somebody else."""
    (folder / "state").mkdir()
    subprocess.run(["chown", "-R", "65534:65534", folder], check=True)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*nobody, "test", "-x", BIN / "penstockd"], check=False).returncode != 0:
        pytest.skip("the build stands where nobody else may look")
    gateway, result = start_probe(folder, cloud, modbus, cleanup, nobody)
    check_probe(result)
    assert pathlib.Path(f"/proc/{gateway.program.pid}").stat().st_uid == 65534


WRITES = '''
def main(data_collect, wizard_api):
    written = 0
    try:
        with open("large", "wb", 0) as file:
            while written < 2 << 20:
                written += file.write(bytes(65536))
        return ["all", written]
    except OSError as error:
        return [error.strerror, written]
'''


def test_a_smaller_limit_of_the_environment_stays(folder, cloud, modbus, cleanup):
    """The gateway may be started with less than its scripts would get: they run, and get less."""
    receiver = cleanup(Receiver(cloud, "w"))
    gateway = cleanup(Gateway(folder, config(cloud, modbus, [publish("w", "w")]), {"w.py": WRITES},
                              start=False))
    limit = ("import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20,) * 2); "
             "resource.setrlimit(resource.RLIMIT_NOFILE, (200,) * 2); os.execv(sys.argv[1], sys.argv[1:])")
    gateway.start(wrapper=[PYTHON, "-c", limit])
    wait_for(receiver.messages, "the script to have written")
    assert receiver.documents()[0] == ["File too large", 1 << 20]


def test_without_landlock_the_rest_holds_and_the_log_says_so(folder, cloud, modbus, cleanup):
    gateway, result = start_probe(folder, cloud, modbus, cleanup, behind_a_filter("landlock"))
    assert result["read the private key"] == result["read another script"] == "done"
    for name in ("fork", "connect", "kill the parent", "close the key to all", "ptrace",
                 "truncate the key", "ask the command socket"):
        assert result[name] in ("EPERM", "EACCES"), name
    assert result["import"] == result["use scratch"] == result["thread"] == "done"
    starter = processes_of(gateway)[1]
    os.kill(starter, signal.SIGKILL)
    gateway.wait_line("SCRIPT-LOST")
    wait_for(lambda: gateway.worker("probe")["restarts"] == 1, "the worker's next life")
    assert len(gateway.program.find("SCRIPT-OPEN", "Landlock")) == 1
    assert not gateway.program.find("SCRIPT-OPEN", "seccomp")


def test_without_seccomp_files_are_held_and_the_log_says_so(folder, cloud, modbus, cleanup):
    # The probe would kill its parent here.
    script = ("def attempt(path):\n"
              "    try:\n"
              "        return open(path).read(1)\n"
              "    except OSError as error:\n"
              "        return error.errno\n"
              "def main(d, w):\n"
              f"    return [attempt({cloud.files('gateway')['key']!r}), attempt('/etc/hosts') != 13]\n")
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(cloud, modbus, [publish("p", "p")]), {"p.py": script},
                              start=False))
    gateway.start(wrapper=behind_a_filter("seccomp"))
    gateway.wait_line("SCRIPT-OPEN", "seccomp")
    wait_for(receiver.messages, "a message")
    assert receiver.documents()[0] == [13, True]


@pytest.mark.parametrize("victim", ["penstockd", "penstock-script"])
def test_no_worker_outlives_what_was_killed(folder, cloud, modbus, cleanup, victim):
    stubborn = ("import signal, threading\n"
                "for number in (1, 2, 3, 13, 15):\n"
                "    signal.signal(number, signal.SIG_IGN)\n"
                "def main(d, w):\n"
                "    while True:\n"
                "        pass\n")
    gateway = cleanup(Gateway(folder, config(cloud, modbus, [publish("witness", "witness"),
                                                             publish("stubborn", "s")]),
                              {"witness.py": WITNESS, "stubborn.py": stubborn}))
    wait_for(lambda: gateway.worker("witness")["calls"] > 0 and gateway.worker("stubborn")["pid"],
             "both workers")
    pids = processes_of(gateway)
    assert len(pids) == 4
    if victim == "penstockd":
        gateway.kill()
        wait_for(lambda: all(is_gone(pid) for pid in pids), "all processes to end")
        return
    calls = gateway.worker("witness")["calls"]
    os.kill(pids[1], signal.SIGKILL)
    wait_for(lambda: all(is_gone(pid) for pid in pids[1:]), "penstock-script and workers to end")
    wait_for(lambda: gateway.worker("witness")["calls"] > calls, "new workers")
    assert len(processes_of(gateway)) == 4
    # Scratch folders of the former life went when the new one began.
    assert len(list((folder / "state/scratch").glob("*/*"))) == 2
    wait_for(lambda: not any(state_of(pid) for pid in pids[1:]), "no zombies")
