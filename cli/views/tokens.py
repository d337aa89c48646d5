"""How the access token and the socket of order updates stand, as text and JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...domain.time import second_text

if TYPE_CHECKING:
    from ...messages.broker import UpdatesStatistics
    from ...messages.tokens import TokenStatus

_STATES: Final = {
    "alive": "the access token is alive",
    "replacing": "the access token is alive, and another one is being asked for",
    "dead": "there is no access token that is alive",
    "asking": "a new access token is being asked for",
    "given_up": "there is no access token, and none is asked for any more: natya broker login",
}


def token_json(status: TokenStatus) -> dict[str, Any]:
    """Return all of it."""
    return msgspec.structs.asdict(status)


def token_text(status: TokenStatus) -> str:
    """Return it in sentences."""
    parts = [_STATES[status.state]]
    if status.ends_ns:
        parts.append(f"good until {second_text(status.ends_ns)}")
    if status.attempts:
        parts.append(f"attempts: {status.attempts}")
    if status.wait_s:
        parts.append(f"the next attempt may be made in {status.wait_s:.0f} s")
    if status.reason:
        parts.append(f"the last one failed: {status.reason}")
    if not status.can_log_in:
        parts.append("no PIN and secret of one-time codes in the settings")
    return "\n".join(parts)


def updates_json(counts: UpdatesStatistics | None) -> dict[str, Any] | None:
    """Return all of it; None: there is no socket."""
    return None if counts is None else msgspec.structs.asdict(counts)


def updates_text(counts: UpdatesStatistics | None) -> str:
    """Return it in sentences."""
    if counts is None:
        return "no order updates: open orders are looked at alone"
    since = f" since {second_text(counts.since_ns)}" if counts.since_ns else ""
    state = f"order updates come{since}" if counts.connected else f"no order updates{since}: {counts.reason}"
    return (
        f"{state}\nupdates: {counts.updates}, of orders without a client's id: {counts.without_id}, "
        f"refused: {counts.refused}; connections: {counts.connections}, failed attempts: {counts.failures}"
    )
