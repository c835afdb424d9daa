"""The fault runs of `make fault` (tests/fault, docs/reliability.md) in small, and what judges them."""
import os
import pathlib
import secrets
import signal
import sys
import time
import zlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import account as books
import harness
import witness
from rig import Rig
from runs import RUNS, make

SHORT = [(run, max_loss_s) for run in RUNS if run.short for max_loss_s in run.short_losses]


@pytest.mark.parametrize("run, max_loss_s", SHORT,
                         ids=[f"{run.name}-{loss}" for run, loss in SHORT])
def test_the_promise_is_kept(run, max_loss_s):
    result = make(run, max_loss_s, run.short, secrets.randbelow(10 ** 6))
    print(result.line())
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.passed, result.line()


def test_a_gateway_that_ends_by_itself_is_noticed(tmp_path):
    rig = Rig(tmp_path, 0, 1)
    try:
        rig.start()
        os.kill(rig.gateway.program.pid, signal.SIGKILL)
        begin = time.monotonic()
        with pytest.raises(AssertionError, match="ended by itself with -9(.*\n)+.*STARTED"):
            rig.accepts(10 ** 6)
        assert time.monotonic() - begin < harness.PATIENCE / 2
        with pytest.raises(AssertionError, match="ended by itself"):
            rig.kill()
    finally:
        rig.gateway.kill()
        rig.stop()


def judged(numbers, accepted, **allowed):
    """Complaints about one name whose numbers arrive one second apart, from second 100 on."""
    arrivals = {"a": [(number, 0, 100 + place) for place, number in enumerate(numbers)]}
    account = books.balance({"a": accepted}, {"a": 10}, arrivals)
    return " ".join(books.complaints(account, books.Allowed(**allowed)))


SOUND = {number: 99 + number for number in range(1, 6)}
CASES = {
    "all right": ([1, 2, 3, 4, 5], SOUND, {}, ""),
    "not accepted, and yet there": ([1, 2, 3, 4, 5, 6], SOUND, {}, ""),
    "lost": ([1, 2, 4, 5], SOUND, {}, "1 lost"),
    "lost within the second": ([1, 2, 3, 4], SOUND, {"loss_s": 1, "kills": [104.9]}, ""),
    "lost within the second, which was not allowed": (
        [1, 2, 3, 4], SOUND, {"loss_s": 0, "kills": [104]}, "1 lost"),
    "lost before the second": ([1, 2, 4, 5], SOUND, {"loss_s": 1, "kills": [104.9]}, "1 lost"),
    "twice": ([1, 2, 2, 3, 4, 5], SOUND, {}, "1 came twice"),
    "twice, in flight": ([1, 2, 2, 3, 4, 5], SOUND, {"per_cut": 1, "cuts": 1}, ""),
    "twice, just before a kill": (
        [1, 2, 2, 3, 4, 5], SOUND, {"resent_s": 1, "kills": [101.5]}, ""),
    "out of order": ([1, 3, 2, 4, 5], SOUND, {}, "1 out of order"),
    "again after a cut is not out of order": (
        [1, 2, 3, 2, 3, 4, 5], SOUND, {"per_cut": 2, "cuts": 1}, ""),
    "never sent": ([1, 2, 3, 4, 5, 11], SOUND, {}, "nobody sent"),
    "nothing": ([], {}, {}, "nothing was sent"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_breach_is_seen(case):
    numbers, accepted, allowed, complaint = CASES[case]
    found = judged(numbers, accepted, **allowed)
    assert complaint in found and bool(complaint) == bool(found), found


def test_a_payload_that_changed_is_seen():
    sent = {"n": 5, "t": 1797602400.25, "pad": "xxx", "sum": zlib.crc32(b"5 1797602400.25")}
    assert witness.is_as_sent(sent)
    for change in ({"n": 6}, {"t": 1797602400.5}, {"pad": "xyx"}, {"sum": 5}, {"q": 1}):
        assert not witness.is_as_sent({**sent, **change})


def test_a_ledger_that_does_not_add_up_is_seen():
    row = {"accepted": 7, "delivered": 3, "waiting": 1, "dead": 1, "dropped": {"retention": 2}}
    assert books.ledger_adds_up(row)
    assert not books.ledger_adds_up({**row, "delivered": 4})
