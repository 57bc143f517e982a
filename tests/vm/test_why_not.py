# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl why-not, devices and stale: each cause is brought about for real, and has to be named with what changes it."""

import json

import pytest

from support import ask, ask_all, lkmctl, loaded, wait_idle

DEVICE, DRIVER = "lkmd_test_device", "lkmd_test_driver"
SYSFS = f"/sys/devices/platform/{DEVICE}"
CONF = "/etc/modprobe.d/why-not.conf"
POLICY = "/etc/lkmd/policy.d/why-not.yaml"

EDIT = """
import sys
path, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
data = open(path, "rb").read()
assert len(old) == len(new) and old in data, (old, new)
open(path, "wb").write(data.replace(old, new))
"""

REBUILD = """
import os, sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
at = data.index(b"GNU\\0", data.index(b"\\x14\\0\\0\\0\\x03\\0\\0\\0GNU\\0")) + 4
data[at] ^= 0xff                        # of the build ID, as another build would have
open(path + ".new", "wb").write(data)
os.rename(path + ".new", path)
"""


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    machine.write("/root/edit.py", EDIT)
    machine.write("/root/rebuild.py", REBUILD)
    machine.run(f"cp -a {extra(machine)} /root/extra; touch {extra(machine)}/../modules.dep.bin")
    # Files have the time of the host; the clock of a machine that was restored is that of its snapshot.
    machine.run("touch /root/now; date -s @$(($(stat -c %Z /root/now) + 1))")
    # The driver is to be loaded by the tests alone.
    machine.write("/etc/modprobe.d/why-not-driver.conf", f"blacklist {DRIVER}\n")
    lkmctl(machine, "reload")


def extra(machine):
    return f"/lib/modules/{machine.kernel_version}/extra"


def clean(machine, *commands):
    """Everything as it was before, then these commands; a load among them may well fail."""
    lines = [f"rm -rf {CONF} {POLICY} /lib/modules/9.9.9-other /boot/config-{machine.kernel_version}",
             f"rmmod {DRIVER} {DEVICE} lkmd_test_fail lkmd_test_params lkmd_test_inner 2>/dev/null",
             f"diff -rq /root/extra {extra(machine)} >/dev/null || changed=1",
             f"[ -z \"$changed\" ] || {{ rm -rf {extra(machine)}; cp -a /root/extra {extra(machine)}; touch {extra(machine)}/../modules.dep.bin; }}"]
    machine.run("\n".join([*lines, *commands]), check=False)


