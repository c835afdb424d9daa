"""Jobs of the local cloud: made by the API or the AWS command line, carried out by a device."""
import json
import subprocess

import pytest
from cloud_device import Device, RunningApi
from harness import PATIENCE, Cloud

JOBS = "$aws/things/gateway/jobs"
THING = "arn:aws:iot:eu-central-1:000000000000:thing/gateway"
DATA = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/iot-jobs-data/aws4"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("jobs") / "cloud")
    yield cloud
    cloud.stop()


@pytest.fixture
def api(cloud):
    api = RunningApi(cloud)
    yield api
    for job in api.ok("GET", "/jobs")["jobs"]:
        api.ok("DELETE", f"/jobs/{job['jobId']}?force=true")


@pytest.fixture
def device(cloud):
    device = Device(cloud, "gateway", cloud.files("gateway"),
                    [f"{JOBS}/notify", f"{JOBS}/notify-next"])
    yield device
    device.stop()


def create(api, job, targets=(THING,), **more):
    return api.ok("PUT", f"/jobs/{job}", {
        "targets": list(targets), "document": json.dumps({"operation": "test"}), **more})


def test_a_job_from_creation_to_the_end(api, device):
    made = create(api, "j1", description="first")
    assert made == {"jobId": "j1", "description": "first",
                    "jobArn": "arn:aws:iot:eu-central-1:000000000000:job/j1"}
    assert [job["jobId"] for job in device.take(f"{JOBS}/notify")["jobs"]["QUEUED"]] == ["j1"]
    assert device.take(f"{JOBS}/notify-next")["execution"]["jobDocument"] == {"operation": "test"}
    # Nobody has subscribed to the answers: they come all the same, to the one who asked.
    kind, pending = device.ask(f"{JOBS}/get", {"clientToken": "t"})
    assert kind == "accepted" and pending["clientToken"] == "t"
    assert [job["jobId"] for job in pending["queuedJobs"]] == ["j1"]
    kind, started = device.ask(f"{JOBS}/start-next", {"statusDetails": {"step": "1"}})
    assert started["execution"]["status"] == "IN_PROGRESS"
    assert started["execution"]["statusDetails"] == {"step": "1"}
    kind, refused = device.ask(f"{JOBS}/j1/update", {"status": "SUCCEEDED", "expectedVersion": 9})
    assert (kind, refused["code"]) == ("rejected", "VersionMismatch")
    assert refused["executionState"]["versionNumber"] == 2
    assert api.ok("GET", "/jobs/j1")["job"]["jobProcessDetails"]["numberOfInProgressThings"] == 1
    assert device.ask(f"{JOBS}/j1/update", {"status": "SUCCEEDED"})[0] == "accepted"
    assert device.take(f"{JOBS}/notify")["jobs"] == {}
    assert "execution" not in device.take(f"{JOBS}/notify-next")
    job = api.ok("GET", "/jobs/j1")["job"]
    assert job["status"] == "COMPLETED" and job["targets"] == [THING] and job["completedAt"] > 0
    execution = api.ok("GET", "/things/gateway/jobs/j1")["execution"]
    assert execution["status"] == "SUCCEEDED" and execution["thingArn"] == THING
    assert execution["statusDetails"] == {"detailsMap": {"step": "1"}}
    assert api.ok("GET", "/jobs/j1/job-document") == {"document": '{"operation": "test"}'}
    kind, refused = device.ask(f"{JOBS}/j1/get")
    assert (kind, refused["code"]) == ("rejected", "TerminalStateReached")


def test_answers_go_to_the_asking_client_alone(cloud, api, device):
    other = Device(cloud, "receiver", cloud.files("receiver"), [f"{JOBS}/#", f"{JOBS}/get/accepted"])
    try:
        assert device.ask(f"{JOBS}/get")[0] == "accepted"
        create(api, "after")
        other.take(f"{JOBS}/notify")
        assert f"{JOBS}/get/accepted" not in other.topics()
        assert f"{JOBS}/get" not in other.topics()
    finally:
        other.stop()


def test_what_the_api_refuses(api):
    gone = (404, "ResourceNotFoundException")
    bad = (400, "InvalidRequestException")
    create(api, "j2")
    again = api.refused(409, "ResourceAlreadyExistsException", "PUT", "/jobs/j2",
                        {"targets": [THING], "document": "{}"})
    assert again["resourceId"] == "j2"
    for body in ({}, {"targets": []}, {"targets": ["gateway"], "document": "{}"},
                 {"targets": [THING]}, {"targets": [THING], "document": "["},
                 {"targets": [THING], "document": "{}", "targetSelection": "ALL"},
                 {"targets": [THING], "documentSource": "https://s3/x"},
                 {"targets": [THING], "document": "{}",
                  "timeoutConfig": {"inProgressTimeoutInMinutes": 0}}):
        api.refused(*bad, "PUT", "/jobs/bad", body)
    api.refused(*bad, "PUT", "/jobs/b%20ad", {"targets": [THING], "document": "{}"})
    api.refused(*gone, "PUT", "/jobs/bad", {"targets": [THING + "x"], "document": "{}"})
    api.refused(410, "LimitExceededException", "PUT", "/jobs/bad",
                {"targets": [THING], "document": json.dumps({"a": "x" * 32768})})
    for method, path in (("GET", "/jobs/no"), ("DELETE", "/jobs/no"), ("PUT", "/jobs/no/cancel"),
                         ("GET", "/jobs/no/things"), ("GET", "/things/gateway/jobs/no"),
                         ("GET", "/things/nobody/jobs")):
        api.refused(*gone, method, path)
    api.refused(409, "InvalidStateTransitionException", "DELETE", "/jobs/j2")


