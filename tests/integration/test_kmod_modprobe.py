# SPDX-License-Identifier: LGPL-2.1-or-later
"""modprobe without lkmd beside kmod's own: what is loaded and removed, with what, in which order, and what is said about it.
What is meant to differ is in DIFFERENCES, and in docs/kmod-differences.md."""

import errno
import re
import shutil

import pytest

from kmod_bench import KMOD, OTHER, RELEASE, World
from lkmctl_bench import LKMCTL


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("kmod"))


def cases(*rows):
    """Arguments in one text, and what else the case has."""
    rows = [row if isinstance(row, tuple) else (row, {}) for row in rows]
    return pytest.mark.parametrize("arguments, case", [pytest.param(text.split(" ") if text else [], case, id=text or "nothing")
                                                       for text, case in rows])


# ---------------------------------------------------------------------------------------------------------- loads

@cases("plain", "with-dash", "with_dash", "top", "mid", "para one=1", "para one=1 two=x", "soft", "soft-top", "packed-xz", "packed-zst",
       "packed-gz", "nosuch", "no-such", "gone", "needs-gone", "in-kernel", "pci:v00008086d000010D3sv0000", "common-alias", "common-x",
       "common_alias", "range-ax", "range-dx", "range-[a", "symbol:plain_symbol", "alg-built-in", "PLAIN", "plain.ko", "kernel/plain.ko",
       "-v plain", "-v top", "-v soft-top", "-v packed-zst", "-v common-alias", "-q plain", "-q nosuch", "-qv nosuch", "-vv nosuch", "-v nosuch",
       "-vv plain", "-vvv plain", "-vq plain", "", "-v in-kernel", "--first-time in-kernel", "-- plain", "-- -v", "plain -v", "plain -- one=1",
       "a" * 300, "pci:" + "v" * 3000)
def test_load(world, arguments, case):
    world.same(*arguments, **case)


def failing(module, number):
    return {"fails": {module: number}}


@cases(("fails", failing("fails", errno.ENODEV)), ("-v fails", failing("fails", errno.ENODEV)), ("-q fails", failing("fails", errno.EINVAL)),
       ("needs-fails", failing("fails", errno.ENOENT)), ("needs-fails", failing("fails", errno.EEXIST)), ("fails", failing("fails", errno.EEXIST)),
       ("--first-time fails", failing("fails", errno.EEXIST)), ("--first-time needs-fails", failing("fails", errno.EEXIST)),
       ("fails", failing("fails", errno.ENOEXEC)), ("fails", failing("fails", errno.EKEYREJECTED)), ("fails", failing("fails", errno.ENOENT)),
       ("fails", failing("fails", errno.EPERM)), ("soft", failing("soft_pre", errno.ENODEV)), ("soft", failing("soft_post", errno.ENODEV)),
       ("soft", failing("soft", errno.ENODEV)), ("common-alias", failing("pci_one", errno.ENODEV)), ("common-alias", failing("pci_two", errno.ENODEV)),
       ("-a fails plain nosuch", failing("fails", errno.ENODEV)), ("-a plain fails", failing("fails", errno.ENODEV)), ("-s fails", failing("fails", 5)))
def test_load_that_fails(world, arguments, case):
    world.same(*arguments, **case)


LIVE = {"loaded": ["plain"]}


@cases(("plain", LIVE), ("-v plain", LIVE), ("plain one=1", LIVE), ("--first-time plain", LIVE), ("-q --first-time plain", LIVE), ("-a plain para", LIVE),
       ("-f plain", LIVE), ("-i plain", LIVE), ("-n plain", LIVE), ("-nv plain", LIVE), ("-D plain", LIVE), ("-R plain", LIVE),
       ("top", {"loaded": ["base"]}), ("-v top", {"loaded": ["base", "mid"]}), ("-D top", {"loaded": ["base", "mid"]}), ("-nv top", {"loaded": ["base"]}),
       ("common-alias", {"loaded": ["pci-one"]}), ("common-alias", {"loaded": ["pci-one", "pci-two"]}), ("-v soft", {"loaded": ["soft-pre"]}),
       ("plain", {"state": {"plain": "coming"}}), ("plain", {"state": {"plain": "going"}}), ("plain", {"state": {"plain": "strange"}}),
       ("symbol:plain_symbol", LIVE), ("PLAIN", LIVE), ("nosuch", {"state": {"nosuch": "live"}}), ("plain", {"loaded": ["plain"], "conf": "blacklist plain\n"}),
       ("plain", {"loaded": ["plain"], "conf": "install plain echo ran\n"}), ("plain", {"loaded": ["plain"], "conf": "alias plain para\n"}),
       ("plain", {"loaded": ["plain"], "conf": "install plain\n"}), ("in-kernel", {"state": {"in_kernel": "live"}}),
       ("packed-xz", {"loaded": ["packed-xz"]}), ("gone", {"state": {"gone": "live"}}), ("--first-time soft", {"loaded": ["soft-pre", "soft-post"]}))
