"""Device shadows of the local cloud, over MQTT and over HTTP."""
import json
import subprocess
import time

import pytest
from cloud_device import Device, RunningApi
from harness import PATIENCE, Cloud, wait_for

CLASSIC = "$aws/things/gateway/shadow"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("shadow") / "cloud")
    yield cloud
    cloud.stop()


@pytest.fixture
def api(cloud):
    return RunningApi(cloud)


@pytest.fixture
def device(cloud):
    device = Device(cloud, "gateway", cloud.files("gateway"))
    yield device
    device.stop()


@pytest.fixture
def shadow(request, device):
    """Topic of a named shadow of this test alone, its answers subscribed."""
    topic = f"{CLASSIC}/name/{request.node.name[:60].replace('[', '-').replace(']', '')}"
    for tail in ("get/accepted", "get/rejected", "update/accepted", "update/rejected",
                 "update/delta", "update/documents", "delete/accepted", "delete/rejected"):
        device.subscribe(f"{topic}/{tail}")
    return topic


def name_of(shadow):
    return shadow.rpartition("/")[2]


def test_desired_is_followed_by_reported(device, shadow):
    kind, accepted = device.ask(f"{shadow}/update", {
        "state": {"desired": {"interval": 0.1, "list": [1, 2]}}, "clientToken": "one"})
    assert kind == "accepted" and accepted["version"] == 1 and accepted["clientToken"] == "one"
    assert accepted["state"] == {"desired": {"interval": 0.1, "list": [1, 2]}}
    assert abs(accepted["timestamp"] - time.time()) < 60
    delta = device.take(f"{shadow}/update/delta")
    assert delta["state"] == {"interval": 0.1, "list": [1, 2]}
    assert [set(item) for item in delta["metadata"]["list"]] == [{"timestamp"}] * 2
    documents = device.take(f"{shadow}/update/documents")
    assert documents["previous"]["version"] == 0 and documents["current"]["version"] == 1
    assert device.ask(f"{shadow}/update", {"state": {"reported": delta["state"]}})[0] == "accepted"
    device.take(f"{shadow}/update/documents")
    kind, whole = device.ask(f"{shadow}/get")
    assert whole["state"] == {"desired": {"interval": 0.1, "list": [1, 2]},
                              "reported": {"interval": 0.1, "list": [1, 2]}}
    assert f"{shadow}/update/delta" not in device.topics()


def test_versions_and_delete(device, shadow):
    device.ask(f"{shadow}/update", {"state": {"desired": {"a": 1}}})
    kind, refused = device.ask(f"{shadow}/update", {"state": {}, "version": 7, "clientToken": "x"})
    assert kind == "rejected"
    assert refused == {"code": 409, "message": "Version conflict", "clientToken": "x"}
    kind, gone = device.ask(f"{shadow}/delete")
    assert kind == "accepted" and gone["version"] == 1
    assert device.ask(f"{shadow}/get") == ("rejected", {
        "code": 404, "message": f"No shadow exists with name: 'gateway~{name_of(shadow)}'"})
    assert device.ask(f"{shadow}/update", {"state": {"desired": {"a": 1}}})[1]["version"] == 2


@pytest.mark.parametrize("payload, code", [
    (b"{", 400), (b'{"state": {"desired": []}}', 400), (b"\xff", 415),
    (json.dumps({"state": {"desired": {"a": "x" * 9000}}}).encode(), 413)],
    ids=["not-json", "no-object", "not-utf8", "too-large"])
def test_a_refused_update_is_said_on_rejected(device, shadow, payload, code):
    kind, refused = device.ask(f"{shadow}/update", payload)
    assert (kind, refused["code"]) == ("rejected", code)


def test_changes_over_http_reach_the_device(api, device, shadow):
    path = f"/things/gateway/shadow?name={name_of(shadow)}"
    accepted = api.ok("POST", path, {"state": {"desired": {"on": True}}})
    assert accepted["version"] == 1
    assert device.take(f"{shadow}/update/accepted")["state"] == {"desired": {"on": True}}
    assert device.take(f"{shadow}/update/delta")["state"] == {"on": True}
    assert api.ok("GET", path)["state"] == {"desired": {"on": True}, "delta": {"on": True}}
    listed = api.ok("GET", "/api/things/shadow/ListNamedShadowsForThing/gateway?pageSize=100")
    assert name_of(shadow) in listed["results"]
    api.refused(409, "ConflictException", "POST", path, {"state": {}, "version": 9})
    api.refused(400, "InvalidRequestException", "POST", path, {"state": 1})
    assert set(api.ok("DELETE", path)) == {"version", "timestamp"}
    device.take(f"{shadow}/delete/accepted")
    api.refused(404, "ResourceNotFoundException", "GET", path)
    api.refused(413, "RequestEntityTooLargeException", "POST", path,
                {"state": {"desired": {"a": "x" * 9000}}})


