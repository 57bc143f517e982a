# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shell offers while a line is typed."""

import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("line, expected", [
    ("lkmctl sta", {"status"}),
    ("lkmctl help re", {"reload", "resolve"}),
    ("lkmctl plan --roo", {"--root="}),
    ("lkmctl diff-modprobe --a", {"--all"}),
    ("lkmctl plan --hos", set()),
    ("lkmctl --qui", {"--quiet"}),
    ("lkmctl wait --id", {"--idle"}),
    ("lkmctl list --id", set()),
    ("lkmctl metr", {"metrics"}),
    ("lkmctl metrics --out", {"--output="}),
    ("lkmctl wait --dev", {"--device="}),
    ("lkmctl wait --device = /sys/devi", {"/sys/devices"}),
    ("lkmctl --json = sh", {"short"}),
    ("lkmctl -H box lo", {"load"}),
    ("lkmctl policy pr", {"propose", "preview"}),
    ("lkmctl policy allow --unt", {"--until-reboot"}),
    ("lkmctl policy lint --roo", {"--root="}),
    ("lkmctl policy show --roo", set()),
    ("lkmctl help policy li", {"lint"}),
    ("lkmctl explain --origin = ke", {"kernel"}),
    ("lkmctl explain --policy = x --ui", {"--uid="}),
])
def test_completion_of_bash(line, expected):
    words = line.split(" ")
    script = (f'source "{PROJECT}/completion/bash/lkmctl"; compopt() {{ :; }}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lkmctl;'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert set(done.stdout.split()) == expected
