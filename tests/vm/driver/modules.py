# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel modules of the tests (tests/vm/modules), built for the guest's kernel and kept in build/ with the indexes
that depmod makes of them and the kernel's own."""

import fcntl
import functools
import hashlib
import shutil
from pathlib import Path

from . import lab
from .errors import LabError


@functools.cache
def built():
    """The directory with the modules' files() and, below indexes/, the modules.* files of a guest that has them in extra/."""
    source = Path(__file__).resolve().parents[1] / "modules"
    files = sorted(path for path in source.iterdir() if path.suffix in (".c", ".h") or path.name == "Kbuild")
    digest = hashlib.sha256(str(lab.guest_root()).encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    cache = lab.project() / "build/vm-modules"
    cache.mkdir(parents=True, exist_ok=True)
    done = cache / digest.hexdigest()[:16]
    with open(cache / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_dir():
            making = cache / "making"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            for path in files:
                shutil.copy(path, making)
            build(making)
            making.rename(done)
    return done


def files(directory):
    """The modules in a directory, one of which is compressed."""
    return sorted([*directory.glob("lkmd_*.ko"), *directory.glob("lkmd_*.ko.zst")])


def build(directory):
    release = lab.kernel_version()
    headers = Path(f"/usr/src/linux-headers-{release}")
    if not headers.is_dir():
        raise LabError(f"the build root has no headers of the guest's kernel {release}: ./dev clean --lab, and again")
    lab.tool(["make", "-C", headers, f"M={directory}", "-j2", "modules"])

    lab.tool(["zstd", "--quiet", "--rm", directory / "lkmd_test_zst.ko"])

    disk = lab.Disk(lkmd=False)
    try:
        extra = disk.root / f"usr/lib/modules/{release}/extra"
        extra.mkdir()
        for module in files(directory):
            shutil.copy(module, extra)
        lab.tool(["depmod", "-b", disk.root, "-o", directory / "depmod", release])
    finally:
        disk.remove()
    (directory / f"depmod/lib/modules/{release}").rename(directory / "indexes")
    shutil.rmtree(directory / "depmod")