def test_more_than_twenty_requests_in_a_second(device, shadow):
    for _ in range(40):
        device.client.publish(f"{shadow}/get", "")
    codes = [device.take(f"{shadow}/get/rejected")["code"] for _ in range(40)]
    assert set(codes) == {404, 429}, codes  # other tests' requests count too
    wait_for(lambda: device.ask(f"{shadow}/get")[1]["code"] == 404, "the next second")


def test_the_aws_command_line(cloud, tmp_path):
    def aws(*arguments):
        return subprocess.run(
            ["aws", "iot-data", "--endpoint-url", cloud.ready["api_url"], "--region",
             "eu-central-1", *arguments], capture_output=True, text=True, timeout=PATIENCE,
            env={"PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
                 "HOME": str(tmp_path)})

    out = tmp_path / "out.json"
    done = aws("update-thing-shadow", "--thing-name", "receiver", "--cli-binary-format",
               "raw-in-base64-out", "--payload", '{"state":{"desired":{"a":1}}}', str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["state"] == {"desired": {"a": 1}}
    assert aws("get-thing-shadow", "--thing-name", "receiver", str(out)).returncode == 0
    assert json.loads(out.read_text())["state"]["delta"] == {"a": 1}
    assert aws("delete-thing-shadow", "--thing-name", "receiver", str(out)).returncode == 0
    gone = aws("get-thing-shadow", "--thing-name", "receiver", str(out))
    assert "ResourceNotFoundException" in gone.stderr
    assert "No shadow exists with name: 'receiver'" in gone.stderr


def test_shadows_outlive_a_restart_and_an_export(tmp_path):
    cloud = Cloud(tmp_path / "cloud")
    try:
        api = RunningApi(cloud)
        api.ok("POST", "/things/gateway/shadow", {"state": {"reported": {"a": 1}}})
        exported = api.ok("GET", "/_penstock/export")
        assert exported["shadows"][0]["state"] == {"reported": {"a": 1}}
        cloud.stop()
        cloud.start()
        assert RunningApi(cloud).ok("GET", "/things/gateway/shadow")["version"] == 1
    finally:
        cloud.stop()


@pytest.fixture
def limit(api):
    """Sets limits for this test."""
    before = api.ok("GET", "/_penstock/limits")["limits"]
    yield lambda **values: api.ok("PUT", "/_penstock/limits", {"limits": values})
    api.ok("PUT", "/_penstock/limits", {"limits": before})


def test_every_limit_says_what_it_is(api):
    answer = api.ok("GET", "/_penstock/limits")
    limits, reactions, about = answer["limits"], answer["reactions"], answer["about"]
    assert set(about) == set(limits) | set(reactions)
    for name, value in limits.items():
        row = about[name]
        assert row["min"] <= value <= row["max"] and row["min"] <= row["default"] <= row["max"], name
        assert row["unit"] and row["help"], name
    for name, value in reactions.items():
        assert value in about[name]["values"] and about[name]["values"][0] == about[name]["default"], name
    assert about["shadow_bytes"]["default"] == 8192 and about["job_document_bytes"]["default"] == 32768
    api.refused(400, "InvalidRequestException", "PUT", "/_penstock/limits", {"limits": {"shadow_bytes": 0}})


def test_limits_of_shadows_can_be_set(api, limit):
    path = "/things/limited/shadow?name=l"
    state = {"state": {"reported": {"a": {"b": {"c": "x" * 40}}}}}
    limit(shadow_bytes=30)
    api.refused(413, "RequestEntityTooLargeException", "POST", path, state)
    limit(shadow_bytes=8192, shadow_depth=2)
    api.refused(400, "InvalidRequestException", "POST", path, state)
    limit(shadow_depth=3)
    api.ok("POST", path, state)
    limit(shadow_requests_per_s=1)

    def is_too_much():
        return api.raw("GET", path)[0] == 429
    wait_for(is_too_much, "the second request of a second")


def test_requests_in_flight_can_be_set(limit, device, shadow):
    limit(shadow_in_flight=1, shadow_delay_ms=1000)
    device.send(f"{shadow}/update", {"state": {"reported": {"a": 1}}})
    device.send(f"{shadow}/get")
    assert device.take(f"{shadow}/get/rejected")["code"] == 429
    assert device.take(f"{shadow}/update/accepted")["version"] == 1


def test_size_of_job_documents_can_be_set(api, limit):
    job = {"targets": ["arn:aws:iot:eu-central-1:000000000000:thing/gateway"], "document": json.dumps({"a": "x" * 20})}
    limit(job_document_bytes=20)
    answer = api.refused(410, "LimitExceededException", "PUT", "/jobs/limited", job)
    assert "larger than 20 bytes" in answer["message"]
