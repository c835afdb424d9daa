"""`penstock check --live`: the configuration against real devices, scripts and a real cloud."""
import contextlib
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import threading

from harness import (BIN, PATIENCE, Broker, Gateway, Plant, Program, Receiver, cloud_block, free_port,
                     group, modbus_device, publish, subscribe, variable, wait_for)

RAW = "def main(data_collect, wizard_api):\n    return data_collect\n"
CALLS = '''
def main(data_collect, wizard_api):
    wizard_api.write_plc_values({"v": 99})
    wizard_api.mqtt_publish("now", "x", 0)
    values = data_collect["values"]
    return {"v": values["D"]["v"]["raw_data"], "gone": values["Gone"]["g"]["status"]}
'''
RAISES = "def main(data_collect, wizard_api):\n    a = 1\n\n    return a / 0\n"
HEARS = "def main(topic, payload, wizard_api):\n    print(topic, payload)\n"


def write(folder, config, scripts=None):
    return Gateway(folder, config, scripts, start=False)


def live(gateway, *arguments):
    result = gateway.cli("check", "--live", gateway.config_dir, "--json", *arguments, check=False)
    assert "Sanitizer" not in result.stderr, result.stderr
    return json.loads(result.stdout), result.returncode


def shown(gateway, *arguments):
    result = gateway.cli("check", "--live", gateway.config_dir, *arguments, check=False)
    assert result.stderr == "", result.stderr
    return result.stdout, result.returncode


def device(report, name):
    return next(row for endpoint in report["devices"]["endpoints"] for row in endpoint["devices"]
                if row["name"] == name)


def script(report, name):
    return next(row for row in report["scripts"]["scripts"] if row["message"] == name)


def one_device(modbus, **more):
    return {"devices": [modbus_device("D", modbus.port)],
            "vars": [variable("v", "D", "WORD", 40001)], "groups": [group()], **more}


def test_all_well(folder, cloud, modbus):
    modbus.set("holding", 0, 41)
    gateway = write(folder, one_device(
        modbus, cloud=cloud_block(cloud), publish=[publish("raw", "a/raw")],
        subscribe=[subscribe("orders", "orders/+"), subscribe("plain", "plain")]),
        {"raw.py": RAW, "orders.py": HEARS, "plain.py": HEARS, "orders.py.sample": "hello"})
    report, status = live(gateway)
    assert status == 0 and report["ok"] and report["failed"] == 0, report
    assert device(report, "D")["state"] == "answers" and device(report, "D")["good"] == 1
    endpoint = report["devices"]["endpoints"][0]
    assert endpoint["groups"][0]["name"] == "default" and endpoint["groups"][0]["cycle_ms"] > 0
    assert endpoint["round_trip_ms"] > 0 and 0 < endpoint["load"] < 1
    raw = script(report, "raw")
    assert raw["input"] == "1 values, 0 of them bad" and raw["calls"] == {"publish": 1}
    assert raw["results"][0]["topic"] == "a/raw" and raw["results"][0]["limit"] == 131072
    assert raw["results"][0]["bytes"] > 40 and raw["peak_kib"] > 0 and raw["wall_ms"] > 0
    assert script(report, "orders")["input"] == "the sample orders.py.sample"
    assert "only built" in script(report, "plain")["input"]
    assert [(row["name"], row["state"]) for row in report["cloud"]["steps"]] == [
        ("DNS", "ok"), ("TCP", "ok"), ("TLS", "ok"), ("MQTT CONNECT", "ok")]
    assert [row["state"] for row in report["cloud"]["subscriptions"]] == ["ok", "ok"]
    assert report["cloud"]["certificate_days"] > 30 and report["cloud"]["sent"] == []
    text, status = shown(gateway)
    assert status == 0
    assert "nothing was published" in text and "TLSv1.3" in text
    assert "1 of 1 devices answer, 1 of 1 variables are good; 3 of 3 scripts are sound; cloud: " \
           "connected; 0 failed" in text


