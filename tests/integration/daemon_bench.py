# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd itself, on devices that umockdev makes up, with a loader that loads nothing and modules that no kernel has."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

BUILD = Path(os.environ.get("LKMD_BUILD", "build/asan")).resolve()
INTERFACE = "io.lkmd.Manager."
TIMEOUT = 60                            # of anything that has to happen: beyond it a test has failed
PRELOAD = "libumockdev-preload.so.0"

# --------------------------------------------------------------------------------------------------- module tree

MODULES = {  # name: (needs symbols of, further lines of modinfo)
    "lkmdt_base": ((), ()),
    "lkmdt_mid": (("lkmdt_base",), ()),
    "lkmdt_top": (("lkmdt_mid",), ("alias=usb:v1111p2222d*dc*dsc*dp*ic*isc*ip*in*", "parm=speed:how fast",
                                   "parmtype=speed:int")),
    "lkmdt_any": ((), ("alias=any:*",)),
    "lkmdt_alone": ((), ("alias=acpi*:LKMD0001:*",)),
    "lkmdt_slow": ((), ()),
}


def assembly(name):
    """A file that depmod takes for a module: a symbol of its own, and those that it needs."""
    needs, info = MODULES[name]
    text = [".section .modinfo,\"a\"", f".asciz \"name={name}\"", ".asciz \"license=GPL\""]
    text += [f".asciz \"{line}\"" for line in info]
    text += [".section __ksymtab_strings,\"a\"", f".asciz \"{name}_symbol\"", ".data", f".globl {name}_symbol",
             f"{name}_symbol:", ".quad 0"]
    text += [f".quad {need}_symbol" for need in needs]
    return "\n".join(text) + "\n"


def make_tree(root):
    """The modules of this file for the running kernel below root, indexed by the real depmod."""
    directory = Path(root) / "lib/modules" / os.uname().release
    (directory / "kernel").mkdir(parents=True)
    for name in MODULES:
        subprocess.run(["cc", "-c", "-x", "assembler", "-o", directory / f"kernel/{name}.ko", "-"],
                       input=assembly(name), text=True, check=True)
    (directory / "modules.order").write_text("".join(f"kernel/{name}.ko\n" for name in MODULES))
    (directory / "modules.builtin").write_text("kernel/lkmdt-in-kernel.ko\n")
    (directory / "modules.builtin.modinfo").write_bytes(b"lkmdt_in_kernel.alias=in-kernel:*\0lkmdt_in_kernel.license=GPL\0")
    subprocess.run(["depmod", "-b", root, os.uname().release], check=True)
    return directory


# -------------------------------------------------------------------------------------------------------- loader

