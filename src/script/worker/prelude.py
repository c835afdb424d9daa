"""What every worker has ready before a script is loaded.

Run once in penstock-script, before the first fork, so that all workers share its memory. The C
side calls the functions below; `ship(level, always, file, line, text)` comes from there.
"""
import base64  # noqa: F401  imported for the workers: what most scripts use is then shared
import collections  # noqa: F401
import copy  # noqa: F401
import datetime
import faulthandler
import functools  # noqa: F401
import gc
import io
import json
import linecache
import logging
import math
import os
import random  # noqa: F401
import re
import signal
import struct  # noqa: F401
import sys
import threading  # noqa: F401
import time  # noqa: F401
import traceback
import types

SCRIPT_FILE = "<string>"  # the file name Device Supervisor gives scripts; people search for it
VARARGS = 0x04  # CO_VARARGS
LINE_MAX = 8192

_encode = json.JSONEncoder(allow_nan=False).encode


class ShipHandler(logging.Handler):
    """Sends each record to the gateway. Only the root logger ignores the log level."""

    def emit(self, record):
        try:
            text = record.getMessage()
        except Exception:
            text = f"{record.msg!s} {record.args!r}"
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        ship(record.levelno, record.name == "root", record.filename, record.lineno, text)


unfinished = []  # streams with a line that has no end yet; empty is seen from C at no cost


