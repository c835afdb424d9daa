"""`penstock script canary`: a draft beside the live script, compared call by call; only the live one
is heard."""
import json

from harness import (Gateway, Receiver, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

LIVE = '''
def main(data_collect, wizard_api):
    return {"at": data_collect["timestamp"], "sum": 1 + 2}
'''
OTHER = LIVE.replace("1 + 2", "1 - 2")
SAME = LIVE.replace("1 + 2", "2 + 1")
WRITES = "import tempfile\n" + SAME.replace("    return", "    tempfile.TemporaryFile().close()\n    return")
COUNTS = LIVE.replace('"sum"', '"number": wizard_api.sequence(), "sum"')
RAISES = LIVE.replace("1 + 2", "1 / 0")


def compare(gateway, draft, text, calls=5):
    draft.write_text(text)
    result = gateway.cli("script", "canary", "live", draft, "--calls", calls, "--json", check=False)
    return result.returncode, json.loads(result.stdout)


def test_a_draft_beside_the_live_script(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group(polling=0.1, upload=0.1)], "cloud": cloud_block(cloud),
        "publish": [publish("live", "live")]}, {"live.py": LIVE}))
    wait_for(lambda: receiver.messages("live"), "the live script")
    pid = gateway.worker("live")["pid"]
    draft = folder / "draft.py"
    status, report = compare(gateway, draft, SAME)
    assert (status, report["same"], report["different"]) == (0, 5, 0), report
    # A draft may write in a scratch folder, as the live script may.
    status, report = compare(gateway, draft, WRITES)
    assert (status, report["same"], report["different"]) == (0, 5, 0), report
    status, report = compare(gateway, draft, OTHER)
    assert (status, report["same"], report["different"]) == (1, 0, 5), report
    assert '"sum": 3' in report["live"] and '"sum": -1' in report["draft"]
    status, report = compare(gateway, draft, RAISES)
    assert status == 1 and report["different"] == 5 and report["failed"] > 0 and not report["draft"]
    status, report = compare(gateway, draft, "def main(d, w:\n")
    assert status == 1 and "line 1" in report["error"], report
    refused = gateway.cli("script", "canary", "nobody", draft, check=False)
    assert refused.returncode == 1 and "nobody" in refused.stderr
    assert all(row["sum"] == 3 for row in receiver.documents("live"))
    assert gateway.worker("live")["pid"] == pid


def test_a_draft_counts_as_the_live_script_does(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group(polling=0.2, upload=0.2)], "cloud": cloud_block(cloud),
        "publish": [publish("live", "live")]}, {"live.py": COUNTS}))
    wait_for(lambda: len(receiver.messages("live")) >= 3, "the live script")
    status, report = compare(gateway, folder / "draft.py", COUNTS.replace("1 + 2", "2 + 1"))
    assert (status, report["same"], report["different"]) == (0, 5, 0), report


def test_the_gateway_stops_while_a_draft_is_compared(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group(polling=0.1, upload=0.1)], "cloud": cloud_block(cloud),
        "publish": [publish("live", "live")]}, {"live.py": LIVE}))
    draft = folder / "draft.py"
    draft.write_text(SAME)
    draft = {"name": "live", "source": SAME}
    assert gateway.api("POST", "/canary", draft)[1]["state"] == "running"
    status, problem = gateway.api("POST", "/canary", draft)
    assert status == 409 and "under way" in problem["detail"], problem
    assert gateway.stop() == 0
