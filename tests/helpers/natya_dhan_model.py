"""A small Dhan for tests: its orders, trades and positions behind an HTTP session, with faults by chance.

Written against the fact sheet, not against our body: business refusals come later as REJECTED, a look-up by correlation
id says 404 of an order in transit, a cancellation then is refused, and nothing keeps it from taking an order twice.
"""

import heapq
import itertools
import json
from collections import Counter
from datetime import datetime
from random import Random
from urllib.parse import unquote, urlsplit

import msgspec

from natya.actors.external import HttpAnswer, NotSentError, UnknownOutcomeError
from natya.actors.runtime import RuntimeActor, handles
from natya.domain.time import IST
from natya.messages.broker import ExecutionReport, OrderFound, OrderNotFound
from natya.messages.instruments import (
    InstrumentDefinition,
    InstrumentList,
    InstrumentShown,
    InstrumentUnknown,
    ShowInstrument,
)

S_NS = 1_000_000_000
SECURITIES = {"INFY": "1594", "TCS": "11536", "SBIN": "3045", "RELIANCE": "2885"}
FIRST_TOKEN = "T-1"  # noqa: S105  it opens nothing
URL = "https://dhan.example/v2"
STATES = {"TRADED": "FILLED", "CANCELLED": "CANCELLED", "REJECTED": "REJECTED", "EXPIRED": "EXPIRED"}


