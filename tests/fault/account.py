"""The books of a run: what was sent, lost, sent twice, out of order. Pure.

Lost is what was accepted and did not arrive. Duplicates count every further arrival. Out of order is
every first arrival whose number is lower than that of one before it. Where the clock is set, the stamp
takes the number's place, and what came before an `epoch` is not compared with what came after it.
"""
import collections
import dataclasses


@dataclasses.dataclass
class Account:
    sent: int = 0
    lost: list = dataclasses.field(default_factory=list)  # (name, number, accepted at)
    duplicated: list = dataclasses.field(default_factory=list)  # (name, number, first arrival)
    disordered: list = dataclasses.field(default_factory=list)  # (name, number)
    unknown: list = dataclasses.field(default_factory=list)  # (name, number): never given out


def balance(accepted, given, arrivals, stamped=(), epochs=()):
    """accepted: {name: {number: time}}, given: {name: highest number}, arrivals: {name: [(number,
    stamp, time)]}, stamped: names whose order is that of the stamps, epochs: times."""
    account = Account()
    for name, numbers in accepted.items():
        account.sent += len(numbers)
        there = {number for number, _, _ in arrivals.get(name, ())}
        account.lost += [(name, number, at) for number, at in sorted(numbers.items())
                         if number not in there]
    for name, list_ in arrivals.items():
        first = {}
        highest = None
        ends = sorted(epochs)
        for number, stamp, at in list_:
            if not 1 <= number <= given.get(name, 0):
                account.unknown.append((name, number))
            if number in first:
                account.duplicated.append((name, number, first[number]))
                continue
            first[number] = at
            while ends and at > ends[0]:
                highest = None
                ends.pop(0)
            key = stamp if name in stamped else number
            if highest is not None and key < highest:
                account.disordered.append((name, number))
            highest = key if highest is None else max(highest, key)
    return account


def ledger_adds_up(row):
    return row["accepted"] == (row["delivered"] + row["waiting"] + row["dead"] +
                               sum(row["dropped"].values()))


@dataclasses.dataclass
class Allowed:
    """What the promise leaves open in this run."""
    loss_s: float = 0      # accepted no longer than so before a kill of penstockd
    kills: list = dataclasses.field(default_factory=list)  # times at which penstockd was killed
    resent_s: float = 0    # may come twice what first arrived no longer than so before a kill
    per_cut: int = 0       # and so many for each connection that was lost
    cuts: int = 0
    lost: int = 0          # rows on broken pages, where the run broke them
    late: int = 0          # rows of a disk that could not be read when later ones went


LATE_S = 0.3  # what a process said before the kill may be read a little after it


def just_before(kills, at, seconds):
    return any(-LATE_S <= kill - at <= seconds for kill in kills)


def complaints(account, allowed):
    """What breaks the promise, in words; empty when it was kept."""
    found = []
    lost = [entry for entry in account.lost if allowed.loss_s == 0 or
            not just_before(allowed.kills, entry[2], allowed.loss_s)]
    if len(lost) > allowed.lost:
        found.append(f"{len(lost)} lost against the promise, the first is {lost[0][:2]}")
    twice = collections.Counter(
        just_before(allowed.kills, entry[2], allowed.resent_s) for entry in account.duplicated)
    if twice[False] > allowed.per_cut * allowed.cuts:
        found.append(f"{twice[False]} came twice that were not in flight at a cut")
    if len(account.disordered) > allowed.late:
        found.append(f"{len(account.disordered)} out of order, the first is "
                     f"{account.disordered[0]}")
    if account.unknown:
        found.append(f"{len(account.unknown)} arrived that nobody sent: {account.unknown[:3]}")
    if account.sent == 0:
        found.append("nothing was sent")
    return found
