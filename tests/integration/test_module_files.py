# SPDX-License-Identifier: LGPL-2.1-or-later
"""Module files that are not what their names say. All verbs that answer from files agree about each file of a tree that
has one of each kind, and lkmd says the same of what the kernel refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import Daemon, VarlinkError
from daemon_bench import make_tree as make_daemon_tree
from module_tree import assembly, make_tree

PROJECT = Path(__file__).resolve().parents[2]
LKMCTL = str(Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev")) / "src/cli/lkmctl")
RELEASE = "6.0.0-files"
DIRECTORY = Path("/lib/modules") / RELEASE      # of the root that tests run in, which is thrown away

MISSING = "its file is missing"
ELSEWHERE = "its file lies outside the directory of modules, /lib/modules"
FOREIGN = "others than root could have written its file, or have led there"
IRREGULAR = "what is in the place of its file is no regular file"
BROKEN = "its file is damaged: cut off, or impossible to decompress"
ALIEN = "its file is no kernel module"


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def patch(path, at, data):
    content = bytearray(path.read_bytes())
    content[at:at + len(data)] = data
    path.write_bytes(content)


def link_away(path, target, mode=0o755):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    target.parent.chmod(mode)
    path.symlink_to(target)


def replace(path, make):
    path.unlink()
    make(path)


PACKERS = {"xz": ["xz", "--check=crc32"], "zst": ["zstd", "-q"], "gz": ["gzip"]}


def pack(path, kind, size=None, *options):
    """The name in modules.dep stays."""
    path.write_bytes(subprocess.run([*PACKERS[kind], *options, "-c", path], capture_output=True, check=True).stdout[:size])


def pack_foreign(path, kind):
    patch(path, 18, b"\xb7")
    pack(path, kind)


def pack_text(path, kind):
    path.write_text("no module\n" * 20)
    pack(path, kind)


def pack_program(path, kind):
    shutil.copy("/bin/true", path)
    pack(path, kind)


def pack_short(path, kind):
    cut(path, 40)
    pack(path, kind)


def pack_bomb(path):
    """Less than 100 KiB that are more than MODULE_UNPACKED_MAX."""
    with open(path, "ab") as f:
        f.truncate(300 << 20)
    pack(path, "zst")


FILES = {  # module: (what becomes of its file, what is wrong with it then, does modprobe load it)
    "sound": (lambda p: None, None, True),
    "linked": (lambda p: link_away(p, Path("/var/lib/lkmd-files/linked.ko")), None, True),
    "inner_link": (lambda p: (shutil.move(p, p.parent / "x.ko"), p.symlink_to("x.ko")), None, True),
    "empty": (lambda p: cut(p, 0), "its file is empty", False),
    "text": (lambda p: p.write_text("no module\n"), ALIEN, False),
    "program": (lambda p: shutil.copy("/bin/true", p), ALIEN, False),
    "short": (lambda p: cut(p, 40), BROKEN, False),
    "half": (lambda p: cut(p, p.stat().st_size // 2), BROKEN, False),
    "foreign_machine": (lambda p: patch(p, 18, b"\xb7"), "it was built for another processor architecture", False),
    "other_kernel": (lambda p: None, "it was built for kernel 5.10.0-other", False),
    "same_sums": (lambda p: None, None, True),
    "directory": (lambda p: replace(p, Path.mkdir), IRREGULAR, False),
    "fifo": (lambda p: replace(p, os.mkfifo), IRREGULAR, False),
    "device": (lambda p: replace(p, lambda q: q.symlink_to("/dev/null")), IRREGULAR, False),
    "closed": (lambda p: p.chmod(0), None, True),     # root reads it all the same
    "open": (lambda p: p.chmod(0o664), FOREIGN, True),
    "somebodys": (lambda p: os.chown(p, 1000, 0), FOREIGN, True),
    "open_directory": (lambda p: link_away(p, Path("/var/lib/lkmd-open/open_directory.ko"), 0o777), FOREIGN, True),
    "sticky_directory": (lambda p: link_away(p, Path("/var/lib/lkmd-sticky/sticky_directory.ko"), 0o1777), FOREIGN, True),
    "gone": (Path.unlink, MISSING, False),
    "dangling": (lambda p: replace(p, lambda q: q.symlink_to("nowhere.ko")), MISSING, False),
    "loop": (lambda p: replace(p, lambda q: q.symlink_to(q.name)), MISSING, False),
}
for kind in PACKERS:
    FILES |= {f"{kind}_sound": (lambda p, k=kind: pack(p, k), None, True),
              f"{kind}_half": (lambda p, k=kind: pack(p, k, 100), BROKEN, False),
              f"{kind}_nothing": (lambda p, k=kind: pack(p, k, 7), BROKEN, False),
              f"{kind}_short": (lambda p, k=kind: pack_short(p, k), BROKEN, False),
              f"{kind}_text": (lambda p, k=kind: pack_text(p, k), ALIEN, False),
              f"{kind}_program": (lambda p, k=kind: pack_program(p, k), ALIEN, False),
              f"{kind}_foreign_machine": (lambda p, k=kind: pack_foreign(p, k), "it was built for another processor architecture", False)}
NOT_KNOWN = {  # of which cannot be told whether they are sound
    "bomb": pack_bomb,
    "xz_greedy": lambda p: pack(p, "xz", None, "--lzma2=dict=512MiB"),
}
FILES |= {name: (spoil, None, True) for name, spoil in NOT_KNOWN.items()}
VERMAGIC = {"other_kernel": "5.10.0-other SMP mod_unload ", "same_sums": "5.10.0-other SMP mod_unload modversions "}


@pytest.fixture(scope="module", autouse=True)
def files():
    modules = {name: ((f"under_{name}",), (f"vermagic={VERMAGIC.get(name, RELEASE + ' SMP mod_unload ')}",)) for name in FILES}
    for name in FILES:
        modules |= {f"under_{name}": ((), ()), f"beside_{name}": ((), ()), f"needs_{name}": ((name, f"beside_{name}"), ())}
    make_tree(Path("/"), RELEASE, modules)
    for name, (spoil, _, _) in FILES.items():
        spoil(DIRECTORY / f"kernel/{name}.ko")
    running = DIRECTORY.parent / os.uname().release
    running.symlink_to(RELEASE)
    yield
    running.unlink()
    shutil.rmtree(DIRECTORY)


def loads(name, module):
    """What of the tree gets into the kernel. A load finds out that a file is of no use when it comes to it; what is not there it knows before."""
    fault, below, beside = FILES[name][1], [f"under_{name}"], [f"beside_{name}"] * (module != name)
    if fault == MISSING:
        return []
    return sorted(below + beside + ([] if fault else [*{name, module}]))


def ctl(*words):
    return subprocess.run([LKMCTL, words[0], "--kernel", RELEASE, *words[1:]], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99"})


@pytest.mark.parametrize("name", FILES)
def test_all_verbs_agree(name):
    _, fault, modprobe_loads = FILES[name]
    for module in (name, f"needs_{name}"):
        plan, shown = ctl("plan", "--json=short", module), ctl("plan", module)
        explained, diff, resolved = ctl("explain", "--json=short", module), ctl("diff-modprobe", module), ctl("resolve", module)
        assert resolved.returncode == 0 and resolved.stdout == f"{module}\t{module}\n"     # what it means, whatever comes of it
        assert plan.returncode == explained.returncode == shown.returncode == (1 if fault else 0), (plan, explained)
        steps, omissions = (json.loads(plan.stdout)[key] for key in ("steps", "omissions"))
        sentence = json.loads(explained.stdout)["answers"][0]["sentences"][0]
        assert sorted(s["module"] for s in steps) == loads(name, module)
        if not fault:
            assert not omissions
            assert sentence == f"{module} is allowed: nothing denies it" and "No difference" in diff.stdout
            continue
        [omission] = [o for o in omissions if o["module"] == name]
        assert omission.get("reason", "its file is missing") == fault
        assert f"{fault}" in shown.stdout
        if module == name:
            assert sentence == f"{name} cannot be loaded: {fault}"
        else:
            assert sentence.startswith(f"{module} is left out: it needs {name}, ") and fault in sentence.replace("whose file", "its file")
        assert (f"cannot load {'it' if module == name else name}: {fault}; modprobe loads it" in diff.stdout) == modprobe_loads, diff


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_what_is_not_known(name):
    text = "decompressing it takes more memory than it may"
    [step] = [s for s in json.loads(ctl("plan", "--json=short", name).stdout)["steps"] if s["module"] == name]
    assert step["notKnown"] == text
    assert f"which is not known here: {text}" in " ".join(ctl("plan", name).stdout.split())
    assert f"whether the file of {name} is sound is not known here: {text}" in ctl("explain", f"needs_{name}").stdout


def test_all_of_them_at_once():
    told = ctl("diff-modprobe", "--json=short").stdout.splitlines()
    refused = {json.loads(line)["subject"] for line in told if json.loads(line)["difference"] == "file"}
    assert refused == {name for name, (_, fault, loads) in FILES.items() if fault and loads}


# ---------------------------------------------------------------------------------------------------- the daemon

@pytest.fixture
def renamed(tmp_path):
    """lkmdt-base.ko, lkmdt-mid.ko and lkmdt-top.ko with other names; one of them among the kernel's own."""
    root = tmp_path / "renamed"
    directory = make_daemon_tree(root)
    (directory / "updates").mkdir()
    (directory / "kernel/lkmdt_base.ko").rename(directory / "kernel/current-base.ko")
    for name in ("mid", "top"):
        (directory / f"kernel/lkmdt_{name}.ko").rename(directory / f"updates/current-{name}.ko")
    subprocess.run(["depmod", "-b", root, os.uname().release], check=True)
    daemon = Daemon(root)
    yield daemon.start()
    daemon.close()


