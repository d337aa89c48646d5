"""What the book counts of brackets: alike for what was bought and for what was sold, and of each symbol by itself."""

import pytest

from natya.actors.orders.book import Book
from natya.actors.orders.book.brackets import exit_of

PRICES = {
    "BUY": {"target_price": 110.0, "stop_loss_price": 95.0},
    "SELL": {"target_price": 90.0, "stop_loss_price": 105.0},
}
OTHER = {"BUY": "SELL", "SELL": "BUY"}


@pytest.fixture(params=["BUY", "SELL"])
def side(request):
    """Of the entries."""
    return request.param


class Played:
    """A book, and the facts that bring trades into it."""

    def __init__(self, make, side):
        self.make, self.side, self.book, self.trades = make, side, Book(), 0

    def intend(self, name, side, quantity=10, symbol="INFY", strategy="crossover", **fields):
        self.book.apply(
            self.make.intent(name, side=side, quantity=quantity, symbol=symbol, strategy=strategy, **fields)
        )
        self.book.apply(self.make.accepted(name, f"B-{name}"))

    def fill(self, name, quantity):
        order = self.book.order(name)
        self.trades += 1
        facts = {"side": order.side, "symbol": order.symbol, "strategy": order.strategy}
        more = {"quantity": quantity, "cumulative_quantity": order.filled + quantity}
        self.book.apply(self.make.filled(name, f"T-{self.trades}", **facts, **more))

    def enter(self, name, quantity=10, **fields):
        """An entry of ten, of which so many come in."""
        self.intend(name, self.side, **PRICES[self.side], **fields)
        self.fill(name, quantity)

    def trade(self, side, quantity, **fields):
        """Another order."""
        name = f"P-{self.trades}"
        self.intend(name, side, quantity, **fields)
        self.fill(name, quantity)

    def both_exits_trade(self, name, stopped=10, **fields):
        for leg, quantity in (("S", 10), ("T", 10)):
            self.intend(f"{name}{leg}", OTHER[self.side], quantity, **fields)
        self.fill(f"{name}T", 10)
        self.fill(f"{name}S", stopped)

    def counts(self, count, *entries):
        return {each: getattr(self.book, count)(each) for each in entries}


@pytest.fixture
def played(make, side):
    return Played(make, side)


class TestSharesThatOthersThanItsExitsClosed:
    def test_are_counted_for_the_oldest_first(self, played):
        for name in ("A-1", "C-1"):
            played.enter(name)
        played.trade(OTHER[played.side], 6)
        assert played.counts("sold", "A-1", "C-1") == {"A-1": 6, "C-1": 0}
        played.trade(OTHER[played.side], 7)

        assert played.counts("sold", "A-1", "C-1") == {"A-1": 10, "C-1": 3}

    def test_are_none_of_shares_beside_it_nor_of_other_symbols_and_strategies(self, played):
        other = OTHER[played.side]
        played.trade(played.side, 4)
        played.enter("A-1")
        played.trade(other, 4)
        played.trade(other, 9, symbol="TCS")
        played.trade(other, 9, strategy="other")

        assert played.counts("sold", "A-1") == {"A-1": 0}

    def test_are_none_that_its_own_exits_closed(self, played):
        played.enter("A-1")
        played.intend("A-1S", OTHER[played.side])
        played.fill("A-1S", 6)

        assert played.counts("sold", "A-1") == {"A-1": 0}


class TestSharesThatItsExitsHaveTradedTooMuch:
    def test_are_as_many_as_are_held_of_them_in_its_symbol(self, played):
        for name, symbol in (("A-1", "INFY"), ("C-1", "TCS")):
            played.enter(name, symbol=symbol)
            played.both_exits_trade(name, 7, symbol=symbol)
        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 7, "C-1": 7}
        played.trade(played.side, 4, symbol="TCS")
        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 7, "C-1": 3}
        played.trade(played.side, 4, strategy="other")
        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 7, "C-1": 3}
        played.trade(played.side, 9)

        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 0, "C-1": 3}

    def test_are_counted_by_each_trade_of_an_exit(self, played):
        played.enter("A-1")
        played.both_exits_trade("A-1", 4)
        assert played.counts("surplus", "A-1") == {"A-1": 4}
        played.fill("A-1S", 2)
        assert played.counts("surplus", "A-1") == {"A-1": 6}
        played.trade(played.side, 6)
        assert played.counts("surplus", "A-1") == {"A-1": 0}
        played.trade(OTHER[played.side], 9)
        assert played.counts("surplus", "A-1") == {"A-1": 0}, "those are its strategy's own"
        played.fill("A-1S", 1)

        assert played.counts("surplus", "A-1") == {"A-1": 1}

    def test_are_fewer_by_what_was_given_back_also_where_its_strategy_holds_as_many_beside(self, played):
        """It has closed six itself, and then opened five of its own on that side."""
        played.enter("A-1")
        played.both_exits_trade("A-1")
        played.trade(played.side, 6)
        played.trade(OTHER[played.side], 5)
        assert played.counts("surplus", "A-1") == {"A-1": 4}
        played.intend("A-1R", played.side, 4)
        found = []
        for quantity in (1, 3):
            played.fill("A-1R", quantity)
            found.append(played.book.surplus("A-1"))

        assert (found, played.book.brackets) == ([3, 0], ())

    def test_are_none_where_more_was_given_back_than_were_left(self, played):
        """Its strategy has closed six of ten in the moment in which all ten were given back."""
        played.enter("A-1")
        played.both_exits_trade("A-1")
        played.intend("A-1R", played.side, 10)
        played.trade(played.side, 6)
        played.fill("A-1R", 10)

        assert played.counts("surplus", "A-1") == {"A-1": 0}
        assert played.counts("late", "A-1") == {"A-1": 0}

    def test_are_none_where_the_exits_traded_what_was_there(self, played):
        played.enter("A-1")
        played.intend("A-1S", OTHER[played.side])
        played.fill("A-1S", 10)

        assert played.counts("surplus", "A-1") == {"A-1": 0}

    def test_are_of_the_bracket_that_turns_the_position_round(self, played):
        """What the exits of the first trade too much closes what the second has, whose own exits are too many then."""
        for name in ("A-1", "C-1"):
            played.enter(name)
        played.both_exits_trade("A-1", 5)
        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 0, "C-1": 0}
        assert played.counts("sold", "A-1", "C-1") == {"A-1": 0, "C-1": 5}
        played.both_exits_trade("C-1", 5)
        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 0, "C-1": 10}
        played.trade(played.side, 3)

        assert played.counts("surplus", "A-1", "C-1") == {"A-1": 0, "C-1": 7}


