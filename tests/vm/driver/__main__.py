# SPDX-License-Identifier: LGPL-2.1-or-later
"""./dev vm: a machine with its console on this terminal."""

import argparse
import sys

from . import Machine, devices


def main():
    parser = argparse.ArgumentParser(prog="./dev vm", description="a root console in a virtual machine")
    parser.add_argument("devices", nargs="?", choices=sorted(devices.SETS), default="plain", help="what is plugged in")
    parser.add_argument("--stock", action="store_true", help="without lkmd")
    parser.add_argument("--append", default="", metavar="WORDS", help="more words for the kernel's command line")
    args = parser.parse_args()

    machine = Machine(devices=args.devices, append=args.append, lkmd=not args.stock, console="mon:stdio")
    print("dev: booting; `poweroff` or Ctrl-A X ends the machine, Ctrl-A C is QEMU's monitor (device_add ...)", flush=True)
    try:
        machine.start()
        machine.qemu.wait()
    except KeyboardInterrupt:
        pass
    finally:
        machine.remove()


if __name__ == "__main__":
    sys.exit(main())
