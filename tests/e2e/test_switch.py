"""Another configuration while the gateway runs: what goes on, what begins and what ends."""
import json
import random
import signal
import threading
import time

from harness import (Gateway, Receiver, cloud_block, group, modbus_device, publish, subscribe,
                     variable, wait_for)

SCRIPTS = {
    "stamp.py": '''
def main(data_collect, wizard_api):
    return {"t": data_collect["timestamp"]}
''',
    "echo.py": '''
def main(topic, payload, wizard_api):
    wizard_api.awsiot_publish("plant/echo", topic + "=" + payload, 1)
''',
    "alarms.py": '''
def main(alarms, wizard_api):
    return alarms
'''}


def config(modbus, server, **blocks):
    base = {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group("default", 0.1, 0.1)], "cloud": cloud_block(server),
        "publish": [publish("stamps", "plant/stamps", script="stamp.py")]}
    return {**base, **blocks}


def switch(gateway, new, wait=True):
    """Takes the configuration over."""
    start = len(gateway.program.lines)
    gateway.write(new, {})
    gateway.program.process.send_signal(signal.SIGHUP)
    if wait:
        gateway.wait_line("SWITCHED", start=start)


def adds_up(gateway):
    status = gateway.status()
    for row in status["messages"]:
        gone = row["delivered"] + row["dead"] + sum(row["dropped"].values())
        assert row["accepted"] == gone + row["waiting"], row
    assert status["outbox"]["books_add_up"]
    return status


def rows_of(gateway):
    return {row["name"]: row for row in gateway.status()["messages"]}


def stamps(receiver, topic=None):
    return [document["t"] for document in receiver.documents(topic)]


def test_a_renamed_message_keeps_its_backlog(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "plant/#"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud), SCRIPTS))
    wait_for(lambda: len(receiver.messages()) >= 5, "the first messages")
    cloud.stop()
    wait_for(lambda: gateway.message("stamps")["waiting"] >= 30, "a backlog")
    renamed = config(modbus, cloud, publish=[
        publish("more", "plant/more", script="stamp.py", group_type="collect"),
        publish("times", "plant/stamps", script="stamp.py")])
    switch(gateway, renamed)
    rows = rows_of(gateway)
    assert list(rows) == ["more", "times"]
    assert rows["times"]["waiting"] >= 30
    adds_up(gateway)
    cloud.start()
    wait_for(lambda: rows_of(gateway)["times"]["waiting"] < 5, "the backlog to arrive")
    wait_for(lambda: receiver.messages("plant/more"), "the new message")
    gateway.stop()
    gateway.start()
    rows = rows_of(gateway)
    assert list(rows) == ["more", "times"]
    wait_for(lambda: rows_of(gateway)["times"]["delivered"] > 0, "delivery")
    first = list(dict.fromkeys(stamps(receiver, "plant/stamps")))
    assert first == sorted(first), "in order of collection, over all of it"
    assert len(first) >= rows["times"]["delivered"]
    adds_up(gateway)


def test_many_switches_lose_nothing(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "plant/#"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud), SCRIPTS))
    wait_for(lambda: receiver.messages(), "the first message")
    chance = random.Random(7)
    for number in range(30):
        more = [publish(f"more{number}", "plant/more", script="stamp.py")]
        blocks = {"publish": config(modbus, cloud)["publish"] + more * chance.randint(0, 1)}
        blocks["cloud"] = cloud_block(cloud, window=chance.choice([4, 20]),
                                      publish_rate=chance.choice([50, 80]))
        blocks["parameters"] = {"max_loss_s": chance.choice([0, 1, 10]),
                                "catch_recording": chance.choice([5000, 100000])}
        switch(gateway, config(modbus, cloud, **blocks))
        time.sleep(chance.uniform(0, 0.3))
    switch(gateway, config(modbus, cloud, cloud={**cloud_block(cloud), "enable": False}))
    wait_for(lambda: not gateway.status()["workers"], "the scripts to end")
    status = adds_up(gateway)
    switch(gateway, config(modbus, cloud, publish=[]))
    wait_for(lambda: all(row["waiting"] == 0 for row in gateway.status()["messages"]), "delivery")
    adds_up(gateway)
    wanted = sum(row["accepted"] - row["dead"] for row in status["messages"])
    wait_for(lambda: len(receiver.messages()) >= wanted, "all messages")
    assert status["link"]["state"] == "Not Enabled"


