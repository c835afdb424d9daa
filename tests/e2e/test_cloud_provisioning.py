"""Fleet provisioning by claim: a device that has only a claim certificate becomes a thing."""
import json

import pytest
from cloud_device import Device, RunningApi
from harness import Cloud

CREATE = "$aws/certificates/create/json"
FROM_CSR = "$aws/certificates/create-from-csr/json"
PROVISION = "$aws/provisioning-templates/fleet/provision/json"
TEMPLATE = {
    "Parameters": {"SerialNumber": {"Type": "String"},
                   "Location": {"Type": "String", "Default": "Hall1"},
                   "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Mappings": {"Urls": {"Hall1": {"Url": "https://hall1.example"}}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {
            "ThingName": {"Fn::Join": ["", ["gw-", {"Ref": "SerialNumber"}]]},
            "AttributePayload": {"serial": {"Ref": "SerialNumber"}}}},
        "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
            "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "made", "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}}}},
    "DeviceConfiguration": {"Url": {"Fn::FindInMap": ["Urls", {"Ref": "Location"}, "Url"]}},
}
ROLE = "arn:aws:iam::000000000000:role/provisioning"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("provisioning") / "cloud", things=("claim",))
    RunningApi(cloud).ok("POST", "/provisioning-templates", {
        "templateName": "fleet", "templateBody": json.dumps(TEMPLATE),
        "provisioningRoleArn": ROLE, "enabled": True})
    yield cloud
    cloud.stop()


@pytest.fixture
def claim(cloud):
    device = Device(cloud, "claim", cloud.files("claim"), [
        f"{topic}/{kind}" for topic in (CREATE, FROM_CSR, PROVISION)
        for kind in ("accepted", "rejected")])
    yield device
    device.stop()


def test_a_claim_becomes_a_thing(cloud, claim, tmp_path):
    api = RunningApi(cloud)
    kind, made = claim.ask(CREATE)
    assert kind == "accepted" and len(made["certificateId"]) == 64
    assert made["certificatePem"].startswith("-----BEGIN CERTIFICATE-----")
    path = f"/certificates/{made['certificateId']}"
    assert api.ok("GET", path)["certificateDescription"]["status"] == "PENDING_ACTIVATION"
    kind, answer = claim.ask(PROVISION, {
        "certificateOwnershipToken": made["certificateOwnershipToken"],
        "parameters": {"SerialNumber": "7"}})
    assert (kind, answer) == ("accepted", {
        "deviceConfiguration": {"Url": "https://hall1.example"}, "thingName": "gw-7"})
    assert api.ok("GET", path)["certificateDescription"]["status"] == "ACTIVE"
    assert api.ok("GET", "/things/gw-7")["attributes"] == {"serial": "7"}
    (tmp_path / "cert").write_text(made["certificatePem"])
    (tmp_path / "key").write_text(made["privateKey"])
    device = Device(cloud, "gw-7", {"root_ca": cloud.files("claim")["root_ca"],
                                    "cert": tmp_path / "cert", "key": tmp_path / "key"},
                    ["$aws/things/gw-7/shadow/get/rejected"])
    try:
        assert device.ask("$aws/things/gw-7/shadow/get")[1]["code"] == 404
    finally:
        device.stop()
    # The token is used up.
    kind, refused = claim.ask(PROVISION, {
        "certificateOwnershipToken": made["certificateOwnershipToken"],
        "parameters": {"SerialNumber": "8"}})
    assert (kind, refused["errorCode"]) == ("rejected", "InvalidCertificateOwnershipToken")


def test_what_is_refused(claim):
    token = claim.ask(CREATE)[1]["certificateOwnershipToken"]
    cases = [
        (PROVISION, {}, "InvalidCertificateOwnershipToken"),
        (PROVISION, {"certificateOwnershipToken": "x"}, "InvalidCertificateOwnershipToken"),
        (PROVISION, {"certificateOwnershipToken": token}, "InvalidParameters"),
        (PROVISION, {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "a b"}},
         "InvalidParameters"),
        (PROVISION, "[", "InvalidPayload"),
        (FROM_CSR, {}, "InvalidCertificateSigningRequest"),
        (FROM_CSR, {"certificateSigningRequest": "no"}, "InvalidCertificateSigningRequest")]
    for topic, payload, code in cases:
        kind, refused = claim.ask(topic, payload)
        assert (kind, refused["errorCode"], refused["statusCode"]) == ("rejected", code, 400)
        assert refused["errorMessage"]
    # A refused attempt does not use the token up.
    assert claim.ask(PROVISION, {"certificateOwnershipToken": token,
                                 "parameters": {"SerialNumber": "9"}})[0] == "accepted"


def test_answers_go_to_the_asking_client_alone(cloud, claim):
    other = Device(cloud, "other", cloud.files("claim"), [f"{CREATE}/accepted", "after"])
    try:
        claim.ask(CREATE)
        claim.send("after", b"1")
        other.take_bytes("after")
        assert other.topics() == []
    finally:
        other.stop()


def test_in_cbor(claim):
    topic = "$aws/certificates/create/cbor"
    claim.subscribe(f"{topic}/accepted")
    claim.send(topic)
    answer = claim.take_bytes(f"{topic}/accepted")
    assert answer[0] == 0xA4 and b"certificateOwnershipToken" in answer  # a map of four


def test_templates(cloud):
    api = RunningApi(cloud)
    body = {"templateName": "t2", "templateBody": json.dumps(TEMPLATE), "provisioningRoleArn": ROLE}
    made = api.ok("POST", "/provisioning-templates", body)
    assert made["templateArn"].endswith(":provisioningtemplate/t2")
    api.refused(409, "ResourceAlreadyExistsException", "POST", "/provisioning-templates", body)
    for wrong in ({"templateBody": "{}"}, {"templateName": "a b"}, {"templateBody": "["},
                  {"provisioningRoleArn": None}, {"type": "JITP"}):
        api.refused(400, "InvalidRequestException", "POST", "/provisioning-templates",
                    {**body, "templateName": "t3", **wrong})
    found = api.ok("GET", "/provisioning-templates/t2")
    assert json.loads(found["templateBody"]) == TEMPLATE and found["enabled"] is False
    api.ok("PATCH", "/provisioning-templates/t2", {"enabled": True, "description": "d"})
    assert api.ok("GET", "/provisioning-templates/t2")["enabled"] is True
    first = api.ok("GET", "/provisioning-templates?maxResults=1")
    assert [item["templateName"] for item in first["templates"]] == ["fleet"]
    rest = api.ok("GET", f"/provisioning-templates?maxResults=1&nextToken={first['nextToken']}")
    assert [item["templateName"] for item in rest["templates"]] == ["t2"]
    api.ok("DELETE", "/provisioning-templates/t2")
    api.refused(404, "ResourceNotFoundException", "GET", "/provisioning-templates/t2")
