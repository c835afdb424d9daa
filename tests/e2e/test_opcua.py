"""OPC UA through the whole gateway, against node-opcua's server: values, writes, what is missing, security, users,
subscriptions, a server that is killed."""
import json

import pytest

import opcua_peers
from harness import Gateway, group, wait_for

PREFIX = f"nsu={opcua_peers.URI};s=Plant."

# name, value in the server at the start, value to write and the one that then comes back
TYPES = [
    ("Boolean", True, "false", False),
    ("SByte", -8, "-128", -128),
    ("Byte", 200, "255", 255),
    ("Int16", -32000, "-32768", -32768),
    ("UInt16", 65000, "65535", 65535),
    ("Int32", -2000000000, "2147483647", 2147483647),
    ("UInt32", 4000000000, "4294967295", 4294967295),
    ("Int64", -2, "-9223372036854775808", -9223372036854775808),
    ("UInt64", 2**63 + 2**11, str(2**64 - 2**11), 2**64 - 2**11),  # that a double holds, too
    ("Float", 12.5, "-0.25", -0.25),
    ("Double", -0.13, "1234567.25", 1234567.25),  # rounded to two places
    ("String", "Kessel 3 \u00e4\u6e29", "Ofen \u00fc", "Ofen \u00fc"),
]


def device(server, **more):
    return {"device_name": "PLC", "protocol": "OPCUA", "url": f"opc.tcp://127.0.0.1:{server.port}/plant",
            "timeout": 10, **more}


def node(name, identifier=None, **more):
    return {"var_name": name, "device": "PLC", "identifier": identifier or PREFIX + name,
            "read_write": "read/write", **more}


