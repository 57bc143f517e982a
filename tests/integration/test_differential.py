# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd's answers beside kmod's own: configuration, look-ups and plans must not differ but where they are meant to.

The questions go to libkmod in one process, and a part of them to the program modprobe itself.
"""

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("LKMD_BUILD", "build/asan"))
SETS = 500  # generated configurations
BLANKS = (" ", "  ", "\t", " \t ")


def run(words, **more):
    """As subprocess.run(), but bytes stay what they are: no line end is like another."""
    if isinstance(more.get("input"), str):
        more["input"] = more["input"].encode("utf-8", "surrogateescape")
    done = subprocess.run(words, capture_output=True, check=False, **more)
    done.stdout, done.stderr = (stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
    return done


def ask(side, module_dir, questions):
    """Puts questions to one side; [(question, [lines of the answer])], in the order of asking."""
    done = run([BUILD / "tests/integration/answers", side, module_dir], input="\n".join(questions) + "\n")
    assert done.returncode == 0, done.stderr[-4000:]
    answers, lines = [], None
    for line in done.stdout.split("\n")[:-1]:
        if line.startswith("> "):
            lines = []
            answers.append((line[2:], lines))
        else:
            lines.append(line)
    assert [question for question, _ in answers] == list(questions)
    return answers


def modprobe(module_dir, config, *words):
    root, release = str(module_dir).split("/lib/modules/")
    return run(["modprobe", *(["-d", root] if root else []), "-S", release, "-C", config, *words]).stdout.split("\n")[:-1]


def same_blanks(line):
    """How many blanks there are between and behind parameters is nothing to the kernel."""
    return re.sub(" +", " ", line).strip(" ")


def once(lines):
    """kmod lists a module once for each way that leads to it; loading it a second time does nothing."""
    seen, kept = set(), []
    for line in lines:
        line = same_blanks(line)
        what = " ".join(line.split(" ")[:2]) if line.startswith("insmod ") else line
        if what not in seen:
            seen.add(what)
            kept.append(line)
    return kept


def is_builtin(line):
    return line.startswith("builtin ")


# ------------------------------------------------------------------------------------ a tree made by depmod itself

MODULES = {  # name: (needs symbols of, further lines of modinfo)
    "base": ((), ()),
    "bus_core": (("base",), ("alias=fs-bus",)),
    "bus_pci": (("bus_core",), ("alias=pci:v00001111d*sv*sd*bc*sc*i*",)),
    "drv-one": (("bus_core", "lib_crc"), ("alias=pci:v00001111d00000001sv*sd*bc*sc*i*", "softdep=pre: alg-crc")),
    "drv_two": (("bus_pci",), ("alias=pci:v00001111d00000001sv*sd*bc*sc*i*", "softdep=post: helper")),
    "lib_crc": ((), ("softdep=pre: alg-crc",)),
    "alg_crc_fast": ((), ("alias=alg-crc", "alias=alg-crc-fast")),
    "alg_crc_slow": (("lib_crc",), ("alias=alg-crc",)),
    "helper": (("base",), ()),
    "alone": ((), ("alias=net-pf-99",)),
    "alone2": ((), ("weakdep=alone",)),
    "drv-three": (("drv-one", "helper"), ()),
}


def assembly(name):
    needs, info = MODULES[name]
    own = name.replace("-", "_")
    text = [".section .modinfo,\"a\"", f".asciz \"name={own}\"", ".asciz \"license=GPL\""]
    text += [f".asciz \"{line}\"" for line in info]
    text += [".section __ksymtab_strings,\"a\"", f".asciz \"{own}_symbol\"", ".data", f".globl {own}_symbol",
             f"{own}_symbol:", ".quad 0"]
    text += [f".quad {need.replace('-', '_')}_symbol" for need in needs]
    return "\n".join(text) + "\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A module directory of a dozen modules, indexed by the real depmod."""
    root = tmp_path_factory.mktemp("tree")
    directory = root / "lib/modules/6.0.0-tree"
    (directory / "kernel").mkdir(parents=True)
    for name in MODULES:
        subprocess.run(["cc", "-c", "-x", "assembler", "-o", directory / f"kernel/{name}.ko", "-"],
                       input=assembly(name), text=True, check=True)
    (directory / "modules.order").write_text("".join(f"kernel/{name}.ko\n" for name in MODULES))
    (directory / "modules.builtin").write_text("kernel/in-kernel.ko\n")
    (directory / "modules.builtin.modinfo").write_bytes(b"in_kernel.alias=alg-built-in\0in_kernel.license=GPL\0")
    subprocess.run(["depmod", "-b", root, "6.0.0-tree"], check=True)
    return directory


