#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Writes what fuzz-module-info starts from into corpus/module-info: the smallest ELF files with a .modinfo."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus" / "module-info"

USUAL = [
    b"license=GPL", b"description=a module", b"alias=pci:v*", b"depends=b,c", b"intree=Y", b"name=a",
    b"parmtype=max:int", b"parm=max:how many", b"parmtype=names:array of charp", b"vermagic=6.1 SMP",
]


def elf(modinfo, bits=64):
    """An object with the sections "", .modinfo and .shstrtab."""
    names = b"\0.modinfo\0.shstrtab\0"
    word = "Q" if bits == 64 else "I"
    head = struct.calcsize(f"<16sHHI{word * 3}IHHHHHH")
    sections = [(0, 0, b""), (1, 1, modinfo), (10, 3, names)]
    data, table = b"", b""
    for name, kind, content in sections:
        offset = head + len(data) if content else 0
        table += struct.pack(f"<II{word * 4}II{word * 2}", name, kind, 0, 0, offset, len(content), 0, 0, 1, 0)
        data += content
    entry = len(table) // len(sections)
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    return struct.pack(
        f"<16sHHI{word * 3}IHHHHHH", ident, 1, 62 if bits == 64 else 3, 1, 0, 0, head + len(data), 0, head, 0, 0,
        entry, len(sections), 2,
    ) + data + table


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    strings = b"\0".join(USUAL) + b"\0"
    seeds = {
        "elf64": elf(strings),
        "elf32": elf(strings, bits=32),
        "no-end": elf(strings[:-1]),
        "no-value": elf(b"license\0=GPL\0parm=\0parmtype=:\0\0\0"),
        "empty": elf(b""),
        "signed": elf(strings) + b"sig" * 4 + struct.pack(">BBBBB3xI", 0, 0, 2, 0, 0, 12)
        + b"~Module signature appended~\n",
        "text": b"this is no module\n",
    }
    for name, data in seeds.items():
        (CORPUS / name).write_bytes(data)


if __name__ == "__main__":
    main()
