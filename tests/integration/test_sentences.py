# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever stands in arguments, files and replies: what lkmctl says is whole, can be read, and is for people."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

import pytest

from fake_lkmd import error, reply
from lkmctl_bench import ctl, environment, lkmd
from policy_bench import DISK, LKMCTL, RELEASE, machine, tree

PLANTED = {
    "plain": b"plain", "quote": b"it's", "double": b'a"b', "percent": b"100%", "format": b"%s%n%d", "newline": b"two\nlines",
    "return": b"carriage\rreturn", "escape": b"\x1b[31mred\x1b[0m", "utf8": "über".encode(), "invalid": b"\xff\xfebytes",
    "bom": b"\xef\xbb\xbfbom", "rtl": "\u202ertl".encode(), "zero": "zero\u200bwidth".encode(), "backslash": b"back\\slash",
    "long": b"x" * 3000,
}
PRINTED_ESCAPED = {"newline": r"two\x0alines", "return": r"carriage\x0dreturn", "escape": r"\x1b[31mred\x1b[0m", "invalid": r"\xff\xfebytes",
                   "bom": r"\xef\xbb\xbfbom", "rtl": r"\xe2\x80\xaertl", "zero": r"zero\xe2\x80\x8bwidth"}

# Of the interface and of the tables; in texts for people they would be words that nobody speaks.
ENUM_WORDS = ["softdep_missing", "softdep_loop", "file_missing", "module_missing", "not_preferred", "turned_off", "softdep_pre", "softdep_post",
              "would_decide", "too_late", "skips_dependencies", "skips_containers", "command_line", "already_loaded", "built_in", "command_run", "kept_out",
              "dependency_failed", "lkmd_and_udev", "would_refuse", "no_such_module", "install_overlooked"]


def check(text, planted=""):
    """The rules for all that people read; text as it came, decoded strictly."""
    assert "\\x5cx" not in text and "\\\\x" not in text, "escaped twice"
    assert "(null)" not in text and "None" not in text
    for word in ENUM_WORDS:
        assert not re.search(rf"(?<![\w]){word}(?![\w])", text), word
    for c in text:
        assert c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"), f"{c!r} in {text!r}"
    assert not re.search(r"\{(module|place|reason|chain|key|depmod|modules)\}", text)
    for line in text.splitlines():
        if line.startswith("lkmctl: "):
            sentence = line.removeprefix("lkmctl: ")
            assert sentence and not sentence[0].isspace(), line
            assert not re.search(r"[,;:(]$| (and|or|the|a|of|to|by|with)$|[^.]\.$", sentence), line
        if line.startswith("  try: "):
            assert not re.search(r"[,;:(]$| (and|or|the|a|of|to|by|with)$", line), line


def run(machine, *words, n=1):
    done = subprocess.run([LKMCTL, *words[:n], "--root", machine.tree, "--kernel", RELEASE, "--config", machine.modprobe_d, *words[n:]],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99",
                               "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_POLICY_ROOT": str(machine.root)})
    assert done.returncode in (0, 1, 2, 3, 5), done
    return done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("words", [["plan"], ["explain"], ["deps"], ["config"], ["diff-modprobe"], ["policy", "check"], ["policy", "lint", "--policy"],
                                   ["plan", "usb-storage"], ["explain", "--origin"], ["list", "extra"], ["nonsense"]], ids=" ".join)
