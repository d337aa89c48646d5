"""Which commit runs, as `natya_build_info` tells it."""

import json
import subprocess
from importlib.metadata import Distribution

import pytest

from natya.actors.observability import Counters, build, commit, prometheus_text

COMMIT, OTHER = "0123456789abcdef0123456789abcdef01234567", "f" * 40


@pytest.fixture
def package(tmp_path):
    (tmp_path / "natya").mkdir()
    return tmp_path / "natya"


@pytest.fixture
def git(package):
    (package / ".git" / "refs" / "heads").mkdir(parents=True)
    (package / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return package / ".git"


class TestTheCommitOfACheckout:
    def test_is_that_of_the_branch_it_is_on(self, package, git):
        (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")

        assert commit(package) == COMMIT

    def test_is_found_where_branches_are_packed(self, package, git):
        (git / "packed-refs").write_text(
            f"# pack-refs\n{OTHER} refs/heads/old/refs/heads/main\n{COMMIT} refs/heads/main\n"
        )

        assert commit(package) == COMMIT

    def test_is_that_of_no_branch(self, package, git):
        (git / "HEAD").write_text(f"{COMMIT}\n")

        assert commit(package) == COMMIT

    def test_is_what_git_says_of_a_checkout_and_of_a_second_one_beside_it(self, package, tmp_path):
        def git(*words, folder=package):
            made = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *words]
            return subprocess.run(made, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()

        git("init", "-q")
        git("commit", "-q", "--allow-empty", "-m", "one")
        git("worktree", "add", "-q", "-b", "second/branch", str(tmp_path / "second"))
        git("commit", "-q", "--allow-empty", "-m", "two")

        assert commit(package) == git("rev-parse", "HEAD")
        assert commit(tmp_path / "second") == git("rev-parse", "HEAD", folder=tmp_path / "second") != commit(package)

    @pytest.mark.parametrize(
        "head",
        [
            "",
            "ref: refs/heads/gone",
            "ref: ../../secret",
            "ref: refs/../../secret",
            "ref: /etc/hostname",
            "ref: other",
            "x" * 40,
        ],
    )
    def test_is_unknown_where_git_does_not_say_it(self, package, git, head):
        (git / "HEAD").write_text(head)
        (package / "secret").write_text(COMMIT)
        (git / "other").write_text(COMMIT)

        assert commit(package) == ""


class TestTheCommitOfAnInstallation:
    @pytest.fixture
    def installed(self, package, monkeypatch):
        def install(origin):
            information = package.parent / "natya-1.dist-info"
            information.mkdir()
            (information / "METADATA").write_text("Name: natya\nVersion: 1\n")
            if origin is not None:
                (information / "direct_url.json").write_text(json.dumps(origin))
            monkeypatch.setattr(build, "distribution", lambda _: Distribution.at(information))

        return install

    @pytest.mark.parametrize(
        ("origin", "found"),
        [
            ({"url": "https://x", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}, COMMIT),
            ({"url": "file:///x", "dir_info": {}}, ""),
            (None, ""),
        ],
    )
    def test_is_what_pip_has_noted(self, package, installed, origin, found):
        installed(origin)

        assert commit(package) == found

    def test_is_not_that_of_another_one(self, package, installed):
        installed({"vcs_info": {"commit_id": COMMIT}})

        assert commit(package.parent / "elsewhere") == ""


def test_what_runs_is_told_to_prometheus(a_view):
    text = prometheus_text(a_view(), Counters(), commit=COMMIT)

    assert f'natya_build_info{{commit="{COMMIT}",' in text
