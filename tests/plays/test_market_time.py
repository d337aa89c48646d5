"""A play is a function of its recording, its settings and its seed: failures, restarts and times included."""

import os

import pytest
from natya_patience import be_patient

from natya.actors.journal.header import HEADER_SIZE
from natya.actors.orders import OrdersActor
from natya.actors.orders.parts.due import ReconcileDue
from natya.actors.orders.parts.resolving import Resolving
from natya.actors.runtime import RuntimeActor
from natya.messages.orders import OrderAccepted, OrderFilled, OrderIntended

pytestmark = pytest.mark.usefixtures("engines", "forked_starts")

SEEDS = range(1, 1 + int(os.environ.get("PLAYS", "1")))
"""PLAYS is how many random plays are compared."""

BY_THE_CLOCK = {"name": "clock", "strategy": "natya_players:ByTheClock"}


def failing(every, **fields):
    return BY_THE_CLOCK | {"parameters": {"raises_every": every}} | fields


def trades(play):
    return [(fill.side, fill.price, fill.occurred_ns) for fill in play.fills]


class TestAStrategyThatIsRestarted:
    @pytest.mark.parametrize("every", [5])
    def test_misses_no_tick_and_trades_at_the_prices_of_one_that_never_failed(self, tmp_path, mornings, plays, every):
        recording = mornings(20)
        sound = plays(tmp_path / "sound", recording, BY_THE_CLOCK)
        shaken = plays(tmp_path / "shaken", recording, failing(every))

        assert len(sound.fills) == 40
        assert trades(shaken) == trades(sound)
        assert shaken.summary.restarts == 20 // every


ERRATIC = [
    {"name": name, "strategy": f"natya_players:{kind}", "parameters": {"fails": fails}}
    for name, kind, fails in (
        ("one", "Erratic", 0.01),
        ("another", "Erratic", 0.03),
        ("third", "Erratic", 0.0),
        ("tally", "Tallying", 0.03),
    )
]
LENIENT = {"supervision__restarts_max": 10_000, "supervision__escalate_after": 10_000}


def looking(system):
    """Ask every actor what it counts, again and again until the market ends."""
    while system.await_end(0.01) is None:
        system.look()


def records_bytes(data_dir):
    """Return what is in the journal's files behind their headers, which name the directory."""
    return b"".join(path.read_bytes()[HEADER_SIZE:] for path in sorted((data_dir / "journal").glob("*.journal")))


class TestAPlay:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_writes_the_journal_of_one_that_waits_for_quiet_at_each_message_however_often_it_is_asked_meanwhile(
        self, tmp_path, mornings, plays, seed
    ):
        recording = mornings(3)
        with pytest.MonkeyPatch.context() as patch:
            be_patient(patch)
            first = plays(tmp_path / "first", recording, *ERRATIC, feed__seed=seed, **LENIENT)
        second = plays(tmp_path / "second", recording, *ERRATIC, meanwhile=looking, feed__seed=seed, **LENIENT)

        assert first.summary.restarts > 0
        assert first.fills
        assert first.records == second.records
        assert records_bytes(tmp_path / "first") == records_bytes(tmp_path / "second")

    @pytest.mark.parametrize("strategy", [ERRATIC[1], {"name": "all", "strategy": "natya_players:Timed"}], ids=str)
    def test_writes_the_same_journal_wherever_its_strategy_is(self, tmp_path, mornings, plays, strategy):
        """Its times, timers, history, randomness and failures are those of the market, in another process too."""
        recording = mornings(3)
        on_loop = plays(tmp_path / "loop", recording, strategy, **LENIENT)
        apart = plays(tmp_path / "process", recording, strategy | {"host": "process"}, **LENIENT)

        assert on_loop.fills
        assert apart.records == on_loop.records
        assert apart.summary.restarts == on_loop.summary.restarts


