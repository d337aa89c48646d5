"""What runs, in a few lines and as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...actors.control.forms import plain
from ...domain.time import second_text
from ...domain.wording import counted
from .health import whole_text

if TYPE_CHECKING:
    from ...messages.health import AlarmsShown, Health
    from ...messages.order_listing import OrdersStatistics


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A running system, as it says itself."""

    pid: int
    data_dir: str

    since_ns: int | None
    """Since when it has its data directory: nanoseconds since 1970-01-01 UTC; None: the file that says so is gone."""

    health: Health

    orders: OrdersStatistics | None
    """None: it has none of its own, as a node, or they do not answer yet."""

    alarms: AlarmsShown | None

    url: str
    """Where it is served over HTTP; empty: nowhere."""


def status_json(found: Running) -> dict[str, Any]:
    """Return all of it."""
    return {name: plain(getattr(found, name)) for name in found.__struct_fields__}


def status_text(found: Running) -> str:
    """Return a line for each thing that a person asks first."""
    since = "" if found.since_ns is None else f" since {second_text(found.since_ns)}"
    lines = [f"process {found.pid} runs in {found.data_dir}{since}", whole_text(found.health)]
    lines += [f"  {each.name} {each.state}: {each.reason}" for each in found.health.components if each.state != "ok"]
    if found.orders is not None:
        orders = found.orders
        held = ", ".join(f"{each.symbol} {each.quantity:+}" for each in orders.positions if each.quantity)
        lines.append(
            f"{counted(orders.orders, 'order')}, {counted(orders.fills, 'fill')}, {orders.rejected:,} rejected, "
            f"{orders.open_orders:,} open, {orders.uncertain_orders:,} in doubt"
        )
        lines.append(f"positions: {held or 'none'}")
    if found.alarms is not None:
        lines += [f"alarm: {each.text}" for each in found.alarms.alarms] or ["no alarm"]
    return "\n".join([*lines, *([f"HTTP at {found.url}"] if found.url else [])])
