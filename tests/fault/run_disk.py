"""Disks that are full, read-only, broken, or give back other bytes than were written."""
import errno
import itertools
import os
import pathlib
import re
import subprocess
import time

from harness import wait_for

TMPFS_BYTES = 16 * 1024 * 1024
REMOUNT_S = 20  # until the processes of a killed gateway have let go of their files


class SmallDisk:
    """A small tmpfs for the state folder. Only root may mount one."""

    def __init__(self, folder, size=TMPFS_BYTES):
        self.path = folder / "disk"
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "penstock-fault",
                        str(self.path)], check=True, capture_output=True)
        self.filler = self.path / "filler"

    def fill(self):
        with open(self.filler, "ab", 0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as error:
                assert error.errno == errno.ENOSPC, error

    def empty(self):
        self.filler.unlink()

    def remount(self, how):
        """While somebody has a file open for writing the kernel refuses `ro`; so it does for a moment
        after a kill, since scripts end a little later than their gateway."""
        said = ""

        def done():
            nonlocal said
            said = subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], check=False,
                                  capture_output=True, text=True)
            return said.returncode == 0
        try:
            wait_for(done, f"the disk to be remounted {how}", REMOUNT_S)
        except AssertionError as error:
            holders = ", ".join(self.holders()) or "nobody"
            raise AssertionError(f"{error} ({said.stderr.strip()}); held by {holders}") from None

    def holders(self):
        """Processes with open files on the disk: "PID NAME: FILES"."""
        device = self.path.stat().st_dev
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            files = []
            try:
                for link in (process / "fd").iterdir():
                    files += [os.readlink(link)] if link.stat().st_dev == device else []
                name = (process / "comm").read_text().strip()
            except OSError:
                pass  # the process or the file is gone meanwhile
            if files:
                found.append(f"{process.name} {name}: {' '.join(files)}")
        return found

    def stop(self):
        subprocess.run(["umount", "-l", str(self.path)], check=False)


def may_mount():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
        capture_output=True).returncode == 0


def failing(rig):
    return rig.outbox()["store_failing"]


def cut(rig):
    """Messages must wait, or nobody notices that the disk takes none."""
    rig.proxy.swallow()


def mend(rig):
    rig.proxy.reset()
    rig.proxy.heal()


def small_disk(rig, size=TMPFS_BYTES):
    """The state folder is on a small disk from now on."""
    disk = SmallDisk(rig.folder, size)
    rig.at_end = disk.stop
    rig.gateway.state = disk.path / "state"
    return disk


def disk_fails(rig, seconds, fail, repair):
    """`fail` with messages waiting, the broker back and away again, `repair`."""
    rig.start()
    rig.flows()
    cut(rig)
    rig.accepts(200)
    fail()
    rig.wait(lambda: failing(rig), "the store to fail")
    time.sleep(seconds)
    waiting = rig.outbox()["waiting"]
    mend(rig)
    rig.flows(100)  # from memory
    cut(rig)
    rig.accepts(100)
    repair()
    rig.wait(lambda: not failing(rig), "the store to write again")
    mend(rig)
    rig.flows(100)
    return waiting


def disk_full(rig, seconds):
    """The disk of the state folder is full, with the broker away and back, and has room again."""
    if may_mount():
        disk = small_disk(rig)
        waiting = disk_fails(rig, seconds, disk.fill, disk.empty)
        rig.notes.append(f"a full tmpfs; {waiting:,} waited then")
    else:
        disk_refuses(rig, seconds, errno.ENOSPC)


def tiny_disk(rig, megabytes):
    """The outbox fills a disk that is smaller than SQLite's write-ahead log may become: when messages can
    go again, the disk is written again, and a kill costs nothing."""
    if not may_mount():
        rig.skip = "needs root to mount a tmpfs"
        return
    small_disk(rig, megabytes * 1024 * 1024)
    rig.start()
    rig.flows()
    cut(rig)
    rig.wait(lambda: failing(rig), "the disk to be full")
    waiting = rig.outbox()["waiting"]
    mend(rig)
    rig.wait(lambda: not failing(rig) and rig.outbox()["waiting"] < 100, "the disk to have room")
    cut(rig)
    rig.accepts(200)
    rig.witness.paused = True
    time.sleep(2)  # all of them are on the disk
    assert not failing(rig), "200 messages fill the disk again"
    rig.kill()
    rig.proxy.heal()
    rig.witness.paused = False
    rig.start()
    rig.flows(100)
    rig.notes.append(f"{megabytes} MB, full with {waiting:,} messages")


def disk_refuses(rig, seconds, number):
    disk_fails(rig, seconds, lambda: rig.shim.disk(number), lambda: rig.shim.disk(0))
    rig.notes.append(f"every write fails with {errno.errorcode[number]} for {seconds} s and more")


def disk_read_only(rig, seconds):
    """The file system becomes read-only while the gateway runs."""
    disk_refuses(rig, seconds, errno.EROFS)


def disk_error(rig, seconds):
    """The disk answers every write with an input/output error."""
    disk_refuses(rig, seconds, errno.EIO)


SLOW_S = 1       # what a sync takes longer
CALL_LIMIT_S = 3 # of the scripts of this run, which save 300 messages in a call: minutes of that disk


