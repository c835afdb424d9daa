#!/usr/bin/env python3
"""Build step: a text file as a C array. embed.py INPUT OUTPUT NAME"""
import sys

source, target, name = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read() + b"\0"
rows = [", ".join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
with open(target, "w", encoding="ascii") as file:
    file.write(f"#include \"script/worker/prelude.h\"\n\nconst char {name}[] = {{\n    ")
    file.write(",\n    ".join(rows))
    file.write("\n};\n")
