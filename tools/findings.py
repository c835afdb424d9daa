"""What the checks in tools/ share: which files belong to the project, and how a finding is said."""

import os
import pathlib
import sys
from typing import Iterable, Iterator, NamedTuple

SKIPPED_FOLDERS = {".git", ".pytest_cache", "__pycache__", "node_modules", "dist"}


class Finding(NamedTuple):
    file: str
    line: int
    text: str  # what is wrong; what to do


def project_root() -> pathlib.Path:
    """The folder to check: the project, or the one named as the only plain argument (tests)."""
    plain = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    return pathlib.Path(plain[0] if plain else pathlib.Path(__file__).resolve().parent.parent)


def files(root: pathlib.Path, *suffixes: str) -> Iterator[pathlib.Path]:
    """All files below `root` with one of the suffixes, sorted, build folders left out."""
    for folder, folders, names in os.walk(root):
        at_root = pathlib.Path(folder) == root
        folders[:] = sorted(
            name for name in folders
            if name not in SKIPPED_FOLDERS and not (at_root and name.startswith("build"))
        )
        for name in sorted(names):
            if name.endswith(suffixes):
                yield pathlib.Path(folder, name)


def report(check: str, findings: Iterable[Finding]) -> int:
    """Prints the findings; the exit code of the check."""
    found = list(findings)
    for finding in found:
        print(f"{finding.file}:{finding.line}: {finding.text}")
    if found:
        print(f"{check}: {len(found)} finding{'s' if len(found) > 1 else ''}", file=sys.stderr)
    return 1 if found else 0
