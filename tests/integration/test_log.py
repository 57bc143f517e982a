# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl log: from files of a journal that the tests write, and from what lkmd remembers where there is none."""

import json
import os
import select
import signal
import stat
import subprocess
import uuid
from pathlib import Path

import pytest

from fake_lkmd import more, reply
from journal_file import JournalFile
from lkmctl_bench import CLIENT, DEVICE, E1000E, FLOPPY, LKMCTL, PTP, ctl, environment, finish, lkmd, on_terminal, start
from module_tree import make_tree

IDS = {"loaded": "8a6e00149c394731b00f564799df73f1", "failed": "52ca4cb152bc49859db30e05a3d95f13",
       "kept_out": "3f5d1c6e0b7a4f2e9c84a1d7e6b05c92", "unloaded": "10d47b5dbdf34ee482b0344e0b33a66d",
       "left_out": "a3f7852ba9b54f1bb4c4ae973aeb5b70", "would_deny": "74aa463401b24fb1bacd05bc7403cad2",
       "reported": "a42923ff03ff4c938dd1efb2ec10b9f1", "intruder": "6b1d0c4e8f5a47d3b2960e7a1f83c5d4",
       "in_kernel": "3c1f7b0e5d2a4968b7e0c4a1f95d8e26", "unprivileged": "e4a0b7c19d6f4f358c2b5d17a3e8f061",
       "asked": "7d2e9b4c6a1f43e58b90d3f7c2a56e18", "slow": "f05d62f96fb548bf9842f6593b62641d"}
THIS_BOOT = uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
BOOTS = [uuid.UUID(int=1), uuid.UUID(int=2), THIS_BOOT]
T0 = 1_700_000_000_000_000
HOUR = 3_600_000_000
PYTHON = {"LKMD_ORIGIN": "kernel", "LKMD_KEY": "net-pf-2-proto-132", "LKMD_REQUESTER_UID": 65534, "LKMD_REQUESTER_PID": 4711,
          "LKMD_REQUESTER_LOGINUID": 1000, "LKMD_REQUESTER_COMM": "python3", "LKMD_REQUESTER_EXE": "/usr/bin/python3.13",
          "LKMD_REQUESTER_UNIT": "web.service"}
CARD = {"LKMD_ORIGIN": "device", "LKMD_KEY": "pci:v00008086d000010D3", "LKMD_DEVICE": "/devices/pci0000:00/0000:00:02.0",
        "LKMD_SUBSYSTEM": "pci"}


def add(journal, kind, hours, boot, module=None, message="", **fields):
    fields = {"MESSAGE_ID": IDS[kind], "MESSAGE": message, **fields}
    if module:
        fields["LKMD_MODULE"] = module
    if isinstance(journal, list):
        journal.append((T0 + hours * HOUR, BOOTS[boot], fields))
    else:
        journal.add(T0 + hours * HOUR, BOOTS[boot], **fields)


