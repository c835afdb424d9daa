"""The field side at its limits: one device as fast as it goes, many endpoints at once, and dead ones among
them. The devices are bench/modbus_hall, one address each below 127.1.0.0."""
import json
import os
import re
import signal
import socket
import subprocess
import time

import harness
from measure import cpu_seconds, median

BENCH = harness.BIN.parent / "bench"
ROUNDS = 5
GROUPS = 8


class Hall:
    """So many devices as there are addresses; from `silent` on they take requests and never answer."""

    def __init__(self, silent="127.255.0.0"):
        self.process = subprocess.Popen([BENCH / "modbus_hall", silent], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def address(n):
    return f"127.1.{n // 250}.{n % 250 + 1}"


def device(n, port, **more):
    return harness.modbus_device(f"Device{n:04}", port, ip=address(n), **more)


def variables(devices, each):
    return [harness.variable(f"value_{v:03}", d["device_name"], "WORD", 40001 + v)
            for d in devices for v in range(each)]


def gateway(folder, devices, each, polling=1):
    folder.mkdir()
    return harness.Gateway(folder, {"devices": devices, "vars": variables(devices, each),
                                    "groups": [harness.group("default", polling, max(polling, 1))]})


def memory(pid, key="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(rf"{key}:\s+(\d+) kB", status.read())[1]) / 1024


def switches(pid):
    """Wake-ups of all threads so far."""
    total = 0
    for status in (harness.pathlib.Path(f"/proc/{pid}/task")).glob("*/status"):
        total += int(re.search(r"nonvoluntary_ctxt_switches:\s+\d+|voluntary_ctxt_switches:\s+(\d+)",
                               status.read_text())[1] or 0)
    return total


def requests(running):
    return sum(row["requests"] for row in running.status()["channels"])


def saturating(folder, hall):
    """A gateway that is asked for more cycles than there is time for, so that one follows the other."""
    folder.mkdir()
    one = device(0, hall.port)
    names = [f"g{g:02}" for g in range(GROUPS)]
    return harness.Gateway(folder, {
        "devices": [one],
        "vars": [harness.variable(f"{name}_{v:05}", one["device_name"], "WORD", 40001 + v, group=name)
                 for name in names for v in range(10000)],
        "groups": [harness.group(name, 0.01, 1) for name in names]})


def bench_speed(folder, seconds):
    """10,000 registers of one device, cycle after cycle: requests a second beside those of a bare libmodbus
    loop, in turn."""
    hall, ratios, rates = Hall(), [], []
    span = max(2, seconds // ROUNDS // 2)
    running = saturating(folder / "speed", hall)
    harness.wait_for(lambda: requests(running) > 8000, "collection")
    for _ in range(ROUNDS):
        before, start = requests(running), time.monotonic()
        time.sleep(span)
        rate = (requests(running) - before) / (time.monotonic() - start)
        os.kill(running.program.pid, signal.SIGSTOP)
        loop = subprocess.run([BENCH / "modbus_loop", str(hall.port), "10000", str(span), "flat"],
                              check=True, capture_output=True, text=True).stdout.split()
        os.kill(running.program.pid, signal.SIGCONT)
        bare = 80 * int(loop[1]) / float(loop[2])
        rates.append((rate, bare))
        ratios.append(rate / bare)
    running.stop()
    hall.stop()
    print(f"speed    10,000 registers in 80 requests, cycle after cycle, {ROUNDS} rounds of {span} s in turn")
    print(f"         penstockd {median(t for t, _ in rates):,.0f} requests/s, a bare libmodbus loop "
          f"{median(t for _, t in rates):,.0f}")
    print(f"         ratio of the rates {median(ratios):.2f} (limit 0.9)")


def stale(running, age):
    """Values that are older than that, or not good."""
    rows = json.loads(running.cli("tags", "--json").stdout)
    now = time.time()
    return len([row for row in rows if row["quality"] != "good" or now - row["time"] > age]), len(rows)


def bench_many(folder, seconds):
    """200 endpoints x 100 and 500 endpoints x 30 variables, and 2,000 x 10, each second."""
    hall = Hall()
    for count, each, cpu_limit, memory_limit in ((200, 100, 15, 25), (500, 30, 25, None),
                                                 (2000, 10, None, None)):
        devices = [device(n, hall.port) for n in range(count)]
        running = gateway(folder / f"many-{count}", devices, each)
        harness.wait_for(lambda: stale(running, 60)[0] == 0, "all values", 120)
        time.sleep(3)
        pid = running.program.pid
        late = lambda: sum(group["late"] for group in running.status()["groups"])
        before, wakes, late_before, start = cpu_seconds(pid), switches(pid), late(), time.monotonic()
        time.sleep(seconds)
        span = time.monotonic() - start
        cpu, wakes = (cpu_seconds(pid) - before) / span, (switches(pid) - wakes) / span
        late_after, resident = late(), memory(pid)
        old = [stale(running, 2)[0] for _ in range(3)]
        tasks = len(list(harness.pathlib.Path(f"/proc/{pid}/task").iterdir()))
        running.stop()
        print(f"many     {count} endpoints x {each} variables each second for {seconds} s: "
              f"{cpu * 100:.1f} % of a core{f' (limit {cpu_limit})' if cpu_limit else ''}, "
              f"RSS {resident:.1f} MB{f' (limit {memory_limit})' if memory_limit else ''}")
        print(f"         {late_after - late_before} cycles late, {max(old)} of {count * each:,} values older "
              f"than 2 s, {tasks} threads, {wakes:,.0f} wake-ups/s")
    hall.stop()


def unreachable():
    """An address and port where nobody answers a connect: a listener whose queue is full drops SYNs."""
    listener = socket.socket()
    listener.bind(("127.2.0.1", 0))
    listener.listen(0)
    keep = [listener]
    for _ in range(8):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        keep.append(one)
    time.sleep(0.2)
    return keep, listener.getsockname()[1]


def cadence(folder, devices, seconds, alive):
    """Requests a second of each living endpoint."""
    running = gateway(folder, devices, 30, 0.05)
    names = {f"{address(n)}:{devices[n]['port']}" for n in range(alive)}
    rows = lambda: {row["name"]: row["requests"] for row in running.status()["channels"]
                    if row["name"] in names}
    harness.wait_for(lambda: min(rows().values()) > 20, "the living ones")
    before, start = rows(), time.monotonic()
    time.sleep(seconds)
    after, span = rows(), time.monotonic() - start
    running.stop()
    return [(after[name] - before[name]) / span for name in names]


def bench_dead(folder, seconds):
    """19 endpoints beside one that is well, one that drops SYNs and one that accepts and is silent."""
    hall = Hall(silent=address(19))
    keep, closed_port = unreachable()
    living = [device(n, hall.port, timeout=1) for n in range(19)]
    runs = {
        "19 alone": living,
        "one more that accepts and is silent": living + [device(19, hall.port, timeout=1)],
        "one more that drops SYNs": living + [harness.modbus_device("Dead", closed_port, ip="127.2.0.1",
                                                                    timeout=1)],
    }
    print("dead     19 endpoints x 30 variables at 50 ms, beside a dead one: requests/s of the slowest and of all")
    base = None
    for number, (name, devices) in enumerate(runs.items()):
        rates = cadence(folder / f"dead-{number}", devices, seconds, 19)
        base = base or rates
        print(f"         {name}: {min(rates):.2f}, {sum(rates):.1f} "
              f"({min(rates) / min(base):.3f} and {sum(rates) / sum(base):.3f} of it; limit 0.95)")
    for one in keep:
        one.close()
    hall.stop()


def bench_field(folder, seconds):
    """All of these."""
    for part in (bench_speed, bench_many, bench_dead):
        part(folder, seconds)


BENCHES = {"field": bench_field, "speed": bench_speed, "many": bench_many, "dead": bench_dead}
