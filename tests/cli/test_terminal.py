"""What is printed, wherever it goes: a file that is full, a closed descriptor, a terminal of few letters."""

import errno
import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_starts import run_natya
from rich.table import Table
from rich.text import Text

from natya.actors.database import DuckDBAdapter
from natya.actors.journal import Journal
from natya.cli import options, terminal
from natya.cli.app import app
from natya.cli.commands import run
from natya.cli.terminal import (
    complain,
    ended,
    keep_apart,
    open_what_is_closed,
    out,
    plain,
    plain_lines,
    prepare,
    stream,
    tell,
    tell_csv,
    tell_json,
    tell_object,
)
from natya.cli.views.tables import show
from natya.cli.views.trace import conversations_table, trace_table
from natya.cli.views.tree import tree_table
from natya.messages.orders import OrderExpired
from natya.messages.supervision import ChildStatus, SupervisionTree
from natya.messages.trace import Hop

HOSTILE = "job [/nightly] [red]\x1b[31m\x9b2J\u202e\a"
"""Markup that ends what was never begun, a colour, a command of eight bits, text turned round, and a bell."""


@pytest.fixture
def natya(capfd, monkeypatch, tmp_path):
    """Call the command line as its `main` does, with standard output on a descriptor."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def call(*arguments, descriptor, encoding="utf-8"):
        monkeypatch.setattr(sys, "stdout", stream(descriptor, encoding=encoding))
        code = ended(functools.partial(app, [str(argument) for argument in arguments], prog_name="natya"))
        return code, capfd.readouterr()

    return call


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Where a system has been."""
    directory = tmp_path_factory.mktemp("data")
    journal = Journal(directory / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    journal.open()
    journal.append([OrderExpired(client_order_id="A-1", reason=HOSTILE, occurred_ns=1)], correlation_id="A-1")
    journal.commit()
    journal.close()
    DuckDBAdapter(directory / "natya.duckdb", max_connections=3).close()
    return directory


COMMANDS = [
    ["--help"],
    ["--version"],
    ["run", "--help"],
    ["config", "show"],
    ["config", "show", "--json"],
    ["config", "check"],
    ["config", "check", "--json"],
    ["journal", "stat"],
    ["journal", "stat", "--json"],
    ["journal", "verify"],
    ["journal", "tail"],
    ["journal", "export"],
    ["db", "stat"],
    ["db", "stat", "--json"],
    ["db", "check"],
    ["db", "query", "select 1"],
    ["db", "query", "select 1", "--json"],
    ["db", "query", "select 1", "--csv"],
]


def whole(command, data_dir):
    return [*command, "--data-dir", data_dir] if command[0] in {"journal", "db"} else command


class TestAnyCommand:
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_on_a_full_disk_ends_with_73_and_says_so(self, natya, data_dir, command):
        with Path("/dev/full").open("w") as full:
            code, output = natya(*whole(command, data_dir), descriptor=full.fileno())

        assert code == 73
        assert output.err == "natya: standard output cannot be written: No space left on device\n"

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_whose_reader_has_gone_ends_quietly_as_other_programs_do(self, natya, data_dir, command):
        reader, writer = os.pipe()
        os.close(reader)
        code, output = natya(*whole(command, data_dir), descriptor=writer)
        os.close(writer)

        assert (code, output.err) == (141, "")

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_on_a_terminal_of_ascii_replaces_what_it_cannot_print(self, natya, data_dir, tmp_path, command):
        with (tmp_path / "out").open("wb") as out:
            code, output = natya(*whole(command, data_dir), descriptor=out.fileno(), encoding="ascii")

        assert (code, output.err) == (0, "")
        assert (tmp_path / "out").read_bytes()

    def test_that_fails_anyway_keeps_its_own_code(self, natya, tmp_path):
        with Path("/dev/full").open("w") as full:
            code, output = natya("journal", "stat", "--data-dir", tmp_path / "none", descriptor=full.fileno())

        assert code == 1
        assert output.err == f"natya: there is no journal in {tmp_path}/none/journal\n"

    def test_prints_json_that_is_whole_whatever_the_encoding(self, natya, data_dir, tmp_path):
        with (tmp_path / "out").open("wb") as out:
            natya("journal", "tail", "--data-dir", data_dir, descriptor=out.fileno(), encoding="ascii")
        printed = (tmp_path / "out").read_bytes()

        assert json.loads(printed)["reason"] == HOSTILE
        assert b"\x1b" not in printed
        assert b"\xc2\x9b" not in printed


class TestAProcess:
    """With what a shell may have done to its descriptors."""

    def run(self, shell, *, environment=()):
        return subprocess.run(
            ["/bin/sh", "-c", f'"$NATYA" -m natya {shell}'],
            env={**os.environ, "NATYA": sys.executable, **dict(environment)},
            capture_output=True,
            timeout=60,
            check=False,
        )

    def test_whose_output_is_closed_says_so_and_ends_with_73(self):
        done = self.run("config show >&-")

        assert done.returncode == 73
        assert done.stderr == b"natya: standard output cannot be written: Bad file descriptor\n"

    def test_writes_no_file_over_what_is_closed(self, tmp_path):
        # The lowest free descriptor is the next file's: the journal of a run must not be standard output.
        done = self.run(f"run --duration 0.1 --speed max --data-dir {tmp_path}/data --summary json <&- >&- 2>&-")

        assert done.returncode == 73
        verified = run_natya("journal", "verify", "--data-dir", tmp_path / "data")
        assert (verified.returncode, verified.stderr) == (0, "")

    @pytest.mark.parametrize(
        ("closing", "said"),
        [
            ("sys.stdout.close()", b"natya: standard output cannot be written: Bad file descriptor"),
            ("sys.stdout.buffer.close()", b"natya: standard output cannot be written: Bad file descriptor"),
            ("sys.stdout.close(); sys.stderr.close()", b""),
        ],
    )
    def test_whose_strategy_closes_its_output_ends_with_73(self, tmp_path, closing, said):
        (tmp_path / "closer.py").write_text(
            "import sys\n"
            "from natya import StrategyActor\n"
            "class Closer(StrategyActor):\n"
            "    has_printed = False\n"
            "    def on_tick(self, tick):\n"
            "        if not self.has_printed:\n"
            "            print('printed before', flush=True)\n"
            "        self.has_printed = True\n"
            f"        {closing}\n"
        )
        arguments = f"run --duration 0.1 --speed max --data-dir {tmp_path}/data"
        done = run_natya(*arguments.split(), "--strategy", "closer:Closer", cwd=tmp_path, text=False)

        assert (done.returncode, done.stdout) == (73, b"printed before\n")
        assert done.stderr.partition(b";")[0] == said

    @pytest.mark.parametrize("put", ["None", "sys.stderr", "io.StringIO()"])
    def test_whose_strategy_puts_something_else_in_the_place_of_its_output_prints_what_it_would(self, tmp_path, put):
        (tmp_path / "putter.py").write_text(
            "import io, os, sys\n"
            "from natya import StrategyActor\n"
            "class Putter(StrategyActor):\n"
            "    count = 1\n"
            "    def on_tick(self, tick):\n"
            "        os.write(1, b'!' if self.count else b'')\n"
            "        self.count = 0\n"
            f"        sys.stdout = {put}\n"
        )
        arguments = f"run --duration 0.1 --speed max --data-dir {tmp_path}/data --summary json"
        done = run_natya(*arguments.split(), "--strategy", "putter:Putter", cwd=tmp_path, text=False)

        assert (done.returncode, done.stderr) == (0, b"!")
        assert json.loads(done.stdout)["ticks"] > 0

    def test_of_ascii_runs(self, tmp_path):
        arguments = f"run --duration 0.1 --speed max --data-dir {tmp_path}/data"
        done = self.run(arguments, environment={"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C"})

        assert (done.returncode, done.stderr) == (0, b"")
        assert b"ticks/s" in done.stdout


class TestOutputThatIsOneObject:
    def test_has_nothing_that_strategies_and_their_processes_print(self, capfd, monkeypatch):
        monkeypatch.setattr(terminal, "_prepared", [])
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, getattr(sys, name))
        before = os.dup(1)

        def command():
            keep_apart()
            os.write(1, b"of a process\n")
            sys.stdout.write("of a strategy\n")
            sys.stdout.close()
            tell_json(b"{}")

        try:
            prepare()
            tell("before")
            ended(command)
            os.write(1, b"behind\n")
            sys.stdout.write("it\n")
            sys.stdout.flush()
        finally:
            os.dup2(before, 1)
            os.close(before)

        assert capfd.readouterr() == ("before\n{}\nbehind\nit\n", "of a process\nof a strategy\n")

    def test_is_asked_for_by_every_command_that_answers_so(self, monkeypatch):
        asked = []
        monkeypatch.setattr(options, "keep_apart", lambda: asked.append("apart"))
        for arguments in (["parity", "/nowhere"], ["parity", "/nowhere", "--json"]):
            ended(functools.partial(app, arguments, prog_name="natya"))

        assert asked == ["apart"]

    @pytest.mark.parametrize(
        ("words", "apart"), [([], []), (["--json"], ["apart"]), (["--summary", "json"], ["apart"])], ids=str
    )
    def test_is_asked_for_by_run_as_well(self, monkeypatch, words, apart):
        asked = []
        monkeypatch.setattr(run, "keep_apart", lambda: asked.append("apart"))
        ended(functools.partial(app, ["run", "--replay", "a", "--feed", "synthetic", *words], prog_name="natya"))

        assert asked == apart