class TestABracketThatIsDoneAndWhoseSharesLackAnExit:
    @pytest.fixture
    def bare(self, played, make):
        """Its exits were in the market, and a person has cancelled them."""
        played.enter("A-1")
        for name in ("A-1S", "A-1T"):
            played.intend(name, OTHER[played.side])
        for name in ("A-1S", "A-1T"):
            played.book.apply(make.cancelled(name))
        return played

    def test_is_known_as_long_as_they_are_held(self, bare):
        assert list(bare.book.bare_brackets) == ["A-1"]
        assert bare.book.brackets == ()
        for fields in ({"quantity": 4}, {"quantity": 9, "symbol": "TCS"}, {"quantity": 9, "strategy": "other"}):
            bare.trade(OTHER[bare.side], **fields)
        assert list(bare.book.bare_brackets) == ["A-1"]
        bare.trade(OTHER[bare.side], 6)

        assert list(bare.book.bare_brackets) == []

    def test_is_not_done_any_more_once_it_has_an_exit_again(self, bare):
        bare.intend("A-1X", OTHER[bare.side])

        assert (list(bare.book.open_brackets), list(bare.book.bare_brackets)) == (["A-1"], [])

    def test_is_none_that_lacks_them_where_the_position_was_turned_round(self, bare):
        bare.trade(OTHER[bare.side], 15)

        assert list(bare.book.bare_brackets) == []


class TestSharesThatCameAfterItsExitsHadEnded:
    """Of ten six came in, their stop was cancelled, and then the other four came."""

    @pytest.fixture
    def come(self, played, make):
        def build(*, sold=0):
            played.enter("A-1", 6)
            played.intend("A-1S", OTHER[played.side], 6)
            for name in ("A-1", "A-1S"):
                played.book.apply(make.cancelled(name))
            if sold:
                played.trade(OTHER[played.side], sold)
            played.fill("A-1", 4)
            return played

        return build

    def test_are_as_many_after_a_trade_of_the_stop_which_was_for_those_before(self, come):
        played = come()
        played.fill("A-1S", 3)

        assert played.counts("late", "A-1") == {"A-1": 4}

    @pytest.mark.parametrize("of", [{"symbol": "TCS"}, {"strategy": "other"}], ids=str)
    def test_are_as_many_after_a_position_in_another_symbol_or_of_another_strategy_was_closed(self, come, of):
        played = come()
        for side in ("BUY", "SELL"):
            played.trade(side, 9, **of)

        assert played.counts("late", "A-1") == {"A-1": 4}

    def test_are_all_of_them_where_they_turn_the_position_round(self, come):
        assert come(sold=9).counts("late", "A-1") == {"A-1": 4}


@pytest.mark.parametrize(("leg", "beside"), [("S", "T"), ("T", "S"), ("X", "T"), ("R", "S"), ("S1", "T1")])
def test_an_order_named_like_an_exit_of_an_entry_without_a_bracket_is_one_like_others(played, leg, beside):
    other, book = OTHER[played.side], played.book
    played.trade(played.side, 10)
    for name in (f"P-0{leg}", f"P-0{beside}"):
        played.intend(name, other, 20)
    assert book.leaves("INFY", other) == 40
    played.fill(f"P-0{leg}", 20)

    assert (book.leaves("INFY", other), book.surplus("P-0"), book.exits("crossover")) == (20, 0, ())
    assert (book.brackets, [*book.open_brackets], [*book.bare_brackets]) == ((), [], [])


def test_an_exit_is_found_as_the_order_that_it_is_or_as_the_refusal_of_it(played, make):
    played.enter("A-1")
    played.intend("A-1S", OTHER[played.side])
    refusal = make.refusal("A-1T")
    played.book.apply(refusal)

    assert exit_of(played.book, "A-1S") is played.book.order("A-1S")
    assert exit_of(played.book, "A-1T") == refusal
    assert exit_of(played.book, "A-1X") is None
