"""The actor of a live market: what it passes on, numbers, tells and waits for; the source is played by the test."""

import threading
from typing import NamedTuple

import pytest
from natya_builders import a_tick
from natya_charts import a_share
from natya_processes import await_that

from natya.actors.feed import live
from natya.actors.feed.live import LiveFeedActor, LiveFeedSettings
from natya.actors.feed.live_source import Gap, LiveCounts, Status
from natya.actors.feed.simulated import EndMarket
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.config.sections.feed import FeedSettings
from natya.domain.time import SECOND_NS
from natya.messages.database import Query, QueryFailed, Rows
from natya.messages.instruments import InstrumentList, InstrumentShown, InstrumentUnknown, ShowInstrument
from natya.messages.journal import Append, Appended, AppendRefused
from natya.messages.market import (
    GAPPED_SYMBOLS_MAX,
    TICKS_TOGETHER_MAX,
    AwaitMarketEnd,
    FeedGapped,
    MarketEnded,
    MarketStatusHeard,
    TicksRecorded,
)
from natya.messages.system import Ping

COUNTS = LiveCounts(arrived=1, conflated=2, queued=3, unknown=4, damaged=5, connections=6, reconnects=7, silent=8)


OPTIONS = "options of the source"


class PlayedSource:
    """Has what the test puts into it, until it is closed."""

    made = []  # noqa: RUF012  each test empties it

    def __init__(self, limits, options, surroundings):
        self.limits, self.options, self.surroundings = limits, options, surroundings
        self.ticks, self.gaps, self.statuses, self.trouble = [], [], [], ""
        self.closed, self.fault, self.is_over = threading.Event(), None, False
        PlayedSource.made.append(self)

    def run(self):
        assert self.closed.wait(20)
        self.is_over = True
        if self.fault is not None:
            raise self.fault

    def close(self):
        self.closed.set()

    def take(self, most):
        taken, self.ticks = self.ticks[:most], self.ticks[most:]
        return taken

    def take_gaps(self):
        gaps, self.gaps = self.gaps, []
        return gaps

    def take_statuses(self):
        statuses, self.statuses = self.statuses, []
        return statuses

    def counts(self):
        return COUNTS


class Again(NamedTuple):
    query: Query
    sender: object


class PlayedInstruments(RuntimeActor):
    """Knows those that its settings name."""

    @handles(ShowInstrument)
    def show(self, request, sender):
        self.settings.asked.append(request.name)
        if request.name != "UNANSWERED":
            self.send(sender, self.settings.answer_to(request.name))


class PlayedDatabase(RuntimeActor):
    """Knows when the last tick came, or answers what its settings say."""

    @handles(Query)
    def answer(self, _query, sender):
        self.send(sender, self.settings)


class LateDatabase(RuntimeActor):
    """Answers when its settings have a text."""

    @handles(Query)
    def answer(self, query, sender):
        if self.settings:
            self.send(sender, Rows(columns=("last",), rows=((None,),)))
        else:
            self.after(0.001, Again(query, sender))

    @handles(Again)
    def try_again(self, again, _sender):
        self.answer(again.query, again.sender)


