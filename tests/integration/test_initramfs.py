# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd-initramfs: what is in an initramfs, however it is made, and images that nobody could boot."""

import os
import subprocess
from pathlib import Path

import pytest

from initramfs_image import COMPRESSORS, DIRECTORY, FILE, LINK, archive, entry, gzip_bomb
from lkmctl_bench import LKMCTL

PROGRAM = str(Path(LKMCTL).parent / "lkmd-initramfs")
MICROCODE = archive({"kernel/x86/microcode/GenuineIntel.bin": b"\1" * 100_000})
DEBIAN = {"conf/initramfs.conf": "MODULES=most\n", "init": "#!/bin/sh\n", "etc/modprobe.d/a.conf": "blacklist a\n",
          "usr/lib/modprobe.d/b.conf": "options b c=1\n", "etc/lkmd/policy.d/p.yaml": "version: 1\n", "etc/passwd": "root\n"}


def read(tmp_path, data, check=0):
    """The maker and {name: content}; None for a content that is lost, ("link", target) for links. Or the sentence of an error."""
    path = tmp_path / "initrd.img"
    path.write_bytes(data)
    done = subprocess.run([PROGRAM, path], capture_output=True, timeout=300, check=False,
                          env={"LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1"})
    assert done.returncode == check, done
    if check:
        assert done.stdout == b""
        return done.stderr.decode()
    assert done.stderr == b""
    first, rest = done.stdout.split(b"\n", 1)
    files = {}
    while rest != b"end\n":
        head, rest = rest.split(b"\n", 1)
        kind, size, name = head.decode().split(" ", 2)
        content, newline, rest = rest[:int(size)], rest[int(size):int(size) + 1], rest[int(size) + 1:]
        assert newline == b"\n"
        files[name] = {"file": content.decode(), "link": ("link", content.decode()), "lost": None}[kind]
    return first.decode().removeprefix("maker "), files


EXPECTED = {name: content for name, content in DEBIAN.items() if "modprobe.d" in name or "policy.d" in name}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_each_compression(tmp_path, name):
    main = COMPRESSORS[name](archive(DEBIAN))
    assert read(tmp_path, main) == ("initramfs-tools", EXPECTED)
    assert read(tmp_path, MICROCODE + main) == ("initramfs-tools", EXPECTED)
    assert read(tmp_path, MICROCODE + bytes(4096) + archive({"etc/modprobe.d/c.conf": "x"}) + main + (bytes(512) if name != "zstd" else b"")) == \
        ("initramfs-tools", {**EXPECTED, "etc/modprobe.d/c.conf": "x"})


@pytest.mark.parametrize("mark, maker", [("scripts/init-top", "initramfs-tools"), ("usr/lib/dracut", "dracut"), ("lib/dracut", "dracut"),
                                         ("init_functions", "mkinitcpio"), ("something", "unknown")])
def test_who_made_it(tmp_path, mark, maker):
    assert read(tmp_path, archive([(mark, "", DIRECTORY)])) == (maker, {})


def test_what_comes_later_counts(tmp_path):
    """As in the kernel, which unpacks one archive after the other."""
    first, second = archive({"etc/modprobe.d/a.conf": "1", "./etc/modprobe.d/b.conf": "2"}), archive({"/etc/modprobe.d/a.conf": "3"})
    assert read(tmp_path, first + second) == ("unknown", {"etc/modprobe.d/a.conf": "3", "etc/modprobe.d/b.conf": "2"})


def test_links(tmp_path):
    links = archive([("etc/modprobe.d/a.conf", "/usr/lib/modprobe.d/b.conf", LINK), ("etc/modprobe.d/c.conf", "../../../etc/shadow", LINK)])
    assert read(tmp_path, links)[1] == {"etc/modprobe.d/a.conf": ("link", "/usr/lib/modprobe.d/b.conf"),
                                        "etc/modprobe.d/c.conf": ("link", "../../../etc/shadow")}


