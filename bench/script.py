"""Scripts: the CPU of a call beside a bare CPython; what a worker holds; how soon a saved script runs."""
import pathlib
import subprocess
import time

import harness
from measure import (ROUNDS, beside, cpu_of, end, is_not_collecting, median, memory_kib, windows)

BENCH = pathlib.Path(__file__).resolve().parent
UPLOAD = BENCH / "upload.py"
VARIABLES, LIMIT = 1000, 1.25
VARIABLES_LARGE, LIMIT_LARGE = 10000, 1.15
INTERVALS = (0.1, 0.01)
SCRIPTS = 32
# The processes keep slightly different time: at the same cadence the same two would run side by
# side all through a run, and one run say 0.2 more than the next.
SILENT_PACE, BARE_PACE = 1.2, 1.05


class Modbus:
    """Words that stay as they are, of a simulated plant."""
    title = "variables"

    def __init__(self, folder):
        self.plants = []
        self.folder = folder

    def config(self, count):
        self.plants.append(harness.Plant(self.folder))
        return {"devices": [harness.modbus_device("Plant", self.plants[-1].port)],
                "vars": [harness.variable(f"value_{n:05d}", "Plant", "WORD", 40001 + n)
                         for n in range(count)]}

    def stop(self):
        for plant in self.plants:
            plant.stop()


class Waves:
    """Floats, each of them another one at each call."""
    title = "floats that change"

    def __init__(self, folder):
        pass

    def config(self, count):
        return {"devices": [{"device_name": "Plant", "protocol": "Simulator"}],
                "vars": [{"var_name": f"value_{n:05d}", "device": "Plant", "data_type": "FLOAT",
                          "group": "default", "symbol": f"ramp/{10 + n / 100}/0..{1 + n}"}
                         for n in range(count)]}

    def stop(self):
        pass


def gateway(folder, source, variables, interval, script=UPLOAD.read_text(), **config):
    """With the script for each message of `config`."""
    folder.mkdir()
    scripts = {f"{message['name']}.py": script for message in config.get("publish", ())}
    return harness.Gateway(folder, {
        **source.config(variables), "groups": [harness.group("default", interval, interval)],
        **config}, scripts=scripts)


def measure(folder, cloud, variables, interval, seconds, limit, kind=Modbus):
    folder.mkdir()
    source = kind(folder)
    running = gateway(folder / "script", source, variables, interval, cloud=cloud,
                      publish=[harness.publish("values", "values")])
    # What handing the values over costs where no message wants them.
    silent = gateway(folder / "silent", source, variables, interval * SILENT_PACE)
    harness.wait_for(lambda: running.message("values")["delivered"] > 2 / interval, "deliveries")
    bare = beside([harness.PYTHON, BENCH / "bare_script.py", UPLOAD, variables,
                   "words" if kind is Modbus else "floats", "every", interval * BARE_PACE])
    worker = running.worker("values")
    before, start = worker["calls"], time.monotonic()
    rows = windows((cpu_of(running.program.pid, only=is_not_collecting), cpu_of(worker["pid"]),
                    cpu_of(silent.program.pid, only=is_not_collecting), cpu_of(bare.pid),
                    cpu_of(running.program.pid)), seconds)
    made = (running.worker("values")["calls"] - before) * interval / (time.monotonic() - start)
    end(bare)
    for thing in (running, silent, source):
        thing.stop()
    paces = (1, 1, SILENT_PACE, BARE_PACE, 1)
    show(f"{variables} {kind.title}, {1 / interval:.0f} calls a second ({made * 100:.0f} % made)",
         [[gain / row[0] * interval * pace * 1e6 for gain, pace in zip(row[1:], paces)]
          for row in rows], limit)


def show(what, calls, limit):
    """`calls` has us of CPU a call, a row for each span of time."""
    ours, worker, silent, bare, everything = (median(column) for column in zip(*calls))
    ratio = (ours - silent + worker) / bare
    whole = (everything + worker) / bare
    print(f"         {what}: worker {worker:.0f} us, penstockd {ours - silent:.0f} us; bare CPython "
          f"{bare:.0f} us")
    print(f"         ratio {ratio:.2f} (limit {limit}); with collection ({everything - ours:.0f} us) and "
          f"taking the values over ({silent:.0f} us) counted in {whole:.2f}")


