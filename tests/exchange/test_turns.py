"""The exchange tells when it opens and when it closes, by the times of its ticks."""

import datetime as dt
import functools
import time
from types import SimpleNamespace

import pytest
from natya_sockets import Client, a_tick
from natya_wire import CLIENT, TOKEN

from natya.actors.exchange.served_token import ServedToken
from natya.actors.exchange.streams import StreamsActor, StreamsActorSettings
from natya.actors.exchange.streams.encoding import Number
from natya.actors.exchange.streams.turns import SEGMENTS, Turns
from natya.actors.runtime import Outcome
from natya.config.secrets import Secret
from natya.domain.dhan.streams import packets
from natya.messages.exchange import FindWire
from natya.messages.instruments import InstrumentDefinition, InstrumentList, InstrumentShown, InstrumentUnknown
from natya.messages.market import Tick

IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
INFY = {"ExchangeSegment": "NSE_EQ", "SecurityId": "1594"}
NIFTY = {"ExchangeSegment": "IDX_I", "SecurityId": "13"}
SHARES = {number for venue, numbers in SEGMENTS.items() if venue.market == "CASH" for number in numbers}
NUMBERS = packets.SEGMENT_NUMBERS
STATUS = (packets.STATUS, 8, 1, 0)


def at(text):
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * 10**9


class TestTurns:
    @pytest.mark.parametrize(
        ("moments", "told"),
        [
            (["09:00", "09:14", "09:15", "10:00", "15:29", "15:30", "15:31"], [0, 0, 1, 0, 0, 1, 0]),
            (["09:20", "15:29"], [0, 0]),  # the first tick does not tell what was before it
        ],
    )
    def test_are_told_at_the_first_tick_behind_them(self, moments, told):
        turns = Turns()
        found = [turns.passed(at(f"2025-12-29T{moment}")) for moment in moments]
        assert [set(each) & SHARES for each in found] == [SHARES if each else set() for each in told]
        assert [NUMBERS["NSE_FNO"] in each for each in found] == [bool(each) for each in told]

    @pytest.mark.parametrize(
        ("segment", "moments"),
        [
            ("NSE_EQ", ["15:30"]),
            ("NSE_FNO", ["15:40"]),
            ("NSE_CURRENCY", ["17:00"]),
            ("MCX_COMM", ["23:55"]),
        ],
    )
    def test_are_those_of_each_market(self, segment, moments):
        turns = Turns()
        turns.passed(at("2026-12-04T15:00"))
        clocks = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(15 * 60 + 1, 24 * 60)]

        assert [clock for clock in clocks if NUMBERS[segment] in turns.passed(at(f"2026-12-04T{clock}"))] == moments

    def test_of_a_night_without_a_tick_are_told_in_the_morning(self):
        turns = Turns()
        turns.passed(at("2025-12-29T15:29"))
        assert turns.next_ns == at("2025-12-29T15:30")
        assert packets.SEGMENT_NUMBERS["NSE_EQ"] in turns.passed(at("2025-12-30T09:16"))


class TestTheFeedSocket:
    @pytest.fixture
    def streams(self, actor_system, threads):
        listed = InstrumentDefinition(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, security_id="1594")
        settings = StreamsActorSettings(
            token=ServedToken(Secret(TOKEN), monotonic_ns=time.monotonic_ns), client_id=CLIENT, definitions=(listed,)
        )
        actor_system.start("streams", StreamsActor, settings)
        return actor_system

    def test_tells_the_close_before_the_first_price_behind_it_to_who_has_something_of_the_segment(self, streams):
        url = streams.request("streams", FindWire(), timeout_s=5).feed
        with Client(url) as client, Client(url) as other:
            client.ask(15, INFY)
            other.ask(15, NIFTY)
            for sequence, moment in enumerate(["15:29", "15:30"], 1):
                tick = Tick(
                    symbol="INFY",
                    price=100.0 + sequence,
                    quantity=1,
                    exchange_ns=at(f"2025-12-29T{moment}"),
                    source="x",
                    sequence=sequence,
                )
                streams.tell("streams", tick)
            told = [client.packet() for _ in range(3)]
            assert [each[4] if each[0] == packets.TICKER else each for each in told] == [101.0, STATUS, 102.0]
            assert other.packet() == (packets.STATUS, 8, 0, 0)


class TestATickOfWhatNobodyKnowsYet:
    def test_waits_with_those_behind_it_until_the_instrument_is_known(self):
        asked, shown = [], []
        stage = SimpleNamespace(
            _turns=SimpleNamespace(next_ns=1 << 62),
            _numbers={},
            _listings={},
            _early=[],
            _server=SimpleNamespace(publish=lambda number, tick: shown.append((number, tick))),
            ask=lambda _owner, message, *, then, **_: asked.append((message.name, then)),
        )
        stage._know = functools.partial(StreamsActor._know, stage)
        stage._hear_of = functools.partial(StreamsActor._hear_of, stage)
        ticks = [a_tick(number, symbol=symbol) for number, symbol in enumerate(["NEW", "OTHER", "NEW", "NEVER"])]
        for tick in ticks:
            StreamsActor.show(stage, tick, None)
        assert ([name for name, _ in asked], shown) == (["NEW", "OTHER", "NEVER"], [])

        definition = InstrumentDefinition(symbol="NEW", segment="NSE_EQ", tick_size_rupees=0.05, security_id="7")
        shown_as = InstrumentShown(name="NEW", instrument=definition, of=InstrumentList(source="test"))
        asked[0][1](Outcome(value=shown_as))
        asked[2][1](Outcome(value=InstrumentUnknown(name="NEVER", reason="none")))
        later = a_tick(9, symbol="NEW")
        StreamsActor.show(stage, later, None)

        assert shown == [(Number(1, 7), each) for each in (ticks[0], ticks[2], later)]
        assert stage._early == [ticks[1]]
