"""The counting of tools/run-tests: what it must not take for success."""

import importlib.machinery
import importlib.util
import json
import pathlib
import subprocess

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


def load(name: str):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


RUN_TESTS = load("run-tests")


@pytest.mark.parametrize("result, stdout, count", [
    ("OK", "1..2\nok 1 - a\nok 2 - b\n# ok - tests\n", (2, 0)),
    ("OK", "3 seeds, 0 bad\n", (1, 0)),
    ("OK", "", (1, 0)),
    ("SKIP", "", (0, 0)),
    ("FAIL", "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c\n", (2, 1)),
    ("FAIL", "1..3\nok 1 - a\n", (1, 1)),  # died in the second
    ("FAIL", "1..1\nok 1 - a\n", (1, 1)),  # a leak found at exit
    ("TIMEOUT", "", (0, 1)),
    ("ERROR", "", (0, 1)),
])
def test_meson_log(result, stdout, count):
    line = json.dumps({"name": "x", "result": result, "stdout": stdout})
    assert RUN_TESTS.count_meson_log(line + "\n") == count
    assert RUN_TESTS.count_meson_log(f"{line}\n{line}\n") == tuple(2 * part for part in count)


def test_junit(tmp_path):
    path = tmp_path / "pytest.xml"
    path.write_text('<testsuites><testsuite errors="1" failures="2" skipped="3" tests="10"/>'
                    "</testsuites>")
    assert RUN_TESTS.count_junit(path) == (4, 3)


def test_sanitizer_reports(tmp_path, capsys):
    assert RUN_TESTS.sanitizer_reports(tmp_path) == 0
    (tmp_path / "report.1").write_text("ERROR: AddressSanitizer: heap-use-after-free\n")
    (tmp_path / "report.2").write_text("")
    assert RUN_TESTS.sanitizer_reports(tmp_path) == 1
    assert "heap-use-after-free" in capsys.readouterr().out


def test_sanitizers_report_below_a_folder_with_a_blank_in_its_name(tmp_path, monkeypatch):
    root = tmp_path / "a clone"
    (root / "tests").mkdir(parents=True)
    (root / "tests/lsan.supp").write_text("leak:nothing_of_this_name\n")
    (root / "fault.c").write_text("#include <stdlib.h>\n"
                                  "int main(void) {\n    volatile char *p = malloc(1);\n"
                                  "    free((void *)p);\n    return *p;\n}\n")
    subprocess.run(["gcc", "-fsanitize=address", "-o", root / "fault", root / "fault.c"], check=True)
    monkeypatch.setattr(RUN_TESTS, "ROOT", root)
    (root / "reports").mkdir()
    result = subprocess.run([root / "fault"], capture_output=True, text=True, check=False,
                            env=RUN_TESTS.sanitizer_environment(root / "reports/report"))
    assert result.returncode != 0 and result.stderr == ""
    assert RUN_TESTS.sanitizer_reports(root / "reports") == 1
