from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from natya.actors.strategy import StrategyActor
from natya.actors.strategy.arguments import price, quantity, text
from natya.messages.orders import SubmitOrder
from natya.messages.system import Ping

WHOLE = [10, np.int64(10), np.int8(10), np.uint32(10)]
NOT_WHOLE = [
    None,
    "10",
    b"10",
    10.0,
    np.float64(10),
    Decimal(10),
    True,
    np.bool_(True),
    [10],
    np.array([10, 11]),
    object,
]
REAL = [100, 100.5, np.float64(100.5), np.float32(100.5), np.int64(100), Decimal("100.5"), Fraction(201, 2)]
NOT_REAL = ["abc", "100", b"1", True, np.bool_(False), 1j, [100.0], np.array([1.0]), print]
NO_TEXT = [None, 123, b"INFY", ["INFY"], np.int64(1), print]


class TestAnArgument:
    @pytest.mark.parametrize("found", WHOLE, ids=repr)
    def test_that_is_a_whole_number_becomes_an_int(self, found):
        assert type(quantity(found)) is int
        assert quantity(found) == 10

    @pytest.mark.parametrize("found", NOT_WHOLE, ids=repr)
    def test_that_is_no_whole_number_is_no_quantity(self, found):
        with pytest.raises(TypeError, match="quantity is a whole number of shares, found"):
            quantity(found)

    @pytest.mark.parametrize("found", REAL, ids=repr)
    def test_that_is_a_number_becomes_a_float(self, found):
        assert type(price(found, "limit")) is float
        assert price(found, "limit") == found

    @pytest.mark.parametrize("found", [1480.1, np.float64(1480.1), np.float32(1480.1), Decimal("1480.1")], ids=repr)
    def test_that_is_a_price_is_the_decimal_number_that_it_was_written_as(self, found):
        """A price of a feed whose floats have 32 bits was 1480.0999755859375, which every exchange rejects."""
        assert price(found, "limit") == 1480.1

    @pytest.mark.parametrize("found", NOT_REAL, ids=repr)
    def test_that_is_no_number_is_no_price(self, found):
        with pytest.raises(TypeError, match="limit is a number of rupees or None, found"):
            price(found, "limit")

    def test_that_no_float_can_hold_is_no_price(self):
        with pytest.raises(ValueError, match="a float can hold"):
            price(10**400, "limit")

    def test_that_is_a_text_of_numpy_becomes_a_str(self):
        assert type(text(np.str_("INFY"), "symbol")) is str

    @pytest.mark.parametrize("found", NO_TEXT, ids=repr)
    def test_that_is_no_text_is_refused(self, found):
        with pytest.raises(TypeError, match="symbol is a text, found"):
            text(found, "symbol")

    @pytest.mark.parametrize("found", ["", "\ud800", "INFY\udcff"], ids=ascii)
    def test_that_nobody_can_write_is_refused(self, found):
        with pytest.raises(ValueError, match="symbol is"):
            text(found, "symbol")


class Caller(StrategyActor):
    """Makes one call for each sequence; tells the test what came of it."""

    calls: tuple = ()

    def on_tick(self, tick):
        try:
            self.send("outcome", self.calls[tick.sequence - 1](self))
        except (TypeError, ValueError) as refusal:
            self.send("outcome", refusal)


class Mistaken(Caller):
    calls = (
        lambda self: self.buy(None, 10),
        lambda self: self.buy(123, 10),
        lambda self: self.buy("", 10),
        lambda self: self.buy("INFY", 10.0),
        lambda self: self.sell("INFY", True),
        lambda self: self.sell("INFY", 0),
        lambda self: self.buy("INFY", -1),
        lambda self: self.buy("INFY", 1 << 70),
        lambda self: self.buy("INFY", 1, "abc"),
        lambda self: self.buy("INFY", 1, float("nan")),
        lambda self: self.buy("INFY", 1, float("inf")),
        lambda self: self.buy("INFY", 1, -0.0),
        lambda self: self.buy("INFY", 1, Decimal("NaN")),
        lambda self: self.buy("INFY", 1, stop="abc"),
        lambda self: self.buy("INFY", 1, stop=0),
        lambda self: self.buy("INFY", 1, 99.0, stop=100.0),
        lambda self: self.sell("INFY", 1, 101.0, stop=100.0),
        lambda self: self.buy("INFY", 1, valid="GTC"),
        lambda self: self.buy("INFY", 1, valid=None),
        lambda self: self.buy("INFY", 1, product="MTF"),
        lambda self: self.cancel(None),
        lambda self: self.cancel(7),
        lambda self: self.cancel("other-0000000000-1"),
        lambda self: self.cancel("\ud800"),
        lambda self: self.position(None),
        lambda self: self.last_price(5),
        lambda self: self.ask("orders", 1, timeout_s=None, then=print),
        lambda self: self.after("soon", 1),
        lambda self: self.after(None, 1),
        lambda self: self.ask("orders", 1, timeout_s="5 s", then=print),
    )


class Numeric(Caller):
    calls = (
        lambda self: self.buy(np.str_("INFY"), np.int64(10), np.float64(100.5)),
        lambda self: self.sell("INFY", np.int32(10), Decimal("100.5")),
    )


class TestAStrategyThatCallsWithTheWrongThing:
    def test_hears_of_it_in_its_own_stack_and_nobody_else_does(self, stage):
        outcome = stage.system.probe("outcome")
        stage.open(Mistaken)

        for number in range(len(Mistaken.calls)):
            stage.tell(stage.tick(sequence=number + 1))
            assert isinstance(outcome.receive(), TypeError | ValueError)

        assert stage.orders.is_empty()
        assert stage.system.request("mine", Ping()).statistics.orders == 0
        assert stage.system.base.dead_letters.count == 0


class TestAStrategyThatCountsWithNumpy:
    @pytest.mark.parametrize("call", range(2))
    def test_has_its_numbers_taken(self, stage, call):
        stage.system.probe("outcome")
        stage.open(Numeric)

        stage.tell(stage.tick(sequence=call + 1))
        order = stage.orders.receive()

        assert isinstance(order, SubmitOrder)
        assert [type(each) for each in (order.symbol, order.quantity, order.limit_price)] == [str, int, float]
        assert (order.symbol, order.quantity, order.limit_price) == ("INFY", 10, 100.5)


class Stopping(Caller):
    calls = (
        lambda self: self.buy("INFY", 1),
        lambda self: self.buy("INFY", 1, 100.5),
        lambda self: self.buy("INFY", 1, stop=np.float32(100.5)),
        lambda self: self.sell("INFY", 1, limit=1499.4 - 0.05, stop=1499.4, valid="IOC", product="CNC"),
    )


class TestAStrategyThatOrders:
    @pytest.mark.parametrize(
        ("call", "wanted"),
        [
            (0, ("MARKET", None, None, "DAY", None)),
            (1, ("LIMIT", 100.5, None, "DAY", None)),
            (2, ("STOP", None, 100.5, "DAY", None)),
            (3, ("STOP_LIMIT", 1499.35, 1499.4, "IOC", "CNC")),
        ],
    )
    def test_says_by_its_prices_which_type_it_is(self, stage, call, wanted):
        stage.system.probe("outcome")
        stage.open(Stopping)

        stage.tell(stage.tick(sequence=call + 1))
        order = stage.orders.receive()

        found = (order.order_type, order.limit_price, order.trigger_price, order.validity, order.product)
        assert found == wanted
