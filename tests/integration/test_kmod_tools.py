# SPDX-License-Identifier: LGPL-2.1-or-later
"""lsmod, rmmod, insmod and modinfo beside kmod's own: each case is run by both, and what they print and their exit statuses
must be the same. Beside the answer to --version, nothing differs without lkmd; docs/kmod-differences.md has what does with it."""

import lzma
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon_bench import PRELOAD, Devices, sanitizer_runtime
from kmod_bench import KMOD, World
from lkmctl_bench import LKMCTL
from module_tree import make_tree

RELEASE = "6.1.0-test"
OTHER = "6.2.0-test"                    # without modules.builtin.modinfo
TOOLS = ("insmod", "lsmod", "modinfo", "rmmod")

MODULES = {
    "plain": ((), ["description=A module", "author=One", "author=Two", "alias=first-alias", "alias=shared-*"]),
    "top-half": (("plain",), ["version=1.2", "depends=plain", "alias=shared-?", "firmware=a/b.bin", "long_key_of_a_line=x"]),
    "rich": ((), ["parm=both:A number", "parmtype=both:int", "parmtype=bare:bool", "parm=told:No type",
                  "parmtype=late:string", "parm=late:Told behind its type", "parm=both:Told again", "parm=colon:a: b: c"]),
    "odd": ((), ["parm=without", "parmtype=neither", "description=", "vermagic=6.1.0 SMP ", "=empty key", "alias=a b"]),
    "packed": ((), ["description=Compressed", "parm=one:The only one", "parmtype=one:uint"]),
    "silent": ((), []),
}


