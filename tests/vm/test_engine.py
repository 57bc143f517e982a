# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine under load: modules that take their time, crowds that want one module, modules whose init has the kernel ask
for others, and requests that contradict each other. None waits for what it does not need, none is done twice, and in the
end the books say what the kernel says."""

import json

import pytest

from support import (Background, ask, configure, lkmctl, loaded, main_pid, release, remove, start_lkmd, state, wait_coming,
                     wait_idle, watching)

SLOW, INNER, DRIVER = "lkmd_test_slow", "lkmd_test_inner", "lkmd_test_driver"
ASYNC, CHAIN = "lkmd_test_async", ["lkmd_test_c", "lkmd_test_b", "lkmd_test_a"]
NESTED = ["lkmd_test_nested_1", "lkmd_test_nested_2", "lkmd_test_nested_3"]
FOR_LONG = "ms=120000"                          # released before, or the test is about to fail
CONF = "/etc/modprobe.d/lkmd-engine.conf"
TRACE = "/sys/kernel/tracing/instances/engine"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")
    machine.run("mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing")
    machine.run(f"mkdir {TRACE} && cd {TRACE} && echo 'comm ~ \"+*\"' >events/syscalls/sys_enter_finit_module/filter "
                "&& echo 1 >events/syscalls/sys_enter_finit_module/enable && echo 1 >events/module/module_load/enable")


@pytest.fixture(autouse=True)
def as_before(machine):
    """The defaults, nothing under way, and no module of the tests in the kernel, also after a test that failed."""
    machine.run(f": >{TRACE}/trace")
    yield
    release(machine, SLOW, INNER, ASYNC)
    machine.run(f"systemctl start lkmd && rm -f {CONF}")
    configure(machine)
    wait_idle(machine)
    remove(machine, ASYNC, SLOW, *NESTED, INNER, "lkmd_test_a", "dummy")


def calls(machine):
    """How often lkmd-loader has asked the kernel for a module since the test began; its threads are named "+MODULE"."""
    return machine.read(f"{TRACE}/trace").count("sys_finit_module(")


def arrivals(machine, module):
    """How often the kernel has begun to load a module since the test began, whoever asked for it."""
    return machine.read(f"{TRACE}/trace").count(f"module_load: {module} ")


def load(machine, *words):
    return Background(machine, "lkmctl", "--json=short", "load", *words)


def is_loaded(background):
    """The outcome of the module that was asked for."""
    status, output, error = background.result()
    assert status == 0, output + error
    return json.loads(output)["records"][-1]["outcome"]


# ------------------------------------------------------------------------------------------- a module that is slow

def test_a_load_outlives_lkmd_and_the_next_one_joins_it(machine):
    configure(machine, SlowLoadSec="1s")
    with watching(machine) as watch:
        first = load(machine, SLOW, FOR_LONG)
        wait_coming(machine, SLOW)
        pids = main_pid(machine), main_pid(machine, "lkmd-loader")
        events = watch.wait_for('"slow"')
    assert {e["record"]["module"] for e in events if e["kind"] == "slow"} == {SLOW}
    lkmctl(machine, "load", "lkmd_test_a")
    assert [r["module"] for r in ask(machine, "status")["running"]] == [SLOW]
    assert (main_pid(machine), main_pid(machine, "lkmd-loader")) == pids, "nothing was killed"

    machine.run("systemctl stop lkmd")
    assert machine.run("systemctl show --value -p ActiveState -p Result lkmd").stdout.split() in (
        ["success", "inactive"], ["inactive", "success"])
    assert state(machine, SLOW) == "coming", "who stops lkmd does not wait for a module"
    assert first.result()[0] == 4
    assert machine.run("systemctl is-active lkmd-loader").stdout == "active\n"
    assert main_pid(machine, "lkmd-loader") == pids[1], "the thread is in the kernel, its process stays"

    start_lkmd(machine)
    assert ask(machine, "status", SLOW)["module"]["state"] == "coming"
    second = load(machine, SLOW)
    machine.wait(f"lkmctl --json=short status | grep -q '\"running\":.*{SLOW}'")
    lkmctl(machine, "load", "dummy")
    assert main_pid(machine, "lkmd-loader") == pids[1], "the loader of the first lkmd works for the second"
    assert state(machine, SLOW) == "coming"

    release(machine, SLOW)
    assert is_loaded(second) in ("loaded", "already_loaded")
    assert state(machine, SLOW) == "live"
    assert arrivals(machine, SLOW) == 1
    assert ask(machine, "status", SLOW)["module"]["state"] == "live"


# ----------------------------------------------------------------------------------------------------- a crowd

CROWD = r"""
import collections, json, socket, sys

