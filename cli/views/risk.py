"""Limits, how much of each is used, and what each rule says of an order, as tables and JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.text import Text

from ...domain.time import second_text
from ...domain.wording import counted
from ..terminal import plain
from .columns import lined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from ...actors.orders.hindsight import Decision
    from ...actors.orders.rules.explaining import Explained
    from ...messages.risk import LimitsInForce, RiskFigure, RiskRead

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""

NEAR: Final = 0.8
"""From this part of a limit on a figure is coloured."""

OFF: Final = "off"


def risk_json(risk: RiskRead) -> dict[str, Any]:
    """Return all of it."""
    figures = [msgspec.structs.asdict(figure) for figure in risk.figures]
    return {"schema": SCHEMA, **msgspec.structs.asdict(risk), "figures": figures}


def risk_table(risk: RiskRead) -> Table:
    """Return a line a limit: what is used of it, and how that number was formed."""
    table = lined("limit", "of", "used", "limit", "formed of")
    for figure in risk.figures:
        table.add_row(plain(figure.limit_name), plain(figure.of), _used(figure), _limit(figure), plain(figure.formed))
    cause = f": {plain(risk.risk_cause)}" if risk.risk_cause else ""
    table.title = Text(f"{risk.risk_state}{cause}", "green" if risk.risk_state == "NORMAL" else "bold red")
    table.title_justify = "left"
    return table


def _used(figure: RiskFigure) -> Text:
    if figure.found is None:
        return Text("unknown", "yellow" if figure.limit else "dim")
    style = "dim" if not figure.limit or figure.found < figure.limit * NEAR else "yellow"
    return Text(f"{figure.found:,.10g}", "bold red" if figure.limit and figure.found >= figure.limit else style)


def _limit(figure: RiskFigure) -> str:
    return f"{figure.limit:,.10g}" if figure.limit else OFF


def limits_json(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Return one object: `{"schema": 1, "rules": [{"rule", "limit", "origin", "meaning"}, …]}`."""
    return {"schema": SCHEMA, "rules": rows}


def limits_table(rows: list[dict[str, str]]) -> Table:
    """Return a line a rule, in the order in which they are asked."""
    table = lined("rule", "limit", "from", "what it is for")
    for row in rows:
        limit = Text(plain(row["limit"]), "dim" if row["limit"] == OFF else "")
        table.add_row(plain(row["rule"]), limit, plain(row["origin"]), plain(row["meaning"]))
    return table


def changed_json(answer: LimitsInForce) -> dict[str, Any]:
    """Return what has changed."""
    return {"schema": SCHEMA, "changes": [msgspec.structs.asdict(each) for each in answer.changes]}


def changed_text(answer: LimitsInForce) -> str:
    """Return a line a limit."""
    lines = [
        f"{each.name}: {each.before} -> {each.after}{', which lets more pass' if each.loosened else ''}"
        for each in answer.changes
    ]
    return "\n".join(lines) or "nothing changed: the limits are so already"


def explained_json(decision: Decision, rules: tuple[Explained, ...], prices: dict[str, Any]) -> dict[str, Any]:
    """Return the decision, what it went by, and what each rule says."""
    fact = decision.fact
    return {
        "schema": SCHEMA,
        "client_order_id": fact.client_order_id,
        "decision": type(fact).__name__,
        "reason": getattr(fact, "reason", ""),
        "sequence": decision.sequence,
        "occurred_ns": fact.occurred_ns,
        "prices": {symbol: {"price": price, "exchange_ns": at_ns} for symbol, (price, at_ns) in prices.items()},
        "rules": [msgspec.structs.asdict(each) for each in rules],
    }


def explained_table(decision: Decision, rules: tuple[Explained, ...]) -> Table:
    """Return a line a rule that is on, with the number that it went by."""
    fact = decision.fact
    table = lined("rule", "verdict", "limit", "found")
    styles = {"passed": "green", "refused": "bold red", "unknown": "yellow"}
    for each in rules:
        if each.verdict != OFF:
            table.add_row(
                plain(each.rule), Text(each.verdict, styles[each.verdict]), plain(each.limit), plain(each.found)
            )
    off = [each.rule for each in rules if each.verdict == OFF]
    if off:
        table.caption = Text(f"off: {', '.join(off)}", "dim")
        table.caption_justify = "left"
    reason = getattr(fact, "reason", "")
    said = f"refused by {getattr(fact, 'rule', '')}: {reason}" if reason else "passed"
    what = f"{fact.side} {fact.quantity} {fact.symbol} of {fact.strategy}"
    when = second_text(fact.occurred_ns)
    table.title = Text(plain(f"{fact.client_order_id}: {what}, {when}: {said}"))
    table.title_justify = "left"
    return table


def told_otherwise(shown: Mapping[str, str], written: Mapping[str, str]) -> str:
    """Return which limits a system has journaled with other values than are shown (JSON by name); empty: none."""
    others = [name for name, value in written.items() if name in shown and shown[name] != value]
    if not others:
        return ""
    first = f"{others[0]} {written[others[0]]} where these settings have {shown[others[0]]}"
    return f"{first}, and {counted(len(others) - 1, 'more limit')} otherwise" if len(others) > 1 else first
