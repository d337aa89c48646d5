"""What a backtest keeps of the facts that orders told."""

import pytest
from natya_builders import BUILDERS

from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.backtest.running.recorder import Declined, ReadRecord, Record, RecorderActor
from natya.messages.events import Subscribe
from natya.messages.orders import ModificationRefused


@pytest.fixture
def system():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield system


def test_orders_and_fills_are_kept_in_their_order_and_the_others_are_counted(system):
    events = system.probe("events")
    system.start("recorder", RecorderActor)
    assert isinstance(events.receive(), Subscribe)
    intents, fills = [BUILDERS.intent("A-1"), BUILDERS.intent("A-2")], [BUILDERS.filled("A-1"), BUILDERS.filled("A-2")]
    for fact in (intents[0], fills[0], intents[1], fills[1]):
        system.tell("recorder", fact, sender=events)
    refusals = [
        BUILDERS.refusal(f"R-{number}", rule=rule) for number, rule in enumerate(("quantity_max", "symbol", "symbol"))
    ]
    reason = "a multiple of 0.05 wanted, found {:,}.01"
    off_tick = [BUILDERS.rejected(f"B-{number}", reason=reason.format(500 * number)) for number in range(1, 4)]
    poor = [BUILDERS.rejected("C-1", reason="margin of 5 wanted")]
    for fact in (*refusals, *off_tick, *poor):
        system.tell("recorder", fact, sender=events)
    for rule in ("terms", "modifications_max", "terms"):
        unchanged = ModificationRefused(client_order_id="A-1", number=0, rule=rule, reason="", occurred_ns=1)
        system.tell("recorder", unchanged, sender=events)

    assert system.request("recorder", ReadRecord()) == Record(
        fills=tuple(fills),
        intended=tuple(intents),
        refused={"quantity_max": Declined(1, refusals[0]), "symbol": Declined(2, refusals[1])},
        rejected=(Declined(3, off_tick[0]), Declined(1, poor[0])),
        unchanged={"modifications_max": 1, "terms": 2},
    )
