"""The door to an actor of the broker node: has the actor's name here, and hands on what strategies say to it.

Owns    nothing.
Hears   whatever a strategy may say to an actor of natya's.
Sends   it to the keeper of the way to the broker node, with who has said it.
Fails   on no expected input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...messages.addresses import NODES
from ...messages.database import CheckDatabase, Query, ReadHistory
from ...messages.holdings import ReadHoldings
from ...messages.journal import ReadJournal
from ...messages.orders import CancelOrder, ModifyOrder, SquaringOffEnded, SubmitOrder
from ...messages.strategy_state import ReadState, SaveState
from ...messages.supervision import Failed, Unavailable
from ..runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from ..runtime import ActorAddress


class Outbound(msgspec.Struct, frozen=True):
    """To the keeper of the way to the broker node."""

    actor: str
    """Name of the actor there."""

    message: Any
    sender: Any


class Door(RuntimeActor):
    """Stands for an actor of the broker node."""

    @handles(
        SubmitOrder, ModifyOrder, CancelOrder, SquaringOffEnded, ReadHoldings, SaveState, ReadState,
        ReadJournal, ReadHistory, Query, CheckDatabase,
    )  # fmt: skip
    def hand_on(self, message: Any, sender: ActorAddress) -> None:
        """Hand it on."""
        self.send(NODES, Outbound(self.name, message, sender))

    @handles(Failed, Unavailable)
    def leave(self, _answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Do nothing: who asked is told by the keeper of the way."""
