"""Whole backtests: the actors, on the time of their data."""

import csv
import itertools
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import natya_backtests
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_backtests import write_rows
from natya_patience import be_patient
from natya_recordings import write_candles, write_last_prices
from typer.testing import CliRunner

import natya
from natya.actors.feed import CandlesWanted, Outlook, RecordingError
from natya.actors.journal.header import HEADER_SIZE
from natya.backtest import BacktestBrokenError, BacktestFailedError, BacktestRefusedError
from natya.backtest.plan import time_ns
from natya.backtest.sweeping.fingerprint import files_of
from natya.cli.app import app
from natya.domain.candles import can_be_made
from natya.domain.time import DAY_NS, time_text

RELIANCE = Path(__file__).parents[3] / "shared" / "data" / "reliance_1min_60days.csv"
"""Beside the project, where there is one."""

FAST, SLOW = 3, 8
FREE = {"charges": "none", "parameters": {"fast": FAST, "slow": SLOW}}


def crossings(path):
    """Work the crossover out from the file alone: side, and price of the opening of the candle behind the crossing."""
    with path.open() as file:
        rows = [(float(row["open"]), round(float(row["close"]) * 100)) for row in csv.DictReader(file)]
    closes, is_long, found = [close for _, close in rows], False, []
    for end in range(SLOW, len(rows)):  # the last candle has no opening behind it
        spread = sum(closes[end - FAST : end]) * SLOW - sum(closes[end - SLOW : end]) * FAST
        if spread and (spread > 0) != is_long and (spread > 0 or is_long):
            is_long = spread > 0
            found.append(("BUY" if is_long else "SELL", rows[end][0]))
    return found


def records_bytes(data_dir):
    """Return what is in the journal's files behind their headers, which name the directory."""
    return b"".join(path.read_bytes()[HEADER_SIZE:] for path in sorted((data_dir / "journal").glob("*.journal")))


class TestACrossover:
    @pytest.fixture(params=["walk", "reliance"])
    def recording(self, request, tmp_path):
        path = tmp_path / "candles.csv"
        if request.param == "walk":
            return write_candles(path, 400, seed=3)
        if not RELIANCE.exists():
            pytest.skip(f"there is no {RELIANCE}")
        with RELIANCE.open() as file:
            path.write_text("".join(itertools.islice(file, 601)))
        return path

    def test_trades_at_the_opening_behind_each_crossing(self, recording):
        result = natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], **FREE)

        expected = crossings(recording)
        assert [(fill.side, fill.price) for fill in result.fills] == expected
        assert len(expected) > 20
        profit = sum(price if side == "SELL" else -price for side, price in expected)
        held = len(expected) % 2
        assert float(result.report.profit_rupees) == pytest.approx(profit + held * last_close(recording), abs=1e-6)
        assert result.report.final_rupees == 1_000_000 + result.report.profit_rupees
        equity = result.table("equity").columns()
        assert equity["equity"][-1] == pytest.approx(float(result.report.final_rupees))
        assert equity["drawdown"].min() == pytest.approx(result.report.max_drawdown)
        assert result.report.positions == ({"TCS": 10} if held else {})
        exits = [price for side, price in expected if side == "SELL"]
        assert list(result.table("trades").columns()["exit_price"][: len(exits)]) == exits


def last_close(path):
    return float(path.read_text().splitlines()[-1].split(",")[4])


