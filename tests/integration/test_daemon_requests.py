# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests of the kernel's own: the real lkmd-request, started as the kernel starts it, and the real lkmd."""

import contextlib
import errno
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import BUILD, TIMEOUT, Daemon

CHAIN = ["lkmdt_base", "lkmdt_mid", "lkmdt_top"]
USB = "usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00"
MAGIC, PENDING, DONE, FAILED, PASS = 0x6c6b7101, 1, 2, 3, 4
PACKET, REPLY = struct.Struct("<II256s"), struct.Struct("<II")
MODPROBE_STATUS = 42                    # of what stands in the place of modprobe


class Kernel:
    """Starts lkmd-request, as call_modprobe() does. A modprobe that it turns to writes down what it was asked for."""

    def __init__(self, root):
        self.root, self.asked = root, root / "asked"
        for name, text in (("sbin/modprobe", f'#!/bin/sh\necho "$*" >>{self.asked}\nexit {MODPROBE_STATUS}\n'), ("dev/kmsg", "")):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)

    def start(self, *arguments, **options):
        return subprocess.Popen(["/usr/lib/lkmd/lkmd-request", *arguments], executable=BUILD / "src/daemon/lkmd-request",
                                env={"LKMD_REQUEST_ROOT": str(self.root), "PATH": os.environ["PATH"]}, **options)

    def request(self, name, **options):
        return self.start("-q", "--", name, **options)

    def status(self, name):
        return self.request(name).wait(TIMEOUT)

    def fell_open(self):
        """What modprobe was asked for."""
        return sorted(self.asked.read_text(errors="surrogateescape").splitlines()) if self.asked.exists() else []


@pytest.fixture
def idle(stopped):
    """With the socket, but not started yet."""
    stopped.listen_for_kernel()
    stopped.kernel = Kernel(stopped.dir)
    return stopped


@pytest.fixture
def daemon(idle):
    return idle.start()


def connect(daemon):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(TIMEOUT)
    s.connect(str(daemon.dir / "run/lkmd/request"))
    return s


def answers(s):
    """All that comes until lkmd hangs up."""
    found = []
    with contextlib.suppress(ConnectionResetError):             # it had not read all that it was sent
        while packet := s.recv(4096):
            magic, answer = REPLY.unpack(packet)
            assert magic == MAGIC
            found.append(answer)
    return found


# -------------------------------------------------------------------------------------------------------- answers

def test_a_module_and_what_it_needs(daemon):
    watch = daemon.client()
    watch.subscribe()
    assert daemon.kernel.status("lkmdt-top") == 0
    assert daemon.loader.modules() == CHAIN
    assert daemon.kernel.fell_open() == []
    requester = watch.event("finished")["record"]["requester"]
    assert (requester["origin"], requester["key"]) == ("kernel", "lkmdt-top")


def test_by_alias(daemon):
    assert daemon.kernel.status(USB) == 0
    assert daemon.loader.modules() == CHAIN


@pytest.mark.parametrize("name", ["lkmdt-in-kernel", "in-kernel:x"])
def test_built_in(daemon, name):
    assert daemon.kernel.status(name) == 0
    assert daemon.loader.modules() == []


def test_there_already(daemon):
    daemon.devices.set_module("lkmdt_alone", "live")
    assert daemon.kernel.status("lkmdt_alone") == 0
    assert daemon.loader.modules() == []


def test_the_kernel_refuses_it(daemon):
    daemon.loader.errors["lkmdt_mid"] = -errno.ENOEXEC
    assert daemon.kernel.status("lkmdt_top") == 1
    assert daemon.loader.modules() == CHAIN[:2]
    assert daemon.kernel.fell_open() == []


def test_what_the_policy_denies_is_not_left_to_modprobe(daemon):
    daemon.write_policy("version: 1\nrules:\n- {id: top, match: {module: lkmdt_top, origin: kernel}, verdict: deny}\n")
    assert [daemon.kernel.status(name) for name in ("lkmdt_top", USB, "lkmdt_mid")] == [1, 1, 0]
    assert daemon.loader.modules() == CHAIN[:2]
    assert daemon.call("Load", name="lkmdt_top")["records"]     # it is about the kernel's requests only
    assert daemon.kernel.fell_open() == []


