"""Keys for certificates are made beside the loop: nobody waits for another's key, and a cloud that
stops in the middle of it stops."""
import http.client
import select
import threading

import pytest
from harness import PATIENCE, WITHOUT_RATES, Cloud, wait_for
from mqtt_raw import RawClient

KEYS = 20
CREATE = "$aws/certificates/create/json"


@pytest.fixture
def cloud(tmp_path):
    cloud = Cloud(tmp_path / "cloud", limits=WITHOUT_RATES, options=["--quiet", "--api-port=0"])
    yield cloud
    cloud.stop()


def api(cloud):
    port = int(cloud.ready["api_url"].rsplit(":", 1)[1].strip("/"))
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


def make_certificate(connection):
    connection.request("POST", "/keys-and-certificate?setAsActive=true")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_messages_go_on_while_keys_are_made(cloud):
    meanwhile = []  # messages between the request for a key and its answer
    connection = api(cloud)
    connection.connect()
    with RawClient(cloud, "talker") as client:
        client.subscribed("keys/a", qos=0)
        for _ in range(KEYS):
            connection.request("POST", "/keys-and-certificate")
            arrived = 0
            while not select.select([connection.sock], [], [], 0)[0]:
                client.publish("keys/a", qos=0)
                client.expect("PUBLISH")
                arrived += 1
            answer = connection.getresponse()
            assert answer.read() and answer.status == 200
            meanwhile.append(arrived)
    # A few may come before the cloud has read the request. A loop that makes the key itself lets
    # no more come.
    assert sum(meanwhile) > 10 * KEYS, meanwhile


def test_provisioning_keeps_nobody_waiting(cloud):
    with RawClient(cloud, "claimer") as client:
        client.subscribed(f"{CREATE}/accepted")
        asked = b"".join(client.publish_bytes(CREATE, b"{}") for _ in range(4))
        client.send(asked + b"\xc0\x00")  # and a PINGREQ
        names = [client.receive().name for _ in range(4 + 1 + 4)]
    # Asked in one piece: the ping, which the front answers itself, is answered before any key is
    # there. Acknowledgements come from the broker.
    assert "PINGRESP" in names[:names.index("PUBLISH")], names
    assert sorted(names) == ["PINGRESP"] + ["PUBACK"] * 4 + ["PUBLISH"] * 4


def test_a_cloud_that_makes_keys_stops(cloud):
    outcomes = []

    def ask():
        try:
            outcomes.append(make_certificate(api(cloud)))
        except (OSError, http.client.HTTPException):
            outcomes.append("closed")

    askers = [threading.Thread(target=ask) for _ in range(KEYS)]
    for asker in askers:
        asker.start()
    wait_for(lambda: outcomes, "the first key")
    assert cloud.stop() == 0
    for asker in askers:
        asker.join(PATIENCE)
    assert len(outcomes) == KEYS and set(outcomes) <= {200, 503, "closed"}, outcomes
