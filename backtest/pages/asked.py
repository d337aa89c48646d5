"""The settings of a backtest, as its page shows them (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ...actors.strategy import load_strategy, parameters_of, path_of
from ...domain.time import time_text
from ..plan import END_NS, STRATEGY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..figures.shown import Named
    from ..plan import Plan


def asked(plan: Plan, *, varied: Iterable[str] = ()) -> Iterator[Named]:
    """Yield the settings of a test: those of the plan, and every parameter but those that were varied."""
    yield "strategy", path_of(plan.strategy)
    yield "data", ", ".join(map(str, plan.data))
    yield "symbols", ", ".join(plan.symbols) or "all of the data"
    yield "from", time_text(plan.since_ns) if plan.since_ns else "the beginning"
    yield "to", time_text(plan.until_ns) if plan.until_ns != END_NS else "the end"
    if plan.interval:
        yield "interval", plan.interval
    yield "latency", f"{plan.latency_s * 1e3:,.6g} ms"
    yield "slippage", f"{plan.slippage_percent:g} % and {plan.slippage_ticks} ticks"
    yield "charges", plan.charges
    yield "capital", f"{plan.capital_rupees:,.2f} rupees"
    left_out = set(varied)
    for name, value in sorted(_parameters(plan).items()):
        if name not in left_out:
            yield f"parameter {name}", str(value)
    for key, value in sorted(plan.settings.items()):
        yield key, str(value)
    if plan.config is not None:
        yield "file of settings", str(plan.config)


def _parameters(plan: Plan) -> dict[str, object]:
    """Return all parameters, with the defaults of those that were not given."""
    found = parameters_of(load_strategy(path_of(plan.strategy)), plan.parameters, name=STRATEGY)
    return msgspec.structs.asdict(found) if isinstance(found, msgspec.Struct) else dict(found)
