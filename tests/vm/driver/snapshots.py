# SPDX-License-Identifier: LGPL-2.1-or-later
"""Snapshots: a machine as it is when its start-up has settled, kept in the laboratory, so that the next ones go on from there.

A snapshot is a directory: what the machine had written to its disk (upper), lkmd as it was installed there (tree), the state of
QEMU and virtiofsd with the guest's memory (state), and what the console had said. Its name is a digest of everything that
the machine is made of: if something changes, it is another snapshot. A machine that was restored has an overlay of its own
over the snapshot's disk.

Who makes or uses a snapshot has a lock on its directory, exclusive or shared, as ./dev has one on a root."""

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import stat
import time
from pathlib import Path

from . import devices as device_sets
from . import lab
from .errors import LabError

KEPT = 6                                # as many as were used last; a plain one takes some 300 MB
POLL = 0.1


class Snapshot:
    """One that was made, locked against its removal until close()."""

    def __init__(self, path, lock):
        self.path = path
        self.upper = path / "upper"
        self.tree = path / "tree" if (path / "tree").is_dir() else None
        self.state = path / "state"
        self.console = path / "console"
        self._lock = lock

    def close(self):
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def discard(self):
        """Never use it again: it is made once more."""
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(self.path.with_name(f"making-bad-{os.urandom(4).hex()}"))      # ./dev sweeps it up


def identity(path):
    """What tells this file or directory from one that took its place."""
    found = os.stat(path)
    return f"{path} {found.st_ino} {found.st_size} {found.st_mtime_ns}"


def digest_of_tree(digest, tree):
    for path in sorted(tree.rglob("*")):
        mode = path.lstat().st_mode
        digest.update(f"{path.relative_to(tree)} {mode:o}\0".encode())
        if stat.S_ISLNK(mode):
            digest.update(os.readlink(path).encode())
        elif stat.S_ISREG(mode):
            digest.update(hashlib.sha256(path.read_bytes()).digest())


@functools.cache
def key(devices, lkmd):
    """The digest of all that the machine is made of, as it was when this process asked first."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    root = lab.guest_root()
    facts = [identity(path) for path in (root, root / "etc", root / "usr/lib/modules", lab.QEMU, lab.VIRTIOFSD)]
    facts += [*lab.accelerator(), *lab.kernel_words(), *device_sets.SETS[devices](), str(lkmd), str(lkmd and lab.sanitized())]
    if "kvm" in lab.accelerator():
        facts.append(lab.processor())
    digest.update("\0".join(facts).encode())
    if lkmd:
        digest_of_tree(digest, lab.lkmd_tree())
    return digest.hexdigest()[:20]


def locked(path, how):
    """A lock on the directory at this path, or None if somebody has one that excludes it, or there is no such directory."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(path)):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)                      # the directory was moved or removed before it was locked, or is in use
    return None


def snapshot(devices, lkmd):
    """The Snapshot of such a machine, made if there is none; waits while somebody else is making it."""
    name = key(devices, lkmd)
    path, making = lab.laboratory() / f"snapshot-{name}", lab.laboratory() / f"making-snapshot-{name}"
    while True:
        lock = locked(path, fcntl.LOCK_SH)
        if lock is not None:
            os.utime(path)
            return Snapshot(path, lock)
        making.mkdir(mode=0o755, exist_ok=True)
        lock = locked(making, fcntl.LOCK_EX)
        if lock is not None:
            try:
                if not path.exists():   # nobody else is making it, or has just made it
                    make(making, devices, lkmd)
                    making.rename(path)
                    fcntl.flock(lock, fcntl.LOCK_SH)
                    prune(path)
                    taken, lock = Snapshot(path, lock), None
                    return taken
            finally:
                if lock is not None:
                    shutil.rmtree(making, ignore_errors=True)
                    os.close(lock)
        time.sleep(POLL)


def make(directory, devices, lkmd):
    """Boot a machine, and keep it in the directory as it is then."""
    from .machine import Machine
    for stale in directory.iterdir():   # of somebody who was killed
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    tree = None
    if lkmd:
        tree = directory / "tree"
        shutil.copytree(lab.lkmd_tree(), tree, symlinks=True)
    machine = Machine(devices=devices, lkmd=lkmd, tree=tree)
    try:
        machine.start()
        machine.come_to_rest()
    except BaseException:
        machine.abandoned = True
        raise
    try:
        machine.save(directory)
    finally:
        machine.remove()


def prune(keep):
    """Remove those that nobody has used for the longest time."""
    def used(path):
        try:
            return path.stat().st_mtime
        except FileNotFoundError:
            return 0

    others = sorted((path for path in lab.laboratory().glob("snapshot-*") if path != keep), key=used, reverse=True)
    for path in others[KEPT - 1:]:
        lock = locked(path, fcntl.LOCK_EX)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
