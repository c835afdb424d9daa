"""penstock backup and restore: what is in an archive, opened by tar and openssl; a restored gateway
that runs; archives that are damaged, cut, forged or newer; a restore that is killed."""
import hashlib
import io
import json
import os
import pty
import random
import re
import shutil
import signal
import stat
import subprocess
import tarfile
import time
import zlib

import pytest

from harness import (BIN, Gateway, PATIENCE, cloud_block, group, modbus_device, publish, variable,
                     wait_for)

PASSPHRASE = "correct horse battery staple"
PASSWORD = "the-broker-password"
SCRIPT = """
def main(data, wizard_api):
    wizard_api.awsiot_publish("back/up", "restored", 1)
"""


def penstock(*arguments, **more):
    return subprocess.run([str(BIN / "penstock"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=PATIENCE, **more)


def done(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def tree(folder):
    """Every file with its content and mode."""
    return {str(path.relative_to(folder)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
            for path in sorted(folder.rglob("*")) if path.is_file()}


def contents(folder):
    return {name: content for name, (content, _) in tree(folder).items()}


def write_json(config, **more):
    (config / "penstock.json").write_text(json.dumps({"version": 1, "cloud": {
        "endpoint": "localhost", "port": 8883, "client_id": "gateway", "cert": "certs/device.pem.crt",
        "key": "certs/private.pem.key", "root_ca": "certs/root.pem", "password_file": "password"},
        "publish": [publish("up", "back/up")], **more}, indent=1))


@pytest.fixture
def config(folder):
    """A configuration with a key and a password; nothing in it runs."""
    path = folder / "config"
    (path / "certs").mkdir(parents=True)
    (path / "scripts").mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=gateway", "-keyout",
                    path / "certs" / "private.pem.key", "-out", path / "certs" / "device.pem.crt"],
                   check=True, capture_output=True, timeout=PATIENCE)
    shutil.copy(path / "certs" / "device.pem.crt", path / "certs" / "root.pem")
    (path / "password").write_text(PASSWORD + "\n")
    for secret in ("certs/private.pem.key", "password"):
        (path / secret).chmod(0o600)
    (path / "scripts" / "up.py").write_text(SCRIPT)
    write_json(path)
    return path


@pytest.fixture
def passphrase(folder):
    path = folder / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return path


@pytest.fixture
def open_archive(folder, config):
    done(penstock("backup", folder / "open.tar.gz", "--config", config))
    return folder / "open.tar.gz"


@pytest.fixture
def sealed_archive(folder, config, passphrase):
    done(penstock("backup", folder / "sealed.tar.gz", "--config", config, "--with-secrets",
                  "--passphrase-file", passphrase))
    return folder / "sealed.tar.gz"


def restore(archive, target, *more, **options):
    return penstock("restore", archive, "--config", target, *more, **options)


def secret_lines(config):
    """What must not be found: the password, the key's text line by line, and the key as bytes."""
    lines = [line for line in (config / "certs" / "private.pem.key").read_bytes().splitlines()
             if b"-----" not in line]
    der = subprocess.run(["openssl", "pkey", "-in", config / "certs" / "private.pem.key", "-outform",
                          "DER"], check=True, capture_output=True, timeout=PATIENCE).stdout
    return [PASSWORD.encode(), b"PRIVATE KEY", der, *lines]


def unpacked(archive):
    return subprocess.run(["gunzip", "-c", archive], check=True, capture_output=True).stdout


def test_nothing_secret_is_in_an_open_archive(open_archive, config):
    raw, tar = open_archive.read_bytes(), unpacked(open_archive)
    for secret in secret_lines(config):
        assert secret not in raw and secret not in tar
    assert PASSWORD.encode() in (config / "password").read_bytes()
    assert stat.S_IMODE(open_archive.stat().st_mode) == 0o600
    manifest = json.loads(tarfile.open(open_archive).extractfile("manifest.json").read())
    assert {row["name"]: row["why"] for row in manifest["left_out"]} == {
        "certs/private.pem.key": "secret", "password": "secret"}
    assert manifest["format"] == "penstock-backup" and manifest["version"] == 1
    for secret in (PASSWORD + "\n", (config / "certs" / "private.pem.key").read_text()):
        assert hashlib.sha256(secret.encode()).hexdigest() not in json.dumps(manifest)


def test_tar_opens_it_and_the_manifest_is_true(open_archive, config, folder):
    out = folder / "by-tar"
    out.mkdir()
    subprocess.run(["tar", "xzf", open_archive, "-C", out], check=True, timeout=PATIENCE)
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest["files"]) == 4
    for row in manifest["files"]:
        content = (out / row["name"]).read_bytes()
        assert len(content) == row["size"]
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert content == (config / row["name"].removeprefix("config/")).read_bytes()


def test_openssl_opens_the_secrets(sealed_archive, config, folder):
    raw, tar = sealed_archive.read_bytes(), unpacked(sealed_archive)
    for secret in secret_lines(config):
        assert secret not in raw and secret not in tar
    sealed = folder / "secrets.cms"
    sealed.write_bytes(tarfile.open(sealed_archive).extractfile("secrets.cms").read())
    decrypt = ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", sealed, "-pwri_password"]
    plain = subprocess.run([*decrypt, PASSPHRASE], check=True, capture_output=True,
                           timeout=PATIENCE).stdout
    inner = tarfile.open(fileobj=io.BytesIO(plain))
    for name in ("certs/private.pem.key", "password"):
        assert inner.extractfile(f"config/{name}").read() == (config / name).read_bytes()
    assert subprocess.run([*decrypt, PASSPHRASE + "x"], capture_output=True,
                          timeout=PATIENCE).returncode != 0
    shown = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", sealed], check=True,
                           capture_output=True, text=True, timeout=PATIENCE).stdout
    assert "authEnvelopedData" in shown and "aes-256-gcm" in shown
    rounds = re.search(r"PBKDF2.*?INTEGER\s*:(\w+)", shown, re.DOTALL)
    assert int(rounds[1], 16) >= 1_300_000


