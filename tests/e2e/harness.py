"""Real programs for end-to-end tests: gateway, local cloud, foreign Modbus server, foreign MQTT client.

Everything listens on 127.0.0.1 on a free port, is waited for by condition and stopped by process id.
"""
import http.client
import itertools
import json
import os
import pathlib
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PENSTOCK_BUILD", ROOT / "build")).resolve() / "bin"
PATIENCE = float(os.environ.get("PENSTOCK_PATIENCE", "60"))  # seconds; a slow machine needs them
HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"

FIRST_PORT, PORT_COUNT = 12000, 20000
_ports = itertools.count(random.SystemRandom().randrange(PORT_COUNT))


def wait_for(condition, what, timeout=PATIENCE):
    """The first true value of condition(); fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s for {what}")
        time.sleep(0.02)


def free_port():
    """Below the ports that the system gives to outgoing connections, and each time another one, so
    that no two tests meet on it between the choice and the use."""
    for _ in range(1000):
        port = FIRST_PORT + next(_ports) % PORT_COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def children(pid):
    """Process ids, the oldest first; from /proc, since a small system has no ps."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append((int(fields[19]), int(stat.parent.name)))
    return [child for _, child in sorted(found)]


def descendants(pid):
    found = children(pid)
    return found + [grandchild for child in found for grandchild in descendants(child)]


