"""The local AWS IoT Core from outside, by a client of the tests' own: rows of the specification that
need the whole of it - TLS, front, policies, services and the unmodified broker behind them.

Each row has its unit test in localcloud/front too, where time does not matter."""
import json
import subprocess
import time

import pytest
from cloud_device import RunningApi
from harness import BIN, Cloud, wait_for
from mqtt_raw import RawClient, packet, text

AWS = ()  # the service's own limits
MESSAGE_EXPIRY, SESSION_EXPIRY, ASSIGNED_ID, KEEP_ALIVE = 0x02, 0x11, 0x12, 0x13
ALIAS, SUBSCRIPTION_ID = 0x23, 0x0B


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("rows") / "cloud", limits=AWS, options=["--quiet"])
    yield cloud
    cloud.stop()


@pytest.fixture(params=[4, 5], ids=["mqtt3", "mqtt5"])
def version(request):
    return request.param


@pytest.fixture
def name(request):
    """A client id and topic level of this test alone."""
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:60]


def client(cloud, name, version, **options):
    return RawClient(cloud, name, version, **options)


def test_publish_reaches_a_subscriber_of_the_other_version(cloud, version, name):
    with client(cloud, name + "-s", 9 - version) as receiver, client(cloud, name, version) as sender:
        receiver.subscribed(f"{name}/+")
        number = sender.publish(f"{name}/a", "hello")
        assert sender.expect("PUBACK").id == number
        message = receiver.expect("PUBLISH")
        assert (message.topic, message.payload, message.qos) == (f"{name}/a", b"hello", 1)
        assert not message.retain and not message.dup


def test_row_qos2_gets_no_answer(cloud, version, name):
    with client(cloud, name, version) as one:
        one.publish(name, qos=2)
        one.subscribe(name, qos=2)
        one.expect_quiet()


def test_row_first_packet_rule(cloud, version, name):
    with RawClient(cloud, version=version, connect=False) as one:
        one.connect(name, then=packet(0xE0, b""))
        one.expect_end()


def test_row_second_connect(cloud, version, name):
    with client(cloud, name, version) as one:
        one.connect(name)
        one.expect_end(0x82)


def test_row_packets_not_supported(cloud, version, name):
    with client(cloud, name, version) as one:
        one.send(packet(0x62, b"\0\1"))
        one.expect_end(0x82)


def test_row_hash_does_not_take_the_parent(cloud, version, name):
    with client(cloud, name, version) as one:
        one.subscribed(f"{name}/#")
        for topic in (name, f"{name}/", f"{name}/a"):
            one.publish(topic)
        got = [one.receive() for _ in range(5)]
        topics = sorted(message.topic for message in got if message.name == "PUBLISH")
        assert topics == [f"{name}/", f"{name}/a"]
        one.expect_quiet()


def test_row_retained_only_for_exact_filters(cloud, version, name):
    with client(cloud, name, version) as one:
        one.publish(f"{name}/r", "kept", retain=True)
        one.expect("PUBACK")
        one.subscribed(f"{name}/+")
        one.expect_quiet()
        one.subscribed(f"{name}/r")
        message = one.expect("PUBLISH")
        assert message.retain and message.payload == b"kept"
        one.publish(f"{name}/r", "live", retain=True)
        packets = [one.receive(), one.receive()]
        live = next(each for each in packets if each.name == "PUBLISH")
        assert not live.retain


def test_row_retained_empty_payload_deletes(cloud, version, name):
    with client(cloud, name, version) as one:
        one.publish(name, "kept", retain=True)
        one.publish(name, b"", retain=True)
        one.expect("PUBACK")
        one.expect("PUBACK")
        one.subscribed(name)
        one.expect_quiet()


def test_row_duplicate_client_id(cloud, version, name):
    will = (f"{name}/will", "gone", 1, False)
    with client(cloud, name + "-w", 4) as watcher:
        watcher.subscribed(f"{name}/will")
        with client(cloud, name, version, will=will) as old:
            time.sleep(1.1)  # one CONNECT a second and client id
            with client(cloud, name, version) as new:
                old.expect_end(0x8E)
                assert watcher.expect("PUBLISH").payload == b"gone"
                new.expect_quiet()


