"""What the kernel says about processes that run beside each other."""
import pathlib
import statistics
import subprocess
import time

ROUNDS = 5  # figures are medians of so many spans, in which both sides run at once


def cpu_seconds(pid, only=lambda thread: True):
    """User and system time of the threads of a process whose names pass `only`."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if only((task / "comm").read_text()):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def is_not_collecting(thread):
    return not thread.startswith("channel-")  # those are the threads that talk to devices


def memory_kib(pid, *keys):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(keys))


def median(values):
    return statistics.median(list(values))


def beside(arguments):
    """A yardstick that runs beside the gateway, past its start."""
    program = subprocess.Popen([str(argument) for argument in arguments], stdout=subprocess.PIPE,
                               text=True)
    assert program.stdout.readline() == "ready\n"
    return program


def end(program):
    program.kill()
    program.wait()
    program.stdout.close()


def windows(counters, seconds):
    """What each counter gained in each of ROUNDS equal spans of time, and their lengths."""
    rows = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        before = [counter() for counter in counters]
        time.sleep(seconds / ROUNDS)
        after = [counter() for counter in counters]
        rows.append((time.monotonic() - start, *(b - a for a, b in zip(before, after))))
    return rows


def cpu_of(pid, **more):
    return lambda: cpu_seconds(pid, **more)
