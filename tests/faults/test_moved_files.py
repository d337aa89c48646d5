"""Somebody moves or removes the files of a daemon that trades: it ends, loudly, and what it acknowledged is there."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from natya_processes import await_that
from natya_recordings import write_candles
from natya_starts import Natya

from natya.actors.journal import JournalView
from natya.actors.journal.disk import RealDisk
from natya.actors.journal.tools import verify
from natya.cli.exit_codes import BAD_DATA, CANNOT_CREATE

IN_TWO_MINUTES = "5000"
"""The speed at which the recording outlasts any run."""

SEVERAL_ORDERS = 8
"""Facts: each order has three, in two commits."""


def move_journal(data_dir):
    (data_dir / "journal").rename(data_dir / "journal.moved")
    return data_dir / "journal.moved"


def remove_lock(data_dir):
    (data_dir / "natya.lock").unlink()
    return data_dir / "journal"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return write_candles(tmp_path_factory.mktemp("recording") / "candles.csv", 30_000)


@pytest.fixture
def daemon(tmp_path, recording):
    command = ["run", "--replay", str(recording), "--symbol", "RELIANCE"]
    command += ["--data-dir", str(tmp_path / "data"), "--speed", IN_TWO_MINUTES, "--summary", "json"]
    with Natya(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True) as process:
        yield process
        process.kill()


def has_traded(data_dir):
    """Whether there are facts of several orders: the first that a reader sees may not be durable, and be taken back."""
    journal = data_dir / "journal"
    return journal.is_dir() and JournalView.of_directory(RealDisk(), journal).last_sequence > SEVERAL_ORDERS


class TestADaemonThatTrades:
    @pytest.mark.parametrize(
        ("accident", "code"),
        [(move_journal, BAD_DATA), (remove_lock, CANNOT_CREATE)],
        ids=["journal moved", "lock removed"],
    )
    def test_ends_and_begins_nothing_anew(self, daemon, tmp_path, accident, code):
        await_that(lambda: has_traded(tmp_path / "data"))
        journal = accident(tmp_path / "data")
        _, complaints = daemon.communicate(timeout=60)

        assert daemon.returncode == code, complaints
        assert "was moved, removed or replaced" in complaints
        assert verify(journal).records > 0
        assert len(list((tmp_path / "data").rglob("journal.mark"))) == 1

    def test_whose_data_directory_is_removed_ends_and_makes_no_journal(self, daemon, tmp_path):
        await_that(lambda: has_traded(tmp_path / "data"))
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        _, complaints = daemon.communicate(timeout=60)

        assert daemon.returncode in {BAD_DATA, CANNOT_CREATE}, complaints  # whoever looks first
        assert not list((tmp_path / "data").rglob("*.journal"))