def bench_script(folder, seconds):
    """One message at several sizes and cadences, beside a bare CPython at the same cadence."""
    cloud = harness.Cloud(folder / "cloud")
    fast = harness.cloud_block(cloud, publish_rate=0, publish_kib=0)  # faster than AWS IoT takes it
    print("script   one message; CPU per call")
    for interval in INTERVALS:
        measure(folder / f"every-{interval}", fast, VARIABLES, interval, seconds, LIMIT)
    measure(folder / "floats", fast, VARIABLES, INTERVALS[0], seconds, LIMIT, Waves)
    cloud.stop()
    broker = harness.Broker(folder)  # 10,000 variables make more than AWS IoT's 128 KB
    measure(folder / "large", broker.block(), VARIABLES_LARGE, 1, max(seconds, 10), LIMIT_LARGE)
    broker.stop()
    tight = median(float(subprocess.check_output(
        [harness.PYTHON, BENCH / "bare_script.py", UPLOAD, str(VARIABLES), "words", "1000"]))
        for _ in range(ROUNDS))
    print(f"         bare CPython, {VARIABLES} variables, without pause between its calls: "
          f"{tight * 1e6:.0f} us")


def bench_memory(folder, _):
    """Resident memory of penstockd with 1,000 variables; private memory of a worker."""
    cloud = harness.Cloud(folder / "cloud-memory")
    source = Modbus(folder)
    running = gateway(folder / "memory", source, VARIABLES, 1, cloud=harness.cloud_block(cloud),
                      publish=[harness.publish("values", "values")])
    harness.wait_for(lambda: running.message("values")["delivered"] > 5, "deliveries")
    rss = memory_kib(running.program.pid, "Rss:")
    private = memory_kib(running.worker("values")["pid"], "Private_Clean:", "Private_Dirty:")
    for thing in (running, source, cloud):
        thing.stop()
    print(f"memory   penstockd with 1,000 variables: RSS {rss / 1024:.1f} MB (limit 15); "
          f"a worker: {private / 1024:.1f} MB private (limit 4)")


def bench_scripts(folder, _):
    """Private memory of the workers of 32 messages."""
    cloud = harness.Cloud(folder / "cloud-scripts")
    source = Modbus(folder)
    names = [f"script{n:02d}" for n in range(SCRIPTS)]
    running = gateway(folder / "scripts", source, 100, 1, cloud=harness.cloud_block(cloud),
                      publish=[harness.publish(name, name) for name in names])
    harness.wait_for(lambda: all(running.message(name)["delivered"] > 5 for name in names),
                     "deliveries")
    private = [memory_kib(row["pid"], "Private_Clean:", "Private_Dirty:") / 1024
               for row in running.status()["workers"]]
    for thing in (running, source, cloud):
        thing.stop()
    print(f"scripts  {SCRIPTS} scripts of 100 variables: at most {max(private):.1f} MB private each, "
          f"{sum(private):.0f} MB together (limit 3 each)")


def bench_saved(folder, _):
    """From saving a script to its first message at a foreign client."""
    cloud = harness.Cloud(folder / "cloud-saved")
    source = Modbus(folder)
    running = gateway(folder / "saved", source, 1, 0.01, "def main(d, w): return '0'\n",
                      cloud=harness.cloud_block(cloud),
                      publish=[harness.publish("version", "version")])
    receiver = harness.Receiver(cloud, "version")
    script = folder / "saved/config/scripts/version.py"
    took = []
    for number in range(1, 21):
        start = time.monotonic()
        script.write_text(f"def main(d, w): return '{number}'\n")
        while not (receiver.lines and receiver.lines[-1].endswith(f" {number}")):
            assert time.monotonic() - start < harness.PATIENCE
            time.sleep(0.001)
        took.append(time.monotonic() - start)
    for thing in (running, receiver, source, cloud):
        thing.stop()
    print(f"saved    from saving a script to its first message: median {median(took) * 1000:.0f} ms, "
          f"longest {max(took) * 1000:.0f} ms of {len(took)} (limit 100)")


BENCHES = {"script": bench_script, "memory": bench_memory, "scripts": bench_scripts, "saved": bench_saved}