def test_load_of_what_is_there(world, arguments, case):
    world.same(*arguments, **case)


@cases("-a plain para", "-a plain nosuch para", "-a nosuch neither", "-aq nosuch plain", "-av top side", "-a plain one=1", "-a plain plain", "--all plain top",
       "-a", "-aR plain nosuch top", "-aD top side", "-aiD top soft plain", "-aD plain nosuch top", "-aqD nosuch soft-top packed-xz", "-aDv top in-kernel", "plain nosuch")
def test_several(world, arguments, case):
    world.same(*arguments, **case)


# -------------------------------------------------------------------------------------------------------- options

@cases("-f plain", "--force plain", "--force-modversion top", "--force-vermagic top", "--force-v plain", "--force-m plain", "--forc plain", "-f packed-xz",
       "-fv top", "-i plain", "--ignore-install plain", "--ignore-remove plain", "-i soft", "-i soft-top", "--ignore-i soft", "-b plain", "--use-blacklist plain",
       "--first-time plain", "--fir plain", "-n plain", "--dry-run top", "--show top", "-nv top", "-n nosuch", "--dry plain", "-R top", "--resolve-alias top",
       "--res common-alias", "-q plain", "--quiet nosuch", "-v plain", "--verbose plain", "--verb plain", "-s plain", "--syslog nosuch", "-D plain",
       "--show-depends top", "--show-d soft-top", "-nq top", "-Dq top", "-qD nosuch", "-vD plain", "-Dn top", "-vR top", "-vn soft")
def test_options(world, arguments, case):
    world.same(*arguments, **case)


@cases("-x plain", "--nosuch plain", "--force=x plain", "-C", "-d", "-S", "-w", "--config", "--show plain -z", "--s plain", "--re plain", "--i plain", "--f plain",
       "-w abc plain", "-w 1x -r plain", "-rw 0x10 plain", "--ve plain", "-q", "-a -v", "-r", "-R", "-D", "-n", "--show-exports", "--show-modversions", "-s",
       "--wait= -r plain", "-qx plain", "-", "-r -", "--remove-", "--version=1", "-b -z")
def test_wrong_usage(world, arguments, case):
    world.same(*arguments, **case)


DIRECTORY = {"cwd": "/"}


@cases(f"-S {OTHER} -D plain", f"-S {OTHER} -D elsewhere", f"--set-version={OTHER} -R elsewhere", f"-S {RELEASE} -D top", "-S nosuch plain", "-S nosuch -D plain",
       f"-S {RELEASE} top", f"-S {OTHER} elsewhere", "-d / -D plain", "-d /nonexistent plain", "-d . -D plain", "-d ./ -D top", "-d . -R common-alias", "-d . plain",
       f"-d . -S {OTHER} -D elsewhere", "--dirname=. -D plain", "--dirname . top", f"-S {OTHER} -c", "-d /" + "x" * 4096 + " plain")
def test_other_trees(world, arguments, case):
    world.same(*arguments, **case)


@cases("/tmp/nosuch.ko", "./nosuch.ko", "./plain.ko", "./own-name.ko", "./top.ko", "-v ./top.ko", "-D ./top.ko", "-R ./plain.ko", "./text.ko", "./empty.ko",
       "-f ./plain.ko", "-i ./plain.ko", "./plain.ko one=1 two", "-a ./plain.ko ./own-name.ko", "./needs", "-q ./nosuch.ko", "-a ./nosuch.ko plain", "../plain.ko",
       "-r ./plain.ko", ("./plain.ko", LIVE), ("--first-time ./plain.ko", LIVE), ("-n ./plain.ko", LIVE), ("./plain.ko", {"conf": "options plain one=2\n"}),
       ("./plain.ko", {"conf": "install plain echo in its place\n"}), ("./plain.ko", {"conf": "blacklist plain\n"}), ("-b ./plain.ko", {"conf": "blacklist plain\n"}))
