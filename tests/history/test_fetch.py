"""The fetch of candles: what is asked for, what is kept, and what is said of it."""

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_charts import EMPTY, ModelCharts, a_share, refused, rows_of_days
from natya_clocks import Now
from natya_examples import QUARTER

from natya.client import rows_of
from natya.domain.history import INTERVALS
from natya.domain.time import DAY_NS, day_start_ns
from natya.messages.history import ChartRead
from natya.transfer import FetchStoppedError, Want, fetch

JANUARY = date(2026, 1, 1)


def want(first=JANUARY, last=date(2026, 1, 30), interval="1d"):
    return Want(interval=interval, interval_ns=INTERVALS[interval], first=first, last=last)


@pytest.fixture
def run(owner, now):
    """Fetch one share from charts, and return what is said of it."""

    def run(charts, wanted=None, **how):
        (done,) = fetch([a_share()], wanted or want(), owner=owner, charts=charts, now_ns=now, **how)
        return done

    return run


@pytest.fixture
def charts(now):
    return ModelCharts(now)


def stored(owner, interval="1d"):
    sql = "select start_ns, close from candles where interval_ns = ? order by start_ns"
    return rows_of(owner, sql, [INTERVALS[interval]])


def noted(owner):
    """How many requests the fetches of a database took."""
    return int(rows_of(owner, "select sum(requests) from fetches", [])[0][0])


def starts(first, until, interval="1d"):
    return rows_of_days(first, until, INTERVALS[interval])


