# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who takes over lkmd is not root: evil_manager.py in its place, with its user, its sandbox and its sockets."""

import json
from pathlib import Path

import pytest

from support import Background, ask, lkmctl, loaded, remove, start_lkmd

PROGRAM = "/usr/local/lib/evil_manager.py"
REPORT = "/run/lkmd/state/report"
DROP_IN = f"""[Service]
ExecStart=
ExecStart=/usr/bin/python3 {PROGRAM} {REPORT}
Type=exec
WatchdogSec=0
Restart=no
# lkmd has given it up when anybody can talk to it
AmbientCapabilities=
CapabilityBoundingSet=
"""
LINES = """# options lkmd_test_params word=commented
options lkmd_test_params number=5
options lkmd_test_other word=others
alias lkmd_test_other lkmd_test_fail
install lkmd_test_control exit 0; root wrote this
install lkmd_test_shell echo "$CMDLINE_OPTS" >>/run/shell.out; touch /run/shell.$CMDLINE_OPTS
"""
POLICY = """version: 1
rules:
  - match: {module: ["*"], uid: 65533}
    verdict: allow
    parameters: ["number=*"]
    reason: never word=reason
"""
# what root may have made of /lib/modules: links out of it, of which only those count that lead through root's directories
LINKS = """
cd /srv && mkdir -p evil/root evil/open evil/sticky evil/group evil/files && cp {extra}/lkmd_test_params.ko {extra}/lkmd_test_fail.ko evil/root
for dir in open sticky group; do cp {extra}/lkmd_test_params.ko evil/$dir; done
chmod 0777 evil/open; chmod 1777 evil/sticky; chgrp lkmd evil/group; chmod 0775 evil/group
cp {extra}/lkmd_test_params.ko evil/files; chown lkmd evil/files/lkmd_test_params.ko
ln -s ../root evil/open/hop; ln -s root evil/hop
cd {extra}/.. && ln -sfn /srv/evil/root build && ln -sfn /srv/evil/root source && mkdir linked && cd linked
for dir in root open sticky group files; do ln -s /srv/evil/$dir $dir; done
ln -s /srv/evil/hop hops; ln -s /srv/evil/open/hop by-open; ln -s /srv/evil/root somebodys; chown -h lkmd somebodys
ln -s /run/lkmd/state mine; ln -s /proc/self/root{extra} proc; ln -s .. release; ln -s /dev/watchdog0 watchdog0.ko; ln -s /etc/shadow shadow.ko
"""
WATCHED = "/etc /usr/local /usr/lib/systemd /usr/lib/modules /boot /root /var/spool"


def changed_files(machine):
    """What is newer than the stamp, where root's things are."""
    return machine.run(f"find {WATCHED} -xdev -newer /run/stamp ! -type d").stdout.split()


@pytest.fixture(scope="module")
def attempts(machine):
    """What the stranger tried, and what came of it; lkmd itself is back afterwards."""
    machine.install_test_modules()
    extra = f"/lib/modules/{machine.run('uname -r').stdout.strip()}/extra"
    # emulated, depmod takes minutes: two of those that are in the index already are no longer root's alone
    machine.run(f"chmod 0666 {extra}/lkmd_test_inner.ko; chown 65534 {extra}/lkmd_test_slow.ko; modprobe softdog")
    machine.write("/etc/modprobe.d/evil.conf", LINES)
    machine.write("/etc/modprobe.d/owned.conf", "options lkmd_test_params word=owned\n")
    machine.write("/etc/modprobe.d/open.conf", "options lkmd_test_params word=open\n")
    machine.run("chown lkmd /etc/modprobe.d/owned.conf; chmod 0666 /etc/modprobe.d/open.conf; mkdir -p /etc/lkmd/policy.d")
    machine.write("/etc/lkmd/policy.d/evil.yaml", POLICY)
    machine.write("/etc/modprobe.d/private.conf", "# private\n", mode=0o600)
    for path in ("/root/private.conf", "/etc/modprobe.d/private.key", "/etc/lkmd/private.key", f"{extra}/../signing_key.pem"):
        machine.write(path, "# private\n", mode=0o600)
    machine.write("/etc/modprobe.d/owned-private.conf", "# private\n", mode=0o600)
    machine.run("chown 65534 /etc/modprobe.d/owned-private.conf; ln -s /etc/shadow /etc/modprobe.d/shadow.conf; "
                "ln -s /root/private.conf /etc/modprobe.d/secret.conf")
    machine.run(LINKS.format(extra=extra))
    machine.write(PROGRAM, Path(__file__).with_name("evil_manager.py").read_text(encoding="utf-8"))
    machine.write("/run/systemd/system/lkmd.service.d/evil.conf", DROP_IN)
    machine.run("systemctl daemon-reload; touch /run/stamp; sleep 1; systemctl restart lkmd")
    machine.wait(f"grep -q 'ready for root' {REPORT}", timeout=240)
    status = Background(machine, "lkmctl", "status")
    machine.wait(f"grep -q '\"end\"' {REPORT}", timeout=240)
    text = machine.read(REPORT)
    machine.run("systemctl stop lkmd-loader", timeout=60)       # while 349 requests are unread
    assert machine.run("systemctl show --value -p Result lkmd-loader").stdout == "success\n"
    machine.run("rm -r /run/systemd/system/lkmd.service.d; systemctl daemon-reload; systemctl stop lkmd")
    machine.run(f"rm -r {extra}/../linked {extra}/../build {extra}/../source /srv/evil", check=False)
    machine.run(f"systemctl stop {status.unit}; cd /etc/modprobe.d && rm open.conf owned-private.conf shadow.conf secret.conf", check=False)
    start_lkmd(machine)
    return [json.loads(line) for line in text.splitlines()]


