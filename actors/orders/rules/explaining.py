"""What each rule says of one order, with the number that decides, also where the order passes (pure): for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec.structs import replace

from .table import RULES, is_on, settings_of

if TYPE_CHECKING:
    from ....config.sections.orders import OrdersSettings
    from ....messages.orders import SubmitOrder
    from .situation import Rule, Situation

NOTHING: Final = float("-inf")
"""A limit that no order keeps: asked with it, a rule names the number that decides."""

BELOW_ANY_PERCENT: Final = -1.0
OFF: Final = "off"
FOUND: Final = "found "
"""Before the number, in the reason of every refusal."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of an order."""

    rule: str
    verdict: Literal["off", "passed", "refused", "unknown"]
    """`unknown`: the rule was not asked, or its prices are no longer known."""

    limit: str
    """Empty where the rule is off, or has no limit."""

    found: str
    """The number that decides, and how it was formed; empty where the rule has none."""

    meaning: str
    """What the rule is for."""


def explained(order: SubmitOrder, situation: Situation) -> tuple[Explained, ...]:
    """Ask every rule, not only up to the first that refuses."""
    strict = _with_no_room(situation)
    found = []
    for rule in RULES:
        if not is_on(rule, situation.limits):
            found.append(Explained(rule=rule.__name__, verdict=OFF, limit="", found="", meaning=meaning_of(rule)))
            continue
        reason = rule(order, situation)
        told = reason or rule(order, strict)
        found.append(
            Explained(
                rule=rule.__name__,
                verdict="refused" if reason else "passed",
                limit=limit_of(rule, situation.limits, order.strategy),
                found=told.partition(FOUND)[2],
                meaning=meaning_of(rule),
            )
        )
    return tuple(found)


def meaning_of(rule: Rule) -> str:
    """Return the first sentence of its docstring."""
    return " ".join((rule.__doc__ or "").partition("\n\n")[0].split())


def limit_of(rule: Rule, limits: OrdersSettings, strategy: str = "") -> str:
    """Return its limits as text; of a strategy alone where it is by strategy."""
    values = [getattr(limits, name) for name in settings_of(rule) if hasattr(limits, name)]
    return ", ".join(_text(value.get(strategy) if isinstance(value, dict) and strategy else value) for value in values)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(each)}" for name, each in value.items())
    return f"{value:,.15g}" if isinstance(value, int | float) else str(value or "none")


def _with_no_room(situation: Situation) -> Situation:
    limits = situation.limits
    names = [name for rule in RULES for name in settings_of(rule)]
    numbers = [name for name in names if isinstance(getattr(limits, name, None), int | float)]
    none: dict[str, Any] = {
        name: BELOW_ANY_PERCENT if name.endswith("_percent") else NOTHING for name in numbers if getattr(limits, name)
    }
    own = {
        name: NOTHING
        for name in ("strategy_position_max", "strategy_orders_in_flight_max")
        if getattr(situation, name) is not None
    }
    return replace(situation, limits=replace(limits, **none), **own)
