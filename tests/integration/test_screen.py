# SPDX-License-Identifier: LGPL-2.1-or-later
"""What answers look like on a terminal: in a pager, in colours, folded and shortened; and that none of it reaches a pipe."""

import json
import os
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lab")]
import screen_picture
from fake_lkmd import more, reply
from lkmctl_bench import DEVICE, E1000E, EVENTS, LKMCTL, MODULES, STATUS, ctl, environment, lkmd, on_terminal  # noqa: F401

PAGER = """#!/bin/sh
env >"$0.environment"
echo "words: $*"
exec cat
"""


@pytest.fixture
def terminal(environment):
    """Runs lkmctl on a terminal; what that shows, and the exit status. A variable that is None is not set."""
    def run(*words, columns=80, rows=24, **variables):
        variables = {**environment, "LKMD_PAGERSECURE": "0", **variables}
        written, status = screen_picture.run_on_terminal([LKMCTL, *words], columns, rows,
                                                         {name: value for name, value in variables.items() if value is not None})
        return written.decode().replace("\r\n", "\n"), status
    return run


@pytest.fixture
def pager(tmp_path):
    """A program that shows with which words it is called, and then what it reads. Its path."""
    path = tmp_path / "a-pager"
    path.write_text(PAGER)
    path.chmod(0o755)
    return path


def seen_by(pager):
    """The environment that it had, None if it was not called."""
    path = Path(f"{pager}.environment")
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line) if path.exists() else None


# ------------------------------------------------------------------------------------------------------- the pager

def test_a_pager_shows_the_answer(lkmd, terminal, pager):
    lkmd.on("List", reply(modules=MODULES))
    text, status = terminal("list", LKMD_PAGER=f"{pager} -x  a*", PAGER="false", LESSSECURE="1")
    assert text.startswith("words: -x a*\n\x1b[1mNAME") and "\ne1000e " in text and status == 0
    seen = seen_by(pager)
    assert (seen["LESS"], seen["LESSCHARSET"], "LESSSECURE" in seen) == ("FRXMK", "utf-8", False)


@pytest.mark.parametrize("variables,paged", [
    ({"PAGER": "{}"}, True),
    ({"LKMD_PAGER": "{}", "PAGER": ""}, True),
    ({"LKMD_PAGER": "", "PAGER": "{}"}, False),
    ({"LKMD_PAGER": "cat", "PAGER": "{}"}, False),
    ({"LKMD_PAGER": " \t", "PAGER": "{}"}, False),
    ({"PAGER": "cat"}, False),
    ({"PAGER": "{}", "TERM": "dumb"}, False),
    ({"PAGER": "{}", "TERM": None}, False),
    ({"PAGER": "{}", "LKMD_LESS": "R", "LKMD_LESSCHARSET": "latin1"}, True),
    ({"PAGER": "{}", "LANG": "C", "LC_ALL": "C"}, True),
], ids=lambda value: str(value))
def test_which_pager(lkmd, terminal, pager, variables, paged):
    lkmd.on("List", reply(modules=MODULES))
    text, status = terminal("list", **{"LKMD_PAGER": None, **{name: value and value.format(pager) for name, value in variables.items()}})
    seen = seen_by(pager)
    assert "\ne1000e " in text and status == 0 and (seen is not None) == paged
    if paged:
        assert seen["LESS"] == variables.get("LKMD_LESS", "FRXMK")
        assert seen.get("LESSCHARSET") == (None if "LC_ALL" in variables else variables.get("LKMD_LESSCHARSET", "utf-8"))


def test_without_a_pager_the_answer_is_shown_all_the_same(lkmd, terminal, tmp_path):
    lkmd.on("List", reply(modules=MODULES))
    for word in ("/no/such/pager", str(tmp_path)):
        text, status = terminal("list", LKMD_PAGER=word, PATH=str(tmp_path))     # no less there either
        assert "\next4 " in text and "No such" not in text and status == 0


