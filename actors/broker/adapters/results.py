"""What came of a request that does something at a broker. There are four outcomes, and the type says which.

    match await broker.place_order(order):
        case WriteAccepted(data=ack): …          # the broker has it
        case WriteRefused(text=text): …          # the broker said no: nothing was done
        case WriteNotSent(error=error): …        # not one byte left: nothing was done
        case WriteUnknown(): …                   # it may have been done: look, and do not send again

The trap: an error of a server between, a success that cannot be read, an answer that never came. Clients that took one
of these for a refusal sent the order again, and had it twice.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from ....domain.dhan.refusals import Meaning
from ...external import ExternalServiceResult


class WriteAccepted(ExternalServiceResult, frozen=True, kw_only=True):
    """The broker has taken it; `data` is what it answered."""


class WriteRefused(ExternalServiceResult, frozen=True, kw_only=True):
    """The broker has said no; nothing was done."""

    code: str = ""
    """The broker's, such as `DH-906`; empty where it gives none."""

    text: str = ""
    """The broker's own words."""

    meaning: Meaning | None = None


class WriteNotSent(ExternalServiceResult, frozen=True, kw_only=True):
    """Nothing of it has left."""


class WriteUnknown(ExternalServiceResult, frozen=True, kw_only=True):
    """It may have been done, or may still be. It is never sent again; look it up."""


WriteResult: TypeAlias = WriteAccepted | WriteRefused | WriteNotSent | WriteUnknown


def not_sent(error: str) -> WriteNotSent:
    """Return the result of a request that did not leave."""
    return WriteNotSent(success=False, error=error)


def fields_of(result: ExternalServiceResult) -> dict[str, Any]:
    """Return the fields that every result has."""
    return {name: getattr(result, name) for name in ExternalServiceResult.__struct_fields__}
