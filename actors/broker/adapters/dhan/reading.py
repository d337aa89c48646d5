"""Readers of the bodies of answers (pure): one function for each, since equal reads share an answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import msgspec

from .....config.secrets import Secret
from .....domain.dhan.account.profile import NewToken, TokenAnswer
from .....domain.dhan.decoding import row_reader, rows_reader
from .....domain.dhan.market.charts import ExpiredChart
from .....domain.dhan.market.option_chain import OptionChain
from .....domain.dhan.moments import Moment
from .....domain.dhan.tolerant import MalformedAnswerError

T = TypeVar("T", bound=msgspec.Struct)


class RenewedToken(msgspec.Struct, frozen=True, kw_only=True):
    """The token that replaces the one before."""

    secret: Secret
    expires: Moment = None


@functools.cache
def one_or_none(kind: type[T]) -> Callable[[bytes], T | None]:
    """Return the reader of an object, of an array of one, or of an empty array, which means None."""

    def read_it(body: bytes) -> T | None:
        rows = rows_reader(kind)(body)
        if len(rows) > 1:
            raise MalformedAnswerError(f"one {kind.__name__} wanted, found {len(rows)}")
        return rows[0] if rows else None

    return read_it


def nothing(_body: bytes) -> None:
    """Read an answer that says nothing but its status, whatever stands in it."""


def expired_chart(body: bytes) -> ExpiredChart:
    """Read candles of expired options."""
    found: ExpiredChart = row_reader(ExpiredChart)(body)
    for side in (found.data.ce, found.data.pe):
        if side is not None and (fault := side.fault()):
            raise MalformedAnswerError(f"ExpiredChart: {fault}")
    return found


def option_chain(body: bytes) -> OptionChain:
    """Read an option chain whose strikes are prices."""
    found: OptionChain = row_reader(OptionChain)(body)
    found.by_strike()
    return found


def token(body: bytes) -> RenewedToken:
    """Read a token, and wrap it; what is wrong with an answer is told without quoting it."""
    try:
        secret = Secret(row_reader(NewToken)(body).access_token)
    except MalformedAnswerError:
        raise MalformedAnswerError("a token wanted, found an answer without one") from None
    try:
        expires = row_reader(TokenAnswer)(body).expiry_time
    except MalformedAnswerError:
        expires = None
    return RenewedToken(secret=secret, expires=expires)
