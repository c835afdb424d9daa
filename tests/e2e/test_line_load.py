"""What a line has to do beside what it can do, and which devices are left alone at the moment."""
from harness import Gateway, Plant, free_port, group, modbus_device, variable, wait_for


def channel(gateway):
    return gateway.status()["channels"][0]


def test_a_line_that_is_asked_for_too_much_says_so(folder, cleanup):
    plant = cleanup(Plant(folder))
    rows = [variable("a", "P", "WORD", 40001, group="quick"), variable("b", "P", "WORD", 40200, group="slow")]
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("P", plant.port, timeout=5)], "vars": rows,
        "groups": [group("quick", 0.1, 10), group("slow", 5, 10)]}))
    row = wait_for(lambda: channel(gateway) if channel(gateway)["cycle_ms"] > 0 else None, "a measured cycle")
    assert row["load"] < 0.5 and row["load_warning"] == ""
    plant.knob("delay 150")
    gateway.wait_line("LINE-BUSY", f"127.0.0.1:{plant.port}", "more than the line gives", "group 'quick'",
                      "poll less often")
    row = wait_for(lambda: channel(gateway) if channel(gateway)["load"] > 1 else None, "a load above 1")
    assert "every 0.1 s" in row["load_warning"]
    assert row["cycle_ms"] > 100
    assert row["busiest"]["group"] == "quick" and row["busiest"]["interval_s"] == 0.1
    assert row["busiest"]["cycle_ms"] > 100
    text = gateway.cli("status").stdout
    assert f"warning: 127.0.0.1:{plant.port}: the groups ask for more than the line gives" in text
    plant.knob("ok")
    gateway.wait_line("LINE-EASY")
    assert len(gateway.program.find("LINE-BUSY")) <= 2  # near its limit, and above
    assert channel(gateway)["load_warning"] == ""
    assert 1.9 < channel(gateway)["cycle_requests"] < 2.5


def test_devices_that_are_left_alone_are_named(folder, cleanup):
    plant = cleanup(Plant(folder, 0, "--slaves", "1,2,3"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device(f"S{n}", plant.port, slave=n, timeout=0.3) for n in (1, 2, 3)],
        "vars": [variable("v", f"S{n}", "WORD", 40001) for n in (1, 2, 3)], "groups": [group(polling=0.2)]}))
    wait_for(lambda: all(row["status"] for row in gateway.tags().values()), "all values")
    assert channel(gateway)["breakers"] == []
    plant.knob("slave 2 silent")
    opened = wait_for(lambda: next((row for row in channel(gateway)["breakers"] if row["state"] == "open"),
                                   None), "a device to be left alone")
    assert opened["device"] == "S2" and 0 < opened["next_try_s"] <= 30
    plant.knob("slave 2 ok")
    wait_for(lambda: channel(gateway)["breakers"] == [], "all of them to be asked again")
    plant.knob("refuse")
    wait_for(lambda: {row["device"] for row in channel(gateway)["breakers"]} == {"S1", "S2", "S3"},
             "the endpoint to be away")


def test_no_round_trip_before_an_answer(folder, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("P", free_port(), timeout=0.3)], "groups": [group(polling=0.2)],
        "vars": [variable("v", "P", "WORD", 40001)]}))
    wait_for(lambda: channel(gateway)["state"] == "away", "the endpoint to be away")
    row = channel(gateway)
    assert row["round_trip_ms"] is None and row["busiest"] is None
    assert gateway.status()["outbox"]["delivery"]["acknowledge_ms"] is None
    assert gateway.api("GET", "/explain?device=P&name=v")[1]["channel"]["round_trip_ms"] is None
    line = next(line for line in gateway.cli("status").stdout.splitlines() if line.startswith(row["name"]))
    assert line.split()[5] == "-", line
    assert f'penstock_channel_round_trip_seconds{{channel="{row["name"]}"}} NaN' in gateway.cli("metrics").stdout
