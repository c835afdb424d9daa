"""What the kernel says about a process."""
import pathlib
import statistics


def cpu_seconds(pid, only=lambda thread: True):
    """User and system time of the threads of a process whose names pass `only`."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if only((task / "comm").read_text()):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def is_collecting(thread):
    return thread.startswith("channel-")  # the threads that talk to devices


def is_not_collecting(thread):
    return not is_collecting(thread)


def memory_kib(pid, *keys):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(keys))


def median(values):
    return statistics.median(list(values))
