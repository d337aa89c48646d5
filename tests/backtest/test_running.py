"""What comes of a run is in its figures' data, each under its own name, and whatever was left out is noted."""

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from natya_builders import BUILDERS

from natya.actors.supervision import AwaitSystemStop
from natya.backtest.errors import BacktestFailedError, BacktestRefusedError
from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.report import Played
from natya.backtest.plan import END_NS, Plan, time_ns
from natya.backtest.running import running, stored
from natya.backtest.running.recorder import Declined, Record
from natya.backtest.running.running import Raw, play
from natya.backtest.running.stored import recordings_of, stored_in
from natya.domain.booked import EXPIRED
from natya.messages.addresses import FEED, SYSTEM
from natya.messages.market import AwaitMarketEnd, MarketEnded
from natya.messages.supervision import DescribeTree, Failed
from natya.messages.system import Ping
from natya.transfer import AS_STORED

PLAN = Plan(
    strategy="natya_backtests:Crossover",
    data=(Path("/a.csv"),),
    symbols=("INFY", "TCS"),
    since_ns=time_ns("2025-11-03"),
    until_ns=time_ns("2025-11-05"),
    latency_s=0.3,
    charges="none",
    capital_rupees=5_000.0,
)
SPREAD = (
    "{} fills were at the market, and paid no spread, which candles do not tell: --slippage 1tick, or more where it is "
    "wider"
)
REFUSALS = (
    "4 of 9 orders refused by the limit orders.quantity_max, the first R-2 at 1970-01-01 05:30:00 IST: too many",
    "3 of 9 orders refused by the rule symbol, the first R-1 at 1970-01-01 05:30:00 IST: too many",
)
MARKS = Marks({"INFY": Bars()})
RAW = Raw(
    record=Record(
        fills=(BUILDERS.filled("A-1"),),
        intended=(BUILDERS.intent("A-1"), BUILDERS.intent("A-2")),
        refused={
            "symbol": Declined(3, BUILDERS.refusal("R-1", rule="symbol")),
            "quantity_max": Declined(4, BUILDERS.refusal("R-2")),
        },
        rejected=(),
        unchanged={},
    ),
    marks=MARKS,
    ended=MarketEnded(ticks=10, candles=20),
    notes=("of the data",),
    begin_ns=77,
    left_out=(),
    failed="strategy failed",
)


def played(monkeypatch, plan=PLAN, *, raw=RAW, may_be_empty=False):
    """Return what `play` makes of what the actors answered, and how it had them play."""
    asked = []
    monkeypatch.setattr(running, "play_settings", lambda settings, **how: asked.append((settings, how)) or raw)
    found = play(plan, on_progress=print, may_be_empty=may_be_empty)
    return found, *asked[0]


