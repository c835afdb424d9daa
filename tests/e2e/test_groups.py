"""Groups: each on its own schedule, also several in one message; and variables that move to another."""
import json
import statistics
import subprocess

import pytest

from harness import (BIN, Gateway, Plant, Receiver, cloud_block, group, modbus_device, publish,
                     variable, wait_for)

SCRIPT = "def main(d, w):\n    return [d['group_name'], d['timestamp'], d['values']]\n"


def alarm(name, **more):
    return {"warn_name": name, "quotes": 1, "device": "D", "var_name": "v", "condition1": "Gne",
            "operand1": "0", **more}


@pytest.fixture
def plant(folder, cleanup):
    return cleanup(Plant(folder))


def test_several_groups_of_one_message(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", plant.port)],
        "vars": [variable("f", "D", "WORD", 40001, group="fast"),
                 variable("s", "D", "WORD", 40002, group="slow"),
                 variable("w", "D", "WORD", 40003, group="written", read_write="write")],
        "groups": [group("fast", 0.1, 0.2), group("slow", 0.1, 1), group("empty", 0.1, 0.1),
                   group("written", 0.1, 0.1)],
        "cloud": cloud_block(cloud),
        "publish": [publish("p", "p", groups=["fast", "slow", "empty", "written"])]},
        {"p.py": SCRIPT}))

    def of(name):
        return [row for row in receiver.documents() if row[0] == name]
    wait_for(lambda: len(of("slow")) >= 6, "the slow group")
    assert {row[0] for row in receiver.documents()} == {"fast", "slow"}
    # Each with its own variables only, and as often as its own interval says.
    for name, point, interval in (("fast", "f", 0.2), ("slow", "s", 1)):
        assert {tuple(row[2]["D"]) for row in of(name)} == {(point,)}
        stamps = [row[1] for row in of(name)]
        steps = [later - earlier for earlier, later in zip(stamps, stamps[1:])]
        assert min(steps) > 0 and 0.7 < statistics.median(steps) / interval < 1.6, steps
    rows = {row["name"]: row for row in gateway.status()["groups"]}
    assert rows["empty"]["uploads"] == rows["written"]["uploads"] == 0
    assert "'empty' has no variables, so the script never runs for it" in subprocess.run(
        [BIN / "penstock", "check", gateway.config_dir], capture_output=True, text=True).stdout


def test_alarm_groups_of_one_message(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", plant.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [{"group_name": name, "group_type": "alarm", "polling_interval": interval}
                   for name, interval in (("fast", 0.1), ("slow", 1), ("empty", 0.1))],
        "warning": [alarm("F", group="fast"), alarm("S", group="slow")],
        "cloud": cloud_block(cloud),
        "publish": [publish("p", "p", groups=["fast", "slow", "empty"], group_type="alarm")]},
        {"p.py": SCRIPT}))
    wait_for(lambda: {(row[0], tuple(row[2])) for row in receiver.documents()} ==
             {("fast", ("F",)), ("slow", ("S",))}, "both alarms")

    def uploads(name):
        return next(row for row in gateway.status()["groups"] if row["name"] == name)["uploads"]
    before = uploads("fast"), uploads("slow")
    wait_for(lambda: uploads("slow") >= before[1] + 3, "evaluations")
    assert uploads("fast") - before[0] > 2 * (uploads("slow") - before[1])
    assert uploads("empty") == 0 and len(receiver.messages()) == 2


def test_predefined_groups(folder, plant, cleanup):
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", plant.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "warning": [alarm("W")]}))
    rows = {row["name"]: row for row in gateway.status()["groups"]}
    assert list(rows) == ["default", "warning"]
    assert rows["default"]["polling_interval"] == rows["default"]["upload_interval"] == 10
    assert rows["default"]["variables"] == 1
    assert rows["warning"]["polling_interval"] == 10 and rows["warning"]["alarms"] == 1


# --- penstock tags move -------------------------------------------------------------------------

CONFIG = {
    "devices": [modbus_device("A", 502), modbus_device("B", 502, slave=2)],
    "vars": [variable("level", "A", "WORD", 40001, group="fast"), variable("flow", "A", "WORD", 40002),
             variable("level", "B", "WORD", 40001), variable("heat", "B", "WORD", 40002, unit="°C")],
    "groups": [group("fast", 0.5, 0.5), group("slow", 60, 60)],
    "parameters": {"log_level": "WARNING", "custom": {"line": "7"}}}


@pytest.fixture
def moves(folder):
    return Gateway(folder, CONFIG, start=False)


def move(gateway, *arguments, check=True):
    return gateway.cli("tags", "move", *arguments, "--config", gateway.config_dir, check=check)


def stored(gateway):
    return json.loads((gateway.config_dir / "penstock.json").read_text())


