"""Scripts that try to do harm, as data for test_hostile_scripts.py."""

LOOP = "def main(d, w):\n    while True:\n        pass\n"

MEMORY_HOG = ("def main(d, w):\n"
              "    kept = []\n"
              "    while True:\n"
              "        kept.append(bytearray(4 << 20))\n")

FORK_BOMB = "import os\ndef main(d, w):\n    while True:\n        os.fork()\n"

THREADS_LEFT = ("import threading\n"
                "def main(d, w):\n"
                "    threading.stack_size(65536)\n"
                "    for i in range(20):\n"
                "        threading.Thread(target=threading.Event().wait, daemon=True).start()\n")

THREAD_SPINS = ("import threading\n"
                "def spin():\n"
                "    while True:\n"
                "        pass\n"
                "def main(d, w):\n"
                "    if threading.active_count() < 3:\n"
                "        threading.Thread(target=spin, daemon=True).start()\n")

SCRATCH_FILL = ("import time\n"
                "def main(d, w):\n"
                "    for i in range(8):\n"
                "        with open(f'{i}', 'wb') as file:\n"
                "            file.write(bytes(900_000))\n"
                "    while True:\n"
                "        time.sleep(1)\n")

# A whole log frame, 200,000 times, past everything that counts lines in the worker.
FRAME_FLOOD = ("import os\n"
               "def main(d, w):\n"
               "    line = b'\\x02\\x01' + (1).to_bytes(4, 'little')\n"
               "    line += (1).to_bytes(4, 'little') + b'f' + (1).to_bytes(4, 'little') + b't'\n"
               "    frame = len(line).to_bytes(4, 'little') + bytes([LOG]) + line\n"
               "    for i in range(2000):\n"
               "        os.write(3, frame * 100)\n")

# name -> (script, more keys of the message, what the log must say)
ENDS = {
    "loop": (LOOP, {"timeout": 1}, ["did not end within 1 s", "<string> 2"]),
    "memory_hog": (MEMORY_HOG, {"memory_mb": 64}, []),  # an exception, or the sanitizer's end
    "fork_bomb": (FORK_BOMB, {}, ["[<string> 4]", "PermissionError"]),
    "os_exit": ("import os\ndef main(d, w):\n    os._exit(3)\n", {}, ["status 3"]),
    "segv": ("import os, signal\ndef main(d, w):\n    os.kill(os.getpid(), signal.SIGSEGV)\n", {},
             ["worker ended"]),
    "close_all": ("import os\ndef main(d, w):\n    os.closerange(0, 4096)\n", {}, ["worker ended"]),
    "huge_return": ("def main(d, w):\n    return 'x' * 100_000_000\n", {},
                    ["the message has 100000000 bytes; at most 1048576"]),
    "huge_line": ("import logging\ndef main(d, w):\n    logging.info('huge_line: ' + 'x' * 10**7)\n",
                  {}, ["bytes more)"]),
    "recursion": ("def main(d, w):\n    return main(d, w)\n", {}, ["RecursionError"]),
    "sys_exit": ("import sys\ndef main(d, w):\n    sys.exit(1)\n", {}, ["SystemExit"]),
    "threads_left": (THREADS_LEFT, {"threads": 8}, ["more than 8 threads (threads)"]),
    "thread_spins": (THREAD_SPINS, {"cpu_percent": 2},
                     ["more than 2 % of a processor (cpu_percent)"]),
    "scratch_fill": (SCRATCH_FILL, {"scratch_mb": 1}, ["holds more than 1 MB", "(scratch_mb)"]),
    "frame_flood": (FRAME_FLOOD, {}, ["more than 100000 times"]),
    "missing": ("import no_such_module\ndef main(d, w):\n    pass\n", {}, ["no_such_module"]),
    "syntax": ("def main(d, w):\n    return (\n", {}, ["Build module error", "<string>, line 2"]),
    "not_utf8": (b"# \xff\ndef main(d, w):\n    pass\n", {}, ["save the script as UTF-8"]),
}

