"""What the account refuses at once; everything else is taken, and may be rejected later, as at the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from ....messages.exchange import Instrument

RefusalKind: TypeAlias = Literal["input", "order", "unknown", "unavailable"]
"""`input`: a field is wrong. `order`: it cannot be done now. `unknown`: there is no such thing. `unavailable`: it could
not be made durable, and so did not happen."""

MARKET_CLOSED: Final = "Market is Closed! Want to place an offline order?"
MARKET_CLOSED_FOR_CHANGES: Final = "Market is Closed! You cannot modify/cancel an order now."
IN_TRANSIT: Final = "Order is in Transit state"


class ExchangeError(Exception):
    """Base of this room's errors."""


class Refused(ExchangeError):  # noqa: N818  an outcome, as a broker's word for it
    """Not done, and nothing has changed."""

    def __init__(self, kind: RefusalKind, text: str) -> None:
        """Take the kind, which decides the error code on the wire, and the broker's text."""
        super().__init__(text)
        self.kind = kind
        self.text = text


class Unlisted(Refused):
    """An instrument is not listed: segment and security id."""

    def __init__(self, instrument: Instrument) -> None:
        """Take the instrument."""
        segment, security_id = instrument
        refusal = wrong("securityId", "an instrument of the list", f"{security_id} of {segment}")
        super().__init__(refusal.kind, refusal.text)
        self.instrument = instrument


QUANTITY_MAX: Final = (1 << 31) - 1
"""Shares or contract units of one order: the broker's numbers have 32 bits."""


def expect_quantity(quantity: int) -> None:
    """Check that a quantity is one.

    Raises:
        Refused: it is not.
    """
    if not 1 <= quantity <= QUANTITY_MAX:
        raise wrong("quantity", f"at least 1, at most {QUANTITY_MAX}", quantity)


def wrong(field: str, wanted: str, found: object) -> Refused:
    """Return the refusal of a field's value."""
    return Refused("input", f"{field}: {wanted} wanted, found {found}")


def unknown(field: str, wanted: str, found: str) -> Refused:
    """Return the refusal of an id that is not known."""
    return Refused("unknown", f"{field}: {wanted} wanted, found none of {found[:32]!a}")
