# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lists that are shipped: each module they name is one of Debian's kernel, or known to be one of other kernels."""

import os
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LISTS = sorted((PROJECT / "conf/lists").glob("*.yaml"))

OTHER_KERNELS = {
    # not built by Debian, but by other distributions
    "af_802154", "caif", "caif_socket", "chnl_net", "cramfs", "x25",
    # of older kernels that are still supported somewhere: until 6.0, 4.17, 3.4, and 802.3 frames that only IPX had
    "decnet", "ipx", "econet", "p8023",
    # the FireWire drivers before Linux 2.6.37
    "dv1394", "eth1394", "ieee1394", "ohci1394", "raw1394", "sbp2", "video1394",
}


def modules_of(path):
    """All names that a list denies, in its order."""
    return [name.strip() for names in re.findall(r"module: \[([^]]*)\]", path.read_text(encoding="utf-8"))
            for name in names.split(",")]


@pytest.fixture(scope="module")
def debian():
    """The names of all modules of Debian's kernel: that of the virtual machines, or this machine's."""
    roots = [Path(os.environ[name]) for name in ("LKMD_GUEST_ROOT",) if name in os.environ] + [Path("/")]
    for root in roots:
        for dependencies in sorted(root.glob("lib/modules/*/modules.dep")):
            if dependencies.stat().st_size > 200_000:
                lines = dependencies.read_text(encoding="utf-8").splitlines()
                return {Path(line.split(":")[0]).name.split(".")[0].replace("-", "_") for line in lines}
    pytest.skip("no Debian kernel here (LKMD_GUEST_ROOT)")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_modules_exist(path, debian):
    names = modules_of(path)
    assert len(names) > 5
    assert [name for name in names if name not in debian and name not in OTHER_KERNELS] == []


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_names_are_the_kernels(path):
    """With underscores, each once, one rule a line as modules_of() expects it."""
    text = path.read_text(encoding="utf-8")
    names = modules_of(path)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
    assert len(names) == len(set(names))
    assert text.count("  - id: ") == text.count("module: [") == text.count("source: ")


def test_no_exception_is_left_over(debian):
    named = {name for path in LISTS for name in modules_of(path)}
    assert OTHER_KERNELS <= named
    assert not OTHER_KERNELS & debian


def test_all_are_installed():
    build = (PROJECT / "conf/meson.build").read_text(encoding="utf-8")
    assert sorted(re.findall(r"lists/([a-z-]+\.yaml)", build)) == [path.name for path in LISTS]