# One script that tries one thing after the other and returns what came of it.
PROBE = r'''
import ctypes, errno, fcntl, json, math, os, resource, signal, socket, subprocess, tempfile, threading

libc = ctypes.CDLL(None, use_errno=True)

def outcome(attempt):
    try:
        value = attempt()
    except OSError as error:
        return errno.errorcode[error.errno]
    except Exception as error:
        return type(error).__name__
    return "done"

def call(number, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "syscall")

def write(path, text="x"):
    with open(path, "w") as file:
        file.write(text)

def through_a_link():
    os.symlink(KEY, "key-link")
    open("key-link").read()

def large_file():
    with open("large", "wb") as file:
        file.write(bytes(3 << 20))

def datagram():
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

def own_signal():
    fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())

def use_scratch():
    os.makedirs("a/b")
    write("a/b/c", "text")
    os.rename("a/b/c", "a/d")
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    with tempfile.NamedTemporaryFile() as file:
        assert file.name.startswith(os.getcwd())
    assert open("a/d").read() == "text"

def import_much():
    import asyncio, csv, ctypes.util, decimal, email, hashlib, http.client, sqlite3, ssl, statistics, urllib.request, uuid, xml.etree.ElementTree, zlib, zoneinfo
    import multiprocessing
    import serial  # not of the standard library
    assert zoneinfo.ZoneInfo("UTC") is not None
    assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
    assert asyncio.run(asyncio.sleep(0, 7)) == 7
    hashlib.sha256(os.urandom(8))
    ssl.create_default_context()
    uuid.uuid4()

def thread_works():
    seen = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    assert seen == [1]

ATTEMPTS = {
    "read the private key": lambda: open(KEY).read(),
    "read it through a link": through_a_link,
    "read it through /proc": lambda: open("/proc/self/root" + KEY).read(),
    "link it": lambda: os.link(KEY, "key"),
    "read the configuration": lambda: open(CONFIG + "/penstock.json").read(),
    "read another script": lambda: open(CONFIG + "/scripts/witness.py").read(),
    "list the scripts": lambda: os.listdir(CONFIG + "/scripts"),
    "read the outbox": lambda: open(STATE + "/outbox.db", "rb").read(),
    "list other scratch folders": lambda: os.listdir(".."),
    "read the users": lambda: open("/etc/shadow").read(),
    "read the gateway's memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1),
    "read the parent's descriptors": lambda: os.listdir(f"/proc/{os.getppid()}/fd"),
    "ask the command socket": lambda: socket.socket(socket.AF_UNIX).connect(SOCKET),
    "write in a folder of all": lambda: write(OUTSIDE),
    "write beside scratch": lambda: write("../escape"),
    "write the state folder": lambda: write(STATE + "/escape"),
    "write a script": lambda: write(CONFIG + "/scripts/witness.py"),
    "remove the configuration": lambda: os.remove(CONFIG + "/penstock.json"),
    "rename the configuration": lambda: os.rename(CONFIG, CONFIG + "2"),
    "truncate the key": lambda: os.truncate(KEY, 0),
    "close the key to all": lambda: os.chmod(KEY, 0),
    "give the key away": lambda: os.chown(KEY, 1, 1),
    "touch the configuration": lambda: os.utime(CONFIG + "/penstock.json"),
    "write a large file": large_file,
    "memory without limit": lambda: os.memfd_create("m"),
    "connect": lambda: socket.create_connection(("127.0.0.1", PORT), 5).close(),
    "send a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "send a local datagram": datagram,
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "fork": os.fork,
    "start a program": lambda: subprocess.run(["true"]),
    "become a program": lambda: os.execv("/bin/true", ["true"]),
    "kill the parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "kill a thread of it": lambda: call(234 if MACHINE == "x86_64" else 131, os.getppid(), os.getppid(), 9),
    "kill everybody": lambda: os.kill(-1, signal.SIGKILL),
    "kill the own group": lambda: os.kill(0, signal.SIGKILL),
    "signal by descriptor": own_signal,
    "limit the gateway": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0)),
    "slow the gateway": lambda: os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0)),
    "ptrace": lambda: call(101, 16, os.getppid(), 0, 0) if MACHINE == "x86_64" else call(117, 16, os.getppid(), 0, 0),
    "read foreign memory": lambda: call(310 if MACHINE == "x86_64" else 270, os.getppid(), 0, 0, 0, 0, 0),
    "outlive the parent": lambda: call(157 if MACHINE == "x86_64" else 167, 1, 0, 0, 0, 0),
    "io_uring": lambda: call(425, 1, 0),
    "a call of the future": lambda: call(9999),
    "raise the memory limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    "become another": lambda: os.setuid(12345) if os.getuid() == 0 else os.setuid(0),
    "use scratch": use_scratch,
    "import": import_much,
    "thread": thread_works,
}

def main(data_collect, wizard_api):
    result = {name: outcome(attempt) for name, attempt in ATTEMPTS.items()}
    result["environment"] = sorted(os.environ)
    result["descriptors"] = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
    return result
'''

# What may be done, and errors other than those of a missing right.
EXPECTED = {
    "write a large file": "EFBIG", "io_uring": "ENOSYS", "a call of the future": "ENOSYS",
    "link it": "EXDEV", "raise the memory limit": "ValueError", "use scratch": "done", "import": "done",
    "thread": "done",
}
