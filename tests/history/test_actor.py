"""The history actor among a journal, a database, orders, instruments and a broker's service, all played by the test."""

from datetime import date
from decimal import Decimal

import pytest
from natya_charts import a_share

from natya.actors.external import ExternalServiceResult
from natya.actors.external.actor import Ask as AskService
from natya.actors.history import HistoryActor, HistorySettings
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.domain.calendar import MINUTE_NS
from natya.domain.dhan.market.charts import Chart
from natya.domain.time import SECOND_NS
from natya.messages.database import MarketDataSaved, QueryFailed, SaveMarketData
from natya.messages.history import ChartNotRead, ChartRead, GapFilled, ReadChart
from natya.messages.holdings import Position
from natya.messages.instruments import InstrumentList, InstrumentShown, InstrumentUnknown, ShowInstrument
from natya.messages.journal import Append, Appended, AppendRefused, JournalPage, JournalRecord, ReadJournal
from natya.messages.market import FeedGapped
from natya.messages.order_listing import OrdersStatistics
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

    @pytest.mark.parametrize(
        ("asked", "answer"),
        [
            (AskService, ExternalServiceResult(success=False, error="no answer", sent="unknown")),
            (SaveMarketData, QueryFailed(error="DatabaseDown", reason="down")),
            (Append, AppendRefused(reason="disk full")),
            (ShowInstrument, InstrumentUnknown(name="INFY", reason="not read yet")),
        ],
        ids=["the broker", "the database", "the journal", "the list"],
    )
    def test_is_filled_later_when_one_fails(self, stage, asked, answer):
        stage.open().play()
        stage.answers[asked] = lambda _: answer
        stage.tell(stage.gap("INFY", ago=5)).play(100)
        during = stage.count()
        stage.answers.clear()

        stage.play(300)

        assert (during.gaps_open, during.failures >= 2, during.last_failure != "") == (1, True, True)
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
