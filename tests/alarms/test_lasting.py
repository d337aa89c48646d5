import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.alarms.lasting import AWAY_S, Alarms, Notice
from natya.actors.alarms.rules import Rule
from natya.actors.observability import View
from natya.messages.health import Alarm

SECOND = 1_000_000_000
VIEW = View(tree=None, statistics={})


def alarms(present, *, after_s=0.0, repeat_s=600.0, severity="warning"):
    """Of one rule, which finds what `present` has at the time."""
    rule = Rule(
        name="r", severity=severity, find=lambda *_: [(each, f"{each} is ill") for each in present], after_s=after_s
    )
    return Alarms(repeat_s, (rule,))


def step(found, at_s):
    notices = found.step(VIEW, VIEW, now_ns=round(at_s * SECOND), wall_ns=round(at_s * SECOND))
    return [(notice.change, notice.alarm.subject) for notice in notices]


class TestAnAlarm:
    def test_of_several_the_newest_is_listed_first(self):
        present = ["feed"]
        found = alarms(present)
        for at_s, name in ((0, "feed"), (5, "disk"), (10, "broker")):
            present.append(name)
            step(found, at_s)

        assert [each.subject for each in found.all()] == ["broker", "disk", "feed"]

    def test_is_told_once_and_again_while_it_lasts(self):
        found = alarms(["feed"], repeat_s=600)

        assert step(found, 0) == [("raised", "feed")]
        assert [step(found, at_s) for at_s in (5, 300, 599)] == [[], [], []]
        assert step(found, 600) == [("repeated", "feed")]
        assert step(found, 605) == []

    def test_is_told_when_it_has_lasted_for_as_long_as_its_rule_says(self):
        found = alarms(["feed"], after_s=30)

        assert step(found, 100) == step(found, 129) == []
        assert not found.all()
        assert step(found, 130) == [("raised", "feed")]

    def test_that_did_not_last_is_never_told(self):
        present = ["feed"]
        found = alarms(present, after_s=30)
        step(found, 0)
        present.clear()

        assert step(found, AWAY_S) == []
        assert step(found, 200) == []

    def test_that_comes_and_goes_is_told_once(self):
        present = ["feed"]
        found = alarms(present)
        told = []
        for at_s in range(0, 300, 5):
            present[:] = ["feed"] * (at_s % 10 == 0)
            told += step(found, at_s)

        assert told == [("raised", "feed")]

    def test_is_over_when_it_has_been_away_for_a_while(self):
        present = ["feed"]
        found = alarms(present)
        step(found, 0)
        present.clear()

        assert step(found, AWAY_S - 1) == []
        assert found.all()
        assert step(found, AWAY_S) == [("over", "feed")]
        assert not found.all()

    def test_is_told_as_it_is_at_the_time(self):
        texts = iter(["1 s old", "605 s old"])
        found = Alarms(600, (Rule(name="r", severity="warning", find=lambda *_: [("feed", next(texts))]),))
        step(found, 0)

        (notice,) = found.step(VIEW, VIEW, now_ns=605 * SECOND, wall_ns=605 * SECOND)

        assert (notice.change, notice.alarm.text, notice.alarm.since_ns) == ("repeated", "605 s old", 0)
        assert found.all() == (notice.alarm,)

    def test_lasts_by_a_clock_that_never_steps_back_and_says_since_when_by_the_wall(self):
        found = Alarms(600, (Rule(name="r", severity="critical", find=lambda *_: [("feed", "ill")], after_s=30),))
        assert found.step(VIEW, VIEW, now_ns=0, wall_ns=90 * SECOND) == []

        (notice,) = found.step(VIEW, VIEW, now_ns=30 * SECOND, wall_ns=7 * SECOND)

        alarm = Alarm(rule="r", subject="feed", severity="critical", text="ill", since_ns=90 * SECOND)
        assert notice == Notice("raised", alarm)
        assert found.all() == (alarm,)
        for at_s, changes in ((629, []), (630, ["repeated"]), (1229, []), (1230, ["repeated"])):
            notices = found.step(VIEW, VIEW, now_ns=at_s * SECOND, wall_ns=9_000 * SECOND)
            assert [each.change for each in notices] == changes

    def test_is_repeated_as_it_is_said_last(self):
        found = alarms(["feed"], repeat_s=600)
        step(found, 0)
        found.repeat_after(1.5)

        assert [step(found, at_s) for at_s in (1.4, 1.5, 2.9)] == [[], [("repeated", "feed")], []]

    def test_that_has_been_away_for_less_than_a_while_goes_on(self):
        present = ["feed"]
        found = alarms(present)
        step(found, 0)
        present.clear()
        step(found, AWAY_S - 1)
        present.append("feed")

        assert step(found, AWAY_S) == []
        present.clear()
        assert step(found, 2 * AWAY_S - 1) == []
        assert step(found, 2 * AWAY_S) == [("over", "feed")]

    def test_that_comes_back_when_it_was_over_is_raised_again(self):
        present = ["feed"]
        found = alarms(present)
        step(found, 0)
        present.clear()
        step(found, AWAY_S)
        present.append("feed")

        assert step(found, 100) == [("raised", "feed")]
        assert [each.since_ns for each in found.all()] == [100 * SECOND]

    def test_of_another_subject_is_another(self):
        assert step(alarms(["feed", "broker"]), 0) == [("raised", "feed"), ("raised", "broker")]


class TestAFloodOfAlarms:
    @pytest.mark.parametrize(("severity", "told"), [("warning", 200), ("critical", 1_000)])
    def test_is_bounded_but_for_critical_ones(self, severity, told):
        found = alarms([str(each) for each in range(1_000)], severity=severity)

        assert len(step(found, 0)) == told

    def test_leaves_those_that_last_where_they_are(self):
        present = [str(each) for each in range(200)]
        found = alarms(present, repeat_s=5)
        step(found, 0)
        present.append("one too many")

        assert step(found, 5) == [("repeated", str(each)) for each in range(200)]


@given(present=st.lists(st.booleans(), max_size=60))
def test_whatever_comes_and_goes_is_raised_and_over_in_turn(present):
    now = []
    found, told = alarms(now), []
    for at, here in enumerate(present):
        now[:] = ["feed"] * here
        told += [change for change, _ in step(found, at * 30) if change != "repeated"]

    assert told == ["raised", "over"] * (len(told) // 2) + ["raised"] * (len(told) % 2)
    assert len(found.all()) == len(told) % 2