class TestAFetch:
    def test_keeps_every_candle_of_the_days(self, run, charts, owner):
        done = run(charts)

        assert [start for start, _ in stored(owner)] == starts(JANUARY, date(2026, 1, 31))
        assert (done.candles, done.written, done.requests, done.missing) == (20, 20, 1, ())
        assert (done.symbol, done.interval, done.first, done.last) == ("INFY", "1d", JANUARY, date(2026, 1, 30))

    def test_asks_for_minutes_in_pieces_of_ninety_days(self, run, charts, owner):
        run(charts, want(first=date(2025, 8, 1), interval="15m"))

        assert len(charts.asked) == 3
        assert all((until - since).days <= 90 for since, until in charts.asked)
        assert [start for start, _ in stored(owner, "15m")] == starts(date(2025, 8, 1), date(2026, 1, 31), "15m")

    def test_that_is_repeated_asks_for_nothing(self, run, charts):
        run(charts)
        charts.asked.clear()

        again = run(charts)

        assert (charts.asked, again.written, again.days_there) == ([], 0, 30)

    def test_that_is_wanted_again_asks_for_all_of_it_and_writes_what_differs(self, run, charts):
        run(charts)

        again = run(charts, again=True)

        assert (len(charts.asked), again.candles, again.written, again.days_there) == (2, 20, 0, 0)

    def test_goes_on_with_the_days_that_have_come_since(self, run, charts, now, owner):
        run(charts)
        now.set("2026-02-06 18:00:00")
        charts.asked.clear()

        done = run(charts, want(last=date(2026, 2, 5)))

        assert charts.asked == [(date(2026, 1, 30), date(2026, 2, 6))]
        assert done.written == 5
        assert [start for start, _ in stored(owner)] == starts(JANUARY, date(2026, 2, 6))

    def test_of_today_is_not_remembered_since_the_day_goes_on(self, run, charts, now, owner):
        now.set("2026-01-30 11:00:00")
        run(charts, want(first=date(2026, 1, 30), interval="15m"))
        at_eleven = len(stored(owner, "15m"))
        now.set("2026-01-30 18:00:00")

        run(charts, want(first=date(2026, 1, 30), interval="15m"))

        assert (at_eleven, len(stored(owner, "15m"))) == (6, 25)

    @pytest.mark.parametrize("time", ["09:00:00", "09:31:59"])
    def test_before_the_first_candle_is_shown_asks_for_nothing_of_today(self, run, charts, now, time):
        now.set(f"2026-01-30 {time}")

        done = run(charts, want(first=date(2026, 1, 30), interval="15m"))

        assert (charts.asked, done.missing, done.empty) == ([], (), [])

    @pytest.mark.parametrize(("segment", "is_asked"), [("NSE_EQ", False), ("MCX_COMM", True)])
    def test_on_a_holiday_asks_for_today_only_of_what_trades_at_hours_that_are_not_known(
        self, charts, now, owner, segment, is_asked
    ):
        now.set("2026-01-26 12:00:00")
        holiday = date(2026, 1, 26)
        instrument = replace(a_share(), segment=segment)

        list(fetch([instrument], want(holiday, holiday, "15m"), owner=owner, charts=charts, now_ns=now))

        assert bool(charts.asked) == is_asked

    def test_asks_for_the_first_candle_of_today_as_soon_as_it_is_shown(self, run, charts, now):
        now.set("2026-01-30 09:32:00")

        assert run(charts, want(first=date(2026, 1, 30), interval="15m")).written == 1

    @pytest.mark.parametrize(
        ("first", "last", "days"),
        [
            (date(2026, 1, 10), date(2026, 1, 20), 11),
            (date(2025, 12, 20), date(2026, 1, 5), 5),
            (date(2025, 12, 1), date(2025, 12, 31), 0),
            (date(2025, 12, 20), date(2026, 1, 30), 30),
        ],
    )
    def test_counts_the_days_that_it_did_not_ask_for(self, run, charts, first, last, days):
        run(charts)

        assert run(charts, want(first=first, last=last)).days_there == days

    def test_of_days_is_one_request_however_many_there_are(self, run, charts):
        run(charts, want(first=date(2025, 2, 1)))

        assert charts.asked == [(date(2025, 2, 1), date(2026, 1, 31))]

    def test_tells_how_far_it_is_over_all_symbols(self, charts, owner, now):
        shares = []
        both = [a_share(), a_share("TCS")]
        fetched = fetch(both, want(), owner=owner, charts=charts, now_ns=now, on_progress=shares.append)
        said = [(done.symbol, shares[-1]) for done in fetched]

        assert said == [("INFY", 0.5), ("TCS", 1.0)]
        assert shares == sorted(shares)
        assert all(0 < each <= 1 for each in shares)

    def test_tells_how_far_it_is_piece_by_piece(self, run, charts):
        shares = []
        run(charts, want(first=date(2025, 8, 1), interval="15m"), on_progress=shares.append)

        assert shares == pytest.approx([1 / 3, 2 / 3, 1, 1])

    def test_says_what_the_exchange_traded_and_is_not_there(self, run, charts):
        charts.hidden = {date(2026, 1, 7), date(2026, 1, 8)}

        (gap,) = run(charts).missing

        assert (gap.sessions, gap.candles, gap.end_ns - gap.start_ns) == (2, 2, 2 * DAY_NS)