def test_arguments(machine, words, kind):
    planted = os.fsencode(PLANTED[kind])
    n = 2 if words[0] == "policy" else 1
    extra = [planted + b"=1"] if words == ["plan", "usb-storage"] else [planted]
    if words in (["list", "extra"], ["nonsense"]):
        done = subprocess.run([LKMCTL, *words[:1], planted], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99"})
        out, err = done.stdout.decode(), done.stderr.decode()
    else:
        out, err = run(machine, *words, *extra, n=n)
    check(out)
    check(err)
    if kind in PRINTED_ESCAPED and words in (["plan"], ["explain"], ["deps"]):
        assert f"'{PRINTED_ESCAPED[kind]}'" in err


@pytest.mark.parametrize("kind", PLANTED)
def test_verbs(kind):
    for words in ([PLANTED[kind]], ["policy", PLANTED[kind]], ["help", PLANTED[kind]], ["--" + "x", PLANTED[kind]], [b"--" + PLANTED[kind]],
                  ["--kernel", PLANTED[kind] + b"/", "plan", "x"], ["wait", "--timeout", PLANTED[kind]]):
        done = subprocess.run([LKMCTL, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99"})
        assert done.returncode == 2, (words, done)
        check(done.stdout.decode())
        check(done.stderr.decode())


# One line has no newline in it, and a blank ends a word.
WORDS = {kind: text for kind, text in PLANTED.items() if kind not in ("newline", "return", "long")}


@pytest.mark.parametrize("kind", WORDS)
def test_files(machine, kind):
    text = WORDS[kind]
    (machine.modprobe_d / "a.conf").write_bytes(b"install usb-storage /usr/bin/x " + text + b"\noptions usb-core a=" + text + b"\nalias " + text +
                                                b" off\nalias fs-" + text + b" nothing\nsoftdep x25 pre: " + text + b"\nblacklist nouveau\n" +
                                                text + b" nonsense\n")
    (machine.modprobe_d / os.fsdecode(b"b" + text.replace(b"/", b"") + b".conf")).write_bytes(b"install uas /bin/false " + text + b"\n")
    quoted = json.dumps(text.decode(errors="replace"))
    machine.policy(f"version: 1\nrules: [{{id: {quoted}, match: {{module: x25, uid: 1-9}}, verdict: deny, reason: {quoted}}}]\n")
    for words in (["plan", "uas"], ["explain", "uas"], ["explain", DISK], ["plan", "usb-storage"], ["plan", text], ["explain", text],
                  ["plan", b"fs-" + text], ["explain", b"fs-" + text], ["plan", "x25"], ["explain", "x25"], ["config"], ["deps", "x25"],
                  ["explain", "--origin=kernel", "x25"], ["diff-modprobe"], ["explain", "nouveau"]):
        for part in run(machine, *words):
            check(part)
    for words in (["policy", "check"], ["policy", "show"]):
        done = machine.run(*words, tree=False)
        check(done.stdout)
        check(done.stderr)


@pytest.mark.parametrize("kind", PLANTED)
def test_replies(lkmd, ctl, kind):
    text = PLANTED[kind].decode(errors="replace")
    for outcome in ("kept_out", "failed", "dependency_failed", "already_loaded", "built_in", "command_run", "loaded"):
        record = {"timeUSec": 1, "module": text, "outcome": outcome, "requester": {"origin": "client", "key": text}, "reason": "softdep_pre",
                  "parent": text, "message": f"about {text}", "hint": f"try {text}"}
        lkmd.on("Load", reply(records=[record], omissions=[{"kind": kind_of, "module": text, "required": False, "wantedBy": text, "file": text,
                                                            "line": 3} for kind_of in ("softdep_missing", "module_missing", "turned_off")]))
        done = ctl("load", "x", check=0)
        check(done.stdout)
        lkmd.on("Load", error("LoadFailed", message=f"it is {text}", hint=f"look at {text}", module=text, errno=2, kernelLog=[text], records=[record]))
        check(ctl("load", "x", check=1).stderr)


# ---------------------------------------------------------------------------------------------------- 80 columns

def on_terminal(machine, columns, *words):
    """What lkmctl prints on a terminal of so many columns."""
    n = 2 if words[0] == "policy" else 1
    tree = [] if words[:2] == ("policy", "show") else ["--root", machine.tree, "--kernel", RELEASE, "--config", machine.modprobe_d]
    arguments = [LKMCTL, *words[:n], *map(str, tree), *words[n:]]
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.environ.update(LKMD_POLICY_ROOT=str(machine.root), TERM="xterm", NO_COLOR="1", LANG="C.UTF-8", TZ="UTC", LKMD_PAGER="")
        os.execv(LKMCTL, arguments)
    said = b""
    while True:
        try:
            said += os.read(master, 65536)
        except OSError:                     # it has ended
            break
    os.close(master)
    os.waitpid(pid, 0)
    return said.decode().replace("\r", "")


RULE = "no-usb-storage-on-any-server-of-ours"
POLICY = f"""version: 1
rules:
  - {{id: {RULE}, match: {{module: [usb-storage, uas, x25], uid: "1-60000"}}, verdict: deny, reason: a reason that takes quite some room here}}
  - {{id: short, match: {{module: firewire-core}}, verdict: deny}}
"""
LINES = f"""options usb-storage delay_use=3 quirks=0781:5581:u,0951:1666:u,174c:55aa:u,1234:5678:u
install x25 /usr/libexec/disabled-by-the-hardening-of-our-company --because-of "a reason"
softdep uas pre: x25
"""


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_tables_keep_names_and_places_whole(machine, columns):
    place = str(machine.policy(POLICY, "50-the-baseline-of-the-company.yaml"))
    conf = machine.modprobe_d / "a.conf"
    conf.write_text(LINES)
    text = on_terminal(machine, columns, "policy", "show")
    assert all(whole in text for whole in (f"{place}:3:5", f"{place}:4:5", f"rule {RULE}", "rule short")), text
    text = on_terminal(machine, columns, "explain", "--uid=1000", "usb-storage")
    assert text.count(f"{place}:3:5") == 2 and f"rule {RULE}" in text       # in the sentence and in the table
    for verb in (("config", "usb-storage"), ("config",), ("deps", "uas")):
        assert f"{conf}:" in on_terminal(machine, columns, *verb)
    text = on_terminal(machine, columns, "plan", "uas")
    assert f"quirks=0781:5581:u,0951:1666:u,174c:55aa:u,1234:5678:u ({conf}:1)" in text
    assert re.search(r"^uas .*\n.*─usb_storage ", text, re.M)               # the tree is not interrupted


@pytest.mark.parametrize("columns", [80, 200])
def test_tables_fit_where_they_can(machine, columns):
    machine.policy("version: 1\nrules: [{id: a, match: {module: x25}, verdict: deny, reason: r}]\n")
    text = on_terminal(machine, columns, "explain", "nouveau")
    assert all(len(line) <= columns for line in text.splitlines() if not line.startswith("  ")), text
    assert text == "".join(line.rstrip(" ") + "\n" for line in text.splitlines()) or columns == 200


def test_elsewhere_a_row_is_a_line(machine):
    place = str(machine.policy(POLICY, "50-the-baseline-of-the-company.yaml"))
    row, = [line for line in machine.run("policy", "show", tree=False, check=0).stdout.splitlines() if RULE in line]
    assert f"{place}:3:5" in row and row.endswith("a reason that takes quite some room here")
