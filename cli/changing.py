"""What the commands share that change a strategy of the running system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..domain.wording import counted
from .exit_codes import FAILED
from .session import give_up, running, tell_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..messages.strategies import StrategyChanged

CHANGE_S: Final = 60.0
"""Seconds that a strategy may take to stop, and another to begin."""


def change(
    operation: str,
    told: Callable[[StrategyChanged], str],
    *,
    data_dir: Path | None,
    profile: str,
    json: bool,
    **arguments: Any,
) -> None:
    """Request a change, and print its outcome; the command ends with 1 if nothing was changed."""
    from ..messages.strategies import StrategyNotChanged  # noqa: PLC0415
    from .views.strategies import changed_json  # noqa: PLC0415

    with running(data_dir, profile) as system:
        answer = system.call(operation, timeout_s=CHANGE_S, **arguments)
    if isinstance(answer, StrategyNotChanged):
        give_up(f"nothing was changed: {answer.name}: {answer.reason}", FAILED)
    tell_answer(changed_json(answer), told(answer), json=json)


def between(done: StrategyChanged) -> str:
    """Return which events came between the old strategy and the new one, in words; empty if none did."""
    if not done.handed_over and not done.conflated:
        return ""
    left_out = f", left out: {counted(done.conflated, 'older price')}" if done.conflated else ""
    return f"; handed over: {counted(done.handed_over, 'message')} that came between{left_out}"
