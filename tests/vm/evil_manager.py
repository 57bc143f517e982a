# SPDX-License-Identifier: LGPL-2.1-or-later
"""A manager in the hands of a stranger: runs in the place of lkmd, as its user, in its sandbox, with its sockets.

Tries what would make it root, or harm more than it may, and writes a line of JSON for each attempt to the file that it is
given: {"name": .., "allowed": .., "what": ..}. It knows the loader's packets (src/daemon/privileged/request/loader-protocol.h) and no scruple.
"""

import array
import contextlib
import fcntl
import json
import os
import socket
import struct
import sys

REQUEST, ORIGIN, REPLY = struct.Struct("<IIQII56s4096sII"), struct.Struct("<6H"), struct.Struct("<IiQQiIiI1024s")
TEXT, ORIGINS, STRINGS = 4096, 64, 8192
MAGIC = 0x6c6b6d34
INSERT, REMOVE, INSTALL_COMMAND, REMOVE_COMMAND, LOOK = range(1, 6)
LINE, KERNEL_LINE, RULE, CLIENT, PERMISSION, SETTING = range(1, 7)
FORCE_VERMAGIC, FORCE_MODVERSIONS, FORCE_REMOVAL, HAS_CLIENT = 1, 2, 4, 8
LOADER, COMMAND, READER, STATE = "/run/lkmd/loader", "/run/lkmd/command", "/run/lkmd/reader", "/run/lkmd/state"
READ_REQUEST, READ_REPLY, READ_MAGIC, WATCH = struct.Struct("<II4096s"), struct.Struct("<Ii"), 0x6c6b7231, 1
RELEASE = os.uname().release
MODULES = f"/lib/modules/{RELEASE}"
PARAMS = f"{MODULES}/extra/lkmd_test_params.ko"
LINKS = f"{MODULES}/linked"                     # root's links; test_boundary.py says where they lead

report = open(sys.argv[1], "w", buffering=1, encoding="utf-8")
kept, current = [], []                          # sockets that stay open; the connection to the loader


def tell(name, allowed, what=""):
    report.write(json.dumps({"name": name, "allowed": bool(allowed), "what": str(what)}) + "\n")


def packet(op, module="lkmd_test_params", path="", words=(), flags=0, number=1):
    """@words: (kind, text, name, file, alias file)."""
    head = REQUEST.pack(MAGIC, op, number, flags, 0, module.encode(), path.encode(), len(words), 0)
    if not words:
        return head
    strings, origins = b"\0", b""
    for kind, text, *places in words:
        offsets = []
        for place in [*places, "", "", ""][:3]:
            offsets.append(len(strings) if place else 0)
            strings += place.encode() + b"\0" if place else b""
        origins += ORIGIN.pack(kind, len(text.encode()), *offsets, 0)
    text = " ".join(word[1] for word in words).encode()
    return head + text.ljust(TEXT, b"\0") + origins.ljust(ORIGINS * ORIGIN.size, b"\0") + strings.ljust(STRINGS, b"\0")


def connect(address=LOADER):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(60)
    s.connect(address)
    return s


def have_run(data, fds=()):
    """What lkmd-command answers to a packet: as ask(). It has a connection for each, and says first which process it has started."""
    with connect(COMMAND) as s:
        try:
            s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
            while answer := s.recv(65536):
                _, error, _, _, status, op, _, refusal, _ = REPLY.unpack(answer)
                if op != LOOK:
                    return error, refusal, status
        except (BrokenPipeError, ConnectionResetError):
            return "reset"
    return "hung up"