def rich():
    """Three boots: sctp in the first two, a card in each, failures, refusals."""
    journal = []
    for boot in range(3):
        add(journal, "loaded", 24 * boot, boot, "e1000e", LKMD_OUTCOME="loaded", LKMD_REASON="requested", LKMD_DURATION_USEC=23100, **CARD)
        add(journal, "loaded", 24 * boot, boot, "ptp", LKMD_OUTCOME="loaded", LKMD_REASON="dependency", LKMD_PARENT="e1000e",
            LKMD_DURATION_USEC=800, **CARD)
    add(journal, "loaded", 23, 0, "sctp", LKMD_OUTCOME="loaded", LKMD_REASON="requested", LKMD_DURATION_USEC=9000, **PYTHON)
    add(journal, "asked", 26, 1, "uhid", "uhid is wanted for bluetoothd", LKMD_ORIGIN="kernel", LKMD_KEY="char-major-10-239",
        LKMD_OUTCOME="asked", LKMD_REQUESTER_UID=0, LKMD_REQUESTER_PID=300, LKMD_REQUESTER_COMM="bluetoothd", LKMD_REQUESTER_UNIT="bluetooth.service")
    add(journal, "loaded", 27, 1, "sctp", LKMD_OUTCOME="loaded", LKMD_REASON="requested", LKMD_DURATION_USEC=9000,
        **{**PYTHON, "LKMD_REQUESTER_PID": 815})
    add(journal, "failed", 28, 1, "floppy", "floppy: floppy found no hardware", LKMD_OUTCOME="failed", LKMD_REASON="requested", ERRNO=19,
        LKMD_ORIGIN="client", LKMD_KEY="floppy", LKMD_REQUESTER_UID=0, LKMD_REQUESTER_PID=7, LKMD_REQUESTER_COMM="lkmctl")
    add(journal, "left_out", 50, 2, "x25", "x25 is left out for python3: denied by /etc/x.yaml:3", LKMD_OUTCOME="denied",
        LKMD_RULE="/etc/x.yaml:3", **{**PYTHON, "LKMD_KEY": "net-pf-9"})
    add(journal, "in_kernel", 50, 2, None, "the kernel refuses it to python3", LKMD_OUTCOME="denied", **{**PYTHON, "LKMD_KEY": "net-pf-9"})
    add(journal, "left_out", 51, 2, "nouveau", "nouveau is left out: not preferred", LKMD_OUTCOME="not_preferred", **CARD)
    add(journal, "would_deny", 51, 2, "rds", "rds would be left out", LKMD_OUTCOME="would_refuse", **PYTHON)
    add(journal, "reported", 51, 2, "rds", "rds is loaded", LKMD_OUTCOME="reported", **PYTHON)
    add(journal, "intruder", 52, 2, "evil", "evil is in the kernel", LKMD_OUTCOME="loaded", LKMD_ORIGIN="foreign", LKMD_KEY="evil",
        LKMD_REQUESTER_COMM="insmod", LKMD_REQUESTER_UID=0, LKMD_REQUESTER_PID=8)
    add(journal, "unloaded", 53, 2, "ptp", LKMD_OUTCOME="unloaded", LKMD_DURATION_USEC=100, LKMD_ORIGIN="client", LKMD_KEY="ptp",
        LKMD_REQUESTER_UID=0, LKMD_REQUESTER_PID=9, LKMD_REQUESTER_COMM="lkmctl")
    add(journal, "kept_out", 54, 2, "b43", "b43: its command ended with 1", LKMD_OUTCOME="kept_out", **CARD)
    add(journal, "slow", 54, 2, "e1000e", "e1000e: its init runs for 10 s now")
    add(journal, "loaded", 54, 2, "forged", LKMD_OUTCOME="loaded", _SYSTEMD_UNIT="evil.service")
    file = JournalFile()
    for usec, boot, fields in sorted(journal, key=lambda entry: entry[0]):
        file.add(usec, boot, **fields)
    return file


@pytest.fixture
def journal(tmp_path, environment):
    """Where files of a journal are put."""
    directory = tmp_path / "journal"
    directory.mkdir()
    environment["LKMD_JOURNAL"] = str(directory)
    return directory


@pytest.fixture
def log(journal, ctl):
    """Runs log with --json=short; the entries, and what is behind them."""
    def run(*words, check=0):
        *entries, extent = map(json.loads, ctl("log", "--json=short", *words, check=check).stdout.splitlines())
        assert extent["kind"] == "extent"
        return entries, extent
    return run


@pytest.fixture
def filled(journal):
    rich().write(journal / "system.journal")


def modules(entries):
    return [entry.get("module") for entry in entries]


# ------------------------------------------------------------------------------------------------- the journal

