# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs of lkmctl that need no daemon, on a tree made by depmod: beside modprobe, in JSON, and with bad input."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from module_tree import make_tree

PROJECT = Path(__file__).resolve().parents[2]
LKMCTL = str(Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev")) / "src/cli/lkmctl")
RELEASE = "6.0.0-tree"

MODULES = {  # name: (needs symbols of, further lines of modinfo)
    "base": ((), ()),
    "bus-core": (("base",), ("alias=fs-bus",)),
    "drv_one": (("bus-core",), ("alias=pci:v00001111d*sv*sd*bc*sc*i*", "softdep=pre: alg-crc")),
    "drv_two": (("bus-core",), ("alias=pci:v00001111d00000001sv*sd*bc*sc*i*", "alias=pci:v0000*")),
    "alg_fast": ((), ("alias=alg-crc",)),
    "helper": ((), ()),
    "alone": ((), ("weakdep=helper",)),
}
DEVICE = "pci:v00001111d00000001sv0sd0bc0sc0i0"
CONFIG = """install drv_one /bin/false
softdep helper pre: alone
softdep helper post: base
softdep bus_core pre: helper
install bus_core /bin/echo bus
options alone a=1
blacklist drv_two
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    make_tree(root, RELEASE, MODULES)
    (root / "none").mkdir()
    (root / "conf").mkdir()
    (root / "conf/a.conf").write_text(CONFIG)
    return root


@pytest.fixture
def ctl(root):
    def run(*words, config="conf", data=None, check=None):
        where = ["--root", root, "--kernel", RELEASE, "--config", root / config]
        done = subprocess.run([LKMCTL, *words[:1], *where, *words[1:]], input=data, capture_output=True, timeout=60, check=False,
                              stdin=None if data is not None else subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99",
                                   "UBSAN_OPTIONS": "halt_on_error=1"})
        if check is not None:
            assert done.returncode == check, done
        return done
    return run


def modprobe(root, config, *words):
    return subprocess.run(["modprobe", "-d", root, "-S", RELEASE, "-C", root / config, *words], capture_output=True, text=True,
                          check=False).stdout.splitlines()


KEYS = [*MODULES, "drv-one", "in_kernel", "alg-built-in", "fs-bus", "alg-crc", DEVICE, "symbol:base_symbol", "no-such", "x[", "*"]


# ------------------------------------------------------------------------------------------------ did you mean ...?

@pytest.mark.parametrize("verb", ["plan", "explain", "deps", "diff-modprobe"])
@pytest.mark.parametrize("typed, meant", [
    ("bsae", "base"), ("buscore", "bus_core"), ("bus-croe", "bus_core"), ("drv_tow", "drv_two"), ("fs-bsu", "fs-bus"),
    ("in_kernle", "in_kernel"), ("pci:w00001111d*", None), ("nothing-near", None),
])
def test_what_was_probably_meant(ctl, verb, typed, meant):
    stderr = ctl(verb, typed, check=5).stderr.decode()
    assert f"no module and no alias is called '{typed}'" in stderr
    assert ("did you mean" in stderr) == bool(meant)
    assert meant is None or f", did you mean '{meant}'?" in stderr
    answer = json.loads(ctl(verb, typed, "--json=short", check=5).stdout.splitlines()[-1])
    assert meant is None or answer["message"].endswith(f"did you mean '{meant}'?")


def test_aliases_of_the_configuration_may_be_meant(root, ctl):
    (root / "more").mkdir(exist_ok=True)
    (root / "more/a.conf").write_text("alias graphics alone\n")
    assert "did you mean 'graphics'?" in ctl("plan", "grapihcs", config="more", check=5).stderr.decode()


def test_resolve_asks_back_on_terminals_only(root, ctl):
    assert ctl("resolve", "bsae", check=5).stderr == b""
    master, slave = pty.openpty()
    done = subprocess.run([LKMCTL, "resolve", "--root", root, "--kernel", RELEASE, "--config", root / "none", "bsae", "nothing-near"],
                          stdout=subprocess.PIPE, stderr=slave, timeout=60, check=False)
    os.close(slave)
    assert (done.returncode, done.stdout) == (5, b"bsae\t\nnothing-near\t\n")
    assert os.read(master, 4096) == b"lkmctl: nothing is called 'bsae', did you mean 'base'?\r\n"
    os.close(master)


# ------------------------------------------------------------------------------------------------------ resolve

@pytest.mark.parametrize("config", ["none", "conf"])
def test_resolve_is_what_modprobe_resolves(root, ctl, config):
    expected = [f"{key}\t{' '.join(modprobe(root, config, '-R', key))}" for key in KEYS]
    found = []
    for key in KEYS:
        done = ctl("resolve", key, config=config)
        found += done.stdout.decode().splitlines()
        assert done.returncode == (5 if found[-1].endswith("\t") else 0)
    assert found == expected
    many = ctl("resolve", "-", config=config, data="\n".join(KEYS).encode(), check=0)
    assert many.stdout.decode().splitlines() == expected
    assert f"{DEVICE}\tdrv_one drv_two drv_two" in expected


def test_resolve_of_the_corpus_is_what_modprobe_resolves(ctl):
    corpus = Path(os.environ.get("LKMD_CORPUS", "/nonexistent"))
    lines = [line for file in sorted(corpus.glob("**/*.txt")) for line in file.read_bytes().splitlines() if line]
    if not lines:
        pytest.skip("no corpus here (LKMD_CORPUS)")
    data = b"\n".join(lines) + b"\n"
    found = ctl("resolve", "-", data=data, check=0).stdout.split(b"\n")[:-1]
    assert [line.split(b"\t")[0] for line in found] == lines
    sample = lines[:: max(1, len(lines) // 40)]
    for line in sample:
        few = ctl("resolve", line).stdout
        assert few.rstrip(b"\n") == found[lines.index(line)]


def test_resolve_answers_each_line_before_the_next_comes(root):
    words = [LKMCTL, "resolve", "--root", root, "--kernel", RELEASE, "--config", root / "none", "-"]
    for more in ([], ["--json=short"]):
        with subprocess.Popen([*words, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
            for key in (b"fs-bus", b"alone"):
                process.stdin.write(key + b"\n")
                answer = process.stdout.readline()
                assert key in answer and answer.endswith(b"\n")
            process.stdin.close()
        assert process.returncode == 0


def test_resolve_takes_any_bytes(ctl):
    keys = [b"\xff\xfe", b"x" * 4096, b"y" * 100_000, b" ", b"alone\r", b"a\tb", "ü".encode()]
    done = ctl("resolve", "-", data=b"\n\n" + b"\n".join(keys) + b"\nalone\n\n", check=0)
    assert done.stdout.split(b"\n") == [*(key + b"\t" for key in keys), b"alone\talone", b""]
    for key in keys:
        assert ctl("resolve", key, check=5).stdout == key + b"\t\n"
        assert json.loads(ctl("resolve", "--json", key, check=5).stdout)[0]["modules"] == []


def test_resolve_in_json(ctl):
    lines = ctl("resolve", "--json=short", "-", data=b"fs-bus\nno\n", check=0).stdout.decode().splitlines()
    assert [json.loads(line) for line in lines] == [{"key": "fs-bus", "modules": ["bus_core"]}, {"key": "no", "modules": []}]
    assert json.loads(ctl("resolve", "--json", "alone", "base", check=0).stdout) == [
        {"key": "alone", "modules": ["alone"]}, {"key": "base", "modules": ["base"]}]


# --------------------------------------------------------------------------------------------------------- plan

@pytest.mark.parametrize("key", ["base", "bus-core", "drv-two", "alone", "fs-bus", DEVICE])
def test_plan_is_what_modprobe_shows(root, ctl, key):
    expected = {line.split()[1] for line in modprobe(root, "none", "-D", key)}
    plans = json.loads(ctl("plan", "--json", key, config="none", check=0).stdout)
    assert {step["path"] for step in plans["steps"]} == expected


def test_plan_is_a_tree_with_reasons(ctl):
    text = ctl("plan", "helper", check=0).stdout.decode()
    lines = text.splitlines()
    assert lines[0].split() == ["MODULE", "WHY", "WHAT", "PARAMETERS", "ORDER"]
    assert lines[1].startswith("helper") and "requested" in lines[1]
    assert "alone" in lines[2] and "wanted before" in lines[2] and "a=1 (" in lines[2] and "a.conf:6)" in lines[2]
    assert "base" in lines[3] and "wanted after" in lines[3]


@pytest.mark.parametrize("key,status,text", [
    ("drv_one", 3, "denied by"), ("drv_two", 0, "bus"), ("no-such", 5, "no module and no alias"), ("pci:v0000", 3, "blacklisted"),
])
def test_plan_says_what_load_would(ctl, key, status, text):
    done = ctl("plan", key, check=status)
    assert text in (done.stdout + done.stderr).decode()


def test_plan_of_several(ctl):
    done = ctl("plan", "--json=short", "alone", "drv_one", "base", check=3)
    assert [json.loads(line)["key"] for line in done.stdout.splitlines()] == ["alone", "drv_one", "base"]


# ------------------------------------------------------------------------------------------------ deps and config

def test_deps(ctl):
    found = json.loads(ctl("deps", "--json", "drv-one", check=0).stdout)
    assert [d["module"] for d in found["dependencies"]] == ["base", "bus_core"]
    assert found["softdepsPre"][0]["module"] == "alg_crc"
    assert json.loads(ctl("deps", "--json", "alone", check=0).stdout)["weakdeps"][0]["modules"].strip() == "helper"
    assert b"softdep pre" in ctl("deps", "drv_one", check=0).stdout
    assert b"needs no other" in ctl("deps", "base", check=0).stdout
    assert b"built into the kernel" in ctl("deps", "in_kernel", check=0).stdout
    ctl("deps", "no-such", check=5)


def test_config(root, ctl):
    found = [entry for entry in json.loads(ctl("config", "--json", check=0).stdout) if entry["file"].startswith(str(root / "conf"))]
    assert {(entry["kind"], entry["name"], entry["line"]) for entry in found} == {
        (*line.split()[:2], number) for number, line in enumerate(CONFIG.splitlines(), 1)}
    assert b"a.conf:6" in ctl("config", "alone", check=0).stdout
    assert b"No line" in ctl("config", "alg_fast", config="none", check=0).stdout


def test_config_without_any_modules(root):
    done = subprocess.run([LKMCTL, "config", "--root", root / "none", "--config", root / "conf", "--json=short"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and "no modules for this kernel" in done.stderr
    assert sum(json.loads(line)["file"].endswith("a.conf") for line in done.stdout.splitlines()) == len(CONFIG.splitlines())


# -------------------------------------------------------------------------------------------------- diff-modprobe

def test_diff_modprobe(root, ctl):
    lines = ctl("diff-modprobe", check=0).stdout.decode().splitlines()
    place = f"{root}/conf/a.conf"
    assert lines == ctl("diff-modprobe", "--all", check=0).stdout.decode().splitlines()
    assert f"drv_one: lkmd denies it ({place}:1: install drv_one /bin/false); modprobe loads it, since it has a softdep" in lines
    assert f"bus_core: lkmd runs the command of it ({place}:5: install bus_core /bin/echo bus); modprobe loads the module itself, " \
           "since it has a softdep" in lines
    assert f"helper: lkmd loads base after helper ({place}:3: softdep helper post: base); modprobe does not, it takes the first " \
           "softdep line of helper only" in lines
    found = json.loads(ctl("diff-modprobe", "--json", check=0).stdout)
    assert len(found) == len(lines)
    assert {"module": "drv_one", "difference": "denied", "subject": "drv_one", "file": place, "line": 1}.items() <= \
        next(entry for entry in found if entry["module"] == "drv_one").items()


def test_diff_modprobe_without_any(ctl):
    assert b"No difference" in ctl("diff-modprobe", config="none", check=0).stdout
    assert b"No difference" in ctl("diff-modprobe", "alone", "base", check=0).stdout
    assert json.loads(ctl("diff-modprobe", "--json", config="none", check=0).stdout) == []


def test_diff_modprobe_of_what_does_not_exist(ctl):
    assert b"ksmbd" in ctl("diff-modprobe", "ksmbd", check=5).stderr
    ctl("diff-modprobe", "--all", "alone", check=2)


# ------------------------------------------------------------------------------------------------------ bad input

@pytest.mark.parametrize("words", [
    ["resolve", "-H", "there", "x"], ["plan", "--host=there", "x"], ["load", "--root", "/", "x"], ["status", "--config", "/x"],
    ["resolve", "--all", "x"], ["plan"], ["resolve"], ["deps", "a", "b"], ["config", "--config", ""], ["plan", "--kernel", "a/b", "x"],
    ["deps", "--kernel", "", "x"],
])
def test_usage(words):
    done = subprocess.run([LKMCTL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("lkmctl: ")
    assert json.loads(subprocess.run([LKMCTL, *words, "--json=short"], capture_output=True, check=False).stdout)["error"] == \
        "io.lkmd.Client.Usage"


@pytest.mark.parametrize("words", [["plan", "x"], ["deps", "x"], ["diff-modprobe"], ["resolve", "-"], ["resolve", "x"]])
def test_a_tree_without_modules(tmp_path, words):
    done = subprocess.run([LKMCTL, *words, "--root", tmp_path, "--kernel", "1"], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 5 and str(tmp_path) in done.stderr


@pytest.mark.parametrize("words", [["plan", "alone"], ["resolve", "-"], ["deps", "alone"], ["diff-modprobe"]])
def test_a_broken_index_is_named(root, tmp_path, words):
    subprocess.run(["cp", "-r", root / "lib", tmp_path], check=True)
    (tmp_path / "lib/modules" / RELEASE / "modules.alias.bin").write_bytes(b"\xb0\x07\xf4\x57\0\2\0\1\xff\xff\xff\xff")
    done = subprocess.run([LKMCTL, *words, "--root", tmp_path, "--kernel", RELEASE, "--config", root / "conf"], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "modules.alias.bin" in done.stderr


# ------------------------------------------------------------------------------------------ what cannot be read

@pytest.fixture
def somebodys_ctl(tmp_path):
    """lkmctl as a user who is not root, on a tree of its own; .tree and .conf are what to take the rights from."""
    make_tree(tmp_path, RELEASE, MODULES)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/a.conf").write_text(CONFIG)
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)

    def run(*words):
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", LKMCTL, words[0], "--root", tmp_path,
                               "--kernel", RELEASE, "--config", tmp_path / "conf", *words[1:]], capture_output=True, text=True,
                              timeout=60, check=False, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99"})
    run.conf = tmp_path / "conf"
    run.tree = tmp_path / "lib/modules"
    return run


@pytest.mark.parametrize("verb", [("resolve", "alone"), ("plan", "alone"), ("explain", "alone"), ("deps", "alone")])
@pytest.mark.parametrize("below,mode", [(".", 0o700), (RELEASE, 0o700), (f"{RELEASE}/modules.dep.bin", 0o600)])
def test_modules_that_somebody_may_not_read(somebodys_ctl, verb, below, mode):
    """It is not "nothing", and depmod would not help."""
    assert somebodys_ctl(*verb).returncode == 0
    (somebodys_ctl.tree / below).chmod(mode)
    done = somebodys_ctl(*verb)
    assert done.returncode == 1, done
    assert "may not be read" in done.stderr and "the same with sudo" in done.stderr
    assert "depmod" not in done.stderr


@pytest.mark.parametrize("verb", [("resolve", "alone"), ("plan", "alone"), ("explain", "alone"), ("config",)])
@pytest.mark.parametrize("below,mode", [("", 0o700), ("a.conf", 0o600)])
def test_lines_that_somebody_may_not_read(somebodys_ctl, verb, below, mode):
    (somebodys_ctl.conf / below).chmod(mode)
    done = somebodys_ctl(*verb)
    assert f"{somebodys_ctl.conf}{'/' + below if below else ''}: cannot be read: Permission denied" in done.stderr, done


def test_the_longest_keys(tmp_path):
    """kmod keeps a key and the name of the module that it means in one buffer of PATH_MAX."""
    make_tree(tmp_path, RELEASE, {"modname8": ((), ("alias=long*",))})
    (tmp_path / "none").mkdir()
    for length, kmod_finds in ((4086, True), (4087, False), (4096, False)):
        key = "long".ljust(length, "x")
        where = ["--root", tmp_path, "--kernel", RELEASE, "--config", tmp_path / "none"]
        ours = subprocess.run([LKMCTL, "resolve", *where, key], capture_output=True, text=True, check=True)
        assert ours.stdout.split()[-1] == "modname8"
        theirs = subprocess.run(["modprobe", "-d", tmp_path, "-S", RELEASE, "-C", tmp_path / "none", "-R", key], capture_output=True, check=False)
        assert (theirs.returncode == 0) == kmod_finds, length


@pytest.mark.parametrize("program", ["cli/lkmctl", "daemon/lkmd-loader", "daemon/lkmd-reader", "daemon/lkmd-handover"])
def test_nobody_but_lkmd_knows_of_its_images(program):
    """What user lkmd can write is nothing that root looks things up in: no other program has the name of that directory."""
    build = Path(LKMCTL).parents[1]
    known = [word in (build / program).read_bytes() for word in (b"/var/cache/lkmd", b"LKMD_IMAGE_DIR")]
    assert known == [False, False]
    assert b"/var/cache/lkmd" in (build / "daemon/lkmd").read_bytes()


def test_an_image_is_not_asked(root, tmp_path):
    """lkmctl opens none, whatever the environment says."""
    os.mkfifo(tmp_path / RELEASE)                       # whoever opened it for reading would hang or complain
    for verb, *words in (["deps", "drv_one"], ["plan", "drv_one"], ["resolve", "alg-crc"]):
        done = subprocess.run([LKMCTL, verb, "--root", root, "--kernel", RELEASE, "--config", root / "none", *words], text=True,
                              capture_output=True, check=False, timeout=60, env={**os.environ, "LKMD_IMAGE_DIR": str(tmp_path)})
        assert (done.returncode, done.stderr) == (0, ""), done