class TestAnErrorOfTheSystems:
    def test_is_said_in_words_also_within_a_reason(self, capsys):
        fault = OSError(errno.EACCES, os.strerror(errno.EACCES), "/out")
        complain(fault)
        complain(f"the journal cannot be opened: {fault}")

        said = "Permission denied: '/out'"
        assert capsys.readouterr().err == f"natya: {said}\nnatya: the journal cannot be opened: {said}\n"


class TestTextFromOutside:
    def test_is_no_markup_and_moves_no_terminal_in_a_table(self, capsys):
        table = Table(title=HOSTILE, caption=HOSTILE)
        table.add_column(HOSTILE)
        table.add_row(HOSTILE)
        table.add_row(Text(HOSTILE))
        show(table)

        printed = capsys.readouterr().out
        assert printed.count("job [/nightly] [red]?[31m?") == 5
        assert printed.replace("\n", "").isprintable()

    def test_is_shown_as_it_is_in_a_trace_and_a_tree(self, capsys):
        hop = Hop(
            correlation_id=HOSTILE, hop_id=1, causation_id=0, actor=HOSTILE, message_type=HOSTILE,
            sent_ns=1, begun_ns=2, ended_ns=3,
        )  # fmt: skip
        child = ChildStatus(
            path=f"system/{HOSTILE.replace('/n', 'n')}", state="RUNNING", host=HOSTILE, restarts=0, breaker=HOSTILE,
            mailbox_depth=0, last_error=f"{HOSTILE}\n\tat line 1", trouble=HOSTILE,
        )  # fmt: skip
        for table in (conversations_table([hop]), trace_table([hop]), tree_table(SupervisionTree(children=(child,)))):
            show(table, whole=True)

        printed = capsys.readouterr().out
        assert printed.count("job [/nightly]") >= 5
        assert printed.replace("\n", "").isprintable()

    def test_is_plain_where_it_is_told(self, capsys):
        tell(f"{HOSTILE}\n\tbelow")
        complain(ValueError(HOSTILE))

        output = capsys.readouterr()
        assert output.out == "job [/nightly] [red]?[31m?2J??\n    below\n"
        assert output.err == "natya: job [/nightly] [red]?[31m?2J??\n"

    @pytest.mark.parametrize("on_terminal", [False, True])
    def test_is_data_in_csv_and_plain_where_a_person_reads_it(self, monkeypatch, on_terminal):
        reader, writer = os.openpty() if on_terminal else os.pipe()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stream(writer, encoding="ascii"))
            tell_csv([["name", "\u20b9"], [HOSTILE, 1.5], ["a,b", None]])
            sys.stdout.flush()
        printed = os.read(reader, 10_000).decode().replace("\r\n", "\n")
        os.close(reader)
        os.close(writer)

        shown = plain(HOSTILE) if on_terminal else HOSTILE
        assert printed == f'name,\u20b9\n{shown},1.5\n"a,b",\n'

    @given(text=st.text())
    def test_keeps_its_length_and_every_letter(self, text):
        shown = plain(text)

        assert len(shown) == len(text)
        assert shown.isprintable()
        assert all(after in {before, "?"} for before, after in zip(text, shown, strict=True))
        assert plain_lines(text).replace("\n", "").isprintable()

    @given(text=st.text(st.characters(exclude_categories=("Cs",))))
    def test_is_the_same_in_json(self, text):
        reader, writer = os.pipe()
        before, sys.stdout = sys.stdout, stream(writer, encoding="ascii")
        try:
            tell_json(msgspec.json.encode({"text": text}))
            sys.stdout.flush()
        finally:
            sys.stdout = before
            os.close(writer)
        with os.fdopen(reader, "rb") as read:
            printed = read.read()

        assert json.loads(printed) == {"text": text}
        assert not any(code in printed for code in (b"\x7f", b"\xc2\x9b", b"\x1b"))

    @pytest.mark.parametrize(
        "command", [["db", "query", "select '\x1b[31m' frm x"], ["tree", "--data-dir", "/\x1b[31m"]]
    )
    def test_is_plain_in_what_is_complained_of(self, natya, data_dir, command):
        code, output = natya(*whole(command, data_dir), descriptor=1)

        assert code in {1, 69}
        assert output.err.startswith("natya: ")
        assert "\x1b" not in output.err


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b'{"a":1}', '{"schema":1,"a":1}\n'),
        (b"{}", '{"schema":1}\n'),
        (b'{ "a": {"schema": 3} }', '{"schema":1, "a": {"schema": 3} }\n'),
        (b'{"schema":2,"a":1}', '{"schema":2,"a":1}\n'),
    ],
)
def test_an_object_says_which_version_of_its_form_it_is(document, told, capfdbinary):
    tell_object(document)
    out().flush()

    assert capfdbinary.readouterr().out.decode() == told


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_standard_descriptor_that_is_closed_leads_nowhere_for_processes_of_ours_too(monkeypatch, closed):
    fstat, opened = os.fstat, []

    def is_closed(descriptor):
        if descriptor == closed:
            raise OSError(errno.EBADF, "closed")
        return fstat(descriptor)

    really_open = os.open
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", is_closed)
        patch.setattr(os, "open", lambda *arguments: opened.append(really_open(*arguments)) or opened[-1])
        open_what_is_closed()

    (descriptor,) = opened
    assert os.get_inheritable(descriptor)
    assert os.fstat(descriptor).st_rdev == Path(os.devnull).stat().st_rdev
    os.close(descriptor)