def test_no_pager(lkmd, terminal, ctl, pager):
    lkmd.on("List", reply(modules=MODULES))
    assert terminal("list", "--no-pager", LKMD_PAGER=str(pager))[1] == 0
    assert "words:" not in ctl("list", LKMD_PAGER=str(pager), LKMD_PAGERSECURE="0", check=0).stdout      # a pipe
    lkmd.on("Load", reply(records=[E1000E]))
    lkmd.on("Monitor", more(event=EVENTS[5]), reply())
    for words in (["load", "e1000e"], ["monitor"], ["version"], ["top"], ["--version"], ["log", "-f", "e1000e"]):
        terminal(*words, LKMD_PAGER=str(pager))
    assert seen_by(pager) is None


def test_leaving_the_pager_early_is_no_error(lkmd, terminal, tmp_path):
    many = [dict(MODULES[0], name=f"m{i}") for i in range(5000)]
    lkmd.on("List", reply(modules=many))
    text, status = terminal("list", LKMD_PAGER="true")
    assert (text, status) == ("", 0)
    text, status = terminal("list", LKMD_PAGER="head -n 3")
    assert len(text.splitlines()) == 3 and status == 0
    text, status = terminal("list", LKMD_PAGER="false")         # nor is what it exits with
    assert (text, status) == ("", 0)


def test_the_exit_status_is_kept(lkmd, terminal, tmp_path, pager):
    broken = tmp_path / "a.yaml"
    broken.write_text("version: 1\nrule: []\n")
    text, status = terminal("policy", "check", str(broken), LKMD_PAGER=str(pager))
    assert status == 1 and "unknown key" in text
    text, status = terminal("list", LKMD_PAGER=str(pager), LKMD_SOCKET=str(tmp_path / "none"))
    assert status == 4 and "words:" not in text                 # nothing was printed, so there is nothing to page
    assert terminal("list", "x", LKMD_PAGER=str(pager))[1] == 2


def test_json_in_a_pager_is_json(lkmd, terminal, pager):
    lkmd.on("List", reply(modules=[dict(MODULES[0], path="/lib/" + "long name " * 30)]))
    text, status = terminal("list", "--json=short", LKMD_PAGER=str(pager), NO_COLOR="1")
    words, line = text.splitlines()
    assert words.startswith("words:") and json.loads(line)["path"].count("long name ") == 30 and status == 0


def test_help_is_paged(terminal, pager):
    text, status = terminal("--help", LKMD_PAGER=str(pager))
    assert "What is going on" in text and status == 0


# What is set; whether the pager of the environment is started, and how secure the one that is started has to be.
SECURITY = {
    "said to be secure": ({"LKMD_PAGERSECURE": "1"}, True, True),
    "also in another word": ({"LKMD_PAGERSECURE": "Yes"}, True, True),
    "said to be trusted": ({"LKMD_PAGERSECURE": "0"}, True, False),
    "nobody has logged in": ({"LKMD_PAGERSECURE": None}, False, True),
    "sudo": ({"LKMD_PAGERSECURE": None, "SUDO_UID": "1000"}, False, True),
    "sudo, and trusted": ({"LKMD_PAGERSECURE": "no", "SUDO_UID": "1000"}, True, False),
}