def test_a_machine_that_has_nothing(sealed_archive, config, folder, passphrase):
    before = tree(config)
    target = folder / "new"
    dry = done(restore(sealed_archive, target, "--passphrase-file", passphrase, "--dry-run"))
    assert dry.count("  added ") == 6 and "this was a dry run" in dry
    assert not target.exists() and not list(folder.glob("new.*"))
    answer = json.loads(done(restore(sealed_archive, target, "--passphrase-file", "-", "--json",
                                     input=PASSPHRASE + "\n")))
    assert answer["written"] and {row["change"] for row in answer["files"]} == {"added"}
    assert tree(target) == before
    assert penstock("check", target).returncode == 0
    again = done(restore(sealed_archive, target, "--passphrase-file", passphrase))
    assert "there is nothing to change" in again
    assert not list(folder.glob("new.*"))


def test_a_restored_gateway_runs(folder, cloud, modbus, cleanup, passphrase):
    modbus.set("holding", 0, 23)
    source = folder / "source"
    (source / "certs").mkdir(parents=True)
    (source / "scripts").mkdir()
    files = cloud.files("gateway")
    for name in ("cert", "key", "root_ca"):
        shutil.copy(files[name], source / "certs" / name)
    (source / "certs" / "key").chmod(0o600)
    (source / "scripts" / "up.py").write_text(SCRIPT)
    block = cloud_block(cloud, cert="certs/cert", key="certs/key", root_ca="certs/root_ca")
    (source / "penstock.json").write_text(json.dumps({
        "version": 1, "cloud": block, "devices": [modbus_device("plc", modbus.port)],
        "vars": [variable("v", "plc", "WORD", 40001)], "groups": [group()],
        "publish": [publish("up", "back/up")]}))
    archive = folder / "b.tar.gz"
    done(penstock("backup", archive, "--config", source, "--with-secrets", "--passphrase-file",
                  passphrase))
    shutil.rmtree(source)
    gateway = cleanup(Gateway(folder, {}, start=False))
    shutil.rmtree(gateway.config_dir)
    done(restore(archive, gateway.config_dir, "--passphrase-file", passphrase))
    gateway.start()
    gateway.wait_line("LINK-UP")
    wait_for(lambda: gateway.message("up")["delivered"] > 0, "a message of the restored gateway")
    assert gateway.tags()["plc", "v"]["value"] == 23
    # And one at work takes a restored folder over.
    script = gateway.config_dir / "scripts" / "up.py"
    script.write_text(SCRIPT.replace("restored", "changed"))
    gateway.cli("apply")
    done(restore(archive, gateway.config_dir, "--passphrase-file", passphrase))
    gateway.cli("apply")
    assert script.read_text() == SCRIPT
    before = gateway.message("up")["delivered"]
    wait_for(lambda: gateway.message("up")["delivered"] > before, "a message after the restore")


def test_secrets_of_the_machine_stay(open_archive, config, folder):
    (config / "scripts" / "up.py").write_text("def main(data, wizard_api):\n    pass\n")
    (config / "scripts" / "draft.py").write_text("draft")
    (config / "password").unlink()
    key = (config / "certs" / "private.pem.key").read_bytes()
    old = contents(config)
    out = done(restore(open_archive, config))
    for line in ("kept     certs/private.pem.key", "absent   password", "changed  scripts/up.py",
                 "removed  scripts/draft.py", "same     penstock.json",
                 "Put what is absent there. Run: penstock apply"):
        assert line in out, out
    assert (config / "certs" / "private.pem.key").read_bytes() == key
    assert (config / "scripts" / "up.py").read_text() == SCRIPT
    former = list(folder.glob("config.before-restore-*"))
    assert len(former) == 1 and contents(former[0]) == old


