"""Which limits are in force, and whether a change of one lets more pass (pure): each is a fact of the journal."""

from __future__ import annotations

from typing import Any, Final, TypeVar, get_type_hints

import msgspec
from msgspec.structs import replace

from ....config.sections.orders import OrdersSettings
from ....messages.risk import LimitChange, LimitsChanged

Limits = TypeVar("Limits", bound=OrdersSettings)

NO_LIMITS: Final = {
    *("absence_horizon_s", "lookup_interval_s", "reconcile_interval_s", "account", "checkpoint_facts"),
    *("halt_path", "audited", "product"),
}
"""Settings that say how, and not how much."""

STRICTER_IF_LARGER: Final = {"no_opens_last_s", "margin_percent"}


def values_of(limits: OrdersSettings) -> dict[str, str]:
    """Return each limit as JSON, by name."""
    names = [name for name in limits.__struct_fields__ if name not in NO_LIMITS]
    return {name: msgspec.json.encode(getattr(limits, name), order="sorted").decode() for name in names}


def changes(before: dict[str, str], limits: OrdersSettings, now_ns: int) -> LimitsChanged | None:
    """Return the fact of what is another limit than before; None if none is.

    Args:
        before: those of the last run, as JSON; empty: there was none.
        limits: in force from now on.
        now_ns: of the fact.
    """
    found = [
        LimitChange(name=name, before=before.get(name, ""), after=after, loosened=is_loosened(name, before, after))
        for name, after in values_of(limits).items()
        if before.get(name, "") != after
    ]
    return LimitsChanged(changes=tuple(found), occurred_ns=now_ns) if found else None


def is_loosened(name: str, before: dict[str, str], after: str) -> bool:
    """Say whether a limit lets more pass than before; what cannot be compared counts as if it does."""
    if name not in before:
        return False
    was, now = msgspec.json.decode(before[name]), msgspec.json.decode(after)
    if isinstance(was, int | float) and isinstance(now, int | float):
        return bool(now < was) if name in STRICTER_IF_LARGER else _is_above(now, was)
    if name.startswith("strategy_"):
        return any(each not in now or now[each] > was[each] for each in was)
    if isinstance(was, list):
        return bool(was) and not (now and set(now) <= set(was))
    return bool(was != "none")


def _is_above(now: float, was: float) -> bool:
    return bool(was) and (not now or now > was)  # 0: no limit


def then(limits: Limits, values: dict[str, str]) -> Limits:
    """Return the limits with values as they were, as far as those are still limits."""
    hints = get_type_hints(type(limits), include_extras=True)
    known: dict[str, Any] = {
        name: msgspec.convert(msgspec.json.decode(text), hints[name]) for name, text in values.items() if name in hints
    }
    return replace(limits, **known)