class FakeLoader:
    """The other end of src/daemon/privileged/request/loader-protocol.h: answers 0 or what was said for a module, at once or when told.
    What it is asked as lkmd-command has a connection for each request."""

    REQUEST, REPLY = struct.Struct("<IIQII56s4096sII"), struct.Struct("<IiQQiIiI1024s")
    WORDS, ORIGIN = struct.Struct("<4096s768s8192s"), struct.Struct("<6H")     # only with parameters
    MAGIC = 0x6c6b6d34
    VERBS = {1: "insert", 2: "remove", 3: "install-command", 4: "remove-command"}
    LOOK = 5

    def __init__(self, path):
        self.errors = {}                # module: negative errno
        self.refusals = {}              # module: LoaderRefusal
        self.stacks = {}                # module: where it is in the kernel, if not in msleep()
        self.endings = {}               # module: (status of wait(), what its command wrote)
        self.held = set()               # modules that are not answered yet
        self.requests = []              # (verb, module, path, parameters)
        self.stopped = False            # as by SIGSTOP: nobody looks
        self._looks = []                # (connection, id)
        self._pending = []              # (connection, id, module)
        self._changed = threading.Condition()
        self._connection = None
        self._listening = []            # (socket, its thread)
        for address, is_command in ((str(path), False), (f"{path}-command", True)):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.bind(address)
            s.listen()
            thread = threading.Thread(target=self._run, args=(s, is_command), daemon=True)
            self._listening.append((s, thread))
            thread.start()

    def _run(self, listening, is_command):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if not is_command:
                with self._changed:
                    self._connection = connection
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        while True:
            try:
                packet = connection.recv(65536)
            except OSError:
                return
            if not packet:
                return
            magic, op, number, _, _, *strings, n_origins, _ = self.REQUEST.unpack_from(packet)
            assert magic == self.MAGIC and len(packet) == self.REQUEST.size + (self.WORDS.size if n_origins else 0)
            strings.append(self.WORDS.unpack_from(packet, self.REQUEST.size)[0] if n_origins else b"")
            if op == self.LOOK:
                with self._changed:
                    self._looks.append((connection, number))
                    self._answer_looks()
                continue
            module, path, parameters = (field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape") for field in strings)
            if self.VERBS[op].endswith("command"):
                assert connection is not self._connection, "a command in the loader"
                connection.send(self.REPLY.pack(self.MAGIC, 0, number, 0, 0, self.LOOK, 4712, 0, b""))
            with self._changed:
                self.requests.append((self.VERBS[op], module, path, parameters))
                self._pending.append((connection, number, module))
                self._answer()
                self._changed.notify_all()

    def _answer(self):
        for item in list(self._pending):
            connection, number, module = item
            if module in self.held:
                continue
            self._pending.remove(item)
            try:
                status, written = self.endings.get(module, (0, b""))
                connection.send(self.REPLY.pack(self.MAGIC, self.errors.get(module, 0), number, 1500, status, 1, 0,
                                                self.refusals.get(module, 0), written))
            except OSError:
                pass                    # who asked is gone

    def _answer_looks(self):
        while self._looks and not self.stopped:
            connection, number = self._looks.pop(0)
            module = next((m for c, n, m in self._pending if (c, n) == (connection, number)), None)
            stack = self.stacks.get(module, b"[<0>] msleep+0x2d/0x40\n")
            with contextlib.suppress(OSError):          # who asked is gone
                connection.send(self.REPLY.pack(self.MAGIC, 0, number, 0, 0, self.LOOK, 4711, 0, stack))

    def go_on(self):
        """As by SIGCONT."""
        with self._changed:
            self.stopped = False
            self._answer_looks()

    def modules(self):
        with self._changed:
            return [module for _, module, _, _ in self.requests]

    def release(self, module):
        with self._changed:
            self.held.discard(module)
            self._answer()

    def wait_for(self, module, times=1):
        """Until the module was asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: [m for _, m, _, _ in self.requests].count(module) >= times, TIMEOUT)

    def hang_up(self):
        """As if it had been killed: whatever it was doing is lost."""
        with self._changed:
            self._pending.clear()
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        """Ends the threads before the number of a socket is free, or they would accept for the next server that gets it."""
        for s, thread in self._listening:
            s.shutdown(socket.SHUT_RDWR)
            thread.join(TIMEOUT)
            s.close()


# ------------------------------------------------------------------------------------------------------- devices

class Devices:
    """A testbed of umockdev. It is a process of its own: who announces a device has to see that one's /sys."""

    def __init__(self):
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         env={**os.environ, "LD_PRELOAD": PRELOAD})
        self.root = self._ask()
        self.add("there-is-one", subsystem="platform") # a machine without any is one whose /sys cannot be read

    def _ask(self, *question):
        """The lines that go both ways are JSON, bytes as latin-1."""
        if question:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def add(self, name, modalias=None, subsystem="usb", driver=None):
        """A device in /sys, announced to whoever listens. Its path, with /sys."""
        return self._ask("add", subsystem, name, modalias and modalias.decode("latin-1"), driver)

    def announce(self, path, action):
        self._ask("announce", path, action)

    def set_module(self, module, state, **files):
        """What /sys/module says of a module."""
        directory = Path(self.root) / "sys/module" / module
        (directory / "holders").mkdir(parents=True, exist_ok=True)
        for name, text in {"initstate": state, **files}.items():
            (directory / name).write_text(f"{text}\n")
        self.list_module(module, files.get("refcnt", 0))

    def list_module(self, module, refs=0, holders=(), size=16384, state="Live"):
        """What /proc/modules says of it; refs: with those of the holders. state: None: nothing."""
        proc = Path(self.root) / "proc/modules"
        proc.parent.mkdir(exist_ok=True)
        lines = [line for line in proc.read_text().splitlines(True) if line.split()[0] != module] if proc.exists() else []
        if state:
            lines.insert(0, f"{module} {size} {refs} {''.join(f'{holder},' for holder in holders) or '-'} {state} 0x0\n")
        proc.write_text("".join(lines))

    def forget_module(self, module):
        """It has left the kernel."""
        shutil.rmtree(Path(self.root) / "sys/module" / module)
        self.list_module(module, state=None)

    def close(self):
        self._process.communicate()     # it takes its directory away
        shutil.rmtree(self.root, ignore_errors=True)


