# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device sets that a machine can be booted with, as QEMU arguments."""

# Behind the PCI Express root ports of "rich", one each.
EXPRESS = """e1000e igb virtio-net-pci vmxnet3 virtio-scsi-pci virtio-rng-pci virtio-balloon-pci virtio-serial-pci
virtio-keyboard-pci virtio-mouse-pci virtio-tablet-pci virtio-gpu-pci nec-usb-xhci pvscsi megasas-gen2 intel-hda
pvpanic-pci virtio-crypto-pci""".split()

# Behind its conventional PCI bridge.
CONVENTIONAL = """e1000 rtl8139 pcnet ne2k_pci tulip i82551 lsi53c895a lsi53c810 megasas mptsas1068 am53c974 sdhci-pci
AC97 ES1370 i6300esb kvaser_pci pcm3680_pci mioe3680_pci pci-serial edu cirrus-vga bochs-display secondary-vga
ivshmem-plain""".split()

# On its USB controller.
USB = """usb-kbd usb-mouse usb-tablet usb-audio usb-braille usb-serial usb-net usb-ccid usb-wacom-tablet""".split()

HOTPLUG_PORTS = 4

# What a device cannot do without.
PROPERTIES = {
    "AC97": "audiodev=snd0",
    "ES1370": "audiodev=snd0",
    "usb-audio": "audiodev=snd0",
    "kvaser_pci": "canbus=cb0",
    "pcm3680_pci": "canbus0=cb0,canbus1=cb0",
    "mioe3680_pci": "canbus0=cb0,canbus1=cb0",
    "ivshmem-plain": "memdev=ivshmem0",
    "virtio-crypto-pci": "cryptodev=crypto0",
    "usb-braille": "chardev=braille0",
    "usb-serial": "chardev=usbserial0",
    "pci-serial": "chardev=pciserial0",
}


def device(name, bus, number=None, **more):
    words = [name, f"bus={bus}"]
    if name in PROPERTIES:
        words.append(PROPERTIES[name])
    if number is not None:
        words.append(f"addr={number:#x}")
    words += [f"{key}={value}" for key, value in more.items()]
    return ["-device", ",".join(words)]


def plain():
    """An empty USB controller and four empty hotplug ports."""
    args = ["-device", "qemu-xhci,id=xhci"]
    for i in range(HOTPLUG_PORTS):
        args += ["-device", f"pcie-root-port,id=rp{i},chassis={i + 1},slot={i + 1}"]
    return args


def rich():
    """plain, and a device for each of some hundred drivers."""
    args = plain()
    for backend in ("null,id=braille0", "null,id=usbserial0", "null,id=pciserial0"):
        args += ["-chardev", backend]
    args += ["-audiodev", "none,id=snd0", "-object", "can-bus,id=cb0",
             "-object", "memory-backend-ram,id=ivshmem0,size=1M", "-object", "cryptodev-backend-builtin,id=crypto0"]
    for i, name in enumerate(EXPRESS):
        number = HOTPLUG_PORTS + i + 1
        args += ["-device", f"pcie-root-port,id=xp{i},chassis={number},slot={number}", *device(name, f"xp{i}")]
    args += ["-device", "i82801b11-bridge,id=legacy"]
    args += ["-device", "pci-bridge,id=pci,bus=legacy,chassis_nr=100"]
    for i, name in enumerate(CONVENTIONAL):
        args += device(name, "pci", i + 1)
    # Nine devices and the controller's own four ports: a hub carries the rest.
    args += ["-device", "qemu-xhci,id=usb,p2=12,p3=4"]
    for name in USB:
        args += device(name, "usb.0")
    return args


SETS = {"plain": plain, "rich": rich}
