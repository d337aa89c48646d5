"""The exits of a bracket by name: in which order they follow each other, and what the id of each says (pure).

    target   a LIMIT at the target price, id of the entry + `T`
    stop     a STOP at the stop price, id of the entry + `S`
    exit     a MARKET order for what has no other exit, id of the entry + `X`; then `Y`, `Z`, and so on (`AT_MARKET`)
    return   a MARKET order that gives back what exits have traded too much: + `R`; then `Q`, `P`, and so on (`RETURNS`)

Target and stop are orders for a day: those of a later one have its number behind the letter (`S1`, `T1`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, TypeVar

from ..client_order_ids import EXIT_LETTERS, base36

T = TypeVar("T")

Leg: TypeAlias = Literal[
    "target",
    "stop",
    "exit",
    "second_exit",
    "third_exit",
    "fourth_exit",
    "fifth_exit",
    "sixth_exit",
    "seventh_exit",
    "eighth_exit",
    "return",
    "second_return",
    "third_return",
    "fourth_return",
    "fifth_return",
    "sixth_return",
    "seventh_return",
    "eighth_return",
]

AT_MARKET: Final[tuple[Leg, ...]] = (
    *("exit", "second_exit", "third_exit", "fourth_exit"),
    *("fifth_exit", "sixth_exit", "seventh_exit", "eighth_exit"),
)
"""Exits by MARKET orders, one after the other."""

RETURNS: Final[tuple[Leg, ...]] = (
    *("return", "second_return", "third_return", "fourth_return"),
    *("fifth_return", "sixth_return", "seventh_return", "eighth_return"),
)
"""MARKET orders, one after the other, that reverse what the exits have traded beyond the position."""

EXITS: Final[tuple[Leg, ...]] = ("target", "stop", *AT_MARKET)

SUFFIXES: Final[dict[Leg, str]] = dict(zip((*EXITS, *RETURNS), EXIT_LETTERS, strict=True))
"""Suffix that the id of an exit adds to its entry's; ids of strategies end with a digit or a lower-case letter."""

ENDINGS: Final = frozenset(SUFFIXES.values())

_OF_RETURNS: Final = frozenset(SUFFIXES[leg] for leg in RETURNS)

_OTHER: Final = {SUFFIXES["target"]: SUFFIXES["stop"], SUFFIXES["stop"]: SUFFIXES["target"]}

_EXIT_ID: Final = re.compile(r"(.+)([A-Z])((?:[1-9a-z][0-9a-z]?)?)", re.ASCII | re.DOTALL)
"""Entry, letter, and the number of the day in base 36, where it is not the first."""

_NO_EXIT: Final = ("", "", "")


def leg_id(entry_id: str, leg: Leg, day: int = 0) -> str:
    """Return the client order id of an exit.

    Args:
        entry_id: of its entry.
        leg: which exit.
        day: the number of its day, of a target or a stop: 0 is the first.
    """
    return f"{entry_id}{SUFFIXES[leg]}{base36(day) if day else ''}"


def entry_id(client_order_id: str) -> str:
    """Return the id of the entry that an order of this id would be an exit of; empty: of none."""
    return _parts(client_order_id)[0]


def purpose(client_order_id: str) -> str:
    """Say what an exit of this id is for, in words that follow "it"; empty: the id is no exit's."""
    entry, letter, _ = _parts(client_order_id)
    if not entry:
        return ""
    if letter in _OTHER:
        name = "target" if letter == SUFFIXES["target"] else "stop loss"
        return f"is the {name} of the bracket {entry}"
    if letter in _OF_RETURNS:
        return f"gives back what the exits of the bracket {entry} have traded too much"
    return f"closes at the market what had no other exit of the bracket {entry}"


def is_target(client_order_id: str) -> bool:
    """Say whether an order of this id is the target of a bracket."""
    return _parts(client_order_id)[1] == SUFFIXES["target"]


def is_return(client_order_id: str) -> bool:
    """Say whether an exit of this id is one that gives back what others have traded too much."""
    return _parts(client_order_id)[1] in _OF_RETURNS


def other_exit_id(client_order_id: str) -> str:
    """Return the id of the exit that cancels this one and is cancelled by it, if it is one; else empty."""
    entry, letter, day = _parts(client_order_id)
    return f"{entry}{_OTHER[letter]}{day}" if letter in _OTHER else ""


def _parts(client_order_id: str) -> tuple[str, str, str]:
    """Return the entry, the letter and the day of an exit's id; empty: it is no exit's."""
    ending = client_order_id[-3:]
    if ending == ending.lower():  # as of most orders; the rest takes ten times as long
        return _NO_EXIT
    found = _EXIT_ID.fullmatch(client_order_id)
    if found is None:
        return _NO_EXIT
    entry, letter, day = found.groups()
    return (entry, letter, day) if letter in (_OTHER if day else ENDINGS) else _NO_EXIT


def newest_exit(find: Callable[[str], T], entry: str, leg: Literal["target", "stop"]) -> T | None:
    """Return the target, or the stop, of the newest day that has one; None: there is none yet.

    Args:
        find: returns an exit, given its id.
        entry: the client order id of the entry.
        leg: which of both.
    """
    place = 0 if leg == "target" else 1
    return next((day[place] for day in reversed(days_of(find, entry)) if day[place] is not None), None)


def days_of(find: Callable[[str], T], entry: str) -> list[tuple[T, T]]:
    """Return the target and the stop of each day: of the first one, and of those after it that have any."""
    days: list[tuple[T, T]] = []
    while not days or days[-1] != (None, None):
        day = len(days)
        days.append((find(leg_id(entry, "target", day)), find(leg_id(entry, "stop", day))))
    return days[:-1] or days
