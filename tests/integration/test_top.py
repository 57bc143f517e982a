# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl top: on a terminal that is as before whatever ends it, and as one answer elsewhere."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading

import pytest

from fake_lkmd import more, reply
from lkmctl_bench import BLACKLISTED, CLIENT, COUNTERS, DEVICE, E1000E, FLOPPY, LKMCTL, PTP, STATUS, ctl, environment, lkmd

RUNNING = {"timeUSec": 1, "module": "slow_one", "requester": CLIENT, "durationUSec": 9_000_000, "kernelStack": ["msleep+0x2d/0x40"]}
HISTORY = reply(entries=[{"id": i + 1, "gone": False, "record": record} for i, record in enumerate([PTP, E1000E, FLOPPY])], complete=True)
BUSY = {**STATUS, "queued": 3, "running": [RUNNING], "failures": [FLOPPY]}
VERDICT = more(event={"kind": "verdict", "timeUSec": 1, "requester": DEVICE, "omission": BLACKLISTED})
SLOWER = more(event={"kind": "finished", "timeUSec": 1, "record": dict(E1000E, module="slower", durationUSec=5_000_000)})


@pytest.fixture
def busy(lkmd):
    lkmd.on("Status", reply(**BUSY))
    lkmd.on("History", HISTORY)
    return lkmd


class Terminal:
    """lkmctl top on a terminal of its own."""

    def __init__(self, environment, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.process = subprocess.Popen([LKMCTL, "top"], env=environment, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        start_new_session=True)

    def size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text):
        while text not in self.seen:
            assert select.select([self.master], [], [], 60)[0], self.seen
            self.seen += os.read(self.master, 65536)

    def end(self, status=0):
        """Waits for the end; the terminal is as it was. Gives what was printed after it was given back."""
        assert self.process.wait(60) == status
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        assert termios.tcgetattr(self.slave) == self.before
        assert self.seen.count(b"\x1b[?1049h") == self.seen.count(b"\x1b[?1049l")
        return self.seen.rsplit(b"\x1b[?1049l", 1)[-1]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(environment):
    terminals = []

    def make(*arguments, **how):
        terminals.append(Terminal(environment, *arguments, **how))
        return terminals[-1]
    yield make
    for made in terminals:
        made.close()


@pytest.fixture
def watched(busy):
    """Monitor goes on until the event is set."""
    end = threading.Event()
    busy.on("Monitor", more(), SLOWER, VERDICT, end, None)
    yield end
    end.set()


def test_frame(watched, terminal):
    t = terminal()
    t.until(b"slower")
    t.until(b"slow_one")
    t.until(b"LEFT OUT")
    text = t.seen.decode()
    assert "lkmd 0.1.0, up for" in text and "3 queued  1 under way" in text and "in msleep" in text
    assert "floppy found no hardware" in text and "nouveau" in text and "5.0 s" in text
    t.until(b"0.0 events/s")                    # of the second frame
    os.write(t.master, b"q")
    assert t.end() == b""


@pytest.mark.parametrize("key", [b"q", b"Q", b"\x04", b"abcq"])
def test_keys_that_end_it(watched, terminal, key):
    t = terminal()
    t.until(b"slower")
    os.write(t.master, key)
    t.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals(watched, terminal, number):
    t = terminal()
    t.until(b"slower")
    t.process.send_signal(number)
    t.end(0 if number in (signal.SIGINT, signal.SIGTERM) else -number)


def test_other_keys_and_echo(watched, terminal):
    t = terminal()
    t.until(b"slower")
    os.write(t.master, b"xyz")
    n = len(t.seen)
    t.until(b"events/s")
    assert b"xyz" not in t.seen[n:]
    os.write(t.master, b"q")
    t.end()


def test_stopped_and_continued(watched, terminal):
    t = terminal()
    t.until(b"slower")
    t.process.send_signal(signal.SIGTSTP)
    assert os.WIFSTOPPED(os.waitpid(t.process.pid, os.WUNTRACED)[1])
    assert termios.tcgetattr(t.slave) == t.before
    t.process.send_signal(signal.SIGCONT)
    t.until(b"events/s")
    os.write(t.master, b"q")
    t.end()


def test_lkmd_goes_away(watched, terminal):
    t = terminal()
    t.until(b"slower")
    watched.set()
    rest = t.end(4)
    assert b"lkmd went away" in rest


def test_lkmd_does_not_answer(busy, watched, terminal):
    t = terminal()
    t.until(b"slower")
    busy.on("Status", threading.Event())        # never
    t.until(b"NO ANSWER")
    busy.on("Status", reply(**BUSY))
    os.write(t.master, b"q")
    t.end()


def test_the_terminal_is_gone(watched, terminal):
    t = terminal()
    t.until(b"slower")
    t.process.send_signal(signal.SIGHUP)
    t.process.wait(60)


@pytest.mark.parametrize("rows,columns", [(5, 20), (24, 60), (60, 200), (1, 1)])
def test_sizes(watched, terminal, rows, columns):
    t = terminal(rows, columns)
    t.until(b"\x1b[J")
    frame = t.seen.decode(errors="replace").split("\x1b[H")[1].split("\x1b[J")[0]
    lines = frame.split("\x1b[K\r\n")
    assert all(len(line) < columns for line in lines) and len(lines) <= rows
    os.write(t.master, b"q")
    t.end()


def test_once(busy, ctl):
    out = ctl("top", check=0).stdout
    assert "5 events" in out and "3 queued" in out and "slow_one" in out and "\x1b" not in out
    assert out.index("e1000e") < out.index("ptp")
    assert ctl("top", "--quiet", check=0).stdout == ""


def test_json(busy, ctl):
    out = ctl("top", "--json=short", check=0).stdout
    answer = json.loads(out)
    assert out.count("\n") == 1
    assert [r["module"] for r in answer["slowest"]] == ["e1000e", "ptp"] and answer["running"] == [RUNNING] and answer["counters"] == COUNTERS
    assert answer["queued"] == 3 and answer["failures"] == [FLOPPY]


def test_json_on_a_terminal(busy, environment):
    master, slave = pty.openpty()
    done = subprocess.run([LKMCTL, "top", "--json=short"], env={**environment, "NO_COLOR": "1"}, stdout=slave, stdin=slave, timeout=60, check=False)
    assert done.returncode == 0 and json.loads(os.read(master, 65536))["queued"] == 3
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot(busy, environment, term):
    master, slave = pty.openpty()
    done = subprocess.run([LKMCTL, "top"], env={**environment, "TERM": term}, stdout=slave, stdin=slave, timeout=60, check=False)
    out = os.read(master, 65536)
    assert done.returncode == 0 and b"\x1b" not in out and b"3 queued" in out
    os.close(master)
    os.close(slave)


def test_many_records(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS))
    lkmd.on("History", reply(complete=True, entries=[{"id": i + 1, "gone": False, "record": dict(E1000E, module=f"m{i * 7 % 100}", durationUSec=i * 7 % 100 + 1)}
                                                     for i in range(100)]))
    assert [r["module"] for r in json.loads(ctl("top", "--json", check=0).stdout)["slowest"]] == [f"m{i}" for i in range(99, 91, -1)]


def test_lkmd_is_not_there(ctl):
    ctl("top", check=4)
