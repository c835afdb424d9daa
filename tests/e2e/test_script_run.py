"""`penstock script run`: a draft against real values, with nothing sent and nothing written."""
import json
import subprocess

from harness import (BIN, PATIENCE, Gateway, Receiver, cloud_block, free_port, group, modbus_device,
                     publish, subscribe, variable, wait_for)

LIVE = "def main(data_collect, wizard_api):\n    return ['live']\n"
DRAFT = '''
def main(data_collect, wizard_api):
    wizard_api.write_plc_values({"v": 99})
    wizard_api.mqtt_publish("draft/now", "x", 0)
    return {"seen": data_collect["values"]["D"]["v"]["raw_data"]}
'''
WRONG = "def main(data_collect, wizard_api):\n    a = 1\n\n\n\n\n    return a / 0\n"


def run_json(gateway, *arguments):
    return json.loads(gateway.cli("script", "run", *arguments, "--json", check=False).stdout)


def test_a_draft_on_the_newest_values(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    modbus.set("holding", 0, 41)
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("v", "D", "WORD", 40001, read_write="read/write")],
        "groups": [group()], "cloud": cloud_block(cloud), "publish": [publish("live", "live")]},
        {"live.py": LIVE}))
    wait_for(lambda: gateway.tags()["D", "v"]["value"] == 41, "the value")
    wait_for(lambda: receiver.messages("live"), "the live script")
    worker = gateway.worker("live")
    draft = folder / "draft.py"
    draft.write_text(DRAFT)
    result = run_json(gateway, draft)
    assert result["ok"], result
    assert [row["method"] for row in result["publishes"]] == ["mqtt_publish", "publish"]
    assert json.loads(result["publishes"][1]["payload"]) == {"seen": 41}
    assert result["publishes"][1]["limit"] == 131072
    assert result["writes"] == [{"device": "D", "var_name": "v", "value": "99"}]
    shown = gateway.cli("script", "run", draft).stdout
    assert 'would publish to the message\'s topic, QoS 1: 12 bytes of at most 131072\n  {"seen": 41}' in shown
    assert "would write D v = 99" in shown and "CPU" in shown
    draft.write_text(WRONG)
    failed = gateway.cli("script", "run", draft, check=False)
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stdout and "[<string> 7]" in failed.stdout
    draft.write_text("def main(topic, payload, wizard_api):\n    print(topic, payload)\n")
    heard = run_json(gateway, draft, "--topic", "a/b", "--payload", "hello")
    assert heard["ok"] and heard["lines"][0]["text"] == "a/b hello"
    refused = gateway.cli("script", "run", draft, "--group", "nowhere", check=False)
    assert refused.returncode == 1 and "nowhere" in refused.stderr
    # Nothing left the gateway or reached the device, and the live script did not notice.
    count = len(receiver.messages("live"))
    wait_for(lambda: len(receiver.messages("live")) > count, "the live script to go on")
    assert {topic for topic, _ in receiver.messages()} == {"live"}
    assert modbus.get("holding", 0) == [41]
    assert gateway.worker("live")["pid"] == worker["pid"]


