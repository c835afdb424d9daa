"""penstock-cloud from outside: mosquitto's own clients with issued, foreign and expired certificates."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
from harness import children, is_running

BIN = Path(os.environ.get("PENSTOCK_BUILD", "build")).resolve() / "bin"
CLOUD = os.environ.get("PENSTOCK_CLOUD", str(BIN / "penstock-cloud"))
LIMIT_S = 60


def wait_for(condition, what, process=None):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting: {what}"
        if process is not None:
            assert process.poll() is None, f"ended with {process.returncode}: {process.stderr and process.stderr.read()}"
        time.sleep(0.02)


class Cloud:
    def __init__(self, folder, *options, port=0):
        self.folder = folder
        self.ready = folder.parent / f"{folder.name}.ready"
        self.ready.unlink(missing_ok=True)
        self.output = folder.parent / f"{folder.name}.out"
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [CLOUD, "run", str(folder), "--port", str(port), "--ready-file", str(self.ready), *options],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )
        wait_for(self.ready.exists, "ready file", self.process)
        self.info = json.loads(self.ready.read_text())
        self.port = self.info["port"]
        self.broker = children(self.process.pid)[0]

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def lines(self):
        return self.output.read_text().splitlines()

    def wait_line(self, pattern):
        wait_for(lambda: any(re.search(pattern, line) for line in self.lines()), pattern, self.process)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        assert self.process.wait(LIMIT_S) == 0, self.process.stderr.read()
        assert not is_running(self.broker)

    def tls(self, thing, port=None):
        return [
            "-h", "localhost", "-p", str(port or self.port), "--cafile", self.info["root_ca"],
            "--cert", thing["cert"], "--key", thing["key"],
        ]  # fmt: skip


def issue(folder, name, *options):
    run = subprocess.run(
        [CLOUD, "issue", str(folder), "--thing", name, "--json", *options], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def publish(cloud, thing, topic, payload, *options, port=None):
    return subprocess.run(
        ["mosquitto_pub", *cloud.tls(thing, port), "-q", "1", "-t", topic, "-m", payload, *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


@pytest.fixture
def cloud(tmp_path):
    running = Cloud(tmp_path / "cloud")
    yield running
    if running.process.poll() is None:
        running.stop()


def test_issued_thing_talks_both_ways(cloud):
    thing = issue(cloud.folder, "other-thing")
    with subprocess.Popen(
        ["mosquitto_sub", *cloud.tls(thing), "-q", "1", "-t", "awsiot/send", "-C", "1", "-W", str(LIMIT_S)],
        stdout=subprocess.PIPE,
        text=True,
    ) as subscriber:
        log = cloud.folder / "broker/mosquitto.log"
        wait_for(lambda: " 1 awsiot/send" in log.read_text(), "subscription", subscriber)
        cloud.type('awsiot/send {"message": "Hello from AWS IoT console"}')
        assert '{"message": "Hello from AWS IoT console"}' in subscriber.stdout.read()
    cloud.wait_line(r'^\d\d:\d\d:\d\d\.\d{3}  > awsiot/send  \{"message": "Hello from AWS IoT console"\}$')

    payload = '[{"Device": "Temperature_Sensor", "timestamp": 1700000000.1234567, "Data": {"Test": 2}}]'
    assert publish(cloud, thing, "awsiot/test", payload).returncode == 0
    cloud.wait_line(r"^\d\d:\d\d:\d\d\.\d{3}  awsiot/test  " + re.escape(payload) + "$")
    sent = [line for line in cloud.lines() if "awsiot/send" in line]
    assert len(sent) == 1, "a message of the console's own was shown twice"


def test_refuses_what_aws_refuses(cloud):
    good = cloud.info["things"]["awstest"]
    for flaw in ("--foreign-ca", "--expired", "--not-yet"):
        bad = issue(cloud.folder, "bad" + flaw.replace("-", "_"), flaw)
        assert publish(cloud, bad, "awsiot/test", "x").returncode != 0, flaw
    other = issue(cloud.folder, "other")
    assert publish(cloud, {"cert": good["cert"], "key": other["key"]}, "awsiot/test", "x").returncode != 0
    anonymous = ["-h", "localhost", "-p", str(cloud.port), "--cafile", cloud.info["root_ca"]]
    run = subprocess.run(["mosquitto_pub", *anonymous, "-t", "a", "-m", "x"], capture_output=True, timeout=LIMIT_S)
    assert run.returncode != 0
    device_ca = dict(cloud.info, root_ca=str(cloud.folder / "device-ca.pem"))
    cloud.info = device_ca
    assert publish(cloud, good, "awsiot/test", "x").returncode != 0, "the device CA is not the server's root"
    assert not any("awsiot/test" in line for line in cloud.lines())


def test_payload_limit(cloud, tmp_path):
    thing = cloud.info["things"]["awstest"]
    exact = tmp_path / "exact"
    exact.write_bytes(b"x" * 131072)
    over = tmp_path / "over"
    over.write_bytes(b"x" * 132000)
    command = ["mosquitto_pub", *cloud.tls(thing), "-q", "1", "-t", "awsiot/test", "-f"]
    assert subprocess.run([*command, exact], capture_output=True, timeout=LIMIT_S).returncode == 0
    assert subprocess.run([*command, over], capture_output=True, timeout=LIMIT_S).returncode != 0


def test_files_are_those_of_aws_and_are_used_again(cloud):
    thing = cloud.info["things"]["awstest"]
    der = subprocess.run(["openssl", "x509", "-in", thing["cert"], "-outform", "DER"], capture_output=True).stdout
    digest = subprocess.run(["sha256sum"], input=der, capture_output=True).stdout.decode().split()[0]
    assert thing["certificate_id"] == digest
    folder = Path(thing["cert"]).parent
    start = digest[:10]
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{start}-certificate.pem.crt", f"{start}-private.pem.key", f"{start}-public.pem.key",
    ]  # fmt: skip
    assert Path(thing["key"]).read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    for key in [*cloud.folder.rglob("*private.pem.key"), *cloud.folder.glob("private/*")]:
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key
    assert issue(cloud.folder, "awstest")["certificate_id"] == digest
    other_kind = subprocess.run(
        [CLOUD, "issue", str(cloud.folder), "--thing", "awstest", "--expired"], capture_output=True, text=True
    )
    assert other_kind.returncode == 1
    assert "awstest" in other_kind.stderr
    root = (cloud.folder / "AmazonRootCA1.pem").read_text()
    port = cloud.port
    cloud.stop()
    again = Cloud(cloud.folder, port=port)
    assert (again.port, again.info["things"]["awstest"]) == (port, thing)
    assert (cloud.folder / "AmazonRootCA1.pem").read_text() == root
    again.stop()


def test_ecc_and_second_port(tmp_path):
    cloud = Cloud(tmp_path / "cloud", "--key-type", "ecc", "--alpn-port", "0", "--thing", "press-1", "--thing", "press-2")
    assert cloud.info["root_ca"].endswith("/AmazonRootCA3.pem")
    thing = cloud.info["things"]["press-2"]
    assert Path(thing["key"]).read_text().startswith("-----BEGIN EC PRIVATE KEY-----")
    run = publish(cloud, thing, "awsiot/test", "by ALPN", "--tls-alpn", "x-amzn-mqtt-ca", port=cloud.info["alpn_port"])
    assert run.returncode == 0, run.stderr
    cloud.wait_line("awsiot/test  by ALPN$")
    cloud.stop(signal.SIGINT)


def test_wrong_server_certificates(tmp_path):
    for kind in ("expired", "wrong-host"):
        cloud = Cloud(tmp_path / "cloud", "--server-cert", kind)
        run = publish(cloud, cloud.info["things"]["awstest"], "a", "x")
        assert run.returncode != 0, kind
        cloud.stop()


def test_client_commands(cloud, tmp_path):
    with subprocess.Popen(
        [CLOUD, "sub", str(cloud.folder), "plant/#", "--count", "2", "--timeout", str(LIMIT_S), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    ) as subscriber:
        log = cloud.folder / "broker/mosquitto.log"
        wait_for(lambda: f"penstock-cloud-sub-{subscriber.pid} 1 plant/#" in log.read_text(), "subscriber", subscriber)
        for _ in range(2):
            assert subprocess.run([CLOUD, "pub", str(cloud.folder), "plant/a", '{"n": 1}']).returncode == 0
        messages = [json.loads(line) for line in subscriber.stdout.read().splitlines()]
    assert subscriber.returncode == 0
    assert [(m["topic"], m["payload"], m["qos"]) for m in messages] == [("plant/a", '{"n": 1}', 1)] * 2
    late = subprocess.run([CLOUD, "sub", str(cloud.folder), "never", "--count", "1", "--timeout", "1"], capture_output=True)
    assert late.returncode == 1
    bad = subprocess.run([CLOUD, "pub", str(cloud.folder), "a/#", "x"], capture_output=True, text=True)
    assert bad.returncode == 1
    assert "a/#" in bad.stderr
    nowhere = subprocess.run([CLOUD, "pub", str(tmp_path / "nowhere"), "a", "x"], capture_output=True, text=True)
    assert nowhere.returncode == 1
    assert "penstock-cloud run" in nowhere.stderr


def test_quit_end_of_input_and_second_start(cloud):
    second = subprocess.run([CLOUD, "run", str(cloud.folder)], capture_output=True, text=True, timeout=LIMIT_S)
    assert second.returncode == 1
    assert "another penstock-cloud" in second.stderr
    cloud.type("quit")
    assert cloud.process.wait(LIMIT_S) == 0
    assert not is_running(cloud.broker)
    assert not (cloud.folder / "endpoint.json").exists()

    again = Cloud(cloud.folder)
    again.process.stdin.close()
    thing = again.info["things"]["awstest"]
    assert publish(again, thing, "after/eof", "still here").returncode == 0
    again.wait_line("after/eof  still here")
    again.process.stdin = None
    again.stop()


def test_broker_ends_with_its_parent_and_is_missed(tmp_path):
    cloud = Cloud(tmp_path / "cloud")
    cloud.process.kill()
    cloud.process.wait(LIMIT_S)
    wait_for(lambda: not is_running(cloud.broker), "broker follows its parent")

    cloud = Cloud(tmp_path / "cloud")
    os.kill(cloud.broker, signal.SIGKILL)
    assert cloud.process.wait(LIMIT_S) == 1
    assert "mosquitto.log" in cloud.process.stderr.read()


def test_port_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run(
            [CLOUD, "run", str(tmp_path / "cloud"), "--port", str(port)], capture_output=True, text=True, timeout=LIMIT_S
        )
    assert run.returncode == 1
    assert f"port {port} is in use" in run.stderr


def test_called_wrongly(tmp_path):
    folder = str(tmp_path / "cloud")
    for arguments in (
        [],
        ["fly"],
        ["run"],
        ["run", folder, "--port", "70000"],
        ["run", folder, "--key-type", "dsa"],
        ["run", folder, "--bogus"],
        ["issue", folder],
        ["issue", folder, "--thing", "a", "--expired", "--not-yet"],
        ["pub", folder, "topic"],
        ["sub", folder, "--count", "0"],
    ):
        run = subprocess.run([CLOUD, *arguments], capture_output=True, text=True, timeout=LIMIT_S)
        assert run.returncode == 2, arguments
        assert run.stderr, arguments
    assert subprocess.run([CLOUD, "run", "--help"], capture_output=True).returncode == 0
    assert subprocess.run([CLOUD, "issue", folder, "--thing", "a/b"], capture_output=True).returncode == 1


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="changes the user, which only root can")
def test_works_for_an_ordinary_user(tmp_path):
    open_folder = Path(subprocess.run(["mktemp", "-d", "/tmp/penstock-cloud-XXXXXX"], capture_output=True, text=True).stdout.strip())
    try:
        os.chown(open_folder, 65534, 65534)
        ready = open_folder / "ready"
        report = open_folder / "report"  # the build folder may be out of that user's reach
        own_log = {name: f"{os.environ.get(name, '')}:log_path={report}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        process = subprocess.Popen(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", CLOUD, "run", "cloud",
             "--port", "0", "--ready-file", "ready", "--quiet"],
            cwd=open_folder,
            env={**os.environ, **own_log},
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        wait_for(ready.exists, "ready file", process)
        assert json.loads(ready.read_text())["root_ca"] == str(open_folder / "cloud/AmazonRootCA1.pem")
        process.terminate()
        assert process.wait(LIMIT_S) == 0
        assert [path.read_text() for path in open_folder.glob("report*")] == []
    finally:
        shutil.rmtree(open_folder)