def run(program, tool, arguments, cwd, devices=None, **environment):
    """One of the two, found by the same argv[0]. devices: whose /sys and /proc it sees."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "LKMD_SOCKET": "/nonexistent/lkmd", **environment}
    if devices:
        env |= {"UMOCKDEV_DIR": devices.root, "LD_PRELOAD": " ".join([*sanitizer_runtime(program), PRELOAD])}
    done = subprocess.run([tool, *arguments], executable=program, cwd=cwd, capture_output=True, timeout=60, check=False, env=env)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    base = tmp_path_factory.mktemp("kmod")
    make_tree(base, RELEASE, MODULES)
    kernel = base / "lib/modules" / RELEASE / "kernel"
    packed = kernel / "packed.ko"
    (kernel / "packed.ko.xz").write_bytes(lzma.compress(packed.read_bytes(), check=lzma.CHECK_CRC32))
    subprocess.run(["zstd", "-q", packed, "-o", kernel / "other.ko.zst"], check=True)
    packed.unlink()
    subprocess.run(["depmod", "-b", base, RELEASE], check=True)
    make_tree(base, OTHER, {"plain": MODULES["plain"]})
    (base / "lib/modules" / OTHER / "modules.builtin.modinfo").unlink()
    for name, content in (("empty.ko", b""), ("text.ko", b"no module\n"), ("cut.ko", (kernel / "rich.ko").read_bytes()[:300]),
                          ("bad.ko.xz", b"\xfd7zXZ\0 not really"), ("module.o", (kernel / "plain.ko").read_bytes()),
                          ("with blank.ko", (kernel / "plain.ko").read_bytes())):
        (base / name).write_bytes(content)
    shutil.copy(kernel / "plain.ko", base / "plain.ko")
    shutil.copy(kernel / "packed.ko.xz", base / "packed.ko.xz")
    (base / "directory.ko").mkdir()
    (base / "link.ko").symlink_to("plain.ko")
    (base / "dangling.ko").symlink_to("nowhere.ko")
    return base


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bin")
    for tool in TOOLS:
        (directory / tool).symlink_to(LKMCTL)
    return directory


@pytest.fixture
def same(root, ours):
    """Run a tool by kmod and by us: the same in all three."""
    def check(tool, *arguments):
        theirs = run(f"/usr/sbin/{tool}", tool, arguments, root)
        assert run(ours / tool, tool, arguments, root) == theirs
        return theirs
    return check


HERE = ("-b", ".", "-k", RELEASE)

MODINFO = [
    # what is shown of a module
    ("plain",), ("top-half",), ("top_half",), ("rich",), ("odd",), ("packed",), ("silent",), ("other",),
    ("plain", "rich"), ("first-alias",), ("first_alias",), ("shared-x",), ("shared-xy",), ("in-kernel",), ("in_kernel",),
    ("alg-built-in",), ("symbol:plain_symbol",), ("nosuch",), ("",), ("plain", "nosuch", "rich"), ("nosuch", "plain"),
    ("plain.ko",), ("./plain.ko",), ("link.ko",), ("packed.ko.xz",), ("with blank.ko",), ("dangling.ko",), ("directory.ko",),
    ("empty.ko",), ("text.ko",), ("cut.ko",), ("bad.ko.xz",), ("module.o",), ("nowhere/plain.ko",),
    ("plain.ko", "text.ko", "rich"), ("shared-[x",), ("PLAIN",), ("in-kernel", "plain"),
    # one field of it
    *[(option, module) for option in ("-a", "-d", "-l", "-p", "-n") for module in ("plain", "rich", "odd", "in-kernel")],
    *[("-F", field, module) for field in ("alias", "parm", "parmtype", "filename", "name", "nosuch", "") for module in ("rich", "plain")],
    ("-F", "name", "in-kernel"), ("-F", "alias", "in-kernel"), ("-F", "filename", "nosuch"), ("-F", "parm", "odd"),
    ("-F", "depends", "top-half", "plain"), ("-a", "-d", "plain"), ("-d", "-F", "license", "plain"), ("-Flicense", "plain"),
    # ends of lines
    ("-0", "plain"), ("-0", "rich"), ("-0", "odd"), ("-0", "in-kernel"), ("-0", "-F", "alias", "plain"), ("-0p", "rich"), ("-0n", "plain"),
    ("-0", "plain", "nosuch", "rich"),
    # names only
    ("-m", "plain"), ("-m", "first-alias"), ("-m", "in-kernel"), ("-m", "plain.ko"), ("-m", "nosuch"), ("-m", ""), ("-mn", "top-half"),
    # long options, shortened, and behind the argument
    ("--author", "plain"), ("--description", "plain"), ("--license", "plain"), ("--parameters", "rich"), ("--filename", "plain"),
    ("--null", "plain"), ("--modname", "plain"), ("--field", "alias", "plain"), ("--field=alias", "plain"), ("--fi=alias", "plain"),
    ("--auth", "plain"), ("plain", "-a"), ("plain", "--", "-a"), ("--", "rich"),
]

MODINFO_ALONE = [
    (), ("-z",), ("--nosuch",), ("-F",), ("-k",), ("-b",), ("--field",), ("--help",), ("-h",), ("--author=x", "plain"), ("--f", "plain"),
    ("-k", "nosuch", "plain"), ("-b", "/nonexistent", "plain"), ("-k", OTHER, "-b", ".", "plain"), ("-k", OTHER, "-b", ".", "in-kernel"),
    ("-k", OTHER, "-b", ".", "-l", "in-kernel"), ("-b", ".", "plain"), ("--basedir", ".", "--set-version", RELEASE, "plain"),
    (f"--basedir=.", f"--set-version={RELEASE}", "-n", "plain"), ("plain",), ("-h", "-z"), ("-b", "./.", "-k", RELEASE, "-n", "plain"),
]

WITHOUT_KERNEL = [
    ("lsmod", "extra"), ("lsmod", "-z"), ("lsmod", "--help"), ("lsmod", "-h"), ("lsmod", "--nosuch"), ("lsmod", "-s", "extra"),
    ("lsmod", "-v", "extra"), ("lsmod", "--syslog", "--verbose", "extra"), ("lsmod", "--", "extra"), ("lsmod", ""),
    ("rmmod",), ("rmmod", "--help"), ("rmmod", "-h"), ("rmmod", "-z"), ("rmmod", "-w", "x"), ("rmmod", "--nosuch"), ("rmmod", "-s"),
    ("rmmod", "-V", "-z", "x")[:1], ("rmmod", "--"), ("rmmod", "nosuch"), ("rmmod", "nosuch", "neither"), ("rmmod", "no-such"),
    ("rmmod", "plain.ko"), ("rmmod", "./with blank.ko"), ("rmmod", "/"), ("rmmod", "-v", "nosuch"), ("rmmod", "-vv", "nosuch"),
    ("rmmod", "-s", "nosuch"), ("rmmod", "--syslog", "nosuch"), ("rmmod", "x" * 300), ("rmmod", "a/b"), ("rmmod", "directory.ko"),
    ("insmod",), ("insmod", "--help"), ("insmod", "-h"), ("insmod", "-z"), ("insmod", "-p"), ("insmod", "--nosuch"), ("insmod", "-"),
    ("insmod", "nosuch"), ("insmod", "nosuch.ko", "a=b"), ("insmod", "-s", "nosuch"), ("insmod", "-f", "nosuch"), ("insmod", "-v", "nosuch"),
    ("insmod", "dangling.ko"), ("insmod", ""), ("insmod", "--syslog", "nosuch"), ("insmod", "--force", "--verbose", "nosuch"), ("insmod", "--"),
    ("insmod", "-f", "text.ko"), ("insmod", "-f", "empty.ko"),
]


def name(case):
    return " ".join(case) or "nothing"


@pytest.mark.parametrize("arguments", MODINFO, ids=name)
def test_modinfo(same, arguments):
    same("modinfo", *HERE, *arguments)


@pytest.mark.parametrize("arguments", MODINFO_ALONE, ids=name)
def test_modinfo_elsewhere(same, arguments):
    same("modinfo", *arguments)


@pytest.mark.parametrize("command", WITHOUT_KERNEL, ids=name)
def test_without_the_kernel(same, command):
    same(*command)


def test_modinfo_of_debians_modules(same):
    """Signatures and all, of a module of each kind of the kernel that is installed here."""
    release = sorted(p for p in Path("/lib/modules").iterdir() if (p / "modules.dep.bin").exists())[-1].name
    for module in ("loop", "ext4", "e1000e", "snd-hda-intel", "fs-xfs", "pci:v00008086d000010D3sv0sd0bc0sc0i0", "unix", "af_packet"):
        same("modinfo", "-k", release, module)
        same("modinfo", "-0", "-k", release, module)


# ------------------------------------------------------------------------------------------------ modules in the kernel

@pytest.fixture(scope="module")
def kernel():
    """/sys/module and /proc/modules with modules of each kind."""
    devices = Devices()
    for module, refs, holders in (("busy", 3, ()), ("base", 1, ("top",)), ("shared", 2, ("top", "other_one")), ("top", 0, ()), ("other_one", 0, ()),
                                  ("a_module_with_a_name_that_is_long", 12, ())):
        devices.set_module(module, "live", refcnt=refs, coresize=16384)
        devices.list_module(module, refs, holders)
        for holder in holders:
            (Path(devices.root) / "sys/module" / module / "holders" / holder).mkdir()
    devices.set_module("coming", "coming", refcnt=1, coresize=4096)
    devices.list_module("coming", 1, size=4096, state="Loading")
    stuck = Path(devices.root) / "sys/module/stuck"
    (stuck / "holders").mkdir(parents=True)
    (stuck / "initstate").write_text("live\n")                 # of a kernel that removes no modules
    (stuck / "coresize").write_text("8192\n")
    proc = Path(devices.root) / "proc/modules"
    proc.write_text(proc.read_text() + "stuck 8192 - - Live 0x0\n")
    yield devices
    devices.close()


KERNEL = [
    ("lsmod",), ("lsmod", "-v"), ("lsmod", "-s"), ("rmmod", "busy"), ("rmmod", "base"), ("rmmod", "shared"), ("rmmod", "base", "busy", "nosuch"),
    ("rmmod", "stuck"), ("rmmod", "coming"), ("rmmod", "-v", "busy"), ("rmmod", "-s", "busy"), ("rmmod", "a-module-with-a-name-that-is-long"),
    ("rmmod", "plain.ko", "busy"), ("rmmod", "busy", "/", "base"), ("rmmod", "--verbose", "--", "shared"), ("rmmod", "./base.ko"), ("rmmod", "other-one"),
    ("rmmod", "-f", "busy"), ("rmmod", "-fv", "nosuch"), ("rmmod", "--force", "--syslog", "base"),
]


@pytest.mark.parametrize("command", KERNEL, ids=name)
def test_modules_in_the_kernel(ours, root, kernel, command):
    tool, *arguments = command
    theirs = run(f"/usr/sbin/{tool}", tool, arguments, root, kernel)
    assert run(ours / tool, tool, arguments, root, kernel) == theirs


def test_lsmod_without_holders_in_sys(ours, root):
    """The list alone says as much, in its own order."""
    devices = Devices()
    devices.list_module("base", 2, ("one", "two"))
    assert run(ours / "lsmod", "lsmod", [], root, devices) == (
        0, "Module                  Size  Used by\nbase                   16384  2 one,two\n", "")
    (Path(devices.root) / "proc/modules").write_text("cut\nshort 5\nwhole 1 0 - Live 0x0\n")
    assert run(ours / "lsmod", "lsmod", [], root, devices)[1].splitlines()[1:] == ["whole                      1  0"]
    devices.close()


# --------------------------------------------------------------------------------- insertions and removals, in a fake kernel

@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


CHAIN = {"loaded": ["base", "mid", "top"]}
PLAIN = {"loaded": ["plain"]}
FAKE = [
    ("insmod plain.ko", {}), ("insmod ./plain.ko", {}), ("insmod own-name.ko", {}), ("insmod plain.ko one=1 two=b", {}),
    ("insmod plain.ko text=a|b", {}), ("insmod plain.ko text='a|b' x", {}), ('insmod plain.ko text="a|b"', {}), ("insmod plain.ko a|b", {}),
    ("insmod plain.ko text=|", {}), ("insmod plain.ko =a|b", {}), ("insmod plain.ko one= two", {}), ("insmod plain.ko -- -x", {}),
    ("insmod -f plain.ko", {}), ("insmod plain.ko -f", {}), ("insmod --force plain.ko one=1", {}), ("insmod -- plain.ko", {}),
    ("insmod plain.ko", PLAIN), ("insmod -f plain.ko", PLAIN), ("insmod own-name.ko", PLAIN), ("insmod top.ko", {}), ("insmod top.ko", {"loaded": ["base", "mid"]}),
    ("insmod text.ko", {}), ("insmod empty.ko", {}), ("insmod nosuch.ko", {}), ("insmod KERNEL/packed_xz.ko.xz", {}), ("insmod KERNEL/packed-xz.ko.xz one=1", {}),
    ("insmod KERNEL/packed-zst.ko.zst", {}), ("insmod -f KERNEL/packed-zst.ko.zst", {}), ("insmod KERNEL/packed-gz.ko.gz", {}),
    ("insmod plain.ko", {"conf": "options plain one=1\ninstall plain /bin/false\nblacklist plain\n"}), ("insmod plain.ko", {"cmdline": "plain.one=2"}),
    *[("insmod plain.ko", {"fails": {"plain": number}}) for number in (1, 2, 3, 5, 8, 12, 17, 22, 38, 126, 129)],
    ("insmod -v plain.ko", {"fails": {"plain": 22}}), ("insmod -s plain.ko", {"fails": {"plain": 22}}),
    ("rmmod plain", PLAIN), ("rmmod plain.ko", PLAIN), ("rmmod ./plain.ko", PLAIN), ("rmmod with-dash", {"loaded": ["with-dash"]}), ("rmmod with_dash", {"loaded": ["with-dash"]}),
    ("rmmod top", CHAIN), ("rmmod top mid base", CHAIN), ("rmmod base", CHAIN), ("rmmod base mid top", CHAIN), ("rmmod mid", CHAIN), ("rmmod base top", CHAIN),
    ("rmmod side base", {"loaded": ["base", "mid", "side"]}), ("rmmod base", {"loaded": ["base", "mid", "side"]}), ("rmmod -f base", CHAIN), ("rmmod -f top base", CHAIN),
    ("rmmod plain", {**PLAIN, "refs": {"plain": 2}}), ("rmmod -f plain", {**PLAIN, "refs": {"plain": 2}}), ("rmmod plain nosuch", PLAIN), ("rmmod nosuch plain", PLAIN),
    ("rmmod plain plain", PLAIN), ("rmmod in-kernel", {}), ("rmmod -f in-kernel", {}), ("rmmod in_kernel plain", PLAIN),
    ("rmmod plain", {**PLAIN, "conf": "remove plain /bin/false\nsoftdep plain pre: top\n"}), ("rmmod soft", {"loaded": ["soft", "soft-pre", "soft-post"]}),
    *[("rmmod plain", {**PLAIN, "stays": {"plain": number}}) for number in (1, 2, 11, 16, 38)], ("rmmod -f plain", {**PLAIN, "stays": {"plain": 11}}),
    ("rmmod -v plain", {**PLAIN, "stays": {"plain": 11}}), ("rmmod -s plain", {**PLAIN, "stays": {"plain": 11}}), ("rmmod -s plain nosuch", PLAIN),
    ("rmmod coming", {"state": {"coming": "coming"}}), ("rmmod going", {"state": {"going": "going"}}), ("rmmod strange", {"state": {"strange": "strange"}}),
    ("rmmod", PLAIN), ("rmmod -- plain", PLAIN), ("rmmod plain --", PLAIN), ("rmmod plain -f", PLAIN), ("rmmod --forc plain", PLAIN),
]


@pytest.mark.parametrize("line, case", FAKE, ids=[f"{line} {n}" for n, (line, _) in enumerate(FAKE)])
def test_in_a_fake_kernel(world, line, case):
    """The system calls, with their flags and parameters, and the modules afterwards are the same as well."""
    kernel = f"/lib/modules/{os.uname().release}/kernel"
    tool, *arguments = [word.replace("|", " ").replace("KERNEL", kernel) for word in line.split()]
    theirs, ours = (world.run(program, arguments, case, name=tool) for program in (KMOD, LKMCTL))
    assert ours == theirs


def test_the_fake_kernel_is_one(world):
    """What both are compared by does say something."""
    status, _, _, log, modules = world.run(LKMCTL, ["plain.ko", "text=a b"], {}, name="insmod")
    assert (status, list(modules)) == (0, ["plain"]) and 'text="a b"' in log
    status, _, _, log, modules = world.run(LKMCTL, ["plain"], PLAIN, name="rmmod")
    assert (status, modules) == (0, {}) and "plain" in log


# --------------------------------------------------------------------------------------------------- while lkmd runs

@pytest.fixture
def asking(ours, root, daemon):
    def asking(tool, *arguments):
        return run(ours / tool, tool, arguments, root, daemon.devices, LKMD_SOCKET=str(daemon.socket),
                   LKMD_POLICY_ROOT=str(daemon.policy))
    return asking


def test_rmmod_by_lkmd(asking, daemon, modprobe_d):
    """Alone, and on record with who asked for it."""
    modprobe_d.write_text("remove lkmdt_top /bin/false\n")
    daemon.call("Load", name="lkmdt_top")
    for module, holders in (("lkmdt_base", ["lkmdt_mid"]), ("lkmdt_mid", ["lkmdt_top"]), ("lkmdt_top", [])):
        daemon.devices.set_module(module, "live", refcnt=len(holders))
        daemon.devices.list_module(module, len(holders), holders)
    assert asking("rmmod", "lkmdt-top") == (0, "", "")
    assert daemon.loader.requests[-1][:2] == ("remove", "lkmdt_top")
    last = daemon.call("History", module="lkmdt_top")["entries"][-1]["record"]
    assert last["outcome"] == "unloaded" and last["requester"]["command"] == "rmmod"
    status, out, err = asking("rmmod", "lkmdt_base")                # /proc/modules says who uses it, /sys knows a number only
    assert (status, out, err) == (1, "", "rmmod: ERROR: Module lkmdt_base is in use\n")


DENY = """version: 1
rules:
- match: {module: plain}
  verdict: deny
  reason: not on this machine