# What is done; what is asked about; the kind of the cause; a part of its sentence, and of its command; the exit status.
CASES = {
    "no such module": ("", "lkmd_no_such", "no_such_module", "no module and no alias is called 'lkmd_no_such'", "check the spelling", 5),
    "nobody's alias": ("", "lkmd:nothing", "no_such_module", "is for lkmd:nothing", "newer kernel", 5),
    "another kernel": ("mkdir -p /lib/modules/9.9.9-other/kernel; cp {extra}/lkmd_test_inner.ko /lib/modules/9.9.9-other/kernel/lkmd_other.ko; "
                       "touch /lib/modules/9.9.9-other/modules.order /lib/modules/9.9.9-other/modules.builtin; depmod 9.9.9-other",
                       "lkmd_other", "other_kernel", "the kernel 9.9.9-other has one", "reboot", 5),
    "not built": ("mkdir -p /boot; echo '# CONFIG_LKMD_FOO is not set' >/boot/config-{release}", "lkmd-foo", "not_built",
                  "CONFIG_LKMD_FOO is not set in /boot/config-", "dkms", 5),
    "depmod has not run": ("cp {extra}/lkmd_test_inner.ko {extra}/lkmd_newcomer.ko", "lkmd_newcomer", "index_stale",
                           "modules.dep does not know of", "depmod -a", 5),
    "denied": ("mkdir -p /etc/lkmd/policy.d; printf 'version: 1\\nrules:\\n- {{id: no, match: {{module: lkmd_test_fail}}, verdict: deny, reason: not here}}\\n' >" + POLICY,
               "lkmd_test_fail", "denied", f"is denied by {POLICY}:3: not here", "lkmctl explain lkmd_test_fail", 0),
    "denied by an install line": (f"echo install lkmd_test_fail /bin/false >{CONF}", "lkmd_test_fail", "denied", f"{CONF}:1", "", 0),
    "turned off": (f"echo alias lkmd-nothing off >{CONF}", "lkmd-nothing", "turned_off", f"turned off by {CONF}:1", "alias .. off", 0),
    "blacklisted for devices": (f"echo blacklist lkmd_test_fail >{CONF}", "lkmd_test_fail", "blacklisted",
                                f"devices do not get it: lkmd_test_fail is denied by {CONF}:1", "lkmctl load lkmd_test_fail", 0),
    "file missing": ("rm {extra}/lkmd_test_fail.ko", "lkmd_test_fail", "file_missing", "its file is missing", "", 0),
    "file empty": (": >{extra}/lkmd_test_fail.ko", "lkmd_test_fail", "file_unusable", "its file is empty", "reinstall", 0),
    "of what it needs, the file is missing": ("rm {extra}/lkmd_test_c.ko", "lkmd_test_a", "file_missing", "lkmd_test_c (needed by", "", 0),
    "unknown symbol": ("", "lkmd_test_unresolved", "unknown_symbol", "lkmd_test_no_such_symbol", "depmod -a", 0),
    "parameter refused": (f"echo options lkmd_test_params number=many >{CONF}; lkmctl load lkmd_test_params", "lkmd_test_params",
                          "parameter_refused", "does not accept 'many' for its parameter number", "modinfo -p", 0),
    "version magic": ("python3 /root/edit.py {extra}/lkmd_test_inner.ko ' SMP ' ' XXX '; lkmctl load lkmd_test_inner", "lkmd_test_inner",
                      "vermagic", "was built for kernel", "", 0),
    "init fails": ("lkmctl load lkmd_test_fail", "lkmd_test_fail", "load_failed", "lkmd_test_fail found no device that it could drive (tried",
                   "lspci", 0),
    "a device, blacklisted": (f"lkmctl load {DEVICE}", SYSFS, "blacklisted", "/etc/modprobe.d/why-not-driver.conf:1", f"lkmctl load {DRIVER}", 0),
    "firmware missing": (f"lkmctl load {DRIVER} firmware=lkmd/none.bin; lkmctl load {DEVICE}", SYSFS, "firmware_missing",
                         f"{DRIVER} did not get its firmware lkmd/none.bin", "", 0),
    "probe fails": (f"lkmctl load {DRIVER} error=5; lkmctl load {DEVICE}", SYSFS, "probe_failed", "Input/output error", "journalctl -k", 0),
    "probe declines": (f"lkmctl load {DRIVER} error=19; lkmctl load {DEVICE}", SYSFS, "not_probed", "has not taken lkmd_test_device",
                       "drivers_probe", 0),
    "probe deferred": (f"lkmctl load {DRIVER} error=517; lkmctl load {DEVICE}", SYSFS, "deferred", "waits for something that it needs", "", 0),
    "a supplier": (f"lkmctl load {DEVICE} supplier=1; lkmctl load {DRIVER}", SYSFS, "deferred", "its supplier, the device lkmd_test_supplier",
                   "lkmctl why-not lkmd_test_supplier", 0),
    "driver_override": (f"lkmctl load {DEVICE}; echo other > {SYSFS}/driver_override", SYSFS, "driver_override",
                        "only the driver other may have lkmd_test_device", "echo > ", 0),
}


@pytest.mark.parametrize("name", CASES)
def test_a_cause(machine, name):
    setup, subject, kind, sentence, command, status = CASES[name]
    clean(machine, setup.format(extra=extra(machine), release=machine.kernel_version))
    answer = ask(machine, "why-not", subject, status=status)
    [cause] = answer["causes"]
    assert (cause["kind"], sentence in cause["sentence"], command in cause.get("command", "")) == (kind, True, True), cause


def test_nothing_stands_in_the_way(machine):
    clean(machine, "lkmctl load lkmd_test_params number=many")
    answer = ask(machine, "why-not", "lkmd_test_params")
    assert (answer["causes"], answer["command"]) == ([], "lkmctl load lkmd_test_params")
    assert "nothing stands in its way now; it failed " in answer["sentence"] and "with number=many" in answer["sentence"]
    machine.run(answer["command"])
    answer = ask(machine, "why-not", "lkmd_test_params")
    assert answer["causes"] == [] and answer["sentence"].startswith("lkmd_test_params is in the kernel since ")
    machine.run(f"lkmctl load {DRIVER} && lkmctl load {DEVICE}")
    answer = ask(machine, "why-not", SYSFS)
    assert answer["causes"] == [] and answer["sentence"] == f"{DEVICE} has the driver {DEVICE}, of the module {DRIVER}"
    text = lkmctl(machine, "why-not", SYSFS).stdout
    assert text == f"{DEVICE}\n  {answer['sentence']}\n"


