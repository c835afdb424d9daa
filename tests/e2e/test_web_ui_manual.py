"""The AWS IoT manual as a whole in the browser: the console of the local cloud and the gateway's own
pages, only by clicking and typing. Pictures: BUILD/gateway-pictures/manual."""
import json

import harness
import web_ui
from console_cloud import Cloud
from harness import Gateway
from test_seed_scenario import RECEIVE_SCRIPT, RETURN_SCRIPT

pytestmark = [web_ui.WITHOUT]
SECONDS = 180  # for all of it


def test_the_manual_by_clicking_and_typing(folder, cleanup, modbus):
    modbus.set("holding", 0, 12)
    cloud = cleanup(Cloud(folder / "cloud"))
    gateway = cleanup(Gateway(folder / "gateway", {}, web=True))
    browser = cleanup(web_ui.start(
        "manual", gateway, code=gateway.api("GET", "/setup/code")[1]["code"], console=cloud.page,
        name=web_ui.NAME, password=web_ui.PASSWORD, port=modbus.port, publish=RETURN_SCRIPT,
        subscribe=RECEIVE_SCRIPT))
    web_ui.held(browser)
    told = json.loads(browser.find('"seconds"')[0])
    (browser.pictures / "figures.json").write_text(json.dumps(told))
    assert told["seconds"] < SECONDS * harness.PATIENCE / 60, told
    gateway.wait_line("Hello from AWS IoT console")
    assert gateway.message("vars_upload")["delivered"] > 0
    assert gateway.message("vars_upload")["dead"] == 0
