"""The control and data plane of the local cloud: every operation and every refusal, with Python's
HTTP client."""
import base64
import http.client
import json
import re
import socket
import subprocess
import threading

import cloud_api
import harness
import pytest
from cloud_api import ALLOW_ALL, quote

INVALID = (400, "InvalidRequestException")
MISSING = (404, "ResourceNotFoundException")
EXISTS = (409, "ResourceAlreadyExistsException")
ARN = "arn:aws:iot:eu-central-1:000000000000:"
NOBODY = "0" * 64


@pytest.fixture
def api(folder, cleanup):
    return cleanup(cloud_api.CloudApi(folder / "cloud"))


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, text=True, check=True,
                          capture_output=True, timeout=harness.PATIENCE).stdout


def make_ca(folder, name, subject):
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", pem, "-days", "9", "-subj", subject)
    return key, pem


def sign(folder, name, subject, ca):
    key, request, pem = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", subject)
    openssl("x509", "-req", "-in", request, "-CAkey", ca[0], "-CA", ca[1], "-CAcreateserial",
            "-out", pem, "-days", "9")
    return pem.read_text()


# ---- things, types, groups


def test_things(api):
    made = api.thing("gw-01", attributePayload={"attributes": {"site": "plant7"}})
    assert made["thingArn"] == f"{ARN}thing/gw-01"
    assert api.thing("gw-01", attributePayload={"attributes": {"site": "plant7"}}) == made
    taken = api.refused(*EXISTS, "POST", "/things/gw-01", {})
    assert taken["resourceId"] == made["thingId"] and taken["resourceArn"] == made["thingArn"]
    assert api.ok("GET", "/things/gw-01") == {
        **made, "defaultClientId": "gw-01", "attributes": {"site": "plant7"}, "version": 1}
    assert api.ok("PATCH", "/things/gw-01", {"attributePayload": {
        "attributes": {"line": "2"}, "merge": True}, "expectedVersion": 1}) == {}
    found = api.ok("GET", "/things/gw-01")
    assert found["attributes"] == {"site": "plant7", "line": "2"} and found["version"] == 2
    api.refused(409, "VersionConflictException", "PATCH", "/things/gw-01", {"expectedVersion": 1})
    api.refused(409, "VersionConflictException", "DELETE", "/things/gw-01?expectedVersion=1")
    assert api.ok("DELETE", "/things/gw-01?expectedVersion=2") == {}
    assert api.ok("DELETE", "/things/gw-01") == {}  # an unknown thing is deleted already
    api.refused(*MISSING, "GET", "/things/gw-01")
    api.refused(*MISSING, "PATCH", "/things/gw-01", {})


@pytest.mark.parametrize("path, body", [
    ("/things/a%20b", {}),
    ("/things/" + "x" * 129, {}),
    ("/things/a%2Fb", {}),
    ("/things/a", {"attributePayload": {"attributes": {"a b": "1"}}}),
    ("/things/a", {"attributePayload": {"attributes": {"a": "x" * 801}}}),
    ("/things/a", {"attributePayload": {"attributes": {"a": 1}}}),
    ("/things/a", {"attributePayload": {"attributes": {str(i): "1" for i in range(4)}}}),
    ("/things/a", {"attributePayload": "text"}),
    ("/things/a", {"thingTypeName": 5}),
    ("/things/a", "{not json"),
    ("/things/a", "[]"),
    ("/things/a", '{"a": 1, "a": 2}'),
    ("/things/%zz", {}),
    ("/things/%00", {}),
    ("/things/%ff", {}),
])
def test_things_that_are_refused(api, path, body):
    api.refused(*INVALID, "POST", path, body)
    assert api.ok("GET", "/things") == {"things": []}


def test_things_are_listed_by_attribute_and_type_in_pages(api):
    api.ok("POST", "/thing-types/gateway", {})
    for i in range(5):
        api.thing(f"t{i}", attributePayload={"attributes": {"site": f"plant{i % 2}"}},
                  **({"thingTypeName": "gateway"} if i == 4 else {}))
    first = api.ok("GET", "/things?maxResults=3")
    assert [thing["thingName"] for thing in first["things"]] == ["t0", "t1", "t2"]
    rest = api.ok("GET", f"/things?maxResults=3&nextToken={quote(first['nextToken'])}")
    assert [thing["thingName"] for thing in rest["things"]] == ["t3", "t4"]
    assert "nextToken" not in rest

    def names(query):
        return [thing["thingName"] for thing in api.ok("GET", f"/things?{query}")["things"]]

    assert names("attributeName=site&attributeValue=plant1") == ["t1", "t3"]
    assert len(names("attributeName=site&attributeValue=pla&usePrefixAttributeValue=true")) == 5
    assert names("attributeName=site&attributeValue=pla") == []
    assert names("thingTypeName=gateway") == ["t4"]
    for query in ("maxResults=0", "maxResults=251", "maxResults=x", "nextToken=nonsense",
                  "nextToken=cDA%3D", "attributeValue=alone", "usePrefixAttributeValue=maybe"):
        api.refused(*INVALID, "GET", f"/things?{query}")


def test_thing_types(api):
    body = {"thingTypeProperties": {"thingTypeDescription": "Reads a plant",
                                    "searchableAttributes": ["site"]}}
    made = api.ok("POST", "/thing-types/gateway", body)
    assert made["thingTypeArn"] == f"{ARN}thingtype/gateway"
    assert api.ok("POST", "/thing-types/gateway", body) == made
    api.refused(*EXISTS, "POST", "/thing-types/gateway", {})
    found = api.ok("GET", "/thing-types/gateway")
    assert found["thingTypeProperties"] == body["thingTypeProperties"]
    assert found["thingTypeMetadata"]["deprecated"] is False
    assert len(api.ok("GET", "/thing-types?thingTypeName=gateway")["thingTypes"]) == 1
    api.thing("gw", thingTypeName="gateway")
    api.refused(*MISSING, "POST", "/things/other", {"thingTypeName": "none"})
    api.refused(*INVALID, "DELETE", "/thing-types/gateway")  # not deprecated
    assert api.ok("POST", "/thing-types/gateway/deprecate", {}) == {}
    api.refused(*INVALID, "POST", "/things/other", {"thingTypeName": "gateway"})
    api.refused(*INVALID, "DELETE", "/thing-types/gateway")  # deprecated just now
    api.ok("PUT", "/_penstock/settings", {"thingTypeWaitSeconds": 0})
    api.refused(*INVALID, "DELETE", "/thing-types/gateway")  # in use
    api.ok("PATCH", "/things/gw", {"removeThingType": True})
    assert api.ok("POST", "/thing-types/gateway/deprecate", {"undoDeprecate": True}) == {}
    api.refused(*INVALID, "DELETE", "/thing-types/gateway")
    api.ok("POST", "/thing-types/gateway/deprecate")
    assert api.ok("DELETE", "/thing-types/gateway") == {}
    for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/deprecate")):
        api.refused(*MISSING, method, f"/thing-types/gateway{tail}")


