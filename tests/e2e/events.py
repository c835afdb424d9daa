"""Readers of the gateway's server-sent events."""
import json
import pathlib
import re
import selectors
import socket
import ssl
import threading
import time
import urllib.parse

from harness import LocalConnection, wait_for


class EventReader:
    """Reads on a thread until it is closed or the gateway ends the stream."""

    def __init__(self, gateway, query, last_id=None):
        self.connection = LocalConnection(gateway.socket)
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self.connection.request("GET", f"/api/v1/events?{query}", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.events, self.last_id, self.over = [], last_id, False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        name, data = None, []
        try:
            for line in self.response:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    self.last_id = value
                elif field == "" and data:
                    self.events.append((name, json.loads("\n".join(data))))
                    name, data = None, []
        except (OSError, ValueError, AttributeError):
            pass  # closed
        self.over = True

    def all(self, name):
        return [data for event, data in list(self.events) if event == name]

    def values(self):
        """Newest row by place in the list: [value, text, quality, time]."""
        rows = {}
        for data in self.all("values"):
            for place, *row in data["v"]:
                rows[place] = row
        return rows

    def wait(self, condition, what):
        return wait_for(lambda: condition(self), what)

    def close(self):
        if self.connection.sock is not None:
            self.connection.sock.shutdown(2)
        self.thread.join(10)
        self.connection.close()

    stop = close  # for cleanup


def cpu_seconds(pid):
    """Of all threads, by the kernel's own account: ticks miss what is short."""
    return sum(int(path.read_text().split()[0])
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class ManyReaders:
    """Browsers, as far as the gateway sees: TLS connections that read and throw away."""

    def __init__(self, gateway, token, queries):
        self.at = urllib.parse.urlsplit(gateway.web_url)
        self.token, self.values, self.late = token, 0, []
        self.selector = selectors.DefaultSelector()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sockets = [self._open(context, query) for query in queries]

    def _open(self, context, query):
        end = context.wrap_socket(socket.create_connection((self.at.hostname, self.at.port)))
        end.sendall(f"GET /api/v1/events?{query} HTTP/1.1\r\nHost: {self.at.netloc}\r\n"
                    f"Authorization: Bearer {self.token}\r\n\r\n".encode())
        end.setblocking(False)
        self.selector.register(end, selectors.EVENT_READ)
        return end

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in self.selector.select(0.2):
                self._take(key.fileobj)

    def _take(self, end):
        data = b""
        try:
            while part := end.recv(262144):
                data += part
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        self.values += data.count(b'"good"')
        stamps = re.findall(rb'"good",([0-9.]+)\]', data) if end is self.sockets[0] else []
        if stamps:
            self.late.append(time.time() - float(stamps[-1]))

    def stop(self):
        for end in self.sockets:
            end.close()