def test_files(world, arguments, case):
    world.same(*arguments, **case)


@cases("para one=1", "para two=a,b", "para one", "para =x", "para one= two", "para one=1 one=2", "-v para one=1 two=x", ("-v para one=9", {"conf": "options para one=1 two=a\n"}),
       ("para", {"conf": "options para one=1\noptions para two=x\n"}), ("top x=1", {"conf": "options base b=1\noptions mid m=1\n"}),
       ("-D para", {"conf": "options para   one=1\ttwo=2  \n"}), ("-D para", {"conf": "options para\n"}), ("-D para two=3", {"conf": "options para one=1\n"}),
       ("-D common-alias z=1", {"conf": "options pci_one a=1\noptions common-alias b=1\noptions common-* c=1\n"}),
       ("-D nick z=1", {"conf": "alias nick para\noptions nick a=1\noptions para b=1\n"}), ("-D ni-ck", {"conf": "alias ni* para\noptions ni* a=1\noptions ni_ck b=1\n"}),
       ("-D para", {"cmdline": "para.one=1 para.two=x,y other.a=b"}), ("-D para one=3", {"conf": "options para one=2\n", "cmdline": "para.one=1"}),
       ("-D with-dash", {"cmdline": "with-dash.a=1 with_dash.b"}), ("-D para", {"cmdline": "para.two=\"a b\" \"para.one=c d\""}), ("-D para", {"cmdline": "para.x.y=1 -- para.z=1"}))
def test_parameters(world, arguments, case):
    world.same(*arguments, **case)


@pytest.mark.parametrize("words", [("para", "two=a b"), ("para", 'two="a b"'), ("para", "two='a b'"), ("para", "a b"), ("para", ""), ("para", "", "one=1"),
                                   ("para", "two=a b", "one=1"), ("para", "one=1", "two= "), ("",), ("-a", "", "plain"), (" ",), ("plain ",), ("para", "two=a=b c")])
def test_blanks(world, words):
    world.same("-v", *words)


# -------------------------------------------------------------------------------------------------- configuration

MASKED = {"conf": {"usr/x.conf": "options para a=usr\n", "etc/x.conf": "options para b=etc\n", "run/y.conf": "options para c=run\n", "local/w.conf": "options para d=local\n"}}
SORTED = {"conf": {"etc/50.conf": "options para e=50\n", "run/10.conf": "options para r=10\n", "usr/99.conf": "options para u=99\n", "local/9.conf": "options para l=9\n"}}


@cases(("-D para", MASKED), ("-D para", SORTED), ("-c", SORTED), ("-D para", {"conf": {"usr/x.conf": "options para a=1\n", "etc/x.conf": ""}}),
       ("-D para", {"conf": {"usr/x.conf": "options para a=1\n", "run/x.conf": None}}), ("-D para", {"conf": {"etc/x.txt": "options para a=1\n", "etc/.x.conf": "options para b=1\n"}}),
       ("-D para", {"conf": {"etc/d.conf/x.conf": "options para a=1\n"}}), ("-D para", {"conf": "options para a=1 \\\n  b=2\n"}), ("-D para", {"conf": "options para a=1 # b=2\n"}),
       ("-D para", {"conf": "# options para a=1\n  options para b=2\n\t#options para c=3\n"}), ("-D para", {"conf": "options para a=1\r\n"}), ("plain", {"conf": "nonsense\nblacklist\n"}),
       ("-q plain", {"conf": "nonsense plain\n"}), ("plain", {"conf": "include /etc/other\nconfig x\n"}), ("plain", {"conf": "alias plain\ninstall x\noptions\nsoftdep\n"}),
       ("-R x", {"conf": "alias [x plain\n"}), ("plain", {"conf": "Blacklist plain\nBLACKLIST plain\n"}), ("-D para", {"conf": b"\xef\xbb\xbfoptions para a=1\n"}),
       ("-D para", {"conf": "options para a=1"}), ("-D para", {"conf": "options para a=\\\"x\\\"\n"}), ("-D para", {"conf": "options  para\ta=1\n"}), ("-s plain", {"conf": "nonsense\n"}))
def test_configuration(world, arguments, case):
    world.same(*arguments, **case)