def is_running(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


# Runs a program behind a seccomp filter of its own, as a container does; one call fails there.
BEHIND_A_FILTER = r"""
import ctypes, os, struct, sys
number, argument = int(sys.argv[1]), int(sys.argv[2])  # argument: of seccomp itself; -1: any
code = [(0x20, 0, 0, 0), (0x15, 0, 3 if argument >= 0 else 1, number)]
if argument >= 0:
    code += [(0x20, 0, 0, 16), (0x15, 0, 1, argument)]
code += [(6, 0, 0, 0x00050000 | 38), (6, 0, 0, 0x7fff0000)]
filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in code))
program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(filters))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[3], sys.argv[3:])
"""
# What penstock-script asks first: landlock_create_ruleset; seccomp with SECCOMP_GET_ACTION_AVAIL.
CALLS = {"landlock": (444, -1),
         "seccomp": ({"x86_64": 317, "aarch64": 277}.get(platform.machine()), 2)}


def behind_a_filter(missing):
    """The start of a command line that runs a program as on a kernel without this."""
    return [PYTHON, "-c", BEHIND_A_FILTER, *CALLS[missing]]


class Program:
    """A child whose output is collected line by line."""

    def __init__(self, arguments, env=None, name=None):
        self.name = name or pathlib.Path(arguments[0]).name
        self.lines = []
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, text=True, errors="replace",
            bufsize=1)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return "\n".join(self.lines)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def find(self, *parts, start=0):
        """Lines from number `start` on that hold all parts."""
        return [line for line in self.lines[start:] if all(part in line for part in parts)]

    def wait_line(self, *parts, start=0, timeout=PATIENCE):
        def look():
            found = self.find(*parts, start=start)
            if not found and self.process.poll() is not None:
                self.reader.join(5)
                if not self.find(*parts, start=start):
                    raise AssertionError(f"{self.name} ended ({self.process.returncode}) without "
                                         f"{parts}:\n{self.text()[-4000:]}")
            return found
        try:
            return wait_for(look, f"{parts} from {self.name}", timeout)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; its output:\n{self.text()[-6000:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def stop(self, timeout=PATIENCE):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {timeout} s") from None
        self.reader.join(5)
        return status


class ModbusServer(Program):
    """pymodbus in a process of its own."""

    def __init__(self, port=None):
        """`port`: of TCP, or the path of a terminal for a server of RTU."""
        self.port = port or free_port()
        super().__init__([PYTHON, HERE / "modbus_server.py", self.port], name="pymodbus")
        self.wait_line('"port"')

    def ask(self, line):
        count = len(self.lines)
        self.send(line)

        def answer():  # pymodbus logs between the answers
            return next((text for text in self.lines[count:] if text.startswith(("[", '"'))), None)
        return json.loads(wait_for(answer, f"pymodbus to answer '{line}'"))

    def set(self, table, offset, *values):
        assert self.ask(f"set {table} {offset} {' '.join(map(str, values))}") == "ok"

    def get(self, table, offset, count=1):
        return self.ask(f"get {table} {offset} {count}")


class Plant(Program):
    """penstock-sim, with its fault knobs on standard input. `port` is Modbus TCP's; the sides that
    are asked for have s7_port, opcua_port and eip_port (True: a free one)."""

    SIDES = ("s7", "opcua", "eip")

    def __init__(self, folder, port=0, *options, s7=False, opcua=False, eip=False):
        ready = pathlib.Path(folder) / f"plant-{port}-{time.monotonic_ns()}.ready"
        for name, wanted in zip(self.SIDES, (s7, opcua, eip)):
            if wanted:
                options += (f"--{name}-port", 0 if wanted is True else wanted)
        super().__init__([BIN / "penstock-sim", "--port", port, "--ready-file", ready,
                          "--interactive", *options])
        wait_for(lambda: ready.exists() or self.process.poll() is not None, "penstock-sim")
        assert ready.exists(), self.text()
        first, *others = ready.read_text().splitlines()
        self.port = int(first)
        for line in others:
            name, number = line.split()
            setattr(self, f"{name}_port", int(number))

    def command(self, line):
        """The answer line, mostly "ok"; fails when it is an error."""
        count = len(self.lines)
        self.send(line)
        wait_for(lambda: len(self.lines) > count, f"the plant to answer '{line}'")
        assert not self.lines[count].startswith("error"), f"{line}: {self.lines[count]}"
        return self.lines[count]

    knob = command

    def stats(self, side=None):
        """The counters of a side as a dict."""
        words = self.command(f"{side} stats" if side else "stats").split()
        return {name: int(value) for name, value in (word.split("=") for word in words)}


# Tests of the gateway are quicker than AWS lets a device be; those of the limits set them anew.
WITHOUT_RATES = ("publishes_per_s=0", "deliveries_per_s=0", "bytes_per_s=0",
                 "connects_per_id_per_s=0", "replay_per_s=0", "keep_alive_min_s=1")


class Cloud:
    """penstock-cloud in a folder of its own; may be stopped and started again on the same port."""

    def __init__(self, folder, things=("gateway", "receiver"), key_type="rsa", port=0, start=True,
                 limits=WITHOUT_RATES, reactions=(), options=()):
        self.folder = pathlib.Path(folder)
        self.options = [*(f"--limit={limit}" for limit in limits),
                        *(f"--reaction={reaction}" for reaction in reactions), *options]
        self.port = port
        self.key_type = key_type
        self.things = things
        self.program = None
        if start:
            self.start()

    def start(self):
        ready = self.folder.parent / f"{self.folder.name}.ready"
        ready.unlink(missing_ok=True)
        arguments = [BIN / "penstock-cloud", "run", self.folder, "--port", self.port,
                     "--key-type", self.key_type, "--ready-file", ready, *self.options]
        for thing in self.things:
            arguments += ["--thing", thing]
        self.program = Program(arguments)
        wait_for(lambda: ready.exists() or self.program.process.poll() is not None,
                 "penstock-cloud to be ready")
        assert ready.exists(), self.program.text()
        self.ready = json.loads(ready.read_text())
        self.port = self.ready["port"]
        self.endpoint = self.ready["endpoint"]

    def files(self, thing):
        return self.ready["things"][thing]

    def stop(self):
        if self.program is not None:
            status = self.program.stop()
            self.program = None
            return status
        return 0

    def publish(self, topic, payload, thing="receiver"):
        """Through mosquitto_pub, a client of its own with another certificate."""
        files = self.files(thing)
        subprocess.run(
            ["mosquitto_pub", "-h", self.endpoint, "-p", str(self.port), "--cafile",
             files["root_ca"], "--cert", files["cert"], "--key", files["key"], "-q", "1", "-i",
             f"pub-{time.monotonic_ns()}", "-t", topic, "-s"], input=payload, text=True,
            check=True, timeout=PATIENCE)


def server_identity(cloud):
    """Files (chain, key) of a server on localhost that clients of `cloud` trust; made once."""
    chain = cloud.folder.parent / "foreign-server.pem"
    key = cloud.folder.parent / "foreign-server.key"
    if not chain.exists():
        extensions = chain.with_suffix(".ext")
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
        request = chain.with_suffix(".csr")
        openssl = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-keyout", key, "-subj", "/CN=localhost", "-out", request]
        subprocess.run(openssl, check=True, capture_output=True, timeout=PATIENCE)
        root = pathlib.Path(cloud.ready["root_ca"])
        openssl = ["openssl", "x509", "-req", "-in", request, "-CA", root, "-CAkey",
                   cloud.folder / "private" / f"{root.stem}.key", "-set_serial", "7", "-days", "30",
                   "-extfile", extensions, "-out", chain]
        subprocess.run(openssl, check=True, capture_output=True, timeout=PATIENCE)
    return chain, key


class Broker:
    """mosquitto without TLS and without the limits of AWS IoT; the port stays the same."""

    def __init__(self, folder, *lines, start=True):
        self.port = free_port()
        self.conf = pathlib.Path(folder) / "mosquitto.conf"
        self.conf.write_text("\n".join([f"listener {self.port} 127.0.0.1", *(
            lines or ["allow_anonymous true"]), ""]))
        self.program = None
        if start:
            self.start()

    def start(self):
        path = f"/usr/sbin:/usr/bin:{os.environ.get('PATH', '')}"
        self.program = Program([shutil.which("mosquitto", path=path), "-c", self.conf],
                               name="mosquitto")
        self.program.wait_line("running")

    def stop(self):
        if self.program is not None:
            self.program.stop()
            self.program = None

    def kill(self):
        self.program.kill()
        self.program = None

    def block(self, port=None, **more):
        """The configuration's `cloud`; `port` where something stands between."""
        return {"type": "Standard MQTT", "endpoint": "127.0.0.1", "port": port or self.port,
                "client_id": "gateway", **more}


class Receiver(Program):
    """mosquitto_sub with another certificate; a persistent session, so a restart loses nothing."""

    def __init__(self, cloud, topic="#", thing="receiver", name=None):
        files = cloud.files(thing)
        self.client_id = name or f"receiver-{time.monotonic_ns()}"
        super().__init__(
            ["stdbuf", "-oL", "mosquitto_sub", "-h", cloud.endpoint, "-p", cloud.port, "--cafile",
             files["root_ca"], "--cert", files["cert"], "--key", files["key"], "-q", "1", "-c",
             "-i", self.client_id, "-t", topic, "-d", "-F", "MSG %t %p"], name="mosquitto_sub")
        self.wait_line("Subscribed")

    def messages(self, topic=None):
        """(topic, payload) in the order of arrival."""
        found = []
        for line in list(self.lines):
            if line.startswith("MSG "):
                _, name, payload = line.split(" ", 2)
                if topic is None or name == topic:
                    found.append((name, payload))
        return found

    def documents(self, topic=None):
        return [json.loads(payload) for _, payload in self.messages(topic)]


class LocalConnection(http.client.HTTPConnection):
    """To the gateway's Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(connection, method, path, body=None, headers=None):
    """(status, headers, answer) of one request; JSON is read."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path if path.startswith("/api") else f"/api/v1{path}", body, headers)
    response = connection.getresponse()
    answer = response.read()
    if "json" in response.headers.get("Content-Type", "") and answer:
        answer = json.loads(answer)
    return response.status, response.headers, answer


class Gateway:
    """penstockd with a configuration written from a dict; restartable on the same state."""

    def __init__(self, folder, config, scripts=None, start=True, web=False):
        """`web`: True listens for browsers on a free port of 127.0.0.1, None as the configuration
        says."""
        self.folder = pathlib.Path(folder)
        self.web = web
        self.config_dir = self.folder / "config"
        self.state = self.folder / "state"
        self.socket = self.folder / "s"
        (self.config_dir / "scripts").mkdir(parents=True, exist_ok=True)
        self.write(config, scripts or {})
        self.program = None
        if start:
            self.start()

    def write(self, config, scripts):
        (self.config_dir / "penstock.json").write_text(json.dumps({"version": 1, **config}))
        for name, text in scripts.items():
            self.write_script(name, text)

    def write_script(self, name, text):
        (self.config_dir / "scripts" / name).write_text(text)

    def start(self, ready="STARTED", wrapper=(), env=None):
        self.program = Program(
            [*wrapper, BIN / "penstockd", "--config", self.config_dir, "--state", self.state, "--socket",
             self.socket, *self.web_options()], env=env)
        if ready is not None:
            self.program.wait_line(ready)
            if self.web:
                self.program.wait_line("WEB-LISTEN")
        return self

    def web_options(self):
        if self.web is None:
            return []
        return ["--web", "127.0.0.1:0" if self.web else "none"]

    @property
    def web_url(self):
        """https://127.0.0.1:PORT/ of a gateway that listens for browsers."""
        return wait_for(lambda: self.status()["web"]["url"], "the web interface to listen")

    def cli(self, *arguments, check=True):
        result = subprocess.run([str(BIN / "penstock"), *map(str, arguments), "--socket",
                                 str(self.socket)], capture_output=True, text=True,
                                timeout=PATIENCE)
        if check:
            assert result.returncode == 0, result.stderr + result.stdout
        return result

    def api(self, method, path, body=None):
        """(status, answer) of the REST API on the Unix socket."""
        connection = LocalConnection(self.socket)
        try:
            status, _, answer = ask(connection, method, path, body)
            return status, answer
        finally:
            connection.close()

    def status(self):
        return json.loads(self.cli("status", "--json").stdout)

    def tags(self):
        rows = json.loads(self.cli("tags", "--json").stdout)
        return {(row["device"], row["name"]): row for row in rows}

    def message(self, name):
        return next(row for row in self.status()["messages"] if row["name"] == name)

    def worker(self, name):
        return next(row for row in self.status()["workers"] if row["name"] == name)

    def wait_line(self, *parts, **more):
        return self.program.wait_line(*parts, **more)

    def stop(self):
        if self.program is not None:
            status = self.program.stop()
            # A script of a message named bad... may crash its own process on purpose.
            spoke = [line for line in self.program.lines if "SCRIPT-STDERR: bad" not in line and
                     ("AddressSanitizer" in line or "runtime error" in line or
                      "OUTBOX-BOOKS" in line)]
            assert not spoke, self.program.text()[-6000:]
            self.program = None
            return status
        return 0

    def kill(self):
        self.program.kill()
        self.program = None


def modbus_device(name, port, **more):
    return {"device_name": name, "protocol": "ModbusTCP", "ip": "127.0.0.1", "port": port, **more}


def rtu_device(name, slave, serial="RS485", **more):
    return {"device_name": name, "protocol": "ModbusRTU", "serial": serial, "slave": slave, **more}


def serial_port(path, name="RS485", **more):
    return {"name": name, "path": str(path), "baud_rate": 115200, **more}


def variable(name, device, data_type, address, **more):
    return {"var_name": name, "device": device, "data_type": data_type, "register_addr": address,
            **more}


def cloud_block(cloud, thing="gateway", **more):
    files = cloud.files(thing)
    return {"type": "AWS IoT", "endpoint": cloud.endpoint, "port": cloud.port,
            "client_id": f"test-{thing}", "cert": files["cert"], "key": files["key"],
            "root_ca": files["root_ca"], **more}


def publish(name, topic, groups=("default",), main="main", script=None, **more):
    return {"name": name, "topic": topic, "groups": list(groups), "main_function": main,
            "script": f"scripts/{script or name + '.py'}", **more}


def subscribe(name, topic, main="main", script=None, **more):
    return {"name": name, "topic": topic, "main_function": main,
            "script": f"scripts/{script or name + '.py'}", **more}


def group(name="default", polling=0.2, upload=0.2):
    return {"group_name": name, "polling_interval": polling, "upload_interval": upload}