def test_a_draft_is_cancelled_with_its_client(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud)}))
    endless, short = folder / "endless.py", folder / "short.py"
    endless.write_text("def main(d, w):\n    while True: pass\n")
    short.write_text("def main(d, w):\n    return 1\n")

    def start():
        return subprocess.Popen([str(BIN / "penstock"), "script", "run", str(endless), "--socket",
                                 str(gateway.socket)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    client = start()

    def is_under_way():
        nonlocal client
        if client.poll() is not None:
            client = start()  # the short one was there first
        return "another trial is under way" in gateway.cli("script", "run", short, check=False).stderr

    wait_for(is_under_way, "the trial to be under way")
    client.kill()
    client.wait(timeout=PATIENCE)
    wait_for(lambda: gateway.cli("script", "run", short, check=False).returncode == 0,
             "room for the next trial")


def test_a_draft_without_a_gateway(folder):
    sample = folder / "sample.json"
    sample.write_text(json.dumps({"timestamp": 1597305662.211609, "group_name": "default", "values": {
        "Temperature_Sensor": {"Test": {"raw_data": 2, "status": 1}}}}))
    draft = folder / "draft.py"
    draft.write_text("def vars_upload_test(d, w):\n    return d['values']\n")
    result = subprocess.run(
        [str(BIN / "penstock"), "script", "run", str(draft), "--main", "vars_upload_test", "--input",
         str(sample)], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert '{"Temperature_Sensor": {"Test": {"raw_data": 2, "status": 1}}}' in result.stdout
    sample.write_text('{"values": {"D": 3}}')
    result = subprocess.run([str(BIN / "penstock"), "script", "run", str(draft), "--input",
                             str(sample)], capture_output=True, text=True, timeout=PATIENCE,
                            check=False)
    assert result.returncode == 1 and "values.D: must be an object" in result.stderr


def hot(name, **more):
    return {"warn_name": name, "quotes": 1, "device": "D", "var_name": "v", "condition1": "Gt",
            "operand1": "30", **more}


def test_a_draft_of_alarms(folder, cloud, modbus, cleanup):
    modbus.set("holding", 0, 41)
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port), modbus_device("Gone", free_port(), timeout=0.2)],
        "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group(), {"group_name": "fast", "group_type": "alarm", "polling_interval": 0.2},
                   {"group_name": "empty", "group_type": "alarm"}],
        "warning": [hot("Hot", alarm_content="too hot", group="fast"),
                    hot("Other", device="Gone", var_name="", quotes=0, data_type="FLOAT",
                        register_addr=40001, operand1="2.5")],
        "cloud": cloud_block(cloud)}))
    draft = folder / "draft.py"
    draft.write_text("def main(d, w):\n    return d\n")

    def values(*arguments):
        result = run_json(gateway, draft, *arguments)
        assert result["ok"], result
        return json.loads(result["publishes"][0]["payload"])["values"]

    wait_for(lambda: values("--group", "fast")["Hot"]["value"] == 41, "the value")
    data = json.loads(run_json(gateway, draft, "--group", "fast")["publishes"][0]["payload"])
    stamp = data["values"]["Hot"].pop("timestamp")
    assert isinstance(stamp, int) and 0 <= data["timestamp"] - stamp < 60
    assert data["group_name"] == "fast" and data["values"] == {"Hot": {
        "current": "on", "status": 0, "value": 41, "alarm_content": "too hot", "level": 1}}
    # The predefined group, whose only alarm has read nothing: its operand stands in.
    assert values("--group-type", "alarm")["Other"]["value"] == 2.5
    for arguments, text in ((["--group", "empty"], "has no alarms"),
                            (["--group", "fast", "--group-type", "collect"], "is an alarm group"),
                            (["--group", "default", "--group-type", "alarm"], "is a collect group")):
        refused = gateway.cli("script", "run", draft, *arguments, check=False)
        assert refused.returncode == 1 and text in refused.stderr, refused