@pytest.fixture(scope="module")
def debian():
    """The module directory of Debian's kernel: that of the virtual machines, or this machine's."""
    roots = [Path(os.environ[name]) for name in ("LKMD_GUEST_ROOT",) if name in os.environ] + [Path("/")]
    for root in roots:
        for directory in sorted(root.glob("lib/modules/*")):
            if (directory / "modules.dep.bin").exists() and len((directory / "modules.dep").read_text()) > 100000:
                return directory
    pytest.skip("no Debian kernel here (LKMD_GUEST_ROOT)")


# ----------------------------------------------------------------------------------------- generated configurations

NAMES = [*MODULES, "in-kernel", "alg-crc", "fs-bus", "net-pf-99", "no-such", "alias-of-mine", "command-only"]
WILD = ["drv-*", "alg?crc*", "[ab]*", "*", "net-pf-[0-9]*", "b[!x]s-core", "alone[2-3]"]
BAD = ["blacklist", "options foo", "alias x", "Options foo a=1", "install x", "softdep x", "alias a[ b", "blacklist b]",
       "include /etc/x", "config x", "nonsense", "\x01\x02", "-", "alias", "remove y", "weakdep"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def name(self):
        name = self.random.choice(NAMES)
        return name.replace("-", "_") if self.random.random() < 0.4 else name

    def pattern(self):
        return self.random.choice(WILD) if self.random.random() < 0.3 else self.name()

    def words(self, low, high):
        return [self.name() for _ in range(self.random.randint(low, high))]

    def softdep(self):
        pre, post = self.words(0, 3), self.words(0, 2)
        return (["pre:", *pre] if pre else []) + (["post:", *post] if post else []) or ["pre:"]

    def line(self):
        kind = self.random.choice(("alias", "blacklist", "options", "install", "remove", "softdep", "weakdep", "bad"))
        if kind == "bad":
            return self.random.choice(BAD)
        value = {
            "alias": lambda: [self.pattern(), self.name()],
            "blacklist": lambda: [self.name()],
            "options": lambda: [self.pattern(), self.random.choice(("a=1", "b=\"x y\"", "c", "d=1,2 e=\\\\f", "g=#h"))],
            "install": lambda: [self.pattern(), "/bin/echo", self.random.choice(("$CMDLINE_OPTS", "x;y", "", "'z  z'"))],
            "remove": lambda: [self.pattern(), "/sbin/modprobe -r --ignore-remove x"],
            "softdep": lambda: [self.pattern(), *self.softdep()],
            "weakdep": lambda: [self.pattern(), *self.words(1, 2)],
        }[kind]()
        text = kind
        for place, word in enumerate(value):
            # kmod 34 does not see the "pre:" behind exactly two blanks (kmod_config_add_softdep()); lkmd does.
            single = place == 1 and kind in ("softdep", "weakdep")
            text += (" " if single else self.random.choice(BLANKS)) + word
        if self.random.random() < 0.1:  # somewhere a line break that does not count
            at = self.random.randrange(len(text) + 1)
            text = text[:at] + "\\\n" + text[at:]
        return self.random.choice(("", "", "", " ", "\t")) + text + self.random.choice(("", "", "", " ", " # why"))

    def file(self):
        lines = []
        for _ in range(self.random.randint(0, 8)):
            lines.append(self.line())
            if self.random.random() < 0.2:
                lines.append(self.random.choice(("", "# a remark", "# a remark \\", "\t")))
        text = self.random.choice(("\n", "\n", "\n", "\r\n")).join(lines)
        return text + self.random.choice(("\n", "\n", "", "\\", "\\\n"))

    def write(self, directory):
        directory.mkdir()
        for _ in range(self.random.randint(1, 4)):
            name = self.random.choice(("a", "b", "10-x", "zz", "modules")) + self.random.choice((".conf",) * 4 + (".cfg", ""))
            (directory / name).write_text(self.file(), newline="")
        if self.random.random() < 0.1:
            (directory / "dir.conf").mkdir()
        if self.random.random() < 0.1:
            (directory / "dangling.conf").symlink_to("nowhere")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Directories with anything that may stand in modprobe.d, and what may not."""
    base = tmp_path_factory.mktemp("generated")
    for number in range(SETS):
        Generator(number).write(base / f"{number}")
    return [base / f"{number}" for number in range(SETS)]


def test_generated_configurations(tree, generated):
    questions = [question for path in generated for question in (f"use {path}", "config")]
    ours, theirs = ask("lkmd", tree, questions), ask("kmod", tree, questions)
    entries = 0
    for number, (our, their) in enumerate(zip(ours, theirs)):
        assert our == their, generated[number // 2]
        entries += len(our[1])
    assert entries > 3 * SETS  # it was about something


def test_generated_configurations_against_modprobe(tree, generated):
    questions = [question for path in generated for question in (f"use {path}", "config")]
    for path, (_, our) in zip(generated, ask("lkmd", tree, questions)[1::2]):
        their = modprobe(tree, path, "-c")
        assert our == their[:their.index("# End of configuration files. Dumping indexes now:") - 1], path


def test_debian_configuration(debian):
    for path in ("/etc/modprobe.d", "/usr/lib/modprobe.d", "/usr/lib/modprobe.d/aliases.conf", "/nonexistent"):
        questions = [f"use {path}", "config"]
        assert ask("lkmd", debian, questions) == ask("kmod", debian, questions)


# ----------------------------------------------------------------------------------------------------------- look-up

KEYS = [*NAMES, "drv_one", "pci:v00001111d00000001sv0sd0bc0sc0i0", "pci:v00001111d00000002sv0sd0bc0sc0i0", "alone2",
        "symbol:base_symbol", "symbol:drv_one_symbol", "symbol:none", "alg-crc-fast", "alg-built-in", "", "*", "[x", "x]"]


def test_look_ups_under_generated_configurations(tree, generated):
    questions = []
    for path in generated:
        questions += [f"use {path}", *(f"resolve {key}" for key in KEYS)]
    ours, theirs = ask("lkmd", tree, questions), ask("kmod", tree, questions)
    found = 0
    path = None
    for our, their in zip(ours, theirs):
        path = our[0] if our[0].startswith("use ") else path
        assert our == their, path
        found += len(our[1])
    assert found > 10 * SETS


# ------------------------------------------------------------------------------------------------------------- plans

def strip_differences(directory):
    """Takes out what lkmd is meant to understand differently: for every module the first softdep line only, no install
    line that a softdep would hide. What is left must come to the same."""
    for path in sorted(directory.iterdir()):
        if not path.is_file() or path.suffix != ".conf":
            continue
        logical = path.read_text(newline="").replace("\\\n", "").split("\n")
        kept = [line for line in logical if not re.match(r"\s*(softdep|install)\b", line)]
        path.write_text("\n".join(kept) + "\n", newline="")


def order_is_valid(plan, needs):
    """Every module comes after all that it needs, of what is there."""
    place = {line.split(" ")[1]: number for number, line in enumerate(plan) if line.startswith("insmod ")}
    for path, number in place.items():
        for need in needs.get(path, ()):
            assert place.get(need, -1) < number, (plan, path, need)


def read_needs(directory):
    needs = {}
    for line in (directory / "modules.dep").read_text().splitlines():
        path, rest = line.split(":")
        needs[f"{directory}/{path}"] = [f"{directory}/{need}" for need in rest.split()]
    return needs


def as_first(lines, answer):
    """kmod takes a module reached by an alias and by its name for two, and may list both, with different parameters: a
    plan has one step, and either will do."""
    first = {}
    for line in map(same_blanks, answer):
        if line.startswith("insmod "):
            first[line] = first.setdefault(line.split(" ")[1], line)
    return [first.get(line, line) for line in lines]


def compare_plans(module_dir, questions, theirs, side="lkmd"):
    needs = read_needs(module_dir)
    config = None
    for (question, our), (_, answer) in zip(ask(side, module_dir, questions), theirs):
        if question.startswith("use "):
            config = question
            continue
        their = once(answer)
        our = once(as_first([same_blanks(line) for line in our], answer))  # two modules may have the same command
        # modprobe -D also says of softdeps that they are built in, and looks at the blacklist before it sees that
        # something is; when it loads, after that.
        assert not their or set(filter(is_builtin, our)) <= set(their), (config, question)
        our, their = ([line for line in lines if not is_builtin(line)] for lines in (our, their))
        assert sorted(our) == sorted(their), (config, question)
        order_is_valid(our, needs)


@pytest.fixture(scope="module")
def softened(generated, tmp_path_factory):
    """The generated configurations without softdep and install lines, and one line of each kind where kmod takes it."""
    base = tmp_path_factory.mktemp("softened")
    for number, path in enumerate(generated):
        shutil.copytree(path, base / path.name, symlinks=True)
        strip_differences(base / path.name)
        generator = Generator(number + SETS)
        lines, with_softdep = [], set()
        for name in generator.random.sample(["base", "helper", "alone", "alone2", "bus-pci", "drv-three"], 3):
            if generator.random.random() < 0.6:
                with_softdep.add(name)
                lines.append("softdep " + " ".join([name, *generator.softdep()]))
            else:
                lines.append(f"install {name} /bin/echo {name} $CMDLINE_OPTS")
        (base / path.name / "aa.conf").write_text("\n".join(lines) + "\n")
    return [base / path.name for path in generated]


def test_plans_under_generated_configurations(tree, softened):
    keys = [key for key in KEYS if key and not key.startswith(("[", "x]"))]
    questions = []
    for path in softened:
        questions += [f"use {path}", *(f"plan {key}" for key in keys)]
    compare_plans(tree, questions, ask("kmod", tree, questions))


def test_plans_against_modprobe(tree, softened):
    keys = ("drv-three", "pci:v00001111d00000001sv0sd0bc0sc0i0")
    questions, theirs = [], []
    for path in softened:
        questions.append(f"use {path}")
        theirs.append((questions[-1], []))
        for key in keys:
            questions.append(f"plan {key}")
            theirs.append((questions[-1], modprobe(tree, path, "-n", "-v", "--", key)))
    compare_plans(tree, questions, theirs)


@pytest.fixture(scope="module")
def real_softdeps(generated, tmp_path_factory):
    """The generated configurations, but softdeps of existing modules only: kmod loads also what is to go before and after
    a module that an alias names and that does not exist. No install lines of what is built in: modprobe -D shows them, but
    when it loads they are not run."""
    base = tmp_path_factory.mktemp("real")
    names = {*(name.replace("-", "_") for name in MODULES), "drv_*", "b[!x]s_core", "alone[2_3]"}
    for path in generated:
        shutil.copytree(path, base / path.name, symlinks=True)
        for file in sorted((base / path.name).iterdir()):
            if not file.is_file() or file.suffix != ".conf":
                continue
            with file.open(newline="") as f:
                logical = f.read().replace("\\\n", "").split("\n")
            kept = [line for line in logical if not (words := line.split()) or words[0] != "softdep" or
                    len(words) > 1 and words[1].replace("-", "_") in names]
            kept = [line for line in kept if not re.match(r"\s*install\s+(\*|in[-_]kernel)\s", line)]
            file.write_text("\n".join(kept) + "\n", newline="")
    return [base / path.name for path in generated]


def test_plans_by_kmods_rules(tree, real_softdeps):
    """With install commands, and with as many softdep lines as there are."""
    keys = [key for key in KEYS if key and not key.startswith(("[", "x]"))]
    questions = []
    for path in real_softdeps:
        questions += [f"use {path}", *(f"plan {key}" for key in keys)]
    compare_plans(tree, questions, ask("kmod", tree, questions), side="compat")


def test_plan_by_kmods_rules_of_every_debian_module(debian, tmp_path):
    (tmp_path / "a.conf").write_text("install ksmbd /bin/false\ninstall btrfs /bin/true\ninstall libcrc32c /bin/false\n"
                                     "install bcachefs /bin/echo x\nsoftdep ext4 pre: btrfs\nsoftdep ext4 post: xfs\n")
    questions = [f"use {tmp_path}", *(f"plan {name}" for name in all_modules(debian))]
    compare_plans(debian, questions, ask("kmod", debian, questions), side="compat")


@pytest.fixture(scope="module")
def merged(debian, tmp_path_factory):
    """All softdep lines of a module as one, which kmod then takes as well: it is what a plan of lkmd merges."""
    wanted = {}
    for line in (debian / "modules.softdep").read_text().splitlines():
        words = line.split()
        if words[:1] != ["softdep"]:
            continue
        mode, lists = None, wanted.setdefault(words[1], {"pre:": [], "post:": []})
        for word in words[2:]:
            if word in lists:
                mode = word
            elif mode:
                lists[mode].append(word)
    path = tmp_path_factory.mktemp("merged") / "aa.conf"
    path.write_text("".join(f"softdep {name} pre: {' '.join(lists['pre:'])} post: {' '.join(lists['post:'])}\n"
                            for name, lists in wanted.items()))
    return path.parent


def all_modules(directory):
    return sorted({re.sub(r"\..*", "", line.split(":")[0].rsplit("/", 1)[-1])
                   for line in (directory / "modules.dep").read_text().splitlines()})


def test_plan_of_every_debian_module(debian, merged):
    names = all_modules(debian)
    assert len(names) > 3000
    questions = [f"use {merged}", *(f"plan {name}" for name in names)]
    compare_plans(debian, questions, ask("kmod", debian, questions))


def test_plan_of_debian_modules_against_modprobe(debian, merged):
    names = random.Random(34).sample(all_modules(debian), 60) + ["ksmbd", "btrfs", "nfsd", "vfio", "f2fs"]
    questions = [f"use {merged}", *(f"plan {name}" for name in names)]
    theirs = [(questions[0], [])] + [(f"plan {name}", modprobe(debian, merged, "-D", name)) for name in names]
    compare_plans(debian, questions, theirs)


# -------------------------------------------------------------------------------------------------- kernel command line

def command_lines():
    chooser = random.Random(4096)
    pieces = ["a.b", "a.b=1", "snd-hda.p=\"x y\"", "\"m.p=x y\"", "x.y.z=1", "quiet", "root=/dev/x.y", "m.=1", ".p=1", "\"",
              "m.p=\"open", "mo\"d.p=1", "\"m.p\"", "--", "modprobe.blacklist=a,b", "modprobe.blacklist=", "[.p=1", "m.p=a\"b c\"d"]
    for _ in range(60):
        yield "".join(chooser.choice(pieces) + chooser.choice((" ", "  ", "\t")) for _ in range(chooser.randint(0, 9))) + "\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives each program a /proc/cmdline of its own")
def test_kernel_command_lines(tree, tmp_path):
    script = "mount --make-private /proc && mount --bind \"$1\" /proc/cmdline && printf 'use /nonexistent\\nconfig\\n' | \"$2\" \"$3\" \"$4\""
    for text in command_lines():
        (tmp_path / "cmdline").write_text(text)
        answers = [run(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh", tmp_path / "cmdline",
                        BUILD / "tests/integration/answers", side, tree]) for side in ("lkmd", "kmod")]
        assert answers[0].returncode == 0, answers[0].stderr
        assert answers[0].stdout == answers[1].stdout, text
