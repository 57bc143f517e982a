# SPDX-License-Identifier: LGPL-2.1-or-later
"""./dev release on repositories made for it: what it makes, and that nothing is left of one that cannot be made.

The repositories have a dev of their own, which writes down what it is asked for. Its "shell" runs the command: these
tests are in the build root already."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

RELEASE = Path(__file__).resolve().parents[1] / "lab/release"
CHANGES = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- The first one.\n"
DEV = """#!/bin/sh
echo "$1" >>build/asked
! grep -qsx "$1" build/to-fail || exit 1
! grep -qsx "$1" build/to-end || { kill -TERM $PPID; exit 1; }
[ "$1" = shell ] || exit 0
shift
exec "$@"
"""
MESON = """project('tiny',
        version: '0.1.0')
test('passes', files('passes'))
"""
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Some Body"), ("EMAIL", "some@body.example"))}


class Repository:
    def __init__(self, path):
        self.path = path
        for name, text in {"CHANGELOG.md": CHANGES, "dev": DEV, "meson.build": MESON, ".gitignore": "/build/\n",
                           "passes": "#!/bin/sh\ntrue\n"}.items():
            self.write(name, text)
        for name in "dev", "passes":
            (path / name).chmod(0o755)
        (path / "tests/lab").mkdir(parents=True)
        shutil.copy(RELEASE, path / "tests/lab/release")
        (path / "build").mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "All of it")
        self.git("tag", "-a", "-m", "the first", "v0.1.0")

    def write(self, name, text):
        (self.path / name).write_text(text)

    def commit(self, name, text):
        self.write(name, text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", f"Change {name}")

    def run(self, *command):
        return subprocess.run(command, cwd=self.path, env=os.environ | IDENTITY, capture_output=True, text=True, check=False)

    def git(self, *words):
        done = self.run("git", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def release(self, *words):
        return self.run("tests/lab/release", *words)

    def asked(self):
        log = self.path / "build/asked"
        return log.read_text().split() if log.exists() else []

    def state(self):
        made = self.path / "build/release"
        return (self.git("for-each-ref"), self.git("symbolic-ref", "-q", "HEAD"), self.git("status", "--porcelain"),
                self.git("worktree", "list"), sorted(str(p) for p in made.rglob("*")))


@pytest.fixture
def repository(tmp_path):
    path = tmp_path / "tiny"
    path.mkdir()
    return Repository(path)


def test_a_release(repository):
    before = repository.git("rev-parse", "HEAD")
    done = repository.release("0.2.0")
    assert done.returncode == 0, done.stderr
    assert repository.asked() == ["lint", "test", "shell"]

    assert repository.git("cat-file", "-t", "v0.2.0") == "tag"
    assert "- A thing." in repository.git("for-each-ref", "--format=%(contents)", "refs/tags/v0.2.0")
    assert repository.git("rev-parse", "v0.2.0^{commit}") == repository.git("rev-parse", "main")
    assert repository.git("rev-parse", "main^") == before
    assert "Signed-off-by: Some Body <some@body.example>" in repository.git("log", "-1", "--format=%B")
    assert repository.git("status", "--porcelain") == ""
    assert len(repository.git("worktree", "list").splitlines()) == 1

    changes = (repository.path / "CHANGELOG.md").read_text()
    today = repository.git("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d")
    assert f"## [Unreleased]\n\n## [0.2.0] - {today}\n\n### Added\n\n- A thing.\n" in changes
    with tarfile.open(repository.path / "build/release/tiny-0.2.0.tar.xz") as tarball:
        assert b"version: '0.2.0'" in tarball.extractfile("tiny-0.2.0/meson.build").read()
        assert tarball.extractfile("tiny-0.2.0/CHANGELOG.md").read().decode() == changes

    assert "has no change under" in repository.release("0.3.0").stderr


def test_the_first_release_has_the_version_that_is_there(repository):
    repository.git("tag", "-d", "v0.1.0")
    repository.commit("CHANGELOG.md", CHANGES.replace("## [0.1.0] - 2026-01-01", ""))
    done = repository.release("0.1.0")
    assert done.returncode == 0, done.stderr
    assert repository.git("rev-parse", "v0.1.0^{commit}") == repository.git("rev-parse", "main")


def test_skipped_tests_are_said_loudly(repository):
    done = repository.release("--skip-tests", "0.2.0")
    assert done.returncode == 0, done.stderr
    assert repository.asked() == ["lint", "shell"]
    assert "THE TESTS ARE NOT RUN" in done.stderr


@pytest.mark.parametrize("words, said", [
    ([], "usage"),
    (["--skip-tests"], "usage"),
    (["v0.2.0"], "no version"),
    (["0.2"], "no version"),
    (["0.2.0-rc1"], "no version"),
    (["00.2.0"], "no version"),
    (["0.2.0\n"], "no version"),
    (["0.2.0", "0.3.0"], "more than one version"),
    (["--force", "0.2.0"], "no such option"),
    (["0.1.0"], "there is a tag"),
    (["0.0.9"], "not newer"),
])
def test_words_that_are_refused(repository, words, said):
    before = repository.state()
    done = repository.release(*words)
    assert done.returncode == 1
    assert said in done.stderr
    assert repository.asked() == []
    assert repository.state() == before


@pytest.mark.parametrize("change, said", [
    (lambda r: r.git("checkout", "-q", "-b", "other"), "from the branch main"),
    (lambda r: r.git("checkout", "-q", "-b", "main-2"), "from the branch main"),
    (lambda r: r.write("passes", "#!/bin/sh\n"), "not committed"),
    (lambda r: r.write("new", ""), "not committed"),
    (lambda r: r.commit("CHANGELOG.md", CHANGES.replace("- A thing.\n", "")), "no change under"),
    (lambda r: r.commit("CHANGELOG.md", CHANGES.replace("## [Unreleased]", "## News")), "needs one section"),
    (lambda r: r.commit("CHANGELOG.md", CHANGES + "\n## [0.2.0] - 2026-01-02\n\n- x\n"), "a section for 0.2.0"),
    (lambda r: r.commit("meson.build", MESON.replace("0.1.0", "0.10.0")), "older than what meson.build says"),
    (lambda r: r.commit("meson.build", MESON.replace("0.1.0", "")), "says no version"),
])
def test_states_that_are_refused(repository, change, said):
    change(repository)
    before = repository.state()
    done = repository.release("0.2.0")
    assert done.returncode == 1
    assert said in done.stderr
    assert repository.asked() == []
    assert repository.state() == before


def test_a_branch_that_lacks_commits_is_refused(repository, tmp_path):
    repository.run("git", "clone", "-q", "--bare", str(repository.path), str(tmp_path / "hub"))
    repository.git("remote", "add", "origin", str(tmp_path / "hub"))
    repository.git("fetch", "-q")
    repository.git("branch", "-q", "-u", "origin/main")
    repository.commit("passes", "#!/bin/sh\n")
    repository.git("push", "-q")
    repository.git("reset", "-q", "--hard", "HEAD^")
    before = repository.state()
    assert "has commits that this branch does not have" in repository.release("0.2.0").stderr
    assert repository.state() == before

    shutil.rmtree(tmp_path / "hub")
    assert "cannot ask" in repository.release("0.2.0").stderr
    assert repository.state() == before


def no_lint(repository):
    repository.write("build/to-fail", "lint\n")


def no_tests(repository):
    repository.write("build/to-fail", "test\n")


def no_root(repository):
    repository.write("build/to-fail", "shell\n")


def ended(repository):
    repository.write("build/to-end", "shell\n")


def no_key(repository):
    repository.git("config", "user.signingKey", "nobody")
    repository.git("config", "gpg.program", "false")


def no_test_passes(repository):
    repository.commit("passes", "#!/bin/sh\nfalse\n")


@pytest.mark.parametrize("obstacle, said", [
    (no_lint, "nothing was changed"),
    (no_tests, "nothing was changed"),
    (no_key, "could not make the tag"),
    (no_root, "could not make the tarball"),
    (no_test_passes, "could not make the tarball"),
    (ended, ""),
])
def test_nothing_is_left_of_what_fails(repository, obstacle, said):
    obstacle(repository)
    before = repository.state()
    done = repository.release("0.2.0")
    assert done.returncode != 0
    assert said in done.stderr
    assert "is made" not in done.stderr
    assert repository.state() == before


def test_a_release_after_one_that_was_ended(repository):
    ended(repository)
    assert repository.release("0.2.0").returncode != 0
    (repository.path / "build/to-end").unlink()
    done = repository.release("0.2.0")
    assert done.returncode == 0, done.stderr