def test_the_cloud_is_switched_off_and_on(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "plant/#"))
    on = config(modbus, cloud)
    off = config(modbus, cloud, cloud={**cloud_block(cloud), "enable": False})
    gateway = cleanup(Gateway(folder, off, SCRIPTS))
    assert gateway.status()["link"]["state"] == "Not Enabled"
    switch(gateway, on)
    wait_for(lambda: receiver.messages(), "a message")
    for _ in range(5):
        switch(gateway, off, wait=False)
        time.sleep(random.uniform(0, 0.2))
        switch(gateway, on, wait=False)
        time.sleep(random.uniform(0, 0.2))
    wait_for(lambda: gateway.status()["workers"], "the last of these changes")
    switch(gateway, off)
    wait_for(lambda: not gateway.status()["workers"], "the scripts to end")
    assert gateway.status()["link"]["state"] == "Not Enabled"
    switch(gateway, on)
    count = len(receiver.messages())
    wait_for(lambda: len(receiver.messages()) > count + 5, "messages again")
    adds_up(gateway)
    switch(gateway, off, wait=False)
    time.sleep(0.05)
    assert gateway.stop() == 0  # while parts are being ended


def test_only_what_asks_for_it_connects_again(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "plant/echo"))

    def with_filter(topic, **more):
        return config(modbus, cloud, publish=[], cloud=cloud_block(cloud, **more),
                      subscribe=[subscribe("in", topic, script="echo.py")],
                      parameters={"custom": {"line": "7"}})

    def expect_echo(topic):
        def echoed():
            cloud.publish(topic, "x")
            return [1 for _, text in receiver.messages() if text == topic + "=x"]
        wait_for(echoed, "the echo of " + topic)

    gateway = cleanup(Gateway(folder, with_filter("in/a"), SCRIPTS))
    expect_echo("in/a")
    switch(gateway, with_filter("in/b"))
    expect_echo("in/b")
    switch(gateway, with_filter("in/line${line}", window=5, publish_rate=10))
    expect_echo("in/line7")
    assert gateway.status()["link"]["connects"] == 1
    switch(gateway, with_filter("in/line${line}", client_id="test-gateway-2"))
    wait_for(lambda: gateway.status()["link"].get("client_id") == "test-gateway-2"
             and gateway.status()["link"]["connects"] == 1, "a new link")
    expect_echo("in/line7")
    receiver_count = len(receiver.messages())
    cloud.publish("in/b", "late")
    expect_echo("in/line7")
    assert not [1 for _, text in receiver.messages()[receiver_count:] if "late" in text]