def test_row_will_is_not_sent_after_disconnect(cloud, version, name):
    will = (f"{name}/will", "gone", 1, False)
    with client(cloud, name + "-w", 4) as watcher:
        watcher.subscribed(f"{name}/will")
        with client(cloud, name, version, will=will) as one:
            one.disconnect()
            one.expect_end()
        watcher.publish(f"{name}/will", "last")
        packets = [watcher.receive(), watcher.receive()]
        assert [each.payload for each in packets if each.name == "PUBLISH"] == [b"last"]


def test_row_will_with_qos2_is_refused(cloud, version, name):
    with RawClient(cloud, version=version, connect=False) as one:
        one.connect(name, will=(name, "x", 2, False))
        if version == 5:
            assert one.expect("CONNACK").code == 0x9B
        one.expect_end()


def test_row_assigned_client_id(cloud):
    with client(cloud, "", 5) as one:
        assigned = one.connack.props[ASSIGNED_ID].decode()
        assert assigned.startswith("$GEN/") and len(assigned) == 41
    with RawClient(cloud, version=5, connect=False) as again:
        again.connect(assigned)
        assert again.expect("CONNACK").code == 0x85


def test_row_connack_of_mqtt5(cloud, name):
    with client(cloud, name, 5, clean=False, keep_alive=5, props={SESSION_EXPIRY: 999999}) as one:
        props = one.connack.props
        assert props[SESSION_EXPIRY] == 3600 and props[KEEP_ALIVE] == 30
        assert (props[0x21], props[0x22], props[0x24], props[0x27], props[0x29]) == (100, 8, 1, 131072, 0)


def test_row_subscription_identifiers(cloud, name):
    with client(cloud, name, 5) as one:
        one.subscribe(name, props={SUBSCRIPTION_ID: 1})
        one.expect_end(0xA1)


def test_row_shared_subscription(cloud, version, name):
    with client(cloud, name, version) as one, client(cloud, name + "-2", version) as two:
        one.subscribed(f"$share/{name}/{name}/#")
        two.subscribed(f"$share/{name}/{name}/#")
        for number in range(10):
            two.publish(f"{name}/a", str(number), qos=0)
        got = []
        for member in (one, two):
            member.ping()
            while (each := member.receive()).name != "PINGRESP":
                got.append(each.payload)
        wait_for(lambda: collect(one, two, got) == 10, "all ten messages, each once", 20)


def collect(one, two, got):
    for member in (one, two):
        try:
            got.append(member.receive(timeout=0.05).payload)
        except TimeoutError:
            pass
    assert len(got) == len(set(got)), got
    return len(got)


def test_row_payload_limit(cloud, version, name):
    with client(cloud, name, version) as one:
        one.publish(name, b"x" * 131072)
        one.expect("PUBACK")
        one.publish(name, b"x" * 131073)
        one.expect_end(0x97)


def test_row_topic_limits(cloud, version, name):
    for topic in ("t" * 257, "1/2/3/4/5/6/7/8/9", "a/#"):
        with client(cloud, f"{name}{len(topic)}", version) as one:
            one.publish(topic)
            one.expect_end(0x90)
    with client(cloud, name, version) as one:
        one.publish("1/2/3/4/5/6/7/8")
        one.expect("PUBACK")
        one.publish("$aws/rules/rows/1/2/3/4/5/6/7/8")
        one.expect("PUBACK")


def test_row_basic_ingest_is_not_routed(cloud, version, name):
    with client(cloud, name, version) as one:
        one.subscribe("$aws/rules/#")
        one.expect_end(0x8F)
    rule = f"rows_{version}"
    RunningApi(cloud).ok("POST", f"/rules/{rule}", {"sql": "SELECT *", "actions": []})
    with client(cloud, name + "-2", version) as one:
        one.subscribed("#")
        one.publish(f"$aws/rules/{rule}/a", json.dumps({"a": 1}))
        one.expect("PUBACK")
        one.publish("$aws/rules/no_such_rule/a", "1")  # acknowledged and only logged
        one.expect("PUBACK")
        one.expect_quiet()
    assert not list(cloud.folder.glob("rules/no_such_rule*"))
    files = list(cloud.folder.glob(f"rules/{rule}*"))
    assert files and '{"a": 1}' in files[0].read_text().replace('{"a":1}', '{"a": 1}')


