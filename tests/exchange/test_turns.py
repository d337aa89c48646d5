"""The exchange tells when it opens and when it closes, by the times of its ticks."""

import datetime as dt

import pytest
from natya_sockets import Client
from natya_wire import CLIENT, TOKEN

from natya.actors.exchange.served_token import ServedToken
from natya.actors.exchange.streams import FindStreams, StreamsActor, StreamsActorSettings
from natya.actors.exchange.streams.turns import SEGMENTS, Turns
from natya.config.secrets import Secret
from natya.domain.dhan.streams import packets
from natya.messages.instruments import InstrumentDefinition
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
        settings = StreamsActorSettings(token=ServedToken(Secret(TOKEN)), client_id=CLIENT, definitions=(listed,))
        actor_system.start("streams", StreamsActor, settings)
        return actor_system

    def test_tells_the_close_before_the_first_price_behind_it_to_who_has_something_of_the_segment(self, streams):
        url = streams.request("streams", FindStreams(), timeout_s=5).feed
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
