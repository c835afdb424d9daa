"""Transcripts of commands in a page of the documentation: a test runs the command and holds the page to
what it said, or writes it there (PENSTOCK_WRITE_DOCS=1).

A transcript is a fenced block behind a line `<!-- transcript: NAME -->`. What differs from run to run
(ports, times, numbers of transactions) is given fixed words first.
"""
import os
import re

START = "<!-- transcript: {} -->\n```\n"
BLOCK = re.compile(r"(<!-- transcript: ([a-z0-9-]+) -->\n```\n)(.*?)(?=```\n)", re.S)
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")


def steady(text, replaced=()):
    """The text without what is another in each run. `replaced`: pairs of this run's and the page's."""
    text = TIME.sub("2026-03-09 14:05:31", text)
    text = re.sub(r"(valid to\s+)\d{4}-\d\d-\d\d", r"\g<1>2036-03-06", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "5c1a" * 16, text)  # a fingerprint, and its beginning
    text = re.sub(r"\b[0-9a-f]{16}\b", "5c1a" * 4, text)
    for this, that in replaced:
        text = text.replace(str(this), str(that))
    # The first two bytes of a Modbus TCP frame, and two of a telegram of S7, count the requests.
    text = re.sub(r"(32 0[1-3] 00 00) [0-9A-F]{2} [0-9A-F]{2}", r"\g<1> 00 2A", text)
    return re.sub(r"^((?:sent|received) +)[0-9A-F]{2} [0-9A-F]{2} 00 00", r"\g<1>00 2A 00 00", text, flags=re.M)


def same(one, other):
    """Lines may be broken elsewhere: a port has more or fewer digits."""
    return one.split() == other.split()


def hold(document, name, text):
    """The page's transcript `name` is `text`."""
    page = document.read_text()
    found = {match[2]: match[3] for match in BLOCK.finditer(page)}
    if os.environ.get("PENSTOCK_WRITE_DOCS") == "1":
        assert name in found, f"put {START.format(name)!r} into {document}"
        if not same(found[name], text):
            document.write_text(BLOCK.sub(lambda it: it[1] + (text if it[2] == name else it[3]), page))
        return
    assert name in found, f"{document} has no transcript '{name}'"
    assert same(found[name], text), f"{document} says\n{found[name]}\nbut it is\n{text}\nPENSTOCK_WRITE_DOCS=1 writes it"