def test_devices_that_are_silent_dead_or_refuse(folder, cleanup):
    plant = cleanup(Plant(folder))
    plant.knob("exception 2 40003-40040")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = write(folder, {
            "devices": [modbus_device("P", plant.port),
                        modbus_device("Silent", silent.getsockname()[1], timeout=0.3),
                        modbus_device("Dead", free_port())],
            "vars": [variable(f"v{n}", "P", "WORD", 40000 + n) for n in range(1, 41)] +
                    [variable("v", "Silent", "WORD", 40001), variable("v", "Dead", "WORD", 40001),
                     variable("bit", "P", "BIT", 40003, register_bit=4)],
            "groups": [group()]})
        report, status = live(gateway)
        assert status == 1 and report["failed"] == 3
        sick = device(report, "P")
        assert (sick["state"], sick["good"], sick["refused"]) == ("answers", 2, 39)
        assert len(sick["bad"]) == 20 and sick["bad_not_named"] == 19
        assert {"name": "v3", "register_addr": 40003}.items() <= sick["bad"][0].items()
        assert "exception" in sick["error"].lower() or "refuse" in sick["error"].lower(), sick
        assert device(report, "Silent")["state"] == "silent"
        assert device(report, "Silent")["silent"] == 1 and device(report, "Silent")["error"]
        assert "refuses port" in device(report, "Dead")["error"]
        assert report["cloud"]["enabled"] is False
        text, _ = shown(gateway)
        assert "v3, 40003: " in text and "and 19 more" in text and "cloud: not enabled" in text
        assert "1 of 3 devices answer" in text


def test_scripts_see_bad_values_and_mistakes_have_their_line(folder, cloud, modbus):
    modbus.set("holding", 0, 41)
    gateway = write(folder, {
        "devices": [modbus_device("D", modbus.port), modbus_device("Gone", free_port())],
        "vars": [variable("v", "D", "WORD", 40001, read_write="read/write"),
                 variable("g", "Gone", "WORD", 40001)],
        "groups": [group(), group("empty")],
        "warning": [{"warn_name": "High", "group": "warning", "quotes": 1, "device": "D",
                     "var_name": "v", "condition1": "Gt", "operand1": "5"}],
        "cloud": cloud_block(cloud),
        "publish": [publish("calls", "a", groups=("default", "empty")), publish("raises", "b"),
                    publish("large", "c"), publish("list", "c"),
                    publish("alarms", "d", groups=("warning",), group_type="alarm")],
        "subscribe": [subscribe("broken", "e")]},
        {"calls.py": CALLS, "raises.py": RAISES, "alarms.py": RAW, "broken.py": "import nowhere\n" + HEARS,
         "large.py": "def main(data_collect, wizard_api):\n    return 'x' * 140000\n",
         "list.py": "def main(data_collect, wizard_api):\n    return ['x' * 9000] * 16\n"})
    report, status = live(gateway)
    assert status == 1, report
    calls = script(report, "calls")
    assert calls["calls"] == {"publish": 1, "mqtt_publish": 1, "write_plc_values": 1}, calls
    assert calls["error"] == "" and calls["input"] == "2 values, 1 of them bad"
    other = [row for row in report["scripts"]["scripts"] if row["message"] == "calls"][1]
    assert other["tried"] is False and "never called" in other["why"]
    assert "ZeroDivisionError" in script(report, "raises")["error"]
    assert script(report, "raises")["line"] == 4
    assert "140000 bytes" in script(report, "large")["error"]
    assert "several lists" in script(report, "list")["warning"]
    assert script(report, "alarms")["input"] == "1 alarms, made up as triggered"
    assert script(report, "alarms")["error"] == ""
    assert "cannot be built" in script(report, "broken")["error"]
    assert report["scripts"]["failed"] == 3 and report["scripts"]["sound"] == 3
    assert modbus.get("holding", 0) == [41]  # nothing was written
    text, _ = shown(gateway)
    assert "line 4" in text and "would write 1 values" in text


def test_a_group_that_asks_for_more_than_the_line_gives(folder, cleanup):
    plant = cleanup(Plant(folder))
    plant.knob("delay 60")
    gateway = write(folder, {
        "devices": [modbus_device("P", plant.port)], "vars": [variable("v", "P", "WORD", 40001)],
        "groups": [group(polling=0.05)]})
    report, status = live(gateway)
    assert status == 0 and report["warnings"] == 1
    endpoint = report["devices"]["endpoints"][0]
    assert endpoint["load"] > 1 and endpoint["cycle_ms"] >= 60
    assert "more than the line gives" in endpoint["warning"]


