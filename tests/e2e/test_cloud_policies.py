"""The calls of the local cloud on policies."""
import json

import pytest
from cloud_api import ALLOW_ALL, ARN, EXISTS, INVALID, MISSING, NOBODY, quote


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
