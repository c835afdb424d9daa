"""Broker down, gateway killed, cable cut: every message arrives, in order of collection."""
import pytest

from harness import (Gateway, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

COUNTER = '''
count = 0

def main(data_collect, wizard_api):
    global count
    count += 1
    return {"n": count, "t": data_collect["timestamp"]}
'''


def config(modbus, cloud, interval=0.1, **parameters):
    return {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group("default", interval, interval)], "cloud": cloud_block(cloud),
        "publish": [publish("count", "count")], "parameters": parameters}


def in_order_without_gap(numbers):
    """First arrivals, in order; a message in flight at the cut may come twice."""
    seen, first = set(), []
    for number in numbers:
        if number not in seen:
            seen.add(number)
            first.append(number)
    return first == list(range(1, len(first) + 1))


@pytest.mark.parametrize("max_loss_s", [0, 1])
def test_broker_stopped_and_started(folder, cloud, modbus, cleanup, max_loss_s):
    receiver = cleanup(Receiver(cloud, "count"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud, max_loss_s=max_loss_s),
                              {"count.py": COUNTER}))
    wait_for(lambda: len(receiver.messages()) >= 5, "the first messages")
    cloud.stop()
    wait_for(lambda: gateway.message("count")["waiting"] >= 40, "a backlog")
    cloud.start()
    total = gateway.message("count")["accepted"]
    wait_for(lambda: max([d["n"] for d in receiver.documents()], default=0) > total,
             "the backlog to arrive")
    documents = receiver.documents()
    assert in_order_without_gap([d["n"] for d in documents]), [d["n"] for d in documents]
    stamps = {d["n"]: d["t"] for d in documents}
    assert [stamps[n] for n in sorted(stamps)] == sorted(stamps.values())
    ledger = gateway.message("count")
    assert ledger["accepted"] == ledger["delivered"] + ledger["waiting"]


def test_the_backlog_survives_a_restart_and_a_kill(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "count"))
    cloud.stop()
    numbered = COUNTER.replace("count = 0", "count = START")
    gateway = cleanup(Gateway(folder, config(modbus, cloud, max_loss_s=0),
                              {"count.py": numbered.replace("START", "0")}))
    wait_for(lambda: gateway.message("count")["waiting"] >= 20, "a backlog")
    assert gateway.stop() == 0
    gateway.start()
    waiting = gateway.message("count")["waiting"]
    assert waiting >= 20
    wait_for(lambda: gateway.message("count")["waiting"] >= waiting + 10, "more backlog")
    before = gateway.message("count")["waiting"]
    gateway.kill()
    gateway.start()
    assert gateway.message("count")["waiting"] >= before, "committed before it was counted"
    cloud.start()
    wait_for(lambda: gateway.message("count")["waiting"] <= 1 and
             gateway.message("count")["delivered"] > before, "the backlog to be delivered")
    delivered = gateway.message("count")["delivered"]
    wait_for(lambda: len({d["t"] for d in receiver.documents()}) >= delivered, "the receiver")
    stamps = [d["t"] for d in receiver.documents()]
    first = list(dict.fromkeys(stamps))
    assert first == sorted(first), "in order of collection"
