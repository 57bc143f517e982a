# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of the manual pages and of README.md: each block, with what it is. What only a machine can run is listed here, and run by tests/vm."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((PROJECT / "man").glob("*.scd")), PROJECT / "README.md"]
PROGRAMS = ("lkmctl", "systemctl", "journalctl", "varlinkctl", "sysctl", "$EDITOR", "/usr/lib/lkmd/lkmd-divert", "apt", "meson", "./dev",
            "systemd-sysusers")

# Commands that act on a machine: tests/vm/test_examples.py runs them, or the test that is named does.
ON_A_MACHINE = {
    "varlinkctl introspect /run/lkmd/io.lkmd.Manager": "",
    "systemctl enable --now lkmd-metrics.timer": "",
    "sysctl kernel.modprobe=/sbin/modprobe": "",
    "/usr/lib/lkmd/lkmd-divert on": "",
    "/usr/lib/lkmd/lkmd-divert status": "",
    "/usr/lib/lkmd/lkmd-divert off": "",
    "journalctl -u lkmd LKMD_MODULE=e1000e": "",
    "journalctl -u lkmd LKMD_ORIGIN=client": "",
    "journalctl -u lkmd LKMD_ORIGIN=kernel LKMD_REQUESTER_UID=65534": "",
    "systemctl --user enable --now lkmd-notify.service": "",
    "./dev demo": "tests/vm/demo.py",
    "./dev test": "tests/lab/run_tests.py",
    "./dev package deb": "tests/vm/test_package.py",
    "apt install ./lkmd_*.deb": "tests/vm/test_package.py",
    "apt install ./build/package/deb/lkmd_*.deb": "tests/vm/test_package.py",
    "apt install meson gcc": "tests/lab/build-root.packages",
    "meson setup build --prefix=/usr --buildtype=release": "tests/lab/build",
    "meson compile -C build": "tests/lab/build",
    "meson install -C build": "tests/lab/build",
    "systemd-sysusers && systemd-tmpfiles --create lkmd.conf": "tests/vm/test_units.py",
    "systemctl daemon-reload && systemctl enable --now lkmd": "tests/vm/test_units.py",
}


class Example:
    def __init__(self, page, line, text, before):
        self.page, self.line, self.text = page, line, text
        self.before = before            # the last line of text above it

    def __repr__(self):
        return f"{self.page}:{self.line}"

    def commands(self):
        """What is typed: lines behind a prompt, or all of them if there is none."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        typed = [line[2:] for line in lines if re.match(r"[#$] ", line)] or lines
        return [re.sub(r"\s{2,}# .*", "", line).strip() for line in typed]

    def kind(self):
        if self.before.startswith("![A terminal"):
            return "session"            # tests/vm/test_show.py types it
        first = self.text.lstrip().splitlines()[0]
        if first.startswith("version:"):
            return "policy"
        if first.startswith("- id:"):
            return "rule"
        if first == "[Manager]":
            return "settings"
        if first.startswith("# systemctl edit ") or first == "[Unit]":
            return "unit"
        if all(command.split()[0] in PROGRAMS for command in self.commands()):
            return "commands"
        return "other"


def blocks(path):
    """Those between ```, and single lines that are indented by a tab and begin with a program."""
    lines = path.read_text(encoding="utf-8").splitlines()
    block, before, start = None, "", 0
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if block is None:
                block, start = [], number
            else:
                yield Example(path.name, start, "\n".join(block) + "\n", before)
                block = None
        elif block is not None:
            block.append(line)
        elif re.match(r"\t[#$]? ?(%s) " % "|".join(map(re.escape, PROGRAMS)), line) and not lines[number - 2].strip() and not lines[number].strip():
            text = line.strip() if path.suffix != ".scd" else re.sub(r"\\(.)", r"\1", line.strip())
            yield Example(path.name, number, text + "\n", before)
        elif line.strip():
            before = line


def all_examples():
    return [example for page in PAGES for example in blocks(page)]


def listed(command):
    """The entry of the table for a command, which may go on."""
    return next((key for key in ON_A_MACHINE if command.startswith(key)), None)
