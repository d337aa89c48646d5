"""A market that waits for quiet at every message: what one with lanes is compared with."""

from msgspec.structs import force_setattr

from natya.actors.runtime import Lane
from natya.messages.market import Tick


def be_patient(monkeypatch):
    """Let no lane hand on more than one message, nor anything by a call."""
    monkeypatch.setattr(Lane, "play", _played)
    monkeypatch.setattr(Lane, "hand_to", _handed)


def _played(lane, router, messages, place, _end, **options):
    message = messages[place]
    if isinstance(message, Tick):
        force_setattr(message, "received_ns", lane.market.time_ns)
    if options.get("are_conversations", True):
        lane._cell.instance.begin_trace()
    lane._cell.instance.send(router, message)
    return place + 1


def _handed(lane, names, message):
    for name in names:
        lane._cell.instance.send(name, message)
