"""Who knows what was accepted, and who knows what arrived: two processes that are not Penstock's.

Each source is a script in the gateway. It asks the Witness for the numbers it is to publish and tells
it which of them the gateway has taken over. So the numbers outlive every process of the gateway, and
a number that the Witness has noted as accepted must arrive:

    save     accepted once `save_data` has returned True
    return   accepted once the call whose result it was has ended, which the script knows when it is
             called again

A number that was given out and never noted is no message yet: the process that would have published
it was killed before the gateway had answered. It may arrive all the same.
"""
import collections
import json
import socket
import threading
import time
import zlib

from harness import Program

SAVES = '''
import socket, time, zlib
NAME, COUNT = {name!r}, {count}
witness = socket.create_connection(("127.0.0.1", {port})).makefile("rw")

def main(data_collect, wizard_api):
    witness.write(f"next {{NAME}} {{COUNT}}\\n")
    witness.flush()
    first, count = map(int, witness.readline().split())
    for number in range(first, first + count):
        now = time.time()
        payload = {{"n": number, "t": now, "pad": "x" * {pad}, "sum": zlib.crc32(f"{{number}} {{now}}".encode())}}
        saved = wizard_api.save_data({{"topic": NAME, "qos": 1, "payload": payload}})
        witness.write(f"{{'ok' if saved else 'no'}} {{NAME}} {{number}}\\n")
        witness.flush()
'''

RETURNS = '''
import socket, zlib
NAME, before = {name!r}, None
witness = socket.create_connection(("127.0.0.1", {port})).makefile("rw")

def main(data_collect, wizard_api):
    global before
    if before is not None:
        witness.write(f"ok {{NAME}} {{before}}\\n")
        before = None
    witness.write(f"next {{NAME}} 1\\n")
    witness.flush()
    first, count = map(int, witness.readline().split())
    if count == 0:
        return None
    before = first
    now = data_collect["timestamp"]
    return {{"n": first, "t": now, "pad": "x" * {pad}, "sum": zlib.crc32(f"{{first}} {{now}}".encode())}}
'''


class Witness:
    """Gives out numbers, from 1 for each name, and notes which were accepted and when."""

    def __init__(self):
        self.given = collections.Counter()
        self.accepted = collections.defaultdict(dict)  # name: {number: time}
        self.refused = collections.Counter()
        self.limit = None  # numbers given out to each name until it pauses
        self.paused = False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()
        except OSError:
            pass

    def _one(self, client):
        with client, client.makefile("rw") as stream:
            try:
                for line in stream:
                    self._obey(line.split(), stream)
            except (OSError, ValueError):
                pass  # the script was killed, in the middle of a line perhaps

    def _obey(self, words, stream):
        name, number = words[1], int(words[2])
        if words[0] == "next":
            with self.lock:
                count = 0 if self.paused else number
                if self.limit is not None:
                    count = max(0, min(count, self.limit - self.given[name]))
                first = self.given[name] + 1
                self.given[name] += count
            stream.write(f"{first} {count}\n")
            stream.flush()
        elif words[0] == "ok":
            self.accepted[name][number] = time.monotonic()
        else:
            self.refused[name] += 1

    def total(self):
        return sum(map(len, self.accepted.values()))

    def script(self, kind, name, count=1, pad=40):
        return kind.format(name=name, count=count, port=self.port, pad=pad)

    def stop(self):
        self.listener.close()


def is_as_sent(document):
    return (document["sum"] == zlib.crc32(f"{document['n']} {document['t']}".encode()) and
            set(document["pad"]) <= {"x"} and len(document) == 4)


class Receiver(Program):
    """mosquitto_sub; what it prints is noted with the time."""

    def __init__(self, port):
        self.arrivals = collections.defaultdict(list)  # name: [(number, stamp, time)]
        self.count = 0
        self.changed = []  # payloads
        self.subscribed = 0
        super().__init__(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-q", "1",
                          "-i", "receiver", "-t", "#", "-d", "-F", "MSG %t %p"], name="mosquitto_sub")
        self.wait_line("Subscribed")

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("MSG "):
                _, name, payload = line.split(" ", 2)
                self.count += 1
                try:
                    document = json.loads(payload)
                    as_sent = is_as_sent(document)
                    self.arrivals[name].append((document["n"], document["t"], time.monotonic()))
                except (ValueError, KeyError, TypeError):
                    as_sent = False
                self.changed += [] if as_sent else [payload]
            elif not line.startswith("Client receiver "):
                self.lines.append(line.rstrip("\n"))
                self.subscribed += "Subscribed" in line
