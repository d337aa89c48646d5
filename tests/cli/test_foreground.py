import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_starts import Natya, Python

from natya.actors.database.errors import DatabaseDamaged
from natya.actors.journal import JournalBusyError, JournalDamagedError
from natya.actors.runtime import RequestTimedOut, UnknownActorError
from natya.actors.strategy import StrategyNotFoundError
from natya.cli.exit_codes import exit_code
from natya.cli.foreground import LOOK_S, LOOKS_A_VIEW, Interrupts, _display, perform
from natya.cli.terminal import stream
from natya.config.data_directory import DataDirectoryBusyError, DataDirectoryError
from natya.config.errors import SettingsError
from natya.messages.supervision import ChildStatus, SupervisionTree
from natya.summary import IncompleteSummaryError, StoppedInStartError


def caused_by(cause):
    fault = RuntimeError("the system gave up")
    fault.__cause__ = cause
    return fault


class TestARunToTheEndOfTheMarket:
    def test_is_stopped_in_order_and_ends_well(self, play, settings):
        system = play()

        assert perform(settings, lambda _: system) == 0
        assert (system.calls[0], system.calls[-1], system.calls.count("stop")) == ("start", "stop", 1)

    def test_ends_with_a_summary_for_a_person(self, play, settings, capsys):
        perform(settings, lambda _: play())

        shown = capsys.readouterr().out
        assert "1,000 ticks, 4 candles in 2.0 s, 500 ticks/s" in shown
        assert "positions: TCS -10" in shown
        assert "P&L +5.50 rupees realized, -1.25 unrealized" in shown

    def test_writes_a_line_a_second_where_there_is_no_terminal(self, play, settings, capsys):
        perform(settings, lambda _: play(waits=2 * LOOKS_A_VIEW + 1))

        assert capsys.readouterr().out.count("ticks/s 0") == 2

    def test_writes_each_view_in_a_line_with_the_rate_since_the_one_before(self, play, settings, capsys, view):
        system, looks = play(waits=2 * LOOKS_A_VIEW + 1), itertools.count(1)

        def look():
            number = next(looks)
            return view(running_s=number * LOOKS_A_VIEW * LOOK_S, ticks=100 * number**2)

        system.look = look
        perform(settings, lambda _: system)

        lines = [line for line in capsys.readouterr().out.splitlines() if "ticks/s" in line and "restarts" in line]
        assert [line.split("  ")[1:3] for line in lines] == [
            ["ticks/s 300", "ticks 400"],
            ["ticks/s 500", "ticks 900"],
        ]

    def test_writes_nothing_but_one_json_object_when_asked(self, play, settings, capsys):
        system = play(waits=3 * LOOKS_A_VIEW)
        perform(settings, lambda _: system, summary_format="json")

        (line,) = capsys.readouterr().out.splitlines()
        assert json.loads(line)["realized_pnl"] == 5.5


class TestAMarketThatBreaksOff:
    def test_is_named_and_ends_with_65_after_the_summary(self, play, settings, capsys):
        code = perform(settings, lambda _: play(error="ticks.csv:7: price -1"), summary_format="json")

        output = capsys.readouterr()
        assert code == 65
        assert output.err == "natya: the market broke off: ticks.csv:7: price -1\n"
        assert json.loads(output.out)["ticks"] == 1_000
        assert json.loads(output.out)["error"] == "the market broke off: ticks.csv:7: price -1"


class TestABrokerThatTakesNoOrderAnyMore:
    def test_is_told_with_the_figures_and_ends_with_77(self, play, settings, capsys):
        system = play()
        system.tree = SupervisionTree(
            children=(
                ChildStatus(
                    path="system/broker-group/broker-tokens",
                    state="RUNNING",
                    host="loop",
                    restarts=0,
                    breaker="closed",
                    mailbox_depth=0,
                    last_error="",
                    trouble="no new access token in 3 attempts: Invalid Pin",
                ),
            )
        )
        code = perform(settings, lambda _: system, summary_format="json")

        said = "the broker took nothing more: no new access token in 3 attempts: Invalid Pin"
        output = capsys.readouterr()
        assert (code, output.err) == (77, f"natya: {said}\n")
        assert json.loads(output.out)["error"] == said


