"""penstock import and export: Device Supervisor's CSV files, written and read by another program
(Python's csv module) and as spreadsheets leave them."""
import csv
import io
import json
import os
import re
import stat
import subprocess

import pytest

from harness import BIN, ROOT, Gateway, modbus_device, wait_for

DEVICE_HEADER = ["Device Name", "Protocol", "Ip/Serial", "Port", "Rack", "Slot", "Mode", "Slave",
                 "Byte Order"]
VAR_HEADER = ["Var Name", "Device", "Protocol", "Dbnumber", "Register Type", "Register Addr",
              "Register Bit", "Data Type", "Read Write", "Float Repr", "Mode", "Unit", "Size", "Desc",
              "Group"]
WARN_HEADER = ["Warn Name", "Group", "Quotes", "Device", "Var Name", "Condition1", "Operand1",
               "Combine Method", "Condition2", "Operand2", "Alarm Content", "Register Addr", "Dbnumber",
               "Data Type", "Symbol", "Register Type", "Register Bit", "Namespace Index", "Identifier",
               "Identifier Type", "Float Repr"]
GROUP_HEADER = ["Group Name", "Polling Interval", "Upload Interval", "Group Type"]


def penstock(*arguments):
    return subprocess.run([str(BIN / "penstock"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=60)


def take(folder, *arguments):
    return penstock("import", *arguments, "--config", folder)


def write(path, rows, encoding="utf-8", **dialect):
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def device(name, ip="127.0.0.1", port=502):
    return [name, "ModbusTCP", ip, port, 0, 0, "Rack/Slot", 1, "abcd"]


def var(name, owner, address, data_type="WORD", access="read", unit="", desc="", group="default"):
    return [name, owner, "ModbusTCP", 0, "", address, 0, data_type, access, 2, "realtime", unit, 1,
            desc, group]


@pytest.fixture
def config(folder):
    path = folder / "config"
    path.mkdir()
    return path


@pytest.fixture
def files(folder):
    """A plant as Device Supervisor 1.x exports it."""
    return [write(folder / "device.csv", [DEVICE_HEADER, device("Kessel, 1")]),
            write(folder / "var.csv", [
                VAR_HEADER,
                var("Temp", "Kessel, 1", 40001, "FLOAT", "Read/Write", "°C", 'the "hot" one, here'),
                var("007", "Kessel, 1", "00001", "BOOL", group="fast"),
                var("deep", "Kessel, 1", 310001)]),
            write(folder / "group.csv", [GROUP_HEADER, ["default", 10, 10, "collect"],
                                         ["warning", 10, "", "alarm"], ["fast", 1, 5, "collect"]]),
            write(folder / "warn.csv", [
                WARN_HEADER,
                ["hot", "warning", 1, "Kessel, 1", "Temp", "Gt", "30", "And", "Lt", "50", "zu heiß", 0, 0,
                 "", "", "", 0, "", "", "", 2],
                ["door", "warning", 0, "Kessel, 1", "", "Eq", "1", "None", "Eq", "", "", 40007, 0, "BIT", "",
                 "", 3, "", "", "", 2]])]


def content(config):
    return json.loads((config / "penstock.json").read_text())


def test_a_plant_comes_over(config, files):
    result = take(config, *files)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Run: penstock apply" in result.stdout
    assert "3 added, 0 changed, 0 unchanged, 0 not taken" in result.stdout
    taken = content(config)
    assert taken["devices"] == [{"device_name": "Kessel, 1", "protocol": "ModbusTCP",
                                 "ip": "127.0.0.1"}]
    assert taken["vars"][0] == {
        "var_name": "Temp", "device": "Kessel, 1", "data_type": "FLOAT", "register_addr": 40001,
        "read_write": "read/write", "unit": "°C", "desc": 'the "hot" one, here'}
    assert [v["register_addr"] for v in taken["vars"]] == [40001, 1, 310001]
    assert taken["warning"] == [
        {"warn_name": "hot", "quotes": 1, "device": "Kessel, 1", "var_name": "Temp",
         "alarm_content": "zu heiß", "condition1": "Gt", "operand1": "30", "combine_method": "And",
         "condition2": "Lt", "operand2": "50"},
        {"warn_name": "door", "quotes": 0, "device": "Kessel, 1", "condition1": "Eq", "operand1": "1",
         "data_type": "BIT", "register_addr": 40007, "register_bit": 3}]
    assert penstock("check", config).returncode == 0
    before = (config / "penstock.json").stat()
    again = take(config, *files)
    assert again.returncode == 0 and "Nothing is written: there is nothing to change." in again.stdout
    assert (config / "penstock.json").stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in config.iterdir()] == ["penstock.json"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("dialect", [
    {"delimiter": ";", "lineterminator": "\r\n"}, {"delimiter": "\t", "lineterminator": "\r\n"},
    {"delimiter": ",", "lineterminator": "\n", "quoting": csv.QUOTE_ALL},
    {"delimiter": ";", "lineterminator": "\r"}], ids=["semicolon", "tab", "all-quoted", "cr"])
def test_files_that_have_been_in_a_spreadsheet(config, folder, encoding, dialect):
    decimal = "0,5" if dialect["delimiter"] == ";" else "0.5"
    files = [write(folder / "d.csv", [DEVICE_HEADER, device("Kühler")], encoding, **dialect),
             write(folder / "v.csv", [VAR_HEADER, var("Größe", "Kühler", 40001, unit="µm; €")],
                   encoding, **dialect),
             write(folder / "g.csv", [GROUP_HEADER, ["default", decimal, 2, "Collect"]], encoding,
                   **dialect)]
    result = take(config, *files)
    assert result.returncode == 0, result.stdout + result.stderr
    assert ("read as Windows-1252" in result.stdout) == (encoding == "cp1252")
    taken = content(config)
    assert taken["vars"][0]["var_name"] == "Größe" and taken["vars"][0]["unit"] == "µm; €"
    assert taken["groups"][0]["polling_interval"] == 0.5


def test_missing_cells_at_the_end_and_empty_rows_of_a_spreadsheet(config, folder):
    path = folder / "v.csv"
    path.write_bytes(b"sep=;\r\nDevice;Var Name;Register Addr;Data Type;Unit;Desc;;\r\n"
                     b"D;a;40001;WORD\r\n;;;;;;;\r\n\r\nD;b;40002;WORD;bar;;;\r\n")
    (config / "penstock.json").write_text(json.dumps(
        {"version": 1, "devices": [modbus_device("D", 502)]}))
    assert take(config, path).returncode == 0
    assert [v["var_name"] for v in content(config)["vars"]] == ["a", "b"]


def test_all_or_nothing_unless_bad_rows_are_to_be_skipped(config, folder, files):
    write(folder / "var.csv", [VAR_HEADER, var("good", "Kessel, 1", 40001),
                               var("far", "Kessel, 1", 25000), var("odd", "Kessel, 1", 1, "FLOAT"),
                               var("lost", "Nobody", 1)])
    del files[3]
    result = take(config, *files)
    assert result.returncode == 2
    assert "line 3: var 'far' of 'Kessel, 1': Register Addr: 25000 is in no Modbus table" in result.stdout
    assert "line 4: var 'odd' of 'Kessel, 1': Data Type: FLOAT does not fit address 1" in result.stdout
    assert "line 5: var 'lost' of 'Nobody': Device: there is no device 'Nobody'" in result.stdout
    assert "import the others with --skip-bad" in result.stdout
    assert list(config.iterdir()) == []
    result = take(config, *files, "--skip-bad")
    assert result.returncode == 0
    assert [v["var_name"] for v in content(config)["vars"]] == ["good"]


def test_the_old_file_is_kept_with_its_mode(config, files):
    path = config / "penstock.json"
    old = json.dumps({"version": 1, "devices": [modbus_device("Old", 502)]})
    path.write_text(old)
    path.chmod(0o640)
    dry = take(config, *files, "--dry-run")
    assert dry.returncode == 0 and "Nothing is written: this was a dry run." in dry.stdout
    assert path.read_text() == old
    result = take(config, *files)
    assert result.returncode == 0
    backups = [entry for entry in config.iterdir() if entry.name != "penstock.json"]
    assert len(backups) == 1 and backups[0].name.startswith("penstock.json.before-import-")
    assert str(backups[0]) in result.stdout
    assert backups[0].read_text() == old
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [d["device_name"] for d in content(config)["devices"]] == ["Old", "Kessel, 1"]
    assert penstock("import", files[0], "--config", config).returncode == 0


def test_a_configuration_with_mistakes_of_its_own_is_left_alone(config, files):
    path = config / "penstock.json"
    for text, word in [('{"version": 1, "cloud": {"endpoint": "h", "client_id": "c"}}', "cert"),
                       ('{"version": 1,', "not strict JSON"), ('{"version": 1, "vars": 3}', "list")]:
        path.write_text(text)
        result = take(config, *files)
        assert result.returncode == 2 and word in result.stdout
        assert path.read_text() == text and len(list(config.iterdir())) == 1
        answer = json.loads(take(config, *files, "--json").stdout)
        assert not answer["written"] and word in answer["findings"][0]["text"] + str(answer)


def test_json_tells_everything(config, files):
    answer = json.loads(take(config, *files, "--json").stdout)
    assert answer["written"] and answer["apply_needed"] and answer["backup"] == ""
    assert [f["added"] for f in answer["files"]] == [1, 3, 1, 2]
    assert answer["rows"][1] == {"file": "var.csv", "line": 2, "state": "added", "name": "Temp",
                                 "device": "Kessel, 1", "changes": [], "problems": []}
    write(files[0], [DEVICE_HEADER, device("Kessel, 1", "10.0.0.9"),
                     ["S7", "ISO-on-TCP", "10.0.0.8", 99999, 0, 1, "Rack/Slot", "", ""]])
    answer = json.loads(take(config, files[0], "--json").stdout)
    assert not answer["written"] and "--skip-bad" in answer["reason"]
    assert answer["rows"][0]["changes"] == [{"key": "ip", "before": "127.0.0.1", "after": "10.0.0.9"}]
    assert answer["rows"][1]["problems"][0]["column"] == "Port"
    assert "65535" in answer["rows"][1]["problems"][0]["text"]


def test_a_foreign_reader_finds_what_was_exported(config, folder, files):
    assert take(config, *files).returncode == 0
    data = penstock("export", "variables", "--config", config, "--output", folder / "out.csv")
    assert data.returncode == 0 and data.stdout == ""
    text = (folder / "out.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfVar Name,Device,") and text.count(b"\r\n") == 4
    with open(folder / "out.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["Desc"] == 'the "hot" one, here' and rows[0]["Device"] == "Kessel, 1"
    assert rows[1]["Var Name"] == "007" and rows[1]["Register Addr"] == "1"
    assert (rows[0]["Read Write"], rows[0]["Mode"], rows[0]["Size"]) == ("read/write", "realtime", "1")
    assert "Dbnumber" not in rows[0]


def test_export_and_import_give_the_same_configuration(config, folder, files):
    assert take(config, *files).returncode == 0
    exported = []
    for kind in ("alarms", "variables", "groups", "devices"):
        exported.append(folder / f"{kind}.csv")
        result = subprocess.run([BIN / "penstock", "export", kind, "--config", config],
                                capture_output=True, timeout=60, check=True)
        exported[-1].write_bytes(result.stdout)
    (folder / "empty").mkdir()
    assert take(folder / "empty", *exported).returncode == 0
    assert (folder / "empty/penstock.json").read_text() == (config / "penstock.json").read_text()


def test_an_imported_plant_runs(config, folder, modbus, cleanup):
    imported = [write(folder / "device.csv", [DEVICE_HEADER, device("D", port=modbus.port)]),
                write(folder / "var.csv", [VAR_HEADER, var("v", "D", 40001)])]
    assert take(config, *imported).returncode == 0
    gateway = cleanup(Gateway(folder / "run", content(config)))
    wait_for(lambda: gateway.tags()["D", "v"]["quality"] == "good", "a value of an imported variable")


def test_measures_of_version_2_come_over_with_a_report(config, folder):
    (config / "penstock.json").write_text(json.dumps(
        {"version": 1, "devices": [modbus_device("D", 502)]}))
    header = ["MeasuringPointName", "ControllerName", "GroupName", "UploadType", "DataType", "Address",
              "Decimal", "Len", "ReadWrite", "Unit", "Description", "Transform Type", "bitMap"]
    path = write(folder / "measure.csv", [
        header, ["a", "D", "default", "periodic", "FLOAT", "4X0001", 2, 1, "rw", "", "", "zoom", 0],
        ["b", "D", "default", "onchange", "BIT", "40003.4", 2, 1, "ro", "", "", "none", 1],
        ["c", "D", "default", "periodic", "WORD", "0X0001", 2, 1, "ro", "", "", "none", 0]])
    result = take(config, path)
    assert result.returncode == 2
    assert "line 4: var 'c' of 'D': DataType: WORD does not fit address 1" in result.stdout
    assert "line 2: Transform Type: calculations are not available" in result.stdout
    assert take(config, path, "--skip-bad").returncode == 0
    assert content(config)["vars"][1] == {
        "var_name": "b", "device": "D", "data_type": "BOOL", "register_addr": 40003,
        "register_bit": 4, "mode": "onchange"}


def test_a_failed_write_leaves_everything_as_it_was(config, files):
    (config / "penstock.json").write_text('{"version": 1}')
    (config / f"penstock.json.new-{os.getpid()}").mkdir()  # a name that is in nobody's way
    before = sorted(config.iterdir())
    script = 'd="$1"; shift; mkdir "$d/penstock.json.new-$$"; exec "$@"'  # exec keeps the process id
    result = subprocess.run(["sh", "-c", script, "sh", config, BIN / "penstock", "import", *files,
                             "--config", config], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "Nothing is written: " in result.stdout
    assert (config / "penstock.json").read_text() == '{"version": 1}'
    left = [path for path in config.iterdir() if path not in before]
    assert len(left) == 1 and left[0].is_dir()


def test_what_a_file_says_stays_on_its_line(config, folder):
    path = write(folder / "v.csv", [["Var Name", "Device", "Re\nd"], ["a\nadded line 9", "D\rx", 1]])
    shown = take(config, path).stdout
    assert "line 3: var 'a?added line 9' of 'D?x': " in shown and "column 'Re?d' is not known" in shown
    assert "\r" not in shown and not re.search("^(added|d')", shown, re.MULTILINE)


def test_wrong_calls_and_files_say_what_is_right(config, folder, files):
    for arguments, status, word in [
            (("import",), 2, "penstock import FILE.csv"), (("import", "--dry"), 2, "--dry-run"),
            (("import", folder / "none.csv", "--config", config), 1, "none.csv"),
            (("import", files[0], "--config", folder / "none"), 1, "penstock.json"),
            (("export",), 2, "penstock export devices"), (("export", "x", "--config", config), 2, ""),
            (("export", "devices", "variables"), 2, "penstock export"),
            (("export", "devices", "--json"), 2, "CSV")]:
        result = penstock(*arguments)
        assert result.returncode == status, arguments
        assert word in result.stderr, result.stderr
    binary = folder / "b.csv"
    binary.write_bytes(os.urandom(3000) + b"\0")
    result = take(config, binary)
    assert result.returncode == 2 and "b.csv: line " in result.stdout
    for command in ("import", "export"):
        assert "--config DIR" in penstock(command, "--help").stdout


def test_the_page_about_moving_shows_what_happens(config, folder):
    page = (ROOT / "docs/moving-from-device-supervisor.md").read_text()
    sources, report, end = re.findall(r"```text\n(.*?)```", page, re.DOTALL)[:3]
    names = []
    for block in sources.strip().split("\n\n"):
        name, text = block.split("\n", 1)
        (folder / name).write_text(text + "\n")
        names.append(folder / name)
    shown = take(config, *sorted(names), "--dry-run").stdout.splitlines()
    expected = report.splitlines()[1:]
    assert len(shown) == len(expected)
    for line, start in zip(shown, expected):
        assert line.startswith(start.removesuffix("...")), line
    var_file = folder / "var.csv"
    var_file.write_text(var_file.read_text().replace("25000", "40002"))
    done = take(config, *names, "--skip-bad").stdout
    assert done.endswith(end.replace("config/", f"{config}/"))
    assert "there is nothing to change" in take(config, *names, "--skip-bad").stdout
