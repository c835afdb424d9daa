"""All Modbus tables, types and byte orders against pymodbus: what a script sees, what is written."""
import struct

import pytest

from harness import Gateway, group, modbus_device, variable, wait_for


def words(fmt, value):
    """Registers, most significant word first, of a big-endian struct format."""
    raw = struct.pack(">" + fmt, value)
    return [int.from_bytes(raw[i:i + 2], "big") for i in range(0, len(raw), 2)]


def swap(word):
    return (word & 0xFF) << 8 | word >> 8


ORDERS = {
    "abcd": lambda regs: regs,
    "badc": lambda regs: [swap(reg) for reg in regs],
    "cdab": lambda regs: regs[::-1],
    "dcba": lambda regs: [swap(reg) for reg in regs[::-1]],
}

# name, data type, struct format, value in the device, value a script sees
TYPES = [
    ("word", "WORD", "H", 65535, 65535),
    ("int", "INT", "h", -2, -2),
    ("dword", "DWORD", "I", 4000000000, 4000000000),
    ("dint", "DINT", "i", -123456, -123456),
    ("float", "FLOAT", "f", 528.5625, 528.56),
    ("double", "DOUBLE", "d", -0.125, -0.13),
    ("long", "LONG", "q", -(2**62), -(2**62)),
    ("ulong", "ULONG", "Q", 2**63 - 1, 2**63 - 1),
]


def all_good(gateway, count):
    tags = gateway.tags()
    good = [row for row in tags.values() if row["status"] == 1]
    return tags if len(good) == count else None


@pytest.mark.parametrize("order", ORDERS)
def test_registers_of_every_type_and_order(folder, modbus, cleanup, order):
    rows, offset = [], 0
    for table, base in (("holding", 40001), ("input", 30001)):
        offset = 10
        for name, data_type, fmt, raw, _ in TYPES:
            registers = words(fmt, raw)
            modbus.set(table, offset,
                       *(ORDERS[order](registers) if len(registers) > 1 else registers))
            rows.append(variable(f"{table}_{name}", "D", data_type, base + offset))
            offset += len(registers) + 3
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port, byte_order=order)], "vars": rows,
        "groups": [group()]}))
    tags = wait_for(lambda: all_good(gateway, len(rows)), "all values good")
    for table in ("holding", "input"):
        for name, _, _, _, seen in TYPES:
            assert tags["D", f"{table}_{name}"]["value"] == seen, (table, name)


def test_bits_strings_bcd_and_the_ends_of_the_address_ranges(folder, modbus, cleanup):
    modbus.set("coil", 0, 1, 0)
    modbus.set("coil", 9999, 1)
    modbus.set("discrete", 0, 0, 1)
    modbus.set("discrete", 10000, 1)
    modbus.set("discrete", 65534, 1)
    modbus.set("holding", 2, 0b1000000000000010)
    modbus.set("holding", 10000, 7)
    modbus.set("holding", 65534, 8)
    modbus.set("input", 9999, 9)
    modbus.set("input", 65534, 10)
    modbus.set("holding", 100, *words("4s", b"Pump"), 0, 0x4141)
    modbus.set("holding", 110, 0x1234, 0x1234, 0x5678)
    rows = [
        variable("c1", "D", "BOOL", 1), variable("c2", "D", "BIT", 2),
        variable("c10000", "D", "BIT", 10000), variable("d1", "D", "BOOL", 10001),
        variable("d2", "D", "BOOL", 10002), variable("d10001", "D", "BIT", 110001),
        variable("dlast", "D", "BIT", 165535),
        variable("b1", "D", "BIT", 40003, register_bit=1),
        variable("b15", "D", "BOOL", 40003, register_bit=15),
        variable("b2", "D", "BOOL", 40003, register_bit=2),
        variable("h10001", "D", "WORD", 410001), variable("hlast", "D", "WORD", 465535),
        variable("i10000", "D", "WORD", 40000), variable("ilast", "D", "WORD", 365535),
        variable("text", "D", "STRING", 40101, size=8),
        variable("bcd", "D", "BCD", 40111), variable("bcd32", "D", "BCD32", 40112),
    ]
    gateway = cleanup(Gateway(folder, {"devices": [modbus_device("D", modbus.port)], "vars": rows,
                                       "groups": [group()]}))
    tags = wait_for(lambda: all_good(gateway, len(rows)), "all values good")
    seen = {name: row["value"] for (_, name), row in tags.items()}
    assert seen == {
        "c1": True, "c2": 0, "c10000": 1, "d1": False, "d2": True, "d10001": 1, "dlast": 1,
        "b1": 1, "b15": True, "b2": False, "h10001": 7, "hlast": 8, "i10000": 9, "ilast": 10,
        "text": "Pump", "bcd": 1234, "bcd32": 12345678}
    assert seen["c1"] is True and seen["c2"] is not False


def test_writes_arrive_in_the_device_and_are_read_back(folder, modbus, cleanup):
    rows = [variable(name, "D", data_type, address, read_write="read/write", **more)
            for name, data_type, address, more in [
                ("coil", "BOOL", 5, {}), ("word", "WORD", 40001, {}), ("int", "INT", 40002, {}),
                ("float", "FLOAT", 40003, {"float_repr": 3}), ("bit", "BIT", 40010,
                                                               {"register_bit": 3}),
                ("text", "STRING", 40020, {"size": 6})]]
    rows.append(variable("fixed", "D", "WORD", 40030))
    rows.append(variable("blind", "D", "WORD", 40031, read_write="write"))
    modbus.set("holding", 9, 0xF000)
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port, byte_order="cdab")], "vars": rows,
        "groups": [group(polling=1, upload=1)]}))
    wait_for(lambda: all_good(gateway, len(rows) - 1), "all values good")
    assert "is now true" in gateway.cli("write", "D", "coil", "1").stdout
    assert modbus.get("coil", 4) == [1]
    assert "is now 65535" in gateway.cli("write", "D", "word", "65535").stdout
    assert modbus.get("holding", 0) == [65535]
    assert "is now -5" in gateway.cli("write", "D", "int", "-5").stdout
    assert "is now 12.625" in gateway.cli("write", "D", "float", "12.625").stdout
    assert modbus.get("holding", 2, 2) == words("f", 12.625)[::-1]
    gateway.cli("write", "D", "bit", "1")
    assert modbus.get("holding", 9) == [0xF008], "the other bits of the register stay"
    assert "is now Motor" in gateway.cli("write", "D", "text", "Motor").stdout
    assert modbus.get("holding", 19, 3) == [0x4D6F, 0x746F, 0x7200]
    gateway.cli("write", "D", "blind", "4")
    assert modbus.get("holding", 30) == [4]
    for name, value, reason in [("word", "65536", "0 to 65535"), ("word", "-1", "0 to 65535"),
                                ("word", "x", "word"), ("fixed", "1", "fixed"),
                                ("text", "too long for it", "6"), ("none", "1", "none")]:
        refused = gateway.cli("write", "D", name, value, check=False)
        assert refused.returncode == 1, (name, value)
        assert reason in refused.stderr, refused.stderr
    assert modbus.get("holding", 0) == [65535]
