"""What is asked of Dhan so that it closes the account at a loss of the day, and what is left as somebody has set it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_dhan_rows import a_position

from natya.domain.dhan.loss_exit import (
    ALL_PRODUCTS,
    NO_PROFIT_RUPEES,
    NOTHING_SET,
    closes_at,
    exit_request,
    is_ours,
    why_not_now,
    will_do,
)
from natya.domain.dhan.trading.control import PnlExitRow
from natya.domain.dhan.writing import body_of

LOSSES = st.integers(1, 10**9).map(lambda paise: paise / 100)
PRODUCTS = st.sampled_from([(), ("INTRADAY",), ("DELIVERY",), ALL_PRODUCTS, ALL_PRODUCTS[::-1]])


def an_exit(loss=15_000.0, profit=NO_PROFIT_RUPEES, status="ACTIVE", products=ALL_PRODUCTS):
    return PnlExitRow(pnl_exit_status=status, profit=profit, loss=loss, product_type=products)


ROWS = st.builds(
    an_exit,
    loss=LOSSES | st.just(0.0) | LOSSES.map(lambda loss: -loss),
    profit=st.sampled_from([0.0, 4_000.0, NO_PROFIT_RUPEES]),
    status=st.sampled_from(["ACTIVE", "INACTIVE", "DISABLED"]),
    products=PRODUCTS,
)


def shown_after(request):
    """What Dhan shows when it has taken a request."""
    return an_exit(loss=request.loss_value, profit=request.profit_value, products=request.product_type)


@given(ROWS, LOSSES)
def test_what_is_asked_for_is_as_wanted_and_never_acts_at_a_profit_that_nobody_set(found, loss):
    request = exit_request(found, loss, client_id="1")
    after = shown_after(request)

    assert will_do(after, loss)
    assert closes_at(after) == loss
    of_a_person = found.pnl_exit_status == "ACTIVE" and found.profit == 4_000.0
    assert request.profit_value == (4_000.0 if of_a_person else NO_PROFIT_RUPEES)
    assert is_ours(after) != of_a_person
    assert body_of(request)


@given(ROWS, LOSSES)
def test_what_will_do_closes_all_at_the_loss_that_is_wanted_at_the_latest(found, loss):
    for or_stricter in (False, True):
        if will_do(found, loss, or_stricter=or_stricter):
            assert 0 < closes_at(found) < loss + 0.01


class TestAnExitThatIsThere:
    @pytest.mark.parametrize("found", [an_exit(), an_exit(-15_000.0), an_exit(products=()), an_exit(profit=4_000.0)])
    def test_at_the_loss_that_is_wanted_is_left(self, found):
        assert will_do(found, 15_000.0)

    @pytest.mark.parametrize("found", [an_exit(status="INACTIVE"), an_exit(status="DISABLED"), NOTHING_SET])
    def test_no_more_will_not_do(self, found):
        assert not will_do(found, 15_000.0)
        assert not will_do(found, 15_000.0, or_stricter=True)

    @pytest.mark.parametrize("found", [an_exit(products=("INTRADAY",)), an_exit(20_000.0), an_exit(0.0, 4_000.0)])
    def test_for_some_products_or_at_a_greater_loss_or_none_will_not_do(self, found):
        assert not will_do(found, 15_000.0, or_stricter=True)

    def test_of_a_person_at_a_lesser_loss_is_left_and_one_of_ours_is_not(self):
        assert will_do(an_exit(8_000.0, profit=4_000.0), 15_000.0)
        assert not will_do(an_exit(8_000.0), 15_000.0)
        assert will_do(an_exit(8_000.0), 15_000.0, or_stricter=True)

    def test_is_to_end_where_none_is_wanted_only_if_it_is_ours(self):
        assert not will_do(an_exit(), 0.0)
        assert will_do(an_exit(profit=4_000.0), 0.0)
        assert will_do(an_exit(status="INACTIVE"), 0.0)


class TestALossThatIsPassed:
    def positions(self, *profits):
        return [a_position(realized_profit=realized, unrealized_profit=open_) for realized, open_ in profits]

    def test_keeps_the_exit_from_being_set_since_it_would_act_at_once(self):
        problem = why_not_now(self.positions((-9_000.0, -5_000.0), (0.0, -1_000.0)), 15_000.0)

        assert "found 15000.00 by the broker's positions" in problem

    @pytest.mark.parametrize("profits", [(), [(-14_999.99, 0.0)], [(-20_000.0, 5_001.0)], [(1.0, 0.0)]])
    def test_is_none_below_it(self, profits):
        assert why_not_now(self.positions(*profits), 15_000.0) == ""