def test_thing_groups(api):
    api.thing("gw")
    world = api.ok("POST", "/thing-groups/world", {})
    assert world["thingGroupArn"] == f"{ARN}thinggroup/world"
    api.ok("POST", "/thing-groups/plant", {
        "parentGroupName": "world",
        "thingGroupProperties": {"thingGroupDescription": "One plant",
                                 "attributePayload": {"attributes": {"a": "1"}}}})
    api.ok("POST", "/thing-groups/hall", {"parentGroupName": "plant"})
    api.refused(*EXISTS, "POST", "/thing-groups/plant", {})
    api.refused(*MISSING, "POST", "/thing-groups/other", {"parentGroupName": "none"})
    hall = api.ok("GET", "/thing-groups/hall")
    assert [group["groupName"] for group in hall["thingGroupMetadata"][
        "rootToParentThingGroups"]] == ["world", "plant"]
    assert hall["thingGroupMetadata"]["parentGroupName"] == "plant"
    assert api.ok("PATCH", "/thing-groups/plant", {"expectedVersion": 1, "thingGroupProperties": {
        "attributePayload": {"attributes": {"b": "2"}, "merge": True}}}) == {"version": 2}
    plant = api.ok("GET", "/thing-groups/plant")["thingGroupProperties"]
    assert plant == {"thingGroupDescription": "One plant",
                     "attributePayload": {"attributes": {"a": "1", "b": "2"}}}
    api.refused(409, "VersionConflictException", "PATCH", "/thing-groups/plant",
                {"expectedVersion": 1, "thingGroupProperties": {}})
    api.refused(*INVALID, "PATCH", "/thing-groups/plant", {})

    def groups(query):
        return [g["groupName"] for g in api.ok("GET", f"/thing-groups?{query}")["thingGroups"]]

    assert groups("") == ["world", "plant", "hall"]
    assert groups("recursive=false") == ["world"]
    assert groups("parentGroup=world") == ["plant"]
    assert groups("parentGroup=world&recursive=true") == ["plant", "hall"]
    assert groups("namePrefixFilter=h") == ["hall"]
    api.refused(*MISSING, "GET", "/thing-groups?parentGroup=none")

    assert api.ok("PUT", "/thing-groups/addThingToThingGroup",
                  {"thingGroupName": "hall", "thingName": "gw"}) == {}
    api.ok("PUT", "/thing-groups/addThingToThingGroup",
           {"thingGroupArn": f"{ARN}thinggroup/hall", "thingArn": f"{ARN}thing/gw"})
    assert api.ok("GET", "/thing-groups/hall/things") == {"things": ["gw"]}
    assert api.ok("GET", "/thing-groups/world/things") == {"things": []}
    assert api.ok("GET", "/thing-groups/world/things?recursive=true") == {"things": ["gw"]}
    assert api.ok("GET", "/things/gw/thing-groups")["thingGroups"] == [
        {"groupName": "hall", "groupArn": f"{ARN}thinggroup/hall"}]
    for body in ({"thingGroupName": "none", "thingName": "gw"},
                 {"thingGroupName": "hall", "thingName": "none"}):
        api.refused(*MISSING, "PUT", "/thing-groups/addThingToThingGroup", body)
    api.refused(*INVALID, "PUT", "/thing-groups/addThingToThingGroup", {"thingName": "gw"})
    assert api.ok("PUT", "/thing-groups/removeThingFromThingGroup",
                  {"thingGroupName": "hall", "thingName": "gw"}) == {}
    assert api.ok("GET", "/thing-groups/hall/things") == {"things": []}
    api.refused(*INVALID, "DELETE", "/thing-groups/plant")  # it has a child
    assert api.ok("DELETE", "/thing-groups/hall?expectedVersion=1") == {}
    assert api.ok("DELETE", "/thing-groups/hall") == {}
    for path in ("/thing-groups/hall", "/thing-groups/hall/things"):
        api.refused(*MISSING, "GET", path)
    api.refused(*MISSING, "GET", "/things/none/thing-groups")


# ---- certificates


def test_keys_and_certificate(api, folder):
    made = api.certificate()
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], check=True, capture_output=True,
                         input=made["certificatePem"].encode()).stdout
    digest = subprocess.run(["sha256sum"], input=der, check=True, capture_output=True).stdout
    assert digest.decode().split()[0] == made["certificateId"]
    assert made["certificateArn"] == f"{ARN}cert/{made['certificateId']}"
    text = openssl("x509", "-noout", "-enddate", "-text", stdin=made["certificatePem"])
    assert "Dec 31 23:59:59 2049 GMT" in text and "2048 bit" in text
    openssl("verify", "-CAfile", folder / "cloud/device-ca.pem", stdin=made["certificatePem"])
    pair = made["keyPair"]
    assert openssl("pkey", "-pubout", stdin=pair["PrivateKey"]) == pair["PublicKey"]
    # The key is nowhere in the folder but for the keys of the CAs.
    inner = pair["PrivateKey"].splitlines()[3]
    for path in (folder / "cloud").rglob("*"):
        assert not path.is_file() or inner.encode() not in path.read_bytes()
    found = api.ok("GET", f"/certificates/{made['certificateId'].upper()}")["certificateDescription"]
    assert found["status"] == "ACTIVE" and found["certificatePem"] == made["certificatePem"]
    assert found["certificateMode"] == "DEFAULT" and found["ownedBy"] == "0" * 12
    assert found["validity"]["notAfter"] == 2524607999 and isinstance(found["creationDate"], float)
    assert api.certificate(active=False)["certificateId"] != made["certificateId"]
    assert [entry["status"] for entry in api.ok("GET", "/certificates")["certificates"]] == [
        "INACTIVE", "ACTIVE"]
    api.refused(*INVALID, "POST", "/keys-and-certificate?setAsActive=yes")


