"""The history actor among a journal, a database, orders, instruments and a broker's service, all played by the test."""

import json
from datetime import date
from decimal import Decimal

import pytest
from natya_charts import a_share

from natya.actors.external import ExternalServiceResult
from natya.actors.external.actor import Ask as AskService
from natya.actors.history import HistoryActor, HistorySettings
from natya.actors.history.actor import CHART_ANSWER_S, GAPS_DAYS, READS_AT_ONCE
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.domain.calendar import MINUTE_NS
from natya.domain.dhan.market.charts import Chart
from natya.domain.time import DAY_NS, SECOND_NS, day_of, day_of_number
from natya.messages.database import MarketDataSaved, QueryFailed, SaveMarketData
from natya.messages.history import ChartNotRead, ChartRead, Fetched, GapFilled, HistoryStatistics, ReadChart
from natya.messages.holdings import Position
from natya.messages.instruments import InstrumentList, InstrumentShown, InstrumentUnknown, ShowInstrument
from natya.messages.journal import Append, Appended, AppendRefused, JournalPage, JournalRecord, ReadJournal
from natya.messages.market import FeedGapped
from natya.messages.order_listing import OrdersStatistics
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping, Pong

SILENT = "no answer"
OTHERS = ("journal", "database", "orders", "instruments", "service")