def test_a_stranger_is_refused(machine, attempts):
    allowed = {a["name"] for a in attempts if a["allowed"]}
    assert allowed == {"control: root's line", "control: removal", "control: root's command", "control: root's configuration",
                       "control: root's directory", "control: root's link root", "control: root's link hops"}, \
        [a for a in attempts if a["allowed"]]
    assert len(attempts) > 200
    assert sum("root's connection for the status" in a["name"] for a in attempts) > 10
    assert any("a connection to journald" in a["name"] for a in attempts)


def test_and_has_changed_nothing(machine, attempts):
    assert changed_files(machine) == []
    assert machine.read("/sys/class/watchdog/watchdog0/state").strip() == "inactive"
    assert machine.run("ls /run/lkmd/state/ran /run/shell.*", check=False).returncode != 0
    assert machine.run("getent passwd | awk -F: '$3 == 0' | wc -l").stdout.strip() == "1"
    assert not {"lkmd_test_params", "lkmd_test_inner", "lkmd_test_slow", "lkmd_test_fail"} & loaded(machine)
    assert "softdog" in loaded(machine)


def test_options_of_somebody(machine, attempts):
    """A file that root does not own: lkmd says so beforehand, and the loader has the last word."""
    problems = {p["file"]: p["message"] for p in ask(machine, "status")["problems"]}
    assert "chown root" in problems["/etc/modprobe.d/owned.conf"]
    result = lkmctl(machine, "load", "lkmd_test_params", status=1)
    assert "parameters from a file that others than root could have written" in result.stderr
    machine.run("rm /etc/modprobe.d/owned.conf")
    lkmctl(machine, "reload")


def test_lkmd_is_there_again(machine, attempts):
    assert ask(machine, "status")["inCharge"] == "lkmd"
    lkmctl(machine, "load", "lkmd_test_params", "word=mine")
    parameters = "/sys/module/lkmd_test_params/parameters"
    assert machine.run(f"cd {parameters}; cat number word").stdout == "5\nmine\n"
    remove(machine, "lkmd_test_params")


# ------------------------------------------------------------------------------------- who may give parameters

def as_member(machine, *words, status):
    return machine.run(["setpriv", "--reuid=65533", "--regid=65533", f"--groups={group(machine)}", "lkmctl", *words],
                       check=False, timeout=120), status


def group(machine):
    return machine.run("getent group lkmd-admin | cut -d: -f3").stdout.strip()


@pytest.mark.parametrize("words,status,text", [
    (["lkmd_test_params", "number=7"], 0, ""),                          # number=* is allowed by the rule
    (["lkmd_test_params", "word=x"], 3, r"no rule allows them the parameter 'word=x'"),
    (["lkmd_test_params", "number=7", "word=x"], 3, r"parameters: ["),
    (["lkmd_test_params", "--force"], 3, "only root"),
    (["lkmd_test_shell", "number=$(id)"], 3, "into which only root"),
])
def test_members_of_the_group(machine, attempts, words, status, text):
    result, _ = as_member(machine, "load", *words, status=status)
    assert result.returncode == status and text in result.stderr, result
    remove(machine, "lkmd_test_params")


@pytest.mark.parametrize("word,status", [("a=1", 0), ("a=$(id)", 1), ("a=b;id", 1), ("a=b c", 1)])
def test_words_of_root_in_a_command(machine, attempts, word, status):
    machine.run("rm -f /run/shell.*")
    result = lkmctl(machine, "load", "lkmd_test_shell", word, status=status)
    if status == 0:
        assert machine.read("/run/shell.out") == f"{word}\n"
    else:
        assert "the shell could take for more than a word" in result.stderr
        assert machine.run("ls /run/shell.*", check=False).returncode != 0


def test_root_by_varlink(machine, attempts):
    call = json.dumps({"name": "lkmd_test_params", "parameters": ["number=9", "word=json"]})
    machine.run(["varlinkctl", "call", "/run/lkmd/io.lkmd.Manager", "io.lkmd.Manager.Load", call])
    assert machine.run("cd /sys/module/lkmd_test_params/parameters; cat number word").stdout == "9\njson\n"
    remove(machine, "lkmd_test_params")


def test_a_file_that_others_can_write(machine, attempts):
    result = lkmctl(machine, "load", "lkmd_test_inner", status=1)
    assert "others than root could have written" in result.stderr
    assert "modinfo -n" in result.stderr