def test_a_process_that_is_not_known_is_not_root(daemon):
    daemon.write_policy("""version: 1
rules:
- {id: root, match: {module: lkmdt_top, uid: 0}, verdict: allow}
- {id: known, match: {module: lkmdt_alone, uid: "1-4294967294"}, verdict: deny}
- {id: named, match: {module: lkmdt_alone, command: "*", unit: "*"}, verdict: deny}
- {id: users, match: {module: lkmdt_top, uid: "!0"}, verdict: deny, reason: not for everybody}
""")
    watch = daemon.client()
    watch.subscribe()
    assert [daemon.kernel.status(name) for name in ("lkmdt_top", "lkmdt_alone")] == [1, 0]
    assert daemon.loader.modules() == ["lkmdt_alone"]
    assert watch.event("finished")["record"]["requester"] == {"origin": "kernel", "key": "lkmdt_alone"}
    entry, = daemon.call("Audit")["entries"]
    assert (entry["rule"], entry["origin"], entry["key"]) == ("users", "kernel", "lkmdt_top") and not {"uid", "command", "unit"} & set(entry)


def test_what_the_kernel_asks_for_is_an_alias_even_if_it_is_a_name(daemon):
    daemon.write_policy("version: 1\nrules:\n- {id: tops, match: {alias: 'lkmdt-t*'}, verdict: deny}\n")
    assert [daemon.kernel.status(name) for name in ("lkmdt_top", "lkmdt_mid")] == [1, 0]
    assert daemon.loader.modules() == CHAIN[:2]
    assert daemon.call("Load", name="lkmdt_top")["records"]     # a person who says the name does not ask for an alias
    assert daemon.loader.modules()[-1] == "lkmdt_top"


def test_a_rule_about_sockets_is_about_loads_as_well(daemon, modprobe_d):
    modprobe_d.write_text("alias net-pf-38 lkmdt_alone\nalias net-pf-33 lkmdt_alone\n")
    daemon.write_policy("version: 1\nrules:\n- {id: alg, match: {alias: net-pf-38}, verdict: deny, scope: use}\n")
    assert daemon.kernel.status("net-pf-38") == 1
    assert daemon.loader.modules() == []
    assert daemon.kernel.status("net-pf-33") == 0
    assert daemon.loader.modules() == ["lkmdt_alone"]


def test_blacklist_lines_are_about_aliases(daemon, modprobe_d):
    modprobe_d.write_text("blacklist lkmdt_alone\nblacklist lkmdt_slow\n")
    assert daemon.kernel.status("acpi:LKMD0001:") == 0          # as modprobe -q: nothing done
    assert daemon.loader.modules() == []
    assert daemon.kernel.status("lkmdt_slow") == 0
    assert daemon.loader.modules() == ["lkmdt_slow"]


def test_install_lines(daemon, modprobe_d):
    modprobe_d.write_text("install lkmdt_alone /bin/false\ninstall lkmdt_slow /sbin/something\nalias lkmdt-off off\noptions lkmdt_top speed=7\n")
    assert [daemon.kernel.status(name) for name in ("lkmdt_alone", "lkmdt-off", "lkmdt_top")] == [1, 1, 0]
    assert daemon.loader.requests[-1][3] == "speed=7"
    daemon.loader.errors["lkmdt_slow"] = -errno.ECANCELED
    daemon.loader.endings["lkmdt_slow"] = (3 << 8, b"")
    assert daemon.kernel.status("lkmdt_slow") == 1
    assert daemon.loader.requests[-1][:2] == ("install-command", "lkmdt_slow")


# ------------------------------------------------------------------------------------------------------ bad input

@pytest.mark.parametrize("name", ["no-such-module", "/", "..", "../../../etc/passwd", "/tmp/x.ko", "./x.ko", "lkmdt_top\n", "\n", "a\tb", "any:\x1b[0m",
                                  b"\xff\xfe", b"lkmdt_\xc3", "[", "net-pf-[1", "-r", "lkmdt top", "x" * 255])
def test_names_that_nothing_has(daemon, name):
    """Status 1 at once; none of them is a path, an option or a line of a log."""
    assert daemon.kernel.status(name) == 1
    assert daemon.loader.modules() == [] and daemon.kernel.fell_open() == []


