"""What failed while a system ran: told once, with its traceback, and no success where a strategy was left behind."""

import json

import msgspec
import pytest
from natya_recordings import write_candles
from natya_starts import run_natya

from natya.cli.exit_codes import INTERNAL
from natya.cli.failures import (
    STALL_TOLD_S,
    TOLD_MAX,
    Failures,
    Stalls,
    failed_strategies,
    has_nobody_left,
    lost_broker,
    standing_of,
    trouble_of,
)
from natya.cli.foreground import LOOKS_A_VIEW, perform
from natya.cli.views.screen import line
from natya.messages.supervision import ChildStatus, SupervisionTree

TRACEBACK = (
    'Traceback (most recent call last):\n  File "dip.py", line 12, in on_tick\n    1 / 0\nZeroDivisionError: …\n'
)


def a_child(
    name="dip", *, state="RUNNING", error="ZeroDivisionError: division by zero", at="dip.py:12 in on_tick", **other
):
    return ChildStatus(
        path=f"system/strategies/{name}",
        state=state,
        host="loop",
        restarts=1,
        breaker="closed",
        mailbox_depth=0,
        last_error=error,
        raised_at=at,
        last_traceback=TRACEBACK if error else "",
        **other,
    )


def a_tree(*children):
    return SupervisionTree(children=children)


class TestALoopThatIsHeld:
    """By an endless loop of a strategy, for one."""

    def held(self, view, number=1, *, after_s, by="bad at bad.py:3 in on_tick"):
        return msgspec.structs.replace(view(), stalls=number, held_by=by, held_s=after_s)

    def test_is_told_of_once_with_who_holds_it_and_where(self, view):
        stalls = Stalls()

        assert stalls.fresh(self.held(view, after_s=0)) == []
        assert stalls.fresh(self.held(view, after_s=STALL_TOLD_S - 0.1)) == []
        assert stalls.fresh(self.held(view, after_s=STALL_TOLD_S)) == [
            "the event loop has been held for 3 s, and nothing goes on: bad at bad.py:3 in on_tick"
        ]
        assert stalls.fresh(self.held(view, after_s=60)) == []

    def test_is_told_of_again_when_it_is_held_again(self, view):
        stalls = Stalls()
        for number in (1, 2):
            told = [
                *stalls.fresh(self.held(view, number, after_s=0)),
                *stalls.fresh(self.held(view, number, after_s=9)),
            ]
            assert len(told) == 1

    def test_is_not_told_of_when_it_is_free_again(self, view):
        stalls = Stalls()

        assert stalls.fresh(self.held(view, after_s=0)) == []
        assert stalls.fresh(self.held(view, after_s=9, by="")) == []


class TestAFailure:
    def test_is_told_once_with_its_place_and_its_traceback(self):
        failures = Failures()

        assert failures.fresh(a_tree(a_child())) == [
            f"dip failed: ZeroDivisionError: division by zero at dip.py:12 in on_tick\n{TRACEBACK.rstrip()}"
        ]
        assert failures.fresh(a_tree(a_child())) == []
        assert failures.fresh(a_tree(a_child(error="ZeroDivisionError: of another number"))) == []

    def test_of_another_kind_at_another_place_or_of_another_strategy_is_another(self):
        failures = Failures()
        failures.fresh(a_tree(a_child()))

        assert len(failures.fresh(a_tree(a_child(error="KeyError: 'x'")))) == 1
        assert len(failures.fresh(a_tree(a_child(at="dip.py:13 in on_tick")))) == 1
        assert len(failures.fresh(a_tree(a_child("grid"), a_child()))) == 1

    def test_without_end_is_told_so_many_times_and_then_that_there_are_more(self):
        failures = Failures()
        told = [failures.fresh(a_tree(a_child(at=f"dip.py:{number}"))) for number in range(50)]

        assert [len(each) for each in told] == [1] * (TOLD_MAX + 1) + [0] * (49 - TOLD_MAX)
        assert "the log has them all" in told[TOLD_MAX][0]

    def test_of_an_owner_is_a_line(self):
        owner = msgspec.structs.replace(a_child(at="", error="DatabaseUnreachable: no file"), path="system/database")

        assert Failures().fresh(a_tree(owner)) == ["database failed: DatabaseUnreachable: no file"]

    def test_is_none_where_nothing_failed_or_nobody_answered(self):
        assert Failures().fresh(a_tree(a_child(error="", at=""))) == []
        assert Failures().fresh(None) == []