def expect_refusal(result, *words):
    assert result.returncode in (1, 2), result.stdout
    for word in words:
        assert word in result.stderr, result.stderr


def test_passphrases(sealed_archive, config, folder, passphrase):
    before = tree(folder)
    target = folder / "new"
    expect_refusal(restore(sealed_archive, target, "--passphrase-file", "-", input="wrong\n"),
                   "the passphrase is wrong")
    expect_refusal(restore(sealed_archive, target, "--passphrase-file", folder / "none"), "none")
    expect_refusal(restore(sealed_archive, target, start_new_session=True), "--passphrase-file")
    expect_refusal(penstock("backup", folder / "x", "--config", config, "--with-secrets",
                            "--passphrase-file", "-", input="short\n"), "at least 12")
    expect_refusal(penstock("backup", folder / "x", "--config", config, "--passphrase-file",
                            passphrase), "--with-secrets")
    assert tree(folder) == before


def test_the_terminal_shows_no_passphrase(config, folder):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(BIN / "penstock", ["penstock", "backup", str(folder / "t.tar.gz"), "--config",
                                    str(config), "--with-secrets"])
    seen = b""

    def read_until(text):
        nonlocal seen
        while text not in seen:
            seen += os.read(terminal, 1000)
    read_until(b"Passphrase of the backup: ")
    os.write(terminal, PASSPHRASE.encode() + b"\n")
    read_until(b"The same again: ")
    os.write(terminal, PASSPHRASE.encode() + b"\n")
    read_until(b"is written")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)
    assert PASSPHRASE.encode() not in seen
    done(restore(folder / "t.tar.gz", folder / "new", "--passphrase-file", "-",
                 input=PASSPHRASE + "\n"))


def test_damage_changes_nothing(open_archive, config, folder):
    whole = open_archive.read_bytes()
    expected = contents(config)
    (config / "scripts" / "up.py").write_text("# as it is now")
    before = tree(config)
    damaged = folder / "damaged"
    for at in range(0, len(whole), 50):
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
        result = restore(damaged, config)
        assert result.returncode in (0, 1), (at, result.stderr)
        if result.returncode == 0:  # a packed text that means the same
            assert contents(config) == expected
            (config / "scripts" / "up.py").write_text("# as it is now")
            continue
        assert "archive" in result.stderr, (at, result.stderr)
        assert tree(config) == before, at
        damaged.write_bytes(whole[:at])
        expect_refusal(restore(damaged, config), "archive")
    assert tree(config) == before
    assert not list(folder.glob("config.restoring-*"))


def test_damage_of_the_sealed_part(sealed_archive, folder, passphrase):
    whole = sealed_archive.read_bytes()
    target = folder / "new"
    for at in range(0, len(whole), 50):
        (folder / "damaged").write_bytes(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
        expect_refusal(restore(folder / "damaged", target, "--passphrase-file", passphrase), "archive")
        assert not target.exists()


def forged(archive, path, change):
    """The archive with other members: change(name -> bytes, list of TarInfo to add)."""
    members = {info.name: tarfile.open(archive).extractfile(info).read()
               for info in tarfile.open(archive)}
    added = []
    change(members, added)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o600
            tar.addfile(info, io.BytesIO(content))
        for info in added:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    path.write_bytes(gzipped(raw.getvalue()))
    return path


def gzipped(tar):
    packer = zlib.compressobj(6, wbits=31)
    packed = bytearray(packer.compress(tar) + packer.flush())
    packed[4:10] = bytes([0, 0, 0, 0, 0, 3])
    return bytes(packed)


def relist(members, **head):
    manifest = json.loads(members["manifest.json"])
    manifest.update(head)
    manifest["files"] = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items() if name != "manifest.json"]
    members["manifest.json"] = json.dumps(manifest).encode()


def link(kind, target):
    info = tarfile.TarInfo("config/scripts/x")
    info.type, info.linkname = kind, target
    return info


