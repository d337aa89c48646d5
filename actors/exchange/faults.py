"""Faults on demand: which request meets which, decided from a seed. Pure; whoever serves the wire carries them out.

The same plan and the same requests in the same order give the same faults.

A fault is one of three kinds by what becomes of the request: it is not accepted (`BEFORE`), it is accepted and the
client hears nothing good of it (`AFTER`), or it is accepted and answered, but later or otherwise (`WITH`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .drawing import Drawing
from .stream_faults import StreamFault

if TYPE_CHECKING:
    from ...domain.instruments import PriceGrid
    from ...messages.orders import Side

FaultKind: TypeAlias = Literal[
    "latency",
    "timeout_before",
    "timeout_after",
    "delayed_acceptance",
    "reset_before",
    "reset_after",
    "throttled",
    "server_error_before",
    "server_error_after",
    "hostile_body",
    "dead_token_808",
    "dead_token_906",
    "dead_token_901",
    "stop_without_trigger",
    "stop_refused",
]
Acceptance: TypeAlias = Literal["BEFORE", "AFTER", "WITH"]

ACCEPTANCE: Final[dict[FaultKind, Acceptance]] = {
    "latency": "WITH",
    "timeout_before": "BEFORE",
    "timeout_after": "AFTER",
    "delayed_acceptance": "AFTER",
    "reset_before": "BEFORE",
    "reset_after": "AFTER",
    "throttled": "BEFORE",
    "server_error_before": "BEFORE",
    "server_error_after": "AFTER",
    "hostile_body": "AFTER",
    "dead_token_808": "BEFORE",
    "dead_token_906": "BEFORE",
    "dead_token_901": "BEFORE",
    "stop_without_trigger": "WITH",
    "stop_refused": "BEFORE",
}
"""Whether the request counts as made: where it does not, no such order may exist afterwards."""

HOSTILE: Final = ("truncated", "html", "wrong_types", "nan", "deep", "huge", "empty", "not_utf8")
PROTECTION: Final = 0.03
"""Of the last price: how far from it the limit of such an order is."""

HUGE_BYTES: Final = 16 * 1024 * 1024
DEEP_LEVELS: Final = 50_000

_BODIES: Final = {
    "truncated": b'{"orderId":"4126100701',
    "html": b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>",
    "wrong_types": b'{"orderId":{"a":[1]},"orderStatus":17,"quantity":"many","price":[],"data":"none","status":null}',
    "nan": b'{"orderId":"1","orderStatus":"TRANSIT","price":NaN,"quantity":Infinity,"availabelBalance":1e999}',
    "deep": b"[" * DEEP_LEVELS + b"]" * DEEP_LEVELS,
    "empty": b"",
    "not_utf8": b'{"orderId":"\xff\xfe\xfa"}',
}
_STOP_KINDS: Final = frozenset({"stop_without_trigger", "stop_refused"})
_ERRORS: Final = {
    "throttled": (
        429,
        b'{"errorType":"Rate_Limit","errorCode":"DH-904","errorMessage":"Too many requests. Slow down."}',
    ),
    "dead_token_808": (401, b'{"data":{"808":"Authentication Failed - Client ID or Token invalid"},"status":"failed"}'),
    "dead_token_906": (400, b'{"errorType":"Order_Error","errorCode":"DH-906","errorMessage":"Invalid Token"}'),
    "dead_token_901": (
        401,
        b'{"errorType":"Invalid_Authentication","errorCode":"DH-901","errorMessage":"Client ID or token invalid"}',
    ),
    "stop_refused": (
        400,
        b'{"errorType":"Order_Error","errorCode":"DH-906","errorMessage":"Trigger Price should be greater than Price"}',
    ),
}
_SERVER_ERRORS: Final = (500, 502, 503, 504)


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault of a plan: on which requests it falls, how often, and how."""

    kind: FaultKind
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """Of each request that it may fall on."""

    times: Annotated[int, Meta(ge=0, le=1 << 31)] = 0
    """How often it falls at most; 0 for no bound."""

    after: Annotated[int, Meta(ge=0, le=1 << 31)] = 0
    """Requests that it leaves alone before."""

    method: Literal["", "GET", "POST", "PUT", "DELETE"] = ""
    """Empty for all."""

    path: Annotated[str, Meta(max_length=200)] = ""
    """Beginning of the path, without `/v2`, such as `/orders`; empty for all."""

    seconds: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    """Of a latency, a delayed acceptance, and until a time-out closes the connection."""

    body: Literal["", "truncated", "html", "wrong_types", "nan", "deep", "huge", "empty", "not_utf8"] = ""
    """Of a hostile body; empty for one drawn each time."""


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All faults, the first that falls on a request being the one it meets."""

    seed: Annotated[int, Meta(ge=0, le=(1 << 53) - 1)] = 0
    faults: Annotated[tuple[Fault, ...], Meta(max_length=1_000)] = ()
    """Of requests."""

    streams: Annotated[tuple[StreamFault, ...], Meta(max_length=1_000)] = ()
    """Of sockets: see `stream_faults`."""


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """What a request meets."""

    kind: FaultKind
    acceptance: Acceptance
    seconds: float
    status: int = 0
    """Of the answer; 0 where there is none, or it is the request's own."""

    body: bytes | None = None
    """Of the answer; None where there is none, or it is the request's own."""


class Faults:
    """A plan being played."""

    def __init__(self, plan: FaultPlan) -> None:
        """Begin."""
        self.plan = plan
        self._drawing = Drawing(plan.faults, plan.seed)

    @property
    def fallen(self) -> list[int]:
        """How often each has fallen."""
        return self._drawing.fallen

    def meet(self, method: str, path: str, *, is_stop: bool = False) -> Met | None:
        """Decide what the next request meets; None for nothing.

        Args:
            method: of the request.
            path: of the request, without `/v2`.
            is_stop: whether it places a STOP_LOSS_MARKET order.
        """
        for number, fault in enumerate(self.plan.faults):
            falls_here = (not fault.method or fault.method == method) and path.startswith(fault.path)
            if not falls_here or (fault.kind in _STOP_KINDS and not is_stop):
                continue
            if self._drawing.falls(number):
                return self._met(fault)
        return None

    def _met(self, fault: Fault) -> Met:
        status, body = _ERRORS.get(fault.kind, (0, None))
        if fault.kind.startswith("server_error"):
            status, body = self._drawing.random.choice(_SERVER_ERRORS), b"<html><body>Bad Gateway</body></html>"
        elif fault.kind == "hostile_body":
            status, body = 200, hostile_body(fault.body or self._drawing.random.choice(HOSTILE))
        return Met(kind=fault.kind, acceptance=ACCEPTANCE[fault.kind], seconds=fault.seconds, status=status, body=body)


def hostile_body(name: str) -> bytes:
    """Return a body that no client should trip over; `name` is one of `HOSTILE`."""
    return _BODIES[name] if name != "huge" else b'{"orderId":"' + b"9" * HUGE_BYTES + b'"}'


def price_without_trigger(side: Side, last_price: float, grid: PriceGrid) -> float:
    """Return the limit in rupees of what becomes of a stop order under `stop_without_trigger`: it trades at once.

    Args:
        side: of the order.
        last_price: rupees, above 0.
        grid: of the instrument.
    """
    is_buy = side == "BUY"
    return grid.round(last_price * (1 + PROTECTION if is_buy else 1 - PROTECTION), "down" if is_buy else "up")
