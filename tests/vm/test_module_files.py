# SPDX-License-Identifier: LGPL-2.1-or-later
"""Module files that are not what their names say: renamed, reached by links, of another machine, broken. What the kernel
calls a module is its name everywhere; what cannot be loaded is refused by plan, explain and load in the same words; and
what modprobe loads is loaded."""

import pytest

from support import ask, ask_all, lkmctl, loaded, remove, wait_idle

CHAIN = ["lkmd_test_a", "lkmd_test_b", "lkmd_test_c"]          # each needs the next
MIDDLE = "lkmd_test_b"
CURRENT = ["lkmd_current_a", "lkmd_current_b", "lkmd_current_c"]
ALONE, PARAMS, FAIL = "lkmd_test_inner", "lkmd_test_params", "lkmd_test_fail"
CONF = "/etc/modprobe.d/lkmd-files.conf"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    """Without the kernel's own modules, over which depmod takes minutes in an emulated machine."""
    machine.install_test_modules()
    machine.run(f"cp -a {directory(machine)} /root/kept && mv {directory(machine, 'kernel')} /root/ && mkdir {directory(machine, 'kernel')} && depmod -a")
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def as_before(machine):
    yield
    machine.run(f"rm -rf {CONF} /etc/lkmd/policy.d/files.yaml {directory(machine, 'updates')} {directory(machine, 'kernel/renamed')} "
                f"{directory(machine)} /var/lib/dkms && cp -a /root/kept {directory(machine)} && depmod -a")
    machine.run("rmmod " + " ".join([*CHAIN, PARAMS, ALONE, FAIL]), check=False)
    lkmctl(machine, "reload")
    wait_idle(machine)


def directory(machine, name="extra"):
    return f"/lib/modules/{machine.kernel_version}/{name}"


def rename_chain(machine, to):
    """As Debian's nvidia-current.ko: only the file has another name."""
    machine.run(f"mkdir -p {directory(machine, to)}")
    for letter in "abc":
        machine.run(f"mv {directory(machine)}/lkmd_test_{letter}.ko {directory(machine, to)}/lkmd-current-{letter}.ko")
    machine.run("depmod -a")
    lkmctl(machine, "reload")


def told_names(machine):
    return machine.journal("-b", "-u", "lkmd", "-o", "cat", "-g", "the file .* has the module").splitlines()


@pytest.mark.parametrize("to", ["updates/dkms", pytest.param("kernel/renamed", marks=pytest.mark.soak)])
def test_renamed_files(machine, to):
    rename_chain(machine, to)
    before = len(told_names(machine))
    records = ask(machine, "load", "lkmd-current-a")["records"]
    assert [(r["module"], r["fileModule"], r["outcome"]) for r in records] == \
        [(name, current, "loaded") for name, current in zip(reversed(CHAIN), reversed(CURRENT))]
    assert set(CHAIN) <= loaded(machine)
    told = told_names(machine)[before:]
    assert told[0] == f"the file {directory(machine, to)}/lkmd-current-c.ko has the module lkmd_test_c" and len(told) == 3

    for name in ("lkmd_test_a", "lkmd_current_a", "lkmd-current-a"):
        status = ask(machine, "status", name)
        assert (status["module"]["name"], status["module"]["fileModule"], status["module"]["state"]) == ("lkmd_test_a", "lkmd_current_a", "live")
        assert status["module"]["path"] == f"{directory(machine, to)}/lkmd-current-a.ko"
        assert status["module"]["loadedBy"]["requester"]["origin"] == "client" and status["dependencies"] == ["lkmd_current_c", "lkmd_current_b"]
        assert len(status["history"]) >= 1
        lkmctl(machine, "wait", "--module", name, "--timeout=10")
        if to.startswith("updates") or name != "lkmd_test_a":   # lkmctl reads no file of the kernel's own for its name alone
            assert "lkmd_current_a is allowed" in lkmctl(machine, "explain", name).stdout
    assert {m["name"]: m for m in ask_all(machine, "list")}["lkmd_test_b"]["fileModule"] == "lkmd_current_b"

    # there already, by whichever name it was asked for
    assert [r["outcome"] for r in ask(machine, "load", "lkmd_current_a")["records"]] == ["already_loaded"]
    lkmctl(machine, "unload", "lkmd-current-a")
    assert not set(CHAIN) & loaded(machine)
    lkmctl(machine, "load", "lkmd-current-a")
    lkmctl(machine, "unload", "lkmd_test_a")
    assert not set(CHAIN) & loaded(machine)
    assert len(told_names(machine)) == before + 3

    # modprobe does the same; what it loaded is not lkmd's, but known by either name
    machine.run("modprobe lkmd-current-a")
    machine.run("systemctl restart lkmd")
    lkmctl(machine, "wait", "--idle", "--timeout=60")
    for name in ("lkmd_current_a", "lkmd_test_a"):
        assert ask(machine, "status", name)["module"]["state"] == "live"
    assert [r["outcome"] for r in ask(machine, "load", "lkmd_current_a")["records"]] == ["already_loaded"]
    lkmctl(machine, "unload", "lkmd_current_a")
    assert "lkmd_test_a" not in loaded(machine)