def test_certificate_from_a_request(api, folder):
    request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384",
                      "-nodes", "-keyout", folder / "dev.key", "-subj", "/O=Plant/CN=dev 7")
    made = api.ok("POST", "/certificates?setAsActive=true", {"certificateSigningRequest": request})
    assert "keyPair" not in made
    text = openssl("x509", "-noout", "-subject", "-enddate", stdin=made["certificatePem"])
    assert "CN = dev 7" in text and "2049" in text
    weak = openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", folder / "weak.key",
                   "-subj", "/CN=weak")
    broken = request.replace("\n", "\nAAAA", 2)
    for text in (weak, broken, "no request", "", "x" * 5000):
        api.refused(*INVALID, "POST", "/certificates", {"certificateSigningRequest": text})
    api.refused(*INVALID, "POST", "/certificates", {})


def test_states_of_a_certificate(api):
    made = api.certificate()
    path = f"/certificates/{made['certificateId']}"
    for status in ("INACTIVE", "REVOKED", "ACTIVE"):
        api.ok("PUT", f"{path}?newStatus={status}")
        assert api.ok("GET", path)["certificateDescription"]["status"] == status
    for query in ("newStatus=PENDING_TRANSFER", "newStatus=PENDING_ACTIVATION", "newStatus=OLD", ""):
        api.refused(*INVALID, "PUT", f"{path}?{query}")
    api.refused(406, "CertificateStateException", "DELETE", path)
    api.policy("p")
    api.thing("gw")
    api.ok("PUT", "/target-policies/p", {"target": made["certificateArn"]})
    api.ok("PUT", "/things/gw/principals", principal=made["certificateArn"])
    api.ok("PUT", f"{path}?newStatus=INACTIVE")
    api.refused(409, "DeleteConflictException", "DELETE", f"{path}?forceDelete=true")  # the thing
    api.ok("DELETE", "/things/gw/principals", principal=made["certificateArn"])
    api.refused(409, "DeleteConflictException", "DELETE", path)  # the policy
    api.ok("DELETE", f"{path}?forceDelete=true")
    for method, tail in (("GET", ""), ("DELETE", ""), ("PUT", "?newStatus=ACTIVE")):
        api.refused(*MISSING, method, path + tail)
    api.refused(*INVALID, "GET", "/certificates/short")


def test_certificates_are_listed_newest_first_in_pages(api, folder):
    ca = make_ca(folder, "ca", "/CN=any")
    ids = [api.ok("POST", "/certificate/register-no-ca", {
        "certificatePem": sign(folder, f"d{i}", f"/CN=d{i}", ca)})["certificateId"]
           for i in range(3)]
    page = api.ok("GET", "/certificates?pageSize=2")
    assert [entry["certificateId"] for entry in page["certificates"]] == ids[:0:-1]
    rest = api.ok("GET", f"/certificates?pageSize=2&marker={quote(page['nextMarker'])}")
    assert [entry["certificateId"] for entry in rest["certificates"]] == ids[:1]
    assert "nextMarker" not in rest
    rising = api.ok("GET", "/certificates?isAscendingOrder=true&pageSize=250")
    assert [entry["certificateId"] for entry in rising["certificates"]] == ids
    for query in ("pageSize=0", "pageSize=251", "marker=%3F", "isAscendingOrder=1"):
        api.refused(*INVALID, "GET", f"/certificates?{query}")


def test_a_certificate_by_any_issuer(api, folder):
    pem = sign(folder, "dev", "/CN=dev", make_ca(folder, "ca", "/CN=Any CA"))
    made = api.ok("POST", "/certificate/register-no-ca", {"certificatePem": pem, "status": "ACTIVE"})
    found = api.ok("GET", f"/certificates/{made['certificateId']}")["certificateDescription"]
    assert found["status"] == "ACTIVE" and found["certificateMode"] == "SNI_ONLY"
    taken = api.refused(*EXISTS, "POST", "/certificate/register-no-ca", {"certificatePem": pem})
    assert taken["resourceId"] == made["certificateId"]
    api.refused(*INVALID, "POST", "/certificate/register-no-ca", {
        "certificatePem": pem, "status": "PENDING_TRANSFER"})
    api.refused(*INVALID, "POST", "/certificate/register-no-ca", {})
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register-no-ca",
                {"certificatePem": "text"})
    weak = openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", folder / "w.key",
                   "-subj", "/CN=weak")
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register-no-ca",
                {"certificatePem": weak})


