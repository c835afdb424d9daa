"""Faults on command, seen by real clients (mosquitto's) and survived by the gateway."""
import subprocess
import time

import pytest
from harness import (BIN, PATIENCE, Cloud, Gateway, Receiver, cloud_block, group, modbus_device,
                     publish, variable, wait_for)
from mqtt_raw import RawClient

COUNTER = '''
count = 0

def main(data_collect, wizard_api):
    global count
    count += 1
    return [{"n": count}]
'''


class Faults:
    """penstock-cloud fault, for one cloud."""

    def __init__(self, cloud):
        self.cloud = cloud

    def __call__(self, *words, status=0):
        run = subprocess.run([BIN / "penstock-cloud", "fault", self.cloud.folder, *words],
                             capture_output=True, text=True, timeout=PATIENCE)
        assert run.returncode == status, run.stderr
        return run.stdout if status == 0 else run.stderr

    def add(self, rule):
        return self("add", rule)

    def acted(self):
        return [int(line.rsplit("acted ", 1)[1].rstrip(")")) for line in self().splitlines()
                if "acted " in line]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("faults") / "cloud",
                  limits=["connects_per_id_per_s=0", "publishes_per_s=0"],
                  options=["--quiet", "--api-port=0"])
    yield cloud
    cloud.stop()


@pytest.fixture
def faults(cloud):
    faults = Faults(cloud)
    yield faults
    faults("clear")


@pytest.fixture(params=["mqttv311", "mqttv5"])
def version(request):
    return request.param


def mosquitto_pub(cloud, version, *arguments, timeout=PATIENCE):
    files = cloud.files("receiver")
    started = time.monotonic()
    run = subprocess.run(
        ["mosquitto_pub", "-h", cloud.endpoint, "-p", str(cloud.port), "-V", version, "--cafile",
         files["root_ca"], "--cert", files["cert"], "--key", files["key"], "-i", "tester", "-q", "1",
         "-t", "faults/a", "-m", "x", *arguments], capture_output=True, text=True, timeout=timeout)
    return run, time.monotonic() - started


def test_clients_see_a_refused_connect(cloud, faults, version):
    faults.add("on connect, client tester, once: refuse server unavailable")
    run, _ = mosquitto_pub(cloud, version)
    assert run.returncode != 0 and "navailable" in run.stderr, run.stderr
    assert mosquitto_pub(cloud, version)[0].returncode == 0


def test_clients_see_a_late_puback(cloud, faults, version):
    faults.add("on publish, client tester: delay puback 2s")
    run, took = mosquitto_pub(cloud, version)
    assert run.returncode == 0 and took >= 2, run.stderr


def test_clients_see_no_puback(cloud, faults, version):
    faults.add("on publish, client tester: drop puback")
    with pytest.raises(subprocess.TimeoutExpired):
        mosquitto_pub(cloud, version, timeout=3)
    assert faults.acted() == [1]


def say(cloud, *messages):
    with RawClient(cloud, "sayer", thing="receiver") as client:
        for topic, payload in messages:
            client.publish(topic, payload)
            client.expect("PUBACK")


def test_clients_see_a_late_delivery(cloud, faults, version):
    faults.add("on deliver, client late, topic faults/slow: delay 2s")
    with RawClient(cloud, "late", version=5 if version == "mqttv5" else 4) as client:
        client.subscribed("faults/+")
        started = time.monotonic()
        say(cloud, ("faults/slow", "slow"), ("faults/fast", "fast"))
        first, second = (client.expect("PUBLISH") for _ in range(2))
        assert (first.payload, second.payload) == (b"fast", b"slow"), (first, second)
        assert time.monotonic() - started >= 2
        client.puback(second.id)
        client.expect_quiet()
    assert faults.acted() == [1]


def test_a_message_without_its_puback_comes_again_with_the_session(cloud, version):
    number = 5 if version == "mqttv5" else 4
    session = {"clean": False, "props": {0x11: 600}}
    with RawClient(cloud, "silent", version=number, **session) as client:
        client.subscribed("again/+")
        say(cloud, ("again/a", "one"), ("again/b", "two"))
        taken = {(p.payload, p.id) for p in (client.expect("PUBLISH") for _ in range(2))}
        client.puback(next(id for payload, id in taken if payload == b"two"))
        client.expect_quiet()
    with RawClient(cloud, "silent", version=number, **session) as client:
        assert client.connack.session_present
        again = client.expect("PUBLISH")
        assert (again.payload, again.dup) == (b"one", False) and (b"one", again.id) in taken, again
        client.puback(again.id)
        client.expect_quiet()
    with RawClient(cloud, "silent", version=number, **session) as client:
        client.expect_quiet()  # it was taken


