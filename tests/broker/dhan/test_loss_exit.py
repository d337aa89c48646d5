"""Having Dhan close the account at a loss of the day, as a conversation: what is asked, and what is said of it."""

import msgspec
import pytest
from natya_dhan_rows import a_position

from natya.actors.broker.bodies.dhan import endpoints
from natya.actors.broker.bodies.dhan.flows import Question
from natya.actors.broker.bodies.dhan.loss_exit import set_loss_exit
from natya.actors.broker.bodies.dhan.replies import Reply
from natya.domain.dhan.loss_exit import ALL_PRODUCTS, NO_PROFIT_RUPEES
from natya.domain.dhan.trading.control import PnlExitAck, PnlExitRow
from natya.messages.kill_switch import LossExitSet, SetLossExit

LOST = Reply(outcome="unknown", reason="reset")
REFUSED = Reply(outcome="refused", reason="DH-905 bad")
READ, SET, STOP, HELD = endpoints.PNL_EXIT, endpoints.SET_PNL_EXIT, endpoints.STOP_PNL_EXIT, endpoints.POSITIONS


def told(value):
    return Reply(outcome="told", value=value)


def shown(loss=15_000.0, status="ACTIVE", profit=NO_PROFIT_RUPEES):
    return told(PnlExitRow(pnl_exit_status=status, profit=profit, loss=loss, product_type=ALL_PRODUCTS))


NONE = shown(0.0, "INACTIVE", 0.0)
FLAT = told(([], 0))
TAKEN = told(PnlExitAck(pnl_exit_status="ACTIVE"))


def play(*replies, loss=15_000.0, **fields):
    """The calls that are made, what was posted, and what is said at the end."""
    flow, calls, bodies = set_loss_exit(SetLossExit(loss_rupees=loss, **fields), client_id="11"), [], []
    answer, left = None, list(replies)
    while True:
        try:
            wish = flow.send(answer)
        except StopIteration as end:
            assert not left, f"never asked for: {left}"
            return calls, bodies, end.value
        assert isinstance(wish, Question)
        calls.append(wish.route)
        bodies += [msgspec.json.decode(wish.body)] if wish.body else []
        answer = left.pop(0)


class TestAnExitThatIsNotThere:
    @pytest.mark.parametrize("before", [NONE, REFUSED], ids=["inactive", "a plain no"])
    @pytest.mark.parametrize("answer", [TAKEN, LOST], ids=["taken", "lost on its way back"])
    def test_is_set_for_all_products_at_no_profit_and_read_again(self, before, answer):
        calls, bodies, said = play(before, FLAT, answer, shown(), with_kill_switch=True)

        assert calls == [READ, HELD, SET, READ]
        wanted = {"dhanClientId": "11", "profitValue": NO_PROFIT_RUPEES, "lossValue": 15_000.0}
        assert bodies == [wanted | {"productType": list(ALL_PRODUCTS), "enableKillSwitch": True}]
        assert said == LossExitSet(loss_rupees=15_000.0)

    def test_is_not_set_where_it_would_act_at_once(self):
        calls, _, said = play(NONE, told(([a_position(realized_profit=-15_000.0)], 0)))

        assert calls == [READ, HELD]
        assert (said.loss_rupees, "at once" in said.problem) == (0.0, True)

    @pytest.mark.parametrize(
        ("replies", "loss", "problem"),
        [
            ([LOST], None, "the exit could not be read: reset"),
            ([NONE, LOST], 0.0, "the positions could not be read: reset"),
            ([NONE, told(([], 2))], 0.0, "all positions wanted, found 2 that cannot be read"),
            ([NONE, FLAT, REFUSED], 0.0, "DH-905 bad"),
            ([NONE, FLAT, Reply(outcome="not_sent", reason="no token")], 0.0, "no token"),
            ([NONE, FLAT, TAKEN, LOST], None, "the exit could not be read: reset"),
            ([NONE, FLAT, TAKEN, NONE], 0.0, "an exit at 15000.00 rupees wanted, found INACTIVE at 0.00"),
        ],
    )
    def test_and_cannot_be_set_is_said_with_the_reason(self, replies, loss, problem):
        assert play(*replies)[2] == LossExitSet(loss_rupees=loss, problem=problem)

    def test_is_not_asked_for_at_a_loss_that_no_request_may_have(self):
        calls, _, said = play(NONE, FLAT, loss=1e13)

        assert calls == [READ, HELD]
        assert "lossValue" in said.problem


class TestAnExitThatIsThere:
    def test_as_wanted_is_read_and_nothing_else(self):
        assert play(shown()) == ([READ], [], LossExitSet(loss_rupees=15_000.0))

    def test_of_a_person_at_a_lesser_loss_stays_and_that_is_said(self):
        assert play(shown(2_000.0, profit=4_000.0)) == ([READ], [], LossExitSet(loss_rupees=2_000.0))

    def test_of_another_limit_is_replaced(self):
        calls, _, said = play(shown(9_000.0), FLAT, TAKEN, shown())

        assert (calls, said.loss_rupees) == ([READ, HELD, SET, READ], 15_000.0)

    def test_is_ended_where_none_is_wanted_any_more(self):
        ended = told(PnlExitAck(pnl_exit_status="DISABLED"))

        assert play(shown(), ended, NONE, loss=0.0) == ([READ, STOP, READ], [], LossExitSet(loss_rupees=0.0))
        assert play(shown(), REFUSED, loss=0.0)[2] == LossExitSet(loss_rupees=15_000.0, problem="DH-905 bad")
        assert "wanted, found ACTIVE" in play(shown(), ended, shown(), loss=0.0)[2].problem

    def test_of_a_person_is_not_ended(self):
        assert play(shown(profit=4_000.0), loss=0.0) == ([READ], [], LossExitSet(loss_rupees=15_000.0))
