"""The yardstick for scripts: a bare CPython that holds the dict already, calls the same function and
json.dumps its result.

    bare_script.py SCRIPT VARIABLES KIND CALLS           CALLS in a row; prints CPU seconds per call
    bare_script.py SCRIPT VARIABLES KIND every SECONDS   one call each SECONDS until it is ended

KIND is words or floats."""
import json
import logging
import sys
import time

logging.disable(logging.CRITICAL)
WARM_UP = 20


def main():
    script, variables, kind, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    values = [round(n * 1.37, 2) if kind == "floats" else n for n in range(variables)]
    namespace = {}
    with open(script, encoding="utf-8") as source:
        exec(compile(source.read(), "<string>", "exec"), namespace)
    function = namespace["main"]
    data = {"timestamp": time.time(), "group_name": "default", "values": {
        "Plant": {f"value_{n:05d}": {"raw_data": values[n], "status": 1} for n in range(variables)}}}
    for _ in range(WARM_UP):
        json.dumps(function(data, None))
    if mode != "every":
        start = time.process_time()
        for _ in range(int(mode)):
            json.dumps(function(data, None))
        print((time.process_time() - start) / int(mode))
        return
    interval = float(sys.argv[5])
    due = time.monotonic()
    print("ready", flush=True)
    while True:
        json.dumps(function(data, None))
        due += interval
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
