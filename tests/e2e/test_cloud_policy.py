"""What clients not written by us notice of policies: mosquitto's and, where the protocol's codes
matter, paho; and what `penstock-cloud explain` says of the same questions. The bytes on the wire
are in test_cloud_rights.py."""
import json
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest
from harness import BIN, PATIENCE, Cloud
from test_cloud_rights import POLICY, make_certificate

PROTOCOLS = {"mqttv311": mqtt.MQTTv311, "mqttv5": mqtt.MQTTv5}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("policy") / "cloud", limits=["connects_per_id_per_s=0"],
                  options=["--quiet", "--api-port=0"])
    make_certificate(cloud, "limited", POLICY)
    yield cloud
    cloud.stop()


@pytest.fixture(params=PROTOCOLS)
def version(request):
    return request.param


class Paho:
    """One connection of paho's; what happened to it in `events`."""

    def __init__(self, cloud, version, client_id):
        self.events = []
        self.changed = threading.Condition()
        arguments = {"client_id": client_id, "protocol": PROTOCOLS[version]}
        if hasattr(mqtt, "CallbackAPIVersion"):  # paho 2
            arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
        self.client = mqtt.Client(**arguments)
        files = cloud.files("limited")
        self.client.tls_set(files["root_ca"], str(files["cert"]), str(files["key"]))
        self.client.on_connect = lambda *facts: self.note("connect", facts[3])
        self.client.on_disconnect = lambda *facts: self.note("disconnect", facts)
        self.client.on_publish = lambda *facts: self.note("publish", facts)
        self.client.on_subscribe = lambda *facts: self.note("subscribe", facts[3])
        self.client.on_message = lambda *facts: self.note("message", facts[2].topic)
        self.client.connect(cloud.endpoint, cloud.port, 30)
        self.client.loop_start()

    def note(self, kind, fact):
        with self.changed:
            self.events.append((kind, fact))
            self.changed.notify_all()

    def wait(self, kind):
        with self.changed:
            assert self.changed.wait_for(lambda: any(each[0] == kind for each in self.events),
                                         PATIENCE), self.events
            return next(fact for each, fact in self.events if each == kind)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.loop_stop()
        self.client.disconnect()


def number(code):
    return getattr(code, "value", code)


def run(cloud, program, version, *arguments, client_id="tester"):
    files = cloud.files("limited")
    return subprocess.run(
        [program, "-h", cloud.endpoint, "-p", str(cloud.port), "-V", version, "--cafile",
         files["root_ca"], "--cert", files["cert"], "--key", files["key"], "-i", client_id, "-q", "1",
         *arguments], capture_output=True, text=True, timeout=PATIENCE)


def explain(cloud, action, resource, *arguments):
    said = subprocess.run(
        [BIN / "penstock-cloud", "explain", cloud.folder, "--certificate", cloud.files("limited")["id"],
         "--action", action, "--resource", resource, "--client-id", "tester", "--json", *arguments],
        capture_output=True, text=True, timeout=PATIENCE)
    assert said.returncode in (0, 3), said.stderr
    answer = json.loads(said.stdout)
    assert (said.returncode == 0) == (answer["verdict"] == "allowed")
    return answer


def test_row_connect_denied_mosquitto(cloud, version):
    denied = run(cloud, "mosquitto_pub", version, "-t", "open/a", "-m", "x", client_id="evil-1")
    assert denied.returncode != 0
    if version == "mqttv5":
        assert "ot authorized" in denied.stderr
    answer = explain(cloud, "iot:Connect", "evil-1")
    assert (answer["verdict"], answer["statement"]) == ("denied explicitly", 4)


def test_row_connect_denied_paho(cloud, version):
    with Paho(cloud, version, "evil-2") as client:
        if version == "mqttv5":
            assert number(client.wait("connect")) == 0x87
        else:
            client.wait("disconnect")
            assert not any(kind == "connect" for kind, _ in client.events)


def test_row_publish_denied(cloud, version):
    assert run(cloud, "mosquitto_pub", version, "-t", "open/a", "-m", "x").returncode == 0
    assert explain(cloud, "iot:Publish", "open/a")["statement"] == 2
    answer = explain(cloud, "iot:Publish", "closed/a")
    assert answer["verdict"] == "denied" and "closed" in answer["reason"]
    assert all(not each["applies"] for each in answer["statements"])
    with Paho(cloud, version, "publisher") as client:
        client.wait("connect")
        client.client.publish("closed/a", "x", qos=1)
        if version == "mqttv5":
            client.wait("publish")  # the PUBACK with its code ends the message
            assert not any(kind == "disconnect" for kind, _ in client.events)
        else:
            client.wait("disconnect")


def test_row_subscribe_denied(cloud, version):
    with Paho(cloud, version, "subscriber") as client:
        client.wait("connect")
        client.client.subscribe([("open/a", 1), ("closed/a", 1)])
        codes = [number(code) for code in client.wait("subscribe")]
        assert codes == [1, 0x87 if version == "mqttv5" else 0x80]
    answer = explain(cloud, "iot:Subscribe", "closed/a")
    assert answer["verdict"] == "denied"


def test_row_delivery_denied(cloud, version):
    with Paho(cloud, version, "receiver-p") as client:
        client.wait("connect")
        client.client.subscribe("#", 1)
        client.wait("subscribe")
        for topic in ("closed/a", "open/secret", "open/last"):
            cloud.publish(topic, "x")
        assert client.wait("message") == "open/last"
    assert explain(cloud, "iot:Receive", "open/secret")["statement"] == 5


def test_explain_of_a_document_in_no_account(tmp_path):
    document = tmp_path / "draft.json"
    document.write_text(json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "iot:Subscribe",
        "Resource": "arn:aws:iot:*:*:topic/${iot:Connection.Thing.ThingName}/in"}}))
    said = subprocess.run(
        [BIN / "penstock-cloud", "explain", "--policy", document, "--thing", "gw", "--action",
         "iot:Subscribe", "--resource", "gw/in"], capture_output=True, text=True, timeout=PATIENCE)
    assert said.returncode == 3
    assert "denied" in said.stdout and "topicfilter/" in said.stdout
    document.write_text("{}")
    said = subprocess.run(
        [BIN / "penstock-cloud", "explain", "--policy", document, "--action", "iot:Publish",
         "--resource", "a"], capture_output=True, text=True, timeout=PATIENCE)
    assert said.returncode == 1 and "at least one statement" in said.stderr