@pytest.fixture
def lkmd():
    """lkmd over the tree of this file."""
    daemon = Daemon()
    daemon.root = ""
    yield daemon.start()
    daemon.close()


def test_plan_foretells_what_load_does(lkmd):
    for name, (_, fault, _) in FILES.items():
        if fault:
            lkmd.loader.errors[name] = -8
        for module in (name, f"needs_{name}"):
            plan, before = ctl("plan", "--json=short", module), len(lkmd.loader.requests)
            steps = [s["module"] for s in json.loads(plan.stdout)["steps"]]
            assert sorted(steps) == loads(name, module)
            try:
                assert sorted(n for n, _, outcome in names(lkmd.call("Load", name=module)) if outcome == "loaded") == sorted(steps)
                assert plan.returncode == 0
            except VarlinkError as error:
                assert plan.returncode == 1 and error.name == "LoadFailed" and error.parameters["module"] == name
                records = error.parameters.get("records", ())
                assert sorted(n for n, _, outcome in names({"records": records}) if outcome == "loaded") == sorted(steps)
            made = [m for _, m, _, _ in lkmd.loader.requests[before:]]
            assert sorted(made) == sorted(steps + [name] * (bool(fault) and fault != MISSING))


def test_names_of_the_kernel():
    """For who knows it from lsmod."""
    (DIRECTORY / "updates").mkdir()
    path = DIRECTORY / "updates/graphics-current.ko"
    subprocess.run(["cc", "-c", "-x", "assembler", "-o", path, "-"], input=assembly("graphics", (), ()), text=True, check=True)
    subprocess.run(["depmod", RELEASE], check=True)
    [step] = json.loads(ctl("plan", "--json=short", "graphics-current").stdout)["steps"]
    assert (step["module"], step["kernelName"]) == ("graphics_current", "graphics")
    assert "insert, which the kernel calls graphics" in ctl("plan", "graphics-current").stdout
    assert "graphics_current is allowed" in ctl("explain", "graphics").stdout
    assert ctl("plan", "graphics").returncode == 5         # as modprobe