def ask(data, fds=()):
    """What the loader answers to a packet: (error, refusal, status), or a word for the end of the connection. It is the same
    connection as long as the loader has it, since a new one starts another loader."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    for s in (current.pop() if current else connect(), None):
        s = s or connect()
        try:
            s.sendmsg([data], rights)
            answer = s.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            continue                            # the loader has let go of it before
        if not answer:
            return "hung up"
        current.append(s)
        _, error, _, _, status, _, _, refusal, _ = REPLY.unpack(answer)
        return error, refusal, status
    return "reset"


def attempt(name, data, fds=(), whom=ask):
    answer = whom(data, fds)
    tell(name, not isinstance(answer, str) and answer[0] == 0, answer)


# ------------------------------------------------------------------------------------------------- files

def files():
    own = f"{STATE}/evil.ko"
    for path in (own, f"{STATE}/lkmd_test_params.ko"):
        with open(PARAMS, "rb") as source, open(path, "wb") as copy:
            copy.write(source.read())
    os.mkfifo(f"{STATE}/fifo.ko")
    os.symlink("/dev/watchdog0", f"{STATE}/watchdog0.ko")
    fd = os.open(own, os.O_RDONLY)
    for name, module, path in (
            ("a device", "watchdog0", "/dev/watchdog0"),
            ("a device, from below", "watchdog0", "/lib/modules/../../dev/watchdog0"),
            ("a device, by a link of mine", "watchdog0", f"{STATE}/watchdog0.ko"),
            ("a device, by /proc", "watchdog0", f"/lib/modules/../../proc/{os.getpid()}/root/dev/watchdog0"),
            ("memory", "mem", "/proc/1/mem"),
            ("kernel messages", "kmsg", "/proc/kmsg"),
            ("a FIFO", "fifo", f"{STATE}/fifo.ko"),
            ("a module of mine", "evil", own),
            ("a module of mine, from below", "evil", f"/lib/modules/../..{own}"),
            ("a module of mine, by a descriptor", "5", f"/proc/{os.getpid()}/fd/{fd}"),
            ("a name space of mine", "lkmd_test_params", f"/proc/{os.getpid()}/root{PARAMS}"),
            ("a file that others can write", "lkmd_test_inner", f"{MODULES}/extra/lkmd_test_inner.ko"),
            ("a file of somebody's", "lkmd_test_slow", f"{MODULES}/extra/lkmd_test_slow.ko"),
            ("a file by another name", "lkmd_test_params", f"{MODULES}/extra/lkmd_test_fail.ko"),
            ("a relative path", "lkmd_test_params", "lkmd_test_params.ko"),
            ("a directory", "extra", f"{MODULES}/extra"),
            ("the sources, by the link build", "lkmd_test_params", f"{MODULES}/build/lkmd_test_params.ko"),
            ("the sources, by the link source", "lkmd_test_params", f"{MODULES}/source/lkmd_test_params.ko"),
            ("the sources, with dots and slashes", "lkmd_test_params", f"{MODULES}///.//build/.//lkmd_test_params.ko"),
            ("the sources, from below", "lkmd_test_params", f"{MODULES}/extra/../build/lkmd_test_params.ko"),
            ("the sources, by a link to the link", "lkmd_test_params", f"{LINKS}/release/build/lkmd_test_params.ko"),
            ("the sources as such", "lkmd_test_params", "/srv/evil/root/lkmd_test_params.ko"),
            *((f"root's link {name}", "lkmd_test_params", f"{LINKS}/{name}/lkmd_test_params.ko")
              for name in ("open", "sticky", "somebodys", "mine", "proc", "by-open", "group")),
            ("root's link to a device", "watchdog0", f"{LINKS}/watchdog0.ko"),
            ("root's link to a file of mine", "lkmd_test_params", f"{LINKS}/files/lkmd_test_params.ko"),
            ("root's link to what is no module", "shadow", f"{LINKS}/shadow.ko"),
            ("root's link to another name", "lkmd_test_params", f"{LINKS}/root/lkmd_test_fail.ko")):
        attempt(name, packet(INSERT, module, path))
        attempt(f"{name}, decompressed", packet(INSERT, module, path), whom=have_run)
    with contextlib.suppress(OSError):
        os.link(PARAMS, f"{STATE}/linked.ko")
        attempt("a hard link of mine", packet(INSERT, "linked", f"{STATE}/linked.ko"))


# ------------------------------------------------------------------------------------------------- words

def roots_connections():
    """Root is at the other end of each, and asked none of them for parameters."""
    for name, address, kind in (("journald", "/run/systemd/journal/stdout", socket.SOCK_STREAM),
                                ("the journal's varlink", "/run/systemd/journal/io.systemd.journal", socket.SOCK_STREAM),
                                ("udevd", "/run/udev/io.systemd.Udev", socket.SOCK_STREAM),
                                ("the message bus", "/run/dbus/system_bus_socket", socket.SOCK_STREAM),
                                ("the loader", LOADER, socket.SOCK_SEQPACKET)):
        s = socket.socket(socket.AF_UNIX, kind)
        with contextlib.suppress(OSError):
            s.connect(address)
            kept.append(s)
            yield f"a connection to {name}", s
    pair = socket.socketpair()
    kept.extend(pair)
    yield "a pair of mine", pair[0]
    listener = socket.socket(fileno=os.dup(3 + os.environ["LISTEN_FDNAMES"].split(":").index("varlink")))
    yield "the listening socket", listener
    own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    own.connect("/run/lkmd/io.lkmd.Manager")
    kept.append(own)
    mine, _ = listener.accept()
    kept.append(mine)
    yield "a connection of mine", mine
    # now root: it asked for the status, and waits
    report.write(json.dumps({"name": "ready for root", "allowed": False, "what": ""}) + "\n")
    roots, _ = listener.accept()
    kept.append(roots)
    credentials = struct.unpack("3i", roots.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert credentials[1] == 0, credentials
    yield "root's connection for the status", roots


def claims(word, module):
    """Every way to say that root wrote this for the module."""
    own = f"{STATE}/evil.conf"
    with open(own, "w", encoding="ascii") as f:
        f.write(f"options {module} {word}\n")
    for name, claim in (
            ("a line that is not there", (LINE, word, module, "/etc/modprobe.d/evil.conf")),
            ("a line for another module", (LINE, "word=others", "lkmd_test_other", "/etc/modprobe.d/evil.conf")),
            ("a line for another, called an alias", (LINE, "word=others", "lkmd_test_other", "/etc/modprobe.d/evil.conf",
                                                     "/etc/modprobe.d/evil.conf")),
            ("a comment", (LINE, "word=commented", module, "/etc/modprobe.d/evil.conf")),
            ("a file of somebody's", (LINE, "word=owned", module, "/etc/modprobe.d/owned.conf")),
            ("a file that others can write", (LINE, "word=open", module, "/etc/modprobe.d/open.conf")),
            ("a file of mine", (LINE, word, module, own)),
            ("a file of mine, from below", (LINE, word, module, f"/etc/modprobe.d/../..{own}")),
            ("my environment", (LINE, word, module, "/proc/self/environ")),
            ("a device", (LINE, word, module, "/dev/watchdog0")),
            ("the kernel command line", (KERNEL_LINE, word, module)),
            ("a rule that is not there", (RULE, word, "", "/etc/lkmd/policy.d/evil.yaml")),
            ("a rule of mine", (RULE, word, "", f"{STATE}/grants.yaml")),
            ("a reason", (RULE, "word=reason", "", "/etc/lkmd/policy.d/evil.yaml")),
            ("a pattern for modules", (PERMISSION, word, "*", "/etc/lkmd/policy.d/evil.yaml")),
            ("a pattern, and a word more", (PERMISSION, f"number=2 {word}", "number=*", "/etc/lkmd/policy.d/evil.yaml")),
            ("a setting", (SETTING, word)),
            ("nobody", (CLIENT, word, module))):
        yield name, claim


def words():
    shell = f'word=$(touch${{IFS}}{STATE}/ran)'
    for word in ("word=evil", shell):
        for name, claim in claims(word, "lkmd_test_params"):
            attempt(f"{word} by {name}", packet(INSERT, path=PARAMS, words=[claim]))
        for name, claim in claims(word, "lkmd_test_shell"):
            attempt(f"{word} by {name}, in a command", packet(INSTALL_COMMAND, "lkmd_test_shell", words=[claim]), whom=have_run)
    # none of the text may be nobody's
    data = bytearray(packet(INSERT, path=PARAMS, words=[(LINE, "number=5", "lkmd_test_params", "/etc/modprobe.d/evil.conf")]))
    data[REQUEST.size:REQUEST.size + 17] = b"number=5 word=evi"
    attempt("words behind the words", bytes(data))
    for name, s in roots_connections():
        fd = s.fileno()
        for word in ("word=evil", shell, "status"):
            for key in ("lkmd_test_params", "status", "lkmctl"):
                attempt(f"{word} for {key} by {name}",
                        packet(INSERT, path=PARAMS, words=[(CLIENT, word, key)], flags=HAS_CLIENT), [fd])
            attempt(f"{word} by {name}, in a command",
                    packet(INSTALL_COMMAND, "lkmd_test_shell", words=[(CLIENT, word, "status")], flags=HAS_CLIENT), [fd], have_run)
        for flag in (FORCE_VERMAGIC, FORCE_MODVERSIONS):
            attempt(f"force {flag} by {name}",
                    packet(INSERT, "lkmd_test_fail", f"{MODULES}/extra/lkmd_test_fail.ko", flags=flag | HAS_CLIENT), [fd])
        attempt(f"removal by force by {name}", packet(REMOVE, "softdog", flags=FORCE_REMOVAL | HAS_CLIENT), [fd])
    for flag in (FORCE_VERMAGIC, FORCE_MODVERSIONS, FORCE_VERMAGIC | FORCE_MODVERSIONS):
        attempt(f"force {flag}", packet(INSERT, "lkmd_test_fail", f"{MODULES}/extra/lkmd_test_fail.ko", flags=flag))
    attempt("removal by force", packet(REMOVE, "softdog", flags=FORCE_REMOVAL))
    for name in ("../module", "..", "a/b", "$(id)", "a;id", "", "x" * 56):
        attempt(f"the name {name!r}", packet(REMOVE, name))
        attempt(f"the name {name!r}, in a command", packet(INSTALL_COMMAND, name), whom=have_run)


# ------------------------------------------------------------------------------------------------- loader

def loader():
    """It stays well whatever comes; the last one is served at once."""
    look = packet(LOOK, "", number=7)
    deaf = connect()
    deaf.setblocking(False)
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 100000:
            deaf.send(look)
            sent += 1
    kept.append(deaf)
    many = connect()
    for flags in (0, HAS_CLIENT):
        for n in (1, 2, 16, 200):
            fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(n)]
            with contextlib.suppress(OSError):
                many.sendmsg([packet(INSERT, path="/lib/modules/none/lkmd_test_params.ko", flags=flags)],
                             [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
                many.recv(65536)
            for fd in fds:
                os.close(fd)
    kept.append(many)
    for data in (b"x", packet(LOOK, ""), packet(REMOVE, "softdog"), os.urandom(REQUEST.size)):
        answer = have_run(data)
        tell("lkmd-command does more than commands", answer[0] == 0, answer)
    answer = ask(packet(INSTALL_COMMAND, "lkmd_test_shell"))
    tell("the loader runs commands", answer[0] == 0, answer)
    for data in (b"", b"x", packet(LOOK, "")[:-1], packet(LOOK, "") + b"x", os.urandom(REQUEST.size)):
        if data:
            ask(data)
    answer = ask(packet(INSERT, path="/lib/modules/none/lkmd_test_params.ko"))
    tell("the loader serves no more", answer[0] != -2, answer)
    # to be read by the one who stops it: these are never read
    late = connect()
    late.setblocking(False)
    with contextlib.suppress(OSError):
        for _ in range(349):
            late.send(look)
    kept.append(late)


# ------------------------------------------------------------------------------------------------- reader

def have_read(path, flags=0, fds=(), size=READ_REQUEST.size):
    """What the reader answers: (error, descriptors), or a word for the end of the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(60)
        s.connect(READER)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            s.sendmsg([READ_REQUEST.pack(READ_MAGIC, flags, path.encode())[:size]], rights)
            data, got, _, _ = socket.recv_fds(s, READ_REPLY.size, 8)
        except (BrokenPipeError, ConnectionResetError):
            return "reset"
    return (READ_REPLY.unpack(data)[1], got) if data else "hung up"


