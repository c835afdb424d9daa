"""The log level of a running gateway: shown, set, taken back; a restart goes by penstock.json."""
import json
import os
import pwd

import pytest

from harness import Gateway, wait_for


@pytest.fixture
def gateway(folder, cleanup):
    return cleanup(Gateway(folder, {"parameters": {"log_level": "WARNING"}}, start=False)
                   ).start(ready=None)


def level(gateway):
    return json.loads(gateway.cli("log-level", "--json").stdout)


def wait_up(gateway):
    wait_for(lambda: gateway.cli("log-level", check=False).returncode == 0, "the gateway")


def test_set_until_the_restart(gateway):
    wait_up(gateway)
    assert gateway.cli("log-level").stdout == "WARNING (penstock.json: WARNING)\n"
    me = pwd.getpwuid(os.getuid()).pw_name
    assert gateway.cli("log-level", "debug").stdout == "DEBUG (penstock.json: WARNING)\n"
    gateway.wait_line(f"LOG-LEVEL: log level WARNING -> DEBUG until the restart, by {me}")
    gateway.cli("log-level", "ERROR")  # which is said before the log falls silent
    gateway.wait_line(f"LOG-LEVEL: log level DEBUG -> ERROR until the restart, by {me}")
    assert level(gateway) == {"level": "ERROR", "configured": "WARNING"}
    gateway.stop()
    gateway.start(ready=None)
    wait_up(gateway)
    assert level(gateway) == {"level": "WARNING", "configured": "WARNING"}


def test_set_for_a_time(gateway):
    wait_up(gateway)
    shown = gateway.cli("log-level", "INFO", "--for", "10m").stdout
    assert shown.startswith("INFO until 20") and "then WARNING (penstock.json: WARNING)" in shown
    gateway.cli("log-level", "DEBUG", "--for", "2s")  # another one: what comes then stays the same
    before = level(gateway)
    assert before["level"] == "DEBUG" and before["then"] == "WARNING"
    wait_for(lambda: level(gateway) == {"level": "WARNING", "configured": "WARNING"},
             "the time to be over")
    gateway.wait_line("log level DEBUG -> WARNING again")
    # One that is to stay ends what is for a time.
    gateway.cli("log-level", "DEBUG", "--for", "1s")
    gateway.cli("log-level", "ERROR")
    gateway.cli("log-level", "INFO", "--for", "1s")
    wait_for(lambda: level(gateway) == {"level": "ERROR", "configured": "WARNING"},
             "the level that was to stay")


def test_what_is_wrong_changes_nothing(gateway):
    wait_up(gateway)
    result = gateway.cli("log-level", "loud", check=False)
    assert result.returncode == 1 and "'loud' is none; use DEBUG, INFO" in result.stderr
    result = gateway.cli("log-level", "DEBUG", "--for", "8d", check=False)
    assert result.returncode == 1 and "1 second to 7 days" in result.stderr
    assert gateway.cli("log-level", "DEBUG", "--for", "0s", check=False).returncode == 1
    for wrong in (["DEBUG", "--for"], ["--for", "10m"], ["DEBUG", "INFO"],
                  ["DEBUG", "--for", "soon"]):
        assert gateway.cli("log-level", *wrong, check=False).returncode == 2
    assert level(gateway)["level"] == "WARNING"