def test_a_draft_of_alarms_without_a_gateway(folder):
    sample, draft = folder / "sample.json", folder / "draft.py"
    written = {"timestamp": 1597305662.5, "values": {"Hot": {
        "timestamp": 1597305661, "current": "off", "status": 1, "value": 20, "alarm_content": "x",
        "level": 1}}, "group_name": "fast"}
    sample.write_text(json.dumps(written))
    draft.write_text("def main(d, w):\n    return d\n")

    def run(*arguments):
        return subprocess.run([str(BIN / "penstock"), "script", "run", str(draft), "--input",
                               str(sample), *arguments, "--json"], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
    result = json.loads(run("--group-type", "alarm").stdout)
    assert json.loads(result["publishes"][0]["payload"]) == written
    assert "values.Hot.timestamp: must be" in run().stderr
    assert run("--group-type", "both").returncode == 2


UPLOAD = """
import mmap

def upload(data_collect, wizard_api):
    return [data_collect["group_name"], len(mmap.mmap(-1, %d))]

def other(data_collect, wizard_api):
    return "other"
"""


def test_the_script_of_a_message_has_what_the_message_has(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("v", "D", "WORD", 40001, group="fast")],
        "groups": [group("fast")], "warning": [hot("Hot")], "cloud": cloud_block(cloud),
        "publish": [publish("up", "plant/${line}", groups=["fast"], main="upload", qos=0, timeout=0.5,
                            memory_mb=64),
                    publish("twin", "twin", groups=["fast"], main="other", script="up.py"),
                    publish("alarms", "alarms", groups=["warning"], group_type="alarm")],
        "subscribe": [subscribe("down", "cmd/${line}")],
        "parameters": {"custom": {"line": "7"}}},
        {"up.py": UPLOAD % 1000, "down.py": "def main(topic, payload, w):\n    print(topic, payload)\n",
         "alarms.py": "def main(d, w):\n    return list(d['values'])\n"}))
    scripts = gateway.config_dir / "scripts"

    def published(*arguments):
        result = run_json(gateway, *arguments)
        row, = result["publishes"]
        return result["message"], row["topic"], row["qos"], json.loads(row["payload"])

    assert published(scripts / "up.py") == ("up", "plant/7", 0, ["fast", 1000])
    assert "as message 'up'\nupload of" in gateway.cli("script", "run", scripts / "up.py").stdout
    # What is said on the command line goes first.
    assert published(scripts / "up.py", "--topic", "t", "--main", "upload")[1] == "t"
    assert run_json(gateway, scripts / "up.py", "--main", "other")["message"] == "twin"
    assert published(scripts / "alarms.py") == ("alarms", "alarms", 1, ["Hot"])
    # Its limits: memory and time.
    draft = folder / "draft.py"
    draft.write_text(UPLOAD % 200_000_000)
    assert run_json(gateway, draft, "--message", "up")["error"] == (
        "OSError: [Errno 12] Cannot allocate memory")
    assert run_json(gateway, draft, "--main", "upload")["ok"]
    draft.write_text("def upload(d, w):\n    while True: pass\n")
    assert "did not end within 0.5 s" in run_json(gateway, draft, "--message", "up")["error"]
    # A link to the file is the file.
    link = folder / "link.py"
    link.symlink_to(scripts / "up.py")
    assert published(link)[0] == "up"
    # Scripts that receive need something to receive; the message's topic will do.
    refused = gateway.cli("script", "run", scripts / "down.py", check=False)
    assert refused.returncode == 1 and "down: payload: is a subscribe message" in refused.stderr
    heard = run_json(gateway, scripts / "down.py", "--payload", "hello")
    assert heard["lines"][0]["text"] == "cmd/7 hello" and heard["message"] == "down"
    refused = gateway.cli("script", "run", scripts / "up.py", "--payload", "x", check=False)
    assert refused.returncode == 1 and "is a publish message" in refused.stderr
    refused = gateway.cli("script", "run", draft, "--message", "nobody", check=False)
    assert refused.returncode == 1 and "no message of this name" in refused.stderr
    # Without a gateway the configuration beside the script says the same.
    assert gateway.stop() == 0
    sample = folder / "sample.json"
    sample.write_text('{"group_name": "written", "values": {}}')
    result = subprocess.run([str(BIN / "penstock"), "script", "run", str(scripts / "up.py"), "--input",
                             str(sample), "--json"], capture_output=True, text=True,
                            timeout=PATIENCE, check=True)
    row, = json.loads(result.stdout)["publishes"]
    assert (row["topic"], row["qos"], row["payload"]) == ("plant/7", 0, '["written", 1000]')