def tell_reading(name, answer):
    tell(name, not isinstance(answer, str) and (answer[0] == 0 or answer[1]), answer)


def reader():
    own = f"{STATE}/mine.conf"
    os.symlink("/etc/shadow", own)
    os.mkdir(f"{STATE}/policy.d")
    os.symlink("/etc/shadow", f"{STATE}/policy.d/mine.yaml")
    for path in ("/etc/shadow", "/etc/gshadow", "/etc/modprobe.d/../shadow", "/etc/lkmd/policy.d/../../shadow", "/etc", "/root",
                 "/root/private.conf", own, f"{STATE}/policy.d/mine.yaml", f"/etc/modprobe.d/../..{own}", "/proc/self/root/etc/shadow",
                 f"/proc/{os.getpid()}/root/etc/modprobe.d/private.conf", "/proc/1/environ", "/dev/mem", "/run/lkmd/in-charge", "",
                 "etc/shadow", "/etc/modprobe.d/shadow.conf", "/etc/modprobe.d/secret.conf", "/etc/modprobe.d/private.key",
                 "/etc/modprobe.d/owned-private.conf", f"{MODULES}/signing_key.pem", "/etc/lkmd/private.key"):
        tell_reading(f"read {path or 'nothing'}", have_read(path))
        watch = os.eventfd(0, os.EFD_CLOEXEC)
        tell_reading(f"read and watch {path or 'nothing'}", have_read(path, WATCH, [watch]))
        os.close(watch)
    null = os.open("/dev/null", os.O_RDONLY)
    for name, answer in (("read with another descriptor", have_read("/etc/modprobe.d/private.conf", WATCH, [null])),
                         ("read without the descriptor", have_read("/etc/modprobe.d/private.conf", WATCH)),
                         ("read with a descriptor too many", have_read("/etc/modprobe.d/private.conf", 0, [null])),
                         ("read with half a request", have_read("/etc/modprobe.d/private.conf", 0, (), 100)),
                         ("read with another flag", have_read("/etc/modprobe.d/private.conf", 2))):
        tell_reading(name, answer)
    error, got = have_read("/etc/modprobe.d/private.conf")
    tell("control: root's configuration", error == 0 and os.read(got[0], 100).startswith(b"# private"))
    does("write to root's configuration", lambda: os.write(got[0], b"evil"))
    does("open root's configuration for writing", lambda: os.open(f"/proc/self/fd/{got[0]}", os.O_WRONLY))
    error, got = have_read("/etc/modprobe.d")
    tell("control: root's directory", error == 0 and "private.conf" in os.listdir(got[0]))
    does("go up from root's directory", lambda: os.open("../shadow", os.O_RDONLY, dir_fd=got[0]))