class TestAPieceThatComesEmpty:
    @pytest.fixture
    def before(self, run, charts):
        run(charts, want(first=date(2025, 10, 1), last=date(2025, 10, 31), interval="15m"))
        charts.asked.clear()
        return charts

    def test_is_looked_at_again_and_is_there(self, run, before):
        before.script = {3: EMPTY}
        done = run(before, want(first=date(2025, 12, 1), interval="15m"))

        assert done.requests == 3  # the probe of what is had, and two looks
        assert (done.empty, done.missing) == ([], ())

    def test_twice_is_there_when_all_else_has_been_asked_for(self, run, before, owner):
        requests_before = noted(owner)
        before.script = {3: EMPTY, 4: EMPTY}
        done = run(before, want(first=date(2025, 12, 1), interval="15m"))

        assert (done.requests, noted(owner) - requests_before) == (4, 4)
        assert (done.empty, done.missing) == ([], ())
        assert [start for start, _ in stored(owner, "15m")][-1] == starts(JANUARY, date(2026, 1, 31), "15m")[-1]

    def test_however_often_is_not_remembered_and_is_said(self, run, before, owner):
        before.script = dict.fromkeys([3, 4, 5, 6], EMPTY)
        wanted = want(first=date(2025, 12, 1), interval="15m")

        done = run(before, wanted)
        assert noted(owner) == 1 + done.requests == 6, "the first fetch was one"
        again = run(before, wanted)

        assert done.empty == [(date(2025, 12, 1), date(2026, 1, 30))]
        assert sum(each.sessions for each in done.missing) == 42
        assert (again.empty, again.missing) == ([], ())

    def test_before_a_listing_is_remembered(self, run, charts):
        charts.listed = date(2025, 12, 1)
        run(charts, want(first=date(2025, 7, 1), interval="15m"))
        charts.asked.clear()

        run(charts, want(first=date(2025, 7, 1), interval="15m"))

        assert charts.asked == []

    def test_since_the_broker_has_nothing_so_far_back_is_asked_for_once(self, run, charts):
        charts.script = {1: refused("nothing")}

        done = run(charts, want(first=date(2025, 9, 1), interval="15m"))

        assert (done.requests, done.error, done.empty) == (2, "", [])