class TestABrokerThatTakesNothing:
    def test_is_told_by_the_keeper_of_the_token_alone(self):
        keeper = msgspec.structs.replace(a_child(), path="system/broker-group/broker-tokens")
        lost = msgspec.structs.replace(keeper, trouble="no new access token in 3 attempts")
        dry = msgspec.structs.replace(keeper, path="system/broker-group/broker", trouble="dry run")

        assert lost_broker(a_tree(dry, lost)) == "no new access token in 3 attempts"
        assert lost_broker(a_tree(dry, keeper)) == ""
        assert lost_broker(None) == ""


class TestTheStrategiesOfATree:
    def test_are_all_gone_when_each_is_parked(self):
        gone, here = a_child("dip", state="PARKED"), a_child("grid", state="UNAVAILABLE")
        owner = msgspec.structs.replace(here, path="system/feed", state="RUNNING")

        assert has_nobody_left(a_tree(owner, gone))
        assert not has_nobody_left(a_tree(owner, gone, here))
        assert not has_nobody_left(a_tree(owner))
        assert not has_nobody_left(None)

    def test_are_named_that_were_begun_anew(self):
        dip, grid = a_child("dip"), msgspec.structs.replace(a_child("grid"), restarts=0)
        owner = msgspec.structs.replace(dip, path="system/feed")

        assert failed_strategies(a_tree(owner, grid, dip)) == ("dip failed, and was begun anew 1 time",)
        assert failed_strategies(None) == ()


class TestTrouble:
    @pytest.mark.parametrize(
        ("child", "told"),
        [
            (a_child(), ""),
            (a_child(state="PARKED"), "dip parked: ZeroDivisionError: division by zero at dip.py:12 in on_tick"),
            (a_child(state="UNAVAILABLE", at=""), "dip unavailable: ZeroDivisionError: division by zero"),
            (a_child("feed", trouble="waits for dip"), "feed waits for dip"),
        ],
        ids=["none", "parked", "unavailable", "other"],
    )
    def test_is_a_line_about_who_does_not_do_his_work(self, child, told):
        assert trouble_of(child) == told

    def test_is_in_the_line_and_no_more_than_fits(self, view):
        children = [a_child(f"dip{number}", state="PARKED") for number in range(20)]
        now = msgspec.structs.replace(view(down="held"), tree=a_tree(*children))

        said = line(now, now)
        assert "database down" in said
        assert "dip0 parked" in said
        assert "and 17 more: natya tree" in said


