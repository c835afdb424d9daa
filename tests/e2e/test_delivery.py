"""How messages leave the outbox: pace, packing, splitting, live first, quarantine, gap records, and
what a person does with the queue."""
import contextlib
import json
import socket
import threading
import time

from harness import (PATIENCE, Gateway, Receiver, cloud_block, group, modbus_device, publish,
                     variable, wait_for)

COUNTER = '''
count = 0

def main(data_collect, wizard_api):
    global count
    count += 1
    return [{"n": count}]
'''


def config(modbus, cloud, interval=0.02, message=None, parameters=None):
    return {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group("default", interval, interval)], "cloud": cloud,
        "publish": [publish("count", "count", **(message or {}))], "parameters": parameters or {}}


class FussyServer:
    """An MQTT 3.1.1 server that ends the connection, without a word, for topics it does not allow;
    it keeps what it acknowledged. Plain TCP, one client at a time."""

    def __init__(self, denied=()):
        self.denied = set(denied)
        self.published = []  # (monotonic time, topic, payload)
        self.cut = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.block = {"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": self.port,
                      "client_id": "fussy"}
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with contextlib.suppress(OSError, EOFError), client, client.makefile("rb") as stream:
                    while self._answer(client, *self._packet(stream)):
                        pass

    @staticmethod
    def _packet(stream):
        head = stream.read(1)
        length = shift = 0
        while True:
            byte = stream.read(1)
            if not head or not byte:
                raise EOFError
            length |= (byte[0] & 0x7f) << shift
            shift += 7
            if byte[0] < 0x80:
                return head[0], stream.read(length)

    def _answer(self, client, head, body):
        kind = head >> 4
        if kind == 1:
            client.sendall(b"\x20\x02\x00\x00")
        elif kind == 8:
            client.sendall(b"\x90\x03" + body[:2] + b"\x01")
        elif kind == 12:
            client.sendall(b"\xd0\x00")
        elif kind == 3:
            size = int.from_bytes(body[:2], "big")
            topic = body[2:2 + size].decode()
            if topic in self.denied:
                self.cut += 1
                return False
            self.published.append((time.monotonic(), topic, body[4 + size:]))
            client.sendall(b"\x40\x02" + body[2 + size:4 + size])
        return kind != 14

    def payloads(self, topic):
        return [payload for _, name, payload in list(self.published) if name == topic]

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def numbers(receiver):
    return [row["n"] for document in receiver.documents() for row in document]


def make_backlog(cloud, gateway, count):
    cloud.stop()
    wait_for(lambda: gateway.message("count")["waiting"] >= count, "a backlog")


def is_complete(found, at_least):
    return len(found) >= at_least and found == list(range(1, len(found) + 1))


def test_a_packed_backlog_arrives_in_few_messages(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "count"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud), message={"pack_kib": 1}),
                              {"count.py": COUNTER}))
    wait_for(lambda: len(receiver.messages()) >= 3, "the first messages")
    make_backlog(cloud, gateway, 200)
    before = len(receiver.messages())
    cloud.start()
    wait_for(lambda: len(numbers(receiver)) > 210, "the backlog to arrive")
    found = list(dict.fromkeys(numbers(receiver)))
    assert is_complete(found, 210), found
    sizes = [len(payload) for _, payload in receiver.messages()[before:]]
    assert max(sizes) <= 1024
    assert sum(size > 900 for size in sizes) >= 2, sizes
    assert len(sizes) < 100, sizes
    ledger = gateway.message("count")
    assert ledger["accepted"] == ledger["delivered"] + ledger["waiting"]


# AWS IoT discards what exceeds 100 publishes in a second, without a PUBACK.
def test_a_backlog_is_sent_no_faster_than_aws_takes_it(folder, modbus, cleanup):
    server = cleanup(FussyServer())
    block = {**server.block, "publish_rate": 80}
    gateway = cleanup(Gateway(folder, config(modbus, {**block, "port": 1}), {"count.py": COUNTER}))
    wait_for(lambda: gateway.message("count")["waiting"] >= 300, "a backlog")
    gateway.stop()
    gateway.write(config(modbus, block), {"count.py": COUNTER})
    gateway.start()
    wait_for(lambda: len(server.published) >= 300, "the backlog to arrive")
    at = [moment for moment, _, _ in server.published[:300]]
    busiest = max(sum(1 for other in at if moment <= other < moment + 1) for moment in at)
    assert busiest <= 100, busiest
    assert at[-1] - at[0] > 3, "300 messages at 80 a second"


