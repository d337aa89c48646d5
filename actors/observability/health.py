"""What health the system is in, by what its actors say: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...domain.readiness import DISK_CRITICAL_BYTES, DISK_WARN_BYTES, clock_fault, token_fault
from ...domain.wording import counted
from ...messages import addresses as names
from ...messages.broker import UpdatesStatistics
from ...messages.database import DatabaseStatistics
from ...messages.health import Component, ComponentState, Health, ServiceStatistics, TokenStatistics
from ...messages.market import FeedStatistics
from ...messages.order_listing import OrdersStatistics

if TYPE_CHECKING:
    from ...messages.supervision import ChildStatus
    from ...messages.system import Statistics
    from .view import View

NOT_NEEDED: Final = frozenset(
    {
        names.DATABASE,
        names.HISTORY,
        names.CHARTS_SERVICE,
        names.CONTROL,
        names.CONTROL_WEB,
        names.ALARMS,
        names.STRATEGIES,
        names.BROKER_UPDATES,
    }
)
"""Trading goes on without these, and without strategies and actors of a user."""

MAILBOX_DEPTH_MAX: Final = 100_000

TRADES: Final = frozenset({"NORMAL", "REDUCING"})


def health_of(view: View, *, now_ns: int) -> Health:
    """Judge a view; `now_ns`: nanoseconds since 1970-01-01 UTC.

    It is not ready while something is not there that an order needs: an actor, a token that lasts, the right time,
    disk. That decides of no order: what closes a position goes on, as far as it can.
    """
    if view.tree is None:
        reason = "the root of the supervision tree does not answer"
        return Health(live=False, ready=False, reason=reason, risk_state="", components=())
    orders = view.statistics.get(names.ORDERS)
    risk_state = orders.risk_state if isinstance(orders, OrdersStatistics) else ""
    of_actors = (_component(each, view, now_ns) for each in view.tree.children)
    components = (*of_actors, *_disk(view), *_log(view), _container(view))
    faults = [f"{each.name} is down: {each.reason}" for each in components if each.needed and each.state == "down"]
    faults += filter(None, (_lack_of(each, now_ns) for each in view.statistics.values()))
    if isinstance(orders, OrdersStatistics) and risk_state not in TRADES:
        faults.append(f"orders do not pass: {risk_state}{f' ({orders.risk_cause})' if orders.risk_cause else ''}")
    if names.ORDERS in view.silent:
        faults.append("orders does not answer, so nobody knows whether orders pass")
    return Health(live=True, ready=not faults, reason="; ".join(faults), risk_state=risk_state, components=components)


def _component(child: ChildStatus, view: View, now_ns: int) -> Component:
    name = view.name_of(child.path)
    state, reason = _state_of(child, view.statistics.get(name), now_ns)
    if state == "ok" and name in view.silent:
        state, reason = "degraded", "it did not say in time how it is"
    own = names.NAMES - NOT_NEEDED
    return Component(name=name, state=state, reason=reason, needed=name in own)


def _state_of(child: ChildStatus, statistics: Statistics | None, now_ns: int) -> tuple[ComponentState, str]:
    if child.state != "RUNNING":
        return "down", f"{child.state.lower()}{f', {child.last_error}' if child.last_error else ''}"
    if isinstance(statistics, DatabaseStatistics) and statistics.down:
        return "down", statistics.down
    if child.trouble:
        return "degraded", child.trouble
    if child.mailbox_depth > MAILBOX_DEPTH_MAX:
        return "degraded", f"{counted(child.mailbox_depth, 'message')} wait"
    if reason := _lack_of(statistics, now_ns) or _trouble_in(statistics):
        return "degraded", reason
    return "ok", ""


def _lack_of(statistics: Statistics | None, now_ns: int) -> str:
    """Return what an order needs, and what these say is not there."""
    match statistics:
        case TokenStatistics():
            return token_fault(alive=statistics.alive, ends_ns=statistics.ends_ns, now_ns=now_ns)
        case ServiceStatistics():
            return clock_fault(statistics.clock_skew_s, statistics.service)
    return ""


def _trouble_in(statistics: Statistics | None) -> str:
    reason = ""
    match statistics:
        case FeedStatistics() if statistics.silent:
            reason = f"{counted(statistics.silent, 'instrument')} went silent"
        case UpdatesStatistics() if not statistics.connected:
            reason = statistics.reason
        case DatabaseStatistics() if statistics.dropped:
            reason = f"not recorded: {counted(statistics.dropped, 'tick')}"
        case OrdersStatistics() if statistics.uncertain_orders:
            reason = f"{counted(statistics.uncertain_orders, 'order')} may or may not be at the broker"
    return reason


def _disk(view: View) -> tuple[Component, ...]:
    free = view.disk_free_bytes
    if free is None:
        return ()
    state: ComponentState = "down" if free < DISK_CRITICAL_BYTES else "degraded" if free < DISK_WARN_BYTES else "ok"
    reason = "" if state == "ok" else f"{free / (1 << 20):,.0f} MiB are free"
    return (Component(name="disk", state=state, reason=reason),)


def _log(view: View) -> tuple[Component, ...]:
    if not view.log_fault:
        return ()
    reason = f"it cannot be written ({view.log_fault}); {counted(view.log_lines_lost, 'line')} lost"
    return (Component(name="log", state="degraded", reason=reason, needed=False),)


def _container(view: View) -> Component:
    reason = "; ".join(f"{name}: {fault}" for name, fault in view.services.items() if fault)
    return Component(name="container", state="degraded" if reason else "ok", reason=reason, needed=False)
