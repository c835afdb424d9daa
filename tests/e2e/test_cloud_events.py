"""Presence and subscription events of the local cloud, and Basic Ingest."""
import json
import time

import pytest
from cloud_device import Device, RunningApi
from harness import Cloud, wait_for


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("events") / "cloud")
    yield cloud
    cloud.stop()


@pytest.fixture
def watcher(cloud):
    device = Device(cloud, "receiver", cloud.files("receiver"), ["$aws/events/#"])
    yield device
    device.stop()


def event(watcher, kind, client):
    group = "subscriptions" if kind.endswith("subscribed") else "presence"
    return watcher.take(f"$aws/events/{group}/{kind}/{client}")


def test_connect_subscribe_disconnect(cloud, watcher):
    device = Device(cloud, "gateway", cloud.files("gateway"))
    connected = event(watcher, "connected", "gateway")
    assert abs(connected.pop("timestamp") / 1000 - time.time()) < 60
    session, version = connected.pop("sessionIdentifier"), connected.pop("versionNumber")
    assert connected == {"clientId": "gateway", "eventType": "connected", "ipAddress": "127.0.0.1",
                         "principalIdentifier": cloud.files("gateway")["certificate_id"]}
    device.subscribe("plant/a")
    subscribed = event(watcher, "subscribed", "gateway")
    assert subscribed["topics"] == ["plant/a"] and subscribed["sessionIdentifier"] == session
    assert "versionNumber" not in subscribed
    device.unsubscribe("plant/a")
    assert event(watcher, "unsubscribed", "gateway")["topics"] == ["plant/a"]
    device.stop()
    gone = event(watcher, "disconnected", "gateway")
    assert gone["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"
    assert gone["clientInitiatedDisconnect"] is True and "ipAddress" not in gone
    assert (gone["sessionIdentifier"], gone["versionNumber"]) == (session, version)


def test_lost_and_taken_over(cloud, watcher):
    first = Device(cloud, "twice", cloud.files("gateway"))
    one = event(watcher, "connected", "twice")
    second = Device(cloud, "twice", cloud.files("gateway"))
    first.client.loop_stop()
    two = event(watcher, "connected", "twice")
    assert two["versionNumber"] > one["versionNumber"]
    gone = event(watcher, "disconnected", "twice")
    assert gone["disconnectReason"] == "DUPLICATE_CLIENTID"
    assert gone["versionNumber"] == one["versionNumber"]
    second.client.loop_stop()
    second.client.socket().close()
    lost = event(watcher, "disconnected", "twice")
    assert lost["disconnectReason"] == "CONNECTION_LOST"
    assert lost["clientInitiatedDisconnect"] is False


def test_clients_with_wildcards_have_no_events(cloud, watcher):
    Device(cloud, "a+b", cloud.files("gateway")).stop()
    Device(cloud, "plain", cloud.files("gateway")).stop()
    event(watcher, "disconnected", "plain")
    assert not any("a+b" in topic for topic in watcher.topics())


def lines(cloud, rule):
    path = cloud.folder / "rules" / f"{rule}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_basic_ingest(cloud):
    api = RunningApi(cloud)
    api.ok("POST", "/rules/telemetry", {"sql": "SELECT *", "actions": []})
    device = Device(cloud, "gateway", cloud.files("gateway"))
    other = Device(cloud, "receiver", cloud.files("receiver"), ["after", "plant/#"])
    try:
        device.send("$aws/rules/telemetry/plant/line/1", {"t": 21.5})
        device.send("$aws/rules/telemetry", b"\xff\x00")
        device.send("$aws/rules/telemetry/text", b"plain")
        device.send("after", b"1")
        other.take_bytes("after")
        assert other.topics() == []  # nobody else gets it
        wait_for(lambda: len(lines(cloud, "telemetry")) == 3, "three lines")
        first, second, third = lines(cloud, "telemetry")
        assert (first["topic"], first["payload"], first["clientId"], first["qos"]) == (
            "plant/line/1", {"t": 21.5}, "gateway", 1)
        assert (second["topic"], second["hex"]) == ("", "ff00")
        assert (third["topic"], third["text"]) == ("text", "plain")
        api.ok("POST", "/rules/telemetry/disable")
        device.send("$aws/rules/telemetry/late", b"1")
        api.ok("POST", "/rules/telemetry/enable")
        device.send("$aws/rules/telemetry/again", b"1")
        wait_for(lambda: lines(cloud, "telemetry")[-1]["topic"] == "again", "the last line")
        assert len(lines(cloud, "telemetry")) == 4
    finally:
        device.stop()
        other.stop()


def test_unknown_rule_by_switch(cloud):
    api = RunningApi(cloud)

    def react(how):
        api.ok("PUT", "/_penstock/limits", {"reactions": {"unknown_rule": how}})
    assert api.ok("GET", "/_penstock/limits")["reactions"]["unknown_rule"] == "ack"
    device = Device(cloud, "gateway", cloud.files("gateway"))
    try:
        device.send("$aws/rules/fresh/a", b"1")
        react("accept")
        device.send("$aws/rules/fresh/b", b"2")
        wait_for(lambda: lines(cloud, "fresh"), "the line of a rule made by use")
        react("ack")
        device.send("$aws/rules/other/a", b"3")
        device.send("$aws/rules/fresh/c", b"4")
        wait_for(lambda: len(lines(cloud, "fresh")) == 2, "the second line")
    finally:
        react("ack")
        device.stop()
    assert [line["payload"] for line in lines(cloud, "fresh")] == [2, 4]
    assert lines(cloud, "other") == []
    assert [rule["ruleName"] for rule in api.ok("GET", "/rules")["rules"]
            if rule["ruleName"] in ("fresh", "other")] == ["fresh"]
    api.ok("DELETE", "/rules/fresh")


def test_rules(cloud):
    api = RunningApi(cloud)
    rule = {"sql": "SELECT * FROM 'a/#'", "actions": [], "description": "d"}
    api.ok("POST", "/rules/r1", rule)
    api.refused(409, "ResourceAlreadyExistsException", "POST", "/rules/r1", rule)
    api.refused(400, "InvalidRequestException", "POST", "/rules/r-1", rule)
    api.refused(400, "InvalidRequestException", "POST", "/rules/r2", {"sql": "no", "actions": []})
    api.refused(401, "UnauthorizedException", "GET", "/rules/none")
    found = api.ok("GET", "/rules/r1")["rule"]
    assert (found["sql"], found["description"], found["ruleDisabled"]) == (rule["sql"], "d", False)
    api.ok("PATCH", "/rules/r1", {**rule, "ruleDisabled": True})
    listed = api.ok("GET", "/rules?ruleDisabled=true")["rules"]
    assert [item["ruleName"] for item in listed] == ["r1"]
    api.ok("DELETE", "/rules/r1")
    api.refused(401, "UnauthorizedException", "GET", "/rules/r1")
