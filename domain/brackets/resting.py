"""Target and stop: when each is placed, for how many shares, and when it is changed (pure).

Two orders close one position: each is for what the other has left, and made smaller with each fill of the other. A
broker allows so many changes of an order, so those that can wait do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...messages.orders import ModifyOrder, SubmitOrder
from ..orders import Order
from .legs import is_target, leg_id
from .overnight import is_due, is_of_today
from .steps import cancel, submit

if TYPE_CHECKING:
    from .bracket import Bracket
    from .exits import AnyLeg
    from .legs import Leg
    from .steps import Step

GROWTHS_MAX: Final = 10
"""Times that an exit is made greater with each fill of its entry; from then on only once as much again is held, and
the rest follows when the entry has ended. A broker allows so many changes of an order (Dhan: 25), and those that make
it smaller must not lack."""

CHANGES_MAX: Final = 25
"""Changes of an exit, whatever for; one that can be changed no more is cancelled where it would be too great."""

SALES_MAX: Final = 15
"""Changes of an exit from which on it is made smaller by no sale of others: the rest is for what its other exit trades,
and one that can be changed no more is closed at the market. It stands as it is, until nothing is held."""


def exit_steps(bracket: Bracket) -> tuple[Step, ...]:
    """Have the exits in the market that the entry has prices for; the stop comes first."""
    entry, closable = bracket.entry, bracket.closable
    stop = () if entry.stop_loss_price is None else _exit(bracket, "stop", bracket.stop, closable)
    target = () if entry.target_price is None else _exit(bracket, "target", bracket.target, closable)
    return (*stop, *target)


def goes_second(step: Step, bracket: Bracket) -> bool:
    """Say whether a step is to place the target, and the broker has not answered the stop, which needs funds first."""
    if bracket.entry.stop_loss_price is None or not isinstance(step, SubmitOrder):
        return False
    stop = bracket.stop
    is_asked = stop is None or isinstance(stop, SubmitOrder) or (isinstance(stop, Order) and stop.state == "INTENDED")
    return is_target(step.client_order_id) and (is_asked or is_due(stop, bracket))


def _exit(bracket: Bracket, leg: Leg, known: AnyLeg | None, closable: int) -> tuple[Step, ...]:
    """Have an exit in the market that is as great as what is held needs, beside what it has closed itself."""
    entry, exposed = bracket.entry, bracket.exposed
    if known is None or is_due(known, bracket):
        return _place(bracket, leg, known, closable)
    if not isinstance(known, Order) or not known.is_open or known.pending is not None or not known.broker_order_id:
        return ()
    wanted = known.filled + exposed
    if wanted > known.quantity:
        wanted = max(known.quantity, known.filled + closable)
    if known.quantity == wanted or (known.quantity < wanted and entry.is_open and _grew_enough(known, wanted)):
        return ()
    if wanted < known.quantity <= wanted + bracket.sold and known.modifications >= SALES_MAX:
        return ()
    if known.modifications >= CHANGES_MAX:
        return (cancel(known),) if known.quantity > wanted or leg == "stop" else ()
    return (ModifyOrder(client_order_id=known.client_order_id, quantity=wanted),)


def _place(bracket: Bracket, leg: Leg, known: Order | None, quantity: int) -> tuple[Step, ...]:
    """Place an exit; where there was one, of a day that is over, at the prices that it had then."""
    if not quantity:
        return ()
    first = submit(bracket.entry, leg, quantity)
    if known is None:
        return (first,)
    exits = (bracket.target, bracket.stop)
    is_begun = any(isinstance(each, SubmitOrder) or is_of_today(each, bracket) for each in exits)
    ids = [leg_id(bracket.entry.client_order_id, leg, bracket.day + ahead) for ahead in (0, 1)]
    again = replace(
        first,
        client_order_id=ids[0] if is_begun and ids[0] != known.client_order_id else ids[1],
        limit_price=known.limit_price,
        trigger_price=known.trigger_price,
    )
    return (again,)


def _grew_enough(leg: Order, wanted: int) -> bool:
    """Say whether an exit waits for the end of its entry to be made greater once more."""
    if leg.modifications < GROWTHS_MAX:
        return False
    return leg.modifications >= SALES_MAX or wanted < 2 * leg.quantity