@cases(("-C one.conf -D para", {}), ("-C nosuch -D para", {"conf": "options para a=1\n"}), ("-C /dev/null -D para", {"conf": "options para a=1\n"}),
       ("-C one.conf -C two.d -D para", {}), ("--config=two.d -D para", {}), ("-C two.d -C one.conf -c", {}), ("-C one.conf para", {}), ("-C . -D para", {}), ("-Cone.conf -R nick", {}))
def test_other_configuration(world, arguments, case):
    (world.root / "one.conf").write_text("options para one=1\nalias nick para\n")
    (world.root / "two.d").mkdir(exist_ok=True)
    (world.root / "two.d/b.conf").write_text("options para two=b\n")
    world.same(*arguments, **case)


ALIASES = {"conf": "alias nick plain\nalias multi para\nalias multi plain\nalias gl*b top\nalias plain para\nalias to-nothing nosuch\nalias chain nick\nalias x-off off\nalias [ab]c mid\n"}


@cases(*((text, ALIASES) for text in ("nick", "-R nick", "-R multi", "multi", "-D glob", "-R gl/b", "plain", "-R plain", "to-nothing", "-R to-nothing", "-D to-nothing", "chain", "-R chain",
                                      "-v x-off", "-R ac", "-R cc", "-a nick glob", "-D multi", "ni_ck", "-n to-nothing", "-c")))
def test_aliases(world, arguments, case):
    world.same(*arguments, **case)


BLACKLISTED = {"conf": "blacklist pci-one\nblacklist plain\nblacklist base\nblacklist soft-pre\nblacklist nick\nalias nick para\nalias other plain\n"}


@cases(*((text, BLACKLISTED) for text in ("plain", "-b plain", "common-alias", "-b common-alias", "-v pci:v00008086d000010D3sv0000", "other", "nick", "-b nick", "top", "-b top", "-b base", "-R other",
                                          "-D other", "-Db plain", "-v soft", "-b soft", "--first-time other", "-a plain other", "-ab plain para", "-nbv plain", "-bq plain")),
       ("other", {"conf": "alias other plain\n", "cmdline": "modprobe.blacklist=plain,para"}), ("-b plain", {"cmdline": "modprobe.blacklist=para modprobe.blacklist=plain"}),
       ("-b plain", {"cmdline": "module_blacklist=plain"}), ("-b plain", {"conf": "blacklist pl*\n"}), ("-b with-dash", {"conf": "blacklist with-dash\n"}))
def test_blacklists(world, arguments, case):
    world.same(*arguments, **case)


COMMANDS = {"conf": """install plain echo "for $MODPROBE_MODULE: $CMDLINE_OPTS" >&2
install base echo base; exit 3
install kil* kill -9 $$
install para modprobe --ignore-install para $CMDLINE_OPTS
install virtual modprobe -a plain side
install soft echo not reached
install soft_pre /bin/true
install pci_one /bin/false
install mid echo "$MODPROBE_OPTIONS"
options plain one=1
alias killer killer-module
remove plain echo "remove $MODPROBE_MODULE [$CMDLINE_OPTS]"
remove side exit 1
remove virtual modprobe -r para
remove para modprobe -r --ignore-remove para
"""}


@cases(*((text, COMMANDS) for text in ("plain", "plain two=2", "-v plain", "-q plain", "-D plain", "-n plain", "-nv plain two=2", "-i plain", "-D top", "top", "-i base", "para", "para one=1", "-v para",
                                       "-qv para", "virtual", "-D virtual", "-v virtual", "-R virtual", "soft", "-v soft", "pci-one", "common-alias", "-v pci-one", "-q pci-one",
                                       "mid", "-q mid", "-v mid", "-C one.conf mid", "--first-time plain", "-a plain para", "-f plain", "-i soft", "-b plain", "killer")),
       *((text, {**COMMANDS, "loaded": ["plain", "para", "side"]})
         for text in ("plain", "-r plain", "-rv plain", "-rn plain", "-rnv plain", "-ri plain", "-r side", "-r para", "-rv para", "-r virtual", "-rq side", "-ra side plain", "-r side plain", "-r --first-time plain")))
def test_commands(world, arguments, case):
    (world.root / "one.conf").write_text("install mid echo \"$MODPROBE_OPTIONS\"\n")
    world.same(*arguments, env={"ASAN_OPTIONS": "exitcode=99:detect_leaks=0"}, **case)