def values(gateway):
    return {name: row["value"] for (_, name), row in gateway.tags().items() if row["status"] == 1}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for all tests that leave it as it is: node takes its time."""
    server = opcua_peers.Server(tmp_path_factory.mktemp("opcua"))
    yield server
    server.stop()


@pytest.fixture
def own(tmp_path, cleanup):
    return cleanup(opcua_peers.Server(tmp_path))


def start(folder, cleanup, server, rows, groups=None, **more):
    return cleanup(Gateway(folder, {
        "devices": [device(server, **{"security_policy": "None", "security_mode": "None", **more})],
        "vars": rows, "groups": groups or [group()]}))


def wait_value(gateway, name, value):
    wait_for(lambda: values(gateway).get(name) == value, f"{name} to be {value!r}")


def explained(gateway, name):
    return json.loads(gateway.cli("explain", "PLC", name, "--json", check=False).stdout)


def test_all_types_are_read_and_written(folder, cleanup, own):
    gateway = start(folder, cleanup, own, [node(name) for name, *_ in TYPES])
    wanted = {name: value for name, value, *_ in TYPES}
    wait_for(lambda: values(gateway) == wanted, "all values")
    for name, _, written, back in TYPES:
        answer = json.loads(gateway.cli("write", "PLC", name, written, "--json").stdout)
        assert answer["read_back"] == back, (name, answer)
        wait_value(gateway, name, back)
    assert own.ask("get Int32") == 2147483647
    assert own.ask("get String") == "Ofen \u00fc"
    # What does not fit the server's type is not sent.
    for name, wrong in (("Byte", "256"), ("Int16", "1.5"), ("UInt32", "-1"), ("Boolean", "7"),
                        ("Double", "warm")):
        result = gateway.cli("write", "PLC", name, wrong, check=False)
        assert result.returncode != 0 and name in result.stderr + result.stdout
    assert own.ask("get Byte") == 255


def test_one_missing_node_spoils_no_other(folder, cleanup, shared):
    gateway = start(folder, cleanup, shared, [
        node("good", PREFIX + "Int32"), node("missing", PREFIX + "Nobody"),
        node("nowhere", "nsu=urn:no:such:namespace;s=Plant.Int32"), node("sensor", PREFIX + "Sensor"),
        node("number", f"nsu={opcua_peers.URI};i=1001"), node("status", "i=2259")])
    wait_for(lambda: set(values(gateway)) == {"good", "number", "status"}, "the good ones alone")
    tags = gateway.tags()
    assert tags[("PLC", "number")]["value"] == 1.25
    for name, words in (("missing", "BadNodeIdUnknown"), ("nowhere", "urn:no:such:namespace"),
                        ("sensor", "BadSensorFailure")):
        assert tags[("PLC", name)]["status"] == 0
        text = json.dumps(explained(gateway, name)).replace("_", "")
        assert words in text, text


def test_elements_of_arrays(folder, cleanup, own):
    numbers = PREFIX + "Numbers"
    gateway = start(folder, cleanup, own, [
        node("third", numbers, array_index=2), node("first", numbers, array_index=0),
        node("beyond", numbers, array_index=5), node("whole", numbers)])
    wait_for(lambda: values(gateway) == {"third": 30, "first": 10}, "the elements")
    gateway.cli("write", "PLC", "third", "77")
    assert own.ask("get Numbers") == [10, 20, 77, 40, 50]
    assert "array_index" in json.dumps(explained(gateway, "whole"))


def test_a_server_that_is_killed_and_started_again(folder, cleanup, own):
    gateway = start(folder, cleanup, own, [node("Watched"), node("Int32", mode="onchange")])
    wait_value(gateway, "Watched", 1)
    own.kill()
    wait_for(lambda: not values(gateway), "the values to go bad")
    own.start()
    own.ask("set Watched 8")
    wait_value(gateway, "Watched", 8)
    wait_value(gateway, "Int32", -2000000000)


def test_onchange_costs_no_reads(folder, cleanup, own):
    gateway = start(folder, cleanup, own, [node("Watched", mode="onchange")], [group(polling=0.1, upload=0.1)])
    wait_value(gateway, "Watched", 1)
    assert own.ask("subscriptions") == 1
    before = own.ask("reads Watched")
    for number in range(100, 120):
        own.ask(f"set Watched {number}")
        wait_value(gateway, "Watched", number)
    # A node that is polled is asked for once for each of them, at least. On a slow machine the server
    # may keep the gateway waiting now and then, which looks for itself then.
    assert own.ask("reads Watched") - before < 10


def test_browse(folder, cleanup, shared):
    gateway = start(folder, cleanup, shared, [node("Int32")])
    wait_value(gateway, "Int32", -2000000000)
    top = json.loads(gateway.cli("browse", "PLC", "--json").stdout)
    plant = next(row for row in top if row["name"] == "Plant")
    assert plant["inside"]
    found = {row["name"]: row for row in
             json.loads(gateway.cli("browse", "PLC", plant["node"], "--json").stdout)}
    assert {name for name, *_ in TYPES} <= set(found)
    assert found["Double"]["type"] == "Double" and found["Double"]["writable"]
    assert found["Numbers"]["type"].startswith("Int32[")
    assert not found["Sensor"]["writable"]
    # What it says is what a variable takes.
    more = Gateway(folder / "more", {
        "devices": [device(shared, security_policy="None", security_mode="None")],
        "vars": [node("found", found["Double"]["address"])], "groups": [group()]}, start=False)
    more.socket = folder / "s2"
    cleanup(more).start()
    wait_value(more, "found", -0.13)
    assert "no-such" in gateway.cli("browse", "PLC", "ns=2;s=no-such", check=False).stderr


# --- security

def trust(gateway):
    """First contact: refused with words, then accepted by a person."""
    def met():
        return json.loads(gateway.cli("trust", "--json").stdout)["items"]
    row = wait_for(met, "the server's certificate to be met")[0]
    assert row["state"] == "rejected"
    assert not values(gateway)
    text = json.dumps(explained(gateway, "Int32"))
    assert "penstock trust" in text and row["fingerprint"][:8] in text, text
    gateway.cli("trust", "accept", row["fingerprint"])


@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes128Sha256RsaOaep"])
@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
def test_policies_and_modes(folder, cleanup, shared, policy, mode):
    gateway = start(folder, cleanup, shared, [node("Int32")], security_policy=policy, security_mode=mode)
    trust(gateway)
    wait_value(gateway, "Int32", -2000000000)


def test_what_is_detected_is_the_strongest(folder, cleanup, shared):
    gateway = start(folder, cleanup, shared, [node("Int32")], security_policy="Automatic detection",
                    security_mode="Automatic detection")
    trust(gateway)
    wait_value(gateway, "Int32", -2000000000)


def secret(folder, text):
    path = folder / "secret"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize("security", [("None", "None"), ("Basic256Sha256", "SignAndEncrypt")])
def test_user_and_password(folder, cleanup, shared, security):
    policy, mode = security
    gateway = start(folder, cleanup, shared, [node("Int32")], security_policy=policy, security_mode=mode,
                    auth="Username/Password", username="operator",
                    password_file=secret(folder, "se:cret"))
    trust(gateway)  # the password is for this server's key alone
    wait_value(gateway, "Int32", -2000000000)


def test_wrong_password(folder, cleanup, shared):
    gateway = start(folder, cleanup, shared, [node("Int32")], security_policy="Basic256Sha256",
                    security_mode="Sign", auth="Username/Password", username="operator",
                    password_file=secret(folder, "wrong"))
    trust(gateway)
    text = wait_for(lambda: next((text for text in [json.dumps(explained(gateway, "Int32"))]
                                  if "password" in text), None), "the refusal in words")
    assert "operator" in text or "user" in text
    assert "wrong" not in text.replace("wrong password", "")
    assert not values(gateway)


def test_user_by_certificate(folder, cleanup, own):
    import subprocess
    key, cert, der = folder / "user.key", folder / "user.pem", folder / "user.der"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "30", "-subj", "/CN=engineer", "-addext", "keyUsage=digitalSignature"],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-in", cert, "-outform", "DER", "-out", der], check=True)
    key.chmod(0o600)
    own.ask(f"trust {der}")
    gateway = start(folder, cleanup, own, [node("Int32")], security_policy="Basic256Sha256",
                    security_mode="SignAndEncrypt", auth="Certificate", cert=str(cert), key=str(key))
    trust(gateway)
    wait_value(gateway, "Int32", -2000000000)