def test_bytes_that_are_data(daemon):
    watch = daemon.client()
    watch.subscribe()
    assert daemon.kernel.status(b"any:\xff/../\xc3") == 0
    assert daemon.loader.modules() == ["lkmdt_any"]
    requester = watch.event("finished")["record"]["requester"]
    assert requester["key"] == "any:\\xff/../\\xc3"


@pytest.mark.parametrize("arguments", [["-q", "--"] + ["lkmdt_top"] * 300, ["-q", "--", ""], ["-q", "--", "x" * 65536], ["-q", "--"], [], ["--version"],
                                       ["-r", "lkmdt_top"]], ids=lambda a: f"{len(a)}-{len(a[-1]) if a else 0}")
def test_arguments_that_are_not_the_kernels(daemon, arguments):
    assert daemon.kernel.start(*arguments).wait(TIMEOUT) == MODPROBE_STATUS
    assert daemon.kernel.fell_open() == [" ".join(arguments)]
    assert daemon.loader.modules() == []


@pytest.mark.parametrize("packet", [PACKET.pack(MAGIC + 1, 0, b"lkmdt_top"), PACKET.pack(MAGIC, 0, b"lkmdt_top")[:-1], PACKET.pack(MAGIC, 0, b"lkmdt_top") + b"x",
                                    PACKET.pack(MAGIC, 0, b"x" * 256), PACKET.pack(MAGIC, 0, b""), b"x", b"x" * 65536],
                         ids=["version", "short", "long", "no-end", "empty", "byte", "large"])
def test_packets_of_another_kind(daemon, packet):
    with connect(daemon) as s:
        s.send(packet)
        assert answers(s) == [PENDING, PASS]
    assert daemon.loader.modules() == []


def test_who_says_nothing_takes_no_place(daemon):
    silent = [connect(daemon) for _ in range(100)]
    assert all(s.recv(4096) for s in silent)
    assert daemon.kernel.status("lkmdt_alone") == 0
    assert silent[0].recv(4096) == b""                          # the oldest had to go
    silent[-1].send(PACKET.pack(MAGIC, 0, b"lkmdt_slow"))
    assert answers(silent[-1]) == [DONE]
    for s in silent:
        s.close()


def test_who_says_more_than_it_should_is_not_listened_to(daemon):
    daemon.loader.held.add("lkmdt_slow")
    with connect(daemon) as s:
        s.send(PACKET.pack(MAGIC, 0, b"lkmdt_slow"))
        daemon.loader.wait_for("lkmdt_slow")
        assert REPLY.unpack(s.recv(4096)) == (MAGIC, PENDING)
        s.send(PACKET.pack(MAGIC, 0, b"lkmdt_top"))
        assert answers(s) == []
    daemon.loader.release("lkmdt_slow")
    daemon.wait_idle()
    assert daemon.loader.modules() == ["lkmdt_slow"]


def test_a_caller_that_is_not_root(daemon):
    (daemon.dir / "run/lkmd/request").chmod(0o666)              # as if the socket's mode did not keep it out
    program = daemon.kernel.request("lkmdt_top", user=65534, group=65534)
    assert program.wait(TIMEOUT) == MODPROBE_STATUS             # which has no right to load anything
    assert daemon.loader.modules() == []
    assert daemon.kernel.status("lkmdt_alone") == 0


# ------------------------------------------------------------------------------------------------------ many, and dying

def test_a_requester_that_dies_while_it_waits(daemon):
    daemon.loader.held.add("lkmdt_slow")
    programs = [daemon.kernel.request("lkmdt_slow") for _ in range(3)]
    daemon.loader.wait_for("lkmdt_slow")
    for program in programs[:2]:
        program.kill()
        program.wait(TIMEOUT)
    assert daemon.call("Status")["running"][0]["module"] == "lkmdt_slow"
    daemon.loader.release("lkmdt_slow")
    assert programs[2].wait(TIMEOUT) == 0
    daemon.wait_idle()


