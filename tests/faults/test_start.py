"""What keeps a system from starting, and what must not: a full disk, a stranger's server, what a dead one left."""

import os
import signal
import socket
import subprocess
import textwrap

import pytest
from natya_processes import await_that, is_alive
from natya_starts import WITH_HELPERS, Natya, Python, run_natya, run_python
from typer.testing import CliRunner

from natya.actors.control import AskRefusedError, ControlClient
from natya.cli.app import app
from natya.cli.exit_codes import BAD_DATA, BUSY, CANNOT_CREATE, OK, SETTINGS, UNAVAILABLE

NOBODY = 65534

FULL = """
import sys
from pathlib import Path
from natya_small_disks import Ballast, mount_small_disk
from natya.cli import main
disk = Path(sys.argv.pop(1))
mount_small_disk(disk, 40 << 20)
ballast = Ballast(disk)
ballast.leave(int(sys.argv.pop(1)))
try:
    main()
except SystemExit as end:
    print(end.code, *sorted(each.name for each in (disk / "data").iterdir()), flush=True)
ballast.go()
main()
"""

POOLED = """
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

import natya

def work(path):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(600)

class Pooled(natya.StrategyActor):
    def on_begin(self):
        self.pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"))
        for _ in range(2):
            self.pool.submit(work, "children.txt")
"""


def run(*arguments, cwd, **options):
    return run_natya(*arguments, cwd=cwd, **options)


class TestAFullDisk:
    @pytest.mark.parametrize("free_bytes", [0, 1_000_000])
    def test_at_the_start_is_told_with_the_path_and_leaves_nothing_in_the_way(self, tmp_path, free_bytes):
        (tmp_path / "disk").mkdir()
        command = [tmp_path / "disk", free_bytes]
        command += ["run", "--data-dir", tmp_path / "disk" / "data", "--duration", "0.2", "--summary", "json"]
        for key in ("restarts_max", "fail_max", "escalate_after"):
            command += ["--set", f"supervision.{key}=1"]
        done = run_python(FULL, *command, env=os.environ | WITH_HELPERS)

        code, *left = done.stdout.split("\n")[0].split()
        assert int(code) == CANNOT_CREATE
        assert "No space left on device" in done.stderr
        assert str(tmp_path / "disk" / "data") in done.stderr
        assert not any(".corrupt-" in name for name in left)
        assert done.returncode == OK, done.stderr  # the same process, with room again


class TestForksOfASystem:
    def test_keep_nobody_from_starting_after_it_was_killed(self, tmp_path):
        (tmp_path / "pooled.py").write_text(textwrap.dedent(POOLED))
        arguments = ["run", "--strategy", "pooled:Pooled", "--data-dir", "data", "--summary", "json"]
        children = tmp_path / "children.txt"
        with Natya(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, start_new_session=True) as process:
            try:
                await_that(lambda: children.exists() and len(children.read_text().split()) == 2)
                assert run(*arguments, "--duration", "0.1", cwd=tmp_path).returncode == BUSY
                process.kill()
                process.wait()
                assert all(is_alive(int(pid)) for pid in children.read_text().split())

                done = run("db", "query", "select 1 as one", "--csv", "--data-dir", "data", cwd=tmp_path)
                assert (done.stdout.split(), done.returncode) == (["one", "1"], OK), done.stderr
                plain = ["run", "--data-dir", "data", "--summary", "json", "--duration", "0.1"]
                again = run(*plain, cwd=tmp_path)
                assert again.returncode == OK, again.stderr
            finally:
                os.killpg(process.pid, signal.SIGKILL)


class TestAPathThatCannotBe:
    @pytest.mark.parametrize(
        ("path", "reason"), [("~nosuchuser/x", "~nosuchuser"), ("back\\slash", "backslash"), ("q?1", "question mark")]
    )
    @pytest.mark.parametrize("command", ["run", "db stat", "db rebuild", "tree", "config check"])
    def test_is_refused_with_the_reason(self, tmp_path, monkeypatch, path, reason, command):
        monkeypatch.chdir(tmp_path)
        option = ["--set", f"system.data_dir={path}"] if command == "config check" else ["--data-dir", path]
        done = CliRunner().invoke(app, [*command.split(), *option], env={"COLUMNS": "500"})

        if command == "tree" and not path.startswith("~"):
            assert done.exit_code == UNAVAILABLE  # it opens no database
        else:
            assert done.exit_code == SETTINGS, done.output
            assert reason in done.output
        assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
class TestAStrangersServer:
    @pytest.fixture
    def stranger(self, tmp_path):
        """A process of another user's that listens where a system would."""
        script = (
            "import os, socket, sys\n"
            "listener = socket.socket(socket.AF_UNIX)\n"
            "listener.bind(sys.argv[1])\n"  # as root: no folder has to let the other user through
            f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
            "listener.listen()\n"  # whose socket it is, the kernel notes now
            "print('up', flush=True)\n"
            "peer, _ = listener.accept()\n"
            "print(peer.recv(100), flush=True)\n"
        )
        command = [script, str(tmp_path / "control.sock")]
        with Python(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "up\n"
            yield process
            process.kill()

    def test_is_told_nothing_and_believed_nothing(self, tmp_path, stranger):
        with pytest.raises(AskRefusedError, match=f"of user {NOBODY}, and this is user 0") as refusal:
            ControlClient(tmp_path, monotonic_ns=lambda: 0)
        assert refusal.value.kind == "forbidden"
        assert stranger.stdout.readline() == "b''\n"

    @pytest.mark.parametrize("command", [["db", "query", "select 1"], ["tree"]])
    def test_is_refused_by_each_command(self, tmp_path, stranger, command):
        done = run(*command, "--data-dir", tmp_path, cwd="/")

        assert done.returncode == UNAVAILABLE
        assert f"user {NOBODY}" in done.stderr


def test_a_socket_of_ones_own_user_is_connected_to(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()
        ControlClient(tmp_path, monotonic_ns=lambda: 0).close()


class TestADatabasePathThatNamesSomethingElse:
    def test_keeps_the_system_from_starting_and_the_file_as_it_is(self, tmp_path):
        mine = tmp_path / "prices.csv"
        mine.write_text("date,close\n2026-01-02,100\n")
        options = ["--data-dir", str(tmp_path / "data"), "--set", f"database.path={mine}", "--duration", "1"]
        done = CliRunner().invoke(app, ["run", *options], env={"COLUMNS": "500"})

        assert done.exit_code == BAD_DATA, done.output
        assert (
            f"{mine} cannot be opened: a file of DuckDB wanted, found one that begins with b'date,close" in done.output
        )
        assert mine.read_text() == "date,close\n2026-01-02,100\n"
        assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "prices.csv"]
