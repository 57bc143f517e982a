# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes initramfs images as they are on machines: cpio archives behind each other, the last one compressed."""

import bz2
import gzip
import lzma
import struct
import subprocess

FILE, LINK, DIRECTORY = 0o100644, 0o120777, 0o040755


def entry(name, content=b"", mode=FILE, inode=1, links=1, size=None):
    """One entry of the format newc."""
    name = name.encode() if isinstance(name, str) else name
    content = content.encode() if isinstance(content, str) else content
    fields = [inode, mode, 0, 0, links, 0, len(content) if size is None else size, 8, 1, 0, 0, len(name) + 1, 0]
    data = b"070701" + b"".join(b"%08X" % f for f in fields) + name + b"\0"
    data += b"\0" * (-len(data) % 4) + content
    return data + b"\0" * (-len(data) % 4)


def archive(files=(), raw=b""):
    """@files: {name: content}, or [(name, content, mode)]; @raw: entries in front."""
    items = [(*f, FILE)[:3] for f in (files.items() if isinstance(files, dict) else files)]
    data = raw + b"".join(entry(name, content, mode, inode=2 + i) for i, (name, content, mode) in enumerate(items)) + entry("TRAILER!!!")
    return data + b"\0" * (-len(data) % 512)


def lz4_legacy(data):
    """As lz4 -l: blocks of one sequence, which is literals."""
    out = struct.pack("<I", 0x184C2102)
    for at in range(0, len(data), 1 << 20):
        part = data[at:at + (1 << 20)]
        length = len(part)
        block = bytes([min(length, 15) << 4])
        if length >= 15:
            block += b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])
        block += part
        out += struct.pack("<I", len(block)) + block
    return out


def zstd(data):
    return subprocess.run(["zstd", "-q", "-19"], input=data, capture_output=True, check=True).stdout


def gzip_(data):
    """Without the time, which would give a test another name in each process that collects it."""
    return gzip.compress(data, mtime=0)


COMPRESSORS = {"none": bytes, "gzip": gzip_, "xz": lambda d: lzma.compress(d, check=lzma.CHECK_CRC32), "zstd": zstd, "lz4": lz4_legacy,
               "bzip2": bz2.compress, "lzma": lambda d: lzma.compress(d, format=lzma.FORMAT_ALONE)}


def gzip_bomb(size):
    """This many zeros, a thousand times smaller."""
    return gzip_(bytes(64 << 20)) * (size >> 26)