class TestPricesThatWereAdjusted:
    @pytest.fixture(autouse=True)
    def small_pieces(self, monkeypatch):
        """Of candles of days, as of minutes."""
        monkeypatch.setattr("natya.transfer.symbol_fetch.DAILY_DAYS_MAX", 90)

    def test_are_found_by_the_session_that_is_shared_and_all_is_fetched_again(self, run, charts, now, owner):
        run(charts)
        now.set("2026-02-20 18:00:00")
        charts.splits = [(date(2026, 2, 10), 0.5)]

        done = run(charts, want(last=date(2026, 2, 19)))

        assert done.adjusted_by == pytest.approx(0.5)
        assert stored(owner) == told_now(charts, JANUARY, date(2026, 2, 20))
        assert noted(owner) == len(charts.asked)

    @pytest.mark.parametrize("at_once", [1, 2, 3])
    def test_are_found_and_nothing_more_is_asked_for_of_what_was_begun_with(self, run, charts, now, owner, at_once):
        charts.at_once = at_once
        run(charts, want(first=date(2026, 1, 28)))
        now.set("2026-02-20 18:00:00")
        charts.splits = [(date(2026, 2, 10), 0.5)]
        charts.asked.clear()
        run(charts, want(first=date(2025, 1, 1)))

        assert len(charts.asked) == at_once + 5, "what was on its way; then all of it anew"
        assert stored(owner) == told_now(charts, date(2025, 1, 1), date(2026, 1, 31))

    def test_are_found_and_what_came_empty_before_is_looked_at_no_more(self, run, charts, now):
        run(charts, want(first=date(2025, 10, 1), last=date(2025, 10, 31)))
        run(charts, want(first=date(2026, 1, 12), last=date(2026, 1, 14)))
        charts.splits = [(date(2026, 2, 10), 0.5)]
        before = len(charts.asked)
        charts.script = dict.fromkeys([before + 1, before + 2], EMPTY)
        done = run(charts)

        assert done.adjusted_by == pytest.approx(0.5)
        assert len(charts.asked) - before == 5, "two looks at what came empty, one at what shows it, all anew in two"

    def test_are_found_by_a_session_far_away(self, run, charts, now, owner):
        run(charts, want(last=date(2026, 1, 9)))
        now.set("2026-02-20 18:00:00")
        charts.splits = [(date(2026, 2, 10), 0.5)]

        done = run(charts, want(first=date(2026, 2, 12), last=date(2026, 2, 19)))

        assert done.adjusted_by == pytest.approx(0.5)
        assert stored(owner) == told_now(charts, JANUARY, date(2026, 1, 10), date(2026, 2, 12), date(2026, 2, 20))

    def test_are_found_though_it_stops_after_the_first_request(self, run, charts, now, owner):
        run(charts, want(first=date(2026, 1, 20)))
        now.set("2026-02-20 18:00:00")
        charts.splits = [(date(2026, 2, 10), 0.5)]
        charts.script = {len(charts.asked) + 2: refused("token")}
        with pytest.raises(FetchStoppedError):
            run(charts, want(last=date(2026, 1, 9)))

        run(charts, want(last=date(2026, 1, 9)))

        assert stored(owner) == told_now(charts, JANUARY, date(2026, 1, 10), date(2026, 1, 20), date(2026, 1, 31))

    @pytest.mark.parametrize("stopped_at", [2, 3, 4])
    def test_are_fetched_again_though_it_stops_in_the_middle(self, run, charts, now, owner, stopped_at):
        run(charts, want(first=date(2025, 9, 1), interval="15m"))
        now.set("2026-02-20 18:00:00")
        charts.splits = [(date(2026, 2, 10), 0.5)]
        already = len(charts.asked)
        charts.script = {already + stopped_at: refused("unreachable")}
        with pytest.raises(FetchStoppedError):
            run(charts, want(first=date(2026, 2, 1), last=date(2026, 2, 19), interval="15m"))

        run(charts, want(first=date(2026, 2, 1), last=date(2026, 2, 19), interval="15m"))

        assert stored(owner, "15m") == told_now(charts, date(2025, 9, 1), date(2026, 2, 20), interval="15m")

    @pytest.mark.parametrize("how", [(1, 3), (1, 4), (2, 3), (2, 4)], ids=str)
    def test_are_fetched_again_though_it_stops_when_only_the_oldest_were(self, run, charts, now, owner, how):
        splits, stopped_at = how
        run(charts, want(first=date(2025, 6, 1)))
        for _ in range(splits - 1):
            now.set("2026-02-10 18:00:00")
            charts.splits.append((date(2026, 2, 3), 0.25))
            run(charts, want(last=date(2026, 2, 9)))
        now.set("2026-02-20 18:00:00")
        charts.splits.append((date(2026, 2, 11), 0.5))
        charts.script = {len(charts.asked) + stopped_at: refused("unreachable")}
        with pytest.raises(FetchStoppedError):
            run(charts, want(first=date(2025, 5, 1), last=date(2025, 5, 31)))

        run(charts, want(first=date(2025, 5, 1), last=date(2025, 5, 31)))

        until = date(2026, 2, 10) if splits > 1 else date(2026, 1, 31)
        assert stored(owner) == told_now(charts, date(2025, 5, 1), until)

    def test_are_found_when_it_is_wanted_again(self, run, charts, owner):
        run(charts)
        charts.splits = [(date(2026, 2, 10), 0.5)]

        done = run(charts, want(first=date(2026, 1, 12), last=date(2026, 1, 14)), again=True)

        assert done.adjusted_by == pytest.approx(0.5)
        assert stored(owner) == told_now(charts, JANUARY, date(2026, 1, 31))


def told_now(charts, *bounds, interval="1d"):
    charts.script = {}
    found = []
    for since, until in zip(bounds[::2], bounds[1::2], strict=True):
        chart = charts.told(INTERVALS[interval], since, until)
        found += zip(chart.starts_s, chart.closes, strict=True)
    return tuple((start_s * 10**9, close) for start_s, close in found)