class TestARun:
    def test_has_what_the_actors_answered_and_what_was_planned(self, monkeypatch):
        found, settings, how = played(monkeypatch)

        assert found == Played(
            strategy="natya_backtests:Crossover",
            fills=RAW.record.fills,
            marks=MARKS,
            ticks=10,
            candles=20,
            orders=2 + 7,
            refused={"symbol": 3, "quantity_max": 4},
            rejected=0,
            capital_rupees=5_000.0,
            charge_model="none",
            latency_s=0.3,
            exchange="NSE",
            begin_ns=77,
            notes=(
                "of the data",
                "wanted, and nothing of it is in the data: TCS",
                *REFUSALS,
                SPREAD.format("1 of 1"),
            ),
            failed="strategy failed",
        )
        assert settings.feed.recording == ("/a.csv",)
        assert how == {
            "since_ns": PLAN.since_ns,
            "until_ns": PLAN.until_ns,
            "symbols": frozenset({"INFY", "TCS"}),
            "is_made_up": False,
            "is_kept": False,
            "on_progress": print,
        }

    def test_says_why_the_exchange_rejected_most_orders(self, monkeypatch):
        rejected = {count: BUILDERS.rejected(f"B-{count}", reason=f"no. {count}") for count in (2, 1_000, 1, 3)}
        declined = tuple(Declined(count, first) for count, first in rejected.items())
        record = msgspec.structs.replace(RAW.record, rejected=declined)

        found, *_ = played(monkeypatch, raw=msgspec.structs.replace(RAW, record=record))

        at = "1970-01-01 05:30:00 IST"
        assert found.rejected == 1_006
        assert [note for note in found.notes if "rejected" in note] == [
            f"{count:,} of 9 orders rejected by the exchange, the first B-{count} at {at}: no. {count}"
            for count in (1_000, 3, 2)
        ]

    def test_of_a_market_that_never_closes_counts_no_trading_days(self, monkeypatch):
        plan = msgspec.structs.replace(PLAN, settings={"feed.exchange": "none"})

        assert played(monkeypatch, plan)[0].exchange is None

    def test_keeps_its_files_where_a_folder_is_named(self, monkeypatch, tmp_path):
        _, settings, how = played(monkeypatch, msgspec.structs.replace(PLAN, data_dir=tmp_path))
        _, passing, _ = played(monkeypatch)

        assert (how["is_kept"], Path(settings.system.data_dir)) == (True, tmp_path)
        assert "natya-backtest-" in str(passing.system.data_dir)

    def test_of_a_database_is_played_as_it_was_stored_unless_the_plan_says_otherwise(self, monkeypatch, tmp_path):
        database = tmp_path / "natya.duckdb"
        given = []

        def settings_of(plan, files, _data_dir):
            given.append((plan.settings, files))
            return SimpleNamespace(
                strategies=[SimpleNamespace(strategy="s")],
                feed=SimpleNamespace(exchange="NSE"),
                exchange=SimpleNamespace(slippage_percent=0.0, slippage_ticks=0),
            )

        monkeypatch.setattr(running, "recordings_of", lambda *_: (Path("/written.parquet"),))
        monkeypatch.setattr(running, "was_made_up", lambda path: path == database)
        monkeypatch.setattr(running, "settings_of", settings_of)
        (name, value), *_ = AS_STORED.items()
        plan = msgspec.structs.replace(PLAN, data=(database,), settings={name: "mine"})

        _, _, how = played(monkeypatch, plan)

        assert how["is_made_up"] is True
        assert given == [({**AS_STORED, name: "mine"}, (Path("/written.parquet"),))]
        assert value != "mine"

    @pytest.mark.parametrize("ended", [MarketEnded(ticks=1, candles=0), MarketEnded(ticks=0, candles=1)])
    def test_with_a_tick_or_a_candle_is_one(self, monkeypatch, ended):
        found, *_ = played(monkeypatch, raw=msgspec.structs.replace(RAW, ended=ended))

        assert (found.ticks, found.candles) == (ended.ticks, ended.candles)

    def test_with_nothing_is_refused_unless_it_may_be(self, monkeypatch):
        raw = msgspec.structs.replace(RAW, ended=MarketEnded(ticks=0, candles=0), left_out=("SBIN",))
        assert played(monkeypatch, raw=raw, may_be_empty=True)[0].ticks == 0

        with pytest.raises(BacktestRefusedError) as refused:
            played(monkeypatch, raw=raw)
        assert str(refused.value) == (
            "market data of INFY, TCS from 2025-11-03 00:00:00 IST until 2025-11-05 00:00:00 IST wanted, found none in "
            "/a.csv; left out, since only INFY, TCS is wanted: SBIN"
        )
        whole = Plan(strategy=PLAN.strategy, data=(Path("/a.csv"), Path("/b.csv")))
        with pytest.raises(BacktestRefusedError, match=r"^market data wanted, found none in /a.csv, /b.csv$"):
            played(monkeypatch, whole, raw=msgspec.structs.replace(raw, left_out=()))

    def test_notes_what_was_left_out_and_what_else_is_to_be_known(self, monkeypatch):
        raw = msgspec.structs.replace(
            RAW,
            ended=MarketEnded(ticks=1, candles=0, bad_rows=2),
            left_out=tuple("ABCDEF"),
            record=msgspec.structs.replace(RAW.record, unchanged={"terms": 1_000, "broker": 2}),
        )
        plan = msgspec.structs.replace(PLAN, symbols=("INFY",), slippage_ticks=2)

        assert played(monkeypatch, plan, raw=raw)[0].notes == (
            "of the data",
            "left out, since only INFY is wanted: A, B, C, D, E, …",
            "left out: 2 broken rows of the data, as feed.bad_rows_max allows",
            *REFUSALS,
            "refused: 1,002 changes of orders, which stayed as they were, by broker 2, terms 1,000",
            (
                "a tick of slippage is 0.01 rupees: that of the instrument may be more "
                "(--set exchange.tick_size_rupees=0.05)"
            ),
        )
        five = msgspec.structs.replace(raw, left_out=tuple("ABCDE"))
        assert "left out, since only INFY is wanted: A, B, C, D, E" in played(monkeypatch, plan, raw=five)[0].notes


