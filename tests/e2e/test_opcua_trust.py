"""OPC UA through the whole gateway: first contact, trusting a server at the command line, values, writing,
browsing, a restart of the server. The server is the simulator's."""
import json

import pytest

from harness import Gateway, Plant, group, wait_for

SPACE = "nsu=urn:penstock:sim;s="


def device(plant, name="press", **more):
    return {"device_name": name, "protocol": "OPCUA", "url": f"opc.tcp://127.0.0.1:{plant.opcua_port}",
            "timeout": 5, **more}


def node(name, identifier, **more):
    return {"var_name": name, "device": "press", "identifier": SPACE + identifier, **more}


def config(plant, **more):
    return {"devices": [device(plant, **more)], "groups": [group()],
            "vars": [node("level", "Plant.Level"),
                     node("setpoint", "Plant.Setpoint", read_write="read/write"),
                     node("counter", "Plant.Counter", mode="onchange"),
                     node("third", "Memory.Numbers", array_index=3, read_write="read/write")]}


@pytest.fixture
def plant(tmp_path):
    plant = Plant(tmp_path, opcua=True)
    yield plant
    plant.stop()


@pytest.fixture
def gateway(tmp_path, plant):
    gateway = Gateway(tmp_path / "g", config(plant))
    yield gateway
    gateway.stop()


def trust(gateway):
    return json.loads(gateway.cli("trust", "--json").stdout)


def first_contact(gateway):
    gateway.wait_line("CHANNEL-AWAY", "is not trusted yet", "penstock trust accept")
    items = trust(gateway)["items"]
    assert len(items) == 1
    return items[0]


def good(gateway, name, device="press"):
    row = gateway.tags().get((device, name), {})
    return row if row.get("quality") == "good" else None


def wait_good(gateway, *names):
    for name in names:
        wait_for(lambda name=name: good(gateway, name), f"a good value of {name}")


def accept(gateway):
    gateway.cli("trust", "accept", "press")
    wait_good(gateway, "level", "setpoint", "counter", "third")


def test_first_contact_is_a_decision(gateway, plant):
    met = first_contact(gateway)
    assert met["state"] == "rejected"
    assert met["devices"] == ["press"] and met["warning"] == ""
    assert met["endpoint"] == f"opc.tcp://127.0.0.1:{plant.opcua_port}"
    table = gateway.cli("trust").stdout
    assert "rejected" in table and met["fingerprint"] in table and "press" in table
    assert not good(gateway, "level")
    accepted = gateway.cli("trust", "accept", met["fingerprint"][:16]).stdout
    assert accepted.startswith("trusted: ")
    wait_good(gateway, "level", "setpoint", "counter", "third")
    now = trust(gateway)
    assert now["items"][0]["state"] == "trusted"
    assert now["own"]["fingerprint"] and now["own"]["path"].startswith(str(gateway.state))
    rows = json.loads(gateway.cli("audit", "--json").stdout)["items"]
    assert any(row["what"] == "acceptCertificate" for row in rows)


def test_a_certificate_for_another_name_is_a_warning(tmp_path, plant):
    """127.1 is another spelling of the address, which no certificate has."""
    gateway = Gateway(tmp_path / "g", config(plant, url=f"opc.tcp://127.1:{plant.opcua_port}"))
    try:
        met = first_contact(gateway)
        words = "the server was asked as 127.1, its certificate is for localhost, 127.0.0.1"
        assert met["warning"] == words
        gateway.wait_line("CHANNEL-NOTE", words)
        assert f"warning: {words}" in gateway.cli("trust").stdout
        accept(gateway)  # no refusal
    finally:
        gateway.stop()


def check_live(gateway, *arguments):
    """The whole report, and what it says of the one device."""
    report = json.loads(gateway.cli("check", "--live", gateway.config_dir, "--json", *arguments, check=False).stdout)
    return report, report["devices"]["endpoints"][0]["devices"][0]


def files_below(folder):
    return {path: path.read_bytes() for path in (folder / "drivers" / "OPCUA").rglob("*") if path.is_file()}


def test_a_live_check_connects_as_the_gateway_would(tmp_path, plant):
    gateway = Gateway(tmp_path / "g", config(plant), start=False)
    report, press = check_live(gateway, "--state", gateway.state)
    assert not report["ok"] and press["good"] == 0
    assert "the gateway has not met it yet" in press["error"] and "penstock trust accept " in press["error"]
    assert not gateway.state.exists()  # a check keeps nothing
    gateway.start()
    try:
        met = first_contact(gateway)
        report, press = check_live(gateway)  # the running gateway says where its list is
        assert not report["ok"] and "is not trusted yet" in press["error"]
        assert f"penstock trust accept {met['fingerprint'][:16]}" in press["error"]
        assert trust(gateway)["items"][0]["state"] == "rejected"  # nor does it accept
        accept(gateway)
        before = files_below(gateway.state)
        report, press = check_live(gateway)
        assert report["ok"] and press["state"] == "answers", press
        assert (press["good"], press["readable"]) == (4, 4)
        assert files_below(gateway.state) == before
    finally:
        gateway.stop()
    report, press = check_live(gateway, "--state", gateway.state)
    assert report["ok"] and press["good"] == 4
    assert gateway.cli("check", "--live", gateway.config_dir, "--state", check=False).returncode == 2


