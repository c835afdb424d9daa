"""S7: a thousand scattered variables each cycle, beside a bare libsnap7 loop of full multi-reads."""
import pathlib
import subprocess
import time

import harness
from measure import ROUNDS, beside, cpu_seconds, end, median

VARIABLES = 1000
STRIDE = 64  # bytes: too far apart to be merged, so that both sides ask for the same items
POLLING = 0.01  # the shortest there is
LIMIT = 0.8


def cycles(gateway):
    """Cycles that were made: those that were due and not missed."""
    row = gateway.status()["groups"][0]
    return row["due"] - row["late"]


def measure(gateway, loop, port, seconds):
    """Cycles a second and CPU of a cycle, both of the gateway and of the loop."""
    bare = beside([loop, port, VARIABLES, seconds])
    start, cpu_before, made_before = time.monotonic(), cpu_seconds(gateway.program.pid), cycles(gateway)
    bare_cpu = 0.0
    while bare.poll() is None:
        try:
            bare_cpu = cpu_seconds(bare.pid)
        except OSError:
            break  # it has just ended
        time.sleep(0.05)
    span = time.monotonic() - start
    made, cpu = cycles(gateway) - made_before, cpu_seconds(gateway.program.pid) - cpu_before
    count, bare_span = bare.stdout.read().split()
    end(bare)
    return made / span, int(count) / float(bare_span), cpu / made, bare_cpu / int(count)


def run(folder, loop, servers, ports, seconds):
    servers += [beside([loop, "serve", port]) for port in ports]
    rows = [{"var_name": f"v{n:04d}", "device": "PLC", "data_type": "FLOAT", "register_type": "DB",
             "dbnumber": 1, "register_addr": STRIDE * n} for n in range(VARIABLES)]
    gateway = harness.Gateway(folder, {
        "devices": [{"device_name": "PLC", "protocol": "ISO-on-TCP", "ip": "127.0.0.1", "port": ports[0],
                     "slot": 1, "timeout": 5}],
        "vars": rows, "groups": [harness.group("default", POLLING, 3600)]})
    harness.wait_for(lambda: cycles(gateway) > 5, "collection")
    seen = [measure(gateway, loop, ports[1], seconds / ROUNDS) for _ in range(ROUNDS)]
    gateway.stop()
    return seen


def bench_s7(folder, seconds):
    folder = pathlib.Path(folder) / "s7"
    folder.mkdir()
    servers = []
    try:
        seen = run(folder, harness.BIN.parent / "bench/s7_loop", servers,
                   [harness.free_port(), harness.free_port()], seconds)
    finally:
        for server in servers:
            end(server)
    rate, bare_rate = median(row[0] for row in seen), median(row[1] for row in seen)
    print(f"s7       {VARIABLES} scattered variables, cycles a second: penstockd {rate:.0f} (its shortest interval "
          f"allows {1 / POLLING:.0f}), bare libsnap7 loop without a pause {bare_rate:.0f}")
    print(f"         CPU a cycle: penstockd {median(row[2] for row in seen) * 1000:.2f} ms, bare loop "
          f"{median(row[3] for row in seen) * 1000:.2f} ms")
    print(f"         ratio of the rates {median(row[0] / row[1] for row in seen):.2f} (limit {LIMIT}), of cycles a "
          f"second of CPU {median(row[3] / row[2] for row in seen):.2f}")


BENCHES = {"s7": bench_s7}