def serve_devices():
    """The process of Devices, over umockdev's C interface."""
    lib = ctypes.CDLL("libumockdev.so.0")
    lib.umockdev_testbed_new.restype = ctypes.c_void_p
    lib.umockdev_testbed_get_root_dir.restype = ctypes.c_char_p
    lib.umockdev_testbed_add_devicev.restype = ctypes.c_char_p
    testbed = ctypes.c_void_p(lib.umockdev_testbed_new())

    def add(subsystem, name, modalias, driver):
        words = [b"MODALIAS", modalias] if modalias is not None else []
        words += [b"DRIVER", driver] if driver is not None else []
        nothing, properties = (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * (len(words) + 1))(*words, None)
        return lib.umockdev_testbed_add_devicev(testbed, subsystem, name, None, nothing, properties).decode()

    def announce(path, action):
        lib.umockdev_testbed_uevent(testbed, path, action)

    print(json.dumps(os.fsdecode(lib.umockdev_testbed_get_root_dir(testbed))), flush=True)
    for line in sys.stdin:
        verb, *words = json.loads(line)
        words = [word if word is None else word.encode("latin-1") for word in words]
        print(json.dumps({"add": add, "announce": announce}[verb](*words)), flush=True)


# ------------------------------------------------------------------------------------------------------- clients

class VarlinkError(Exception):
    def __init__(self, name, parameters):
        super().__init__(f"{name} {parameters}")
        self.name = name.removeprefix(INTERFACE)
        self.parameters = parameters


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # waits where there is no room; with a timeout it would not
        self.socket.settimeout(TIMEOUT)
        self._buffer = b""

    def send(self, method, parameters=None, **flags):
        name = method if "." in method else INTERFACE + method
        self.socket.sendall(json.dumps({"method": name, "parameters": parameters or {}, **flags}).encode() + b"\0")

    def receive(self):
        while b"\0" not in self._buffer:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                raise ConnectionResetError("lkmd hung up")
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        reply = json.loads(message)
        if "error" in reply:
            raise VarlinkError(reply["error"], reply.get("parameters") or {})
        reply.setdefault("parameters", {})      # since systemd 260 a reply has none if they are empty
        return reply

    def call(self, method, /, **parameters):
        """The fields of the reply."""
        self.send(method, parameters)
        return self.receive()["parameters"]

    def subscribe(self):
        """Monitor; the subscription stands when this returns. Then event() gives one after the other."""
        self.send("Monitor", more=True)
        assert self.receive().get("parameters", {}).get("event") is None

    def event(self, *kinds):
        """The next event of one of these kinds, of any if none is named."""
        while True:
            event = self.receive()["parameters"]["event"]
            if not kinds or event["kind"] in kinds:
                return event

    def hung_up(self):
        """Wait until lkmd closes the connection; whatever it still says is of no interest."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# -------------------------------------------------------------------------------------------------------- daemon

def sanitizer_runtime(program):
    """What has to be preloaded before anything else is, for a program that was compiled with gcc's sanitizers."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in linked.splitlines() if "libasan" in line]