def test_a_rule_about_either_name(machine):
    rename_chain(machine, "updates")
    for name in ("lkmd_test_b", "lkmd-current-b"):
        machine.write("/etc/lkmd/policy.d/files.yaml", f"version: 1\nrules:\n  - match: {{module: {name}}}\n    verdict: deny\n")
        machine.run("chmod 644 /etc/lkmd/policy.d/files.yaml")
        lkmctl(machine, "reload")
        lkmctl(machine, "load", "lkmd_current_a", status=3)
        lkmctl(machine, "plan", "lkmd_current_a", status=3)
        lkmctl(machine, "explain", "lkmd_test_a", status=3)
        assert not set(CHAIN) & loaded(machine)


def test_another_module_in_the_place_of_one(machine):
    machine.run(f"cp {directory(machine)}/{PARAMS}.ko {directory(machine)}/{ALONE}.ko")
    machine.write(CONF, f"options {ALONE} number=3\n")
    lkmctl(machine, "reload")
    record = ask(machine, "load", ALONE)["records"][-1]
    assert (record["module"], record["fileModule"], record["outcome"]) == (PARAMS, ALONE, "loaded")
    assert machine.read(f"/sys/module/{PARAMS}/parameters/number") == "3\n" and ALONE not in loaded(machine)
    lkmctl(machine, "unload", ALONE)
    assert PARAMS not in loaded(machine)


def test_what_is_there_and_an_init_that_says_so(machine):
    assert [r["outcome"] for r in ask(machine, "load", PARAMS)["records"]] == ["loaded"]
    assert [r["outcome"] for r in ask(machine, "load", PARAMS)["records"]] == ["already_loaded"]
    failure = ask(machine, "load", FAIL, "error=17", status=1)
    assert failure["errno"] == 17
    assert failure["message"] == f"{FAIL} was not loaded: its init says that what it registers is there already (File exists)"
    assert FAIL not in loaded(machine) and ask(machine, "status", FAIL)["history"][0]["outcome"] == "failed"
    assert machine.run(f"modprobe {FAIL} error=17", check=False).returncode == 0         # and nothing is loaded
    assert FAIL not in loaded(machine)


def test_links_out_of_the_tree(machine):
    machine.run(f"mkdir -p /var/lib/dkms/x {directory(machine, 'updates/dkms')} && mv {directory(machine)}/{PARAMS}.ko /var/lib/dkms/x/ && "
                f"ln -s /var/lib/dkms/x/{PARAMS}.ko {directory(machine, 'updates/dkms')}/ && "
                f"mv {directory(machine)}/{ALONE}.ko /var/lib/dkms/x/ && ln -s /var/lib/dkms/x {directory(machine, 'updates/all')} && depmod -a")
    lkmctl(machine, "reload")
    for name in (PARAMS, ALONE):
        lkmctl(machine, "plan", name)
        assert [r["outcome"] for r in ask(machine, "load", name)["records"]] == ["loaded"], name
        remove(machine, name)
        assert "No difference" in lkmctl(machine, "diff-modprobe", name).stdout
    machine.run("chmod 777 /var/lib/dkms/x")
    for name in (PARAMS, ALONE):
        told = same_answer(machine, name)
        assert told == f"{name} cannot be loaded: others than root could have written its file, or have led there"
        assert "modprobe loads it" in lkmctl(machine, "diff-modprobe", name).stdout