class Market:
    """The live feed between a source, a list of instruments, a router and a journal."""

    def __init__(self, system, known, symbols, duration_s, last=None):
        self.system, self.known, self.asked = system, set(known), []
        self.without_number = {"UNNUMBERED"}
        self.events, self.journal = system.probe("events"), system.probe("journal")
        system.start("instruments", PlayedInstruments, self)
        if isinstance(last, list):
            system.start("database", LateDatabase, last)
        else:
            system.start("database", PlayedDatabase, last or Rows(columns=("last",), rows=((None,),)))
        limits = FeedSettings.default(source="dhan", symbols=symbols, duration_s=duration_s)
        settings = LiveFeedSettings(
            limits=limits, symbols=symbols, client_id="1", token=lambda: "t", token_refused=lambda: "refused"
        )
        system.start("feed", LiveFeedActor, settings)
        self.look()

    def answer_to(self, name):
        if name not in self.known:
            return InstrumentUnknown(name=name, reason="no such name")
        share = a_share(name, security_id="" if name in self.without_number else "1594").definition()
        return InstrumentShown(name=name, instrument=share, of=InstrumentList(source="test"))

    def look(self):
        """Return how it is when it has taken all that it was told."""
        for name in ("feed", "instruments", "database", "feed", "feed"):
            pong = self.system.request(name, Ping())
        return pong

    @property
    def trouble(self):
        self.look()
        return self.system.base.find("feed").instance.trouble

    @property
    def source(self):
        return PlayedSource.made[-1]

    def come(self, *ticks, gaps=(), statuses=(), trouble=""):
        source = self.source
        source.ticks += ticks
        source.gaps += gaps
        source.statuses += statuses
        source.trouble = trouble
        source.surroundings.wake()
        return self.look()

    def ask_again(self):
        """Let the time be over after which unknown symbols are asked for once more."""
        self.source.surroundings.wake.func(live.AskAgain())
        self.look()

    def facts(self, count):
        found = [self.journal.receive() for _ in range(count)]
        assert self.journal.is_empty()
        assert all(isinstance(each, Append) and len(each.facts) == 1 for each in found)
        return [each.facts[0] for each in found]


@pytest.fixture
def open_market(monkeypatch):
    PlayedSource.made.clear()
    monkeypatch.setattr(live, "live_source_of", lambda _limits: (PlayedSource, OPTIONS))
    with InProcessSystem() as system:

        def opened(*symbols, known=("TCS", "INFY"), duration_s=0.0, last=None):
            return Market(system, known, symbols or ("TCS", "INFY"), duration_s, last)

        yield opened
        for source in PlayedSource.made:
            source.close()
        if "feed" in system.base.names:
            system.base.find("feed").kill(system.base.new_reply())


def why_last_tick_is_unknown(caplog):
    (told,) = [each for each in caplog.records if each.getMessage() == "feed.last_tick_unknown"]
    return told.fields["reason"]


class TestWhatCameBeforeTheStart:
    def test_is_asked_of_the_database_so_that_what_was_missed_since_is_a_gap(self, open_market):
        market = open_market(last=Rows(columns=("last",), rows=((77,),)))
        assert market.source.surroundings.last_ns == 77

    def test_is_not_known_where_the_database_does_not_answer_and_the_market_opens(self, open_market, caplog):
        market = open_market(last=QueryFailed(error="QueryTimeout", reason="too slow"))
        assert market.source.surroundings.last_ns == 0
        assert why_last_tick_is_unknown(caplog) == "too slow"

    def test_is_not_known_where_the_database_has_not_answered_in_time(self, open_market, caplog, monkeypatch):
        monkeypatch.setattr(live, "LAST_TICK_TIMEOUT_S", 0.01)
        market = open_market(last=[])
        await_that(lambda: PlayedSource.made)

        assert market.source.surroundings.last_ns == 0
        assert "database" in why_last_tick_is_unknown(caplog)


