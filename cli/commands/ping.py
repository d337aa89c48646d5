"""`natya ping`: is an actor of the running system well?"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from ...messages.addresses import SYSTEM
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer


def command(
    actor: Annotated[str, typer.Argument(help="Name of the actor.")] = SYSTEM,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Ask an actor of the running system whether it is well, and what it counts."""
    import msgspec

    with running(data_dir, profile) as system:
        asked_ns = time.monotonic_ns()
        pong = system.ping(actor)
        answered_ms = (time.monotonic_ns() - asked_ns) / 1e6
    counts = msgspec.structs.asdict(pong.statistics)
    lines = [
        f"{pong.actor} answered in {answered_ms:.1f} ms",
        *(f"  {name} {_text(count)}" for name, count in counts.items()),
    ]
    found = {"actor": pong.actor, "answered_ms": answered_ms, "statistics": counts}
    tell_answer(found, "\n".join(lines), json=json)


def _text(value: Any) -> str:
    """Write what is counted as people do; what has parts as JSON."""
    import msgspec

    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case str() | None:
            return value or "none"
        case _:
            return msgspec.json.encode(value, enc_hook=str).decode()
