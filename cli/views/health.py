"""Health as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...messages.health import Health


def whole_text(health: Health) -> str:
    """Return a line for the whole."""
    whole = "ready" if health.ready else "not ready" if health.live else "not live"
    state = f", risk state {health.risk_state}" if health.risk_state else ""
    return f"{whole}{state}{f': {health.reason}' if health.reason else ''}"


def health_text(health: Health) -> str:
    """Return a line for the whole, and one for each component."""
    width = max((len(each.name) for each in health.components), default=0)
    lines = [
        f"  {each.name:<{width}}  {each.state}{f': {each.reason}' if each.reason else ''}" for each in health.components
    ]
    return "\n".join([whole_text(health), *lines])
