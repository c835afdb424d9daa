"""The console page of penstock-cloud in Debian's Chromium, as a person uses it: clicking, typing,
keys only. Pictures are kept in the build folder, under console-pictures/."""
import json
import shutil
import socket
import ssl
import subprocess
import types
import urllib.request

import harness
import node_modules
import pytest
from cloud_api import ALLOW_ALL, quote
from cloud_device import Device
from console_cloud import Cloud

PICTURES = harness.BIN.parent / "console-pictures"
PAGE = harness.BIN.parent / "share/penstock/cloud-console"
pytestmark = [pytest.mark.skipif(not PAGE.is_dir(), reason="built with -Dweb=false")]


@pytest.fixture
def cloud(folder, cleanup):
    node_modules.install()
    return cleanup(Cloud(folder / "cloud"))


@pytest.fixture
def scenario(cleanup):
    def start(name, cloud):
        pictures = PICTURES / name
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir(parents=True)
        program = node_modules.program(
            [node_modules.HERE / f"console/{name}.mjs", cloud.page, pictures], name)
        program.pictures = pictures
        return cleanup(program)
    return start


@pytest.fixture
def press(folder, cleanup):
    """A cloud with a thing, and its device, which connects when it is asked to."""
    node_modules.install()
    cloud = cleanup(Cloud(folder / "cloud", "--thing", "press"))
    place = types.SimpleNamespace(endpoint=cloud.ready["endpoint"], port=cloud.ready["port"])
    files = cloud.ready["things"]["press"]

    def connect(**more):
        return cleanup(Device(place, "press", files, **more))

    def is_let_in():
        context = ssl.create_default_context(cafile=files["root_ca"])
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # refused in the handshake, not behind it
        context.load_cert_chain(files["cert"], files["key"])
        try:
            with socket.create_connection((place.endpoint, place.port), harness.PATIENCE) as plain:
                context.wrap_socket(plain, server_hostname=place.endpoint).close()
        except ssl.SSLError:
            return False
        return True
    return types.SimpleNamespace(cloud=cloud, connect=connect, is_let_in=is_let_in)


def held(program):
    """The scenario ends by itself, well."""
    assert program.process.wait(200) == 0, program.text()


def test_chapter_1_of_the_manual_and_its_files(cloud, scenario):
    browser = scenario("chapter1", cloud)
    told = json.loads(browser.wait_line('"files"', timeout=120))
    files = {name.split("-", 1)[-1]: browser.pictures / "files" / name for name in told["files"]}
    assert set(files) == {"certificate.pem.crt", "public.pem.key", "private.pem.key", "AmazonRootCA1.pem"}
    subprocess.run(
        ["mosquitto_pub", "-h", "localhost", "-p", str(cloud.ready["port"]), "-i", told["thing"],
         "--cafile", files["AmazonRootCA1.pem"], "--cert", files["certificate.pem.crt"],
         "--key", files["private.pem.key"], "-q", "1", "-t", "awsiot/test",
         "-m", '[{"Device": "Temperature_Sensor", "Data": {"Test": 23}}]'],
        check=True, timeout=harness.PATIENCE)
    held(browser)
    assert {thing["thingName"] for thing in cloud.ok("GET", "/things")["things"]} >= {told["thing"]}


def test_every_page_at_each_width_light_and_dark_without_barriers(cloud, scenario):
    cloud.policy("everything")
    held(scenario("look", cloud))


def test_a_lost_connection_is_shown_and_heals(cloud, scenario):
    browser = scenario("lost", cloud)
    browser.wait_line("open")
    cloud.stop()
    browser.send("gone")
    browser.wait_line("lost")
    cloud.start()
    cloud.thing("made_meanwhile")
    browser.send("back")
    held(browser)


def test_keys_alone_and_refusals_in_the_words_of_the_api(cloud, scenario):
    held(scenario("keys", cloud))


