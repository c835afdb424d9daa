"""Starting where something is in the way, stopping in every state, and what others may read."""
import itertools
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import threading

import pytest

from harness import (BIN, Broker, Gateway, Plant, Program, Receiver, cloud_block, descendants, free_port,
                     group, is_running, modbus_device, publish, subscribe, variable, wait_for)

SCRIPT = "def main(data_collect, wizard_api):\n    return data_collect\n"


def config(modbus, cloud_config, **device):
    return {"devices": [modbus_device("D", device.pop("port", modbus.port), **device)],
            "vars": [variable("v", "D", "WORD", 40001)], "groups": [group()],
            "cloud": cloud_config, "publish": [publish("p", "p")]}


def ends_with_one_line(gateway, *words):
    program = Program([BIN / "penstockd", "--config", gateway.config_dir, "--state", gateway.state,
                       "--socket", gateway.socket, "--web", "none"])
    assert program.process.wait(30) == 1, program.text()
    program.reader.join(5)
    line = program.find("START-FAILED")
    assert len(line) == 1 and all(word in line[0] for word in words), program.text()
    assert "broken invariant" not in program.text()


def test_a_socket_that_cannot_be_made(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT},
                              start=False))
    gateway.socket = folder / "missing" / "s"
    ends_with_one_line(gateway, str(gateway.socket))
    gateway.socket = folder / "precious"
    gateway.socket.write_text("not a socket")
    ends_with_one_line(gateway, str(gateway.socket))
    assert gateway.socket.read_text() == "not a socket"
    gateway.socket = folder / "s"
    gateway.start()
    wait_for(lambda: gateway.message("p")["delivered"], "a delivery")


def test_an_outbox_that_cannot_be_opened(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT},
                              start=False))
    gateway.state.mkdir(mode=0o700)
    newer = sqlite3.connect(gateway.state / "outbox.db")
    newer.execute("PRAGMA user_version = 99")
    newer.execute(f"PRAGMA application_id = {0x50530000 + 99}")
    newer.close()
    ends_with_one_line(gateway, "outbox.db", "newer version")
    (gateway.state / "outbox.db").unlink()
    (gateway.state / "outbox.db").mkdir()  # nothing that anybody could set right at night
    gateway.start()
    gateway.wait_line("OUTBOX-DAMAGED", "recovered 0 messages")
    wait_for(lambda: gateway.message("p")["delivered"], "a delivery")


# As after errors of the disk. Only where this test may mount.
READ_ONLY = ["unshare", "--mount", "sh", "-c",
             'mount -t tmpfs -o ro none "$0" && exec "$@"']


def test_a_state_folder_on_a_disk_that_takes_nothing(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT},
                              start=False))
    gateway.state.mkdir(mode=0o700)
    wrapper = [*READ_ONLY, gateway.state]
    if subprocess.run([*map(str, wrapper), "true"], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount")
    gateway.start(wrapper=wrapper)
    gateway.wait_line("OUTBOX-DISK", "in memory only")
    wait_for(lambda: gateway.message("p")["delivered"] > 2, "deliveries")
    assert gateway.status()["outbox"]["store_failing"]
    assert gateway.stop() == 0


def test_a_socket_left_by_a_gateway_that_was_killed(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT}))
    gateway.kill()
    assert gateway.socket.exists()
    gateway.start()
    assert gateway.status()["messages"]


def test_a_second_gateway_on_the_same_state_is_refused(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT}))
    ends_with_one_line(gateway, "another gateway uses this state folder", "--state")
    assert gateway.status()["messages"]


def test_nobody_else_reads_state_and_socket(folder, cloud, modbus, cleanup):
    gateway = Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT}, start=False)
    gateway.state.mkdir(mode=0o755)  # as somebody made it by hand
    cleanup(gateway.start())
    wait_for(lambda: gateway.message("p")["delivered"], "a delivery")
    for path in gateway.state.iterdir():
        mode = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    assert stat.S_IMODE(gateway.socket.stat().st_mode) == 0o660


def test_the_private_key_is_in_no_output(folder, cloud, modbus, cleanup):
    with open(cloud.files("gateway")["key"]) as key:
        secret = key.read().splitlines()[3]
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud)), {"p.py": SCRIPT}))
    wait_for(lambda: gateway.message("p")["delivered"], "a delivery")
    with open(f"/proc/{gateway.program.pid}/cmdline") as arguments:
        shown = [arguments.read(), gateway.program.text()]
    for command in (["status"], ["status", "--json"], ["log"], ["tags"]):
        shown.append(gateway.cli(*command).stdout)
    gateway.stop()
    shown += [path.read_bytes().decode(errors="replace") for path in folder.glob("state/**/*")
              if path.is_file()]
    assert len(secret) == 64 and not [text for text in shown if secret in text]


STATES = ("connecting", "offline", "device_hangs", "script_hangs", "script_ignores_signals",
          "worker_is_stopped", "starter_is_stopped")