FORGERIES = {
    "newer": (lambda members, added: relist(members, version=2, gateway="7.0.1"),
              "made by Penstock 7.0.1: install that version or a newer one"),
    "stranger": (lambda members, added: (members.update({"config/.bashrc": b"x"}), relist(members)),
                 "which its configuration does not name"),
    "outside": (lambda members, added: (members.update({"config/../../x": b"x"}), relist(members)),
                "leads elsewhere"),
    "absolute": (lambda members, added: (members.update({"/etc/x": b"x"}), relist(members)),
                 "leads elsewhere"),
    "symlink": (lambda members, added: added.append(link(tarfile.SYMTYPE, "/etc/passwd")), "link"),
    "hard link": (lambda members, added: added.append(link(tarfile.LNKTYPE, "/etc/passwd")), "link"),
    "device": (lambda members, added: added.append(link(tarfile.CHRTYPE, "")), "device"),
    "edited": (lambda members, added: members.update({"config/scripts/up.py": b"import os"}),
               "damaged or edited"),
    "no Python": (lambda members, added: (members.update(
        {"config/scripts/up.py": b"def main(data, wizard_api)\n    pass\n"}), relist(members)),
        "that this gateway refuses"),
    "unsound": (lambda members, added: (members.update({"config/penstock.json": b"{}"}),
                                        relist(members)), "that this gateway refuses"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused_whole(name, open_archive, config, folder):
    change, words = FORGERIES[name]
    before = tree(config)
    path = forged(open_archive, folder / "forged", change)
    expect_refusal(restore(path, config), words)
    assert tree(config) == before
    assert not (folder / "x").exists() and not list(folder.glob("config.*"))


def test_an_honest_repack_is_taken(open_archive, config, folder):
    """So that the forgeries above are refused for what they hold."""
    path = forged(open_archive, folder / "again", lambda members, added: relist(members))
    assert "there is nothing to change" in done(restore(path, config))


def test_an_exchanged_script_is_found_out(sealed_archive, folder, passphrase):
    def change(members, added):
        members["config/scripts/up.py"] = b"import os\n"
        relist(members)
    path = forged(sealed_archive, folder / "forged", change)
    expect_refusal(restore(path, folder / "new", "--passphrase-file", passphrase), "two backups")
    assert not (folder / "new").exists()


def test_a_bomb_is_refused(config, folder):
    bomb = folder / "bomb"
    packer = zlib.compressobj(9, wbits=31)
    packed = bytearray()
    for _ in range(512):
        packed += packer.compress(bytes(1 << 20))
    packed += packer.flush()
    packed[4:10] = bytes([0, 0, 0, 0, 0, 3])
    bomb.write_bytes(packed)
    before = tree(config)
    expect_refusal(restore(bomb, config), "do not trust it")
    assert tree(config) == before


def test_a_killed_restore_leaves_one_of_both(open_archive, config, folder):
    """At moments that nobody chose; the unit test kills at each system call."""
    new = contents(config)
    older = {**new, "scripts/up.py": SCRIPT.replace("restored", "before").encode()}
    begin = time.monotonic()
    done(restore(open_archive, config, "--dry-run"))
    takes = time.monotonic() - begin
    seen = set()
    for _ in range(40):
        (config / "scripts" / "up.py").write_bytes(older["scripts/up.py"])
        program = subprocess.Popen([BIN / "penstock", "restore", open_archive, "--config", config],
                                   stdout=subprocess.DEVNULL)
        try:
            program.wait(random.uniform(0, takes * 1.5))
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            program.wait(PATIENCE)
        now = contents(config)
        assert now in (new, older)
        seen.add(now == new)
        assert penstock("check", config).returncode == 0
        for rest in folder.glob("config.*"):
            shutil.rmtree(rest)
    assert seen


def test_what_cannot_be_backed_up(config, folder):
    write_json(config, devices=5)
    result = penstock("backup", folder / "x", "--config", config)
    expect_refusal(result, "penstock check lists them")
    assert "devices" in result.stdout
    write_json(config)
    (config / "scripts" / "up.py").write_text("def main(:\n")
    expect_refusal(penstock("backup", folder / "x", "--config", config), "penstock check lists them")
    (config / "scripts" / "up.py").write_text(SCRIPT)
    write_json(config, parameters={"custom": {"word": PASSWORD}})
    expect_refusal(penstock("backup", folder / "x", "--config", config), "take that out of it")
    assert not (folder / "x").exists()


def test_what_lies_elsewhere_is_named(config, folder):
    shutil.move(config / "certs" / "root.pem", folder / "root.pem")
    taken = json.loads((config / "penstock.json").read_text())
    taken["cloud"]["root_ca"] = str(folder / "root.pem")
    (config / "penstock.json").write_text(json.dumps(taken))
    out = done(penstock("backup", folder / "x.tar.gz", "--config", config))
    assert f"{folder}/root.pem  left out: lies outside" in out
    assert "there is nothing to change" in done(restore(folder / "x.tar.gz", config))
    (folder / "root.pem").unlink()
    result = restore(folder / "x.tar.gz", config)
    assert result.returncode == 2 and "root_ca" in result.stdout