class TestABrokerThatGivesNothing:
    def test_since_there_are_too_many_requests_is_asked_again(self, run, charts):
        charts.script = {1: refused("later"), 2: refused("later")}

        assert run(charts).written == 20

    @pytest.mark.parametrize("why", ["token", "unreachable", "later"])
    def test_stops_the_fetch_and_what_was_fetched_is_kept(self, run, charts, owner, why):
        charts.script = dict.fromkeys([2, 3, 4], refused(why))
        with pytest.raises(FetchStoppedError, match="as the test says"):
            run(charts, want(first=date(2025, 8, 1), interval="15m"))
        kept = len(stored(owner, "15m"))
        charts.asked.clear()
        charts.script = {}

        run(charts, want(first=date(2025, 8, 1), interval="15m"))

        assert kept
        assert charts.asked[0][0] > date(2025, 10, 20)

    def test_for_one_symbol_goes_on_with_the_next(self, charts, owner, now):
        charts.script = {1: refused("refused", "DH-905 no such thing")}
        first, second = fetch([a_share(), a_share("TCS")], want(), owner=owner, charts=charts, now_ns=now)

        assert (first.error, first.written) == ("DH-905 no such thing", 0)
        assert (second.error, second.written) == ("", 20)

    def test_has_its_requests_noted_all_the_same(self, run, charts, owner):
        charts.script = {2: refused("unreachable", requests=3)}
        with pytest.raises(FetchStoppedError):
            run(charts, want(first=date(2025, 8, 1), interval="15m"))

        assert noted(owner) == 4


class TestAnAnswer:
    def test_with_days_that_nobody_asked_for_gives_none_of_them(self, run, charts, now, owner):
        charts.script = {1: charts.told(DAY_NS, date(2025, 12, 1), date(2026, 1, 31))}

        done = run(charts)

        assert [start for start, _ in stored(owner)] == starts(JANUARY, date(2026, 1, 31))
        assert done.left_out == {"outside of what was asked for": 22}

    def test_of_a_day_made_up_is_none(self, run, charts):
        chart = ChartRead(
            starts_s=(day_start_ns(20_000 + 483) // 10**9,),
            opens=(1.0,),
            highs=(1.0,),
            lows=(1.0,),
            closes=(1.0,),
            volumes=(0,),
        )
        charts.script = dict.fromkeys(range(1, 9), chart)

        assert run(charts, want(first=date(2026, 1, 30))).candles == 0


@settings(max_examples=QUARTER // 2)
@given(data=st.data(), at_once=st.integers(1, 4))
def test_however_a_fetch_is_interrupted_what_is_stored_in_the_end_is_what_the_charts_tell(files, data, at_once):
    for table in ("candles", "fetches"):
        files.database.execute(f"delete from {table}", file="market")  # noqa: S608  our own names
    now, today, asked = Now("2025-06-02 18:00:00"), date(2025, 6, 2), []
    charts = ModelCharts(now, at_once=at_once)
    for _ in range(data.draw(st.integers(1, 4))):
        today += timedelta(days=data.draw(st.integers(1, 60)))
        now.set(f"{today} 18:00:00")
        if data.draw(st.booleans()):
            charts.splits.append((today, data.draw(st.sampled_from([0.5, 0.25]))))
        first = today - timedelta(days=data.draw(st.integers(1, 200)))
        last = min(first + timedelta(days=data.draw(st.integers(0, 200))), today - timedelta(days=1))
        asked.append(want(first=first, last=last, interval="1h"))
        stops_at = len(charts.asked) + data.draw(st.integers(1, 5))
        charts.script = {stops_at: refused(data.draw(st.sampled_from(["token", "unreachable"])))}
        with contextlib.suppress(FetchStoppedError):
            list(fetch([a_share()], asked[-1], owner=files, charts=charts, now_ns=now))
        charts.script = {}
        list(fetch([a_share()], asked[-1], owner=files, charts=charts, now_ns=now))

    charts.splits = charts.splits_told  # nobody can know of one since
    wanted = {start for each in asked for start in starts(each.first, each.last + timedelta(days=1), "1h")}
    told = told_now(charts, date(2024, 10, 1), date(2026, 12, 1), interval="1h")
    assert stored(files, "1h") == tuple(row for row in told if row[0] in wanted)
