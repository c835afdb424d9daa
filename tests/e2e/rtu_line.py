"""Lines of Modbus RTU for tests: scripted slaves on a pseudo terminal, and two terminals that are wired.

Every register of a scripted slave holds its slave number times 256 plus the low byte of its offset, so
that a value that belongs to another slave or register can be told.
"""
import collections
import contextlib
import os
import select
import struct
import termios
import threading
import time
import tty


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def value_of(slave, offset):
    return slave * 256 + (offset & 255)


def open_raw():
    """(master, slave, path of the slave) of a pseudo terminal that passes bytes as they are."""
    master, slave = os.openpty()
    tty.setraw(slave, termios.TCSANOW)
    return master, slave, os.ttyname(slave)


class RtuLine:
    """Slaves that answer functions 3 and 6 after `pace` seconds, each on its own."""

    def __init__(self, slaves, pace=0.004, echo=False):
        self.slaves = set(slaves)
        self.pace = pace
        self.echo = echo  # what comes in also goes back, as from an adapter that hears itself
        self.writes = True  # they are answered
        self.babble = False  # something sends all the time
        self.dead = set()
        self.late = {}  # slave: seconds
        self.answered = collections.Counter()
        self.asked = []  # (time, slave)
        self.waiting = []  # (due, bytes)
        self.master, self.slave, self.path = open_raw()
        os.set_blocking(self.master, False)
        self.ended = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _take(self, request):
        slave, function, offset, count = struct.unpack(">BBHH", request[:6])
        self.asked.append((time.monotonic(), slave))
        if slave not in self.slaves or slave in self.dead or function not in (3, 6):
            return
        if function == 6 and not self.writes:
            return
        body = request[:6] if function == 6 else struct.pack(">BBB", slave, 3, 2 * count) + b"".join(
            struct.pack(">H", value_of(slave, offset + i)) for i in range(count))
        due = time.monotonic() + self.pace + self.late.get(slave, 0)
        self.waiting.append((due, slave, body + crc(body)))

    def _serve(self):
        data = b""
        while not self.ended:
            now = time.monotonic()
            for entry in [entry for entry in self.waiting if entry[0] <= now]:
                self.waiting.remove(entry)
                self.answered[entry[1]] += 1
                os.write(self.master, entry[2])
            if self.babble:
                with contextlib.suppress(BlockingIOError):
                    os.write(self.master, b"\x55" * 8)
            wait = 0.0002 if self.babble else min([0.02] + [max(entry[0] - now, 0) for entry in self.waiting])
            if not select.select([self.master], [], [], wait)[0]:
                continue
            got = os.read(self.master, 256)
            if self.echo:
                os.write(self.master, got)
            data += got
            while len(data) >= 8:
                if crc(data[:6]) == data[6:8]:
                    self._take(data[:8])
                    data = data[8:]
                else:
                    data = data[1:]

    def speed(self):
        return termios.tcgetattr(self.master)[5]

    def stop(self):
        self.ended = True
        self.thread.join(10)
        os.close(self.master)
        os.close(self.slave)


class Wire:
    """Two terminals; what goes into one comes out of the other."""

    def __init__(self):
        self.ends = [open_raw(), open_raw()]
        self.paths = [end[2] for end in self.ends]
        self.ended = False
        self.thread = threading.Thread(target=self._pass_on, daemon=True)
        self.thread.start()

    def _pass_on(self):
        first, second = self.ends[0][0], self.ends[1][0]
        while not self.ended:
            for ready in select.select([first, second], [], [], 0.02)[0]:
                with contextlib.suppress(OSError):
                    os.write(second if ready == first else first, os.read(ready, 1024))

    def stop(self):
        self.ended = True
        self.thread.join(10)
        for master, slave, _ in self.ends:
            os.close(master)
            os.close(slave)
