"""A TCP proxy on 127.0.0.1 that fails in the ways networks fail, and sees what MQTT without TLS says.

`away` is the side of the gateway, `near` the server's. Threads; every knob may be turned at any
moment from any thread.

Without TLS the bytes are cut into MQTT packets (3.1.1, section 2.2) and `watch` is called with each
that passes; a `filter` may take packets out of the server's answers, or hold them back.
"""
import contextlib
import socket
import struct
import threading
import time

CHUNK = 65536
PUBLISH, PUBACK = 3, 4  # packet types, MQTT 3.1.1 table 2.1


def reset(sock):
    """Closes with RST: what is under way is gone on both sides."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    close(sock)


def close(sock):
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
    with contextlib.suppress(OSError):
        sock.close()


class Packets:
    """Cuts a stream into whole MQTT packets."""

    def __init__(self):
        self.data = bytearray()

    def feed(self, data):
        self.data += data
        while (size := self._size()) is not None and size <= len(self.data):
            packet = bytes(self.data[:size])
            del self.data[:size]
            yield packet

    def _size(self):
        length = 0
        for place in range(1, min(5, len(self.data))):
            length |= (self.data[place] & 127) << 7 * (place - 1)
            if not self.data[place] & 128:
                return 1 + place + length
        return None


def body(packet):
    """What follows the fixed header."""
    place = 1
    while packet[place] & 128:
        place += 1
    return packet[place + 1:]


def publish_parts(packet):
    """(packet identifier or None, payload) of a PUBLISH."""
    rest = body(packet)
    start = 2 + struct.unpack(">H", rest[:2])[0]
    if not packet[0] & 6:  # QoS 0
        return None, rest[start:]
    return struct.unpack(">H", rest[start:start + 2])[0], rest[start + 2:]


def puback_id(packet):
    return struct.unpack(">H", body(packet)[:2])[0]


class Connection:
    """One accepted connection and its two threads."""

    def __init__(self, proxy, away):
        self.proxy = proxy
        self.away = away
        self.near = None
        self.ended = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            self.proxy.pass_through(self)  # a network that swallows lets nobody in, either
            self.near = socket.create_connection(("127.0.0.1", self.proxy.target), 10)
            self.near.settimeout(None)
            for sock in (self.away, self.near):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self.end()
            return
        answers = threading.Thread(target=self._pump, args=(self.near, self.away, False),
                                   daemon=True)
        answers.start()
        self._pump(self.away, self.near, True)
        answers.join()
        self.end()

    def _pump(self, source, target, outward):
        packets = Packets() if self.proxy.plain else None
        try:
            while data := source.recv(CHUNK):
                seen = time.monotonic()
                pieces = packets.feed(data) if packets else [data]
                for piece in pieces:
                    self._forward(target, piece, outward, seen)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self.end()

    def _forward(self, target, piece, outward, seen):
        proxy = self.proxy
        if proxy.delay_s:
            time.sleep(max(0, seen + proxy.delay_s - time.monotonic()))
        proxy.pass_through(self)
        if proxy.plain and not outward and not proxy.let_pass(piece):
            return
        if outward and proxy.bytes_per_s:
            time.sleep(len(piece) / proxy.bytes_per_s)
        target.sendall(piece)
        if proxy.plain and proxy.watch is not None:
            proxy.watch(self, outward, piece)

    def reset(self):
        self.ended = True
        for sock in filter(None, (self.away, self.near)):
            reset(sock)

    def end(self):
        self.ended = True
        for sock in filter(None, (self.away, self.near)):
            close(sock)
        self.proxy.forget(self)


class Proxy:
    def __init__(self, target, plain=False, address="127.0.0.1"):
        """`plain`: what passes is MQTT without TLS."""
        self.target = target
        self.plain = plain
        self.watch = None   # called with (connection, outward, packet) after it was passed on
        self.filter = None  # called with a packet of the server; False: it is taken out
        self.delay_s = 0
        self.bytes_per_s = 0
        self.refuse = False  # nobody gets in; who is in stays
        self.accepted = 0
        self.connections = []
        self.lock = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                away, _ = self.listener.accept()
                if self.refuse:
                    reset(away)
                    continue
                self.accepted += 1
                with self.lock:
                    self.connections.append(Connection(self, away))

    def forget(self, connection):
        with self.lock, contextlib.suppress(ValueError):
            self.connections.remove(connection)

    def living(self):
        with self.lock:
            return list(self.connections)

    # ---- what the pumps ask

    def pass_through(self, connection):
        self.open.wait()
        if connection.ended:
            raise OSError("the connection did not outlive the silence")

    def let_pass(self, packet):
        chosen = self.filter
        return chosen is None or chosen(packet)

    # ---- knobs

    def reset(self):
        for connection in self.living():
            connection.reset()

    def half_close(self):
        """The server's side says that it will send no more; the other way stays open."""
        for connection in self.living():
            with contextlib.suppress(OSError):
                connection.away.shutdown(socket.SHUT_WR)

    def swallow(self):
        """Nothing passes, nobody is told: a cable that is cut."""
        self.open.clear()

    def heal(self):
        """The cable is whole: what TCP has kept flows on, of connections that both sides still have."""
        for connection in self.living():
            if connection.near is None or gone(connection.away):
                connection.reset()
        self.open.set()

    def stop(self):
        close(self.listener)
        for connection in self.living():
            connection.end()
        self.open.set()


def gone(sock):
    """Has the peer closed it? What it sent before that is still to be read."""
    try:
        with open("/proc/net/tcp") as table:
            _, port = sock.getsockname()
            _, peer = sock.getpeername()
            for line in table:
                words = line.split()
                if words[1].endswith(f":{port:04X}") and words[2].endswith(f":{peer:04X}"):
                    return words[3] != "01"  # ESTABLISHED
    except OSError:
        pass
    return True