def test_ca_certificates(api, folder):
    ca = make_ca(folder, "ca", "/CN=Plant CA")
    pem = ca[1].read_text()
    code = api.ok("GET", "/registrationcode")["registrationCode"]
    assert re.fullmatch("[0-9a-f]{64}", code) and api.ok("GET", "/registrationcode") == {
        "registrationCode": code}
    device = sign(folder, "dev", "/CN=dev", ca)
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register",
                {"certificatePem": device})  # the CA is not registered
    wrong = sign(folder, "wrong", "/CN=guess", ca)
    api.refused(400, "RegistrationCodeValidationException", "POST", "/cacertificate",
                {"caCertificate": pem, "verificationCertificate": wrong})
    foreign = sign(folder, "foreign", f"/CN={code}", make_ca(folder, "ca2", "/CN=Plant CA"))
    api.refused(400, "CertificateValidationException", "POST", "/cacertificate",
                {"caCertificate": pem, "verificationCertificate": foreign})
    api.refused(*INVALID, "POST", "/cacertificate", {"caCertificate": pem})
    api.refused(*INVALID, "POST", "/cacertificate", {"caCertificate": pem, "certificateMode": "ODD"})
    api.refused(400, "CertificateValidationException", "POST", "/cacertificate",
                {"caCertificate": device, "certificateMode": "SNI_ONLY"})  # no CA
    proof = sign(folder, "proof", f"/CN={code}", ca)
    config = {"templateName": "fleet", "roleArn": "arn:aws:iam::000000000000:role/fleet"}
    body = {"caCertificate": pem, "verificationCertificate": proof, "registrationConfig": config}
    made = api.ok("POST", "/cacertificate?setAsActive=true&allowAutoRegistration=true", body)
    assert made["certificateArn"] == f"{ARN}cacert/{made['certificateId']}"
    api.refused(*EXISTS, "POST", "/cacertificate", body)
    path = f"/cacertificate/{made['certificateId']}"
    found = api.ok("GET", path)
    assert found["registrationConfig"] == config
    described = found["certificateDescription"]
    assert described["status"] == "ACTIVE" and described["autoRegistrationStatus"] == "ENABLE"
    assert described["certificateMode"] == "DEFAULT"
    assert len(api.ok("GET", "/cacertificates?templateName=fleet")["certificates"]) == 1
    assert api.ok("GET", "/cacertificates?templateName=other")["certificates"] == []

    signed = api.ok("POST", "/certificate/register?setAsActive=true", {"certificatePem": device})
    entry = api.ok("GET", f"/certificates/{signed['certificateId']}")["certificateDescription"]
    assert entry["caCertificateId"] == made["certificateId"] and entry["status"] == "ACTIVE"
    listed = api.ok("GET", f"/certificates-by-ca/{made['certificateId']}")["certificates"]
    assert [item["certificateId"] for item in listed] == [signed["certificateId"]]

    api.refused(406, "CertificateStateException", "DELETE", path)
    api.refused(*INVALID, "PUT", f"{path}?newStatus=GONE")
    api.ok("PUT", f"{path}?newStatus=INACTIVE&newAutoRegistrationStatus=DISABLE",
           {"removeAutoRegistration": True})
    assert "registrationConfig" not in api.ok("GET", path)
    api.refused(406, "CertificateStateException", "POST", "/certificate/register",
                {"certificatePem": sign(folder, "dev2", "/CN=dev2", ca)})
    assert api.ok("DELETE", path) == {}
    for method in ("GET", "DELETE", "PUT"):
        api.refused(*MISSING, method, path)
    assert api.ok("DELETE", "/registrationcode") == {}
    assert api.ok("GET", "/registrationcode")["registrationCode"] != code


def test_cas_with_one_subject(api, folder):
    cas = [make_ca(folder, f"ca{i}", "/CN=Twin") for i in range(11)]
    for ca in cas[:10]:
        api.ok("POST", "/cacertificate?setAsActive=true", {
            "caCertificate": ca[1].read_text(), "certificateMode": "SNI_ONLY"})
    api.refused(410, "LimitExceededException", "POST", "/cacertificate", {
        "caCertificate": cas[10][1].read_text(), "certificateMode": "SNI_ONLY"})
    device = sign(folder, "dev", "/CN=dev", cas[3])
    api.refused(409, "CertificateConflictException", "POST", "/certificate/register",
                {"certificatePem": device})
    api.ok("POST", "/certificate/register", {
        "certificatePem": device, "caCertificatePem": cas[3][1].read_text()})
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register", {
        "certificatePem": sign(folder, "dev2", "/CN=dev2", cas[3]),
        "caCertificatePem": cas[4][1].read_text()})


# ---- policies


def test_policies(api):
    made = api.policy("plant")
    assert made == {"policyName": "plant", "policyArn": f"{ARN}policy/plant",
                    "policyDocument": ALLOW_ALL, "policyVersionId": "1"}
    taken = api.refused(*EXISTS, "POST", "/policies/plant", {"policyDocument": ALLOW_ALL})
    assert taken["resourceArn"] == made["policyArn"]
    found = api.ok("GET", "/policies/plant")
    assert found["policyDocument"] == ALLOW_ALL and found["defaultVersionId"] == "1"
    assert isinstance(found["creationDate"], float) and found["generationId"]
    api.policy("other")
    listed = api.ok("GET", "/policies")["policies"]
    assert [policy["policyName"] for policy in listed] == ["other", "plant"]
    api.refused(*INVALID, "POST", "/policies/a%3Ab", {"policyDocument": ALLOW_ALL})
    api.refused(*INVALID, "POST", "/policies/third", {})
    assert api.ok("DELETE", "/policies/other") == {}
    api.refused(*MISSING, "GET", "/policies/other")
    api.refused(*MISSING, "DELETE", "/policies/other")


@pytest.mark.parametrize("document", [
    "", "no json", "[]", '{"Version": "2012-10-17"}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "iot:*", '
    '"Resource": "*"}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]}',
    json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": "x" * 2100}]}),
])
def test_malformed_policies(api, document):
    api.refused(400, "MalformedPolicyException", "POST", "/policies/p", {"policyDocument": document})
    assert api.ok("GET", "/policies") == {"policies": []}


def test_versions_of_a_policy(api):
    api.policy("p")
    other = ALLOW_ALL.replace("iot:*", "iot:Connect")
    made = api.ok("POST", "/policies/p/version", {"policyDocument": other})
    assert made["policyVersionId"] == "2" and made["isDefaultVersion"] is False
    assert api.ok("GET", "/policies/p")["policyDocument"] == ALLOW_ALL
    version = api.ok("GET", "/policies/p/version/2")
    assert version["policyDocument"] == other and version["policyName"] == "p"
    api.ok("PATCH", "/policies/p/version/2")
    assert api.ok("GET", "/policies/p")["policyDocument"] == other
    listed = api.ok("GET", "/policies/p/version")["policyVersions"]
    assert [(v["versionId"], v["isDefaultVersion"]) for v in listed] == [("2", True), ("1", False)]
    api.refused(409, "DeleteConflictException", "DELETE", "/policies/p/version/2")
    api.refused(409, "DeleteConflictException", "DELETE", "/policies/p")
    api.ok("DELETE", "/policies/p/version/1")
    for _ in range(4):
        last = api.ok("POST", "/policies/p/version?setAsDefault=true", {"policyDocument": ALLOW_ALL})
    assert last["policyVersionId"] == "6" and last["isDefaultVersion"] is True
    api.refused(409, "VersionsLimitExceededException", "POST", "/policies/p/version",
                {"policyDocument": ALLOW_ALL})
    api.refused(400, "MalformedPolicyException", "POST", "/policies/p/version",
                {"policyDocument": "{}"})
    for method in ("GET", "DELETE", "PATCH"):
        api.refused(*MISSING, method, "/policies/p/version/1")
        api.refused(*MISSING, method, "/policies/none/version/1")
        api.refused(*INVALID, method, "/policies/p/version/x")
    api.refused(*MISSING, "GET", "/policies/none/version")
    api.refused(*MISSING, "POST", "/policies/none/version", {"policyDocument": ALLOW_ALL})


