"""An MQTT client of the tests' own, 3.1.1 and 5, that can also do what a good client never does:
send packets too early, malformed, unanswered. It shares no code with gateway and cloud.

Packets come back as Packet objects; the server's end of the connection as None."""
import socket
import ssl
import struct
import time

NAMES = {1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 8: "SUBSCRIBE", 9: "SUBACK",
         10: "UNSUBSCRIBE", 11: "UNSUBACK", 12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT"}
# Properties the tests send or read: id -> struct format, "s" for text.
PROPERTIES = {0x01: "B", 0x02: "I", 0x03: "s", 0x08: "s", 0x09: "s", 0x0B: "v", 0x11: "I",
              0x12: "s", 0x13: "H", 0x1F: "s", 0x21: "H", 0x22: "H", 0x23: "H", 0x24: "B",
              0x25: "B", 0x27: "I", 0x28: "B", 0x29: "B", 0x2A: "B"}
PATIENCE = 30


def varint(value):
    out = b""
    while True:
        value, low = value >> 7, value & 0x7F
        out += bytes([low | (0x80 if value else 0)])
        if not value:
            return out


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def properties(values):
    out = b""
    for key, value in (values or {}).items():
        kind = PROPERTIES[key]
        out += bytes([key])
        out += (text(value) if kind == "s" else varint(value) if kind == "v"
                else struct.pack(">" + kind, value))
    return varint(len(out)) + out


def packet(first, body):
    return bytes([first]) + varint(len(body)) + body


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        assert len(piece) == count, "the packet is cut off"
        self.at += count
        return piece

    def number(self, kind):
        return struct.unpack(">" + kind, self.take(struct.calcsize(">" + kind)))[0]

    def text(self):
        return self.take(self.number("H"))

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def properties(self):
        end = self.varint()
        end += self.at
        found = {}
        while self.at < end:
            key = self.number("B")
            kind = PROPERTIES.get(key)
            if key == 0x26:
                found.setdefault(key, []).append((self.text(), self.text()))
            else:
                found[key] = (self.text() if kind == "s" else self.varint() if kind == "v"
                              else self.number(kind))
        return found

    def rest(self):
        return self.take(len(self.data) - self.at)


class Packet:
    """What a server sends, taken apart."""

    def __init__(self, first, body, version):
        self.name = NAMES.get(first >> 4, f"type {first >> 4}")
        self.props = {}
        reader = Reader(body)
        five = version == 5
        if self.name == "CONNACK":
            self.session_present = reader.number("B") == 1
            self.code = reader.number("B")
            self.props = reader.properties() if five else {}
        elif self.name == "PUBLISH":
            self.qos, self.retain, self.dup = first >> 1 & 3, bool(first & 1), bool(first & 8)
            self.topic = reader.text().decode()
            self.id = reader.number("H") if self.qos else None
            self.props = reader.properties() if five else {}
            self.payload = reader.rest()
        elif self.name in ("SUBACK", "UNSUBACK"):
            self.id = reader.number("H")
            self.props = reader.properties() if five else {}
            self.codes = list(reader.rest())
        elif self.name == "PUBACK":
            self.id = reader.number("H")
            left = reader.rest()
            self.code = left[0] if left else 0
        elif self.name == "DISCONNECT":
            self.code = body[0] if body else 0

    def __repr__(self):
        return f"{self.name}({self.__dict__})"


class RawClient:
    """Speaks MQTT over mutual TLS. Everything is sent at once; nothing is answered by itself."""

    def __init__(self, cloud, client_id=None, version=4, thing="gateway", connect=True, **options):
        files = cloud.files(thing)
        context = ssl.create_default_context(cafile=files["root_ca"])
        context.load_cert_chain(files["cert"], files["key"])
        plain = socket.create_connection((cloud.endpoint, cloud.port), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname=cloud.endpoint)
        self.version = version
        self.data = b""
        self.id = 0
        self.connack = None
        if connect:
            self.connect(client_id, **options)
            self.connack = self.expect("CONNACK")
            assert self.connack.code == 0, self.connack

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, raw):
        self.socket.sendall(raw)

    def next_id(self):
        self.id = self.id % 65535 + 1
        return self.id

    def props(self, values=None):
        return properties(values) if self.version == 5 else b""

    def connect(self, client_id, clean=True, keep_alive=60, will=None, props=None, then=b""):
        """`will`: (topic, payload, qos, retain). `then`: sent in one piece with it."""
        flags = 2 if clean else 0
        body = text(client_id)
        if will:
            topic, payload, qos, retain = will
            flags |= 4 | qos << 3 | (0x20 if retain else 0)
            body += self.props() + text(topic) + text(payload)
        self.send(packet(0x10, text("MQTT") + bytes([self.version, flags])
                         + struct.pack(">H", keep_alive) + self.props(props) + body) + then)

    def publish(self, topic, payload=b"x", qos=1, retain=False, props=None):
        self.send(self.publish_bytes(topic, payload, qos, retain, props))
        return self.id

    def publish_bytes(self, topic, payload=b"x", qos=1, retain=False, props=None):
        raw = payload.encode() if isinstance(payload, str) else payload
        number = struct.pack(">H", self.next_id()) if qos else b""
        return packet(0x30 | qos << 1 | retain, text(topic) + number + self.props(props) + raw)

    def subscribe(self, *filters, qos=1, props=None):
        body = struct.pack(">H", self.next_id()) + self.props(props)
        for one in filters:
            body += text(one) + bytes([qos])
        self.send(packet(0x82, body))
        return self.id

    def subscribed(self, *filters, qos=1):
        number = self.subscribe(*filters, qos=qos)
        suback = self.expect("SUBACK")
        assert suback.id == number and all(code == qos for code in suback.codes), suback

    def puback(self, number):
        self.send(packet(0x40, struct.pack(">H", number)))

    def ping(self):
        self.send(packet(0xC0, b""))

    def disconnect(self, code=0, props=None):
        body = bytes([code]) + properties(props) if self.version == 5 else b""
        self.send(packet(0xE0, body))

    def receive(self, timeout=PATIENCE):
        """The next packet, None when the server has ended the connection. TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.whole_packet()
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("nothing came")
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                return None
            if not more:
                return None
            self.data += more

    def whole_packet(self):
        rest = shift = 0
        for at, byte in enumerate(self.data[1:5], 2):
            rest |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        else:
            return None
        if len(self.data) < at + rest:
            return None
        first, body = self.data[0], self.data[at:at + rest]
        self.data = self.data[at + rest:]
        return Packet(first, body, self.version)

    def expect(self, name, timeout=PATIENCE):
        found = self.receive(timeout)
        assert found is not None and found.name == name, f"{found} where {name} was expected"
        return found

    def expect_end(self, code=None):
        """The server ends it; MQTT 5 says why in a DISCONNECT."""
        if self.version == 5 and code is not None:
            assert self.expect("DISCONNECT").code == code
        found = self.receive()
        assert found is None, found

    def expect_quiet(self):
        """Whatever was sent before is done with when the answer to this ping is the next packet."""
        self.ping()
        self.expect("PINGRESP")