class TestAStopThatFails:
    def test_is_told_with_the_figures_and_ends_with_70(self, play, settings, capsys):
        said = "crossover failed when it stopped: ValueError: too late at crossover.py:7 in on_stop"
        code = perform(settings, lambda _: play(stop_failures=(said,)), summary_format="json")

        output = capsys.readouterr()
        assert (code, output.err) == (70, f"natya: {said}\n")
        assert json.loads(output.out)["error"] == said


class TestAReplayWhoseStrategiesHaveAllFailedForGood:
    @pytest.mark.parametrize(
        ("source", "speed", "waits"), [("replay", 10.0, LOOKS_A_VIEW), ("replay", 0.0, 9), ("synthetic", 10.0, 9)]
    )
    def test_ends_with_the_look_that_shows_it_unless_it_is_over_soon_and_no_live_market_does(
        self, play, settings, source, speed, waits
    ):
        """At full speed the machine would decide at which tick it ends, and so what becomes of orders that rest."""
        child = {"host": "loop", "breaker": "closed", "mailbox_depth": 0, "last_error": "KeyError", "restarts": 0}
        system = play(waits=9)

        def park():
            state = "PARKED" if system.calls.count("wait") >= LOOKS_A_VIEW else "RUNNING"
            path = "system/strategies/mine"
            system.tree = SupervisionTree(children=(ChildStatus(path=path, state=state, **child),))

        system.on_wait = park
        feed = replace(settings.feed, source=source, speed=speed)
        perform(replace(settings, feed=feed), lambda _: system)

        assert system.calls.count("wait") == waits


class TestASystemThatDoesNotRun:
    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (DataDirectoryBusyError(Path("/d"), 42), 75),
            (DataDirectoryError("cannot be made"), 73),
            (SettingsError(("a", "b")), 78),
            (StrategyNotFoundError("no module named mine"), 78),
            (caused_by(JournalBusyError.__new__(JournalBusyError)), 75),
            (caused_by(JournalDamagedError.__new__(JournalDamagedError)), 65),
            (caused_by(caused_by(DatabaseDamaged.__new__(DatabaseDamaged))), 65),
            (RuntimeError("unforeseen"), 70),
        ],
        ids=[
            "busy",
            "no directory",
            "settings",
            "strategy",
            "journal busy",
            "journal damaged",
            "database damaged",
            "unforeseen",
        ],
    )
    def test_ends_with_the_code_of_what_caused_it(self, play, settings, fault, code):
        assert exit_code(fault) == code
        assert perform(settings, lambda _: play(faults={"start": fault})) == code

    def test_names_the_directory_and_the_holder(self, play, settings, capsys):
        perform(settings, lambda _: play(faults={"start": DataDirectoryBusyError(Path("/d"), 42)}))

        output = capsys.readouterr()
        assert output.err == "natya: data directory /d is in use by process 42\n"
        assert not output.out

    def test_names_what_caused_it(self, play, settings, capsys):
        perform(settings, lambda _: play(faults={"start": caused_by(OSError("disk full"))}))

        assert capsys.readouterr().err == "natya: the system gave up\nnatya:   because of OSError: disk full\n"

    def test_ends_also_where_the_error_is_its_own_cause(self, play, settings, capsys):
        fault = RuntimeError("from itself")
        fault.__cause__ = fault
        code = perform(settings, lambda _: play(faults={"start": fault}))

        assert (code, capsys.readouterr().err) == (exit_code(fault), "natya: from itself\n")

    def test_says_nothing_twice_that_it_was_caused_by(self, play, settings, capsys):
        perform(settings, lambda _: play(faults={"start": caused_by(RuntimeError("gave up"))}))

        assert capsys.readouterr().err == "natya: the system gave up\n"

    def test_is_stopped_when_it_gives_up_while_it_runs(self, play, settings, capsys):
        system = play(faults={"wait": RuntimeError("gave up"), "stop": IncompleteSummaryError("none")})

        assert perform(settings, lambda _: system) == 70
        assert system.calls[-1] == "stop"
        assert capsys.readouterr().err == "natya: gave up\n"

    def test_is_no_success_when_it_cannot_say_what_it_did(self, play, settings):
        assert perform(settings, lambda _: play(faults={"stop": IncompleteSummaryError("no feed")})) == 70