def test_aws_has_its_pace_without_being_asked(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "count"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud), 0.05), {"count.py": COUNTER}))
    wait_for(lambda: receiver.messages(), "the first message")
    make_backlog(cloud, gateway, 120)
    cloud.start()
    shown = []

    def drained():
        shown.append(gateway.cli("outbox").stdout)
        return gateway.message("count")["waiting"] < 5
    wait_for(drained, "the backlog to be delivered")
    assert any("left" in text and "a second are acknowledged" in text for text in shown), shown
    wait_for(lambda: len(numbers(receiver)) > 120, "the receiver")
    assert is_complete(list(dict.fromkeys(numbers(receiver))), 120)


LARGE = '''
def main(data_collect, wizard_api):
    return [{"n": n, "text": "x" * 1000} for n in range(300)]
'''


def test_a_list_that_is_too_large_is_split(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "count"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud), interval=0.5),
                              {"count.py": LARGE}))
    wait_for(lambda: len(receiver.messages()) >= 6, "two lists of three parts")
    documents = receiver.documents()
    assert [row["n"] for part in documents[:3] for row in part] == list(range(300))
    assert all(len(payload) <= 131072 for _, payload in receiver.messages())
    assert len(gateway.program.find("OUTBOX-SPLIT")) == 1
    assert "sent as 3 messages" in gateway.program.find("OUTBOX-SPLIT")[0]


def test_a_list_is_refused_where_it_shall_not_be_split(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus, cloud_block(cloud), interval=0.5,
                                             message={"split": False}), {"count.py": LARGE}))
    wait_for(lambda: gateway.message("count")["dropped"].get("too_large", 0) >= 2, "refusals")
    assert gateway.program.find("OUTBOX-REFUSED", "131072")
    assert gateway.message("count")["delivered"] == 0


TWO_TOPICS = '''
count = 0

def main(data_collect, wizard_api):
    global count
    count += 1
    if count == 5:
        wizard_api.save_data({"topic": "forbidden", "qos": 1, "payload": str(count)})
    return str(count)
'''


def test_a_message_that_ends_connections_is_set_aside(folder, modbus, cleanup):
    server = cleanup(FussyServer(denied=["forbidden"]))
    gateway = cleanup(Gateway(folder, config(modbus, server.block, interval=0.2),
                              {"count.py": TWO_TOPICS}))
    wait_for(lambda: gateway.message("count")["dead"] == 1, "it to be set aside",
             timeout=2 * PATIENCE)
    assert server.cut >= 2
    wait_for(lambda: len(server.payloads("count")) > 20, "the others to go on")
    first = list(dict.fromkeys(int(payload) for payload in server.payloads("count")))
    assert first == list(range(1, len(first) + 1))
    line = gateway.program.find("DELIVERY-QUARANTINE")[0]
    assert "iot:Publish" in line and "penstock outbox" in line
    letters = json.loads(gateway.cli("outbox", "dead", "count", "--json").stdout)
    assert [letter["kind"] for letter in letters] == ["message"]
    assert "two connections in a row" in letters[0]["reason"]
    letter = json.loads(gateway.cli("outbox", "dead", "--id", letters[0]["id"], "--json").stdout)
    assert letter["input"] == {"topic": "forbidden", "payload": "5"}
    gateway.stop()
    gateway.start()  # they are kept
    server.denied.clear()
    assert "1 of 1 done" in gateway.cli("outbox", "replay", "count").stdout
    wait_for(lambda: server.payloads("forbidden") == [b"5"], "it to arrive after all")
    ledger = gateway.message("count")
    assert ledger["dead"] == 0
    assert ledger["accepted"] == ledger["delivered"] + ledger["waiting"]


def test_live_messages_go_before_the_backlog(folder, modbus, cleanup):
    server = cleanup(FussyServer())
    block = {**server.block, "publish_rate": 40}
    message = {"live_first": True}
    gateway = cleanup(Gateway(folder, config(modbus, {**block, "port": 1}, 0.05, message=message),
                              {"count.py": COUNTER}))
    wait_for(lambda: gateway.message("count")["waiting"] >= 200, "a backlog")
    gateway.stop()
    old = gateway.folder / "config/scripts/count.py"
    old.write_text(COUNTER.replace("count = 0", "count = 100000"))
    gateway.write(config(modbus, block, 0.05, message=message), {})
    gateway.start()
    wait_for(lambda: gateway.message("count")["waiting"] < 3 and
             len(server.published) >= 220, "all of it to arrive")
    found = [json.loads(payload)[0]["n"] for payload in server.payloads("count")]
    backlog = [n for n in found if n < 100000]
    live = [n for n in found if n >= 100000]
    assert backlog == sorted(set(backlog)) and len(backlog) >= 195
    assert live == sorted(live)
    # About half of what goes is live until the backlog is through; it does not wait for that.
    middle = found[:found.index(backlog[-1])]
    assert sum(n >= 100000 for n in middle) > len(middle) / 4, found


