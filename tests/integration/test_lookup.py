# SPDX-License-Identifier: LGPL-2.1-or-later
"""Look-ups beside libkmod's, in one process: every alias of Debian's kernel, modaliases of real machines, random indexes."""

import os
import re
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("LKMD_BUILD", "build/asan"))
CORPUS = Path(os.environ.get("LKMD_CORPUS", "../shared/corpus"))


def compare(*words):
    """Run diff-lookup; how many keys were asked, how many of them led to something."""
    done = subprocess.run([BUILD / "tests/integration/diff-lookup", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    keys, found, different = re.search(r"(\d+) keys, (\d+) found, \d+ modules, (\d+) different", done.stdout).groups()
    assert different == "0"
    return int(keys), int(found)


@pytest.fixture(scope="module")
def debian():
    """The module directory of Debian's kernel: that of the virtual machines, or this machine's."""
    roots = [Path(os.environ[name]) for name in ("LKMD_GUEST_ROOT",) if name in os.environ] + [Path("/")]
    for root in roots:
        for directory in sorted(root.glob("lib/modules/*")):
            if (directory / "modules.alias.bin").exists() and (directory / "modules.alias.bin").stat().st_size > 500_000:
                return directory
    pytest.skip("no Debian kernel here (LKMD_GUEST_ROOT)")


def test_every_pattern_and_fuzzed_keys(debian):
    keys, found = compare("tree", debian)
    assert keys > 27_000 * 2 + 100_000
    assert found > 27_000 * 2


def test_real_machines(debian):
    files = sorted(CORPUS.glob("*.txt"))
    if not files:
        pytest.skip("no modaliases of real machines here (LKMD_CORPUS)")
    compare("tree", debian, *files)


def test_random_indexes(tmp_path):
    directory = tmp_path / "lib/modules/1.0.0-random"
    directory.mkdir(parents=True)
    keys, found = compare("random", directory)
    assert found > keys / 4