def same_answer(machine, name):
    """What load, plan and explain say of a module that cannot be loaded."""
    before = loaded(machine)
    plan = ask(machine, "plan", name, status=1)
    load = ask(machine, "load", name, status=1)
    assert loaded(machine) - before == {s["module"] for s in plan["steps"]} - before
    [omission] = [o for o in plan["omissions"] if o["module"] == name]
    explained = ask(machine, "explain", name, status=1)["answers"][0]["sentences"]
    assert load["module"] == name and name not in loaded(machine)
    if omission["kind"] == "file_unusable":
        assert load["message"] == f"{name} cannot be loaded: {omission['reason']}" and load["hint"]
        assert explained[0] == load["message"]
    else:
        assert omission["kind"] == "file_missing" and "its file is missing" in explained[0]
    assert ask_all(machine, "resolve", name)[0]["modules"] == [name]    # as modprobe -R does
    return load["message"]


SPOILT = {                              # what becomes of the file, what is said
    "empty": (": >{}", "its file is empty"),
    "text": ("echo hello, this is no module at all >{}", "its file is no kernel module"),
    "a program": ("cp /bin/true {}", "its file is no kernel module"),
    "half": ("truncate -s 3000 {0}", "its file is damaged: cut off, or impossible to decompress"),
    "for arm64": ("printf '\\267' | dd of={} bs=1 seek=18 conv=notrunc", "it was built for another processor architecture"),
    "a directory": ("rm {0} && mkdir {0}", "what is in the place of its file is no regular file"),
    "a FIFO": ("rm {0} && mkfifo {0}", "what is in the place of its file is no regular file"),
    "a device": ("rm {0} && mknod {0} c 1 3", "what is in the place of its file is no regular file"),
    "written by others": ("chmod 666 {}", "others than root could have written its file, or have led there"),
    "somebody's": ("chown 1000 {}", "others than root could have written its file, or have led there"),
    "a link to somebody's": ("mv {0} /home/m.ko && chown 1000 /home/m.ko && ln -s /home/m.ko {0}",
                             "others than root could have written its file, or have led there"),
    "missing": ("rm {}", "missing"),
    "a dangling link": ("ln -sf /nowhere/m.ko {}", "missing"),
}


WITH_NEEDS = {"half", "for arm64", "written by others", "missing"}      # all of them: tests/integration


# the others say nothing of what needs the module, and differ in their sentence, which tests/integration has of all of them
@pytest.mark.parametrize("case", [case if case in WITH_NEEDS else pytest.param(case, marks=pytest.mark.soak) for case in SPOILT])
def test_one_answer(machine, case):
    spoil, told = SPOILT[case]
    machine.run(spoil.format(f"{directory(machine)}/{MIDDLE}.ko"))
    message = same_answer(machine, MIDDLE)
    assert told == "missing" or message == f"{MIDDLE} cannot be loaded: {told}"

    if case not in WITH_NEEDS:
        return
    # what needs it, and what it needs
    plan = ask(machine, "plan", CHAIN[0], status=1)
    remove(machine, CHAIN[2])
    lkmctl(machine, "load", CHAIN[0], status=1)
    with_lkmd = loaded(machine) & set(CHAIN)
    assert with_lkmd == {s["module"] for s in plan["steps"]} == (set() if told == "missing" else {CHAIN[2]})
    if told != "missing" and "modprobe loads it" not in lkmctl(machine, "diff-modprobe", MIDDLE).stdout:
        remove(machine, CHAIN[2])
        machine.run(f"modprobe {CHAIN[0]}", check=False)
        assert loaded(machine) & set(CHAIN) == with_lkmd


def test_a_file_for_another_kernel(machine):
    release, path = machine.kernel_version, f"{directory(machine)}/{ALONE}.ko"
    other = "5.10.0-other".ljust(len(release), "x")
    machine.run(f"sed -i 's/vermagic={release} SMP preempt mod_unload modversions/vermagic={other} SMP preempt mod_unload            /' {path}")
    assert same_answer(machine, ALONE) == f"{ALONE} cannot be loaded: it was built for kernel {other}"


