"""What goes over the socket of order updates: the login, and what is pushed of each order of the account.

The traps: keys came in both cases, and some twice; a number that is zero is left out, so nothing is told apart from
zero; the word for a partial fill is not known; an update has the sums of an order, and no trade's id, so it can never
be a fill. Only what is acted on is read: a price that cannot be read makes no update worthless.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from ..tolerant import MalformedAnswerError, read
from ..words import Id, Status, Text, Units

LOGIN_CODE: Final = 42
ORDER_ALERT: Final = "order_alert"
"""The only type of message that is about an order."""

MESSAGE_BYTES_MAX: Final = 1 << 20


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """How an order stands, whoever placed it; it may come twice, late, out of order, or not at all."""

    order_no: Id
    status: Status
    client_id: Text = ""
    correlation_id: Text = ""
    """Empty: it has none, or a source that leaves it out."""

    quantity: Units = 0
    traded_qty: Units = 0
    """Of all its trades so far."""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {
        "order_no": ("orderId",),
        "traded_qty": ("tradedQuantity", "filledQty"),
        "status": ("orderStatus",),
    }


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    type: Text = ""


class _Alert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    data: OrderUpdate


class _Login(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    msg_code: int
    client_id: str
    token: str


class _LoginRequest(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    login_req: _Login
    user_type: str = "SELF"


def login_request(client_id: str, token: str) -> str:
    """Write what has to be said first; nothing answers it."""
    login = _Login(msg_code=LOGIN_CODE, client_id=client_id, token=token)
    return msgspec.json.encode(_LoginRequest(login_req=login)).decode()


def read_update(text: bytes | str, client_id: str) -> OrderUpdate | None:
    """Read one message; None: it is about no order.

    Args:
        text: as it came.
        client_id: whose orders are wanted; empty: anybody's.

    Raises:
        MalformedAnswerError: it is none, or of an order of another account.
    """
    try:
        found: Any = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise MalformedAnswerError(f"JSON wanted, found {len(text)} characters that are none") from None
    if read(_Envelope, found).type.lower() != ORDER_ALERT:
        return None
    update: OrderUpdate = read(_Alert, found).data
    if client_id and update.client_id not in {"", client_id}:
        raise MalformedAnswerError("an order of this account wanted, found one of another")
    return update
