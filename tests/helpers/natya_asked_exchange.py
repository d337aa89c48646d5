"""An exchange whose account and market are the test's: what an endpoint of the wire asks, and what it answers."""

import asyncio
import json
from types import SimpleNamespace

import msgspec

from natya.actors.exchange.account import Listings, Outcome
from natya.actors.exchange.wire.answers import WireRefusal
from natya.actors.exchange.wire.request import Request
from natya.actors.exchange.wire.routes import ROUTES
from natya.domain.time import SECOND_NS

CLIENT = "1000000001"
AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India
BY_LINE = {f"{route.method} {route.path}": route.handler for route in reversed(ROUTES)}


def an_outcome(*ids):
    return Outcome(ids=ids, status="TRANSIT")


class Played:
    """An exchange that keeps what is asked, and answers what the test says: by verb, or a row of answers."""

    client_id = CLIENT
    listed = SimpleNamespace(listings=Listings([]))

    def __init__(self, **told):
        self.asked, self.told = [], told

    async def account(self, verb, *arguments):
        self.asked.append((verb, *arguments))
        told = self.told.get(verb, an_outcome("41"))
        if isinstance(told, list):
            told = told.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    market = account

    def now_ns(self):
        return AT_NS

    def renew_token(self):
        return "another-token"


def ask(line, body=None, *, query=None, told=None, **parameters):
    """Have an endpoint answer; return the status, what it says and what it asked."""
    exchange = Played(**(told or {}))
    request = Request(parameters, query or {}, b"" if body is None else json.dumps(body).encode())
    try:
        answer = asyncio.run(BY_LINE[line](exchange, request))
    except WireRefusal as refusal:
        answer = refusal.answer
    return answer.status, msgspec.json.decode(answer.body) if answer.body else None, exchange.asked


def asked(line, body=None, **how):
    """The only thing that an endpoint asks."""
    _, _, (only,) = ask(line, body, **how)
    return only


WHOSE = {"dhanClientId": CLIENT}
INFY = {"exchangeSegment": "NSE_EQ", "securityId": "1594", "transactionType": "SELL"}
STOP = {
    **WHOSE,
    **INFY,
    "productType": "CNC",
    "orderType": "STOP_LOSS",
    "quantity": 10,
    "validity": "IOC",
    "price": 99.0,
    "triggerPrice": 99.5,
    "disclosedQuantity": 4,
    "correlationId": "one",
}