@pytest.mark.parametrize(
    ("is_terminal", "term", "is_whole"),
    [
        (True, "xterm-256color", True),
        (True, "dumb", False),
        (True, "unknown", False),
        (True, "", False),
        (True, None, False),
        (False, "xterm-256color", False),
    ],
)
def test_a_screen_is_drawn_on_a_terminal_that_can_and_else_lines(monkeypatch, is_terminal, term, is_whole):
    monkeypatch.setattr("natya.cli.foreground.out", lambda: SimpleNamespace(isatty=lambda: is_terminal))
    monkeypatch.setattr("rich.live.Live", lambda **_: contextlib.nullcontext())
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)

    with _display("paper", silent=False) as display:
        assert display.has_terminal == is_whole


@pytest.fixture
def at_a_terminal(monkeypatch):
    monkeypatch.setattr("natya.cli.foreground.has_terminal", lambda: True)


@pytest.fixture
def without_a_terminal(monkeypatch):
    monkeypatch.setattr("natya.cli.foreground.has_terminal", lambda: False)


@pytest.mark.usefixtures("without_a_terminal")
class TestSighupWithoutATerminal:
    """None could have closed: a service manager sends it."""

    def play_with(self, play, faults=()):
        numbers = [signal.SIGHUP]

        def send():
            if numbers:
                os.kill(os.getpid(), numbers.pop())

        return play(waits=3, on_wait=send, faults=faults)

    def test_has_the_settings_read_anew_and_the_system_runs_on(self, play, settings, capsys):
        system = self.play_with(play)

        assert perform(settings, lambda _: system) == 0
        assert (system.calls.count("reload by SIGHUP"), system.calls.count("wait")) == (1, 3)
        assert 'natya: log.level: "info" -> "debug"' in capsys.readouterr().err

    @pytest.mark.parametrize(
        "fault", [RequestTimedOut("no answer in 30 s"), UnknownActorError("there is no actor 'settings'")]
    )
    def test_runs_on_when_nobody_reads_them(self, play, settings, capsys, fault):
        system = self.play_with(play, faults={"reload by SIGHUP": fault})

        assert perform(settings, lambda _: system) == 0
        assert system.calls.count("wait") == 3
        assert f"natya: the settings were not read anew: {fault}" in capsys.readouterr().err


