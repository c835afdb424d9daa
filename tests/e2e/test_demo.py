"""`penstock demo --seconds N`: what `make demo` runs."""
import os
import subprocess

from harness import BIN


def test_the_demo_ends_by_itself_with_messages_both_ways():
    result = subprocess.run([str(BIN / "penstock"), "demo", "--seconds", "25"],
                            capture_output=True, text=True, timeout=120,
                            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr
    assert '"Temperature_Sensor"' in result.stdout and '"Data"' in result.stdout
    assert "[<string> 6]: awsiot/send" in result.stdout
    assert "[<string> 7]: " in result.stdout
    assert "[AWSIoT]: receive message, topic: awsiot/send" in result.stdout