def names(reply):
    return [(r["module"], r.get("fileModule"), r["outcome"]) for r in reply["records"]]


def test_records_have_the_name_of_the_kernel(renamed):
    assert names(renamed.call("Load", name="current_top")) == [
        ("lkmdt_base", "current_base", "loaded"), ("lkmdt_mid", "current_mid", "loaded"), ("lkmdt_top", "current_top", "loaded")]
    assert [r[:2] for r in renamed.loader.requests] == [("insert", f"current_{n}") for n in ("base", "mid", "top")]
    for module in ("lkmdt_base", "lkmdt_mid", "lkmdt_top"):
        renamed.devices.set_module(module, "live")
    assert names(renamed.call("Load", name="current-top"))[-1] == ("lkmdt_top", "current_top", "already_loaded")
    assert len(renamed.loader.requests) == 3


def test_an_init_that_says_file_exists(daemon):
    daemon.loader.errors["lkmdt_alone"] = -17
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.parameters["message"] == \
        "lkmdt_alone was not loaded: its init says that what it registers is there already (File exists)"
    daemon.devices.set_module("lkmdt_any", "coming")        # and live before the kernel has looked at the request
    daemon.loader.errors["lkmdt_any"] = -17
    assert names(daemon.call("Load", name="lkmdt_any")) == [("lkmdt_any", None, "already_loaded")]


