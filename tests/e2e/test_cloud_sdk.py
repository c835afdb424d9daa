"""AWS's own device SDK for JavaScript (its native code is AWS's C library) against the local cloud:
both ports, both versions of MQTT, shadows, jobs, and what a policy refuses."""
import json

import harness
import node_modules
import pytest
from console_cloud import Cloud

RESTRICTED = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:*:*:client/held"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Subscribe"], "Resource": "*"},
    {"Effect": "Deny", "Action": ["iot:Publish", "iot:Subscribe"],
     "Resource": ["arn:aws:iot:*:*:topic/forbidden/*", "arn:aws:iot:*:*:topicfilter/forbidden/*"]}]})
WAYS = pytest.mark.parametrize("way", ["port", "alpn_port"])
VERSIONS = pytest.mark.parametrize("version", [3, 5])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """One cloud for all: each test has a thing of its own."""
    node_modules.install()
    running = Cloud(tmp_path_factory.mktemp("sdk") / "cloud", "--alpn-port", "0")
    yield running
    running.stop()


class Device:
    """A thing with files as the console hands them out."""

    def __init__(self, cloud, name, policy="everything", document=None):
        self.cloud, self.name = cloud, name
        self.folder = cloud.folder.parent / name
        self.folder.mkdir()
        made = cloud.certificate()
        (self.folder / "certificate.pem.crt").write_text(made["certificatePem"])
        (self.folder / "private.pem.key").write_text(made["keyPair"]["PrivateKey"])
        self.arn = cloud.thing(name)["thingArn"]
        if cloud.raw("GET", f"/policies/{policy}")[0] == 404:
            cloud.policy(policy, *([document] if document else []))
        cloud.ok("PUT", f"/target-policies/{policy}", {"target": made["certificateArn"]})
        cloud.ok("PUT", f"/things/{name}/principals", principal=made["certificateArn"])

    def run(self, step, version, way="port", client=None):
        facts = {"host": "localhost", "port": self.cloud.ready[way], "version": version, "step": step,
                 "ca": str(self.cloud.folder / "AmazonRootCA1.pem"), "client": client or self.name,
                 "cert": str(self.folder / "certificate.pem.crt"), "thing": self.name,
                 "key": str(self.folder / "private.pem.key")}
        program = node_modules.program([node_modules.HERE / "sdk.mjs", json.dumps(facts)], "sdk")
        try:
            assert program.process.wait(harness.PATIENCE * 2) == 0, program.text()
            program.reader.join(5)
            return json.loads(program.lines[-1])
        finally:
            program.stop()


@WAYS
@VERSIONS
def test_publishes_and_subscribes(cloud, version, way):
    name = f"messages{version}{way}"
    answer = Device(cloud, name).run("messages", version, way)
    assert answer == {"granted": 1, "topic": f"sdk/{name}", "text": '{"value": 23.5}'}


@VERSIONS
def test_shadow_client(cloud, version):
    answer = Device(cloud, f"shadow{version}").run("shadow", version)
    assert answer == {"version": 1, "state": {"desired": {"light": "on"}, "reported": {"light": "off"},
                                              "delta": {"light": "on"}},
                      "delta": {"light": "on"}, "missing": 404}


@VERSIONS
def test_jobs_client(cloud, version):
    device = Device(cloud, f"jobs{version}")
    job = f"update{version}"
    cloud.ok("PUT", f"/jobs/{job}", {"targets": [device.arn], "document": '{"operation": "reboot"}'})
    assert device.run("jobs", version) == {"queued": [job], "started": job, "left": 0,
                                           "document": {"operation": "reboot"}}


@VERSIONS
def test_a_policy_refuses_subscribe_and_publish(cloud, version):
    device = Device(cloud, f"held{version}", f"restricted{version}", RESTRICTED.replace("held", f"held{version}"))
    answer = device.run("refused", version)
    if version == 5:
        assert answer == {"subscribed": 0x87, "published": {"answer": 0x87}}
    else:
        assert answer == {"subscribed": 0x80, "published": {"cut": True}}


@VERSIONS
def test_a_policy_refuses_the_connection(cloud, version):
    device = Device(cloud, f"out{version}", f"out{version}", RESTRICTED)
    answer = device.run("messages", version)
    assert "error" in answer
    if version == 5:
        assert answer["reason"] == 0x87