def test_a_compressed_file_that_is_damaged(machine):
    path = f"{directory(machine)}/lkmd_test_zst.ko.zst"
    machine.run(f"truncate -s -200 {path}")
    assert same_answer(machine, "lkmd_test_zst").endswith("its file is damaged: cut off, or impossible to decompress")


# ---------------------------------------------------------------------------------------- parameters of what is loaded

def differences(machine, module):
    return {p["name"]: (p["state"], p.get("value"), p.get("reason")) for p in ask(machine, "status", module).get("parameters", ())}


def test_configured_and_live_parameters(machine):
    machine.write(CONF, f"options {PARAMS} number=0x10 word=two flag=1\n")
    lkmctl(machine, "reload")
    lkmctl(machine, "load", PARAMS)
    assert differences(machine, PARAMS) == {"number": ("same", "16", None), "word": ("same", "two", None), "flag": ("same", "Y", None)}
    assert "Differs" not in lkmctl(machine, "status", PARAMS).stdout

    machine.write(f"/sys/module/{PARAMS}/parameters/number", "7\n")
    assert differences(machine, PARAMS)["number"] == ("differs", "7", "changed")
    assert f"number=0x10 ({CONF}:1), but it is 7: it was changed after the load" in " ".join(lkmctl(machine, "status", PARAMS).stdout.split())

    machine.write(f"/sys/module/{PARAMS}/parameters/number", "16\n")
    machine.run("sleep 1")
    machine.write(CONF, f"options {PARAMS} number=0x10 word=three flag=on\n")
    lkmctl(machine, "reload")
    assert differences(machine, PARAMS) == {"number": ("same", "16", None), "word": ("differs", "two", "loaded_before"),
                                            "flag": ("same", "Y", None)}
    remove(machine, PARAMS)

    lkmctl(machine, "load", PARAMS, "word=four")
    assert differences(machine, PARAMS)["word"] == ("differs", "four", "loaded_otherwise")
    remove(machine, PARAMS)
    machine.run(f"insmod {directory(machine)}/{PARAMS}.ko")
    assert differences(machine, PARAMS)["word"] == ("differs", "one", "loaded_elsewhere")


def test_parameters_for_what_is_loaded(machine):
    lkmctl(machine, "load", PARAMS, "number=3")
    lkmctl(machine, "load", PARAMS, "number=0x3")               # as it is
    lkmctl(machine, "load", PARAMS)
    failure = ask(machine, "load", PARAMS, "number=9", "word=one", status=1)
    assert failure["message"] == f"{PARAMS} is loaded already, and a load changes no parameter of it: number=9 (it is 3)"
    assert f"/sys/module/{PARAMS}/parameters/number" in failure["hint"]
    assert machine.read(f"/sys/module/{PARAMS}/parameters/number") == "3\n"
    failure = ask(machine, "load", PARAMS, "word=two", status=1)
    assert "parameters/word" not in failure["hint"] and "lkmctl unload" in failure["hint"]

    machine.write("/etc/lkmd/lkmd.conf.d/files.conf", "[Manager]\nLoadedParameters=ignore\n")
    lkmctl(machine, "reload")
    lkmctl(machine, "load", PARAMS, "number=9")
    machine.run("rm /etc/lkmd/lkmd.conf.d/files.conf")
    lkmctl(machine, "reload")


def test_parameters_of_what_is_built_in(machine):
    machine.write(CONF, "options 8250 nr_uarts=7\n")
    lkmctl(machine, "reload")
    [parameter] = ask(machine, "status", "8250")["parameters"]
    assert (parameter["name"], parameter["file"], parameter["reason"]) == ("nr_uarts", CONF, "built_in")
    assert "kernel command line" in lkmctl(machine, "status", "8250").stdout
    failure = ask(machine, "load", "8250", "nr_uarts=9", status=1)
    assert failure["message"].startswith("8250 is part of the kernel") and "8250.nr_uarts=9" in failure["hint"]
