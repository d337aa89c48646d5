"""What a look-up reads of an answer: every row that can be read, and how many cannot."""

import pytest

from natya.actors.broker.bodies.dhan.reading import only, readable, row_of
from natya.domain.dhan.tolerant import MalformedAnswerError
from natya.domain.dhan.trading.orders import OrderRow


def a_row(number="7", **fields):
    fields = {"orderStatus": "PENDING", "transactionType": "BUY", "securityId": "1594", "quantity": 10} | fields
    return {"orderId": number, "correlationId": f"A-{number}", **fields}


STRANGE = a_row("8", quantity="10", OrderStatus="Pending", filledQty=4.0, unheardOf=[1])
BROKEN = a_row("9", quantity=-1)


class TestAnArray:
    @pytest.mark.parametrize("rows", [[], [a_row()], [a_row(), STRANGE]])
    def test_is_read_whole_in_whatever_form_its_rows_are(self, rows):
        read, unreadable = readable(OrderRow, rows)

        assert [row.order_id for row in read] == [row["orderId"] for row in rows]
        assert all(row.quantity == 10 for row in read)
        assert unreadable == 0

    def test_has_its_other_rows_read_when_one_cannot_be(self):
        read, unreadable = readable(OrderRow, [a_row(), BROKEN, STRANGE, None])

        assert [row.order_id for row in read] == ["7", "8"]
        assert unreadable == 2

    @pytest.mark.parametrize("found", [None, {}, a_row(), "[]", 7])
    def test_is_not_seen_in_anything_else(self, found):
        with pytest.raises(MalformedAnswerError):
            readable(OrderRow, found)
        with pytest.raises(MalformedAnswerError):
            only(OrderRow, {"7"}, ())(found)


class TestSomeRows:
    def test_are_found_by_number_or_correlation_id_and_no_other_is_read(self):
        read, unreadable = only(OrderRow, {"7"}, {"A-8"})([a_row(), STRANGE, BROKEN, a_row("10")])

        assert [row.order_id for row in read] == ["7", "8"]
        assert unreadable == 0

    def test_are_found_behind_those_of_others(self):
        read, unreadable = only(OrderRow, {"7"}, ())([a_row("10"), STRANGE, a_row(), a_row("11")])

        assert ([row.order_id for row in read], unreadable) == (["7"], 0)

    def test_are_read_whatever_form_their_numbers_have(self):
        rows = [a_row(7), a_row("8", correlationId=5), a_row(""), a_row("9", correlationId=None)]
        read, unreadable = only(OrderRow, {"7"}, {"5"})(rows)

        assert [row.order_id for row in read] == ["7", "8", "9"]  # of no text nobody knows beforehand whose it is
        assert unreadable == 1

    def test_are_counted_where_they_might_be_ours_and_cannot_be_read(self):
        assert only(OrderRow, {"9"}, ())([BROKEN, {"order_id": "7"}, None]) == ([], 3)


class TestOneOrder:
    def test_is_none_in_an_empty_array(self):
        assert row_of("7")([]) is None

    def test_is_the_one_of_its_number_among_several(self):
        assert row_of("7")([STRANGE, a_row()]).order_id == "7"

    def test_is_whichever_it_is_where_its_number_is_not_known_yet(self):
        assert row_of("")([a_row("8")]).order_id == row_of("")(a_row("8")).order_id == "8"
        with pytest.raises(MalformedAnswerError, match="one order wanted, found 2"):
            row_of("")([a_row("8"), STRANGE])

    @pytest.mark.parametrize("found", [[a_row("8")], [a_row("8"), a_row("10")], [a_row(), a_row()], {}, None, [None]])
    def test_is_not_taken_for_another(self, found):
        with pytest.raises(MalformedAnswerError):
            row_of("7")(found)