def test_policies_are_attached(api):
    made = api.certificate()
    arn = made["certificateArn"]
    api.policy("p")
    api.ok("POST", "/thing-groups/world", {})
    api.ok("POST", "/thing-groups/plant", {"parentGroupName": "world"})
    for _ in range(2):
        assert api.ok("PUT", "/target-policies/p", {"target": arn}) == {}
    api.ok("PUT", "/target-policies/p", {"target": f"{ARN}thinggroup/world"})
    assert api.ok("POST", f"/attached-policies/{quote(arn)}") == {
        "policies": [{"policyName": "p", "policyArn": f"{ARN}policy/p"}]}
    group = quote(f"{ARN}thinggroup/plant")
    assert api.ok("POST", f"/attached-policies/{group}")["policies"] == []
    assert len(api.ok("POST", f"/attached-policies/{group}?recursive=true")["policies"]) == 1
    assert api.ok("POST", f"/attached-policies/{arn}")["policies"]  # not encoded, as curl has it
    assert sorted(api.ok("POST", "/policy-targets/p")["targets"]) == sorted(
        [arn, f"{ARN}thinggroup/world"])
    api.refused(409, "DeleteConflictException", "DELETE", "/policies/p")
    api.refused(*MISSING, "PUT", "/target-policies/none", {"target": arn})
    api.refused(*MISSING, "PUT", "/target-policies/p", {"target": f"{ARN}cert/{NOBODY}"})
    api.refused(*MISSING, "PUT", "/target-policies/p", {"target": f"{ARN}thinggroup/none"})
    api.refused(*MISSING, "POST", "/policy-targets/none")
    for target in ("text", f"{ARN}thing/gw", arn.replace("000000000000", "123456789012"),
                   arn.replace("eu-central-1", "us-east-1"), f"{ARN}cert/short"):
        api.refused(*INVALID, "PUT", "/target-policies/p", {"target": target})
        api.refused(*INVALID, "POST", f"/attached-policies/{quote(target)}")
    api.refused(*INVALID, "PUT", "/target-policies/p", {})
    for _ in range(2):
        assert api.ok("POST", "/target-policies/p", {"target": arn}) == {}
    for i in range(10):
        api.policy(f"p{i}")
        api.ok("PUT", f"/target-policies/p{i}", {"target": arn})
    api.refused(410, "LimitExceededException", "PUT", "/target-policies/p", {"target": arn})
    page = api.ok("POST", f"/attached-policies/{quote(arn)}?pageSize=9")
    rest = api.ok("POST", f"/attached-policies/{quote(arn)}?pageSize=9&marker="
                          f"{quote(page['nextMarker'])}")
    assert len(page["policies"]) == 9 and len(rest["policies"]) == 1


def test_effective_policies(api):
    made = api.certificate()
    api.policy("own")
    api.policy("group")
    api.thing("gw")
    api.ok("POST", "/thing-groups/world", {})
    api.ok("POST", "/thing-groups/plant", {"parentGroupName": "world"})
    api.ok("PUT", "/thing-groups/addThingToThingGroup",
           {"thingGroupName": "plant", "thingName": "gw"})
    api.ok("PUT", "/target-policies/own", {"target": made["certificateArn"]})
    api.ok("PUT", "/target-policies/group", {"target": f"{ARN}thinggroup/world"})

    def names(query, body):
        found = api.ok("POST", f"/effective-policies{query}", body)["effectivePolicies"]
        assert all(policy["policyDocument"] == ALLOW_ALL for policy in found)
        return [policy["policyName"] for policy in found]

    assert names("?thingName=gw", {"principal": made["certificateArn"]}) == ["own", "group"]
    assert names("", {"principal": made["certificateArn"]}) == ["own"]
    assert names("?thingName=gw", {}) == ["group"]
    api.refused(*MISSING, "POST", "/effective-policies?thingName=none", {})


def test_the_older_calls_for_policies(api):
    arn = api.certificate()["certificateArn"]
    api.policy("p")
    header = {"x-amzn-iot-principal": arn}
    assert api.ok("PUT", "/principal-policies/p", **header) == {}
    assert len(api.ok("GET", "/principal-policies", **header)["policies"]) == 1
    assert api.ok("GET", "/policy-principals", **{"x-amzn-iot-policy": "p"})["principals"] == [arn]
    assert api.ok("DELETE", "/principal-policies/p", **header) == {}
    assert api.ok("GET", "/principal-policies", **header)["policies"] == []
    api.refused(*INVALID, "GET", "/principal-policies")
    api.refused(*INVALID, "GET", "/policy-principals")


# ---- who is what


