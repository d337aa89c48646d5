"""`natya risk explain ORDER`: what each rule said when the gate decided on an order, and by which number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ...exit_codes import UNKNOWN
from ...journals import journal_of
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, give_up, load, owner_by, tell_answer
from ...terminal import note

if TYPE_CHECKING:
    from ....actors.orders.hindsight import Decision
    from ....actors.orders.rules import MarketPrice
    from ....config.settings import Settings
    from ....messages.database import SqlValue

PRICES: Final = """
select symbol, arg_max(price, sequence), max(exchange_ns) from all_ticks
where received_ns <= ? and received_ns > ? and list_contains(string_split(?, chr(10)), symbol) group by symbol
"""


def command(
    order: Annotated[str, typer.Argument(help="A client order id.")],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what each rule says of an order by what was known at the decision, and the number that decided.

    The book and the day's counts are those of the journal before the order, prices those of the database; the limits
    are those that the journal has of a run with real orders, else those of the settings of now.
    """
    from ....actors.orders import OrdersActorSettings
    from ....actors.orders.hindsight import decision_on
    from ...views.risk import explained_json, explained_table
    from ...views.tables import show

    settings = load(profile, {} if data_dir is None else {"system.data_dir": str(data_dir)}, config=config).settings
    with faults():
        decision = decision_on(order, journal_of(settings).find())
    if decision is None:
        give_up(f"the journal has no order {order!r}", UNKNOWN)
    prices = _prices(decision, settings)
    limits = OrdersActorSettings.of(settings.orders, strategies=settings.strategies)
    rules = decision.explained(limits, prices)
    tell_answer(
        explained_json(decision, rules, prices),
        lambda: show(explained_table(decision, rules), whole=True),
        json=json,
    )


def _prices(decision: Decision, settings: Settings) -> dict[str, MarketPrice]:
    """Return the last prices of that time in the database; print why, if it cannot be read."""
    from ....actors.control import ControlError
    from ....actors.database import DatabaseError, DatabaseMissing
    from ....client import QueryFailedError
    from ....client.owner import rows_of
    from ....domain.time import DAY_NS

    at_ns = decision.fact.occurred_ns
    parameters: list[SqlValue] = [at_ns, at_ns - DAY_NS, "\n".join(decision.symbols)]
    try:
        with owner_by(settings) as owner:
            rows = rows_of(owner, PRICES, parameters)
    except (ControlError, DatabaseError, DatabaseMissing, QueryFailedError) as fault:
        note(f"no prices of that time: {fault}")
        return {}
    found = {symbol: (price, exchange_ns) for symbol, price, exchange_ns in rows}
    if missing := [symbol for symbol in decision.symbols if symbol not in found]:
        note(f"the database has no price of that time of {', '.join(missing)}")
    return found
