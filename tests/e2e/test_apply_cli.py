"""The configuration is changed while the gateway runs: what is refused, what is kept, what comes back."""
import json
import os
import shutil
import signal
import threading
import time

from harness import Gateway, cloud_block, group, modbus_device, publish, variable, wait_for

BROKEN = '{"version": 1,\n "devices": [\n'


def config(modbus, polling=0.2, **more):
    return {"devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
            "groups": [group(polling=polling)], **more}


def with_script(modbus, **more):
    return config(modbus, cloud={"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": 1,
                                 "client_id": "g"}, publish=[publish("one", "t")], **more)


def running(gateway):
    return gateway.status()["revision"]


def polling(gateway):
    text = (gateway.config_dir / "penstock.json").read_text()
    return json.loads(text)["groups"][0]["polling_interval"]


def test_a_change_is_shown_made_and_taken_back(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus)))
    assert running(gateway)["number"] == 1 and running(gateway)["kind"] == "start"
    assert "There is nothing to change: revision 1" in gateway.cli("apply").stdout
    gateway.write(config(modbus, 0.5), {})
    shown = gateway.cli("apply", "--dry-run").stdout
    assert "Would be changed from revision 1: 1 group changed" in shown
    assert "group 'default': polling_interval 0.2 -> 0.5" in shown
    assert running(gateway)["number"] == 1
    made = gateway.cli("apply", "--why", "the line is slower").stdout
    assert "Revision 2 is applied: 1 group changed" in made
    assert "Nothing began anew." in made
    gateway.wait_line("REVISION", "revision 2 (apply by", "the line is slower")
    listed = gateway.cli("revisions").stdout.splitlines()
    assert listed[1].startswith("*    2 ") and "(the line is slower)" in listed[1]
    assert "polling_interval 0.2 -> 0.5" in gateway.cli("revisions", 2).stdout
    assert "Revision 2" in gateway.cli("status").stdout
    back = gateway.cli("revert").stdout
    assert "Revision 3 is applied" in back and polling(gateway) == 0.2
    assert "revert to 1" in gateway.cli("revisions").stdout
    assert gateway.cli("revisions", 99, check=False).returncode == 1
    gateway.cli("revert", 2)
    assert polling(gateway) == 0.5


def test_mistakes_are_named_and_nothing_changes(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, with_script(modbus), {"one.py": "def main(d, w): pass\n"}))
    gateway.write_script("one.py", "def main(d, w):\n    return (\n")
    gateway.wait_line("SCRIPT-SAVED", "not taken")
    result = gateway.cli("apply", check=False)
    assert result.returncode == 2
    assert "scripts/one.py: publish 'one': line 2: '(' was never closed" in result.stdout
    assert "1 mistake; nothing was changed; revision 1 goes on" in result.stderr
    gateway.write_script("one.py", "def run(d, w):\n    pass\n")
    assert "main_function: No main entry" in gateway.cli("apply", check=False).stdout
    (gateway.config_dir / "penstock.json").write_text(BROKEN)
    result = gateway.cli("apply", "--json", check=False)
    assert result.returncode == 2
    answer = json.loads(result.stdout)
    assert answer["result"] == "refused" and answer["findings"][0]["object"].startswith("line 3")
    assert running(gateway)["number"] == 1


def test_a_candidate_from_elsewhere_is_installed_with_its_scripts(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, with_script(modbus), {"one.py": "def main(d, w): pass\n"}))
    draft = folder / "draft"
    shutil.copytree(gateway.config_dir, draft)
    text = "# ä\n" + "# much\n" * 60000 + "def main(d, w):\n    return None\n"  # several pieces
    (draft / "scripts/one.py").write_text(text)
    (draft / "penstock.json").write_text(json.dumps({"version": 1, **with_script(modbus, polling=1)}))
    assert "(+60003 -1 lines)" in gateway.cli("apply", "--dry-run", draft).stdout
    made = gateway.cli("apply", draft, "--base", 1).stdout
    assert "1 group changed, 1 script changed" in made
    assert polling(gateway) == 1
    assert (gateway.config_dir / "scripts/one.py").read_text() == text
    late = gateway.cli("apply", draft / "penstock.json", "--base", 1, check=False)
    assert late.returncode == 1
    assert "starts from revision 1, but revision 2 runs since" in late.stderr
    (draft / "scripts/one.py").unlink()
    assert "scripts/one.py" in gateway.cli("apply", draft, check=False).stderr