class TestAnOrder:
    def test_meets_the_market_after_its_latency_at_a_price_that_came_after_it(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(20))

        result = natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], latency="20ms", **FREE)

        decided_ns = time_ns("2025-11-03T09:23")
        assert (result.fills[0].price, result.fills[0].occurred_ns) == (108.0, decided_ns + 20_000_000)

    def test_that_is_closed_by_none_leaves_a_trade_without_an_exit(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(20))

        result = natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], **FREE)

        trades = result.table("trades").columns()
        assert [float(each) for each in trades["entry_price"]] == [108.0]
        assert trades["exit_price"].mask.all()
        assert result.report.positions == {"TCS": result.fills[0].quantity}
        with pytest.raises(KeyError, match="one of trades, fills, equity, months, symbols, found 'orders'"):
            result.table("orders")

    def test_that_closes_two_brackets_at_once_and_is_too_great_leaves_none_of_them_open(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(20))
        limits = {"settings": {"orders.quantity_max": 10}}

        result = natya.backtest(natya_backtests.Doubler, recording, symbols=["TCS"], charges="none", **limits)

        traded = [(fill.side, fill.quantity) for fill in result.fills]
        assert (traded, result.report.positions) == ([("BUY", 10)] * 2 + [("SELL", 10)] * 2, {})

    def test_that_takes_longer_than_a_candle_meets_a_later_one(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(20))

        result = natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], latency="90s", **FREE)

        assert result.fills[0].price == 109.0
        assert result.fills[0].occurred_ns == time_ns("2025-11-03T09:24:30")

    def test_is_told_to_trade_behind_the_price_and_before_the_next_one_and_its_candle(self, tmp_path):
        # The third price of the second candle, of four, goes through the bid; the fourth is its close.
        recording = write_rows(tmp_path / "a.csv", [(100, 100, 100, 100), (100, 101, 98, 99), (99, 99, 99, 99)])

        natya.backtest(natya_backtests.Witness, recording, symbols=["TCS"], charges="none")

        seen = natya_backtests.Witness.SEEN
        assert seen[:4] == [("tick", 0, 1), ("fill", 5, 0), ("tick", 5, 0), ("candle", 5, 0)]
        assert {tuple(held) for _, *held in seen[4:]} == {(5, 0)}

    def test_of_a_market_that_never_closes_trades_behind_the_hours_of_an_exchange(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", [(100, 101, 99, 100)] * 20, start="2026-11-30T17:00:00+05:30")

        result = natya.backtest(natya_backtests.Bidder, recording, symbols=["TCS"], settings={"feed.exchange": "none"})

        assert result.report.fills == 1

    def test_pays_for_slippage(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(20))

        result = natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], slippage="3ticks", **FREE)

        assert result.fills[0].price == pytest.approx(108.03)
        assert any(note.startswith("a tick of slippage is 0.01 rupees") for note in result.report.notes)

    def test_pays_for_slippage_by_the_tick_of_its_instrument(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(20))
        tick = {"settings": {"exchange.tick_size_rupees": 0.1}}

        result = natya.backtest(
            natya_backtests.Crossover, recording, symbols=["TCS"], slippage="3ticks", **FREE, **tick
        )

        assert result.fills[0].price == pytest.approx(108.3)
        assert any(note.startswith("a tick of slippage is 0.1 rupees") for note in result.report.notes)

    def test_that_the_risk_gate_refuses_is_in_the_report(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(5))

        result = natya.backtest(natya_backtests.Greedy, recording, symbols=["TCS"])

        assert (result.report.orders, result.report.fills, result.report.refused) == (1, 0, {"quantity_max": 1})


def rising(count):
    return [(100 + place, 101 + place, 100 + place, 101 + place) for place in range(count)]


class TestNobodySeesTheFuture:
    def test_in_ticks_candles_or_the_last_price(self, tmp_path):
        random = Random(4)
        rows = [(p, p + 3, p - 3, p + random.choice((-1, 1))) for p in (random.randint(90, 110) for _ in range(40))]
        recording = write_rows(tmp_path / "a.csv", rows)

        natya.backtest(natya_backtests.Peeker, recording, symbols=["TCS"])

        seen = natya_backtests.Peeker.SEEN
        assert len(seen) == 40 * 5
        assert all(told_ns <= now_ns for now_ns, told_ns, _, _ in seen)
        assert all(last == told for _, _, last, told in seen)

    def test_whatever_comes_behind(self, tmp_path):
        """Cut off at any place, the data has the same trades up to there."""
        rows = [(p, p + 2, p - 2, p) for p in (round(100 + Random(n).uniform(-9, 9), 1) for n in range(60))]
        whole = natya.backtest(
            natya_backtests.Crossover, write_rows(tmp_path / "whole.csv", rows), symbols=["TCS"], **FREE
        )
        for cut in (20, 41):
            part = natya.backtest(
                natya_backtests.Crossover, write_rows(tmp_path / f"{cut}.csv", rows[:cut]), symbols=["TCS"], **FREE
            )

            end_ns = time_ns("2025-11-03T09:15") + cut * 60 * 10**9
            short = [(each.side, each.price, each.occurred_ns) for each in part.fills]
            assert short
            assert short == [(e.side, e.price, e.occurred_ns) for e in whole.fills if e.occurred_ns < end_ns]