def test_row_filters_per_subscribe(cloud, version, name):
    with client(cloud, name, version) as one:
        one.subscribed(*(f"{name}/{number}" for number in range(8)))
        one.subscribe(*(f"{name}/{number}" for number in range(9)))
        one.expect_end(0x97)


def test_row_subscriptions_per_connection(cloud, version, name):
    with client(cloud, name, version) as one:
        for number in range(50):
            one.subscribed(f"{name}/{number}")
        one.subscribe(f"{name}/50", f"{name}/1")
        suback = one.expect("SUBACK")
        assert suback.codes == [0x97 if version == 5 else 0x80, 1]


def test_row_publish_rate(cloud, version, name):
    with client(cloud, name, version) as one:
        one.send(b"".join(one.publish_bytes(name, qos=1) for _ in range(100)))
        one.send(b"".join(one.publish_bytes(name, qos=0) for _ in range(50)))
        answers = []
        one.ping()
        while (each := one.receive()).name != "PINGRESP":
            answers.append(each.id)
        while len(answers) < 100:
            answers.append(one.expect("PUBACK").id)
        assert answers == list(range(1, 101))
        one.send(b"".join(one.publish_bytes(name) for _ in range(60)))
        one.ping()
        late = 0
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                late += one.receive(timeout=0.3).name == "PUBACK"
            except TimeoutError:
                break
        assert late < 60, "beyond 100 a second there is no PUBACK"


def test_row_connect_once_a_second(cloud, version, name):
    client(cloud, name, version).close()
    with RawClient(cloud, version=version, connect=False) as soon:
        soon.connect(name)
        if version == 5:
            assert soon.expect("CONNACK").code == 0x97
        soon.expect_end()
    time.sleep(1.1)
    client(cloud, name, version).close()


def test_row_topic_alias(cloud, name):
    with client(cloud, name, 5) as one:
        one.subscribed(name, qos=0)
        one.publish(name, "1", qos=0, props={ALIAS: 1})
        one.publish("", "2", qos=0, props={ALIAS: 1})
        assert [one.expect("PUBLISH").payload for _ in range(2)] == [b"1", b"2"]
        one.publish(name, qos=0, props={ALIAS: 9})
        one.expect_end(0x94)


def test_row_message_expiry(cloud, name):
    with client(cloud, name, 5) as one:
        one.subscribed(name, qos=0)
        one.publish(name, qos=0, props={MESSAGE_EXPIRY: 999999})
        assert one.expect("PUBLISH").props[MESSAGE_EXPIRY] in (604799, 604800)


def test_row_unsupported_reserved_topic(cloud, version, name):
    with client(cloud, name, version) as one:
        one.publish("$other/topic")
        one.expect_end(0x90)


def test_row_session_is_kept_and_replayed_at_ten_a_second(cloud, version, name):
    options = {"clean": False, "props": {SESSION_EXPIRY: 600} if version == 5 else None}
    with client(cloud, name, version, **options) as one:
        assert not one.connack.session_present
        one.subscribed(name)
    with client(cloud, name + "-p", version) as sender:
        for number in range(25):
            sender.publish(name, str(number))
            sender.expect("PUBACK")
        time.sleep(1.1)
        with client(cloud, name, version, **options) as one:
            assert one.connack.session_present
            started = time.monotonic()
            for number in range(25):
                message = one.expect("PUBLISH")
                assert message.payload == str(number).encode() and not message.dup
                one.puback(message.id)
            assert 2.2 < time.monotonic() - started < 15
            sender.publish(name, "live")
            assert one.expect("PUBLISH").payload == b"live"


def test_row_sessions_do_not_cross_versions(cloud, name):
    client(cloud, name, 4, clean=False).close()
    time.sleep(1.1)
    with client(cloud, name, 5, clean=False, props={SESSION_EXPIRY: 600}) as five:
        assert not five.connack.session_present
    time.sleep(1.1)
    with client(cloud, name, 4, clean=False) as four:
        assert not four.connack.session_present
    time.sleep(1.1)
    with client(cloud, name, 4, clean=False) as four:
        assert four.connack.session_present