def test_a_message_without_its_puback_comes_again_on_the_connection(tmp_path):
    cloud = Cloud(tmp_path / "cloud", limits=["connects_per_id_per_s=0", "resend_out_s=1"],
                  options=["--quiet"])
    try:
        with RawClient(cloud, "silent") as client:
            client.subscribed("again/+")
            say(cloud, ("again/a", "one"))
            first, second, third = (client.expect("PUBLISH") for _ in range(3))
            assert first.id == second.id == third.id
            assert not (second.dup or third.dup) and third.payload == b"one"
            client.puback(first.id)
    finally:
        cloud.stop()


def test_clients_see_a_late_handshake(cloud, faults, version):
    faults.add("on handshake, once: delay 2s")
    run, took = mosquitto_pub(cloud, version)
    assert run.returncode == 0 and took >= 2, run.stderr


@pytest.mark.parametrize("kind", ["expired", "not-yet", "foreign", "wrong-host"])
def test_clients_see_a_wrong_server_certificate(cloud, faults, kind):
    faults.add(f"on handshake, once: server certificate {kind}")
    run, _ = mosquitto_pub(cloud, "mqttv5")
    assert run.returncode != 0 and "A TLS error occurred" in run.stderr, run.stderr
    assert mosquitto_pub(cloud, "mqttv5")[0].returncode == 0


def test_the_command_says_what_is_wrong(cloud, faults):
    assert "'explode…' cannot happen on publish" in faults("add", "on publish: explode", status=1)
    assert "no rule with the number 77" in faults("remove", "77", status=1)
    assert "fault needs a folder" in faults("explode", status=2)
    assert "no rules" in faults("list")


# ---- The gateway

def run_gateway(cloud, modbus, folder, name):
    return Gateway(folder / "gateway", {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group("default", 0.1, 0.1)], "cloud": cloud_block(cloud),
        "publish": [publish("count", name)], "parameters": {}}, {"count.py": COUNTER})


def numbers(receiver, topic):
    return [entry["n"] for document in receiver.documents(topic) for entry in document]


SURVIVED = {
    "lost-acknowledgement": ["on publish #5, client test-gateway, connection #1: drop puback"],
    "cut-before-acknowledgement": ["on publish every 7, client test-gateway, 4 times: cut before puback"],
    "cut-on-publish": ["on publish #6, client test-gateway, 3 times: cut"],
    "cut-after-connack": ["on publish #4, client test-gateway, once: cut",
                          "on connect #1-3, client test-gateway: cut after connack"],
    "refused-connect": ["on publish #4, client test-gateway, once: cut",
                        "on connect #1-2, client test-gateway: refuse server busy"],
    "lost-session": ["on publish #4, client test-gateway, once: cut before puback",
                     "on connect, client test-gateway: lose session"],
    "late-acknowledgements": ["on publish, client test-gateway, 20 times: delay puback 1s"],
    "expired-server": ["on publish #4, client test-gateway, once: cut",
                       "on handshake, 2 times: server certificate expired"],
}


@pytest.mark.parametrize("rules", SURVIVED.values(), ids=SURVIVED)
def test_the_gateway_loses_nothing(cloud, faults, modbus, tmp_path, request, rules):
    topic = "faults/" + request.node.callspec.id
    receiver = Receiver(cloud, topic, name=f"watch-{request.node.callspec.id}")
    for rule in rules:
        faults.add(rule)
    gateway = run_gateway(cloud, modbus, tmp_path, topic)
    try:
        wait_for(lambda: all(faults.acted()), f"every rule to act: {faults()}", 3 * PATIENCE)
        begun = len(set(numbers(receiver, topic)))
        wait_for(lambda: len(set(numbers(receiver, topic))) >= begun + 20, "messages afterwards",
                 3 * PATIENCE)
        seen = set(numbers(receiver, topic))
        missing = set(range(1, max(seen) + 1)) - seen
        wait_for(lambda: not missing - set(numbers(receiver, topic)), f"{missing}", 3 * PATIENCE)
    finally:
        gateway.stop()
        receiver.stop()


def test_a_script_gives_rules_to_the_start(tmp_path):
    script = tmp_path / "day.faults"
    script.write_text("# a bad day\n\non connect #1, client tester: cut after connack\n")
    cloud = Cloud(tmp_path / "cloud", limits=["connects_per_id_per_s=0"],
                  options=["--quiet", "--api-port=0", "--faults", script])
    try:
        assert "on connect #1, client tester: cut after connack" in Faults(cloud)()
        assert mosquitto_pub(cloud, "mqttv311")[0].returncode in (0, 7)  # comes back by itself
        assert Faults(cloud).acted() == [1]
    finally:
        cloud.stop()
    script.write_text("on publish: cut\non publish: explode\n")
    run = subprocess.run([BIN / "penstock-cloud", "run", tmp_path / "cloud", "--port", "0",
                          "--api-port", "0", "--quiet", "--faults", script],
                         capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 1 and "line 2" in run.stderr and "explode" in run.stderr
