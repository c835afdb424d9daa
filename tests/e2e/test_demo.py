"""`penstock demo --seconds N`: what `make demo` runs."""
import os
import subprocess

from harness import BIN


def test_the_demo_ends_by_itself_with_messages_both_ways():
    result = subprocess.run([str(BIN / "penstock"), "demo", "--seconds", "25"],
                            capture_output=True, text=True, timeout=200,
                            preexec_fn=lambda: os.close(0))  # as some starters leave it
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr
    # Thing, certificate and policy come through the cloud's API, before the gateway starts.
    assert 0 < result.stdout.find("account | policy") < result.stdout.find("gateway | ")
    assert '"Temperature_Sensor"' in result.stdout and '"Data"' in result.stdout
    assert "[<string> 6]: awsiot/send" in result.stdout
    assert "[<string> 7]: " in result.stdout
    assert "[AWSIoT]: receive message, topic: awsiot/send" in result.stdout
