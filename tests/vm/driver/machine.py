# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machine: one virtual machine. Owns its disk, its QEMU, its virtiofsd and the channels to them.

Commands are started by the guest agent, but their output goes to files in the shared root directory, which the host
reads at once: no limit on its size, nothing lost at a timeout, and fast on an emulated serial line. The host never
changes a path that the guest could already know, so that the guest may cache what it likes."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

from . import devices as device_sets
from . import lab
from .agent import Agent
from .errors import CommandFailed, LabError, MachineDown, NoSnapshot, QmpError, clip
from .qmp import Qmp

RESTORE_TIMEOUT = 120                   # seconds, on a busy computer
BOOT_TIMEOUT = 600                      # seconds, on an emulated CPU of a busy computer
POLL = 0.01                             # seconds between two looks at a file
LAST_LOOK = 30                          # seconds that wait() leaves to a command: a busy computer may take one for "false"
EXCHANGE = "/var/lib/lkmd-lab"          # in the guest: output of commands, data of write()

# $0: name for the results; the status comes last and whole, by its newline.
WRAPPER = 'exec >"$0.out" 2>"$0.err" </dev/null; cd /root; "$@"; echo $? >"$0.status"'

existing = []                           # machines that were made and not removed yet, in this order


class Result(NamedTuple):
    stdout: str
    stderr: str
    returncode: int


def text_of(data):
    return data.decode("utf-8", "surrogateescape")


