"""What a client of the local AWS IoT Core notices of its policies (rows of the specification's
chapter 5.4), of its certificate's state, and of what the control plane does to its connection."""
import http.client
import json
import pathlib
import time
import urllib.parse

import pytest
from harness import Cloud, wait_for
from mqtt_raw import RawClient

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"],
         "Resource": "arn:aws:iot:*:*:topic/open/*"},
        {"Effect": "Allow", "Action": ["iot:Subscribe"],
         "Resource": ["arn:aws:iot:*:*:topicfilter/open/*", "arn:aws:iot:*:*:topicfilter/#"]},
        {"Effect": "Deny", "Action": ["iot:Connect"], "Resource": "arn:aws:iot:*:*:client/evil*"},
        {"Effect": "Deny", "Action": ["iot:Receive"], "Resource": "arn:aws:iot:*:*:topic/open/secret"},
    ],
}


def call(cloud, method, path, body=None, headers=None):
    """(status, JSON or None) of a call to the control plane."""
    url = urllib.parse.urlsplit(cloud.ready["api_url"])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    data = json.dumps(body) if isinstance(body, dict) else body
    connection.request(method, path, body=data, headers=headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None


def done(cloud, *request, **more):
    status, answer = call(cloud, *request, **more)
    assert status == 200, (status, answer)
    return answer


def make_certificate(cloud, name, policy):
    """An ACTIVE certificate with this policy document; its files are those of thing `name`."""
    made = done(cloud, "POST", "/keys-and-certificate?setAsActive=true")
    folder = pathlib.Path(cloud.folder).parent
    files = {"cert": folder / f"{name}.crt", "key": folder / f"{name}.key",
             "root_ca": cloud.ready["root_ca"], "id": made["certificateId"], "arn": made["certificateArn"]}
    files["cert"].write_text(made["certificatePem"])
    files["key"].write_text(made["keyPair"]["PrivateKey"])
    done(cloud, "POST", f"/policies/{name}", {"policyDocument": json.dumps(policy)})
    done(cloud, "PUT", f"/target-policies/{name}", {"target": made["certificateArn"]})
    cloud.ready["things"][name] = files
    return files


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("rights") / "cloud", limits=["connects_per_id_per_s=0"],
                  options=["--quiet", "--api-port=0"])
    make_certificate(cloud, "limited", POLICY)
    yield cloud
    cloud.stop()


@pytest.fixture(params=[4, 5], ids=["mqtt3", "mqtt5"])
def version(request):
    return request.param


@pytest.fixture
def name(request):
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:60]


@pytest.fixture
def reaction(cloud):
    """Sets a reaction for one test."""
    def react(name, value):
        done(cloud, "PUT", "/_penstock/limits", {"reactions": {name: value}})
        changed.append(name)
    changed = []
    before = done(cloud, "GET", "/_penstock/limits")["reactions"]
    yield react
    done(cloud, "PUT", "/_penstock/limits", {"reactions": {each: before[each] for each in changed}})


def limited(cloud, name, version, **options):
    return RawClient(cloud, name, version, thing="limited", **options)


def test_row_connect_denied(cloud, version, reaction):
    with RawClient(cloud, "watch", 4) as watcher:
        watcher.subscribed("$aws/events/presence/connect_failed/+", qos=0)
        with RawClient(cloud, version=version, thing="limited", connect=False) as one:
            one.connect("evil-1")
            if version == 5:
                assert one.expect("CONNACK").code == 0x87
            one.expect_end()
        event = json.loads(watcher.expect("PUBLISH").payload)
        assert event["connectFailureReason"] == "AUTHORIZATION_FAILED"
    reaction("connect_denied_3", "ack")
    with RawClient(cloud, version=4, thing="limited", connect=False) as one:
        one.connect("evil-2")
        assert one.expect("CONNACK").code == 5


def test_row_will_topic_denied(cloud, version, name):
    with RawClient(cloud, version=version, thing="limited", connect=False) as one:
        one.connect(name, will=("closed/will", "x", 0, False))
        if version == 5:
            assert one.expect("CONNACK").code == 0x87
        one.expect_end()
    limited(cloud, name, version, will=("open/will", "x", 0, False)).close()


def test_row_publish_denied(cloud, version, name):
    with limited(cloud, name, version) as one:
        one.publish("open/a")
        assert one.expect("PUBACK").code == 0
        one.publish("closed/a")
        if version == 5:
            assert one.expect("PUBACK").code == 0x87
            one.publish("closed/a", qos=0)
            one.expect_end(0x87)
        else:
            one.expect_end()


def test_row_publish_denied_other_way(cloud, name, reaction):
    reaction("publish_denied_5", "close")
    with limited(cloud, name, 5) as one:
        one.publish("closed/a")
        one.expect_end(0x87)


def test_row_retain_publish_denied(cloud, name):
    with limited(cloud, name, 5) as one:
        one.publish("open/a", retain=True)
        assert one.expect("PUBACK").code == 0x87


def test_row_subscribe_denied(cloud, version, name, reaction):
    with limited(cloud, name, version) as one:
        one.subscribe("open/a", "closed/a", "open/b")
        assert one.expect("SUBACK").codes == [1, 0x87 if version == 5 else 0x80, 1]
        one.expect_quiet()
    reaction("subscribe_denied", "close")
    with limited(cloud, name, version) as one:
        one.subscribe("open/a", "closed/a")
        one.expect_end(0x87)