SOFTDEPS = {"conf": "softdep plain pre: para post: side\nsoftdep para pre: plain\nsoftdep top pre: nosuch gone post: common-alias\nsoftdep plain pre: top\n"
                    "softdep pci* pre: with-dash\nweakdep mid side\nsoftdep packed_xz  pre: side\nsoftdep mid\n"}


@cases(*((text, SOFTDEPS) for text in ("plain", "-v plain", "-D plain", "para", "-D top", "-v top", "-D common-alias", "-i plain", "-D packed-xz", "-c", "-nv mid")),
       ("-D soft", {"conf": "softdep soft pre: plain\n"}), ("-D soft", {"conf": {"zz.conf": "softdep soft pre: plain\n"}}), ("-r soft", {"loaded": ["soft-pre", "soft", "soft-post"]}),
       ("-rv plain", {**SOFTDEPS, "loaded": ["plain", "para", "side"]}), ("-rv top", {**SOFTDEPS, "loaded": ["base", "mid", "top", "pci-one", "pci-two", "with-dash"]}))
def test_softdeps(world, arguments, case):
    world.same(*arguments, **case)


# -------------------------------------------------------------------------------------------------------- removal

CHAIN = {"loaded": ["base", "mid", "top", "side", "plain"]}


@cases(*((text, CHAIN) for text in ("-r top", "-rv top", "-r mid", "-rq mid", "-r plain", "-r plain side", "-r nosuch", "-rq nosuch plain", "-r nosuch plain", "-ra nosuch plain", "-r para", "-r mid plain",
                                    "-ra mid plain", "-r --first-time para", "-rq --first-time para plain", "-r in-kernel", "-ra in-kernel plain", "-rf plain", "-rf mid", "-rfv top", "-rn top", "-rnv top",
                                    "-r --remove-holders mid", "-rv --remove-dependencies mid", "-r --remove-holders base", "-ra --remove-holders base plain", "-r --remove-holders plain", "-rD top", "-rDv mid",
                                    "--remove top", "--remov plain", "-ri top", "-r common-alias", "-rb plain", "-r symbol:plain_symbol", "-rR plain", "-rw 1 plain", "-r --wait=1 plain", "-rw 0 plain",
                                    "-r PLAIN", "-r", "-r plain --first-time plain", "-rs mid", "--remove-holders plain", "-w 1 plain")),
       ("-r plain", {"loaded": ["plain"], "stays": {"plain": errno.EBUSY}}), ("-rq plain", {"loaded": ["plain"], "stays": {"plain": errno.EBUSY}}),
       ("-rf plain", {"loaded": ["plain"], "stays": {"plain": errno.EPERM}}), ("-r plain", {"loaded": ["plain"], "refs": {"plain": 3}}), ("-rf plain", {"loaded": ["plain"], "refs": {"plain": 3}}),
       ("-r top", {"loaded": ["base", "mid", "top"], "stays": {"mid": errno.EBUSY}}), ("-r plain", {"state": {"plain": "live"}}), ("-r plain", {"state": {"plain": "going"}}),
       ("-r plain", {"loaded": ["plain"], "stays": {"plain": errno.EEXIST}}), ("-r --first-time plain", {"loaded": ["plain"], "stays": {"plain": errno.EEXIST}}),
       ("-r common-alias", {"loaded": ["pci-one", "pci-two"]}), ("-r common-alias", {"loaded": ["pci-two"]}), ("-r nick", {"loaded": ["plain"], "conf": "alias nick plain\n"}),
       ("-rw 20 plain", {"loaded": ["plain"], "stays": {"plain": errno.EBUSY}}), ("-r plain", {"loaded": ["plain"], "conf": "blacklist plain\n"}))
def test_removal(world, arguments, case):
    world.same(*arguments, **case)


# -------------------------------------------------------------------------------------------------------- queries