@pytest.fixture
def three(tmp_path):
    """Return three symbols, a file each, at the same times."""
    random, files = Random(9), []
    for symbol in ("TCS", "INFY", "SBIN"):
        rows = [(p, p + 1, p - 1, p) for p in (round(random.uniform(90, 110), 1) for _ in range(60))]
        files.append(write_rows(tmp_path / f"{symbol}.csv", rows, symbol=symbol))
    return files


ONE_RUN = """
import sys, natya
natya.backtest("natya_backtests:Crossover", sys.argv[2:], data_dir=sys.argv[1])
"""


class TestTheJournal:
    def test_is_the_same_to_the_byte_under_any_hash_seed_and_in_any_order_of_files(self, three, tmp_path):
        natya.backtest(natya_backtests.Crossover, three, data_dir=tmp_path / "here")
        environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": str(Path(natya_backtests.__file__).parent)}
        command = [sys.executable, "-c", ONE_RUN, tmp_path / "there", *three[::-1]]
        subprocess.run(command, check=True, env=environment, capture_output=True)

        here, there = records_bytes(tmp_path / "here"), records_bytes(tmp_path / "there")
        assert here == there
        assert len(here.rstrip(b"\0")) > 10_000

    @pytest.mark.parametrize("strategy", ["Crossover", "Dipper", "Waiter", "Watcher", "Confirmer"])
    def test_is_that_of_a_market_that_waits_for_quiet_at_every_message(self, three, tmp_path, monkeypatch, strategy):
        """What is handed on within a turn, and what is passed over, changes no byte."""
        natya.backtest(f"natya_backtests:{strategy}", three, data_dir=tmp_path / "fast")
        be_patient(monkeypatch)
        patient = natya.backtest(f"natya_backtests:{strategy}", three, data_dir=tmp_path / "patient")

        assert records_bytes(tmp_path / "fast") == records_bytes(tmp_path / "patient")
        assert patient.report.fills > 5

    def test_is_the_same_whether_a_strategy_keeps_what_it_knows_in_attributes_or_in_a_state(self, three, tmp_path):
        for kind in ("Countdown", "KeptCountdown"):
            natya.backtest(f"natya_backtests:{kind}", three, data_dir=tmp_path / kind)

        plain, kept = (records_bytes(tmp_path / kind) for kind in ("Countdown", "KeptCountdown"))
        assert plain == kept
        assert len(plain.rstrip(b"\0")) > 10_000

    def test_of_one_symbol_has_the_same_trades_beside_others(self, three):
        together = natya.backtest(natya_backtests.Crossover, three, **FREE)
        alone = natya.backtest(natya_backtests.Crossover, three, symbols=["INFY"], **FREE)

        def short(result):
            return [(e.side, e.price, e.occurred_ns) for e in result.fills if e.symbol == "INFY"]

        assert short(together) == short(alone)
        assert alone.report.symbols == ("INFY",)
        assert together.report.symbols == ("INFY", "SBIN", "TCS")
        assert sum(part.net_rupees for part in together.report.by_symbol) == sum(
            part.net_rupees for part in together.report.months
        )


