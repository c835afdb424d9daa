"""A sick device: its variables are None with status 0, and nobody else notices."""
import contextlib
import json
import socket
import struct
import threading

from harness import (Gateway, ModbusServer, Plant, Receiver, cloud_block, group, modbus_device,
                     publish, variable, wait_for)

RAW = "import json\ndef main(data_collect, wizard_api):\n    return data_collect\n"


def test_a_device_that_goes_away_and_comes_back(folder, cloud, modbus, cleanup):
    other = cleanup(ModbusServer())
    modbus.set("holding", 0, 1)
    other.set("holding", 0, 2)
    receiver = cleanup(Receiver(cloud, "raw"))
    cleanup(Gateway(folder, {
        "devices": [modbus_device("Here", modbus.port),
                    modbus_device("Away", other.port, timeout=0.3)],
        "vars": [variable("v", "Here", "WORD", 40001), variable("v", "Away", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud),
        "publish": [publish("raw", "raw")]}, {"raw.py": RAW}))
    both = {"Here": {"v": {"raw_data": 1, "status": 1}}, "Away": {"v": {"raw_data": 2, "status": 1}}}
    wait_for(lambda: both in [d["values"] for d in receiver.documents()], "both devices good")
    document = receiver.documents()[-1]
    assert list(document) == ["timestamp", "values", "group_name"]
    assert document["group_name"] == "default"
    other.kill()
    gone = {"Here": {"v": {"raw_data": 1, "status": 1}},
            "Away": {"v": {"raw_data": None, "status": 0}}}
    start = wait_for(lambda: next((i for i, d in enumerate(receiver.documents())
                                   if d["values"] == gone), None), "the device to be away")
    wait_for(lambda: len(receiver.documents()) > start + 15, "further messages")
    for document in receiver.documents()[start:start + 15]:
        assert document["values"]["Here"] == gone["Here"]
    back = cleanup(ModbusServer(other.port))
    back.set("holding", 0, 3)
    wait_for(lambda: receiver.documents()[-1]["values"]["Away"]["v"] ==
             {"raw_data": 3, "status": 1}, "the device to be back")


def test_every_fault_of_the_plant_leaves_the_other_device_alone(folder, modbus, cleanup):
    plant = cleanup(Plant(folder))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("Sick", plant.port, timeout=0.3),
                    modbus_device("Well", modbus.port)],
        "vars": [variable("t", "Sick", "WORD", 40001), variable("v", "Well", "WORD", 40001)],
        "groups": [group()]}))

    def sick_is(status):
        return lambda: gateway.tags()["Sick", "t"]["status"] == status

    def well():
        return gateway.tags()["Well", "v"]

    wait_for(sick_is(1), "the plant to be read")
    for fault in ("silence", "exception 4", "reset 1", "delay 2000"):
        plant.knob(fault)
        wait_for(sick_is(0), f"'{fault}' to be noticed")
        wait_for(lambda: well()["status"] == 1, "the well device to be read")
        before = well()["time"]
        wait_for(lambda: well()["time"] > before + 0.5 and well()["status"] == 1,
                 f"the well device to be read on during '{fault}'")
        plant.knob("ok")
        wait_for(sick_is(1), f"recovery from '{fault}'")


def test_a_bad_address_spoils_only_its_own_variable(folder, cleanup):
    plant = cleanup(Plant(folder))
    plant.knob("exception 2 40010-40010")
    rows = [variable(f"v{n}", "P", "WORD", 40000 + n) for n in range(1, 21)]
    gateway = cleanup(Gateway(folder, {"devices": [modbus_device("P", plant.port)], "vars": rows,
                                       "groups": [group()]}))

    def split():
        tags = gateway.tags()
        return tags if sum(row["status"] for row in tags.values()) == 19 else None

    tags = wait_for(split, "nineteen good values")
    assert tags["P", "v10"]["status"] == 0
    assert tags["P", "v10"]["quality"] != "good"


class SerialGateway:
    """A Modbus TCP server with many slaves behind it, of which one answers (always 7)."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client):
        with contextlib.suppress(OSError), client:
            while request := client.recv(12):
                self.asked.add(request[6])
                if request[6] == self.answers:
                    count = request[11]
                    body = struct.pack(">BBB", request[6], 3, 2 * count) + b"\0\x07" * count
                    client.sendall(request[:4] + struct.pack(">H", len(body)) + body)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_silent_slaves_behind_one_gateway_leave_the_living_one_its_cadence(folder, cloud, cleanup):
    server = cleanup(SerialGateway(answers=1))
    slaves = [modbus_device(f"S{n}", server.port, slave=n, timeout=0.3) for n in range(1, 21)]
    receiver = cleanup(Receiver(cloud, "raw"))
    gateway = cleanup(Gateway(folder, {
        "devices": slaves, "vars": [variable("v", d["device_name"], "WORD", 40001) for d in slaves],
        "groups": [group(polling=0.5, upload=0.5)], "cloud": cloud_block(cloud),
        "publish": [publish("raw", "raw")]}, {"raw.py": RAW}))
    # Waiting for 19 silent slaves takes 6 s; the living one is there from the first cycle on.
    wait_for(lambda: len(receiver.documents()) >= 12, "a dozen messages")
    documents = receiver.documents()[:12]
    assert all(d["values"]["S1"]["v"] == {"raw_data": 7, "status": 1} for d in documents)
    assert documents[-1]["timestamp"] - documents[0]["timestamp"] < 7
    wait_for(lambda: len(server.asked) == 20, "every slave to be asked")
    assert len(gateway.program.find("DEVICE-AWAY", "'S20'")) <= 1
    assert not gateway.program.find("DEVICE-BACK")


class QueueingGateway:
    """Slaves 1 to 3, each answering on its own; register n holds 256 times the slave plus n."""

    def __init__(self):
        self.late = {}  # slave: seconds
        self.accepted = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.accepted += 1
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client):
        with contextlib.suppress(OSError), client:
            while request := client.recv(12):
                offset, count = struct.unpack(">HH", request[8:12])
                body = struct.pack(">BBB", request[6], 3, 2 * count) + b"".join(
                    struct.pack(">H", request[6] * 256 + (offset + i & 255)) for i in range(count))
                answer = request[:4] + struct.pack(">H", len(body)) + body
                threading.Timer(self.late.get(request[6], 0), self._answer, (client, answer)).start()

    @staticmethod
    def _answer(client, answer):
        with contextlib.suppress(OSError):
            client.sendall(answer)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_a_late_slave_behind_a_gateway_costs_the_others_nothing(folder, cleanup):
    server = cleanup(QueueingGateway())
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device(f"D{n}", server.port, slave=n, timeout=0.2) for n in (1, 2, 3)],
        "vars": [variable(f"v{offset}", f"D{n}", "WORD", 40001 + offset) for n in (1, 2, 3)
                 for offset in (1, 102, 203)],
        "groups": [group(polling=0.1)]}))

    def all_good():
        return all(row["status"] == 1 for row in gateway.tags().values())

    wait_for(all_good, "all values")
    accepted = server.accepted
    server.late[2] = 0.3

    def late_ones():
        for (device, name), row in gateway.tags().items():
            expected = int(device[1:]) * 256 + int(name[1:])
            assert row["status"] == 0 or row["value"] == expected, (device, name, row)
            assert device == "D2" or row["status"] == 1, (device, name, row)
        return gateway.status()["channels"][0]["late"]

    wait_for(lambda: late_ones() >= 2, "late answers to be counted")
    server.late.clear()
    wait_for(all_good, "the late slave to be back")
    assert server.accepted == accepted  # nobody paid with the connection