def test_row_unacknowledged_to_the_client(tmp_path, version, name):
    cloud = Cloud(tmp_path / "cloud", limits=["unacked_out=3"], options=["--quiet"])
    try:
        with client(cloud, name, version) as one, client(cloud, name + "-p", version) as sender:
            one.subscribed(name)
            for number in range(6):
                sender.publish(name, str(number))
                sender.expect("PUBACK")
            got = [one.expect("PUBLISH") for _ in range(3)]
            one.expect_quiet()
            one.puback(got[0].id)
            assert one.expect("PUBLISH").payload == b"3"
            one.expect_quiet()
    finally:
        cloud.stop()


def test_row_keep_alive(tmp_path, version, name):
    cloud = Cloud(tmp_path / "cloud", limits=["keep_alive_min_s=1"], options=["--quiet"])
    try:
        with client(cloud, name, version, keep_alive=2) as one:
            started = time.monotonic()
            one.expect_end(0x8D)
            assert 2.9 < time.monotonic() - started < 10
    finally:
        cloud.stop()


def test_row_session_expiry_of_3_1_1(tmp_path, name):
    cloud = Cloud(tmp_path / "cloud", limits=["session_expiry_s=2"], options=["--quiet"])
    try:
        client(cloud, name, 4, clean=False).close()
        time.sleep(1.1)
        with client(cloud, name, 4, clean=False) as one:
            assert one.connack.session_present
        time.sleep(4)
        with client(cloud, name, 4, clean=False) as one:
            assert not one.connack.session_present
    finally:
        cloud.stop()


def test_sessions_and_their_filters_outlive_a_restart(tmp_path, version, name):
    options = {"clean": False, "props": {SESSION_EXPIRY: 600} if version == 5 else None}
    cloud = Cloud(tmp_path / "cloud", options=["--quiet"])
    try:
        with client(cloud, name, version, **options) as one:
            one.subscribed(f"{name}/#")
        cloud.stop()
        cloud.start()
        with client(cloud, name, version, **options) as one:
            assert one.connack.session_present
            one.publish(name)
            one.expect("PUBACK")
            one.expect_quiet()
            one.publish(f"{name}/a")
            assert {one.receive().name, one.receive().name} == {"PUBACK", "PUBLISH"}
    finally:
        cloud.stop()


def test_presence_events(cloud, version, name):
    with client(cloud, name + "-w", 4) as watcher:
        watcher.subscribed(f"$aws/events/presence/+/{name}", qos=0)
        with client(cloud, name, version) as one:
            connected = json.loads(watcher.expect("PUBLISH").payload)
            one.publish("a/+")
            one.expect_end(0x90)
        gone = json.loads(watcher.expect("PUBLISH").payload)
    assert connected["eventType"] == "connected" and connected["ipAddress"] == "127.0.0.1"
    assert gone["disconnectReason"] == "CLIENT_ERROR" and not gone["clientInitiatedDisconnect"]
    assert gone["versionNumber"] == connected["versionNumber"]
    assert gone["sessionIdentifier"] == connected["sessionIdentifier"]


def test_issue_makes_a_thing_that_may_connect_at_once(cloud):
    made = subprocess.run([BIN / "penstock-cloud", "issue", cloud.folder, "--thing", "late", "--json"],
                          capture_output=True, text=True, check=True, timeout=60)
    cloud.ready["things"]["late"] = dict(json.loads(made.stdout), root_ca=cloud.ready["root_ca"])
    with client(cloud, "late", 4, thing="late") as one:
        one.expect_quiet()


def test_malformed_packets_end_the_connection(cloud, version, name):
    for number, raw in enumerate((b"\x00\x00", b"\x36\x03\0\1a", b"\x30\xff\xff\xff\xff\x01",
                                  packet(0x80, b"\0\1" + text("a") + b"\0"))):
        with client(cloud, f"{name}-{number}", version) as one:
            one.send(raw)
            one.expect_end(0x81)