@pytest.mark.parametrize("state", STATES)
def test_stops_within_seconds_and_leaves_no_child(folder, cloud, modbus, cleanup, state):
    script = {
        "script_hangs": "def main(d, w):\n    while True:\n        pass\n",
        "script_ignores_signals": ("import signal, time\n"
                                   "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                                   "def main(d, w):\n    time.sleep(999)\n"),
    }.get(state, SCRIPT)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        cloud_port = {"connecting": port, "offline": free_port()}.get(state, cloud.port)
        device = {"port": port, "timeout": 30} if state == "device_hangs" else {}
        gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud, port=cloud_port),
                                                 **device), {"p.py": script}))
        wait_for(lambda: gateway.worker("p")["state"] == "running", "the worker to run")
        children = descendants(gateway.program.pid)
        assert len(children) == 2
        if state.endswith("is_stopped"):
            os.kill(children[0 if state.startswith("starter") else 1], signal.SIGSTOP)
        assert gateway.program.stop(8) == 0
        wait_for(lambda: not [pid for pid in children if is_running(pid)], "all children to end")


# Collection stops after the scripts: what they have begun to write is written.
BUSY = '''
import time

def main(topic, payload, wizard_api):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        wizard_api.write_plc_values({"v": 1})
        wizard_api.recall_data(print)
        time.sleep(0.02)
    wizard_api.write_plc_values({"v": 2})
'''


def test_scripts_may_ask_for_devices_while_the_gateway_stops(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("v", "D", "WORD", 40001, read_write="read/write")],
        "groups": [group()], "cloud": cloud_block(cloud), "subscribe": [subscribe("s", "s")]},
        {"s.py": BUSY}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    cloud.publish("s", "go")
    wait_for(lambda: modbus.get("holding", 0) == [1], "the first write")
    program = gateway.program
    assert gateway.stop() == 0
    assert modbus.get("holding", 0) == [2], program.text()


SAVE = '''
def main(topic, payload, wizard_api):
    wizard_api.save_data({"topic": "seen", "qos": 1, "payload": payload})
'''


def test_a_stop_loses_no_command(folder, modbus, cleanup):
    """Commands of a persistent session come all the time, also while the gateway stops. What it has
    acknowledged it has handled, or kept as a dead letter; the rest the broker sends again."""
    broker = cleanup(Broker(folder, "allow_anonymous true", "max_queued_messages 0"))
    seen = cleanup(Program(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", broker.port,
                            "-q", "1", "-d", "-t", "seen", "-F", "MSG %p"]))
    seen.wait_line("Subscribed")
    gateway = cleanup(Gateway(folder, {**config(modbus, broker.block(clean_session=False)),
                                       "publish": [], "subscribe": [subscribe("s", "cmd", qos=1)]},
                              {"s.py": SAVE}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    sender = cleanup(Program(["mosquitto_pub", "-h", "127.0.0.1", "-p", broker.port, "-q", "1", "-t",
                              "cmd", "-l"]))
    numbers = itertools.count()
    for _ in range(5):
        ended = threading.Event()

        def send():
            while not ended.wait(0.001):
                sender.send(str(next(numbers)))
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        before = len(seen.find("MSG "))
        wait_for(lambda: len(seen.find("MSG ")) > before + 20, "commands")
        assert gateway.stop() == 0
        ended.set()
        thread.join()
        gateway.start()
    sent = set(range(next(numbers)))
    gateway.cli("outbox", "replay", "s", check=False)  # there may be none
    wait_for(lambda: sent <= {int(line.split()[1]) for line in seen.find("MSG ")}, "all commands")


def test_a_stop_in_order_sends_nothing_again(folder, cloud, modbus, cleanup):
    """Acknowledgements that woke nobody are read before the end. One may be under way just then."""
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, {**config(modbus, cloud_block(cloud)),
                                       "groups": [group(polling=0.05, upload=0.05)]},
                              {"p.py": SCRIPT}))
    wait_for(lambda: gateway.message("p")["delivered"] >= 20, "deliveries")
    assert gateway.stop() == 0
    delivered = gateway.start().message("p")["delivered"]
    wait_for(lambda: gateway.message("p")["delivered"] >= delivered + 20, "more deliveries")
    stamps = [document["timestamp"] for document in receiver.documents()]
    assert len(stamps) - len(set(stamps)) <= 1, stamps


def test_a_call_under_way_when_the_gateway_stops(folder, cleanup):
    plant = cleanup(Plant(folder))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", plant.port, timeout=5)],
        "vars": [variable("v", "D", "WORD", 40001, read_write="read/write")], "groups": [group()]}))
    wait_for(lambda: gateway.tags()["D", "v"]["quality"] == "good", "a value")
    plant.knob("delay 20000")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(gateway.socket))
        client.sendall(b"PUT /api/v1/devices/D/variables/v/value HTTP/1.1\r\nHost: localhost\r\n"
                       b"Content-Type: application/json\r\nContent-Length: 14\r\n\r\n" b'{"value": "1"}')
        for _ in range(2):  # the loop has come round to the write
            gateway.status()
        assert gateway.stop() == 0