class TestWhatCame:
    def test_is_passed_on_in_order_and_numbered_without_gaps(self, open_market):
        market = open_market()
        market.come(a_tick(symbol="TCS", price=1.0), a_tick(symbol="INFY", price=2.0))
        statistics = market.come(a_tick(symbol="TCS", price=3.0, received_ns=77)).statistics

        first, second = market.events.receive(), market.events.receive()
        assert [(tick.symbol, tick.sequence) for tick in (*first.ticks, *second.ticks)] == [
            ("TCS", 1), ("INFY", 2), ("TCS", 3),
        ]  # fmt: skip
        assert statistics.last_prices == {"TCS": 3.0, "INFY": 2.0}
        assert (statistics.ticks, statistics.gaps, statistics.ended, statistics.recorded_sequence) == (3, 0, False, 0)
        assert (statistics.candles, statistics.bad_rows) == (0, 0)
        assert statistics.data_age_s > 1_600_000_000  # since 77 ns after the epoch
        assert {name: getattr(statistics, name) for name in COUNTS.__struct_fields__} == {
            name: getattr(COUNTS, name) for name in COUNTS.__struct_fields__
        }

    def test_late_is_passed_on_and_is_not_the_last_price(self, open_market):
        market = open_market()
        times = {"exchange_ns": 20 * SECOND_NS, "received_ns": 20 * SECOND_NS}
        late = times | {"exchange_ns": 19 * SECOND_NS}
        statistics = market.come(
            a_tick(symbol="TCS", price=1.0, **times), a_tick(symbol="TCS", price=2.0, **late)
        ).statistics

        assert [tick.price for tick in market.events.receive().ticks] == [1.0, 2.0]
        assert (statistics.last_prices, statistics.priced_ns) == ({"TCS": 1.0}, {"TCS": 20 * SECOND_NS})

    @pytest.mark.parametrize("count", [1, TICKS_TOGETHER_MAX, TICKS_TOGETHER_MAX + 1])
    def test_is_taken_whole_though_it_was_told_of_once(self, open_market, count):
        market = open_market()
        market.come(*(a_tick(symbol="TCS", price=1.0 + number) for number in range(count)))
        sizes = []
        while not market.events.is_empty():
            sizes.append(len(market.events.receive().ticks))

        assert sum(sizes) == count
        assert max(sizes) <= TICKS_TOGETHER_MAX

    def test_is_nothing_before_the_market_is_open(self, open_market):
        market = open_market(last=[])
        feed = market.system.base.find("feed").instance
        feed.entrance()(live.Woken())
        market.look()

        assert market.system.base.find("feed").instance is feed, "it goes on"
        assert market.events.is_empty()

    def test_is_nothing_where_nothing_came(self, open_market):
        market = open_market()
        statistics = market.come().statistics

        assert market.events.is_empty()
        assert market.journal.is_empty()
        assert (statistics.ticks, statistics.data_age_s) == (0, None)


class TestAGap:
    def test_and_a_status_are_logged_as_they_come(self, open_market, caplog):
        caplog.set_level("INFO")
        market = open_market()
        market.come(
            gaps=[Gap(symbols=("TCS", "INFY"), start_ns=3, end_ns=9, cause="closed")],
            statuses=[Status(segment="NSE_EQ", is_open=False, at_ns=11)],
        )
        told = {each.getMessage(): (each.levelname, each.fields) for each in caplog.records}

        assert told["feed.opened"] == ("INFO", {"instruments": 2, "source": market.look().statistics.source})
        assert told["feed.gapped"] == ("WARNING", {"instruments": 2, "cause": "closed"})
        assert told["feed.market_status"] == ("INFO", {"segment": "NSE_EQ", "is_open": False})

    def test_is_a_fact_for_so_many_symbols_each(self, open_market):
        market = open_market()
        symbols = tuple(f"S{number}" for number in range(GAPPED_SYMBOLS_MAX + 2))
        statistics = market.come(gaps=[Gap(symbols=symbols, start_ns=3, end_ns=9, cause="closed")]).statistics
        first, second = market.facts(2)

        assert (type(first), first.start_ns, first.end_ns, first.cause) == (FeedGapped, 3, 9, "closed")
        assert first.symbols + second.symbols == symbols
        assert len(first.symbols) == GAPPED_SYMBOLS_MAX
        assert first.source == second.source == statistics.source
        assert statistics.gaps == 1

    def test_beside_a_status_of_the_market_is_told_first(self, open_market):
        market = open_market()
        market.come(
            gaps=[Gap(symbols=("TCS",), start_ns=3, end_ns=9, cause="closed")],
            statuses=[Status(segment="NSE_EQ", is_open=False, at_ns=11)],
        )
        _, status = market.facts(2)

        assert (type(status), status.segment, status.is_open, status.occurred_ns) == (
            MarketStatusHeard, "NSE_EQ", False, 11,
        )  # fmt: skip