def test_everything(filled, log):
    entries, extent = log()
    assert extent == {"kind": "extent", "source": "journal", "complete": True}
    assert [e["kind"] for e in entries] == [*["loaded"] * 5, "asked", "loaded", "failed", "loaded", "loaded", "denied", "denied", "left_out",
                                            "would_deny", "reported", "denied_loaded", "unloaded", "kept_out"]
    assert "forged" not in modules(entries)
    assert entries[1] == {"timeUSec": T0, "kind": "loaded", "module": "ptp", "outcome": "loaded", "reason": "dependency", "parent": "e1000e",
                          "durationUSec": 800, "message": "", "boot": BOOTS[0].hex,
                          "requester": {"origin": "device", "key": CARD["LKMD_KEY"], "device": CARD["LKMD_DEVICE"], "subsystem": "pci"}}
    assert entries[7]["message"] == "floppy found no hardware" and entries[7]["errno"] == 19
    assert entries[10]["rule"] == "/etc/x.yaml:3"
    assert entries[2]["requester"] == {"origin": "kernel", "key": "net-pf-2-proto-132", "uid": 65534, "pid": 4711, "loginUid": 1000,
                                       "command": "python3", "executable": "/usr/bin/python3.13", "unit": "web.service"}


@pytest.mark.parametrize("words,expected", [
    (["sctp"], ["sctp", "sctp"]), (["net-pf-2-proto-132"], ["sctp", "sctp", "rds", "rds"]), (["net-pf-9"], ["x25", None]),
    (["--failed"], ["floppy", "b43"]), (["--denied"], ["x25", None, "rds", "evil"]),
    (["--failed", "--denied"], ["floppy", "x25", None, "rds", "evil", "b43"]),
    (["--boot", "-1"], ["e1000e", "ptp", "uhid", "sctp", "floppy"]), (["--boot=-2"], ["e1000e", "ptp", "sctp"]),
    (["--boot", "1"], ["e1000e", "ptp", "sctp"]), (["--boot", "0", "--failed"], ["b43"]), (["--since=boot", "--failed"], ["b43"]),
    (["--since=2023-11-17 03:00"], ["ptp", "b43"]), (["/sys/devices/pci0000:00/0000:00:02.0", "--boot=1"], ["e1000e", "ptp"]),
    (["/sys/devices/pci0000:00", "--boot=+1"], ["e1000e", "ptp"]), (["/sys/devices/pci0000:0", "--boot=1"], []),
    (["ptp", "--boot=-1", "--failed"], []),
])
def test_what_is_wanted(filled, ctl, words, expected):
    done = ctl("log", "--json=short", *words)
    entries = list(map(json.loads, done.stdout.splitlines()))
    assert modules(entries[:-1]) == expected and done.returncode == 0, done


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal_an_entry_is_brief(filled, environment, ctl, columns):
    text = on_terminal(environment, "log", "--boot=-1", columns=columns)
    words = " ".join(text.split())
    assert " loaded e1000e: loaded in 23.1 ms, for device 0000:00:02.0 2023-" in words and "/devices/" not in text
    assert " sctp: loaded in 9.0 ms, asked for by the kernel on behalf of python3 2023-" in words
    assert all(len(line) <= columns for line in text.splitlines())
    full = on_terminal(environment, "log", "--boot=-1", "--full", columns=200)
    assert CARD["LKMD_KEY"] in full and "web.service" in full
    assert full.split() == ctl("log", "--boot=-1", check=0).stdout.split()       # as everywhere else


def test_names_of_modules(filled, log, journal):
    other = JournalFile()
    add(other, "loaded", 1, 0, "nf_nat", LKMD_OUTCOME="loaded", LKMD_KEY="nf-nat", LKMD_ORIGIN="client")
    other.write(journal / "other.journal")
    assert modules(log("nf-nat")[0]) == modules(log("nf_nat")[0]) == ["nf_nat"]


@pytest.mark.parametrize("number", ["-3", "4", "-2147483647", "2147483647"])
def test_no_such_boot(filled, ctl, number):
    assert "no such boot" in ctl("log", "--boot", number, check=1).stderr
    assert json.loads(ctl("log", "--boot", number, "--json", check=1).stdout)[0]["message"] == "the journal has no such boot"


@pytest.mark.parametrize("words,message", [
    (["--boot=x"], "0 for this boot"), (["--boot=99999999999"], "0 for this boot"), (["--boot="], "0 for this boot"),
    (["--by=rule"], "'log' has its entries by"), (["--by=x"], "--by does not take"), (["--by=module", "--follow"], "does not go with it"),
    (["--boot=-1", "--follow"], "does not go with it"), (["--since=boot", "--boot=-1"], "--since=boot is about this boot"),
    (["a", "b"], "too many"), (["--root=/"], "it takes no --root"),
])
def test_usage(filled, ctl, words, message):
    assert message in ctl("log", *words, check=2).stderr


