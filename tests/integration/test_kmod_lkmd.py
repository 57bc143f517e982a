# SPDX-License-Identifier: LGPL-2.1-or-later
"""modprobe while lkmd runs: it asks lkmd, says what came of it in kmod's words, and nothing that is denied comes in."""

import threading
from pathlib import Path

import pytest

from fake_lkmd import error, reply
from kmod_bench import RELEASE, World
from lkmctl_bench import LKMCTL, lkmd                                  # noqa: F401

DIRECTORY = f"/lib/modules/{RELEASE}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("kmod"))


class Modprobe:
    """modprobe beside a daemon, with the daemon's modules below /lib/modules."""

    def __init__(self, world, socket, lib):
        self.world, self.socket, self.case = world, socket, {"lib": lib}

    def __call__(self, *arguments, **env):
        """Status, standard output, standard error; system calls of its own are none."""
        status, out, err, calls, _ = self.world.run(LKMCTL, arguments, self.case, env={"LKMD_SOCKET": str(self.socket), **env})
        assert calls == "", (out, err)
        return status, out, err


@pytest.fixture
def modprobe(world, daemon):
    return Modprobe(world, daemon.socket, daemon.root / "lib/modules")


def asked(daemon):
    return [request[:2] for request in daemon.loader.requests]


# ---------------------------------------------------------------------------------------------------------- loads

def test_load(daemon, modprobe):
    assert modprobe("lkmdt-top") == (0, "", "")
    assert asked(daemon) == [("insert", "lkmdt_base"), ("insert", "lkmdt_mid"), ("insert", "lkmdt_top")]
    record = daemon.call("History", module="lkmdt_top")["entries"][0]["record"]
    assert (record["requester"]["origin"], record["requester"]["command"]) == ("client", "modprobe")


def test_what_is_shown(daemon, modprobe, modprobe_d):
    modprobe_d.write_text("install lkmdt_slow echo it\noptions lkmdt_top speed=7\n")
    assert modprobe("-v", "lkmdt_top") == (0, "".join(f"insmod {DIRECTORY}/kernel/{module}.ko {parameters}\n" for module, parameters in (
        ("lkmdt_base", ""), ("lkmdt_mid", ""), ("lkmdt_top", "speed=7"))), "")
    assert modprobe("-v", "lkmdt_slow")[:2] == (0, "install  \n")      # modprobe.d of the test is lkmd's alone


@pytest.mark.parametrize("words, parameters", [(["speed=3"], "speed=3"), (["nosuch=1"], "nosuch=1"), (["speed=3", "", "text=a b"], 'speed=3 text="a b"')])
def test_parameters(daemon, modprobe, words, parameters):
    assert modprobe("lkmdt_top", *words) == (0, "", "")
    assert daemon.loader.requests[-1] == ("insert", "lkmdt_top", f"{daemon.root}{DIRECTORY}/kernel/lkmdt_top.ko", parameters)


def test_parameters_that_are_no_text(daemon, modprobe):
    assert modprobe("lkmdt_top", b"speed=\xff") == (1, "", "modprobe: ERROR: could not insert 'lkmdt_top': Invalid argument\n")
    assert modprobe(b"lkmdt\xff")[0] == 1 and asked(daemon) == []


def test_several(daemon, modprobe):
    daemon.loader.errors["lkmdt_slow"] = -19
    status, out, err = modprobe("-a", "lkmdt_nosuch", "lkmdt_slow", "lkmdt_alone")
    assert (status, out) == (1, "") and err.splitlines()[:2] == [
        f"modprobe: WARNING: Module lkmdt_nosuch not found in directory {DIRECTORY}", "modprobe: ERROR: could not insert 'lkmdt_slow': No such device"]
    assert asked(daemon) == [("insert", "lkmdt_slow"), ("insert", "lkmdt_alone")]
    assert modprobe("-aq", "lkmdt_nosuch", "lkmdt_slow") == (1, "", "")


def test_not_found(daemon, modprobe):
    assert modprobe("no-such") == (1, "", f"modprobe: FATAL: Module no-such not found in directory {DIRECTORY}\n")
    assert modprobe("-q", "--", "no-such") == (1, "", "")


