"""`natya ping`: is an actor of the running system well?"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...messages.addresses import SYSTEM
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer

if TYPE_CHECKING:
    from collections.abc import Iterator


def command(
    actor: Annotated[str, typer.Argument(help="Name of the actor.")] = SYSTEM,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Ask an actor of the running system for its health and its counts."""
    import msgspec

    with running(data_dir, profile) as system:
        asked_ns = time.monotonic_ns()
        pong = system.ping(actor)
        answered_ms = (time.monotonic_ns() - asked_ns) / 1e6
    counts = msgspec.structs.asdict(pong.statistics)
    lines = [
        f"{pong.actor} answered in {answered_ms:.1f} ms",
        *(line for name, count in counts.items() for line in _lines(name, count)),
    ]
    found = {"actor": pong.actor, "answered_ms": answered_ms, "statistics": counts}
    tell_answer(found, "\n".join(lines), json=json)


def _lines(name: str, value: Any) -> Iterator[str]:
    """Return the lines of one count: a struct has a line for each of its fields."""
    import msgspec

    if isinstance(value, tuple) and any(isinstance(each, msgspec.Struct) for each in value):
        yield f"  {name}"
        yield from (f"    {_text(each)}" for each in value)
    else:
        yield f"  {name} {_text(value)}"


def _text(value: Any) -> str:  # noqa: PLR0911  one for each kind of value
    """Return a value as people write it, rounded; --json has all digits."""
    import msgspec

    from ...messages.health import Timing

    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() | Decimal():
            number = float(value)
            return f"{number:,.2f}" if abs(number) >= 1 else f"{number:.3g}"
        case Timing():
            times = sum(value.counts)
            return f"{times:,} times" + (f", {1_000 * value.sum_s / times:,.3f} ms on average" if times else "")
        case msgspec.Struct():
            return _text(msgspec.structs.asdict(value))
        case dict():
            return ", ".join(f"{key} {_text(part)}" for key, part in value.items()) or "none"
        case tuple():
            return ", ".join(map(_text, value)) or "none"
        case _:
            return "none" if value is None or value == "" else str(value)
