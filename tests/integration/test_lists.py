# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lists that are shipped: each module they name is one of Debian's kernel, or known to be one of other kernels."""

import fnmatch
import json
import os
import re
from pathlib import Path

import pytest

from policy_bench import machine, tree  # noqa: F401

PROJECT = Path(__file__).resolve().parents[2]
LISTS_OF_ALL = sorted((PROJECT / "conf/lists").glob("*.yaml"))
AUTOLOAD = PROJECT / "conf/lists/no-unprivileged-autoload.yaml"  # it names aliases, and no modules
LISTS = [path for path in LISTS_OF_ALL if path != AUTOLOAD]

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
    assert sorted(re.findall(r"lists/([a-z-]+\.yaml)", build)) == [path.name for path in LISTS_OF_ALL]


# ----------------------------------------------------------------------------------------------- no-unprivileged-autoload

def patterns_of(rule, key):
    found = re.search(rf"\b{key}: (\[[^]]*\]|[^,}}\n]+)", rule)
    return [] if not found else [word.strip().strip('"') for word in found[1].strip("[]").split(",")]


def autoload_rules():
    return re.split(r"\n  - id: ", AUTOLOAD.read_text(encoding="utf-8"))[1:]


def test_each_exception_says_what_needs_it():
    """And nothing else is said to be needed: an alias that was let through once, and is not any more."""
    n_exceptions = 0
    for rule in autoload_rules():
        exceptions = {pattern[1:] for key in ("alias", "unit") for pattern in patterns_of(rule, key) if pattern.startswith("!")}
        needed = {name.strip() for line in re.findall(r'      - "([^:"]+): ', rule) for name in line.split(",")}
        assert exceptions == needed, rule.splitlines()[0]
        n_exceptions += len(exceptions)
        assert "origin: kernel" in rule and 'uid: "!0"' in rule and "verdict: deny" in rule
    assert n_exceptions > 20


@pytest.fixture(scope="module")
def debian_aliases():
    for root in [Path(os.environ[name]) for name in ("LKMD_GUEST_ROOT",) if name in os.environ] + [Path("/")]:
        for aliases in sorted(root.glob("lib/modules/*/modules.alias")):
            if aliases.stat().st_size > 200_000:
                return {line.split()[1].replace("-", "_") for line in aliases.read_text(encoding="utf-8").splitlines() if line.startswith("alias ")}
    pytest.skip("no Debian kernel here (LKMD_GUEST_ROOT)")


def test_each_alias_is_one_that_modules_have(debian_aliases):
    """What the kernel asks for by a name of its own (binfmt-, tcp-ulp-, sch_ of older kernels), or has built in, has no alias in Debian."""
    without = {"algif-*", "binfmt-*", "sch_*", "cls_*", "act_*", "tcp-ulp-*"}
    for rule in autoload_rules():
        for pattern in patterns_of(rule, "alias"):
            if not pattern.startswith("!") and pattern not in without:
                assert fnmatch.filter(debian_aliases, pattern.replace("-", "_")), pattern


def test_the_list_is_right_and_lint_has_nothing_to_say(machine):  # noqa: F811
    machine.write("usr/share/lkmd/lists/no-unprivileged-autoload.yaml", AUTOLOAD.read_text(encoding="utf-8"))
    machine.policy("version: 1\nmode: audit\ninclude: [no-unprivileged-autoload]\n")
    n = len(autoload_rules())
    assert f"{n} rules in" in machine.run("policy", "check", tree=False, check=0).stdout
    findings = json.loads(machine.run("policy", "lint", "--json", check=0).stdout)
    assert [finding for finding in findings if finding["kind"] != "looked_at" and "autoload" in finding.get("file", "")] == []
    rules = [rule for rule in json.loads(machine.run("policy", "show", "--json", tree=False, check=0).stdout) if rule["source"] == "list"]
    assert len(rules) == n and {rule["mode"] for rule in rules} == {"audit"} and {rule["verdict"] for rule in rules} == {"deny"}
    assert [rule["rule"] for rule in rules if rule["scope"] == "use"] == ["unprivileged-exploited-sockets"]


@pytest.mark.parametrize("alias, options, status", [
    ("net-pf-9", ["--uid", "65534"], 3),
    ("net-pf-9", ["--uid", "0"], 0),
    ("net-pf-38", ["--uid", "65534"], 3),               # though this tree has no such module: the socket itself
])
def test_what_the_list_refuses(machine, alias, options, status):  # noqa: F811
    machine.write("usr/share/lkmd/lists/no-unprivileged-autoload.yaml", AUTOLOAD.read_text(encoding="utf-8"))
    machine.policy("version: 1\ninclude: [no-unprivileged-autoload]\n")
    machine.run("explain", alias, "--origin", "kernel", *options, check=status)
    machine.policy("version: 1\nmode: audit\ninclude: [no-unprivileged-autoload]\n")
    machine.run("explain", alias, "--origin", "kernel", *options, check=5 if alias == "net-pf-38" else 0)
