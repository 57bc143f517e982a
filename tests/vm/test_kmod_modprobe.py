# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd's modprobe on a real kernel: the loader accepts what root typed, commands may load their own module, and an lkmd that
hangs holds up nobody."""

from support import ask, lkmctl, loaded

MODPROBE = "/usr/lib/lkmd/bin/modprobe"
MODULES = ("lkmd_test_params", "lkmd_test_a", "lkmd_test_b", "lkmd_test_c")
PARAMETERS = "/sys/module/lkmd_test_params/parameters"
CONF, POLICY = "/etc/modprobe.d/tools.conf", "/etc/lkmd/policy.d/tools.yaml"


def modprobe(machine, *words, status=0, timeout=120):
    done = machine.run([MODPROBE, *words], check=False, timeout=timeout)
    assert done.returncode == status, (words, done)
    return done.stdout, done.stderr


def there(machine):
    return loaded(machine) & set(MODULES)


def test_by_lkmd(machine):
    """Parameters and force are proven by the arguments, whoever runs modprobe: a shell of root's, or a command of modprobe.d."""
    machine.install_test_modules()
    machine.write(CONF, f"install lkmd_test_params {MODPROBE} --ignore-install lkmd_test_params number=7 $CMDLINE_OPTS\n"
                        f"remove lkmd_test_params {MODPROBE} -r --ignore-remove lkmd_test_params\n"
                        f"install lkmd_test_c {MODPROBE} lkmd_test_c\n")
    lkmctl(machine, "reload")
    assert modprobe(machine, "lkmd-test-params", "word=typed") == ("", "")
    assert (machine.read(f"{PARAMETERS}/number"), machine.read(f"{PARAMETERS}/word")) == ("7\n", "typed\n")
    requester = ask(machine, "status", "lkmd_test_params")["module"]["loadedBy"]["requester"]
    assert (requester["command"], requester["key"]) == ("modprobe", "lkmd_test_params")
    assert modprobe(machine, "-r", "lkmd_test_params") == ("", "") and there(machine) == set()

    out, err = modprobe(machine, "lkmd_test_c", status=1)              # whose command calls for itself
    assert out == "" and "could not insert" in err and "--ignore-install lkmd_test_c" in machine.run("journalctl -b -u lkmd -u 'lkmd-command*' -o cat").stdout + err
    machine.write(CONF, "")
    lkmctl(machine, "reload")
    assert modprobe(machine, "-v", "lkmd_test_a")[0].splitlines()[-1].endswith("lkmd_test_a.ko ")
    assert {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} == there(machine)
    assert modprobe(machine, "-r", "lkmd_test_c", status=1) == ("", "modprobe: FATAL: Module lkmd_test_c is in use.\n")
    assert modprobe(machine, "-r", "lkmd_test_a") == ("", "") and there(machine) == set()

    assert modprobe(machine, "-qf", "lkmd_test_params") == ("", "") and there(machine) == {"lkmd_test_params"}
    assert modprobe(machine, "-rf", "lkmd_test_params") == ("", "") and there(machine) == set()
    done = machine.run(["env", "MODPROBE_OPTIONS=-f", MODPROBE, "lkmd_test_params"], check=False)
    assert done.returncode == 1 and "Operation not permitted" in done.stderr


def test_denied(machine):
    machine.install_test_modules()
    machine.write(POLICY, "version: 1\nrules:\n- {id: no-c, match: {module: lkmd_test_c}, verdict: deny, reason: not here}\n")
    try:
        lkmctl(machine, "reload")
        file = machine.run("modinfo -n lkmd_test_c").stdout.strip()
        for words in (["lkmd_test_c"], ["lkmd_test_a"], ["-i", "lkmd_test_c"], ["-C", "/dev/null", "lkmd_test_c"], [file], ["-d", "/", "lkmd_test_a"]):
            out, err = modprobe(machine, *words, status=1)
            assert out == "" and f"{POLICY}:3" in err and "not here" in err, words
            assert modprobe(machine, "-q", *words, status=1) == ("", "")
        assert there(machine) == set()
    finally:
        machine.run(["rm", "-f", POLICY])
        lkmctl(machine, "reload")


def test_lkmd_hangs(machine):
    """modprobe does without it after a while; the kernel's, which lkmd-request becomes, at once."""
    machine.install_test_modules()
    lkmctl(machine, "reload")
    pid = machine.run("systemctl show --value -p MainPID lkmd").stdout.strip()
    machine.run("mv /usr/sbin/modprobe /usr/sbin/modprobe.kept && ln -s /usr/lib/lkmd/bin/modprobe /usr/sbin/modprobe")
    machine.run(["kill", "-STOP", pid])
    try:
        assert modprobe(machine, "-q", "--", "lkmd_test_params") == ("", "") and there(machine) == {"lkmd_test_params"}
        assert machine.run("python3 -c 'import socket; socket.socket(38, 5)'", check=False, timeout=120).returncode == 0     # AF_ALG
        assert "af_alg" in loaded(machine)
    finally:
        machine.run(["kill", "-CONT", pid])
        machine.run("mv /usr/sbin/modprobe.kept /usr/sbin/modprobe")