class LineStream(io.TextIOBase):
    """sys.stdout and sys.stderr: each finished line becomes a log line."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, level):
        self.level = level
        self.pending = ""
        self.file = SCRIPT_FILE
        self.line = 0

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        frame = sys._getframe(1)
        self.file = os.path.basename(frame.f_code.co_filename)
        self.line = frame.f_lineno
        lines = (self.pending + text).split("\n")
        self.pending = lines.pop()
        for line in lines:
            self._send(line)
        if len(self.pending) > LINE_MAX:
            self.drain()
        elif self.pending and self not in unfinished:
            unfinished.append(self)
        return len(text)

    def drain(self):
        """Sends an unfinished line."""
        if self.pending:
            line, self.pending = self.pending, ""
            self._send(line)

    def _send(self, line):
        if line:
            ship(self.level, True, self.file, self.line, line)


def _install_logging():
    handler = ShipHandler()
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    logger = logging.getLogger("common.Logger")
    logger.setLevel(logging.DEBUG)
    package = types.ModuleType("common", "Device Supervisor's helpers for scripts.")
    package.__path__ = []
    package.Logger = types.ModuleType("common.Logger", "A logger that obeys the log level.")
    package.Logger.logger = logger
    sys.modules["common"] = package
    sys.modules["common.Logger"] = package.Logger
    sys.stdout = LineStream(logging.INFO)
    sys.stderr = LineStream(logging.WARNING)


_network = True


def start_worker(scratch, network):
    """In the new process. The dumps go to descriptor 2, which the gateway reads."""
    global _network
    _network = network
    if scratch is None:
        os.chdir("/")
    else:
        os.chdir(scratch)
        os.environ["HOME"] = os.environ["TMPDIR"] = scratch
    faulthandler.enable(file=2, all_threads=False)
    faulthandler.register(signal.SIGUSR2, file=2, all_threads=False)


def build(source, main_function, most):
    """Compiles and runs a script as a module of its own; its entry function and arity."""
    text = _text_of(source)
    linecache.cache[SCRIPT_FILE] = (len(text), None, text.splitlines(True), SCRIPT_FILE)
    module = types.ModuleType("__script__")
    sys.modules["__script__"] = module
    exec(compile(source, SCRIPT_FILE, "exec", dont_inherit=True), module.__dict__)
    entry = module.__dict__.get(main_function)
    if not callable(entry):
        raise LookupError(f"No main entry method found. {main_function}")
    return entry, arity(entry, most)


def _text_of(source):
    """The source for tracebacks. compile() itself does not mind stray bytes in comments."""
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        first_two = b"\n".join(source.split(b"\n", 2)[:2])
        if re.search(rb"^[ \t\f]*#.*?coding[:=]", first_two, re.MULTILINE):
            return source.decode("utf-8", "replace")  # compile() obeys the declaration
        line = source.count(b"\n", 0, error.start) + 1
        place = (SCRIPT_FILE, line, None, None)
        raise SyntaxError(f"(unicode error) {error}; save the script as UTF-8", place) from None


def arity(function, most):
    """How many positional arguments, at most `most`, the function takes."""
    code = getattr(function, "__code__", None)
    if isinstance(function, types.FunctionType) and not hasattr(function, "__wrapped__"):
        return most if code.co_flags & VARARGS else min(code.co_argcount, most)
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return most
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return most
    count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return min(count, most)


def check_all():
    """`penstock-script --check`: what is wrong with the scripts on descriptor 0, as JSON on 1.

    Each is its main function's name and its source, each with a length of 4 bytes before it. The
    answer is a list of [number of the script, line (0: none), text]. Nothing of them is run."""
    import warnings

    warnings.simplefilter("ignore")  # no mistakes, and there is nobody to tell them to
    with os.fdopen(0, "rb") as given:
        data = given.read()
    parts = []
    at = 0
    while at < len(data):
        size, = struct.unpack_from("<I", data, at)
        parts.append(data[at + 4:at + 4 + size])
        at += 4 + size
    found = []
    for number, (name, source) in enumerate(zip(parts[::2], parts[1::2])):
        problem = _check(source, name.decode("utf-8", "replace"))
        if problem is not None:
            found.append([number, *problem])
    with os.fdopen(1, "wb") as answer:
        answer.write(json.dumps(found).encode())


def _check(source, main_function):
    import symtable

    try:
        _text_of(source)
        compile(source, SCRIPT_FILE, "exec", dont_inherit=True)
        table = symtable.symtable(source, SCRIPT_FILE, "exec")
        if _binds(table, main_function) or _MAKES_NAMES.search(source):
            return None
    except SyntaxError as error:
        return error.lineno or 0, error.msg
    except Exception as error:  # a NUL in the source, or nested too deep
        return 0, f"{type(error).__name__}: {error}"
    return 0, f"No main entry method found. {main_function}"


# Ways to make a global name that cannot be seen without running the script.
_MAKES_NAMES = re.compile(rb"\b(exec|globals|setattr|__dict__)\b|\bimport\s*\*")


def _binds(table, name):
    """Does the module get a global of this name, at its top or in a function?"""
    if name in table.get_identifiers():
        symbol = table.lookup(name)
        here = table.get_type() == "module" or symbol.is_declared_global()
        if here and (symbol.is_assigned() or symbol.is_imported()):
            return True
    return any(_binds(child, name) for child in table.get_children())


def describe_build(error):
    """One line for `Build module error.`, with Python's message and the line."""
    if isinstance(error, LookupError) and error.__traceback__.tb_next is None:
        return str(error.args[0])
    text = str(error)
    if isinstance(error, SyntaxError):
        return text
    return f"{type(error).__name__}: {text} ({SCRIPT_FILE}, line {_script_line(error)})"


def _script_line(error):
    line = 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == SCRIPT_FILE:
            line = number
    return line


def _in_socket(error):
    return any(frame.f_globals.get("__name__") == "socket"
               for frame, _ in traceback.walk_tb(error.__traceback__))


def describe(error):
    """(line in the script, one-line summary, lines of the traceback)"""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__script__"):
        name = f"{kind.__module__}.{name}"
    text = str(error)
    summary = f"{name}: {text}" if text else name
    if isinstance(error, SystemExit):
        summary += " (the script called sys.exit(); this call ended, the worker goes on)"
    if isinstance(error, PermissionError) and not _network and _in_socket(error):
        summary += ' (the message has no network; "network": true in penstock.json allows it)'
    lines = "".join(traceback.format_exception(kind, error, error.__traceback__)).splitlines()
    return _script_line(error), summary, lines


def from_text(text):
    """What the gateway sends as JSON."""
    return json.loads(text)


class _NotJson(Exception):
    """What cannot be sent, with its place in the object."""