class Daemon:
    """lkmd with all that it talks to. Every file of it is below .dir, which others may enter."""

    def __init__(self, tree=None):
        self.dir = Path(tempfile.mkdtemp(prefix="lkmd-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.socket, self.log = self.dir / "varlink", self.dir / "log"
        self.ledger, self.audit = self.dir / "ledger", self.dir / "audit"
        self.denied, self.boot_list = self.dir / "denied", self.dir / "boot-list"
        self.policy = self.dir / "policy"
        for directory in ("etc/lkmd/policy.d", "run/lkmd/state"):
            (self.policy / directory).mkdir(parents=True)
        self.root = self.dir / "root"
        if tree:
            shutil.copytree(tree, self.root, symlinks=True)
        self.loader = FakeLoader(self.dir / "loader")
        self.devices = Devices()
        self.process = None
        self.requests = None            # the socket for requests of the kernel; see listen_for_kernel()
        self.broker = None              # that of containers; a path, to be set before start()
        self.container = None           # that lkmd takes the clients of the broker for, rather than find out
        self._clients = []

    def listen_for_kernel(self):
        """As lkmd-request.socket: it stays when lkmd ends. To be called before start()."""
        path = self.dir / "run/lkmd/request"
        path.parent.mkdir(parents=True)
        self.requests = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.requests.bind(str(path))
        self.requests.listen(4096)
        return path

    def _command(self, program):
        """systemd's way to pass sockets: the environment has the number of the process, which the shell has before it becomes lkmd. Not dash, for which descriptors have one digit."""
        if not self.requests:
            return [program]
        return ["/bin/bash", "-c", f'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=request; exec "$0" 3<&{self.requests.fileno()}', program]

    def start(self):
        """Returns when lkmd says that it is ready."""
        program = BUILD / "src/daemon/lkmd"
        notify = self.dir / "notify"
        notify.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(self.log, "ab") as log:
            ready.bind(str(notify))
            ready.settimeout(TIMEOUT)
            self.process = subprocess.Popen(self._command(program), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=[self.requests.fileno()] if self.requests else [], env={
                "PATH": os.environ["PATH"], "LKMD_SOCKET": str(self.socket), "LKMD_LOADER_SOCKET": str(self.dir / "loader"),
                "LKMD_COMMAND_SOCKET": str(self.dir / "loader-command"),
                "LKMD_TRAIL_SOCKET": str(self.dir / "trail"),
                "LKMD_LEDGER": str(self.ledger), "LKMD_AUDIT": str(self.audit), "LKMD_DENIED": str(self.denied),
                "LKMD_BOOT_LIST": str(self.boot_list),
                **({"LKMD_BROKER_SOCKET": str(self.broker)} if self.broker else {}),
                **({"LKMD_BROKER_CONTAINER": self.container} if self.container else {}),
                "LKMD_ROOT": str(self.root), "LKMD_IMAGE_DIR": str(self.dir / "images"),
                "LKMD_POLICY_ROOT": str(self.policy), "NOTIFY_SOCKET": str(notify),
                "UMOCKDEV_DIR": self.devices.root, "LD_PRELOAD": " ".join([*sanitizer_runtime(program), PRELOAD])})
            message = ready.recv(4096)
            assert b"READY=1" in message, self.text()
        return self

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def write_policy(self, text, name="test.yaml"):
        """A file of policy.d, in force when whoever asks next has an answer. Its path."""
        path = self.policy / "etc/lkmd/policy.d" / name
        path.write_text(text)
        return path

    def list_for_boot(self, text, name="test.conf", directory="etc"):
        """A file of modules-load.d. Its path, as lkmd shows it."""
        path = self.policy / directory / "modules-load.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def set_command_line(self, text):
        """/proc/cmdline. To be called before start()."""
        path = Path(self.devices.root) / "proc/cmdline"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}\n")

    def stop(self):
        """As systemd does. It leaves properly, and the sanitizers have found nothing."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(TIMEOUT) == 0, self.text()
        self.process = None
        text = self.text()
        assert "Sanitizer" not in text and "runtime error" not in text, text

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT)
        self.process = None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def client(self):
        client = Client(self.socket)
        self._clients.append(client)
        return client

    def call(self, method, /, **parameters):
        with Client(self.socket) as client:
            return client.call(method, **parameters)

    def wait_idle(self):
        self.call("Wait", idle=True)

    def memory_peak(self):
        """Bytes that the process had resident at most."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise ValueError("no VmHWM")

    def close(self):
        for client in self._clients:
            client.close()
        if self.requests:
            self.requests.close()
        try:
            if self.process:
                self.stop()
        finally:
            if self.process:
                self.kill()
            self.loader.close()
            self.devices.close()
            shutil.rmtree(self.dir)


if __name__ == "__main__":
    serve_devices()
