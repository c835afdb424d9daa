"""Trusted Servers in Debian's Chromium, with a real OPC UA server that encrypts: from the device to the
certificate that waits, accepting it, values, revoking it; what each role sees."""
import pytest

import web_ui
from harness import Gateway, Plant, free_port, group, wait_for

pytestmark = [web_ui.WITHOUT]


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder, opcua=True))


def opcua(name, port):
    """127.1 is another spelling of the address, which no certificate has."""
    return {"device_name": name, "protocol": "OPCUA", "url": f"opc.tcp://127.1:{port}", "timeout": 5}


def level(device):
    return {"var_name": "level", "device": device, "identifier": "nsu=urn:penstock:sim;s=Plant.Level"}


def test_a_server_is_accepted_and_revoked(folder, cleanup, plant):
    gateway = cleanup(Gateway(folder / "gateway", {
        "devices": [opcua("press", plant.opcua_port), opcua("oven", free_port())],
        "groups": [group(polling=1, upload=1)], "vars": [level("press"), level("oven")]}, web=True))
    met = wait_for(lambda: gateway.api("GET", "/trust")[1]["items"], "the first contact")[0]
    assert met["state"] == "rejected" and met["warning"] != ""
    for name, role in (("vera", "viewer"), ("emil", "engineer")):
        web_ui.account(gateway, name, role)
    told = {key: met[key] for key in ("fingerprint", "subject", "warning")}
    program = cleanup(web_ui.start("trust", gateway, **web_ui.account(gateway), **told))
    web_ui.held(program)
    now = gateway.api("GET", "/trust")[1]
    assert [(item["fingerprint"], item["state"]) for item in now["items"]] == [(met["fingerprint"], "rejected")]
    rows = gateway.api("GET", "/audit")[1]["items"]
    decided = [(row["who"], row["what"]) for row in rows if row["what"].endswith("Certificate")]
    assert sorted(decided) == [("anna", "acceptCertificate"), ("anna", "revokeCertificate")]