def test_principals_of_things(api):
    arn = api.certificate()["certificateArn"]
    api.thing("gw")
    api.thing("other")
    for _ in range(2):
        assert api.ok("PUT", "/things/gw/principals", principal=arn) == {}
    assert api.ok("GET", "/things/gw/principals") == {"principals": [arn]}
    assert api.ok("GET", "/principals/things", principal=arn) == {"things": ["gw"]}
    assert api.ok("GET", "/things/gw/principals-v2") == {"thingPrincipalObjects": [
        {"principal": arn, "thingPrincipalType": "NON_EXCLUSIVE_THING"}]}
    api.refused(*INVALID, "DELETE", "/things/gw")
    api.ok("PUT", "/things/other/principals", principal=arn)
    api.refused(*INVALID, "PUT", "/things/gw/principals?thingPrincipalType=EXCLUSIVE_THING",
                principal=arn)
    api.ok("DELETE", "/things/other/principals", principal=arn)
    api.ok("PUT", "/things/gw/principals?thingPrincipalType=EXCLUSIVE_THING", principal=arn)
    api.refused(*INVALID, "PUT", "/things/other/principals", principal=arn)
    assert api.ok("GET", "/principals/things-v2", principal=arn) == {"principalThingObjects": [
        {"thingName": "gw", "thingPrincipalType": "EXCLUSIVE_THING"}]}
    assert api.ok("GET", "/things/gw/principals-v2?thingPrincipalType=NON_EXCLUSIVE_THING") == {
        "thingPrincipalObjects": []}
    api.refused(*INVALID, "GET", "/things/gw/principals-v2?thingPrincipalType=ODD")
    api.refused(*INVALID, "PUT", "/things/gw/principals?thingPrincipalType=ODD", principal=arn)
    api.refused(*INVALID, "PUT", "/things/gw/principals")
    api.refused(*MISSING, "PUT", "/things/none/principals", principal=arn)
    api.refused(*MISSING, "PUT", "/things/gw/principals", principal=f"{ARN}cert/{NOBODY}")
    api.refused(*MISSING, "GET", "/things/none/principals")
    api.refused(*MISSING, "GET", "/principals/things", principal=f"{ARN}cert/{NOBODY}")
    for _ in range(2):
        assert api.ok("DELETE", "/things/gw/principals", principal=arn) == {}
    assert api.ok("DELETE", "/things/gw") == {}


def test_the_endpoint(api):
    for query in ("", "?endpointType=iot%3AData-ATS", "?endpointType=iot%3AData",
                  "?endpointType=iot%3AJobs", "?endpointType=iot%3AData-Beta"):
        assert api.ok("GET", f"/endpoint{query}") == {"endpointAddress": "localhost"}
    api.refused(*INVALID, "GET", "/endpoint?endpointType=iot%3AOther")
    settings = api.ok("PUT", "/_penstock/settings", {"endpointAddress": "iot.example",
                                                     "region": "us-east-1"})
    assert settings == api.ok("GET", "/_penstock/settings")
    assert api.ok("GET", "/endpoint")["endpointAddress"] == "iot.example"
    assert api.thing("gw")["thingArn"] == "arn:aws:iot:us-east-1:000000000000:thing/gw"
    for body in ({"region": "a b"}, {"endpointAddress": ""}, {"thingTypeWaitSeconds": -1}):
        api.refused(*INVALID, "PUT", "/_penstock/settings", body)
    api.stop()
    api.start()
    assert api.ok("GET", "/endpoint")["endpointAddress"] == "iot.example"


# ---- data plane


