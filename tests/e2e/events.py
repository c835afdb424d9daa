"""A reader of the gateway's server-sent events."""
import json
import threading

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