def test_policy_audit_has_no_groups_of_log(ctl):
    for by in ("module", "device"):
        assert "by 'rule' or by 'requester'" in ctl("policy", "audit", "--by", by, check=2).stderr


def test_text(filled, ctl):
    lines = ctl("log", "--boot=-1", check=0).stdout.splitlines()
    assert lines[0] == f"-- boot {BOOTS[1].hex} --"
    assert lines[1].startswith("2023-11-15 22:13:20  loaded     e1000e: loaded in 23.1 ms, for device /devices/pci0000:00/0000:00:02.0 (pci:")
    assert lines[2].endswith("ptp: loaded in 0.80 ms, needed by e1000e, for device /devices/pci0000:00/0000:00:02.0 (pci:v00008086d000010D3)")
    assert lines[3].endswith("asked      uhid is wanted for bluetoothd")
    assert "by the kernel on behalf of python3 (pid 815, uid 65534, logged in as uid 1000, web.service, /usr/bin/python3.13)" in lines[4]
    assert lines[5].endswith("failed     floppy: failed: floppy found no hardware, asked for by lkmctl (pid 7, uid 0)")
    everything = ctl("log", check=0).stdout
    assert everything.count("-- boot") == 3
    assert "intruder   evil is in the kernel" in everything and "may deny" in everything


def test_nothing(journal, ctl):
    assert ctl("log", check=0).stdout == "There is nothing.\n"
    assert json.loads(ctl("log", "--json", check=0).stdout) == [{"kind": "extent", "source": "journal", "complete": True}]
    assert ctl("log", "--by=requester", check=0).stdout == "There is nothing.\n"


def test_no_such_module(filled, ctl, tmp_path):
    make_tree(tmp_path / "root", os.uname().release, {"sctp": ((), ()), "dummy": ((), ())})
    environment = {"LKMD_ROOT": str(tmp_path / "root")}
    done = ctl("log", "sctq", check=5, **environment)
    assert "did you mean 'sctp'?" in done.stderr
    assert ctl("log", "dummy", check=0, **environment).stdout == "There is nothing.\n"
    assert ctl("log", "no_such", check=0, LKMD_ROOT=str(tmp_path / "nowhere")).stdout == "There is nothing.\n"
    assert json.loads(ctl("log", "sctq", "--json", check=5, **environment).stdout)[0]["error"].endswith("NoSuchModule")


def test_no_such_device(filled, ctl):
    assert "there is no device" in ctl("log", "/sys/class/net/none9", check=5).stderr
    assert "there is no device" in ctl("log", "/dev/none9", check=5).stderr


# -------------------------------------------------------------------------------------------------- groups

def test_by_requester(filled, log, ctl):
    groups, _ = log("--by", "requester")
    assert [(g["kind"], g["count"]) for g in groups[:2]] == [("requester", 8), ("requester", 6)]
    devices, python = groups[:2]
    assert devices["requester"] == {"origin": "device"}
    assert python["requester"] == {"origin": "kernel", "uid": 65534, "command": "python3", "executable": "/usr/bin/python3.13", "unit": "web.service"}
    assert python["firstUSec"] == T0 + 23 * HOUR and python["lastUSec"] == T0 + 51 * HOUR
    assert {(e["module"], e["count"]) for e in python["entries"]} == {("sctp", 2), ("rds", 2), ("x25", 1), ("net-pf-9", 1)}
    assert python["entries"][0] == {"module": "sctp", "count": 2, "kinds": {"loaded": 2}}
    text = ctl("log", "--by=requester", check=0).stdout
    assert "WHO ASKED" in text and "sctp: 2 loaded" in text and "bluetoothd" in text and "pid" not in text