"""


@pytest.mark.parametrize("file", ["plain.ko", "link.ko", "./with blank.ko", "copy/other_name.ko", "copy/packed.ko.xz"])
def test_insmod_of_what_is_denied(asking, daemon, root, file):
    """By the name of the file as well as by what the kernel would call it."""
    (root / "copy").mkdir(exist_ok=True)
    shutil.copy(root / "plain.ko", root / "copy/other_name.ko")
    (root / "copy/packed.ko.xz").write_bytes(lzma.compress((root / "plain.ko").read_bytes(), check=lzma.CHECK_CRC32))
    path = daemon.write_policy(DENY)
    status, out, err = asking("insmod", file, "a=b")
    assert (status, out) == (1, "") and f"denied by {path}:3: not on this machine" in err
    assert err.startswith(f"insmod: ERROR: could not insert module {root}/") and err.count("\n") == 1
    assert asking("insmod", "-f", file)[0] == 1
    assert asking("insmod", "-s", file) == (1, "", "")


def test_insmod_of_what_is_denied_by_modprobe_d(asking, modprobe_d):
    modprobe_d.write_text("install plain /bin/false\n")
    assert f"plain is denied by {modprobe_d}:1" in asking("insmod", "plain.ko")[2]
    modprobe_d.write_text("install plain /bin/true\nsoftdep plain pre: rich\n")
    assert f"plain is denied by {modprobe_d}:1" in asking("insmod", "plain.ko")[2]


def test_insmod_by_what_the_file_says(asking, daemon):
    daemon.write_policy("version: 1\nrules:\n- match: {license: GPL, signed: no, uid: 0, origin: client}\n  verdict: deny\n")
    assert "rich is denied by" in asking("insmod", "lib/modules/6.1.0-test/kernel/rich.ko")[2]
    daemon.write_policy("version: 2\n")
    assert "WARNING: the policy has errors" in asking("insmod", "text.ko")[2]
    daemon.write_policy("version: 1\n")
    assert asking("insmod", "text.ko")[2].startswith("insmod: ERROR: could not insert module text.ko: ")   # it has no licence


# --version says which program it is; the number of kmod's version comes first, since scripts look for it.
@pytest.mark.parametrize("tool", TOOLS)
def test_version(ours, root, tool):
    status, out, err = run(ours / tool, tool, ["--version"], root)
    assert (status, err) == (0, "") and out.splitlines()[0] == "kmod version 34" and out.splitlines()[1].startswith("lkmd ")
    assert run(f"/usr/sbin/{tool}", tool, ["--version"], root)[1].startswith("kmod version 34")
    assert run(ours / tool, tool, ["-V"], root) == (status, out, err)
