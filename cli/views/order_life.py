"""The whole life of one order, in words that explain it without the code beside them. Pure, but for reading the log."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...domain.booked import EXPIRED, SETTLED_BY, SQUARED_OFF
from ...domain.brackets.legs import Leg, leg_id
from ...domain.orders import Order, advance
from ...domain.time import DAY_NS, SECOND_NS, second_text, time_text
from ...domain.wording import counted
from ...messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    ModificationIntended,
    ModificationRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderModified,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
)
from ...messages.reconciliation import OrderLost, OrderMismatch
from ..terminal import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ...messages.journal import JournalRecord

LINES_MAX: Final = 500
"""Lines of the log that are shown: the newest."""

_NUMBERS: Final = re.compile(r"[0-9]+\.[0-9]+(?:e-?[0-9]+)?")
"""Seconds that something took, which tell no two lines apart."""

HIDDEN: Final = frozenset({"client_order_id", "correlation_id"})


def life_json(records: Sequence[JournalRecord], logged: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the facts in the order of the journal, the order that they add up to, and what the log says of it."""
    order = _order(records)
    return {
        "order": None if order is None else _named(order) | {"trade_ids": sorted(order.trade_ids)},
        "facts": [
            {"sequence": each.sequence, "recorded_ns": each.recorded_ns, "type": type(each.fact).__name__}
            | msgspec.to_builtins(msgspec.structs.asdict(each.fact))
            for each in records
        ],
        "log": list(logged),
    }


