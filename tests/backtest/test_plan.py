"""What a user writes, and what is made of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import natya
from natya.backtest import result
from natya.backtest.errors import BacktestRefusedError
from natya.backtest.plan import (
    END_NS,
    SEGMENT_BYTES,
    Plan,
    assigned,
    duration_s,
    settings_of,
    since_ns_of,
    slippage_of,
    symbols_of,
    time_ns,
    until_ns_of,
)
from natya.domain.time import DAY_NS, IST


class TestWords:
    @pytest.mark.parametrize(("text", "expected"), [("20ms", 0.02), ("0.5s", 0.5), ("300us", 0.0003), ("0", 0.0)])
    def test_are_durations(self, text, expected):
        assert duration_s(text) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", (0, 0)),
            (" 0 ", (0, 0)),
            ("0.05%", (0.05, 0)),
            ("5bp", (0.05, 0)),
            ("1tick", (0, 1)),
            ("0.02%+2ticks", (0.02, 2)),
            ("1% + 50 bp", (1.5, 0)),
            ("1tick+2.0ticks", (0, 3)),
            (".5%", (0.5, 0)),
        ],
    )
    def test_are_slippage(self, text, expected):
        assert slippage_of(text) == pytest.approx(expected)

    def test_are_days_and_times_in_india(self):
        assert time_ns("2025-11-03") == 1_762_108_200_000_000_000
        assert time_ns("2025-11-03", is_end=True) == time_ns("2025-11-03") + DAY_NS
        assert time_ns("20251103", is_end=True) == time_ns("2025-11-03") + DAY_NS
        assert time_ns("2025-11-03T09:15", is_end=True) == 1_762_141_500_000_000_000
        assert time_ns("2025-11-03T09:15+00:00") == time_ns("2025-11-03T14:45")
        assert (since_ns_of(""), since_ns_of("2025-11-03")) == (0, time_ns("2025-11-03"))
        assert (until_ns_of(""), until_ns_of("2025-11-03")) == (END_NS, time_ns("2025-11-04"))

    @given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001  a time in India, as a user writes it
    def test_are_times_to_the_microsecond(self, moment):
        exact = (moment.replace(tzinfo=IST) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000

        assert time_ns(moment.isoformat()) == time_ns(f"{moment.isoformat()}+05:30") == exact

    def test_are_parameters_or_settings(self):
        parameters, settings = assigned(["fast=5", "name=abc", "ratio=0.5", "orders.quantity_max=7"])

        assert parameters == {"fast": 5, "name": "abc", "ratio": 0.5}
        assert settings == {"orders.quantity_max": "7"}

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: duration_s("20"),
            lambda: slippage_of("1.5ticks"),
            lambda: slippage_of("much"),
            lambda: time_ns("yesterday"),
            lambda: assigned(["fast"]),
            lambda: assigned(["=5"]),
            lambda: slippage_of("1%+"),
            lambda: duration_s("-1s"),
            lambda: Plan(strategy="a:B", data=()),
            lambda: Plan(strategy="a:B", data=(Path("x"),), capital_rupees=float("nan")),
            lambda: Plan(strategy="a:B", data=(Path("x"),), capital_rupees=0.99),
            lambda: Plan(strategy="a:B", data=(Path("x"),), capital_rupees=1.01e15),
        ],
    )
    def test_that_mean_nothing_are_refused(self, wrong):
        with pytest.raises(BacktestRefusedError, match="wanted"):
            wrong()

    def test_that_are_nearly_the_name_of_charges_get_a_hint(self):
        with pytest.raises(BacktestRefusedError, match="did you mean 'dhan-futures'"):
            Plan(strategy="a:B", data=(Path("x"),), charges="dhan-future")


@pytest.mark.parametrize(("given", "symbols"), [("TCS", ("TCS",)), (["TCS", "INFY"], ("TCS", "INFY")), ((), ())])
def test_a_text_is_one_symbol_and_not_its_letters(given, symbols):
    assert symbols_of(given) == symbols


@pytest.mark.parametrize("capital_rupees", [1, 1e15])
def test_a_capital_may_be_so_small_and_so_large(capital_rupees):
    assert Plan(strategy="a:B", data=(Path("x"),), capital_rupees=capital_rupees).capital_rupees == capital_rupees


def test_charges_that_are_like_none_are_refused_with_all_that_there_are():
    with pytest.raises(BacktestRefusedError) as refused:
        Plan(strategy="a:B", data=(Path("x"),), charges="zzz")

    assert str(refused.value) == (
        "charges are one of dhan-equity-intraday, dhan-equity-delivery, dhan-futures, dhan-options, "
        "dhan-commodity-futures, dhan-commodity-options, none, found 'zzz'"
    )


class TestABacktest:
    def asked(self, monkeypatch, *given, **more):
        plans = []
        monkeypatch.setattr(result, "perform", lambda plan, *, on_progress: plans.append((plan, on_progress)))
        natya.backtest(*given, **more)
        return plans[0]

    def test_has_each_argument_in_its_plan(self, monkeypatch):
        progress = []
        plan, on_progress = self.asked(
            monkeypatch, "mine:Own", ["a.csv", "b.csv"], symbols="TCS", since="2025-11-03", until="2025-11-05",
            interval="5m", parameters={"fast": 5}, latency="300ms", slippage="0.5%+2ticks", charges="none",
            capital_rupees=5_000.0, settings={"orders.quantity_max": 7}, data_dir="kept", on_progress=progress.append,
        )  # fmt: skip

        assert plan == Plan(
            strategy="mine:Own",
            data=(Path("a.csv"), Path("b.csv")),
            symbols=("TCS",),
            since_ns=time_ns("2025-11-03"),
            until_ns=time_ns("2025-11-06"),
            interval="5m",
            parameters={"fast": 5},
            latency_s=0.3,
            slippage_percent=0.5,
            slippage_ticks=2,
            charges="none",
            capital_rupees=5_000.0,
            settings={"orders.quantity_max": 7},
            data_dir=Path("kept"),
        )
        on_progress(7)
        assert progress == [7]

    def test_has_20_ms_on_the_way_the_charges_of_intraday_and_a_million_where_nothing_else_is_said(self, monkeypatch):
        plan, _ = self.asked(monkeypatch, "mine:Own", "a.csv")

        assert plan == Plan(strategy="mine:Own", data=(Path("a.csv"),))
        assert (plan.latency_s, plan.charges, plan.capital_rupees) == (0.02, "dhan-equity-intraday", 1_000_000.0)
        assert (plan.since_ns, plan.until_ns, plan.slippage_percent, plan.slippage_ticks) == (0, END_NS, 0.0, 0)
        assert self.asked(monkeypatch, "mine:Own", "a.csv", latency=0.5)[0].latency_s == 0.5


class TestTheSettings:
    PLAN = Plan(
        strategy="natya_backtests:Crossover",
        data=(Path("/a.csv"),),
        symbols=("TCS",),
        interval="5m",
        parameters={"fast": 2},
        latency_s=0.3,
        slippage_percent=0.5,
        slippage_ticks=2,
        settings={"orders.quantity_max": 7, "feed.speed": 5.0, "orders.account": "kept"},
    )

    def test_are_those_of_the_plan_in_a_folder_of_its_own_whatever_else_is_said(self):
        found = settings_of(self.PLAN, [Path("/a.csv"), Path("/b.csv")], Path("/run"))

        feed, exchange, (strategy,) = found.feed, found.exchange, found.strategies
        assert (feed.source, feed.recording, feed.symbol) == ("replay", ("/a.csv", "/b.csv"), "TCS")
        assert (feed.speed, feed.interval) == (0.0, "5m")
        assert (exchange.order_latency_s, exchange.slippage_percent, exchange.slippage_ticks) == (0.3, 0.5, 2)
        assert (found.orders.account, found.orders.quantity_max) == ("new", 7)
        assert (strategy.name, strategy.strategy, strategy.parameters) == (
            "strategy",
            "natya_backtests:Crossover",
            {"fast": 2},
        )
        assert (found.log.level, found.journal.segment_bytes) == ("warning", SEGMENT_BYTES)
        places = (found.system.data_dir, found.journal.path, found.database.path, found.log.path)
        assert [str(each) for each in places] == ["/run", "/run/journal", "/run/natya.duckdb", "/run/natya.log"]

    def test_of_several_symbols_name_none_and_of_a_journal_that_is_kept_leave_it_as_it_is(self):
        plan = msgspec.structs.replace(self.PLAN, symbols=("TCS", "INFY"), data_dir=Path("/kept"))
        found = settings_of(plan, plan.data, Path("/kept"))

        assert found.feed.symbol == ""
        assert found.journal.segment_bytes < SEGMENT_BYTES