def to_text(value):
    """json.dumps with its defaults, except that NaN and Infinity, which JSON does not know, become
    null, and half characters (lone surrogates), which UTF-8 does not know, are refused."""
    try:
        text = _encode(value)
        if "\\ud" not in text:  # no character that could be half a one
            return text
    except (TypeError, ValueError, RecursionError):
        pass  # what exactly is wrong, and where, is found out below
    try:
        return _encode(_plain(value, "", set()))
    except _NotJson as error:
        what = str(error)
    except RecursionError:
        what = "value: nested too deeply to be sent as JSON"
    raise TypeError(what)


def _plain(value, path, parents):
    """A copy that any encoder takes. Slow, and only for objects the fast way gave up on."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _whole_text(value, path)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return _short_number(value, path)
    if not isinstance(value, (dict, list, tuple)):
        raise _NotJson(f"{path or 'value'}: {type(value).__name__} is not JSON; {_cure(value)}")
    if id(value) in parents:
        raise _NotJson(f"{path or 'value'}: leads back to an object that holds it; "
                       "JSON has no such circles")
    parents.add(id(value))
    if isinstance(value, dict):
        copied = {_plain_key(key, path): _plain(item, _step(path, key), parents)
                  for key, item in value.items()}
    else:
        copied = [_plain(item, f"{path}[{index}]", parents) for index, item in enumerate(value)]
    parents.discard(id(value))
    return copied


def _step(path, key):
    if not isinstance(key, str) or not key.isidentifier():
        return f"{path}[{ascii(key)[:80]}]"
    return f"{path}.{key}" if path else key


def _plain_key(key, path):
    if isinstance(key, str):
        return _whole_text(key, path)
    if isinstance(key, float) and not math.isfinite(key):
        return "NaN" if key != key else "Infinity" if key > 0 else "-Infinity"
    if key is None or isinstance(key, (int, float)):
        return key
    raise _NotJson(f"{path or 'value'}: a key is {type(key).__name__}; keys must be str (int, "
                   "float, bool and None become str)")


def _whole_text(text, path):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _NotJson(f"{path or 'value'}: half a character (lone surrogate) at position "
                       f"{error.start} of the text; it cannot be sent as UTF-8") from None
    return text


def _short_number(number, path):
    try:
        int.__repr__(number)
    except ValueError as error:
        raise _NotJson(f"{path or 'value'}: {error}") from None
    return number


def _cure(value):
    kind = type(value)
    for types_, cure in _CURES:
        if isinstance(value, types_):
            return cure
    if kind.__name__ == "Decimal":
        return "use float() or str()"
    if hasattr(kind, "tolist"):
        return "use .item() for one value, .tolist() for an array"
    if hasattr(kind, "__iter__"):
        return "use list()"
    return "only dict, list, tuple, str, int, float, bool and None are"


_CURES = (
    (datetime.datetime, "use .isoformat() or .timestamp()"),
    ((datetime.date, datetime.time), "use .isoformat()"),
    (datetime.timedelta, "use .total_seconds()"),
    ((set, frozenset), "use sorted() or list()"),
    ((bytes, bytearray, memoryview), "use .decode() or .hex()"),
)


def refuse_text(text):
    """Raises what is wrong with a text that is not UTF-8; the C side has found that it is not."""
    try:
        _whole_text(text, "")
    except _NotJson as error:
        what = str(error)
    raise TypeError(what)


def drain():
    """The C side calls it at the end of a call when something is unfinished."""
    while unfinished:
        unfinished.pop().drain()


class _Entry:
    def __init__(self, status):
        self.raw_data = None
        self.status = status


def entry_template(status):
    """What the C side copies for each value: a dict whose copies share one table of keys, as those
    of the instances of a class do. Such a copy takes half the memory of another dict, and half the
    cache of a script that reads it. CPython leaves room for 30 keys in the first instance, and in
    each further one for one key less."""
    for _ in range(30):
        _Entry(status)
    return _Entry(status).__dict__


_install_logging()
try:
    raise ValueError("warm")  # formatting a traceback loads what it needs
except ValueError as warm_error:
    describe(warm_error)
    from_text(to_text([{"warm": 1.5}]))
gc.collect()
gc.freeze()  # the collector then never writes to the memory the workers share