def groups_of(gateway):
    return {f"{row['device']}/{row['var_name']}": row.get("group", "default")
            for row in stored(gateway)["vars"]}


def backups(gateway):
    return sorted(gateway.config_dir.glob("penstock.json.before-move-*"))


BEFORE = {"A/level": "fast", "A/flow": "default", "B/level": "default", "B/heat": "default"}


def test_a_preview_writes_nothing(moves):
    text = (moves.config_dir / "penstock.json").read_bytes()
    shown = move(moves, "--group", "fast", "level", "heat", "--dry-run").stdout.splitlines()
    assert shown == ["2 variables to group 'fast', 1 there already",
                     "  'level' of 'B': default -> fast", "  'heat' of 'B': default -> fast",
                     "Nothing is written: this was a dry run."]
    told = json.loads(move(moves, "--group", "fast", "--device", "B", "--dry-run", "--json").stdout)
    assert [(row["device"], row["name"], row["from"]) for row in told["moved"]] == [
        ("B", "level", "default"), ("B", "heat", "default")]
    assert told["written"] is False and told["already"] == 0
    assert "there is nothing to move" in move(moves, "--group", "fast", "--from", "fast").stdout
    assert (moves.config_dir / "penstock.json").read_bytes() == text and not backups(moves)


def test_variables_move(moves):
    path = moves.config_dir / "penstock.json"
    path.chmod(0o640)
    text = path.read_bytes()
    shown = move(moves, "--group", "slow", "--device", "A", "level", "flow").stdout
    assert "'level' of 'A': fast -> slow" in shown and "Run: penstock apply" in shown
    assert groups_of(moves) == {**BEFORE, "A/level": "slow", "A/flow": "slow"}
    kept, = backups(moves)
    assert kept.read_bytes() == text and str(kept) in shown
    assert path.stat().st_mode & 0o777 == 0o640
    # All else is as it was.
    now = stored(moves)
    assert now["parameters"] == CONFIG["parameters"]
    assert [row["var_name"] for row in now["vars"]] == ["level", "flow", "level", "heat"]
    assert now["vars"][3]["unit"] == "°C"
    told = json.loads(move(moves, "--group", "fast", "--from", "slow", "--json").stdout)
    assert told["written"] and len(told["moved"]) == 2 and told["backup"] in map(str, backups(moves))
    assert groups_of(moves) == {**BEFORE, "A/flow": "fast"}
    assert moves.cli("check", moves.config_dir).returncode == 0


@pytest.mark.parametrize("arguments, text", [
    (["--group", "fats", "flow"], "fats: --group: is no group; the groups of variables are 'fast', "
                                  "'slow', 'default'"),
    (["--group", "warning", "flow"], "is an alarm group; the groups of variables are 'fast'"),
    (["--group", "fast", "flow", "flaw", "heat", "hat"], "there is no variable 'flaw', 'hat'"),
    (["--group", "fast", "--device", "B", "flow"], "there is no variable 'flow' of device 'B'"),
    (["--group", "fast", "--device", "C"], "is no device; there are 'A', 'B'"),
    (["--group", "fast", "--from", "none"], "none: --from: is no group"),
    (["--group", "fast"], "says what moves"),
    (["flow"], "needs a group"),
    (["--group", "fast", "--all"], "needs a group"),
])
def test_what_is_refused_is_refused_whole(moves, arguments, text):
    result = move(moves, *arguments, check=False)
    assert result.returncode == 2 and text in result.stderr
    assert groups_of(moves) == BEFORE and not backups(moves)


def test_a_configuration_with_mistakes_is_left_alone(moves):
    path = moves.config_dir / "penstock.json"
    path.write_text(path.read_text().replace('"WORD"', '"WROD"', 1))
    text = path.read_bytes()
    result = move(moves, "--group", "fast", "flow", check=False)
    assert result.returncode == 2 and "data_type" in result.stderr and path.read_bytes() == text
    path.unlink()
    assert move(moves, "--group", "fast", "flow", check=False).returncode == 1
    assert not path.exists()


def test_moved_variables_go_up_with_their_new_group(folder, cloud, plant, cleanup):
    receiver = cleanup(Receiver(cloud, "p"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", plant.port)],
        "vars": [variable("v", "D", "WORD", 40001), variable("w", "D", "WORD", 40002)],
        "groups": [group(), group("new", 0.1, 0.1)], "cloud": cloud_block(cloud),
        "publish": [publish("p", "p", groups=["default", "new"])]}, {"p.py": SCRIPT}))
    wait_for(receiver.messages, "messages")
    assert {row[0] for row in receiver.documents()} == {"default"}
    gateway.stop()
    move(gateway, "--group", "new", "w")
    gateway.start()
    wait_for(lambda: any(row[0] == "new" for row in receiver.documents()), "the new group")
    assert [row[2]["D"].keys() for row in receiver.documents() if row[0] == "new"][0] == {"w"}