class TestTheTables:
    FIELDS = {  # noqa: RUF012  read alone
        "fills": "occurred_ns strategy client_order_id symbol side quantity price",
        "trades": "strategy symbol direction quantity entry_ns entry_price profit charges net",
    }

    def test_have_each_fill_and_trade_and_each_part_of_the_report_as_it_was(self, tmp_path):
        recording = write_candles(tmp_path / "walk.csv", 100, seed=3)
        result = natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], parameters={"fast": FAST})

        assert len(result.trades) > 3
        for table, names in self.FIELDS.items():
            columns, rows = result.table(table).columns(), getattr(result, table)
            for name in names.split():
                wanted = [getattr(each, name) for each in rows]
                assert list(columns[name]) == [float(each) if isinstance(each, Decimal) else each for each in wanted]
            assert sum(columns["charges"]) == pytest.approx(float(result.report.charges_rupees))
        for table, parts in (("months", result.report.months), ("symbols", result.report.by_symbol)):
            columns = result.table(table).columns()
            assert list(columns["name"]) == [each.name for each in parts]
            assert list(columns["trades"]) == [each.trades for each in parts]
            assert list(columns["net"]) == [float(each.net_rupees) for each in parts]


class TestATimeSpan:
    def test_is_all_that_is_played(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(30))

        result = natya.backtest(
            natya_backtests.Crossover, recording, symbols=["TCS"], since="2025-11-03T09:20", until="2025-11-03T09:30"
        )

        assert (result.report.candles, result.report.ticks) == (10, 40)
        assert result.report.first_ns == time_ns("2025-11-03T09:20")
        assert result.report.last_ns == time_ns("2025-11-03T09:30")

    def test_of_daily_candles_is_from_the_first_day_to_the_last_and_each_counts_on_its_own_day(self, tmp_path):
        """A candle of Friday ends when Saturday begins, and one of the last day of a month when the next month does."""
        days = "".join(f"2025-{day},{price},{price},{price},{price},5\n" for day, price in DAYS)
        (tmp_path / "days.csv").write_text(f"date,open,high,low,close,volume\n{days}")

        result = natya.backtest(natya_backtests.BuysAtOnce, tmp_path / "days.csv", symbols=["TCS"], **FREE)

        report = result.report
        assert (time_text(report.first_ns)[:10], time_text(report.last_ns)[:19]) == (
            "2025-10-30",
            "2025-11-04 15:30:00",
        )
        assert [(each.name, each.return_) for each in report.months] == [
            ("2025-10", pytest.approx(-1e-5)),
            ("2025-11", pytest.approx(2 / 999_990)),
        ]

    def test_without_anything_in_it_is_refused(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(3))

        with pytest.raises(BacktestRefusedError, match=r"market data of TCS from 2026-01-01 .* found none in .*a\.csv"):
            natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], since="2026-01-01")


DAYS = [("10-30", 100), ("10-31", 90), ("11-03", 91), ("11-04", 92)]


class TestTheSymbolsThatAreWanted:
    def test_of_rows_without_a_trade_are_refused_as_nothing(self, tmp_path):
        """A feed of candles writes them for a time in which nothing traded: they have no prices."""
        recording = tmp_path / "a.csv"
        rows = [f"2025-11-03T09:{minute}:00+05:30,0,0,0,0,0" for minute in range(15, 25)]
        recording.write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")

        with pytest.raises(BacktestRefusedError, match=r"market data of TCS wanted, found none in .*a\.csv"):
            natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"])

    def test_leave_out_others_and_that_is_told(self, tmp_path):
        recordings = [write_rows(tmp_path / f"{name}.csv", rising(5), symbol=name) for name in ("TCS", "INFY")]

        report = natya.backtest(natya_backtests.Crossover, recordings, symbols=["TCS", "SBIN"]).report

        assert report.symbols == ("TCS",)
        assert "left out, since only TCS, SBIN is wanted: INFY" in report.notes
        assert "wanted, and nothing of it is in the data: SBIN" in report.notes

    def test_of_files_that_name_none_are_given_with_them(self, tmp_path):
        """As a broker writes them: a file a symbol, without a column for it."""
        for name in ("tcs", "infy"):
            write_rows(tmp_path / f"{name}.csv", rising(20))
        data = [f"TCS={tmp_path / 'tcs.csv'}", f"INFY={tmp_path / 'infy.csv'}"]

        result = natya.backtest(natya_backtests.Crossover, data, **FREE)

        assert result.report.symbols == ("INFY", "TCS")
        assert {fill.symbol for fill in result.fills} == {"INFY", "TCS"}
        assert files_of(result.plan) == [tmp_path / "tcs.csv", tmp_path / "infy.csv"]

    def test_that_are_nowhere_are_refused_with_what_there_is(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(5), symbol="TCS")

        with pytest.raises(BacktestRefusedError, match=r"market data of TSC wanted, found none .* is wanted: TCS"):
            natya.backtest(natya_backtests.Crossover, recording, symbols=["TSC"])