def slow_disk(rig, seconds):
    """Every sync takes a second longer, as on a worn SD card or under a heavy load, with the broker away
    and back and penstockd killed and stopped meanwhile. Everything becomes slow and nothing stops:
    when the disk is quick again, so is the flow, and no script was blamed."""
    rig.start()
    rig.flows()
    blamed = []
    ends = itertools.cycle((rig.kill, rig.gateway.stop))
    restarts = 0
    rig.shim.sync(SLOW_S)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        cut(rig)
        pause = time.monotonic() + 6 * CALL_LIMIT_S
        while time.monotonic() < pause:
            rig.accepts(1)
        mend(rig)
        rig.flows(1)
        blamed += rig.gateway.program.find("SCRIPT-ENDED")
        next(ends)()
        rig.start()
        restarts += 1
    rig.shim.sync(0)
    rig.flows(1000)
    blamed += rig.gateway.program.find("SCRIPT-ENDED")
    assert not blamed, blamed[0]
    rig.notes.append(f"syncs of {SLOW_S} s for {seconds} s, {restarts} restarts; no script was killed")


def read_only_start(rig, _):
    """penstockd is started on a read-only file system that holds a backlog: it says so and works from
    memory; with the file system writable again, the backlog goes, too."""
    if not may_mount():
        rig.skip = "needs root to mount a tmpfs"
        return
    disk = small_disk(rig)
    rig.start()
    rig.flows()
    cut(rig)
    rig.accepts(200)
    rig.witness.paused = True
    time.sleep(1)  # max_loss_s has passed: everything is on the disk
    rig.allowed_late = rig.outbox()["waiting"]
    rig.kill()
    rig.witness.paused = False
    rig.proxy.heal()
    disk.remount("ro")
    rig.start()
    said = rig.gateway.program.wait_line("OUTBOX-DISK")
    rig.wait(lambda: failing(rig), "the read-only disk to be noticed")
    rig.flows()
    disk.remount("rw")
    rig.wait(lambda: not failing(rig), "the disk to be writable again")
    rig.flows(200)
    rig.notes.append("works from memory and says: " + tidy(said, rig))


def tidy(line, rig):
    """A log line for the table: no stamp, no folder of this run."""
    return re.sub(r"^.*?: ", "", line.replace(str(rig.folder), "").strip(), count=1)[:160]


# ---- other bytes than were written

ROWS_OF_A_PAGE = 64  # at most, of those the scripts of the rig send


FRAME_BYTES = 24 + 4096  # https://www.sqlite.org/fileformat2.html, section 4.1


def used(path, data):
    """Where the bytes that count begin and end. The log is used again from its start: frames of an
    earlier round have other salts than its head."""
    if not path.name.endswith("-wal"):
        return 4096, len(data)
    end = 32
    while data[end + 8:end + 16] == data[16:24]:
        end += FRAME_BYTES
    return 32, end


def flip(rig, path, flips=3):
    """(what was done, rows it may cost)"""
    data = bytearray(path.read_bytes())
    start, end = used(path, data)
    for _ in range(flips):
        data[rig.random.randrange(start, end)] ^= 1 << rig.random.randrange(8)
    path.write_bytes(data)
    return f"{flips} bits of {end - start:,} bytes flipped", flips * ROWS_OF_A_PAGE


def tear(rig, path):
    start, end = used(path, path.read_bytes())
    torn = rig.random.randrange(1, min((end - start) // 2, 40000))
    os.truncate(path, end - torn)
    return (f"the last {torn:,} of {end - start:,} bytes cut off",
            (torn // 4096 + 2) * ROWS_OF_A_PAGE)


def damage(rig, rows, name, how):
    """With so many rows waiting; the broker comes back only when the gateway has said what is left."""
    rig.start()
    rig.flows()
    cut(rig)
    rig.accepts(rows)
    rig.witness.paused = True
    time.sleep(2)  # the last of them are on the disk
    before = rig.outbox()["waiting"]
    if name == "outbox.db":
        rig.end()  # an orderly end leaves no log
    else:
        rig.kill()
    what, rig.allowed_lost = how(rig, rig.gateway.state / name)
    rig.damaged = name
    rig.start()
    left = rig.outbox()["waiting"]
    said = [tidy(line, rig) for line in rig.gateway.program.find("OUTBOX-")]
    if how == flip or name == "outbox.db":
        assert left == before or said, f"{before - left} of {before} rows are gone without a word"
    mend(rig)
    rig.witness.paused = False
    rig.flows(100)
    rig.notes.append(f"{what}, {before:,} rows before and {left:,} after; the log: " +
                     (" / ".join(said) or "nothing"))


def flipped_database(rig, rows):
    """Three bits of outbox.db change while the gateway is off."""
    damage(rig, rows, "outbox.db", flip)


def torn_database(rig, rows):
    """The end of outbox.db is cut off while the gateway is off."""
    damage(rig, rows, "outbox.db", tear)


def flipped_log(rig, rows):
    """Three bits of outbox.db-wal change after a kill."""
    damage(rig, rows, "outbox.db-wal", flip)


def torn_log(rig, rows):
    """The end of outbox.db-wal is cut off after a kill. Nobody can see that there was more: it looks as
    a power cut leaves it, which takes only what was not promised. Here it was."""
    damage(rig, rows, "outbox.db-wal", tear)
