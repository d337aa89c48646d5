"""Packets and requests of Dhan's sockets."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_packets import (
    DISCONNECT,
    EVERY,
    FULL,
    LAST_TRADE,
    LAST_TRADE_NS,
    OPEN_INTEREST,
    PREVIOUS_CLOSE,
    QUOTE,
    STATUS,
    TICKER,
)

from natya.domain.dhan.streams import binary_requests, depth, packets, subscriptions
from natya.domain.dhan.streams.packets import PacketError, packets_of
from natya.domain.dhan.streams.subscriptions import FeedRequest, Listed, SubscriptionError
from natya.domain.dhan.words import Segment


class TestALayout:
    @pytest.mark.parametrize(
        ("packet", "values"),
        [
            (TICKER, (2, 16, 1, 1594, 1512.5, LAST_TRADE)),
            (PREVIOUS_CLOSE, (6, 16, 0, 13, 24850.25, 0)),
            (OPEN_INTEREST, (5, 12, 2, 51234, 1_250_300)),
            (
                QUOTE,
                (
                    *(4, 50, 1, 1594, 1512.5, 12, LAST_TRADE, 1509.75, 2_450_000, 310_000, 295_000),
                    *(1500.0, 1498.25, 1518.0, 1496.5),
                ),
            ),
            (STATUS, (7, 8, 1, 0)),
            (DISCONNECT, (50, 10, 0, 0, 807)),
        ],
        ids=["ticker", "previous close", "open interest", "quote", "status", "disconnect"],
    )
    def test_reads_and_writes_what_is_documented(self, packet, values):
        layout = packets.LAYOUTS[packet[0]]
        assert layout.unpack(packet) == values
        assert layout.pack(*values) == packet

    def test_of_a_full_packet_has_five_levels_after_the_day(self):
        values = packets.FULL_LAYOUT.unpack(FULL)
        assert values[packets.FULL_LEVELS_AT :][: packets.LEVEL_VALUES] == (100, 200, 2, 3, 1512.5, 1513.0)
        assert len(values) == packets.FULL_LEVELS_AT + packets.LEVELS * packets.LEVEL_VALUES

    def test_has_the_length_that_its_header_tells(self):
        assert all(int.from_bytes(packet[1:3], "little") == len(packet) for packet in EVERY)


class TestAFrame:
    @given(st.lists(st.sampled_from(EVERY), max_size=6))
    def test_is_walked_packet_by_packet(self, written):
        frame = b"".join(written)
        found = [frame[offset:] for _, offset in packets_of(frame)]
        assert [code for code, _ in packets_of(frame)] == [packet[0] for packet in written]
        assert all(rest.startswith(packet) for rest, packet in zip(found, written, strict=True))

    def test_may_hold_packets_of_codes_that_are_not_known(self):
        heartbeat, other = bytes.fromhex("0008000000000000"), bytes.fromhex("6309000000000000") + b"x"
        assert [code for code, _ in packets_of(heartbeat + other + TICKER)] == [0, 99, 2]

    @given(st.binary(max_size=400))
    def test_of_any_bytes_is_packets_or_refused(self, frame):
        try:
            spans = list(packets_of(frame))
        except PacketError:
            return
        for code, offset in spans:
            layout = packets.LAYOUTS.get(code)
            if layout is not None:
                layout.unpack_from(frame, offset)

    @pytest.mark.parametrize(
        ("frame", "text"),
        [
            (QUOTE + TICKER[:5], "a header of 8 bytes at 50 wanted, found 5 bytes"),
            (QUOTE[:49], "a packet of 50 bytes at 0 wanted, found the frame's end at 49"),
            (b"\x04\x31" + QUOTE[2:], "a packet of code 4 at 0 of 50 bytes wanted, found 49 bytes"),
            (b"\x04\x33" + QUOTE[2:] + b"x", "a packet of code 4 at 0 of 50 bytes wanted, found 51 bytes"),
            (bytes(8), "a packet of code 0 at 0 of 8 bytes wanted, found 0 bytes"),
        ],
    )
    def test_that_is_damaged_is_refused_by_what_was_found(self, frame, text):
        with pytest.raises(PacketError, match=text):
            list(packets_of(frame))


class TestTheTimeOfAPacket:
    def test_is_india_s_clock_written_as_if_it_were_utc(self):
        assert packets.feed_time_of(LAST_TRADE_NS) == LAST_TRADE
        assert packets.feed_time_of(LAST_TRADE_NS + 999_999_999) == LAST_TRADE


def a_side(code=depth.BID, *, rows=20, count=0, security_id=1594):
    levels = [(1512.25 - row, 100 + row, 2) for row in range(rows)]
    body = b"".join(depth.ROW.pack(*level) for level in levels)
    return depth.HEADER.pack(depth.HEADER.size + len(body), code, 1, security_id, count) + body


class TestADepthFrame:
    def test_begins_as_documented(self):
        assert a_side().hex().startswith("4c0129013a060000000000000000000000a1974064000000" + "02000000")
        assert len(a_side()) == depth.PACKET_BYTES == 332

    def test_holds_both_sides_of_several_instruments(self):
        frame = b"".join(a_side(code, security_id=each) for each in (13, 14) for code in (depth.BID, depth.ASK))
        found = list(depth.sides_of(frame))
        assert [(side.code, side.security_id) for side in found] == [(41, 13), (51, 13), (41, 14), (51, 14)]
        assert found[0].prices[:2] == (1512.25, 1511.25)
        assert found[0].quantities[1] == 101

    def test_of_200_levels_has_as_many_rows_as_it_says(self):
        (side,) = depth.sides_of(a_side(rows=137, count=137), levels=200)
        assert len(side.prices) == len(side.orders) == 137
        assert next(depth.sides_of(a_side(rows=0, count=0), levels=200)).prices == ()

    @pytest.mark.parametrize(("rows", "is_read"), [(200, True), (201, False)])
    def test_has_no_more_rows_than_the_connection_has_levels(self, rows, is_read):
        found = depth.sides_of(a_side(rows=rows, count=rows), levels=200)
        if is_read:
            assert len(next(found).prices) == rows
            return
        with pytest.raises(PacketError, match="a packet of at most 200 rows and 3228 bytes at 0 wanted"):
            next(found)

    def test_that_ends_in_a_header_is_refused(self):
        found = depth.sides_of(a_side() + a_side()[:11])
        assert next(found).code == depth.BID

        with pytest.raises(PacketError, match="a header of 12 bytes at 332 wanted, found 11 bytes"):
            next(found)

    @pytest.mark.parametrize("code", [0, 40, 42, 52])
    def test_of_another_code_is_refused(self, code):
        found = depth.sides_of(a_side(depth.ASK) + a_side(code))
        assert next(found).code == depth.ASK

        with pytest.raises(PacketError, match=f"a packet of code 41, 51 or 50 at 332 wanted, found {code}"):
            next(found)

    @pytest.mark.parametrize("length", [331, 333])
    def test_that_tells_another_length_than_it_has_is_refused(self, length):
        side = a_side()
        lying = depth.HEADER.pack(length, depth.BID, 1, 1594, 0) + side[depth.HEADER.size :]

        with pytest.raises(PacketError, match=f"and 332 bytes at 0 wanted, found one of {length} with 664 left"):
            list(depth.sides_of(lying + side))

    @pytest.mark.parametrize(("tail", "reason"), [(b"\x25\x03", 805), (b"", 0)])
    def test_ends_the_connection_whatever_length_it_tells(self, tail, reason):
        for length in (14, 50):
            header = depth.HEADER.pack(length, depth.DISCONNECT, 0, 0, 0)
            assert list(depth.sides_of(header + tail)) == [depth.Ended(reason)]

    @pytest.mark.parametrize("levels", [20, 200])
    @given(data=st.data())
    def test_of_any_bytes_is_sides_or_refused(self, levels, data):
        rows = data.draw(st.integers(0, 201))
        frame = bytearray(a_side(rows=rows, count=rows) * data.draw(st.integers(0, 2)))
        for _ in range(data.draw(st.integers(0, 3))):
            if frame:
                frame[data.draw(st.integers(0, min(len(frame) - 1, 15)))] = data.draw(st.integers(0, 255))
        cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])
        try:
            found = list(depth.sides_of(cut, levels=levels))
        except PacketError:
            return
        assert all(isinstance(side, depth.Ended) or len(side.prices) <= levels for side in found)


def test_modes_and_reasons_have_the_numbers_that_are_documented():
    assert subscriptions.SUBSCRIBE == {"ticker": 15, "quote": 17, "full": 21}
    assert {code: subscriptions.MODES[code] for code in (15, 17, 21)} == {15: "ticker", 17: "quote", 21: "full"}
    assert {*packets.REASONS} == {800, *range(804, 811)}
    assert {807, 808, 809} == packets.TOKEN_REASONS
    assert {packets.REASONS[each] for each in packets.TOKEN_REASONS} == {
        "access token expired",
        "client id or access token wrong",
        "access token invalid",
    }


def test_every_segment_has_its_number_save_one():
    numbers = {"IDX_I": 0, "NSE_EQ": 1, "NSE_FNO": 2, "NSE_CURRENCY": 3, "BSE_EQ": 4, "MCX_COMM": 5}
    numbers |= {"BSE_CURRENCY": 7, "BSE_FNO": 8}

    assert numbers == packets.SEGMENT_NUMBERS
    assert {*get_args(Segment)} - {*numbers} == {"NSE_COMM"}


class TestARequest:
    def test_is_written_as_documented_in_batches(self):
        listed = [Listed("NSE_EQ", "1594"), Listed("IDX_I", "13")]
        (only,) = subscriptions.requests(17, listed)
        assert json.loads(only) == {
            "RequestCode": 17,
            "InstrumentCount": 2,
            "InstrumentList": [
                {"ExchangeSegment": "NSE_EQ", "SecurityId": "1594"},
                {"ExchangeSegment": "IDX_I", "SecurityId": "13"},
            ],
        }
        many = list(subscriptions.requests(15, listed * 125))
        assert [subscriptions.read_request(each).instrument_count for each in many] == [100, 100, 50]
        assert subscriptions.disconnect_request() == b'{"RequestCode":12}'

    def test_about_200_levels_is_flat(self):
        written = subscriptions.deep_request(23, Listed("NSE_EQ", "1594"))
        assert json.loads(written) == {"RequestCode": 23, "ExchangeSegment": "NSE_EQ", "SecurityId": "1594"}
        assert subscriptions.read_deep_request(written).security_id == "1594"

    def test_is_read_with_keys_that_are_not_known(self):
        assert subscriptions.read_request(b'{"RequestCode":12,"Colour":"red"}') == FeedRequest(request_code=12)

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"RequestCode":15,"InstrumentList":[{"ExchangeSegment":"NSE_EQ","SecurityId":1594}]}',
            b'{"RequestCode":15,"InstrumentList":[{"ExchangeSegment":"MOON","SecurityId":"1"}]}',
            b'{"RequestCode":15,"InstrumentList":[{"ExchangeSegment":"NSE_EQ","SecurityId":"1; drop"}]}',
            b'{"RequestCode":15,"InstrumentList":[{"ExchangeSegment":"NSE_EQ","SecurityId":""}]}',
            b'{"RequestCode":15,"InstrumentList":[{"ExchangeSegment":"NSE_EQ","SecurityId":"123456789012345678901"}]}',
            b"\xff",
            b"[" * 100_000,
        ],
    )
    def test_that_is_none_is_refused(self, text):
        for read in (subscriptions.read_request, subscriptions.read_deep_request):
            with pytest.raises(SubscriptionError):
                read(text)


def a_login(code=binary_requests.LOGIN, token=b"secret", kind=binary_requests.KIND):
    return binary_requests.HEADER.pack(code, 585, b"1100012345", b"") + token + kind


class TestALoginOfTheProtocolBefore:
    """A packet: a header, a token that is padded, and how the client logs in."""

    @pytest.mark.parametrize("padding", [0, binary_requests.TOKEN_BYTES - len("secret")])
    def test_has_client_and_token_without_their_padding(self, padding):
        found = binary_requests.read_login(a_login(token=b"secret" + bytes(padding)))

        assert found == binary_requests.BinaryLogin("1100012345", "secret")

    def test_may_have_an_empty_token_and_no_less(self):
        assert binary_requests.read_login(a_login(token=b"")).token == ""

    @pytest.mark.parametrize(
        "packet",
        [
            b"",
            a_login(token=b"")[:-3] + binary_requests.KIND,
            a_login(code=15),
            a_login(kind=b"2Q"),
        ],
        ids=["nothing", "too short", "another code", "another kind"],
    )
    def test_that_is_none_is_refused_by_its_length_and_code(self, packet):
        told = f"a packet that logs in wanted, found {len(packet)} bytes of code {packet[:1].hex()}"
        with pytest.raises(SubscriptionError, match=told):
            binary_requests.read_login(packet)


def a_subscription(code=15, *, count=None, listed=((1, b"1594"), (0, b"13")), tail=b""):
    instruments = b"".join(binary_requests.INSTRUMENT.pack(*each) for each in listed)
    count = len(listed) if count is None else count
    return a_header(code) + binary_requests.COUNT.pack(count) + instruments + tail


def a_header(code=15):
    return binary_requests.HEADER.pack(code, 0, b"1100012345", b"")


class TestARequestOfTheProtocolBefore:
    def test_has_the_instruments_that_it_counts_whatever_is_behind_them(self):
        listed = (Listed("NSE_EQ", "1594"), Listed("IDX_I", "13"))

        for tail in (b"", bytes(1), bytes(98 * binary_requests.INSTRUMENT.size)):
            found = binary_requests.read_binary_request(a_subscription(17, tail=tail))
            assert found == FeedRequest(request_code=17, instrument_count=2, instrument_list=listed)
        assert binary_requests.read_binary_request(a_subscription(listed=())).instrument_list == ()

    def test_that_is_a_header_alone_is_about_none(self):
        assert binary_requests.read_binary_request(a_header(12)) == FeedRequest(request_code=12)

    @pytest.mark.parametrize(
        ("packet", "told"),
        [
            (b"", "a header of 83 bytes wanted, found 0 bytes"),
            (a_header()[:-1], "a header of 83 bytes wanted, found 82 bytes"),
            (a_header() + b"\x01\0\0", "a count of instruments wanted, found 3 bytes"),
            (a_subscription(count=3), "3 instruments wanted, found 2"),
            (a_subscription()[:-1], "2 instruments wanted, found 1"),
            (a_subscription(listed=((1, b"1594"), (9, b"13"))), "an instrument at 108 wanted, found"),
            (a_subscription(listed=((1, b""),)), "an instrument at 87 wanted, found"),
            (a_subscription(listed=((1, b"\xff"),)), "a text of ASCII wanted, found"),
        ],
    )
    def test_that_is_none_is_refused_by_what_was_found(self, packet, told):
        with pytest.raises(SubscriptionError, match=told):
            binary_requests.read_binary_request(packet)