def test_what_began_anew_is_said(folder, modbus, cleanup):
    def variant(host="127.0.0.1", limit=64, port=1, timeout=1):
        return {"devices": [modbus_device(name, modbus.port, ip=ip, timeout=timeout)
                            for name, ip in (("D", host), ("E", "127.0.0.1"))],
                "vars": [variable("v", "D", "WORD", 40001), variable("v", "E", "WORD", 40002)],
                "groups": [group(polling=0.2)],
                "cloud": {"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": port, "client_id": "g"},
                "publish": [publish("one", "t", script="one.py", memory_mb=limit),
                            publish("two", "t", script="one.py")]}

    def restarted(**change):
        gateway.write(variant(**change), {})
        answer = json.loads(gateway.cli("apply", "--json").stdout)
        assert answer["result"] == "applied" and answer["switched"]
        return answer["restarted"]

    gateway = cleanup(Gateway(folder, variant(), {"one.py": "def main(d, w): pass\n"}))
    assert restarted(timeout=2) == []
    assert restarted(limit=80) == ["script of publish 'one'"]
    gateway.wait_line("ANEW", "script of publish 'one'")
    assert restarted(limit=80, host="127.0.0.2") == [f"device 'D' at 127.0.0.2:{modbus.port}"]
    assert restarted(limit=80, host="127.0.0.2", port=2) == ["connection to the cloud"]
    gateway.write(variant(), {})
    made = gateway.cli("apply").stdout
    lines = made[made.index("Began anew:"):].splitlines()[1:]
    assert lines == ["  script of publish 'one'", f"  device 'D' at 127.0.0.1:{modbus.port}",
                     "  connection to the cloud"]


def test_replaced_certificates_are_noticed(folder, cloud, modbus, cleanup):
    def put(thing):
        for name, path in own.items():
            shutil.copyfile(cloud.files(thing)[name], path)
            path.chmod(0o600)

    own = {name: folder / f"own-{name}.pem" for name in ("cert", "key", "root_ca")}
    put("gateway")
    files = {name: str(path) for name, path in own.items()}
    gateway = cleanup(Gateway(folder, config(modbus, cloud=cloud_block(cloud, **files))))
    gateway.wait_line("LINK-UP")
    assert "nothing to change" in gateway.cli("apply").stdout
    start = len(gateway.program.lines)
    put("receiver")
    replaced = "certificate of the cloud replaced, key of the cloud replaced"
    shown = gateway.cli("apply", "--dry-run").stdout
    assert f"Would be changed from revision 1: {replaced}\n" in shown
    made = gateway.cli("apply").stdout
    assert f"Revision 2 is applied: {replaced}\n" in made
    assert made.endswith("Began anew:\n  connection to the cloud\n")
    gateway.wait_line("LINK-UP", start=start)
    assert replaced in gateway.cli("revisions").stdout
    assert "nothing to change" in gateway.cli("apply").stdout
    own["root_ca"].write_text(own["root_ca"].read_text() + own["cert"].read_text())
    assert "Revision 3 is applied: root CA of the cloud replaced\n" in gateway.cli("apply").stdout
    secret = own["key"].read_text().splitlines()[1]
    kept = [path.read_text() for path in (folder / "state").rglob("*.json")]
    assert kept and not any(secret in text for text in (*kept, gateway.program.text()))


def test_what_nobody_confirms_goes_back(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus)))
    assert gateway.cli("confirm", check=False).returncode == 1
    gateway.write(config(modbus, 0.5), {})
    assert gateway.cli("apply", "--confirm", "5s", check=False).returncode == 1  # too short
    assert "unless you run: penstock confirm" in gateway.cli("apply", "--confirm", "10s").stdout
    assert "tried out" in gateway.cli("status").stdout
    assert gateway.cli("apply", check=False).returncode == 1
    gateway.kill()  # the time goes on
    gateway.start()
    gateway.wait_line("REVISION-BACK", "not confirmed in time")
    wait_for(lambda: running(gateway)["number"] == 3, "the former revision")
    assert running(gateway)["kind"] == "automatic revert" and polling(gateway) == 0.2
    gateway.write(config(modbus, 0.5), {})
    gateway.cli("apply", "--confirm", "10m")
    assert "Revision 4 stays" in gateway.cli("confirm").stdout
    assert running(gateway)["probation"] is None