def test_what_asks_for_sctp_sometimes(filled, ctl):
    lines = ctl("log", "sctp", "--by", "requester", check=0).stdout.splitlines()
    assert len(lines) == 2 and "python3" in lines[1] and "web.service" in lines[1]


def test_by_module(filled, log, ctl):
    groups, _ = log("--by", "module")
    sctp = next(g for g in groups if g["module"] == "sctp")
    assert sctp["count"] == 2 and sctp["entries"][0]["requester"]["command"] == "python3" and sctp["entries"][0]["kinds"] == {"loaded": 2}
    assert "MODULE" in ctl("log", "--by=module", check=0).stdout


def test_by_device(filled, log, ctl):
    groups, _ = log("--by", "device")
    assert [(g["kind"], g["device"], g["count"]) for g in groups] == [("device", CARD["LKMD_DEVICE"], 8)]
    assert "e1000e: 3 loaded" in ctl("log", "--by=device", check=0).stdout


# ------------------------------------------------------------------------------------------- bad journals

def test_strange_fields(journal, log, ctl):
    """Bytes that are no text, numbers that are none, several values, huge ones, what an older or newer lkmd writes."""
    strange = JournalFile()
    add(strange, "loaded", 1, 0, b"a\x1b[2Jb\xff\0c", LKMD_OUTCOME="from_the_future", LKMD_DURATION_USEC="-1", ERRNO="99999999999999999999999",
        LKMD_ORIGIN="moon", LKMD_KEY=b"\x80\n", LKMD_REQUESTER_UID="root", LKMD_REQUESTER_PID=["1", "2"], LKMD_REQUESTER_COMM=[])
    add(strange, "loaded", 2, 0, None)
    add(strange, "loaded", 3, 0, "x" * 100_000, MESSAGE="y" * 1_000_000)
    strange.add(T0, BOOTS[0], MESSAGE_ID="8A6E", LKMD_MODULE="x")
    strange.add((1 << 55) - 1, BOOTS[0], MESSAGE_ID=IDS["loaded"], LKMD_MODULE="future", LKMD_OUTCOME="loaded")
    strange.write(journal / "system.journal")
    entries, _ = log()
    assert entries[0]["module"] == "a\\x1b[2Jb\\xff" and entries[0]["requester"]["key"] == "\\x80\\x0a"
    assert "durationUSec" not in entries[0] and "uid" not in entries[0]["requester"] and entries[0]["requester"]["pid"] in (1, 2)
    assert "\x1b" not in ctl("log", check=0).stdout
    for by in ("requester", "module", "device"):
        assert "\x1b" not in ctl("log", "--by", by, check=0).stdout
    assert entries[-1]["module"] == "future"
    assert all(len(json.dumps(entry)) < 100_000 for entry in entries)


