# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl drives lkmd: every verb, every exit status, and the sentences for what may go wrong."""

import json
import re

import pytest

from support import ask, ask_all, kill_lkmd, lkmctl, loaded, main_pid, release, remove, start_lkmd, wait_idle, watching

CONF = "/etc/modprobe.d/lkmd-test.conf"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")


def extra(machine, name):
    return f"/lib/modules/{machine.kernel_version}/extra/{name}.ko"


def fails(machine, *words, status=1):
    """What lkmctl says on standard error, and the same as JSON: both have to tell of one failure."""
    text = lkmctl(machine, *words, status=status)
    assert text.stdout == ""
    assert text.stderr.startswith("lkmctl: "), text.stderr
    error = ask(machine, *words, status=status)
    assert error["error"] and error["message"]
    return text.stderr, error


# ------------------------------------------------------------------------------------------ load and unload

def test_load_and_unload_a_chain(machine):
    reply = ask(machine, "load", "lkmd-test-a")
    assert [(r["module"], r["outcome"], r["reason"], r.get("parent")) for r in reply["records"]] == [
        ("lkmd_test_c", "loaded", "dependency", "lkmd_test_b"),
        ("lkmd_test_b", "loaded", "dependency", "lkmd_test_a"),
        ("lkmd_test_a", "loaded", "requested", None)]
    assert all(r["durationUSec"] > 0 and r["requester"]["uid"] == 0 and r["requester"]["command"] == "lkmctl"
               for r in reply["records"])
    reply = ask(machine, "unload", "lkmd_test_a")
    assert [(r["module"], r["outcome"]) for r in reply["records"]] == [
        (f"lkmd_test_{c}", "unloaded") for c in "abc"]
    assert not {f"lkmd_test_{c}" for c in "abc"} & loaded(machine)


def test_what_somebody_else_asked_for_stays(machine):
    lkmctl(machine, "load", "lkmd_test_c")
    lkmctl(machine, "load", "lkmd_test_a")
    lkmctl(machine, "unload", "lkmd_test_a")
    assert "lkmd_test_c" in loaded(machine) and "lkmd_test_b" not in loaded(machine)
    lkmctl(machine, "unload", "lkmd_test_c")