def _named(struct: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a struct and of those in it by name: an order is written to a checkpoint without them."""
    fields = msgspec.structs.asdict(struct).items()
    return {name: _named(value) if isinstance(value, msgspec.Struct) else value for name, value in fields}


def life_text(records: Sequence[JournalRecord], logged: Sequence[dict[str, Any]], purpose: str = "") -> str:
    """Return a line for each fact, then what the log says besides, and last what it all means.

    Intervals are those that the system which looks the order up has logged: those of our own settings may be others.
    What it has not logged is told by the names of its settings.

    Args:
        records: of the order, oldest first.
        logged: what the log says of it.
        purpose: what it is for, where it is an exit of a bracket (`domain.brackets.legs.purpose`); else empty.
    """
    began_ns, why = records[0].recorded_ns, _why(records, purpose)
    lines = [f"journal, from {time_text(began_ns)}:"]
    order: Order | None = None
    for record in records:
        fact = record.fact
        order = _next(order, fact)
        since_s = (record.recorded_ns - began_ns) / SECOND_NS
        lines.append(f"  +{since_s:.3f} s  #{record.sequence}  {plain(_words(fact, order, why))}")
    if logged:
        lines += ["log, from the same moment:", *(f"  {plain(each)}" for each in _log_words(logged, began_ns))]
    return "\n".join([*lines, *_meaning(order, records, _intervals(logged)), *_newest_failure(order, logged)])


def log_lines(path: Path, client_order_id: str) -> tuple[dict[str, Any], ...]:
    """Return what the log files say of an order, oldest first; a log that is not in a file says nothing."""
    found: list[dict[str, Any]] = []
    rotated = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: (len(each.name), each.name), reverse=True)
    for file in (*rotated, path):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), file.open("rb") as lines:
            found += _about(lines, client_order_id)
    return tuple(found[-LINES_MAX:])


def _about(lines: Any, client_order_id: str) -> Iterator[dict[str, Any]]:
    wanted = client_order_id.encode()
    for line in lines:
        if wanted not in line:
            continue
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):  # cut off by a kill
            read = msgspec.json.decode(line)
            if isinstance(read, dict) and read.get("correlation_id") == client_order_id:
                yield read


def _order(records: Sequence[JournalRecord]) -> Order | None:
    order: Order | None = None
    for record in records:
        order = _next(order, record.fact)
    return order


def _next(order: Order | None, fact: object) -> Order | None:
    if isinstance(fact, OrderIntended) and order is None:
        return Order.from_intent(fact)
    return advance(order, fact) if order is not None and isinstance(fact, OrderFact) else order


def is_of_bracket(records: Sequence[JournalRecord]) -> bool:
    """Say whether these are the records of the entry of a bracket."""
    order = _order(records)
    return order is not None and order.has_bracket


def _why(records: Sequence[JournalRecord], purpose: str) -> str:
    """Say why the order was intended, and what left for it."""
    trade_ids = [each.fact.trade_id for each in records if isinstance(each.fact, OrderFilled)]
    if SQUARED_OFF in trade_ids:
        return "the broker has squared it off, and no request has left"
    if EXPIRED in trade_ids:
        return "the contract has expired, and no request has left"
    if any(each.startswith(SETTLED_BY) for each in trade_ids):
        return "the broker had it no more, and no request has left"
    asked = f"it {purpose}, and passes no rule" if purpose else "every rule passed"
    return f"{asked}; one request leaves now, and never another"


def _words(fact: object, order: Order | None, why: str) -> str:  # noqa: PLR0911  one sentence for each kind of fact
    match fact:
        case OrderRefused():
            return f"REFUSED by our own rule {fact.rule}: {fact.reason}; nothing was sent"
        case OrderIntended():
            what = f"{fact.side} {fact.quantity:,} {fact.symbol} {fact.order_type}{_prices(fact)}{_exits(fact)}"
            return f"INTENDED {what} for {fact.strategy}: {why}"
        case OrderUncertain():
            return f"IN DOUBT: {fact.reason}; the broker may have it or not, so it is looked up and not sent again"
        case OrderAccepted():
            return f"ACCEPTED by the broker as {fact.broker_order_id}"
        case OrderTriggered():
            return "TRIGGERED: the market met its trigger"
        case OrderFilled():
            of = "" if order is None else f" of {order.quantity:,}"
            trade = f"{fact.quantity:,} at {fact.price:,.2f} (trade {fact.trade_id})"
            return f"FILLED {trade}, {fact.cumulative_quantity:,}{of} so far"
        case OrderRejected():
            return f"REJECTED: {fact.reason}"
        case OrderCancelled():
            asked = "" if order is None or order.cancellations else "; nobody here had asked for it"
            return f"CANCELLED: {fact.reason or 'no reason told'}{asked}"
        case OrderExpired():
            return f"EXPIRED: {fact.reason}"
    return _words_of_change(fact, order) or _words_of_cancellation(fact) or type(fact).__name__


def _words_of_change(fact: object, order: Order | None) -> str:
    match fact:
        case ModificationIntended():
            what = f"change {fact.number} to {fact.quantity:,}{_prices(fact)}"
            return f"INTENDED {what}: every rule passed; one request leaves now, and never another"
        case OrderModified():
            by = f"change {fact.number}"
            if order is not None and fact.number > order.modifications:
                by = "somebody else, at the broker,"
            return f"MODIFIED by {by} to {fact.quantity:,}{_prices(fact)}"
        case OrderLost():
            return "OPEN HERE, AND NOT LISTED at the broker, at two looks in a row: it is looked up"
        case OrderMismatch():
            return f"OTHERWISE at the broker, at two looks in a row: {fact.ours} here, {fact.theirs} there"
        case ModificationRefused():
            which = f"change {fact.number}" if fact.number else "a change that never left"
            return f"NOT MODIFIED: {which} was refused by {fact.rule}: {fact.reason}"
    return ""


def _words_of_cancellation(fact: object) -> str:
    match fact:
        case CancellationIntended():
            return f"CANCELLING: cancellation {fact.number}, asked for by {fact.asked_by}, leaves now"
        case CancellationUncertain():
            return f"CANCELLING IN DOUBT: cancellation {fact.number}: {fact.reason}; it is asked for again"
        case CancellationRefused():
            return f"NOT CANCELLED: cancellation {fact.number} was refused by {fact.rule}: {fact.reason}"
    return ""


def _prices(terms: OrderIntended | ModificationIntended | OrderModified) -> str:
    price = "" if terms.limit_price is None else f" at {terms.limit_price:,.2f}"
    return price + ("" if terms.trigger_price is None else f", trigger {terms.trigger_price:,.2f}")


def _exits(intent: OrderIntended) -> str:
    named: tuple[tuple[str, float | None, Leg], ...] = (
        ("target", intent.target_price, "target"),
        ("stop loss", intent.stop_loss_price, "stop"),
    )
    told = [f"{what} {price:,.2f} ({leg_id(intent.client_order_id, leg)})" for what, price, leg in named if price]
    return f", closed by {' or '.join(told)}," if told else ""


class _Intervals(msgspec.Struct, frozen=True):
    """How the system looks an order up, in words, as it has logged it; else by the names of its settings."""

    again: str = "orders.lookup_interval_s"
    absent_after: str = "orders.absence_horizon_s"
    absent_after_s: float | None = None


def _intervals(logged: Sequence[dict[str, Any]]) -> _Intervals:
    for each in reversed(logged):
        again_s, absent_after_s = (_fields(each).get(name) for name in ("again_s", "absent_after_s"))
        if isinstance(again_s, int | float) and isinstance(absent_after_s, int | float):
            return _Intervals(f"{again_s:g} s", f"{absent_after_s:g} s", float(absent_after_s))
    return _Intervals()


def _meaning(order: Order | None, records: Sequence[JournalRecord], intervals: _Intervals) -> list[str]:
    if order is None:
        refused = any(isinstance(each.fact, OrderRefused) for each in records)
        return ["so: it never left; our own rules refused it" if refused else "so: nothing is known of an order"]
    match order.state:
        case "INTENDED":
            told = (
                "so: the request may be on its way; no answer is journaled. If the process ended meanwhile, the next "
                "one looks the order up at its start, and does not send it again"
            )
        case "UNKNOWN":
            return _doubt(order, records, intervals)
        case "ACCEPTED" | "PART_FILLED":
            told = f"so: it is open at the broker, {order.leaves:,} of {order.quantity_max:,} may still be filled"
        case "FILLED":
            told = f"so: it is filled, in {counted(len(order.trade_ids), 'trade')}"
        case _:
            told = f"so: it has ended, {order.filled:,} of {order.quantity:,} filled"
    if order.is_open and order.pending is not None:
        told += (
            f"; what became of change {order.pending.number} is not known: it is not sent again, the order is looked "
            f"up, and only when it is shown as before {intervals.absent_after} after its request it was not made"
        )
    return [told + _cancelling(order, intervals) + _was_in_doubt(order, records)]


def _doubt(order: Order, records: Sequence[JournalRecord], intervals: _Intervals) -> list[str]:
    """Say of an order in doubt what was asked, what was answered, why it is not sent again, and what comes next."""
    sent_ns = records[0].recorded_ns
    told = next(each.fact.reason for each in reversed(records) if isinstance(each.fact, OrderUncertain))
    until = ""
    if intervals.absent_after_s is not None:
        until = f" (from {_clock_text(sent_ns + round(intervals.absent_after_s * SECOND_NS))} on)"
    sent = f"so: nobody knows yet whether the broker has it. The request left at {_clock_text(sent_ns)}, once, and no "
    never = "It counts as never placed only when the broker lists no such order, trade or position, and "
    gone = f"{intervals.absent_after} have gone by since the request{until}: longer than any request is on its way"
    shares = f"{counted(order.leaves, 'share')} count{'s' * (order.leaves == 1)}"
    return [
        f"{sent}certain answer came; the newest is: {plain(told)}",
        "why it is not sent again: the broker may have taken the first request, and would trade both",
        f"what comes next: the broker is asked for it every {intervals.again}, and what it shows holds. {never}{gone}",
        f"until then: its {shares} in every limit as if filled{_cancelling(order, intervals)}",
    ]


def _cancelling(order: Order, intervals: _Intervals) -> str:
    if order.cancelling is None:
        return ""
    return (
        f"; cancellation {order.cancelling.number}, asked for by {order.cancelling.asked_by}, has no answer yet: "
        f"the order is looked up every {intervals.again}, and as long as it is shown open it is asked for "
        "again, which cancels nothing else"
    )


def _was_in_doubt(order: Order, records: Sequence[JournalRecord]) -> str:
    """Say how long it was not known whether the broker has it, if that is over."""
    doubted = [each.recorded_ns for each in records if isinstance(each.fact, OrderUncertain)]
    if not doubted or order.state in {"UNKNOWN", "INTENDED"}:
        return ""
    over = (each.recorded_ns for each in records if each.recorded_ns >= doubted[-1] and _ends_doubt(each.fact))
    ended_ns = next(over, doubted[-1])
    lasted_s = (ended_ns - doubted[0]) / SECOND_NS
    return (
        f"; it was in doubt for {lasted_s:.1f} s, until {_clock_text(ended_ns)}, and a look-up or a report of the "
        "broker has resolved that: its request was not sent again"
    )


def _ends_doubt(fact: object) -> bool:
    return isinstance(fact, OrderAccepted | OrderFilled | OrderRejected | OrderCancelled | OrderExpired)


def _clock_text(time_ns: int) -> str:
    return second_text(time_ns).partition(" ")[2]


def _newest_failure(order: Order | None, logged: Sequence[dict[str, Any]]) -> list[str]:
    """Say why the newest look-up of an order in doubt has shown nothing, if the log says so."""
    if order is None or not order.is_open:
        return []
    reasons = [_fields(each).get("reason") for each in logged if each.get("event") == "lookup.failed"]
    return [f"the newest look-up that failed: {plain(reasons[-1])}"] if reasons and reasons[-1] else []


def _log_words(logged: Sequence[dict[str, Any]], began_ns: int) -> Iterator[str]:
    """Yield the lines of the log; what is repeated is told once, with how often and until when it was."""
    told: dict[str, tuple[str, list[str]]] = {}
    for each in logged:
        event = str(each.get("event") or "")
        fields = {name: value for name, value in _fields(each).items() if name not in HIDDEN}
        rest = (
            [_call_words(fields)]
            if event == "external.called"
            else [f"{name}={value}" for name, value in fields.items()]
        )
        words = " ".join(str(part) for part in (event, *rest, each.get("error")) if part)
        alike = _NUMBERS.sub("", words)
        time = _since(str(each.get("time") or ""), began_ns)
        if alike in told:
            told[alike][1].append(time)
        else:
            told[alike] = words, [time]
    for words, times in told.values():
        again = f" (and {counted(len(times) - 1, 'time')} more, until {times[-1]})" if len(times) > 1 else ""
        yield f"{times[0]} {words}{again}".strip()


def _since(time: str, began_ns: int) -> str:
    """Return the seconds since the order began; what is no time, or is a day away and more, as it is.

    A log has the machine's time: of a recording that is replayed it is that of another day.
    """
    with contextlib.suppress(ValueError):
        since_s = datetime.fromisoformat(time).timestamp() - began_ns / SECOND_NS
        return f"{since_s:+.3f} s" if abs(since_s) < DAY_NS / SECOND_NS else time
    return time


def _call_words(fields: dict[str, Any]) -> str:
    """Say of a call what was asked of whom, and what came of it."""
    asked = f"{fields.get('endpoint')} of {fields.get('service')}"
    status, took_s = fields.get("status_code"), fields.get("response_time_s")
    took = f" after {took_s:.3f} s" if isinstance(took_s, int | float) else ""
    if status is not None:
        return f"{asked}: answered {status}{took}"
    if fields.get("sent") == "no":
        return f"{asked}: not sent"
    return f"{asked}: no answer{took}, it may have arrived"


def _fields(line: dict[str, Any]) -> dict[str, Any]:
    fields = line.get("fields")
    return fields if isinstance(fields, dict) else {}
