# SPDX-License-Identifier: LGPL-2.1-or-later
"""What machines are made of: the guest root, lkmd as it is installed, and how fast this computer can run them.
Only ./dev knows where these are; it tells by the environment."""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

from .errors import LabError

QEMU = "/usr/bin/qemu-system-x86_64"
VIRTIOFSD = "/usr/libexec/virtiofsd"


def setting(name):
    try:
        return Path(os.environ[name])
    except KeyError:
        raise LabError(f"{name} is not set: virtual machines run below ./dev (vm, vm-test, test, demo)") from None


def project():
    return Path(__file__).resolve().parents[3]


def guest_root():
    return setting("LKMD_GUEST_ROOT")


def scratch():
    """A directory of this run, on disk, which ./dev removes."""
    return setting("LKMD_RUN")


def laboratory():
    """The directory that all runs share."""
    return setting("LKMD_LAB")


def kernel_version():
    versions = sorted(path.name for path in (guest_root() / "usr/lib/modules").iterdir())
    if len(versions) != 1:
        raise LabError(f"the guest root has {len(versions)} kernels, not one: {versions}")
    return versions[0]


def tool(args, **more):
    """Run a command of the build root; its output is the error's text when it fails."""
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **more)
    if done.returncode != 0:
        raise LabError(f"{' '.join(map(str, args))} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


@functools.cache
def lkmd_tree():
    """lkmd as `meson install` puts it, once for all machines of a process: there may be several of them in a run."""
    build = setting("LKMD_BUILD")
    tree = Path(tempfile.mkdtemp(prefix="lkmd-tree-", dir=scratch()))
    tree.chmod(0o755)
    tool(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", tree])
    for name in ("bin", "sbin", "lib", "lib64"):
        if (tree / name).exists():
            raise LabError(f"lkmd installs below /{name}, which would hide the guest's link to /usr/{name}")
    if not (tree / "usr/lib/systemd/system/lkmd.service").exists():
        raise LabError(f"{build} installs no lkmd.service: boot(lkmd=False) is a machine without lkmd")
    return tree


# What a sanitizer needs of a unit's sandbox: memory for its shadow, and system calls. Leaks are looked for by tests of processes
# that may be traced: LeakSanitizer ends in a unit that may not.
SANITIZER_DROP_IN = """[Service]
Environment=ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=history_size=4
LockPersonality=no
MemoryMax=infinity
SystemCallFilter=
"""
SANITIZED_UNITS = ("lkmd", "lkmd-loader", "lkmd-command@", "lkmd-reader@", "lkmd-trail@", "lkmd-handover", "lkmd-keep", "lkmd-audit")


def sanitized():
    """Is the lkmd of the machines built with a sanitizer?"""
    return setting("LKMD_BUILD").name in ("asan-vm", "tsan")


class Disk:
    """The root directory of one machine: a writable overlay over the guest root and, if asked for, over lkmd, which is
    installed in tree if that is given; or over a snapshot's. Survives reboots and power cuts of its machine, and nothing
    else."""

    def __init__(self, lkmd, tree=None, snapshot=None):
        self.dir = Path(tempfile.mkdtemp(prefix="machine-", dir=scratch()))
        self.root = self.dir / "root"
        self.upper, work = self.dir / "upper", self.dir / "work"
        for path in (self.root, self.upper, work):
            path.mkdir(mode=0o755)
        self.dir.chmod(0o755)
        if snapshot:
            tree = snapshot.tree
        elif lkmd and not tree:
            tree = lkmd_tree()
        lower = ([snapshot.upper] if snapshot else []) + ([tree] if tree else []) + [guest_root()]
        options = ",".join(["lowerdir=" + ":".join(str(path).replace(":", "\\:") for path in lower),
                            f"upperdir={self.upper}", f"workdir={work}", "volatile", "redirect_dir=on"])
        # Relative to nothing: mount(8) would canonicalize, and an overlay on an overlay is refused by the kernel.
        tool(["mount", "-t", "overlay", "-o", options, "lkmd-machine", self.root])
        if not snapshot:
            (self.root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
            if lkmd:
                self._enable_lkmd()

    def _enable_lkmd(self):
        tool(["systemd-sysusers", f"--root={self.root}"])
        tool(["systemctl", f"--root={self.root}", "--quiet", "preset", "lkmd.service"])
        for unit in SANITIZED_UNITS if sanitized() else ():
            drop_in = self.root / f"etc/systemd/system/{unit}.service.d/50-sanitizer.conf"
            drop_in.parent.mkdir(parents=True)
            drop_in.write_text(SANITIZER_DROP_IN)
        for name in ("etc/.updated", "var/.updated"):  # else systemd rebuilds caches for the new /usr at each boot
            (self.root / name).touch()

    def detach(self):
        """No machine uses it any more: its files are in the directories below the overlay alone."""
        tool(["umount", self.root])

    def remove(self):
        if self.root.is_mount():
            subprocess.run(["umount", "--lazy", self.root], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def processor():
    """What this computer's processor is, for a guest that sees it."""
    said = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split("\n\n", 1)[0]
    return "\n".join(line for line in said.splitlines() if line.split("\t")[0] in ("model name", "microcode", "flags"))


@functools.cache
def accelerator(parallel=False):
    """KVM only where it really works: /dev/kvm may be there and hang every guest (nested, paravirtualised).

    An emulated machine has one thread for all of its processors unless it is to be parallel: with one for each, QEMU 10.0
    ends now and then with "iotlb_to_section: Assertion `section_index < d->map.sections_nb' failed" when one processor
    moves a device in memory while the other looks at one, as at boot and whenever something is plugged in. It takes no
    more processor time, and two such machines beside each other are as fast as one after the other was."""
    slow = ["-accel", f"tcg,thread={'multi' if parallel else 'single'}", "-cpu", "max,-la57"]   # fewer page tables to walk
    fast = ["-accel", "kvm", "-cpu", "host"]
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"), re.M)
    if not flags or not {"vmx", "svm"} & set(flags[1].split()) or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return slow
    # A kernel without a root panics, and panic=-1 ends the machine: done in a second where KVM works.
    kernel = guest_root() / f"boot/vmlinuz-{kernel_version()}"
    probe = ["qemu-system-x86_64", "-M", "q35", *fast, "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
             "-serial", "stdio", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1 root=none"]
    try:
        done = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return slow
    return fast if done.returncode == 0 and b"Kernel panic" in done.stdout else slow


def kernel_words():
    """What the kernel of a machine is told besides. Mitigations protect an emulated processor from nothing, and take a tenth of its time. On a
    busy computer the kernel finds the counter of such a processor unreliable, which it is not, and asks an emulated device for each time."""
    return [] if "kvm" in accelerator() else ["mitigations=off", "tsc=reliable"]