def test_alarms_and_parameters(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "plant/alarms"))
    high = {"warn_name": "high", "group": "warning", "quotes": 1, "device": "D", "var_name": "v",
            "condition1": "Gt", "operand1": "30", "alarm_content": "too high"}
    def plant(alarms, **parameters):
        return config(
            modbus, cloud, warning=alarms, parameters=parameters,
            groups=[group("default", 0.1, 0.1),
                    {"group_name": "warning", "group_type": "alarm", "polling_interval": 0.1}],
            publish=[publish("alarms", "plant/alarms", ["warning"], group_type="alarm")])
    modbus.set("holding", 0, 40)
    gateway = cleanup(Gateway(folder, plant([high]), SCRIPTS))
    wait_for(lambda: receiver.messages(), "the alarm")
    gateway.cli("alarms", "ack", "high")
    switch(gateway, plant([{**high, "alarm_content": "much too high"},
                           {**high, "warn_name": "low", "condition1": "Lt"}], log_level="DEBUG"))
    state = json.loads(gateway.cli("alarms", "--json").stdout)
    assert [row["name"] for row in state["alarms"]] == ["high"]
    assert state["defined"] == 2
    assert "DEBUG" in gateway.cli("log-level").stdout
    switch(gateway, plant([]))
    wait_for(lambda: len(receiver.messages()) == 2, "its end")
    history = json.loads(gateway.cli("alarms", "--history", "--json").stdout)
    assert [row["status"] for row in history] == ["Restored", "Acknowledged", "Triggered"]
    assert "removed" in history[0]["description"]
    assert "INFO" in gateway.cli("log-level").stdout


def test_a_canary_goes_on_while_its_message_does(folder, cloud, modbus, cleanup):
    receiver = cleanup(Receiver(cloud, "plant/#"))
    gateway = cleanup(Gateway(folder, config(modbus, cloud), SCRIPTS))
    wait_for(receiver.messages, "the first message")
    draft = folder / "draft.py"
    draft.write_text(SCRIPTS["stamp.py"])
    ended = []
    canary = threading.Thread(target=lambda: ended.append(gateway.cli(
        "script", "canary", "stamps", draft, "--calls", 10000, "--json", check=False)))
    canary.start()

    def report():
        return gateway.api("GET", "/canary")[1]

    wait_for(lambda: report()["calls"] >= 3, "the canary to compare")
    more = config(modbus, cloud, vars=[variable("first", "D", "WORD", 40002),
                                       variable("v", "D", "WORD", 40001)])
    switch(gateway, more)
    calls = report()["calls"]
    wait_for(lambda: report()["calls"] >= calls + 10, "the canary to go on")
    assert report()["different"] == 0 and not ended
    switch(gateway, config(modbus, cloud, publish=[
        publish("stamps", "plant/other", script="stamp.py")]))
    canary.join(timeout=30)
    assert "the configuration of its message was changed" in ended[0].stdout
    wait_for(lambda: receiver.messages("plant/other"), "the live script")


def test_inputs_of_a_removed_message_become_dead_letters(folder, cloud, modbus, cleanup):
    slow = "import time\n" + SCRIPTS["stamp.py"].replace("    return", "    time.sleep(0.5)\n    return")
    receiver = cleanup(Receiver(cloud, "plant/#"))
    both = config(modbus, cloud, publish=[
        publish("slow", "plant/slow", script="slow.py"),
        publish("stamps", "plant/stamps", script="stamp.py")])
    gateway = cleanup(Gateway(folder, both, {**SCRIPTS, "slow.py": slow}))
    wait_for(lambda: gateway.worker("slow")["queued"] >= 5, "inputs that wait")
    pid = gateway.worker("stamps")["pid"]
    switch(gateway, config(modbus, cloud))
    assert [row["name"] for row in gateway.status()["workers"]] == ["stamps"]
    letters = json.loads(gateway.cli("outbox", "dead", "--json").stdout)
    assert {row["message"] for row in letters} == {"slow"} and len(letters) >= 5
    assert any("during the call" in row["reason"] for row in letters)
    adds_up(gateway)
    gateway.write_script("slow.py", SCRIPTS["stamp.py"])
    switch(gateway, both)
    result = json.loads(gateway.cli("outbox", "replay", "slow", "--json").stdout)
    assert result["done"] == len(letters)
    wait_for(lambda: {row["collected"] for row in letters} <= set(stamps(receiver, "plant/slow")),
             "every input to arrive")
    adds_up(gateway)
    assert gateway.worker("stamps")["pid"] == pid
    times = stamps(receiver, "plant/stamps")
    assert len(times) == len(set(times)), "nothing twice"
