"""What one message says of an order is said by the next one that is made of it: each field by its own name."""

import msgspec
import pytest
from natya_messages import changed_on_the_way, distinct

from natya.actors.orders import modifications, updates
from natya.actors.orders.book.ledger import Ledger, _open_order
from natya.actors.orders.book.listing import shown
from natya.actors.orders.book.states import States, saved
from natya.actors.orders.hindsight import Decision
from natya.actors.orders.rules import Refusal
from natya.domain import orders
from natya.domain.orders import Cancellation, Order
from natya.messages.broker import ExecutionReport
from natya.messages.orders import ModifyOrder, OrderIntended, OrderRefused, SubmitOrder
from natya.messages.strategy_state import SaveState

STOP_LIMIT = {"side": "SELL", "order_type": "STOP_LIMIT", "trigger_price": 100.0, "limit_price": 99.0}
EXITS = {"target_price": 90.0, "stop_loss_price": 110.0}
SUBMITTED = distinct(SubmitOrder, **STOP_LIMIT, **EXITS)
INTENDED = distinct(OrderIntended, **STOP_LIMIT, **EXITS)
REFUSED = distinct(OrderRefused, side="SELL", order_type="STOP_LIMIT")
ORDER = msgspec.structs.replace(
    Order.from_intent(INTENDED),
    broker_order_id="B-1",
    filled=7,
    state="PART_FILLED",
    trade_ids=frozenset({"T-1"}),
    asked_to_cancel=distinct(Cancellation),
    cancellations=1,
)
WANTED = distinct(modifications.Terms)
CHANGE = modifications.intended(ORDER, WANTED, 1)
REPORT = distinct(
    ExecutionReport, execution_type="TRADE", side="SELL", symbol=ORDER.symbol, quantity=3, cumulative_quantity=10
)
STATE = distinct(SaveState)


def the_trade():
    return updates.from_report(ORDER, REPORT, 1).facts[-1]


def the_state_kept():
    states = States()
    states.apply(saved(STATE, 1))
    return states.newest(STATE.strategy)


def decided(fact):
    return Decision(fact=fact, sequence=1, ledger=Ledger(), limits={}).order


def changed(quantity=12):
    return modifications._as_submitted(ORDER, ModifyOrder(client_order_id="A-1", quantity=1), WANTED, quantity=quantity)


NO = Refusal(rule="r", reason="s")
NO_RULE_ASKS = ("validity", "target_price", "stop_loss_price")
OF_THE_CHANGE = ("quantity", "limit_price", "trigger_price")

CASES = {
    "the intent of what is submitted": (SUBMITTED, lambda: orders.intent_of(SUBMITTED, 1), ("occurred_ns",)),
    "the refusal of it": (SUBMITTED, lambda: orders.refused(SUBMITTED, rule="r", reason="s", now_ns=1), ()),
    "the order of an intent": (INTENDED, lambda: Order.from_intent(INTENDED), ()),
    "the intent of an order": (ORDER, lambda: ORDER.intent, ()),
    "an order in a list": (ORDER, lambda: shown(ORDER, None), ()),
    "a refused one in a list": (REFUSED, lambda: shown(REFUSED, None), ("reason",)),
    "the order that was decided on": (INTENDED, lambda: decided(INTENDED), ("validity",)),
    "the order that was refused": (REFUSED, lambda: decided(REFUSED), ()),
    "a look-up": (ORDER, lambda: updates.to_find(ORDER), ()),
    "an open order of a strategy": (ORDER, lambda: _open_order(ORDER), ("cancelling",)),
    "its cancellation": (ORDER.asked_to_cancel, lambda: _open_order(ORDER).cancelling, ()),
    "the terms of an order": (ORDER, lambda: modifications.terms_of(ORDER), ()),
    "the fact of a change": (WANTED, lambda: CHANGE, ()),
    "the request of a change": (CHANGE, lambda: modifications.to_replace(ORDER, CHANGE, reduces=True), ()),
    "the order that is changed": (ORDER, lambda: modifications.to_replace(ORDER, CHANGE, reduces=True), OF_THE_CHANGE),
    "a change that was made": (CHANGE, lambda: modifications.made(ORDER, CHANGE, 1), ()),
    "a change that was refused": (CHANGE, lambda: modifications.refused("client_order_id", NO, 1, number=1), ()),
    "the order of a change for the gate": (ORDER, changed, (*OF_THE_CHANGE, *NO_RULE_ASKS)),
    "the terms of a change for the gate": (WANTED, lambda: changed(WANTED.quantity), ()),
    "the trade of a report": (REPORT, the_trade, ("client_order_id",)),
    "the order of a trade": (ORDER, the_trade, ("quantity",)),
    "a state that is kept": (STATE, the_state_kept, ("life",)),
}  # fmt: skip


@pytest.mark.parametrize(("source", "made", "but"), CASES.values(), ids=CASES.keys())
def test_says_the_same_by_each_name(source, made, but):
    assert changed_on_the_way(source, made(), but=but) == {}