class TestARunInWhichSomethingFails:
    @pytest.mark.parametrize("summary_format", ["text", "json"])
    def test_says_it_once_on_standard_error(self, play, settings, capsys, view, summary_format):
        system = play(waits=5)
        failed = msgspec.structs.replace(view(), tree=a_tree(a_child()))
        system.look = lambda: failed

        assert perform(settings, lambda _: system, summary_format=summary_format) == 0
        told = capsys.readouterr().err
        assert told.count("natya: dip failed: ZeroDivisionError") == 1
        assert told.count("natya:     1 / 0") == 1

    def test_says_it_though_it_ends_before_the_next_look(self, play, settings, capsys, view):
        system = play(waits=1)
        system.look = lambda: msgspec.structs.replace(view(), tree=a_tree(a_child()))
        perform(settings, lambda _: system)

        assert "dip failed" in capsys.readouterr().err

    def test_is_no_success_when_a_strategy_was_left_behind(self, play, settings, capsys):
        assert perform(settings, lambda _: play(parked=("dip: KeyError: 'x' (its breaker)",))) == INTERNAL
        assert "failed for good, and was left behind: dip: KeyError: 'x'" in capsys.readouterr().err

    def test_is_no_success_of_a_replay_whose_strategy_was_begun_anew(self, play, settings, view, capsys):
        replay = msgspec.structs.replace(settings, feed=msgspec.structs.replace(settings.feed, source="replay"))
        system = play(waits=1)
        system.look = lambda: msgspec.structs.replace(view(), tree=a_tree(a_child()))

        assert perform(replay, lambda _: system) == INTERNAL
        assert "anew 1 time: its figures are not those of the whole recording" in capsys.readouterr().err

    @pytest.mark.parametrize("summary_format", ["text", "json"])
    def test_names_all_that_failed_in_the_error_of_the_summary(self, play, settings, view, capsys, summary_format):
        replay = msgspec.structs.replace(settings, feed=msgspec.structs.replace(settings.feed, source="replay"))
        system = play(waits=1, parked=("grid: KeyError: 'x' (its breaker)",))
        system.look = lambda: msgspec.structs.replace(view(), tree=a_tree(a_child()))
        perform(replay, lambda _: system, summary_format=summary_format)

        shown = capsys.readouterr().out
        error = json.loads(shown)["error"] if summary_format == "json" else shown.partition("\nfailed: ")[2].rstrip()
        assert error == (
            "failed for good, and was left behind: grid: KeyError: 'x' (its breaker); "
            "dip failed, and was begun anew 1 time: its figures are not those of the whole recording"
        )

    def test_ends_a_replay_when_nobody_is_left_to_trade_on_it(self, play, settings, view):
        replay = msgspec.structs.replace(settings, feed=msgspec.structs.replace(settings.feed, source="replay"))
        for of_run, waits in ((replay, LOOKS_A_VIEW), (settings, 50)):
            system = play(waits=50)
            system.look = lambda: msgspec.structs.replace(view(), tree=a_tree(a_child(state="PARKED")))
            perform(of_run, lambda _, system=system: system)

            assert system.calls.count("wait") == waits


FASTER = ("supervision.fail_max=1", "supervision.reset_timeout_s=0.01", "supervision.escalate_after=1")


class TestAStrategyThatFailsInAReplay:
    @pytest.mark.parametrize(
        ("candles", "policy"), [(2_000, FASTER), (20, ("feed.speed=0",))], ids=["for good", "at each tick"]
    )
    def test_ends_natya_with_its_traceback_once_and_a_code(self, tmp_path, candles, policy):
        """The ticks of a minute's candle are 20 s apart: what never gets past a tick is parked all the same."""
        (tmp_path / "mortal.py").write_text(
            "from natya import StrategyActor\n"
            "class Mortal(StrategyActor):\n"
            "    def on_tick(self, tick):\n"
            "        return 1 / 0\n"
        )
        command = ["run", "--replay", str(write_candles(tmp_path / "candles.csv", candles)), "--symbol", "TCS"]
        command += ["--strategy", "mortal:Mortal", "--data-dir", str(tmp_path / "data"), "--summary", "json"]
        ended = run_natya(*command, *(part for each in policy for part in ("--set", each)), cwd=tmp_path, timeout=50)

        assert ended.returncode == INTERNAL, ended.stderr
        assert ended.stderr.count("Traceback (most recent call last)") == 1
        assert ended.stderr.count("return 1 / 0") == 1
        assert "mortal.py:4 in on_tick" in ended.stderr
        summary = json.loads(ended.stdout)
        assert [each.partition(":")[0] for each in summary["parked"]] == ["mortal"]
        assert "left behind: mortal: ZeroDivisionError" in summary["error"]
        assert summary["ticks"] < 8_000


class TestHowASystemStands:
    @pytest.mark.parametrize(
        ("state", "cause", "told"),
        [
            ("NORMAL", "by hand", "NORMAL"),
            ("HALTED", "kill switch: by hand", "HALTED, kill switch: by hand"),
            ("STARTING", "", "STARTING"),
        ],
    )
    def test_is_its_risk_state_and_why_it_is_not_normal(self, view, state, cause, told):
        shown = view(risk_cause=cause)
        orders = msgspec.structs.replace(shown.statistics["orders"], risk_state=state)
        shown = msgspec.structs.replace(shown, statistics={**shown.statistics, "orders": orders})

        assert standing_of(shown) == told

    def test_is_not_known_while_orders_does_not_answer(self, view):
        assert standing_of(view(without=("orders",))) == "orders does not answer"
