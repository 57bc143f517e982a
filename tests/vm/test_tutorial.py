# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/TUTORIAL.md, typed command by command. In what a command is to print, "..." stands for any text, also for several lines."""

import re

import pytest

from driver import lab
from support import lkmctl, wait_idle

TUTORIAL = lab.project() / "docs/TUTORIAL.md"


@pytest.fixture(scope="module", autouse=True)
def installed(machine):
    """As Debian's package leaves it."""
    machine.write("/var/tmp/first-mode.sed", (lab.project() / "debian/first-mode.sed").read_text())
    machine.run("sed -i -f /var/tmp/first-mode.sed /etc/lkmd/lkmd.conf && systemctl reload lkmd")
    wait_idle(machine)


def commands():
    """(command, what it is to print), in their order."""
    for block in re.findall(r"^```console\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.S | re.M):
        for typed in re.split(r"^# ", block, flags=re.M)[1:]:
            command, _, printed = typed.partition("\n")
            yield command, printed


def matches(printed, expected):
    pattern = "".join(".*" if part == "..." else re.escape(part) for part in re.split(r"(\.\.\.)", expected.strip()))
    return re.fullmatch(pattern, printed.strip(), re.S)


def test_it_says_what_happens(machine):
    for command, expected in commands():
        done = machine.run(["/bin/sh", "-c", f"exec 2>&1; {command}"], check=False, timeout=120)
        wait_idle(machine)
        print(f"# {command}\n{done.stdout}")
        assert done.returncode == 0 and matches(done.stdout, expected), f"# {command}\n{done.stdout}\n--- and not\n{expected}"
    assert "default: deny" not in lkmctl(machine, "policy", "show").stdout