# ------------------------------------------------------------------------------------------------- system

def runs(name, *words):
    tell(name, os.spawnvp(os.P_WAIT, words[0], words) == 0)


def does(name, action):
    try:
        tell(name, True, action())
    except (OSError, PermissionError) as e:
        tell(name, False, e)


def write(path):
    return lambda: open(path, "w", encoding="ascii").write("evil\n")


def system():
    for name, path in (("passwd", "/etc/passwd"), ("shadow", "/etc/shadow"), ("a job for cron", "/etc/cron.d/evil"),
                       ("a unit", "/run/systemd/system/evil.service"), ("a drop-in", "/run/systemd/system/lkmd.service.d/x.conf"),
                       ("modprobe.d", "/etc/modprobe.d/x.conf"), ("modprobe.d in /run", "/run/modprobe.d/x.conf"),
                       ("policy.d", "/etc/lkmd/policy.d/x.yaml"), ("policy.d in /run", "/run/lkmd/policy.d/x.yaml"),
                       ("settings", "/etc/lkmd/lkmd.conf"), ("/run/lkmd", "/run/lkmd/x"), ("udev's rules", "/run/udev/rules.d/x.rules"),
                       ("a module", PARAMS), ("kernel.modprobe", "/proc/sys/kernel/modprobe"),
                       ("core_pattern", "/proc/sys/kernel/core_pattern"), ("sysrq", "/proc/sysrq-trigger"),
                       ("the watchdog", "/dev/watchdog0"), ("memory", "/dev/mem"), ("init's memory", "/proc/1/mem"),
                       ("/dev/kmsg", "/dev/kmsg")):
        does(f"write {name}", write(path))
    does("make a directory in /run/lkmd", lambda: os.mkdir("/run/lkmd/policy.d"))
    does("replace the loader's socket", lambda: os.rename(f"{STATE}/evil.conf", LOADER))
    does("remove my own socket", lambda: os.unlink("/run/lkmd/io.lkmd.Manager"))
    does("bind where root connects", lambda: socket.socket(socket.AF_UNIX).bind("/run/lkmd/x.socket"))
    does("become root", lambda: os.setresuid(0, 0, 0))
    does("chroot", lambda: os.chroot(STATE))
    does("a name space", lambda: os.unshare(0x10000000 | 0x00020000))
    does("a program that becomes root", lambda: os.chmod(f"{STATE}/evil.conf", 0o4755))
    does("a file of root's", lambda: os.chown(f"{STATE}/evil.conf", 0, 0))
    does("a socket of the network", lambda: socket.socket(socket.AF_INET))
    does("PID 1's own socket", lambda: socket.socket(socket.AF_UNIX).connect("/run/systemd/private"))
    runs("insmod", "busybox", "insmod", PARAMS)
    runs("rmmod", "busybox", "rmmod", "softdog")
    runs("reboot", "busybox", "reboot", "-f")
    runs("mount", "busybox", "mount", "-t", "tmpfs", "none", "/etc")
    runs("start a unit", "systemctl", "start", "debug-shell.service")
    runs("a transient unit", "systemd-run", "--quiet", "touch", f"{STATE}/ran")
    runs("become root by su", "su", "-c", f"touch {STATE}/ran")
    does("kill init", lambda: os.kill(1, 9))


def control():
    """That the packets are right: what root did write is taken."""
    answer = ask(packet(INSERT, path=PARAMS, words=[(LINE, "number=5", "lkmd_test_params", "/etc/modprobe.d/evil.conf")]))
    tell("control: root's line", answer[:1] == (0,), answer)
    answer = ask(packet(REMOVE))
    tell("control: removal", answer[:1] == (0,), answer)
    for name in ("root", "hops"):
        answer = ask(packet(INSERT, path=f"{LINKS}/{name}/lkmd_test_params.ko"))
        tell(f"control: root's link {name}", answer[:1] == (0,), answer)
        ask(packet(REMOVE))
    answer = have_run(packet(INSTALL_COMMAND, "lkmd_test_control"))
    tell("control: root's command", answer[:1] == (0,), answer)


def main():
    # what the program itself needs of descriptors has to be gone when the service's are looked for
    fcntl.fcntl(report.fileno(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    for part in (control, files, words, reader, system, loader):
        part()
    report.write(json.dumps({"name": "end", "allowed": False, "what": ""}) + "\n")
    while True:
        signal_wait()


def signal_wait():
    import signal
    signal.pause()


main()