def test_row_receive_denied(cloud, version, name, reaction):
    with limited(cloud, name, version) as one, RawClient(cloud, name + "-p", 4) as sender:
        one.subscribed("#")
        for topic in ("closed/a", "open/secret", "open/a"):
            sender.publish(topic)
            sender.expect("PUBACK")
        message = one.expect("PUBLISH")
        assert message.topic == "open/a"
        one.puback(message.id)
        one.expect_quiet()
        reaction("receive_denied", "close")
        sender.publish("open/secret")
        one.expect_end(0x87)


def test_policies_count_at_once(cloud, name):
    files = make_certificate(cloud, name, POLICY)
    with RawClient(cloud, name, 5, thing=name) as one:
        one.publish("open/a")
        assert one.expect("PUBACK").code == 0
        done(cloud, "POST", f"/target-policies/{name}", {"target": files["arn"]})
        one.publish("open/a")
        assert one.expect("PUBACK").code == 0x87


def test_row_certificate_leaves_active(cloud, version, name):
    files = make_certificate(cloud, name, POLICY)
    with RawClient(cloud, name, version, thing=name) as one:
        done(cloud, "PUT", f"/certificates/{files['id']}?newStatus=INACTIVE")
        one.expect_end(0x98)
    with pytest.raises(Exception):  # TLS 1.3: the alert comes with the first read
        RawClient(cloud, name, version, thing=name).close()
    done(cloud, "PUT", f"/certificates/{files['id']}?newStatus=ACTIVE")
    RawClient(cloud, name, version, thing=name).close()


def test_delete_connection(cloud, version, name):
    status, _ = call(cloud, "DELETE", f"/connections/{name}")
    assert status == 404
    with RawClient(cloud, name + "-w", 4) as watcher:
        watcher.subscribed(f"{name}/will", f"$aws/events/presence/disconnected/{name}", qos=0)
        will = (f"{name}/will", "gone", 0, False)
        with RawClient(cloud, name, version, will=will) as one:
            done(cloud, "DELETE", f"/connections/{name}")
            one.expect_end(0x98)
        got = {message.topic: message.payload for message in (watcher.expect("PUBLISH"), watcher.expect("PUBLISH"))}
        assert got.pop(f"{name}/will") == b"gone"
        event = json.loads(got.popitem()[1])
        assert event["disconnectReason"] == "API_INITIATED_DISCONNECT"
        with RawClient(cloud, name, version, will=will) as one:
            done(cloud, "DELETE", f"/connections/{name}?preventWillMessage=true")
            one.expect_end(0x98)
        assert watcher.expect("PUBLISH").topic.startswith("$aws/events/")
        watcher.expect_quiet()


def test_https_publish_and_retained(cloud, name):
    with RawClient(cloud, name, 5) as one:
        one.subscribed(f"{name}/#")
        done(cloud, "POST", f"/topics/{name}%2Fa?qos=1&retain=true&contentType=text%2Fplain", b"hello")
        message = one.expect("PUBLISH")
        assert (message.payload, message.props[0x03]) == (b"hello", b"text/plain")
        one.puback(message.id)
        one.publish(f"{name}/b", "two", retain=True)
        wait_for(lambda: call(cloud, "GET", f"/retainedMessage/{name}%2Fb")[0] == 200, "the retained message")
    kept = done(cloud, "GET", "/retainedMessage")["retainedTopics"]
    assert {f"{name}/a", f"{name}/b"} <= {each["topic"] for each in kept}


def test_limits_change_while_it_runs(cloud, name):
    before = done(cloud, "GET", "/_penstock/limits")["limits"]
    done(cloud, "PUT", "/_penstock/limits", {"limits": {"subscriptions": 1}})
    with RawClient(cloud, name, 5) as one:
        one.subscribe("a", "b")
        assert one.expect("SUBACK").codes == [1, 0x97]
    status, answer = call(cloud, "PUT", "/_penstock/limits", {"limits": {"subscription": 1}})
    assert status == 400 and "subscriptions" in answer["message"]
    done(cloud, "PUT", "/_penstock/limits", {"limits": {"subscriptions": before["subscriptions"]}})


def test_faults_on_command(cloud, version, name):
    def rule(line):
        done(cloud, "PUT", "/_penstock/faults", {"add": f"on {line}"})
    try:
        rule(f"publish, client {name}: withhold puback")
        with RawClient(cloud, name, version) as one:
            one.publish(f"{name}/a")
            one.expect_quiet()
            done(cloud, "PUT", "/_penstock/faults", {"clear": True})
            assert one.expect("PUBACK").id == one.id
            rule(f"publish #3, client {name}, once: cut before puback")
            one.publish(f"{name}/a")
            assert one.expect("PUBACK").id == one.id
            one.publish(f"{name}/a")
            one.expect_end()
        rule(f"connect, client {name}, once: cut after connack")
        with RawClient(cloud, name, version) as one:
            one.expect_end()
        rule(f"connect, client {name}, once: refuse")
        with RawClient(cloud, version=version, connect=False) as one:
            one.connect(name)
            assert one.expect("CONNACK").code == (0x87 if version == 5 else 5)
            one.expect_end()
    finally:
        done(cloud, "PUT", "/_penstock/faults", {"clear": True})


def test_thousands_of_pings_do_not_disturb_others(cloud, name):
    """A client that floods is read no faster than the broker and its own answers go."""
    with RawClient(cloud, name, 4) as flood, RawClient(cloud, name + "-2", 4) as other:
        flood.send(b"\xc0\0" * 20000)
        started = time.monotonic()
        other.expect_quiet()
        assert time.monotonic() - started < 5
        for _ in range(20000):
            flood.expect("PINGRESP")