class Machine:
    USERSPACE = "as init process"       # what the kernel says last before it has a process

    def __init__(self, devices="plain", append="", smp=2, lkmd=True, qemu=(), memory=1024, settle=True, console=None,
                 parallel=False, tree=None, snapshot=None):
        if devices not in device_sets.SETS:
            raise LabError(f"no such device set: {devices} (there are: {', '.join(device_sets.SETS)})")
        self.devices = device_sets.SETS[devices]() + list(qemu)
        self.append = append
        self.smp = smp
        self.memory = memory
        self.settle = settle            # False: start() returns when the agent answers
        self.interactive = console      # QEMU's -serial for a person; None: the console is recorded
        self.kernel_version = lab.kernel_version()
        self.lkmd = lkmd
        self.snapshot = snapshot        # what restore() goes on from; owned
        self.disk = lab.Disk(lkmd, tree, snapshot)
        self.sockets = Path(tempfile.mkdtemp(prefix="vm-", dir="/tmp"))     # their paths must be short
        self.console_path = self.disk.dir / "console"
        self.console_path.write_bytes(snapshot.console.read_bytes() if snapshot else b"")
        self.serial = itertools.count(1)
        self.qemu = self.virtiofsd = self._qmp = self.agent = None
        self.parallel = parallel        # a thread for each processor, also where that may end QEMU: for measuring
        self.console_start = 0          # where the present life begins in the console
        self.abandoned = False          # nobody will use it: it stays only until its logs have been saved
        existing.append(self)

    # ------------------------------------------------------------------------------------------ life and death

    def command_line(self):
        kernel = lab.guest_root() / f"boot/vmlinuz-{self.kernel_version}"
        append = ["root=root", "rootfstype=virtiofs", "rw", "console=ttyS0", "panic=-1", *lab.kernel_words()]
        if not self.interactive:
            append.append("systemd.getty_auto=no")
        return [lab.QEMU, "-M", "q35", *lab.accelerator(self.parallel), "-smp", str(self.smp), "-m", str(self.memory),
                "-nodefaults", "-no-user-config", "-display", "none", "-action", "reboot=shutdown",
                "-object", f"memory-backend-memfd,id=mem,size={self.memory}M,share=on", "-numa", "node,memdev=mem",
                "-chardev", f"socket,id=fs,path={self.sockets}/fs", "-device", "vhost-user-fs-pci,chardev=fs,tag=root",
                "-serial", self.interactive or "chardev:console",
                "-chardev", f"file,id=console,path={self.console_path},append=on",
                "-serial", f"unix:{self.sockets}/agent,server=on,wait=off",
                "-qmp", f"unix:{self.sockets}/qmp,server=on,wait=off",
                "-kernel", str(kernel), "-append", " ".join([*append, self.append]).strip(),
                "-device", "vmgenid,guid=auto",         # a restored kernel forgets what it drew random numbers from
                *self.devices]

    def start(self):
        """Switch the machine on, and wait until its start-up has settled."""
        self._switch_on()
        if self.interactive:
            return
        try:
            self._await_boot()
        except MachineDown as error:
            # QEMU ended with a kernel that had no process yet, of a fault of its own (see lab.accelerator()): nothing of
            # ours had run. Once more; a second time is no accident.
            if self.USERSPACE in self.console[self.console_start:]:
                raise
            warnings.warn(f"QEMU ended before the guest had a process, started again: {error}")
            self._cut_power()
            self._switch_on()
            self._await_boot()

    def _switch_on(self, restored=False):
        self.console_start = len(self.console)
        for name in ("fs", "agent", "qmp"):
            (self.sockets / name).unlink(missing_ok=True)
        fs_log = open(self.disk.dir / "virtiofsd.log", "ab")
        self.virtiofsd = subprocess.Popen(
            [lab.VIRTIOFSD, f"--socket-path={self.sockets}/fs", f"--shared-dir={self.disk.root}",
             "--sandbox=none", "--cache=always", "--xattr", "--inode-file-handles=never",
             # What was removed from the disk while the guest remembers it is no hindrance: nor was it there before.
             "--migration-on-error=guest-error"],
            stdin=subprocess.DEVNULL, stdout=fs_log, stderr=fs_log)
        fs_log.close()
        self._await_socket("fs", self.virtiofsd, "virtiofsd.log")
        log = None if self.interactive else open(self.disk.dir / "qemu.log", "ab")
        self.qemu = subprocess.Popen(self.command_line() + (["-incoming", "defer"] if restored else []), stdout=log, stderr=log,
                                     stdin=None if self.interactive else subprocess.DEVNULL)
        if log:
            log.close()
        self._await_socket("qmp", self.qemu, "qemu.log")
        self._qmp = Qmp(f"{self.sockets}/qmp")
        self.agent = Agent(f"{self.sockets}/agent", self._check_alive)

    def restore(self):
        """Switch the machine on for the first time: it goes on from its snapshot. NoSnapshot if it does not."""
        try:
            self._switch_on(restored=True)
            self._migrate("migrate-incoming", self.snapshot.state)
            self.qmp("cont")            # it was stopped when it was saved
            self.agent.connect(RESTORE_TIMEOUT)
            # Its clock has stood still. Whoever looks at the time of the day learns of that from the kernel.
            self.run(f"date --set=@{time.time():.6f}" + (" && lkmctl --quiet wait --idle --timeout=60" if self.lkmd else ""),
                     timeout=RESTORE_TIMEOUT)
        except (CommandFailed, LabError, MachineDown, QmpError, TimeoutError) as error:
            raise NoSnapshot(f"the machine did not go on from {self.snapshot.path}: {error}\n{self._said()}") from error

    def come_to_rest(self):
        """Until nothing is under way, and what was written is on the disk."""
        script = ["systemctl is-system-running --wait", "udevadm settle --timeout=200"]
        if self.lkmd:
            script.append("lkmctl --quiet wait --idle --timeout=200 || exit")
        self.run("\n".join([*script, "journalctl --sync", "sync"]), timeout=BOOT_TIMEOUT)

    def save(self, directory):
        """Keep the machine in a directory as it is now; it is down then, and its disk gone. NoSnapshot if QEMU refuses."""
        try:
            self.qmp("stop")
            self._migrate("migrate", directory / "state")
        except (LabError, MachineDown, QmpError, TimeoutError) as error:
            raise NoSnapshot(f"the machine could not be saved: {error}\n{self._said()}") from error
        self._cut_power()
        (directory / "console").write_bytes(self.console_path.read_bytes())
        self.disk.detach()
        self.disk.upper.rename(directory / "upper")

    def _migrate(self, command, path):
        """Have QEMU write its state to a file, or take it from there, and wait until that is done."""
        self.qmp("migrate-set-capabilities", capabilities=[{"capability": "mapped-ram", "state": True},
                                                           {"capability": "events", "state": True}])
        self.qmp(command, uri=f"file:{path}")
        event = self.qmp_event("MIGRATION", RESTORE_TIMEOUT, status=("completed", "failed"))
        if event["data"]["status"] != "completed":
            raise LabError(f"{command} failed: {self.qmp('query-migrate').get('error-desc', '')}")

    def _said(self):
        """The last words of QEMU and virtiofsd."""
        return "".join(f"--- {name}\n{clip((self.disk.dir / name).read_text(errors='replace'), 3000)}"
                       for name in ("qemu.log", "virtiofsd.log") if (self.disk.dir / name).exists())

    def _await_socket(self, name, process, log):
        deadline = time.monotonic() + 30
        while not (self.sockets / name).exists():
            if process.poll() is not None or time.monotonic() > deadline:
                path = self.disk.dir / log
                raise LabError(f"{process.args[0]} did not start:\n"
                               + (path.read_text(errors="replace") if path.exists() else ""))
            time.sleep(POLL)

    def _await_boot(self):
        deadline = time.monotonic() + BOOT_TIMEOUT
        try:
            try:
                self.agent.connect(BOOT_TIMEOUT / 2)
            except TimeoutError:
                if "rcu_gp_kthread" not in self.console:
                    raise
                # The emulated kernel stalled before it had a process (seen once, rich, on a busy computer): not ours.
                self.qmp("system_reset")
                self.agent.connect(BOOT_TIMEOUT / 2)
            if self.settle:
                # Degraded is an answer too: what failed is for the test to find.
                self.run("systemctl is-system-running --wait", check=False, timeout=deadline - time.monotonic())
        except (MachineDown, TimeoutError) as error:
            jobs = ""
            if isinstance(error, TimeoutError):
                try:
                    jobs = self.run("systemctl list-jobs --no-pager", check=False, timeout=20).stdout
                except (MachineDown, TimeoutError, LabError):
                    jobs = "(the agent does not answer)\n"
                jobs = f"\n--- waiting for\n{jobs}"
            raise type(error)(f"the machine did not boot: {error}{jobs}\n"
                              f"--- console\n{clip(self.console, 6000)}") from error

    def _check_alive(self, patient=False):
        if patient and self.qemu:
            try:
                self.qemu.wait(5)
            except subprocess.TimeoutExpired:
                return
        if self.running:
            return
        said = self.disk.dir / "qemu.log"
        raise MachineDown(f"the machine is down (QEMU: {self.qemu and self.qemu.returncode}); its console ends with:\n"
                          f"{clip(self.console, 3000)}\n"
                          f"--- QEMU said\n{clip(said.read_text(errors='replace'), 3000) if said.exists() else ''}")

    @property
    def running(self):
        return self.qemu is not None and self.qemu.poll() is None

    def _cut_power(self):
        """End QEMU and virtiofsd at once; the disk stays."""
        for channel in (self._qmp, self.agent):
            if channel:
                channel.close()
        self._qmp = self.agent = None
        for process in (self.qemu, self.virtiofsd):
            if process:
                process.kill()
                process.wait()
        self.qemu = self.virtiofsd = None

    def reset(self):
        """A power cut: what the guest had not written is lost; then it boots again. Devices plugged in later are out."""
        self._cut_power()
        self.start()

    def reboot(self, append=None):
        """Shut down in order and boot again, with other words on the kernel's command line if given."""
        if self.running:
            self.shut_down("reboot")
        self._cut_power()
        if append is not None:
            self.append = append
        self.start()

    def shut_down(self, verb="poweroff"):
        """Shut down in order, and wait until it is off."""
        try:
            self.run(["systemctl", "--no-block", verb])
        except (MachineDown, LabError):
            pass                        # it may go down before it has told how the command ended
        self.wait_down()

    def wait_down(self, timeout=BOOT_TIMEOUT):
        """Until the machine is off: after poweroff, reboot, or a panic."""
        try:
            self.qemu.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the machine is still up after {timeout} s; its console ends with:\n"
                               f"{clip(self.console, 3000)}") from None

    def remove(self):
        """Switch off and forget the machine with its disk. LabError if a sanitizer of lkmd found something in its life."""
        finds = self._sanitizer_finds()
        self._cut_power()
        existing.remove(self)
        self.disk.remove()
        if self.snapshot:
            self.snapshot.close()
        for path in self.sockets.iterdir():
            path.unlink()
        self.sockets.rmdir()
        if finds:
            raise LabError(f"a sanitizer found something in lkmd:\n{clip(finds, 12000)}")

    def _sanitizer_finds(self):
        """What the sanitizers that lkmd is built with said, with the lines around it; nothing in other builds."""
        if not lab.sanitized():
            return ""
        if self.running:                # a report of leaks comes with the end of a process
            self.run("systemctl stop lkmd lkmd-loader.socket lkmd-loader", check=False, timeout=120)
        said = re.compile(r"Sanitizer|runtime error:|^ *#\d+ ")
        return "\n".join(line for line in self.journal("--output=cat").splitlines() if said.search(line))

    # --------------------------------------------------------------------------------------------- in the guest

    def run(self, cmd, check=True, timeout=60, binary=False):
        """Run a bash command line, or a list of words, as root; wait for its end.

        Raises CommandFailed when it exits with another status than 0 and check is true, TimeoutError when it takes
        longer than timeout seconds (the command is ended then), MachineDown when the machine goes down meanwhile."""
        name = f"{EXCHANGE}/run-{next(self.serial)}-{os.urandom(4).hex()}"
        shown = cmd if isinstance(cmd, str) else shlex.join(map(str, cmd))
        self._check_alive()
        words = ["/bin/bash", "-c", cmd] if isinstance(cmd, str) else [str(word) for word in cmd]
        if sum(map(len, words)) > 8192:
            script = self._stage((cmd if isinstance(cmd, str) else "exec " + shown).encode("utf-8", "surrogateescape"))
            words = ["/bin/bash", script]
        pid = self.agent.command("guest-exec", {
            "path": "/usr/bin/setsid", "arg": ["/bin/sh", "-c", WRAPPER, name, *words],
            "env": ["HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
        })["pid"]
        status = self._await_status(name, pid, shown, timeout)
        out, err = self._take(name + ".out"), self._take(name + ".err")
        self._take(name + ".status")
        result = Result(out if binary else text_of(out), text_of(err), status)
        if check and status != 0:
            raise CommandFailed(shown, result._replace(stdout=text_of(out)))
        return result

    def _await_status(self, name, pid, shown, timeout):
        path = self._on_host(name + ".status")
        start = checked = time.monotonic()
        while True:
            try:
                data = path.read_bytes()
                if data.endswith(b"\n"):
                    return int(data)
            except FileNotFoundError:
                pass
            now = time.monotonic()
            if now - start > timeout:
                self._time_out(name, pid, shown, timeout)
            if now - checked > 2:
                checked = now
                self._check_alive()
                status = self.agent.command("guest-exec-status", {"pid": pid}, timeout=60)
                if status["exited"] and not path.exists():
                    raise LabError(f"command was killed before it could tell its status: {shown} ({status})")
            time.sleep(POLL)

    def _time_out(self, name, pid, shown, timeout):
        out, err = text_of(self._take(name + ".out")), text_of(self._take(name + ".err"))
        try:
            self.agent.command("guest-exec", {"path": "/bin/kill", "arg": ["-KILL", "--", f"-{pid}"]})
        except (TimeoutError, MachineDown, LabError):
            pass                        # the timeout is what matters, and the agent may be what hangs
        raise TimeoutError(f"command still runs after {timeout} s: {shown}\n"
                           f"--- stdout so far\n{clip(out)}\n--- stderr so far\n{clip(err)}")

    def _on_host(self, path):
        return self.disk.root / path.lstrip("/")

    def _take(self, path):
        path = self._on_host(path)
        try:
            data = path.read_bytes()
            path.unlink()
            return data
        except FileNotFoundError:
            return b""

    def _stage(self, data):
        """Put data where the guest can read it; a name that it never heard of before. Returns the guest's path."""
        path = f"{EXCHANGE}/data-{next(self.serial)}-{os.urandom(4).hex()}"
        self._on_host(path).write_bytes(data)
        return path

    def wait(self, cmd, timeout=60):
        """Run a command again and again until it exits with 0; returns that run's result."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            result = self.run(cmd, check=False, timeout=max(left, LAST_LOOK))
            if result.returncode == 0:
                return result
            if time.monotonic() > deadline:
                shown = cmd if isinstance(cmd, str) else shlex.join(map(str, cmd))
                raise TimeoutError(f"still exits with {result.returncode} after {timeout} s: {shown}\n"
                                   f"--- stdout\n{clip(result.stdout)}\n--- stderr\n{clip(result.stderr)}")
            time.sleep(0.2)

    def write(self, path, text, mode=0o644):
        """Write a file of the guest in place, with the directories above it; kernel files (/sys, /proc) keep their mode."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)
        staged = self._stage(data)
        script = 'mkdir -p "$(dirname "$1")" && cat "$0" >"$1"'
        if not path.startswith(("/sys/", "/proc/")):
            script += f' && chmod {mode:o} "$1"'
        try:
            self.run(["/bin/sh", "-c", script, staged, path])
        finally:
            self._on_host(staged).unlink(missing_ok=True)

    def read(self, path):
        return self.run(["cat", path]).stdout

    def read_bytes(self, path):
        return self.run(["cat", path], binary=True).stdout

    def install_test_modules(self):
        """Put the modules of tests/vm/modules below /lib/modules/KERNEL/extra and into depmod's indexes; none is loaded.
        The indexes know of no other change below /lib/modules: after one, run depmod in the machine."""
        from .modules import built, files
        target = f"/lib/modules/{self.kernel_version}"
        staged = f"{EXCHANGE}/modules-{next(self.serial)}-{os.urandom(4).hex()}"
        self._on_host(staged).mkdir()
        for path in files(built()):
            shutil.copy(path, self._on_host(staged))
        shutil.copytree(built() / "indexes", self._on_host(staged) / "indexes")
        self.run(f"mkdir -p {target}/extra && mv {staged}/indexes/* {target} && rmdir {staged}/indexes && "
                 f"mv {staged}/* {target}/extra && rmdir {staged}")

    # ------------------------------------------------------------------------------------------- from outside

    def qmp(self, name, **args):
        """A QMP command, its arguments named as QMP has them or with '_' for QMP's '-':
        qmp("device_add", driver="e1000e", id="nic", bus="rp0"), qmp("blockdev-add", node_name="disk", ...)."""
        self._check_alive()
        try:
            return self._qmp.command(name, args)
        except QmpError:
            # Some properties of devices are spelled with '_' (event_idx), so what was said is tried first.
            dashed = with_dashes(args)
            if dashed == args:
                raise
            return self._qmp.command(name, dashed)

    def qmp_event(self, name, timeout=60, **match):
        """Wait for a QMP event, also one that has already come: qmp_event("DEVICE_DELETED", device="nic")."""
        self._check_alive()
        return self._qmp.wait_event(name, match, timeout)

    def unplug(self, device, timeout=60):
        """Take a device out as a person would, and wait until the guest has let go of it."""
        self.qmp("device_del", id=device)
        self.qmp_event("DEVICE_DELETED", timeout=timeout, device=device)

    # ------------------------------------------------------------------------------------------ what is left

    @property
    def console(self):
        """All that the machine said on its serial console, of all its boots."""
        try:
            return self.console_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def journal(self, *args):
        """journalctl's output for this machine's journal, read on the host, so that a dead machine has one too."""
        if self.running and self.agent:
            try:
                self.run("journalctl --sync", check=False, timeout=20)
            except (MachineDown, TimeoutError, LabError):
                pass                    # then what has been written must do
        done = subprocess.run(["journalctl", "--directory", self.disk.root / "var/log/journal", "--no-pager", *args],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return text_of(done.stdout)

    def save_logs(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "console.txt").write_text(self.console, encoding="utf-8")
        (directory / "journal.txt").write_bytes(
            self.journal("--output=short-precise").encode("utf-8", "surrogateescape"))
        (directory / "qemu.txt").write_text(shlex.join(self.command_line()) + "\n", encoding="utf-8")
        for name in ("qemu.log", "virtiofsd.log"):
            if (self.disk.dir / name).exists():
                (directory / name).write_bytes((self.disk.dir / name).read_bytes())


def with_dashes(value):
    if isinstance(value, dict):
        return {key.replace("_", "-"): with_dashes(item) for key, item in value.items()}
    return [with_dashes(item) for item in value] if isinstance(value, list) else value