def test_a_gap_is_told_and_a_queue_is_cleared(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "#"))
    message = {"gap_topic": "gaps/${site}"}
    settings = config(modbus, cloud_block(cloud), message=message,
                      parameters={"catch_recording": 30, "custom": {"site": "north"}})
    gateway = cleanup(Gateway(folder, settings, {"count.py": COUNTER}))
    wait_for(lambda: receiver.messages("count"), "the first message")
    cloud.stop()
    wait_for(lambda: gateway.message("count")["dropped"].get("retention", 0) >= 20, "drops")
    assert len(gateway.program.find("OUTBOX-RETENTION:")) == 1
    cloud.start()
    wait_for(lambda: receiver.messages("gaps/north"), "the gap record")
    gap = receiver.documents("gaps/north")[0]["gap"]
    assert gap["message"] == "count" and gap["reason"] == "retention" and gap["count"] >= 20
    wait_for(lambda: gateway.message("count")["waiting"] < 3, "the rest to arrive")

    def told_of_all():  # looked at anew: more may have been dropped, or be on its way, meanwhile
        arrived = list(dict.fromkeys(row["n"] for document in receiver.documents("count")
                                     for row in document))
        assert arrived == sorted(arrived)
        told = sum(document["gap"]["count"] for document in receiver.documents("gaps/north"))
        return arrived[-1] - len(arrived) == told
    wait_for(told_of_all, "every message that is missing to be told of")
    assert gap["last"] - gap["first"] > 0.5

    cloud.stop()
    wait_for(lambda: gateway.message("count")["waiting"] >= 10, "messages to wait")
    wrong = gateway.cli("outbox", "clear", "count", "--confirm", "coun", check=False)
    assert wrong.returncode == 1 and "nothing was dropped" in wrong.stderr
    assert gateway.message("count")["dropped"].get("cleared", 0) == 0
    unknown = gateway.cli("outbox", "clear", "nobody", "--confirm", "nobody", check=False)
    assert unknown.returncode == 1 and "no message of this name" in unknown.stderr
    done = gateway.cli("outbox", "clear", "count", "--confirm", "count")
    assert "messages of 'count' were dropped" in done.stdout
    ledger = gateway.message("count")
    assert ledger["dropped"]["cleared"] >= 10
    assert ledger["accepted"] == ledger["delivered"] + ledger["waiting"] + sum(
        ledger["dropped"].values())


def test_thinning_leaves_a_coarser_record_instead_of_a_hole(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "count"))
    cloud.stop()
    settings = config(modbus, cloud_block(cloud), message={"when_full": "thin_out"},
                      parameters={"catch_recording": 40})
    gateway = cleanup(Gateway(folder, settings, {"count.py": COUNTER}))
    wait_for(lambda: gateway.message("count")["accepted"] >= 150, "many messages")
    assert gateway.message("count")["waiting"] <= 40
    cloud.start()
    wait_for(lambda: gateway.message("count")["waiting"] < 3, "the rest to arrive")
    wait_for(lambda: len(numbers(receiver)) >= 30, "the receiver")
    found = list(dict.fromkeys(numbers(receiver)))
    steps = [b - a for a, b in zip(found, found[1:])]
    # Exactly what goes is for the unit tests: it goes on while the queue drains.
    assert all(step > 0 for step in steps), found
    assert max(steps[:5]) > 4 and steps[-1] == 1, found
    thinned = gateway.message("count")["dropped"]
    assert set(thinned) == {"thinned"}


FLOOD = '''
def main(data_collect, wizard_api):
    sent = sum(wizard_api.mqtt_publish("flood", "x", 1) for _ in range(200))
    return [{"sent": sent, "n": 1}]
'''


def test_publishing_past_the_outbox_keeps_to_what_the_cloud_takes(folder, modbus, cleanup):
    server = cleanup(FussyServer())
    block = {**server.block, "publish_rate": 80}
    gateway = cleanup(Gateway(folder, config(modbus, block, 0.2), {"count.py": FLOOD}))
    wait_for(lambda: len(server.payloads("count")) >= 10, "calls")
    gateway.wait_line("DELIVERY-NOW-RATE")
    at = [moment for moment, _, _ in list(server.published)]
    busiest = max(sum(1 for other in at if moment <= other < moment + 1) for moment in at)
    assert 50 < busiest <= 110, busiest
    sent = [json.loads(payload)[0]["sent"] for payload in server.payloads("count")]
    assert max(sent) < 200 and sum(sent) <= len(server.payloads("flood"))
