"""Each check of tools/ can fail: a small tree that breaks its rule, and one that does not."""

import json
import os
import pathlib
import subprocess

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


def write(root: pathlib.Path, files: dict) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run(check: str, root: pathlib.Path, *arguments: str):
    return subprocess.run([TOOLS / check, *arguments, root], capture_output=True, text=True,
                          timeout=60, check=False)


def lines(count: int) -> str:
    return "    x++;\n" * count


C_HEAD = "// What it owns.\n"
H_HEAD = "//! What it promises.\n#pragma once\n"

HEADERS = {
    "src/base/time.h": H_HEAD, "src/model/config.h": H_HEAD, "src/link/link.h": H_HEAD,
    "src/drivers/driver.h": H_HEAD, "src/outbox/outbox.h": H_HEAD, "src/api/api.h": H_HEAD,
    "sim/plant.h": H_HEAD, "src/version.h.in": "", "src/drivers/modbus/plan.h": H_HEAD,
}


@pytest.mark.parametrize("name, include", [
    ("src/base/a.c", '"model/config.h"'),
    ("src/drivers/modbus/a.c", '"outbox/outbox.h"'),  # the same step
    ("src/link/a.c", '"api/api.h"'),
    ("src/api/a.c", '"sim/plant.h"'),
    ("src/cli/a.c", '"link/link.h"'),
    ("sim/a.c", '"drivers/modbus/plan.h"'),
    ("src/new/a.c", '"base/time.h"'),  # a folder without a place
    ("src/base/a.c", '"time.h"'),  # not named from src/
    ("src/script/a.c", "<Python.h>"),
    ("src/collect/a.c", "<modbus/modbus.h>"),
    ("src/daemon/a.c", "<sqlite3.h>"),
])
def test_layers_refuse(tmp_path, name, include):
    write(tmp_path, {**HEADERS, name: f"{C_HEAD}#include {include}\n"})
    result = run("check-layers", tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith(f"{name}:2: ")
    assert include.strip('"<>') in result.stdout or "has no place" in result.stdout


@pytest.mark.parametrize("name, include", [
    ("src/base/a.c", '"base/time.h"'),
    ("src/base/a.c", "<time.h>"),
    ("src/drivers/modbus/a.c", '"drivers/modbus/plan.h"'),
    ("src/drivers/modbus/a.c", "<modbus/modbus.h>"),
    ("src/script/worker/a.c", "<Python.h>"),
    ("src/link/a.c", '"drivers/driver.h"'),
    ("src/daemon/a.c", '"api/api.h"'),
    ("src/cli/a.c", '"version.h"'),
    ("sim/a.c", '"sim/plant.h"'),
    ("sim/a.c", "<modbus.h>"),
])
def test_layers_allow(tmp_path, name, include):
    write(tmp_path, {**HEADERS, name: f"{C_HEAD}#include {include}\n"})
    result = run("check-layers", tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


FUNCTION = "static int long_one(int x,\n                    int y) {\n%s}\n"


def test_size_of_files_and_functions(tmp_path):
    write(tmp_path, {
        "src/big.c": "// x\n" * 601,
        "src/fits.c": "// x\n" * 500 + FUNCTION % lines(97),
        "src/long.c": "int first(void) {\n}\n\n" + FUNCTION % lines(98),
        "tests/slow.py": "def f():\n" + "    pass\n" * 100,
    })
    result = run("check-size", tmp_path)
    assert result.returncode == 1
    assert [line.split("; ")[0] for line in result.stdout.splitlines()] == [
        "src/big.c:1: file has 601 lines, the most is 600",
        "src/long.c:4: function long_one has 101 lines, the most is 100",
        "tests/slow.py:1: function f has 101 lines, the most is 100",
    ]
    assert "fits.c" in run("check-size", tmp_path, "--verbose").stdout


def test_size_takes_tables_for_no_function(tmp_path):
    table = "static const Row rows[] = {\n" + "    {ROW(1)},\n" * 150 + "};\n"
    write(tmp_path, {"src/table.c": table + "#define X(a) \\\n    do {\n" + table})
    assert run("check-size", tmp_path).returncode == 0


def test_size_waivers_only_shrink(tmp_path):
    write(tmp_path, {"src/big.c": "// x\n" * 601,
                     "tools/size-waivers.txt": "# why\nsrc/big.c\n"})
    assert run("check-size", tmp_path).returncode == 0
    write(tmp_path, {"src/big.c": "// x\n"})
    result = run("check-size", tmp_path)
    assert result.returncode == 1 and "tools/size-waivers.txt:2:" in result.stdout


@pytest.mark.parametrize("text, wrong", [
    ("[a](docs/there.md)", False),
    ("[a](docs/there.md#the-way-of-one-value)", False),
    ("[a](docs/there.md#twice-1)", False),
    ("[a](#here--now)\n\n## `Here` & now", False),
    ("[a](docs) ![b](docs/there.md \"title\")", False),
    ("[a](https://example.com/x) <https://example.com> [m](mailto:a@b.c)", False),
    ("`[a](nowhere.md)`\n\n```\n[a](nowhere.md)\n```\n", False),
    ("[a](nowhere.md)", True),
    ("[a]: nowhere.md", True),
    ("[`code` and [x]](nowhere.md)", True),
    ("![picture](docs/nothing.png)", True),
    ("[a](docs/there.md#no-such-heading)", True),
    ("[a](#nothing)", True),
    ("[a](../outside.md)", True),
])
def test_links(tmp_path, text, wrong):
    write(tmp_path, {"README.md": text + "\n",
                     "docs/there.md": "# The way of one value\n## Twice\n## Twice\n"})
    result = run("check-links", tmp_path)
    assert result.returncode == (1 if wrong else 0), result.stdout
    assert result.stdout.startswith("README.md:1: ") == wrong


@pytest.mark.parametrize("name, text, wrong", [
    ("src/a.c", C_HEAD + "int x; // strcpy(a, b)\n", False),
    ("src/a.c", C_HEAD + 'f("strcpy(", my_strcpy(a), b->system(), uv_system(1));\n', False),
    ("src/a.h", H_HEAD, False),
    ("src/a.c", '#include "a.h"\n', True),
    ("src/a.h", "#pragma once\n", True),
    ("src/a.h", "//! x\n", True),
    ("src/a.c", C_HEAD + "strcpy(a, b);\n", True),
    ("tests/a.c", C_HEAD + "int x = atoi (text);\n", True),
    ("sim/a.c", C_HEAD + "(void)system(command);\n", True),
    ("src/a.c", C_HEAD + "// TO" + "DO later\n", True),
])
def test_prologue(tmp_path, name, text, wrong):
    write(tmp_path, {name: text})
    result = run("check-prologue", tmp_path)
    assert result.returncode == (1 if wrong else 0), result.stdout
    assert result.stdout.startswith(f"{name}:") == wrong


def test_build_folders_are_not_checked(tmp_path):
    write(tmp_path, {"build-x/README.md": "[a](nowhere.md)\n", "README.md": "x\n"})
    assert run("check-links", tmp_path).returncode == 0


def test_setup_has_nothing_to_do_for_what_is_installed(tmp_path):
    """And asks nobody for it: without sudo in the PATH it would stop at anything missing."""
    write(tmp_path, {"list.txt": "# --- a group\ndpkg   # here on every Debian\n\n@trixie apt # too\n"
                                 "@command sed penstock-no-such-package  # the command is there\n"})
    result = subprocess.run([TOOLS / "setup", tmp_path / "list.txt"], capture_output=True,
                            text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(os.getuid() == 0, reason="root needs no sudo")
def test_setup_wants_the_package_of_a_missing_command(tmp_path):
    write(tmp_path, {"list.txt": "@command penstock-no-such-command penstock-no-such-package\n"})
    for tool in ("sh", "sed", "dpkg-query", "tr", "id", "dirname"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    result = subprocess.run([TOOLS / "setup", tmp_path / "list.txt"], capture_output=True,
                            text=True, timeout=60, check=False, env={"PATH": str(tmp_path)})
    assert "apt-get install penstock-no-such-package" in result.stderr


def test_a_lock_file_with_addresses_is_found_and_cleaned(tmp_path):
    lock = {"packages": {"a": {"version": "1", "resolved": "https://somewhere/a.tgz", "integrity": "x"}}}
    write(tmp_path, {"package-lock.json": json.dumps(lock)})
    path = tmp_path / "package-lock.json"
    assert run("npm-lock", path, "--check").returncode == 1
    assert run("npm-lock", path).returncode == 0
    assert json.loads(path.read_text()) == {"packages": {"a": {"version": "1", "integrity": "x"}}}
    assert run("npm-lock", path, "--check").returncode == 0


@pytest.mark.skipif(os.getuid() == 0, reason="root needs no sudo")
def test_setup_without_root_and_sudo_says_what_to_do(tmp_path):
    write(tmp_path, {"list.txt": "penstock-no-such-package\n"})
    for tool in ("sh", "sed", "dpkg-query", "tr", "id", "dirname"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    result = subprocess.run([TOOLS / "setup", tmp_path / "list.txt"], capture_output=True,
                            text=True, timeout=60, check=False, env={"PATH": str(tmp_path)})
    assert result.returncode == 1
    assert "apt-get install penstock-no-such-package" in result.stderr
