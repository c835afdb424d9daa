"""The gateway's pages in Debian's Chromium: accounts for them, and programs that use them as a person
does. Pictures are kept in the build folder, under gateway-pictures/."""
import base64
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import urllib.parse

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


def key_of(url):
    """SHA-256 of the public key that the server shows, in base64, as Chromium wants it."""
    place = urllib.parse.urlsplit(url)
    pem = ssl.get_server_certificate((place.hostname, place.port))
    public = subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=pem.encode(), capture_output=True, check=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public.stdout, capture_output=True, check=True)
    return base64.b64encode(hashlib.sha256(der.stdout).digest()).decode()


def start(scenario, gateway, /, **told):
    """Scenario gateway/SCENARIO.mjs at the gateway's page; `told` is what it knows."""
    node_modules.install()
    pictures = PICTURES / scenario
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    url = gateway.web_url.rstrip("/") + "/"
    os.environ["PENSTOCK_SCENARIO"] = json.dumps(told)
    os.environ["PENSTOCK_KEY"] = key_of(url)
    try:
        program = node_modules.program(
            [node_modules.HERE / f"gateway/{scenario}.mjs", url, pictures], scenario)
    finally:
        del os.environ["PENSTOCK_SCENARIO"], os.environ["PENSTOCK_KEY"]
    program.pictures = pictures
    return program


def held(program):
    """The scenario ends by itself, well."""
    assert program.process.wait(PATIENCE) == 0, program.text()