class Stream:
    """The console's event stream."""

    def __init__(self, api, query):
        self.socket = socket.create_connection(("127.0.0.1", api.port), timeout=harness.PATIENCE)
        self.socket.sendall(f"GET /console/events?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .encode())
        self.bytes = b""
        self.until(b": subscribed")

    def until(self, text):
        while text not in self.bytes:
            more = self.socket.recv(65536)
            assert more, self.bytes
            self.bytes += more

    def messages(self, count):
        found = []
        while len(found) < count:
            self.until(b"\n\n")
            found = [json.loads(line) for line in re.findall(rb"^data: (.*)$", self.bytes, re.M)]
            if len(found) < count:
                self.bytes += self.socket.recv(65536)
        return found

    def stop(self):
        self.socket.close()


def test_publish_reaches_the_console(api, cleanup):
    all_of_it = cleanup(Stream(api, "filter=%23"))
    part = cleanup(Stream(api, "filter=gw%2F%2B%2Fcmd&filter=other"))
    assert api.ok("POST", "/topics/gw%2F1%2Fcmd?qos=1", '{"a": "\u00e4"}'.encode()) == {
        "message": "OK"}
    api.ok("POST", "/topics/gw/1/data", b"\xff\x00")
    api.ok("POST", "/topics/other")
    got = all_of_it.messages(3)
    assert [(message["topic"], message["qos"]) for message in got] == [
        ("gw/1/cmd", 1), ("gw/1/data", 0), ("other", 0)]
    assert got[0]["payload"] == '{"a": "\u00e4"}' and got[2]["payload"] == ""
    assert base64.b64decode(got[1]["payloadBase64"]) == b"\xff\x00"
    assert [message["topic"] for message in part.messages(2)] == ["gw/1/cmd", "other"]


def test_publish_is_refused(api):
    for path in ("/topics/a%2B", "/topics/a%23", "/topics/" + "x" * 257, "/topics/" + "a/" * 8 + "b",
                 "/topics/a?qos=2", "/topics/a?retain=1", "/topics/a?messageExpiry=-1"):
        api.refused(*INVALID, "POST", path, b"x")
    api.ok("POST", "/topics/" + "a/" * 7 + "b", b"x" * 131072)
    api.refused(413, "RequestEntityTooLargeException", "POST", "/topics/a", b"x" * 131073)
    api.ok("POST", "/topics/" + quote("$aws/rules/rule/" + "a/" * 7 + "b"), b"x")
    properties = base64.b64encode(b'[{"a": "b"}, {"c": "d"}]').decode()
    api.ok("POST", "/topics/a?contentType=text%2Fplain&responseTopic=b&messageExpiry=60", b"x",
           **{"x-amz-mqtt5-user-properties": properties,
              "x-amz-mqtt5-payload-format-indicator": "UTF8_DATA",
              "x-amz-mqtt5-correlation-data": "AAEC"})
    for header in ({"x-amz-mqtt5-user-properties": "not base64"},
                   {"x-amz-mqtt5-user-properties": base64.b64encode(b'{"a": 1}').decode()},
                   {"x-amz-mqtt5-payload-format-indicator": "ODD"},
                   {"x-amz-mqtt5-correlation-data": "x"}):
        api.refused(*INVALID, "POST", "/topics/a", b"x", **header)


def test_retained_messages(api, cleanup):
    for topic in ("b", "a/1", "c"):
        api.ok("POST", f"/topics/{topic}?retain=true&qos=1", topic.encode())
    found = api.ok("GET", "/retainedMessage/a%2F1")
    assert base64.b64decode(found["payload"]) == b"a/1" and found["qos"] == 1
    assert found["lastModifiedTime"] > 1_600_000_000_000
    page = api.ok("GET", "/retainedMessage?maxResults=2")
    assert [entry["topic"] for entry in page["retainedTopics"]] == ["a/1", "b"]
    rest = api.ok("GET", f"/retainedMessage?maxResults=2&nextToken={quote(page['nextToken'])}")
    assert [entry["topic"] for entry in rest["retainedTopics"]] == ["c"] and "nextToken" not in rest
    assert rest["retainedTopics"][0]["payloadSize"] == 1
    assert cleanup(Stream(api, "filter=c")).messages(1)[0]["retain"] is True
    api.ok("POST", "/topics/c?retain=true")
    api.refused(*MISSING, "GET", "/retainedMessage/c")
    for query in ("maxResults=0", "maxResults=201", "nextToken=x"):
        api.refused(*INVALID, "GET", f"/retainedMessage?{query}")
    api.refused(*MISSING, "DELETE", "/connections/nobody?cleanSession=true&preventWillMessage=true")
    api.refused(*INVALID, "DELETE", "/connections/nobody?cleanSession=maybe")


def test_what_needs_the_broker(api):
    for path in ("/_penstock/limits", "/_penstock/faults"):
        for method in ("GET", "PUT"):
            api.refused(503, "ServiceUnavailableException", method, path, {} if method == "PUT"
                        else None)


# ---- the whole state


def fill(api, folder):
    api.ok("POST", "/thing-types/gateway", {})
    api.thing("gw", thingTypeName="gateway", attributePayload={"attributes": {"site": "a"}})
    api.ok("POST", "/thing-groups/world", {})
    api.ok("POST", "/thing-groups/plant", {"parentGroupName": "world"})
    api.ok("PUT", "/thing-groups/addThingToThingGroup",
           {"thingGroupName": "plant", "thingName": "gw"})
    api.ok("POST", "/cacertificate", {"certificateMode": "SNI_ONLY", "caCertificate": make_ca(
        folder, "ca", "/CN=State CA")[1].read_text()})
    made = api.certificate()
    api.policy("p")
    api.ok("POST", "/policies/p/version?setAsDefault=true", {"policyDocument": ALLOW_ALL})
    api.ok("PUT", "/target-policies/p", {"target": made["certificateArn"]})
    api.ok("PUT", "/target-policies/p", {"target": f"{ARN}thinggroup/world"})
    api.ok("PUT", "/things/gw/principals", principal=made["certificateArn"])
    return made


def test_export_and_import(api, folder, cleanup):
    made = fill(api, folder)
    state = api.ok("GET", "/_penstock/export")
    assert made["keyPair"]["PrivateKey"].splitlines()[3] not in json.dumps(state)
    other = cleanup(cloud_api.CloudApi(folder / "other"))
    other.thing("goes-away")
    assert other.ok("PUT", "/_penstock/import", state) == {}
    assert other.ok("GET", "/_penstock/export") == state
    path = f"/certificates/{made['certificateId']}"
    assert other.ok("GET", path) == api.ok("GET", path)
    other.refused(*MISSING, "GET", "/things/goes-away")
    assert other.ok("GET", "/policies/p") == api.ok("GET", "/policies/p")


@pytest.mark.parametrize("spoil, words", [
    (lambda s: s.update(format="other"), "format"),
    (lambda s: s.update(version=99), "version 99"),
    (lambda s: s.pop("things"), "'things' must be a list"),
    (lambda s: s["things"][0].update(name="a b"), "things[0]"),
    (lambda s: s["things"][0].update(version="1"), "'version'"),
    (lambda s: s["things"][0].update(thingType="none"), "names something that is not"),
    (lambda s: s["things"].append(s["things"][0]), "things[1]: is there twice"),
    (lambda s: s["certificates"][0].update(id="0" * 64), "SHA-256"),
    (lambda s: s["certificates"][0].update(status="ODD"), "'status'"),
    (lambda s: s["policyVersions"][1].update(document="{}"), "policyVersions[1]: 'document'"),
    (lambda s: s["policies"][0].update(defaultVersion=7), "defaultVersion"),
    (lambda s: s["policyTargets"][1].update(target="thinggroup/none"), "policyTargets[1]"),
    (lambda s: s["thingPrincipals"][0].update(thing="none"), "thingPrincipals[0]"),
])
def test_import_is_all_or_nothing(api, folder, spoil, words):
    fill(api, folder)
    before = api.ok("GET", "/_penstock/export")
    spoiled = json.loads(json.dumps(before))
    spoil(spoiled)
    answer = api.refused(*INVALID, "PUT", "/_penstock/import", spoiled)
    assert words in answer["message"]
    assert api.ok("GET", "/_penstock/export") == before


# ---- the edge


def test_calls_that_are_none(api):
    api.refused(*MISSING, "GET", "/nothing")
    api.refused(405, "MethodNotAllowedException", "PUT", "/things/gw", {})
    api.refused(405, "MethodNotAllowedException", "DELETE", "/policies")
    api.refused(*INVALID, "GET", "/things?" + "&".join(f"a{i}=1" for i in range(30)))
    api.refused(*INVALID, "GET", "/" + "a/" * 40)
    api.refused(*INVALID, "GET", "/things/" + "a" * 9000)
    status = api.ok("GET", "/_penstock/status")
    assert status["accountId"] == "000000000000" and status["counts"]["things"] == 0


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1:80:80"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
])
def test_pages_of_others_cannot_change_anything(api, headers):
    api.refused(403, "ForbiddenException", "POST", "/things/gw", {}, **headers)
    assert api.ok("GET", "/things") == {"things": []}