class TestCandlesOfALengthThatTheDataCannotMake:
    """Four ticks of an hour are no three-minute candles: what a strategy would do on them is made up."""

    @pytest.mark.parametrize("minutes", [60, 5])
    def test_are_refused(self, tmp_path, minutes):
        recording = write_rows(tmp_path / "a.csv", rising(5), minutes=minutes)

        with pytest.raises(RecordingError, match=r"a\.csv: candles of [13]m are wanted by a strategy, found those of"):
            natya.backtest(natya_backtests.Dipper, recording, symbols=["TCS"])

    def test_are_refused_too_where_only_a_part_of_the_data_lacks_them_unless_it_is_not_heard(self, tmp_path):
        minutes = write_rows(tmp_path / "a.csv", rising(5), symbol="TCS")
        hours = write_rows(tmp_path / "b.csv", rising(5), symbol="INFY", minutes=60)

        with pytest.raises(RecordingError, match=r"b\.csv: candles of [13]m are wanted .* found those of 1h of INFY"):
            natya.backtest(natya_backtests.Dipper, [minutes, hours])
        assert natya.backtest(natya_backtests.Dipper, [minutes, hours], symbols=["TCS"]).report.symbols == ("TCS",)
        outlook = Outlook(candle_lengths=((minutes, {"TCS": 60_000_000_000}), (hours, {"INFY": 3_600_000_000_000})))
        outlook.expect_candles([CandlesWanted(180_000_000_000, ("TCS",)), CandlesWanted(3_600_000_000_000, ())])


@given(st.integers(1, 500), st.integers(1, 400))
def test_candles_can_be_made_of_those_that_they_hold_whole(times, seconds):
    length_ns = seconds * 1_000_000_000

    assert can_be_made(times * length_ns, length_ns)
    assert can_be_made(DAY_NS, length_ns)
    assert not can_be_made(length_ns, (times + 1) * length_ns)


class TestTheLastClose:
    @pytest.mark.parametrize("kind", ["ticks", "candles"])
    @pytest.mark.parametrize(
        ("until", "how", "closes"),
        [
            ("15:30:00", {}, True),
            ("15:30:00", {"until": "2026-01-02T15:30"}, True),
            ("15:30:00", {"until": "2026-01-02T15:29:30"}, False),
            ("15:29:00", {}, False),
        ],
        ids=["full", "cut at the close", "cut", "partial"],
    )
    def test_comes_where_the_data_reach_it_alike_with_ticks_and_with_candles(self, tmp_path, kind, until, how, closes):
        recording, path = write_last_prices(tmp_path / "recording.csv", kind=kind, until=until), tmp_path / "calls"
        how |= {"charges": "none", "symbols": ["TCS"], "parameters": {"path": str(path)}}
        natya.backtest("natya_players:AtTheClose", recording, **how)
        calls = Counter(line for line in path.read_text().splitlines() if line.startswith("15:30"))

        wanted = ("close", "a time", "the close", "each minute", "candle 101.0") if closes else ()
        assert calls == {f"15:30:00 {what}": 1 for what in wanted}