@pytest.mark.parametrize("variables,trusted,secure", SECURITY.values(), ids=SECURITY)
def test_a_pager_with_privilege_starts_no_shell(lkmd, terminal, pager, tmp_path, variables, trusted, secure):
    """As systemctl(1): where the one who runs lkmctl is not the one who logged in, it is less, without its commands."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("less", "pager", "more"):
        (programs / name).write_text(PAGER)
        (programs / name).chmod(0o755)
    lkmd.on("List", reply(modules=MODULES))
    text, status = terminal("list", **{"LKMD_PAGER": str(pager), "PATH": f"{programs}:{os.environ['PATH']}", "LESSSECURE": None, **variables})
    assert text.startswith("words:") and "\next4 " in text and status == 0
    called = [name for name in (pager, *(programs / name for name in ("less", "pager", "more"))) if seen_by(name) is not None]
    assert called == [pager if trusted else programs / "less"]
    assert (seen_by(called[0]).get("LESSSECURE") == "1") == secure


# ------------------------------------------------------------------------------------------------------ colours

@pytest.mark.parametrize("words,variables,on_pipe,on_screen", [
    ([], {}, False, True),
    (["--color=auto"], {}, False, True),
    (["--color=always"], {}, True, True),
    (["--color", "never"], {}, False, False),
    ([], {"NO_COLOR": "1"}, False, False),
    ([], {"NO_COLOR": ""}, False, True),
    ([], {"CLICOLOR_FORCE": "1"}, True, True),
    ([], {"CLICOLOR_FORCE": "0"}, False, True),
    ([], {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
    ([], {"TERM": "dumb"}, False, False),
    (["--color=always"], {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
    (["--color=never"], {"CLICOLOR_FORCE": "1"}, False, False),
    ([], {"SYSTEMD_COLORS": "0"}, False, True),                 # of systemd's programs
], ids=lambda value: " ".join(value) if isinstance(value, list) else str(value))
def test_colours(lkmd, ctl, terminal, words, variables, on_pipe, on_screen):
    lkmd.on("Status", reply(**STATUS))
    assert ("\x1b[" in ctl("status", *words, check=0, **variables).stdout) == on_pipe
    assert ("\x1b[" in terminal("status", *words, **variables)[0]) == on_screen


def test_a_colour_that_is_none(ctl):
    for word in ("", "yes", "Always"):
        done = ctl("status", f"--color={word}", check=2)
        assert f"--color does not take '{word}': it is 'auto', 'always' or 'never'" in done.stderr
    assert "wants a value" in ctl("status", "--color", check=2).stderr


# -------------------------------------------------------------------------------------------- folded and shortened

LONG = dict(E1000E, requester=dict(DEVICE, device="/devices/pci0000:00/0000:00:1f.6/a-device-with-a-name-that-goes-on-and-on"))
HELD = {"name": "drm_display_helper", "state": "live", "sizeBytes": 1 << 20, "refCount": 7,
        "holders": ["nouveau", "amdgpu", "i915", "radeon", "xe", "vc4", "tegra_drm"], "loadedBy": LONG}


@pytest.mark.parametrize("columns", [60, 80])
def test_what_is_too_long_ends_in_an_ellipsis(lkmd, environment, ctl, columns):
    lkmd.on("List", reply(modules=[*MODULES, HELD]))
    text = on_terminal(environment, "list", columns=columns)
    lines = text.splitlines()
    assert len(lines) == 6 and all(len(line) <= columns for line in lines) and "…" in lines[5], text
    assert lines[5].startswith("drm_display_helper ")           # the names are whole
    names = re.findall(r"\w+", re.search(r" 7 (.*?)…", lines[5])[1])
    assert names == HELD["holders"][:len(names)], lines[5]       # also in a list
    full = on_terminal(environment, "list", "--full", columns=columns)
    assert "…" not in full and "tegra_drm" in full and on_terminal(environment, "list", "-l", columns=columns) == full
    plain = ctl("list", check=0).stdout                         # neither does a pipe lose anything
    assert "…" not in plain and "tegra_drm" in plain and len(plain.splitlines()) == 6
    ascii_only = on_terminal({**environment, "LANG": "C", "LC_ALL": "C"}, "list", columns=columns)
    assert "..." in ascii_only and ascii_only.isascii()


@pytest.mark.parametrize("columns", [60, 80])
def test_long_lines_go_on_below(lkmd, environment, ctl, columns):
    hint = "look whether the device has power, then " + "try it once more and " * 6 + "call somebody"
    lkmd.on("Status", reply(**STATUS | {"failures": [dict(LONG, module="floppy", outcome="failed", message="there is no such hardware", hint=hint)],
                                        "steppedBack": "the kernel told it to " * 4, "inCharge": "udev"}))
    text = on_terminal(environment, "status", columns=columns)
    assert all(len(line) <= columns for line in text.splitlines() if " /devices/" not in line), text
    told = text.split("In charge:")[1].split("\n", 2)
    assert told[1].startswith(" " * 14) and not told[1].startswith(" " * 15)        # below the text of the label
    plain = ctl("status", check=0).stdout
    assert " ".join(text.split()) == " ".join(plain.split()) and hint in plain


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_an_event_takes_one_line(lkmd, environment, ctl, columns):
    """What comes last on it is what it may lose."""
    lkmd.on("Monitor", more(), *[more(event=event) for event in EVENTS], None)
    lines = [line for line in on_terminal(environment, "monitor", columns=columns).splitlines() if line.startswith("22:13:20")]
    assert len(lines) == len(EVENTS) and all(len(line) <= columns for line in lines), lines
    assert "usb device for usb" in lines[0]
    full = on_terminal(environment, "monitor", "--full", columns=columns)
    assert "…" not in full and "usb:v0525pA4A5" in full


# ------------------------------------------------------------------------------------------------------- pictures

def texts(picture):
    return [(element.text, element.attrib) for element in xml.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_a_screen_is_drawn_as_it_is_seen():
    screen = screen_picture.Screen(40)
    screen.feed("\x1b[1;31mlkmctl:\x1b[0m a <b> & c\r\n\x1b[2m   Kernel:\x1b[0m 中文 ok\r\n".encode())
    screen.feed(b"gone\rcome\r\n\x1b[7minverse\x1b[27m \x1b[2mdim\x1b[22m not")
    assert screen.text() == ["lkmctl: a <b> & c", "   Kernel: 中文 ok", "come", "inverse dim not"]
    for theme in screen_picture.THEMES:
        drawn = texts(screen_picture.svg(screen.frame(), theme))
        colours = screen_picture.THEMES[theme]
        by_text = {text: attributes for text, attributes in drawn}
        assert by_text["lkmctl:"]["fill"] == colours["bright"][1] and by_text["lkmctl:"]["font-weight"] == "bold"
        assert by_text["   Kernel:"]["fill"] == by_text["dim"]["fill"] == colours["faint"]
        assert by_text[" a <b> & c"]["fill"] == by_text[" not"]["fill"] == colours["ink"]
        assert by_text["inverse"]["fill"] == colours["ground"]
        wide = [by_text[c] for c in "中文"]
        assert float(wide[1]["x"]) - float(wide[0]["x"]) == pytest.approx(2 * screen_picture.CELL_WIDTH, abs=0.02)
    assert "\x1b" not in screen_picture.svg(screen.frame())


def test_frames_of_a_terminal_are_of_its_size():
    screen = screen_picture.Screen(20, 5)
    for i in range(9):
        screen.feed(f"line {i}\r\n".encode())
    frame = screen.frame()
    assert len(frame.rows) == 5 and [row[0].text for row in frame.rows[:4]] == ["line 5", "line 6", "line 7", "line 8"]
    height = xml.fromstring(screen_picture.svg(frame)).attrib["height"]
    assert xml.fromstring(screen_picture.svg(screen_picture.Screen(20, 2).frame(), rows=5)).attrib["height"] == height


def test_a_picture_of_a_command(tmp_path):
    for name in ("a.svg", "a.png"):
        assert screen_picture.main(["--columns", "30", "--theme", "light", "--output", str(tmp_path / name), "sh", "-c",
                                         "stty size; exit 3"]) == 3
    assert [text for text, _ in texts((tmp_path / "a.svg").read_text())] == ["24 30"]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