module, n = sys.argv[1], int(sys.argv[2])
call = json.dumps({"method": "io.lkmd.Manager.Load", "parameters": {"name": module}}).encode() + b"\0"
clients = [socket.socket(socket.AF_UNIX) for i in range(n)]
for client in clients:
    client.connect("/run/lkmd/io.lkmd.Manager")
for client in clients:
    client.sendall(call)
answers = collections.Counter()
for client in clients:
    data = b""
    while not data.endswith(b"\0"):
        more = client.recv(65536)
        if not more:
            break
        data += more
    reply = json.loads(data[:-1] or b'{"error":"hung up"}')
    answers[reply.get("error") or reply["parameters"]["records"][-1]["outcome"]] += 1
print(json.dumps(answers))
"""


@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.soak), 8])
def test_a_crowd_that_wants_one_module(machine, threads):
    """All 400 have asked before the load can end, so all of them share it."""
    machine.write("/root/crowd.py", CROWD)
    machine.write(CONF, f"options {SLOW} {FOR_LONG}\n")
    configure(machine, LoaderThreads=threads)
    joins = ask(machine, "status")["counters"]["joins"]
    crowd = Background(machine, "python3", "/root/crowd.py", SLOW, "400")
    machine.wait(f"lkmctl --json=short status | grep -q '\"joins\":{joins + 399}[,}}]'", 120)
    status = ask(machine, "status")
    assert [r["module"] for r in status["running"]] == [SLOW] and status["queued"] == 0
    release(machine, SLOW)
    status, output, error = crowd.result()
    assert status == 0 and json.loads(output) == {"loaded": 400}, output + error
    assert (calls(machine), arrivals(machine, SLOW)) == (1, 1)


# ----------------------------------------------------------------------------- a module whose init wants another one

def test_the_only_slot_is_taken_by_who_has_the_kernel_ask_for_another(machine):
    configure(machine, LoaderThreads=1)
    assert is_loaded(load(machine, NESTED[0])) == "loaded"
    assert INNER in loaded(machine)


@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.soak), 3])
def test_all_slots_are_taken_by_such(machine, threads):
    """What the kernel was asked for needs no slot, and who wants that too joins it; others have to wait for a slot."""
    machine.write(CONF, f"options {INNER} {FOR_LONG}\n")
    configure(machine, LoaderThreads=threads)
    outer = [load(machine, module) for module in NESTED[:threads]]
    for module in (*NESTED[:threads], INNER):
        wait_coming(machine, module)
    late = [load(machine, INNER), load(machine, "dummy")]
    machine.wait("lkmctl --json=short status | grep -q '\"queued\":1,'")
    assert {r["module"] for r in ask(machine, "status")["running"]} == {INNER, *NESTED[:threads]}
    release(machine, INNER)
    assert [is_loaded(one) for one in outer] == ["loaded"] * threads
    assert [is_loaded(one) for one in late] == ["loaded", "loaded"]
    assert arrivals(machine, INNER) == 1, "one for all of them"


# ------------------------------------------------------------------ loads that the kernel keeps for others' probes

def test_what_is_live_makes_room_while_probes_go_on_in_the_background(machine):
    """One slot, and no load of the kernel's returns: a chain of dependencies goes in all the same, link by link."""
    configure(machine, LoaderThreads=1, SlowLoadSec="1s")
    with watching(machine) as watch:
        first = load(machine, ASYNC, FOR_LONG)
        machine.wait(f"grep -qx live /sys/module/{ASYNC}/initstate")
        chain = load(machine, CHAIN[-1])
        machine.wait(f"grep -qx live /sys/module/{CHAIN[-1]}/initstate")
        machine.wait(f"[ $(lkmctl --json=short status | grep -o '\"liveUSec\"' | wc -l) = {1 + len(CHAIN)} ]")
        status = ask(machine, "status")
        assert [r["module"] for r in status["running"]] == [ASYNC, *CHAIN]
        assert not status["idle"]
        watch.wait_for('"slow"')        # a second and more of waiting: worth a word
        assert "(usable after " in lkmctl(machine, "status").stdout
        assert "finished" not in {e["kind"] for e in watch.events()}, "it is over when the kernel says so"
        release(machine, ASYNC)
        assert is_loaded(first) == is_loaded(chain) == "loaded"
        events = watch.wait_for('"finished".*' + CHAIN[-1])
    records = {e["record"]["module"]: e["record"] for e in events if e["kind"] == "finished"}
    assert set(records) == {ASYNC, *CHAIN}
    assert all(0 < r["liveUSec"] <= r["durationUSec"] for r in records.values())
    assert records[ASYNC]["durationUSec"] >= 1000000, "as long as the slow one was waited for"
    assert "it can be used, and the kernel waits for asynchronous probes" in machine.run(
        f"journalctl -u lkmd LKMD_MODULE={ASYNC}").stdout


