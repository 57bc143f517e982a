# SPDX-License-Identifier: LGPL-2.1-or-later
"""modprobe twice, kmod's own and ours, in a kernel that is made of files: fake-kernel.c carries out the system calls, and
/sys/module, /lib/modules, /proc/cmdline and the directories of modprobe.d are those of the case, in a mount namespace of the program."""

import ctypes
import gzip
import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from daemon_bench import sanitizer_runtime
from lkmctl_bench import LKMCTL
from module_tree import make_tree

HERE = Path(__file__).resolve().parent
RELEASE = os.uname().release
OTHER = "6.1.0-other"
KMOD = "/usr/sbin/modprobe"
CONFIG_DIRS = {"etc": "/etc/modprobe.d", "run": "/run/modprobe.d", "local": "/usr/local/lib/modprobe.d", "usr": "/usr/lib/modprobe.d"}
TIMEOUT = 60
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18

libc = ctypes.CDLL(None, use_errno=True)

MODULES = {  # name: (needs symbols of, further lines of modinfo)
    "plain": ((), ()),
    "with-dash": ((), ()),
    "para": ((), ("parm=one:a number", "parmtype=one:int", "parm=two:a text", "parmtype=two:charp")),
    "base": ((), ()),
    "mid": (("base",), ()),
    "top": (("mid", "base"), ()),
    "side": (("base",), ()),
    "soft": ((), ("softdep=pre: soft-pre post: soft-post",)),
    "soft-pre": ((), ()),
    "soft-post": ((), ()),
    "soft-top": (("soft",), ()),
    "pci-one": ((), ("alias=pci:v00008086d*sv*", "alias=common-*")),
    "pci-two": ((), ("alias=pci:v00008086d000010D3*", "alias=common-alias")),
    "bracket": ((), ("alias=range-[a-c]x", "alias=range-[a-c]?")),
    "packed-xz": ((), ()),
    "packed-zst": (("plain",), ()),
    "packed-gz": ((), ()),
    "gone": ((), ()),
    "needs-gone": (("gone",), ()),
    "fails": ((), ()),
    "needs-fails": (("fails",), ()),
}


def normalize(name):
    return name.replace("-", "_")


def make_modules(root):
    """Below root: the modules of this kernel, some of them compressed, and those of another one."""
    make_tree(root, RELEASE, MODULES)
    kernel = root / "lib/modules" / RELEASE / "kernel"
    for name, suffix, pack in (("packed-xz", "xz", lambda data: lzma.compress(data, check=lzma.CHECK_CRC32)), ("packed-gz", "gz", gzip.compress)):
        (kernel / f"{name}.ko.{suffix}").write_bytes(pack((kernel / f"{name}.ko").read_bytes()))
        (kernel / f"{name}.ko").unlink()
    subprocess.run(["zstd", "-q", "--rm", kernel / "packed-zst.ko"], check=True)
    subprocess.run(["depmod", "-b", root, RELEASE], check=True)
    (kernel / "gone.ko").unlink()
    make_tree(root, OTHER, {"plain": MODULES["plain"], "elsewhere": ((), ())})
    for name, content in (("text.ko", b"no module\n"), ("empty.ko", b"")):
        (root / name).write_bytes(content)
    shutil.copy(kernel / "plain.ko", root / "plain.ko")
    shutil.copy(kernel / "top.ko", root / "top.ko")
    shutil.copy(kernel / "plain.ko", root / "own-name.ko")
    (root / "needs").mkdir()
    for name, (needs, _) in MODULES.items():
        (root / "needs" / normalize(name)).write_text("".join(f"{normalize(need)}\n" for need in needs))


def make_shim(directory):
    """Without sanitizers, since kmod's modprobe has none."""
    library = directory / "fake-kernel.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, HERE / "fake-kernel.c"], check=True)
    return library


def bind(source, target):
    if libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None) < 0:
        raise OSError(ctypes.get_errno(), f"mount {source} {target}")


