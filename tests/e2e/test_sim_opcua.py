"""The OPC UA side of penstock-sim, through its port with the fault knobs, against node-opcua's client."""
import pytest

import opcua_peers
from harness import Plant, wait_for

SECURE = [(policy, mode) for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep")
          for mode in ("Sign", "SignAndEncrypt")]


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder, opcua=True))


def test_values_writes_and_browsing(folder, plant):
    seen = opcua_peers.client(
        folder, plant.opcua_port,
        read=["@Plant.Temperature", "@Plant.Setpoint", "@Plant.Recipe", "@Memory.Numbers", "@Types.SByte",
              "@Types.Float", "@Nothing"],
        write={"@Plant.Setpoint": ["Int16", 31], "@Plant.Recipe": ["String", "RECIPE-9"],
               "@Plant.Level": ["UInt16", 1], "@Plant.Heater": ["Int32", 1]},
        browse="@Plant", watch="@Plant.Counter")
    assert "error" not in seen
    read = seen["read"]
    assert read["@Plant.Temperature"][0] == "Good" and 10 < read["@Plant.Temperature"][1] < 40
    assert read["@Plant.Setpoint"] == ["Good", 22, "Int16"]
    assert read["@Plant.Recipe"] == ["Good", "RECIPE-1", "String"]
    assert read["@Memory.Numbers"] == ["Good", [0] * 10, "Int32"]
    assert read["@Types.SByte"] == ["Good", -8, "SByte"]
    assert read["@Types.Float"] == ["Good", 32.5, "Float"]
    assert read["@Nothing"][0] == "BadNodeIdUnknown"
    assert seen["write"] == {"@Plant.Setpoint": "Good", "@Plant.Recipe": "Good",
                             "@Plant.Level": "BadNotWritable", "@Plant.Heater": "BadTypeMismatch"}
    assert {"Temperature", "Counter", "Setpoint", "Speed"} <= set(seen["browse"])
    assert len(set(seen["watch"])) == 3
    assert plant.command("get 40101") == "31"
    # What comes by Modbus is seen, too.
    plant.command("set 40101 33")
    seen = opcua_peers.client(folder, plant.opcua_port, read=["@Plant.Setpoint", "@Plant.Recipe"])
    assert seen["read"]["@Plant.Setpoint"][1] == 33
    assert seen["read"]["@Plant.Recipe"][1] == "RECIPE-9"


@pytest.mark.parametrize("policy, mode", SECURE)
def test_every_policy_and_mode(folder, plant, policy, mode):
    seen = opcua_peers.client(folder, plant.opcua_port, policy=policy, mode=mode, user="operator",
                              password="penstock", read=["@Plant.Setpoint"],
                              write={"@Plant.Setpoint": ["Int16", 25]})
    assert seen == {"read": {"@Plant.Setpoint": ["Good", 22, "Int16"]},
                    "write": {"@Plant.Setpoint": "Good"}}


def test_users(folder, plant):
    seen = opcua_peers.client(folder, plant.opcua_port, user="viewer", password="penstock",
                              read=["@Plant.Setpoint"], write={"@Plant.Setpoint": ["Int16", 25]})
    assert seen["write"] == {"@Plant.Setpoint": "BadUserAccessDenied"}
    seen = opcua_peers.client(folder, plant.opcua_port, user="viewer", password="wrong")
    assert "BadUserAccessDenied" in seen["error"] or "BadIdentityTokenRejected" in seen["error"]


def test_faults(folder, plant):
    plant.command("opcua missing Plant.Level")
    plant.command("opcua deny Plant.Speed")
    plant.command("opcua bad Types.Int32 BadSensorFailure")
    nodes = ["@Plant.Level", "@Plant.Speed", "@Types.Int32", "@Types.Int16"]
    seen = opcua_peers.client(folder, plant.opcua_port, read=nodes)["read"]
    assert [seen[node][0] for node in nodes] == ["BadNodeIdUnknown", "BadUserAccessDenied",
                                                 "BadSensorFailure", "Good"]
    plant.command("opcua restart")
    seen = opcua_peers.client(folder, plant.opcua_port, read=["@Types.Int16"])["read"]
    assert seen["@Types.Int16"][0] == "Good"
    plant.command("opcua ok")
    seen = opcua_peers.client(folder, plant.opcua_port, read=nodes)["read"]
    assert {row[0] for row in seen.values()} == {"Good"}
    wait_for(lambda: plant.stats("opcua")["connections"] == 0, "the connections to end")