# --------------------------------------------------------------------------------------- wishes that contradict

MIXED = r"""
import collections, json, random, socket, sys

module, uevent, seed, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random = random.Random(seed)


class Client:
    def __init__(self, n_open=0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect("/run/lkmd/io.lkmd.Manager")
        self.data = b""
        self.open = 0

    def call(self, method, more=False, **parameters):
        call = {"method": "io.lkmd.Manager." + method, "parameters": parameters}
        self.socket.sendall(json.dumps({**call, "more": True} if more else call).encode() + b"\0")
        self.open += 1

    def answer(self):
        while b"\0" not in self.data:
            more = self.socket.recv(65536)
            if not more:
                sys.exit("lkmd hung up")
            self.data += more
        line, self.data = self.data.split(b"\0", 1)
        return json.loads(line)

    def answers(self):
        for i in range(self.open):
            yield self.answer()
        self.open = 0


watch = Client()
watch.call("Monitor", more=True)
watch.answer()
clients = [Client() for i in range(8)]
said, events = collections.Counter(), []
for i in range(rounds):
    wishes = ["event", "Load", "Unload"]
    random.shuffle(wishes)
    for wish in wishes:
        if wish == "event":
            with open(uevent, "w") as f:
                f.write("add")
        else:
            random.choice(clients).call(wish, name=module)
    if i % 8 == 7 or i == rounds - 1:
        for client in clients:
            for reply in client.answers():
                said[reply.get("error") or "done"] += 1
        clients[0].call("Wait", idle=True, timeoutUSec=60000000)
        for reply in clients[0].answers():
            if "error" in reply:
                sys.exit(f"never idle: {reply}")
        # What the monitor was told ends with what is said to everybody now.
        clients[0].call("Reload")
        clients[0].open = 0
        while (event := watch.answer()["parameters"]["event"])["kind"] != "reloaded":
            if event.get("record", {}).get("module") == module:
                events.append((event["kind"], event["record"].get("outcome")))
        clients[0].answer()
print(json.dumps({"said": said, "events": events}))
"""


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_devices_and_clients_that_want_it_in_and_out(machine, seed):
    machine.write("/root/mixed.py", MIXED)
    lkmctl(machine, "load", "lkmd_test_device")
    wait_idle(machine)
    remove(machine, DRIVER)
    machine.run(f": >{TRACE}/trace")
    loads = ask(machine, "status")["counters"]["loads"]
    uevent = "/sys/devices/platform/lkmd_test_device/uevent"
    status, output, error = Background(machine, "python3", "/root/mixed.py", DRIVER, uevent, str(seed), "100").result(240)
    assert status == 0, error
    story = json.loads(output)
    wait_idle(machine)

    # Who asks for a removal may find that it is not there. Nothing else goes wrong.
    assert set(story["said"]) <= {"done", "io.lkmd.Manager.NotLoaded"}, story["said"]
    # One thing at a time is done to it, and only what changes something. A load that finds it there does nothing at all.
    done = [(kind, outcome) for kind, outcome in story["events"] if outcome != "already_loaded"]
    assert [kind for kind, _ in done] == ["started", "finished"] * (len(done) // 2), done
    outcomes = [outcome for _, outcome in done[1::2]]
    assert outcomes == (["loaded", "unloaded"] * len(outcomes))[:len(outcomes)] and len(outcomes) >= 2, outcomes

    there = DRIVER in loaded(machine)
    overall, mine = ask(machine, "status"), ask(machine, "status", DRIVER)
    assert (overall["queued"], overall["running"], overall["idle"]) == (0, [], True)
    assert overall["counters"]["loads"] - loads == outcomes.count("loaded") == arrivals(machine, DRIVER)
    assert mine["module"]["state"] == ("live" if there else "not_loaded")
    assert ("loadedBy" in mine["module"]) == there
    assert mine["history"][0]["outcome"] in (("loaded", "already_loaded") if there else ("unloaded",))
    remove(machine, DRIVER, "lkmd_test_device")
