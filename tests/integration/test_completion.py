# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shells offer while a line is typed. Those that are not installed are compared with the table of verbs and options only."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lkmctl_bench import read_until

PROJECT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev"))
BASH, ZSH, FISH = (BUILD / "completion" / name for name in ("lkmctl", "_lkmctl", "lkmctl.fish"))

DEVICES = {path.name for pattern in ("bus/*/devices/*", "class/*/*") for path in Path("/sys").glob(pattern)}
GRANTS = [{"id": "grant-3"}, {"id": "grant-12"}]


def modules_on_disk():
    file = Path("/lib/modules") / os.uname().release / "modules.dep"
    names = (line.split(":")[0].split("/")[-1].split(".ko")[0] for line in (file.read_text().splitlines() if file.exists() else []))
    return {name.replace("-", "_") for name in names}


ON_DISK = modules_on_disk()

# The line as bash divides it into words, and what it offers.
BASH_CASES = [
    ("lkmctl stat", {"static-nodes", "status"}),
    ("lkmctl help re", {"reload", "require", "resolve"}),
    ("lkmctl plan --roo", {"--root="}),
    ("lkmctl diff-modprobe --a", {"--all"}),
    ("lkmctl plan --hos", set()),
    ("lkmctl --qui", {"--quiet"}),
    ("lkmctl wait --id", {"--idle"}),
    ("lkmctl list --id", set()),
    ("lkmctl metr", {"metrics"}),
    ("lkmctl metrics --out", {"--output="}),
    ("lkmctl wait --dev", {"--device="}),
    ("lkmctl wait --device = /sys/devi", {"/sys/devices"}),
    ("lkmctl wait --device =", {f"/sys/{name}" for name in os.listdir("/sys")}),
    ("lkmctl --json = sh", {"short"}),
    ("lkmctl --js", {"--json", "--json=short", "--json=pretty"}),
    ("lkmctl -H box lo", {"load", "log"}),
    ("lkmctl --json lo", {"load", "log"}),
    ("lkmctl --json = short lo", {"load", "log"}),
    ("lkmctl policy pr", {"propose", "preview"}),
    ("lkmctl policy allow --unt", {"--until-reboot"}),
    ("lkmctl policy lint --roo", {"--root="}),
    ("lkmctl policy show --roo", set()),
    ("lkmctl policy revoke x", set()),
    ("lkmctl notify --t", {"--terminal"}),
    ("lkmctl help policy li", {"lint"}),
    ("lkmctl help plan re", set()),
    ("lkmctl explain --origin = ke", {"kernel"}),
    ("lkmctl explain --policy = x --ui", {"--uid="}),
    ("lkmctl explain /sys/devi", {"/sys/devices"}),
    ("lkmctl devices l", {name for name in DEVICES if name.startswith("l")}),
    ("lkmctl status lo", {name for name in DEVICES if name.startswith("lo")} | {name for name in ON_DISK if name.startswith("lo")}),
    ("lkmctl wait --device = l", set()),
    ("lkmctl policy ed", {"edit"}),
    ("lkmctl policy edit ", {"10-test.yaml", "90-test.yaml"}),
    ("lkmctl policy edit 9", {"90-test.yaml"}),
    ("lkmctl policy edit /etc/host", {"/etc/" + name for name in os.listdir("/etc") if name.startswith("host")}),
    ("lkmctl policy revoke ", {"grant-3", "grant-12"}),
    ("lkmctl policy revoke grant-1", {"grant-12"}),
    ("lkmctl load e1000", {name for name in ON_DISK if name.startswith("e1000")}),
    ("lkmctl load usb-st", {name for name in ON_DISK if name.startswith("usb_st")}),
    ("lkmctl load $(x)", set()),
    ("lkmctl policy check /etc/host", {"/etc/" + name for name in os.listdir("/etc") if name.startswith("host")}),
    ("lkmctl policy propose --since = ", {"boot"}),
    ("lkmctl policy propose --since 2", set()),
]


@pytest.fixture(autouse=True, scope="module")
def offered(tmp_path_factory):
    """Two policy files, and an lkmctl in the path that knows of two grants."""
    root = tmp_path_factory.mktemp("root")
    directory = root / "etc/lkmd/policy.d"
    directory.mkdir(parents=True)
    for name in ("10-test.yaml", "90-test.yaml", ".hidden.yaml", "README"):
        (directory / name).touch()
    program = root / "lkmctl"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps({'id': 'x', 'grants': GRANTS}, separators=(',', ':'))}\nEND\n")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{root}:{os.environ['PATH']}")
        patch.setenv("LKMD_POLICY_ROOT", str(root))
        yield


