"""`penstock metrics`: the numbers of `penstock status` as Prometheus reads them."""
import re

from harness import (Gateway, cloud_block, group, modbus_device, publish, variable, wait_for)

SCRIPT = "def main(data_collect, wizard_api):\n    return data_collect\n"
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9.e+-]+|NaN)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read_metrics(text):
    types, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types and kind in ("counter", "gauge"), line
            types[name] = kind
        elif not line.startswith("# HELP "):
            name, labels, value = SAMPLE.match(line).groups()
            pairs = {key: re.sub(r'\\["\\n]', lambda found: ESCAPES[found.group()], value)
                     for key, value in LABEL.findall(labels or "")}
            key = (name, tuple(sorted(pairs.items())))
            assert name in types and key not in samples, line
            samples[key] = float(value)
    return types, samples


def test_metrics_say_what_status_says(folder, cloud, modbus, cleanup):
    name = 'p "quoted" \\ ä'
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()], "cloud": cloud_block(cloud), "parameters": {"max_loss_s": 0},
        "publish": [publish(name, "p", script="p.py")]}, {"p.py": SCRIPT}))
    wait_for(lambda: gateway.message(name)["delivered"] > 3, "deliveries")
    before = gateway.status()
    types, samples = read_metrics(gateway.cli("metrics").stdout)
    after = gateway.status()
    message = (("message", name),)
    assert types["penstock_messages_delivered_total"] == "counter"
    for metric, field in (("penstock_messages_delivered_total", "delivered"),
                          ("penstock_messages_accepted", "accepted")):
        low, high = (next(row for row in status["messages"] if row["name"] == name)[field]
                     for status in (before, after))
        assert low <= samples[metric, message] <= high
    assert samples["penstock_link_state", (("state", "Connection Successful"),)] == 1
    assert before["disk"]["total"] <= samples["penstock_disk_written_bytes_total", ()]
    assert samples["penstock_disk_written_bytes_total", ()] <= after["disk"]["total"]
    assert before["disk"]["total"] > 4096 * 4  # max_loss_s 0: each message is written
    assert sum(day["bytes"] for day in after["disk"]["days"]) == after["disk"]["total"]
    assert any(key[0] == "penstock_worker_calls_total" for key in samples)
    assert any(key[0] == "penstock_channel_requests_total" for key in samples)
    assert samples["penstock_device_state", (("device", "D"), ("state", "answers"))] == 1
    assert samples["penstock_certificate_days_left", (("certificate", "cloud"),)] > 0
    assert samples["penstock_alarms_active", ()] == 0 and samples["penstock_values_total", ()] > 0
    assert "written today" in gateway.cli("status").stdout
