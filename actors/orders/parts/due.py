"""What the orders actor sends to itself, later (plain)."""

import msgspec

from ....domain.brackets.steps import Step


class LookUpDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look up every order in doubt."""


class ReconcileDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look up every order that is open at the broker."""


class WatchDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look at the limits of the day."""


class ReadDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to read the journal again."""


class ChangeDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to append the halt to the journal again."""


class StatesDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to append the states to the journal again that it has refused."""


class StopDue(msgspec.Struct, frozen=True, gc=False):
    """To itself, in a stop: time to wait for the broker no more."""


class BracketDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to ask once more for what a bracket needs, if it still does."""

    entry: str
    """Client order id."""

    step: Step
    """What was asked for, or is to be."""


class DayDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look whether exits may be placed that wait for a session."""


class SquaringOffDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look whether a strategy has squared off for too long."""


class ExpiryDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look whether a contract that is held has expired."""


class CancelDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to cancel again what the kill switch is to have cancelled."""
