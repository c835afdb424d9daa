"""Clocks that are set, and outages that last."""
import time

# Less than a day in all: more, for the first time, is a clock that had not been set, and its stamps
# are corrected (src/base/clock.h; tested in src/outbox/era_test.c).
JUMPS_S = (-3600, 7200, -20000, 20000, -5, 5)
# A schedule that went by the wall clock would stand still for as long as the clock is set back; a
# slow disk only slows what waits for its syncs.
STANDS_STILL_S = 5


def clock_set(rig, count):
    """The wall clock is set back and forth while the broker is away. What waits goes out in order of
    its stamps; what scripts save goes out in the order of saving; the schedule does not care."""
    rig.stamped = ("return",)
    rig.start()
    rig.flows()
    ahead = 0
    for number in range(count):
        rig.drain()
        rig.epochs.append(time.monotonic())
        rig.proxy.refuse = True
        rig.proxy.reset()
        rig.witness.paused = False
        for jump in rig.random.sample(JUMPS_S, 3):
            ahead += jump
            rig.shim.clock(ahead)
            enough = sum(rig.witness.given.values()) + 100
            time.sleep(1)
            rig.wait(lambda: sum(rig.witness.given.values()) >= enough,
                     f"100 messages after the clock was set by {jump} s", STANDS_STILL_S - 1)
        rig.witness.paused = True
        time.sleep(0.5)
        rig.proxy.refuse = False
    rig.drain()
    rig.epochs.append(time.monotonic())
    rig.witness.paused = False
    rig.flows()
    rig.notes.append(f"set {3 * count} times, by 5 s to five hours; order is judged by the stamp, and by "
                     "the number where scripts save")


def backlog(rig, rows):
    """The broker is away until so many messages wait, while penstockd is stopped, killed and stopped
    again; then they are drained."""
    rig.proxy.refuse = True
    rig.start()
    for part, end in enumerate((rig.end, rig.kill, rig.end), 1):
        rig.witness.limit = rows * part // 4
        rig.fills_up(rig.witness.limit - 2)
        time.sleep(2 * (end == rig.kill))  # at rest: that a kill costs nothing older is seen here
        end()
        rig.start()
    rig.witness.limit = rows
    rig.fills_up(rows)
    waiting = rig.outbox()["waiting"]
    memory = resident_mb(rig.gateway.program.pid)
    start = time.monotonic()
    rig.proxy.refuse = False
    rig.wait(lambda: rig.outbox()["waiting"] == 0, "the backlog to be drained", 600)
    took = time.monotonic() - start
    rig.notes.append(f"{waiting:,} waited after three restarts, with {memory:.0f} MB of memory; "
                     f"drained in {took:.0f} s")


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
