"""A process that is one of three systems at a server of streams: it publishes integration events until it is killed.

    python bridging.py DIRECTORY PORT NODES NODE FIRST    publish from this number on, without end
    python bridging.py DIRECTORY PORT NODES NODE settle   only handle, tell when nothing waits, and end with its input

Numbers are of five aggregates in turn; the id of an event is its node and number, so that one whose acknowledgement
nobody has seen is published again. Its durable subscription has each event's effect, of all nodes, once: a line.
"""

import sys
import threading
from pathlib import Path
from typing import Any

from delivering import KEYS, TERMS, Effects, publish_for_ever, tell

import natya
from natya.actors.events.bus import EventPublisher, EventSubscriber
from natya.composition import events_children
from natya.config.loader import load_settings
from natya.events_system import EventsSystem
from natya.messages.system import Ping

EVERY_S = 0.01
"""What waits behind a server that was away is sent in seconds then."""


class Bridged(natya.IntegrationEvent, frozen=True, kw_only=True):
    """The n-th of a node."""

    number: int


def main(directory: Path, port: int, nodes: list[str], node: str, wanted: str) -> None:
    """Work until killed, or until nothing is left."""
    overrides = {
        "system.data_dir": str(directory / node),
        "redis.node": node,
        "redis.host": "127.0.0.1",
        "redis.port": port,
        "redis.receivers": nodes,
    }
    settings = load_settings("paper", overrides=overrides)
    assert any(each.name == "transport" for each in events_children(settings))
    with EventsSystem(settings) as system:
        handle = Effects(directory / f"{node}.effects", fails=5).handle
        EventSubscriber(system.runtime).of(Bridged).handle_durably("effects", handle, begins="oldest", terms=TERMS)
        if wanted != "settle":

            def event(number: int) -> Bridged:
                key = f"{node}-{number % KEYS}"
                return Bridged(aggregate_id=key, number=number, event_id=f"{node}-{number}")

            publish_for_ever(EventPublisher(system), int(wanted), event, every_s=EVERY_S)
        settle(system)
        tell("settled")
        sys.stdin.read()
        settle(system)


def settle(system: EventsSystem) -> None:
    """Return when nothing waits: what is to go out is confirmed by all nodes."""
    subscriptions: Any = None
    moved: list[int] = []
    while subscriptions is None or any(each.behind or each.pending for each in subscriptions):
        threading.Event().wait(0.05)
        subscriptions = system.request("delivery", Ping(), timeout_s=10).statistics.subscriptions
        if moved != (moved := [each.position for each in subscriptions]):
            tell("moved")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4], sys.argv[5])
