"""The web interface's load: requests of wrk and many event streams, both over TLS, while 10,000 variables
are collected each second. Limits are those of the interface itself; the load runs on the same machine."""
import re
import subprocess
import time

import events
import harness
import web_access
from measure import cpu_seconds, median, memory_kib

VARIABLES = 10000
REQUESTS = 10000
CONNECTIONS = 50
ROUNDS = 10
READERS = 50
WATCHED = 1000

# What a page asks for, in turn.
SCRIPT = """
local paths = {"/api/v1/variables?limit=50", "/api/v1/status", "/api/v1/alarms", "/",
               "/api/v1/variables?search=0042&sort=-name&limit=50"}
local at = 0
request = function()
    at = at % #paths + 1
    return wrk.format("GET", paths[at])
end
done = function(summary, latency)
    local errors = summary.errors
    io.write(string.format("done %d %d %d %.3f %.3f\\n", summary.requests,
        errors.connect + errors.read + errors.write + errors.timeout, errors.status,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def start(folder):
    plant = harness.Plant(folder)
    running = harness.Gateway(folder, {
        "devices": [harness.modbus_device("Plant", plant.port)],
        "vars": [harness.variable(f"value_{n:05d}", "Plant", "WORD", 40001 + n)
                 for n in range(VARIABLES)],
        "groups": [harness.group("default", 1, 1)]}, web=True)
    web_access.add_user(running, "anna", "administrator")
    token = web_access.add_token(running, "bench", "viewer")
    harness.wait_for(lambda: running.status()["groups"][0]["due"] >= 2, "collection")
    return plant, running, token


def late(gateway):
    return sum(group["late"] for group in gateway.status()["groups"])


def wrk(gateway, token, script, seconds):
    """(requests, errors, refusals, median ms, 99 % ms)"""
    done = subprocess.run(
        ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "-s", str(script), "-H",
         f"Authorization: Bearer {token}", gateway.web_url], capture_output=True, text=True,
        check=True)
    found = re.search(r"^done (\d+) (\d+) (\d+) (\S+) (\S+)$", done.stdout, re.M)
    assert found, done.stdout + done.stderr
    return tuple(int(number) for number in found.groups()[:3]) + tuple(
        float(number) for number in found.groups()[3:])


def bench_requests(folder, running, token):
    script = folder / "web.lua"
    script.write_text(SCRIPT)
    rate = wrk(running, token, script, 3)[0] / 3
    seconds = int(REQUESTS / rate * 1.3) + 1
    late_before = late(running)
    rows, memory = [], []
    for _ in range(ROUNDS):
        used, begun = cpu_seconds(running.program.pid), time.monotonic()
        row = wrk(running, token, script, seconds)
        rows.append((*row, (cpu_seconds(running.program.pid) - used) / row[0],
                     row[0] / (time.monotonic() - begun)))
        memory.append(memory_kib(running.program.pid, "Rss:") / 1024)
    print(f"web      {ROUNDS} rounds of at least {min(row[0] for row in rows):,} requests at "
          f"{CONNECTIONS} connections over TLS beside {VARIABLES:,} variables a second")
    print(f"         {median(row[6] for row in rows):.0f} requests/s, {median(row[5] for row in rows) * 1e6:.0f} "
          f"us CPU each; half within {median(row[3] for row in rows):.1f} ms, 99 % within "
          f"{median(row[4] for row in rows):.1f} ms; {sum(row[1] for row in rows)} errors, "
          f"{sum(row[2] for row in rows)} refusals")
    print(f"         {late(running) - late_before} cycles late (limit 0); resident memory after each "
          f"round {', '.join(f'{size:.1f}' for size in memory)} MB (limit: no growth)")


def bench_events(running, token, seconds):
    lists = []
    for reader in range(READERS):
        names = [["Plant", f"value_{(reader * 100 + n) % VARIABLES:05d}"] for n in range(WATCHED)]
        web = web_access.Web(running, token=token)
        status, _, made = web.ask("POST", "/watches", {"variables": names})
        assert status == 200, made
        lists.append(f"watch={made['id']}")
    used, begun = cpu_seconds(running.program.pid), time.monotonic()
    time.sleep(seconds)
    base = (cpu_seconds(running.program.pid) - used) / (time.monotonic() - begun)
    late_before = late(running)
    many = events.ManyReaders(running, token, lists)
    many.read(3)
    used, begun, many.values, many.late = cpu_seconds(running.program.pid), time.monotonic(), 0, []
    many.read(seconds)
    spent = time.monotonic() - begun
    share = (cpu_seconds(running.program.pid) - used) / spent
    delays = sorted(many.late)
    print(f"         {READERS} streams of {WATCHED:,} values over TLS, {many.values / spent:,.0f} values/s: "
          f"penstockd {100 * share:.1f} % of a core, of which {100 * base:.1f} % are there without them "
          f"(limit 20 for the streams)")
    print(f"         from the read to the reader: median {1000 * median(delays):.0f} ms, longest "
          f"{1000 * delays[-1]:.0f} ms of {len(delays)} (limit 300); {late(running) - late_before} cycles late")
    many.stop()


def bench_web(folder, seconds):
    """Requests and event streams while 10,000 variables are collected each second."""
    plant, running, token = start(folder)
    bench_requests(folder, running, token)
    bench_events(running, token, seconds)
    for thing in (running, plant):
        thing.stop()


BENCHES = {"web": bench_web}