def test_what_is_not_there_cannot_be_accepted(gateway):
    result = gateway.cli("trust", "accept", "0123456789abcdef", check=False)
    assert result.returncode == 1
    assert "was met" in result.stderr
    assert gateway.cli("trust", "accept", "xyz", check=False).returncode == 1
    assert gateway.cli("trust", "frobnicate", check=False).returncode == 2


def test_revoking_ends_it_at_the_next_connection(gateway):
    first_contact(gateway)
    accept(gateway)
    gateway.cli("trust", "revoke", "press")
    assert trust(gateway)["items"][0]["state"] == "rejected"
    gateway.stop()
    gateway.start()
    gateway.wait_line("CHANNEL-AWAY", "is not trusted yet")


def test_writes_and_reads_back(gateway):
    first_contact(gateway)
    accept(gateway)
    assert "-7" in gateway.cli("write", "press", "setpoint", "-7").stdout
    assert "44" in gateway.cli("write", "press", "third", "44").stdout
    result = gateway.cli("write", "press", "setpoint", "40000", check=False)
    assert result.returncode == 1
    assert "Int16" in result.stderr and "from -32768 to 32767" in result.stderr


def test_the_largest_numbers(tmp_path, plant):
    """Above 2^63, where JSON parsers think of something else."""
    large = {**config(plant, security_policy="None"),
             "vars": [node("large", "Types.UInt64", read_write="read/write")]}
    gateway = Gateway(tmp_path / "large", large)
    try:
        wait_good(gateway, "large")
        answer = gateway.cli("write", "press", "large", "18446744073709551615").stdout
        assert "18446744073709551615" in answer
        wait_for(lambda: "18446744073709551615" in gateway.cli("tags").stdout, "the number to be shown")
    finally:
        gateway.stop()


def test_a_restarted_server_is_found_again(gateway, plant):
    first_contact(gateway)
    accept(gateway)
    before = good(gateway, "counter")["value"]
    plant.command("opcua restart")  # its namespace has another number then
    wait_for(lambda: (good(gateway, "counter") or {}).get("value", before) != before,
             "the counter to move on")
    wait_good(gateway, "level", "setpoint", "counter", "third")


def test_a_forgotten_session_is_made_anew(gateway, plant):
    first_contact(gateway)
    accept(gateway)
    plant.command("opcua drop-session")
    before = good(gateway, "counter")["value"]
    wait_for(lambda: (good(gateway, "counter") or {}).get("value", before) != before,
             "the counter to move on")


def test_a_missing_node_spoils_no_other(gateway, plant):
    first_contact(gateway)
    accept(gateway)
    plant.command("opcua missing Plant.Level")
    wait_for(lambda: gateway.tags()[("press", "level")]["quality"] != "good", "the node to be missed")
    gateway.wait_line("DEVICE-REFUSES", "Plant.Level", "no such node")
    assert good(gateway, "setpoint")


def test_a_smaller_limit_than_told_is_learned(gateway, plant):
    first_contact(gateway)
    accept(gateway)
    plant.command("opcua max-nodes 2 untold")
    before = good(gateway, "counter")["value"]
    wait_for(lambda: (good(gateway, "counter") or {}).get("value", before) != before,
             "the counter to move on")
    wait_good(gateway, "level", "setpoint", "counter", "third")


def test_browse_names_what_a_variable_needs(gateway):
    first_contact(gateway)
    accept(gateway)
    result = gateway.cli("browse", "press", "--all").stdout
    assert SPACE + "Plant.Temperature" in result
    assert "Double" in result and "Int32[10]" in result


def test_user_and_password(tmp_path, plant):
    secret = tmp_path / "password"
    secret.write_text("penstock\n")
    secret.chmod(0o600)
    gateway = Gateway(tmp_path / "g", config(plant, auth="Username/Password", username="operator",
                                             password_file=str(secret)))
    try:
        first_contact(gateway)
        accept(gateway)
        secret.write_text("wrong\n")
        gateway.stop()
        gateway.start()
        gateway.wait_line("CHANNEL-AWAY", "the server does not accept the user")
        report, press = check_live(gateway)
        assert not report["ok"] and "the server does not accept the user" in press["error"]
        fast = gateway.cli("explain", "press", "level", "--fast").stdout
        assert "does not accept the user" in " ".join(fast.split()) and "switched on" not in fast
    finally:
        gateway.stop()


def test_without_protection_only_when_chosen(tmp_path, plant):
    gateway = Gateway(tmp_path / "g", config(plant, security_policy="None"))
    try:
        wait_good(gateway, "level", "setpoint", "counter", "third")
        assert trust(gateway)["items"] == []
    finally:
        gateway.stop()