class TestTwoStrategiesOfWhichOneIsSlow:
    """They order at the same prices, by timers of the same moments too, and one of them fails now and then."""

    @pytest.mark.parametrize(
        ("kind", "hosts"),
        [
            ("Slow", ("process", "process")),
            ("Thinking", ("loop", "loop")),
            ("Thinking", ("loop", "process")),
            ("Thinking", ("process", "process")),
        ],
        ids=["processes", "threads", "threads of one and of a process", "threads of processes"],
    )
    def test_write_one_journal_whichever_it_is(self, tmp_path, mornings, plays, kind, hosts):
        recording, journals = mornings(1, minutes=4), []
        for slow in ("one", "other"):
            strategies = [
                {
                    "name": name,
                    "strategy": f"natya_players:{kind}",
                    "host": host,
                    "parameters": {"slow_s": 0.004 if name == slow else 0.0, "fails": fails},
                }
                for name, host, fails in zip(("other", "one"), hosts, (0.1, 0.0), strict=True)
            ]
            journals.append(plays(tmp_path / slow, recording, *strategies, **LENIENT))
        first, second = journals

        assert {fill.strategy for fill in first.fills} == {"one", "other"}
        assert first.summary.restarts > 0
        assert first.records == second.records
        assert records_bytes(tmp_path / "one") == records_bytes(tmp_path / "other")


class TestAStrategyThatRaisesBehindAQuestion:
    @pytest.mark.parametrize("host", ["loop", "process"])
    def test_is_not_waited_for_by_the_answer_that_nobody_is_to_hear(self, tmp_path, mornings, plays, host):
        impulsive = {"name": "impulsive", "strategy": "natya_players:Impulsive", "host": host}
        played = plays(tmp_path / host, mornings(1, minutes=4), impulsive, **LENIENT)

        assert (played.summary.restarts, [fill.side for fill in played.fills]) == (8, ["BUY"] * 8)


class TestANight:
    def test_without_an_open_order_passes_without_a_look_at_the_broker(self, tmp_path, mornings, plays, monkeypatch):
        """A day has 1,440 minutes, and each look that is due stops the market: years of daily candles took minutes."""
        looks = []

        def after(actor, seconds, message):
            looks.extend([message] if isinstance(message, ReconcileDue) else [])
            return RuntimeActor.after(actor, seconds, message)

        monkeypatch.setattr(OrdersActor, "after", after)

        played = plays(tmp_path / "data", mornings(3), {"name": "holder", "strategy": "natya_players:Holder"})

        assert len(looks) == len(played.fills) == 3

    def test_with_an_open_order_has_a_dozen_of_them(self, tmp_path, mornings, plays, monkeypatch):
        asked = []
        find = Resolving.find
        monkeypatch.setattr(Resolving, "find", lambda part, which: (asked.append(which), find(part, which)))

        played = plays(tmp_path / "data", mornings(6), {"name": "one", "strategy": "natya_players:Waits"})

        assert played.summary.orders == 1
        assert played.fills == []
        assert 1 <= len(asked) <= 5 * 20


class TestAnOrderAtTheEndOfACandle:
    def test_changes_no_earlier_than_it_was_made(self, tmp_path, plays):
        """A day's candle is over at midnight, its close was at half past three."""
        path = tmp_path / "days.csv"
        path.write_text(
            "date,open,high,low,close,volume\n"
            + "".join(f"2026-01-{day:02}T00:00:00+05:30,100,101,99,100,10\n" for day in (5, 6, 7))
        )

        played = plays(tmp_path / "data", path, {"name": "one", "strategy": "natya_players:BuysEachCandle"})

        times = {}
        for record in played.records:
            if isinstance(record.fact, OrderIntended | OrderAccepted | OrderFilled):
                times.setdefault(record.fact.client_order_id, []).append(record.fact.occurred_ns)
        assert len(times) == 3
        assert all(moments == sorted(moments) for moments in times.values())


class TestAStrategyThatFailsAtEveryCandle:
    """A minute apart, so that no two failures are in a row by the clock."""

    @pytest.mark.parametrize("host", ["loop", "process"])
    def test_is_parked_since_it_never_got_past_one(self, plays, mornings, tmp_path, host):
        strategy = {"name": "lost", "strategy": "natya_strategies:NoCandle", "host": host}
        played = plays(tmp_path / "data", mornings(4, minutes=30), strategy)

        assert [each.partition(":")[0] for each in played.summary.parked] == ["lost"]
        assert played.summary.restarts < 12

    def test_goes_on_where_it_gets_past_some(self, plays, mornings, tmp_path):
        strategy = {"name": "moody", "strategy": "natya_strategies:EverySecondCandle"}
        played = plays(tmp_path / "data", mornings(4, minutes=30), strategy)

        assert played.summary.parked == ()
        assert played.summary.restarts == 60