def test_failure(daemon, modprobe):
    """Kmod's line first, then the reason, which lkmd knows."""
    daemon.loader.errors["lkmdt_base"] = -2
    status, out, err = modprobe("lkmdt_top")
    first, second = err.splitlines()
    assert (status, out, first) == (1, "", "modprobe: ERROR: could not insert 'lkmdt_top': Unknown symbol in module, or unknown parameter (see dmesg)")
    assert second.startswith("modprobe: ERROR: lkmdt_base ")
    assert modprobe("-q", "lkmdt_top") == (1, "", "")


def test_first_time(daemon, modprobe):
    daemon.devices.set_module("lkmdt_alone", "live")
    assert modprobe("lkmdt_alone", "nosuch=1") == (0, "", "")
    assert modprobe("--first-time", "lkmdt_alone") == (1, "", "modprobe: ERROR: could not insert 'lkmdt_alone': Module already in kernel\n")
    assert modprobe("--first-time", "lkmdt-in-kernel") == (1, "", "modprobe: ERROR: could not insert 'lkmdt_in_kernel': Module already in kernel\n")
    assert modprobe("--first-time", "lkmdt_slow") == (0, "", "") and asked(daemon) == [("insert", "lkmdt_slow")]


# ---------------------------------------------------------------------------------------------------------- denied

DENY = "version: 1\nrules:\n- {id: no-mid, match: {module: [lkmdt_mid, plain]}, verdict: deny, reason: not here}\n"


@pytest.mark.parametrize("words", [["lkmdt_mid"], ["lkmdt_top"], ["-i", "lkmdt_mid"], ["-f", "lkmdt_mid"], ["-b", "lkmdt_mid"], ["--first-time", "lkmdt_mid"], ["-a", "lkmdt_mid"],
                                   ["-v", "lkmdt_mid", "x=1"], ["-S", RELEASE, "lkmdt_mid"], ["usb:v1111p2222d0dc0dsc0dp0ic0isc0ip0in0"], ["symbol:lkmdt_mid_symbol"]])
def test_denied(daemon, modprobe, lkmd_conf, words):
    path = daemon.write_policy(DENY)
    status, out, err = modprobe(*words)
    assert (status, out) == (1, "") and err.startswith("modprobe: ERROR: ") and f"{path}:3" in err and "not here" in err
    assert modprobe("-q", *words) == (1, "", "")
    lkmd_conf.write_text("[Manager]\nOnDenied=success\n")
    assert modprobe(*words) == (0, "", err)
    assert modprobe("-q", *words) == (0, "", "")
    assert ("insert", "lkmdt_mid") not in asked(daemon)


def test_denied_beside_another(daemon, modprobe):
    daemon.write_policy(DENY)
    status, _, err = modprobe("-a", "lkmdt_mid", "lkmdt_alone")
    assert status == 1 and len(err.splitlines()) == 1 and asked(daemon) == [("insert", "lkmdt_alone")]


def test_install_line_that_denies(daemon, modprobe, modprobe_d):
    modprobe_d.write_text("install lkmdt_alone /bin/false\nblacklist lkmdt_slow\nalias lkmdt_nick lkmdt_slow\n")
    for words in (["lkmdt_alone"], ["-i", "lkmdt_alone"]):
        status, _, err = modprobe(*words)
        assert status == 1 and f"{modprobe_d}:1" in err
    assert modprobe("lkmdt_nick") == (0, "", "") and modprobe("-b", "lkmdt_slow") == (0, "", "") and asked(daemon) == []
    assert modprobe("lkmdt_slow") == (0, "", "") and asked(daemon) == [("insert", "lkmdt_slow")]


