"""At which loss of the day Dhan itself closes the whole account, and what is asked of it for that (pure).

`POST /pnlExit` replaces what is there, and acts at once where a threshold is passed already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .account.portfolio import PositionRow
from .trading.control import ExitProduct, PnlExitRequest, PnlExitRow

NO_PROFIT_RUPEES: Final = 1_000_000_000.0
"""The profit that goes with a loss of ours, since the call wants one: no day reaches it. One below the present profit,
as 0 mostly is, closes everything at once. It also tells ours from one that a person has set."""

ALL_PRODUCTS: Final[tuple[ExitProduct, ...]] = ("INTRADAY", "DELIVERY")

NOTHING_SET: Final = PnlExitRow(pnl_exit_status="INACTIVE")
_PAISA: Final = 0.01


def is_ours(found: PnlExitRow) -> bool:
    """Say whether an exit is one that we have asked for."""
    return _is_active(found) and found.profit == NO_PROFIT_RUPEES


def closes_at(found: PnlExitRow) -> float:
    """Return the loss of the day in rupees at which all of the account is closed; 0: none is."""
    has_all = not found.product_type or set(ALL_PRODUCTS) <= set(found.product_type)
    return abs(found.loss) if _is_active(found) and has_all else 0.0


def will_do(found: PnlExitRow, loss_rupees: float, *, or_stricter: bool = False) -> bool:
    """Say whether the exit that is there is as wanted: at this loss, or at a lesser one that somebody else has set.

    Args:
        found: as Dhan tells it.
        loss_rupees: at which everything is to be closed; 0: at none that we have asked for.
        or_stricter: a lesser loss will do whoever has set it.
    """
    at = closes_at(found)
    if not loss_rupees:
        return not is_ours(found)
    if abs(at - loss_rupees) < _PAISA:
        return True
    return 0 < at < loss_rupees and (or_stricter or not is_ours(found))


def exit_request(
    found: PnlExitRow, loss_rupees: float, *, client_id: str, with_kill_switch: bool = False
) -> PnlExitRequest:
    """Return what to ask for instead of what is there; the profit at which a person leaves stays."""
    has_profit = _is_active(found) and found.profit > 0
    return PnlExitRequest(
        dhan_client_id=client_id,
        profit_value=found.profit if has_profit else NO_PROFIT_RUPEES,
        loss_value=loss_rupees,
        product_type=ALL_PRODUCTS,
        enable_kill_switch=with_kill_switch,
    )


def why_not_now(positions: Iterable[PositionRow], loss_rupees: float) -> str:
    """Say why an exit at this loss would act at once, which nobody has asked for; empty: it would wait."""
    lost = -sum(row.realized_profit + row.unrealized_profit for row in positions)
    if lost < loss_rupees:
        return ""
    return (
        f"a loss of the day below {loss_rupees:.2f} rupees wanted, found {lost:.2f} by the broker's positions: "
        "set now, it would close everything at once"
    )


def _is_active(found: PnlExitRow) -> bool:
    return found.pnl_exit_status == "ACTIVE"