def test_what_makes_nothing_worse_stays(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus)))
    wait_for(lambda: gateway.tags()["D", "v"]["status"] == 1, "a value")
    gateway.write(config(modbus, 0.5), {})
    gateway.cli("apply", "--healthy", "10s")
    gateway.wait_line("REVISION", "revision 2 stays: nothing is worse")
    gateway.write(config(modbus, 0.6), {})
    wait_for(lambda: running(gateway)["probation"] is None, "the end")
    gateway.cli("apply", "--healthy", "10s")
    modbus.kill()
    gateway.wait_line("REVISION-BACK", "device 'D' does not answer any more")
    wait_for(lambda: polling(gateway) == 0.5, "the former revision")


def test_a_broken_folder_does_not_keep_it_from_starting(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus)))
    gateway.stop()
    (gateway.config_dir / "penstock.json").write_text(BROKEN)
    gateway.start()
    gateway.wait_line("ERROR", "CONFIG-FALLBACK", "revision 1 runs", "line 3")
    wait_for(lambda: gateway.tags()["D", "v"]["status"] == 1, "a value")
    assert "ATTENTION: revision 1 runs, not what" in gateway.cli("status").stdout
    assert (gateway.config_dir / "penstock.json").read_text() == BROKEN
    gateway.write(config(modbus, 0.5), {})
    gateway.cli("apply")
    assert "ATTENTION" not in gateway.cli("status").stdout
    gateway.stop()
    gateway.write(config(modbus, 0.7), {})
    gateway.start()
    assert running(gateway)["number"] == 3
    assert running(gateway)["why"] == "edited while the gateway stood still"


def test_a_hangup_applies_the_folder(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus)))
    gateway.write(config(modbus, 0.5), {})
    os.kill(gateway.program.process.pid, signal.SIGHUP)
    gateway.wait_line("REVISION", "revision 2 (apply by SIGHUP)")
    (gateway.config_dir / "penstock.json").write_text(BROKEN)
    os.kill(gateway.program.process.pid, signal.SIGHUP)
    gateway.wait_line("REVISION-REFUSED", "SIGHUP")
    assert running(gateway)["number"] == 2


def test_an_import_is_applied_at_once(folder, modbus, cleanup):
    gateway = cleanup(Gateway(folder, config(modbus)))
    (folder / "group.csv").write_text("Group Name,Polling Interval,Upload Interval,Group Type\n"
                                      "default,1,5,collect\n")
    result = gateway.cli("import", folder / "group.csv", "--config", gateway.config_dir, "--apply")
    assert "Revision 2 is applied: 1 group changed" in result.stdout
    assert "Run: penstock apply" not in result.stdout and polling(gateway) == 1


def test_a_killed_gateway_has_one_configuration_whole(folder, modbus, cleanup):
    """Scripts and penstock.json of each candidate carry one number; after a kill they agree."""
    scripts = {"one.py": "# 0\ndef main(d, w): pass\n"}
    gateway = cleanup(Gateway(folder, with_script(modbus, parameters={"gateway_sn": "0"}), scripts))
    draft = folder / "draft"
    shutil.copytree(gateway.config_dir, draft)
    for number in range(1, 13):
        (draft / "scripts/one.py").write_text(f"# {number}\ndef main(d, w): pass\n")
        (draft / "penstock.json").write_text(json.dumps(
            {"version": 1, **with_script(modbus, parameters={"gateway_sn": str(number)})}))
        caller = threading.Thread(target=lambda: gateway.cli("apply", draft, check=False))
        caller.start()
        time.sleep(0.012 * number)  # any moment is as good as another
        gateway.kill()
        caller.join()
        gateway.start()
        sn = json.loads((gateway.config_dir / "penstock.json").read_text())["parameters"]["gateway_sn"]
        assert (gateway.config_dir / "scripts/one.py").read_text().splitlines()[0] == f"# {sn}"
        assert not list(gateway.config_dir.rglob("*.penstock-new"))
