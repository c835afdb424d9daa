"""Groups with `every_sample`: each polling cycle reaches the cloud once, with its own time."""
import json
import os
import signal
import time

import pytest

from harness import (Gateway, Plant, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

SCRIPT = """
def main(d, w):
    return [d["timestamp"], d["values"]["D"]["n"]["raw_data"], VERSION]
"""
COUNTER = 40004  # ten a second


def script(version):
    return SCRIPT.replace("VERSION", str(version))


def config(plant, cloud, groups, **more):
    return {"devices": [modbus_device("D", plant.port)],
            "vars": [variable("n", "D", "DWORD", COUNTER, group="fast"), *more.pop("vars", [])],
            "groups": groups, "cloud": cloud_block(cloud), "publish": [publish("p", "p", ["fast"])],
            **more}


def row_of(gateway, name="fast"):
    return next(row for row in gateway.status()["groups"] if row["name"] == name)


def check_rows(rows):
    """In order of collection, each with the value of its own time."""
    stamps = [row[0] for row in rows]
    assert all(earlier < later for earlier, later in zip(stamps, stamps[1:])), stamps
    for stamp, value, _ in rows:
        passed = value - rows[0][1]
        assert abs(passed - 10 * (stamp - rows[0][0])) <= 3, (stamp, value, rows[0])


def left_out(rows):
    """Cycles between the first and the last one that no message is about."""
    return round((rows[-1][0] - rows[0][0]) / 0.1) - (len(rows) - 1)


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder))


def test_every_cycle_once_over_changes(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    every = {**group("fast", 0.1, 1), "every_sample": True}
    gateway = cleanup(Gateway(folder, config(plant, cloud, [every]), {"p.py": script(1)}))

    def rows():
        return receiver.documents("p")
    wait_for(lambda: len(rows()) >= 25, "two seconds of samples")
    # They come together, not one by one: some wait at most moments between.
    wait_for(lambda: row_of(gateway)["samples_waiting"] >= 3, "samples that wait")

    # Another script takes over, and its process ends: what waits goes to the next one.
    gateway.write_script("p.py", script(2))
    wait_for(lambda: rows()[-1][2] == 2, "the saved script")
    wait_for(lambda: row_of(gateway)["samples_waiting"] >= 3, "samples that wait")
    os.kill(gateway.worker("p")["pid"], signal.SIGKILL)
    wait_for(lambda: gateway.worker("p")["restarts"] >= 1 and
             gateway.worker("p")["state"] == "running", "the next process")
    seen = len(rows())
    wait_for(lambda: len(rows()) >= seen + 12, "its samples")

    # Another configuration, in which the group has another number and one more variable.
    wait_for(lambda: row_of(gateway)["samples_waiting"] >= 3, "samples that wait")
    gateway.write(config(plant, cloud, [group("other", 1, 1), every],
                         vars=[variable("more", "D", "WORD", 40101, group="fast")]),
                  {"p.py": script(2)})
    late = row_of(gateway)["late"]
    gateway.cli("apply")
    seen = len(rows())
    wait_for(lambda: len(rows()) >= seen + 15, "samples under the other configuration")

    # A stop gives the script what waits.
    wait_for(lambda: row_of(gateway)["samples_waiting"] >= 3, "samples that wait")
    row, message = row_of(gateway), gateway.message("p")
    assert row["samples_set_aside"] == 0
    stopped = time.time()
    assert gateway.stop() == 0
    gateway.start()  # the outbox delivers what the stop left
    wait_for(lambda: rows()[-1][0] > stopped + 1, "samples after the start")
    found = rows()
    check_rows(found)
    before = [row for row in found if row[0] < stopped]
    assert before[-1][0] > stopped - 0.5
    # A call that was just under way when its process was killed is a dead letter.
    assert -1 <= left_out(before) <= late + row["late"] + message["dead"]
    assert message["dead"] <= 1


def test_the_newest_only_without_the_option(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, config(plant, cloud, [group("fast", 0.1, 1)]),
                              {"p.py": script(1)}))
    wait_for(lambda: len(receiver.documents("p")) >= 5, "five uploads")
    rows = receiver.documents("p")[:5]
    check_rows(rows)
    assert all(0.7 < later[0] - earlier[0] < 1.4 for earlier, later in zip(rows[1:], rows[2:]))
    row = row_of(gateway)
    assert row["every_sample"] is False and row["samples_waiting"] == 0


def test_a_script_that_fails_sets_each_sample_aside(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    every = {**group("fast", 0.1, 0.5), "every_sample": True}
    gateway = cleanup(Gateway(folder, config(plant, cloud, [every]),
                              {"p.py": "def main(d, w):\n    return 1 / 0\n"}))
    wait_for(lambda: gateway.message("p")["dead"] >= 8, "dead letters")
    gateway.write_script("p.py", script(1))
    wait_for(lambda: receiver.documents("p"), "the corrected script")
    gateway.cli("outbox", "replay", "p")
    wait_for(lambda: gateway.message("p")["dead"] == 0, "the replay")
    rows = sorted(json.loads(payload) for _, payload in receiver.messages("p"))
    check_rows(rows)
    assert -1 <= left_out(rows) <= row_of(gateway)["late"]