def a_record(*orders):
    """Orders by their types, each with a trade of that id."""
    known = [(f"A-{number}", *each) for number, each in enumerate(orders)]
    return msgspec.structs.replace(
        RAW.record,
        intended=tuple(BUILDERS.intent(name, order_type=kind) for name, kind, _ in known),
        fills=tuple(BUILDERS.filled(name, trade_id=trade) for name, _, trade in known),
    )


class TestTheSpread:
    ORDERS = (("MARKET", "T-1"), ("STOP", "T-2"), ("LIMIT", "T-3"), ("STOP_LIMIT", "T-4"), ("MARKET", EXPIRED))

    @pytest.mark.parametrize(
        ("orders", "told"),
        [(ORDERS, [SPREAD.format("2 of 4")]), (ORDERS[2:4], []), (ORDERS[4:], []), ((), [])],
        ids=["at the market", "at limits", "of an expiry", "nothing"],
    )
    def test_is_told_not_to_be_paid_by_what_traded_at_the_market(self, monkeypatch, orders, told):
        raw = msgspec.structs.replace(RAW, record=a_record(*orders))

        assert [note for note in played(monkeypatch, raw=raw)[0].notes if "spread" in note] == told

    @pytest.mark.parametrize("slippage", [{"slippage_ticks": 1}, {"slippage_percent": 0.01}])
    def test_is_what_slippage_stands_for(self, monkeypatch, slippage):
        found, *_ = played(monkeypatch, msgspec.structs.replace(PLAN, **slippage))

        assert not [note for note in found.notes if "spread" in note]

    def test_of_recorded_ticks_is_that_of_their_books(self, monkeypatch):
        raw = msgspec.structs.replace(RAW, ended=MarketEnded(ticks=10, candles=0))

        assert not [note for note in played(monkeypatch, raw=raw)[0].notes if "spread" in note]


class Runtime:
    """Answers what is asked of a system; the market's end comes after so many looks."""

    def __init__(self, end, *, looks=1, stopped_at=None):
        self.end, self.looks, self.stopped_at, self.asked = end, looks, stopped_at, []
        self.stopped = Future()
        self.market = SimpleNamespace(result=self.look)

    def request_future(self, target, message):
        self.asked.append((target, type(message)))
        return self.stopped if target == SYSTEM else self.market

    def request(self, target, message, *, timeout_s):
        assert timeout_s == 60.0
        self.asked.append((target, type(message)))
        if type(message) is Ping and self.stopped_at == 0:
            self.stop()
        return SimpleNamespace(children=())

    def look(self, timeout_s):
        assert timeout_s == 0.2
        self.looks -= 1
        if self.stopped_at == self.looks + 1:
            self.stop()
        if self.looks:
            raise TimeoutError
        return self.end

    def stop(self):
        self.stopped.set_result(SimpleNamespace(reason="gave up", error=ValueError("x")))


ENDED = MarketEnded(ticks=1, candles=0)


class TestTheEnd:
    def test_is_awaited_and_whoever_has_failed_looked_for_meanwhile(self):
        runtime = Runtime(ENDED, looks=3)

        assert running._await_end(runtime) == (ENDED, ())
        assert runtime.asked == [
            (SYSTEM, AwaitSystemStop), (SYSTEM, Ping), (FEED, AwaitMarketEnd), *[(SYSTEM, DescribeTree)] * 3,
        ]  # fmt: skip

    @pytest.mark.parametrize("stopped_at", [0, 2])
    def test_is_none_of_a_system_that_gave_up(self, stopped_at):
        with pytest.raises(BacktestFailedError, match=r"^gave up$") as failed:
            running._await_end(Runtime(ENDED, looks=2, stopped_at=stopped_at))

        assert isinstance(failed.value.__cause__, ValueError)

    def test_is_none_where_the_feed_has_failed(self):
        failed = Failed(actor="feed", error="KeyError", reason="x", message_type="AwaitMarketEnd")

        with pytest.raises(BacktestFailedError, match="the market did not come to its end: "):
            running._await_end(Runtime(failed))


