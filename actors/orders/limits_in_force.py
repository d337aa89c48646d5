"""Which limits are in force, and whether a change of one lets more pass (pure): each is a fact of the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar, get_type_hints

import msgspec
from msgspec.structs import asdict, replace

from ...config.confirmation import unconfirmed
from ...config.keys import KEYS, near
from ...config.sections.orders import OrdersSettings
from ...config.values import WrongValueError, read_text
from ...messages.risk import ChangeLimits, LimitChange, LimitsChanged

Limits = TypeVar("Limits", bound=OrdersSettings)

NO_LIMITS: Final = {
    *("absence_horizon_s", "lookup_interval_s", "reconcile_interval_s", "account", "checkpoint_facts"),
    *("halt_paths", "keeps_stops", "audited", "product"),
}
"""Settings of the section that are no limits: they say how, not how much."""

STRICTER_IF_LARGER: Final = {"no_opens_last_s", "margin_percent"}


def values_of(limits: OrdersSettings) -> dict[str, str]:
    """Return each limit as JSON, by name."""
    names = [name for name in limits.__struct_fields__ if name not in NO_LIMITS]
    return {name: msgspec.json.encode(getattr(limits, name), order="sorted").decode() for name in names}


def changes(
    before: dict[str, str], limits: OrdersSettings, now_ns: int, *, ended: Collection[str] = ()
) -> LimitsChanged | None:
    """Return the fact of the limits that differ from before; None if none does.

    Args:
        before: those of the last run, as JSON; empty: there was none.
        limits: in force from now on.
        now_ns: of the fact.
        ended: names of limits that a person had changed, and that the settings decide again.
    """
    found = [
        LimitChange(name=name, before=before.get(name, ""), after=after, loosened=is_loosened(name, before, after))
        for name, after in values_of(limits).items()
        if before.get(name, "") != after or name in ended
    ]
    return LimitsChanged(changes=tuple(found), occurred_ns=now_ns) if found else None


def of_settings(fact: LimitsChanged | None, names: Collection[str]) -> LimitsChanged | None:
    """Return the fact with the changes of these limits alone; None if none of them has any."""
    found = () if fact is None else tuple(each for each in fact.changes if each.name in names)
    return replace(fact, changes=found) if fact is not None and found else None


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A limit that a person changed while the system ran."""

    value: str
    configured: str
    """What the settings said then: the person's value holds as long as they say the same."""

    person: str
    reason: str


def noted(held: dict[str, Held], fact: LimitsChanged) -> None:
    """Note in `held` which limits a person decides from now on, and which the settings decide again."""
    for each in fact.changes:
        if each.configured:
            held[each.name] = Held(each.after, each.configured, fact.person, fact.reason)
        else:
            held.pop(each.name, None)


def with_held(limits: Limits, held: dict[str, Held]) -> tuple[Limits, tuple[str, ...]]:
    """Return the limits with what a person has changed, and the names of those that hold no longer.

    A person's value ends where the settings have changed since, or where this release has no such limit.
    """
    configured, ended = values_of(limits), []
    for name, each in held.items():
        is_of_settings = configured.get(name) != each.configured
        try:
            limits = limits if is_of_settings else then(limits, {name: each.value})
        except msgspec.ValidationError:
            is_of_settings = True
        if is_of_settings:
            ended.append(name)
    return limits, tuple(ended)


def wanted(limits: Limits, texts: Mapping[str, str]) -> tuple[Limits, list[str]]:
    """Return the limits with these values, written as in the settings, and what is wrong with them."""
    problems, values = [], {}
    for name, text in texts.items():
        try:
            values[name] = read_text(KEYS[_key_of(name)], text)
        except WrongValueError as fault:
            problems.append(f"{name}: {fault}")
    return (limits if problems else replace(limits, **values)), problems


def by_person(before: Limits, after: Limits, configured: Limits, request: ChangeLimits, now_ns: int) -> LimitsChanged:
    """Return the fact of what a person changes."""
    old, own_values = values_of(before), values_of(configured)
    found = []
    for name, value in values_of(after).items():
        if value != old[name]:
            own = own_values[name]
            found.append(
                LimitChange(
                    name=name,
                    before=old[name],
                    after=value,
                    loosened=is_loosened(name, old, value),
                    configured="" if value == own else own,
                )
            )
    return LimitsChanged(changes=tuple(found), occurred_ns=now_ns, person=request.person, reason=request.reason)


def why_not(before: Limits, after: Limits, fact: LimitsChanged, confirmed: Mapping[str, str]) -> list[str]:
    """Return what is missing for a change that lets more pass: it has to be confirmed, as limits of real orders are."""
    loosened = [each.name for each in fact.changes if each.loosened]
    if not loosened:
        return []
    given, problems = wanted(before, confirmed)
    if problems:
        return problems
    once_more = {name: getattr(given, name) for name in confirmed}
    return unconfirmed(asdict(after), once_more, besides=loosened, where=" once more, since more may pass")


def tightened(before: Limits, fact: LimitsChanged) -> Limits:
    """Return the limits with only those changes that let nothing more pass."""
    return then(before, {each.name: each.after for each in fact.changes if not each.loosened})


def _key_of(name: str) -> str:
    """Return the key of a limit.

    Raises:
        WrongValueError: it is none that a person may change.
    """
    key = f"orders.{name}"
    if name in NO_LIMITS or key not in KEYS:
        names = [each.partition(".")[2] for each in KEYS if each.startswith("orders.")]
        raise WrongValueError(f"wanted a limit of [orders]{near(name, names)}")
    return key


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
        return "*" not in was and not set(now) <= set(was)
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