def test_another_driver_has_it(machine):
    clean(machine, f"lkmctl load {DRIVER} && lkmctl load {DEVICE}")
    machine.write(CONF, f"alias platform:{DEVICE} lkmd_test_params\n")
    machine.run(f"mv {extra(machine)}/../modules.alias.bin /root/; mv {extra(machine)}/../modules.alias /root/ && touch {extra(machine)}/../modules.alias")
    try:
        [cause] = ask(machine, "why-not", SYSFS)["causes"]
    finally:
        machine.run(f"mv /root/modules.alias.bin /root/modules.alias {extra(machine)}/..")
    assert cause["kind"] == "other_driver" and f"of the module {DRIVER}" in cause["sentence"]


def test_for_users_without_rights(machine):
    clean(machine, "lkmctl load lkmd_test_fail")
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "lkmctl", "--json=short"]
    answer = json.loads(machine.run([*as_nobody, "why-not", "lkmd_test_fail"]).stdout)
    assert answer["causes"][0]["kind"] == "load_failed" and "found no device" in answer["causes"][0]["sentence"]
    assert machine.run([*as_nobody, "devices"]).stdout.count("\n") > 5
    machine.run([*as_nobody, "stale"])


def test_without_lkmd(machine):
    clean(machine)
    machine.run("systemctl stop lkmd lkmd.socket 2>/dev/null; systemctl stop lkmd", check=False)
    try:
        answer = ask(machine, "why-not", "lkmd_test_params")
        assert answer["causes"][0]["kind"] == "not_running" and "systemctl start lkmd" in answer["causes"][0]["command"]
        assert any(d["device"] == SYSFS[4:] or "driver" in d for d in ask_all(machine, "devices"))
    finally:
        machine.run("systemctl start lkmd")
        machine.wait("lkmctl status -q")
        wait_idle(machine)


def test_devices(machine):
    clean(machine)
    lkmctl(machine, "load", DEVICE)
    [mine] = [d for d in ask_all(machine, "devices", "--unbound") if d["device"] == SYSFS[4:]]
    assert mine["candidates"] == [DRIVER] and mine["causes"][0]["kind"] == "blacklisted" and mine["subsystem"] == "platform"
    everything = ask_all(machine, "devices")
    disks = [d for d in everything if d.get("driver", "").startswith("virtio")]
    assert disks and all("causes" in d and "device" in d for d in everything)
    text = lkmctl(machine, "devices").stdout
    assert DEVICE in text and "blacklisted" in text
    text = lkmctl(machine, "devices", SYSFS).stdout
    assert f"Candidates: {DRIVER}" in text and "why-not-driver.conf:1" in text
    lkmctl(machine, "devices", "/sys/devices/none", status=5)


def test_stale(machine):
    clean(machine)
    lkmctl(machine, "load", "lkmd_test_params")
    assert "lkmd_test_params" not in {m["module"] for m in ask_all(machine, "stale")}
    machine.run(f"python3 /root/rebuild.py {extra(machine)}/lkmd_test_params.ko")
    [mine] = ask_all(machine, "stale", status=1)
    assert (mine["module"], mine["kind"], mine["inUse"]) == ("lkmd_test_params", "other_build", False)
    assert mine["loaded"]["buildId"] != mine["file"]["buildId"]
    assert ask(machine, "why-not", "lkmd_test_params")["causes"][0]["kind"] == "stale"
    build = ask(machine, "status", "lkmd_test_params")["build"]
    assert build["stale"] and build["license"] == "GPL" and not build["signed"] and set("OE") <= set(build["taint"])
    text = lkmctl(machine, "status", "lkmd_test_params").stdout
    assert "its file is another build" in text and "built outside of the kernel (O)" in text
    assert "built outside of the kernel (O): " in lkmctl(machine, "status").stdout
    machine.run(mine["command"])        # cures it
    assert lkmctl(machine, "stale").stdout.startswith(f"{len(loaded(machine))} modules in the kernel")
    machine.run(f"rm {extra(machine)}/lkmd_test_params.ko")
    [mine] = ask_all(machine, "stale", status=1)
    assert (mine["module"], mine["kind"]) == ("lkmd_test_params", "no_file")
