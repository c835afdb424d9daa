"""OPC UA peers not written by us: node-opcua's server and client, as processes of their own."""
import json
import os
import subprocess

import node_modules
from harness import free_port, wait_for

URI = "urn:penstock:foreign"


class Server:
    """node-opcua's server; may be killed and started again with the same keys and port."""

    def __init__(self, folder):
        self.folder = folder / "foreign"
        self.folder.mkdir()
        self.port = free_port()
        self.program = None
        node_modules.install()
        self.start()

    def start(self):
        self.program = node_modules.program(
            [node_modules.HERE / "opcua_server.mjs", self.folder, self.port], "node-opcua")
        self.program.wait_line('"ready":true', timeout=120)

    def ask(self, line):
        count = len(self.program.lines)
        self.program.send(line)

        def answer():  # the library speaks on the same stream now and then
            for text in self.program.lines[count:]:
                try:
                    return [json.loads(text)]
                except ValueError:
                    continue
            return None
        result = wait_for(answer, f"node-opcua to answer '{line}'")[0]
        assert not (isinstance(result, dict) and "error" in result), result
        return result

    def kill(self):
        self.program.kill()
        self.program = None

    def stop(self):
        if self.program is not None:
            self.program.stop()
            self.program = None


def client(folder, port, **order):
    """What one run of node-opcua's client brought."""
    node_modules.install()
    env = {key: value for key, value in os.environ.items() if not key.endswith("SAN_OPTIONS")}
    result = subprocess.run(
        ["node", str(node_modules.HERE / "opcua_client.mjs"), str(folder),
         f"opc.tcp://127.0.0.1:{port}", json.dumps(order)],
        capture_output=True, text=True, timeout=120, env=env)
    lines = [line for line in result.stdout.splitlines() if line.startswith("OUT ")]
    assert lines, result.stdout[-3000:] + result.stderr[-3000:]
    return json.loads(lines[0][4:])