@cases(*(f"-R {key}" for key in ("plain", "with-dash", "in-kernel", "alg-built-in", "common-alias", "common-", "pci:v00008086d000010D3sv1", "pci:v00008086d1sv1", "range-bz", "range_bz", "nosuch",
                                 "symbol:base_symbol", "symbol:nosuch", "", "a*", "common-*", "range-[a-c]x", "x]", "plain.ko", "plain para", "top:x", "-- plain", "x" * 2000)),
       "-c", "-qc", "-c plain", "-vc", "--showconfig", "--show-config", "-D in-kernel", "-D alg-built-in", "-D gone", "-D needs-gone", "-D packed-zst", "-D fails",
       "--show-exports ./plain.ko", "--show-exports ./nosuch.ko", "--show-modversions ./plain.ko", "--dump-modversions ./nosuch.ko", "--show-exports ./text.ko", "--show-modversions plain",
       "--show-exports plain", "-q --show-exports ./nosuch.ko", "-a --show-exports ./nosuch.ko", "--show-modversions ./text.ko")
def test_queries(world, arguments, case):
    world.same(*arguments, **case)


@pytest.fixture(scope="module")
def broken(world):
    """Copies of the modules, each with something missing or damaged."""
    made = {}

    def lib(what):
        if what in made:
            return made[what]
        copy = world.root / f"broken-{len(made)}"
        shutil.copytree(world.root / "lib/modules", copy)
        directory = copy / RELEASE
        verb, _, file = what.partition(" ")
        if verb == "without":
            (directory / file).unlink()
        elif verb == "empty":
            (directory / file).write_bytes(b"")
        elif verb == "damaged":
            (directory / file).write_bytes(b"\0" * 64)
        elif verb == "cut":
            (directory / file).write_bytes((directory / file).read_bytes()[:13])
        elif verb == "none":
            shutil.rmtree(directory)
        made[what] = copy
        return copy
    return lib


@pytest.mark.parametrize("what", [f"{verb} modules.{file}.bin" for verb in ("without", "empty", "damaged", "cut") for file in ("dep", "alias", "symbols", "builtin", "builtin.alias")] +
                         ["without modules.softdep", "none at all", "without modules.order"])
@pytest.mark.parametrize("words", ["-D top", "-R common-alias", "-a in-kernel symbol:plain_symbol", "plain"])
def test_broken_index(world, broken, what, words):
    world.same(*words.split(), lib=broken(what), loaded=["plain"] if words == "plain" else [])


# ---------------------------------------------------------------------------------------------------- environment

@pytest.mark.parametrize("options", ["-v", "-n -v", "", " ", "-q", "-C one.conf", "-C 'one.conf'", "-S \"" + OTHER + "\" -D", "-D --", "\"-v\" -n", "-x", "-v ", " -v", "-a", "-r", "-d'/nonexistent'"])
@pytest.mark.parametrize("words", ["para one=1", "nosuch"])
def test_options_in_the_environment(world, options, words):
    (world.root / "one.conf").write_text("options para two=2\n")
    world.same(*words.split(), env={"MODPROBE_OPTIONS": options})


@pytest.mark.parametrize("words", ["nosuch", "-r nosuch", "plain", "-v plain"])
def test_closed_standard_error(world, words):
    """The message goes to the system log, which nobody has here."""
    world.same(*words.split(), closed=(2,))


# ---------------------------------------------------------------------------------------------------- differences

BUSY = {"loaded": ["plain"], "refs": {"plain": 1}}
DIFFERENCES = [  # arguments, case, kmod's status and ours
    ("-rw 20 plain", BUSY, 0, 1),       # still in use when the time is over
    ("--help", {}, 0, 0),               # words of their own
    ("-h plain", {}, 0, 0),
    ("-V", {}, 0, 0),                   # the version of kmod that it is like, and lkmd's
    ("--version", {}, 0, 0),
]


@pytest.mark.parametrize("text, case, kmods, own", DIFFERENCES, ids=lambda value: value if isinstance(value, str) else "")
def test_differences(world, text, case, kmods, own):
    theirs, ours = (world.run(program, text.split(), case) for program in (KMOD, LKMCTL))
    assert (theirs[0], ours[0]) == (kmods, own)
    assert ours[1:] != theirs[1:] or kmods != own
    assert ours[3:] == theirs[3:] or "w" in text


def test_version_begins_as_kmods(world):
    """Scripts read the number behind "kmod version"."""
    assert all(world.run(program, ["-V"])[1].startswith("kmod version 34") for program in (KMOD, LKMCTL))


def test_help_names_the_same_options(world):
    def options(program):
        return set(re.findall(r"(?<![-\w])--?[a-zA-Z][a-z-]*", world.run(program, ["--help"])[1]))
    assert options(KMOD) - {"-uname", "--force-modversions"} <= options(LKMCTL)
