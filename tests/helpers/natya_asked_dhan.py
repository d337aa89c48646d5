"""`DhanBrokerAdapter` without a network: what it asks is kept, and answered by the test."""

import json
from concurrent.futures import Future
from types import SimpleNamespace

from natya import (
    DhanBrokerAdapter,
    ExternalServiceResult,
    ForeverLeg,
    ForeverOrderRequest,
    OrderRequest,
    SuperOrderRequest,
)
from natya.actors.external import PendingResult
from natya.domain.dhan.trading.alerts import Condition

TOKEN = "canary-of-a-token"  # noqa: S105  it opens nothing

NOON_NS = 1_788_244_200_000_000_000
"""Of the first of September 2026 in India."""

NO_ANSWER = ExternalServiceResult(success=False, error="no answer")


class Played(DhanBrokerAdapter):
    """Keeps what is asked, and has it answered by the test: with the body of a good answer, or a whole result."""

    def __init__(self, instruments):
        super().__init__("11", TOKEN, base_url="https://x", instruments=instruments)
        self.asked, self.answers = [], []

    def converse(self, conversation, future=None):
        future = Future() if future is None else future
        told = None
        try:
            while True:
                self.asked.append(conversation.send(told))
                told = self.answer(self.asked[-1])
        except StopIteration as end:
            future.set_result(end.value)
        return PendingResult(future)

    def answer(self, call):
        answer = self.answers.pop(0) if self.answers else NO_ANSWER
        if isinstance(answer, ExternalServiceResult):
            return answer
        data = call.endpoint.reads(json.dumps(answer).encode())
        return ExternalServiceResult(success=True, data=data, status_code=200, sent="yes", attempts=1)

    def _clock(self):
        return SimpleNamespace(now_ns=lambda: NOON_NS, monotonic_ns=lambda: 0)


def an_order(**fields):
    return OrderRequest(**{"symbol": "INFY", "side": "BUY", "quantity": 10, "client_order_id": "A-1", **fields})


SUPER = SuperOrderRequest(symbol="INFY", side="BUY", quantity=10, target_price=1500.0, client_order_id="S-1")
FIRST = ForeverLeg(trigger_price=1301.0, limit_price=1300.0)
FOREVER = ForeverOrderRequest(symbol="INFY", side="BUY", quantity=5, first=FIRST, client_order_id="F-1")
TWO_LEGS = ForeverOrderRequest(
    symbol="INFY", side="BUY", quantity=5, first=FIRST, second=ForeverLeg(trigger_price=1700.0, quantity=3)
)
BELOW = Condition(
    comparison_type="PRICE_WITH_VALUE",
    exchange_segment="NSE_EQ",
    security_id="1594",
    operator="LESS_THAN",
    comparing_value=1000.0,
)