class TestAStoredMarket:
    def written(self, monkeypatch, since_ns, until_ns):
        asked = []
        monkeypatch.setattr(stored, "stored_files", lambda *given, **how: asked.append((given, how)) or ("file",))
        how = {"symbols": ("TCS",), "interval": "5m", "since_ns": since_ns, "until_ns": until_ns}
        assert stored_in(Path("/data"), Path("/scratch"), **how) == ("file",)
        ((given, asked_for),) = asked
        assert given == (Path("/data"), Path("/scratch/stored"))
        assert (asked_for["symbols"], asked_for["interval"]) == (("TCS",), "5m")
        return asked_for["since_ns"], asked_for["until_ns"]

    def test_is_written_by_whole_days(self, monkeypatch):
        third, fourth, fifth = (time_ns(f"2025-11-0{day}") for day in (3, 4, 5))

        assert self.written(monkeypatch, 0, END_NS) == (None, None)
        assert self.written(monkeypatch, third + 1, fourth + 1) == (third, fifth)
        assert self.written(monkeypatch, third, fourth) == (third, fourth)

    def test_begins_as_long_before_the_test_as_its_strategy_wants_to_know(self, monkeypatch, tmp_path):
        asked = []
        monkeypatch.setattr(stored, "is_database", lambda path: path == Path("/data"))
        monkeypatch.setattr(stored, "stored_in", lambda *given, **how: asked.append((given, how)) or ("file",))
        plan = msgspec.structs.replace(PLAN, data=(Path("/data"),), interval="5m", strategy="natya_backtests:Knower")
        past_ns = stored.past_ns(stored.bars_wanted(["natya_backtests:Knower"]))

        assert recordings_of(plan, tmp_path) == ("file",)
        assert recordings_of(msgspec.structs.replace(plan, since_ns=5), tmp_path) == ("file",)
        how = {"symbols": plan.symbols, "until_ns": plan.until_ns, "interval": "5m"}
        assert past_ns > 0
        assert asked == [
            ((Path("/data"), tmp_path), how | {"since_ns": plan.since_ns - past_ns}),
            ((Path("/data"), tmp_path), how | {"since_ns": 0}),
        ]
        assert recordings_of(PLAN, tmp_path) == PLAN.data


class TestWhatIsDecidedInsideOfACandle:
    """A candle from 100 to 190: its open is met at 100, the others from 130 on."""

    @staticmethod
    def notes(monkeypatch, decided_ns, traded_ns, *, are_candles=True, **fields):
        bars = Bars(are_candles=are_candles)
        bars.add(190, 1.0, 1.0, 1.0, 1.0, begin_ns=100)
        record = msgspec.structs.replace(
            RAW.record,
            fills=(BUILDERS.filled("A-1", occurred_ns=traded_ns),),
            intended=(BUILDERS.intent("A-1", occurred_ns=decided_ns, **fields),),
        )
        raw = msgspec.structs.replace(RAW, record=record, marks=Marks({"INFY": bars}))
        return [note for note in played(monkeypatch, raw=raw)[0].notes if "four prices" in note]

    def test_met_the_next_of_its_four_prices(self, monkeypatch):
        (words,) = self.notes(monkeypatch, 130, 160)

        assert words == (
            "1 of 1 fill met the next of the four prices of the candle in which they were decided, whose order is made "
            "up: behind a high that comes first that is the low. Decide in on_candle, or play ticks"
        )

    @pytest.mark.parametrize(("decided_ns", "traded_ns"), [(100, 102), (100, 130), (130, 200), (50, 130)])
    def test_is_not_what_was_decided_before_or_met_the_next_candle(self, monkeypatch, decided_ns, traded_ns):
        assert self.notes(monkeypatch, decided_ns, traded_ns) == []

    def test_is_no_order_with_a_limit_which_trades_no_better_than_what_it_found(self, monkeypatch):
        assert self.notes(monkeypatch, 130, 160, order_type="LIMIT", limit_price=100.0) == []

    def test_is_nothing_where_ticks_are_played(self, monkeypatch):
        assert self.notes(monkeypatch, 130, 160, are_candles=False) == []
