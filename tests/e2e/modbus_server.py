"""A Modbus TCP server that this project did not write (pymodbus), driven by lines.

Run as a program: prints one line of JSON {"port": N} when it listens on 127.0.0.1, then obeys lines
on standard input and answers each with one line of JSON:

    set TABLE OFFSET VALUE...     tables: coil discrete input holding
    get TABLE OFFSET COUNT
    holes OFFSET...               holding registers that do not exist: exception 2
    most N                        registers given in one request: exception 2 to more
    asked                         requests for holding registers so far, and how many of them were refused

With the path of a terminal instead of a port it is slave 1 to 3 of RTU there, all with the same tables.
Over TCP it first asks itself whether offset N is served at protocol address N, and ends with the
reason when not. Works with the pymodbus of Debian 12 (3.0) and Debian 13 (3.8), whose interfaces
differ.
"""
import asyncio
import json
import struct
import sys

from pymodbus.datastore import (ModbusSequentialDataBlock, ModbusServerContext,
                                ModbusSlaveContext)
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

try:
    from pymodbus.framer import FramerType
    RTU = FramerType.RTU
except ImportError:  # 3.0
    from pymodbus.transaction import ModbusRtuFramer as RTU

# Function codes of reading, Modbus Application Protocol V1.1b3, sections 6.1 to 6.4.
CODES = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
SIZE = 65537


class Context(ModbusSlaveContext):
    """Tables with holes, of which so much can be had at a time."""
    holes = frozenset()
    most = 125
    asked = refused = 0

    def validate(self, fc_as_hex, address, count=1):
        if fc_as_hex == CODES["holding"]:
            self.asked += 1
            if count > self.most or any(address <= hole < address + count for hole in self.holes):
                self.refused += 1
                return False
        return super().validate(fc_as_hex, address, count)


def make_context():
    blocks = {name: ModbusSequentialDataBlock(0, [0] * SIZE) for name in ("di", "co", "ir", "hr")}
    return Context(**blocks)


def obey(context, line):
    words = line.split()
    if words[0] == "holes":
        context.holes = frozenset(map(int, words[1:]))
        return "ok"
    if words[0] == "most":
        context.most = int(words[1])
        return "ok"
    if words[0] == "asked":
        return [context.asked, context.refused]
    code = CODES[words[1]]
    offset = int(words[2])
    if words[0] == "set":
        context.setValues(code, offset, [int(word) for word in words[3:]])
        return "ok"
    return [int(value) for value in context.getValues(code, offset, int(words[3]))]


async def obey_lines(context):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(obey(context, line.decode())), flush=True)


async def read_from_outside(reader, writer, code, offset):
    """The 16 bits at a protocol address as a client sees them, without any pymodbus on this side."""
    writer.write(struct.pack(">HHHBBHH", 1, 0, 6, 1, code, offset, 16 if code < 3 else 1))
    length = struct.unpack(">HHHB", await reader.readexactly(7))[2]
    body = await reader.readexactly(length - 1)
    if body[0] != code or len(body) != 4:
        raise SystemExit(f"pymodbus answered a request for offset {offset} with {body.hex()}")
    return struct.unpack("<H" if code < 3 else ">H", body[2:])[0]


async def check_offsets(context, port):
    """Ends the program when this pymodbus serves a block one off, or with the bits in another order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for code in CODES.values():
        width = 16 if code < 3 else 1
        for offset in (0, 7, 65536 - width):
            marks = [int(bit) for bit in "1100101000000001"] if code < 3 else [0x8053 + code]
            expected = sum(bit << i for i, bit in enumerate(marks)) if code < 3 else marks[0]
            context.setValues(code, offset, marks)
            seen = await asyncio.wait_for(read_from_outside(reader, writer, code, offset), 10)
            if seen != expected:
                raise SystemExit(f"this pymodbus does not serve offset {offset} of table {code} "
                                 f"at that address: {seen:#x} instead of {expected:#x}")
            context.setValues(code, offset, [0] * width)
    writer.close()


async def serve_line(path):
    context = make_context()
    server = asyncio.ensure_future(StartAsyncSerialServer(
        context=ModbusServerContext(slaves={n: context for n in (1, 2, 3)}, single=False),
        framer=RTU, port=path, baudrate=115200))
    await asyncio.wait([server], timeout=0.5)  # it says nothing when it is ready, but when it fails
    if server.done():
        await server
    print(json.dumps({"port": path}), flush=True)
    await obey_lines(context)
    server.cancel()


async def main():
    if sys.argv[1].startswith("/"):
        return await serve_line(sys.argv[1])
    port = int(sys.argv[1])
    context = make_context()
    server = asyncio.ensure_future(StartAsyncTcpServer(
        context=ModbusServerContext(slaves=context, single=True), address=("127.0.0.1", port)))
    for _ in range(200):
        try:
            await check_offsets(context, port)
            break
        except ConnectionRefusedError:  # does not listen yet
            await asyncio.sleep(0.05)
    else:
        raise SystemExit(f"pymodbus does not listen on port {port}")
    print(json.dumps({"port": port}), flush=True)
    await obey_lines(context)  # ends with its standard input
    server.cancel()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        pass
