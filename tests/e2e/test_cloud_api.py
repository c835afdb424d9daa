"""The registry calls of the local cloud over HTTP: things, types, groups, who is what, the whole
state; every operation and every refusal."""
import json

import cloud_api
import pytest
from cloud_api import ALLOW_ALL, ARN, EXISTS, INVALID, make_ca, MISSING, NOBODY, quote


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
    api.ok("POST", "/things/gw/shadow", {"state": {"desired": {"speed": 5}}})
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
    assert other.ok("GET", "/things/gw/shadow")["state"]["desired"] == {"speed": 5}


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
    (lambda s: s["shadows"][0].pop("thing"), "shadows"),
])
def test_import_is_all_or_nothing(api, folder, spoil, words):
    fill(api, folder)
    before = api.ok("GET", "/_penstock/export")
    spoiled = json.loads(json.dumps(before))
    spoil(spoiled)
    answer = api.refused(*INVALID, "PUT", "/_penstock/import", spoiled)
    assert words in answer["message"]
    assert api.ok("GET", "/_penstock/export") == before
