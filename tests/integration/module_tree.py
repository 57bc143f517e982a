# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tree of modules that depmod and modprobe take for one: made of nothing but the sections that they read."""

import subprocess


def assembly(name, needs, info):
    own = name.replace("-", "_")
    lines = [".section .modinfo,\"a\"", f".asciz \"name={own}\"", ".asciz \"license=GPL\""]
    lines += [f".asciz \"{line}\"" for line in info]
    lines += [".section __ksymtab_strings,\"a\"", f".asciz \"{own}_symbol\"", ".data", f".globl \"{own}_symbol\"",
              f"\"{own}_symbol\":", ".quad 0", *(f".quad \"{need.replace('-', '_')}_symbol\"" for need in needs)]
    return "\n".join(lines) + "\n"


def make_tree(root, release, modules, builtin=b"in_kernel.alias=alg-built-in\0in_kernel.license=GPL\0"):
    """modules: name: (needs symbols of, further lines of modinfo)"""
    directory = root / "lib/modules" / release
    (directory / "kernel").mkdir(parents=True)
    for name, (needs, info) in modules.items():
        subprocess.run(["cc", "-c", "-x", "assembler", "-o", directory / f"kernel/{name}.ko", "-"],
                       input=assembly(name, needs, info), text=True, check=True)
    (directory / "modules.order").write_text("".join(f"kernel/{name}.ko\n" for name in modules))
    (directory / "modules.builtin").write_text("kernel/in-kernel.ko\n")
    (directory / "modules.builtin.modinfo").write_bytes(builtin)
    subprocess.run(["depmod", "-b", root, release], check=True)