def bash(script, *arguments):
    done = subprocess.run(["bash", "-c", f'source "$0"; {script}', BASH, *arguments], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("line, expected", BASH_CASES)
def test_completion_of_bash(line, expected):
    script = 'compopt() { :; }; COMP_WORDS=(lkmctl "$@"); COMP_CWORD=$#; _lkmctl; printf "%s\\n" "${COMPREPLY[@]}"'
    assert set(bash(script, *line.split(" ")[1:])) - {""} == expected


def test_bash_joins_what_readline_divides_at_colons(tmp_path):
    (tmp_path / "0000:00:1f.2").touch()
    (tmp_path / "0000:00:1f.3").touch()
    script = ('compopt() { :; }; COMP_WORDBREAKS=$\'"=:\\n \'; COMP_WORDS=(lkmctl "$@"); COMP_CWORD=$#; _lkmctl;'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    assert set(bash(script, "policy", "check", f"{tmp_path}/0000", ":", "00", ":", "1f")) == {"1f.2", "1f.3"}
    assert set(bash(script, "policy", "check", f"{tmp_path}/0000", ":")) == {"00:1f.2", "00:1f.3"}
    assert set(bash(script, "policy", "check", f"{tmp_path}/0000", ":", "00", ":", "1f.2", "--js")) == {"--json", "--json=short", "--json=pretty"}


# ------------------------------------------------------------------------------- all three know what the table knows

@pytest.fixture(scope="module")
def table():
    done = subprocess.run([BUILD / "src/cli/lkmctl", "help", "--json"], check=True, capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
    return json.loads(done.stdout)


def options_of(verb):
    return {"--" + option["name"] for option in verb["options"]}


def test_bash_knows_the_table(table):
    first = [verb["name"] for verb in table if " " not in verb["name"]]
    assert bash("_lkmctl_verbs ''") == first
    for word in first:
        below = [verb["name"].removeprefix(word + " ") for verb in table if verb["name"].startswith(word + " ")]
        assert bash(f"_lkmctl_verbs {word}") == below
    for verb in table:
        offered = bash('_lkmctl_options "$1"', verb["name"])
        assert {option.split("=")[0] for option in offered} == options_of(verb), verb
        for option in verb["options"]:
            assert bool(bash('! _lkmctl_value "$1" || echo yes', "--" + option["name"])) == ("argument" in option), option
            if "letter" in option and "argument" in option:
                assert bash('_lkmctl_value "$1" && echo yes', "-" + option["letter"])


def test_zsh_knows_the_table(table):
    text = ZSH.read_text()
    parts = dict(re.findall(r"^        '([a-z -]+)'\)\n(.*?)^                ;;\n", text, re.MULTILINE | re.DOTALL))
    assert list(parts) == [verb["name"] for verb in table]
    for verb in table:
        assert f"'{verb['name'].split()[-1]}:{verb['summary']}'" in text
        assert set(re.findall(r"(?<=[',])--[a-z.-]+", parts[verb["name"]])) == options_of(verb), verb
        for option in verb["options"]:
            if "letter" in option:
                assert "{-%s" % option["letter"] in parts[verb["name"]]


def test_fish_knows_the_table(table):
    verbs, options = [], {verb["name"]: set() for verb in table}
    for line in FISH.read_text().splitlines():
        words = shlex.split(line) if line.startswith("complete -c lkmctl -n") else []
        if "-l" in words:
            for verb in shlex.split(words[4])[1:]:
                if verb != "none":
                    options[verb].add("--" + words[words.index("-l") + 1])
        elif "-d" in words:
            above = words[4].split()[1]
            verbs.append({"name": words[words.index("-a") + 1] if above == "none" else f"{above} {words[words.index('-a') + 1]}",
                          "summary": words[words.index("-d") + 1]})
    assert verbs == [{key: verb[key] for key in ("name", "summary")} for verb in table]
    assert options == {verb["name"]: options_of(verb) for verb in table}


# -------------------------------------------------------------------------------------------- shells that may be missing

def test_zsh_reads_it():
    subprocess.run(["zsh", "-f", "-n", ZSH], check=True, timeout=60)


ZSH_SETUP = """PROMPT=; unsetopt LIST_AMBIGUOUS; fpath=({directory} $fpath); autoload -Uz compinit; compinit -u -D
probe() {{ zle complete-word; print -r -- "<<$BUFFER>>" }}; zle -N probe; bindkey '^I' probe; print READ''Y
"""
ZSH_CASES = [
    ("lkmctl swee", "lkmctl sweep "),
    ("lkmctl help policy li", "lkmctl help policy lint "),
    ("lkmctl policy lint --roo", "lkmctl policy lint --root="),
    ("lkmctl policy show --roo", "lkmctl policy show --roo"),
    ("lkmctl list --id", "lkmctl list --id"),
    ("lkmctl wait --id", "lkmctl wait --idle "),
    ("lkmctl wait --device=/sys/devi", "lkmctl wait --device=/sys/devices/"),
    ("lkmctl --json=sh", "lkmctl --json=short "),
    ("lkmctl -H box loa", "lkmctl -H box load "),
    ("lkmctl policy allow --unt", "lkmctl policy allow --until-reboot "),
    ("lkmctl explain --origin=ke", "lkmctl explain --origin=kernel "),
    ("lkmctl explain --policy=x --ui", "lkmctl explain --policy=x --uid="),
    ("lkmctl policy edit 9", "lkmctl policy edit 90-test.yaml "),
    ("lkmctl policy revoke grant-1", "lkmctl policy revoke grant-12 "),
    ("lkmctl devices tty10", "lkmctl devices tty10 "),
    ("lkmctl notify --te", "lkmctl notify --terminal "),
    ("lkmctl policy propose --since=", "lkmctl policy propose --since=boot "),
]


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_completion_of_zsh():
    """Lines that are typed, and what is there after the tabulator."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {"PATH": os.environ["PATH"], "TERM": "dumb", "LANG": "C.UTF-8",
                                                  "LKMD_POLICY_ROOT": os.environ["LKMD_POLICY_ROOT"]})
    try:
        os.write(terminal, ZSH_SETUP.format(directory=ZSH.parent).encode())
        read_until(terminal, rb"READY")
        for line, expected in ZSH_CASES:
            os.write(terminal, line.encode() + b"\t")
            shown = read_until(terminal, rb"<<[^>]*>>")
            os.write(terminal, b"\x15")                 # the next one begins on an empty line
            assert re.search(rb"<<([^>]*)>>", shown).group(1).decode() == expected
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


FISH_CASES = [
    ("lkmctl stat", {"static-nodes", "status"}),
    ("lkmctl help re", {"reload", "require", "resolve"}),
    ("lkmctl help policy li", {"lint"}),
    ("lkmctl policy pr", {"propose", "preview"}),
    ("lkmctl plan --roo", {"--root"}),
    ("lkmctl plan --hos", set()),
    ("lkmctl list --id", set()),
    ("lkmctl wait --id", {"--idle"}),
    ("lkmctl wait --device=/sys/devi", {"--device=/sys/devices/"}),
    ("lkmctl wait --device /sys/devi", {"/sys/devices/"}),
    ("lkmctl --json=sh", {"--json=short"}),
    ("lkmctl -H box lo", {"load", "log"}),
    ("lkmctl policy allow --unt", {"--until-reboot"}),
    ("lkmctl policy show --roo", set()),
    ("lkmctl explain --origin ke", {"kernel"}),
    ("lkmctl explain --policy x --ui", {"--uid"}),
    ("lkmctl explain /sys/devi", {"/sys/devices/"}),
    ("lkmctl policy propose --since ", {"boot"}),
    ("lkmctl policy edit ", {"10-test.yaml", "90-test.yaml"}),
    ("lkmctl policy edit 9", {"90-test.yaml"}),
    ("lkmctl policy revoke ", {"grant-3", "grant-12"}),
    ("lkmctl devices lo", {name for name in DEVICES if name.startswith("lo")}),
    ("lkmctl wait --device lo", set()),
    ("lkmctl notify --te", {"--terminal"}),
]


def test_completion_of_fish():
    for line, expected in FISH_CASES:
        done = subprocess.run(["fish", "--no-config", "-c", f"source {FISH}; complete -C '{line}'"], check=True, capture_output=True,
                              text=True, timeout=60)
        assert done.stderr == "", line
        # For what begins so; fish also offers what has the letters further behind, "--quiet" for "--ui".
        word = line.split(" ")[-1]
        assert {offer.split("\t")[0] for offer in done.stdout.splitlines() if offer.startswith(word)} == expected, line