class Case:
    """One kernel and its configuration, made anew for each program."""

    def __init__(self, world, directory, conf=None, loaded=(), refs=None, state=None, fails=None, stays=None, cmdline="quiet", lib=None):
        self.world, self.dir = world, directory
        for sub in ("module", "fails", "stays", *CONFIG_DIRS):
            (self.dir / sub).mkdir(parents=True)
        (self.dir / "needs").symlink_to(world.root / "needs")
        (self.dir / "log").touch()
        (self.dir / "cmdline").write_text(cmdline + "\n")
        self.lib = lib or world.root / "lib/modules"
        for name, text in ({"a.conf": conf} if isinstance(conf, (str, bytes)) else conf or {}).items():
            where, _, file = name.rpartition("/")
            path = self.dir / (where or "etc") / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode()) if text is not None else path.symlink_to("/dev/null")
        for kind, errors in (("fails", fails), ("stays", stays)):
            for name, number in (errors or {}).items():
                (self.dir / kind / name).write_text(f"{number}\n")
        for name in loaded:
            self.load(normalize(name))
        for name, number in (refs or {}).items():
            (self.dir / "module" / name / "refcnt").write_text(f"{number}\n")
        for name, text in (state or {}).items():
            (self.dir / "module" / name).mkdir(exist_ok=True)
            (self.dir / "module" / name / "initstate").write_text(f"{text}\n")

    def load(self, name):
        directory = self.dir / "module" / name
        (directory / "holders").mkdir(parents=True)
        (directory / "initstate").write_text("live\n")
        (directory / "refcnt").write_text("0\n")
        for need in (self.world.root / "needs" / name).read_text().split():
            refs = self.dir / "module" / need / "refcnt"
            if refs.exists():
                refs.write_text(f"{int(refs.read_text()) + 1}\n")
                (self.dir / "module" / need / "holders" / name).symlink_to(directory)

    def enter(self):
        if libc.unshare(CLONE_NEWNS) < 0 or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
        bind(self.dir / "module", "/sys/module")
        bind(self.dir / "cmdline", "/proc/cmdline")
        bind(self.lib, "/lib/modules")
        for name, target in CONFIG_DIRS.items():
            bind(self.dir / name, target)

    def run(self, program, *arguments, env=None, cwd=None, closed=(), name="modprobe"):
        """Status, standard output, standard error, system calls, modules afterwards."""
        ours = program == LKMCTL
        path = self.world.root / f"bin-{'ours' if ours else 'kmod'}"
        preload = [*(sanitizer_runtime_of_ours() if ours else ()), str(self.world.shim)]
        variables = {"PATH": f"{path}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                     "LKMD_SOCKET": "/nonexistent/lkmd", "FAKE_KERNEL": str(self.dir), "LD_PRELOAD": ":".join(preload),
                     "ASAN_OPTIONS": "exitcode=99:detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1", "HERE": str(self.world.root), **(env or {})}

        def prepare():
            self.enter()
            for fd in closed:
                os.close(fd)

        done = subprocess.run([name, *arguments], executable=path / "modprobe", cwd=cwd or self.world.root, env=variables, capture_output=True,
                              timeout=TIMEOUT, check=False, preexec_fn=prepare, stdin=subprocess.DEVNULL)
        modules = {path.name: (path / "refcnt").read_text().strip() if (path / "refcnt").exists() else None
                   for path in sorted((self.dir / "module").iterdir())}
        return (done.returncode, done.stdout.decode(errors="replace"), self.clean(done.stderr.decode(errors="replace")),
                (self.dir / "log").read_text(), modules)

    def clean(self, text):
        """Without what differs from run to run."""
        return re.sub(r"0x[0-9a-f]+", "ADDRESS", text.replace(str(self.dir), "CASE"))


_runtime = []


def sanitizer_runtime_of_ours():
    if not _runtime:
        _runtime.append(sanitizer_runtime(LKMCTL))
    return _runtime[0]


class World:
    """What all cases share: modules, the shim, and a directory for each program in which it is modprobe."""

    def __init__(self, root):
        self.root = root
        self.n_cases = 0
        make_modules(root)
        self.shim = make_shim(root)
        for name, program in (("kmod", KMOD), ("ours", LKMCTL)):
            (root / f"bin-{name}").mkdir()
            (root / f"bin-{name}/modprobe").symlink_to(program)
        for target in CONFIG_DIRS.values():
            Path(target).mkdir(parents=True, exist_ok=True)

    def run(self, program, arguments, case=None, **how):
        self.n_cases += 1
        directory = self.root / f"case-{self.n_cases}"
        made = Case(self, directory, **(case or {}))
        try:
            return made.run(program, *arguments, **how)
        finally:
            shutil.rmtree(directory)

    def same(self, *arguments, env=None, cwd=None, closed=(), **case):
        """Run both; all that there is to see has to be the same. What kmod's had."""
        how = {"env": env, "cwd": cwd, "closed": closed}
        theirs, ours = self.run(KMOD, arguments, case, **how), self.run(LKMCTL, arguments, case, **how)
        for what, kmods, own in zip(("status", "stdout", "stderr", "system calls", "modules"), theirs, ours):
            assert own == kmods, f"{what} of {ours}"
        return theirs
