"""The gateway's pages in Debian's Chromium: accounts for them, and programs that use them as a person
does. Pictures are kept in the build folder, under gateway-pictures/."""
import json
import os
import shutil

import harness
import node_modules
import pytest

PICTURES = harness.BIN.parent / "gateway-pictures"
PAGE = harness.BIN.parent / "share/penstock/gateway"
WITHOUT = pytest.mark.skipif(not PAGE.is_dir(), reason="built with -Dweb=false")

NAME = "anna"
PASSWORD = "seven brass turbines"
PATIENCE = 280  # seconds for a whole scenario on a slow machine


def account(gateway, name=NAME, role="administrator", password=PASSWORD):
    """Made over the command socket, whose users are administrators."""
    status, answer = gateway.api("POST", "/users", {"name": name, "role": role, "password": password})
    assert status in (200, 201), answer
    return {"name": name, "password": password}


def start(scenario, gateway, /, **told):
    """Scenario gateway/SCENARIO.mjs at the gateway's page; `told` is what it knows."""
    node_modules.install()
    pictures = PICTURES / scenario
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    url = gateway.web_url.rstrip("/") + "/"
    os.environ["PENSTOCK_SCENARIO"] = json.dumps(told)
    try:
        program = node_modules.program(
            [node_modules.HERE / f"gateway/{scenario}.mjs", url, pictures], scenario)
    finally:
        del os.environ["PENSTOCK_SCENARIO"]
    program.pictures = pictures
    return program


def held(program):
    """The scenario ends by itself, well."""
    assert program.process.wait(PATIENCE) == 0, program.text()
