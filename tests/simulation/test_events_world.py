"""Durable delivery under faults; `make sim` plays a thousand seeds of it."""

import pytest
from natya_events_world import EventsWorld, an_events_scenario
from natya_seeds import without_faults

FOUND = (10, 23, 25)
"""Seeds that found something: a requeue that was lost, a dead letter that was handled, a replay out of order."""


@pytest.mark.parametrize("seed", FOUND)
def test_each_event_has_its_effect_in_order_or_is_a_dead_letter(seed):
    world = EventsWorld(seed).run()

    assert world.violations() == []
    assert world.injected


def test_without_faults_all_that_is_not_poison_has_its_effect_everywhere():
    world = EventsWorld(7, without_faults(an_events_scenario(7))).run()

    assert world.violations() == []
    assert not world.injected
    assert len(world.effects["steady"]) > len(world.made_ns) * 0.9
    assert world.listed.letters