@pytest.mark.parametrize("order", [["", "", "x"], ["x", "", ""]])
def test_hard_links(tmp_path, order):
    """Only one of them has the content, with cpio the last; its name may be one that nobody asks for."""
    names = ["etc/modprobe.d/a.conf", "etc/modprobe.d/b.conf", "usr/lib/modprobe.d/c.conf"]
    raw = b"".join(entry(n, c, inode=7, links=3) for n, c in zip(names, order))
    assert read(tmp_path, archive(raw=raw))[1] == dict.fromkeys(names, "x")
    raw = entry(names[0], inode=7, links=2) + entry("opt/x", "content", inode=7, links=2)
    assert read(tmp_path, archive(raw=raw))[1] == {names[0]: "content"}
    raw = entry(names[0], inode=7, links=2) + entry("opt/x", "content", inode=8, links=2)
    assert read(tmp_path, archive(raw=raw))[1] == {names[0]: None}
    raw = entry(names[0], inode=7, links=2)     # the same number in another archive is another file
    assert read(tmp_path, archive(raw=raw) + archive(raw=entry("opt/x", "y", inode=7, links=2)))[1] == {names[0]: None}


def test_names_are_escaped(tmp_path):
    assert read(tmp_path, archive([(b"etc/modprobe.d/\x1b[31m\n\xff.conf", b"x", FILE)]))[1] == {"etc/modprobe.d/\\x1b[31m\\x0a\\xff.conf": "x"}
    assert read(tmp_path, archive({"etc/modprobe.d/../../x.conf": "x", "../etc/modprobe.d/y.conf": "x", "etc/modprobe.d/..z.conf": "x"}))[1] == \
        {"etc/modprobe.d/..z.conf": "x"}


@pytest.mark.parametrize("data, words", [
    (b"", "is no initramfs"),
    (bytes(100), "is no initramfs"),
    (b"hello world, this is no image\n" * 10, "is no initramfs"),
    (b"#!/bin/sh\n", "is no initramfs"),
    (archive(DEBIAN)[:1000][:300], "is truncated"),
    (b"070701" + b"zz" * 60, "is no initramfs"),
    (entry("a" * 4096) + entry("TRAILER!!!"), "is no initramfs"),
    (b"070701" + b"0" * 104, "is no initramfs"),
    (COMPRESSORS["gzip"](b"no archive"), "is no initramfs"),
    (COMPRESSORS["gzip"](b"0707"), "is no initramfs"),
    (COMPRESSORS["gzip"](archive(DEBIAN))[:100], "cannot be decompressed"),
    (COMPRESSORS["xz"](archive(DEBIAN))[:100], "cannot be decompressed"),
    (COMPRESSORS["gzip"](archive(DEBIAN)[:300]), "is truncated"),
    (MICROCODE + COMPRESSORS["zstd"](archive(DEBIAN))[:100], "cannot be decompressed"),
    (archive(raw=entry("etc/modprobe.d/a.conf", size=0xffffffff)), "unpacks to more"),
    (archive(raw=entry("x", size=0xffffffff)), "is truncated"),
    (archive({"etc/modprobe.d/a.conf": "x" * (1 << 20) + "y"}), "unpacks to more"),
    (archive({f"etc/modprobe.d/{i}.conf": "" for i in range(4097)}), "unpacks to more"),
])
def test_no_image(tmp_path, data, words):
    assert words in read(tmp_path, data, check=1)


@pytest.mark.parametrize("make", [lambda: archive({f"etc/modprobe.d/{i}.conf": "x" * 1_000_000 for i in range(20)}),
                                  lambda: gzip_bomb(5 << 30)])
def test_a_bomb_ends(tmp_path, make):
    assert "unpacks to more" in read(tmp_path, make(), check=1)


def test_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for argument, words in ((tmp_path, "is no regular file"), (tmp_path / "fifo", "is no regular file"), (tmp_path / "none", "No such file"),
                            ("--help", "Usage")):
        done = subprocess.run([PROGRAM, argument], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and words in done.stderr, done
