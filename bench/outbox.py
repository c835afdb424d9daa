"""The outbox's benches: accepting, draining, a backlog in memory, and a disk that is left alone."""
import os
import pathlib
import resource
import shutil
import subprocess
import time

import harness
from measure import cpu_seconds, median, memory_kib

MESSAGES = 100000
BYTES = 200
WINDOW = 100
ROUNDS = 5
TOOLS = harness.BIN.parent / "bench"
SILENT = "def main(d, w): pass\n"
TEN_A_SECOND = {"polling": 0.1, "upload": 0.1}


def accept(folder, *more):
    """(seconds, transactions)"""
    answer = subprocess.check_output(
        [str(word) for word in (TOOLS / "accept", folder, MESSAGES, BYTES, *more)], text=True)
    seconds, transactions = answer.split()
    return float(seconds), int(transactions)


def bench_accept(folder, _):
    """Messages into the outbox with max_loss_s 0, until all are committed, beside bare inserts."""
    rows = []
    for number in range(ROUNDS):
        ours, transactions = accept(folder / f"ours-{number}")
        bare, _ = accept(folder / f"bare-{number}", MESSAGES // transactions)
        rows.append((ours, bare, transactions))
    ours, bare, transactions = map(median, zip(*rows))
    print(f"accept   {MESSAGES:,} messages of {BYTES} bytes, max_loss_s 0: {MESSAGES / ours:,.0f} a "
          f"second in {transactions:.0f} transactions; bare SQLite {MESSAGES / bare:,.0f}")
    print(f"         ratio {median(b / o for o, b, _ in rows):.2f} (limit 0.5)")


def waiting(folder, backlog, cloud):
    """A gateway that finds the backlog and adds nothing."""
    folder.mkdir()
    (folder / "state").mkdir(mode=0o700)
    shutil.copyfile(backlog, folder / "state/outbox.db")
    return harness.Gateway(folder, {
        "groups": [harness.group()], "cloud": cloud,
        "publish": [harness.publish("drain", "drain")]}, {"drain.py": SILENT})


def bare_loop(*arguments):
    """(seconds, CPU seconds)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = float(subprocess.check_output(
        [str(word) for word in (TOOLS / "publish_loop", *arguments)], text=True))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tls_block(cloud, **more):
    files = cloud.files("gateway")
    return {"type": "Standard MQTT", "endpoint": cloud.endpoint, "port": cloud.port, "tls": True,
            "client_id": "drain", "cert": files["cert"], "key": files["key"],
            "root_ca": files["root_ca"], "window": WINDOW, **more}


def drained_in(gateway):
    """Seconds from the connection to the last acknowledgement, as near as looking often tells."""
    gateway.wait_line("LINK-UP")
    start = time.monotonic()
    harness.wait_for(lambda: gateway.status()["outbox"]["waiting"] == 0, "the backlog to go", 300)
    seconds = time.monotonic() - start
    assert gateway.message("drain")["delivered"] == MESSAGES, gateway.message("drain")
    return seconds


def bench_drain(folder, _):
    """A backlog at QoS 1 over TLS, beside a bare libmosquitto loop with the same window."""
    accept(folder / "backlog")
    cloud = harness.Cloud(folder / "cloud")
    files = cloud.files("receiver")
    rows = []
    for number in range(ROUNDS):
        gateway = waiting(folder / f"drain-{number}", folder / "backlog/outbox.db",
                          tls_block(cloud))
        ours = drained_in(gateway), cpu_seconds(gateway.program.pid)
        gateway.stop()
        bare = bare_loop(cloud.endpoint, cloud.port, files["root_ca"], files["cert"], files["key"],
                         MESSAGES, BYTES, WINDOW)
        rows.append((*ours, *bare))
    cloud.stop()
    ours, our_cpu, bare, bare_cpu = map(median, zip(*rows))
    print(f"drain    {MESSAGES:,} messages of {BYTES} bytes, QoS 1, TLS, window {WINDOW}: "
          f"{MESSAGES / ours:,.0f} a second with {our_cpu / MESSAGES * 1e6:.0f} us of CPU each; bare "
          f"libmosquitto {MESSAGES / bare:,.0f} with {bare_cpu / MESSAGES * 1e6:.0f} us")
    print(f"         ratio {median(b / o for o, _, b, _ in rows):.2f} (limit 0.8)")


def bench_backlog(folder, seconds):
    """Resident memory of penstockd with a backlog, while no server can be reached."""
    accept(folder / "backlog")
    nowhere = {"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": harness.free_port(),
               "client_id": "backlog"}
    gateway = waiting(folder / "waiting", folder / "backlog/outbox.db", nowhere)
    most = 0
    for _ in range(min(seconds, 10) * 10):
        most = max(most, memory_kib(gateway.program.pid, "Rss:") / 1024)
        time.sleep(0.1)
    held = gateway.status()["outbox"]["waiting"]
    gateway.stop()
    print(f"backlog  {held:,} messages wait: RSS of penstockd {most:.1f} MB (limit 40)")


def written(pid):
    words = pathlib.Path(f"/proc/{pid}/io").read_text().split()
    return int(words[words.index("write_bytes:") + 1])


def bench_healthy(folder, seconds):
    """Bytes that reach the disk while everything is well, at the default max_loss_s."""
    broker = harness.Broker(folder)
    plant = harness.Plant(folder)
    names = ("first", "second")
    place = folder / "healthy"
    place.mkdir()
    gateway = harness.Gateway(place, {
        "devices": [harness.modbus_device("Plant", plant.port)],
        "vars": [harness.variable("value", "Plant", "WORD", 40001)],
        "groups": [harness.group("default", **TEN_A_SECOND)], "cloud": broker.block(),
        "publish": [harness.publish(name, name) for name in names]},
        {f"{name}.py": "def main(d, w): return d\n" for name in names})
    harness.wait_for(lambda: gateway.message("first")["delivered"] > 10, "deliveries")
    pid = gateway.program.pid
    os.sync()  # what the start has written
    before, disk = gateway.status(), written(pid)
    time.sleep(seconds)
    after = gateway.status()
    messages = sum(row["delivered"] for row in after["messages"]) - sum(
        row["delivered"] for row in before["messages"])
    pages = after["outbox"]["disk_bytes"] - before["outbox"]["disk_bytes"]
    blocks = written(pid) - disk
    for thing in (gateway, plant, broker):
        thing.stop()
    print(f"healthy  {messages:,} messages in {seconds} s at max_loss_s 1: {pages:,} bytes of the "
          f"database written, {blocks:,} bytes to the disk by penstockd in all (limit 0)")


BENCHES = {"accept": bench_accept, "drain": bench_drain, "backlog": bench_backlog,
           "healthy": bench_healthy}