@pytest.mark.usefixtures("at_a_terminal")
class TestASignal:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_stops_in_order_with_a_summary(self, play, settings, capsys, number):
        system = play(waits=1_000, on_wait=lambda: os.kill(os.getpid(), number))

        assert perform(settings, lambda _: system) == 0
        assert system.calls == ["start", "look", "wait", "look", "stop"]
        assert "1,000 ticks" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("replay", "the recording was not played to its end: the figures are those of its beginning"),
            ("synthetic", ""),
        ],
    )
    def test_during_a_replay_is_told_with_its_figures(self, play, settings, capsys, source, said):
        settings = replace(settings, feed=replace(settings.feed, source=source))
        system = play(waits=1_000, on_wait=lambda: os.kill(os.getpid(), signal.SIGINT))

        assert perform(settings, lambda _: system, summary_format="json") == 0
        assert json.loads(capsys.readouterr().out)["error"] == said

    def test_during_the_start_ends_it_without_a_summary(self, play, settings, capsys):
        system = play(waits=1_000)

        def start(*, until):
            assert not until()
            os.kill(os.getpid(), signal.SIGTERM)
            assert until()
            raise StoppedInStartError("stopped in order after 0.3 s, before it was up")

        system.start = start

        assert perform(settings, lambda _: system) == 0
        assert system.calls == []
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", "natya: stopped in order after 0.3 s, before it was up\n")

    def test_at_the_end_of_the_start_stops_in_order(self, play, settings):
        system = play(waits=1_000)
        start = system.start
        system.start = lambda until: (os.kill(os.getpid(), signal.SIGTERM), start(until=until))

        assert perform(settings, lambda _: system) == 0
        assert system.calls == ["start", "look", "look", "stop"]

    def test_leaves_the_handlers_of_the_process_as_they_were(self, play, settings):
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.getsignal(number) for number in numbers]
        perform(settings, lambda _: play())

        assert [signal.getsignal(number) for number in numbers] == before

    def test_that_is_ignored_as_by_nohup_stays_so(self, play, settings):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            system = play(waits=3, on_wait=lambda: os.kill(os.getpid(), signal.SIGHUP))

            assert perform(settings, lambda _: system) == 0
            assert system.calls.count("wait") == 3
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_of_a_terminal_that_closes_may_come_twice_and_ends_nothing_at_once(self):
        left = []
        interrupts = Interrupts(left.append)
        with interrupts.heard():
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGHUP)
            assert interrupts.asked
            assert left == []
            os.kill(os.getpid(), signal.SIGTERM)

        assert left == [143]

    def test_for_the_second_time_leaves_at_once(self):
        left = []
        interrupts = Interrupts(left.append)
        with interrupts.heard():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)

        assert interrupts.asked
        assert left == [143]

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_for_the_second_time_ends_a_process_that_hangs(self, number, code):
        # It waits in bounded steps, as `perform` does: a signal just before an endless wait would be seen after it.
        hanging = """
            import threading
            from natya.cli.foreground import Interrupts
            interrupts = Interrupts()
            with interrupts.heard():
                print("ready", flush=True)
                while not interrupts.asked:
                    threading.Event().wait(0.05)
                print("heard", flush=True)
                while True:
                    threading.Event().wait(0.05)
        """
        with Python([textwrap.dedent(hanging)], stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout.readline() == b"ready\n"
                process.send_signal(number)
                assert process.stdout.readline() == b"heard\n"
                process.send_signal(number)

                assert process.wait(60) == code
            finally:
                process.kill()


class TestStandardOutputThatTakesNoMore:
    """The reader of a pipe has gone, or the disk is full: nobody sees any more what the system does."""

    @pytest.fixture(params=["Broken pipe", "No space left on device"])
    def unseen(self, request, settings, monkeypatch, capfd):
        """Perform with such an output; return the exit code, and what is said on standard error."""
        if request.param == "Broken pipe":
            reader, descriptor = os.pipe()
            os.close(reader)
        else:
            descriptor = os.open("/dev/full", os.O_WRONLY)

        def unseen(system, **options):
            with monkeypatch.context() as patched:
                patched.setattr(sys, "stdout", stream(descriptor))
                return perform(settings, lambda _: system, **options), capfd.readouterr().err

        unseen.why = f"natya: standard output cannot be written: {request.param}; the system was stopped in order\n"
        yield unseen
        os.close(descriptor)

    def test_stops_the_system_in_order_and_is_no_success(self, play, unseen):
        system = play(waits=1_000)
        code, told = unseen(system)

        assert code == 73
        assert system.calls[-1] == "stop"
        assert system.calls.count("wait") == LOOKS_A_VIEW
        assert told.startswith(unseen.why)
        assert "natya: 1,000 ticks, 4 candles" in told

    def test_is_no_success_either_when_only_the_summary_is_for_it(self, play, unseen):
        code, told = unseen(play(), summary_format="json")

        assert code == 73
        assert told.startswith(unseen.why)
        assert "natya: 1,000 ticks, 4 candles" in told

    def test_does_not_hide_what_is_not_recorded(self, play, unseen):
        assert unseen(play(recorded=0), summary_format="json")[0] == 74

    @pytest.mark.usefixtures("at_a_terminal")
    def test_is_no_fault_of_a_terminal_that_was_closed(self, play, unseen):
        system = play(waits=1_000, on_wait=lambda: os.kill(os.getpid(), signal.SIGHUP))

        assert unseen(system) == (0, "")
        assert system.calls[-1] == "stop"


ENDLESS = """
import time
import natya

class Endless(natya.StrategyActor):
    def on_tick(self, tick):
        while True:
            time.sleep(0.05)
"""


class TestAStrategyThatNeverReturns:
    def test_is_named_on_the_terminal_with_its_line_while_it_runs(self, tmp_path):
        (tmp_path / "endless.py").write_text(ENDLESS)
        options = ["--strategy", "endless:Endless", "--data-dir", str(tmp_path / "data")]
        process = Natya(
            ["run", *options],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        try:
            told = next(line for line in process.stderr if b"event loop" in line).decode()
        finally:
            process.kill()
            process.communicate()

        assert told.startswith("natya: the event loop has been held for ")
        assert "endless at " in told
        assert re.search(r"endless\.py:[78] in on_tick", told)
