"""Bytes into rows, fast and tolerantly: the same rows."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_dhan import ANSWERS, ANYTHING, FRESH, HOLDING, ORDER, POSITION, TRADE

from natya.domain.dhan import decoding
from natya.domain.dhan.account.portfolio import HoldingRow, PositionRow
from natya.domain.dhan.decoding import row_reader, rows_reader
from natya.domain.dhan.tolerant import MalformedAnswerError, read, read_all
from natya.domain.dhan.trading.orders import OrderAck, OrderRow, TradeRow

KINDS = [(OrderRow, ORDER), (OrderRow, FRESH), (TradeRow, TRADE), (PositionRow, POSITION), (HoldingRow, HOLDING)]
SAID = st.sampled_from(
    ["", "NA", "0001-01-01", "0001-01-01 00:00:00", "2026-10-07 10:15:29", "2026-10-07", "CONFIRMED", "TRADED",
     "Traded", 'a "quote"', "back\\slash", None, 0, 7, 7.0, 0.0, 1.5, "7", True, -1],
)  # fmt: skip


def fail(*found):
    raise AssertionError(f"read tolerantly: {found}")


class TestRows:
    @pytest.mark.parametrize(("kind", "wire"), KINDS)
    def test_as_documented_are_read_strictly(self, kind, wire, monkeypatch):
        monkeypatch.setattr(decoding, "read_all", fail)
        body = json.dumps([wire] * 3).encode()

        assert decoding.rows_reader.__wrapped__(kind)(body)[2].security_id == "1594"

    @pytest.mark.parametrize("name", ["exchangeSegment", "productType"])
    def test_without_a_text_that_has_to_be_there_are_refused(self, name):
        with pytest.raises(MalformedAnswerError, match=name):
            rows_reader(PositionRow)(json.dumps([{**POSITION, name: ""}]).encode())

    @pytest.mark.parametrize("nothing", ["", "NA", None])
    def test_say_nothing_in_one_way(self, nothing):
        (row,) = rows_reader(PositionRow)(json.dumps([{**POSITION, "drvOptionType": nothing}]).encode())

        assert row.drv_option_type is None

    @given(st.data())
    def test_are_the_same_however_they_are_read(self, data):
        kind, wire = data.draw(st.sampled_from(KINDS))
        changes = data.draw(st.dictionaries(st.sampled_from(sorted(wire)), SAID | ANYTHING, max_size=2))
        found = [{**wire, **changes}, wire]
        try:
            expected = read_all(kind, found)
        except MalformedAnswerError:
            with pytest.raises(MalformedAnswerError):
                rows_reader(kind)(json.dumps(found).encode())
            return

        assert rows_reader(kind)(json.dumps(found).encode()) == expected

    @pytest.mark.parametrize(("kind", "wire"), [(kind, wire) for kind, wire in ANSWERS if isinstance(wire, dict)])
    def test_of_every_kind_are_read_as_they_are_tolerantly_by_each_name_of_a_field(self, kind, wire):
        also = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
        names = getattr(kind, "ALSO", {})
        other = {names.get(also.get(name, ""), (name,))[-1]: value for name, value in wire.items()}
        for found in (wire, other):
            body = json.dumps(found).encode()
            assert row_reader(kind)(body) == read(kind, found)

    def test_of_a_trade_say_when_it_traded_by_the_exchange_or_else_when_it_was_written(self):
        def traded_ns(**fields):
            wire = {**TRADE, "exchangeTime": "NA", "createTime": "NA", **fields}
            (row,) = rows_reader(TradeRow)(json.dumps([wire]).encode())
            return row.traded_ns

        exchange, written = "2026-10-07 10:15:29", "2026-10-07 10:15:31"
        assert traded_ns() is None
        assert traded_ns(exchangeTime=exchange) == traded_ns(exchangeTime=exchange, createTime=written)
        assert traded_ns(createTime=written) == traded_ns(exchangeTime=exchange) + 2 * 10**9

    @pytest.mark.parametrize("alias", [{"filledQuantity": 15}, {"FilledQty": 15}, {"tradedQuantity": 15}])
    def test_with_a_name_of_their_own_for_what_is_filled_lose_nothing(self, alias):
        order = {name: value for name, value in ORDER.items() if name != "filledQty"}

        assert rows_reader(OrderRow)(json.dumps([{**order, **alias}]).encode())[0].filled_qty == 15

    def test_that_ended_in_another_case_have_ended(self):
        (order,) = rows_reader(OrderRow)(json.dumps([{**ORDER, "orderStatus": "Traded"}]).encode())

        assert (order.order_status, order.is_open) == ("TRADED", False)

    def test_may_be_none(self):
        assert rows_reader(OrderRow)(b"[]") == rows_reader(OrderRow)(b" ") == rows_reader(OrderRow)(b"null") == ()

    @pytest.mark.parametrize("body", [b"[{", b"\xff", b"[" * 100_000, b"7", b'[{"orderId": NaN}]', b'{"orderId"'])
    def test_that_are_none_are_refused(self, body):
        for reader in (rows_reader(OrderRow), row_reader(OrderRow), row_reader(OrderAck)):
            with pytest.raises(MalformedAnswerError):
                reader(body)

    @given(st.binary(max_size=60))
    def test_of_any_bytes_are_read_or_refused(self, body):
        for reader in (rows_reader(OrderRow), row_reader(OrderRow)):
            try:
                reader(body)
            except MalformedAnswerError:
                continue