class TestASymbol:
    def test_is_subscribed_to_by_its_instrument(self, open_market):
        market = open_market("TCS")

        (source,) = PlayedSource.made
        assert [each.symbol for each in source.surroundings.instruments] == ["TCS"]
        assert market.trouble == ""

    def test_that_is_not_known_is_told_and_the_others_are_subscribed_to(self, open_market, caplog):
        market = open_market("TCS", "NONE")

        (source,) = PlayedSource.made
        assert [each.symbol for each in source.surroundings.instruments] == ["TCS"]
        (told,) = [each for each in caplog.records if each.getMessage() == "feed.symbol_unknown"]
        assert (told.levelname, told.fields) == ("ERROR", {"symbol": "NONE", "reason": "no such name"})
        assert market.trouble == "1 symbols are not known, NONE for one: no such name"
        market.come(trouble="no connection")
        assert market.trouble == "no connection; 1 symbols are not known, NONE for one: no such name"

    def test_without_a_number_at_the_broker_is_not_subscribed_to(self, open_market):
        market = open_market("TCS", "UNNUMBERED", known=("TCS", "UNNUMBERED"))

        (source,) = PlayedSource.made
        assert [each.symbol for each in source.surroundings.instruments] == ["TCS"]
        assert market.trouble == "1 symbols are not known, UNNUMBERED for one: it has no number at the broker"

    def test_of_which_the_list_tells_nothing_in_time_is_not_known(self, open_market, monkeypatch):
        monkeypatch.setattr(live, "ASK_TIMEOUT_S", 0.01)
        market = open_market("UNANSWERED")
        await_that(lambda: market.trouble)

        assert market.trouble.startswith("1 symbols are not known, UNANSWERED for one: ")
        assert "instruments" in market.trouble

    def test_that_becomes_known_is_subscribed_to_with_all_others_anew(self, open_market):
        market = open_market("TCS", "NEW")
        market.ask_again()
        assert len(PlayedSource.made) == 1  # nothing new
        market.known.add("NEW")
        market.source.gaps.append(Gap(symbols=("TCS",), start_ns=3, end_ns=9, cause="closed"))  # not told of yet
        market.ask_again()

        old, new = PlayedSource.made
        assert old.closed.is_set()
        assert {each.symbol for each in new.surroundings.instruments} == {"TCS", "NEW"}
        assert market.asked == ["TCS", "NEW", "NEW", "NEW"]
        assert market.trouble == ""
        (gap,) = market.facts(1)
        assert (gap.symbols, gap.start_ns, gap.end_ns) == (("TCS",), 3, 9)
        await_that(lambda: old.is_over)
        market.look()
        assert market.system.base.find("feed").failures == 0

    def test_is_wanted(self, open_market):
        market = open_market("NONE")

        assert PlayedSource.made == []
        assert "NONE for one" in market.trouble


