# SPDX-License-Identifier: LGPL-2.1-or-later
"""policy lint on a real Debian: nothing to mend where nobody has written anything, and what guides have people write there."""

import json


def lint(machine):
    found = json.loads(machine.run("lkmctl policy lint --json", check=False).stdout)
    return [(finding["kind"], finding.get("line"), finding["hint"]) for finding in found if finding["file"].startswith("/etc/modprobe.d/")]


def test_a_stock_debian_has_nothing_to_mend(machine):
    done = machine.run("lkmctl policy lint")
    lines = done.stdout.splitlines()
    assert lines[0] == "In files of the distribution, which do not decide the exit status:"
    assert lines[1].startswith("/usr/lib/modprobe.d/fbdev-blacklist.conf:10: a blacklist line does not keep matroxfb_base out")
    assert lines[-1].startswith("No mistake found, 1 in files of the distribution. Looked at ")
    assert " files of " in lines[-1] and "/usr/lib/modprobe.d" in lines[-1] and machine.run("uname -r").stdout.strip() in lines[-1]


def test_lines_of_guides(machine):
    machine.write("/etc/modprobe.d/guides.conf", "options ipv6 disable=1\noptions usbhid mousepoll = 8\noptions snd_hda_intl index=1\n"
                                                 "install nfsd /bin/false\nblacklist e1000e, igb\noptions usbhid mousepoll=4\n")
    try:
        assert lint(machine) == [
            ("built_in", 1, "write ipv6.disable=1 on the kernel command line"),
            ("unknown_parameter", 2, "options usbhid mousepoll=8, without blanks around the ="),
            ("no_such_module", 3, "snd_hda_intel, if that is what is meant"),
            ("install_overlooked", 4, "a rule with verdict: deny in policy.d, which lkmd holds on every path"),
            ("bad_name", 5, "blacklist e1000e"),
            ("extra_words", 5, "a line for each name, such as: blacklist igb")]
        assert "insmod" in machine.run("modprobe -n -v nfsd").stdout.splitlines()[-1]      # as lint says of modprobe
        assert "nfsd is denied by /etc/modprobe.d/guides.conf:4" in machine.run("lkmctl explain nfsd", check=False).stdout
    finally:
        machine.run("rm /etc/modprobe.d/guides.conf")