class TestWhatIsBroken:
    def test_data_are_named(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", [(100, 101, 99, 100), (100, 1, 99, 100)])

        with pytest.raises(BacktestBrokenError, match=r"a\.csv, line 3: .*; natya data inspect names .*bad_rows_max"):
            natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"])

    @pytest.mark.parametrize("rows", [1, 2])
    def test_rows_that_are_left_out_are_told(self, rows, tmp_path):
        recording = write_rows(tmp_path / "a.csv", [(100, 101, 99, 100), *[(100, 1, 99, 100)] * rows, *rising(3)])
        found = natya.backtest(
            natya_backtests.Crossover, recording, symbols=["TCS"], settings={"feed.bad_rows_max": 2}
        ).report

        assert found.candles == 4
        assert f"left out: {rows} broken row{'s' * (rows > 1)} of the data, as feed.bad_rows_max allows" in found.notes

    def test_changes_of_orders_that_were_refused_are_told(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(30))

        found = natya.backtest(natya_backtests.Follower, recording, symbols=["TCS"]).report

        assert (found.orders, found.refused) == (1, {})
        assert found.notes == ("refused: 4 changes of orders, which stayed as they were, by modifications_max 4",)

    def test_strategy_is_named_with_its_line(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(30))
        settings = {"supervision.restarts_max": 1, "supervision.fail_max": 1, "supervision.backoff_first_s": 0.001}

        with pytest.raises(BacktestFailedError, match=r"ZeroDivisionError: of the strategy at .*natya_backtests\.py:"):
            natya.backtest(natya_backtests.Broken, recording, symbols=["TCS"], settings=settings)


class TestTheCommand:
    def run(self, *arguments):
        return CliRunner().invoke(app, ["backtest", *map(str, arguments)])

    def test_prints_one_json_object(self, tmp_path):
        recording = write_rows(tmp_path / "a.csv", rising(30))
        strategy = natya_backtests.__file__ + ":Crossover"

        done = self.run(strategy, "--data", recording, "--symbol", "TCS", "--set", "fast=2", "--json")

        report = msgspec.json.decode(done.stdout)
        assert done.exit_code == 0, done.stderr
        assert (report["fills"], report["candles"], report["charge_model"]) == (1, 30, "dhan-equity-intraday")
        assert "return" in report["months"][0]

    def test_reads_a_recording_as_it_is_told_that_it_is_written(self, tmp_path):
        recording = tmp_path / "a.csv"
        rows = [f"02/01/2026 03:{45 + number};74,125;74,125;74,125;74,125;1" for number in range(3)]
        recording.write_text("\n".join(["time;open;high;low;close;volume", *rows]))
        told = ("--dates", "day-first", "--decimal", "comma", "--zone", "UTC")

        done = self.run(
            natya_backtests.__file__ + ":Crossover", "--data", recording, "--symbol", "TCS", "--json", *told
        )

        report = msgspec.json.decode(done.stdout)
        assert done.exit_code == 0, done.stderr
        assert report["first_ns"] == 1_767_325_500 * 10**9  # 2026-01-02 09:15 in India

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            (("--set", "fails=again"), "strategy failed: ValueError: at candle 5"),
            (("--sweep", "fails=never|again", "--workers", "1"), "strategy failed: ValueError: at candle 5"),
            (("--set", "fails=at_its_end"), "strategy failed when it stopped: ValueError: nothing to write to at "),
        ],
    )
    def test_ends_with_70_where_the_strategy_failed_and_says_how(self, tmp_path, more, told):
        recording = write_rows(tmp_path / "a.csv", rising(30))

        done = self.run(natya_backtests.__file__ + ":Faltering", "--data", recording, "--symbol", "TCS", *more)

        assert done.exit_code == 70
        assert told in done.stdout

    @pytest.mark.parametrize(
        ("more", "code", "said"),
        [
            (("--latency", "soon"), 78, "a duration such as 20ms"),
            (("--charges", "none", "--set", "orders.quantity_max=much"), 78, "orders.quantity_max"),
            (("--data", "nowhere.csv"), 65, "nowhere.csv"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path, more, code, said):
        recording = write_rows(tmp_path / "a.csv", rising(3))
        strategy = natya_backtests.__file__ + ":Crossover"

        done = self.run(strategy, "--data", recording, "--symbol", "TCS", *more)

        assert (done.exit_code, done.stdout) == (code, "")
        assert said in done.stderr
