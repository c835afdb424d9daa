"""What the kernel says about a process."""
import pathlib
import statistics


def cpu_seconds(pid):
    """User and system time of a process with all its threads, in nanosecond steps where the kernel
    keeps them (schedstat), otherwise in clock ticks."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_kib(pid, *keys):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(keys))


def median(values):
    return statistics.median(list(values))