def test_what_is_asked_for_later_stays_too(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    assert ask(machine, "load", "lkmd_test_c")["records"][0]["outcome"] == "already_loaded"
    lkmctl(machine, "unload", "lkmd_test_a")
    assert "lkmd_test_c" in loaded(machine) and "lkmd_test_b" not in loaded(machine)
    lkmctl(machine, "unload", "lkmd_test_c")


def test_load_by_alias(machine):
    reply = ask(machine, "load", "lkmd-test-alias-7")
    assert reply["records"][-1]["module"] == "lkmd_test_a"
    assert reply["records"][-1]["requester"]["key"] == "lkmd-test-alias-7"
    lkmctl(machine, "unload", "lkmd_test_a")


def test_load_twice(machine):
    lkmctl(machine, "load", "dummy")
    result = lkmctl(machine, "load", "dummy")
    assert "already" in result.stdout
    lkmctl(machine, "unload", "dummy")
    text, error = fails(machine, "unload", "dummy")
    assert error["error"] == "io.lkmd.Manager.NotLoaded" and "not" in text


def test_parameters_arrive(machine):
    lkmctl(machine, "load", "lkmd_test_params", "number=7", "word=a b", "flag=1")
    parameters = "/sys/module/lkmd_test_params/parameters"
    assert machine.run(f"cd {parameters}; cat number word flag").stdout == "7\na b\nY\n"
    lkmctl(machine, "unload", "lkmd_test_params")
    machine.write(CONF, "options lkmd_test_params number=11 word=file\n")
    lkmctl(machine, "reload")
    reply = ask(machine, "load", "lkmd_test_params", "number=12")
    assert machine.run(f"cd {parameters}; cat number word").stdout == "12\nfile\n"
    assert "number=12" in reply["records"][-1]["parameters"]
    lkmctl(machine, "unload", "lkmd_test_params")
    machine.run(["rm", CONF])
    lkmctl(machine, "reload")


def test_several_at_once(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    lkmctl(machine, "load", "dummy")
    text, objects = lkmctl(machine, "unload", "dummy", "no_such_one", "lkmd_test_a", status=5), loaded(machine)
    assert "no_such_one" in text.stderr
    assert not {"dummy", "lkmd_test_a"} & objects


def test_built_in(machine):
    assert ask(machine, "load", "virtio_pci")["records"][-1]["outcome"] == "built_in"
    _, error = fails(machine, "unload", "virtio_pci")
    assert error["error"] == "io.lkmd.Manager.BuiltIn"


# ------------------------------------------------------------------------------------------- what goes wrong

@pytest.mark.parametrize("words, status, pattern", [
    (["load", "no_such_module"], 5, "no_such_module"),
    (["load", "pci:v0000FFFFd0000FFFFsv00000000sd00000000bc00sc00i00"], 5, "pci:v0000FFFF"),
    (["status", "no_such_module"], 5, "no_such_module"),
    (["unload", "no_such_module"], 5, "no_such_module"),
    (["load"], 2, "load MODULE"),
    (["frobnicate"], 2, "frobnicate"),
    (["list", "--frobnicate"], 2, "--frobnicate"),
    (["wait", "--timeout=soon"], 2, "soon"),
    (["wait", "--module=dummy", "--timeout=0.1"], 1, "(?i)time"),
    (["load", "lkmd_test_fail"], 1, r"lkmd_test_fail found no device that it could drive"),
    (["load", "lkmd_test_fail", "error=12"], 1, r"not enough memory for lkmd_test_fail"),
    (["load", "lkmd_test_fail", "error=16"], 1, r"another driver has what lkmd_test_fail wants"),
    (["load", "lkmd_test_unresolved"], 1, r"lkmd_test_unresolved needs lkmd_test_no_such_symbol"),
    (["load", "lkmd_test_params", "colour=red"], 1, r"no parameter 'colour'(.|\n)*known parameters: \w+, \w+"),
    (["load", "lkmd_test_params", "number=many"], 1, r"does not accept 'many' for its parameter number"),
])
def test_sentences(machine, words, status, pattern):
    text, error = fails(machine, *words, status=status)
    assert re.search(pattern, text), text
    if words[0] == "load" and status == 1:
        assert "try: " in text or "modinfo -p" in text, text
        assert error["hint"]
    assert "lkmd_test_fail" not in loaded(machine) and "lkmd_test_params" not in loaded(machine)


def test_errno_and_kernel_log_are_in_the_error(machine):
    _, error = fails(machine, "load", "lkmd_test_unresolved")
    assert error["error"] == "io.lkmd.Manager.LoadFailed"
    assert (error["module"], error["errno"]) == ("lkmd_test_unresolved", 2)
    assert any("Unknown symbol lkmd_test_no_such_symbol" in line for line in error["kernelLog"])
    _, error = fails(machine, "load", "lkmd_test_params", "colour=red")
    assert (error["parameter"], sorted(error["known"])) == ("colour", ["flag", "number", "word"])


def test_a_failing_dependency_is_named(machine):
    original = extra(machine, "lkmd_test_c")
    machine.run(f"mv {original} /root/c.ko; head -c 3000 /root/c.ko >{original}")
    text, error = fails(machine, "load", "lkmd_test_a")
    assert error["module"] == "lkmd_test_c" and "lkmd_test_c" in text
    assert {r["module"]: r["outcome"] for r in error["records"]} == {
        "lkmd_test_c": "failed", "lkmd_test_b": "dependency_failed", "lkmd_test_a": "dependency_failed"}
    assert "damaged" in text
    machine.run(f"mv /root/c.ko {original}")
    lkmctl(machine, "load", "lkmd_test_a")
    lkmctl(machine, "unload", "lkmd_test_a")


def test_built_for_another_kernel(machine):
    """Another release alone is none where symbols have versions: then the rest of the magic counts."""
    path = extra(machine, "lkmd_test_b")
    data = machine.read_bytes(path)
    assert data.count(b" mod_unload") == 1
    machine.run(["cp", path, "/root/b.ko"])
    try:
        machine.write(path, data.replace(b" mod_unload", b" mod_upload"))
        text, _ = fails(machine, "load", "lkmd_test_b")
        assert re.search(r"lkmd_test_b was built for kernel '\S+ .*mod_upload.*', this one is '.*mod_unload", text), text
    finally:
        machine.run(["mv", "/root/b.ko", path])
        remove(machine, "lkmd_test_b", "lkmd_test_c")


def test_file_gone(machine):
    path = extra(machine, "lkmd_test_params")
    machine.run(["mv", path, "/root/p.ko"])
    text, _ = fails(machine, "load", "lkmd_test_params")
    assert "lkmd_test_params" in text
    machine.run(["mv", "/root/p.ko", path])
    lkmctl(machine, "load", "lkmd_test_params")
    lkmctl(machine, "unload", "lkmd_test_params")


def test_in_use_names_who_uses_it(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    text, error = fails(machine, "unload", "lkmd_test_c")
    assert error["error"] == "io.lkmd.Manager.InUse"
    assert error["holders"] == ["lkmd_test_b"] and "lkmd_test_b" in text
    lkmctl(machine, "unload", "lkmd_test_a")


# ---------------------------------------------------------------------------------------------- denials

@pytest.fixture
def modprobe_d(machine):
    def write(text):
        machine.write(CONF, text)
        lkmctl(machine, "reload")

    yield write
    machine.run(["rm", "-f", CONF])
    lkmctl(machine, "reload")


def is_denied(machine, name, place):
    text, error = fails(machine, "load", name, status=3)
    assert f"denied by {place}" in text
    assert error["error"] == "io.lkmd.Manager.Denied"
    assert f"{error['file']}:{error['line']}" == place
    return error


@pytest.mark.parametrize("command", ["/bin/false", "/usr/bin/true"])
def test_install_false_denies_by_name(machine, modprobe_d, command):
    modprobe_d(f"# hardening\ninstall dummy {command}\n")
    assert is_denied(machine, "dummy", f"{CONF}:2")["module"] == "dummy"
    assert "dummy" not in loaded(machine)


def test_a_command_keeps_a_driver_out(machine, modprobe_d):
    """A hardening guide's own program: what it prints is the reason, and a boot with it is not a failed one."""
    machine.write("/usr/local/sbin/kept-out", "#!/bin/sh\necho \"kept-out: $MODPROBE_MODULE is not wanted\" >&2\nexit 1\n")
    machine.run("chmod 755 /usr/local/sbin/kept-out")
    modprobe_d("# hardening\ninstall dummy /usr/local/sbin/kept-out\ninstall e1000e /usr/local/sbin/kept-out\n")
    before = ask(machine, "status")
    text, error = fails(machine, "load", "dummy")
    assert f"dummy is kept out by its install command ({CONF}:2), which ended with status 1: kept-out: dummy is not wanted" in text
    assert error["error"] == "io.lkmd.Manager.LoadFailed"
    with watching(machine) as watch:
        plug(machine)
        watch.wait_for('"finished".*"e1000e"')
        wait_idle(machine)
    after = ask(machine, "status")
    assert after["counters"]["keptOut"] == before["counters"]["keptOut"] + 3    # fails() asked twice
    assert after["counters"]["failures"] == before["counters"]["failures"] and after["failures"] == before["failures"]
    assert "kept out by their install command" in lkmctl(machine, "status").stdout
    assert not {"dummy", "e1000e"} & loaded(machine)
    assert "kept-out: e1000e is not wanted" in machine.journal("-b", "-u", "lkmd-command@*", "-o", "cat")
    unplug(machine)


def test_a_command_leaves_a_process_behind(machine, modprobe_d):
    """The command is over with its shell; what it left behind may go on printing."""
    machine.run("rm -f /run/go /run/done; mkfifo /run/go")
    modprobe_d("install dummy echo first; (read x < /run/go; echo second; echo third && touch /run/done) &\n")
    assert ask(machine, "load", "dummy")["records"][0]["outcome"] == "command_run"
    machine.run("echo > /run/go")
    machine.wait("test -e /run/done", 60)
    machine.wait("journalctl -b -u 'lkmd-command@*' -o cat | grep -q '^third$'", 60)


def test_install_false_denies_by_dependency(machine, modprobe_d):
    modprobe_d("install lkmd_test_c /bin/false\n")
    assert is_denied(machine, "lkmd_test_a", f"{CONF}:1")["module"] == "lkmd_test_c"
    assert not {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} & loaded(machine)


def test_install_false_denies_what_has_a_softdep(machine, modprobe_d):
    """The case where modprobe itself forgets the install line."""
    modprobe_d("softdep lkmd_test_b pre: dummy\ninstall lkmd_test_b /bin/false\n")
    assert is_denied(machine, "lkmd_test_b", f"{CONF}:2")["module"] == "lkmd_test_b"
    assert not {"lkmd_test_b", "dummy"} & loaded(machine)


def plug(machine):
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")


def unplug(machine):
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device", 60)


def left_out(machine, kind, place):
    """A card is plugged in and stays without a driver; the verdict stands in the monitor and in the journal."""
    with watching(machine) as watch:
        plug(machine)
        events = watch.wait_for('"verdict".*"e1000e"')
        wait_idle(machine)
    [verdict] = [e for e in events if e["kind"] == "verdict"]
    assert verdict["omission"]["kind"] == kind
    assert f"{verdict['omission']['file']}:{verdict['omission']['line']}" == place
    assert verdict["requester"]["key"].startswith("pci:v00008086d000010D3")
    assert "e1000e" not in loaded(machine)
    entries = machine.journal("-u", "lkmd", "-o", "json", "MESSAGE_ID=a3f7852ba9b54f1bb4c4ae973aeb5b70")
    entry = json.loads(entries.splitlines()[-1])
    assert (entry["LKMD_MODULE"], entry["LKMD_RULE"], entry["LKMD_ORIGIN"]) == ("e1000e", place, "device")
    assert place in entry["MESSAGE"]


def test_blacklist_keeps_out_by_device_and_not_by_name(machine):
    machine.write(CONF, "# no cards\n\nblacklist e1000e\n")
    lkmctl(machine, "reload")
    left_out(machine, "blacklisted", f"{CONF}:3")
    assert f"{CONF}:3" in lkmctl(machine, "status", "e1000e").stdout
    lkmctl(machine, "load", "e1000e")
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
    unplug(machine)
    remove(machine, "e1000e")

    with watching(machine) as watch:        # without a word from us: lkmd sees that the line is gone
        machine.run(["rm", CONF])
        watch.machine.wait(f"test $(grep -c reloaded {watch.path}) -ge 2", 60)
    plug(machine)
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
    unplug(machine)
    remove(machine, "e1000e")


def test_install_false_denies_by_device(machine, modprobe_d):
    modprobe_d("install e1000e /bin/false\n")
    left_out(machine, "denied", f"{CONF}:1")
    unplug(machine)


# ------------------------------------------------------------------------------------------- status and list

def test_list_is_what_the_kernel_has(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    modules = ask_all(machine, "list")
    assert {m["name"] for m in modules} == loaded(machine)
    one = next(m for m in modules if m["name"] == "lkmd_test_c")
    assert one["state"] == "live" and one["holders"] == ["lkmd_test_b"] and one["sizeBytes"] > 0
    assert one["loadedBy"]["parent"] == "lkmd_test_b"
    assert one["path"].endswith("/extra/lkmd_test_c.ko")
    assert any(line.startswith("lkmd_test_c ") for line in lkmctl(machine, "list").stdout.splitlines())
    lkmctl(machine, "unload", "lkmd_test_a")


def test_status(machine):
    status = ask(machine, "status")
    assert status["inCharge"] == "lkmd" and status["idle"] and status["coldplugDone"] and status["indexComplete"]
    assert status["kernelRelease"] == machine.kernel_version
    assert status["modulesLoaded"] == len(loaded(machine))
    assert status["problems"] == [] and status["queued"] == 0 and status["running"] == []
    assert any(f["module"] == "lkmd_test_unresolved" for f in status["failures"])
    assert "lkmd loads drivers" in lkmctl(machine, "status").stdout
    assert lkmctl(machine).stdout.splitlines()[0].split(",")[0] == lkmctl(machine, "status").stdout.split(",")[0]


def test_status_of_a_module(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    reply = ask(machine, "status", "lkmd-test-a")
    assert reply["dependencies"] == ["lkmd_test_c", "lkmd_test_b"]
    assert reply["module"]["state"] == "live" and reply["history"][0]["outcome"] == "loaded"
    lkmctl(machine, "unload", "lkmd_test_a")
    reply = ask(machine, "status", "lkmd_test_a")
    assert reply["module"]["state"] == "not_loaded" and reply["history"][0]["outcome"] == "unloaded"
    assert "lkmd_test_a" in lkmctl(machine, "status", "lkmd_test_a").stdout


def test_json_of_every_verb(machine):
    for words in (["status"], ["status", "dummy"], ["load", "dummy"], ["unload", "dummy"], ["reload"],
                  ["wait", "--idle"], ["version"], ["help", "load"]):
        short = lkmctl(machine, "--json=short", *words).stdout
        assert len(short.splitlines()) == 1, f"{words}: {short}"
        assert isinstance(json.loads(short), dict), words
    for words in (["list"], ["help"]):
        assert all(isinstance(one, dict) for one in ask_all(machine, *words))
    assert isinstance(json.loads(lkmctl(machine, "--json", "list").stdout), list)
    assert isinstance(json.loads(lkmctl(machine, "--json=pretty", "status").stdout), dict)


def test_quiet(machine):
    for words in (["load", "dummy"], ["unload", "dummy"], ["reload"], ["wait"]):
        result = lkmctl(machine, "--quiet", *words)
        assert (result.stdout, result.stderr) == ("", "")


# -------------------------------------------------------------------------------------- waiting and not waiting

FOR_LONG = 120000                               # milliseconds; released before, so that no test depends on its speed


def slow_start(machine, ms, *parameters):
    """A load that takes its time, in a unit of its own."""
    machine.run(["systemd-run", "--quiet", "--unit=slow", "--remain-after-exit",
                 "-p", "StandardOutput=truncate:/run/slow.out", "-p", "StandardError=truncate:/run/slow.err",
                 "lkmctl", "--json=short", "load", "lkmd_test_slow", f"ms={ms}", *parameters])
    machine.wait("grep -q '^lkmd_test_slow .*Loading' /proc/modules")


def slow_result(machine):
    machine.wait("! systemctl show -p SubState slow | grep -q =running", 120)
    status = int(machine.run("systemctl show --value -p ExecMainStatus slow").stdout)
    machine.run("systemctl stop slow; systemctl reset-failed slow", check=False)
    return status, machine.read("/run/slow.out")


def test_a_slow_load_holds_up_nobody_who_does_not_need_it(machine):
    slow_start(machine, FOR_LONG)
    assert ask(machine, "status")["running"][0]["module"] == "lkmd_test_slow"
    assert "lkmd_test_slow" in lkmctl(machine, "status").stdout
    lkmctl(machine, "load", "lkmd_test_a")
    lkmctl(machine, "unload", "lkmd_test_a")
    plug(machine)
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
    fails(machine, "wait", "--idle", "--timeout=0.2")
    fails(machine, "wait", "--module=lkmd_test_slow", "--timeout=0.2")
    assert "Loading" in machine.run("grep ^lkmd_test_slow /proc/modules").stdout, "it ran all the time"
    release(machine, "lkmd_test_slow")
    lkmctl(machine, "wait", "--module=lkmd_test_slow", "--timeout=60")
    status, output = slow_result(machine)
    assert status == 0 and json.loads(output)["records"][0]["outcome"] == "loaded"
    unplug(machine)
    remove(machine, "e1000e", "lkmd_test_slow")


def test_a_long_load_is_told(machine):
    """With the place in the kernel where it is: the innermost function for anybody, all of them for root."""
    conf = "/etc/lkmd/lkmd.conf.d/soon.conf"
    machine.write(conf, "[Manager]\nSlowLoadSec=1s\n")
    lkmctl(machine, "reload")
    with watching(machine) as watch:
        slow_start(machine, FOR_LONG)
        # It is told again and again; in a moment in which the module does not sleep there is no place to name.
        slow = [e["record"] for e in watch.wait_for('"kernelStack"') if "kernelStack" in e.get("record", {})]
    machine.run(["rm", conf])
    lkmctl(machine, "reload")
    assert {record["module"] for record in slow} == {"lkmd_test_slow"}
    assert "msleep" in slow[0]["kernelStack"][0], slow
    assert machine.read(f"/proc/{slow[0]['threadId']}/comm") == "+lkmd_test_slow\n"
    text = lkmctl(machine, "status", "lkmd_test_slow").stdout
    assert "In the kernel" in text and "do_init_module" in text, text
    machine.wait("lkmctl status | grep -q 'in msleep'")
    release(machine, "lkmd_test_slow")
    assert slow_result(machine)[0] == 0
    entries = machine.journal("-u", "lkmd", "-o", "json", "MESSAGE_ID=f05d62f96fb548bf9842f6593b62641d")
    assert json.loads(entries.splitlines()[-1])["LKMD_MODULE"] == "lkmd_test_slow"
    remove(machine, "lkmd_test_slow")


def test_stop_and_start_while_a_module_is_starting(machine):
    slow_start(machine, FOR_LONG)
    machine.run("systemctl stop lkmd")
    assert "Loading" in machine.run("grep ^lkmd_test_slow /proc/modules").stdout, "stop does not wait for it"
    assert slow_result(machine)[0] == 4
    start_lkmd(machine)
    assert ask(machine, "status", "lkmd_test_slow")["module"]["state"] == "coming"
    release(machine, "lkmd_test_slow")
    lkmctl(machine, "load", "lkmd_test_slow")       # joins it, or comes right after it
    assert ask(machine, "status", "lkmd_test_slow")["module"]["state"] == "live"
    remove(machine, "lkmd_test_slow")


@pytest.mark.parametrize("error", [0, 19])
def test_loader_killed(machine, error):
    """The kernel ends the call that it is killed in, and what became of the module is told."""
    slow_start(machine, FOR_LONG, f"error={error}")
    machine.run(["kill", "-KILL", str(main_pid(machine, "lkmd-loader"))])
    release(machine, "lkmd_test_slow")
    status, output = slow_result(machine)
    answer = json.loads(output)
    if error == 0:
        assert status == 0 and answer["records"][0]["outcome"] == "loaded"
        remove(machine, "lkmd_test_slow")
    else:
        assert status == 1 and answer["error"] == "io.lkmd.Manager.LoadFailed"
        assert "lkmd-loader ended" in answer["message"]
    assert "lkmd_test_slow" not in loaded(machine)
    lkmctl(machine, "load", "lkmd_test_slow", "ms=1")
    lkmctl(machine, "unload", "lkmd_test_slow")


def test_killed_between_load_and_unload(machine):
    """What was loaded for whose sake is known to the next lkmd too."""
    lkmctl(machine, "load", "lkmd_test_a")
    kill_lkmd(machine)
    machine.wait("lkmctl status", 60)
    lkmctl(machine, "unload", "lkmd_test_a")
    assert not {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} & loaded(machine)


def test_a_hundred_at_once_are_one_load(machine):
    machine.run("mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; cd /sys/kernel/tracing && echo >trace && "
                "echo 1 >events/module/module_load/enable")
    script = """
import os, subprocess
runs = [subprocess.Popen(["lkmctl", "--json=short", "load", "lkmd_test_slow", "ms=3000"], stdout=subprocess.PIPE)
        for i in range(100)]
for run in runs:
    print(run.communicate()[0].decode().strip(), run.returncode)
"""
    machine.write("/root/hundred.py", script)
    lines = machine.run(["python3", "/root/hundred.py"], timeout=180).stdout.splitlines()
    machine.run("echo 0 >/sys/kernel/tracing/events/module/module_load/enable")
    assert len(lines) == 100 and all(line.endswith(" 0") for line in lines), lines
    outcomes = [json.loads(line[:-2])["records"][0]["outcome"] for line in lines]
    assert "loaded" in outcomes and set(outcomes) <= {"loaded", "already_loaded"}
    trace = machine.read("/sys/kernel/tracing/trace")
    assert len(re.findall(r"module_load: lkmd_test_slow", trace)) == 1, trace
    remove(machine, "lkmd_test_slow")


def test_wait_for_a_module_that_somebody_else_loads(machine):
    machine.run(["systemd-run", "--quiet", "--unit=waiter", "--remain-after-exit", "lkmctl", "wait", "--module=dummy",
                 "--timeout=60"])
    machine.run("modprobe dummy")
    machine.wait("systemctl show -p SubState waiter | grep -q =exited", 60)
    assert machine.run("systemctl show --value -p ExecMainStatus waiter").stdout == "0\n"
    machine.run("systemctl stop waiter")
    assert ask(machine, "status", "dummy")["module"]["loadedBy"]["requester"]["origin"] == "foreign"
    lkmctl(machine, "unload", "dummy")


def test_reload_and_a_broken_file(machine):
    """The old settings stay in force, and every line that is wrong is named."""
    path = "/etc/lkmd/lkmd.conf.d/broken.conf"
    machine.write(path, "[Manager]\nColdplug=perhaps\nNoSuchKey=1\n")
    text, error = fails(machine, "reload")
    assert error["error"] == "io.lkmd.Manager.ReloadFailed"
    problems = {(p["file"], p["line"]) for p in error["problems"]}
    assert problems == {(path, 2), (path, 3)}
    assert f"{path}:2" in text and f"{path}:3" in text
    assert {(p["file"], p["line"]) for p in ask(machine, "status")["problems"]} == problems
    machine.run(["rm", path])
    assert ask(machine, "reload")["problems"] == []
    assert ask(machine, "status")["problems"] == []
