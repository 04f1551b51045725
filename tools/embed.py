#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes files as C byte arrays: embed.py OUT.c NAME=FILE ...

Each NAME becomes `const char NAME[]` and `const size_t NAME_size`. JSON files are written without
white space, so that the binary carries no indentation.
"""

import json
import sys
from pathlib import Path


def array(name: str, data: bytes) -> str:
    rows = [data[i : i + 16] for i in range(0, len(data), 16)]
    body = "\n".join("    " + ", ".join(f"0x{b:02x}" for b in row) + "," for row in rows)
    return (
        f"extern const char {name}[];\nextern const size_t {name}_size;\n"
        f"const char {name}[] = {{\n{body}\n    0}};\nconst size_t {name}_size = {len(data)};\n"
    )


def main() -> None:
    out = ["/* Made by tools/embed.py */", "#include <stddef.h>"]
    for pair in sys.argv[2:]:
        name, _, file = pair.partition("=")
        data = Path(file).read_bytes()
        if file.endswith(".json"):
            data = json.dumps(json.loads(data), separators=(",", ":")).encode()
        out.append(array(name, data))
    Path(sys.argv[1]).write_text("\n".join(out) + "\n")


main()