@pytest.fixture
def policy_here():
    """For what judges by itself: the policy of the machine, in the throw-away root."""
    path = Path("/etc/lkmd/policy.d/lkmd-test.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DENY)
    yield path
    path.unlink()


@pytest.mark.parametrize("words", [["./plain.ko"], ["-f", "./plain.ko"], ["-i", "./plain.ko"], ["./own-name.ko"], ["-C", "/dev/null", "plain"], ["-d", ".", "plain"], ["-d", ".", "packed-zst"],
                                   ["-a", "-C", "/dev/null", "packed-zst"]])
def test_what_lkmd_does_not_load_is_judged(world, lkmd, policy_here, words):
    """Files, other directories, other configurations: by libkmod, unless the policy denies a module among them."""
    lkmd.on("org.varlink.service.GetInfo", reply())
    run = {"env": {"LKMD_SOCKET": lkmd.path}}
    if words == ["./own-name.ko"]:
        (world.root / "own-name.ko").write_bytes((world.root / "plain.ko").read_bytes())       # the module is plain by what it says
    status, _, err, calls, modules = world.run(LKMCTL, words, **run)
    assert status == 1 and f"{policy_here}:3" in err and "not here" in err and "insmod" not in calls and "finit" not in calls and modules == {}
    assert world.run(LKMCTL, ["-q", *words], **run)[:4] == (1, "", "", "")
    assert [call[0] for call in lkmd.calls if call[0] == "Load"] == []
    assert world.run(LKMCTL, words)[0] == 0                            # without lkmd


@pytest.mark.parametrize("words", [["./top.ko"], ["-C", "/dev/null", "top"], ["-d", ".", "para", "one=1"], ["-n", "plain"], ["-D", "plain"], ["-R", "plain"], ["-c"], ["-d", ".", "-rn", "plain"]])
def test_what_lkmd_does_not_load_and_is_allowed(world, lkmd, policy_here, words):
    lkmd.on("org.varlink.service.GetInfo", reply())
    with_lkmd = world.run(LKMCTL, words, env={"LKMD_SOCKET": lkmd.path})
    assert with_lkmd == world.run(LKMCTL, words) and with_lkmd[0] == 0


# -------------------------------------------------------------------------------------------------------- commands

class Background(threading.Thread):
    def __init__(self, function, *arguments, **how):
        super().__init__()
        self.call, self.result = (function, arguments, how), None
        self.start()

    def run(self):
        function, arguments, how = self.call
        self.result = function(*arguments, **how)

    def finish(self):
        self.join(60)
        return self.result


def test_command_that_loads_its_module(daemon, modprobe, modprobe_d):
    """lkmd waits for the command, the command for modprobe, and modprobe for lkmd, which does not wait for the command."""
    modprobe_d.write_text("install lkmdt_mid modprobe --ignore-install lkmdt_mid\n")
    daemon.loader.held = {"lkmdt_mid"}
    first = Background(modprobe, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_mid")
    second = Background(modprobe, "--ignore-install", "lkmdt_mid", MODPROBE_MODULE="lkmdt_mid")
    daemon.loader.wait_for("lkmdt_mid", 2)
    daemon.loader.release("lkmdt_mid")
    assert (first.finish(), second.finish()) == ((0, "", ""),) * 2
    assert [request for request in asked(daemon) if request[1] != "lkmdt_base"] == [
        ("install-command", "lkmdt_mid"), ("insert", "lkmdt_mid"), ("insert", "lkmdt_top")]


def test_command_that_asks_for_itself(daemon, modprobe, modprobe_d):
    """With kmod, it would start one modprobe after the other without an end."""
    modprobe_d.write_text("install lkmdt_alone modprobe lkmdt_alone\nalias lkmdt_nick lkmdt_alone\n")
    daemon.loader.held = {"lkmdt_alone"}
    first = Background(modprobe, "lkmdt_alone")
    daemon.loader.wait_for("lkmdt_alone")
    for name in ("lkmdt_alone", "lkmdt-nick"):
        status, _, err = modprobe(name, MODPROBE_MODULE="lkmdt-alone")
        assert status == 1 and "could not insert" in err and "Resource deadlock avoided" in err and "--ignore-install lkmdt_alone" in err
    daemon.devices.set_module("lkmdt_alone", "live")                    # by a command that did something else before
    assert modprobe("lkmdt_alone", MODPROBE_MODULE="lkmdt_alone") == (0, "", "")
    daemon.loader.release("lkmdt_alone")
    assert first.finish()[0] == 0


def test_commands_that_ask_for_each_other(daemon, modprobe, modprobe_d):
    modprobe_d.write_text("install lkmdt_alone modprobe lkmdt_slow\ninstall lkmdt_slow modprobe lkmdt_any\ninstall lkmdt_any modprobe lkmdt_alone\n")
    chain = ["lkmdt_alone", "lkmdt_slow", "lkmdt_any"]
    daemon.loader.held = set(chain)
    waiting, caller = [], ""
    for name in chain:
        waiting.append(Background(modprobe, name, MODPROBE_MODULE=caller))
        daemon.loader.wait_for(name)
        caller = name
    assert modprobe("lkmdt_alone", MODPROBE_MODULE="lkmdt_any")[0] == 1
    for name in reversed(chain):
        daemon.loader.release(name)
    assert [w.finish() for w in waiting] == [(0, "", "")] * 3


# -------------------------------------------------------------------------------------------------------- removals

def put_chain(daemon, modprobe):
    assert modprobe("lkmdt_top")[0] == 0
    for module, holders in (("lkmdt_base", ["lkmdt_mid"]), ("lkmdt_mid", ["lkmdt_top"]), ("lkmdt_top", [])):
        daemon.devices.set_module(module, "live", refcnt=len(holders))
        daemon.devices.list_module(module, len(holders), holders)
    daemon.loader.requests.clear()


def test_remove(daemon, modprobe):
    put_chain(daemon, modprobe)
    assert modprobe("-r", "lkmdt_mid") == (1, "", "modprobe: FATAL: Module lkmdt_mid is in use.\n")
    assert modprobe("-ra", "lkmdt_mid") == (1, "", "modprobe: WARNING: Module lkmdt_mid is in use.\n")
    assert modprobe("-rq", "lkmdt_mid") == (1, "", "")
    assert modprobe("-r", "-w", "10", "lkmdt_mid")[0] == 1
    assert modprobe("-rv", "lkmdt-top") == (0, "rmmod lkmdt_top\n", "")
    assert asked(daemon) == [("remove", "lkmdt_top")]           # the others have their references still, as far as the files say


def test_remove_holders(daemon, modprobe):
    put_chain(daemon, modprobe)
    assert modprobe("-r", "--remove-holders", "lkmdt_base") == (0, "", "")
    assert asked(daemon) == [("remove", "lkmdt_top"), ("remove", "lkmdt_mid"), ("remove", "lkmdt_base")]


def test_remove_what_is_not_there(daemon, modprobe):
    assert modprobe("-r", "lkmdt_alone") == (0, "", "")
    assert modprobe("-r", "--first-time", "lkmdt_alone") == (1, "", "modprobe: FATAL: Module lkmdt_alone is not in kernel.\n")
    assert modprobe("-r", "lkmdt_nosuch") == (1, "", "modprobe: FATAL: Module lkmdt_nosuch not found.\n")
    assert modprobe("-r", "lkmdt-in-kernel") == (1, "", "modprobe: FATAL: Module lkmdt_in_kernel is builtin.\n")
    assert asked(daemon) == []


def test_remove_that_fails(daemon, modprobe):
    put_chain(daemon, modprobe)
    daemon.loader.errors["lkmdt_top"] = -16
    status, out, err = modprobe("-r", "lkmdt_top")
    assert (status, out) == (1, "") and err.splitlines()[0] == "modprobe: ERROR: could not remove 'lkmdt_top': Device or resource busy"


def test_remove_command(daemon, modprobe, modprobe_d):
    modprobe_d.write_text("remove lkmdt_alone modprobe -r --ignore-remove lkmdt_alone\nsoftdep lkmdt_alone pre: lkmdt_slow\n")
    assert modprobe("lkmdt_alone")[0] == 0
    for module in ("lkmdt_slow", "lkmdt_alone"):
        daemon.devices.set_module(module, "live")
    daemon.loader.requests.clear()
    daemon.loader.held = {"lkmdt_alone"}
    first = Background(modprobe, "-r", "lkmdt_alone")
    daemon.loader.wait_for("lkmdt_alone")
    status, _, err = modprobe("-r", "lkmdt_alone", MODPROBE_MODULE="lkmdt_alone")
    assert status == 1 and "--ignore-remove lkmdt_alone" in err
    second = Background(modprobe, "-ri", "lkmdt_alone", MODPROBE_MODULE="lkmdt_alone")
    daemon.loader.wait_for("lkmdt_alone", 2)
    daemon.loader.release("lkmdt_alone")
    assert (first.finish(), second.finish()) == ((0, "", ""),) * 2
    assert asked(daemon) == [("remove-command", "lkmdt_alone"), ("remove", "lkmdt_alone")]


# -------------------------------------------------------------------------------------------------- without an answer

def test_lkmd_that_does_not_answer(world, lkmd):
    """The kernel may be waiting: modprobe does it by itself after a while."""
    never = threading.Event()
    lkmd.on("org.varlink.service.GetInfo", never)
    try:
        assert world.run(LKMCTL, ["-q", "--", "plain"], env={"LKMD_SOCKET": lkmd.path})[0::3] == (0, "finit plain [] flags 0\n")
    finally:
        never.set()
    assert [call[0] for call in lkmd.calls] == ["org.varlink.service.GetInfo"]


@pytest.mark.parametrize("answers", [{"org.varlink.service.GetInfo": None}, {"org.varlink.service.GetInfo": b"nonsense\0"}, {"Load": None}, {"Load": b"{\0"}])
def test_lkmd_that_goes_away(world, lkmd, answers):
    lkmd.on("org.varlink.service.GetInfo", reply())
    for method, step in answers.items():
        lkmd.on(method, step)
    status, out, err, calls, _ = world.run(LKMCTL, ["top"], env={"LKMD_SOCKET": lkmd.path})
    assert (status, out, err, calls) == (0, "", "", "finit base [] flags 0\nfinit mid [] flags 0\nfinit top [] flags 0\n")


def test_not_allowed(world, lkmd):
    lkmd.on("org.varlink.service.GetInfo", reply())
    lkmd.on("Load", error("org.varlink.service.PermissionDenied"))
    lkmd.on("Unload", error("org.varlink.service.PermissionDenied"))
    run = {"env": {"LKMD_SOCKET": lkmd.path}}
    assert world.run(LKMCTL, ["plain"], **run)[:4] == (1, "", "modprobe: ERROR: could not insert 'plain': Operation not permitted\n", "")
    assert world.run(LKMCTL, ["-r", "plain"], {"loaded": ["plain"]}, **run)[:4] == (1, "", "modprobe: ERROR: could not remove 'plain': Operation not permitted\n", "")


def test_what_is_asked(world, lkmd):
    lkmd.on("org.varlink.service.GetInfo", reply())
    lkmd.on("Load", reply(records=[]))
    lkmd.on("Unload", reply(records=[]))
    run = {"env": {"LKMD_SOCKET": lkmd.path, "MODPROBE_MODULE": "para"}}
    for words, method, parameters in (
            (["plain"], "Load", {}), (["-f", "plain"], "Load", {"forceVermagic": True, "forceModversion": True}), (["--force-vermagic", "plain"], "Load", {"forceVermagic": True}),
            (["-ib", "plain", "a=1", "b"], "Load", {"ignoreInstall": True, "blacklistNames": True, "parameters": ["a=1", "b"]}),
            (["-r", "plain"], "Unload", {}), (["-rf", "plain"], "Unload", {"force": True}), (["-ri", "--remove-holders", "-w", "5", "plain"], "Unload", {"ignoreRemove": True, "holders": True, "waitUSec": 5000})):
        lkmd.calls.clear()
        assert world.run(LKMCTL, words, **run)[:4] == (0, "", "", "")
        common = {"name": "plain", "commandOf": "para", **({"anyParameters": True} if method == "Load" else {"ignoreNeeds": True})}
        assert [call[:2] for call in lkmd.calls if call[0] == method] == [(method, {**common, **parameters})]


def test_what_is_there_already_asks_nobody(world, lkmd):
    assert world.run(LKMCTL, ["plain"], {"loaded": ["plain"]}, env={"LKMD_SOCKET": lkmd.path})[:4] == (0, "", "", "") and lkmd.calls == []