def test_the_only_requester_dies(daemon):
    daemon.loader.held.add("lkmdt_base")
    program = daemon.kernel.request("lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    program.kill()
    program.wait(TIMEOUT)
    daemon.loader.release("lkmdt_base")
    daemon.wait_idle()
    assert daemon.loader.modules() == CHAIN                     # somebody may still need it


def test_as_many_as_the_kernel_asks_at_once(daemon):
    daemon.loader.held.update(["lkmdt_slow", "lkmdt_alone"])
    programs = [daemon.kernel.request(("lkmdt_slow", "acpi:LKMD0001:")[i % 2]) for i in range(50)]
    for module in ("lkmdt_slow", "lkmdt_alone"):
        daemon.loader.wait_for(module)
    assert daemon.kernel.status("lkmdt_top") == 0               # they are in nobody's way
    for module in ("lkmdt_slow", "lkmdt_alone"):
        daemon.loader.release(module)
    assert [program.wait(TIMEOUT) for program in programs] == [0] * 50
    assert sorted(daemon.loader.modules()) == sorted([*CHAIN, "lkmdt_alone", "lkmdt_slow"])


def test_a_storm(daemon):
    """Each gets its answer, from lkmd or, on a machine that cannot keep up, from modprobe; none is lost."""
    names = ["lkmdt_alone", "no-such-module", "lkmdt-in-kernel", "lkmdt_slow", USB]
    expected = [0, 1, 0, 0, 0]
    programs = [daemon.kernel.request(names[i % len(names)]) for i in range(500)]
    statuses = [program.wait(TIMEOUT) for program in programs]
    fell_open = daemon.kernel.fell_open()
    assert statuses.count(MODPROBE_STATUS) == len(fell_open)
    assert all(status in (expected[i % len(names)], MODPROBE_STATUS) for i, status in enumerate(statuses))
    daemon.wait_idle()
    assert set(daemon.loader.modules()) <= {*CHAIN, "lkmdt_alone", "lkmdt_slow"}
    assert [daemon.kernel.status(name) for name in names] == expected   # after it, lkmd answers as before
    assert set(daemon.loader.modules()) == {*CHAIN, "lkmdt_alone", "lkmdt_slow"}


# --------------------------------------------------------------------------------------------------- without lkmd

def test_nobody_listens(idle):
    idle.requests.close()
    idle.requests = None
    assert idle.kernel.status("lkmdt_top") == MODPROBE_STATUS


def test_lkmd_is_not_there(idle):
    """systemd's socket takes the connection, and nobody answers."""
    assert idle.kernel.status("lkmdt_top") == MODPROBE_STATUS
    assert idle.kernel.fell_open() == ["-q -- lkmdt_top"]
    idle.start()
    idle.wait_idle()
    assert idle.loader.modules() == []                          # modprobe did it already
    assert idle.kernel.status("lkmdt_top") == 0


def test_lkmd_hangs(daemon):
    os.kill(daemon.process.pid, 19)
    assert daemon.kernel.status("lkmdt_top") == MODPROBE_STATUS
    os.kill(daemon.process.pid, 18)
    daemon.wait_idle()
    assert daemon.loader.modules() == []


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_lkmd_is_restarted_with_requests_waiting(daemon, how):
    daemon.loader.held.add("lkmdt_slow")
    programs = [daemon.kernel.request("lkmdt_slow") for _ in range(20)]
    daemon.loader.wait_for("lkmdt_slow")
    deadline = time.monotonic() + TIMEOUT
    while daemon.call("Status")["counters"]["requests"] < len(programs):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    getattr(daemon, how)()
    assert [program.wait(TIMEOUT) for program in programs] == [MODPROBE_STATUS] * len(programs)
    assert daemon.kernel.fell_open() == ["-q -- lkmdt_slow"] * len(programs)
    daemon.loader.held.clear()
    daemon.start()
    assert daemon.kernel.status("lkmdt_slow") == 0


def test_closed(idle):
    (idle.dir / "run/lkmd/shut").touch()
    assert idle.kernel.status("net-pf-38") == 1
    assert idle.kernel.fell_open() == []
    assert "lkmd-request: net-pf-38: not loaded: lkmd did not answer, and OnFailure=closed" in (idle.dir / "dev/kmsg").read_text()
    idle.start()
    assert idle.kernel.status("lkmdt_top") == 0


@pytest.mark.parametrize("settings, head", [("", ""), ("OnFailure=closed", "#closed\n"), ("OnStop=forget\nOnFailure=closed", "#forget\n#closed\n")])
def test_what_lkmd_tells_of_it(idle, lkmd_conf, settings, head):
    """lkmd-handover reads it before the names, and makes the file that lkmd-request looks for."""
    lkmd_conf.write_text(f"[Manager]\n{settings}\n")
    idle.write_policy("version: 1\nrules:\n- {match: {module: lkmdt_alone}, verdict: deny}\n")
    idle.start()
    assert idle.denied.read_text() == f"{head}lkmdt_alone\n"
    lkmd_conf.write_text("")
    idle.call("Reload")
    assert idle.denied.read_text() == "lkmdt_alone\n"


def test_lkmd_without_a_loader(daemon):
    """modprobe may do what lkmd cannot, except for what the policy denies."""
    daemon.write_policy("version: 1\nrules:\n- {match: {module: lkmdt_alone}, verdict: deny}\n")
    watch = daemon.client()
    watch.subscribe()
    daemon.loader.stopped = True
    daemon.loader.held.add("lkmdt_slow")
    program = daemon.kernel.request("lkmdt_slow")
    assert "steps back" in watch.event("charge")["message"]
    assert program.wait(TIMEOUT) == 1                           # it was with the loader already
    assert daemon.kernel.status("lkmdt_top") == MODPROBE_STATUS
    assert [daemon.kernel.status(name) for name in ("lkmdt_alone", "acpi:LKMD0001:", "no-such-module", "lkmdt-in-kernel")] == [1, 1, 1, 0]
    assert daemon.kernel.fell_open() == ["-q -- lkmdt_top"]
    daemon.loader.go_on()
    assert "in charge" in watch.event("charge")["message"]
    daemon.loader.held.clear()
    assert daemon.kernel.status("lkmdt_top") == 0


# --------------------------------------------------------------------------------------------------------- nested

def test_requests_from_inits_need_no_slot(idle, lkmd_conf):
    """With one load at a time, an init that asks for another module is not waited for by that one."""
    lkmd_conf.write_text("[Manager]\nLoaderThreads=1\nSerialModules=lkmdt_slow lkmdt_alone\n")
    daemon = idle.start()
    daemon.loader.held.add("lkmdt_slow")
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    assert [daemon.kernel.status(name) for name in ("lkmdt_alone", "lkmdt_top")] == [0, 0]
    daemon.loader.release("lkmdt_slow")
    assert client.receive()["parameters"]["records"][0]["outcome"] == "loaded"


def test_an_init_that_needs_its_own_module(daemon):
    daemon.loader.held.add("lkmdt_base")
    daemon.loader.stacks["lkmdt_base"] = b"call_usermodehelper_exec\n"
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_base"})
    daemon.loader.wait_for("lkmdt_base")
    assert daemon.kernel.status("lkmdt_top") == 1               # which needs lkmdt_base
    assert daemon.kernel.fell_open() == []
    assert "lkmdt_base: its init waits for a request of the kernel for lkmdt_top, which cannot end before that init has" in daemon.text()
    daemon.loader.release("lkmdt_base")
    assert client.receive()["parameters"]["records"][0]["outcome"] == "loaded"


def test_an_init_that_may_wait_for_another_request(daemon):
    """Nobody knows for which of the two it waits, and one of them can go on."""
    daemon.loader.held.update(["lkmdt_base", "lkmdt_slow"])
    daemon.loader.stacks["lkmdt_base"] = b"call_usermodehelper_exec\n"
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_base"})
    daemon.loader.wait_for("lkmdt_base")
    nested, other = daemon.kernel.request("lkmdt_slow"), daemon.kernel.request("lkmdt_mid")
    daemon.loader.wait_for("lkmdt_slow")
    time.sleep(2)                                               # for which nothing may happen
    assert nested.poll() is None and other.poll() is None
    daemon.loader.stacks.clear()
    daemon.loader.release("lkmdt_slow")
    assert nested.wait(TIMEOUT) == 0
    daemon.loader.release("lkmdt_base")
    assert other.wait(TIMEOUT) == 0
    assert "cannot end before" not in daemon.text()