def test_own_pages_and_programs_may(api):
    host = f"localhost:{api.port}"
    api.ok("POST", "/things/a", {}, Host=host, Origin=f"http://{host}",
           **{"Sec-Fetch-Site": "same-origin"})
    api.ok("POST", "/things/b", {}, Host="[::1]:1", **{"Sec-Fetch-Site": "none"})
    api.refused(403, "ForbiddenException", "GET", "/things", Host="rebound.example")


def test_bodies_without_end_are_refused(api):
    # Refused by its head: the server does not wait for what it will not take.
    with socket.create_connection(("127.0.0.1", api.port), timeout=harness.PATIENCE) as connection:
        connection.sendall(b"PUT /_penstock/import HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 8388609\r\n\r\n")
        head = connection.recv(65536)
    assert head.startswith(b"HTTP/1.1 413") and b"RequestEntityTooLargeException" in head

    def pieces():
        for _ in range(9):
            yield b"x" * 1024 * 1024

    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=harness.PATIENCE)
    connection.request("PUT", "/_penstock/import", pieces(), {"Transfer-Encoding": "chunked"},
                       encode_chunked=True)
    status = connection.getresponse().status
    connection.close()
    assert status == 413
    assert api.ok("GET", "/things") == {"things": []}


def test_clients_that_say_nothing_do_not_keep_others_out(api):
    mute = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(60)]
    for connection in mute[:30]:
        connection.sendall(b"GET /things HTTP/1.1\r\nHost: local")
    assert api.ok("GET", "/things") == {"things": []}
    # The server ends them by itself.
    mute[0].settimeout(harness.PATIENCE)
    assert mute[0].recv(1) == b""
    for connection in mute:
        connection.close()


def test_many_at_once(api):
    errors = []

    def work(number):
        try:
            for i in range(20):
                api.thing(f"t{number}-{i}")
        except AssertionError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert api.ok("GET", "/_penstock/status")["counts"]["things"] == 160


def test_files_of_the_console(folder, cleanup):
    pages = folder / "pages"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text("<title>console</title>")
    (pages / "assets" / "app.js").write_text("1")
    (pages / ".hidden").write_text("no")
    (folder / "secret").write_text("no")
    api = cleanup(cloud_api.CloudApi(folder / "cloud", "--console-dir", pages))
    status, headers, text = api.raw("GET", "/console/")
    assert status == 200 and text == b"<title>console</title>"
    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    status, headers, _ = api.raw("GET", "/console/assets/app.js")
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")
    for path in ("/", "/console"):
        status, headers, _ = api.raw("GET", path)
        assert (status, headers["Location"]) == (302, "/console/")
    for path in ("/console/../secret", "/console/%2e%2e/secret", "/console/..%2fsecret",
                 "/console/.hidden", "/console/none.js", "/console/assets"):
        assert api.raw("GET", path)[0] == 404, path


def test_event_streams_are_few_and_checked(api, cleanup):
    for _ in range(8):
        cleanup(Stream(api, "filter=a"))
    api.refused(429, "ThrottlingException", "GET", "/console/events?filter=a")


def test_an_event_stream_with_a_wrong_filter(api):
    api.refused(*INVALID, "GET", "/console/events?filter=a%23")


def test_a_stream_that_does_not_read_is_told_what_it_missed(api, cleanup):
    stream = cleanup(Stream(api, "filter=big"))
    for _ in range(80):
        api.ok("POST", "/topics/big", b"x" * 100000)
    seen = b""
    while b"event: dropped" not in seen:
        seen = (seen + stream.socket.recv(1 << 20))[-200000:]
        if not seen.endswith(b"x"):
            api.ok("POST", "/topics/big", b"small")  # the next message brings the count
    assert re.search(rb"event: dropped\ndata: [1-9]", seen)


# ---- the command line


def cloud(*arguments, check=True):
    done = subprocess.run([harness.BIN / "penstock-cloud", *map(str, arguments)], text=True,
                          capture_output=True, timeout=harness.PATIENCE)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("running", [False, True])
def test_quickstart_makes_everything_once(folder, cleanup, running):
    where = folder / "cloud"
    if running:
        cleanup(cloud_api.CloudApi(where))
    text = cloud("quickstart", where, "gw1").stdout
    assert cloud("quickstart", where, "gw1").stdout == text
    block = json.loads(text[text.index('"cloud": ') + 9:])
    assert block["client_id"] == "gw1" and block["endpoint"] == "localhost"
    assert harness.pathlib.Path(block["key"]).stat().st_mode & 0o777 == 0o600
    openssl("verify", "-CAfile", where / "device-ca.pem", block["cert"])
    assert re.fullmatch("[0-9a-f]{10}-certificate.pem.crt", block["cert"].rsplit("/", 1)[1])
    things = json.loads(cloud("things", where, "--json").stdout)
    assert [thing["thingName"] for thing in things] == ["gw1"]
    assert things[0]["certificates"][0]["status"] == "ACTIVE"
    assert things[0]["certificates"][0]["policies"] == ["penstock-quickstart"]
    assert "policy penstock-quickstart" in cloud("things", where).stdout
    failed = cloud("quickstart", where, "a b", check=False)
    assert failed.returncode == 1 and "pattern" in failed.stderr


@pytest.mark.parametrize("running", [False, True])
def test_export_and_import_on_the_command_line(folder, cleanup, running):
    where = folder / "cloud"
    if running:
        cleanup(cloud_api.CloudApi(where))
    cloud("quickstart", where, "gw1")
    cloud("export", where, folder / "state.json")
    assert json.loads(cloud("export", where).stdout) == json.loads(
        (folder / "state.json").read_text())
    cloud("import", folder / "second", folder / "state.json")
    assert cloud("things", folder / "second").stdout == cloud("things", where).stdout
    (folder / "bad.json").write_text("{")
    failed = cloud("import", where, folder / "bad.json", check=False)
    assert failed.returncode == 1 and "line 1" in failed.stderr
    (folder / "bad.json").write_text("{}")
    failed = cloud("import", where, folder / "bad.json", check=False)
    assert failed.returncode == 1 and "format" in failed.stderr
    assert cloud("things", where).stdout.startswith("gw1\n")
