# SPDX-License-Identifier: LGPL-2.1-or-later
"""The gate in a storm: more requests than its buffer holds, while nobody reads it."""

from support import ask, lkmctl

REQUESTS = 1000                         # of which each is two events; the buffer holds some 700
STORM = f"""import socket
for _ in range({REQUESTS}):
    try:
        socket.socket(20, 2, 0)
    except OSError:
        pass
"""


def test_overrun(fresh):
    machine = fresh()
    machine.write("/root/storm.py", STORM)
    machine.write("/etc/lkmd/policy.d/gate.yaml", "version: 1\nrules:\n- {match: {origin: kernel, alias: net-pf-33, uid: \"!0\"}, verdict: deny}\n")
    machine.write("/run/systemd/system/lkmd.service.d/patience.conf", "[Service]\nWatchdogSec=0\n")
    machine.run("systemctl daemon-reload; systemctl restart lkmd; lkmctl --quiet wait --idle --timeout 120", timeout=180)
    before = machine.read("/proc/sys/kernel/modprobe").strip()
    machine.run("echo /bin/true >/proc/sys/kernel/modprobe; systemctl kill --signal=STOP lkmd")
    machine.run("python3 /root/storm.py", timeout=600)
    machine.run("setpriv --reuid=65534 python3 -c 'import socket; socket.socket(33, 2, 2)' 2>&1 | grep -q 'not supported'")
    machine.run(f"systemctl kill --signal=CONT lkmd; echo {before} >/proc/sys/kernel/modprobe")
    machine.wait("lkmctl --json=short status | grep -q '\"gateLost\":[1-9]'", timeout=120)
    assert "events of the gate in the kernel were lost" in machine.journal("-b", "-u", "lkmd")
    assert "events of it were lost" in lkmctl(machine, "status").stdout
    lost = ask(machine, "status")["counters"]["gateLost"]
    machine.run("python3 -c 'import socket; socket.socket(38, 5, 0)'")
    assert ask(machine, "status", "af_alg")["module"]["loadedBy"]["requester"]["command"] == "python3", "and afterwards it is as before"
    assert ask(machine, "status")["counters"]["gateLost"] == lost
