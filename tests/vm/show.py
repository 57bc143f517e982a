# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a newcomer is shown: commands typed on a terminal of a real machine. ./dev record writes the session into README.md as text and
into docs/session.svg as a recording, and the plot of its boot into docs/boot.svg; test_show.py compares them with what happens now."""

import re
import sys
from pathlib import Path
from typing import Callable, NamedTuple

import driver
from driver import lab
from support import configure, lkmctl, wait_idle

sys.path.insert(0, str(lab.project() / "tests/lab"))
import screen_picture
import screen_recording

README, RECORDING, BOOT = (lab.project() / name for name in ("README.md", "docs/session.svg", "docs/boot.svg"))
HEADING = "## How it looks\n"
COLUMNS, ROWS = 110, 32
POLICY = "version: 1\nrules:\n- {id: no-game-ports, match: {module: gameport}, verdict: deny, reason: nobody plays on this server}\n"
LIST = "version: 1\ninclude: [no-unprivileged-autoload]\n"
AF_ALG = "runuser -u nobody -- python3 -c 'import socket; socket.socket(38, 5)' 2>&1 | tail -n 1"


class Shown(NamedTuple):
    """A command, and what it wrote to its terminal: (seconds since the one before, bytes)."""
    command: str
    written: list

    def text(self):
        screen = screen_picture.Screen(COLUMNS)
        for _, data in self.written:
            screen.feed(data)
        return "\n".join(screen.text())


class Step(NamedTuple):
    command: str
    comment: str = ""                   # beside the command
    meanwhile: Callable = None          # with the machine, once the command has begun to listen; it is ended then


def plug_in(machine):
    machine.wait("grep -q Watching /run/show.out")
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    machine.wait("grep -q 'loaded.* e1000e' /run/show.out")


STEPS = [
    Step("lkmctl status"),
    Step("lkmctl monitor", "somebody plugs in a network card", plug_in),
    Step("lkmctl load nfsd"),
    Step("lkmctl why sunrpc"),
    Step("lkmctl load dummy numdumies=2"),
    Step("lkmctl load gameport"),
    Step(AF_ALG, "a user tries AF_ALG"),
    Step("lkmctl log --since=1min --denied"),
]


def prepare(machine):
    machine.write("/etc/lkmd/policy.d/site.yaml", POLICY)
    machine.write("/etc/lkmd/policy.d/users.yaml", LIST)
    configure(machine, SlowLoadSec="10min")     # a computer that is busy is not what is shown; loads of the boot were counted before
    machine.run("for module in nfsd e1000e dummy; do modprobe -q -r $module; done", check=False)
    lkmctl(machine, "reload")
    wait_idle(machine)


def show(machine, step):
    """Type the command on a terminal of the machine."""
    inner = f"stty cols {COLUMNS} rows {ROWS}; export LKMD_PAGER=; {step.command}"
    words = ["env", "TERM=xterm-256color", "script", "--quiet", "--flush", "--log-timing=/run/show.times", "--log-out=/run/show.out",
             "--command", inner]
    if step.meanwhile:
        machine.run(["rm", "-f", "/run/show.out"])
        machine.run(["systemd-run", "--quiet", "--collect", "--unit=show", *words])
        step.meanwhile(machine)
        machine.run("systemctl stop show.service")
    else:
        machine.run([*words], check=False, timeout=120)
    data = machine.read_bytes("/run/show.out").partition(b"\n")[2].rpartition(b"\nScript done on ")[0]   # of script(1) itself
    written, place = [], 0
    for line in machine.read("/run/show.times").splitlines():
        seconds, length = line.split()
        written.append((float(seconds), data[place:place + int(length)]))
        place += int(length)
    return Shown(step.command, written)


def session(machine):
    """All steps, on a machine with lkmd."""
    prepare(machine)
    return [(step, show(machine, step)) for step in STEPS]


def transcript(shown):
    """A session as text for the README."""
    blocks = []
    for step, done in shown:
        comment = f"{'':{max(2, 38 - len(step.command))}}# {step.comment}" if step.comment else ""
        blocks.append(f"# {step.command}{comment}\n{done.text()}".rstrip("\n"))
    return "\n\n".join(blocks) + "\n"


def shape(text):
    """The lines of a text without what is another one each time: numbers, units of time and size, blanks, which follow from them, the
    order of names that stand side by side, and that some modules were slow, which a busy computer makes of any at boot."""
    text = re.sub(r", [0-9]+ slow\b", "", text)
    text = re.sub(r"[0-9a-f]*[0-9][0-9a-f.:]*", "N", text)
    text = re.sub(r"\b(N (us|ms|s|min|h|B|KiB|MiB)\b ?)+", "N", text)
    return ["".join(sorted(re.sub(r"\s", "", line))) for line in text.splitlines()]


def recorded(text):
    """The README with another session in it."""
    before, _, rest = README.read_text(encoding="utf-8").partition(HEADING)
    head, _, tail = rest.partition("```\n")
    _, _, tail = tail.partition("```\n")
    return f"{before}{HEADING}{head}```\n{text}```\n{tail}"


def main():
    machine = driver.fresh()
    try:
        shown = session(machine)
        README.write_text(recorded(transcript(shown)), encoding="utf-8")
        BOOT.write_text(lkmctl(machine, "plot").stdout, encoding="utf-8")
        RECORDING.write_text(screen_recording.animation([(f"{step.command}", done.written) for step, done in shown], COLUMNS, ROWS),
                             encoding="utf-8")
    finally:
        machine.remove()


if __name__ == "__main__":
    main()