class DhanFaults(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities, of each request; by default nothing goes wrong."""

    refused: float = 0.0
    """The connection is refused: nothing left."""

    lost: float = 0.0
    """The request is lost on its way, and the client waits in vain."""

    reset_before: float = 0.0
    reset_after: float = 0.0
    error_before: float = 0.0
    """A 5xx, and nothing was done."""

    error_after: float = 0.0
    """A 5xx, and it was done."""

    late: float = 0.0
    """It is done up to a minute later, whatever the client hears."""

    garbled: float = 0.0
    throttled: float = 0.0
    token_dies: float = 0.0
    rejects: float = 0.0
    """An order that was taken is REJECTED by the OMS."""

    updates_lost: float = 0.0
    updates_twice: float = 0.0
    updates_late: float = 0.0
    updates_dropped: float = 0.0
    """The connection of order updates ends, a few times a second."""


NO_FAULTS = DhanFaults()
KINDS = (
    "refused",
    "lost",
    "reset_before",
    "reset_after",
    "error_before",
    "error_after",
    "late",
    "garbled",
    "throttled",
)


def _error(code, text, kind):
    return {"errorType": kind, "errorCode": code, "errorMessage": text}


DEAD_TOKEN = (
    (401, {"data": {"808": "Authentication Failed"}, "status": "failed"}),
    (400, _error("DH-906", "Invalid Token", "Order_Error")),
    (401, _error("DH-901", "Client ID or user generated access token is invalid", "Invalid_Authentication")),
)
NEVER_ARRIVED = {
    "error_before": ((500, _error("DH-908", "try again", "Internal_Server_Error")), (502, {}), (503, {}), (504, {})),
    "throttled": ((429, _error("DH-904", "Too many requests", "Rate_Limit")),),
}


class Order(msgspec.Struct, kw_only=True):
    number: str
    correlation_id: str
    security_id: str
    segment: str
    side: str
    quantity: int
    order_type: str
    price: float
    trigger_price: float = 0.0
    status: str = "TRANSIT"
    filled: int = 0
    created_ns: int
    reason: str = ""


class DhanModel:
    """The far end. `handle` answers one request; what takes time happens by itself until the next one."""

    def __init__(self, clock, chance=None, faults=NO_FAULTS, *, slow=True):
        self.clock = clock
        self.chance = chance or Random(0)
        self.faults = faults
        self.active = True
        self.slow = slow
        self.token = FIRST_TOKEN
        self.orders = {}
        self.trades = []
        self.arrivals = Counter()
        """Placements that arrived, by correlation id."""

        self.attempts = Counter()
        """Placements that a client began to send."""

        self.changes = Counter()
        """Changes that arrived, by correlation id."""

        self.requests = Counter()
        self.known_dead = set()
        """Tokens that a client has been told are dead."""

        self.dead_calls = 0
        """Requests that a client began with such a token."""

        self.injected = Counter()
        self.sockets = []
        """Connections to which order updates are pushed."""

        self._numbers = itertools.count(412610070001)
        self._trade_ids = itertools.count(1)
        self._due = []
        self._sequence = itertools.count()

    # Time.

    def at(self, wait_s, act):
        due_ns = self.clock.monotonic_ns() + int(wait_s * S_NS)
        heapq.heappush(self._due, (due_ns, next(self._sequence), act))

    def pass_time(self):
        now_ns = self.clock.monotonic_ns()
        while self._due and self._due[0][0] <= now_ns:
            heapq.heappop(self._due)[2]()

    # Requests.

    def handle(self, method, path, headers, body):
        """Answer a request: status and what is written as JSON."""
        self.pass_time()
        self.requests[f"{method} {path.split('/')[1]}"] += 1
        if headers.get("access-token") != self.token:
            return self.chance.choice(DEAD_TOKEN)
        if method == "POST" and path == "/orders":
            return self._place(json.loads(body))
        kind, *names = [unquote(part) for part in path.strip("/").split("/")]
        if method == "DELETE":
            return self._cancel(*names)
        if method == "PUT":
            return self._modify(*names, json.loads(body))
        tell = {
            "fundlimit": lambda: (200, {"availabelBalance": 1_000_000.0}),
            "holdings": self._holdings,
            "orders": self._orders_told,
            "positions": self._positions,
            "trades": self._trades_told,
        }
        return tell[kind](*names)

    def _holdings(self):
        return 500, _error("DH-1111", "No holdings available", "HOLDING_ERROR")

    def _orders_told(self, number="", correlation_id=""):
        if correlation_id:
            found = [order for order in self.orders.values() if order.correlation_id == correlation_id]
            if not found or found[0].status == "TRANSIT":
                return 404, _error("DH-906", "Order does not exist", "Order_Error")
            return 200, self._row(found[0])
        return 200, [self._row(order) for order in self.orders.values() if number in {"", order.number}]

    def _trades_told(self, number=""):
        return 200, [trade for trade in self.trades if number in {"", trade["orderId"]}]

    def find(self, client_order_id):
        """What the book of record should say in the end, as the paper exchange tells it."""
        self.pass_time()
        found = [order for order in self.orders.values() if order.correlation_id == client_order_id]
        if not found:
            return OrderNotFound(client_order_id=client_order_id)
        (order,) = found
        reports = tuple(
            ExecutionReport(
                client_order_id=client_order_id,
                broker_order_id=order.number,
                execution_type="TRADE",
                execution_id=trade["exchangeTradeId"],
                occurred_ns=1,
                quantity=trade["tradedQuantity"],
                price=trade["tradedPrice"],
            )
            for trade in self.trades
            if trade["orderId"] == order.number
        )
        state = STATES.get(order.status) or ("PART_FILLED" if order.filled else "OPEN")
        return OrderFound(
            client_order_id=client_order_id,
            broker_order_id=order.number,
            state=state,
            reports=reports,
            quantity=order.quantity,
            limit_price=order.price,
            trigger_price=order.trigger_price,
        )

    def fill(self, order, quantity, price=None):
        """Trade so much of an order."""
        if order.status not in {"PENDING", "PART_TRADED"}:
            return
        quantity = min(quantity, order.quantity - order.filled)
        if quantity <= 0:
            return
        order.filled += quantity
        order.status = "TRADED" if order.filled == order.quantity else "PART_TRADED"
        self._push(order)
        now = self._now()
        self.trades.append(
            {
                "orderId": order.number,
                "exchangeTradeId": f"E{next(self._trade_ids)}",
                "securityId": order.security_id,
                "exchangeSegment": order.segment,
                "transactionType": order.side,
                "tradedQuantity": quantity,
                "tradedPrice": price or order.price or round(self.chance.uniform(90, 110), 1),
                "createTime": now,
                "exchangeTime": now,
            }
        )

    # Helpers.

    def _push(self, order):
        for each in self.sockets:
            each.push(order)

    def _place(self, request):
        self.arrivals[request["correlationId"]] += 1
        order = Order(
            number=str(next(self._numbers)),
            correlation_id=request["correlationId"],
            security_id=request["securityId"],
            segment=request["exchangeSegment"],
            side=request["transactionType"],
            quantity=request["quantity"],
            order_type=request["orderType"],
            price=request["price"],
            trigger_price=request["triggerPrice"],
            created_ns=self.clock.now_ns(),
        )
        if request["securityId"] == "0":
            return 400, _error("DH-905", "Invalid SecurityId", "Input_Exception")
        self.orders[order.number] = order
        self.at(self.chance.uniform(0.0, 2.0) if self.slow else 0.0, lambda: self._acknowledge(order))
        return 200, {"orderId": order.number, "orderStatus": "TRANSIT"}

    def _acknowledge(self, order):
        if self.active and self.chance.random() < self.faults.rejects:
            order.status, order.reason = "REJECTED", "RMS:1: fund shortfall"
            self._push(order)
            return
        order.status = "PENDING"
        self._push(order)
        if not self.slow or (order.order_type == "LIMIT" and self.chance.random() < 0.4):
            return
        left, wait_s = order.quantity, 0.0
        while left:
            part = self.chance.randint(1, left)
            wait_s += self.chance.uniform(0.0, 2.0)
            self.at(wait_s, lambda part=part: self.fill(order, part))
            left -= part

    def _cancel(self, number):
        order = self.orders.get(number)
        if order is None:
            return 404, _error("DH-906", "Order does not exist", "Order_Error")
        if order.status == "TRANSIT":
            return 400, _error("DH-906", "Order is in Transit state", "Order_Error")
        if order.status in STATES:
            return 400, _error("DH-906", "Incorrect request for order and cannot be processed", "Order_Error")
        order.status = "CANCELLED"
        self._push(order)
        return 200, {"orderId": number, "orderStatus": "CANCELLED"}

    def _modify(self, number, request):
        order = self.orders.get(number)
        if order is None:
            return 404, _error("DH-906", "Order does not exist", "Order_Error")
        self.changes[order.correlation_id] += 1
        if order.status == "TRANSIT":
            return 400, _error("DH-906", "Order is in Transit state", "Order_Error")
        if order.status in STATES or request["quantity"] <= order.filled:
            return 400, _error("DH-906", "Incorrect request for order and cannot be processed", "Order_Error")
        # Taken by the OMS; the exchange does it a little later, or not, if it has traded meanwhile.
        self.at(self.chance.choice((0.0, 0.0, 1.0)) if self.slow else 0.0, lambda: self._restate(order, request))
        self.pass_time()
        return 200, {"orderId": number, "orderStatus": "TRANSIT"}

    def _restate(self, order, request):
        if order.status in {"PENDING", "PART_TRADED"} and request["quantity"] > order.filled:
            order.quantity, order.price = request["quantity"], request["price"]
            order.trigger_price = request["triggerPrice"]
            self._push(order)

    def _row(self, order):
        return {
            "dhanClientId": "1100012345",
            "orderId": order.number,
            "exchangeOrderId": "0",
            "correlationId": order.correlation_id,
            "orderStatus": order.status,
            "transactionType": order.side,
            "exchangeSegment": order.segment,
            "productType": "INTRADAY",
            "orderType": order.order_type,
            "validity": "DAY",
            "tradingSymbol": "X",
            "securityId": order.security_id,
            "quantity": order.quantity,
            "remainingQuantity": 0 if order.status == "CANCELLED" else order.quantity - order.filled,
            "filledQty": order.filled,
            "price": order.price,
            "triggerPrice": order.trigger_price,
            "legName": "NA",
            "createTime": "2024-01-01 09:15:00",
            "updateTime": self._now(),
            "exchangeTime": "0001-01-01 00:00:00",
            "omsErrorCode": "0",
            "omsErrorDescription": order.reason,
        }

    def _positions(self):
        sums = {}
        for trade in self.trades:
            key = trade["exchangeSegment"], trade["securityId"]
            bought, sold = sums.setdefault(key, [0, 0])
            way = trade["transactionType"] == "SELL"
            sums[key] = [bought + (not way) * trade["tradedQuantity"], sold + way * trade["tradedQuantity"]]
        return 200, [
            {
                "exchangeSegment": segment,
                "securityId": security_id,
                "productType": "INTRADAY",
                "netQty": bought - sold,
                "buyQty": bought,
                "sellQty": sold,
                "dayBuyQty": bought,
                "daySellQty": sold,
            }
            for (segment, security_id), (bought, sold) in sums.items()
        ]

    def _now(self):
        return datetime.fromtimestamp(self.clock.now_ns() // S_NS, IST).strftime("%Y-%m-%d %H:%M:%S")


class DhanSession:
    """The HTTP session with it: what `ExternalSettings.new_session` makes. `sleep` lets time pass for this request."""

    def __init__(self, model, sleep=lambda _seconds: None):
        self.model = model
        self.sleep = sleep

    def request(self, method, url, *, timeout_s, headers=None, body=None):
        model, chance = self.model, self.model.chance
        path = urlsplit(url).path.removeprefix("/v2")
        model.dead_calls += headers["access-token"] in model.known_dead
        if method == "POST":
            model.attempts[json.loads(body)["correlationId"]] += 1

        def arrive():
            return model.handle(method, path, headers, body)

        fault = self._fault()
        if fault == "refused":
            raise NotSentError("connection refused")
        latency_s = chance.uniform(0.005, 0.2)
        self.sleep(latency_s)
        if fault in {"lost", "late"}:
            self._go_astray(fault, arrive, timeout_s - latency_s)
        if fault == "reset_before":
            raise UnknownOutcomeError("connection reset")
        if fault in NEVER_ARRIVED:
            return _answer(*chance.choice(NEVER_ARRIVED[fault]))
        answer = _answer(*arrive())
        self.sleep(latency_s)
        return self._on_its_way_back(answer, fault, headers["access-token"])

    def _on_its_way_back(self, answer, fault, token):
        if fault == "reset_after":
            raise UnknownOutcomeError("connection reset")
        if fault == "error_after":
            return _answer(500, _error("DH-906", "Transaction has Failed", "Order_Error"))
        if fault == "garbled":
            return self._garbled(answer)
        if (answer.status_code, json.loads(answer.body)) in DEAD_TOKEN:
            self.model.known_dead.add(token)
        return answer

    def _garbled(self, answer):
        raw = answer.body
        garbage = [b"", b"{}", b"<html>", raw[: len(raw) // 2], b'{"orderId":null}', b"[[[[", b"7"]
        return msgspec.structs.replace(answer, body=self.model.chance.choice(garbage))

    def _go_astray(self, fault, arrive, patience_s):
        """Never arrive, or arrive when nobody waits any more."""
        if fault == "late":
            self.model.at(self.model.chance.uniform(0.5, 60.0), arrive)
            patience_s *= self.model.chance.random()  # a server between may have none
        self.sleep(patience_s)
        raise UnknownOutcomeError("no answer in time")

    def close(self):
        pass

    def _fault(self):
        model = self.model
        if not model.active:
            return None
        if model.chance.random() < model.faults.token_dies:
            model.injected["token"] += 1
            model.token = f"T-{model.injected['token'] + 1}"
        for kind in KINDS:
            if model.chance.random() < getattr(model.faults, kind):
                model.injected[kind] += 1
                return kind
        return None


class ListOfInstruments(RuntimeActor):
    """Knows a few shares."""

    @handles(ShowInstrument)
    def show(self, request, sender):
        security_id = SECURITIES.get(request.name) or ("0" if request.name == "BAD" else None)
        of = InstrumentList(source="test")
        if security_id is None:
            self.send(sender, InstrumentUnknown(name=request.name, reason=f"no instrument {request.name}"))
            return
        instrument = InstrumentDefinition(
            symbol=request.name, segment="NSE_EQ", tick_size_rupees=0.01, security_id=security_id
        )
        self.send(sender, InstrumentShown(name=request.name, instrument=instrument, of=of))


def _answer(status, told):
    return HttpAnswer(status_code=status, headers={}, body=json.dumps(told).encode(), response_time_s=0.01)
