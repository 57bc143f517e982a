#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One unprivileged user who does everything to lkmd that its socket lets him do: abuser.py SOCKET KIND SECONDS.

Run as that user. It says "going" when it has begun. It has no opinion about how lkmd takes it; whoever started it has."""

import contextlib
import itertools
import json
import os
import random
import socket
import sys
import time

INTERFACE = "io.lkmd.Manager."
CONNECTIONS = 20                        # more than one user may have
ENDED = (BrokenPipeError, ConnectionResetError, ConnectionRefusedError, BlockingIOError, TimeoutError)


def message(method, parameters=None, **flags):
    name = method if "." in method else INTERFACE + method
    return json.dumps({"method": name, "parameters": parameters or {}, **flags}).encode() + b"\0"


READING = [message("Status"), message("List"), message("Audit"), message("DescribeModule", {"name": "ext4"}),
           message("org.varlink.service.GetInfo")]


class Abuser:
    def __init__(self, path):
        self.path = path

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.5)
        s.connect(self.path)
        return s

    def connect_many(self, n=CONNECTIONS):
        """As many as there are places."""
        found = []
        for _ in range(n):
            with contextlib.suppress(*ENDED):
                found.append(self.connect())
        return found

    @staticmethod
    def push(s, data):
        """As much as the other side takes at once. Whether it is still there."""
        try:
            s.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except ENDED:
            return False
        return True

    @staticmethod
    def drain(s):
        try:
            return bool(s.recv(1 << 20, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except ENDED:
            return False

    # Each kind is a generator of rounds; what it opens is closed at the latest with the process.

    def flood(self):
        """Calls, one after the other, as fast as they are answered."""
        while True:
            links = self.connect_many()
            for call in itertools.islice(itertools.cycle(READING), 200):
                for s in links:
                    self.push(s, call)
                for s in links:
                    with contextlib.suppress(*ENDED):
                        s.recv(1 << 20)
                yield
            for s in links:
                s.close()

    def pipeline(self):
        """Calls by the thousand, without waiting for an answer to any."""
        calls = READING[-1] * 2000 + READING[0] * 20
        while True:
            links = self.connect_many()
            for _ in range(200):
                links = [s for s in links if self.push(s, calls) and self.drain(s)] or self.connect_many()
                yield
            for s in links:
                s.close()

    def half(self):
        """Messages that never end."""
        part = message("Status")[:-1]
        while True:
            links = self.connect_many()
            for s in links:
                self.push(s, part + b" " * random.choice((0, 100, 60000)))
            for _ in range(50):
                links = [s for s in links if self.push(s, b" ")]
                yield
            for s in links:
                s.close()

    def slow(self):
        """Asks for everything and reads nothing."""
        while True:
            links = self.connect_many()
            for s in links:
                self.push(s, message("Monitor", more=True) if s.fileno() % 2 else READING[2] * 50)
            for _ in range(20):
                links = [s for s in links if self.push(s, READING[1])]
                yield
                time.sleep(0.05)
            for s in links:
                s.close()

    def waits(self):
        """A hundred thousand that are to wait, with and without an answer."""
        far = {"module": "no_such_module", "timeoutUSec": 3600 * 1000000}
        calls = (message("Wait", far, oneway=True) * 20 + message("Wait", {"module": "x", "timeoutUSec": 1})) * 5
        while True:
            links = self.connect_many()
            for _ in range(100000 // (CONNECTIONS * 100)):
                for s in links:
                    self.push(s, calls)
                    self.drain(s)
                yield
            for s in links:
                self.push(s, message("Wait", {**far, "idle": True}))
            yield
            for s in links:
                s.close()

    def big(self):
        """Megabytes of numbers, and brackets in brackets."""
        texts = [b'{"method":"io.lkmd.Manager.Wait","parameters":{"idle":[' + b"0," * 3500000 + b"0]}}\0",
                 b"[" * 7000000 + b"\0", b'{"a":' * 10000 + b"1" + b"}" * 10000 + b"\0",
                 b'{"method":"io.lkmd.Manager.Status","parameters":{"x":[' + b"0," * 32000 + b"0]}}\0"]
        while True:
            for text in texts:
                with contextlib.suppress(*ENDED), self.connect() as s:
                    s.sendall(text)
                    s.recv(1 << 16)
                yield

    def storm(self):
        """Connections that come and go."""
        while True:
            for _ in range(50):
                with contextlib.suppress(*ENDED):
                    self.connect().close()
            yield

    def garbage(self):
        """Bytes."""
        chance = random.Random(1)
        words = [b'{"method":', b'"', b"\0", b"{", b"}", b"[", b",", b'"io.lkmd.Manager.Wait"', b'"oneway":true', b"\\", b"\xff"]
        while True:
            with contextlib.suppress(*ENDED), self.connect() as s:
                for _ in range(50):
                    s.sendall(chance.randbytes(chance.randrange(2000)) if chance.random() < 0.3 else
                              b"".join(chance.choices(words, k=40)))
                self.drain(s)
            yield

    def flags(self):
        """Answers that come to the wrong call, if lkmd lets them."""
        soon = {"module": "no_such_module", "timeoutUSec": 1000}
        monitor = message("Monitor", more=True)
        games = [[message("Wait", soon, oneway=True), monitor] * 3,
                 [message("Monitor", oneway=True), monitor, monitor],
                 [message("Load", {"name": "loop"}, oneway=True), monitor],
                 [message("Wait", soon, more=True), message("Status", more=True), monitor],
                 [message("Wait", soon, oneway=True, more=True)],
                 [message("Wait", soon, upgrade=True), monitor]]
        while True:
            links = []
            for game in games:
                for s in self.connect_many(3):
                    links.append(s)
                    for call in game:
                        self.push(s, call)
                        time.sleep(0.002)
            for s in links:
                self.drain(s)
            yield
            for s in links:
                s.close()

    def churn(self):
        """Subscribes and leaves, in the middle of whatever is told."""
        while True:
            links = self.connect_many()
            for s in links:
                self.push(s, message("Monitor", more=True))
            yield
            for s in links[::2]:
                self.drain(s)
            for s in links:
                s.close()

    def hoard(self):
        """Sits on connections and says nothing."""
        held = []
        while True:
            held = [s for s in held if self.drain(s)] + self.connect_many()
            del held[200:]
            yield
            time.sleep(0.05)

    def uevents(self):
        """Events of the kernel's, by mounts in a user name space of his own; and gaps between their numbers."""
        uid, gid = os.getuid(), os.getgid()
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as f:
                f.write(text)
        mount = "for i in 1 2 3 4 5; do exec 3<>/dev/fuse && mount -i -t fuse -o " \
            "fd=3,rootmode=40000,user_id=0,group_id=0 abuser /mnt && umount -l /mnt && exec 3>&- || exit 1; done"
        while True:
            if os.spawnvp(os.P_WAIT, "sh", ["sh", "-c", mount]) != 0:
                raise OSError("no file system to be had")
            os.unshare(os.CLONE_NEWNET)                   # its devices are announced to nobody else
            yield


KINDS = ("flood", "pipeline", "half", "slow", "waits", "big", "storm", "garbage", "flags", "churn", "hoard", "uevents")


def main(path, kind, seconds):
    end = time.monotonic() + float(seconds)
    rounds = getattr(Abuser(path), kind)()
    for number in itertools.count():
        while True:
            try:
                next(rounds)
                break
            except ENDED:                                 # even that was too much: from the beginning
                rounds = getattr(Abuser(path), kind)()
        if number == 0:
            print("going", flush=True)
        if time.monotonic() > end:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