def test_what_the_kernel_refuses_is_what_the_file_shows(daemon):
    cut(daemon.root / "lib/modules" / os.uname().release / "kernel/lkmdt_alone.ko", 0)
    daemon.loader.errors["lkmdt_alone"] = -22
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.parameters["message"] == "lkmdt_alone cannot be loaded: its file is empty"
    assert "depmod -a" in failed.value.parameters["hint"]


def give_parameter(daemon, module, name, value):
    """A module in the kernel, with a parameter."""
    daemon.devices.set_module(module, "live")
    directory = Path(daemon.devices.root) / "sys/module" / module / "parameters"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"{value}\n")


def test_parameters_of_what_is_loaded_go_nowhere(daemon, lkmd_conf):
    give_parameter(daemon, "lkmdt_top", "speed", 16)
    for same in ("speed=16", "speed=0x10", "speed=020"):
        assert names(daemon.call("Load", name="lkmdt_top", parameters=[same]))[-1][2] == "already_loaded"
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_top", parameters=["speed=9"])
    assert failed.value.name == "LoadFailed" and failed.value.parameters["errno"] == 17
    assert failed.value.parameters["message"] == "lkmdt_top is loaded already, and a load changes no parameter of it: speed=9 (it is 16)"
    assert "/sys/module/lkmdt_top/parameters/speed" in failed.value.parameters["hint"]
    assert not daemon.loader.requests

    lkmd_conf.write_text("[Manager]\nLoadedParameters=ignore\n")
    daemon.call("Reload")
    assert names(daemon.call("Load", name="lkmdt_top", parameters=["speed=9"]))[-1][2] == "already_loaded"


def test_parameters_for_a_load_that_another_has_begun(daemon):
    daemon.loader.held.add("lkmdt_top")
    first, second = daemon.client(), daemon.client()
    first.send("Load", {"name": "lkmdt_top", "parameters": ["speed=3"]})
    daemon.loader.wait_for("lkmdt_top")
    second.send("Load", {"name": "lkmdt_top", "parameters": ["speed=9"]})
    while daemon.call("Status")["counters"]["joins"] == 0:
        pass
    give_parameter(daemon, "lkmdt_top", "speed", 3)
    daemon.loader.release("lkmdt_top")
    assert "error" not in first.receive()
    with pytest.raises(VarlinkError) as failed:
        second.receive()
    assert "speed=9 (it is 3)" in failed.value.parameters["message"]


