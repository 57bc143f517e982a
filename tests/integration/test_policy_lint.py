# SPDX-License-Identifier: LGPL-2.1-or-later
"""policy lint: what it finds in files, lines, names, parameters and commands of modprobe.d and of the kernel command line; what it
accepts; and that it says what it has looked at."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from module_tree import make_tree
from policy_bench import LKMCTL, MODULES, PROJECT, RELEASE, Machine

MORE = {
    "usbhid": ((), ("parm=mousepoll:Polling interval of mice", "parmtype=mousepoll:uint", "alias=usb:v*ic03*")),
    "snd-hda-intel": ((), ("parmtype=index:array of int", "parmtype=model:array of charp", "alias=pci:v00008086d*bc04*")),
    "rtl8723be": ((), ("parmtype=ant_sel:int", "alias=pci:v000010ECd0000B723*")),
    "uvcvideo": ((), ("parmtype=quirks:uint", "alias=usb:v*ic0E*")),
    "floppy": ((), ("parmtype=floppy:charp", "alias=acpi*:PNP0700:*", "alias=block-major-2-*")),
    "i2c-piix4": ((), ("alias=pci:v00001002d*",)),
    "i915": ((), ("parmtype=enable_guc:int", "alias=pci:v00008086d*bc03*")),
    "af_alg": ((), ("alias=net-pf-38",)),
    "algif_aead": (("af_alg",), ("alias=algif-aead",)),
    "nocrypt": ((), ()),
    "ksmbd": ((), ("alias=fs-ksmbd", "softdep=pre: crc-fast")),
    "netfs": ((), ()),
}
BUILTIN = b"in_kernel.alias=alg-built-in\0in_kernel.license=GPL\0ipv6.alias=net-pf-10\0squashfs.alias=fs-squashfs\0"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    make_tree(root, RELEASE, MODULES | MORE)
    directory = root / "lib/modules" / RELEASE
    (directory / "modules.builtin").write_text("kernel/in-kernel.ko\nkernel/net/ipv6/ipv6.ko\nkernel/fs/squashfs.ko\n")
    (directory / "modules.builtin.modinfo").write_bytes(BUILTIN)
    subprocess.run(["depmod", "-b", root, RELEASE], check=True)
    return root


@pytest.fixture
def machine(tree, tmp_path):
    path = tmp_path / "machine"
    path.mkdir()
    return Machine(tree, path)


def lint(machine, *words, check=None):
    found = json.loads(machine.run("policy", "lint", "--json", *words, check=check).stdout)
    return [finding for finding in found if "/proc/cmdline" not in finding.get("file", "")]


def kinds(found):
    return [finding["kind"] for finding in found]


# ------------------------------------------------------------------------------------------------------ lines

@pytest.mark.parametrize("line, kind, says, instead", [
    ("BLACKLIST floppy", "bad_line", "there is no directive 'BLACKLIST'", "blacklist floppy"),
    ("blaclist floppy", "bad_line", "there is no directive 'blaclist'", "blacklist floppy"),
    ("option usbhid mousepoll=8", "bad_line", "no directive 'option'", "options usbhid mousepoll=8"),
    ("modprobe rtl8723be ant_sel=2", "bad_line", "no directive 'modprobe'", "options rtl8723be ant_sel=2"),
    ("modprobe i915", "bad_line", "no directive 'modprobe'", "i915 in a file of /etc/modules-load.d"),
    ("include /etc/modprobe.conf", "bad_line", "knows 'include' no longer", "the lines themselves"),
    ("floppy", "bad_line", "there is no directive 'floppy'", None),
    ("options usbhid", "bad_line", "nothing behind 'usbhid'", "options MODULE PARAM=VALUE"),
    ("install floppy", "bad_line", "nothing behind 'floppy'", "install MODULE COMMAND"),
    ("blacklist", "bad_line", "names no module", "blacklist MODULE"),
    ("alias usb[ floppy", "bad_line", "a bracket in 'usb['", "alias PATTERN MODULE"),
    ("blacklist floppy uvcvideo", "extra_words", "only the first name counts, not 'uvcvideo'", "blacklist uvcvideo"),
    ("alias my-disk floppy uvcvideo", "extra_words", "one module, so 'uvcvideo' does not count", "a line for each module"),
    ("blacklist uvcvideo.ko", "bad_name", "'uvcvideo.ko': that is the name of its file", "blacklist uvcvideo"),
    ("blacklist kernel/drivers/uvcvideo.ko.xz", "bad_name", "the name of its file", "blacklist uvcvideo"),
    ("blacklist i2c-*", "bad_name", "blacklist takes no patterns", "match: {module: GLOB}"),
    ("options snd-* index=1", "bad_name", "options takes no patterns", "a line for each module"),
    ("blacklist \"floppy\"", "bad_name", "quotes belong to the name", "without them"),
    ("softdep i915 vfio-pci", "softdep_without_place", "neither pre: nor post:", "softdep i915 pre: vfio-pci"),
    ("softdep i915 pre:vfio-pci", "softdep_without_place", "a blank has to follow the colon", "softdep i915 pre: vfio-pci"),
    ("softdep i915 pre vfio-pci", "softdep_without_place", "'pre' is taken for a module", "pre:"),
    ("softdep i915 POST: vfio-pci", "softdep_without_place", "'POST:' is taken for a module", "post:"),
    ("softdep i915 pre: vfio-pci,floppy", "bad_name", "a comma does not separate names", "blanks between the modules"),
    ("blacklist floppy;", "bad_name", "the mark at its end belongs to the name", "blacklist floppy"),
    ("options usbhid: mousepoll=8", "bad_name", "the mark at its end", "options usbhid"),
    ("softdep i915 pre: vfio-pci # first", "trailing_comment", "taken for modules: '# first'", "a line of its own"),
    ("options usb-storage delay_use=0 # for the dock", "trailing_comment", "gets as parameters '# for the dock'", "begins with #"),
    ("  # a comment", "indented_comment", "no blanks before its #", "a # at the beginning"),
])
def test_lines(machine, line, kind, says, instead):
    machine.modprobe(line + "\n")
    found = [finding for finding in lint(machine) if finding["kind"] == kind]
    assert [finding["line"] for finding in found] == [1], lint(machine)
    assert says in found[0]["message"]
    assert instead is None and "hint" not in found[0] or instead in found[0]["hint"]


def test_commas(machine):
    machine.modprobe("blacklist floppy, uvcvideo\n")
    found = lint(machine, check=1)
    assert kinds(found) == ["bad_name", "extra_words"]
    assert "a comma does not separate names" in found[0]["message"] and found[0]["hint"] == "blacklist floppy"


@pytest.mark.parametrize("line", [
    "# a comment", "#blacklist floppy", "blacklist floppy # why", "alias my-disk floppy # why", "\tblacklist floppy",
    "install floppy /bin/false # why", "blacklist snd_hda_intel", "blacklist \\\n  floppy", "options usbhid mousepoll=8",
    "options usbhid dyndbg=+p", "options snd-hda-intel model=auto index=-1,0", "options uvcvideo async_probe",
    "alias net-pf-10 off", "softdep i915 pre: vfio-pci post: floppy", "install uas /sbin/modprobe -i uas", "remove floppy /bin/true",
    "blacklist no-such-module-anywhere", "install dccp /bin/false", "alias card floppy\noptions card floppy=thinkpad",
    "softdep i915 pre: net-pf-9", "weakdep i915 vfio-pci",
])
def test_lines_that_are_well(machine, line):
    machine.modprobe(line + "\n")
    assert lint(machine, check=0) == []


# ------------------------------------------------------------------------------------------- names and parameters

@pytest.mark.parametrize("line, kind, says, instead", [
    ("options usbhid mousepoll = 8", "unknown_parameter", "a word for each side of the blank", "options usbhid mousepoll=8,"),
    ("options usbhid mousepoll= 8", "unknown_parameter", "usbhid has no parameter '8'", "options usbhid mousepoll=8,"),
    ("options snd-hda-intel indx=1", "unknown_parameter", "snd_hda_intel has no parameter 'indx'", "index=1"),
    ("options nocrypt a=1", "unknown_parameter", "nocrypt has no parameter 'a'", "nocrypt has no parameters"),
    ("options usbhid zzz", "unknown_parameter", "no parameter 'zzz'", "modinfo -p usbhid"),
    ("alias card snd-hda-intel\noptions card indx=1", "unknown_parameter", "snd_hda_intel has no parameter 'indx'", "index=1"),
    ("options snd_hda_intl index=1", "no_such_module", f"no module of {RELEASE} is called 'snd_hda_intl'", "snd_hda_intel"),
    ("blacklist uvcvidoe", "no_such_module", "is called 'uvcvidoe'", "uvcvideo"),
    ("install usb_storag /bin/false", "no_such_module", "is called 'usb_storag'", "usb_storage"),
    ("softdep i915 pre: vfo-pci", "no_such_module", "is called 'vfo_pci'", "vfio_pci"),
    ("options ipv6 disable=1", "built_in", "ipv6 is built into the kernel", "write ipv6.disable=1 on the kernel command line"),
    ("options squashfs a=1 b", "built_in", "squashfs is built", "write squashfs.a=1 squashfs.b on the kernel command line"),
    ("install ipv6 /bin/true", "built_in", "no install line keeps out what is built into the kernel: ipv6", "ipv6.disable=1"),
    ("install squashfs /bin/true", "built_in", "what is built into the kernel: squashfs", "initcall_blacklist="),
    ("blacklist squashfs", "built_in", "what is built into the kernel: squashfs", "initcall_blacklist="),
    ("softdep squashfs pre: floppy", "built_in", "squashfs is built into the kernel, so it is never loaded", "modules-load.d"),
    ("alias floppy off", "alias_off", "this does not keep floppy out", "install floppy /bin/false"),
    ("alias my-disk flopy", "alias_to_nothing", "this alias leads to nothing: no module", "floppy"),
    ("alias my-disk no-such-module", "alias_to_nothing", "this alias leads to nothing", None),
    ("alias my-disk block-major-2-0", "alias_to_nothing", "is an alias, and an alias cannot lead to another one", "the module"),
    ("install ksmbd /bin/false", "install_overlooked", "modprobe overlooks this line for ksmbd", "verdict: deny"),
    ("install ksmbd /usr/bin/env false", "install_overlooked", "lkmd runs the command", "a unit or a udev rule"),
    ("install floppy /bin/flase", "command_missing", "each load fails for floppy: /bin/flase: No such file", "install floppy /bin/false"),
    ("remove floppy /no/such/program", "command_missing", "each removal fails for floppy: /no/such", "a program that is there"),
    ("install floppy /etc/passwd", "command_missing", "/etc/passwd: Permission denied", "chmod +x"),
    ("install floppy echo a >/dev/null 2>&1 && no-such-program", "command_missing", "no-such-program: No such file", None),
    ("install floppy /bin/true'", "command_missing", "a quote is not closed", "both quotes"),
    ("install floppy /bin/false\ninstall floppy /bin/echo", "only_first_counts", "a.conf:1", "one line"),
])
def test_names_and_parameters(machine, line, kind, says, instead):
    machine.modprobe(line + "\n")
    found = [finding for finding in lint(machine, check=1) if finding["kind"] == kind]
    assert len(found) == 1, lint(machine)
    assert says in found[0]["message"] and found[0]["level"] == "finding"
    assert instead is None or instead in found[0]["hint"]


@pytest.mark.parametrize("command", ["/bin/true;", ":", "exit 1", "! true", "/bin/sh -c \"exit 1\"", "/sbin/nologin", "false"])
def test_an_unusual_denial_is_a_note(machine, command):
    machine.modprobe(f"install floppy {command}\n")
    machine.run("plan", "floppy", check=3)
    found, = lint(machine, check=0)
    assert (found["kind"], found["level"], found["hint"]) == ("unusual_denial", "note", "install floppy /bin/false")
    assert f"'{command}' keeps floppy out" in found["message"]


def test_a_module_that_may_come_later_is_a_note(machine):
    machine.modprobe("options no-such-module-anywhere a=1\nsoftdep i915 pre: no-such-module-anywhere\n")
    assert [(finding["kind"], finding["level"]) for finding in lint(machine, check=0)] == [("absent_module", "note")] * 2
    assert machine.run("policy", "lint", check=0).stdout.splitlines()[-1].startswith("No mistake found, 2 notes. Looked at 2 lines")


# ---------------------------------------------------------------------------------------------------- files

@pytest.mark.parametrize("name, says", [
    ("local", "its name does not end in .conf"),
    ("nvidia.conf.rpmsave", "rpm put it there when it removed or replaced"),
    ("nvidia.conf.rpmnew", "the new version from the package, the old one still counts"),
    ("nvidia.conf.dpkg-old", "dpkg put it there"),
    ("nvidia.conf.dpkg-dist", "yours still counts"),
    ("nvidia.conf.pacnew", "the old one still counts"),
    ("nvidia.conf.bak", "a copy of an earlier version"),
    ("nvidia.conf~", "an editor keeps the earlier version"),
    (".nvidia.conf", "its name begins with a dot"),
])
def test_files_that_nothing_reads(machine, name, says):
    (machine.modprobe_d / name).write_text("# mine\nblacklist floppy\noptions usbhid mousepoll=8\n")
    found = lint(machine, check=1)
    assert kinds(found) == ["ignored_file"] and found[0]["file"].endswith(name)
    assert "nothing reads its 2 lines" in found[0]["message"] and says in found[0]["message"]


@pytest.mark.parametrize("name, text", [("README", "How to write files here\n"), (".keep", ""), ("a.conf.bak", "# blacklist floppy\n")])
def test_files_without_lines(machine, name, text):
    (machine.modprobe_d / name).write_text(text)
    assert lint(machine, check=0) == []


def test_paths_that_cannot_be_read(machine):
    (machine.modprobe_d / "a.conf").symlink_to("/no/such/file")
    (machine.modprobe_d / "b.conf").mkdir()
    (machine.modprobe_d / "c.conf").symlink_to("c.conf")
    os.mkfifo(machine.modprobe_d / "d.conf")
    found = lint(machine, check=1)
    assert kinds(found) == ["not_read"] * 4
    for finding, says in zip(found, ("a link to nothing", "it is a directory", "levels of symbolic links", "no regular file")):
        assert says in finding["message"]
    done = machine.run("policy", "lint", check=1)
    assert done.stdout.splitlines()[-1].endswith("Could not read 4 paths, see above.")


def test_what_only_root_may_read(machine):
    (machine.modprobe_d / "a.conf").write_text("blacklist floppy\n")
    (machine.modprobe_d / "a.conf").chmod(0o600)
    for path in (machine.root, *machine.root.parents):
        path.chmod(path.stat().st_mode | 0o055)
    words = ["setpriv", "--reuid", "65534", "--clear-groups", LKMCTL, "policy", "lint", "--json", "--root", str(machine.tree), "--kernel", RELEASE,
             "--config", str(machine.modprobe_d)]
    for path in (machine.tree, *machine.tree.parents):
        path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": "exitcode=99", "LKMD_POLICY_ROOT": str(machine.root)})
    assert done.returncode == 1, done
    found = json.loads(done.stdout)
    assert [(finding["kind"], finding["hint"]) for finding in found] == [("not_read", "run lkmctl policy lint as root")]


def test_a_file_that_hides_another(machine, tmp_path):
    lower = tmp_path / "lower"
    lower.mkdir()
    (lower / "a.conf").write_text("blacklist uvcvideo\noptions usbhid mousepoll=2\n")
    machine.modprobe("blacklist floppy\n")
    found = lint(machine, "--config", lower, check=0)
    assert [(finding["kind"], finding["level"]) for finding in found] == [("hidden_file", "note")]
    assert found[0]["file"] == str(machine.modprobe_d / "a.conf")
    assert f"it hides {lower}/a.conf, which has the same name: no line there counts (2)" in found[0]["message"]
    for same in ("blacklist uvcvideo\noptions usbhid mousepoll=2\n", "", "# nothing\n"):
        machine.modprobe(same)
        assert lint(machine, "--config", lower, check=0) == []
    (machine.modprobe_d / "a.conf").unlink()
    (machine.modprobe_d / "a.conf").symlink_to("/dev/null")
    assert lint(machine, "--config", lower, check=0) == []


@pytest.mark.parametrize("option", ["--config", "--policy"])
@pytest.mark.parametrize("verb", [("policy", "lint"), ("plan", "uas"), ("explain", "uas")])
def test_a_path_that_is_not_there(machine, option, verb):
    done = machine.run(*verb, f"{option}=/no/such/path", check=2)
    assert f"{option}=/no/such/path: No such file or directory" in done.stderr and done.stdout == ""


def test_policies_that_nothing_reads(machine):
    text = "version: 1\nrules: [{match: {module: floppy}, verdict: deny}]\n"
    for name in ("a.yml", "b.yaml.rpmsave", "c.yaml~", ".d.yaml"):
        machine.policy(text, name)
    machine.policy("Notes of ours\n", "README")
    found = lint(machine, check=1)
    assert kinds(found) == ["ignored_file"] * 4
    assert all("nothing reads this policy: its name" in finding["message"] for finding in found)


def test_a_policy_that_hides_another(machine):
    text = "version: 1\nrules: [{match: {module: floppy}, verdict: %s}]\n"
    lower = machine.write("usr/lib/lkmd/policy.d/a.yaml", text % "deny")
    assert lint(machine, check=0) == []
    higher = machine.policy(text % "allow", "a.yaml")
    found, = lint(machine, check=0)
    assert (found["kind"], found["level"], found["file"]) == ("hidden_file", "note", str(higher))
    assert f"it hides {lower}, which has the same name" in found["message"]
    machine.policy(text % "deny", "a.yaml")
    assert lint(machine, check=0) == []
    higher.unlink()
    higher.symlink_to("/dev/null")
    assert lint(machine, check=0) == []


def test_a_policy_that_cannot_be_read(machine):
    """Its mistakes are findings as all others, and nothing is said beside them."""
    good = "version: 1\nrules:\n  - match: {module: no-such-one}\n    verdict: deny\n"
    broken = machine.policy("version: 1\nmode: enforced\nrules:\n  - {match: {modul: x}, verdict: denied}\n", "a.yaml")
    machine.policy(good, "b.yaml")
    found = lint(machine, check=1)
    assert [(f["kind"], f["level"], f["line"], f["column"]) for f in found if f["file"] == str(broken)] == \
        [("broken", "finding", 2, 7), ("broken", "finding", 4, 14), ("broken", "finding", 4, 34)]
    assert all(f["message"] for f in found)
    text = machine.run("policy", "lint", check=1)
    assert f"{broken}:4:14: " in text.stdout and f"{broken}:2:7: " in text.stdout
    broken.write_text("")
    assert [f["kind"] for f in lint(machine, check=1) if f["file"] == str(broken)] == ["broken"]


def test_lkmd_conf(machine):
    file = machine.write("etc/lkmd/lkmd.conf", "[Manager]\nBlacklst=deny\n")
    assert [(finding["kind"], finding["file"], finding["line"]) for finding in lint(machine, check=1)] == [("broken", str(file), 2)]


# ----------------------------------------------------------------------------------------------------- bytes

@pytest.mark.parametrize("data, expected, says", [
    (b"blacklist floppy\r\noptions usbhid mousepoll=8\r\n# x\r\n", [("carriage_return", 1)], "2 lines end in CR LF"),
    (b"# x\r\nblacklist floppy\r\n", [("carriage_return", 2)], "1 line ends in CR LF"),
    (b"\xef\xbb\xbfblacklist floppy\nblacklist uvcvideo\n", [("hidden_character", 1)], "U+FEFF, a byte order mark"),
    ("blacklist floppy\n".encode("utf-16"), [("encoding", 1)], "the file is in UTF-16"),
    ("blacklist floppy\n".encode("utf-16-le"), [("encoding", 1)], "the file is in UTF-16"),
    ("\ufeffblacklist floppy\n".encode("utf-16-be"), [("encoding", 1)], "the file is in UTF-16"),
    (b"blacklist floppy\n# a comment\nblacklist uvcvideo\0x\n", [("hidden_character", 3)], "a NUL byte hides the rest"),
    (b"blacklist\xc2\xa0floppy\n", [("hidden_character", 1)], "U+00A0"),
])
def test_bytes_that_nobody_sees(machine, data, expected, says):
    (machine.modprobe_d / "a.conf").write_bytes(data)
    found = lint(machine, check=1)
    assert [(finding["kind"], finding["line"]) for finding in found] == expected
    assert says in found[0]["message"]
    done = machine.run("policy", "lint", check=1)
    assert all(0x20 <= ord(c) < 0x7f or c == "\n" for c in done.stdout + done.stderr)


def test_an_invisible_byte_is_escaped_once(machine):
    (machine.modprobe_d / "a.conf").write_bytes(b"install floppy /bin/tr\x01ue\n")
    done = machine.run("policy", "lint", check=1)
    assert "/bin/tr\\x01ue" in done.stdout and "x5c" not in done.stdout
    found = lint(machine)
    assert "/bin/tr\\x01ue" in found[0]["message"]


# ------------------------------------------------------------------------------------------- kernel command line

def with_command_line(machine, text):
    file = machine.root / "cmdline"
    file.write_text(text + "\n")
    words = [LKMCTL, "policy", "lint", "--json", "--root", str(machine.tree), "--kernel", RELEASE, "--config", str(machine.modprobe_d)]
    done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/cmdline && exec "$@"', file, *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "LKMD_POLICY_ROOT": str(machine.root)})
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("text, expected, says", [
    ("module_blacklist=floppy quiet module_blacklist=uvcvideo", ["only_last_counts"], "given 2 times, and only the last counts: uvcvideo"),
    ("module_blacklist=usb-storage", ["dash_on_command_line"], "usb-storage in module_blacklist= by the kernel"),
    ("modprobe.blacklist=vfio-pci", ["dash_on_command_line"], "vfio_pci in modprobe.blacklist= by modprobe"),
    ("module_blacklist=squashfs", ["built_in"], "what is built into the kernel: squashfs"),
    ("module_blacklist=uvcvidio", ["no_such_module"], "is called 'uvcvidio'"),
    ("usbhid.mosepoll=8", ["unknown_parameter"], "usbhid has no parameter 'mosepoll'"),
    ("snd_hda_intl.index=1", ["no_such_module"], "is called 'snd_hda_intl'"),
    ("quiet systemd.unit=x.target rd.luks.uuid=x ipv6.disable=1 usbhid.mousepoll=8 foo.bar=1 module_blacklist=floppy", [], ""),
])
def test_the_kernel_command_line(machine, text, expected, says):
    status, found = with_command_line(machine, text)
    assert kinds(found) == expected and status == (1 if expected else 0)
    assert all(finding["file"] == "/proc/cmdline" for finding in found) and (not found or says in found[0]["message"])


# --------------------------------------------------------------------------------------- requests of the kernel

UNKNOWN = "goes by the process for which the kernel asks"


@pytest.mark.parametrize("rule, says", [
    ("{match: {module: algif_aead, uid: 1000}, verdict: deny}", "only the kernel asks for algif_aead (algif-aead), and this rule goes"),
    ("{match: {module: x25, command: cat}, verdict: deny}", "only the kernel asks for x25 (net-pf-9)"),
    ("{match: {alias: 'net-pf-*', uid: [0, '!0']}, verdict: deny}", "this rule goes"),
    ("{match: {origin: kernel, module: floppy, unit: x.service}, verdict: deny}", "this rule goes"),
])
def test_rules_about_requests_of_the_kernel(machine, tmp_path, rule, says):
    file = machine.policy(f"version: 1\nrules: [{rule}]\n")
    found = lint(machine, check=0)              # a note
    assert kinds(found) == ["kernel_requests"] and says in found[0]["message"] and UNKNOWN in found[0]["message"]
    done = machine.run("policy", "check", file, tree=False, check=0, LKMD_ROOT=str(tmp_path))
    assert (UNKNOWN in done.stdout) == ("alias" in rule or "origin" in rule)     # there are no modules below tmp_path
    assert "No mistakes: 1 rule in 1 file.\n" in done.stdout


@pytest.mark.parametrize("rule", [
    "{match: {module: algif_aead}, verdict: allow}", "{match: {module: '*'}, verdict: deny}", "{match: {module: uas, uid: 1000}, verdict: deny}",
    "{match: {module: algif_aead, origin: client}, verdict: deny}", "{match: {module: floppy}, verdict: deny}",
    "{match: {alias: 'usb:*'}, verdict: deny}", "{match: {module: algif_aead}, verdict: deny}", "{match: {module: x25, license: GPL}, verdict: deny}",
    "{match: {alias: 'net-pf-*'}, verdict: deny}", "{match: {origin: kernel, uid: '!0'}, verdict: deny}",
])
def test_rules_about_others(machine, rule):
    machine.policy(f"version: 1\nrules: [{rule}]\n")
    assert lint(machine, check=0) == []


@pytest.mark.parametrize("rule, says", [
    ('{match: {alias: "net-pf-*", uid: "!0"}, verdict: deny, scope: use}',
     ["local sockets (AF_UNIX, net-pf-1)", "all of IPv4 (AF_INET, net-pf-2)", "all of IPv6 (AF_INET6, net-pf-10)", "all of netlink (AF_NETLINK, net-pf-16)"]),
    ('{match: {alias: ["net-pf-*", "!net-pf-1", "!net-pf-2", "!net-pf-10"]}, verdict: deny, scope: use, mode: audit}', ["all of netlink"]),
    ('{match: {alias: "net-pf-2*"}, verdict: deny, scope: use}', ["all of IPv4"]),
    ('{match: {alias: ["net-pf-2-proto-132", "net-pf-38", "net-pf-3*"]}, verdict: deny, scope: use}', []),
    ('{match: {alias: "net-pf-*", uid: "!0"}, verdict: deny}', []),
    ('{match: {alias: "net-pf-*"}, verdict: allow, scope: use}', []),
])
def test_sockets_that_everybody_needs(machine, rule, says):
    machine.policy(f"version: 1\nrules: [{rule}]\n")
    found = lint(machine, check=1 if says else 0)
    assert kinds(found) == ["vital_sockets"] * len(says)
    assert all(any(f"refuses {words}" in finding["message"] for finding in found) for words in says)


@pytest.mark.parametrize("rule, expected", [
    ("{match: {origin: kernel, command: iwd}, verdict: allow}", ["allowed_by_command"]),
    ("{match: {command: [iwd, b]}, verdict: audit}", ["allowed_by_command"]),
    ("{match: {command: iwd}, options: a=1}", None), ("{match: {origin: kernel, unit: iwd.service}, verdict: allow}", []),
])
def test_what_is_allowed_by_the_name_of_a_process(machine, rule, expected):
    if expected is None:
        machine.policy(f"version: 1\nrules:\n- match: {{command: iwd}}\n  options:\n  - a=1\n")
        expected = []
    else:
        machine.policy(f"version: 1\nrules: [{rule}]\n")
    found = lint(machine, check=1 if expected else 0)
    assert kinds(found) == expected and all("any process can give itself that name" in finding["message"] for finding in found)


@pytest.mark.parametrize("rule, expected", [
    ("{match: {origin: container, uid: 0}, verdict: allow}", []),
    ("{match: {origin: container, uid: 0}, verdict: audit}", ["closed_to_containers"]),
    ("{match: {container: machine-a}, verdict: allow, mode: audit}", ["closed_to_containers"]),
    ("{match: {container: machine-a, origin: client}, verdict: allow}", ["never_known"]),
    ("{match: {container: machine-a, subsystem: pci}, verdict: deny}", ["never_known"]),
])
def test_what_containers_do_not_get(machine, rule, expected):
    machine.policy(f"version: 1\nrules: [{rule}]\n")
    assert kinds(lint(machine, check=1 if expected else 0)) == expected


def test_containers_get_nothing_where_the_policy_is_tried(machine):
    """As after a first installation; the advice is another one than for a rule that has the mode itself."""
    machine.policy("version: 1\nrules: [{match: {container: machine-a}, verdict: allow}]\n")
    machine.write("etc/lkmd/lkmd.conf", "[Manager]\nMode=audit\n")
    finding, = [finding for finding in lint(machine, check=1) if finding["kind"] == "closed_to_containers"]
    assert finding["hint"].startswith("Mode=enforce in lkmd.conf")


def test_check_knows_the_modules_of_the_running_kernel(machine, tmp_path):
    make_tree(tmp_path, os.uname().release, {name: MORE[name] for name in ("af_alg", "algif_aead")})
    file = machine.policy("version: 1\nrules: [{match: {module: algif_aead, uid: 1000}, verdict: deny}]\n")
    done = machine.run("policy", "check", file, tree=False, check=0, LKMD_ROOT=str(tmp_path))
    assert done.stdout.startswith(f"{file}:2:9: only the kernel asks for algif_aead (algif-aead)")
    note, = json.loads(machine.run("policy", "check", "--json", file, tree=False, check=0, LKMD_ROOT=str(tmp_path)).stdout)
    assert note["note"] is True and note["line"] == 2


# -------------------------------------------------------------------------------- the distribution's, and accepted

def test_files_of_the_distribution_do_not_decide(machine):
    """As on Debian, where a package blacklists what its own kernel has built in."""
    machine.write("image/usr/lib/modprobe.d/dist.conf", "blacklist squashfs\noptions usbhid mosepoll=8\n")
    machine.write("image/usr/local/lib/modprobe.d/local.conf", "blacklist squashfs\n")
    words = ["--root", machine.tree, "--kernel", RELEASE, "--config", machine.root / "image/usr/lib/modprobe.d"]
    done = machine.run("policy", "lint", *words, tree=False, check=0)
    lines = done.stdout.splitlines()
    assert lines[0] == "In files of the distribution, which do not decide the exit status:"
    assert "dist.conf:1: no blacklist line keeps out what is built into the kernel: squashfs [built_in]" in lines[1]
    assert lines[-1].startswith("No mistake found, 2 in files of the distribution. Looked at 2 lines in 1 file of ")
    found = json.loads(machine.run("policy", "lint", "--json", *words, tree=False, check=0).stdout)
    assert [finding["distribution"] for finding in found] == [True, True]
    done = machine.run("policy", "lint", *words, "--config", machine.root / "image/usr/local/lib/modprobe.d", tree=False, check=1)
    assert done.stdout.splitlines()[0].endswith("local.conf:1: no blacklist line keeps out what is built into the kernel: squashfs [built_in]")
    assert "\n1 finding, 2 in files of the distribution. " in done.stdout


def test_accepted_in_a_comment(machine):
    machine.modprobe("# lkmd: accept built_in kept for the kernel of the other machine\n# lkmd: accept no_such_module nor there\n\n"
                     "blacklist squashfs\nblacklist in_kernel\n")
    found = lint(machine, check=1)
    assert [(finding["kind"], finding["line"]) for finding in found] == [("unused_acceptance", 2), ("built_in", 5)]
    machine.modprobe("# lkmd: accept built_in kept for the kernel of the other machine\nblacklist squashfs\n")
    assert lint(machine, check=0) == []
    done = machine.run("policy", "lint", check=0)
    assert done.stdout.startswith("Nothing found, 1 accepted (--all shows it). Looked at 1 line in 1 file of ")
    found = [finding for finding in lint(machine, "--all", check=0) if finding["kind"] != "looked_at"]
    assert [(finding["kind"], finding["accepted"]) for finding in found] == [("built_in", "kept for the kernel of the other machine")]
    assert "\n  accepted: kept for the kernel of the other machine\n" in machine.run("policy", "lint", "--all", check=0).stdout


def test_accepted_in_a_file(machine):
    machine.modprobe("blacklist squashfs\nblacklist in_kernel\nblacklist uvcvidoe\n")
    machine.write("etc/lkmd/lint.d/ours.conf", "# KIND FILE SUBJECT REASON\nbuilt_in */modprobe.d/a.conf squash* an image for two kernels\n")
    assert [(finding["kind"], finding["line"]) for finding in lint(machine, check=1)] == [("built_in", 2), ("no_such_module", 3)]
    machine.write("usr/lib/lkmd/lint.d/theirs.conf", "built_in * in-kernel theirs\nno_such_module * uvcvidoe theirs\nbuilt_in /elsewhere * theirs\n")
    assert lint(machine, check=0) == []
    machine.write("etc/lkmd/lint.d/theirs.conf", "")
    assert len(lint(machine, check=1)) == 2
    machine.write("etc/lkmd/lint.d/theirs.conf", "built_in * * all of them\nno_such_module * uvcvidoe spelt so by the vendor\n")
    assert lint(machine, check=0) == []


def test_a_rule_is_accepted_by_its_id(machine):
    file = machine.policy("version: 1\nrules: [{id: old, match: {module: squashfs}, verdict: deny}]\n")
    machine.write("etc/lkmd/lint.d/a.conf", f"built_in {file} old it is for the next kernel\n")
    assert lint(machine, check=0) == []


@pytest.mark.parametrize("comment, says, hint", [
    ("# lkmd: accept built-in reason", "no kind of finding called 'built-in'", "built_in, if that is what is meant"),
    ("# lkmd: accept zzzzzzzzz reason", "no kind of finding called 'zzzzzzzzz'", "the word in brackets behind a finding"),
    ("# lkmd: accept built_in", "it gives no reason", "# lkmd: accept KIND REASON"),
    ("# lkmd: ignore built_in reason", "is not 'accept'", "# lkmd: accept KIND REASON"),
    ("# lkmd: accept", "it names no kind of finding", "# lkmd: accept KIND REASON"),
])
def test_acceptances_that_are_none(machine, comment, says, hint):
    machine.modprobe(f"{comment}\nblacklist floppy\n")
    found, = lint(machine, check=1)
    assert found["kind"] == "bad_acceptance" and says in found["message"] and found["hint"] == hint


def test_a_file_of_acceptances_that_lacks_something(machine):
    file = machine.write("etc/lkmd/lint.d/a.conf", "built_in *\nnone * * reason\n")
    assert [(finding["kind"], finding["file"], finding["line"]) for finding in lint(machine, check=1)] == [
        ("bad_acceptance", str(file), 1), ("bad_acceptance", str(file), 2)]


# ---------------------------------------------------------------------------------------- what was looked at

def test_nothing_says_what_was_looked_at(machine):
    done = machine.run("policy", "lint", check=0)
    assert re.fullmatch(r"Nothing found\. Looked at 0 lines in 0 files of \S+/modprobe\.d, \d+ rules? of the policy and the kernel command line, "
                        rf"with the \d+ modules in \S+/lib/modules/{RELEASE}\.\n", done.stdout)
    machine.modprobe("# a comment\n\nblacklist floppy\nblacklist uvcvideo\n")
    assert "Looked at 2 lines in 1 file of " in machine.run("policy", "lint", check=0).stdout
    looked, = [entry for entry in json.loads(machine.run("policy", "lint", "--json", "--all", check=0).stdout) if entry["kind"] == "looked_at"]
    assert looked["release"] == RELEASE and looked["lines"] == 2 and looked["notRead"] == 0 and looked["kernelCommandLine"] is True
    assert looked["files"] == [str(machine.modprobe_d / "a.conf")] and looked["directories"] == [str(machine.modprobe_d)]
    assert machine.run("-q", "policy", "lint", check=0).stdout == ""


def on_terminal(machine, columns, *words):
    """What lkmctl writes to a terminal of that width."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([LKMCTL, *map(str, words)], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "NO_COLOR": "1", "TERM": "xterm", "LKMD_PAGER": "", "ASAN_OPTIONS": "exitcode=99",
                               "LKMD_POLICY_ROOT": str(machine.root)}):
        os.close(terminal)
        data = b""
        with contextlib.suppress(OSError):      # the end of a terminal
            while piece := os.read(main, 4096):
                data += piece
    os.close(main)
    return data.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 132])
