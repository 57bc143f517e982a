# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the kernel's own requests share: whom the kernel asks, and ways to have it ask."""

from support import configure, lkmctl, loaded, remove, start_lkmd

SYSCTL, OURS, THEIRS = "/proc/sys/kernel/modprobe", "/usr/lib/lkmd/lkmd-request", "/sbin/modprobe"
POLICY = "/etc/lkmd/policy.d/requests.yaml"
REQUEST = "lkmd_test_request"
PARAMETERS = f"/sys/module/{REQUEST}/parameters"
EXIT_1 = 256                            # as request_module() returns it
# As any user, a socket of a family that nobody has loaded yet.
ALG = ("setpriv --reuid=65534 --regid=65534 --clear-groups python3 -c 'import socket; socket.socket(socket.AF_ALG, "
       "socket.SOCK_SEQPACKET)'")


def asked(machine):
    """The program that the kernel asks for modules."""
    return machine.read(SYSCTL).strip()


def opens_alg(machine):
    return machine.run(ALG, check=False).returncode == 0


def results(machine, name, threads):
    """What request_module() returns to how many threads that ask at once."""
    if REQUEST not in loaded(machine):
        lkmctl(machine, "load", REQUEST)
    machine.run(f"echo '{threads} {name}' >{PARAMETERS}/ask", timeout=180)
    return {int(result): int(count) for result, count in
            (line.split() for line in machine.read(f"{PARAMETERS}/results").splitlines())}


def put_back(machine):
    """As each test finds the machine."""
    machine.run(f"rm -f {POLICY}; test -x {OURS} || mv {OURS}.gone {OURS}; rm -rf /run/systemd/system/lkmd.service.d; systemctl daemon-reload")
    if asked(machine) not in (OURS, THEIRS):
        machine.write(SYSCTL, f"{THEIRS}\n")
    configure(machine)
    if asked(machine) != OURS:
        machine.run("systemctl restart lkmd")
        start_lkmd(machine)
    remove(machine, "algif_hash", "af_alg", REQUEST, "lkmd_test_nested_1", "lkmd_test_inner", "dummy")
