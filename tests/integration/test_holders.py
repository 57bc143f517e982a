# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl holders beside a /sys/module that is made up, and what it answers where there is nothing to say. Real holders are for tests/vm."""

import json
import os
import re
import subprocess

import pytest

from lkmctl_bench import LKMCTL

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1",
               "LKMD_SOCKET": "/nowhere"}


@pytest.fixture
def holders(tmp_path):
    """A function that runs lkmctl holders with /sys/module of: a module in use, one that is not, one of the kernel image."""
    for name, count in (("used", 3), ("idle", 0)):
        (tmp_path / name / "holders").mkdir(parents=True)
        (tmp_path / name / "refcnt").write_text(f"{count}\n")
    (tmp_path / "used/holders/a_module_with_quite_a_long_name").mkdir()
    (tmp_path / "used/holders/esc\x1b[31m").mkdir()
    (tmp_path / "image").mkdir()

    def run(*words, status=0, **variables):
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /sys/module && exec "$@"', tmp_path, LKMCTL, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
                              env=ENVIRONMENT | variables)
        assert done.returncode == status, done
        return done
    return run


def test_text(holders):
    said = holders("holders", "used").stdout
    assert said.startswith("used has 3 references, of which 2 can be explained.\n\nHOLDER")
    assert re.search(r"^a_module_with_quite_a_long_name needs it +1 +lkmctl unload a_module_with_quite_a_long_name$", said, re.MULTILINE)
    assert "\x1b" not in said and r"esc\x1b[31m needs it" in said
    assert said.endswith("Who takes and drops references now:\n  lkmctl holders --trace=10s used\n")
    assert holders("holders", "idle").stdout == "idle is not in use.\n"
    assert holders("holders", "--quiet", "used").stdout == ""


def test_json(holders):
    answer = json.loads(holders("--json=short", "holders", "used").stdout)
    assert (answer["module"], answer["references"], answer["explained"]) == ("used", 3, 2)
    assert answer["holders"][0] == {"kind": "module", "name": "a_module_with_quite_a_long_name", "how": "needs it", "references": 1,
                                    "next": "lkmctl unload a_module_with_quite_a_long_name"}


@pytest.mark.parametrize("words, status, said", [
    (["nothing"], 1, "nothing is not loaded"),
    (["image"], 1, "image is part of the kernel image"),
    (["../module"], 5, "no module can have such a name"),
    (["x" * 300], 5, "no module can have such a name"),
    ([], 2, "something is missing"),
    (["a", "b"], 2, "too many arguments"),
    (["--trace=soon", "used"], 2, "a time such as 10s"),
    (["--trace=0", "used"], 2, "a time such as 10s"),
    (["--trace=1h", "nothing"], 1, "nothing is not loaded"),
])
def test_errors(holders, words, status, said):
    done = holders("holders", *words, status=status)
    assert said in done.stderr and done.stdout == ""
    error = json.loads(holders("--json=short", "holders", *words, status=status).stdout)
    assert said in error["message"]