def test_lines_of_a_terminal(machine, columns):
    machine.modprobe("options usbhid mousepoll = 8\noptions usb-storage delay_use=0 # for the dock\ninstall ksmbd /bin/false\nblacklist squashfs\n")
    words = ["policy", "lint", "--root", machine.tree, "--kernel", RELEASE, "--config", machine.modprobe_d]
    text = on_terminal(machine, columns, *words)
    assert all(len(line) <= columns or "/" in line for line in text.splitlines()), text
    assert [re.search(r"a\.conf:(\d)", line)[1] for line in text.splitlines() if not line.startswith(" ") and "a.conf:" in line] == list("12234")
    plain = machine.run("policy", "lint", check=1).stdout
    assert "".join(text.split()) == "".join(plain.split())          # nothing is cut; a path that is longer than a line goes on below


# --------------------------------------------------------------------------------------------- the manual page

def table_of_kinds():
    return re.findall(r'^ +\[FINDING_\w+\] += "(\w+)"', (PROJECT / "src/cli/offline/lint-kind.c").read_text(), re.M)


def test_the_manual_page_has_every_kind():
    assert re.findall(r"^\*(\w+)\*$", (PROJECT / "man/lkmd-lint.5.scd").read_text().split("# KINDS")[1].split("\n# ")[0], re.M) == table_of_kinds()
    assert len(table_of_kinds()) > 30