def test_each_failing_step_of_the_cloud_is_named(folder, cloud, modbus):
    foreign = subprocess.run([str(BIN / "penstock-cloud"), "issue", str(cloud.folder), "--thing",
                              "foreign", "--foreign-ca"], capture_output=True, timeout=PATIENCE)
    assert foreign.returncode == 0
    things = cloud.folder / "things" / "foreign"
    wrong = {"cert": str(next(things.glob("*-certificate.pem.crt"))),
             "key": str(next(things.glob("*-private.pem.key")))}
    for more, step, words in (
            (wrong, "TLS", "certificate"), ({"port": free_port()}, "TCP", "refused"),
            ({"endpoint": "no-such-host.invalid"}, "DNS", "no-such-host.invalid")):
        gateway = write(folder, one_device(modbus, cloud=cloud_block(cloud, **more)))
        report, status = live(gateway)
        assert status == 1 and report["cloud"]["result"] == "not connected"
        assert report["cloud"]["error"].startswith(step + ": "), report["cloud"]
        assert words in report["cloud"]["error"]
        failed = [row["name"] for row in report["cloud"]["steps"] if row["state"] == "failed"]
        assert failed == [step]
        text, _ = shown(gateway)
        assert f"failed at {step}: " in text


class Refuser:
    """An MQTT server that takes every client and refuses each filter that begins with "secret"."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client, client.makefile("rb") as packets:
                    self._one(client, packets)

    @staticmethod
    def _one(client, packets):
        with contextlib.suppress(OSError):
            while head := packets.read(2):  # all packets here are shorter than 128 bytes
                body = packets.read(head[1])
                if head[0] >> 4 == 1:
                    client.sendall(b"\x20\x02\x00\x00")
                elif head[0] >> 4 == 8:
                    answer = b"\x80" if body[4:].startswith(b"secret") else b"\x01"
                    client.sendall(b"\x90\x03" + body[:2] + answer)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_a_filter_that_the_server_refuses(folder, modbus, cleanup):
    server = cleanup(Refuser())
    gateway = write(folder, one_device(
        modbus, cloud={"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": server.port,
                       "client_id": "gateway"},
        subscribe=[subscribe("yes", "open/a"), subscribe("no", "secret/a")]),
        {"yes.py": HEARS, "no.py": HEARS})
    report, status = live(gateway)
    assert status == 1 and report["cloud"]["failed"] == 1, report
    assert [row["name"] for row in report["cloud"]["steps"]] == ["DNS", "TCP", "MQTT CONNECT"]
    assert [row["state"] for row in report["cloud"]["subscriptions"]] == ["ok", "refused"]
    assert "iot:Subscribe" in shown(gateway)[0]


def test_a_gateway_that_gives_no_answer_is_not_pushed_off(folder, modbus, cleanup):
    broker = cleanup(Broker(folder))
    gateway = write(folder, one_device(modbus, cloud=broker.block()))
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(gateway.socket))
        mute.listen()
        result = gateway.cli("check", "--live", gateway.config_dir, "--json", check=False)
    report = json.loads(result.stdout)
    assert result.returncode == 0 and report["warnings"] == 1
    assert report["cloud"]["result"] == "not tried" and "no answer" in report["cloud"]["why"]
    assert not broker.program.find("as gateway")


def test_who_watches_sees_how_far_it_is(folder, modbus):
    gateway = write(folder, one_device(modbus, publish=[publish("p", "p")]), {"p.py": RAW})
    master, terminal = pty.openpty()
    try:
        result = subprocess.run([str(BIN / "penstock"), "check", "--live", str(gateway.config_dir),
                                 "--socket", str(gateway.socket)], stdout=subprocess.PIPE,
                                stderr=terminal, timeout=PATIENCE)
        os.write(terminal, b"#")  # the kernel hands over what was written before it in its own time
        seen = ""
        while not seen.endswith("#"):
            seen += os.read(master, 65536).decode()
    finally:
        os.close(terminal)
        os.close(master)
    seen = seen[:-1]
    assert result.returncode == 0
    assert "devices: 1 of 1" in seen and "scripts: 1 of 1, 'p'" in seen
    assert seen.count("devices: 1 of 1") == 1 and seen.endswith("\r\x1b[K")


def test_send_publishes_one_result_of_each_script(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud))
    modbus.set("holding", 0, 7)
    gateway = write(folder, one_device(
        modbus, cloud=cloud_block(cloud), publish=[publish("p", "p/x"), publish("none", "q")]),
        {"p.py": RAW, "none.py": "def main(data_collect, wizard_api):\n    pass\n"})
    live(gateway)
    report, status = live(gateway, "--send")
    assert status == 0, report
    assert [(row["message"], row["topic"], row["acknowledged"]) for row in report["cloud"]["sent"]] \
        == [("p", "p/x", True)]
    wait_for(lambda: receiver.messages("p/x"), "the message")
    cloud.publish("end", "x")
    wait_for(lambda: receiver.messages("end"), "what was sent last")
    assert len(receiver.messages()) == 2  # the check without --send published nothing
    assert json.loads(receiver.messages("p/x")[0][1])["values"] == {
        "D": {"v": {"raw_data": 7, "status": 1}}}


def test_a_running_gateway_keeps_its_connection(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, one_device(
        modbus, cloud=cloud_block(cloud), publish=[publish("p", "p")]), {"p.py": RAW}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    before = gateway.status()["link"]
    report, status = live(gateway, "--send")
    assert status == 1 and report["gateway_running"]  # asked to send, and could not
    assert "push" in report["cloud"]["why"] and "steps" not in report["cloud"]
    report, status = live(gateway)
    assert status == 0 and report["cloud"]["result"] == "connected (the running gateway)"
    assert report["devices"]["endpoints"][0]["shared_with_gateway"]
    after = gateway.status()["link"]
    assert (after["since"], after["connects"]) == (before["since"], before["connects"])
    text, _ = shown(gateway)
    assert "a gateway is running" in text and "may refuse the second" in text


def test_a_session_kept_in_the_cloud_is_left_alone(folder, modbus, cleanup):
    broker = cleanup(Broker(folder))
    block = broker.block(clean_session=False)
    config = one_device(modbus, cloud=block, subscribe=[subscribe("s", "orders", qos=1)])
    gateway = cleanup(Gateway(folder, config, {"s.py": HEARS}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    gateway.stop()
    subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", "orders", "-m",
                    "waited"], check=True, timeout=PATIENCE)
    report, status = live(gateway)
    assert status == 0 and report["cloud"]["client_id"] == "gateway-check", report
    assert "kept in the cloud" in report["cloud"]["note"]
    gateway.start()
    gateway.wait_line("orders waited")


def test_wrong_calls_and_wrong_configurations(folder, modbus):
    gateway = write(folder, one_device(modbus))
    for words in (["--timeout"], ["--timeout", "0"], ["--timeout", "soon"], ["--nonsense"],
                  ["another"]):
        result = gateway.cli("check", "--live", gateway.config_dir, *words, check=False)
        assert result.returncode == 2 and result.stderr.startswith("penstock: "), result
    (gateway.config_dir / "penstock.json").write_text('{"version": 1, "devices": [{}]}')
    report, status = live(gateway)
    assert status == 2 and report["findings"]
    gateway.write(one_device(modbus, publish=[publish("p", "p")]), {"p.py": "def main(:\n"})
    report, status = live(gateway)
    assert status == 2 and "p.py" in json.dumps(report["findings"]), report
    shutil.rmtree(gateway.config_dir)
    assert gateway.cli("check", "--live", gateway.config_dir, check=False).returncode == 2


def test_the_time_is_kept_and_an_interrupt_ends_it(folder, modbus, cleanup):
    endless = "def main(data_collect, wizard_api):\n    while True: pass\n"
    gateway = write(folder, one_device(modbus, publish=[publish("p", "p", timeout=600)]), {"p.py": endless})
    report, status = live(gateway, "--timeout", "2")
    assert status == 1 and "--timeout" in script(report, "p")["error"]
    assert 1.5 < report["seconds"] < PATIENCE
    checker = cleanup(Program([BIN / "penstock", "check", "--live", gateway.config_dir, "--timeout",
                               "600", "--socket", gateway.socket]))
    checker.wait_line("devices")
    checker.process.send_signal(signal.SIGINT)
    assert checker.process.wait(PATIENCE) == 1
    checker.reader.join(5)
    assert checker.find("interrupted") and not checker.find("Sanitizer")
