# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl policy edit: an editor that is a script, questions at a terminal, a policy below a directory of the test."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import error, reply
from lkmctl_bench import LKMCTL, environment, lkmd, read_until
from module_tree import make_tree
from policy_bench import DISK, MODULES

RELEASE = os.uname().release
PLAIN = "version: 1\nrules:\n  - {id: old, match: {module: x25}, verdict: deny, reason: old}\n"
STICKS = """version: 1
rules:
  - id: no-sticks
    match: {module: usb-storage}
    verdict: deny
    reason: no sticks here
"""
BROKEN = STICKS.replace("verdict: deny", "verdict: maybe")
PYTHON = {"origin": "kernel", "key": "net-pf-9", "command": "python3", "uid": 1000}
STICK = {"origin": "device", "key": DISK, "device": "/devices/usb1/1-1/1-1:1.0", "subsystem": "usb"}
YES = "(y) install it, (e) edit again, (x) leave without saving?"


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    root = tmp_path_factory.mktemp("modules")
    make_tree(root, RELEASE, MODULES)
    return root


class Desk:
    """A machine with a policy, and the script that is the editor there."""

    def __init__(self, root, environment):
        self.root = root
        self.directory = root / "etc/lkmd/policy.d"
        self.directory.mkdir(parents=True)
        self.editor = root / "the editor"
        self.environment = {**environment, "LKMD_POLICY_ROOT": str(root), "EDITOR": f"sh {root}/editor"}

    def write(self, name, text, mode=0o644):
        file = self.directory / name
        file.write_text(text)
        file.chmod(mode)
        return file

    def edits(self, *scripts):
        """Each run of the editor is one of these: a text to write, or a command that has the file as $1."""
        for i, script in enumerate(scripts):
            (self.root / f"step{i}").write_text(script)
        (self.root / "editor").write_text(
            f"cd {self.root}\ni=$(cat turn 2>/dev/null || echo 0); echo $((i + 1)) >turn\n"
            "case $(head -c 2 step$i) in '#!') . ./step$i ;; *) cat step$i >\"$1\" ;; esac\n")

    def run(self, *words, check=None, stdin=None, **variables):
        done = subprocess.run([LKMCTL, "policy", "edit", *words], env={**self.environment, **variables}, capture_output=True, text=True,
                              timeout=120, **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if check is not None:
            assert done.returncode == check, done
        return done

    def copies(self):
        return [path for path in self.directory.iterdir() if path.name.startswith(".")]


@pytest.fixture
def desk(tmp_path, environment, modules, lkmd):
    lkmd.on("Audit", reply(entries=[dict(PYTHON, kind="refused", module="x25", count=1)], dropped=0))
    lkmd.on("History", reply(entries=[{"id": 1, "gone": False, "record": {"timeUSec": 1, "module": "usb_storage", "outcome": "loaded",
                                                                           "reason": "requested", "requester": STICK}}], complete=True))
    lkmd.on("Reload", reply(problems=[], devices=[]))
    return Desk(tmp_path / "machine", {**environment, "LKMD_ROOT": str(modules)})


class Terminal:
    """lkmctl at a terminal: what it asks is waited for, and answered."""

    def __init__(self, desk, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(LKMCTL, [LKMCTL, "policy", "edit", *words], {**desk.environment, "NO_COLOR": "1"})
        self.text = ""

    def answer(self, question, letter):
        self.text += read_until(self.fd, re.escape(question.encode())).decode()
        os.write(self.fd, letter.encode() + b"\n")

    def end(self):
        try:
            while chunk := os.read(self.fd, 65536):
                self.text += chunk.decode()
        except OSError:                         # its end
            pass
        os.close(self.fd)
        status = os.waitpid(self.pid, 0)[1]
        self.text = self.text.replace("\r", "")
        return status


# ------------------------------------------------------------------------------------------------------ installing

def test_what_changes_is_shown_and_installed(desk, lkmd):
    file = desk.write("10-usb.yaml", PLAIN, 0o640)
    os.chown(file, 0, 1234)
    inode = file.stat().st_ino
    desk.edits(STICKS)
    done = desk.run("--yes", check=0)
    assert f"usb_storage  denied by {file}:3:5: no sticks here; asked for by device 1-1:1.0" in done.stdout
    assert "Refused from now on:" in done.stdout
    assert "Allowed from now on, and refused so far:\n  x25  denied by " in done.stdout and "python3 (net-pf-9)" in done.stdout
    assert f"{file} is installed.\nRead anew.\n" in done.stdout
    assert file.read_text() == STICKS
    assert (file.stat().st_mode & 0o7777, file.stat().st_uid, file.stat().st_gid) == (0o640, 0, 1234)
    assert file.stat().st_ino != inode          # replaced, not written
    assert desk.copies() == []
    assert [call[0] for call in lkmd.calls] == ["Audit", "History", "Reload"]


def test_questions_at_a_terminal(desk):
    file = desk.write("10-usb.yaml", PLAIN)
    desk.edits(BROKEN, STICKS + "# once more\n", STICKS)
    terminal = Terminal(desk)
    terminal.answer("(e) edit again, (x) leave without saving?", "e")
    terminal.answer(YES, "maybe")
    terminal.answer(YES, "e")
    terminal.answer(YES, "y")
    assert terminal.end() == 0
    assert f"{file}:5:14: " in terminal.text    # the mistake, by the name of the file itself
    assert "is installed." in terminal.text
    assert file.read_text() == STICKS and desk.copies() == []


def test_leaving_throws_the_copy_away(desk):
    file = desk.write("10-usb.yaml", PLAIN)
    for text, question in ((STICKS, YES), (BROKEN, "(e) edit again, (x) leave without saving?")):
        (desk.root / "turn").unlink(missing_ok=True)
        desk.edits(text)
        terminal = Terminal(desk)
        terminal.answer(question, "x")
        assert os.waitstatus_to_exitcode(terminal.end()) == 1
        assert "Left without saving." in terminal.text
    assert file.read_text() == PLAIN and desk.copies() == []


def test_a_signal_leaves_the_copy(desk):
    file = desk.write("10-usb.yaml", PLAIN)
    desk.edits(STICKS)
    terminal = Terminal(desk)
    terminal.answer(YES, "what")
    terminal.text += read_until(terminal.fd, re.escape(YES.encode())).decode()
    os.write(terminal.fd, b"\x03")
    assert os.waitstatus_to_exitcode(terminal.end()) == -signal.SIGINT
    [copy] = desk.copies()
    assert f"what was edited is in {copy}" in terminal.text
    assert copy.read_text() == STICKS and file.read_text() == PLAIN
    (desk.root / "turn").unlink()
    done = desk.run("--yes", check=0)
    assert f"an earlier edit was not installed, and is still in {copy}" in done.stderr
    assert copy.exists()


def test_the_editor_gets_ctrl_c(desk):
    """While it runs, lkmctl does not end by it."""
    desk.write("10-usb.yaml", PLAIN)
    desk.edits("#!\ntrap 'echo got it' INT\necho READY; kill -INT 0; true\n")
    terminal = Terminal(desk)
    assert terminal.end() == 0
    assert "got it" in terminal.text and "Nothing changed." in terminal.text


# ------------------------------------------------------------------------------------------------------- which file

def test_without_a_file_the_only_one_or_a_new_one(desk):
    seen = desk.root / "seen"
    desk.edits(f"#!\ncp \"$1\" {seen}\n", STICKS, STICKS + "#\n")
    done = desk.run("--yes", check=0)
    assert done.stdout == "Nothing changed.\n"
    assert list(desk.directory.iterdir()) == []
    assert "lkmd-policy(5)" in seen.read_text() and "#rules:" in seen.read_text()
    desk.run("--yes", check=0)
    assert (desk.directory / "local.yaml").read_text() == STICKS
    assert (desk.directory / "local.yaml").stat().st_mode & 0o7777 == 0o644
    desk.run("--yes", check=0)                  # it is the only one now
    desk.write("99.yaml", PLAIN)
    done = desk.run("--yes", check=2)
    assert "which file? there are 2 in" in done.stderr and "lkmctl policy edit 99.yaml" in done.stderr


@pytest.mark.parametrize("argument, name", [("20-new", "20-new.yaml"), ("20-new.yaml", "20-new.yaml"), ("{dir}/20-new.yaml", "20-new.yaml"),
                                            ("{dir}/../policy.d/20-new", "20-new.yaml"), ("{dir}/../lists/mine.yaml", "../lists/mine.yaml")])
def test_names_and_paths(desk, argument, name):
    (desk.directory.parent / "lists").mkdir()
    listed = STICKS.replace("version: 1\n", "version: 1\ndescription: mine\n") + "    source: here\n"
    text = listed if "lists" in argument else STICKS
    desk.edits(text)
    desk.run(argument.format(dir=desk.directory), "--yes", check=0)
    assert (desk.directory / name).read_text() == text


@pytest.mark.parametrize("argument", ["/etc/passwd", ".hidden", "", ".yaml", "{dir}/.x.yaml", "a/b", "x" * 300, "{dir}/", "/"])
def test_files_that_lkmd_does_not_read(desk, argument):
    desk.edits(STICKS)
    done = desk.run(argument.format(dir=desk.directory), "--yes", check=2)
    assert "is no file of the policy: lkmd reads those in" in done.stderr
    assert not (desk.root / "turn").exists()


def test_a_new_file_begins_as_the_one_that_it_masks(desk):
    below = desk.root / "run/lkmd/policy.d"
    below.mkdir(parents=True)
    (below / "50.yaml").write_text(PLAIN)
    desk.edits("#!\nsed -i s/x25/uas/ \"$1\"\n")
    done = desk.run("50", "--yes", check=0)
    assert f"a new file begins as {below}/50.yaml, which it then replaces" in done.stderr
    assert (desk.directory / "50.yaml").read_text() == PLAIN.replace("x25", "uas")
    assert (below / "50.yaml").read_text() == PLAIN


def test_links(desk):
    elsewhere = desk.root / "elsewhere.yaml"
    elsewhere.write_text(PLAIN)
    link = desk.directory / "10.yaml"
    link.symlink_to(elsewhere)
    desk.edits(STICKS)
    desk.run("--yes", check=0)
    assert link.is_symlink() and elsewhere.read_text() == STICKS
    (desk.directory / "20.yaml").symlink_to("/dev/null")
    assert "a link to a device masks all files of its name" in desk.run("20", "--yes", check=1).stderr


# ------------------------------------------------------------------------------------------------- what goes wrong

def test_a_mistake_costs_nothing(desk, lkmd):
    file = desk.write("10-usb.yaml", PLAIN)
    desk.edits(BROKEN)
    done = desk.run("--yes", check=1)
    [copy] = desk.copies()
    assert f"{file}:5:14: " in done.stderr and f"lkmctl: nothing is changed; what was edited is in {copy}\n" in done.stderr
    assert file.read_text() == PLAIN and copy.read_text() == BROKEN
    assert "Reload" not in [call[0] for call in lkmd.calls]


def test_mistakes_of_other_files_count_only_if_they_are_new(desk):
    other = desk.write("20-other.yaml", "version: 1\nrulez: []\n")
    file = desk.write("10-usb.yaml", PLAIN)
    desk.edits(STICKS, STICKS + "include: [no-such-list]\n")
    assert str(other) not in desk.run("10-usb", "--yes", check=0).stderr
    done = desk.run("10-usb", "--yes", check=1)
    assert "there is no list \"no-such-list\"" in done.stderr
    assert file.read_text() == STICKS


@pytest.mark.parametrize("script, says", [
    ("#!\nexit 3\n", "ended with status 3"),
    ("#!\nkill -KILL $$\n", "was ended by Killed"),
    ("#!\nrm \"$1\"\n", "cannot be read: No such file"),
    ("#!\nhead -c 5000000 /dev/zero >\"$1\"\n", "is too large for a policy"),
    ("#!\n: >\"$1\"\n", "what was edited is empty; nothing is changed"),
    ("#!\nprintf ' \\n\\n' >\"$1\"\n", "what was edited is empty; nothing is changed"),
    ("#!\necho 'version: 1' >\"$1\"; exit 1\n", "what was edited is in "),
])
def test_editors_that_fail(desk, script, says):
    file = desk.write("10-usb.yaml", PLAIN)
    desk.edits(script)
    done = desk.run("--yes", check=1)
    assert says in done.stderr and "nothing is changed" in done.stderr
    assert file.read_text() == PLAIN
    assert bool(desk.copies()) == (says == "what was edited is in " or "too large" in says)


def test_which_editor(desk):
    desk.write("10-usb.yaml", PLAIN)
    desk.edits("#!\n", "#!\n")
    script = desk.environment["EDITOR"]
    for variables in ({"EDITOR": "", "VISUAL": script}, {"EDITOR": "false", "VISUAL": "false", "SUDO_EDITOR": script}):
        desk.run("--yes", check=0, **variables)
    done = desk.run("--yes", check=1, EDITOR="no-such-editor -x")
    assert "cannot run the editor 'no-such-editor': No such file" in done.stderr and "EDITOR=nano" in done.stderr
    done = desk.run("--yes", check=1, EDITOR=" ", PATH="/nonexistent")
    assert "cannot run the editor 'vi'" in done.stderr


def test_somebody_else_changed_it(desk):
    file = desk.write("10-usb.yaml", PLAIN)
    desk.edits(f"#!\necho '# mine' >>{file}; cat {desk.root}/new >\"$1\"\n", STICKS)
    (desk.root / "new").write_text(STICKS)
    done = desk.run("--yes", check=1)
    assert "somebody else has changed the file meanwhile" in done.stderr
    [copy] = desk.copies()
    assert file.read_text() == PLAIN + "# mine\n" and copy.read_text() == STICKS
    file.unlink()
    (desk.root / "turn").unlink()
    desk.edits(f"#!\necho '# mine' >{file}; cat {desk.root}/new >\"$1\"\n")
    assert "somebody else has changed the file meanwhile" in desk.run("10-usb", "--yes", check=1).stderr


def test_two_at_once(desk):
    desk.write("10-usb.yaml", PLAIN)
    desk.edits(f"#!\nLD_PRELOAD= {LKMCTL} policy edit 20 --yes 2>{desk.root}/second; echo $? >>{desk.root}/second; echo $PPID >{desk.root}/first\n")
    assert desk.run("--yes", check=0).stdout == "Nothing changed.\n"
    second = (desk.root / "second").read_text()
    assert "somebody else edits the policy in" in second and second.endswith("1\n")
    assert f"right now: process {(desk.root / 'first').read_text().strip()}" in second


def test_without_rights(desk, tmp_path):
    file = desk.write("10-usb.yaml", PLAIN)
    tmp_path.chmod(0o755)
    desk.root.chmod(0o755)
    desk.edits(STICKS)
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", LKMCTL, "policy", "edit", "--yes"], env=desk.environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and file.read_text() == PLAIN
    assert "try: the same with sudo" in done.stderr


@pytest.mark.parametrize("words, says", [
    ([], "there is no terminal to edit and to ask at"),
    (["--json"], "it needs --yes"),
    (["--stdin"], "it needs --yes"),
    (["--host=box", "--yes"], "an editor has to run on the machine of the policy"),
    (["a", "b"], "too many arguments"),
])
def test_usage(desk, words, says):
    assert says in (done := desk.run(*words, check=2)).stderr + done.stdout


# ------------------------------------------------------------------------------------------------------ for scripts

def test_from_standard_input_and_as_json(desk, lkmd):
    file = desk.write("10-usb.yaml", PLAIN)
    done = json.loads(desk.run("--stdin", "--yes", "--json", stdin=STICKS, check=0).stdout)
    assert done["file"] == str(file) and done["result"] == "installed" and done["reload"] == {"problems": [], "devices": []}
    assert {(change["change"], change["module"]) for change in done["changes"]} >= {("refused", "usb_storage"), ("allowed", "x25")}
    [change] = [change for change in done["changes"] if change["module"] == "usb_storage"]
    assert change["omission"]["rule"] == "no-sticks" and change["requester"] == "device 1-1:1.0"
    assert json.loads(desk.run("--stdin", "--yes", "--json", stdin=STICKS, check=0).stdout)["result"] == "unchanged"
    broken = json.loads(desk.run("--stdin", "--yes", "--json", stdin=BROKEN, check=1).stdout)
    assert broken["result"] == "broken" and broken["problems"][0]["line"] == 5
    assert Path(broken["copy"]).read_text() == BROKEN
    assert desk.run("--stdin", "--yes", "--quiet", stdin=PLAIN, check=0).stdout == ""
    assert file.read_text() == PLAIN


def test_audit_mode(desk):
    desk.write("10-usb.yaml", PLAIN)
    done = desk.run("--stdin", "--yes", stdin=PLAIN + "  - {match: {module: usb-storage}, verdict: deny, mode: audit}\n", check=0)
    assert "Reported from now on, and refused once the rule is enforced:\n  usb_storage " in done.stdout


def test_what_lint_finds_in_it(desk):
    desk.write("10-usb.yaml", PLAIN)
    done = desk.run("--stdin", "--yes", stdin=PLAIN + "  - {match: {module: no-such-module}, verdict: deny}\n", check=0)
    assert "no_such_module" in done.stdout or "no-such-module" in done.stdout


def test_without_lkmd(desk, lkmd):
    file = desk.write("10-usb.yaml", PLAIN)
    lkmd.close()
    done = desk.run("--stdin", "--yes", stdin=STICKS, check=0)
    assert "lkmd does not answer: what was asked for since the boot is not known." in done.stdout
    assert "lkmd does not answer: it applies the file when it starts." in done.stdout
    assert file.read_text() == STICKS


def test_lkmd_finds_fault(desk, lkmd):
    desk.write("10-usb.yaml", PLAIN)
    lkmd.on("Reload", reply(problems=[{"file": "/etc/lkmd/lkmd.conf", "line": 3, "message": "unknown key"}], devices=[]))
    assert "Read anew, with problems:\n  /etc/lkmd/lkmd.conf:3: unknown key" in desk.run("--stdin", "--yes", stdin=STICKS, check=0).stdout
    lkmd.on("Reload", error("ReloadFailed", message="x"))
    assert "lkmd has not said what it makes of it" in desk.run("--stdin", "--yes", stdin=PLAIN, check=0).stdout