class Stage:
    """Answers as the others would; what a test sets is answered in the place of that."""

    def __init__(self, system):
        self.system = system
        self.probes = {name: system.probe(name) for name in OTHERS}
        self.journaled, self.saved, self.asked = [], [], []
        self.records, self.positions = (), ()
        self.ranked = 0
        self.answers = {}

    def open(self, *, fills_gaps=True):
        settings = HistorySettings(service="service", base_url="http://127.0.0.1:1", fills_gaps=fills_gaps)
        self.system.start("history", HistoryActor, settings)
        return self

    @property
    def now_ns(self):
        return self.system.base.clock.now_ns()

    def gap(self, *symbols, minutes=3, ago=0):
        end_ns = (self.now_ns // MINUTE_NS - ago) * MINUTE_NS
        return FeedGapped(
            source="dhan-1",
            symbols=symbols,
            start_ns=end_ns - minutes * MINUTE_NS,
            end_ns=end_ns,
            cause="stale",
            occurred_ns=end_ns,
        )

    def play(self, seconds=1.0):
        """Let time pass, and answer whatever is asked meanwhile."""
        until_ns = self.now_ns + round(seconds * SECOND_NS)
        while self.now_ns < until_ns or not all(probe.is_empty() for probe in self.probes.values()):
            self.system.base.run_for(0.25)
            for probe in self.probes.values():
                while not probe.is_empty():
                    self._answer(probe, probe.receive(0))
        return self

    def _answer(self, probe, message):
        sender = probe.sender
        given = self.answers.get(type(message))
        answer = given(message) if given is not None else None
        if answer is None:
            answer = self._usual(message)
        if answer is not None and answer is not SILENT:
            self.system.tell(sender, answer, sender=probe)

    def _usual(self, message):
        match message:
            case ReadJournal():
                return JournalPage(records=self.records, last_sequence=len(self.records))
            case Ping():
                self.ranked += 1
                return Pong(actor="orders", statistics=some_orders(self.positions))
            case AskService():
                self.asked.append(message.call)
                return ExternalServiceResult(success=True, data=self.chart(), status_code=200, attempts=1, sent="yes")
            case SaveMarketData():
                self.saved.append(message)
                return MarketDataSaved(rows=len(message.candles))
            case Append():
                self.journaled += message.facts
                return Appended(first_sequence=1, last_sequence=len(message.facts))
            case _:
                instrument = a_share(message.name).definition()
                return InstrumentShown(name=message.name, instrument=instrument, of=InstrumentList(source="test"))

    def chart(self):
        """All minutes of the last hour, as far as they can be seen."""
        newest = self.now_ns // MINUTE_NS - 1
        starts = tuple(minute * MINUTE_NS // SECOND_NS for minute in range(newest - 60, newest + 1))
        prices = tuple(100.0 for _ in starts)
        return Chart(timestamp=starts, open=prices, high=prices, low=prices, close=prices, volume=(7,) * len(starts))

    def tell(self, fact):
        self.system.tell("history", fact)
        return self

    def count(self):
        self.system.tell("history", Ping(), sender=self.probes["journal"])
        self.system.base.run_for(0.1)
        return self.probes["journal"].receive(0).statistics


def some_orders(positions):
    return OrdersStatistics(
        risk_state="NORMAL", orders=0, fills=0, rejected=0, open_orders=0, uncertain_orders=0, positions=positions
    )


def a_position(symbol, quantity):
    return Position(symbol=symbol, quantity=quantity, average_price=Decimal(1), realized_pnl=Decimal(0))


@pytest.fixture(params=range(3))
def stage(request):
    with InProcessSystem(SimulatedSystemBase(seed=request.param)) as system:
        yield Stage(system)


def filled(stage):
    return [(fact.symbol, fact.candles) for fact in stage.journaled if isinstance(fact, GapFilled)]


class TestAGap:
    def test_is_filled_when_its_candles_can_be_seen(self, stage):
        gap = stage.open().play().gap("INFY")
        stage.tell(gap).play(60)
        before = len(stage.asked)

        stage.play(90)

        assert (before, filled(stage)) == (0, [("INFY", 3)])
        (saved,) = stage.saved
        assert [candle.start_ns for candle in saved.candles] == list(range(gap.start_ns, gap.end_ns, MINUTE_NS))
        assert saved.fetches[0].start_ns == saved.fetches[0].end_ns  # the day goes on
        counted = stage.count()
        assert (counted.gaps_open, counted.failures, counted.last_failure) == (0, 0, "")
        assert stage.ranked == 1  # nobody asks what is held before it is due

    def test_that_is_filled_is_a_fact_and_counted_and_what_was_asked_for_is_noted(self, stage):
        gap = stage.open().play().gap("INFY", ago=10)
        stage.tell(gap).play(5)
        (fact,), (saved,) = stage.journaled, stage.saved
        asked_ns, counted = saved.fetches[0].asked_ns, stage.count()

        assert gap.end_ns < asked_ns <= fact.occurred_ns <= stage.now_ns
        assert fact == GapFilled(
            symbol="INFY", start_ns=gap.start_ns, end_ns=gap.end_ns, candles=3, occurred_ns=fact.occurred_ns
        )
        assert saved.fetches == (
            Fetched(
                symbol="INFY",
                interval_ns=MINUTE_NS,
                start_ns=gap.start_ns,
                end_ns=gap.start_ns,
                asked_ns=asked_ns,
                requests=1,
                candles=3,
            ),
        )
        assert {(each.symbol, each.interval_ns, each.volume) for each in saved.candles} == {("INFY", MINUTE_NS, 7)}
        assert counted == HistoryStatistics(
            gaps_open=0, gaps_filled=1, candles=3, requests=1, failures=0, last_failure=""
        )
        body = json.loads(stage.asked[0].body)
        assert (body["interval"], body["fromDate"][:10]) == ("1", f"{day_of_number(day_of(gap.start_ns))}")

    @pytest.mark.parametrize(
        "answer",
        [
            SILENT,
            Unavailable(actor="orders", reason="breaker open", retry_after_s=1.0),
            Pong(actor="orders", statistics=None),
        ],
        ids=["nothing", "nobody", "no positions"],
    )
    def test_is_filled_though_orders_do_not_tell_what_is_held(self, stage, answer):
        stage.answers[Ping] = lambda _: answer
        stage.open().play()
        stage.tell(stage.gap("INFY", ago=10)).play(15)

        assert filled(stage) == [("INFY", 3)]
        assert stage.count().failures == 0

    def test_is_logged_when_it_is_filled_and_when_it_is_not(self, stage, caplog):
        caplog.set_level("INFO")
        stage.answers[Append] = lambda _: AppendRefused(reason="disk full")
        stage.open().play()
        stage.tell(stage.gap("INFY", ago=10)).tell(stage.gap("INFY", ago=20)).play(5)
        stage.answers.clear()
        stage.play(40)
        told = {each.getMessage(): (each.levelname, each.fields) for each in caplog.records}

        assert told["gap.not_filled"] == ("WARNING", {"symbol": "INFY", "reason": "disk full"})
        assert told["gap.filled"] == ("INFO", {"symbol": "INFY", "gaps": 2})

    def test_is_filled_as_far_as_the_charts_reach_and_the_rest_later(self, stage):
        stage.open().play()
        older, newer = stage.gap("INFY", ago=9), stage.gap("INFY", ago=4)

        def short(_ask):
            chart = stage.chart()
            reached = sum(start_s * SECOND_NS < older.end_ns for start_s in chart.timestamp)
            names = ("timestamp", "open", "high", "low", "close", "volume")
            cut = Chart(**{name: getattr(chart, name)[:reached] for name in names})
            return ExternalServiceResult(success=True, data=cut, attempts=1, sent="yes")

        stage.answers[AskService] = short
        stage.tell(older).tell(newer).play(2)
        during = stage.count()
        stage.answers.clear()
        stage.play(60)

        assert [(fact.start_ns, fact.end_ns) for fact in stage.journaled] == [
            (older.start_ns, older.end_ns),
            (newer.start_ns, newer.end_ns),
        ]
        assert during == HistoryStatistics(
            gaps_open=1,
            gaps_filled=1,
            candles=3,
            requests=1,
            failures=1,
            last_failure="the broker's charts do not have all of these minutes yet",
        )
        assert stage.count().gaps_open == 0

    def test_of_what_is_held_is_asked_for_before_any_other(self, stage):
        asked = []
        stage.answers[ShowInstrument] = lambda show: asked.append(show.name) or SILENT
        stage.positions = (a_position("E1", 0), a_position("H1", 5), a_position("H2", -5), a_position("E2", 0))
        stage.open().play()
        stage.tell(stage.gap("A", "E1", "H2", "B", "E2", "H1", ago=10)).play(1)

        assert sorted(asked) == ["H1", "H2"]
        stage.play(10)  # nobody answers, so that others have their turn
        assert sorted(asked) == ["E1", "E2", "H1", "H2"]

    def test_of_what_is_held_is_filled_first_and_then_of_what_was_traded(self, stage):
        stage.positions = (a_position("TRADED", 0), a_position("HELD", 5))
        stage.open().play()
        stage.tell(stage.gap("A", "B", "C", "D", "TRADED", "HELD", ago=10)).play(10)

        assert [symbol for symbol, _ in filled(stage)][:2] in (["HELD", "TRADED"], ["TRADED", "HELD"])
        assert sorted(symbol for symbol, _ in filled(stage)) == ["A", "B", "C", "D", "HELD", "TRADED"]

    def test_is_asked_for_two_at_a_time(self, stage):
        waiting = []
        stage.answers[AskService] = lambda ask: waiting.append(ask) or SILENT
        stage.open().play()
        stage.tell(stage.gap("A", "B", "C", "D", ago=10)).play(10)

        assert len(waiting) == 2
        assert stage.ranked == 1, "nothing is ranked while as many are asked for as may be"

    def test_is_waited_for_once_however_many_there_are(self, stage):
        stage.open().play()
        for symbol in "ABCD":
            stage.tell(stage.gap(symbol))
        stage.play(600)

        assert sorted(symbol for symbol, _ in filled(stage)) == ["A", "B", "C", "D"]
        assert stage.ranked == 2, "for two at a time"

    @pytest.mark.parametrize(
        ("asked", "answer", "reason"),
        [
            (AskService, ExternalServiceResult(success=False, error="no answer", sent="unknown"), "no answer"),
            (AskService, Unavailable(actor="service", reason="breaker open", retry_after_s=1.0), "breaker open"),
            (SaveMarketData, QueryFailed(error="DatabaseDown", reason="down"), "down"),
            (Append, AppendRefused(reason="disk full"), "disk full"),
            (Append, Pong(actor="journal", statistics=None), "Pong"),  # an answer to nothing that was asked
            (ShowInstrument, InstrumentUnknown(name="INFY", reason="not read yet"), "not read yet"),
        ],
        ids=["the broker", "its calls", "the database", "the journal", "something else", "the list"],
    )
    def test_is_filled_later_when_one_fails(self, stage, asked, answer, reason):
        stage.open().play()
        stage.answers[asked] = lambda _: answer
        stage.tell(stage.gap("INFY", ago=5)).play(100)
        during = stage.count()
        stage.answers.clear()

        stage.play(300)

        assert (during.gaps_open, during.failures, during.last_failure) == (1, 3, reason)  # at 0, 30 and 90 s
        assert filled(stage) == [("INFY", 3)]

    def test_is_asked_for_again_while_charts_lag_behind(self, stage):
        stage.open().play()
        empty = Chart()
        stage.answers[AskService] = lambda _: ExternalServiceResult(success=True, data=empty, attempts=1, sent="yes")
        stage.tell(stage.gap("INFY", ago=2)).play(60)
        lagging = filled(stage)
        stage.answers.clear()
        stage.play(200)

        assert (lagging, filled(stage)) == ([], [("INFY", 3)])
        assert stage.count().last_failure == "the broker's charts do not have these minutes yet"

    def test_in_which_nothing_was_traded_is_filled_with_nothing_in_the_end(self, stage):
        stage.open().play()
        empty = Chart()
        stage.answers[AskService] = lambda _: ExternalServiceResult(success=True, data=empty, attempts=1, sent="yes")
        stage.tell(stage.gap("INFY", ago=2)).play(1_500)

        assert filled(stage) == [("INFY", 0)]

    def test_of_the_process_before_is_filled_and_what_was_filled_is_not(self, stage):
        open_, done = stage.gap("INFY", ago=10), stage.gap("TCS", ago=10)
        fact = GapFilled(symbol="TCS", start_ns=done.start_ns, end_ns=done.end_ns, candles=3, occurred_ns=done.end_ns)
        stage.records = tuple(
            JournalRecord(sequence=number, recorded_ns=1, correlation_id="", fact=each)
            for number, each in enumerate((open_, done, fact), start=1)
        )
        stage.open().play(20)

        assert filled(stage) == [("INFY", 3)]


class TestAChartThatSomebodyAsksFor:
    def read(self, stage, **changes):
        fields = {"symbol": "INFY", "interval_ns": MINUTE_NS, "since": date(2026, 1, 5), "until": date(2026, 1, 6)}
        future = stage.system.request_future("history", ReadChart(**fields | changes))
        stage.play(3)
        return future.result(0)

    def test_is_read(self, stage):
        stage.open(fills_gaps=False).play()

        assert isinstance(self.read(stage), ChartRead)
        assert stage.asked[0].url == "http://127.0.0.1:1/v2/charts/intraday"

    def test_of_a_length_that_there_is_none_of_is_refused(self, stage):
        answer = self.read(stage.open().play(), interval_ns=7 * MINUTE_NS)

        assert (type(answer), answer.why, stage.asked) == (ChartNotRead, "refused", [])

    def test_of_an_instrument_that_the_list_does_not_know_is_refused(self, stage):
        stage.answers[ShowInstrument] = lambda show: InstrumentUnknown(name=show.name, reason="no such name")

        assert self.read(stage.open().play()) == ChartNotRead(why="refused", reason="no such name")

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (
                ExternalServiceResult(success=False, error="no answer", sent="unknown", attempts=3),
                ChartNotRead(why="unreachable", reason="no answer", requests=3),
            ),
            (
                Unavailable(actor="service", reason="breaker open", retry_after_s=1.0),
                ChartNotRead(why="unreachable", reason="breaker open"),
            ),
        ],
        ids=["the broker", "its calls"],
    )
    def test_that_cannot_be_had_says_why(self, stage, answer, told):
        stage.answers[AskService] = lambda _: answer

        assert self.read(stage.open().play()) == told

    def test_that_nobody_answers_is_given_up(self, stage):
        stage.open().play()
        stage.answers[AskService] = lambda _: SILENT
        wanted = ReadChart(symbol="INFY", interval_ns=MINUTE_NS, since=date(2026, 1, 5), until=date(2026, 1, 6))
        future = stage.system.request_future("history", wanted)
        stage.play(CHART_ANSWER_S - 1)
        assert not future.done()
        stage.play(2)

        assert (type(future.result(0)), future.result(0).why) == (ChartNotRead, "unreachable")

    def test_beside_as_many_as_are_read_at_once_is_for_later(self, stage):
        stage.open().play()
        stage.answers[AskService] = lambda _: SILENT
        wanted = ReadChart(symbol="INFY", interval_ns=MINUTE_NS, since=date(2026, 1, 5), until=date(2026, 1, 6))
        asked = [stage.system.request_future("history", wanted) for _ in range(READS_AT_ONCE + 1)]
        stage.play(3)

        told = ChartNotRead(why="later", reason="16 charts are being read, and may be")
        assert [each.result(0) for each in asked if each.done()] == [told]
        stage.play(CHART_ANSWER_S)  # those were given up, and make room
        assert all(each.done() for each in asked)
        stage.answers.clear()
        assert isinstance(self.read(stage), ChartRead)


class TestTheStart:
    def test_reads_the_gaps_of_the_last_days_until_the_journal_answers(self, stage):
        asked = []
        stage.answers[ReadJournal] = lambda read: asked.append(read) or (SILENT if len(asked) < 3 else None)
        began_ns = stage.now_ns
        stage.open().play(60)

        assert len(asked) == 3
        for read in asked:
            assert (read.types, read.records_max) == (("FeedGapped", "GapFilled"), 1_000)
            assert read.since_ns == pytest.approx(max(0, began_ns - GAPS_DAYS * DAY_NS), abs=SECOND_NS)

    def test_reads_nothing_where_no_feed_has_gaps(self, stage):
        asked = []
        stage.answers[ReadJournal] = asked.append
        stage.open(fills_gaps=False).play(10)

        assert asked == []
