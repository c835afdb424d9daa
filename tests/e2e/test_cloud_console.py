"""The console page of penstock-cloud in Debian's Chromium, as a person uses it: clicking, typing,
keys only. Pictures are kept in the build folder, under console-pictures/."""
import json
import shutil
import subprocess
import urllib.request

import harness
import node_modules
import pytest
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
