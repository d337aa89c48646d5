"""What a strategy knows of the candles before it began, and of those that came since."""

from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.strategy import StrategyActor
from natya.actors.strategy.history import History
from natya.actors.strategy.inspection import faults_of
from natya.actors.strategy.remembering import HISTORY_TIMEOUT_S
from natya.messages.database import HistoryRead, QueryFailed, ReadHistory
from natya.messages.events import Subscribe
from natya.messages.market import Candle
from natya.messages.system import Ping

MINUTE_NS = 60 * 10**9


def a_candle(minute, close=100.0, symbol="INFY", minutes=1):
    return Candle(
        symbol=symbol,
        interval_ns=minutes * MINUTE_NS,
        start_ns=minute * MINUTE_NS,
        open=close,
        high=close + 1,
        low=close - 1,
        close=close,
        volume=minute,
        source="test",
    )


class Remembers(StrategyActor):
    """Tells what it knows as it begins, and at each candle."""

    candles = ("5m",)
    warm_up = {"1m": 3}  # noqa: RUF012  as users write it

    def on_begin(self):
        self.send("log", ("began", self.history("INFY", "1m").close.tolist()))

    def on_candle(self, candle):
        self.send("log", (candle.interval_ns // MINUTE_NS, self.history("INFY", "1m", 2).close.tolist()))

    def on_tick(self, tick):
        if tick.price == 13.0:
            raise RuntimeError("unlucky")
        self.send("log", self.history("INFY", "1m").close.tolist())


class PlayedDatabase(RuntimeActor):
    """Answers with what its settings hold, when they say so, and shows the request."""

    @handles(ReadHistory)
    def answer(self, request, sender):
        self.send("asked of the past", request)
        if self.settings.answer is not None:
            self.send(sender, self.settings.answer)
        else:
            self.asker = sender

    @handles(HistoryRead)
    def answer_now(self, answer, _sender):
        self.send(self.asker, answer)


@pytest.fixture
def past(stage):
    stage.log = stage.system.probe("log")
    stage.asked_of_the_past = stage.system.probe("asked of the past")
    stage.past = SimpleNamespace(answer=HistoryRead(candles=(a_candle(1, 101.0), a_candle(2, 102.0))))
    stage.system.start("database", PlayedDatabase, stage.past)
    return stage


def unknown_histories(caplog):
    return [record.fields for record in caplog.records if record.message == "history.unknown"]


class TestAStrategyWithAWarmUp:
    def test_asks_for_closed_candles_of_its_symbols_until_now_and_begins_with_them(self, past):
        past.open(Remembers, symbols=("INFY",))

        assert past.log.receive() == ("began", [101.0, 102.0])
        request = past.asked_of_the_past.receive()
        assert (request.symbols, request.interval_ns, request.bars) == (("INFY",), MINUTE_NS, 3)

    def test_hears_the_lengths_it_keeps_and_is_told_those_it_asked_for(self, past):
        past.open(Remembers, symbols=("INFY",))
        subscription = past.events.receive()
        assert isinstance(subscription, Subscribe)
        assert subscription.intervals_ns == (5 * MINUTE_NS, MINUTE_NS)
        past.log.receive()

        past.tell(a_candle(3, 103.0), a_candle(0, 103.0, minutes=5))

        assert past.log.receive() == (5, [102.0, 103.0])

    @pytest.mark.parametrize(
        ("of_class", "of_settings", "told"),
        [(("5m",), (), [5]), (("5m",), ("15m",), [15]), ((), ("15m",), [15]), ((), (), [1, 5, 15])],
    )
    def test_is_told_the_lengths_of_its_settings_else_of_its_class_else_all(self, past, of_class, of_settings, told):
        class Hearing(Remembers):
            candles = of_class

            def on_begin(self):
                """Nothing: it is not looked at."""

        past.name, wanted = "mine", msgspec.structs.replace(past.settings(symbols=("INFY",)), candles=of_settings)
        past.system.start("mine", Hearing, wanted)
        subscription = past.events.receive()

        past.tell(*(a_candle(0, minutes=minutes) for minutes in (1, 5, 15)))
        past.system.request("mine", Ping())

        heard = []
        while not past.log.is_empty():
            heard.append(past.log.receive()[0])
        assert heard == told
        lengths = [int(text.removesuffix("m")) for text in of_settings or of_class]
        assert subscription.intervals_ns == tuple(minutes * MINUTE_NS for minutes in (*lengths, 1))

    def test_counts_a_candle_once_that_came_while_it_waited(self, past):
        past.past.answer, past.name = None, "mine"
        past.system.base.start_actor("mine", Remembers, past.settings(symbols=("INFY",)))
        past.asked_of_the_past.receive()
        past.tell(a_candle(2, 102.0), a_candle(3, 103.0), past.tick(50.0))

        past.system.tell("database", HistoryRead(candles=(a_candle(1, 101.0), a_candle(2, 102.0))))

        assert past.log.receive() == ("began", [101.0, 102.0])
        assert past.log.receive() == [101.0, 102.0, 103.0]

    def test_keeps_as_many_as_it_said(self, past):
        past.open(Remembers, symbols=("INFY",))
        past.log.receive()

        past.tell(*(a_candle(minute, 100.0 + minute) for minute in range(3, 30)), past.tick(50.0))

        assert past.log.receive() == [127.0, 128.0, 129.0]

    def test_knows_what_came_before_it_broke(self, past):
        past.open(Remembers, symbols=("INFY",))
        past.log.receive()

        past.tell(a_candle(3, 103.0), past.tick(13.0))

        assert past.log.receive() == ("began", [101.0, 102.0, 103.0])

    def test_begins_without_a_past_where_the_database_has_no_answer(self, past, caplog):
        past.past.answer = QueryFailed(error="DatabaseDown", reason="the disk is full")
        past.open(Remembers, symbols=("INFY",))

        assert past.log.receive() == ("began", [])
        assert unknown_histories(caplog) == [{"interval": "1m", "reason": "the disk is full"}]

    def test_begins_without_a_past_where_the_database_says_nothing(self, simulated_stage, caplog):
        log = simulated_stage.system.probe("log")
        simulated_stage.system.probe("asked of the past")
        simulated_stage.system.start("database", PlayedDatabase, SimpleNamespace(answer=None))
        simulated_stage.system.base.start_actor("mine", Remembers, simulated_stage.settings(symbols=("INFY",)))
        simulated_stage.system.base.run_for(HISTORY_TIMEOUT_S + 1)

        assert log.receive() == ("began", [])
        ((interval, reason),) = (each.values() for each in unknown_histories(caplog))
        assert interval == "1m"
        assert "ReadHistory" in reason


class TestAHistory:
    @given(
        starts=st.lists(st.integers(0, 40), max_size=30),
        older=st.lists(st.integers(0, 40), max_size=30),
        bars=st.integers(1, 7),
        place=st.integers(0, 30),
    )
    @settings(max_examples=60)
    def test_has_the_newest_of_all_that_were_told_in_order_and_each_once(self, starts, older, bars, place):
        history = History({"1m": bars})
        known = {}
        for number, start in enumerate(starts[:place]):
            history.add(a_candle(start, 100.0 + number))
            if start > max(known, default=-1):
                known[start] = 100.0 + number
        known = dict(list(known.items())[-bars:])
        history.merge(a_candle(start, 50.0) for start in older)
        known = {**dict.fromkeys(older, 50.0), **known}
        for number, start in enumerate(starts[place:]):
            history.add(a_candle(start, 200.0 + number))
            if start > max(known, default=-1):
                known[start] = 200.0 + number

        columns = history.columns("INFY", "1m", None)

        assert dict(zip((columns.start_ns // MINUTE_NS).tolist(), columns.close.tolist(), strict=True)) == dict(
            sorted(known.items())[-bars:]
        )
        assert (columns.start_ns[1:] > columns.start_ns[:-1]).all()

    def test_hands_out_copies(self):
        history = History({"1m": 2})
        history.add(a_candle(1, 101.0))
        history.columns("INFY", "1m", 1).close[0] = 0.0

        columns = history.columns("INFY", "1m", 1)
        assert (columns.open[0], columns.high[0], columns.low[0], columns.close[0], columns.volume[0]) == (
            101.0, 102.0, 100.0, 101.0, 1,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("interval", "bars", "words"),
        [
            ("5m", 1, "a length of `warm_up` wanted, 1m, found '5m'"),
            ("1m", 3, "1 to 2 bars of 1m wanted"),
            ("1m", 0, "1 to 2"),
        ],
    )
    def test_says_what_it_does_not_keep(self, interval, bars, words):
        with pytest.raises(ValueError, match=words):
            History({"1m": 2}).columns("INFY", interval, bars)


@pytest.mark.parametrize(
    ("warm_up", "why"),
    [
        ({"5x": 3}, "an interval such as "),
        ({"5m": 0}, "1 to 50,000 bars of each length, found 0"),
        ({"5m": True}, "1 to 50,000 bars of each length, found True"),
        ({"5m": 10**6}, "1 to 50,000 bars of each length, found 1000000"),
        *((each, f'a dict such as {{"5m": 200}} is wanted, found {each!r}') for each in (("5m", 3), ("5m",), {5: 3})),
        ({"5m": 3, 5: 3}, """a dict such as {"5m": 200} is wanted, found {'5m': 3, 5: 3}"""),
    ],
)
def test_a_warm_up_that_is_none_is_found_before_anything_runs(warm_up, why):
    (fault,) = faults_of(type("Wrong", (StrategyActor,), {"warm_up": warm_up}), StrategyActor)

    assert fault.partition(":")[0] == __name__  # it is made by code, and stands in no line
    assert "Wrong.warm_up: " in fault
    assert why in fault