class TestTheEnd:
    def test_is_told_to_all_who_wait_and_to_who_asks_later_and_nothing_more_is_passed_on(self, open_market):
        market = open_market()
        market.come(a_tick(symbol="TCS"))
        market.events.receive()
        waiting = [market.system.request_future("feed", AwaitMarketEnd()) for _ in range(2)]
        market.look()
        assert not any(each.done() for each in waiting)
        market.system.tell("feed", EndMarket())
        ended = [each.result(10) for each in waiting]
        market.come(a_tick(symbol="TCS"), gaps=[Gap(symbols=("TCS",), start_ns=1, end_ns=2, cause="x")])
        market.system.tell("feed", EndMarket())

        assert ended == [MarketEnded(ticks=1, candles=0, bad_rows=0)] * 2
        assert market.system.request("feed", AwaitMarketEnd()) == ended[0]
        assert market.source.closed.is_set()
        assert market.events.is_empty()
        assert market.journal.is_empty()
        assert market.look().statistics.ended

    def test_of_a_source_by_itself_is_a_failure(self, open_market):
        market = open_market()
        market.source.close()
        await_that(lambda: len(PlayedSource.made) == 2)

        assert market.look().statistics.ticks == 0  # of its new life

    def test_of_the_actor_waits_until_all_is_recorded_of_its_own_source(self, open_market, monkeypatch):
        monkeypatch.setattr(live, "RECORDING_S", 3_600.0)  # it does not end because it has waited
        market = open_market()
        name = market.come(a_tick(symbol="TCS"), a_tick(symbol="INFY")).statistics.source
        stopped = []
        stopper = threading.Thread(target=lambda: stopped.append(market.system.stop("feed")))
        stopper.start()
        market.source.closed.wait(10)
        for source, sequence in (("another", 2), (name, 1), (name, 0)):
            market.system.tell("feed", TicksRecorded(source=source, sequence=sequence))
        assert market.look().statistics.recorded_sequence == 1  # it is still there
        market.system.tell("feed", TicksRecorded(source=name, sequence=2))
        stopper.join(10)

        assert stopped[0].recorded_sequence == 2

    def test_that_comes_before_the_market_is_open_opens_none(self, open_market):
        may_answer = []
        market = open_market(last=may_answer)
        market.system.tell("feed", EndMarket())
        market.look()
        may_answer.append("now")
        await_that(lambda: market.system.base.find("feed").instance._outstanding == 0)

        assert PlayedSource.made == []

    def test_of_the_actor_that_comes_before_its_market_is_open_opens_none(self, open_market):
        may_answer = []
        market = open_market(last=may_answer)
        feed = market.system.base.find("feed").instance
        stopper = threading.Thread(target=market.system.stop, args=("feed",))
        stopper.start()
        await_that(lambda: feed._last_wait is not None)
        may_answer.append("now")
        stopper.join(10)

        assert not stopper.is_alive()
        assert PlayedSource.made == []

    def test_of_the_actor_waits_so_long_for_what_is_not_recorded_and_no_longer(self, open_market, monkeypatch, caplog):
        monkeypatch.setattr(live, "RECORDING_S", 0.01)
        market = open_market()
        market.come(a_tick(symbol="TCS"), a_tick(symbol="INFY"))
        statistics = market.system.stop("feed")

        assert (statistics.ticks, statistics.recorded_sequence) == (2, 0)
        (told,) = [each for each in caplog.records if each.getMessage() == "market.not_recorded"]
        assert told.fields == {"ticks": 2, "recorded": 0}

    def test_comes_after_the_time_that_the_settings_give_it(self, open_market):
        market = open_market(duration_s=0.01)

        assert market.system.request("feed", AwaitMarketEnd()) == MarketEnded(ticks=0, candles=0, bad_rows=0)


class TestTheSource:
    def test_has_what_the_settings_say(self, open_market):
        market = open_market("TCS")
        found = market.source.surroundings

        assert (found.client_id, found.token(), found.token_refused(), found.last_ns) == ("1", "t", "refused", 0)
        assert found.source == market.look().statistics.source
        assert (market.source.limits.source, market.source.options) == ("dhan", OPTIONS)
        assert found.now_ns() > 1_600_000_000 * 10**9 > found.monotonic_ns()

    def test_of_the_next_life_knows_since_when_it_has_to_tell_of_a_gap(self, open_market, caplog):
        market = open_market()
        waiting = market.system.request_future("feed", AwaitMarketEnd())
        market.come(
            a_tick(symbol="TCS", price=7.0, received_ns=77),
            gaps=[Gap(symbols=("TCS",), start_ns=1, end_ns=2, cause="x")],
        )
        name = market.look().statistics.source
        market.source.fault = ZeroDivisionError()
        market.source.close()
        await_that(lambda: len(PlayedSource.made) == 2)
        statistics = market.look().statistics

        assert market.source.surroundings.last_ns == 77
        assert (statistics.last_prices, statistics.gaps, statistics.ended) == ({"TCS": 7.0}, 1, False)
        assert statistics.source != name
        assert "ZeroDivisionError" in caplog.text
        market.system.tell("feed", EndMarket())
        assert waiting.result(10).candles == 0
        assert len(PlayedSource.made) == 2


class TestAFact:
    @pytest.mark.parametrize(
        ("answer", "is_told"),
        [(Appended(first_sequence=1, last_sequence=1), False), (AppendRefused(reason="the disk is full"), True)],
    )
    def test_that_the_journal_refuses_is_told(self, open_market, caplog, answer, is_told):
        market = open_market()
        market.come(statuses=[Status(segment="NSE_EQ", is_open=True, at_ns=11)])
        market.journal.receive()
        market.system.tell("feed", answer, sender=market.journal)
        market.look()
        told = [each.fields["reason"] for each in caplog.records if each.getMessage() == "feed.fact_not_written"]

        assert told == (["the disk is full"] if is_told else [])