def test_a_shadow_is_edited_while_its_device_is_there(press, scenario):
    shadow = "$aws/things/press/shadow"
    device = press.connect(subscribe=[f"{shadow}/update/delta", f"{shadow}/update/accepted"])
    browser = scenario("shadow", press.cloud)
    browser.wait_line("made", timeout=120)
    assert device.take(f"{shadow}/update/delta")["state"] == {"speed": 5, "colour": "red"}
    browser.send("seen")
    browser.wait_line("editing", timeout=120)
    assert device.ask(f"{shadow}/update", {"state": {"reported": {"speed": 5}}})[0] == "accepted"
    browser.send("reported")
    browser.wait_line("edited", timeout=120)
    document = press.cloud.ok("GET", "/things/press/shadow")
    assert document["state"] == {"desired": {"speed": 7}, "reported": {"speed": 5}, "delta": {"speed": 7}}
    browser.send("right")
    held(browser)
    press.cloud.refused(404, "ResourceNotFoundException", "GET", "/things/press/shadow")
    recipe = press.cloud.ok("GET", "/things/press/shadow?name=recipe")
    assert recipe["state"]["desired"] == {"grams": 12}


def test_versions_of_a_policy_and_what_a_device_may(press, scenario):
    cloud = press.cloud
    cloud.policy("line", ALLOW_ALL)
    certificate = cloud.ok("GET", "/things/press/principals")["principals"][0]
    for policy in cloud.ok("POST", f"/attached-policies/{quote(certificate)}")["policies"]:
        cloud.ok("POST", f"/target-policies/{policy['policyName']}", {"target": certificate})
    cloud.ok("PUT", "/target-policies/line", {"target": certificate})
    browser = scenario("versions", cloud)
    browser.wait_line("beside", timeout=120)
    assert cloud.ok("GET", "/policies/line")["defaultVersionId"] == "1"
    device = press.connect()
    device.client.reconnect_delay_set(600, 600)  # it does not come back by itself
    device.send("press/alive")
    browser.send("seen")
    browser.wait_line("in force", timeout=120)
    assert cloud.ok("GET", "/policies/line")["defaultVersionId"] == "2"
    device.client.publish("press/alive", "", 1)  # version 2 lets it connect and subscribe only
    assert device.down.get(timeout=harness.PATIENCE) != 0
    device.stop()
    browser.send("seen")
    held(browser)
    press.connect().send("press/alive")  # version 3 allows all
    versions = cloud.ok("GET", "/policies/line/version")["policyVersions"]
    assert sorted(version["versionId"] for version in versions) == ["2", "3", "4", "5", "6"]
    assert [version["versionId"] for version in versions if version["isDefaultVersion"]] == ["3"]


def test_a_certificate_is_revoked_and_its_device_is_out(press, scenario):
    device = press.connect()
    browser = scenario("revoke", press.cloud)
    device.client.reconnect_delay_set(600, 600)  # it does not come back by itself
    browser.wait_line("asked", timeout=120)
    device.send("press/alive")
    assert device.down.empty() and press.is_let_in()
    browser.send("is there")
    browser.wait_line("revoked", timeout=120)
    assert device.down.get(timeout=harness.PATIENCE) != 0
    device.stop()
    assert not press.is_let_in()
    browser.send("is out")
    browser.wait_line("active", timeout=120)
    press.connect().send("press/alive")
    browser.send("is back")
    held(browser)


def test_the_page_is_served_with_a_strict_policy(cloud):
    with urllib.request.urlopen(cloud.page, timeout=harness.PATIENCE) as answer:
        rules = answer.headers["Content-Security-Policy"]
        text = answer.read().decode()
    assert "default-src 'none'" in rules and "script-src 'self';" in rules
    assert "<script>" not in text and "http://" not in text.replace("http-equiv", "")
    assert cloud.raw("GET", "/console/../cloud.db")[0] == 404
    pem = cloud.ok("GET", "/_penstock/roots/AmazonRootCA1.pem")["pem"]
    assert pem == (cloud.folder / "AmazonRootCA1.pem").read_text()
    cloud.refused(404, "ResourceNotFoundException", "GET", "/_penstock/roots/cloud.db")
