"""The table of fault runs, and how one of them is made and judged."""
import dataclasses
import pathlib
import signal
import tempfile
import time
import traceback

import run_disk
import run_network
import run_processes
import run_time
from rig import Rig

LONGEST_S = 1500  # of one run


@dataclasses.dataclass
class Run:
    name: str
    function: object
    what: str
    size: int            # kills, cuts, seconds, rows: what the function takes
    unit: str            # "count", "seconds", "rows" or "megabytes": the knob that changes it
    short: int = 0       # the same in `make test`; 0: not there
    losses: tuple = (0, 1)
    rig: dict = dataclasses.field(default_factory=dict)
    short_losses: tuple = (0,)


SILENT = {"keepalive": run_network.KEEPALIVE_S}
SHIM = {"shim": True}
LARGE = {"pad": 1500}
CROWD = {**SHIM, "saving": ("save1",), "returns": False, "count": 300,
         "timeout": run_disk.CALL_LIMIT_S}
BULK = {"saving": ("save1",), "returns": False, "count": 300}

RUNS = (
    Run("kill-gateway", run_processes.kill_gateway, "SIGKILL of penstockd", 100, "count", 5,
        short_losses=(0, 1)),
    Run("kill-gateway-slow-disk", run_processes.kill_gateway_slow_disk,
        "the same, disk with syncs of 30 ms", 30, "count", 3, rig=SHIM),
    Run("kill-broker", run_processes.kill_broker, "SIGKILL of the broker", 10, "count", 2),
    Run("kill-scripts", run_processes.kill_workers, "SIGKILL of scripts", 20, "count", 3),
    Run("link-reset", run_network.link_reset, "connection reset", 10, "count", 2),
    Run("link-half-close", run_network.link_half_close, "connection half closed", 6, "count", 1),
    Run("link-silent-short", run_network.link_silent_short, "silence below the keep-alive", 5,
        "count", 1, rig=SILENT),
    Run("link-silent-long", run_network.link_silent_long, "silence far beyond the keep-alive", 3,
        "count", rig=SILENT),
    Run("link-delay", run_network.link_delay, "slow network", 20, "seconds"),
    Run("puback-drop", run_network.puback_drop, "acknowledgements lost", 10, "count"),
    Run("puback-delay", run_network.puback_delay, "acknowledgements late", 20, "seconds", 2),
    Run("slow-broker", run_network.slow_broker, "slow broker", 30, "seconds", 2),
    Run("disk-full", run_disk.disk_full, "disk full", 5, "seconds", 1, rig=SHIM),
    Run("tiny-disk", run_disk.tiny_disk, "a disk that the outbox fills", 3, "megabytes", 3, rig=LARGE),
    Run("disk-read-only", run_disk.disk_read_only, "file system turns read-only", 5, "seconds", 1,
        rig=SHIM),
    Run("disk-error", run_disk.disk_error, "disk errors", 5, "seconds", rig=SHIM),
    Run("slow-disk", run_disk.slow_disk, "syncs of a second", 120, "seconds", losses=(0,), rig=CROWD),
    Run("read-only-start", run_disk.read_only_start, "read-only file system at start", 1, "count",
        1),
    Run("flipped-database", run_disk.flipped_database, "flipped bits in outbox.db", 2000, "rows",
        losses=(0,)),
    Run("torn-database", run_disk.torn_database, "torn end of outbox.db", 2000, "rows",
        losses=(0,)),
    Run("flipped-log", run_disk.flipped_log, "flipped bits in outbox.db-wal", 2000, "rows",
        losses=(0,)),
    Run("torn-log", run_disk.torn_log, "torn end of outbox.db-wal", 2000, "rows", losses=(0,)),
    Run("clock-set", run_time.clock_set, "clock set back and forth", 5, "count", 1, rig=SHIM),
    Run("backlog", run_time.backlog, "long outage with three restarts", 100000, "rows", 3000,
        rig=BULK),
)


@dataclasses.dataclass
class Result:
    run: Run
    max_loss_s: int
    seed: int
    account: object = None
    complaints: list = dataclasses.field(default_factory=list)
    ledger: list = dataclasses.field(default_factory=list)
    looks: int = 0
    note: str = ""
    skipped: str = None
    seconds: float = 0

    @property
    def passed(self):
        return not self.complaints and not self.ledger

    def line(self):
        head = f"{self.run.name}, max_loss_s {self.max_loss_s}, seed {self.seed}: "
        if self.skipped:
            return head + f"not made: {self.skipped}"
        verdict = "kept" if self.passed else "BROKEN: " + "; ".join(self.complaints + self.ledger)
        if self.account is None:
            return head + verdict
        return head + (f"{verdict} ({self.account.sent:,} sent, {len(self.account.lost)} lost, "
                       f"{len(self.account.duplicated)} duplicated, "
                       f"{len(self.account.disordered)} out of order, {self.looks} looks at the "
                       f"ledger, {self.seconds:.0f} s; {self.note})")


def too_long(*_):
    raise AssertionError(f"the run took more than {LONGEST_S} s")


def make(run, max_loss_s, size, seed):
    """The Result. Nothing that the run starts outlives it."""
    result = Result(run, max_loss_s, seed)
    start = time.monotonic()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_S)
    with tempfile.TemporaryDirectory(prefix="pf-") as folder:
        rig = None
        try:
            rig = Rig(pathlib.Path(folder), max_loss_s, seed, **run.rig)
            run.function(rig, size)
            if rig.skip:
                result.skipped = rig.skip
            else:
                rig.drain()
                result.account, result.complaints, result.ledger = rig.judge()
                result.looks = rig.looker.looks
            result.note = "; ".join(rig.notes)
        except Exception as error:  # whatever it is, the other runs are made
            result.complaints.append(f"{type(error).__name__}: {error}")
            traceback.print_exc()
            if rig is not None and rig.gateway.program is not None:
                print(rig.gateway.program.text()[-3000:])
        finally:
            signal.alarm(0)
            try:
                if rig is not None:
                    rig.stop()
            except AssertionError as error:
                result.complaints.append(f"at the end: {str(error)[-400:]}")
    result.seconds = time.monotonic() - start
    return result