@pytest.mark.parametrize("damage", ["empty", "garbage", "short", "half", "bytes"])
def test_damaged_files(journal, ctl, damage):
    rich().write(journal / "system.journal")
    path = journal / "damaged.journal"
    rich().write(path)
    data = bytearray(path.read_bytes())
    if damage == "bytes":
        for position in range(300, len(data), 997):
            data[position] ^= 0xff
    path.write_bytes({"empty": b"", "garbage": b"\xa5" * 5000, "short": data[:100], "half": data[:len(data) // 2], "bytes": data}[damage])
    done = ctl("log", "--json=short")
    assert done.returncode in (0, 1), done
    assert ctl("log", "sctp", "--by=requester").returncode in (0, 1)


# ---------------------------------------------------------------------------------------------- following

def line_of(process):
    assert select.select([process.stdout], [], [], 60)[0], "no line comes"
    return process.stdout.readline()


def test_follow(journal, environment):
    rich().write(journal / "system.journal")
    process = start(environment, "log", "--follow", "sctp", "--json=short", text=False, bufsize=0)
    try:
        for _ in range(2):
            assert json.loads(line_of(process))["module"] == "sctp"
        more_of_it = JournalFile()
        add(more_of_it, "loaded", 60, 2, "sctp", LKMD_OUTCOME="loaded", LKMD_REASON="requested", **PYTHON)
        more_of_it.write(journal / "new.journal.part")
        (journal / "new.journal.part").rename(journal / "new.journal")
        assert json.loads(line_of(process))["timeUSec"] == T0 + 60 * HOUR
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        finish(process)


def test_follow_ends_with_its_reader(filled, environment):
    process = start(environment, "log", "-f", "sctp", text=False, bufsize=0)
    line_of(process)
    process.stdout.close()
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


# ------------------------------------------------------------------------------------- without the journal

HISTORY = reply(entries=[{"id": i + 1, "gone": False, "record": record} for i, record in enumerate(
    [PTP, E1000E, FLOPPY, dict(E1000E, outcome="already_loaded"), {"timeUSec": 1, "module": "under_way", "requester": CLIENT}])], complete=True)


@pytest.fixture
def no_journal(environment, tmp_path):
    environment["LKMD_JOURNAL"] = str(tmp_path / "none")


def test_what_lkmd_remembers(no_journal, lkmd, ctl):
    lkmd.on("History", HISTORY)
    *entries, extent = map(json.loads, ctl("log", "--json=short", check=0).stdout.splitlines())
    assert [(e["kind"], e["module"]) for e in entries] == [("loaded", "ptp"), ("loaded", "e1000e"), ("failed", "floppy"), ("asked", "e1000e")]
    assert extent["source"] == "lkmd" and not extent["complete"] and "no journal" in extent["missing"]
    done = ctl("log", check=0)
    assert "floppy: failed after 2.0 ms: floppy found no hardware" in done.stdout
    assert "this lacks earlier boots and refusals" in done.stderr and "try:" in done.stderr
    assert ctl("log", "--quiet", check=0).stderr == ""
    assert "other boots are not known" in ctl("log", "--boot=-1", check=1).stderr
    assert [json.loads(line)["module"] for line in ctl("log", "--failed", "--json=short", check=0).stdout.splitlines()[:-1]] == ["floppy"]
    assert "e1000e: 1 loaded, 1 asked" in ctl("log", "--by=requester", check=0).stdout


def test_of_one_module(no_journal, lkmd, ctl):
    lkmd.on("History", HISTORY)
    ctl("log", "e1000e", check=0)
    assert lkmd.calls[-1][1] == {"module": "e1000e"}


def test_lkmd_is_not_there_either(no_journal, ctl):
    assert "lkmd is not running" in ctl("log", check=4).stderr


def test_lkmd_has_forgotten(no_journal, lkmd, ctl):
    lkmd.on("History", reply(entries=[], complete=False))
    assert "has forgotten" in ctl("log", check=0).stderr


def test_without_the_right(journal, environment, lkmd):
    """Somebody who is not in the group systemd-journal."""
    lkmd.on("History", HISTORY)
    journal.chmod(0o700)
    Path(lkmd.path).chmod(0o666)
    for path in list(Path(lkmd.path).parents)[:-1]:         # / is not the test's
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o5)
    journal.chmod(0o700)
    done = subprocess.run([LKMCTL, "log"], env=environment, capture_output=True, text=True, timeout=60, user=65534, group=65534, extra_groups=[])
    assert done.returncode == 0, done
    assert "group systemd-journal" in done.stderr and "sudo" in done.stderr and "e1000e" in done.stdout
    done = subprocess.run([LKMCTL, "log", "--boot=-1"], env=environment, capture_output=True, text=True, timeout=60, user=65534, group=65534,
                          extra_groups=[])
    assert done.returncode == 1 and "group systemd-journal" in done.stderr


def test_following_lkmd(no_journal, lkmd, environment):
    lkmd.on("History", reply(entries=[], complete=True))
    lkmd.on("Monitor", more(), more(event={"kind": "finished", "timeUSec": 1, "record": E1000E}),
            more(event={"kind": "started", "timeUSec": 1, "record": E1000E}), more(event={"kind": "finished", "timeUSec": 1, "record": FLOPPY}), None)
    out, err = finish(start(environment, "log", "-f"))
    assert "e1000e: loaded" in out and "floppy: failed" in out and out.count("\n") == 2
    assert "lkmd went away" in err
