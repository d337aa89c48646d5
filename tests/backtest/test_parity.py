"""A recorded session, backtested, gives the same orders, or the first difference."""

from types import SimpleNamespace

import msgspec
import pytest
from natya_builders import filled
from natya_database import with_files
from natya_recordings import write_candles
from typer.testing import CliRunner

import natya
from natya.actors.journal import JournalView
from natya.actors.journal.disk import RealDisk
from natya.backtest import BacktestRefusedError
from natya.backtest import parity as comparing
from natya.backtest.parity import Parity, _named, begun_anew, first_difference, met_later, parity
from natya.backtest.plan import END_NS, time_ns
from natya.backtest.running.running import play_settings
from natya.cli.app import app
from natya.messages.orders import OrderFilled, OrderIntended

CROSSOVER = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"
SESSION = [
    {"name": "crossover", "strategy": CROSSOVER, "parameters": {"fast": 4, "slow": 12, "quantity": 10}},
    {"name": "watcher", "strategy": "natya_backtests:Watcher"},
]


WATCHING = ("--strategy", SESSION[1]["strategy"])


def record(data_dir, recording, strategies):
    """Let a session on paper trade a recording, and record it; return its data directory."""
    overrides = {
        "system.data_dir": str(with_files(data_dir)),
        "feed.source": "replay",
        "feed.recording": str(recording),
        "feed.symbol": "TCS",
        "feed.speed": 0.0,
        "control.enabled": False,
        "strategies": strategies,
    }
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
        assert system.await_end(50) is not None
    return data_dir


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The data directory of a session of two strategies, and its settings."""
    folder = tmp_path_factory.mktemp("session")
    recording = write_candles(folder / "walk.csv", 120, seed=8)
    return record(folder / "data", recording, SESSION)


def intents_of(session):
    view = JournalView.of_directory(RealDisk(), session / "journal")
    return [record.fact for record in view.find(types=frozenset({"OrderIntended"}))]


def fills_of(session):
    view = JournalView.of_directory(RealDisk(), session / "journal")
    return [record.fact for record in view.find(types=frozenset({"OrderFilled"}))]


class TestASession:
    def test_backtested_gives_the_same_orders_and_fills(self, session):
        found = parity(session, settings={"strategies": SESSION})

        assert (found.difference, found.notes, found.played) == ("", (), "candles of 1m")
        assert found.orders == found.backtest_orders > 20
        assert found.fills == found.backtest_fills > 20

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            (
                {"strategies": [SESSION[0] | {"parameters": {"fast": 5, "slow": 12, "quantity": 10}}, SESSION[1]]},
                "order ",
            ),
            ({"strategies": SESSION, "exchange.slippage_ticks": 3}, "fill 1 of "),
            ({"strategies": SESSION[:1]}, "order 1 of watcher: the session has BUY 2 TCS at the market"),
        ],
    )
    def test_that_is_not_the_same_tells_the_first_difference(self, session, settings, said):
        found = parity(session, settings=settings)

        assert said in found.difference

    def test_on_live_prices_says_what_the_way_of_its_orders_cost(self, session, monkeypatch):
        """The backtest's orders arrive in no time; those of this session found a market that was 3 paise cheaper."""
        monkeypatch.setattr(comparing, "was_live", lambda *_, **__: True)

        found = parity(session, settings={"strategies": SESSION, "exchange.slippage_ticks": 3})

        shares = sum(fill.quantity for fill in fills_of(session))
        assert "fill 1 of " in found.difference
        assert found.notes == (
            (
                "prices came live, and an order met the market that was there when it arrived: "
                f"{found.fills} of {found.fills} fills had another price than in the backtest, "
                f"together {shares * 0.03:,.2f} rupees better"
            ),
        )

    def test_of_a_market_that_was_made_up_has_no_hours_whenever_it_was(self, tmp_path):
        """It is of now, and trades on after the exchange's closing auction."""
        bidder = {"name": "bidder", "strategy": "natya_backtests:Bidder"}
        overrides = {
            "system.data_dir": str(with_files(tmp_path)),
            "feed.symbols": ["TCS"],
            "feed.duration_s": 20.0,
            "feed.speed": 0.0,
            "control.enabled": False,
            "strategies": [bidder],
        }
        with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
            assert system.await_end(50) is not None

        found = parity(tmp_path, settings={"strategies": [bidder]})

        assert found.difference == ""
        assert found.fills == found.backtest_fills > 0

    def test_is_compared_in_a_part_of_it_with_its_end_left_out(self, session):
        times_ns = [each.occurred_ns for each in intents_of(session)]
        middle_ns = times_ns[len(times_ns) // 2]
        found = parity(session, settings={"strategies": SESSION}, until_ns=middle_ns)

        assert found.difference == ""
        assert found.orders == sum(time_ns < middle_ns for time_ns in times_ns) > 5

    @pytest.mark.parametrize("part", [{}, {"since_ns": 10**18, "until_ns": 3 * 10**18}], ids=["whole", "a part"])
    def test_is_played_as_it_was_stored_in_the_time_that_is_compared(self, session, monkeypatch, part):
        asked = {}

        def spied(name, answer):
            def spy(*given, **how):
                asked[name] = (given, how)
                return answer

            monkeypatch.setattr(comparing, name, spy)

        facts = [*intents_of(session), *fills_of(session)]
        fills = [fact for fact in facts if isinstance(fact, OrderFilled)]
        raw = SimpleNamespace(
            record=SimpleNamespace(intended=tuple(intents_of(session)), fills=tuple(fills)),
            notes=("of the data",),
            failed="so",
        )
        spied("played_interval", "5m")
        spied("stored_in", ("written.parquet",))
        spied("was_made_up", answer=True)
        spied("was_live", answer=False)
        spied("play_settings", raw)

        found = parity(
            session, settings={"strategies": SESSION, "exchange.slippage_ticks": 3}, on_progress=print, **part
        )

        assert found == Parity(
            orders=len(facts) - len(fills), fills=len(fills), backtest_orders=len(facts) - len(fills),
            backtest_fills=len(fills), difference="", played="candles of 5m", notes=("of the data", "so"),
        )  # fmt: skip
        time = {"since_ns": part.get("since_ns", 0), "until_ns": part.get("until_ns", END_NS)}
        in_time = {"since_ns": part.get("since_ns"), "until_ns": part.get("until_ns")}
        for name in ("played_interval", "was_made_up", "was_live"):
            assert asked[name] == ((session,), in_time)
        (place, scratch), how = asked["stored_in"]
        assert (place, how) == (session, {"symbols": (), "interval": "5m"} | time)
        (settings,), how = asked["play_settings"]
        assert how == {
            "symbols": frozenset(), "is_made_up": True, "is_kept": False, "on_progress": print,
        } | time  # fmt: skip
        assert (settings.feed.recording, settings.feed.source, settings.feed.speed) == (
            ("written.parquet",),
            "replay",
            0.0,
        )
        assert (settings.broker.name, settings.broker.live, settings.broker.wire) == ("paper", False, False)
        assert (settings.orders.account, settings.exchange.slippage_ticks) == ("new", 3)
        assert settings.system.data_dir == str(scratch / "data")
        assert not scratch.exists()

    @pytest.mark.parametrize("is_live", [True, False])
    @pytest.mark.parametrize("is_same", [True, False])
    def test_has_its_way_s_cost_told_of_live_prices_and_the_same_orders_alone(
        self, session, monkeypatch, is_live, is_same
    ):
        orders, fills = intents_of(session), fills_of(session)
        if not is_same:
            orders[0] = msgspec.structs.replace(orders[0], quantity=orders[0].quantity + 1)
        fills[0] = msgspec.structs.replace(fills[0], price=fills[0].price + 1)
        raw = SimpleNamespace(record=SimpleNamespace(intended=orders, fills=fills), notes=(), failed="")
        for name, answer in (
            ("played_interval", ""), ("stored_in", ()), ("was_made_up", False), ("was_live", is_live),
            ("play_settings", raw),
        ):  # fmt: skip
            monkeypatch.setattr(comparing, name, lambda *_, answer=answer, **__: answer)

        found = parity(session)

        assert found.difference.startswith("fill 1 of" if is_same else "order 1 of")
        assert any("prices came live" in note for note in found.notes) == (is_live and is_same)

    def test_is_from_a_time_that_is_of_it_until_one_that_is_not(self, session):
        journal = session / "journal"
        facts = comparing._session(journal, 0, END_NS)
        first_ns, last_ns = (sorted({fact.occurred_ns for fact in facts})[place] for place in (1, -2))

        assert comparing._session(journal, first_ns, last_ns) == [
            fact for fact in facts if first_ns <= fact.occurred_ns < last_ns
        ]

    def test_without_orders_in_that_time_is_none(self, session):
        with pytest.raises(BacktestRefusedError, match="a session with orders wanted, found none in"):
            parity(session, until_ns=1)

    def test_is_compared_by_a_command_that_fails_where_they_differ(self, session, tmp_path):
        config = tmp_path / "mine.toml"
        config.write_text(f'[[strategies]]\nname = "watcher"\nstrategy = "{SESSION[1]["strategy"]}"\n')

        done = CliRunner().invoke(app, ["parity", str(session), "--config", str(config), "--json"])

        assert done.exit_code == 1, done.stderr
        found = msgspec.json.decode(done.stdout)
        assert "of crossover: the session has" in found["difference"]
        assert found["notes"] == [
            "the session traded crossover, the settings have watcher: name what ran, by --strategy or --config"
        ]

    def test_is_not_compared_with_strategies_of_which_it_traded_none(self, session, tmp_path):
        config = tmp_path / "others.toml"
        config.write_text(f'[[strategies]]\nname = "other"\nstrategy = "{CROSSOVER}"\n')

        done = CliRunner().invoke(app, ["parity", str(session), "--config", str(config)])

        assert (done.exit_code, done.stdout) == (78, "")
        assert "the session traded crossover, watcher, the settings have other: name what ran" in done.stderr

    def test_is_played_by_the_ticks_that_it_has_where_these_are_wanted(self, session):
        done = CliRunner().invoke(app, ["parity", str(session), "--interval", "ticks", *WATCHING])

        assert "played: ticks" in done.stdout.splitlines()

    def test_is_wanted(self, tmp_path):
        with pytest.raises(BacktestRefusedError, match="found no journal"):
            parity(tmp_path)


def days(path, count):
    """Write a recording of days of half an hour; return its files, a day each, and where each begins."""
    head, *rows = write_candles(path / "days.csv", 30 * count, seed=4, minutes_a_day=30).read_text().splitlines()
    files = [path / f"day{day}.csv" for day in range(count)]
    for day, file in enumerate(files):
        file.write_text("\n".join([head, *rows[30 * day : 30 * (day + 1)]]) + "\n")
    return files, [time_ns(rows[30 * day].split(",")[0]) for day in range(count)]


class TestASessionThatKnewTheDaysBefore:
    def test_is_compared_with_a_backtest_that_knows_them_too(self, tmp_path, monkeypatch):
        knower = [{"name": "knower", "strategy": "natya_backtests:Knower"}]
        files, begins_ns = days(tmp_path, 2)
        for file, strategies in zip(files, ([], knower), strict=True):
            record(tmp_path / "data", file, strategies)
        played = []
        monkeypatch.setattr(
            comparing, "play_settings", lambda *s, **n: played.append(play_settings(*s, **n)) or played[0]
        )

        found = parity(tmp_path / "data", settings={"strategies": knower}, since_ns=begins_ns[1])

        assert (found.difference, found.orders, found.fills) == ("", 2, 2)
        bought, sold = played[0].record.intended
        # Of minutes those 30 of the day before, and the first of this; of five minutes 6 of the day before.
        assert (bought.quantity, sold.quantity) == (30 + 1 + 6, 30 + 1 + 6)
        assert played[0].ended.ticks == 4 * 30


class TestTheFirstDifference:
    def an_order(self, number, strategy="s", **changes):
        fields = {"symbol": "TCS", "side": "BUY", "quantity": 1, "order_type": "MARKET", "limit_price": None}
        fields["client_order_id"] = f"{number}"
        return OrderIntended(strategy=strategy, occurred_ns=number, **fields | changes)

    def test_is_none_where_only_times_and_names_differ(self):
        assert first_difference("order", [self.an_order(1)], [self.an_order(7)]) == ""

    def test_is_none_where_strategies_take_turns_otherwise(self):
        ours = [self.an_order(1, "a"), self.an_order(2, "b")]

        assert first_difference("order", ours, ours[::-1]) == ""

    def test_is_the_earliest_of_all_strategies(self):
        ours = [self.an_order(1, "a"), self.an_order(2, "b"), self.an_order(3, "a")]
        theirs = [ours[0], self.an_order(2, "b", quantity=5)]

        assert "order 1 of b: " in first_difference("order", ours, theirs)
        assert "(quantity 1 and 5)" in first_difference("order", ours, theirs)

    def test_is_told_with_all_that_both_have_and_the_fields_that_differ(self):
        ours, theirs = self.an_order(10**9), self.an_order(2 * 10**9, quantity=5, order_type="LIMIT", limit_price=9.5)

        assert first_difference("order", [self.an_order(1), ours], [self.an_order(1), theirs]) == (
            "order 2 of s: the session has BUY 1 TCS at the market, 1970-01-01 05:30:01 IST, the backtest "
            "BUY 5 TCS at 9.5, 1970-01-01 05:30:02 IST "
            "(quantity 1 and 5, order_type 'MARKET' and 'LIMIT', limit_price None and 9.5)"
        )

    def test_may_be_one_that_either_of_them_has_more(self):
        few, more = [self.an_order(1)], [self.an_order(1), self.an_order(2, quantity=7), self.an_order(3)]

        assert first_difference("order", more, few).startswith("order 2 of s: the session has BUY 7 TCS")
        assert first_difference("order", few, more).startswith("order 2 of s: the backtest has BUY 7 TCS")
        assert first_difference("order", few, more).endswith("the session none")

    def test_may_be_of_a_strategy_that_was_begun_anew_and_then_it_is_said_which_and_when(self):
        ids = ["s-1-1", "s-1-1S", "t-2-1", "s-3-1", "s-3-2"]
        orders = [self.an_order(n, each[0], client_order_id=each) for n, each in enumerate(ids)]

        (note,) = begun_anew(orders)
        assert note.startswith("s was begun anew in the session, and ordered again from 1970-01-01 05:30:00.000000003")
        assert [*begun_anew(orders[:3])] == []

    @pytest.mark.parametrize("how", ["expired", "squared off by the broker", "position settled by asha"])
    def test_is_not_of_one_begun_anew_where_a_position_went_without_an_order_of_it(self, how):
        orders = [self.an_order(n, client_order_id=f"s-{life}-1") for n, life in enumerate(("1", "exg1g"))]
        fills = [filled(orders[1].client_order_id, how)]

        assert [*begun_anew(orders, fills)] == []
        assert [*begun_anew(orders, [filled("s-1-1", how)])] == []
        assert len([*begun_anew(orders, [filled(orders[1].client_order_id, "T-1")])]) == 1

    def test_says_when_a_strategy_was_begun_anew_a_few_times_alone(self):
        (note,) = begun_anew([self.an_order(n, client_order_id=f"s-{n}-1") for n in range(1, 9)])

        assert "000000004 IST, … on: a backtest begins once" in note
        assert "000000005" not in note

    @pytest.mark.parametrize(("times", "is_cut"), [(3, False), (4, True)])
    def test_says_that_it_was_begun_anew_more_often_only_where_it_was(self, times, is_cut):
        (note,) = begun_anew([self.an_order(n, client_order_id=f"s-{n}-1") for n in range(1, 2 + times)])

        assert (", … on: " in note) is is_cut


class TestWhatTheWayOfOrdersCost:
    def some(self, *fills, strategy="s"):
        return [
            filled(f"A-{n}", strategy=strategy, side=side, quantity=quantity, price=price)
            for n, (side, quantity, price) in enumerate(fills)
        ]

    def test_is_worse_for_who_bought_dearer_or_sold_cheaper(self):
        recorded = self.some(("BUY", 10, 101.0), ("SELL", 5, 99.0), ("SELL", 5, 100.0))
        replayed = self.some(("BUY", 10, 100.0), ("SELL", 5, 101.0), ("SELL", 5, 100.0))

        (told,) = met_later(recorded, replayed)
        assert told.endswith("2 of 3 fills had another price than in the backtest, together 20.00 rupees worse")

    def test_is_of_fills_that_are_as_large_and_of_the_same_strategy(self):
        recorded = [*self.some(("BUY", 10, 99.0)), *self.some(("BUY", 3, 90.0), strategy="t")]
        replayed = [*self.some(("BUY", 3, 90.0), strategy="t"), *self.some(("BUY", 10, 100.0))]

        (told,) = met_later(recorded, replayed)
        assert told.endswith("1 of 2 fills had another price than in the backtest, together 10.00 rupees better")
        assert list(met_later(self.some(("BUY", 9, 99.0)), self.some(("BUY", 10, 100.0)))) == []


def test_a_strategy_that_is_given_alone_is_named_by_its_class():
    assert _named("natya_backtests:Crossover") == {"name": "crossover", "strategy": "natya_backtests:Crossover"}
