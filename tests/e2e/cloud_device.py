"""A device of the local cloud (paho over mutual TLS), and the control plane of a running one."""
import json
import queue
import ssl
import threading
import time
import urllib.parse

import paho.mqtt.client as mqtt
from cloud_api import CloudApi
from harness import PATIENCE


class RunningApi(CloudApi):
    """The control plane of a cloud that runs."""

    def __init__(self, cloud):
        self.program = None
        self.url = cloud.ready["api_url"]
        self.port = urllib.parse.urlsplit(self.url).port


class Device:
    """Connected with the files of a thing; what arrives waits until it is asked for."""

    def __init__(self, cloud, client_id, files, subscribe=()):
        self.arrived = queue.Queue()
        self.kept = []
        self.down = queue.Queue()
        versions = getattr(mqtt, "CallbackAPIVersion", None)  # paho 2 asks which callbacks are meant
        self.client = mqtt.Client(**({"callback_api_version": versions.VERSION1} if versions else {}),
                                  client_id=client_id)
        self.client.tls_set(ca_certs=files["root_ca"], certfile=files["cert"], keyfile=files["key"],
                            tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_message = lambda _, __, message: self.arrived.put(message)
        self.client.on_disconnect = lambda _, __, code: self.down.put(code)
        self.client.on_subscribe = lambda _, __, number, granted: self.arrived.put((number, granted))
        up = threading.Event()
        self.client.on_connect = lambda *_: up.set()
        self.client.connect(cloud.endpoint, cloud.port)
        self.client.loop_start()
        assert up.wait(PATIENCE), "no CONNACK"  # nothing may be sent before it
        for topic in subscribe:
            self.subscribe(topic)

    def subscribe(self, topic, qos=1):
        _, number = self.client.subscribe(topic, qos)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            item = self.arrived.get(timeout=PATIENCE)
            if isinstance(item, tuple) and item[0] == number:
                assert item[1][0] < 0x80, topic
                return
            self.kept.append(item)
        raise AssertionError(f"no SUBACK for {topic}")

    def unsubscribe(self, topic):
        """Waits for the answer: who closes with something unread may lose what he sent last."""
        done = threading.Event()
        self.client.on_unsubscribe = lambda *_: done.set()
        self.client.unsubscribe(topic)
        assert done.wait(PATIENCE), f"no UNSUBACK for {topic}"

    def send(self, topic, payload=None, qos=1):
        text = payload if isinstance(payload, (bytes, str)) else (
            "" if payload is None else json.dumps(payload))
        info = self.client.publish(topic, text, qos)
        info.wait_for_publish(PATIENCE)
        assert info.is_published(), topic

    def take(self, topic, patience=PATIENCE):
        """The next message of that topic as JSON; others stay for later."""
        return json.loads(self.take_bytes(topic, patience))

    def take_bytes(self, topic, patience=PATIENCE):
        for index, message in enumerate(self.kept):
            if message.topic == topic:
                return self.kept.pop(index).payload
        deadline = time.monotonic() + patience
        while True:
            try:
                item = self.arrived.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing on {topic}; others: "
                                     f"{[message.topic for message in self.kept]}") from None
            if item.topic == topic:
                return item.payload
            self.kept.append(item)

    def ask(self, topic, payload=None):
        """Sends a request; ("accepted" or "rejected", document)."""
        self.send(topic, payload)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for index, message in enumerate(self.kept):
                head, _, tail = message.topic.rpartition("/")
                if head == topic and tail in ("accepted", "rejected"):
                    return tail, json.loads(self.kept.pop(index).payload)
            try:
                self.kept.append(self.arrived.get(timeout=0.2))
            except queue.Empty:
                pass
        raise AssertionError(f"no answer to {topic}")

    def topics(self):
        """Of what has arrived and was not taken."""
        while not self.arrived.empty():
            self.kept.append(self.arrived.get())
        return [message.topic for message in self.kept]

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