def test_cancel(api, device):
    create(api, "j3")
    device.ask(f"{JOBS}/start-next")
    api.refused(409, "InvalidStateTransitionException", "PUT", "/things/gateway/jobs/j3/cancel")
    api.refused(409, "VersionConflictException", "PUT", "/things/gateway/jobs/j3/cancel?force=true",
                {"expectedVersion": 1})
    api.ok("PUT", "/jobs/j3/cancel", {"reasonCode": "MISTAKE", "comment": "wrong one"})
    job = api.ok("GET", "/jobs/j3")["job"]
    assert (job["status"], job["reasonCode"]) == ("CANCELED", "MISTAKE")
    assert api.ok("GET", "/things/gateway/jobs/j3")["execution"]["status"] == "IN_PROGRESS"
    api.ok("PUT", "/things/gateway/jobs/j3/cancel?force=true")
    execution = api.ok("GET", "/things/gateway/jobs/j3")["execution"]
    assert (execution["status"], execution["forceCanceled"]) == ("CANCELED", True)
    kind, refused = device.ask(f"{JOBS}/j3/update", {"status": "SUCCEEDED"})
    assert refused["code"] == "InvalidStateTransition"
    api.ok("DELETE", "/jobs/j3")
    api.refused(404, "ResourceNotFoundException", "GET", "/jobs/j3")


def test_thing_groups_and_continuous_jobs(api):
    api.ok("POST", "/thing-groups/line", {})
    group = "arn:aws:iot:eu-central-1:000000000000:thinggroup/line"
    create(api, "later", [group], targetSelection="CONTINUOUS")
    assert api.ok("GET", "/jobs/later/things")["executionSummaries"] == []
    api.ok("PUT", "/thing-groups/addThingToThingGroup",
           {"thingGroupName": "line", "thingName": "gateway"})
    pending = api.ok("GET", "/things/gateway/jobs", **DATA)
    assert [job["jobId"] for job in pending["queuedJobs"]] == ["later"]
    create(api, "once", [group])
    listed = api.ok("GET", "/things/gateway/jobs?status=QUEUED")["executionSummaries"]
    assert {item["jobId"] for item in listed} == {"later", "once"}
    first = api.ok("GET", "/jobs?maxResults=1")
    assert [job["jobId"] for job in first["jobs"]] == ["once"]
    second = api.ok("GET", f"/jobs?maxResults=1&nextToken={first['nextToken']}")
    assert [job["jobId"] for job in second["jobs"]] == ["later"] and "nextToken" not in second


def test_the_device_api_over_http(api):
    create(api, "h")
    found = api.ok("GET", "/things/gateway/jobs/%24next", **DATA)["execution"]
    assert (found["jobId"], found["status"]) == ("h", "QUEUED")
    assert found["jobDocument"] == '{"operation": "test"}'
    started = api.ok("PUT", "/things/gateway/jobs/%24next", {}, **DATA)["execution"]
    assert (started["status"], started["versionNumber"]) == ("IN_PROGRESS", 2)
    api.refused(409, "InvalidStateTransitionException", "POST", "/things/gateway/jobs/h",
                {"status": "SUCCEEDED", "expectedVersion": 7}, **DATA)
    state = api.ok("POST", "/things/gateway/jobs/h",
                   {"status": "FAILED", "includeJobExecutionState": True}, **DATA)
    assert state["executionState"] == {"status": "FAILED", "versionNumber": 3}
    api.refused(410, "TerminalStateException", "GET", "/things/gateway/jobs/h", **DATA)


def test_the_aws_command_line(cloud, tmp_path, api):
    def aws(service, *arguments):
        done = subprocess.run(
            ["aws", service, "--endpoint-url", cloud.ready["api_url"], "--region", "eu-central-1",
             "--output", "json", *arguments], capture_output=True, text=True, timeout=PATIENCE,
            env={"PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
                 "HOME": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    assert aws("iot", "create-job", "--job-id", "cli", "--targets", THING, "--document",
               '{"a": 1}')["jobId"] == "cli"
    assert aws("iot", "describe-job", "--job-id", "cli")["job"]["status"] == "IN_PROGRESS"
    queued = aws("iot-jobs-data", "get-pending-job-executions", "--thing-name", "gateway")
    assert [job["jobId"] for job in queued["queuedJobs"]] == ["cli"]
    started = aws("iot-jobs-data", "start-next-pending-job-execution", "--thing-name", "gateway")
    assert started["execution"]["jobId"] == "cli"
    aws("iot-jobs-data", "update-job-execution", "--thing-name", "gateway", "--job-id", "cli",
        "--status", "SUCCEEDED")
    found = aws("iot", "describe-job-execution", "--job-id", "cli", "--thing-name", "gateway")
    assert found["execution"]["status"] == "SUCCEEDED"
    assert aws("iot", "list-jobs")["jobs"][0]["status"] == "COMPLETED"