# ----------------------------------------------------------------------------------------- whatever needs what

def test_words_about_what_fails(tmp_path):
    """Each of what a module needs is told, and what modprobe does until it gives up, for each of several modules."""
    make_tree(tmp_path, RELEASE, {
        "bottom": ((), ()), "left": (("bottom",), ()), "right": (("bottom",), ()), "top": (("left", "right"), ()),
        "first": ((), ("alias=kind:*",)), "second": ((), ("alias=kind:*",)), "wants": ((), ("softdep=pre: bottom",))})
    for name in ("bottom", "first"):
        cut(tmp_path / f"lib/modules/{RELEASE}/kernel/{name}.ko", 0)
    root = f"--root={tmp_path}"
    assert "top is left out: it needs left, which needs bottom, which cannot be loaded: its file is empty" in ctl("explain", root, "top").stdout
    table = ctl("plan", root, "top").stdout
    assert "nothing, what it needs fails" in table and "insert, which fails" in table and "bottom  left out: it cannot be loaded: its file is empty" in table
    assert "modprobe would insert second, and fail: first cannot be loaded: its file is empty\n" in ctl("explain", root, "kind:1").stdout
    assert ctl("plan", root, "kind:1").returncode == 1
    assert "modprobe would insert wants\n" in ctl("explain", root, "wants").stdout and ctl("plan", root, "wants").returncode == 0


def random_modules(random, n):
    """Each may need and want others, also in circles of softdeps; aliases have several modules."""
    modules = {}
    for i in range(n):
        needs = tuple(f"m{k}" for k in range(i) if random.random() < 0.25)
        info = [f"softdep={kind}: m{random.randrange(n)}" for kind in ("pre", "post") if random.random() < 0.3]
        info += [f"alias=kind{random.randrange(4)}:*" for _ in range(random.randrange(2))]
        modules[f"m{i}"] = (needs, info)
    return modules


def all_needs(modules, name):
    return {name}.union(*(all_needs(modules, need) for need in modules[name][0]))


@pytest.mark.parametrize("seed", range(6))
def test_plan_foretells_any_load(tmp_path, seed):
    """Of modules that are broken at random, and of what needs and wants them."""
    random = Random(seed)
    modules, release = random_modules(random, 16), os.uname().release
    make_tree(tmp_path / "tree", release, modules)
    broken = set(random.sample(sorted(modules), 4))
    for name in broken:
        cut(tmp_path / f"tree/lib/modules/{release}/kernel/{name}.ko", 0)
    keys = [*modules, *(f"kind{k}:x" for k in range(4) if any(f"alias=kind{k}:*" in info for _, info in modules.values()))]
    told = subprocess.run([LKMCTL, "plan", "--json=short", f"--root={tmp_path}/tree", *keys], capture_output=True, text=True, timeout=120, check=False)
    plans = [json.loads(line) for line in told.stdout.splitlines()]
    assert [p["key"] for p in plans] == keys, told
    daemon = Daemon(tmp_path / "tree")
    try:
        daemon.start()
        daemon.loader.errors |= dict.fromkeys(broken, -8)
        for plan in plans:
            steps, before = sorted(s["module"] for s in plan["steps"]), len(daemon.loader.requests)
            failing = {o["module"] for o in plan["omissions"] if o["kind"] == "file_unusable"}
            fails = any(o["required"] for o in plan["omissions"])
            try:
                records = daemon.call("Load", name=plan["key"])
                assert not fails, plan
            except VarlinkError as error:
                assert fails and error.name == "LoadFailed", (plan, error)
                records = error.parameters
            assert sorted(n for n, _, outcome in names(records) if outcome == "loaded") == steps, plan
            made = sorted(m for _, m, _, _ in daemon.loader.requests[before:])
            tried = {name for name in failing if all_needs(modules, name) & broken == {name}}
            assert made == sorted([*steps, *tried]) and failing <= broken, plan
    finally:
        daemon.close()
